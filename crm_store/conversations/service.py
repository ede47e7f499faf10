"""What can be done with conversations: find them, write the transcript, sell and use buttons."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import EVERYBODY, Attachment, Button, Conversation, Message
from crm_store.customers.models import ChannelIdentity
from crm_store.errors import NotFound


def open_conversation(
    session: Session, *, channel: str, chat_id: str, identity: ChannelIdentity | None
) -> Conversation:
    """The conversation of a chat, made when it is new."""
    conversation = find_conversation(session, channel=channel, chat_id=chat_id)
    if conversation is None:
        conversation = Conversation(channel=channel, chat_id=chat_id, identity=identity)
        session.add(conversation)
        session.flush()
    return conversation


def lock_conversation(session: Session, *, conversation_id: int) -> Conversation:
    """A conversation as it is now; its owner does not change until the unit of work ends.

    Whoever changes the owner or speaks for them begins with this lock, and takes others behind it.

    Raises:
        NotFound: there is none.
    """
    conversation = session.scalar(
        select(Conversation)
        .where(Conversation.id == conversation_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if conversation is None:
        raise NotFound("no such conversation")
    return conversation


def find_conversation(session: Session, *, channel: str, chat_id: str) -> Conversation | None:
    """The conversation of a chat, if there is one."""
    return session.scalar(
        select(Conversation).where(Conversation.channel == channel, Conversation.chat_id == chat_id)
    )


def customer_of(conversation: Conversation) -> int:
    """The id of the customer who writes in a conversation.

    Raises:
        NotFound: it is a staff group, which has no customer.
    """
    if conversation.identity is None:
        raise NotFound("this conversation belongs to no customer")
    return conversation.identity.customer_id


def add_message(
    session: Session,
    *,
    conversation_id: int,
    author: str,
    text: str,
    extra: dict[str, Any] | None = None,
    inbox_id: int | None = None,
    outbox_id: int | None = None,
    platform_message_id: str = "",
    audience: str = EVERYBODY,
    now: datetime | None = None,
) -> Message:
    """Append to the transcript; an incoming row that stands there already is returned as it is.

    The number is taken under the conversation's row lock, which is held until commit: within a conversation
    messages become visible in the order of their numbers.

    Args:
        audience: ``staff`` for what the customer never sees.
        now: when it was said.
    """
    if inbox_id is not None:
        known = session.scalar(select(Message).where(Message.inbox_id == inbox_id))
        if known is not None:
            return known
    seq = session.scalar(
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(last_seq=Conversation.last_seq + 1)
        .returning(Conversation.last_seq)
        .execution_options(synchronize_session=False)
    )
    if seq is None:
        raise NotFound("no such conversation")
    message = Message(
        conversation_id=conversation_id,
        seq=seq,
        author=author,
        text=text,
        extra=extra or {},
        inbox_id=inbox_id,
        outbox_id=outbox_id,
        platform_message_id=platform_message_id,
        audience=audience,
        created_at=now or utcnow(),
    )
    session.add(message)
    session.flush()
    return message


def messages_after(session: Session, *, conversation_id: int, seq: int, limit: int = 200) -> list[Message]:
    """The transcript behind a number, in order."""
    return list(
        session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.seq > seq)
            .order_by(Message.seq)
            .limit(limit)
        )
    )


def find_message(session: Session, *, conversation_id: int, platform_message_id: str) -> Message | None:
    """The first transcript line of a messenger's message."""
    return session.scalar(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.platform_message_id == platform_message_id)
        .order_by(Message.seq)
        .limit(1)
    )


def latest_message(session: Session, *, conversation_id: int, author: str) -> Message | None:
    """The newest transcript line of an author that the customer has seen or said."""
    return session.scalar(
        select(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.author == author,
            Message.audience == EVERYBODY,
        )
        .order_by(Message.seq.desc())
        .limit(1)
    )


def issue_buttons(
    session: Session, *, conversation_id: int, buttons: list[dict[str, Any]], lifetime: timedelta
) -> list[dict[str, Any]]:
    """Turn ``{"title", "payload"}`` into ``{"title", "token"}``: what leaves this machine is opaque.

    A ``row`` that a button names stays beside it: those of one number stand together, from right to left.
    """
    group, expires_at = secrets.token_urlsafe(12), utcnow() + lifetime
    issued = []
    for button in buttons:
        row = Button(
            token=secrets.token_urlsafe(12),
            conversation_id=conversation_id,
            group=group,
            title=button["title"][:200],
            payload=button["payload"],
            expires_at=expires_at,
        )
        session.add(row)
        issued.append({"title": row.title, "token": row.token, **_row_of(button)})
    return issued


def _row_of(button: dict[str, Any]) -> dict[str, Any]:
    return {"row": button["row"]} if "row" in button else {}


class Press(msgspec.Struct, frozen=True):
    """The outcome of a tap.

    Attributes:
        outcome: ``ok``; ``used`` (this message's buttons were used before); ``expired``; ``unknown`` (never
            sent to this chat).
        payload: the intent that the button stands for, when the outcome is ``ok``.
        title: the button's title, when it is known.
    """

    outcome: Literal["ok", "used", "expired", "unknown"]
    payload: str = ""
    title: str = ""


def press_button(
    session: Session, *, conversation_id: int, token: str, inbox_id: int, now: datetime | None = None
) -> Press:
    """Use a button once; the same tap delivered again is answered as the first time.

    A token of another chat is ``unknown``, as one that never existed.
    """
    button = session.get(Button, token)
    if button is None or button.conversation_id != conversation_id:
        return Press("unknown")
    if button.consumed_by_inbox_id == inbox_id:
        return Press("ok", button.payload, button.title)
    if button.expires_at <= (now or utcnow()):
        return Press("expired", title=button.title)
    taken = session.execute(
        update(Button)
        .where(Button.group == button.group, Button.consumed_by_inbox_id.is_(None))
        .values(consumed_by_inbox_id=inbox_id)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount == 0:  # type: ignore[attr-defined]  # an UPDATE always gives a CursorResult
        return Press("used", title=button.title)
    return Press("ok", button.payload, button.title)


def add_attachment(
    session: Session,
    *,
    conversation_id: int,
    inbox_id: int,
    kind: str,
    ordinal: int = 0,
    mime_type: str = "",
    size: int = 0,
    file_name: str = "",
    path: str = "",
    data: dict[str, Any] | None = None,
) -> Attachment:
    """Keep what was sent along; the same ordinal of the same update is kept once."""
    known = session.scalar(
        select(Attachment).where(Attachment.inbox_id == inbox_id, Attachment.ordinal == ordinal)
    )
    if known is not None:
        return known
    attachment = Attachment(
        conversation_id=conversation_id,
        inbox_id=inbox_id,
        ordinal=ordinal,
        kind=kind,
        mime_type=mime_type[:100],
        size=size,
        file_name=file_name[:255],
        path=path,
        data=data or {},
    )
    session.add(attachment)
    session.flush()
    return attachment


def note_trouble(session: Session, *, conversation_id: int, told_at: datetime | None) -> None:
    """Remember that the customer was told of a delay, or (None) that all is well again."""
    session.get_one(Conversation, conversation_id).trouble_told_at = told_at
