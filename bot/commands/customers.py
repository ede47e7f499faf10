"""``peyvand customers``: whose phone number it is, where only a person can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors, open_store
from crm_store.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from crm_store.complaints.models import Complaint
    from crm_store.handoff.models import CallbackRequest


@click.group()
def customers() -> None:
    """Settle whose phone number it is, where only a person can tell."""


@customers.command()
@explains_errors
def conflicts() -> None:
    """List the disputed numbers that wait for a decision."""
    from rich.console import Console
    from rich.table import Table

    from crm_store.customers.linking import open_conflicts
    from crm_store.customers.models import ChannelIdentity

    table = Table("id", "phone", "claimed by", "proven before by", "since (UTC)")
    with open_store(load_settings()) as database, database.read() as session:
        waiting = open_conflicts(session)
        for conflict in waiting:
            claimant = session.get_one(ChannelIdentity, conflict.identity_id)
            table.add_row(
                str(conflict.id),
                conflict.phone,
                _described(session, claimant.customer_id),
                _described(session, conflict.holder_id),
                f"{conflict.created_at:%Y-%m-%d %H:%M}",
            )
    if waiting:
        Console().print(table)
    else:
        click.echo("no number is disputed")


@customers.command()
@click.argument("conflict_id", metavar="ID", type=int)
@click.option("--join", "decision", flag_value="joined", help="Both accounts are one person: join them.")
@click.option("--move", "decision", flag_value="moved", help="The number is the claimant's now.")
@click.option("--keep-apart", "decision", flag_value="kept_apart", help="It stays with the former one.")
@explains_errors
def settle(conflict_id: int, decision: str | None) -> None:
    """Decide about a disputed number; the claimant is told."""
    from crm_store.customers.settling import settle as carry_out

    if decision is None:
        raise click.UsageError("say --join, --move or --keep-apart")
    with open_store(load_settings()) as database, database.write() as session:
        carry_out(session, conflict_id=conflict_id, decision=decision, actor="operator")
    click.echo(f"conflict {conflict_id}: {decision.replace('_', ' ')}")


@customers.command("confirm-phone")
@click.option("--complaint", "code", metavar="CODE", help="The number that stands in this complaint.")
@click.option("--callback", "callback_id", metavar="ID", type=int, help="The number of this call-back.")
@explains_errors
def confirm_phone(code: str | None, callback_id: int | None) -> None:
    """Vouch for the number of somebody you have talked to, where the chat cannot prove it (the web chat)."""
    from crm_store.customers import linking
    from crm_store.customers.models import ContactPoint
    from crm_store.errors import NotFound

    if (code is None) == (callback_id is None):
        raise click.UsageError("say --complaint CODE or --callback ID")
    with open_store(load_settings()) as database, database.write() as session:
        case = find_case(session, code, callback_id)
        if case is None or case.contact_point_id is None:
            raise NotFound("no such case, or there is no phone number in it")
        point = session.get_one(ContactPoint, case.contact_point_id)
        outcome = linking.confirm_phone(
            session, conversation_id=case.conversation_id, phone=point.value, actor="operator"
        )
    said = {"none": "confirmed", "joined": "confirmed; the customer was known and is joined to this chat"}
    click.echo(said.get(outcome.outcome, "disputed: see `peyvand customers conflicts`"))


def find_case(
    session: Session, code: str | None, callback_id: int | None
) -> Complaint | CallbackRequest | None:
    from sqlalchemy import select

    from crm_store.complaints.models import Complaint
    from crm_store.handoff.models import CallbackRequest
    from crm_store.persian import parse_tracking_code

    if code is None:
        return session.get(CallbackRequest, callback_id)
    return session.scalar(select(Complaint).where(Complaint.code == (parse_tracking_code(code) or "")))


def _described(session: Session, customer_id: int) -> str:
    """A customer by number, name and accounts, safe for a terminal's markup."""
    from rich.markup import escape

    from crm_store.customers.models import Customer

    customer = session.get_one(Customer, customer_id)
    accounts = ", ".join(sorted({identity.channel for identity in customer.identities}))
    name = customer.full_name or customer.display_name
    return escape(f"{customer_id} {name} ({accounts or 'no account'})")
