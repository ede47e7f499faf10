"""Understanding without dialogue."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.nlu.parse import parse_lines

pytestmark = pytest.mark.rasa


def test_each_line_is_answered_in_order(model: Path) -> None:
    answers = list(parse_lines(["سلام\n", "می‌خوام شکایت کنم", ""], model=model))
    assert [answer["text"] for answer in answers] == ["سلام", "می‌خوام شکایت کنم", ""]
    assert [answer["intent"] for answer in answers] == ["greet", "complaint_file", "nlu_fallback"]
    assert all(answer["ms"] > 0 for answer in answers)


@pytest.mark.parametrize("text", ["پیک نیامد ۰۹۱۲۳۴۵۶۷۸۹", "  / پیک نیامد ۰۹۱۲۳۴۵۶۷۸۹"])
def test_offsets_hold_in_the_line_as_it_was_given(model: Path, text: str) -> None:
    (answer,) = parse_lines([text], model=model)
    spans = [(entity["entity"], text[entity["start"] : entity["end"]]) for entity in answer["entities"]]
    assert spans == [("category", "پیک"), ("phone_number", "۰۹۱۲۳۴۵۶۷۸۹")]


def test_the_topic_of_a_question_is_told_and_of_nothing_else(model: Path) -> None:
    question, greeting = parse_lines(["آدرستون کجاست", "سلام"], model=model)
    assert (question["intent"], question["topic"]) == ("faq", "address")
    assert question["topic_confidence"] > 0.5
    assert "topic" not in greeting


def test_staff_are_understood_as_staff(model: Path) -> None:
    assert next(parse_lines(["گزارش امروز"], model=model, audience="staff"))["intent"] == "staff_report"
    assert next(parse_lines(["گزارش امروز"], model=model))["intent"] != "staff_report"


def test_tomorrow_is_counted_from_the_moment_that_is_given(model: Path) -> None:
    moment = datetime(2026, 3, 20, 22, 0, tzinfo=ZoneInfo("Asia/Tehran"))
    (answer,) = parse_lines(["فردا می‌خوام شکایت کنم"], model=model, now=moment)
    dates = [entity["value"] for entity in answer["entities"] if entity["entity"] == "date"]
    assert dates == ["2026-03-21"]


def test_an_explanation_says_how_words_were_read_and_what_else_was_likely(model: Path) -> None:
    text = "سلاممم می خواهم شكايت كنم"
    plain, explained = (next(parse_lines([text], model=model, explain=wanted)) for wanted in (False, True))
    assert "tokens" not in plain
    assert [token["text"] for token in explained["tokens"]] == ["سلام", "میخواهم", "شکایت", "کنم"]
    assert [text[t["start"] : t["end"]] for t in explained["tokens"]] == [
        "سلاممم",
        "می خواهم",
        "شكايت",
        "كنم",
    ]
    assert explained["tokens"][1]["stem"] == "خواست"
    confidences = [intent["confidence"] for intent in explained["ranking"]]
    assert explained["ranking"][0]["intent"] == explained["intent"] == "complaint_file"
    assert confidences == sorted(confidences, reverse=True)
