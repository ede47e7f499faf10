"""The end of a raffle: its list is sealed, a public value draws the winners, or it is called off.

Used through `crm_store.loyalty.raffles`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.errors import InvalidTransition
from crm_store.loyalty import ledger, raffle_draw
from crm_store.loyalty.models import CALLED_OFF, DRAWN, OPEN, SEALED, LedgerPosting, Raffle, RaffleEntry
from crm_store.loyalty.raffle_draw import Drawn, Entry, Published, Sealed
from crm_store.loyalty.raffle_rows import audit, expect, locked, note, refuse
from crm_store.loyalty.raffle_telling import RESULT, RETURN, go_on
from crm_store.loyalty.raffle_telling import SEALED as TELL_SEALED
from crm_store.rules import Rules

#: So long before the public value comes to be the list is sealed at the latest: by then people have its hash.
LEAD = timedelta(minutes=10)


def seal(
    session: Session,
    *,
    raffle: Raffle,
    random_source: str,
    random_at: datetime,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> Raffle:
    """Close the list for good, and name the public value that will decide; everybody in it is told the hash.

    Args:
        random_source: which value, so that two people who look it up find the same.
        random_at: when it comes to be, at least `LEAD` from now.
        rules: at which hours people are told, and in which time zone.

    Raises:
        InvalidInput: it still takes chances, nobody joined, or the value is none to come.
        InvalidTransition: it is not open.
    """
    now = now or utcnow()
    raffle = locked(session, raffle.id)
    expect(raffle, OPEN)
    refuse(now < raffle.closes_at, "people were told that they can join until it closes")
    refuse(not random_source.strip(), "the public value that decides has to be named")
    refuse(random_at < now + LEAD, "the value has to come to be at least ten minutes after the sealing")
    entries = _entries_to_seal(session, raffle, actor, now)
    refuse(not entries, "nobody joined; call it off")
    sealed = Sealed(
        raffle=raffle.key,
        title=raffle.title,
        prize=raffle.prize,
        winners=raffle.winners,
        sealed_at=raffle_draw.moment_text(now),
        value_from=random_source.strip(),
        value_at=raffle_draw.moment_text(random_at),
        entries=entries,
    )
    raffle.sealed_text = raffle_draw.sealed_text(sealed)
    raffle.entries_hash = raffle_draw.hash_of(raffle.sealed_text)
    raffle.sealed_at, raffle.random_source, raffle.random_at = now, sealed.value_from, random_at
    raffle.state = SEALED
    session.flush()
    audit(session, raffle, "raffle.seal", actor, hash=raffle.entries_hash)
    go_on(session, raffle, TELL_SEALED, rules=rules, now=now)
    return raffle


def draw(
    session: Session,
    *,
    raffle: Raffle,
    random_value: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> Raffle:
    """Mix in the value and find the winners, once; everybody in the list is told.

    Args:
        random_value: as its source shows it; `raffle_draw.read_value` says how it is read.

    Raises:
        InvalidInput: the value has not come to be yet, or can be none of its source's.
        InvalidTransition: the list is not sealed, or it was drawn before.
    """
    now = now or utcnow()
    raffle = locked(session, raffle.id)
    expect(raffle, SEALED)
    refuse(raffle.random_at is None or now < raffle.random_at, "its public value has not come to be yet")
    value = raffle_draw.read_value(random_value)
    raffle_draw.check_value(value, raffle.random_source)
    sealed = _sealed_of(raffle)
    won = raffle_draw.winners_of(sealed.entries, value, sealed.winners, entries_hash=raffle.entries_hash)
    by_ticket = {
        entry.ticket: entry
        for entry in session.scalars(
            select(RaffleEntry).where(
                RaffleEntry.raffle_id == raffle.id, RaffleEntry.ticket.in_([one.ticket for one in won])
            )
        )
    }
    for place, winner in enumerate(won, start=1):
        by_ticket[winner.ticket].place = place
    session.flush()  # once it is drawn, the database takes no place any more
    raffle.random_value, raffle.drawn_at, raffle.state = value, now, DRAWN
    session.flush()
    for winner in won:
        note(session, raffle, by_ticket[winner.ticket].customer_id, "loyalty.raffle_won", actor)
    audit(session, raffle, "raffle.draw", actor, value=value)
    go_on(session, raffle, RESULT, rules=rules, now=now)
    return raffle


def call_off(
    session: Session, *, raffle: Raffle, actor: str, rules: Rules, now: datetime | None = None
) -> Raffle:
    """Let a raffle not take place after all; points go back to their lots, and everybody in it is told.

    Not once its public value has come to be: whoever knows who would win may not take it back.

    Raises:
        InvalidTransition: it was drawn or called off before, or its value has come to be.
    """
    now = now or utcnow()
    raffle = locked(session, raffle.id)
    if raffle.state not in (OPEN, SEALED):
        raise InvalidTransition(f"this raffle is {raffle.state} already", state=raffle.state)
    if raffle.state == SEALED and raffle.random_at is not None and now >= raffle.random_at:
        raise InvalidTransition("its public value has come to be: it has to be drawn", state=raffle.state)
    raffle.state = CALLED_OFF
    session.flush()
    audit(session, raffle, "raffle.call_off", actor)
    go_on(session, raffle, RETURN, rules=rules, now=now)
    return raffle


def published(session: Session, *, raffle: Raffle) -> str:
    """The file that anybody may have, with the winners once it is drawn.

    Raises:
        InvalidTransition: its list was never sealed.
    """
    if not raffle.sealed_text:
        raise InvalidTransition("its list is not sealed", state=raffle.state)
    won = select(RaffleEntry.ticket).where(RaffleEntry.raffle_id == raffle.id, RaffleEntry.place.is_not(None))
    tickets = list(session.scalars(won.order_by(RaffleEntry.place)))
    drawn = Drawn(raffle.random_value, tickets) if raffle.state == DRAWN else None
    return raffle_draw.write_published(
        Published(raffle_draw.FORMAT, raffle.entries_hash, _sealed_of(raffle), drawn)
    )


def _sealed_of(raffle: Raffle) -> Sealed:
    if raffle_draw.hash_of(raffle.sealed_text) != raffle.entries_hash:
        raise InvalidTransition("the sealed list was tampered with", state=raffle.state)
    return msgspec.json.decode(raffle.sealed_text, type=Sealed)


def _entries_to_seal(session: Session, raffle: Raffle, actor: str, now: datetime) -> list[Entry]:
    """The entries in order of their tickets, those of one customer under one number.

    Left out are those of people who were forgotten, and what somebody has beyond the limit since two of their
    records were joined, whose points go back.
    """
    rows = session.execute(
        select(RaffleEntry, Customer.erased_at)
        .join(Customer, Customer.id == RaffleEntry.customer_id)
        .where(RaffleEntry.raffle_id == raffle.id)
        .order_by(RaffleEntry.customer_id, RaffleEntry.id)
    ).all()
    own: dict[int, list[RaffleEntry]] = {}
    for entry, erased_at in rows:
        if erased_at is None:
            own.setdefault(entry.customer_id, []).append(entry)
    for extra in (one for entries in own.values() for one in entries[raffle.chances :]):
        if extra.posting_id is not None:
            posting = session.get_one(LedgerPosting, extra.posting_id)
            key = f"raffle-back:{extra.id}"
            ledger.reverse(
                session, posting=posting, cause=f"raffle:{raffle.id}", actor=actor, key=key, now=now
            )
    kept = sorted(
        (entry for entries in own.values() for entry in entries[: raffle.chances]), key=lambda one: one.ticket
    )
    numbers: dict[int, int] = {}
    return [Entry(one.ticket, numbers.setdefault(one.customer_id, len(numbers) + 1)) for one in kept]
