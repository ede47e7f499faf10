"""Understanding without dialogue."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from bot.nlu.parse import parse_lines, parse_stream

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


def test_a_stream_answers_one_json_object_a_line(model: Path) -> None:
    target = io.StringIO()
    parse_stream(io.StringIO("سلام\nممنون\n"), target, model=model)
    assert [json.loads(line)["intent"] for line in target.getvalue().splitlines()] == ["greet", "thank"]
