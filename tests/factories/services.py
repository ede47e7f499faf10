"""A business with service visits, its technicians, and requests made through the services themselves."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from crm_store.business import EXAMPLE, Calendar, Service, ServiceKind, Sla, SlaPolicy, Surveys, read_business
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import open_conversation
from crm_store.customers.service import identify
from crm_store.persian import new_tracking_code
from crm_store.rules import Rules
from crm_store.service_requests import drafting
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.service import submit
from crm_store.staff.models import StaffAccount, StaffMember
from tests.factories import a_conversation, an_inbox_id

TEHRAN = ZoneInfo("Asia/Tehran")
GROUP = ("telegram", "-100200")
WEEK = ("saturday", "sunday", "monday", "tuesday", "wednesday")
REPAIR = ServiceKind(key="repair", title="تعمیر", ask=("problem",), duration_minutes=90, capacity=2)
PICKUP = ServiceKind(key="pickup", title="بردن کالا", ask=("problem",), duration_minutes=60, capacity=3)
ADVICE = ServiceKind(key="advice", title="مشاوره", ask=("problem",), is_booked=False)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026 in Tehran, in UTC; the 22nd is Sunday, 1 Azar 1405."""
    return datetime(2026, 11, day, hour, minute, tzinfo=TEHRAN).astimezone(timezone.utc)


NOW = at(22, 8)


def rules_with(*kinds: ServiceKind, calendar: Calendar | None = None, **service: Any) -> Rules:
    """The rules of a business that comes on weekdays, 9 to 12 and 14 to 17, and on Thursday at 9."""
    windows = dict.fromkeys(WEEK, ("09:00-12:00", "14:00-17:00")) | {"thursday": ("09:00-12:00",)}
    offered = {"kinds": kinds or (REPAIR, PICKUP, ADVICE), "windows": windows, **service}
    business = msgspec.structs.replace(
        read_business(EXAMPLE),
        calendar=calendar or Calendar(hours=dict.fromkeys(WEEK, ("09:00-17:00",))),
        service=Service(**offered),
        sla=Sla(policies=(SlaPolicy("همه", first_response=60, next_response=60, resolution=600),)),
        surveys=Surveys(),  # so that the word that a visit is done asks for a grade
    )
    return Rules(business, groups=(GROUP,))


def a_draft(
    session: Session,
    conversation: Conversation,
    *,
    kind: str = "repair",
    starts_at: datetime | None = None,
    **told: str,
) -> int:
    """A draft that only has to be confirmed; returns the message that will do it."""
    where: dict[str, Any] = {"conversation_id": conversation.id}
    where["inbox_id"] = an_inbox_id(session, conversation)
    for field, value in {"kind": kind, "problem": "روشن نمی‌شود", **told}.items():
        drafting.set_draft_field(session, **where, field=field, value=value)
    if starts_at is not None:
        drafting.set_draft_field(session, **where, field="window", value=starts_at.isoformat())
    return an_inbox_id(session, conversation)


def a_request(
    session: Session,
    *,
    rules: Rules,
    conversation: Conversation | None = None,
    kind: str = "repair",
    starts_at: datetime | None = None,
    now: datetime = NOW,
    **told: str,
) -> ServiceRequest:
    """A confirmed request."""
    conversation = conversation or a_conversation(session)
    inbox_id = a_draft(session, conversation, kind=kind, starts_at=starts_at, **told)
    return submit(session, conversation_id=conversation.id, inbox_id=inbox_id, rules=rules, now=now)


def a_technician(
    session: Session,
    *,
    name: str = "رضا",
    role: str = "technician",
    skills: tuple[str, ...] = (),
    areas: tuple[str, ...] = (),
) -> StaffMember:
    """A member of staff with a linked chat account."""
    member = StaffMember(name=name, role=role, skills=list(skills), areas=list(areas))
    session.add(member)
    session.flush()
    chat = f"staff-{new_tracking_code()}"
    identity = identify(session, channel="telegram", external_id=chat, display_name=name)
    open_conversation(session, channel="telegram", chat_id=chat, identity=identity)
    session.add(StaffAccount(identity_id=identity.id, staff_id=member.id))
    session.flush()
    return member


def a_group(session: Session) -> Conversation:
    """The group of the staff that the bot was added to."""
    channel, chat_id = GROUP
    return open_conversation(session, channel=channel, chat_id=chat_id, identity=None)


def by(request: ServiceRequest, session: Session) -> dict[str, Any]:
    """What every service of a customer's takes about a request."""
    conversation = session.get_one(Conversation, request.conversation_id)
    return {
        "customer_id": request.customer_id,
        "code": request.code,
        "inbox_id": an_inbox_id(session, conversation),
    }
