"""Typed answers of the staff to a task's questions: words as they are, a yes, a no, the hidden PIN."""

from __future__ import annotations

from typing import Any

import pytest

from bot.nlu.expected import as_expected
from bot.nlu.expected_staff import is_secret
from crm_store.tickets.staff_questions import CHOICE, CONFIRM, NUMBER, TEXT, question_name


def read(what: str, text: str, intent: str, *, is_latest: bool = True) -> tuple[str, dict[str, Any]]:
    named = {"name": intent, "confidence": 0.8}
    name = "pin:ask" if what == "pin" else question_name(what, 17, "step")
    parsed = as_expected(
        {"intent": named, "intent_ranking": [named], "entities": [], "requests": [{"start": 0}]},
        text,
        {"what": "staff", "ticket": name, "is_latest": is_latest},
    )
    values = {one["entity"]: one["value"] for one in parsed["entities"]}
    assert values.pop("step", name) == name
    return parsed["intent"]["name"], values


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("سلام، گفت فقط عصرها زنگ بزنیم", "greet"),
        ("گزارش این ماه را خواسته", "staff_report"),
        ("می‌خواهد شکایتش را پس بگیرد", "complaint_withdraw"),
        ("ممنون", "thank"),
        ("نه", "deny"),
        ("لغو شد چون مشتری منصرف شد", "cancel"),
        ("پرونده را ببند", "staff_resolve"),
        ("امتیاز بده", "staff_adjust_points"),
    ],
)
def test_words_that_were_asked_for_are_taken_whatever_they_look_like(text: str, intent: str) -> None:
    assert read(TEXT, text, intent) == ("staff_answer", {})


@pytest.mark.parametrize("what", [TEXT, CHOICE, NUMBER, CONFIRM])
@pytest.mark.parametrize("text", ["انصراف", "بی‌خیال", "ولش کن", "bikhial", "منصرف شدم!"])
def test_a_task_can_always_be_left(what: str, text: str) -> None:
    assert read(what, text, "nlu_fallback") == ("staff_answer", {"value": "drop"})


@pytest.mark.parametrize(
    ("text", "intent"), [("بله", "affirm"), ("آره ثبت کن", "nlu_fallback"), ("تایید", "nlu_fallback")]
)
def test_a_yes_confirms(text: str, intent: str) -> None:
    assert read(CONFIRM, text, intent) == ("staff_answer", {"value": "yes"})


@pytest.mark.parametrize(("text", "intent"), [("نه", "deny"), ("نه نمی‌خواد", "cancel")])
def test_a_no_leaves_it(text: str, intent: str) -> None:
    assert read(CONFIRM, text, intent) == ("staff_answer", {"value": "drop"})


def test_a_yes_with_a_but_confirms_nothing() -> None:
    assert read(CONFIRM, "آره ولی مبلغش اشتباهه", "affirm") == ("staff_answer", {})


@pytest.mark.parametrize(
    ("text", "intent"),
    [("رضایی", "staff_find_customer"), ("تعویض کالا", "faq_like"), ("۵۰", "survey_answer")],
)
def test_what_names_a_choice_is_left_to_who_knows_the_choices(text: str, intent: str) -> None:
    assert read(CHOICE, text, intent) == ("staff_answer", {})


@pytest.mark.parametrize("intent", ["greet", "thank", "help", "faq"])
def test_courtesies_and_questions_choose_nothing(intent: str) -> None:
    assert read(CHOICE, "متن", intent) == (intent, {})


def test_once_something_else_was_said_it_is_no_answer() -> None:
    assert read(TEXT, "عصرها زنگ بزنیم", "nlu_fallback", is_latest=False) == ("nlu_fallback", {})


def test_only_a_pin_is_kept_out_of_the_tracker() -> None:
    assert read("pin", "انصراف", "cancel") == ("staff_answer", {})
    assert is_secret({"what": "staff", "ticket": "pin:ask", "is_latest": True})
    assert not is_secret({"what": "staff", "ticket": "pin:ask", "is_latest": False})
    assert not is_secret({"what": "staff", "ticket": "text:17:note", "is_latest": True})
    assert not is_secret({"what": "survey", "ticket": "pin:ask", "is_latest": True})
    assert not is_secret(None)
