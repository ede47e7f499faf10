"""A member of staff at the console, and cases for them to look at."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, CookieJar
from sqlalchemy import select
from sqlalchemy.orm import Session
from yarl import URL

from crm_store.activity import record_activity
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.handoff import service as handoff
from crm_store.handoff.models import CallbackRequest
from crm_store.persian import rich
from crm_store.staff.service import ensure_first_admin, set_password
from tests.factories import a_complaint, a_conversation, an_inbox_id

STORY = "پیک شما غذا را یخ‌زده آورد.\nسفارش ۱۲۳۴۵ بود و پولم را می‌خواهم."
#: The smallest PNG: one grey pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080000000"
    "03a7e9b550000000a49444154789c6368000000820081"
    "77cd72b60000000049454e44ae426082"
)


def a_password(database: Database) -> str:
    """A password with which ``admin`` may log in."""
    with database.write() as session:
        return ensure_first_admin(session) or set_password(session, login="admin")


class StaffBrowser:
    """A browser of a member of staff, without the browser.

    Args:
        url: address of the console.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        # By default aiohttp keeps no cookies of plain addresses such as 127.0.0.1.
        self.session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.sockets: list[ClientWebSocketResponse[bool]] = []

    async def get(self, path: str, **options: Any) -> ClientResponse:
        """Ask for a page, and read it to its end; redirects are not followed."""
        response = await self.session.get(
            self.url.join(URL(path, encoded=True)), allow_redirects=False, **options
        )
        await response.read()
        return response

    async def page(self, path: str) -> str:
        """The HTML of a page that is there."""
        response = await self.get(path)
        assert response.status == 200, response.status
        return await response.text()

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> ClientResponse:
        """Send a form as our own page does; a header given as empty is left out."""
        sent = {"Origin": str(self.url.origin()), **headers}
        response = await self.session.post(
            self.url.join(URL(path)),
            data=fields,
            headers={name: value for name, value in sent.items() if value},
            allow_redirects=False,
        )
        await response.read()
        return response

    async def log_in(self, password: str, *, login: str = "admin", **fields: str) -> ClientResponse:
        """Send the log-in form."""
        return await self.post("/console/login", {"login": login, "password": password, **fields})

    async def log_out(self) -> ClientResponse:
        """Press the button of the log-out form."""
        return await self.post(
            "/console/logout", {"token": form_token(await self.page("/console/complaints"))}
        )

    async def close(self) -> None:
        """Close the browser, with its pages."""
        for socket in self.sockets:
            await socket.close()
        await self.session.close()


def form_token(html: str) -> str:
    """The token in the log-out form of a page."""
    found = re.search(r'name="token" value="([0-9a-f]{64})"', html)
    assert found is not None
    return found.group(1)


def a_told_complaint(session: Session, *, story: str = STORY, phone: str = "09123456789") -> Complaint:
    """A complaint with everything that can be told, and what was said around it."""
    conversation = a_conversation(session)
    complaint = a_complaint(session, conversation, story=story)
    point = add_phone(session, customer_id=customer_of(conversation), phone=phone, proven=True)
    complaint.order_number, complaint.remedy, complaint.contact_point_id = "12345", "refund", point.id
    conversations.add_message(
        session,
        conversation_id=conversation.id,
        author="customer",
        text=story,
        inbox_id=complaint.source_inbox_id,
    )
    conversations.add_message(
        session,
        conversation_id=conversation.id,
        author="bot",
        text=f"شکایت شما با کد <b>{rich.value(complaint.code)}</b> ثبت شد. همکارانم زود بررسی‌اش می‌کنند.",
    )
    return complaint


def a_file(
    session: Session,
    folder: Path,
    complaint: Complaint,
    *,
    content: bytes = PIXEL,
    name: str = "photo.png",
    mime_type: str = "image/png",
    kind: str = "photo",
    path: str = "",
) -> Attachment:
    """A file that was sent with a complaint, kept below the attachments folder."""
    attachment = conversations.add_attachment(
        session,
        conversation_id=complaint.conversation_id,
        inbox_id=an_inbox_id(session, session.get_one(Conversation, complaint.conversation_id)),
        kind=kind,
        mime_type=mime_type,
        size=len(content),
        file_name=name,
        path=path or f"2026/11/{name}",
    )
    attachment.complaint_id = complaint.id
    file = folder / attachment.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return attachment


def a_callback(session: Session, *, topic: str = "گارانتی یخچال", hours: float = 2.0) -> CallbackRequest:
    """A call-back request that is promised so many hours from now."""
    conversation = a_conversation(session)
    asked = an_inbox_id(session, conversation)
    where: dict[str, Any] = {"conversation_id": conversation.id, "inbox_id": asked}
    handoff.start_callback(session, **where, topic=topic)
    handoff.set_callback_phone(session, **where, phone="09351112233")
    return handoff.request_callback(session, **where, due_at=utcnow() + timedelta(hours=hours))


def looked_at(database: Database) -> list[tuple[str, str, str]]:
    """What the audit trail says of those who looked."""
    with database.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("%.viewed")).order_by(AuditEntry.id)
        )
        return [(row.actor, row.action, row.target_id) for row in rows]


def corrected(session: Session, complaint: Complaint, *, former: str) -> None:
    """A timeline entry of a story that was edited."""
    record_activity(
        session,
        customer_id=complaint.customer_id,
        kind="complaint.description_corrected",
        subject_type="complaint",
        subject_id=complaint.id,
        data={"former": former},
    )
