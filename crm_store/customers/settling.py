"""What a person decides about a phone number that two accounts have proven."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.customers.linking import prove
from crm_store.customers.merging import keeper, merge
from crm_store.customers.models import (
    JOINED,
    KEPT_APART,
    MOVED,
    OPEN,
    ChannelIdentity,
    ContactPoint,
    LinkConflict,
)
from crm_store.errors import InvalidInput, NotFound
from crm_store.outbox import enqueue_notice
from crm_store.privacy.service import erasure_waits

#: What the claimant is told when a person has decided.
SETTLED_NOTICES = {
    JOINED: "utter_link_settled",
    MOVED: "utter_link_settled",
    KEPT_APART: "utter_link_kept_apart",
}


def settle(session: Session, *, conflict_id: int, decision: str, actor: str) -> None:
    """Carry out what a person decided about a disputed number; the claimant is told.

    Args:
        decision: ``joined`` (one person), ``moved`` (the number is the claimant's now and no longer the
            holder's) or ``kept_apart`` (it stays the holder's).
        actor: who decided, as in the audit trail.

    Raises:
        NotFound: there is no such conflict.
        InvalidInput: no such decision, another one was carried out before, or one of them is being erased.
    """
    conflict = session.get(LinkConflict, conflict_id, with_for_update=True)
    if conflict is None:
        raise NotFound(f"there is no conflict {conflict_id}")
    if decision not in SETTLED_NOTICES:
        raise InvalidInput(f"a conflict ends as one of {', '.join(SETTLED_NOTICES)}")
    if conflict.state == decision:
        return
    # What was kept apart may turn out to be one person after all; what was joined or moved stands.
    if conflict.state not in (OPEN, KEPT_APART):
        raise InvalidInput(f"conflict {conflict_id} was settled already: {conflict.state}")
    identity = session.get_one(ChannelIdentity, conflict.identity_id)
    claimant_id, holder_id = identity.customer_id, conflict.holder_id
    if any(erasure_waits(session, customer_id=one) for one in (claimant_id, holder_id)):
        raise InvalidInput("one of the two is about to be erased; try again in a few minutes")
    if decision == JOINED:
        stays = keeper(session, customer_ids=[claimant_id, holder_id])
        merge(session, into_id=stays, from_id=claimant_id + holder_id - stays, actor=actor)
    if decision == MOVED:
        _take_proof_back(session, customer_id=holder_id, phone=conflict.phone, actor=actor)
    now = utcnow()
    conflict.state, conflict.settled_by, conflict.settled_at = decision, actor, now
    session.flush()
    if decision != KEPT_APART:
        prove(session, identity, conflict.phone, actor=actor, now=now)
    record_activity(
        session,
        customer_id=identity.customer_id,
        kind="customer.link_settled",
        actor=actor,
        subject_type="link_conflict",
        subject_id=conflict_id,
        data={"decision": decision},
    )
    record_audit(
        session,
        actor=actor,
        action="customer.link_settled",
        target_type="link_conflict",
        target_id=conflict_id,
        detail={"decision": decision, "claimant_id": claimant_id, "holder_id": holder_id},
    )
    _tell_claimant(session, conflict, decision, now)


def _take_proof_back(session: Session, *, customer_id: int, phone: str, actor: str) -> None:
    point = session.scalar(
        select(ContactPoint).where(
            ContactPoint.customer_id == customer_id, ContactPoint.kind == "phone", ContactPoint.value == phone
        )
    )
    if point is not None:
        point.proven_at = point.proven_by_id = None
        record_activity(session, customer_id=customer_id, kind="customer.phone_moved", actor=actor)


def _tell_claimant(session: Session, conflict: LinkConflict, decision: str, now: datetime) -> None:
    chats = select(Conversation.id).where(Conversation.identity_id == conflict.identity_id)
    for conversation_id in session.scalars(chats):
        enqueue_notice(
            session,
            conversation_id=conversation_id,
            response=SETTLED_NOTICES[decision],
            idempotency_key=f"link-settled:{conflict.id}:{conversation_id}:{now.timestamp():.0f}",
        )
