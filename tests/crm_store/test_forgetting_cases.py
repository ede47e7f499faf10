"""Cases that the services themselves followed: of whatever they wrote nothing is left."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import inbox, outbox
from crm_store.base import Base, utcnow
from crm_store.complaints import following, resolution, working
from crm_store.complaints.compensation import Offer
from crm_store.complaints.models import Complaint
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.inbox import InboxItem
from crm_store.outbox import OutboxItem
from crm_store.privacy import erasure
from crm_store.privacy.service import request_erasure
from crm_store.rules import Rules
from crm_store.service_requests import following as visits_followed
from crm_store.service_requests import visits
from crm_store.service_requests import working as visits_worked
from crm_store.service_requests.booking import free_slots
from crm_store.staff.models import StaffAccount, StaffMember
from tests.factories import a_complaint, a_conversation, an_inbox_id, services

RULES = services.rules_with()
#: What was said, each where it was said.
SAID = {
    what: f"{what} یگانه‌ای که جای دیگری نیست"
    for what in (
        *("story", "question", "answer", "note", "remark", "reason", "finding"),
        *("problem", "address", "message", "outcome"),
    )
}


def traces(session: Session) -> set[tuple[str, str]]:
    """What was said, and the tables in which it is found."""
    return {
        (what, table.name)
        for table in Base.metadata.sorted_tables
        for row in session.execute(select(table)).mappings()
        for value in row.values()
        for what, words in SAID.items()
        if words in json.dumps(value, ensure_ascii=False, default=str)
    }


def chat_of(session: Session, member: StaffMember) -> Conversation:
    return session.scalars(
        select(Conversation)
        .join(StaffAccount, Conversation.identity_id == StaffAccount.identity_id)
        .where(StaffAccount.staff_id == member.id)
    ).one()


def follow_complaint(session: Session, chat: Conversation, complaint: Complaint, member: StaffMember) -> None:
    """Assigned, asked about, answered, noted, made urgent and decided with more than an agent may give."""
    by_staff: dict[str, Any] = {"actor": f"staff:{member.id}", "rules": RULES}
    by_customer: dict[str, Any] = {
        "customer_id": complaint.customer_id,
        "code": complaint.code,
        "rules": RULES,
    }
    working.assign(session, complaint, staff_id=member.id, actor="operator", rules=RULES)
    working.ask_customer(session, complaint, text=SAID["question"], **by_staff)
    for say, words in ((following.answer_question, "answer"), (following.add_note, "note")):
        say(session, **by_customer, inbox_id=an_inbox_id(session, chat), text=SAID[words])
    working.note_internally(session, complaint, text=SAID["remark"], **by_staff)
    working.set_priority(session, complaint, priority="urgent", reason=SAID["reason"], **by_staff)
    resolution.resolve(
        session,
        complaint,
        decision="upheld",
        root_cause=RULES.business.complaints.root_causes[0].key,
        explanation=SAID["finding"],
        compensation=Offer("money", 10**12),
        role="agent",
        **by_staff,
    )


def visit(session: Session, chat: Conversation, member: StaffMember, rules: Rules) -> None:
    """One visit that was made, with the technician's words in chat, and one that is still to come."""
    slot = free_slots(session, kind=services.REPAIR, rules=rules, now=utcnow())[0]
    for is_made in (True, False):
        request = services.a_request(
            session,
            rules=rules,
            conversation=chat,
            starts_at=slot.starts_at,
            now=utcnow(),
            problem=SAID["problem"],
            address=SAID["address"],
        )
        if not is_made:
            return
        visits_worked.assign(session, request, staff_id=member.id, actor="operator", rules=rules)
        said = services.by(request, session)
        visits_followed.add_note(session, **said, rules=rules, text=SAID["message"])
        chat_with_staff = chat_of(session, member)
        row = an_inbox_id(session, chat_with_staff, text=SAID["outcome"])
        conversations.add_message(
            session,
            conversation_id=chat_with_staff.id,
            author="customer",
            text=SAID["outcome"],
            inbox_id=row,
        )
        visits.finish(
            session,
            staff_id=member.id,
            code=request.code,
            inbox_id=row,
            rules=rules,
            text=SAID["outcome"],
            now=slot.starts_at + timedelta(minutes=5),
        )


def all_is_said(session: Session) -> None:
    """Every message is dealt with, and every notice is sent and stands in the transcript."""
    for item in session.query(InboxItem):
        inbox.finish(session, inbox_id=item.id)
    for notice in session.query(OutboxItem):
        notice.state = outbox.SENT
        text = json.dumps(notice.content, ensure_ascii=False)
        conversations.add_message(
            session, conversation_id=notice.conversation_id, author="bot", text=text, outbox_id=notice.id
        )


def test_nothing_of_what_the_services_wrote_is_left(database: Database) -> None:
    with database.write() as session:
        services.a_group(session)
        technician = services.a_technician(session)
        agent = services.a_technician(session, role="supervisor", name="ساناز")
        chat = a_conversation(session)
        complaint = a_complaint(session, chat, story=SAID["story"], rules=RULES)
        follow_complaint(session, chat, complaint, agent)
        visit(session, chat, technician, RULES)
        confirmed = an_inbox_id(session, chat)
        wish = request_erasure(session, conversation_id=chat.id, inbox_id=confirmed)
        all_is_said(session)
        assert {what for what, _ in traces(session)} == {*SAID}
        assert erasure.erase(session, erasure_id=wish.id, settled_for=timedelta(0))
        assert traces(session) == set()
