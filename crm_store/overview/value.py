"""What a customer bought, less what went back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import Session

from crm_store.base import UtcDateTime
from crm_store.overview.parts import Value
from crm_store.purchases.models import Purchase, PurchaseReturn

_YEAR = timedelta(days=365)
_lately = Purchase.paid_at >= bindparam("since", type_=UtcDateTime())
_BOUGHT = select(
    func.count(),
    func.coalesce(func.sum(Purchase.total), 0),
    func.coalesce(func.sum(case((_lately, Purchase.total), else_=0)), 0),
    func.max(Purchase.paid_at),
).where(Purchase.customer_id == bindparam("customer"))
# What goes back lessens the year in which it was bought.
_BACK = (
    select(
        func.coalesce(func.sum(PurchaseReturn.amount), 0),
        func.coalesce(func.sum(case((_lately, PurchaseReturn.amount), else_=0)), 0),
    )
    .join(Purchase, PurchaseReturn.purchase_id == Purchase.id)
    .where(Purchase.customer_id == bindparam("customer"))
)


def value_of(session: Session, *, customer_id: int, now: datetime) -> Value:
    """What a customer bought in all and in the last twelve months, in rials."""
    wanted = {"customer": customer_id, "since": now - _YEAR}
    count, whole, recent, last_at = session.execute(_BOUGHT, wanted).one()
    if not count:
        return Value(0, 0, 0, None)
    back, recent_back = session.execute(_BACK, wanted).one()
    return Value(int(recent) - int(recent_back), int(whole) - int(back), count, last_at)
