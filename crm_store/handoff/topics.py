"""A customer's topic in a staff group: what is shown there already, and what is to be shown next.

The topic follows the course of a hand-over (`StaffTopic.handoff_id`): first the customer's card, then the
last lines, then every line until the hand-over has ended. What was shown is noted after the messenger has
said so: a process that is killed between the two shows a line a second time, and none is lost. In a group
without topics all share the group (`thread_id` is None), and messages are told apart by what they answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import Attachment, Conversation, Message
from crm_store.errors import NotFound
from crm_store.handoff.models import ENDED, Handoff, RelayedLine, StaffTopic
from crm_store.inbox import PENDING, InboxItem

#: So many lines before the wish for a person are shown with it.
CONTEXT = 10
#: Lines that are looked at in one go.
_BATCH = 60
#: A file that somebody sent is waited for so long, then its line is shown without it.
FILES_WITHIN = timedelta(minutes=2)
#: Forms of a `RelayedLine`.
TEXT, CAPTION, PART, THEIRS, SIGN, THREAD = "text", "caption", "part", "theirs", "sign", "thread"
#: In a line's ``extra``: kinds of the files that came with it.
_MEDIA = "media"


class LineToShow(msgspec.Struct, frozen=True):
    """A line of the transcript with what was sent along."""

    message: Message
    attachments: list[Attachment]

    @property
    def files(self) -> list[dict[str, Any]]:
        """What the customer sent or one of the staff: ``{"path", "kind", "mime_type", "file_name"}`` each."""
        kept = [
            {"path": one.path, "kind": one.kind, "mime_type": one.mime_type, "file_name": one.file_name}
            for one in self.attachments
            if one.path
        ]
        return kept + [one for one in self.message.extra.get("files", []) if one.get("path")]


class Stale(msgspec.Struct, frozen=True):
    """A message in the group whose lines were edited.

    Attributes:
        platform_message_id: the messenger's number of it.
        form: what it is.
        lines: all lines that it stands for, in order.
    """

    platform_message_id: str
    form: str
    lines: list[LineToShow]


def due(session: Session, *, group_id: int) -> list[int]:
    """Conversations of which a group is to be shown something, the longest waiting first.

    Args:
        group_id: the group's conversation.
    """
    topic = and_(StaffTopic.conversation_id == Handoff.conversation_id, StaffTopic.group_id == group_id)
    is_stale = exists().where(RelayedLine.topic_id == StaffTopic.id, RelayedLine.is_stale)
    rows = session.execute(
        select(Handoff, StaffTopic, Conversation.last_seq, is_stale)
        .join(Conversation, Handoff.conversation_id == Conversation.id)
        .outerjoin(StaffTopic, topic)
        .where(Handoff.state != ENDED)
        .order_by(Handoff.requested_at, Handoff.id)
    ).all()
    opened = [
        handoff.conversation_id
        for handoff, known, last_seq, stale in rows
        if known is None
        or known.handoff_id != handoff.id
        or known.relayed_seq < last_seq
        or known.shown != sign_of(handoff)
        or stale
    ]
    ending = session.scalars(
        select(StaffTopic.conversation_id)
        .join(Handoff, StaffTopic.handoff_id == Handoff.id)
        .where(StaffTopic.group_id == group_id, Handoff.state == ENDED)
        .order_by(Handoff.ended_at)
    ).all()
    return list(dict.fromkeys([*ending, *opened]))


def topic_of(session: Session, *, conversation_id: int, group_id: int) -> StaffTopic:
    """The topic of a conversation in a group, made when it is new."""
    found = session.scalar(
        select(StaffTopic).where(
            StaffTopic.conversation_id == conversation_id, StaffTopic.group_id == group_id
        )
    )
    if found is None:
        found = StaffTopic(conversation_id=conversation_id, group_id=group_id)
        session.add(found)
        session.flush()
    return found


def course_of(session: Session, topic: StaffTopic) -> Handoff | None:
    """The hand-over that a topic shows next: one whose end it does not show yet, else the open one."""
    if topic.handoff_id is not None:
        shown = session.get_one(Handoff, topic.handoff_id)
        if shown.state == ENDED:
            return shown
    return session.scalar(
        select(Handoff).where(Handoff.conversation_id == topic.conversation_id, Handoff.state != ENDED)
    )


def sign_of(handoff: Handoff) -> str:
    """What there is to be shown of a hand-over: its state, and who has it or how it ended."""
    return f"{handoff.state}:{handoff.outcome or handoff.owner_id or handoff.team}"[:40]


def find_topic(
    session: Session, *, group_id: int, thread_id: str = "", reply_to: str = ""
) -> StaffTopic | None:
    """The topic that somebody writes in, or whose message they answer; None for what is about no customer.

    Args:
        thread_id: the messenger's number of the group's topic; empty for none.
        reply_to: the messenger's number of the answered message; looked at where there is no topic.
    """
    in_group = select(StaffTopic).where(StaffTopic.group_id == group_id)
    marked = in_group.join(RelayedLine, RelayedLine.topic_id == StaffTopic.id).limit(1)
    if thread_id:
        if not thread_id.isdecimal():
            return None
        # What was written in a topic just before somebody deleted it is still for its customer.
        former = RelayedLine.form == THREAD, RelayedLine.platform_message_id == thread_id
        now = session.scalar(in_group.where(StaffTopic.thread_id == int(thread_id)))
        return now or session.scalar(marked.where(*former))
    if not reply_to:
        return None
    answered = RelayedLine.platform_message_id == reply_to, RelayedLine.form != THREAD
    return session.scalar(marked.where(*answered))


def thread_opened(session: Session, topic: StaffTopic, *, thread_id: int) -> None:
    """Note the number of a topic that was opened: everything is to be shown in it."""
    _begin_anew(session, topic)
    topic.thread_id = thread_id
    add_relayed(session, topic, message_id=None, platform_message_id=str(thread_id), form=THREAD)


def thread_lost(session: Session, *, group_id: int, thread_id: int) -> StaffTopic | None:
    """Note that a topic was deleted: with the next thing to show it is opened again, and all is shown."""
    topic = session.scalar(
        select(StaffTopic).where(StaffTopic.group_id == group_id, StaffTopic.thread_id == thread_id)
    )
    if topic is not None:
        _begin_anew(session, topic)
        topic.thread_id = None
    return topic


def begun(session: Session, topic: StaffTopic, handoff: Handoff) -> None:
    """Note that the card was shown, with which a hand-over's course begins; the last lines follow it."""
    before = session.scalar(
        select(func.max(Message.seq)).where(
            Message.conversation_id == topic.conversation_id, Message.created_at < handoff.requested_at
        )
    )
    topic.handoff_id = handoff.id
    topic.shown = f"waiting:{handoff.team}"[:40]
    topic.relayed_seq = max(topic.relayed_seq, (before or 0) - CONTEXT)


def sign_shown(topic: StaffTopic, handoff: Handoff, sign: str) -> None:
    """Note that it was shown who has a conversation; with a hand-over's end its course is over."""
    topic.shown = sign
    if handoff.state == ENDED and sign == sign_of(handoff):
        topic.handoff_id = None


def next_lines(
    session: Session, topic: StaffTopic, *, until: datetime | None = None, now: datetime | None = None
) -> list[LineToShow]:
    """What is to be shown next, in order; a line whose files are still being fetched holds up what follows.

    What the group shows already, as somebody wrote it there, is passed over and noted as shown.

    Args:
        until: only lines up to this moment.
    """
    now = now or utcnow()
    chosen = select(Message).where(
        Message.conversation_id == topic.conversation_id, Message.seq > topic.relayed_seq
    )
    if until is not None:
        chosen = chosen.where(Message.created_at <= until)
    messages = session.scalars(chosen.order_by(Message.seq).limit(_BATCH)).all()
    known = _shown_here(session, topic, [message.id for message in messages])
    with_files = _with_files(session, messages)
    ready: list[LineToShow] = []
    for line in with_files:
        if line.message.id in known:
            if not ready:
                topic.relayed_seq = line.message.seq
            continue
        if _is_coming(session, line, now):
            break
        ready.append(line)
    return ready


def lines_shown(
    session: Session, topic: StaffTopic, *, lines: Iterable[tuple[int, str, str]], up_to: int
) -> None:
    """Note what was shown.

    Args:
        lines: a line's id, the messenger's number of the message that stands for it, and its form.
        up_to: number of the last line that is shown whole.
    """
    for message_id, platform_message_id, form in lines:
        add_relayed(session, topic, message_id=message_id, platform_message_id=platform_message_id, form=form)
    topic.relayed_seq = max(topic.relayed_seq, up_to)


def add_relayed(
    session: Session, topic: StaffTopic, *, message_id: int | None, platform_message_id: str, form: str
) -> None:
    """Remember which message in the group stands for a line, or (None) that it is about this customer."""
    same = RelayedLine.message_id == message_id if message_id else RelayedLine.message_id.is_(None)
    known = session.scalar(
        select(RelayedLine.id).where(
            RelayedLine.topic_id == topic.id, RelayedLine.platform_message_id == platform_message_id, same
        )
    )
    if known is None:
        session.add(
            RelayedLine(
                topic_id=topic.id,
                message_id=message_id,
                platform_message_id=platform_message_id,
                form=form,
            )
        )
        session.flush()


def stale_message(session: Session, topic: StaffTopic) -> Stale | None:
    """A message in the group whose lines were edited since, the oldest first."""
    first = session.scalar(
        select(RelayedLine)
        .where(RelayedLine.topic_id == topic.id, RelayedLine.is_stale)
        .order_by(RelayedLine.id)
        .limit(1)
    )
    if first is None:
        return None
    messages = session.scalars(
        select(Message)
        .join(RelayedLine, RelayedLine.message_id == Message.id)
        .where(RelayedLine.topic_id == topic.id, RelayedLine.platform_message_id == first.platform_message_id)
        .order_by(Message.seq)
    ).all()
    return Stale(first.platform_message_id, first.form, _with_files(session, messages))


def edit_shown(session: Session, topic: StaffTopic, stale: Stale) -> None:
    """Note that the message says what its lines say now, or that it cannot."""
    ids = [line.message.id for line in stale.lines]
    session.execute(
        update(RelayedLine)
        .where(
            RelayedLine.topic_id == topic.id,
            RelayedLine.message_id.in_(ids),
            or_(RelayedLine.platform_message_id == stale.platform_message_id, RelayedLine.form == PART),
        )
        .values(is_stale=False)
        .execution_options(synchronize_session=False)
    )


def note_changed(session: Session, topic: StaffTopic, *, shown: Mapping[int, str]) -> None:
    """Note which lines were given other words while they were on their way into the group.

    Args:
        shown: the words that were sent, by the lines' ids.
    """
    now = session.execute(select(Message.id, Message.text).where(Message.id.in_(shown))).tuples()
    changed = [message_id for message_id, text in now if text != shown[message_id]]
    session.execute(
        update(RelayedLine)
        .where(
            RelayedLine.topic_id == topic.id,
            RelayedLine.message_id.in_(changed),
            RelayedLine.form != THEIRS,
        )
        .values(is_stale=True)
        .execution_options(synchronize_session=False)
    )


def line_in_group(
    session: Session, topic: StaffTopic, *, platform_message_id: str, form: str
) -> Message | None:
    """The line for which a message in the group stands; None where it stands for several, or for none."""
    found = session.scalars(
        select(Message)
        .join(RelayedLine, RelayedLine.message_id == Message.id)
        .where(
            RelayedLine.topic_id == topic.id,
            RelayedLine.platform_message_id == platform_message_id,
            RelayedLine.form == form,
        )
    ).all()
    return found[0] if len(found) == 1 else None


def message_of(session: Session, topic: StaffTopic, line: Message) -> str:
    """The messenger's number of the message in the group that stands for a line; empty for none."""
    shown = select(RelayedLine.platform_message_id).where(
        RelayedLine.topic_id == topic.id, RelayedLine.message_id == line.id
    )
    return session.scalar(shown.limit(1)) or ""


def topic_by_id(session: Session, *, topic_id: int) -> StaffTopic:
    """A topic.

    Raises:
        NotFound: its customer was forgotten.
    """
    found = session.get(StaffTopic, topic_id)
    if found is None:
        raise NotFound("there is no such topic")
    return found


def topics_of(session: Session, *, conversation_id: int) -> Sequence[StaffTopic]:
    """The topics of a conversation, in whichever groups, in which a course is being shown."""
    return session.scalars(
        select(StaffTopic).where(
            StaffTopic.conversation_id == conversation_id, StaffTopic.handoff_id.is_not(None)
        )
    ).all()


def _begin_anew(session: Session, topic: StaffTopic) -> None:
    gone = delete(RelayedLine).where(RelayedLine.topic_id == topic.id, RelayedLine.form != THREAD)
    session.execute(gone)
    topic.handoff_id, topic.shown, topic.relayed_seq = None, "", 0


def _shown_here(session: Session, topic: StaffTopic, message_ids: list[int]) -> set[int]:
    shown = select(RelayedLine.message_id).where(
        RelayedLine.topic_id == topic.id, RelayedLine.message_id.in_(message_ids), RelayedLine.form == THEIRS
    )
    return {one for one in session.scalars(shown) if one is not None}


def _with_files(session: Session, messages: Sequence[Message]) -> list[LineToShow]:
    inbox_ids = [message.inbox_id for message in messages if message.inbox_id]
    sent_along: dict[int, list[Attachment]] = {}
    for attachment in session.scalars(
        select(Attachment)
        .where(Attachment.inbox_id.in_(inbox_ids))
        .order_by(Attachment.inbox_id, Attachment.ordinal)
    ):
        sent_along.setdefault(attachment.inbox_id, []).append(attachment)
    return [LineToShow(message, sent_along.get(message.inbox_id or 0, [])) for message in messages]


def _is_coming(session: Session, line: LineToShow, now: datetime) -> bool:
    """Whether files of a line are still being fetched."""
    extra: dict[str, Any] = line.message.extra
    if len(extra.get(_MEDIA, [])) <= len(line.attachments) or line.message.inbox_id is None:
        return False
    if now - line.message.created_at > FILES_WITHIN:
        return False
    update_row = session.get(InboxItem, line.message.inbox_id)
    return update_row is not None and update_row.state == PENDING
