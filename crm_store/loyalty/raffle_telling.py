"""What everybody in a raffle hears of it, and gets back when it is called off: some at once, others by a job.

A raffle may have tens of thousands of participants; nobody else should wait while they are told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.conversations.queries import latest_conversation
from crm_store.customers.models import Customer
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, schedule
from crm_store.loyalty import ledger
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.models import LedgerPosting, Raffle, RaffleEntry
from crm_store.outbox import INTERACTIVE, TO_MANY, enqueue_notice
from crm_store.persian import group_thousands, to_jalali_datetime_text
from crm_store.rules import Rules

#: Kind of the jobs that go on with it.
JOB = "raffle_tell"
#: What is told: the hash of the sealed list, who won, or that it is called off and points come back.
SEALED, RESULT, RETURN = "sealed", "result", "return"
#: Participants in one unit of work.
AT_ONCE = 200
SYSTEM = "system"


def handlers(rules: Callable[[], Rules]) -> dict[str, Handler]:
    """What does the jobs of raffles, by their kinds."""

    def tell(session: Session, job: ScheduledJob, now: datetime) -> None:
        raffle = session.get(Raffle, job.data["raffle_id"])
        if raffle is not None:
            zone = rules().timezone
            go_on(session, raffle, job.data["what"], after=job.data["after"], timezone=zone, now=now)

    return {JOB: tell}


def go_on(
    session: Session,
    raffle: Raffle,
    what: str,
    *,
    after: int = 0,
    timezone: str | None = None,
    now: datetime | None = None,
) -> None:
    """Tell the next participants, in order of their numbers, and leave the others to a job.

    Args:
        what: one of ``sealed``, ``result``, ``return``.
        after: the last customer who was told.
        timezone: where the moment of the public value is shown; what is told of a sealed list needs it.
    """
    now = now or utcnow()
    chosen = (
        select(RaffleEntry.customer_id)
        .where(RaffleEntry.raffle_id == raffle.id, RaffleEntry.customer_id > after)
        .distinct()
        .order_by(RaffleEntry.customer_id)
        .limit(AT_ONCE)
    )
    customer_ids = session.scalars(chosen).all()
    for customer_id in customer_ids:
        customer = session.get_one(Customer, customer_id)
        if customer.erased_at is None:
            _deal_with(session, raffle, customer, what, timezone=timezone, now=now)
    if len(customer_ids) == AT_ONCE:
        data = {"raffle_id": raffle.id, "what": what, "after": customer_ids[-1]}
        schedule(session, kind=JOB, key=f"raffle-{what}:{raffle.id}", due_at=now, data=data)


def _deal_with(
    session: Session, raffle: Raffle, customer: Customer, what: str, *, timezone: str | None, now: datetime
) -> None:
    entries = session.scalars(
        select(RaffleEntry)
        .where(RaffleEntry.raffle_id == raffle.id, RaffleEntry.customer_id == customer.id)
        .order_by(RaffleEntry.id)
    ).all()
    if what == RETURN:
        _return_points(session, raffle, customer, entries, now)
        return
    if what == SEALED:
        params = {
            "title": raffle.title,
            "hash": raffle.entries_hash,
            "source": raffle.random_source,
            "when": to_jalali_datetime_text(raffle.random_at, timezone)
            if raffle.random_at and timezone
            else "",
        }
        _tell(
            session,
            customer,
            "utter_raffle_sealed",
            key=f"raffle-sealed:{raffle.id}",
            params=params,
            priority=TO_MANY,
        )
        return
    won = [entry for entry in entries if entry.place is not None]
    for entry in won:
        params = {"title": raffle.title, "prize": raffle.prize, "code": grouped(entry.ticket)}
        _tell(session, customer, "utter_raffle_won", key=f"raffle-won:{entry.id}", params=params)
    if not won:
        params = {"title": raffle.title, "source": raffle.random_source, "value": raffle.random_value}
        _tell(
            session,
            customer,
            "utter_raffle_not_won",
            key=f"raffle-result:{raffle.id}",
            params=params,
            priority=TO_MANY,
        )


def _return_points(session: Session, raffle: Raffle, customer: Customer, entries: Any, now: datetime) -> None:
    points = 0
    for entry in entries:
        if entry.posting_id is not None:
            posting = session.get_one(LedgerPosting, entry.posting_id)
            key = f"raffle-back:{entry.id}"
            ledger.reverse(
                session, posting=posting, cause=f"raffle:{raffle.id}", actor=SYSTEM, key=key, now=now
            )
            points -= posting.points
    record_activity(
        session,
        customer_id=customer.id,
        kind="loyalty.raffle_called_off",
        actor=SYSTEM,
        subject_type="raffle",
        subject_id=raffle.id,
        data={"points": points},
    )
    params, key = {"title": raffle.title}, f"raffle-called-off:{raffle.id}"
    if points:
        with_points = {**params, "points": group_thousands(points)}
        _tell(
            session, customer, "utter_raffle_called_off_points", key=key, params=with_points, priority=TO_MANY
        )
    else:
        _tell(session, customer, "utter_raffle_called_off", key=key, params=params, priority=TO_MANY)


def _tell(
    session: Session,
    customer: Customer,
    response: str,
    *,
    key: str,
    params: dict[str, str],
    priority: int = INTERACTIVE,
) -> None:
    conversation_id = latest_conversation(session, customer_id=customer.id)
    if conversation_id is not None:
        enqueue_notice(
            session,
            conversation_id=conversation_id,
            response=response,
            idempotency_key=f"{key}:{customer.id}",
            params=params,
            priority=priority,
        )
