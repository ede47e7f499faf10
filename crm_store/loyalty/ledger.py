"""The points ledger: every change is a posting, nothing is ever changed.

Whoever writes locks the customer first, so the changes of one customer come one after the other; customers do
not wait for each other. After two records were joined a customer has several accounts: a change that touches
more than one is a group of postings, one an account, with the keys ``key``, ``key~part~2`` …, so that the
books of each account stay right on their own. Time never goes back: a posting is dated no earlier than the
one before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.customers.models import Customer
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed, NotEnoughPoints
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.lapsing import write_off
from crm_store.loyalty.lots import taken_from
from crm_store.loyalty.models import (
    ADJUST,
    EARN,
    RETURN,
    REVERSAL,
    SPEND,
    LedgerPosting,
    LoyaltyAccount,
)
from crm_store.loyalty.postings import (
    PART,
    Books,
    Change,
    Entry,
    account_of,
    lock_customer,
    lock_customers,
    open_books,
    out_of,
    parts_of,
    post,
    posting_by_key,
)
from crm_store.loyalty.undoing import ASKED, OF, give_back, is_reversed, take_from_earning, taken_back
from crm_store.rules import Rules

_OPERATOR, _ADMIN = "operator", "admin"
__all__ = [
    "account_of",
    "adjust",
    "earn",
    "expire_due",
    "is_reversed",
    "lock_customer",
    "lock_customers",
    "posting_by_key",
    "reverse",
    "spend",
    "take_back",
    "taken_back",
]


def earn(
    session: Session,
    *,
    customer_id: int,
    points: int,
    cause: str,
    actor: str,
    key: str,
    expires_at: datetime | None,
    base: int = 0,
    base_at: datetime | None = None,
    rules_id: int | None = None,
    data: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> LedgerPosting:
    """Give points: what is owed is settled first, the rest can be spent.

    Args:
        points: above zero.
        cause: why, for example ``purchase:17``.
        key: names the change; the same key again gives the first posting.
        expires_at: from when on they cannot be spent; None for never.
        base: of these, what counts for the tier.
        base_at: when what they are for was paid.
        rules_id: the rules by which they were counted.
        data: how they came about, numbers only.

    Raises:
        InvalidInput: no positive number, or the key names another change.
        NotFound, InvalidTransition: as `lock_customer`.
    """
    _check_positive(points)
    customer, known = _begin(session, customer_id, key, EARN, points)
    if known is not None:
        return known
    books = open_books(session, customer, now)
    entry = Entry(EARN, cause, actor, key, books.at, base, base_at, rules_id, data or {})
    return _take_in(session, books, entry, points, expires_at)


def spend(
    session: Session,
    *,
    customer_id: int,
    points: int,
    cause: str,
    actor: str,
    key: str,
    now: datetime | None = None,
) -> LedgerPosting:
    """Take points: those that expire soonest first, of several the oldest.

    Args:
        points: above zero.
        cause: why, for example ``redemption:8``.
        key: names the change; the same key again gives the first posting.

    Raises:
        NotEnoughPoints: there are fewer.
        InvalidInput: no positive number, or the key names another change.
        NotFound, InvalidTransition: as `lock_customer`.
    """
    _check_positive(points)
    customer, known = _begin(session, customer_id, key, SPEND, -points)
    if known is not None:
        return known
    books = open_books(session, customer, now)
    return _take_out(session, books, Entry(SPEND, cause, actor, key, books.at), points)


def take_back(
    session: Session,
    *,
    customer_id: int,
    earned: LedgerPosting,
    points: int,
    base: int,
    cause: str,
    actor: str,
    key: str,
    now: datetime | None = None,
) -> LedgerPosting:
    """Take back what a purchase earned: from its own lot, then from whatever is left; the rest is owed.

    What of it had expired was lost already and is not taken again. All that is taken back together is never
    more than what was earned.

    Args:
        earned: the posting that gave the points.
        points: at least zero.
        base: what no longer counts for the tier, at least zero.
        key: names the change; the same key again gives the first posting.

    Raises:
        InvalidInput: a negative number, no earning of this customer, or the key names another change.
        NotFound, InvalidTransition: as `lock_customer`.
    """
    if points < 0 or base < 0:
        raise InvalidInput("what is taken back is zero or more")
    customer, known = _begin(session, customer_id, key, RETURN)
    if known is not None:
        _check_same(known.data.get(OF) == earned.id and known.data.get(ASKED) == points, key)
        return known
    books = open_books(session, customer, now)
    if earned.kind != EARN or earned.account_id not in books.account_ids:
        raise InvalidInput("nothing that this customer earned")
    entry = Entry(RETURN, cause, actor, key, books.at, -base, earned.base_at, earned.rules_id)
    return take_from_earning(session, books, entry, earned, points)


def reverse(
    session: Session,
    *,
    posting: LedgerPosting,
    cause: str,
    actor: str,
    key: str,
    is_within: bool = False,
    now: datetime | None = None,
) -> LedgerPosting:
    """Undo a posting, once. Spent points go back to their lots, after what is owed was settled.

    Args:
        posting: an earning, a spending or an adjustment; of several postings of one change the first.
        key: names the change; the same key again gives the first posting.
        is_within: what an earning gave is taken from its own account alone, and the rest owed;
            `crm_store.loyalty.settling` then settles it so that it can be undone.

    Raises:
        InvalidTransition: it was undone before, or is nothing that can be undone.
        InvalidInput: the key names another change.
        NotFound, InvalidTransition: as `lock_customer`.
    """
    account = session.get_one(LoyaltyAccount, posting.account_id)
    customer, known = _begin(session, account.customer_id, key, REVERSAL)
    if known is not None:
        _check_same(known.reverses_id == posting.id, key)
        return known
    if posting.kind not in (EARN, SPEND, ADJUST):
        raise InvalidTransition(f"a posting of the kind {posting.kind} is not undone", state=posting.kind)
    if is_reversed(session, posting):
        raise InvalidTransition("this posting was undone before", state=REVERSAL)
    books = open_books(session, customer, now)
    entry = Entry(REVERSAL, cause, actor, key, books.at, -posting.base, posting.base_at, posting.rules_id)
    parts = parts_of(session, posting)
    worth = sum(part.points - part.debt for part in parts)
    if worth >= 0:
        return take_from_earning(
            session, books, entry, posting, worth, reverses_id=posting.id, is_within=is_within
        )
    return give_back(session, books, entry, parts)


def adjust(
    session: Session,
    *,
    customer_id: int,
    points: int,
    reason: str,
    actor: str,
    role: str,
    rules: Rules,
    key: str,
    now: datetime | None = None,
) -> LedgerPosting:
    """Give or take points by hand.

    Args:
        points: above zero to give, below to take.
        reason: why, for the audit trail.
        role: of whoever does it; the operator has the admin's.
        key: names the change; the same key again gives the first posting.

    Raises:
        NotAllowed: more than the role may give or take at once.
        NotEnoughPoints: the customer has fewer than are to be taken.
        InvalidInput: zero, no reason, or the key names another change.
        NotFound, InvalidTransition: as `lock_customer`.
    """
    if not points or not reason.strip():
        raise InvalidInput("an adjustment needs a number of points and a reason")
    _check_limit(points, _ADMIN if actor == _OPERATOR else role, rules)
    customer, known = _begin(session, customer_id, key, ADJUST, points)
    if known is not None:
        return known
    books = open_books(session, customer, now)
    entry = Entry(ADJUST, "adjustment", actor, key, books.at)
    if points > 0:
        posting = _take_in(session, books, entry, points, expiry_of(books.at, rules))
    else:
        posting = _take_out(session, books, entry, -points)
    record_activity(
        session,
        customer_id=customer.id,
        kind="loyalty.adjusted",
        actor=actor,
        subject_type="posting",
        subject_id=posting.id,
        data={"points": points},
    )
    record_audit(
        session,
        actor=actor,
        action="loyalty.adjust",
        target_type="customer",
        target_id=customer.id,
        detail={"points": points, "reason": reason.strip(), "posting_id": posting.id},
    )
    return posting


def expire_due(session: Session, *, customer_id: int, now: datetime | None = None) -> int:
    """Write off a customer's points whose time is over.

    Returns:
        How many points.
    """
    return write_off(session, customer_id=customer_id, now=now).points


def _begin(
    session: Session, customer_id: int, key: str, kind: str, worth: int | None = None
) -> tuple[Customer, LedgerPosting | None]:
    """Lock a customer and look whether a change has been made already.

    Args:
        worth: what the change is worth to the customer, where that is certain beforehand.

    Raises:
        InvalidInput: the key names another change.
    """
    if PART in key:
        raise InvalidInput(f"a key without {PART} is needed")
    customer = lock_customer(session, customer_id)
    known = posting_by_key(session, key)
    if known is not None:
        owner = session.get_one(LoyaltyAccount, known.account_id, populate_existing=True).customer_id
        parts = parts_of(session, known)
        was_worth = sum(part.points - part.debt for part in parts)
        _check_same(known.kind == kind and owner == customer.id and worth in (None, was_worth), key)
    return customer, known


def _take_in(
    session: Session, books: Books, entry: Entry, points: int, expires_at: datetime | None
) -> LedgerPosting:
    """Points come in: what is owed is settled, the rest opens a lot of the first account."""
    settled = books.settled_by(points)
    changes = {books.account_ids[0]: Change(opened=points - sum(settled.values()))}
    for account_id, share in settled.items():
        changes.setdefault(account_id, Change()).debt -= share
    return post(session, books, entry, changes, expires_at=expires_at)


def _take_out(session: Session, books: Books, entry: Entry, points: int) -> LedgerPosting:
    """Points go, in the order of spending."""
    have = sum(lot.points for lot in books.live)
    if have < points:
        raise NotEnoughPoints(points - have)
    return post(session, books, entry, out_of(books.live, taken_from(books.live, points)))


def _check_same(is_same: bool, key: str) -> None:
    if not is_same:
        raise InvalidInput(f"the key {key} names another change of points")


def _check_positive(points: int) -> None:
    if points <= 0:
        raise InvalidInput("a number of points above zero is needed")


def _check_limit(points: int, role: str, rules: Rules) -> None:
    limits = rules.business.loyalty.adjust_limit
    limit = next((limit for name, limit in limits.items() if name == role), None)
    if limit is None and role == _ADMIN:
        return
    if limit is None or abs(points) > limit:
        raise NotAllowed(f"{role or 'whoever this is'} may not give or take so many points at once")
