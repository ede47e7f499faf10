"""What stands behind the staff in chat: who is in mind, PINs, points, callers, raised tickets, names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.handoff import PointLimits, StaffRules
from crm_store.complaints.models import Complaint
from crm_store.conversations.reaching import PHONE_CHANNEL, chat_to_tell
from crm_store.conversations.service import customer_of
from crm_store.customers.linking import link_by_proof
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import InvalidInput, NotAllowed
from crm_store.loyalty.models import LedgerPosting
from crm_store.rules import Rules
from crm_store.staff import focus as focuses
from crm_store.staff import pin
from crm_store.staff.colleagues import candidates, freest_of, named_in, team_in
from crm_store.staff.models import StaffAccount, StaffMember
from crm_store.staff.points import adjust_points, room_of
from crm_store.staff.registering import caller, register_complaint, register_purchase
from crm_store.tickets.escalating import escalate
from crm_store.tickets.models import COMPLAINT
from tests.factories import RULES, a_complaint, a_conversation, a_member, an_inbox_id
from tests.factories.notices import told

PHONE = "+989121112233"
STORY = {"description": "بسته نرسیده است", "category": "delivery"}


def rules_of_staff(**changes: Any) -> Rules:
    """The rules of a business that keeps its staff to this."""
    staff = msgspec.structs.replace(StaffRules(), **changes)
    return Rules(msgspec.structs.replace(RULES.business, staff=staff))


def account_of(session: Session, member: StaffMember) -> StaffAccount:
    return session.scalars(select(StaffAccount).where(StaffAccount.staff_id == member.id)).one()


def test_a_message_that_runs_again_finds_everything_as_it_stood(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_conversation(session), customer_of(a_conversation(session))
        member = a_member(session, chat=chat)
        focus = focuses.focus_of(session, conversation_id=chat.id, staff_id=member.id)
        focuses.begin_turn(focus, key="1#1")
        focuses.keep(focus, "task", {"step": "first"})
        focuses.begin_turn(focus, key="2#1")
        focuses.turn_to(focus, customer_id=customer, ticket="12345678")
        focuses.keep(focus, "task", None)
    with database.write() as session:
        focus = focuses.focus_of(session, conversation_id=chat.id, staff_id=member.id)
        assert (focus.customer_id, focus.data["ticket"]) == (customer, "12345678")
        focuses.begin_turn(focus, key="2#1")
        assert (focus.customer_id, focus.data["task"]) == (None, {"step": "first"})


def test_what_was_in_mind_is_forgotten_in_time_and_by_another_member(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_conversation(session), customer_of(a_conversation(session))
        member, other = a_member(session, chat=chat), a_member(session)
        where = {"conversation_id": chat.id}
        focuses.turn_to(focuses.focus_of(session, **where, staff_id=member.id), customer_id=customer)
        assert focuses.focus_of(session, **where, staff_id=member.id).customer_id == customer
        later = utcnow() + focuses.HELD_FOR + timedelta(minutes=1)
        assert focuses.focus_of(session, **where, staff_id=member.id, now=later).customer_id is None
        focuses.turn_to(focuses.focus_of(session, **where, staff_id=member.id), customer_id=customer)
        assert focuses.focus_of(session, **where, staff_id=other.id).customer_id is None


def test_somebody_who_was_forgotten_is_in_nobodys_mind(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_conversation(session), customer_of(a_conversation(session))
        member = a_member(session, chat=chat)
        focus = focuses.focus_of(session, conversation_id=chat.id, staff_id=member.id)
        focuses.turn_to(focus, customer_id=customer)
        session.get_one(Customer, customer).erased_at = utcnow()
        found = focuses.focus_of(session, conversation_id=chat.id, staff_id=member.id)
        assert found.customer_id is None


def test_the_pin_comes_after_a_pause_and_locks_after_five_wrong_ones(database: Database) -> None:
    rules = rules_of_staff(pin_after_minutes=30)
    with database.write() as session:
        member = a_member(session, chat=a_conversation(session))
        made = pin.make_pin(session, staff_id=member.id)
        account = account_of(session, member)
        late = utcnow() + timedelta(minutes=31)
        assert pin.gate(account, member, rules=rules) == pin.FREE
        assert pin.gate(account, member, rules=rules, now=late) == pin.ASK
        assert pin.gate(account, member, rules=RULES, now=late) == pin.FREE
        assert pin.try_pin(session, account, text=f" {made} ", now=late)
        assert pin.gate(account, member, rules=rules, now=late) == pin.FREE
        for _ in range(pin.TRIES):
            assert not pin.try_pin(session, account, text="000")
        assert not pin.try_pin(session, account, text=made)
        assert pin.gate(account, member, rules=RULES) == pin.LOCKED
        pin.drop_pin(session, staff_id=member.id)
        assert pin.gate(account, member, rules=rules, now=late) == pin.CHOOSE
        assert pin.gate(account, member, rules=rules, now=late + timedelta(hours=1)) == pin.MISSING


@pytest.mark.parametrize("text", ["123", "123456789", "۱۱۱۱", "abcd", "12 34"])
def test_not_everything_is_a_pin(sqlite_database: Database, text: str) -> None:
    with sqlite_database.write() as session:
        member = a_member(session, chat=a_conversation(session))
        with pytest.raises(InvalidInput):
            pin.choose_pin(session, account_of(session, member), text=text)


def test_points_are_limited_in_one_go_and_in_a_month_and_given_once(database: Database) -> None:
    rules = rules_of_staff(points={"agent": PointLimits(each=100, monthly=150)})
    with database.write() as session:
        member, chat = a_member(session), a_conversation(session)
        desk = a_conversation(session)

        def give(points: int, inbox_id: int | None = None) -> LedgerPosting:
            return adjust_points(
                session,
                customer_id=customer_of(chat),
                points=points,
                reason="جبران",
                staff=member,
                inbox_id=inbox_id or an_inbox_id(session, desk),
                rules=rules,
            )

        with pytest.raises(NotAllowed):
            give(101)
        message = an_inbox_id(session, desk)
        assert give(100, message).id == give(100, message).id
        assert room_of(session, staff=member, rules=rules) == (100, 50)
        with pytest.raises(NotAllowed):
            give(51)
        give(-60)
        give(50)
        assert room_of(session, staff=member, rules=rules).left == 0
        assert room_of(session, staff=a_member(session, role="technician"), rules=rules) == (0, 0)


def test_a_caller_is_one_record_and_joins_the_chat_that_proves_the_number(database: Database) -> None:
    with database.write() as session:
        member, desk = a_member(session), a_conversation(session)
        first = caller(session, phone="0912 111 2233", name="کمال نیک‌پور", staff=member)
        assert caller(session, phone=PHONE, name="", staff=member).id == first.id
        where: dict[str, Any] = {"staff": member, "inbox_id": an_inbox_id(session, desk), "rules": RULES}
        made = register_complaint(session, customer_id=first.id, told=STORY, **where)
        assert register_complaint(session, customer_id=first.id, told=STORY, **where).id == made.id
        own = {"conversation_id": made.conversation_id}
        assert chat_to_tell(session, **own, customer_id=first.id) is None
        chat = a_conversation(session)
        assert chat.identity_id is not None
        link_by_proof(session, identity_id=chat.identity_id, phone=PHONE)
        session.refresh(made)
        assert made.customer_id == customer_of(chat)
        assert chat_to_tell(session, **own, customer_id=made.customer_id) == chat.id
        assert session.scalar(select(func.count()).select_from(Complaint)) == 1


def test_a_caller_with_a_chat_hears_of_it_there(database: Database) -> None:
    with database.write() as session:
        member, desk, chat = a_member(session), a_conversation(session), a_conversation(session)
        where: dict[str, Any] = {"staff": member, "inbox_id": an_inbox_id(session, desk), "rules": RULES}
        made = register_complaint(session, customer_id=customer_of(chat), told=STORY, **where)
        assert made.conversation_id == chat.id
        assert chat.channel != PHONE_CHANNEL
        with pytest.raises(InvalidInput):
            register_complaint(session, customer_id=customer_of(chat), told={"category": "delivery"}, **where)


def test_a_purchase_without_a_number_gets_one_and_counts_once(database: Database) -> None:
    with database.write() as session:
        member, desk = a_member(session), a_conversation(session)
        customer = caller(session, phone=PHONE, name="کمال نیک‌پور", staff=member)
        where: dict[str, Any] = {"staff": member, "inbox_id": an_inbox_id(session, desk), "rules": RULES}
        about: dict[str, Any] = {"customer_id": customer.id, "order_id": "", "amount_rials": 5_000_000}
        first = register_purchase(session, **about, **where)
        assert (
            register_purchase(session, **about, **where, now=utcnow() + timedelta(minutes=1)).id == first.id
        )
        assert (first.customer_id, first.source) == (customer.id, "staff")


def test_a_ticket_is_raised_one_step_and_those_above_are_told_once(database: Database) -> None:
    with database.write() as session:
        head_chat, desk = a_conversation(session), a_conversation(session)
        a_member(session, role="supervisor", chat=head_chat)
        member, complaint = a_member(session), a_complaint(session, a_conversation(session))
        before, message = complaint.priority, an_inbox_id(session, desk)
        for _ in range(2):
            where: dict[str, Any] = {"staff": member, "inbox_id": message, "rules": RULES}
            escalate(session, complaint, reason="مشتری بسیار ناراضی است", **where)
        assert (before, complaint.priority) == ("normal", "high")
        assert told(session, head_chat.id) == ["utter_staff_escalated_to_you"]
        with pytest.raises(InvalidInput):
            escalate(session, complaint, reason=" ", staff=member, inbox_id=message, rules=RULES)


def test_colleagues_are_named_however_they_are_spelt(database: Database) -> None:
    handoff = msgspec.structs.replace(RULES.business.handoff, teams=("حسابداری", "فنی"))
    rules = Rules(msgspec.structs.replace(RULES.business, handoff=handoff))
    with database.write() as session:
        reza, mina, javad = (
            StaffMember(name="رضا توکلی", role="agent", team="فنی"),
            StaffMember(name="مینا توکلی", role="supervisor", team="فنی"),
            StaffMember(name="جواد ملکی", role="technician"),
        )
        session.add_all([reza, mina, javad])
        session.flush()
        desk = candidates(session, subject_type=COMPLAINT)
        assert {one.id for one in desk} == {reza.id, mina.id}
        assert [one.id for one in named_in("بده به رضا توکولی", desk)] == [reza.id]
        assert {one.id for one in named_in("تيكت رو بده توكلي", desk)} == {reza.id, mina.id}
        assert named_in("بده به جواد", desk) == []
        assert candidates(session, subject_type="service_request")[0].id == javad.id
        assert team_in("بنداز رو واحد فنی", rules) == "فنی"
        assert team_in("حسابداری یا فنی", rules) == ""
        complaint = a_complaint(session, a_conversation(session))
        complaint.assignee_id = reza.id
        session.flush()
        freest = freest_of(session, team="فنی", subject_type=COMPLAINT, among=desk)
        assert freest is not None
        assert freest.id == mina.id
