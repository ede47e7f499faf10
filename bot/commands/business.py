"""``peyvand business``: the file that the owner edits."""

from __future__ import annotations

import click

from bot.commands import explains_errors
from crm_store.settings import load_settings


@click.group()
def business() -> None:
    """Look at the business file: answers, categories, hours and texts."""


@business.command()
@explains_errors
def check() -> None:
    """Say whether the business file is in order, and what is not answered in it yet."""
    from crm_store.business import EXAMPLE, read_business

    path = load_settings().business_path
    file = path if path.exists() else EXAMPLE
    found = read_business(file)
    click.echo(f"{file} is in order")
    if found.faq.unanswered:
        click.echo(f"no answer yet in [faq]: {', '.join(found.faq.unanswered)}")
