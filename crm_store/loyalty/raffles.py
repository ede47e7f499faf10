"""Raffles that anybody can check: open to chances, sealed, drawn (docs/raffles.md).

Whoever writes here locks the raffle first and customers afterwards, so that nobody waits for each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.errors import InvalidInput, LimitReached, NotAllowed, NotFound, TooLate
from crm_store.loyalty import ledger
from crm_store.loyalty.codes import new_code
from crm_store.loyalty.models import DRAWN, OPEN, SEALED, LedgerPosting, LoyaltyAccount, Raffle, RaffleEntry
from crm_store.loyalty.raffle_rows import audit, locked, note, refuse
from crm_store.loyalty.raffle_sealing import LEAD, call_off, draw, published, seal
from crm_store.persian.names import mask_name
from crm_store.rules import Rules

__all__ = [
    "LEAD",
    "Chances",
    "Winner",
    "all_raffles",
    "call_off",
    "chances_of",
    "current_raffles",
    "draw",
    "find_raffle",
    "join",
    "open_raffle",
    "past_winners",
    "published",
    "seal",
]

CUSTOMER = "customer"
EVERYBODY = "*"
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Chances(msgspec.Struct, frozen=True):
    """Where a customer stands in a raffle.

    Attributes:
        own: the customer's chances.
        all: everybody's.
        can_join: whether another chance can be had now, given enough points.
        costs: points for that chance; 0 when it comes by right.
    """

    own: int
    all: int
    can_join: bool
    costs: int


class Winner(msgspec.Struct, frozen=True):
    """Who won: by ticket, and a name that only its owner recognises.

    Attributes:
        key: of the raffle.
        place: from 1.
        customer_id: for whoever hands over the prize.
    """

    key: str
    title: str
    prize: str
    drawn_at: datetime
    place: int
    ticket: str
    name: str
    customer_id: int


def open_raffle(
    session: Session,
    *,
    key: str,
    title: str,
    prize: str,
    winners: int,
    closes_at: datetime,
    actor: str,
    rules: Rules,
    points: int = 0,
    chances: int = 1,
    by_right: Sequence[str] = (),
    opens_at: datetime | None = None,
    now: datetime | None = None,
) -> Raffle:
    """Have people join a new raffle.

    Args:
        key: its name in files and commands, never used before.
        winners: how many win.
        points: what a chance costs; 0 where chances only come by right.
        chances: how many each customer may have at the most.
        by_right: tiers whose members have one chance for nothing; ``*`` for everybody with points.

    Raises:
        InvalidInput: something of this is not possible; the message says what.
    """
    now = now or utcnow()
    opens_at = opens_at or now
    known = {tier.name for tier in rules.business.loyalty.tiers} | {EVERYBODY}
    refuse(not rules.business.loyalty.is_on, "there is no club: tomans_per_point is 0")
    refuse(not _KEY.fullmatch(key), f"{key} is no key: small Latin letters, digits and _")
    refuse(not title.strip() or len(title) > 200 or not prize.strip(), "title and prize have to be told")
    refuse(winners < 1 or chances < 1 or points < 0, "winners and chances are at least 1, points at least 0")
    refuse(not points and not by_right, "nobody could join: a chance needs a price, or comes by right")
    unknown = sorted(set(by_right) - known)
    refuse(bool(unknown), f"there is no tier {', '.join(unknown)}")
    refuse(not max(now, opens_at) < closes_at, "it would close before it opens")
    refuse(
        session.scalar(select(Raffle.id).where(Raffle.key == key)) is not None,
        f"there was a raffle {key} before",
    )
    raffle = Raffle(
        key=key,
        title=title.strip(),
        prize=prize.strip(),
        winners=winners,
        points=points,
        chances=chances,
        by_right=list(by_right),
        opens_at=opens_at,
        closes_at=closes_at,
        created_at=now,
    )
    session.add(raffle)
    session.flush()
    audit(session, raffle, "raffle.open", actor)
    return raffle


def find_raffle(session: Session, *, key: str) -> Raffle:
    """A raffle by its key.

    Raises:
        NotFound: there is none.
    """
    raffle = session.scalar(select(Raffle).where(Raffle.key == key))
    if raffle is None:
        raise NotFound(f"there is no raffle {key}")
    return raffle


def all_raffles(session: Session) -> list[Raffle]:
    """Every raffle, the latest first."""
    return list(session.scalars(select(Raffle).order_by(Raffle.id.desc())))


def current_raffles(session: Session, *, now: datetime | None = None) -> list[Raffle]:
    """Raffles that have begun and are not drawn yet, those that close first at the head.

    Whether one can still be joined says `chances_of`.
    """
    chosen = select(Raffle).where(Raffle.state.in_((OPEN, SEALED)), Raffle.opens_at <= (now or utcnow()))
    return list(session.scalars(chosen.order_by(Raffle.closes_at, Raffle.id)))


def join(
    session: Session,
    *,
    customer_id: int,
    raffle_id: int,
    key: str,
    rules: Rules,  # noqa: ARG001  # services are called alike
    now: datetime | None = None,
) -> RaffleEntry:
    """Take a chance: the one by right first, others for points.

    Args:
        key: names the message that asked for it; the same again gives the same chance.

    Raises:
        NotFound: there is no such raffle or customer.
        TooLate: it takes no chances, any more or yet.
        NotAllowed: chances only come by right here, and not to this customer.
        LimitReached: the customer has as many as one may have.
        NotEnoughPoints: the customer has too few.
        InvalidInput: the key was used for something else.
    """
    now = now or utcnow()
    raffle = locked(session, raffle_id, shared=True)
    customer = ledger.lock_customer(session, customer_id)
    known = session.scalar(select(RaffleEntry).where(RaffleEntry.idempotency_key == key))
    if known is not None:
        if (known.customer_id, known.raffle_id) != (customer.id, raffle.id):
            raise InvalidInput("this key was used for another chance")
        return known
    if not _takes_chances(raffle, now):
        raise TooLate("this raffle takes no chances now")
    posting = _paid(session, raffle, customer, key, now)
    entry = RaffleEntry(
        raffle_id=raffle.id,
        customer_id=customer.id,
        ticket=_unused_ticket(session),
        posting_id=posting.id if posting else None,
        idempotency_key=key,
        created_at=now,
    )
    session.add(entry)
    session.flush()
    note(session, raffle, customer.id, "loyalty.raffle_joined", CUSTOMER)
    return entry


def chances_of(session: Session, *, customer_id: int, raffle_id: int, now: datetime | None = None) -> Chances:
    """Where a customer stands in a raffle.

    Raises:
        NotFound: there is no such raffle or customer.
    """
    raffle, customer = session.get(Raffle, raffle_id), session.get(Customer, customer_id)
    if raffle is None or customer is None:
        raise NotFound("there is no such raffle or customer")
    everybody = select(func.count()).select_from(RaffleEntry).where(RaffleEntry.raffle_id == raffle.id)
    own = _own(session, raffle, customer)
    is_by_right = _has_right(session, raffle, customer) and all(one.posting_id is not None for one in own)
    can_join = (
        _takes_chances(raffle, now or utcnow())
        and len(own) < raffle.chances
        and (is_by_right or raffle.points > 0)
    )
    costs = 0 if is_by_right else raffle.points
    return Chances(len(own), session.scalar(everybody) or 0, can_join, costs)


def past_winners(session: Session, *, limit: int = 10) -> list[Winner]:
    """Who won, of the latest raffle first."""
    rows = session.execute(
        select(Raffle, RaffleEntry, Customer)
        .join(RaffleEntry, RaffleEntry.raffle_id == Raffle.id)
        .join(Customer, Customer.id == RaffleEntry.customer_id)
        .where(Raffle.state == DRAWN, RaffleEntry.place.is_not(None))
        .order_by(Raffle.drawn_at.desc(), Raffle.id.desc(), RaffleEntry.place)
        .limit(limit)
    )
    return [
        Winner(
            key=raffle.key,
            title=raffle.title,
            prize=raffle.prize,
            drawn_at=raffle.drawn_at or raffle.closes_at,
            place=entry.place or 0,
            ticket=entry.ticket,
            name=mask_name(customer.full_name or customer.display_name),
            customer_id=customer.id,
        )
        for raffle, entry, customer in rows
    ]


def _paid(
    session: Session, raffle: Raffle, customer: Customer, key: str, now: datetime
) -> LedgerPosting | None:
    """What pays for another chance; None for the one by right."""
    own = _own(session, raffle, customer)
    if len(own) >= raffle.chances:
        raise LimitReached(f"nobody may have more than {raffle.chances} chances")
    has_right = _has_right(session, raffle, customer)
    if has_right and all(entry.posting_id is not None for entry in own):
        return None
    if not raffle.points:
        if has_right:
            raise LimitReached("there is one chance by right")
        raise NotAllowed("chances only come by right here")
    return ledger.spend(
        session,
        customer_id=customer.id,
        points=raffle.points,
        cause=f"raffle:{raffle.id}",
        actor=CUSTOMER,
        key=f"raffle-join:{key}",
        now=now,
    )


def _own(session: Session, raffle: Raffle, customer: Customer) -> list[RaffleEntry]:
    chosen = select(RaffleEntry).where(
        RaffleEntry.raffle_id == raffle.id, RaffleEntry.customer_id == customer.id
    )
    return list(session.scalars(chosen))


def _has_right(session: Session, raffle: Raffle, customer: Customer) -> bool:
    """Whether somebody has a chance for nothing, taken or not."""
    if EVERYBODY not in raffle.by_right:
        return bool(customer.tier) and customer.tier in raffle.by_right
    has_account = select(LoyaltyAccount.id).where(LoyaltyAccount.customer_id == customer.id).limit(1)
    return session.scalar(has_account) is not None


def _takes_chances(raffle: Raffle, now: datetime) -> bool:
    return raffle.state == OPEN and raffle.opens_at <= now < raffle.closes_at


def _unused_ticket(session: Session) -> str:
    while True:
        ticket = new_code()
        if session.scalar(select(RaffleEntry.id).where(RaffleEntry.ticket == ticket)) is None:
            return ticket
