"""What people write in a conversation that they have: to its customer, or among themselves.

A reply goes where its hand-over belongs. The conversation is taken from there, and the database holds it: a
row of the outbox that a person wrote names its hand-over, and the two must be of one conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import STAFF_ONLY, Conversation, Message
from crm_store.conversations.service import add_message, lock_conversation
from crm_store.errors import Conflict, Forbidden, InvalidInput, InvalidTransition, NotFound
from crm_store.handoff.canned import canned, canned_replies, fill
from crm_store.handoff.files import KeptFile, sendable
from crm_store.handoff.keeping import Case, actor_of, locked, member_now, note, require
from crm_store.handoff.models import CLAIMED, WAITING
from crm_store.handoff.written import whispered
from crm_store.inbox import storable
from crm_store.outbox import (
    CANCELLED,
    EDIT,
    FAILED,
    MESSAGE,
    SPEAKER_STAFF,
    OutboxItem,
    enqueue_message,
)
from crm_store.persian import rich
from crm_store.staff.models import StaffMember

__all__ = ["KeptFile", "canned", "canned_replies", "edit", "fill", "names_of", "reply", "whisper"]

MAX_TEXT = 8000
MAX_KEY = 80
#: In a line's ``extra``: what only the staff read; where it was written; what was sent along.
WHISPER, VIA, FILES, KEY = "whisper", "via", "files", "key"
#: So many of the last whispers are compared with one that may have come before.
_RECENT = 200


def reply(
    session: Session,
    *,
    handoff_id: int,
    staff: StaffMember,
    text: str,
    files: Sequence[int | KeptFile] = (),
    platform: str = "",
    key: str,
    reply_to: int | None = None,
    now: datetime | None = None,
) -> OutboxItem:
    """Say something to the customer of a conversation that one has; it is in the transcript at once.

    Args:
        handoff_id: it goes to the customer of this hand-over.
        text: plain text; may be empty where files go along.
        files: ids of attachments, or files kept in another way.
        platform: where it was written, such as ``telegram`` or ``console``.
        key: names the act; the same one again by the same person says nothing twice.
        reply_to: the line of this transcript that it answers.

    Returns:
        The row of the outbox; the transcript line has its id.

    Raises:
        Forbidden: it is somebody else's conversation; commit all the same, it is in the audit trail.
        NotFound: there is no such hand-over.
        InvalidTransition: it waits for somebody, or it has ended.
        InvalidInput: there is nothing to say, or too much, a file or line is of another conversation, or the
            key is none.
        Conflict: the key was used in another conversation.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    case = locked(session, handoff_id=handoff_id)
    conversation, handoff = case
    _check_key(key)
    own_key = f"staff-reply:{member.id}:{key}"
    known = session.scalar(select(OutboxItem).where(OutboxItem.idempotency_key == own_key))
    if known is not None:
        if known.conversation_id != conversation.id:
            raise Conflict("this reply went to another conversation")
        return known  # whoever has the conversation by now
    _in_hand(session, case, member)
    said = _sayable(text, is_optional=bool(files))
    sent = sendable(session, files, conversation=conversation, staff=member)
    answered = _answered(session, conversation, reply_to)
    item = enqueue_message(
        session,
        conversation_id=handoff.conversation_id,
        content={"text": rich.from_plain(said)},
        kind=MESSAGE,
        speaker=SPEAKER_STAFF,
        handoff_id=handoff.id,
        idempotency_key=own_key,
        due_at=now,
    )
    session.flush()
    extra = {VIA: platform, FILES: sent, "reply_to": reply_to}
    line = add_message(
        session,
        conversation_id=conversation.id,
        author=actor_of(member),
        text=said,
        extra={name: value for name, value in extra.items() if value},
        outbox_id=item.id,
        now=now,
    )
    further = {FILES: sent, "reply_to": answered, "message_id": line.id}
    item.content = {**item.content, **{name: value for name, value in further.items() if value}}
    if handoff.first_reply_at is None:
        handoff.first_reply_at = now
        note(session, handoff, "answered", actor=actor_of(member), now=now)
    session.flush()
    return item


def whisper(
    session: Session,
    *,
    conversation_id: int,
    staff: StaffMember,
    text: str,
    files: Sequence[int | KeptFile] = (),
    key: str,
    now: datetime | None = None,
) -> Message:
    """Write something into a transcript that only the staff read.

    Args:
        text: plain text, with or without the slashes before it; may be empty where files go along.
        files: ids of attachments, or files kept in another way.
        key: names the act; the same one again by the same person writes nothing twice.

    Raises:
        Forbidden: they see no hand-overs; commit all the same, it is in the audit trail.
        NotFound: there is no such conversation.
        InvalidInput: there is nothing to say, or too much, or a file is of another conversation.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    require(session, member, "handoff.view", handoff_id=f"conversation:{conversation_id}")
    conversation = lock_conversation(session, conversation_id=conversation_id)
    said = _sayable(_without_slashes(text), is_optional=bool(files))
    _check_key(key)
    earlier = session.scalars(
        select(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.author == actor_of(member),
            Message.audience == STAFF_ONLY,
        )
        .order_by(Message.seq.desc())
        .limit(_RECENT)
    )
    known = next((line for line in earlier if line.extra.get(KEY) == key), None)
    if known is not None:
        return known
    sent = sendable(session, files, conversation=conversation, staff=member)
    return add_message(
        session,
        conversation_id=conversation.id,
        author=actor_of(member),
        text=said,
        audience=STAFF_ONLY,
        extra={WHISPER: True, KEY: key, **({FILES: sent} if sent else {})},
        now=now,
    )


def edit(
    session: Session, *, message_id: int, staff: StaffMember, text: str, now: datetime | None = None
) -> None:
    """Give something that one wrote other words, with the customer too, as long as one has the conversation.

    Args:
        text: plain text; of a whisper with or without the slashes before it.

    Raises:
        Forbidden: somebody else wrote it, or has the conversation; commit all the same, it is audited.
        NotFound: there is no such line.
        InvalidTransition: the hand-over in which it was written has ended, or waits.
        InvalidInput: there is nothing to say, or too much, or what the customer knows should be whispered.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    found = session.execute(
        select(Message.conversation_id, Message.author, Message.audience, Message.outbox_id).where(
            Message.id == message_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such line")
    is_own = found.author == actor_of(member)
    require(session, member, "handoff.reply_own", own=is_own, handoff_id=f"message:{message_id}")
    if found.audience != STAFF_ONLY and whispered(text) is not None:
        raise InvalidInput("the customer knows this line; it cannot become a whisper")
    said = _sayable(_without_slashes(text) if found.audience == STAFF_ONLY else text)
    source = session.get(OutboxItem, found.outbox_id) if found.outbox_id is not None else None
    if source is not None and source.handoff_id is not None:
        _in_hand(session, locked(session, handoff_id=source.handoff_id), member)
    else:
        lock_conversation(session, conversation_id=found.conversation_id)
    line = session.get_one(Message, message_id, populate_existing=True)
    if line.text == said:
        return
    line.text, line.edited_at = said, now
    session.flush()
    if source is not None and source.state not in (CANCELLED, FAILED):
        _queue_edit(session, line, source, said, now)


def _without_slashes(text: str) -> str:
    words = whispered(text)
    return text if words is None else words


def _in_hand(session: Session, case: Case, staff: StaffMember) -> Case:
    """A hand-over that somebody has.

    Raises:
        Forbidden: it is somebody else's.
        InvalidTransition: it is nobody's.
    """
    handoff = case.handoff
    is_own = handoff.owner_id == staff.id or handoff.state == WAITING
    require(session, staff, "handoff.reply_own", own=is_own, handoff_id=handoff.id)
    if handoff.state != CLAIMED:
        raise InvalidTransition("nobody has this conversation", state=handoff.state)
    if case.conversation.owner_id != staff.id:  # never so, or the two tables contradict each other
        raise Forbidden("the conversation is somebody else's")
    return case


def _sayable(text: str, *, is_optional: bool = False) -> str:
    said = str(storable(text)).strip()
    if not said and not is_optional:
        raise InvalidInput("there is nothing to say")
    if len(said) > MAX_TEXT:
        raise InvalidInput(f"a message has at most {MAX_TEXT} characters")
    return said


def _check_key(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY or "\x00" in key:
        raise InvalidInput(f"a key has between 1 and {MAX_KEY} characters")


def _answered(session: Session, conversation: Conversation, message_id: int | None) -> str:
    """The messenger's number of the line that is answered; empty where it has none."""
    if message_id is None:
        return ""
    line = session.get(Message, message_id)
    if line is None or line.conversation_id != conversation.id or line.audience == STAFF_ONLY:
        raise InvalidInput("this line is not of this conversation")
    return line.platform_message_id


def _queue_edit(session: Session, line: Message, source: OutboxItem, text: str, now: datetime) -> None:
    """Bring other words to the customer; behind the message itself, if that is still on its way."""
    content: dict[str, Any] = {
        "text": rich.from_plain(text),
        "edits": line.platform_message_id,
        "message_id": line.id,
    }
    enqueue_message(
        session,
        conversation_id=line.conversation_id,
        content=content,
        kind=EDIT,
        speaker=SPEAKER_STAFF,
        handoff_id=source.handoff_id,
        due_at=now,
    )
    session.flush()


def names_of(session: Session, *, authors: Iterable[str]) -> dict[str, str]:
    """What the staff among some authors of lines are called, by the authors' names there."""
    ids = {int(one.partition(":")[2]) for one in authors if one.startswith("staff:")}
    rows = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids))).tuples()
    return {f"staff:{staff_id}": name for staff_id, name in rows}
