"""Putting a wrong posting right by hand: a further one undoes it, as far as that leaves nothing untrue."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.loyalty import ledger
from crm_store.loyalty.models import (
    ADJUST,
    EARN,
    EXPIRE,
    RETURN,
    REVERSAL,
    SPEND,
    LedgerPosting,
    LoyaltyAccount,
)
from crm_store.loyalty.postings import PART, parts_of
from crm_store.loyalty.tiers import review_tier
from crm_store.rules import Rules

_BY_ADJUSTING = "give or take the points with `peyvand loyalty adjust`"
#: Why a kind is not undone, and what to do instead.
_KINDS = {
    RETURN: f"it belongs to a purchase that came back; {_BY_ADJUSTING}",
    EXPIRE: f"the time of these points was over; {_BY_ADJUSTING}",
    REVERSAL: f"it undoes a posting itself; {_BY_ADJUSTING}",
}
#: The same for what was paid for and would be kept without points, by how the cause begins.
_PAID = {
    "redemption:": "it paid for a reward; give an unused code back with `peyvand rewards cancel CODE`, "
    f"and for one that was used {_BY_ADJUSTING}",
    "raffle:": "it paid for a chance in a raffle, which is only given back when the raffle is called off "
    f"with `peyvand raffle call-off`; {_BY_ADJUSTING}",
}


def reverse_by_hand(
    session: Session, *, posting_id: int, reason: str, actor: str, rules: Rules, now: datetime | None = None
) -> LedgerPosting:
    """Undo an earning, an adjustment or a spending, once; the same again gives the first reversal.

    Args:
        posting_id: of the change; of a change with several postings any of them.
        reason: why, for the audit trail.
        actor: who, as in the audit trail.

    Returns:
        The first posting of the reversal.

    Raises:
        NotFound: there is no such posting.
        InvalidTransition: it is not undone, and what to do instead; or the customer was forgotten.
        InvalidInput: no reason.
    """
    if not reason.strip():
        raise InvalidInput("a reversal needs a reason")
    wrong = _first_of(session, posting_id)
    account = session.get_one(LoyaltyAccount, wrong.account_id)
    customer = ledger.lock_customer(session, account.customer_id)
    key = f"operator-reversal:{wrong.id}"
    known = ledger.posting_by_key(session, key)
    if known is not None:
        return known
    _expect_reversible(session, wrong)
    now = now or utcnow()
    undone = ledger.reverse(
        session, posting=wrong, cause=f"operator:{wrong.id}", actor=actor, key=key, now=now
    )
    points = worth_of(session, undone)
    review_tier(session, customer_id=customer.id, rules=rules, now=now)
    record_activity(
        session,
        customer_id=customer.id,
        kind="loyalty.adjusted",
        actor=actor,
        subject_type="posting",
        subject_id=undone.id,
        data={"points": points},
    )
    record_audit(
        session,
        actor=actor,
        action="loyalty.reversed",
        target_type="ledger_posting",
        target_id=wrong.id,
        detail={"reason": reason.strip(), "by": undone.id, "points": points},
    )
    return undone


def worth_of(session: Session, posting: LedgerPosting) -> int:
    """What a change was worth to the customer, over all its postings."""
    return sum(part.points - part.debt for part in parts_of(session, posting))


def _first_of(session: Session, posting_id: int) -> LedgerPosting:
    """The first posting of the change that a posting belongs to."""
    posting = session.get(LedgerPosting, posting_id)
    if posting is not None and PART in posting.idempotency_key:
        posting = ledger.posting_by_key(session, posting.idempotency_key.split(PART, 1)[0])
    if posting is None:
        raise NotFound(f"there is no posting {posting_id}; `peyvand loyalty statement` shows their numbers")
    return posting


def _expect_reversible(session: Session, posting: LedgerPosting) -> None:
    if posting.kind in _KINDS:
        why = _KINDS[posting.kind]
    elif posting.kind == SPEND:
        why = next((why for begin, why in _PAID.items() if posting.cause.startswith(begin)), "")
    else:
        why = "" if posting.kind in (EARN, ADJUST) else f"it is of the kind {posting.kind}"
    if not why and ledger.is_reversed(session, posting):
        why = f"it was undone before; {_BY_ADJUSTING}"
    if why:
        raise InvalidTransition(f"posting {posting.id} is not undone: {why}", state=posting.kind)
