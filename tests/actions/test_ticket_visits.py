"""What customers do with visits that are agreed, turn by turn: cancelling them and moving them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.base import environment
from crm_store.activity import Activity
from crm_store.base import utcnow
from crm_store.service_requests.booking import book
from crm_store.service_requests.models import ServiceRequest
from crm_store.settings import Settings
from tests.actions.conftest import Chat
from tests.actions.service_chat import EVENING, at, in_days
from tests.actions.ticket_chat import LEFT, TICKET_BUSINESS, TicketChat

CANCEL: dict[str, Any] = {"intent": "service_cancel"}
MOVE: dict[str, Any] = {"intent": "service_reschedule"}


@pytest.fixture
def tickets(chat: Chat, settings: Settings) -> TicketChat:
    Path(settings.business_path).write_text(TICKET_BUSINESS, encoding="utf-8")
    return TicketChat(chat)


def events(tickets: TicketChat, kind: str) -> int:
    """How often something happened."""
    with tickets.chat.database.read() as session:
        counted = select(func.count()).select_from(Activity).where(Activity.kind == kind)
        return session.scalar(counted) or 0


def on_thursday(days: int = 4) -> dict[str, list[Any]]:
    """«پنجشنبه عصر», so many days from now, with its place in the text."""
    return {"date": [(in_days(days).isoformat(), "پنجشنبه")], "time": [(EVENING, "عصر")]}


# Cancelling a visit


def test_a_visit_is_cancelled_with_the_reason_that_was_told(tickets: TicketChat) -> None:
    code = tickets.visit()
    text = "لغوش کنید خودمون درستش کردیم"
    assert tickets.say(text, **CANCEL) == ["utter_request_cancelled"]
    request = tickets.read_request(code)
    assert (request.state, request.reason) == ("cancelled", "solved")
    assert request.window is not None
    assert request.window.booked == 0


def test_the_reason_for_cancelling_is_asked_with_buttons(tickets: TicketChat) -> None:
    code = tickets.visit()
    assert tickets.say("درخواستم رو لغو کنید", **CANCEL) == ["utter_ask_cancel_reason"]
    assert tickets.choices() == ["solved", "time", "price", "elsewhere", "other"]
    assert tickets.press("choose_reason", reason="price") == ["utter_request_cancelled"]
    assert tickets.read_request(code).reason == "price"


@pytest.mark.parametrize(
    ("text", "intent", "reason"),
    [
        ("هزینه‌اش زیاده", "nlu_fallback", "price"),
        ("به یکی دیگه سپردم", "nlu_fallback", "elsewhere"),
        ("مهمون دارم این هفته", "out_of_scope", "other"),
        ("لغوش کن دیگه", "service_cancel", "other"),
        ("لغو", "cancel", "other"),
        ("منصرف شدم", "nlu_fallback", "other"),
        ("اون ساعت خونه نیستم", "service_reschedule", "time"),
    ],
)
def test_the_reason_for_cancelling_may_be_typed(
    tickets: TicketChat, text: str, intent: str, reason: str
) -> None:
    code = tickets.visit()
    tickets.say("درخواستم رو لغو کنید", **CANCEL)
    assert tickets.say(text, intent=intent) == ["utter_request_cancelled"]
    assert tickets.read_request(code).reason == reason


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("نه", "deny"),
        ("نه لغو نکنید", "deny"),
        ("لغو نکنید", "service_cancel"),
        ("لغوش نکنید بمونه", "nlu_fallback"),
        ("نه همون بمونه سر جاش", "affirm"),
    ],
)
def test_a_visit_that_is_to_be_kept_after_all_is_kept(tickets: TicketChat, text: str, intent: str) -> None:
    code = tickets.visit()
    tickets.say("درخواستم رو لغو کنید", **CANCEL)
    assert tickets.say(text, intent=intent) == ["utter_task_dropped"]
    assert tickets.read_request(code).state == "scheduled"
    assert tickets.chat.form is None


def test_the_button_that_keeps_a_visit_keeps_it(tickets: TicketChat) -> None:
    code = tickets.visit()
    tickets.say("درخواستم رو لغو کنید", **CANCEL)
    assert tickets.press("cancel") == ["utter_task_dropped"]
    assert tickets.read_request(code).state == "scheduled"


def test_another_time_instead_of_a_reason_moves_the_visit(tickets: TicketChat) -> None:
    tickets.visit(kind="installation")
    code = tickets.visit()
    tickets.say("درخواست تعمیرم رو لغو کنید", **CANCEL)
    assert tickets.asked == "detail"
    text = "نه، بندازینش پنجشنبه عصر"
    assert tickets.say(text, entities=on_thursday(), **MOVE) == ["utter_request_moved"]
    request = tickets.read_request(code)
    assert request.state == "scheduled"
    assert request.window is not None
    assert request.window.starts_at == at(in_days(4), 17)


def test_which_of_several_visits_is_meant_is_asked(tickets: TicketChat) -> None:
    repair, installation = tickets.visit(), tickets.visit(kind="installation")
    assert tickets.say("لغوش کنید", **CANCEL) == ["utter_which_request_to_cancel"]
    assert tickets.choices() == [installation, repair]
    assert tickets.say("نصب") == ["utter_ask_cancel_reason"]
    tickets.press("choose_reason", reason="other")
    assert tickets.read_request(installation).state == "cancelled"
    assert tickets.read_request(repair).state == "scheduled"


@pytest.mark.parametrize("fields", [CANCEL, MOVE])
def test_shortly_before_a_visit_it_is_too_late_and_a_call_is_offered(
    tickets: TicketChat, fields: dict[str, Any]
) -> None:
    code = tickets.visit(starts_at=utcnow() + timedelta(hours=1))
    assert tickets.say("تعمیرکار نیاد", **fields) == ["utter_too_late_to_change"]
    assert tickets.say(f"درخواست {code}", **fields) == ["utter_too_late_to_change"]
    tickets.say("نه", intent="deny")
    assert tickets.said == ["utter_callback_declined"]


def test_a_visit_that_was_missed_is_moved_by_its_customer(tickets: TicketChat) -> None:
    code = tickets.visit(starts_at=utcnow() - timedelta(hours=5))
    assert tickets.say("نیومدید، زمانش رو عوض کنید", **MOVE) == ["utter_ask_new_time"]
    assert tickets.press("choose_window", window=at(in_days(5), 9).isoformat()) == ["utter_request_moved"]
    assert tickets.read_request(code).state == "scheduled"


def test_a_visit_that_somebody_left_for_is_too_late_to_change(tickets: TicketChat) -> None:
    tickets.visit(state="on_the_way")
    assert tickets.say("نیاید لطفا", **CANCEL) == ["utter_too_late_to_change"]


def test_a_visit_that_comes_too_close_while_the_reason_is_asked_is_told_so(tickets: TicketChat) -> None:
    code = tickets.visit()
    tickets.say("درخواستم رو لغو کنید", **CANCEL)

    def set_off(session: Session) -> None:
        request = session.scalars(select(ServiceRequest).where(ServiceRequest.code == code)).one()
        request.state = "on_the_way"

    tickets.write(set_off)
    assert tickets.press("choose_reason", reason="price") == ["utter_too_late_to_change"]
    assert tickets.chat.form is None


def test_a_visit_that_is_over_is_not_cancelled(tickets: TicketChat) -> None:
    code = tickets.visit(state="cancelled")
    assert tickets.say(f"درخواست {code} رو لغو کنید", **CANCEL) == ["utter_cannot_cancel"]
    assert tickets.say("درخواستم رو لغو کنید", **CANCEL) == ["utter_no_request_to_cancel"]


@pytest.mark.parametrize(
    ("intent", "entities"),
    [
        ("choose_reason", {"reason": "nobody_home"}),
        ("choose_window", {"window": "2030-01-01T09:00:00+00:00"}),
        ("choose_ticket", {"ticket": "12345678"}),
        ("more_windows", {}),
    ],
)
def test_a_button_of_another_question_is_no_reason(
    tickets: TicketChat, intent: str, entities: dict[str, str]
) -> None:
    code = tickets.visit()
    tickets.say("درخواستم رو لغو کنید", **CANCEL)
    assert tickets.press(intent, **entities) == [LEFT, "utter_ask_cancel_reason"]
    assert tickets.read_request(code).state == "scheduled"


# Moving a visit


def test_a_visit_is_moved_by_one_sentence(tickets: TicketChat) -> None:
    code = tickets.visit()
    said = tickets.say("بندازش پنجشنبه عصر", entities=on_thursday(), **MOVE)
    assert said == ["utter_request_moved"]
    request = tickets.read_request(code)
    assert request.window is not None
    assert request.window.starts_at == at(in_days(4), 17)
    assert request.window.booked == 1


def test_a_new_time_is_asked_and_chosen_by_button(tickets: TicketChat) -> None:
    code = tickets.visit()
    assert tickets.say("زمانش رو عوض کنید", **MOVE) == ["utter_ask_new_time"]
    first = tickets.choices()
    assert tickets.press("more_windows") == ["utter_ask_new_time"]
    later = tickets.choices()
    assert not set(first) & set(later)
    assert tickets.press("choose_window", window=later[0]) == ["utter_request_moved"]
    request = tickets.read_request(code)
    assert request.window is not None
    assert request.window.starts_at.isoformat() == later[0]


def test_a_day_with_several_free_windows_offers_those_first(tickets: TicketChat) -> None:
    tickets.visit()
    tickets.say("زمانش رو عوض کنید", **MOVE)
    day = {"date": [(in_days(5).isoformat(), "شنبه")]}
    assert tickets.say("شنبه", entities=day) == ["utter_ask_new_time"]
    expected = [at(in_days(5), hour) for hour in (9, 14, 17)]
    assert tickets.choices()[:3] == [moment.astimezone(utcnow().tzinfo).isoformat() for moment in expected]


def test_a_time_at_which_nothing_is_free_is_told_and_others_are_offered(tickets: TicketChat) -> None:
    tickets.visit()
    take(at_day=4, hours=(14, 17))
    said = tickets.say("بندازش پنجشنبه عصر", entities=on_thursday(), **MOVE)
    assert said == ["utter_service_no_window_then", "utter_ask_new_time"]


def test_a_window_that_somebody_took_meanwhile_is_asked_anew(tickets: TicketChat) -> None:
    code = tickets.visit()
    tickets.say("زمانش رو عوض کنید", **MOVE)
    take(at_day=4)
    window = at(in_days(4), 17).isoformat()
    assert tickets.press("choose_window", window=window) == ["utter_window_taken", "utter_ask_new_time"]
    assert tickets.chat.form is not None
    assert tickets.press("choose_window", window=at(in_days(5), 9).isoformat()) == ["utter_request_moved"]
    assert tickets.read_request(code).state == "scheduled"


def test_words_without_a_time_are_left_to_the_rules_and_no_leaves_the_visit(tickets: TicketChat) -> None:
    tickets.visit()
    tickets.say("زمانش رو عوض کنید", **MOVE)
    assert tickets.say("هزینه‌اش چنده؟", intent="faq") == [LEFT, "utter_ask_new_time"]
    assert tickets.say("نه", intent="deny") == ["utter_task_dropped"]


def test_whoever_wants_no_new_time_but_no_visit_at_all_is_asked_why(tickets: TicketChat) -> None:
    code = tickets.visit()
    tickets.say("زمانش رو عوض کنید", **MOVE)
    assert tickets.say("اصلاً کلاً لغوش کنید", **CANCEL) == ["utter_ask_cancel_reason"]
    tickets.press("choose_reason", reason="other")
    assert tickets.read_request(code).state == "cancelled"


def test_without_a_visit_there_is_nothing_to_move(tickets: TicketChat) -> None:
    assert tickets.say("بندازش پنجشنبه", **MOVE) == ["utter_no_request_to_move"]


def take(*, at_day: int, hours: tuple[int, ...] = (17,)) -> None:
    """Others book the only places of windows that begin at some hours."""
    rules = environment().rules
    with environment().database.write() as session:
        kind = rules.business.service_kind("repair")
        for hour in hours:
            book(session, kind=kind, starts_at=at(in_days(at_day), hour), rules=rules)


# The same turn again


@pytest.mark.parametrize("at_once", [True, False])
def test_a_cancelling_that_comes_twice_is_one_and_is_answered_alike(
    tickets: TicketChat, at_once: bool
) -> None:
    code = tickets.visit()
    tickets.say("لغوش کنید" + " خودم درستش کردم" * at_once, **CANCEL)
    if not at_once:
        tickets.press("choose_reason", reason="solved")
    assert tickets.said == tickets.repeat() == ["utter_request_cancelled"]
    window = tickets.read_request(code).window
    assert window is not None
    assert window.booked == 0
    assert events(tickets, "service_request.cancelled") == 1


def test_a_move_that_comes_twice_is_one_and_is_answered_alike(tickets: TicketChat) -> None:
    code = tickets.visit()
    said = tickets.say("بندازش پنجشنبه عصر", entities=on_thursday(), **MOVE)
    assert tickets.repeat() == said == ["utter_request_moved"]
    window = tickets.read_request(code).window
    assert window is not None
    assert (window.starts_at, window.booked) == (at(in_days(4), 17), 1)
