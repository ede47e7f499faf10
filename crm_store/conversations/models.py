"""Tables of the conversations area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm_store.base import Base, BigId, utcnow
from crm_store.customers.models import ChannelIdentity

#: Who sees a line of the transcript.
EVERYBODY, STAFF_ONLY = "all", "staff"
#: In an attachment's data: a member of staff sent it from a group; who may see it, its line says.
OF_STAFF = "of_staff"
#: Who answers in a conversation.
BOT, HUMAN = "bot", "human"


class Conversation(Base):
    """One chat on one channel. Its id is Rasa's sender id."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("channel", "chat_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    chat_id: Mapped[str] = mapped_column(String(100))
    #: None for a staff group, which belongs to no single account.
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("channel_identities.id"), index=True)
    #: ``bot``, or ``human`` while a member of staff has taken it over.
    owner: Mapped[str] = mapped_column(String(10), default="bot")
    #: The member of staff who has taken it over; None while the bot answers.
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    #: Raised whenever the owner changes: what was prepared under a former owner shows itself by it.
    ownership: Mapped[int] = mapped_column(default=0)
    #: Number of the latest message; raised under the row's lock, so messages commit in order.
    last_seq: Mapped[int] = mapped_column(default=0)
    #: When the customer was told that the answer is late; None while all is well.
    trouble_told_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    identity: Mapped[ChannelIdentity | None] = relationship()


class Message(Base):
    """One line of a conversation's transcript, in either direction."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    #: ``customer``, ``bot`` or ``staff:<id>``.
    author: Mapped[str] = mapped_column(String(60))
    #: ``all``, or ``staff`` for what the customer never sees: whispers, and replies that were held back.
    audience: Mapped[str] = mapped_column(String(10), default=EVERYBODY)
    #: Rich text from the bot, plain text from people.
    text: Mapped[str] = mapped_column(Text, default="")
    #: Buttons, attachments and whatever else a client draws.
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), unique=True)
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"), index=True)
    #: The messenger's own number of the message.
    platform_message_id: Mapped[str] = mapped_column(String(60), default="", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    edited_at: Mapped[datetime | None]


class Button(Base):
    """A button that we sent: an opaque token bound to one conversation, used once."""

    __tablename__ = "buttons"

    token: Mapped[str] = mapped_column(String(24), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    #: Buttons of one message are consumed together.
    group: Mapped[str] = mapped_column(String(24), index=True)
    title: Mapped[str] = mapped_column(String(200))
    payload: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]
    #: The tap that used the group; the same tap delivered again is not a second one.
    consumed_by_inbox_id: Mapped[int | None] = mapped_column(BigId)


class Attachment(Base):
    """What a customer sent along: a file in the data folder, a location or a contact card."""

    __tablename__ = "attachments"
    __table_args__ = (UniqueConstraint("inbox_id", "ordinal"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"))
    ordinal: Mapped[int] = mapped_column(default=0)
    #: ``photo``, ``voice``, ``audio``, ``video``, ``document``, ``location`` or ``contact``.
    kind: Mapped[str] = mapped_column(String(20))
    mime_type: Mapped[str] = mapped_column(String(100), default="")
    #: Size in bytes.
    size: Mapped[int] = mapped_column(default=0)
    file_name: Mapped[str] = mapped_column(String(255), default="")
    #: Path below the attachments folder; empty where there is no file.
    path: Mapped[str] = mapped_column(String(255), default="")
    #: Latitude and longitude, or the card's name and phone; `OF_STAFF`.
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    service_request_id: Mapped[int | None] = mapped_column(ForeignKey("service_requests.id"), index=True)
    #: The note on that ticket with which it came; None for what was sent when the ticket was made.
    note_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_notes.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
