"""What every change of a hand-over is made of: its locks, its owner, its notes, its words to the customer.

Locks are taken in one order, so that nobody waits for each other: the conversation, the hand-over, members of
staff in the order of their ids.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.conversations.models import BOT, HUMAN, Conversation
from crm_store.conversations.service import lock_conversation
from crm_store.customers.models import Customer
from crm_store.drafts import open_drafts
from crm_store.errors import Forbidden, NotFound
from crm_store.handoff.models import ENDED, Handoff
from crm_store.outbox import SPEAKER_DESK, OutboxItem, enqueue_notice
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import may

SUBJECT = "handoff"
SYSTEM, CUSTOMER = "system", "customer"
MAX_WORDS = 2000
#: Tells the customer who is there, by name and where that is not known.
JOINED, JOINED_NAMELESS = "utter_handoff_joined", "utter_handoff_joined_nameless"
#: The same, where another colleague was there before.
TRANSFERRED, TRANSFERRED_NAMELESS = "utter_handoff_transferred", "utter_handoff_transferred_nameless"


class Case(NamedTuple):
    """A hand-over and its conversation, both locked."""

    conversation: Conversation
    handoff: Handoff


def locked(session: Session, *, handoff_id: int) -> Case:
    """A hand-over as it is now; nothing about it changes until the unit of work ends.

    Raises:
        NotFound: there is none.
    """
    conversation_id = session.scalar(select(Handoff.conversation_id).where(Handoff.id == handoff_id))
    if conversation_id is None:
        raise NotFound("there is no such hand-over")
    conversation = lock_conversation(session, conversation_id=conversation_id)
    handoff = session.scalars(
        select(Handoff)
        .where(Handoff.id == handoff_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return Case(conversation, handoff)


def locked_open(session: Session, *, conversation: Conversation) -> Handoff | None:
    """The open hand-over of a conversation that is locked already."""
    return session.scalar(
        select(Handoff)
        .where(Handoff.conversation_id == conversation.id, Handoff.state != ENDED)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def member_now(session: Session, staff: StaffMember | int, *, is_locked: bool = False) -> StaffMember:
    """A member of staff as the store has them now: who was disabled a moment ago may do nothing.

    Args:
        staff: the member, of whichever session, or their id.
        is_locked: whether to lock them, so that what they have in hand is counted once.

    Raises:
        NotFound: there is none.
    """
    staff_id = staff if isinstance(staff, int) else staff.id
    statement = select(StaffMember).where(StaffMember.id == staff_id)
    if is_locked:
        statement = statement.with_for_update(key_share=True)
    found = session.scalar(statement.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(f"there is no member of staff with the id {staff_id}")
    return found


def require(
    session: Session, staff: StaffMember, permission: str, *, handoff_id: int | str, own: bool = True
) -> None:
    """Refuse whoever may not.

    The refusal is audited in the caller's transaction, which has to be committed all the same.

    Raises:
        Forbidden: they may not.
    """
    is_allowed = may(
        session, staff=staff, permission=permission, own=own, target_type=SUBJECT, target_id=handoff_id
    )
    if not is_allowed:
        raise Forbidden(f"this member of staff lacks {permission}")


def change_owner(session: Session, conversation: Conversation, staff_id: int | None) -> None:
    """Give a conversation to a member of staff, or back to the bot; what was prepared before is outdated."""
    if conversation.owner_id == staff_id and conversation.owner == (BOT if staff_id is None else HUMAN):
        return
    conversation.owner = BOT if staff_id is None else HUMAN
    conversation.owner_id = staff_id
    conversation.ownership += 1
    session.flush()


def remember_interrupted(session: Session, handoff: Handoff) -> None:
    """Note which forms are open when a person takes over, the one that was worked on last first."""
    drafts = open_drafts(session, conversation_id=handoff.conversation_id)
    kinds = [draft.kind for draft in sorted(drafts, key=lambda one: one.updated_at, reverse=True)]
    handoff.interrupted = list(dict.fromkeys([*kinds, *handoff.interrupted]))
    session.flush()


def note(
    session: Session,
    handoff: Handoff,
    event: str,
    *,
    actor: str,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    """Write into the customer's timeline, and for the staff into the audit trail, what happened.

    Args:
        event: as in ``handoff.claimed``.
        data: codes and numbers; nobody's words.
    """
    kind = f"{SUBJECT}.{event}"
    entry = record_activity(
        session,
        customer_id=handoff.customer_id,
        kind=kind,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=handoff.id,
        data=data,
    )
    entry.at = now
    if actor.startswith("staff:"):
        trail = record_audit(
            session, actor=actor, action=kind, target_type=SUBJECT, target_id=handoff.id, detail=data
        )
        trail.at = now


def actor_of(staff: StaffMember | None) -> str:
    """Who did it, as timelines name them."""
    return SYSTEM if staff is None else f"staff:{staff.id}"


def tell_customer(
    session: Session,
    handoff: Handoff,
    response: str,
    *,
    now: datetime,
    params: dict[str, Any] | None = None,
    cause: object = "",
) -> OutboxItem:
    """Tell the customer what becomes of their wish for a person; it leaves whoever has the conversation.

    Args:
        response: name of a notice.
        cause: tells several notices of one name apart.
    """
    return enqueue_notice(
        session,
        conversation_id=handoff.conversation_id,
        response=response,
        params=params,
        idempotency_key=f"{response}:{handoff.id}:{cause}",
        due_at=now,
        speaker=SPEAKER_DESK,
        handoff_id=handoff.id,
    )


def introduce(
    session: Session, case: Case, staff: StaffMember, *, is_passed_on: bool = False, now: datetime
) -> OutboxItem:
    """Tell the customer who has their conversation from now on; a log-in is nobody's name.

    Args:
        is_passed_on: whether a colleague had it before.
    """
    named, nameless = (TRANSFERRED, TRANSFERRED_NAMELESS) if is_passed_on else (JOINED, JOINED_NAMELESS)
    return tell_customer(
        session,
        case.handoff,
        named if staff.name else nameless,
        now=now,
        params={"agent": staff.name, "number": case.handoff.id},
        cause=case.conversation.ownership,
    )


def staff_notice_key(handoff_id: int) -> str:
    """How the keys of notices to the staff begin that name the customer of a hand-over."""
    return f"staff-handoff:{handoff_id}:"


def name_of(session: Session, *, customer_id: int) -> str:
    """What a customer is called; empty where nobody said."""
    customer = session.get_one(Customer, customer_id)
    return customer.full_name or customer.display_name


def words(text: str) -> str:
    """What somebody wrote, as much of it as is kept."""
    return text.replace("\x00", "").strip()[:MAX_WORDS]
