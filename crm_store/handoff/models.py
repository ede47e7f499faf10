"""Tables of the handoff area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    inspect,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from crm_store.base import Base, BigId, utcnow
from crm_store.conversations.models import Message

WAITING, CLAIMED, ENDED = "waiting", "claimed", "ended"
OPEN_STATES = (WAITING, CLAIMED)
#: Why a person is needed; `STAFF`: one took the conversation by themselves.
ASKED, NOT_UNDERSTOOD, ANGER, DANGER, VIP, RULE, STAFF = (
    "asked",
    "not_understood",
    "anger",
    "danger",
    "vip",
    "rule",
    "staff",
)
#: How it ended: an agent gave it back, the customer left, or nobody came and a call was promised.
RELEASED, LEFT, EXPIRED = "released", "left", "expired"
_ONLY_OPEN = text("state <> 'ended'")


class Handoff(Base):
    """A conversation that needs a person, from the wish to the end. At most one is open per conversation."""

    __tablename__ = "handoffs"
    __table_args__ = (
        # What a reply refers to (`crm_store.outbox.OutboxItem.handoff_id`).
        UniqueConstraint("id", "conversation_id"),
        Index(
            "uq_handoffs_open_conversation_id",
            "conversation_id",
            unique=True,
            sqlite_where=_ONLY_OPEN,
            postgresql_where=_ONLY_OPEN,
        ),
        Index("ix_handoffs_state_requested_at", "state", "requested_at"),
        Index("ix_handoffs_owner_id_state", "owner_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    #: ``waiting``, ``claimed`` or ``ended``.
    state: Mapped[str] = mapped_column(String(10), default=WAITING)
    #: Why a person is needed: one of the reasons above.
    reason: Mapped[str] = mapped_column(String(20))
    #: What it is about, in the customer's words.
    topic: Mapped[str] = mapped_column(Text, default="")
    #: The larger, the sooner.
    urgency: Mapped[int] = mapped_column(default=0)
    #: Team and skill that are asked for; empty for any.
    team: Mapped[str] = mapped_column(String(60), default="")
    skill: Mapped[str] = mapped_column(String(60), default="")
    #: To whom it was offered in turn, and when; anybody may claim it all the same.
    offered_to_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"), index=True)
    offered_at: Mapped[datetime | None]
    #: Who has it.
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    requested_at: Mapped[datetime] = mapped_column(default=utcnow)
    #: Since when it waits, or waited before it was claimed last: later than the wish where a colleague passed
    #: it on.
    waiting_since: Mapped[datetime] = mapped_column(default=utcnow)
    claimed_at: Mapped[datetime | None]
    first_reply_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: ``released``, ``left`` or ``expired``; empty while it is open.
    outcome: Mapped[str] = mapped_column(String(20), default="")
    #: What was agreed, as whoever gave it back put it.
    agreed: Mapped[str] = mapped_column(Text, default="")
    #: How often it was escalated because nobody claimed it, and when next.
    escalated: Mapped[int] = mapped_column(default=0)
    escalate_at: Mapped[datetime | None]
    #: The customer's message that began it: the same message again begins no second one.
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), unique=True)
    #: Kinds of drafts that were open when it was claimed, to be gone on with afterwards.
    interrupted: Mapped[list[Any]] = mapped_column(default=list)


class StaffTopic(Base):
    """The topic of a customer's conversation in a staff group that has topics (a Telegram forum)."""

    __tablename__ = "staff_topics"
    __table_args__ = (
        UniqueConstraint("conversation_id", "group_id"),
        UniqueConstraint("group_id", "thread_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The customer's conversation.
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The group's conversation.
    group_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The messenger's number of the topic; None until it was opened, and after it was deleted.
    thread_id: Mapped[int | None] = mapped_column(BigId)
    #: Number of the last transcript line that was relayed into it.
    relayed_seq: Mapped[int] = mapped_column(default=0)
    #: The hand-over whose course is shown in it; None once its end was shown.
    handoff_id: Mapped[int | None] = mapped_column(ForeignKey("handoffs.id"), index=True)
    #: What was shown of that hand-over last: its state, and who has it, as ``claimed:7``.
    shown: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class RelayedLine(Base):
    """Which message in a staff group stands for which line of the transcript, so that edits find it.

    A message of ours may stand for several lines, a long line in several messages.
    """

    __tablename__ = "relayed_lines"
    __table_args__ = (
        UniqueConstraint("topic_id", "platform_message_id", "message_id"),
        Index("ix_relayed_lines_platform_message_id", "platform_message_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("staff_topics.id"))
    #: None for what is no line: the customer's card, and who has the conversation.
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    #: The messenger's number of the message in the group.
    platform_message_id: Mapped[str] = mapped_column(String(60))
    #: ``text``, ``caption`` (below a file), ``part`` (of a line that is too long for one message), ``theirs``
    #: for what somebody wrote in the group themselves, ``sign`` for what is no line, or ``thread`` for the
    #: message with which a topic was opened, whose number is the topic's, those that were deleted included.
    form: Mapped[str] = mapped_column(String(10), default="text")
    #: The line was edited, and the message in the group does not say so yet.
    is_stale: Mapped[bool] = mapped_column(default=False)


@event.listens_for(Message, "after_update")
def _note_edit(_mapper: Mapper[Message], connection: Connection, message: Message) -> None:
    """Whoever edits a line: the staff groups that show it show its new words."""
    if inspect(message).attrs.edited_at.history.has_changes():
        connection.execute(
            update(RelayedLine)
            .where(RelayedLine.message_id == message.id, RelayedLine.form != "theirs")
            .values(is_stale=True)
        )


class CannedReply(Base):
    """A reply that the staff keep ready, with placeholders such as ``{name}``."""

    __tablename__ = "canned_replies"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: What is typed for it: ``/سلام``.
    shortcut: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(60), default="")
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    deleted_at: Mapped[datetime | None]


class CallbackRequest(Base):
    """A customer's wish to be called."""

    __tablename__ = "callback_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The draft that it was made of.
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"), unique=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_points.id"))
    #: What the customer wanted when the offer was made, in their own words.
    topic: Mapped[str] = mapped_column(Text, default="")
    #: ``open``, ``done`` once somebody called, ``replaced`` by the customer's newer request, or ``cancelled``
    #: when they were forgotten.
    state: Mapped[str] = mapped_column(String(20), default="open")
    #: By when the customer was promised the call.
    due_at: Mapped[datetime | None]
    #: Who called, when, and what came of it.
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    done_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
