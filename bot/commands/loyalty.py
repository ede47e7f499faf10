"""``peyvand loyalty``: the customers' club for whoever runs it."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from bot.commands import explains_errors, open_store
from bot.commands.ticket_desk import reading, working
from crm_store.errors import InvalidInput, NotFound
from crm_store.settings import load_settings


@click.group()
def loyalty() -> None:
    """Look at points and correct them, and try other rules."""


@loyalty.command("dry-run")
@click.option("--rules", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--month", default="", help="Jalali, 1405/08; the month before this one if left out.")
@explains_errors
def dry_run(file: Path, month: str) -> None:
    """Tell how many points the rules of another business file would have given for a month's purchases."""
    from zoneinfo import ZoneInfo

    from crm_store.base import utcnow
    from crm_store.business import read_business
    from crm_store.loyalty.dry_run import dry_run as run
    from crm_store.persian.jalali_days import jalali

    other = read_business(file)
    with reading() as (session, rules):
        year, number, _day = jalali(utcnow().astimezone(ZoneInfo(rules.timezone)).date())
        before = (year, number - 1) if number > 1 else (year - 1, 12)
        year, number = _month(month) if month else before
        found = run(session, loyalty=other.loyalty, year=year, month=number, timezone=rules.timezone)
    click.echo(f"{year}/{number:02}: {found.purchases} purchases of {found.customers} customers")
    click.echo(f"given: {found.given} points")
    click.echo(f"with {file.name}: {found.would_give} points ({found.would_give - found.given:+})")


@loyalty.command()
@click.argument("phone")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@explains_errors
def statement(phone: str, limit: int) -> None:
    """Show what a customer has, and where it came from."""
    from datetime import timedelta

    from rich.console import Console
    from rich.table import Table

    from crm_store.loyalty.balance import balance_of, history_of
    from crm_store.persian import jalali_numeric

    with reading() as (session, rules):
        soon = timedelta(days=rules.business.loyalty.expiring_soon_days)
        for customer_id in _customers(phone):
            balance = balance_of(session, customer_id=customer_id, soon=soon)
            click.echo(f"customer {customer_id}: {balance.points} points, {balance.debt} owed")
            table = Table("posting", "when", "kind", "points", "owed", "cause", "by")
            for one in history_of(session, customer_id=customer_id, limit=limit):
                when = jalali_numeric(one.at, rules.timezone)
                row = (str(one.id), when, one.kind, str(one.points), str(one.debt), one.cause, one.actor)
                table.add_row(*row)
            Console().print(table)


@loyalty.command()
@click.argument("phone")
@click.argument("points", type=int)
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@explains_errors
def adjust(phone: str, points: int, reason: str) -> None:
    """Give a customer points, or take some with a number below zero (after --)."""
    from crm_store.loyalty.ledger import adjust as change

    found = _customers(phone)
    if len(found) != 1:
        raise InvalidInput(f"{len(found)} customers have this number; settle whose it is first")
    with working() as desk:
        posting = change(
            desk.session,
            customer_id=found[0],
            points=points,
            reason=reason,
            actor="operator",
            role="admin",
            rules=desk.rules,
            key=f"adjust:{uuid.uuid4()}",
        )
    click.echo(f"posting {posting.id}: {points:+} points")


@loyalty.command()
@click.argument("posting", type=click.IntRange(1))
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@explains_errors
def reverse(posting: int, reason: str) -> None:
    """Undo an earning, an adjustment or a spending by a further posting; statement shows their numbers.

    It is done once; the same again changes nothing. What a return took, what lapsed and what paid for a
    reward or a raffle is not undone: it says what to do instead.
    """
    from crm_store.loyalty.correcting import reverse_by_hand, worth_of

    with working() as desk:
        undone = reverse_by_hand(
            desk.session, posting_id=posting, reason=reason, actor=desk.actor, rules=desk.rules
        )
        points = worth_of(desk.session, undone)
    click.echo(f"posting {undone.id} undoes posting {posting}: {points:+} points")


@loyalty.command()
@explains_errors
def proof() -> None:
    """Make every sum of the ledger anew; exit code 1 when something is wrong."""
    from crm_store.loyalty.proof import prove

    with open_store(load_settings()) as database:
        found = prove(database)
    click.echo(
        f"{found.postings} postings, {found.points} points, {found.debt} owed, "
        f"{len(found.faults)} faults, {found.seconds:.1f} s"
    )
    for fault in found.faults:
        click.secho(f"  {fault}", fg="red", err=True)
    if found.faults:
        raise SystemExit(1)


def _month(text: str) -> tuple[int, int]:
    from crm_store.persian import to_ascii_digits

    year, _, month = to_ascii_digits(text).partition("/")
    if not (year.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12):
        raise InvalidInput("--month: write it as 1405/08")
    return int(year), int(month)


def _customers(phone: str) -> list[int]:
    """Customers with a number, those that stand for themselves."""
    from sqlalchemy import select

    from crm_store.customers.models import ContactPoint, Customer
    from crm_store.persian import normalize_phone

    try:
        number = normalize_phone(phone)
    except ValueError as error:
        raise InvalidInput(f"{phone} is no phone number") from error
    with reading() as (session, _rules):
        rows = session.scalars(
            select(Customer.id)
            .join(ContactPoint, ContactPoint.customer_id == Customer.id)
            .where(ContactPoint.value == number, Customer.merged_into_id.is_(None))
            .distinct()
        ).all()
    if not rows:
        raise NotFound("no customer has this number")
    return list(rows)
