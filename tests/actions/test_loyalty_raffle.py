"""Raffles in conversation: which there are, chances by right and with points, and past winners."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actions.base import environment
from actions.loyalty_raffle import ActionJoinRaffle, ActionLoyaltyRaffle
from bot.nlu.expected import as_expected
from crm_store.base import utcnow
from crm_store.loyalty.models import RaffleEntry
from crm_store.loyalty.raffles import open_raffle
from crm_store.persian.jalali_days import jalali_day
from crm_store.settings import Settings
from tests.actions.club_chat import CLUB, NO_CLUB, earn, entities_of, points_of
from tests.actions.conftest import Chat


@pytest.fixture(autouse=True)
def business(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(CLUB, encoding="utf-8")


def a_raffle(chat: Chat, **changed: Any) -> int:
    told: dict[str, Any] = {
        "key": "yalda",
        "title": "قرعه‌کشی یلدا",
        "prize": "یک گوشی",
        "winners": 2,
        "points": 100,
        "chances": 3,
        "by_right": ["*"],
        "closes_at": utcnow() + timedelta(days=5),
        **changed,
    }
    with chat.database.write() as session:
        return open_raffle(session, **told, actor="operator", rules=environment().rules).id


def press(chat: Chat, number: int = 0) -> set[str]:
    """Tap one of the buttons that were shown last."""
    values = {name: [value] for name, value in entities_of(chat.buttons[number]["payload"]).items()}
    return chat.run(ActionJoinRaffle(), intent="join_raffle", trusted=True, entities=values)


def entries(chat: Chat) -> list[RaffleEntry]:
    with chat.database.read() as session:
        return list(session.query(RaffleEntry).order_by(RaffleEntry.id))


def test_a_raffle_is_told_with_ones_chances(chat: Chat) -> None:
    a_raffle(chat)
    earn(chat, 10)
    assert chat.run(ActionLoyaltyRaffle(), "قرعه‌کشی کیه") == {"utter_club_raffle_out"}
    assert "یک گوشی" in chat.told("utter_club_raffle_out")["prize"]
    assert press(chat) == {"utter_club_raffle_joined"}
    assert chat.run(ActionLoyaltyRaffle(), "شانسم چقدره") == {"utter_club_raffle_in"}


@pytest.mark.parametrize(
    ("day", "hour", "told"),
    [((1449, 9, 30), 20, "۳۰ آذر ۱۴۴۹، ساعت ۲۰:۰۰"), ((1449, 10, 1), 0, "۳۰ آذر ۱۴۴۹، ساعت ۲۳:۵۹")],
)
def test_a_raffle_is_told_with_the_hour_at_which_it_closes(
    chat: Chat, day: tuple[int, int, int], hour: int, told: str
) -> None:
    closes_on = jalali_day(*day)
    assert closes_on is not None
    a_raffle(chat, closes_at=datetime.combine(closes_on, time(hour), ZoneInfo("Asia/Tehran")))
    chat.run(ActionLoyaltyRaffle(), "قرعه‌کشی کیه")
    assert told in chat.told("utter_club_raffle_out")["when"]


def test_a_chance_by_right_is_taken_at_once_and_costs_nothing(chat: Chat) -> None:
    a_raffle(chat)
    earn(chat, 300)
    assert chat.run(ActionLoyaltyRaffle(), "اسم منو تو قرعه‌کشی بنویس") == {"utter_club_raffle_joined"}
    chat.run(ActionLoyaltyRaffle(), "اسم منو تو قرعه‌کشی بنویس", again=True)
    assert len(entries(chat)) == 1
    assert points_of(chat) == 300


@pytest.mark.parametrize("text", ["منم تو قرعه‌کشی اسمم هست؟", "چجوری تو قرعه‌کشی شرکت کنم"])
def test_whoever_only_asks_is_not_entered(chat: Chat, text: str) -> None:
    a_raffle(chat)
    earn(chat, 300)
    assert chat.run(ActionLoyaltyRaffle(), text) == {"utter_club_raffle_out"}
    assert entries(chat) == []


def test_a_further_chance_costs_points_after_a_yes_and_once(chat: Chat) -> None:
    a_raffle(chat)
    earn(chat, 300)
    chat.run(ActionLoyaltyRaffle(), "می‌خوام شرکت کنم")
    assert chat.run(ActionLoyaltyRaffle(), "می‌خوام شرکت کنم") == {"utter_club_raffle_confirm"}
    assert points_of(chat) == 300
    named = {"name": "affirm", "confidence": 0.9}
    expected = {**chat.told("utter_club_raffle_confirm")["custom"]["expects"], "is_latest": True}
    parsed = as_expected({"intent": named, "intent_ranking": [named], "entities": []}, "آره", expected)
    assert parsed["intent"]["name"] == "join_raffle"
    assert press(chat) == {"utter_club_raffle_joined"}
    values = {one["entity"]: [one["value"]] for one in parsed["entities"]}
    assert chat.run(ActionJoinRaffle(), "آره", intent="join_raffle", entities=values) == {
        "utter_club_raffle_joined"
    }
    assert len(entries(chat)) == 2
    assert points_of(chat) == 200


def test_too_few_points_and_too_many_chances_are_told(chat: Chat) -> None:
    a_raffle(chat, chances=2)
    earn(chat, 150)
    chat.run(ActionLoyaltyRaffle(), "می‌خوام شرکت کنم")
    chat.run(ActionLoyaltyRaffle(), "می‌خوام شرکت کنم")
    press(chat)
    assert chat.run(ActionLoyaltyRaffle(), "می‌خوام شرکت کنم") == {"utter_club_raffle_limit"}
    a_raffle(chat, key="other", closes_at=utcnow() + timedelta(days=9), by_right=[])
    chat.run(ActionLoyaltyRaffle(), "قرعه‌کشی کیه")
    assert press(chat) == {"utter_club_raffle_missing"}


def test_a_raffle_for_members_of_a_tier_is_not_for_others(chat: Chat) -> None:
    raffle = a_raffle(chat, points=0, by_right=["نقره‌ای"])
    earn(chat, 10)
    where: dict[str, Any] = {"intent": "join_raffle", "trusted": True, "entities": {"raffle": [str(raffle)]}}
    assert chat.run(ActionJoinRaffle(), **where) == {"utter_club_raffle_not_for_you"}


def test_without_a_raffle_or_winners_that_is_said(chat: Chat, settings: Settings) -> None:
    assert chat.run(ActionLoyaltyRaffle(), "قرعه‌کشی کیه") == {"utter_club_no_raffle"}
    assert chat.run(ActionLoyaltyRaffle(), "برنده‌های قبلی کیا بودن") == {"utter_club_no_winners"}
    assert chat.run(ActionLoyaltyRaffle(), "قرعه‌کشیتون واقعیه؟") == {
        "utter_club_raffle_fair",
        "utter_club_no_raffle",
    }
    Path(settings.business_path).write_text(NO_CLUB, encoding="utf-8")
    assert chat.run(ActionLoyaltyRaffle(), "قرعه‌کشی کیه") == {"utter_club_off"}
