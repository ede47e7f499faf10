"""``peyvand surveys``: opinions asked for by hand, what they brought, and who is still to be looked after."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors
from bot.commands.ticket_desk import acting, reading, span_of_day, working
from crm_store.base import utcnow

if TYPE_CHECKING:
    from rich.console import Console

    from crm_store.surveys.results import By, QuestionResult, Segment, SurveyResults

_BY = ("tier", "staff", "month")


@click.group()
def surveys() -> None:
    """Ask for opinions, and see what they are."""


@surveys.command("list")
@explains_errors
def list_() -> None:
    """List the surveys of the business file and of the API."""
    from rich.console import Console
    from rich.table import Table

    from bot.commands.showing import Words
    from crm_store.surveys.definitions import listed

    with reading() as (session, rules):
        found = listed(session, rules=rules)
    if not found:
        click.echo("there is no survey; they stand in [[surveys.items]] of the business file")
        return
    table = Table("key", "title", "questions", "follows", "from", "version")
    for definition, origin, version in found:
        follows = [f"{one.on} +{one.after_days}d {one.after_minutes}m" for one in definition.triggers]
        follows += ["whoever speaks up"] if definition.is_open else []
        table.add_row(
            definition.key,
            Words(definition.title),
            ", ".join(question.kind for question in definition.questions),
            "\n".join(follows) if definition.is_active else "switched off",
            origin,
            str(version or "not asked yet"),
        )
    Console().print(table)


@surveys.command()
@click.argument("key")
@click.argument("targets", metavar="FILE-OR-PHONES", nargs=-1, required=True)
@acting
@explains_errors
def send(key: str, targets: tuple[str, ...], staff_id: int | None) -> None:
    """Ask many customers: phone numbers, or a file with one in each line.

    Each is asked as soon as the rules allow it; who was asked lately or wants no messages is left out.
    """
    from crm_store.audit import record_audit
    from crm_store.surveys.lists import customers_named
    from crm_store.surveys.planning import plan_for_list

    with working(staff_id) as desk:
        named = customers_named(desk.session, lines=_lines(targets))
        plan = plan_for_list(desk.session, key=key, customer_ids=named.customer_ids, rules=desk.rules)
        detail = {"planned": len(plan.planned), "left_out": plan.left_out}
        record_audit(
            desk.session,
            actor=desk.actor,
            action="survey.sent",
            target_type="survey",
            target_id=key,
            detail=detail,
        )
        planned = len(plan.planned)
    click.echo(f"{planned} planned")
    counts = {**plan.left_out, "not known": len(named.unknown), "no phone number": len(named.unreadable)}
    for reason, count in counts.items():
        if count:
            click.secho(f"{count} left out: {reason}", fg="yellow", err=True)


@surveys.command()
@click.argument("key")
@click.option("--by", type=click.Choice(_BY), help="Also by tier, by member of staff, or by Jalali month.")
@click.option("--since", metavar="DAY", help="Of those asked from this day on, such as 1405/09/01.")
@click.option("--until", metavar="DAY", help="Of those asked up to this day.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw them into a PNG, too.")
@explains_errors
def results(key: str, by: By | None, since: str | None, until: str | None, picture: Path | None) -> None:
    """Show what a survey has brought."""
    from rich.console import Console

    from crm_store.surveys.results import results as results_of

    now = utcnow()
    with reading() as (session, rules):
        found = results_of(
            session,
            key=key,
            rules=rules,
            since=span_of_day(since, rules.timezone, now=now)[0] if since else None,
            until=span_of_day(until, rules.timezone, now=now)[1] if until else None,
            by=by,
        )
    console = Console()
    _show(console, found)
    if picture is not None:
        _draw(found, picture)


@surveys.command("follow-ups")
@click.option("--done", "done_id", type=int, metavar="ID", help="This one has been looked after.")
@click.option("--note", "text", default="", help="What was done; needed with --done.")
@acting
@explains_errors
def follow_ups(done_id: int | None, text: str, staff_id: int | None) -> None:
    """List low grades that somebody has to look after, or note that one was looked after."""
    if done_id is not None:
        from crm_store.surveys.follow_ups import finish

        with working(staff_id) as desk:
            finish(desk.session, follow_up_id=done_id, text=text, actor=desk.actor)
        click.echo(f"follow-up {done_id} is done")
        return
    _list_follow_ups(utcnow())


def _lines(targets: tuple[str, ...]) -> list[str]:
    """The numbers that were given, those of files in their place."""
    lines: list[str] = []
    for target in targets:
        path = Path(target)
        lines += path.read_text(encoding="utf-8").splitlines() if path.is_file() else [target]
    return lines


def _list_follow_ups(now: datetime) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
    from sqlalchemy import select

    from bot.commands.showing import Words, moment_text
    from crm_store.customers.models import Customer
    from crm_store.customers.service import best_phone
    from crm_store.persian import phone_text
    from crm_store.surveys.follow_ups import open_follow_ups
    from crm_store.surveys.models import SurveyAnswer, SurveyInvitation

    table = Table("id", "survey", "customer", "phone", "grades", "reason", "due")
    with reading() as (session, rules):
        waiting = open_follow_ups(session)
        for one in waiting:
            customer = session.get_one(Customer, one.customer_id)
            invitation = session.get_one(SurveyInvitation, one.invitation_id)
            own = SurveyAnswer.invitation_id == one.invitation_id
            answers = session.scalars(select(SurveyAnswer).where(own).order_by(SurveyAnswer.id)).all()
            phone = best_phone(session, customer_id=customer.id)
            due = moment_text(one.due_at, rules.timezone)
            table.add_row(
                str(one.id),
                invitation.key,
                Words(f"{customer.id} {customer.full_name or customer.display_name}"),
                phone_text(phone.value) if phone else "",
                ", ".join(f"{row.question} {row.value}" for row in answers if row.value is not None),
                Words("\n".join(row.text for row in answers if row.text)),
                Text(due, "red") if one.due_at <= now else Text(due),
            )
    if waiting:
        Console().print(table)
    else:
        click.echo("nobody waits to be looked after")


def _draw(found: SurveyResults, path: Path) -> None:
    """Write the results as a picture."""
    import msgspec

    from crm_store.pictures import SURVEY, draw

    path.write_bytes(draw(SURVEY, msgspec.to_builtins(found)))


def _show(console: Console, found: SurveyResults) -> None:
    from rich.text import Text

    from bot.commands.showing import Words

    console.print(Words(found.title, "bold"))
    _show_segment(console, found.total)
    for segment in found.segments:
        console.print(Text(""))
        console.print(Words(segment.name or "—", "bold"))
        _show_segment(console, segment)


def _show_segment(console: Console, segment: Segment) -> None:
    from rich.table import Table

    from bot.commands.showing import Words

    rate = "" if segment.response_rate is None else f", {segment.response_rate:.0%} of them answered"
    console.print(
        f"{segment.asked} asked{rate}; {segment.began} spoke up unasked; {segment.completed} completed, "
        f"{segment.skipped} skipped, {segment.expired} expired"
    )
    table = Table("question", "kind", "answers", "figures", "how often", "versions")
    for one in segment.questions:
        figures = one.figures
        table.add_row(
            Words(one.text),
            one.kind,
            str(figures.count),
            _figures(one),
            "  ".join(f"{name}: {count}" for name, count in figures.distribution.items() if count),
            ", ".join(map(str, one.versions))
            + (f" (without {', '.join(map(str, one.left_out))})" if one.left_out else ""),
        )
    console.print(table)


def _figures(one: QuestionResult) -> str:
    figures = one.figures
    if figures.nps is not None:
        nps = figures.nps
        return f"NPS {nps.score:.0f} (95 %: {nps.low:.0f} to {nps.high:.0f})"
    if figures.satisfied is not None:
        return f"CSAT {figures.satisfied:.0%}"
    return "" if figures.mean is None else f"mean {figures.mean:.2f}"
