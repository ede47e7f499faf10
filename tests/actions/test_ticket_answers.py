"""Answers to what was asked in a notice, given by button or in words that were read as the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from actions.base import StoreAction
from actions.complaint_form import ValidateComplaintForm
from actions.handoff import ValidateCallbackForm
from actions.misunderstood import COMPLAINT_FORM
from actions.profile_form import ValidateProfileForm
from actions.service_form import ValidateServiceForm
from actions.status import ActionComplaintStatus
from actions.ticket_form import ValidateTicketForm
from bot.nlu.values import find_values
from crm_store.activity import Activity
from crm_store.base import utcnow
from crm_store.settings import Settings
from tests.actions.conftest import Chat
from tests.actions.service_chat import zone
from tests.actions.ticket_chat import TICKET_BUSINESS, TicketChat

#: The slot that each form asks for last, or that takes any words.
REQUESTED: dict[Callable[[], StoreAction], str] = {
    ValidateComplaintForm: "confirm",
    ValidateServiceForm: "service_confirm",
    ValidateTicketForm: "ticket_detail",
    ValidateCallbackForm: "callback_phone",
    ValidateProfileForm: "profile_value",
}
LEFT_OVER = "پول رو برگردوندید ولی هزینه‌ی ارسالش هنوز مونده"


@pytest.fixture
def tickets(chat: Chat, settings: Settings) -> TicketChat:
    Path(settings.business_path).write_text(TICKET_BUSINESS, encoding="utf-8")
    return TicketChat(chat)


def happened(tickets: TicketChat, kind: str) -> int:
    with tickets.chat.database.read() as session:
        return session.scalar(select(func.count()).where(Activity.kind == kind)) or 0


def typed(tickets: TicketChat, text: str, intent: str, code: str, **fields: Any) -> list[str]:
    """Words that were read as the answer to the open question."""
    return tickets.say(text, intent=intent, entities={"ticket": [code]}, **fields)


# Is it solved?


def test_a_yes_closes_the_complaint(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    assert typed(tickets, "بله حل شد", "confirm_solved", code) == ["utter_solved_thanks"]
    assert tickets.repeat() == ["utter_solved_thanks"]
    assert tickets.read_complaint(code).state == "closed"
    assert happened(tickets, "complaint.closed") == 1


def test_a_button_of_an_older_decision_is_about_its_own_complaint(tickets: TicketChat) -> None:
    first, second = tickets.complaint(decided=True), tickets.complaint(decided=True)
    assert tickets.press("confirm_solved", ticket=first) == ["utter_solved_thanks"]
    assert [tickets.read_complaint(code).state for code in (first, second)] == ["closed", "resolved"]


def test_a_bare_no_reopens_it_and_asks_what_is_left(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    said = typed(tickets, "نه", "deny_solved", code)
    assert said == ["utter_complaint_reopened", "utter_ask_what_is_left"]
    assert tickets.read_complaint(code).state == "in_review"
    assert tickets.say(LEFT_OVER, intent="faq", files=1) == ["utter_note_added"]
    assert tickets.notes() == [(code, LEFT_OVER, 1)]


def test_a_no_that_tells_what_is_left_asks_nothing_more(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    assert typed(tickets, LEFT_OVER, "deny_solved", code) == ["utter_complaint_reopened"]
    assert tickets.notes() == [(code, LEFT_OVER, 0)]
    assert tickets.chat.form is None


def test_a_no_with_a_photo_keeps_the_photo(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    assert typed(tickets, "نه ببینید", "deny_solved", code, files=1) == ["utter_complaint_reopened"]
    assert tickets.notes() == [(code, "نه ببینید", 1)]


@pytest.mark.parametrize(("text", "intent"), [("نه", "deny"), ("توضیحی ندارم", "skip"), ("", "skip")])
def test_what_is_left_need_not_be_told(tickets: TicketChat, text: str, intent: str) -> None:
    code = tickets.complaint(decided=True)
    tickets.press("deny_solved", ticket=code)
    said = tickets.say(text, intent=intent) if text else tickets.press(intent)
    assert said == ["utter_nothing_added"]
    assert tickets.read_complaint(code).state == "in_review"
    assert tickets.notes() == []


def test_a_no_that_comes_twice_reopens_once(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    said = tickets.press("deny_solved", ticket=code)
    assert tickets.repeat() == said
    assert tickets.read_complaint(code).reopened_count == 1


def test_a_no_in_the_midst_of_another_form_reopens_and_asks_nothing(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    tickets.chat.form = COMPLAINT_FORM
    assert tickets.press("deny_solved", ticket=code) == ["utter_complaint_reopened"]
    assert tickets.chat.form == COMPLAINT_FORM


def test_a_no_comes_too_late_after_the_grace_period(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True, ago=utcnow() - timedelta(days=20))
    assert tickets.press("deny_solved", ticket=code) == ["utter_too_late_to_reopen"]
    assert tickets.read_complaint(code).state == "resolved"


def test_what_is_not_decided_is_neither_solved_nor_reopened(tickets: TicketChat) -> None:
    code = tickets.complaint()
    assert tickets.press("confirm_solved", ticket=code) == ["utter_not_resolved_yet"]
    assert tickets.press("deny_solved", ticket=code) == ["utter_reopened_already"]


# A question of the staff's


def test_an_answer_with_text_and_photo_is_kept_with_the_complaint(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.question(code)
    said = typed(tickets, "آبی بود، این هم عکسش", "answer_staff", code, files=2)
    assert said == ["utter_answer_passed_on"]
    assert tickets.repeat() == said
    assert tickets.notes("answer") == [(code, "آبی بود، این هم عکسش", 2)]
    assert tickets.read_complaint(code).state == "in_review"


def test_a_photo_alone_and_ones_own_number_are_answers(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.question(code)
    assert typed(tickets, "", "answer_staff", code, files=1) == ["utter_answer_passed_on"]
    tickets.question(code, "شمارهٔ تماستان؟")
    assert typed(tickets, "", "answer_staff", code, contact="+989121234567") == ["utter_answer_passed_on"]
    (_, nothing, photos), (_, number, none) = tickets.notes("answer")
    assert (nothing, photos, none) == ("", 1, 0)
    assert number.replace(" ", "").endswith("۴۵۶۷")


def test_a_photo_after_the_answer_belongs_to_it(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.complaint("product")
    tickets.question(code)
    typed(tickets, "آبی بود", "answer_staff", code)
    assert tickets.send(files=1) == ["utter_note_added"]
    assert tickets.notes() == [(code, "", 1)]


def test_an_answer_to_nothing_is_told_so(tickets: TicketChat) -> None:
    code = tickets.complaint()
    assert typed(tickets, "آبی بود", "answer_staff", code) == ["utter_question_is_over"]
    assert tickets.notes("answer") == []


def test_the_button_below_the_question_asks_for_the_answer_and_the_next_message_is_read_as_it(
    tickets: TicketChat,
) -> None:
    code = tickets.complaint()
    tickets.question(code)
    said = tickets.press("answer_staff", ticket=code)
    assert said == tickets.repeat() == ["utter_ask_answer"]
    assert expects(tickets, "utter_ask_answer") == {"what": "answer", "ticket": code}
    assert tickets.read_complaint(code).state == "waiting_customer"
    assert typed(tickets, "آبی بود", "answer_staff", code) == ["utter_answer_passed_on"]
    assert tickets.press("answer_staff", ticket=code) == ["utter_question_is_over"]


def test_a_form_that_is_under_way_waits_for_the_answer_of_a_button(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.question(code)
    tickets.chat.form = COMPLAINT_FORM
    assert tickets.press("answer_staff", ticket=code) == ["utter_ask_answer"]
    assert [(event["event"], event.get("name")) for event in tickets.chat.events] == [
        ("action", COMPLAINT_FORM)
    ]


# Questions of the dialogue itself


def expects(tickets: TicketChat, response: str) -> dict[str, str] | None:
    """What a response tells the gateway that it asks."""
    told: dict[str, str] | None = tickets.told(response)["custom"].get("expects")
    return told


def test_how_a_complaint_stands_ends_with_a_question_that_may_be_answered(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    tickets.chat.run(ActionComplaintStatus(), "شکایتم چی شد", intent="complaint_status")
    assert tickets.chat.told("utter_complaint_decided")["custom"] == {
        "expects": {"what": "solved", "ticket": code}
    }
    assert tickets.chat.told("utter_complaint_state")["custom"] == {}


def test_how_a_complaint_stands_that_waits_ends_with_what_the_staff_asked(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.question(code)
    tickets.chat.run(ActionComplaintStatus(), "شکایتم چی شد", intent="complaint_status")
    assert tickets.chat.told("utter_complaint_waits_for_you")["custom"] == {
        "expects": {"what": "answer", "ticket": code}
    }


def test_a_grade_that_was_not_understood_is_waited_for(tickets: TicketChat) -> None:
    code = tickets.visit(state="done", done_at=utcnow())
    assert typed(tickets, "۱۰۰", "rate_visit", code) == ["utter_grade_unclear"]
    assert expects(tickets, "utter_grade_unclear") == {"what": "rating", "ticket": code}


# While a form is under way


@pytest.mark.parametrize(
    "form",
    [
        ValidateComplaintForm,
        ValidateServiceForm,
        ValidateTicketForm,
        ValidateCallbackForm,
        ValidateProfileForm,
    ],
)
@pytest.mark.parametrize(
    "intent",
    ["confirm_solved", "deny_solved", "answer_staff", "confirm_visit", "rate_visit", "service_reschedule"],
)
def test_no_form_takes_the_answer_to_a_question_that_was_asked_since(
    tickets: TicketChat, form: Callable[[], StoreAction], intent: str
) -> None:
    tickets.complaint()
    tickets.say("یه عکس دیگه هم دارم", intent="complaint_add_note")
    chat = tickets.chat
    chat.slots["requested_slot"] = REQUESTED[form]
    fields: dict[str, Any] = {"intent": intent, "entities": {"ticket": ["1"], "attachment": chat.files(1)}}
    chat.run(form(), "بله ۰۹۱۲۱۲۳۴۵۶۷ همین است که می‌گویم", **fields)
    assert (chat.events, chat.said) == ([], [])
    assert tickets.notes() == []


# Does the time suit?


def test_a_visit_is_confirmed_once(tickets: TicketChat) -> None:
    code = tickets.visit()
    assert tickets.press("confirm_visit", ticket=code) == ["utter_visit_confirmed"]
    assert "ساعت" in tickets.told("utter_visit_confirmed")["when"]
    assert tickets.repeat() == ["utter_visit_confirmed"]
    assert tickets.read_request(code).confirmed_at is not None
    assert happened(tickets, "service_request.confirmed") == 1


def test_a_visit_that_is_cancelled_is_not_confirmed(tickets: TicketChat) -> None:
    code = tickets.visit(state="cancelled")
    assert tickets.press("confirm_visit", ticket=code) == ["utter_visit_is_over"]


def test_a_no_to_the_time_of_a_visit_asks_for_another_one(tickets: TicketChat) -> None:
    code = tickets.visit()
    tickets.visit(kind="installation")
    assert typed(tickets, "نه", "service_reschedule", code) == ["utter_ask_new_time"]
    tickets.press("choose_window", window=tickets.choices()[0])
    assert tickets.said == ["utter_request_moved"]


# A grade


def graded(tickets: TicketChat, text: str) -> tuple[list[str], tuple[int | None, int | None]]:
    """Grade a visit that was done today; what is said, and the grade with its scale."""
    code = tickets.visit(state="done", done_at=utcnow())
    found: dict[str, list[Any]] = {"ticket": [code]}
    for one in find_values(text, now=utcnow().astimezone(zone())):
        value = (one.value, text[one.start : one.end], *one.candidates)
        found.setdefault(one.entity, []).append(value)
    said = tickets.say(text, intent="rate_visit", entities=found)
    request = tickets.read_request(code)
    return said, (request.rating, request.rating_scale)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("۵", (5, 5)),
        ("4", (4, 5)),
        ("۸", (8, 10)),
        ("بیست", (20, 20)),
        ("نمره‌ام ۱۸", (18, 20)),
        ("۴ از ۵", (4, 5)),
        ("۹ از ۱۰ راضی بودم", (9, 10)),
        ("پنج ستاره", (5, 5)),
        ("⭐⭐⭐⭐", (4, 5)),
        ("۹۰ درصد راضی‌ام", (90, 100)),
        ("نمره ۴", (4, 5)),
        ("چهار و نیم از پنج", (9, 10)),
        ("۴.۵", (9, 10)),
    ],
)
def test_a_good_grade_is_taken_in_whatever_shape(
    tickets: TicketChat, text: str, grade: tuple[int, int]
) -> None:
    assert graded(tickets, text) == (["utter_grade_thanks"], grade)


@pytest.mark.parametrize(
    ("text", "grade"),
    [("۱", (1, 5)), ("۲ از ۵", (2, 5)), ("صفر از ۱۰", (1, 10)), ("۰", (1, 5)), ("۵ از ۱۰", (5, 10))],
)
def test_a_bad_grade_is_taken_with_regret(tickets: TicketChat, text: str, grade: tuple[int, int]) -> None:
    assert graded(tickets, text) == (["utter_grade_regret"], grade)


@pytest.mark.parametrize("text", ["۱۰۰", "-1", "خوب بود"])
def test_what_is_no_grade_is_asked_again(tickets: TicketChat, text: str) -> None:
    assert graded(tickets, text) == (["utter_grade_unclear"], (None, None))


def test_stars_are_tapped_and_a_second_tap_changes_the_grade(tickets: TicketChat) -> None:
    code = tickets.visit(state="done", done_at=utcnow())
    assert tickets.press("rate_visit", ticket=code, stars="5") == ["utter_grade_thanks"]
    assert tickets.repeat() == ["utter_grade_thanks"]
    assert tickets.press("rate_visit", ticket=code, stars="2") == ["utter_grade_regret"]
    request = tickets.read_request(code)
    assert (request.rating, request.rating_scale) == (2, 5)
    assert happened(tickets, "service_request.rated") == 2


def test_a_visit_that_was_not_done_takes_no_grade(tickets: TicketChat) -> None:
    code = tickets.visit()
    assert tickets.press("rate_visit", ticket=code, stars="5") == ["utter_visit_is_over"]


# Somebody else's


@pytest.mark.parametrize(
    ("intent", "response"),
    [
        ("confirm_solved", "utter_ticket_not_found"),
        ("deny_solved", "utter_ticket_not_found"),
        ("answer_staff", "utter_question_is_over"),
        ("confirm_visit", "utter_visit_is_over"),
        ("rate_visit", "utter_visit_is_over"),
    ],
)
def test_answers_about_somebody_elses_ticket_change_nothing(
    tickets: TicketChat, stranger: Chat, intent: str, response: str
) -> None:
    theirs = TicketChat(stranger)
    decided, asked = theirs.complaint(decided=True), theirs.complaint()
    theirs.question(asked)
    coming, done = theirs.visit(), theirs.visit(kind="installation", state="done", done_at=utcnow())
    codes = {"answer_staff": asked, "confirm_visit": coming, "rate_visit": done}
    code = codes.get(intent, decided)
    assert tickets.say("۵", intent=intent, entities={"ticket": [code], "stars": ["5"]}) == [response]
    assert tickets.read_complaint(decided).state == "resolved"
    assert tickets.read_complaint(asked).state == "waiting_customer"
    assert tickets.read_request(coming).confirmed_at is None
    assert tickets.read_request(done).rating is None
