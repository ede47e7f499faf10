"""A customer's card tells what is open, what was promised, what went wrong and what came of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from sqlalchemy.orm import Session

from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.conversations.models import STAFF_ONLY, Conversation
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.merging import merge
from crm_store.customers.models import ChannelIdentity, Customer, LinkConflict
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.handoff.models import ASKED, CLAIMED, ENDED, CallbackRequest, Handoff
from crm_store.overview.card import MOST_NOTES, MOST_TICKETS, card_of
from crm_store.overview.flags import FLAGS
from crm_store.overview.parts import CustomerCard
from crm_store.overview.people import days_to_birthday
from crm_store.overview.telling import card_text, lines_of
from crm_store.persian import rich
from crm_store.privacy.service import record_consent
from crm_store.rules import Rules
from crm_store.sla.models import FIRST_RESPONSE, PAUSED
from crm_store.staff.notes import add_note
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion
from crm_store.terms import terms
from tests.factories import RULES, a_conversation, a_member, an_inbox_id
from tests.factories.club import club, give
from tests.factories.person import MINA, seed
from tests.factories.purchases import a_purchase, a_return
from tests.factories.tickets import a_clock, a_complaint_row, a_request_row, a_window

NOW = datetime(2026, 11, 28, 8, 30, tzinfo=timezone.utc)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def card(session: Session, chat: Conversation, rules: Rules = RULES) -> CustomerCard:
    session.flush()
    return card_of(session, customer_id=customer_of(chat), rules=rules, now=NOW)


def plain(told: CustomerCard, *, full_phone: bool = True, rules: Rules = RULES) -> str:
    """The card in words, without what only keeps letters in order."""
    text = rich.to_plain(card_text(told, rules=rules, full_phone=full_phone, now=NOW))
    return text.replace(rich.FIRST_STRONG_ISOLATE, "").replace(rich.POP_ISOLATE, "")


def test_a_stranger_has_a_card_with_nothing_on_it(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        told = card(session, chat)
        assert (told.name, told.phones, told.tickets, told.notes) == ("سارا", [], [], [])
        assert (told.contacts, told.last_problem, told.handoff, told.flags) == ([], None, None, [])
        assert (told.value.purchases, told.points.points, told.satisfaction.last) == (0, 0, [])
        assert "شماره‌ای نداده است" in plain(told)


def test_any_record_of_a_person_leads_to_the_same_card_and_a_forgotten_one_to_none(
    database: Database,
) -> None:
    with database.write() as session:
        one, other = (customer_of(a_conversation(session)) for _ in range(2))
        merge(session, into_id=one, from_id=other, actor="operator")
        assert card_of(session, customer_id=other, rules=RULES).customer_id == one
        session.get_one(Customer, one).erased_at = NOW
        session.flush()
        for customer_id in (one, other, 4711):
            with pytest.raises(NotFound):
                card_of(session, customer_id=customer_id, rules=RULES)


def test_open_tickets_stand_in_the_order_in_which_they_press(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        late = a_complaint_row(session, chat, assignee_id=agent.id)
        a_clock(session, late, NOW - HOUR)
        soon = a_complaint_row(session, chat, priority="high")
        a_clock(session, soon, NOW + HOUR, metric=FIRST_RESPONSE)
        waits = a_complaint_row(session, chat, state="waiting_customer")
        a_clock(session, waits, NOW + HOUR, state=PAUSED)
        visit = a_request_row(session, chat, window_id=a_window(session, NOW + DAY).id)
        a_complaint_row(session, chat, state="closed")
        a_complaint_row(session)
        told = card(session, chat)
        codes = [ticket.code for ticket in told.tickets]
        assert codes[:2] == [late.code, soon.code]
        assert set(codes[2:]) == {waits.code, visit.code}
        by_code = {ticket.code: ticket for ticket in told.tickets}
        assert by_code[late.code].is_overdue
        assert by_code[late.code].assignee == agent.name
        assert by_code[soon.code].due_at == NOW + HOUR
        assert by_code[waits.code].due_at is None
        assert by_code[visit.code].visit_at == NOW + DAY
        assert told.flags == ["overdue", "many_complaints"]
        assert "مهلت حل گذشته" in plain(told)


def test_of_many_tickets_and_notes_it_says_how_many_more_there_are(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        for number in range(MOST_TICKETS + 2):
            a_complaint_row(session, chat)
            add_note(session, customer_id=customer_of(chat), staff=agent, text=f"یادداشت {number}")
        pinned = add_note(
            session, customer_id=customer_of(chat), staff=agent, text="مهم", is_pinned=True, now=NOW - DAY
        )
        told = card(session, chat)
        assert (len(told.tickets), told.tickets_more) == (MOST_TICKETS, 2)
        assert (len(told.notes), told.notes_more) == (MOST_NOTES, 3)
        assert told.notes[0].note_id == pinned.id
        assert told.notes[1].text == f"یادداشت {MOST_TICKETS + 1}"
        assert "📌 مهم (نگار" in plain(told)


def test_what_went_wrong_last_says_whether_we_apologised(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint_row(session, chat, created_at=NOW - DAY)
        told = card(session, chat).last_problem
        assert told is not None
        assert (told.kind, told.code, told.apologised, told.words) == (
            "complaint",
            complaint.code,
            False,
            "بسته نرسید",
        )
        _decide(session, complaint, "upheld", points=200)
        told = card(session, chat).last_problem
        assert told is not None
        assert (told.decision, told.remedy, told.apologised) == ("upheld", "refund", True)
        assert (told.compensation_kind, told.compensation) == ("points", 200)
        assert "عذرخواهی کردیم؛ پس‌گرفتن پول؛ جبران: ۲۰۰ امتیاز" in plain(card(session, chat))


def test_a_complaint_that_was_not_upheld_is_no_apology(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        _decide(session, a_complaint_row(session, chat), "rejected")
        told = card(session, chat)
        assert told.last_problem is not None
        assert not told.last_problem.apologised
        assert "شکایت وارد نبود" in plain(told)


def _decide(session: Session, complaint: Complaint, decision: str, points: int = 0) -> None:
    resolution = ComplaintResolution(
        complaint_id=complaint.id,
        decision=decision,
        remedy="refund" if decision != "rejected" else "",
        decided_by="operator",
        state="told",
    )
    session.add(resolution)
    session.flush()
    if points:
        session.add(
            Compensation(
                complaint_id=complaint.id,
                resolution_id=resolution.id,
                customer_id=complaint.customer_id,
                kind="points",
                amount=points,
                state="settled",
                requested_by="operator",
            )
        )


def test_a_visit_that_failed_and_a_low_grade_are_problems_too(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        a_request_row(session, chat, state="not_done", outcome="کسی نبود", updated_at=NOW - 2 * DAY)
        told = card(session, chat).last_problem
        assert told is not None
        assert (told.kind, told.words) == ("visit", "کسی نبود")
        _grade(session, customer_of(chat), "csat", 1, "دیر آمدند", follow_up=True)
        told = card(session, chat).last_problem
        assert told is not None
        assert (told.kind, told.title, told.words, told.state) == (
            "grade",
            "پس از خرید",
            "دیر آمدند",
            "open",
        )
        assert "نمرهٔ پایین در «پس از خرید»" in plain(card(session, chat))


def _grade(
    session: Session, customer_id: int, kind: str, value: int, text: str = "", *, follow_up: bool = False
) -> None:
    number = session.query(SurveyInvitation).count()
    content = {
        "title": "پس از خرید",
        "questions": [{"key": "q", "kind": "scale", "text": "؟", "low": 1, "high": 8}],
    }
    version = SurveyVersion(
        key=f"s{number}", version=1, digest=f"{number:064}", content=content, origin="file"
    )
    session.add(version)
    session.flush()
    invitation = SurveyInvitation(
        key=version.key,
        version_id=version.id,
        customer_id=customer_id,
        trigger="purchase",
        due_at=NOW,
        idempotency_key=f"grade:{number}",
    )
    session.add(invitation)
    session.flush()
    at = NOW - DAY + timedelta(minutes=number)
    session.add(
        SurveyAnswer(invitation_id=invitation.id, question="q", kind=kind, value=value, text=text, at=at)
    )
    if follow_up:
        session.add(
            SurveyFollowUp(invitation_id=invitation.id, customer_id=customer_id, due_at=NOW, created_at=NOW)
        )
    session.flush()


def test_satisfaction_has_the_newest_grades_and_the_means(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        for kind, value in (("nps", 9), ("nps", 6), ("csat", 5), ("csat", 2), ("scale", 7)):
            _grade(session, customer_of(chat), kind, value)
        told = card(session, chat).satisfaction
        assert (told.nps, told.csat) == (7.5, 3.5)
        assert [(one.kind, one.value, one.top) for one in told.last] == [
            ("scale", 7, 8),
            ("csat", 2, 5),
            ("csat", 5, 5),
        ]
        assert "میانگین ۳٫۵ از ۵" in plain(card(session, chat))


def test_value_is_what_was_bought_less_what_went_back(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        customer_id = customer_of(chat)
        a_purchase(session, customer_id=customer_id, paid_at=NOW - 400 * DAY, tomans=1_000_000)
        new = a_purchase(session, customer_id=customer_id, paid_at=NOW - DAY, tomans=500_000)
        a_return(session, new, at=NOW, tomans=200_000)
        value = card(session, chat).value
        assert (value.purchases, value.last_at) == (2, NOW - DAY)
        assert (value.rials_12_months, value.rials_all) == (3_000_000, 13_000_000)


def test_points_are_told_where_there_is_a_club(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        give(session, customer_of(chat), 120, expires_at=NOW + DAY, now=NOW - DAY)
        told = card(session, chat, club())
        assert (told.points.points, told.points.expiring_soon) == (120, 120)
        assert "امتیاز: ۱۲۰، ۱۲۰ تا رو به پایان" in plain(told, rules=club())
        assert card(session, chat).points.points == 0


def test_the_last_three_contacts_are_of_all_kinds_and_whispers_are_none(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        where = {"conversation_id": chat.id, "customer_id": customer_of(chat)}
        said = add_message(session, conversation_id=chat.id, author="customer", text="سلام، هستید؟")
        said.created_at = NOW - HOUR
        add_message(session, conversation_id=chat.id, author="bot", text="بله")
        whisper = add_message(session, conversation_id=chat.id, author="customer", text="پنهان")
        whisper.audience = STAFF_ONLY
        session.add(
            Handoff(
                **where,
                reason=ASKED,
                state=ENDED,
                owner_id=agent.id,
                claimed_at=NOW - 2 * DAY,
                ended_at=NOW - 2 * DAY,
                outcome="released",
                agreed="پول برمی‌گردد",
            )
        )
        a_request_row(
            session, chat, state="done", technician_id=agent.id, done_at=NOW - DAY, outcome="تعمیر شد"
        )
        told = card(session, chat)
        assert [(one.kind, one.staff, one.words) for one in told.contacts] == [
            ("chat", "", "سلام، هستید؟"),
            ("visit", agent.name, "تعمیر شد"),
            ("handoff", agent.name, "پول برمی‌گردد"),
        ]
        assert told.handoff is not None
        assert told.handoff.agreed == "پول برمی‌گردد"
        assert "قرار شد: پول برمی‌گردد" in plain(told)


def test_an_open_hand_over_goes_before_the_last_one_and_an_old_one_is_not_told(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        where = {"conversation_id": chat.id, "customer_id": customer_of(chat), "reason": ASKED}
        session.add(Handoff(**where, state=ENDED, ended_at=NOW - 8 * DAY))
        assert card(session, chat).handoff is None
        session.add(Handoff(**where, state=ENDED, ended_at=NOW - DAY))
        session.add(Handoff(**where, state=CLAIMED, owner_id=agent.id, claimed_at=NOW))
        told = card(session, chat).handoff
        assert told is not None
        assert (told.state, told.owner, told.since) == (CLAIMED, agent.name, NOW)


def test_calls_that_were_promised_say_whether_they_are_late(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        point = add_phone(session, customer_id=customer_of(chat), phone="09121234567")
        for number, due_at in enumerate((NOW + HOUR, NOW - HOUR), 1):
            complaint = a_complaint_row(session, chat, state="closed")
            session.add(
                CallbackRequest(
                    customer_id=customer_of(chat),
                    conversation_id=chat.id,
                    draft_id=complaint.draft_id,
                    contact_point_id=point.id,
                    topic=f"قسط {number}",
                    due_at=due_at,
                )
            )
        told = card(session, chat).callbacks
        assert [(one.topic, one.is_overdue) for one in told] == [("قسط 2", True), ("قسط 1", False)]


def test_phones_are_masked_for_who_may_not_see_them(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        add_phone(session, customer_id=customer_of(chat), phone="09121234567", proven=True)
        add_note(session, customer_id=customer_of(chat), staff=a_member(session), text="خط دوم 09121234567")
        told = card(session, chat)
        assert "۰۹۱۲ ۱۲۳ ۴۵۶۷ (تأییدشده)" in plain(told)
        assert "خط دوم 09121234567" in plain(told)
        hidden = plain(told, full_phone=False)
        assert "۰۹۱۲•••۴۵۶۷" in hidden
        assert "۱۲۳ ۴۵۶۷" not in hidden
        assert "خط دوم ۰۹۱۲•••۴۵۶۷" in hidden


def test_what_to_beware_of_is_flagged(database: Database) -> None:
    vip = msgspec.structs.replace(RULES.business.handoff, vip_tiers=("طلایی",))
    rules = Rules(msgspec.structs.replace(RULES.business, handoff=vip))
    with database.write() as session:
        chat = a_conversation(session)
        customer = session.get_one(Customer, customer_of(chat))
        customer.tier = "طلایی"
        for reasons in ([{"reason": "anger"}], [{"reason": "danger"}], []):
            a_complaint_row(session, chat, state="closed", priority_reasons=reasons, created_at=NOW - DAY)
        _grade(session, customer.id, "csat", 2)
        record_consent(
            session,
            customer_id=customer.id,
            granted=False,
            text="لغو",
            channel="telegram",
            inbox_id=an_inbox_id(session, chat),
        )
        session.add(LinkConflict(identity_id=chat.identity_id, holder_id=customer.id, phone="+98912"))
        session.get_one(ChannelIdentity, chat.identity_id).blocked_at = NOW
        told = card(session, chat, rules)
        assert told.flags == [
            "danger",
            "angry",
            "many_complaints",
            "unhappy",
            "vip",
            "disputed_phone",
            "blocked",
            "no_marketing",
        ]
    assert set(terms("overview")["flags"]) == set(FLAGS)


@pytest.mark.parametrize(
    ("birthday", "today", "days"),
    [
        (date(1990, 11, 28), date(2026, 11, 28), 0),
        (date(1990, 12, 3), date(2026, 11, 28), 5),
        (date(1990, 12, 9), date(2026, 11, 28), None),
        (date(1990, 11, 27), date(2026, 11, 28), None),
        (date(1992, 3, 20), date(2027, 3, 19), 1),
        (date(1990, 3, 21), date(2027, 3, 18), 3),
        (None, date(2026, 11, 28), None),
    ],
)
def test_a_birthday_is_told_a_week_ahead_by_the_jalali_calendar(
    birthday: date | None, today: date, days: int | None
) -> None:
    assert days_to_birthday(birthday, today) == days


def test_everything_of_a_whole_life_is_told_escaped_and_in_persian(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        session.get_one(Customer, customer_of(chat)).full_name = "<b>مینا</b> & شرکا"
        session.flush()
        lines = lines_of(card(session, chat, club()), rules=club(), full_phone=True, now=NOW)
        text = "\n".join(lines)
        assert "&lt;b&gt;مینا&lt;/b&gt; &amp; شرکا" in text
        assert MINA.agreed in text
        assert MINA.noted in text
        assert MINA.whisper not in text
        assert "None" not in text
        told = [line for line in lines if "«" not in line and MINA.order not in line]
        assert not any(digit in rich.to_plain(line) for line in told for digit in "0123456789")
