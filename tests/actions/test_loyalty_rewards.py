"""What points buy: choosing, agreeing once, the code, and giving it back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from actions.loyalty_codes import ActionCancelCode
from actions.loyalty_rewards import (
    ActionChooseReward,
    ActionConfirmRedeem,
    ActionDropRedeem,
    ActionLoyaltyRedeem,
)
from bot.nlu.expected import as_expected
from crm_store.base import utcnow
from crm_store.loyalty import redemptions
from crm_store.loyalty.models import Redemption
from crm_store.persian import to_persian_digits
from crm_store.settings import Settings
from tests.actions.club_chat import CLUB, NO_CLUB, customer_in, earn, entities_of, points_of
from tests.actions.conftest import Chat

CATALOGUE = ["discount_50", "mug"]


@pytest.fixture(autouse=True)
def business(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(CLUB, encoding="utf-8")


def typed(chat: Chat, text: str, intent: str) -> tuple[str, dict[str, list[str]]]:
    """What a message becomes after the question that was asked last, with its values by entity."""
    expected = {**chat.said[-1][1]["custom"]["expects"], "is_latest": True}
    named = {"name": intent, "confidence": 0.8}
    parsed = as_expected({"intent": named, "intent_ranking": [named], "entities": []}, text, expected)
    return parsed["intent"]["name"], {one["entity"]: [one["value"]] for one in parsed["entities"]}


def press(chat: Chat, number: int = 0) -> dict[str, list[str]]:
    """The values of one of the buttons that were shown last."""
    return {name: [value] for name, value in entities_of(chat.buttons[number]["payload"]).items()}


def choose(chat: Chat, reward: str) -> None:
    """Tap a reward in the list."""
    chat.run(ActionChooseReward(), intent="choose_reward", trusted=True, entities={"reward": [reward]})


def confirm(chat: Chat, entities: dict[str, list[str]], **fields: Any) -> set[str]:
    """Agree to the question."""
    return chat.run(ActionConfirmRedeem(), intent="confirm_redeem", trusted=True, entities=entities, **fields)


def codes(chat: Chat) -> list[Redemption]:
    with chat.database.read() as session:
        return list(session.query(Redemption).order_by(Redemption.id))


def test_the_catalogue_tells_what_each_costs_and_what_is_in_the_way(chat: Chat) -> None:
    earn(chat, 300)
    assert chat.run(ActionLoyaltyRedeem(), "می‌خوام امتیازامو خرج کنم") == {"utter_club_rewards"}
    discount, mug, dinner = chat.told("utter_club_rewards")["lines"].splitlines()
    assert "۱۰۰" in discount
    assert "۳" in mug.replace("۲۵۰", "")
    assert "نقره‌ای" in dinner
    assert [entities_of(button["payload"])["reward"] for button in chat.buttons] == CATALOGUE


def test_whoever_has_too_little_sees_how_much_is_missing(chat: Chat) -> None:
    earn(chat, 40)
    assert chat.run(ActionLoyaltyRedeem(), "با امتیازم چی میدین") == {"utter_club_rewards_later"}
    assert "۶۰" in chat.told("utter_club_rewards_later")["lines"]


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        ("دومی", "mug"),
        ("همون کد تخفیف پنجاه تومنی", "discount_50"),
        ("ماگو می‌خوام", "mug"),
        ("۲", "mug"),
    ],
)
def test_a_typed_choice_is_asked_to_be_confirmed(chat: Chat, text: str, reward: str) -> None:
    earn(chat, 300)
    chat.run(ActionLoyaltyRedeem(), "می‌خوام امتیازامو خرج کنم")
    intent, values = typed(chat, text, "nlu_fallback")
    assert (intent, values) == ("choose_reward", {"reward": [reward]})
    assert chat.run(ActionChooseReward(), text, intent=intent, entities=values) == {
        "utter_club_confirm_reward"
    }


def test_a_message_that_names_the_reward_or_its_cost_goes_straight_to_the_question(chat: Chat) -> None:
    earn(chat, 400)
    chat.run(ActionLoyaltyRedeem(), "امتیازمو تبدیل کن به کد تخفیف")
    assert "۳۰۰" in chat.told("utter_club_confirm_reward")["rest"]
    chat.run(ActionLoyaltyRedeem(), "۲۵۰ تا از امتیازامو خرج کن")
    assert "ماگ" in chat.told("utter_club_confirm_reward")["title"]


def test_an_amount_shows_what_it_pays_for(chat: Chat) -> None:
    earn(chat, 400)
    chat.run(ActionLoyaltyRedeem(), "۲۰۰ تا از امتیازامو خرج کن")
    assert [entities_of(button["payload"])["reward"] for button in chat.buttons] == ["discount_50"]
    assert chat.run(ActionLoyaltyRedeem(), "۵۰ تا از امتیازامو خرج کن") == {"utter_club_rewards_not_within"}


def test_yes_gives_a_code_that_is_shown_with_its_last_day(chat: Chat) -> None:
    earn(chat, 300)
    choose(chat, "mug")
    intent, values = typed(chat, "آره", "affirm")
    assert intent == "confirm_redeem"
    assert chat.run(ActionConfirmRedeem(), "آره", intent=intent, entities=values) == {"utter_club_code"}
    (code,) = codes(chat)
    told = chat.told("utter_club_code")
    assert code.code[:5] in told["code"]
    assert "۵۰" in told["points"]
    assert points_of(chat) == 50


def test_the_same_question_is_paid_for_once_however_often_it_is_agreed_to(chat: Chat) -> None:
    earn(chat, 900)
    choose(chat, "mug")
    agreed, (intent, values) = press(chat), typed(chat, "آره", "affirm")
    confirm(chat, agreed)
    confirm(chat, agreed, again=True)
    chat.run(ActionConfirmRedeem(), "آره", intent=intent, entities=values)
    assert chat.said[0][0] == "utter_club_code"
    assert len(codes(chat)) == 1
    assert points_of(chat) == 650


def costs(settings: Settings, points: int) -> None:
    """The owner gives the mug another price."""
    own = CLUB.replace("points = 250", f"points = {points}")
    Path(settings.business_path).write_text(own, encoding="utf-8")


@pytest.mark.parametrize("answer", ["button", "آره"])
@pytest.mark.parametrize(("points", "left"), [(300, 600), (200, 700)])
def test_a_price_that_changed_after_the_question_is_agreed_to_anew(
    chat: Chat, settings: Settings, answer: str, points: int, left: int
) -> None:
    def agree() -> set[str]:
        return confirm(chat, press(chat) if answer == "button" else typed(chat, answer, "affirm")[1])

    earn(chat, 900)
    choose(chat, "mug")
    costs(settings, points)
    assert agree() == {"utter_club_confirm_reward_changed"}
    assert codes(chat) == []
    assert to_persian_digits(points) in chat.told("utter_club_confirm_reward_changed")["points"]
    assert agree() == {"utter_club_code"}
    assert points_of(chat) == left


def test_a_question_that_is_asked_anew_is_paid_for_once_all_the_same(chat: Chat, settings: Settings) -> None:
    earn(chat, 900)
    choose(chat, "mug")
    old = press(chat)
    costs(settings, 300)
    confirm(chat, old)
    first = press(chat)
    confirm(chat, old)
    second = press(chat)
    for agreed in (first, second, old):
        assert confirm(chat, agreed) == {"utter_club_code"}
    costs(settings, 350)
    assert confirm(chat, first) == {"utter_club_code"}
    assert len(codes(chat)) == 1
    assert points_of(chat) == 600


def test_whoever_cannot_pay_the_new_price_hears_what_is_missing(chat: Chat, settings: Settings) -> None:
    earn(chat, 260)
    choose(chat, "mug")
    costs(settings, 300)
    assert confirm(chat, press(chat)) == {"utter_club_reward_missing"}
    assert points_of(chat) == 260


@pytest.mark.parametrize("forged", ["mug", "mug:1", "mug:-250", "mug:", "mug:۲۵۰", "mug:250:1"])
def test_no_forged_price_buys_anything(chat: Chat, forged: str) -> None:
    earn(chat, 300)
    assert confirm(chat, {"reward": [forged], "asked": ["1"]}) == {"utter_club_confirm_reward_changed"}
    assert codes(chat) == []
    assert points_of(chat) == 300


def test_no_leaves_the_points_where_they_are(chat: Chat) -> None:
    earn(chat, 300)
    choose(chat, "mug")
    assert typed(chat, "نه ولش کن", "deny")[0] == "drop_redeem"
    assert chat.run(ActionDropRedeem(), "نه ولش کن", intent="drop_redeem") == {"utter_club_kept"}
    assert points_of(chat) == 300


@pytest.mark.parametrize("text", ["آره ولی نه الان", "چقدر می‌مونه؟"])
def test_nothing_is_spent_on_a_word_that_may_mean_the_contrary(chat: Chat, text: str) -> None:
    earn(chat, 300)
    choose(chat, "mug")
    assert typed(chat, text, "affirm")[0] == "affirm"


def test_a_reward_of_which_one_has_had_enough_is_refused_kindly(chat: Chat) -> None:
    earn(chat, 1000)
    for _ in range(2):
        choose(chat, "discount_50")
        confirm(chat, press(chat))
    choose(chat, "discount_50")
    assert chat.said[0][0] == "utter_club_reward_limit"
    assert points_of(chat) == 800


def test_a_second_question_is_refused_where_the_first_one_took_the_points(chat: Chat) -> None:
    earn(chat, 120)
    choose(chat, "discount_50")
    first = press(chat)
    choose(chat, "discount_50")
    second = press(chat)
    confirm(chat, first)
    assert confirm(chat, second) == {"utter_club_reward_missing"}
    assert points_of(chat) == 20


def test_open_codes_are_listed_and_given_back_once(chat: Chat) -> None:
    earn(chat, 300)
    choose(chat, "mug")
    confirm(chat, press(chat))
    assert chat.run(ActionLoyaltyRedeem(), "کدهام کجاست") == {"utter_club_codes"}
    back = press(chat)
    where: dict[str, Any] = {"intent": "cancel_code", "trusted": True, "entities": back}
    assert chat.run(ActionCancelCode(), **where) == {"utter_club_code_cancelled"}
    assert chat.run(ActionCancelCode(), again=True, **where) == {"utter_club_code_cancelled"}
    assert points_of(chat) == 300
    assert chat.run(ActionLoyaltyRedeem(), "کدهام") == {"utter_club_no_codes"}


def test_who_gives_a_code_back_too_late_hears_that_its_points_are_over(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    earn(chat, 300, expires_in=timedelta(days=2))
    choose(chat, "mug")
    confirm(chat, press(chat))
    chat.run(ActionLoyaltyRedeem(), "کدهام کجاست")
    where: dict[str, Any] = {"intent": "cancel_code", "trusted": True, "entities": press(chat)}
    later = utcnow() + timedelta(days=3)
    monkeypatch.setattr(redemptions, "utcnow", lambda: later)
    for again in (False, True):
        assert chat.run(ActionCancelCode(), again=again, **where) == {"utter_club_code_cancelled_late"}
    assert "۲۵۰" in chat.told("utter_club_code_cancelled_late")["lost"]


def test_somebody_elses_code_cannot_be_given_back(chat: Chat, stranger: Chat) -> None:
    earn(stranger, 300)
    choose(stranger, "mug")
    confirm(stranger, press(stranger))
    (code,) = codes(stranger)
    assert chat.run(
        ActionCancelCode(), intent="cancel_code", trusted=True, entities={"redemption": [str(code.id)]}
    ) == {"utter_club_code_cannot_cancel"}
    assert codes(chat)[0].customer_id == customer_in(stranger)
    assert codes(chat)[0].state == "active"


def test_without_a_club_or_rewards_it_is_said_honestly(chat: Chat, settings: Settings) -> None:
    bare = CLUB[: CLUB.index("[[loyalty.rewards]]")]
    Path(settings.business_path).write_text(bare, encoding="utf-8")
    assert chat.run(ActionLoyaltyRedeem(), "امتیازامو خرج کنم") == {"utter_club_no_rewards"}
    choose(chat, "mug")
    assert chat.said[0][0] == "utter_club_reward_unknown"
    Path(settings.business_path).write_text(NO_CLUB, encoding="utf-8")
    assert chat.run(ActionLoyaltyRedeem(), "امتیازامو خرج کنم") == {"utter_club_off"}
