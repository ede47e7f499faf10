"""What the store holds about a customer, in the shape in which scripts expect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Conversation
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer
from crm_store.drafts import OPEN, Draft
from crm_store.handoff.models import CallbackRequest
from crm_store.privacy.models import Consent

PROFILE = ("full_name", "birthday", "address", "preferred_channel", "preferred_time")


class HeldComplaint(msgspec.Struct, frozen=True):
    """A filed complaint; empty means that the customer told none.

    Attributes:
        phone: E.164, the one to call about it.
        attachments: number of files.
    """

    category: str
    order_number: str = ""
    remedy: str = ""
    phone: str = ""
    phone_proven: bool = False
    attachments: int = 0
    description: str = ""
    code: str = ""


class Held(msgspec.Struct, frozen=True):
    """Everything that a script may ask about.

    Attributes:
        callbacks: phone of each call that is still to be made.
        consents: decisions about advertising, oldest first.
        profile: fields that are not empty.
    """

    complaints: list[HeldComplaint] = []
    open_drafts: int = 0
    callbacks: list[str] = []
    consents: list[bool] = []
    profile: dict[str, str] = {}


def held_of(session: Session, *, channel: str, chat_id: str) -> Held:
    """Read what the store holds about the customer of a chat.

    Raises:
        AssertionError: a call was promised for a time that is over already.
    """
    identity = session.scalar(
        select(ChannelIdentity).where(
            ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id
        )
    )
    if identity is None:
        return Held()
    drafts = select(func.count()).select_from(Draft).join(Conversation).where(Draft.state == OPEN)
    return Held(
        complaints=_complaints(session, identity.customer_id),
        open_drafts=session.scalar(
            drafts.where(Conversation.channel == channel, Conversation.chat_id == chat_id)
        )
        or 0,
        callbacks=_callbacks(session, identity.customer_id),
        consents=list(
            session.scalars(
                select(Consent.granted)
                .where(Consent.customer_id == identity.customer_id)
                .order_by(Consent.id)
            )
        ),
        profile=_profile(session.get_one(Customer, identity.customer_id)),
    )


def _complaints(session: Session, customer_id: int) -> list[HeldComplaint]:
    files = (
        select(func.count())
        .where(Attachment.complaint_id == Complaint.id)
        .correlate(Complaint)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Complaint, ContactPoint, files)
        .outerjoin(ContactPoint, Complaint.contact_point_id == ContactPoint.id)
        .where(Complaint.customer_id == customer_id)
        .order_by(Complaint.id)
    )
    return [
        HeldComplaint(
            category=complaint.category,
            order_number=complaint.order_number,
            remedy=complaint.remedy,
            phone=point.value if point else "",
            phone_proven=point is not None and point.proven_at is not None,
            attachments=count,
            description=complaint.description,
            code=complaint.code,
        )
        for complaint, point, count in rows
    ]


def _callbacks(session: Session, customer_id: int) -> list[str]:
    rows = session.execute(
        select(CallbackRequest, ContactPoint.value)
        .join(ContactPoint, CallbackRequest.contact_point_id == ContactPoint.id)
        .where(CallbackRequest.customer_id == customer_id, CallbackRequest.state == "open")
        .order_by(CallbackRequest.id)
    ).all()
    for request, _phone in rows:
        assert request.due_at is not None, "a call was promised without a time"
        assert request.due_at > utcnow(), "a call was promised for a time that is over"
    return [phone for _request, phone in rows]


def _profile(customer: Customer) -> dict[str, str]:
    values = {name: getattr(customer, name) for name in PROFILE}
    return {name: str(value) for name, value in values.items() if value}


def expected_of(expected: Mapping[str, Any], *, chat: str, own_phone: str) -> Held:
    """What a script expects of one of its chats; what it does not name must not be there.

    Args:
        expected: its ``store``; entries without ``chat`` are about chat ``a``.
        own_phone: what ``own`` stands for.
    """

    def mine(name: str) -> list[dict[str, Any]]:
        entries = [dict(entry) for entry in expected.get(name, [])]
        found = [entry for entry in entries if entry.pop("chat", "a") == chat]
        for entry in found:
            entry["phone"] = {"own": own_phone}.get(entry.get("phone", ""), entry.get("phone", ""))
        return found

    complaints = [
        {key: value for key, value in entry.items() if not key.startswith("description_")}
        for entry in mine("complaints")
    ]
    return Held(
        complaints=[msgspec.convert(entry, HeldComplaint) for entry in complaints],
        open_drafts=sum(int(entry.get("count", 1)) for entry in mine("open_drafts")),
        callbacks=[str(entry["phone"]) for entry in mine("callbacks")],
        consents=[bool(entry["granted"]) for entry in mine("consents")],
        profile={
            key: str(value) for entry in mine("profile") for key, value in entry.items() if key != "phone"
        },
    )


def without_words(held: Held) -> Held:
    """The same without stories and codes, which are compared on their own."""
    bare = [msgspec.structs.replace(one, description="", code="") for one in held.complaints]
    return msgspec.structs.replace(held, complaints=bare)
