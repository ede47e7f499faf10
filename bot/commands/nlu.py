"""``peyvand nlu``: what customers wrote and was not understood, and what the operator makes of it."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors, open_store
from bot.commands.customers import find_case
from crm_store.errors import CrmError, InvalidInput, NotFound
from crm_store.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from crm_store.db import Database
    from crm_store.learning.queries import Heard

ACTOR = "operator"
#: How many likely intents are offered.
OFFERED = 3


@click.group()
def nlu() -> None:
    """Look through messages that were not understood, and teach what they mean."""


@nlu.command()
@click.option("--list", "only_list", is_flag=True, help="List them and ask nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --list: one JSON object a line.")
@explains_errors
def review(only_list: bool, as_json: bool) -> None:
    """Decide about one message after the other: an intent, or none."""
    from crm_store.learning.queries import open_phrases

    if as_json and not only_list:
        raise click.UsageError("--json goes with --list")
    settings = load_settings()
    with open_store(settings) as database:
        with database.read() as session:
            waiting = open_phrases(session)
        if as_json:
            for heard in waiting:
                click.echo(json.dumps(_as_data(heard), ensure_ascii=False))
        elif not waiting:
            click.echo("nothing waits for a decision")
        elif only_list:
            _show(waiting)
        else:
            _ask_about(waiting, database, settings)


@nlu.command()
@click.argument("sample_id", metavar="ID", type=int)
@click.option("--intent", required=True, help="What it means: an intent, faq with its topic (faq/hours).")
@explains_errors
def accept(sample_id: int, intent: str) -> None:
    """Teach what a message means, and all others that say the same."""
    settings = load_settings()
    with open_store(settings) as database:
        click.echo(_accept(database, settings, sample_id, intent, _labels()))


@nlu.command()
@click.argument("sample_ids", metavar="ID…", type=int, nargs=-1, required=True)
@explains_errors
def discard(sample_ids: tuple[int, ...]) -> None:
    """Teach nothing by some messages, nor by others that say the same; takes back what was taught."""
    settings = load_settings()
    with open_store(settings) as database:
        for sample_id in sample_ids:
            click.echo(_discard(database, settings, sample_id))


@nlu.command()
@click.option("--complaint", "code", metavar="CODE", help="The customer of this complaint.")
@click.option("--callback", "callback_id", metavar="ID", type=int, help="The customer of this call-back.")
@explains_errors
def exclude(code: str | None, callback_id: int | None) -> None:
    """Keep no message of a customer who objects to it, and let go of those that are there."""
    from crm_store.learning.phrases import LearnedPhrases
    from crm_store.learning.service import object_to_learning

    if (code is None) == (callback_id is None):
        raise click.UsageError("say --complaint CODE or --callback ID")
    settings = load_settings()
    with open_store(settings) as database, database.write() as session:
        case = find_case(session, code, callback_id)
        if case is None:
            raise NotFound("no such case")
        count = object_to_learning(
            session,
            customer_id=case.customer_id,
            learned=LearnedPhrases(settings.learned_path),
            actor=ACTOR,
        )
    click.echo(f"nothing is kept of this customer any more; let go of: {_messages(count)}")


def _ask_about(waiting: list[Heard], database: Database, settings: Settings) -> None:
    labels = _labels()
    click.echo("an intent or a number of the list teaches it; d discards, s skips, q quits")
    accepted = 0
    for number, heard in enumerate(waiting, start=1):
        click.echo(f"\n{number}/{len(waiting)}  {_described(heard)}")
        for place, label in enumerate(_offered(heard), start=1):
            click.echo(f"  {place}) {label}{_confidence(heard, label)}")
        decision = _decide(heard, database, settings, labels)
        if decision == "q":
            break
        accepted += decision == "accepted"
    if accepted:
        click.echo(f"\ntaught: {accepted}; `peyvand train` learns from it")


def _decide(heard: Heard, database: Database, settings: Settings, labels: Collection[str]) -> str:
    """Ask until there is an answer that can be carried out; gives what was done."""
    offered = _offered(heard)
    while True:
        try:
            answer = click.prompt("what does it mean", prompt_suffix="? ", err=False).strip()
        except click.Abort:  # Ctrl-C, Ctrl-D, the end of what is piped in
            click.echo()
            return "q"
        if answer in ("q", "s"):
            return str(answer)
        try:
            if answer == "d":
                click.echo(_discard(database, settings, heard.id))
                return "discarded"
            chosen = offered[int(answer) - 1] if answer in _numbers(offered) else answer
            click.echo(_accept(database, settings, heard.id, chosen, labels))
            return "accepted"
        except CrmError as error:
            click.secho(str(error), fg="red")


def _accept(
    database: Database, settings: Settings, sample_id: int, intent: str, labels: Collection[str]
) -> str:
    from bot.nlu.labels import check_label
    from crm_store.learning.phrases import LearnedPhrases
    from crm_store.learning.service import accept

    label = check_label(intent, labels)
    with database.write() as session:
        _refuse_evaluation_phrase(session, sample_id)
        same = accept(
            session,
            sample_id=sample_id,
            intent=label,
            learned=LearnedPhrases(settings.learned_path),
            actor=ACTOR,
        )
    return f"{sample_id}: {label}, {_messages(len(same))}"


def _discard(database: Database, settings: Settings, sample_id: int) -> str:
    from crm_store.learning.phrases import LearnedPhrases
    from crm_store.learning.service import discard

    with database.write() as session:
        learned = LearnedPhrases(settings.learned_path)
        same = discard(session, sample_id=sample_id, learned=learned, actor=ACTOR)
    return f"{sample_id}: discarded, {_messages(len(same))}"


def _refuse_evaluation_phrase(session: Session, sample_id: int) -> None:
    """Understanding is measured with these phrases: trained with them it would only seem better."""
    from bot.nlu.evaluation import evaluation_keys
    from crm_store.learning.models import LearningSample
    from crm_store.learning.phrases import phrase_key

    sample = session.get(LearningSample, sample_id)
    if sample is not None and sample.text and phrase_key(sample.text) in evaluation_keys():
        raise InvalidInput(f"message {sample_id} is one of the phrases that understanding is measured with")


def _labels() -> list[str]:
    from bot.nlu.labels import teachable_labels

    return teachable_labels()


def _messages(count: int) -> str:
    return f"{count} message{'s' * (count != 1)}"


def _offered(heard: Heard) -> list[str]:
    return heard.suggestions[: OFFERED + len(heard.chosen)]


def _numbers(offered: list[str]) -> list[str]:
    return [str(place) for place in range(1, len(offered) + 1)]


def _confidence(heard: Heard, label: str) -> str:
    confidence = dict(heard.ranking).get(label)
    parts = [f"{confidence:.0%}"] if confidence is not None else []
    if {label, label.partition("/")[0]} & {*heard.chosen}:
        parts.append("pressed")
    return f"  {', '.join(parts)}" if parts else ""


def _described(heard: Heard) -> str:
    times = f", {heard.count} times" if heard.count > 1 else ""
    return f"«{heard.text}»  ({', '.join(heard.reasons)}{times}, {heard.since:%Y-%m-%d})"


def _show(waiting: list[Heard]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("id", "message", "times", "why")
    table.add_column("likeliest", no_wrap=True)
    for heard in waiting:
        likely = "\n".join(f"{label}{_confidence(heard, label)}" for label in _offered(heard))
        reasons = "\n".join(heard.reasons)
        table.add_row(str(heard.id), escape(heard.text), str(heard.count), reasons, escape(likely))
    Console().print(table)


def _as_data(heard: Heard) -> dict[str, object]:
    likeliest = heard.ranking[0] if heard.ranking else ("", 0.0)
    return {
        "id": heard.id,
        "text": heard.text,
        "count": heard.count,
        "reasons": heard.reasons,
        "understood_as": likeliest[0],
        "confidence": likeliest[1],
        "ranking": heard.ranking,
        "chosen": heard.chosen,
        "since": heard.since.isoformat(),
    }
