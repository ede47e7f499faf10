"""A message that answers a question of ours is read as its answer; what asks for something else is not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.nlu.expected import as_expected


def understood(intent: str, *entities: dict[str, Any]) -> dict[str, Any]:
    named = {"name": intent, "confidence": 0.8}
    return {"intent": named, "intent_ranking": [named], "entities": list(entities), "requests": [{}]}


def read(
    intent: str, text: str, what: str, *entities: dict[str, Any], is_latest: bool = True
) -> dict[str, Any]:
    expected = {"what": what, "ticket": "12345678", "is_latest": is_latest}
    return as_expected(understood(intent, *entities), text, expected)


@pytest.mark.parametrize(
    ("intent", "text", "becomes"),
    [
        ("affirm", "بله", "confirm_solved"),
        ("deny", "نه", "deny_solved"),
        ("thank", "ممنون، حل شد", "confirm_solved"),
        ("complaint_file", "هنوز پولم رو ندادین", "deny_solved"),
        ("nlu_fallback", "درست نشده که", "deny_solved"),
        ("complaint_file", "نخیر حل نشده! تعمیرکار اومد و رفت", "deny_solved"),
        ("complaint_status", "نه هنوز همون مشکل هست", "deny_solved"),
        ("thank", "حل شد، دستتون درد نکنه", "confirm_solved"),
        ("deny", "نه حل شده نه کسی زنگ زده", "deny_solved"),
        ("complaint_file", "درست شده بود ولی دوباره خراب شد", "deny_solved"),
        ("deny", "فکر نمی‌کنم حل شده باشه", "deny_solved"),
    ],
)
def test_whether_it_is_solved_is_read_from_yes_no_and_the_words(intent: str, text: str, becomes: str) -> None:
    assert read(intent, text, "solved")["intent"]["name"] == becomes


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        ("thank", "ممنون"),
        ("thank", "دستتون درد نکنه"),
        ("greet", "سلام"),
        ("complaint_appeal", "این نتیجه رو قبول ندارم، حل نشده"),
        ("request_human", "با یه نفر حرف بزنم، حل نشده"),
        ("complaint_file", "یه چیز دیگه هم خراب رسیده"),
    ],
)
def test_thanks_and_wishes_of_their_own_answer_nothing(intent: str, text: str) -> None:
    assert read(intent, text, "solved")["intent"]["name"] == intent


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        ("complaint_file", "نه حل شده نه کسی زنگ زده"),
        ("nlu_fallback", "فکر نمی‌کنم حل شده باشه"),
        ("nlu_fallback", "فکر نمیکنم حل شده باشه"),
        ("nlu_fallback", "کجاش حل شده؟"),
        ("complaint_status", "کجاش حل شده"),
        ("nlu_fallback", "مگه حل شده"),
        ("nlu_fallback", "درست شده بود ولی باز از کار افتاد"),
        ("affirm", "آره ولی پولم رو ندادید"),
        ("complaint_file", "گفتید حل شده و من هنوز منتظرم"),
        ("nlu_fallback", "hal shod vali"),
    ],
)
def test_nothing_is_closed_on_words_that_may_mean_the_contrary(intent: str, text: str) -> None:
    assert read(intent, text, "solved")["intent"]["name"] == intent


@pytest.mark.parametrize(
    ("intent", "text", "becomes"),
    [
        ("complaint_file", "هنوز حل نشده", "deny_solved"),
        ("complaint_status", "ولی مشکل من حل نشده که", "deny_solved"),
        ("deny", "نه", "deny"),
        ("affirm", "بله", "affirm"),
        ("thank", "ممنون حل شد", "thank"),
        ("complaint_appeal", "قبول ندارم، حل نشده", "complaint_appeal"),
    ],
)
def test_after_it_was_closed_only_that_it_is_not_solved_opens_it_again(
    intent: str, text: str, becomes: str
) -> None:
    assert read(intent, text, "closed")["intent"]["name"] == becomes


@pytest.mark.parametrize(
    "intent", ["media", "nlu_fallback", "complaint_add_note", "affirm", "out_of_scope", "faq"]
)
def test_straight_after_a_question_of_the_staffs_almost_everything_answers_it(intent: str) -> None:
    assert read(intent, "مدلش ال‌جی ۴۰ فوته", "answer")["intent"]["name"] == "answer_staff"


@pytest.mark.parametrize(
    "intent", ["complaint_status", "request_human", "cancel", "my_data_erase", "service_cancel", "thank"]
)
def test_a_wish_straight_after_the_question_is_no_answer(intent: str) -> None:
    assert read(intent, "شکایتم چی شد", "answer")["intent"]["name"] == intent


def test_a_photo_straight_after_the_question_answers_it_whatever_is_said_with_it() -> None:
    expected = {"what": "answer", "ticket": "12345678", "is_latest": True}
    parsed = as_expected(understood("help"), "ببخشید دیر شد، بفرمایید", expected, has_files=True)
    assert parsed["intent"]["name"] == "answer_staff"


@pytest.mark.parametrize(
    ("intent", "becomes"),
    [
        ("media", "answer_staff"),
        ("complaint_add_note", "answer_staff"),
        ("nlu_fallback", "answer_staff"),
        ("affirm", "affirm"),
        ("complaint_file", "complaint_file"),
        ("faq", "faq"),
    ],
)
def test_later_on_only_what_is_nothing_else_answers_it(intent: str, becomes: str) -> None:
    assert read(intent, "اینم عکسش", "answer", is_latest=False)["intent"]["name"] == becomes


def test_yes_confirms_a_visit_and_no_moves_it() -> None:
    assert read("affirm", "آره", "visit")["intent"]["name"] == "confirm_visit"
    assert read("deny", "نه", "visit")["intent"]["name"] == "service_reschedule"


def test_a_grade_is_one_only_where_there_is_a_number() -> None:
    number = {"entity": "number", "value": 5, "start": 0, "end": 1}
    assert read("survey_answer", "۵", "rating", number)["intent"]["name"] == "rate_visit"
    assert read("thank", "ممنون", "rating")["intent"]["name"] == "thank"


@pytest.mark.parametrize(
    ("intent", "text", "entity", "is_grade"),
    [
        ("faq", "۵", "number", False),
        ("nlu_fallback", "۵ می‌دم", "number", True),
        ("survey_answer", "خوب بود ۴", "number", True),
        ("thank", "۴ از ۵، خیلی ممنون از همکار خوبتون", "rating", True),
        ("complaint_file", "۲ از ۵ چون خیلی دیر اومدن", "rating", True),
        ("nlu_fallback", "همکارتون ۲ ساعت دیر اومد و یخچال باز خراب شد", "number", False),
        ("complaint_file", "۲ ساعت دیر", "number", False),
        ("service_request", "۲ تا کولر", "number", False),
        ("nlu_fallback", "۱۲ ماه ضمانت داره؟", "number", False),
        ("nlu_fallback", "۱۲ ماه ضمانت؟", "number", False),
        ("faq", "۱۲ ماه ضمانت", "number", False),
        ("nlu_fallback", "چرا ۲ نفر", "number", False),
    ],
)
def test_a_number_is_a_grade_where_it_stands_nearly_alone_and_nothing_is_asked_or_told(
    intent: str, text: str, entity: str, is_grade: bool
) -> None:
    found = {"entity": entity, "value": 2, "start": 0, "end": 1}
    assert (read(intent, text, "rating", found)["intent"]["name"] == "rate_visit") is is_grade


def test_an_answer_carries_the_ticket_and_asks_for_nothing_else() -> None:
    answer = read("affirm", "بله", "solved")
    assert answer["entities"][-1] == {"entity": "ticket", "value": "12345678", "extractor": "expected"}
    assert "requests" not in answer


def test_without_a_question_nothing_changes() -> None:
    parsed = understood("affirm")
    assert as_expected(parsed, "بله", None) is parsed
