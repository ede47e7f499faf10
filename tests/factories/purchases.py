"""Purchases and returns as the shop tells them, without the API."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.purchases.models import Purchase, PurchaseLine, PurchaseReturn

_NUMBERS = itertools.count(1)
_RIALS = 10


def a_purchase(
    session: Session, *, customer_id: int, paid_at: datetime, tomans: int | Sequence[tuple[str, int]]
) -> Purchase:
    """A paid order.

    Args:
        tomans: of the one line, or category and tomans of each.
    """
    lines = [("", tomans)] if isinstance(tomans, int) else list(tomans)
    purchase = Purchase(
        order_id=f"order-{next(_NUMBERS)}",
        customer_id=customer_id,
        total=sum(amount for _category, amount in lines) * _RIALS,
        paid_at=paid_at,
        source="api",
        digest="",
        lines=[
            PurchaseLine(number=number, category=category, amount=amount * _RIALS)
            for number, (category, amount) in enumerate(lines, start=1)
        ],
    )
    session.add(purchase)
    session.flush()
    return purchase


def a_return(
    session: Session, purchase: Purchase, *, at: datetime, tomans: int | None = None, line: int = 1
) -> str:
    """Money that went back for a line: all of it, or so much; gives the return's number."""
    number = f"return-{next(_NUMBERS)}"
    amount = purchase.lines[line - 1].amount if tomans is None else tomans * _RIALS
    session.add(
        PurchaseReturn(
            purchase_id=purchase.id,
            return_id=number,
            line_number=line,
            amount=amount,
            returned_at=at,
            digest="",
        )
    )
    session.flush()
    return number
