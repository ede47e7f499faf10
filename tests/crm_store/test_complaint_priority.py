"""How urgent a complaint is, why, and which earlier one it belongs to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import msgspec
import pytest
import yaml

from crm_store.complaints import working
from crm_store.complaints.priority import is_weighty, order_key, raised
from crm_store.complaints.states import move
from crm_store.db import Database
from crm_store.rules import Rules
from crm_store.settings import PROJECT_ROOT
from crm_store.sla.models import MISSED, SlaClock
from crm_store.terms import terms
from crm_store.tickets.models import PRIORITIES
from tests.factories import RULES, a_complaint, a_conversation

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=timezone.utc)


def reasons_of(complaint: object) -> list[str]:
    return [one["reason"] for one in complaint.priority_reasons]  # type: ignore[attr-defined]


def with_priority(category: str, priority: str) -> Rules:
    settings = RULES.business.complaints
    categories = tuple(
        msgspec.structs.replace(one, priority=priority) if one.key == category else one
        for one in settings.categories
    )
    changed = msgspec.structs.replace(settings, categories=categories)
    return Rules(msgspec.structs.replace(RULES.business, complaints=changed))


def test_a_plain_complaint_has_its_categorys_priority(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        plain = a_complaint(session, a_conversation(session))
        staff = a_complaint(
            session, a_conversation(session), category="staff", rules=with_priority("staff", "high")
        )
        assert (plain.priority, reasons_of(plain)) == ("normal", ["category"])
        assert (staff.priority, staff.priority_reasons) == (
            "high",
            [{"reason": "category", "category": "staff"}],
        )


@pytest.mark.parametrize(
    ("signals", "priority", "reasons"),
    [
        (["danger"], "urgent", ["danger", "category"]),
        (["anger"], "high", ["category", "anger"]),
        (["urgency"], "high", ["category", "urgency"]),
        (["anger", "urgency"], "high", ["category", "urgency", "anger"]),
        (["danger", "anger"], "urgent", ["danger", "category", "anger"]),
    ],
)
def test_danger_is_urgent_and_a_heated_or_hasty_tone_raises_one_step(
    sqlite_database: Database, signals: list[str], priority: str, reasons: list[str]
) -> None:
    with sqlite_database.write() as session:
        complaint = a_complaint(session, a_conversation(session), signals=signals)
        assert (complaint.priority, reasons_of(complaint)) == (priority, reasons)


@pytest.mark.parametrize(
    ("story", "weighs"),
    [
        ("بابت این کارتان کلی خسارت دیدم", True),
        ("دستگاه آتیش‌سوزی راه انداخت!", True),
        ("دیشب همه مسموم شدیم، رفتیم اورژانس", True),
        ("zarar kardam", True),
        ("غذا سرد رسید", False),
        ("ضرری‌ها را نیاوردید", False),
        ("بستنی آب شده بود", False),
    ],
)
def test_words_of_loss_and_injury_weigh_as_whole_words(story: str, weighs: bool) -> None:
    assert is_weighty(story) == weighs


def test_each_family_of_reasons_raises_one_step_and_the_top_is_the_top(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        complaint = a_complaint(
            session, a_conversation(session), story="خسارت دیدم", signals=["anger"], category="delivery"
        )
        assert (complaint.priority, reasons_of(complaint)) == ("urgent", ["category", "anger", "weighty"])
        assert raised("urgent", steps=3) == "urgent"


def test_coming_again_about_an_order_raises_and_links_to_the_first_complaint(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        chat, other = a_conversation(session), a_conversation(session)
        a_complaint(session, other, order_number="A-1200")
        first = a_complaint(session, chat, order_number="a ۱۲۰۰")
        second = a_complaint(session, chat, order_number="A-1200")
        third = a_complaint(session, chat, order_number="A1200")
        assert (first.related_to_id, first.priority) == (None, "normal")
        assert (second.related_to_id, third.related_to_id) == (first.id, first.id)
        assert second.priority == "high"
        assert {"reason": "same_order", "code": first.code} in second.priority_reasons


def test_a_complaint_without_an_order_or_about_one_taken_back_belongs_to_none(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        first = a_complaint(session, chat, order_number="55")
        move(session, first, to="withdrawn", actor="customer", rules=RULES)
        assert a_complaint(session, chat, order_number="55").related_to_id is None
        assert a_complaint(session, chat).related_to_id is None
        assert a_complaint(session, chat).related_to_id is None
        assert order_key(" ") == ""


def test_the_third_complaint_in_thirty_days_comes_from_somebody_who_has_to_come_again(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        a_complaint(session, chat, now=NOW - timedelta(days=40))
        a_complaint(session, chat, now=NOW - timedelta(days=20))
        second = a_complaint(session, chat, now=NOW - timedelta(days=1))
        third = a_complaint(session, chat, now=NOW)
        assert "repeated" not in reasons_of(second)
        assert ("repeated" in reasons_of(third), third.priority) == (True, "high")


@pytest.mark.parametrize("how", ["breached", "missed"])
def test_a_promise_broken_in_ninety_days_is_remembered(sqlite_database: Database, how: str) -> None:
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        first = a_complaint(session, chat, now=NOW - timedelta(days=100))
        clock = session.query(SlaClock).filter_by(subject_id=first.id).first()
        assert clock is not None
        broken_at = NOW - timedelta(days=89)
        if how == "breached":
            clock.breached_at = broken_at
        else:
            clock.state, clock.stopped_at = MISSED, broken_at
        assert reasons_of(a_complaint(session, chat, now=NOW)) == ["category", "breached"]
        assert reasons_of(a_complaint(session, chat, now=NOW + timedelta(days=2))) == ["category"]


def test_who_had_to_come_back_once_is_listened_to_sooner(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        a_complaint(session, chat, now=NOW - timedelta(days=200)).reopened_count = 1
        complaint = a_complaint(session, chat, now=NOW)
        assert (complaint.priority, reasons_of(complaint)) == ("high", ["category", "reopened_before"])


def test_the_clocks_that_begin_are_those_of_the_priority(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        for signals, minutes in (([], 120), (["danger"], 30)):
            complaint = a_complaint(session, a_conversation(session), signals=signals, now=NOW)
            clocks = session.query(SlaClock).filter_by(subject_id=complaint.id, subject_type="complaint")
            assert {clock.metric: clock.target_seconds for clock in clocks}["first_response"] == minutes * 60
            assert {clock.started_at for clock in clocks} == {NOW}


def test_the_product_of_the_story_is_kept_with_the_complaint(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        complaint = a_complaint(session, a_conversation(session), product="espresso_maker")
        assert complaint.product == "espresso_maker"


def test_every_reason_has_a_name_that_the_staff_can_read(sqlite_database: Database) -> None:
    used = {"category", "danger", "urgency", "anger", "weighty", "same_order", "repeated", "breached"}
    used |= {"reopened_before", "reopened", "appealed", "staff"}
    path = PROJECT_ROOT / "data" / "complaints" / "terms.yml"
    assert set(yaml.safe_load(path.read_text(encoding="utf-8"))["priority_reasons"]) == used
    assert tuple(terms("complaints")["priorities"]) == PRIORITIES


def test_the_staff_can_correct_a_priority_and_say_why(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        complaint = a_complaint(session, a_conversation(session), signals=["anger"])
        working.set_priority(
            session, complaint, priority="low", reason="مشتری آرام شد", actor="staff:1", rules=RULES
        )
        assert complaint.priority == "low"
        assert complaint.priority_reasons[-1] == {
            "reason": "staff",
            "by": "staff:1",
            "why": "مشتری آرام شد",
        }
