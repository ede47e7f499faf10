"""What everybody in a raffle hears of it, and gets back when it is called off: some at once, others by a job.

A raffle may have tens of thousands of participants; nobody else should wait while they are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.conversations.queries import latest_conversation
from crm_store.customers.models import Customer
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, schedule
from crm_store.loyalty import ledger
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.models import LedgerPosting, Raffle, RaffleEntry
from crm_store.loyalty.telling import by_day, tell_by_day
from crm_store.outbox import TO_MANY, enqueue_notice
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
            go_on(session, raffle, job.data["what"], after=job.data["after"], rules=rules(), now=now)

    return {JOB: tell}


def go_on(
    session: Session,
    raffle: Raffle,
    what: str,
    *,
    after: int = 0,
    rules: Rules,
    now: datetime,
) -> None:
    """Tell the next participants, in order of their numbers, and leave the others to a job.

    Args:
        what: one of ``sealed``, ``result``, ``return``.
        after: the last customer who was told.
    """
    chosen = (
        select(RaffleEntry.customer_id)
        .where(RaffleEntry.raffle_id == raffle.id, RaffleEntry.customer_id > after)
        .distinct()
        .order_by(RaffleEntry.customer_id)
        .limit(AT_ONCE)
    )
    customer_ids = session.scalars(chosen).all()
    step = {SEALED: _tell_sealed, RESULT: _tell_result, RETURN: _return_points}[what]
    for customer_id in customer_ids:
        customer = session.get_one(Customer, customer_id)
        if customer.erased_at is None:
            step(session, raffle, customer, rules, now)
    if len(customer_ids) == AT_ONCE:
        data = {"raffle_id": raffle.id, "what": what, "after": customer_ids[-1]}
        schedule(session, kind=JOB, key=f"raffle-{what}:{raffle.id}", due_at=now, data=data)


def _tell_sealed(session: Session, raffle: Raffle, customer: Customer, rules: Rules, now: datetime) -> None:
    """By day; at once if the public value comes to be before the morning, as the hash is told before it."""
    conversation_id = latest_conversation(session, customer_id=customer.id)
    if conversation_id is None or raffle.random_at is None:
        return
    morning = by_day(now, rules)
    params = {
        "title": raffle.title,
        "hash": raffle.entries_hash,
        "source": raffle.random_source,
        "when": to_jalali_datetime_text(raffle.random_at, rules.timezone),
    }
    enqueue_notice(
        session,
        conversation_id=conversation_id,
        response="utter_raffle_sealed",
        idempotency_key=f"raffle-sealed:{raffle.id}:{customer.id}",
        params=params,
        due_at=morning if morning < raffle.random_at else now,
        priority=TO_MANY,
    )


def _tell_result(session: Session, raffle: Raffle, customer: Customer, rules: Rules, now: datetime) -> None:
    tell = partial(tell_by_day, session, customer_id=customer.id, rules=rules, now=now)
    entries = _entries_of(session, raffle, customer)
    won = [entry for entry in entries if entry.place is not None]
    for entry in won:
        params = {"title": raffle.title, "prize": raffle.prize, "code": grouped(entry.ticket)}
        tell(response="utter_raffle_won", key=f"raffle-won:{entry.id}:{customer.id}", params=params)
    if not won:
        params = {"title": raffle.title, "source": raffle.random_source, "value": raffle.random_value}
        key = f"raffle-result:{raffle.id}:{customer.id}"
        tell(response="utter_raffle_not_won", key=key, params=params, priority=TO_MANY)


def _return_points(session: Session, raffle: Raffle, customer: Customer, rules: Rules, now: datetime) -> None:
    points = 0
    for entry in _entries_of(session, raffle, customer):
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
    tell_by_day(
        session,
        customer_id=customer.id,
        response="utter_raffle_called_off_points" if points else "utter_raffle_called_off",
        key=f"raffle-called-off:{raffle.id}:{customer.id}",
        params={"title": raffle.title} | ({"points": group_thousands(points)} if points else {}),
        rules=rules,
        now=now,
        priority=TO_MANY,
    )


def _entries_of(session: Session, raffle: Raffle, customer: Customer) -> Sequence[RaffleEntry]:
    chosen = RaffleEntry.raffle_id == raffle.id, RaffleEntry.customer_id == customer.id
    return session.scalars(select(RaffleEntry).where(*chosen).order_by(RaffleEntry.id)).all()
