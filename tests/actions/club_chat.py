"""A customer of a business with a club, and points that came in."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta
from typing import Any

from actions.base import environment
from crm_store.base import utcnow
from crm_store.business.loyalty import Loyalty
from crm_store.conversations.service import customer_of
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import balance_of
from tests.actions.conftest import Chat

CLUB = """
name = "فروشگاه سپیدار"

[[complaints.categories]]
key = "other"
title = "موضوع دیگر"

[loyalty]
tomans_per_point = 10000
expires_after_months = 12
expiring_soon_days = 30
first_purchase_points = 50

[[loyalty.categories]]
category = "accessories"
title = "لوازم جانبی"
tomans_per_point = 5000

[[loyalty.tiers]]
name = "برنزی"

[[loyalty.tiers]]
name = "نقره‌ای"
from_points = 1000
multiplier = 1.5
benefits = "ارسال رایگان"

[loyalty.referral]
referrer_points = 150
friend_points = 100

[[loyalty.rewards]]
key = "discount_50"
title = "کد تخفیف ۵۰ هزار تومانی"
points = 100
worth_tomans = 50000
per_customer = 2

[[loyalty.rewards]]
key = "mug"
title = "ماگ سپیدار"
points = 250
stock = 3

[[loyalty.rewards]]
key = "dinner"
title = "شام دو نفره"
points = 2000
tiers = ["نقره‌ای"]
"""
_numbers = itertools.count(1)
#: The same business before it began its club.
NO_CLUB = CLUB[: CLUB.index("[loyalty]")]


def club() -> Loyalty:
    """The rules of the club as actions see them."""
    return environment().business.loyalty


def customer_in(chat: Chat) -> int:
    """Who writes in a chat."""
    return customer_of(chat.conversation)


def earn(
    chat: Chat,
    points: int,
    *,
    cause: str = "purchase:1",
    expires_in: timedelta | None = timedelta(days=300),
    expires_at: datetime | None = None,
    base: int = 0,
) -> Any:
    """Points come in for whoever writes in a chat; the posting.

    Args:
        expires_at: from when on they cannot be spent, in the place of ``expires_in``.
    """
    now = utcnow()
    with chat.database.write() as session:
        return ledger.earn(
            session,
            customer_id=customer_in(chat),
            points=points,
            cause=cause,
            actor="system",
            key=f"test:{cause}:{points}:{next(_numbers)}",
            expires_at=expires_at or (now + expires_in if expires_in is not None else None),
            base=base,
            base_at=now if base else None,
        )


def points_of(chat: Chat) -> int:
    """What whoever writes in a chat has."""
    with chat.database.read() as session:
        return balance_of(session, customer_id=customer_in(chat), soon=timedelta(0)).points


def entities_of(payload: str) -> dict[str, str]:
    """The values that a button carries."""
    start = payload.find("{")
    return dict(json.loads(payload[start:])) if start >= 0 else {}
