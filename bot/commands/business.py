"""``peyvand business``: the file that the owner edits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors
from crm_store.settings import PROJECT_ROOT, load_settings

if TYPE_CHECKING:
    from crm_store.business import Business


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
    problems = [*_problems_of_texts(found), *_problems_of_answers(found)]
    for problem in problems:
        click.secho(problem, fg="red", err=True)
    if found.faq.unanswered:
        click.echo(f"no answer yet in [faq]: {', '.join(found.faq.unanswered)}")
    if problems:
        sys.exit(1)
    click.echo(f"{file} is in order")


def _problems_of_texts(business: Business) -> Iterator[str]:
    """What keeps texts of the owner from being said, or from looking as they are meant."""
    from crm_store.wordings import foreign_tags, read_responses, text_problems

    own = read_responses((PROJECT_ROOT / "data").glob("*/responses.yml"))
    for name, texts in business.texts.items():
        if name not in own:
            yield f"[texts] {name}: there is no such response"
            continue
        for number, text in enumerate(texts, start=1):
            place = f"[texts] {name}, text {number}" if len(texts) > 1 else f"[texts] {name}"
            problems = text_problems(text, own[name][0].get("text") or "")
            if problems:
                yield f"{place}: {'; '.join(problems)}; Peyvand's own wording is said instead"
            yield from _shown_as_written(place, foreign_tags(text))


def _problems_of_answers(business: Business) -> Iterator[str]:
    from crm_store.wordings import foreign_tags, text_problems

    for topic in business.faq.answered:
        answer = business.faq.answer(topic)
        for problem in text_problems(answer, ""):
            yield f"[faq] {topic}: {problem}; only {{business}} is filled in"
        yield from _shown_as_written(f"[faq] {topic}", foreign_tags(answer))


def _shown_as_written(place: str, tags: list[str]) -> Iterator[str]:
    if tags:
        yield f"{place}: {', '.join(tags)} is shown as it is written; only <b>, <i> and <code> are tags"
