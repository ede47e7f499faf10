"""The relay's steps in the store: what is sent next, and what became of it. Each is one transaction."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from sqlalchemy.orm import Session

from bot.gateway import staff_words
from bot.gateway.addresses import split_address, topic_address
from bot.gateway.channels.base import Document, FilePlace
from bot.gateway.channels.transcript import kept_place
from bot.gateway.exports import Exports
from bot.gateway.leaving import hold_back, verdict
from bot.gateway.render import Responses
from crm_store import outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.customers import service as customers
from crm_store.db import Database
from crm_store.handoff import topics
from crm_store.outbox import DOCUMENT_KEY, OutboxItem
from crm_store.pictures import draw
from crm_store.privacy import service as privacy

log = structlog.get_logger(__name__)

BOT = "bot"
#: In a transcript line's ``extra``: the chat shows a contact button since then.
KEYBOARD_OPEN = "contact_keyboard"
#: In a transcript line's ``extra``: the file that was sent, ``{"file_name", "size"}`` and, where it stays
#: with us, its ``path`` below the attachments folder.
DOCUMENT = "document"
#: In a row's content: the topic of the group in which it is said, and the message there that it answers.
THREAD, REPLY_TO = "thread", "reply_to"
#: What is said when a file that was asked for cannot be made.
NOT_MADE = "utter_parked"


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A row on its way.

    Attributes:
        text: rich text, whole.
        buttons: ``{"title", "token"}`` each.
        parts_sent: parts that have left already.
        keyboard_is_open: an earlier message's contact button still stands in the chat.
        export_of: the customer whose data goes along as a file; None for none.
        picture: ``{"kind", "params"}`` of a picture that is drawn and goes along; None for none.
        document_key: names the file that goes along, at every try alike.
        files: what a person sent along.
        reply_to: the messenger's number of the message that it answers; empty for none.
        edits: the messenger's number of the message whose words it replaces; None for a new message.
        is_caption: those words stand below a file.
        speaker: who says it.
        line_id: the transcript line that stands there already.
    """

    outbox_id: int
    conversation_id: int
    channel: str
    chat_id: str
    priority: int
    correlation_id: str
    text: str
    buttons: tuple[dict[str, Any], ...] = ()
    request_contact: bool = False
    image: str = ""
    parts_sent: int = 0
    keyboard_is_open: bool = False
    export_of: int | None = None
    picture: dict[str, Any] | None = None
    document_key: str = ""
    files: tuple[FilePlace, ...] = ()
    reply_to: str = ""
    edits: str | None = None
    is_caption: bool = False
    speaker: str = outbox.SPEAKER_BOT
    line_id: int | None = None


class Outgoings:
    """The relay's view of the store.

    Args:
        database: the store.
        responses: what notices are made of.
        button_hours: for how long a notice's buttons stay valid.
        channels: names of the channels that are switched on.
        exports: makes the file of everything held about a customer.
    """

    def __init__(
        self,
        database: Database,
        responses: Responses,
        *,
        button_hours: int,
        channels: frozenset[str],
        exports: Exports,
    ) -> None:
        self._database = database
        self._responses = responses
        self._exports = exports
        self._lifetime = timedelta(hours=button_hours)
        self._channels = channels
        #: Conversations on channels that are switched off; their rows wait for a gateway that has them.
        self._unserved: set[int] = set()

    def waiting(self, busy: set[int], limit: int) -> list[int]:
        """Conversations with something due, apart from those that are busy."""
        with self._database.read() as session:
            return outbox.waiting_conversations(
                session, now=utcnow(), exclude=busy | self._unserved, limit=limit
            )

    def next(self, conversation_id: int) -> Outgoing | None:
        """What a conversation gets next; rows that must not leave any more are cancelled on the way."""
        with self._database.read() as session:
            item = outbox.next_of(session, conversation_id=conversation_id, now=utcnow())
            if item is None:
                return None
            conversation = session.get_one(Conversation, conversation_id)
            if verdict(session, item, conversation) == "leaves" and _is_ready(item):
                return self._outgoing(session, item, conversation)
        with self._database.write() as session:
            return self._prepare(session, conversation_id)

    def may_leave(self, outbox_id: int) -> bool:
        """Whether a row is still to be sent."""
        with self._database.read() as session:
            item = session.get_one(OutboxItem, outbox_id)
            conversation = session.get_one(Conversation, item.conversation_id)
            return item.state == outbox.PENDING and verdict(session, item, conversation) == "leaves"

    def export(self, customer_id: int, *, key: str) -> Document:
        """The file of a customer's data, made now, so that it is as new as can be and none lies around."""
        with self._database.read() as session:
            made = self._exports.make(session, customer_id=customer_id)
        return Document(file_name=made.file_name, content=made.content, key=key)

    def picture(self, outgoing: Outgoing) -> Document | None:
        """The picture that goes along, drawn now; None where it cannot be: the text says what it shows."""
        told = outgoing.picture or {}
        try:
            content = draw(str(told["kind"]), told["params"])
        except Exception as error:
            log.error("picture_not_drawn", outbox_id=outgoing.outbox_id, error=repr(error)[:500])
            return None
        name = f"{told['kind']}.png"
        return Document(file_name=name, content=content, key=outgoing.document_key, kind="photo")

    def part_left(self, outgoing: Outgoing, parts: int) -> None:
        """Note that a part of a long message has left."""
        with self._database.write() as session:
            session.get_one(OutboxItem, outgoing.outbox_id).parts_sent = parts

    def sent(
        self,
        outgoing: Outgoing,
        platform_message_id: str,
        document: Document | None = None,
        *,
        stays: bool = False,
    ) -> Outgoing | None:
        """Close a row, write the transcript line, and give the conversation's next row.

        Args:
            document: the file that went along.
            stays: it stays with us, where the reader fetches it.
        """
        with self._database.write() as session:
            conversation = conversations.lock_conversation(session, conversation_id=outgoing.conversation_id)
            item = session.get_one(OutboxItem, outgoing.outbox_id)
            # Where the transcript itself is read, it leaves only now.
            is_out = not stays or verdict(session, item, conversation) == "leaves"
            if item.state == outbox.PENDING and is_out:
                item.state, item.sent_at = outbox.SENT, utcnow()
                if outgoing.line_id is not None:
                    staff_words.note_sent(session, outgoing.line_id, platform_message_id, outgoing.edits)
                else:
                    conversations.add_message(
                        session,
                        conversation_id=outgoing.conversation_id,
                        author=BOT,
                        text=outgoing.text,
                        extra=_extra(outgoing) | _document_extra(outgoing, document, stays=stays),
                        outbox_id=outgoing.outbox_id,
                        platform_message_id=platform_message_id,
                    )
            return self._prepare(session, outgoing.conversation_id)

    def failed(self, outbox_id: int, error: str) -> None:
        """Give a row up."""
        with self._database.write() as session:
            item = session.get_one(OutboxItem, outbox_id)
            item.state, item.last_error, item.attempts = outbox.FAILED, error[:2000], item.attempts + 1
            staff_words.note_undelivered(session, item)
            if item.kind == privacy.EXPORT:  # somebody waits for it
                outbox.enqueue_notice(
                    session,
                    conversation_id=item.conversation_id,
                    response=NOT_MADE,
                    idempotency_key=f"{NOT_MADE}:{item.idempotency_key}",
                    correlation_id=item.correlation_id,
                )

    def delayed(self, outbox_id: int, error: str) -> None:
        """Count a try that will be repeated."""
        with self._database.write() as session:
            item = session.get_one(OutboxItem, outbox_id)
            item.last_error, item.attempts = error[:2000], item.attempts + 1

    def unreachable(self, outgoing: Outgoing) -> int:
        """Note that the account has blocked the bot, and give up all it was to get; returns how much."""
        with self._database.write() as session:
            conversation = session.get_one(Conversation, outgoing.conversation_id)
            staff_words.note_all_undelivered(session, conversation_id=conversation.id)
            if conversation.identity is not None:
                customers.mark_blocked(
                    session, channel=conversation.channel, external_id=conversation.identity.external_id
                )
            return outbox.cancel_pending(session, conversation_id=outgoing.conversation_id)

    def topic_lost(self, outgoing: Outgoing) -> None:
        """Note that the topic that a row was to go to was deleted."""
        _, thread_id = split_address(outgoing.chat_id)
        if thread_id is not None:
            with self._database.write() as session:
                topics.thread_lost(session, group_id=outgoing.conversation_id, thread_id=thread_id)

    def _prepare(self, session: Session, conversation_id: int) -> Outgoing | None:
        """The next row that may leave, rendered; a row that cannot be rendered is given up."""
        conversation = session.get_one(Conversation, conversation_id)
        while True:
            item = outbox.next_of(session, conversation_id=conversation_id, now=utcnow())
            if item is None:
                return None
            becomes = verdict(session, item, conversation)
            if becomes == "held_back":
                hold_back(session, item)
            elif becomes != "leaves":  # what waits is not found here
                item.state = outbox.CANCELLED
                staff_words.note_undelivered(session, item)
            elif self._is_rendered(session, item):
                return self._outgoing(session, item, conversation)
            session.flush()

    def _is_rendered(self, session: Session, item: OutboxItem) -> bool:
        """Render a notice and keep the result, so that a second try sends the same words and buttons."""
        if _is_ready(item):
            return True
        name = item.content.get("response", "")
        try:
            rendered = self._responses.render(name, item.content["params"], turn=item.id)
        except Exception as error:
            log.error("notice_not_rendered", outbox_id=item.id, response=name, error=repr(error))
            item.state, item.last_error = outbox.FAILED, repr(error)[:2000]
            return False
        buttons = conversations.issue_buttons(
            session, conversation_id=item.conversation_id, buttons=rendered.buttons, lifetime=self._lifetime
        )
        content = {
            "text": rendered.text,
            "buttons": buttons,
            "request_contact": rendered.request_contact,
            "image": rendered.image,
        }
        picture = item.content["params"].get(outbox.PICTURE)
        if picture:
            content[outbox.PICTURE] = picture
        if picture or item.kind == privacy.EXPORT:
            content[DOCUMENT_KEY] = secrets.token_hex(16)
        item.content = {**item.content, "rendered": content}
        return True

    def _outgoing(self, session: Session, item: OutboxItem, conversation: Conversation) -> Outgoing | None:
        if conversation.channel not in self._channels:
            self._unserved.add(conversation.id)
            return None
        content: dict[str, Any] = item.content.get("rendered", item.content)
        words = staff_words.of_row(session, item)
        previous = conversations.latest_message(session, conversation_id=conversation.id, author=BOT)
        return Outgoing(
            outbox_id=item.id,
            conversation_id=conversation.id,
            channel=conversation.channel,
            chat_id=topic_address(conversation.chat_id, item.content.get(THREAD)),
            priority=item.priority,
            correlation_id=item.correlation_id,
            text=content.get("text") or "",
            buttons=tuple(content.get("buttons") or ()),
            request_contact=bool(content.get("request_contact")),
            image=content.get("image") or "",
            parts_sent=item.parts_sent,
            keyboard_is_open=bool(previous and previous.extra.get(KEYBOARD_OPEN)),
            export_of=item.content["customer_id"] if item.kind == privacy.EXPORT else None,
            picture=content.get(outbox.PICTURE),
            document_key=content.get(DOCUMENT_KEY) or "",
            files=words.files,
            reply_to=str(item.content.get(REPLY_TO) or ""),
            edits=words.edits,
            is_caption=words.is_caption,
            speaker=item.speaker,
            line_id=words.line_id,
        )


def _is_ready(item: OutboxItem) -> bool:
    """Whether the words stand there already."""
    return item.kind in (outbox.MESSAGE, outbox.EDIT) or "rendered" in item.content


def closes_keyboard(outgoing: Outgoing) -> bool:
    """Whether this message takes the contact button of an earlier one away."""
    return outgoing.keyboard_is_open and not outgoing.request_contact and not outgoing.buttons


def _document_extra(outgoing: Outgoing, document: Document | None, *, stays: bool) -> dict[str, Any]:
    if document is None:
        return {}
    extra: dict[str, Any] = {"file_name": document.file_name, "size": len(document.content)}
    if stays:
        extra["kind"] = document.kind
        extra["path"] = kept_place(outgoing.channel, outgoing.chat_id, document)
    return {DOCUMENT: extra}


def _extra(outgoing: Outgoing) -> dict[str, Any]:
    is_open = outgoing.request_contact or (outgoing.keyboard_is_open and not closes_keyboard(outgoing))
    extra = {"buttons": list(outgoing.buttons), "image": outgoing.image, KEYBOARD_OPEN: is_open}
    return {name: value for name, value in extra.items() if value}
