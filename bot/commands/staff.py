"""``peyvand staff``: who may log in at the console."""

from __future__ import annotations

import click

from bot.commands import explains_errors, open_store
from crm_store.settings import load_settings


@click.group()
def staff() -> None:
    """Help members of staff to log in at the console."""


@staff.command()
@click.argument("login")
@explains_errors
def password(login: str) -> None:
    """Make a new password for LOGIN, show it once and end that person's log-ins."""
    from crm_store.staff.service import FIRST_LOGIN, ensure_first_admin, normalize_login, set_password

    with open_store(load_settings()) as database, database.write() as session:
        # A console that was started alone has nobody yet who could log in.
        first = ensure_first_admin(session) if normalize_login(login) == FIRST_LOGIN else None
        made = first or set_password(session, login=login)
    click.echo(f"The password of {normalize_login(login)} is now: {made}")
    click.echo("It is shown this once and kept nowhere.")
