"""Friends who came by a customer's code; what both get for it is in `crm_store.loyalty.referral_rewards`.

What is guarded against: one's own code (also by a number that both have), friends who bought before, a second
code, rings (somebody whose own code brought whoever now brings them), and more friends than the rules reward.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.customers.models import ContactPoint, Customer
from crm_store.errors import CrmError
from crm_store.loyalty import ledger
from crm_store.loyalty.codes import ALPHABET
from crm_store.loyalty.models import (
    REWARDED,
    WAITING,
    Referral,
    ReferralCode,
)
from crm_store.loyalty.people import standing_customer
from crm_store.loyalty.postings import parts_of
from crm_store.persian import to_ascii_digits
from crm_store.purchases.models import Purchase
from crm_store.rules import Rules

CODE_LENGTH = 7
#: What somebody types who took a character for its neighbour; none of the former stands in a code.
_MISREAD = str.maketrans("BGSVZM", "865U2N")
Reason = Literal["unknown", "own", "too_late", "already", "ring"]


class ReferralRefused(CrmError):
    """A friend's code is not taken.

    Attributes:
        reason: ``unknown``, ``own``, ``too_late`` (bought before), ``already`` (came by another) or ``ring``.
    """

    code = "referral_refused"

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the friend's code is not taken: {reason}")
        self.reason = reason


class ReferralCounts(NamedTuple):
    """What a customer's code brought.

    Attributes:
        waiting: friends who have not bought yet.
        rewarded: friends who have.
        points: what came of it.
    """

    waiting: int
    rewarded: int
    points: int


def code_of(session: Session, *, customer_id: int) -> str:
    """The code of a customer, made when there is none."""
    customer = ledger.lock_customer(session, customer_id)
    own = select(ReferralCode.code).where(ReferralCode.customer_id == customer.id)
    code = session.scalars(own.order_by(ReferralCode.id).limit(1)).first()
    if code is None:
        code = _unused_code(session)
        session.add(ReferralCode(customer_id=customer.id, code=code))
        session.flush()
    return code


def find_code(session: Session, *, code: str) -> ReferralCode | None:
    """Whose code it is.

    Args:
        code: as it was typed: any case, digits in any script.
    """
    visible = "".join(one for one in unicodedata.normalize("NFKC", code) if unicodedata.category(one) != "Cf")
    read = to_ascii_digits(visible).strip().upper().translate(_MISREAD)
    return session.scalar(select(ReferralCode).where(ReferralCode.code == read))


def enter_code(
    session: Session, *, customer_id: int, code: str, rules: Rules, now: datetime | None = None
) -> Referral:
    """Note by whose code a customer came; the same code again gives the first referral.

    Raises:
        ReferralRefused: it is not taken, and why.
        NotFound, InvalidTransition: as `crm_store.loyalty.ledger.lock_customer`.
    """
    friend = ledger.lock_customer(session, customer_id)
    held = find_code(session, code=code)
    referrer = standing_customer(session, held.customer_id) if held is not None else None
    if referrer is None or not rules.business.loyalty.is_on:
        raise ReferralRefused("unknown")
    known = session.scalars(
        select(Referral).where(Referral.friend_id == friend.id).order_by(Referral.id.desc())
    ).first()
    if known is not None and known.referrer_id == referrer.id and known.state == WAITING:
        return known
    refused = _why_not(session, friend, referrer, known)
    if refused is not None:
        raise ReferralRefused(refused)
    referral = Referral(referrer_id=referrer.id, friend_id=friend.id, created_at=now or utcnow())
    session.add(referral)
    session.flush()
    record_activity(session, customer_id=friend.id, kind="loyalty.referral_entered", actor="customer")
    return referral


def referrals_of(session: Session, *, customer_id: int) -> ReferralCounts:
    """What a customer's code brought so far."""
    rows = session.execute(
        select(Referral.state, func.count())
        .where(Referral.referrer_id == customer_id)
        .group_by(Referral.state)
    ).tuples()
    counts = dict(rows.all())
    keys = select(Referral.id).where(Referral.referrer_id == customer_id, Referral.state == REWARDED)
    ids = session.scalars(keys).all()
    postings = [ledger.posting_by_key(session, posting_key(number, "referrer")) for number in ids]
    points = sum(
        part.points - part.debt for one in postings if one is not None for part in parts_of(session, one)
    )
    return ReferralCounts(counts.get(WAITING, 0), counts.get(REWARDED, 0), points)


def _why_not(session: Session, friend: Customer, referrer: Customer, known: Referral | None) -> Reason | None:
    if referrer.id == friend.id or shares_a_number(session, friend.id, referrer.id):
        return "own"
    if known is not None:
        return "already"
    if session.scalar(select(Purchase.id).where(Purchase.customer_id == friend.id).limit(1)) is not None:
        return "too_late"
    return "ring" if was_brought_by(session, referrer.id, friend.id) else None


def shares_a_number(session: Session, one: int, other: int) -> bool:
    """Whether a telephone number stands in the records of both customers."""
    theirs = aliased(ContactPoint)
    shared = (
        select(ContactPoint.id)
        .join(theirs, (theirs.kind == ContactPoint.kind) & (theirs.value == ContactPoint.value))
        .where(ContactPoint.customer_id == one, theirs.customer_id == other)
    )
    return session.scalar(shared.limit(1)) is not None


def was_brought_by(session: Session, customer_id: int, who: int) -> bool:
    """Whether somebody came, directly or through others, by the code of somebody."""
    seen: set[int] = set()
    ahead = {customer_id}
    while ahead:
        seen |= ahead
        # Several, where records with a referral each were joined.
        ahead = set(session.scalars(select(Referral.referrer_id).where(Referral.friend_id.in_(ahead)))) - seen
        if who in ahead:
            return True
    return False


def posting_key(referral_id: int, side: str) -> str:
    """The idempotency key of what a side (``friend`` or ``referrer``) earned."""
    return f"referral:{referral_id}:{side}"


def _unused_code(session: Session) -> str:
    """A new code, of digits and letters: within a sentence it is no word and no number."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if code.isdigit() or code.isalpha():
            continue
        if session.scalar(select(ReferralCode.id).where(ReferralCode.code == code)) is None:
            return code
