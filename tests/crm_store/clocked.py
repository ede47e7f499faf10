"""What the tests of the clocks stand on: rules with known hours, a ticket, members of staff with a chat."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.business import EXAMPLE, Calendar, Sla, SlaPolicy, read_business
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of, open_conversation
from crm_store.drafts import Draft
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffAccount, StaffMember
from crm_store.tickets.models import COMPLAINT
from tests.factories import a_conversation

_numbers = itertools.count(1)
GROUP = ("telegram", "-100200300")

POLICY = SlaPolicy(
    name="urgent", priorities=("urgent",), first_response=60, next_response=120, resolution=480
)
SLOWER = SlaPolicy(name="others", first_response=120, next_response=240, resolution=1440)
PROMISED = Sla(policies=(POLICY, SLOWER))


def rules_with(*, sla: Sla = PROMISED, calendar: Calendar | None = None, **changes: Any) -> Rules:
    """The rules of a business that works from 9 to 17, on Thursday until 13, unless told otherwise."""
    business = read_business(EXAMPLE)
    hours = business.calendar if calendar is None else calendar
    changed = msgspec.structs.replace(business, sla=sla, calendar=hours, **changes)
    return Rules(changed, groups=(GROUP,))


def a_ticket(session: Session, *, assignee: StaffMember | None = None) -> Complaint:
    """A complaint that has no clocks yet."""
    conversation = a_conversation(session)
    draft = Draft(conversation_id=conversation.id, kind="complaint", state="submitted")
    session.add(draft)
    session.flush()
    complaint = Complaint(
        code=f"{next(_numbers):08}",
        customer_id=customer_of(conversation),
        conversation_id=conversation.id,
        draft_id=draft.id,
        category="delivery",
        description="پیک نیامد",
        assignee_id=assignee.id if assignee else None,
    )
    session.add(complaint)
    session.flush()
    return complaint


def a_member(session: Session, role: str, *, linked: bool = True) -> StaffMember:
    """A member of staff, with a chat of their own if they are linked."""
    member = StaffMember(name=role, role=role)
    session.add(member)
    session.flush()
    if linked:
        identity_id = a_conversation(session).identity_id
        assert identity_id is not None
        session.add(StaffAccount(identity_id=identity_id, staff_id=member.id))
        session.flush()
    return member


def a_group(session: Session) -> Conversation:
    """The staff group that the bot was added to."""
    return open_conversation(session, channel=GROUP[0], chat_id=GROUP[1], identity=None)


def the(ticket: Complaint) -> dict[str, Any]:
    """Names a ticket to the services of the clocks."""
    return {"subject_type": COMPLAINT, "subject_id": ticket.id}


def begin(
    session: Session, ticket: Complaint, rules: Rules, now: datetime, priority: str = "urgent"
) -> dict[str, SlaClock]:
    """Start a ticket's clocks; by metric."""
    begun = clocks.start(session, rules=rules, **the(ticket), priority=priority, now=now)
    return {clock.metric: clock for clock in begun}


def clocks_of(session: Session, ticket: Complaint) -> list[SlaClock]:
    """All clocks of a ticket, in order."""
    return list(
        session.scalars(select(SlaClock).where(SlaClock.subject_id == ticket.id).order_by(SlaClock.id))
    )


def told(session: Session) -> list[tuple[str, int]]:
    """Every notice so far: its response and the conversation that gets it, in order."""
    rows = session.scalars(select(OutboxItem).order_by(OutboxItem.id))
    return [(row.content["response"], row.conversation_id) for row in rows]


def chat_of(session: Session, member: StaffMember) -> int:
    """The conversation of a linked member of staff."""
    return session.scalars(
        select(Conversation.id)
        .join(StaffAccount, StaffAccount.identity_id == Conversation.identity_id)
        .where(StaffAccount.staff_id == member.id)
    ).one()


def noted(session: Session, ticket: Complaint) -> list[tuple[str, dict[str, Any]]]:
    """What the timeline says of a ticket's clocks, in order."""
    rows = session.scalars(
        select(Activity)
        .where(Activity.subject_id == ticket.id, Activity.kind.like("sla.%"))
        .order_by(Activity.id)
    )
    return [(row.kind, row.data) for row in rows if row.actor == "system"]
