"""Orders as WooCommerce's webhooks tell them (its REST API's order, versions 1 to 3).

A shop sends an order again with each change. The first time it is paid it is kept; from then on only what
went back counts: refunds by their ids, and all that is left once the order is cancelled or refunded. What
else was changed is not taken over. WooCommerce switches a webhook off after a few answers that are no
success, so an order that cannot be taken is answered with the reason, and that is all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

import msgspec
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.errors import InvalidInput
from crm_store.purchases.models import Purchase
from crm_store.purchases.service import (
    NewLine,
    NewPurchase,
    ReturnedLine,
    find_known,
    left_of,
    one_order_at_a_time,
    record_purchase,
    record_return,
)
from crm_store.rules import Rules
from crm_store.settings import WooCommerceSettings

SOURCE = "woocommerce"
#: States in which the shop has the money, or a promise that is as good: cash on delivery is "processing".
PAID = ("processing", "completed")
GIVEN_BACK = ("cancelled", "refunded")
#: What an order's topics are called; others are passed over.
TOPICS = ("order.created", "order.updated", "order.restored")
#: Rials, by the currencies that Iranian shops have; IRH… are thousands.
RIALS = {"IRR": 1, "IRT": 10, "IRHR": 1_000, "IRHT": 10_000}
_PING = re.compile(rb"webhook_id=[0-9]+")
_LONGEST_TITLE, _LONGEST_CATEGORY = 200, 60

Money = str | int | float | None


class Person(msgspec.Struct, frozen=True):
    """To whom an invoice or a parcel goes."""

    first_name: str | None = ""
    last_name: str | None = ""
    phone: str | None = ""


class Item(msgspec.Struct, frozen=True):
    """A line: what was paid for it in all, without and with only its tax.

    Attributes:
        category: WooCommerce tells none by itself; a few lines in the shop add it (docs/api.md).
    """

    name: str | None = ""
    total: Money = "0"
    total_tax: Money = "0"
    category: str | None = ""


class Refund(msgspec.Struct, frozen=True):
    """Money that went back; a negative amount."""

    id: int
    total: Money = "0"


class Order(msgspec.Struct, frozen=True):
    """An order, with what matters of it here."""

    id: int
    status: str
    currency: str = ""
    total: Money = "0"
    shipping_total: Money = "0"
    shipping_tax: Money = "0"
    date_created_gmt: str | None = None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    billing: Person = Person()
    shipping: Person = Person()
    line_items: tuple[Item, ...] = ()
    refunds: tuple[Refund, ...] = ()


class Taken(msgspec.Struct, frozen=True):
    """What became of a delivery.

    Attributes:
        result: ``recorded`` (a new purchase), ``returned`` (something went back), ``known`` (nothing new),
            ``ignored`` (it concerns no purchase, or cannot be taken) or ``pong``.
        why: of what was ignored.
    """

    result: Literal["recorded", "returned", "known", "ignored", "pong"]
    why: str = ""


def is_signed(body: bytes, *, signature: str, secret: str) -> bool:
    """Whether a delivery comes from somebody who knows the secret; nobody does while there is none."""
    own = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
    return bool(secret) and hmac.compare_digest(own, signature.encode("utf-8", "replace"))


def is_ping(body: bytes) -> bool:
    """Whether it is what WooCommerce sends, unsigned, to see whether anybody is there."""
    return _PING.fullmatch(body) is not None


def read_order(body: bytes) -> Order:
    """An order from a delivery's body.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return msgspec.json.decode(body, type=Order)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"this is no order of WooCommerce: {error}") from error


def take_order(
    session: Session,
    *,
    order: Order,
    settings: WooCommerceSettings,
    rules: Rules,
    now: datetime | None = None,
) -> Taken:
    """Take in what a delivery tells; the same one again changes nothing."""
    now = now or utcnow()
    rials = RIALS.get(settings.currency or order.currency.upper())
    if rials is None:
        return Taken("ignored", f"the currency {order.currency[:10]} is not known; set woocommerce.currency")
    shop, order_id = settings.shop, str(order.id)
    one_order_at_a_time(session, shop, order_id)
    purchase = find_known(session, shop=shop, order_id=order_id)
    is_new = purchase is None
    if purchase is None:
        if order.status not in PAID:
            return Taken("ignored", "the order is not paid")
        try:
            new = _as_purchase(order, rials)
            purchase, _ = record_purchase(
                session, new=new, shop=shop, source=SOURCE, actor="system", rules=rules, now=now
            )
        except InvalidInput as error:
            return Taken("ignored", str(error))
    has_returned = _take_returns(session, purchase, order, rials=rials, rules=rules, now=now)
    return Taken("recorded" if is_new else "returned" if has_returned else "known")


def spread(amount: int, over: Mapping[int, int]) -> list[ReturnedLine]:
    """Share an amount out in proportion, to the rial; lines that get nothing are left out.

    Args:
        amount: in rials; more than there is counts as all.
        over: what there is, by the line's number.
    """
    whole = sum(over.values())
    amount = min(amount, whole)
    if amount <= 0:
        return []
    shares = {number: divmod(amount * part, whole) for number, part in over.items()}
    missing = amount - sum(share for share, _ in shares.values())
    by_rest = sorted(shares, key=lambda number: (-shares[number][1], number))
    first = set(by_rest[:missing])
    found = [ReturnedLine(number, share + (number in first)) for number, (share, _) in shares.items()]
    return [line for line in found if line.amount]


def _as_purchase(order: Order, rials: int) -> NewPurchase:
    amounts = {
        number: max(0, _rials(item.total, rials) + _rials(item.total_tax, rials))
        for number, item in enumerate(order.line_items, 1)
    }
    goods = (
        _rials(order.total, rials) - _rials(order.shipping_total, rials) - _rials(order.shipping_tax, rials)
    )
    if goods < sum(amounts.values()):  # a fee that takes something off, for instance
        paid = dict(spread(max(0, goods), amounts))
        amounts = {number: paid.get(number, 0) for number in amounts}
    lines = tuple(
        NewLine(amounts[number], _cut(item.name, _LONGEST_TITLE), _cut(item.category, _LONGEST_CATEGORY))
        for number, item in enumerate(order.line_items, 1)
    )
    if not any(amounts.values()):
        raise InvalidInput("nothing was paid for goods")
    person = order.billing
    return NewPurchase(
        order_id=str(order.id),
        phone=person.phone or order.shipping.phone or "",
        paid_at=_moment(order.date_paid_gmt or order.date_completed_gmt or order.date_created_gmt),
        lines=lines,
        customer_name=f"{person.first_name or ''} {person.last_name or ''}".strip(),
    )


def _take_returns(
    session: Session, purchase: Purchase, order: Order, *, rials: int, rules: Rules, now: datetime
) -> bool:
    known = {row.return_id for row in purchase.returns}
    told = [(f"refund-{one.id}", abs(_rials(one.total, rials))) for one in order.refunds]
    if order.status in GIVEN_BACK:
        told.append((f"status-{order.status}", purchase.total))
    has_returned = False
    for return_id, amount in told:
        lines = spread(amount, left_of(purchase)) if return_id not in known else []
        if lines:
            record_return(
                session,
                shop=purchase.shop,
                order_id=purchase.order_id,
                return_id=return_id,
                lines=lines,
                returned_at=max(now, purchase.paid_at),
                actor="system",
                rules=rules,
                now=now,
            )
            has_returned = True
    return has_returned


def _rials(amount: Money, rials: int) -> int:
    try:
        exact = Decimal(str(amount or 0)) * rials
        return int(exact.to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise InvalidInput("an amount of this order is no number") from error


def _moment(text: str | None) -> datetime:
    """A moment of WooCommerce's, in UTC without saying so."""
    try:
        moment = datetime.fromisoformat((text or "").removesuffix("Z"))
    except ValueError as error:
        raise InvalidInput("the order does not say when it was paid") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _cut(text: str | None, longest: int) -> str:
    return " ".join("".join(one for one in text or "" if one.isprintable()).split())[:longest]
