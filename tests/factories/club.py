"""A customers' club to stand on: rules, members with points, rewards and raffles."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from crm_store.business.loyalty import Reward
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.models import Raffle
from crm_store.loyalty.raffles import open_raffle
from crm_store.rules import Rules
from tests.factories import RULES, a_conversation

_numbers = itertools.count(1)
NOW = datetime(2026, 11, 27, 9, tzinfo=timezone.utc)
MUG = Reward(key="mug", title="لیوان سرامیکی", points=100, worth_tomans=50_000, stock=1)


def club(*rewards: Reward, **settings: Any) -> Rules:
    """Rules of a business with a club.

    Args:
        rewards: what points buy; one mug if left out.
        settings: other fields of `crm_store.business.loyalty.Loyalty`.
    """
    loyalty = msgspec.structs.replace(
        RULES.business.loyalty, tomans_per_point=10_000, rewards=rewards or (MUG,), **settings
    )
    return Rules(msgspec.structs.replace(RULES.business, loyalty=loyalty))


def a_club_member(
    session: Session,
    *,
    points: int = 0,
    tier: str = "",
    expires_at: datetime | None = None,
    now: datetime = NOW,
) -> tuple[int, Conversation]:
    """A customer with a chat and points; their number and the chat."""
    from crm_store.customers.models import Customer

    conversation = a_conversation(session)
    customer_id = customer_of(conversation)
    session.get_one(Customer, customer_id).tier = tier
    session.flush()
    if points:
        give(session, customer_id, points, expires_at=expires_at, now=now)
    return customer_id, conversation


def give(
    session: Session,
    customer_id: int,
    points: int,
    *,
    expires_at: datetime | None = None,
    now: datetime = NOW,
) -> Any:
    """Points out of nothing, as a lot of their own."""
    number = next(_numbers)
    return ledger.earn(
        session,
        customer_id=customer_id,
        points=points,
        cause=f"purchase:{number}",
        actor="system",
        key=f"test-earn:{customer_id}:{number}",
        expires_at=expires_at or now + timedelta(days=365),
        now=now,
    )


def points_of(session: Session, customer_id: int, *, now: datetime = NOW) -> int:
    """What somebody can spend."""
    return balance_of(session, customer_id=customer_id, soon=timedelta(0), now=now).points


def a_raffle(session: Session, *, rules: Rules | None = None, **fields: Any) -> Raffle:
    """A raffle that closes after a day."""
    chosen: dict[str, Any] = {
        "key": f"raffle_{next(_numbers)}",
        "title": "قرعه‌کشی یلدا",
        "prize": "گوشی",
        "winners": 1,
        "points": 10,
        "chances": 3,
        "closes_at": NOW + timedelta(days=1),
        "actor": "operator",
        "now": NOW,
    }
    return open_raffle(session, rules=rules or club(), **{**chosen, **fields})
