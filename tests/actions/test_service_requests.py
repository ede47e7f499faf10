"""Registered service requests: who hears of them, and how they stand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from actions.service_requests import ActionSubmitServiceRequest
from actions.status import ActionServiceStatus
from crm_store.base import utcnow
from crm_store.conversations.service import open_conversation
from crm_store.outbox import OutboxItem
from crm_store.persian import new_tracking_code, rich
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.settings import Settings
from tests.actions.conftest import STAFF_GROUP, Chat
from tests.actions.service_chat import BUSINESS, ServiceForm
from tests.factories.handoff import an_agent


@pytest.fixture(autouse=True)
def business(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(BUSINESS, encoding="utf-8")


def registered(chat: Chat, *, booked: bool = True) -> ServiceRequest:
    """A request that is registered word by word."""
    form = ServiceForm(chat)
    if booked:
        form.say("نصاب می‌خوام", intent="service_request")
        form.say("شیراز، خیابان ارم، پلاک ۸")
        form.press("skip_service_field", field="answers")
        form.press("skip_service_field", field="answers")
        form.press("choose_window", window=form.windows()[0])
    else:
        form.say("یه نفر رو بفرستید", intent="service_request")
        form.press("choose_kind", kind="other")
        form.say("می‌خوام دستگاه قدیمی رو بفروشم")
        form.say("ندارم", intent="skip")
    if chat.slots.get("service_phone") is None:
        form.say("بدون شماره")
    request = form.submit()
    assert request is not None
    chat.form, chat.slots = None, {}
    return request


def test_who_was_angry_when_asking_for_somebody_is_offered_a_call_at_the_end(chat: Chat) -> None:
    with chat.database.write() as session:
        an_agent(session, presence="offline")
    form = ServiceForm(chat)
    form.say("یه نفر رو بفرستید دیگه، اعصاب نذاشتید", intent="service_request", signals=["anger"])
    form.press("choose_kind", kind="other")
    form.say("می‌خوام دستگاه قدیمی رو بفروشم")
    form.say("ندارم", intent="skip")
    form.say("بدون شماره")
    assert form.submit() is not None
    assert form.said & {"utter_call_instead", "utter_handoff_closed"}  # within the hours, or not


def test_the_staff_group_hears_of_it_once(chat: Chat) -> None:
    with chat.database.write() as session:
        open_conversation(session, channel="telegram", chat_id=str(STAFF_GROUP), identity=None)
    request = registered(chat)
    chat.run(ActionSubmitServiceRequest(), intent="affirm", trusted=True, again=True)
    assert chat.told("utter_service_submitted")["code"]
    with chat.database.read() as session:
        notices = list(session.scalars(select(OutboxItem)))
        assert len(list(session.scalars(select(ServiceRequest)))) == 1
    assert [notice.content["response"] for notice in notices].count("utter_staff_group_service") == 1
    assert request.state == "scheduled"


def test_the_only_request_is_told_with_its_time_and_ways_to_change_it(chat: Chat) -> None:
    request = registered(chat)
    assert chat.run(ActionServiceStatus(), "تعمیرکارم کی میاد؟", intent="service_status") == {
        "utter_service_state_coming"
    }
    assert "ساعت" in chat.told("utter_service_state_coming")["when"]
    assert [button["payload"] for button in chat.buttons] == [
        f'/service_reschedule{{"ticket": "{request.code}"}}',
        f'/service_cancel{{"ticket": "{request.code}"}}',
    ]


def test_a_visit_whose_time_went_by_is_apologized_for_and_another_may_be_chosen(chat: Chat) -> None:
    request = registered(chat)
    with chat.database.write() as session:
        window = session.scalars(select(BookingWindow)).one()
        window.starts_at, window.ends_at = (utcnow() - timedelta(hours=hours) for hours in (5, 2))
    said = chat.run(ActionServiceStatus(), "تعمیرکارم نیومد", intent="service_status")
    assert said == {"utter_visit_missed"}
    assert chat.told("utter_visit_missed")["ticket"] == request.code


def test_a_request_without_a_time_tells_by_when_somebody_gets_in_touch(chat: Chat) -> None:
    registered(chat, booked=False)
    assert chat.run(ActionServiceStatus(), "درخواستم چی شد", intent="service_status") == {
        "utter_service_state_waiting"
    }


def test_several_requests_are_listed_newest_first(chat: Chat) -> None:
    first, second = registered(chat), registered(chat, booked=False)
    assert chat.run(ActionServiceStatus(), "درخواست‌های من", intent="service_status") == {"utter_service_list"}
    items = rich.to_plain(chat.told("utter_service_list")["items"])
    codes = [rich.value(int(code)) for code in (second.code, first.code)]
    places = [items.find(rich.to_plain(code)) for code in codes]
    assert -1 not in places
    assert places == sorted(places)


def test_a_request_is_told_by_its_code(chat: Chat) -> None:
    first = registered(chat)
    registered(chat, booked=False)
    assert chat.run(ActionServiceStatus(), f"کد {first.code}", intent="service_status") == {
        "utter_service_state_coming"
    }


def test_somebody_elses_code_looks_like_one_that_does_not_exist(chat: Chat, stranger: Chat) -> None:
    theirs = registered(chat).code
    for code in (theirs, new_tracking_code()):
        said = stranger.run(ActionServiceStatus(), f"کد {code} چی شد", intent="service_status")
        assert said == {"utter_service_not_found"}


def test_whoever_has_asked_for_nobody_is_told_so(chat: Chat) -> None:
    assert chat.run(ActionServiceStatus(), "درخواستم چی شد", intent="service_status") == {"utter_no_services"}


def test_a_request_that_is_half_told_is_called_to_mind(chat: Chat) -> None:
    ServiceForm(chat).say("نصاب می‌خوام", intent="service_request")
    chat.form = None
    assert chat.run(ActionServiceStatus(), "درخواستم چی شد", intent="service_status") == {
        "utter_service_waits"
    }
