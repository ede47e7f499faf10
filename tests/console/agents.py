"""Agents at the console, and customers who wait for one."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientWebSocketResponse, FormData
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.business import EXAMPLE
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.handoff import waiting
from crm_store.handoff.models import CannedReply, Handoff
from crm_store.rules import Rules
from crm_store.staff import service as staff
from crm_store.staff.models import StaffMember
from tests.console.browser import ANSWER_SECONDS
from tests.console.staff import PIXEL, StaffBrowser, form_token
from tests.factories import RULES, a_conversation, an_inbox_id

PASSWORD = "a-password-to-remember"


def an_agent(
    session: Session,
    *,
    login: str = "negar",
    name: str = "نگار",
    role: str = "agent",
    presence: str = "online",
) -> StaffMember:
    """A member of staff who can log in with `PASSWORD`, and is there."""
    member = StaffMember(login=login, name=name, role=role, presence=presence, presence_at=utcnow())
    session.add(member)
    session.flush()
    staff.set_password(session, login=login, password=PASSWORD)
    return member


def who_waits(
    session: Session,
    *,
    name: str = "مریم رضایی",
    topic: str = "سفارشم سه روز دیر کرده است",
    channel: str = "telegram",
    chat_id: str | None = None,
    minutes: float = 2.0,
    rules: Rules = RULES,
) -> Handoff:
    """A customer who has told the bot something and waits for a person."""
    conversation = a_conversation(session, channel=channel, chat_id=chat_id)
    assert conversation.identity is not None
    session.get_one(Customer, conversation.identity.customer_id).full_name = name
    says(session, conversation, topic)
    bot_says(session, conversation, "متوجه نشدم؛ می‌خواهید با یک <b>همکار</b> صحبت کنید؟")
    asked = says(session, conversation, "بله، با آدم صحبت می‌کنم")
    return waiting.request(
        session,
        conversation_id=conversation.id,
        reason="asked",
        topic=topic,
        inbox_id=asked,
        rules=rules,
        now=utcnow() - timedelta(minutes=minutes),
    )


def says(session: Session, conversation: Conversation, text: str) -> int:
    """A message of the customer's; returns its row in the inbox."""
    inbox_id = an_inbox_id(session, conversation, text=text)
    conversations.add_message(
        session, conversation_id=conversation.id, author="customer", text=text, inbox_id=inbox_id
    )
    return inbox_id


def bot_says(session: Session, conversation: Conversation, text: str) -> None:
    """A message of the bot's, rich text."""
    conversations.add_message(session, conversation_id=conversation.id, author="bot", text=text)


def sends_photo(
    session: Session, folder: Path, conversation: Conversation, *, content: bytes = PIXEL, text: str = ""
) -> int:
    """A photo of the customer's, kept below the attachments folder; returns the attachment."""
    inbox_id = an_inbox_id(session, conversation, text=text)
    conversations.add_message(
        session, conversation_id=conversation.id, author="customer", text=text, inbox_id=inbox_id
    )
    attachment = conversations.add_attachment(
        session,
        conversation_id=conversation.id,
        inbox_id=inbox_id,
        kind="photo",
        mime_type="image/png",
        size=len(content),
        file_name="photo.png",
        path=f"2026/11/{inbox_id}.png",
    )
    file = folder / attachment.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return attachment.id


def a_canned_reply(
    session: Session, *, shortcut: str = "/سلام", title: str = "سلام و معرفی", text: str = ""
) -> CannedReply:
    """A reply that is kept ready."""
    words = text or "سلام {name}، من {agent} هستم از {business}."
    reply = CannedReply(shortcut=shortcut, title=title, text=words)
    session.add(reply)
    session.flush()
    return reply


class LiveSocket:
    """An open page's side of the console's socket.

    Args:
        socket: it.
    """

    def __init__(self, socket: ClientWebSocketResponse[bool]) -> None:
        self.socket = socket
        self._unread: list[dict[str, Any]] = []

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send a frame, or anything else."""
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def do(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Do something; returns the acknowledgement or the refusal."""
        key = fields.pop("key", None) or str(uuid.uuid4())
        await self.send({"type": kind, "key": key, **fields})
        return await self._first(
            lambda frame: frame["type"] in ("ack", "error") and frame.get("key") in (key, None)
        )

    async def next(self, kind: str) -> dict[str, Any]:
        """The first frame of a type that was not read yet; others stay for later."""
        return await self.next_of(kind)

    async def next_of(self, *kinds: str) -> dict[str, Any]:
        """The first frame of one of these types."""
        return await self._first(lambda frame: frame["type"] in kinds)

    async def _first(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for frame in self._unread:
            if is_wanted(frame):
                self._unread.remove(frame)
                return frame
        while True:
            frame = dict(await self.socket.receive_json(timeout=ANSWER_SECONDS))
            if is_wanted(frame):
                return frame
            self._unread.append(frame)

    async def desk(self, **expected: Any) -> dict[str, Any]:
        """The next word on how things stand that is as expected."""
        while True:
            frame = await self.next("desk")
            if all(frame[name] == value for name, value in expected.items()):
                return frame

    async def until_pong(self) -> list[dict[str, Any]]:
        """Frames that are on their way."""
        await self.send({"type": "ping"})
        await self.next("pong")
        frames, self._unread = self._unread, []
        return frames

    async def close_code(self) -> int | None:
        """The code with which the server closed, after whatever came before."""
        while not self.socket.closed:
            await self.socket.receive(timeout=ANSWER_SECONDS)
        return self.socket.close_code


async def open_live(
    browser: StaffBrowser, *, conversation: int | None = None, last_seq: int = 0, hello: bool = True
) -> LiveSocket:
    """Open the socket of a page, and say what it shows."""
    origin = str(browser.url.origin())
    socket = await browser.session.ws_connect(browser.url / "console/live", origin=origin)
    browser.sockets.append(socket)
    page = LiveSocket(socket)
    if hello:
        await page.send({"type": "hello", "conversation": conversation, "last_seq": last_seq})
        await page.next("ready")
    return page


async def a_reply_on(page: LiveSocket, handoff_id: int) -> dict[str, Any]:
    """Claim, and reply; returns the frame with the line, once the page has it."""
    await page.do("claim", handoff=handoff_id)
    sent = await page.do("reply", handoff=handoff_id, text="ساعت سه")
    while True:
        line = await page.next("line")
        if line["seq"] == sent["seq"]:
            return line


def denials(database: Database) -> list[tuple[str, str, str]]:
    """Who tried what they may not: actor, kind and number of what it was about."""
    with database.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "staff.denied").order_by(AuditEntry.id)
        )
        return [(row.actor, row.target_type, row.target_id) for row in rows]


def a_customer_waits(database: Database, **told: Any) -> tuple[int, int]:
    """Somebody who waits; returns the hand-over and the conversation."""
    with database.write() as session:
        handoff = who_waits(session, **told)
        return handoff.id, handoff.conversation_id


async def press(browser: StaffBrowser, conversation_id: int, deed: str, **fields: object) -> ClientResponse:
    """Send one of the forms of a conversation's page."""
    token = form_token(await browser.page("/console/inbox"))
    sent = {"token": token, **{name: str(value) for name, value in fields.items()}}
    return await browser.post(f"/console/inbox/{conversation_id}/{deed}", sent)


async def say(
    browser: StaffBrowser,
    conversation_id: int,
    *,
    files: list[tuple[str, bytes, str]] | None = None,
    token: str | None = None,
    **fields: object,
) -> ClientResponse:
    """Send the composer's form, and read the answer to its end."""
    form = FormData(quote_fields=False, default_to_multipart=True)
    form.add_field("token", token or form_token(await browser.page("/console/inbox")))
    for name, value in {"key": uuid.uuid4(), "to": "customer", **fields}.items():
        form.add_field(name, str(value))
    for name, content, mime_type in files or []:
        form.add_field("files", content, filename=name, content_type=mime_type)
    response = await browser.session.post(
        browser.url / f"console/inbox/{conversation_id}/say",
        data=form,
        headers={"Origin": str(browser.url.origin())},
        allow_redirects=False,
    )
    await response.read()
    return response


def set_in_business(folder: Path, section: str, line: str) -> None:
    """Write the business file with a setting changed.

    Args:
        section: such as ``staff``.
        line: such as ``asks_reason = true``.
    """
    text = EXAMPLE.read_text(encoding="utf-8")
    name = line.partition(" ")[0]
    header, before, after = f"[{section}]\n", *text.partition(f"[{section}]\n")[::2]
    own, rest = re.split(r"(?m)^(?=\[)|\Z", after, maxsplit=1) if after else ("", "")
    own = re.sub(rf"(?m)^{name} = .*\n", "", own)
    changed = f"{before}\n{header}{line}\n{own}{rest}"
    (folder / "business.toml").write_text(changed.replace("کسب‌وکار ما", "فروشگاه آفتاب"), encoding="utf-8")
