"""Brings a list of orders into the store; running it again changes nothing that is there already.

An order is taken whole or not at all: if one of its rows has something wrong in it, all of them are rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.customers.columns import Refusal, Rejected
from crm_store.customers.tables import Row, Table
from crm_store.db import Database
from crm_store.errors import CrmError
from crm_store.purchases.columns import Columns, OrderRow, order_number, read_row
from crm_store.purchases.models import MAIN_SHOP
from crm_store.purchases.service import IMPORT, NewLine, NewPurchase, record_purchase
from crm_store.rules import Rules

BATCH_ORDERS = 200
_ACTOR = "operator"


@dataclass
class OrderList:
    """A list of orders as understood.

    Attributes:
        orders: rows by order, in the list's order.
        refused: rows that cannot be taken.
    """

    orders: dict[str, list[OrderRow]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(map(len, self.orders.values())) + len(self.refused)


@dataclass
class Summary:
    """What became of the orders, in numbers."""

    recorded: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def read_orders(table: Table, columns: Columns, *, timezone: str) -> OrderList:
    """Read the whole list before anything is written.

    Raises:
        InvalidInput: the file is damaged.
    """
    found = OrderList()
    spoilt: set[str] = set()
    for row in table.rows():
        if row.number < columns.first_row:
            continue
        try:
            one = read_row(row, columns, timezone)
        except Rejected as reason:
            found.refused.append(Refusal(row, reason.code, reason.values))
            spoilt.add(_order_of(row, columns))
        else:
            found.orders.setdefault(one.order_id, []).append(one)
    for order_id, rows in list(found.orders.items()):
        code = "incomplete" if order_id in spoilt else _what_is_wrong(rows)
        if code:
            found.refused += [Refusal(one.row, code, {}) for one in rows]
            del found.orders[order_id]
    return found


def import_orders(
    database: Database, *, name: str, orders: OrderList, rules: Rules, shop: str = MAIN_SHOP
) -> tuple[Summary, list[Refusal]]:
    """Import orders, a batch a transaction: stopped at any moment, it is simply run again.

    Args:
        name: of the file, for the audit trail.

    Returns:
        The numbers, and all rows that were not taken, in the file's order.
    """
    summary, refused = Summary(), list(orders.refused)
    waiting = iter(orders.orders.values())
    while batch := list(islice(waiting, BATCH_ORDERS)):
        with database.write() as session:
            refused += _take(session, batch, summary, rules, shop)
            detail = {"file": name, "recorded": summary.recorded, "known": summary.known}
            record_audit(session, actor=_ACTOR, action="purchases.import", detail=detail)
    summary.refused.update(one.code for one in refused)
    return summary, sorted(refused, key=lambda one: one.row.number)


def _take(
    session: Session, batch: Iterable[Sequence[OrderRow]], summary: Summary, rules: Rules, shop: str
) -> list[Refusal]:
    refused = []
    for rows in batch:
        try:
            with session.begin_nested():
                _, is_new = record_purchase(
                    session, new=_as_purchase(rows), shop=shop, source=IMPORT, actor=_ACTOR, rules=rules
                )
        except CrmError as error:
            code = "conflict" if error.code == "conflict" else "invalid_input"
            refused += [Refusal(one.row, code, {"value": str(error)}) for one in rows]
        else:
            summary.recorded += is_new
            summary.known += not is_new
    return refused


def _as_purchase(rows: Sequence[OrderRow]) -> NewPurchase:
    paid_at = next(one.paid_at for one in rows if one.paid_at is not None)
    return NewPurchase(
        order_id=rows[0].order_id,
        phone=next(one.phone for one in rows if one.phone),
        paid_at=paid_at,
        lines=tuple(NewLine(one.amount, one.title, one.category) for one in rows),
        customer_name=next((one.customer_name for one in rows if one.customer_name), ""),
        customer_ref=next((one.customer_ref for one in rows if one.customer_ref), ""),
    )


def _what_is_wrong(rows: Sequence[OrderRow]) -> str:
    phones = {one.phone for one in rows if one.phone}
    moments = {one.paid_at for one in rows if one.paid_at is not None}
    if not phones:
        return "phone_missing"
    if not moments:
        return "date_missing"
    return "differs" if len(phones) > 1 or len(moments) > 1 else ""


def _order_of(row: Row, columns: Columns) -> str:
    """The order of a row that cannot be read; whatever its other cells are."""
    place = columns.places["order_id"]
    return order_number(row.cells[place]) if place < len(row.cells) else ""
