"""What people who take conversations over leave about a customer: hand-overs, topics, notes, look-ups.

All of it is the customer's personal data. An erasure deletes the notes and the topics, empties the hand-overs
and takes what the staff looked up or wrote in a topic out of their own chats and groups. What a messenger
shows in a group's topic is not ours to take back: whoever reads there is asked to delete it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, and_, cast, delete, or_, select, update
from sqlalchemy.orm import Session

from crm_store import inbox, outbox
from crm_store.audit import AuditEntry
from crm_store.conversations.models import Attachment, Conversation, Message
from crm_store.handoff.models import ENDED, LEFT, OPEN_STATES, Handoff, RelayedLine, StaffTopic
from crm_store.handoff.topics import THREAD as THREAD_FORM
from crm_store.inbox import InboxItem
from crm_store.outbox import OutboxItem
from crm_store.privacy.scope import Scope
from crm_store.staff.models import StaffFocus, StaffNote

#: In the content of an outbox row to a group: the topic, or the message that is answered.
THREAD, REPLY_TO = "thread", "reply_to"
#: In the audit trail, of a task that took several messages: which of them began it.
SINCE = "since"
_SEARCHED, _LOOKED_AT = "customer.searched", "customers"
_BATCH = 500


def erase_desk(session: Session, scope: Scope, *, now: datetime) -> None:
    """Let go of what the desk knows of a person; rows that others refer to stay, empty."""
    for topic, group in topics_of(session, scope):
        _ask_to_delete(session, topic, group)
        _erase_in_group(session, topic, group)
    ids = [topic.id for topic, _ in topics_of(session, scope)]
    _run(session, delete(RelayedLine).where(RelayedLine.topic_id.in_(ids)))
    _run(session, delete(StaffTopic).where(StaffTopic.id.in_(ids)))
    own = Handoff.customer_id.in_(scope.customers)
    ending = {"state": ENDED, "outcome": LEFT, "ended_at": now, "escalate_at": None}
    _run(session, update(Handoff).where(own, Handoff.state.in_(OPEN_STATES)).values(ending))
    _run(session, update(Handoff).where(own).values(topic="", agreed="", interrupted=[]))
    _run(session, delete(StaffNote).where(StaffNote.customer_id.in_(scope.customers)))
    _run(
        session,
        delete(StaffFocus).where(
            or_(
                StaffFocus.customer_id.in_(scope.customers),
                StaffFocus.conversation_id.in_(scope.conversations),
                # How everything stood before the last message (crm_store/staff/focus.py).
                StaffFocus.data["before"]["customer_id"].as_integer().in_(scope.customers),
            )
        ),
    )


def looked_up_in(session: Session, scope: Scope) -> set[int]:
    """Messages of the staff's with which they looked a person up, or wrote a note on them."""
    names = {str(one) for one in scope.customers}
    told = select(AuditEntry.correlation_id, AuditEntry.action, AuditEntry.detail).where(
        AuditEntry.actor.startswith("staff:"), AuditEntry.correlation_id != ""
    )
    about = and_(AuditEntry.target_type == "customer", AuditEntry.target_id.in_(names))
    turns: set[str] = set()
    begun: list[tuple[str, int]] = []
    for correlation_id, _, detail in session.execute(told.where(about)):
        turns.add(correlation_id)
        if SINCE in detail:
            begun.append((correlation_id, int(detail[SINCE])))
    text = cast(AuditEntry.detail, Text)
    for correlation_id, _, detail in session.execute(
        told.where(AuditEntry.action == _SEARCHED, or_(*(text.contains(name) for name in names)))
    ):
        if names & {str(one) for one in detail.get(_LOOKED_AT, ())}:
            turns.add(correlation_id)
    updates: set[int] = set()
    for batch in _batches(sorted(turns)):
        updates |= set(session.scalars(select(InboxItem.id).where(InboxItem.correlation_id.in_(batch))))
    for correlation_id, first in begun:
        updates |= _since(session, correlation_id, first)
    notes = session.scalars(select(StaffNote.inbox_id).where(StaffNote.customer_id.in_(scope.customers)))
    return updates | {one for one in notes if one is not None}


def _since(session: Session, correlation_id: str, first: int) -> set[int]:
    """The messages of a chat from one to another: all that a task took."""
    last = session.scalar(select(InboxItem).where(InboxItem.correlation_id == correlation_id).limit(1))
    if last is None:
        return set()
    of_chat = and_(InboxItem.channel == last.channel, InboxItem.chat_id == last.chat_id)
    return set(session.scalars(select(InboxItem.id).where(of_chat, InboxItem.id.between(first, last.id))))


def files_in_groups(session: Session, scope: Scope) -> list[str]:
    """Paths of the files that staff sent to a person from a topic."""
    updates = [
        one for topic, group in topics_of(session, scope) for one in _updates_in(session, topic, group)
    ]
    paths: list[str] = []
    for batch in _batches(updates):
        paths += session.scalars(
            select(Attachment.path).where(Attachment.inbox_id.in_(batch), Attachment.path != "")
        )
    return paths


def topics_of(session: Session, scope: Scope) -> list[tuple[StaffTopic, Conversation]]:
    """The topics of a person's conversations, with the groups in which they are."""
    rows = session.execute(
        select(StaffTopic, Conversation)
        .join(Conversation, StaffTopic.group_id == Conversation.id)
        .where(StaffTopic.conversation_id.in_(scope.conversations))
        .order_by(StaffTopic.id)
    )
    return [(topic, group) for topic, group in rows]


def _ask_to_delete(session: Session, topic: StaffTopic, group: Conversation) -> None:
    """Ask who reads in a group to delete what the messenger still shows there of a person."""
    if topic.thread_id is not None:
        place: dict[str, Any] = {THREAD: str(topic.thread_id)}
    else:
        shown = _shown(session, topic)
        if not shown:
            return
        place = {REPLY_TO: max(shown, key=lambda one: (len(one), one))}
    item = outbox.enqueue_notice(
        session,
        conversation_id=group.id,
        response="utter_topic_forgotten",
        idempotency_key=f"topic-forgotten:{topic.id}",
    )
    item.content = {**item.content, **place}


def _erase_in_group(session: Session, topic: StaffTopic, group: Conversation) -> None:
    """What was written in a topic, and what was answered there."""
    for batch in _batches(_updates_in(session, topic, group)):
        _run(session, delete(Attachment).where(Attachment.inbox_id.in_(batch)))
        _run(session, delete(Message).where(Message.inbox_id.in_(batch)))
        _run(session, update(InboxItem).where(InboxItem.id.in_(batch)).values(payload={}, last_error=""))
    thread, answered = OutboxItem.content[THREAD].as_string(), OutboxItem.content[REPLY_TO].as_string()
    shown = [(thread, _threads(session, topic)), (answered, _shown(session, topic))]
    answers = [
        one
        for place, numbers in shown
        for batch in _batches(sorted(numbers))
        for one in session.scalars(
            select(OutboxItem.id).where(
                OutboxItem.conversation_id == group.id,
                cast(place, String).in_(batch),
                OutboxItem.state != outbox.PENDING,
            )
        )
    ]
    for batch in _batches(answers):
        _run(session, delete(Message).where(Message.outbox_id.in_(batch)))
        _run(session, update(OutboxItem).where(OutboxItem.id.in_(batch)).values(content={}, last_error=""))


def _updates_in(session: Session, topic: StaffTopic, group: Conversation) -> list[int]:
    """Updates of a group that belong to a topic: by its number, or by the message that is answered."""
    shown = _shown(session, topic)
    rows = session.execute(
        select(InboxItem.id, InboxItem.chat_id, InboxItem.payload)
        .where(
            InboxItem.channel == group.channel,
            # What is written in a topic is kept under the topic's own address (bot/gateway/addresses.py).
            InboxItem.chat_id.in_([group.chat_id, *_addresses(session, topic, group)]),
            InboxItem.state != inbox.PENDING,
        )
        .execution_options(yield_per=_BATCH)
    )
    return [
        one
        for one, chat_id, payload in rows
        if chat_id != group.chat_id or _belongs(payload, topic.thread_id, shown)
    ]


def _addresses(session: Session, topic: StaffTopic, group: Conversation) -> list[str]:
    """Those of a topic, and of those before it that were deleted."""
    return [f"{group.chat_id}#{thread_id}" for thread_id in _threads(session, topic)]


def _threads(session: Session, topic: StaffTopic) -> set[str]:
    """The messenger's numbers of a topic, and of those before it that were deleted."""
    former = session.scalars(
        select(RelayedLine.platform_message_id).where(
            RelayedLine.topic_id == topic.id, RelayedLine.form == THREAD_FORM
        )
    )
    return {*former, *([str(topic.thread_id)] if topic.thread_id is not None else [])}


def _shown(session: Session, topic: StaffTopic) -> set[str]:
    """The messenger's numbers of what stands in a group for a topic's lines."""
    return set(
        session.scalars(select(RelayedLine.platform_message_id).where(RelayedLine.topic_id == topic.id))
    )


def _belongs(payload: dict[str, Any], thread_id: int | None, shown: Collection[str]) -> bool:
    """Whether an update as the messenger sent it is about a topic."""
    pressed = payload.get("callback_query") or {}
    for message in (payload.get("message"), payload.get("edited_message"), pressed.get("message")):
        if not isinstance(message, dict):
            continue
        if thread_id is not None and message.get("message_thread_id") == thread_id:
            return True
        answered = message.get("reply_to_message") or {}
        if {str(message.get("message_id")), str(answered.get("message_id"))} & set(shown):
            return True
    return False


def _run(session: Session, statement: Any) -> None:
    session.execute(statement.execution_options(synchronize_session=False))


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rows = list(items)
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
