"""A yes after a hand-over goes on with the form or takes the call; all else is what it is."""

from __future__ import annotations

import pytest

from bot.nlu.expected import as_expected


def read(what: str, text: str, intent: str = "nlu_fallback", *, is_latest: bool = True) -> str:
    named = {"name": intent, "confidence": 0.8}
    parsed = as_expected(
        {"intent": named, "intent_ranking": [named], "entities": []},
        text,
        {"what": what, "ticket": "-", "is_latest": is_latest},
    )
    return str(parsed["intent"]["name"])


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("بله", "affirm"),
        ("آره حتماً", "affirm"),
        ("ادامه بدیم", "nlu_fallback"),
        ("باشه، ادامه بدیم", "complaint_file"),
        ("edame bedim", "out_of_scope"),
    ],
)
def test_a_yes_and_the_wish_to_go_on_go_on(text: str, intent: str) -> None:
    assert read("go_on", text, intent) == "handoff_resume"


@pytest.mark.parametrize(
    ("text", "intent"),
    [("بله", "affirm"), ("۰۹۱۲۳۴۵۶۷۸۹", "nlu_fallback"), ("شماره‌م ۰۹۱۲۳۴۵۶۷۸۹", "profile_update")],
)
def test_a_yes_and_a_number_take_the_call(text: str, intent: str) -> None:
    assert read("call", text, intent) == "request_callback"


@pytest.mark.parametrize("what", ["go_on", "call"])
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("نه", "deny"),
        ("ولش کن", "cancel"),
        ("ساعت کاریتون چیه؟", "faq"),
        ("بله ولی اول بگید پیک من الان کجاست", "affirm"),
        ("", "media"),
    ],
)
def test_what_says_something_else_is_left_as_it_is(what: str, text: str, intent: str) -> None:
    assert read(what, text, intent) == intent


@pytest.mark.parametrize("what", ["go_on", "call"])
def test_a_yes_after_something_else_was_said_is_left_as_it_is(what: str) -> None:
    assert read(what, "بله", "affirm", is_latest=False) == "affirm"
