"""Typed answers to the club's questions are what a button would have been; wishes of their own are not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.nlu.expected import as_expected
from crm_store.loyalty.choosing import Option, write_options

SHOWN = write_options(
    [
        Option("discount_50", "کد تخفیف ۵۰ هزار تومانی", 100, 50_000),
        Option("mug", "ماگ سپیدار", 250),
        Option("dinner", "شام دو نفره", 2000),
        Option("discount_100", "کد تخفیف ۱۰۰ هزار تومانی", 500, 100_000),
    ]
)
ABOUT = {"reward": SHOWN, "redeem": "mug:17", "raffle": "3:17", "friend_code": "any", "history": "99"}


def read(what: str, text: str, intent: str = "nlu_fallback", *, is_latest: bool = True) -> tuple[str, Any]:
    named = {"name": intent, "confidence": 0.8}
    parsed = as_expected(
        {"intent": named, "intent_ranking": [named], "entities": []},
        text,
        {"what": what, "ticket": ABOUT[what], "is_latest": is_latest},
    )
    return parsed["intent"]["name"], {one["entity"]: one["value"] for one in parsed["entities"]}


@pytest.mark.parametrize(
    ("text", "intent", "reward"),
    [
        ("دومی", "nlu_fallback", "mug"),
        ("۲", "survey_answer", "mug"),
        ("شماره ۴ لطفا", "nlu_fallback", "discount_100"),
        ("آخری", "nlu_fallback", "discount_100"),
        ("همون کد تخفیف پنجاه تومنی", "faq", "discount_50"),
        ("صد تومنیه", "nlu_fallback", "discount_100"),
        ("اون پونصد امتیازیه رو بده", "loyalty_redeem", "discount_100"),
        ("ماگو می‌خوام", "nlu_fallback", "mug"),
        ("dovomi", "nlu_fallback", "mug"),
    ],
)
def test_a_reward_is_chosen_by_place_name_cost_or_worth(text: str, intent: str, reward: str) -> None:
    assert read("reward", text, intent) == ("choose_reward", {"reward": reward})


def test_a_name_that_fits_several_shows_these_again() -> None:
    assert read("reward", "کد تخفیف") == ("loyalty_redeem", {})


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("سلام", "greet"),
        ("امتیازم چنده", "loyalty_balance"),
        ("ماگ ضمانت داره؟", "faq"),
        ("ماگی که خریدم شکسته بود", "complaint_file"),
    ],
)
def test_a_wish_of_its_own_chooses_nothing(text: str, intent: str) -> None:
    assert read("reward", text, intent) == (intent, {})


@pytest.mark.parametrize(
    ("text", "intent"), [("آره", "affirm"), ("تایید", "nlu_fallback"), ("bashe", "affirm")]
)
def test_a_yes_names_the_question_that_it_answers(text: str, intent: str) -> None:
    assert read("redeem", text, intent) == ("confirm_redeem", {"reward": "mug", "asked": "17"})
    assert read("raffle", text, intent) == ("join_raffle", {"raffle": "3", "asked": "17"})


@pytest.mark.parametrize("what", ["reward", "redeem", "raffle"])
@pytest.mark.parametrize(
    ("text", "intent"), [("نه ولش کن", "deny"), ("نه", "deny"), ("بی‌خیال", "nlu_fallback"), ("لغو", "cancel")]
)
def test_a_no_keeps_the_points(what: str, text: str, intent: str) -> None:
    assert read(what, text, intent) == ("drop_redeem", {})


@pytest.mark.parametrize("text", ["آره ولی نه الان", "آره؟", "چقدر می‌مونه برام"])
def test_nothing_is_spent_on_a_word_that_may_mean_the_contrary(text: str) -> None:
    assert read("redeem", text, "affirm") == ("affirm", {})


def test_nothing_is_spent_on_a_yes_to_something_else() -> None:
    assert read("redeem", "آره", "affirm", is_latest=False) == ("affirm", {})


@pytest.mark.parametrize("text", ["k7m2px", "کدش اینه K7M-2PX", "K۷M۲PX"])
def test_a_friends_code_is_read_in_any_spelling(text: str) -> None:
    assert read("friend_code", text) == ("enter_friend_code", {"code": "K7M2PX"})


@pytest.mark.parametrize("taken_for", ["thank", "greet", "complaint_status", "request_human"])
def test_a_friends_code_is_one_whatever_it_was_taken_for(taken_for: str) -> None:
    assert read("friend_code", "K7M2PX", taken_for) == ("enter_friend_code", {"code": "K7M2PX"})
    assert read("friend_code", "mamnoon", taken_for) == (taken_for, {})


def test_more_of_the_history_is_asked_for_in_words() -> None:
    assert read("history", "بقیه‌ش") == ("history_more", {"before": "99"})
    assert read("history", "ممنون", "thank") == ("thank", {})
