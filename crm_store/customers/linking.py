"""Who is writing: a proven phone number joins records of one person, or shows that it is disputed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.customers.merging import keeper, merge
from crm_store.customers.models import (
    KEPT_APART,
    OPEN,
    ChannelIdentity,
    ContactPoint,
    Customer,
    LinkConflict,
)
from crm_store.customers.service import add_phone
from crm_store.errors import InvalidInput, NotFound
from crm_store.persian import normalize_phone
from crm_store.privacy.service import erasure_waits

#: How long a proof speaks for its account; operators give a number that was left to somebody else.
PROOF_HOLDS = timedelta(days=180)
_SHARED, _MESSAGE = "customer.contact_shared", "inbox"


class LinkOutcome(msgspec.Struct, frozen=True):
    """What a proof led to.

    Attributes:
        outcome: ``joined`` (records of the same person are one now), ``conflict`` (another account has proven
            the number; a person settles whose it is) or ``none``.
        customer_id: the customer of the account, afterwards.
        opened: ids of conflicts that began with this proof.
    """

    outcome: Literal["none", "joined", "conflict"]
    customer_id: int
    opened: tuple[int, ...] = ()


def link_by_proof(
    session: Session,
    *,
    identity_id: int,
    phone: str,
    inbox_id: int | None = None,
    now: datetime | None = None,
) -> LinkOutcome:
    """Keep a number that the messenger itself vouches for, and join what it shows to be one person.

    Records without an account (imports) are joined; so is a customer who has proven the number lately and has
    accounts on other channels only. Whoever has an account on the same channel, or proved it long ago, may be
    somebody else: then nothing is joined, and the number stays unproven until a person has settled it. Who
    merely typed it counts for nothing.

    Args:
        identity_id: the account whose own contact it is.
        phone: in any script and format.
        inbox_id: the message that proved it; the same message again gives the first outcome.
        now: the present moment.

    Raises:
        InvalidInput: the text is not a valid phone number.
    """
    identity = session.get_one(ChannelIdentity, identity_id)
    point = add_phone(session, customer_id=identity.customer_id, phone=phone)
    one_at_a_time(session, point.value)
    if inbox_id is not None:
        known = outcome_of(session, customer_id=identity.customer_id, inbox_id=inbox_id)
        if known is not None:
            return known
    outcome = prove(
        session,
        identity,
        point.value,
        actor=f"customer:{identity.customer_id}",
        now=now or utcnow(),
    )
    record_activity(
        session,
        customer_id=outcome.customer_id,
        kind=_SHARED,
        subject_type=_MESSAGE,
        subject_id=inbox_id,
        data={"outcome": outcome.outcome, "channel": identity.channel},
    )
    return outcome


def confirm_phone(session: Session, *, conversation_id: int, phone: str, actor: str) -> LinkOutcome:
    """Keep a number that a member of staff vouches for as the messenger would; for chats that prove nothing.

    Args:
        conversation_id: the chat whose account the number belongs to.
        phone: in any script and format.
        actor: who vouches for it, as in the audit trail.

    Raises:
        InvalidInput: the text is not a valid phone number, or the number cannot become this customer's.
        NotFound: there is no such chat of a customer.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.identity is None:
        raise NotFound("there is no such chat of a customer")
    identity = conversation.identity
    point = add_phone(session, customer_id=identity.customer_id, phone=phone)
    one_at_a_time(session, point.value)
    outcome = prove(session, identity, point.value, actor=actor, now=utcnow())
    if outcome.outcome == "none" and point.proven_at is None:
        raise InvalidInput("it was settled that this number is somebody else's, or all is about to be erased")
    record_audit(
        session,
        actor=actor,
        action="customer.phone_confirmed",
        target_type="customer",
        target_id=outcome.customer_id,
        detail={"contact_point_id": point.id, "outcome": outcome.outcome},
    )
    return outcome


def outcome_of(session: Session, *, customer_id: int, inbox_id: int) -> LinkOutcome | None:
    """What the proof in a message led to; None when it held none."""
    entry = session.scalar(
        select(Activity).where(
            Activity.customer_id == customer_id,
            Activity.kind == _SHARED,
            Activity.subject_type == _MESSAGE,
            Activity.subject_id == inbox_id,
        )
    )
    return None if entry is None else LinkOutcome(entry.data["outcome"], customer_id)


def open_conflicts(session: Session) -> list[LinkConflict]:
    """Conflicts that wait for a person, the oldest first."""
    return list(
        session.scalars(select(LinkConflict).where(LinkConflict.state == OPEN).order_by(LinkConflict.id))
    )


def prove(
    session: Session, identity: ChannelIdentity, phone: str, *, actor: str, now: datetime
) -> LinkOutcome:
    """Join what a proven number (E.164) shows to be one person, or open conflicts about it."""
    claimant_id = identity.customer_id
    if erasure_waits(session, customer_id=claimant_id):
        return LinkOutcome("none", claimant_id)
    same_person, disputing = _other_holders(session, identity, phone, now)
    if disputing:
        opened = [_dispute(session, identity, holder_id, phone) for holder_id in disputing]
        is_open = any(state == OPEN for _, state, _ in opened)
        new = tuple(conflict_id for conflict_id, _, is_new in opened if is_new)
        return LinkOutcome("conflict" if is_open else "none", claimant_id, new)
    stays = keeper(session, customer_ids=[claimant_id, *same_person])
    for other in {claimant_id, *same_person} - {stays}:
        merge(session, into_id=stays, from_id=other, actor=actor)
    add_phone(session, customer_id=stays, phone=phone, proven=True, proven_by_id=identity.id)
    return LinkOutcome("joined" if same_person else "none", stays)


def one_at_a_time(session: Session, phone: str) -> None:
    """Let those who prove or bring one number follow each other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(phone))))


def _other_holders(
    session: Session, identity: ChannelIdentity, phone: str, now: datetime
) -> tuple[list[int], list[int]]:
    """Customers with the same number: those who are the same person, and those who may be somebody else."""
    rows = session.execute(
        select(ContactPoint.customer_id, ContactPoint.proven_at)
        .join(Customer, Customer.id == ContactPoint.customer_id)
        .where(
            ContactPoint.kind == "phone",
            ContactPoint.value == normalize_phone(phone),
            ContactPoint.customer_id != identity.customer_id,
            Customer.merged_into_id.is_(None),
            Customer.erased_at.is_(None),
        )
        .order_by(ContactPoint.customer_id)
    )
    same_person, disputing = [], []
    for customer_id, proven_at in rows.tuples().all():
        if erasure_waits(session, customer_id=customer_id):
            continue
        of_customer = select(ChannelIdentity.channel).where(ChannelIdentity.customer_id == customer_id)
        channels = session.scalars(of_customer).all()
        if not channels:
            same_person.append(customer_id)
        elif proven_at is not None and (identity.channel in channels or proven_at < now - PROOF_HOLDS):
            disputing.append(customer_id)
        elif proven_at is not None:
            same_person.append(customer_id)
    return same_person, disputing


def _dispute(
    session: Session, identity: ChannelIdentity, holder_id: int, phone: str
) -> tuple[int, str, bool]:
    """The conflict's id, its state, and whether it waits for a person from now on."""
    conflict = session.scalar(
        select(LinkConflict).where(
            LinkConflict.identity_id == identity.id,
            LinkConflict.holder_id == holder_id,
            LinkConflict.phone == phone,
        )
    )
    if conflict is not None and conflict.state in (OPEN, KEPT_APART):
        return conflict.id, conflict.state, False
    if conflict is None:
        conflict = LinkConflict(identity_id=identity.id, holder_id=holder_id, phone=phone)
        session.add(conflict)
    # The holder has proven it once more since a person gave it to the claimant.
    conflict.state, conflict.settled_by, conflict.settled_at = OPEN, "", None
    session.flush()
    record_audit(
        session,
        actor=f"customer:{identity.customer_id}",
        action="customer.link_conflict",
        target_type="link_conflict",
        target_id=conflict.id,
        detail={"identity_id": identity.id, "holder_id": holder_id},
    )
    return conflict.id, OPEN, True
