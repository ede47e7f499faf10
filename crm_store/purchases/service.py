"""Takes in what customers bought and gave back; whatever is told twice counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.customers.linking import one_at_a_time
from crm_store.customers.matching import PURCHASE, customer_of_phone
from crm_store.customers.models import ContactPoint, Customer
from crm_store.errors import Conflict, InvalidInput, NotFound
from crm_store.loyalty.earning import earn_for_purchase, take_back_for_return
from crm_store.loyalty.people import standing_customer
from crm_store.persian import normalize_phone
from crm_store.purchases.models import MAIN_SHOP, Purchase, PurchaseLine, PurchaseReturn
from crm_store.rules import Rules
from crm_store.surveys import planning

#: `Purchase.source` of what a file brought; the run's own entry in the audit trail stands for all of it.
IMPORT = "import"
#: Clocks of shops may be ahead of ours by so much.
CLOCKS_DIFFER = timedelta(minutes=10)
#: What is said to have been paid before is a mistake.
EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)
MAX_LINES = 500
#: Rials; a hundred thousand million tomans.
MAX_AMOUNT = 10**12
_LONGEST = {"title": 200, "category": 60, "id": 100, "name": 200}


class NewLine(msgspec.Struct, frozen=True):
    """A line of an order.

    Attributes:
        amount_rials: what was paid for it in all.
        title: what it is called.
        category: the shop's category, by which points may differ.
    """

    amount_rials: int
    title: str = ""
    category: str = ""


class NewPurchase(msgspec.Struct, frozen=True):
    """An order that was paid.

    Attributes:
        order_id: the shop's own number of it.
        phone: the customer's, in any script and format.
        paid_at: with a time zone.
        lines: at least one.
        customer_name: taken where none is known.
        customer_ref: the customer's number in the business's other systems; taken where none is known.
    """

    order_id: str
    phone: str
    paid_at: datetime
    lines: tuple[NewLine, ...]
    customer_name: str = ""
    customer_ref: str = ""


class ReturnedLine(NamedTuple):
    """A part that comes back.

    Attributes:
        number: of the order's line, from 1.
        amount: in rials.
    """

    number: int
    amount: int


def record_purchase(
    session: Session,
    *,
    new: NewPurchase,
    shop: str = MAIN_SHOP,
    source: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
    customer_id: int | None = None,
) -> tuple[Purchase, bool]:
    """Keep an order and book what it brings.

    A phone that nobody is known by becomes a customer without a channel, joined with whoever proves it.

    Args:
        shop: whose order it is; order ids are unique within a shop.
        source: ``api``, ``woocommerce``, ``import`` or ``staff``.
        actor: ``api:<id>``, ``operator``, ``staff:<id>`` or ``system``.
        customer_id: whose it is, where somebody vouches for that; otherwise the phone tells.

    Returns:
        The purchase, and whether it is new.

    Raises:
        InvalidInput: something in it cannot be true.
        Conflict: the shop told another content under this id.
        NotFound: the customer who was named does not exist any more.
    """
    now = now or utcnow()
    phone = _checked(new, now)
    one_order_at_a_time(session, shop, new.order_id)
    digest = _digest([phone, _moment(new.paid_at), *[msgspec.structs.astuple(line) for line in new.lines]])
    known = find_known(session, shop=shop, order_id=new.order_id)
    if known is not None:
        if known.digest != digest:
            raise Conflict(f"order {new.order_id} was told before with other content")
        return known, False
    customer = _customer(session, phone, new) if customer_id is None else _vouched_for(session, customer_id)
    total = sum(line.amount_rials for line in new.lines)
    purchase = Purchase(
        shop=shop,
        order_id=new.order_id,
        customer_id=customer.id,
        total=total,
        paid_at=new.paid_at.astimezone(timezone.utc),
        source=source,
        digest=digest,
        created_at=now,
        lines=[
            PurchaseLine(number=number, title=line.title, category=line.category, amount=line.amount_rials)
            for number, line in enumerate(new.lines, 1)
        ],
    )
    session.add(purchase)
    session.flush()
    _note(session, purchase, "purchase.recorded", actor, {"total": total, "source": source})
    # What is brought along from the past is not told purchase by purchase.
    earn_for_purchase(session, purchase=purchase, rules=rules, is_told=source != IMPORT, now=now)
    planning.plan_for(
        session,
        occasion=planning.PURCHASE,
        subject_id=purchase.id,
        customer_id=customer.id,
        total_rials=total,
        happened_at=new.paid_at,
        rules=rules,
        now=now,
    )
    return purchase, True


def record_return(
    session: Session,
    *,
    shop: str = MAIN_SHOP,
    order_id: str,
    return_id: str,
    lines: Sequence[ReturnedLine] | None = None,
    returned_at: datetime,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> tuple[list[PurchaseReturn], bool]:
    """Keep that a part of an order came back, and take back what that part had brought.

    Args:
        return_id: the shop's own number of the return, unique within the order.
        lines: what of which line; None for all that is left.

    Returns:
        The return, a row per line, and whether it is new.

    Raises:
        NotFound: the shop has told of no such order.
        InvalidInput: there is no such line, more comes back than is left, or the moment cannot be true.
        Conflict: another content was told under this id, or nothing is left that could come back.
    """
    now = now or utcnow()
    one_order_at_a_time(session, shop, order_id)
    purchase = find_purchase(session, shop=shop, order_id=order_id)
    _check_id(return_id, "return_id")
    told = "all" if lines is None else [list(line) for line in sorted(lines)]
    digest = _digest([return_id, _moment(returned_at), told])
    known = [row for row in purchase.returns if row.return_id == return_id]
    if known:
        if known[0].digest != digest:
            raise Conflict(f"return {return_id} was told before with other content")
        return known, False
    _check_moment(returned_at, now, "returned_at")
    if returned_at < purchase.paid_at - CLOCKS_DIFFER:
        raise InvalidInput("returned_at: nothing comes back before it was paid")
    left = left_of(purchase)
    taken = _everything(left) if lines is None else _within(left, lines)
    rows = [
        PurchaseReturn(
            return_id=return_id,
            line_number=line.number,
            amount=line.amount,
            returned_at=returned_at.astimezone(timezone.utc),
            digest=digest,
            created_at=now,
        )
        for line in taken
    ]
    purchase.returns.extend(rows)
    session.flush()
    total = sum(line.amount for line in taken)
    _note(session, purchase, "purchase.returned", actor, {"return_id": return_id, "total": total})
    take_back_for_return(session, purchase=purchase, return_id=return_id, rules=rules, now=now)
    return rows, True


def find_purchase(session: Session, *, shop: str, order_id: str) -> Purchase:
    """An order of a shop.

    Raises:
        NotFound: the shop has told of none with this id.
    """
    purchase = find_known(session, shop=shop, order_id=order_id)
    if purchase is None:
        raise NotFound(f"order {order_id} is not known")
    return purchase


def left_of(purchase: Purchase) -> dict[int, int]:
    """What did not come back of each line, in rials by the line's number."""
    left = {line.number: line.amount for line in purchase.lines}
    for row in purchase.returns:
        left[row.line_number] -= row.amount
    return left


def find_known(session: Session, *, shop: str, order_id: str) -> Purchase | None:
    """An order of a shop; None when it has told of none with this id."""
    return session.scalar(select(Purchase).where(Purchase.shop == shop, Purchase.order_id == order_id))


def _everything(left: dict[int, int]) -> list[ReturnedLine]:
    taken = [ReturnedLine(number, amount) for number, amount in left.items() if amount]
    if not taken:
        raise Conflict("nothing is left of this order that could come back")
    return taken


def _within(left: dict[int, int], lines: Sequence[ReturnedLine]) -> list[ReturnedLine]:
    if not lines or len({line.number for line in lines}) < len(lines):
        raise InvalidInput("lines: a return names at least one line, and none twice")
    for line in lines:
        if line.number not in left:
            raise InvalidInput(f"lines: the order has no line {line.number}")
        if not 0 < line.amount <= left[line.number]:
            raise InvalidInput(f"lines: of line {line.number} {left[line.number]} rials are left")
    return sorted(lines)


def _checked(new: NewPurchase, now: datetime) -> str:
    """The phone as it is kept, if the order can be true."""
    _check_id(new.order_id, "order_id")
    _check_moment(new.paid_at, now, "paid_at")
    if not 0 < len(new.lines) <= MAX_LINES:
        raise InvalidInput(f"lines: an order has 1 to {MAX_LINES} of them")
    for line in new.lines:
        if not 0 <= line.amount_rials <= MAX_AMOUNT:
            raise InvalidInput(f"amount_rials: from 0 to {MAX_AMOUNT}")
        if len(line.title) > _LONGEST["title"] or len(line.category) > _LONGEST["category"]:
            raise InvalidInput("lines: a title has at most 200 characters, a category 60")
    try:
        return normalize_phone(new.phone)
    except ValueError as error:
        raise InvalidInput("phone: this is no phone number") from error


def _check_id(text: str, name: str) -> None:
    if not 0 < len(text) <= _LONGEST["id"] or not text.isprintable():
        raise InvalidInput(f"{name}: 1 to {_LONGEST['id']} characters that can be read")


def _check_moment(moment: datetime, now: datetime, name: str) -> None:
    if moment.tzinfo is None:
        raise InvalidInput(f"{name}: a time needs a time zone")
    if moment > now + CLOCKS_DIFFER:
        raise InvalidInput(f"{name}: this is in the future")
    if moment < EARLIEST:
        raise InvalidInput(f"{name}: this is too long ago")


def _customer(session: Session, phone: str, new: NewPurchase) -> Customer:
    """The customer whose phone it is; what the shop knows fills what is empty."""
    one_at_a_time(session, phone)
    customer = customer_of_phone(session, phone=phone)
    if customer is None:
        customer = Customer(source=PURCHASE, contact_points=[ContactPoint(value=phone)])
        session.add(customer)
    name, ref = " ".join(new.customer_name.split())[: _LONGEST["name"]], new.customer_ref.strip()
    if name and not customer.full_name:
        customer.full_name = name
    if 0 < len(ref) <= _LONGEST["id"] and not customer.external_ref and not _is_taken(session, ref):
        customer.external_ref = ref
    session.flush()
    return customer


def _vouched_for(session: Session, customer_id: int) -> Customer:
    customer = standing_customer(session, customer_id)
    if customer is None:
        raise NotFound("there is no such customer")
    return customer


def _is_taken(session: Session, ref: str) -> bool:
    with session.no_autoflush:
        return session.scalar(select(Customer.id).where(Customer.external_ref == ref).limit(1)) is not None


def one_order_at_a_time(session: Session, shop: str, order_id: str) -> None:
    """Let those who tell of one order follow each other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        name = func.hashtextextended(f"order:{shop}:{order_id}", 0)
        session.execute(select(func.pg_advisory_xact_lock(name)))


def _note(session: Session, purchase: Purchase, kind: str, actor: str, data: dict[str, Any]) -> None:
    customer = standing_customer(session, purchase.customer_id)
    if customer is not None:
        record_activity(
            session,
            customer_id=customer.id,
            kind=kind,
            actor=actor,
            subject_type="purchase",
            subject_id=purchase.id,
            data=data,
        )
    if purchase.source != IMPORT:
        record_audit(
            session,
            actor=actor,
            action=kind,
            target_type="purchase",
            target_id=purchase.id,
            detail=dict(data),
        )


def _moment(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat()


def _digest(told: object) -> str:
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()
