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


def test_an_answer_carries_the_ticket_and_asks_for_nothing_else() -> None:
    answer = read("affirm", "بله", "solved")
    assert answer["entities"][-1] == {"entity": "ticket", "value": "12345678", "extractor": "expected"}
    assert "requests" not in answer


def test_without_a_question_nothing_changes() -> None:
    parsed = understood("affirm")
    assert as_expected(parsed, "بله", None) is parsed
