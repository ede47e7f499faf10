"""What customers hear of their points: what they have, where it came from, the tier, and how to earn."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from actions.base import environment
from actions.loyalty import (
    PAGE,
    ActionLoyaltyBalance,
    ActionLoyaltyHistory,
    ActionLoyaltyHowToEarn,
    ActionLoyaltyTier,
)
from actions.loyalty_club import first_name
from actions.shared import ActionReceiveMedia
from crm_store.base import utcnow
from crm_store.customers.service import add_phone
from crm_store.loyalty import ledger
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.redemptions import cancel, redeem
from crm_store.persian import to_jalali_text
from crm_store.persian.jalali_days import jalali_day
from crm_store.pictures import draw
from crm_store.settings import Settings
from tests.actions.club_chat import CLUB, NO_CLUB, customer_in, earn, entities_of
from tests.actions.conftest import Chat

TEHRAN = ZoneInfo("Asia/Tehran")
CAMPAIGN = """
[[loyalty.campaigns]]
title = "جشن سالانه"
first_day = "1400/01/01"
last_day = "1499/12/29"
multiplier = 2
"""


@pytest.fixture(autouse=True)
def business(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(CLUB, encoding="utf-8")


def in_days(days: int) -> tuple[str, datetime]:
    """A day to come, as it is shown, and the midnight that ends it."""
    day = utcnow().astimezone(TEHRAN).date() + timedelta(days=days)
    shown = to_jalali_text(datetime.combine(day, time(12), TEHRAN))
    return shown, datetime.combine(day + timedelta(days=1), time.min, TEHRAN)


def ways(chat: Chat, settings: Settings, club: str) -> str:
    """How points are earned in a club."""
    Path(settings.business_path).write_text(club, encoding="utf-8")
    chat.run(ActionLoyaltyHowToEarn(), "چجوری امتیاز بگیرم")
    return str(chat.told("utter_club_how_to_earn")["lines"])


@pytest.mark.parametrize(
    "action", [ActionLoyaltyBalance, ActionLoyaltyHistory, ActionLoyaltyTier, ActionLoyaltyHowToEarn]
)
def test_without_a_club_it_is_said_honestly(chat: Chat, settings: Settings, action: type) -> None:
    Path(settings.business_path).write_text(NO_CLUB, encoding="utf-8")
    assert chat.run(action(), "امتیازم چنده") == {"utter_club_off"}


def test_whoever_is_not_in_the_club_yet_is_asked_for_the_number_under_which_purchases_may_wait(
    chat: Chat,
) -> None:
    assert chat.run(ActionLoyaltyBalance(), "امتیازم چنده") == {"utter_club_prove_phone"}
    assert "۱۰٬۰۰۰ تومان" in chat.told("utter_club_prove_phone")["rate"]


def test_whose_number_is_proven_hears_how_to_begin(chat: Chat) -> None:
    with chat.database.write() as session:
        add_phone(session, customer_id=customer_in(chat), phone="+989121112233", proven=True)
    assert chat.run(ActionLoyaltyBalance(), "امتیازم چنده") == {"utter_club_not_member"}


@pytest.mark.parametrize("asked", ["utter_club_prove_phone", "utter_club_friend_prove_phone"])
def test_a_number_that_was_proven_for_the_club_is_answered_with_what_there_is(chat: Chat, asked: str) -> None:
    chat.ran_before(asked, text="امتیازم چنده")
    assert chat.run(ActionReceiveMedia(), intent="media", contact="+989121112233") == {
        "utter_club_nothing_under_phone"
    }
    earn(chat, 120)
    chat.ran_before("utter_club_prove_phone", text="امتیازم چنده")
    assert chat.run(ActionReceiveMedia(), intent="media", contact="+989121112233") == {"utter_club_balance"}


def test_the_balance_is_told_with_a_card(chat: Chat) -> None:
    earn(chat, 1250)
    assert chat.run(ActionLoyaltyBalance(), "امتیازم چنده") == {"utter_club_balance"}
    told = chat.told("utter_club_balance")
    assert "۱٬۲۵۰" in told["points"]
    assert told["custom"]["picture"]["kind"] == "balance"
    assert told["custom"]["picture"]["params"]["points"] == 1250
    assert draw("balance", told["custom"]["picture"]["params"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("full_name", "name"),
    [
        ("سارا رضایی", "سارا"),
        ("سید علی رضایی", "سید علی"),
        ("Ali Rezaei", "Ali"),
        ("خانم دکتر احمدی", "خانم دکتر احمدی"),
        ("", ""),
    ],
)
def test_the_card_calls_its_owner_by_the_first_name(chat: Chat, full_name: str, name: str) -> None:
    assert first_name(full_name) == name


def test_what_lapses_soon_is_told_with_its_last_day(chat: Chat) -> None:
    last_day, midnight = in_days(10)
    earn(chat, 60, expires_at=midnight)
    earn(chat, 40, expires_at=midnight)
    earn(chat, 300)
    assert chat.run(ActionLoyaltyBalance(), "چند امتیاز دارم") == {"utter_club_balance_soon"}
    told = chat.told("utter_club_balance_soon")
    assert "۴۰۰" in told["points"]
    assert "۱۰۰" in told["soon"]
    assert last_day in told["when"]
    card = told["custom"]["picture"]["params"]
    assert (card["expiring"], card["expires_on"]) == (100, last_day)


def test_of_points_that_lapse_soon_on_several_days_the_first_part_is_told_with_its_own_day(
    chat: Chat,
) -> None:
    last_day, midnight = in_days(10)
    earn(chat, 60, expires_at=midnight)
    earn(chat, 40, expires_at=in_days(20)[1])
    assert chat.run(ActionLoyaltyBalance(), "چند امتیاز دارم") == {"utter_club_balance_soon_parts"}
    told = chat.told("utter_club_balance_soon_parts")
    assert "۱۰۰" in told["soon"]
    assert "۶۰" in told["first"]
    assert last_day in told["when"]
    card = told["custom"]["picture"]["params"]
    assert (card["expiring"], card["expires_on"]) == (60, last_day)


def test_whoever_asks_when_points_lapse_hears_the_last_day_on_which_they_can_be_spent(chat: Chat) -> None:
    earned_on = jalali_day(1449, 6, 30)
    assert earned_on is not None
    earned_at = datetime.combine(earned_on, time(20), TEHRAN)
    earn(chat, 100, expires_at=expiry_of(earned_at, environment().rules))
    assert chat.run(ActionLoyaltyBalance(), "امتیازام کی منقضی میشه؟") == {"utter_club_balance_later"}
    assert "۳۰ شهریور ۱۴۵۰" in chat.told("utter_club_balance_later")["when"]


def test_where_only_some_of_the_points_lapse_the_day_is_told_of_these(chat: Chat) -> None:
    last_day, midnight = in_days(100)
    earn(chat, 100, expires_at=midnight)
    earn(chat, 50, expires_in=None)
    assert chat.run(ActionLoyaltyBalance(), "امتیازام کی منقضی میشه؟") == {"utter_club_balance_later_parts"}
    told = chat.told("utter_club_balance_later_parts")
    assert "۱۵۰" in told["points"]
    assert "۱۰۰" in told["first"]
    assert last_day in told["when"]


def test_points_that_never_lapse_are_said_to_last(chat: Chat) -> None:
    earn(chat, 100, expires_in=None)
    assert chat.run(ActionLoyaltyBalance(), "امتیازم کی می‌سوزه") == {"utter_club_balance_lasting"}


def test_a_debt_is_explained_and_nothing_is_shown_below_zero(chat: Chat) -> None:
    earned = earn(chat, 100, base=100)
    with chat.database.write() as session:
        where = {"customer_id": customer_in(chat), "actor": "system"}
        ledger.spend(session, **where, points=80, cause="reward:mug", key="spent")
        ledger.take_back(
            session, **where, earned=session.merge(earned), points=100, base=100, cause="return:1", key="back"
        )
    assert chat.run(ActionLoyaltyBalance(), "امتیازم چنده") == {"utter_club_debt"}
    assert "۸۰" in chat.told("utter_club_debt")["debt"]


def test_the_history_tells_what_came_and_went_and_why(chat: Chat) -> None:
    earn(chat, 100)
    with chat.database.write() as session:
        ledger.spend(
            session,
            customer_id=customer_in(chat),
            points=30,
            cause="raffle:1",
            actor="customer",
            key="spent",
        )
    assert chat.run(ActionLoyaltyHistory(), "ریز امتیازام") == {"utter_club_history"}
    spent, came = chat.told("utter_club_history")["lines"].splitlines()
    assert "۳۰" in spent
    assert "کم شد" in spent
    assert "قرعه‌کشی" in spent
    assert "۱۰۰" in came
    assert "خرید" in came
    assert chat.buttons == []


def test_what_was_bought_stands_in_the_history_by_its_name_and_so_does_its_return(chat: Chat) -> None:
    earn(chat, 300)
    with chat.database.write() as session:
        where = {"customer_id": customer_in(chat)}
        code = redeem(session, **where, reward="mug", key="k", rules=environment().rules)
        cancel(session, **where, redemption_id=code.id, actor="customer")
    chat.run(ActionLoyaltyHistory(), "ریز امتیازام")
    back, bought, _ = chat.told("utter_club_history")["lines"].splitlines()
    assert "برگشت" in back
    assert "اضافه شد" in back
    assert "ماگ سپیدار" in bought


def test_a_long_history_comes_in_pages(chat: Chat) -> None:
    for number in range(PAGE + 2):
        earn(chat, 10 + number)
    chat.run(ActionLoyaltyHistory(), "ریز امتیازام")
    (more,) = chat.buttons
    before = entities_of(more["payload"])["before"]
    expects = chat.told("utter_club_history")["custom"]["expects"]
    assert expects == {"what": "history", "ticket": before}
    chat.run(ActionLoyaltyHistory(), intent="history_more", trusted=True, entities={"before": [before]})
    lines = chat.told("utter_club_history_page")["lines"].splitlines()
    assert len(lines) == 2
    assert chat.buttons == []


def test_the_tier_is_told_with_the_way_to_the_next_one(chat: Chat) -> None:
    earn(chat, 400, base=400)
    assert chat.run(ActionLoyaltyTier(), "سطحم چیه") == {"utter_club_tier"}
    told = chat.told("utter_club_tier")
    assert "برنزی" in told["tier"]
    assert "نقره‌ای" in told["next"]
    assert "۶۰۰" in told["missing"]
    assert told["custom"]["picture"]["kind"] == "tier"
    assert draw("tier", told["custom"]["picture"]["params"]).startswith(b"\x89PNG")


def test_what_tiers_bring_is_told_to_whoever_asks(chat: Chat) -> None:
    earn(chat, 400, base=400)
    assert "utter_club_tiers" in chat.run(ActionLoyaltyTier(), "مزایای سطح نقره‌ای چیه")
    assert "ارسال رایگان" in chat.told("utter_club_tiers")["lines"]


def test_how_to_earn_tells_what_is_switched_on_and_nothing_else(chat: Chat, settings: Settings) -> None:
    chat.run(ActionLoyaltyHowToEarn(), "چجوری امتیاز بگیرم")
    told = chat.told("utter_club_how_to_earn")["lines"]
    for part in ("۱۰٬۰۰۰ تومان", "لوازم جانبی", "نقره‌ای", "۱٫۵", "۵۰", "معرفی دوست", "۱۲"):
        assert part in told
    assert "تولد" not in told
    assert "نظرسنجی" not in told
    plain = CLUB.replace("referrer_points = 150", "").replace("friend_points = 100", "")
    assert "معرفی" not in ways(chat, settings, plain)


def test_a_campaign_for_some_categories_is_told_for_these_alone(chat: Chat, settings: Settings) -> None:
    told = ways(chat, settings, f'{CLUB}{CAMPAIGN}categories = ["accessories", "cables"]\n')
    (line,) = (line for line in told.splitlines() if "جشن سالانه" in line)
    assert "فقط برای" in line
    assert "لوازم جانبی، cables" in line
    (line,) = (line for line in ways(chat, settings, CLUB + CAMPAIGN).splitlines() if "جشن سالانه" in line)
    assert "فقط برای" not in line


def test_what_friends_bring_is_told_with_the_least_purchase_and_the_limit(
    chat: Chat, settings: Settings
) -> None:
    asked = CLUB.replace(
        "[loyalty.referral]", "[loyalty.referral]\nminimum_tomans = 200000\nyearly_limit = 7"
    )
    (line,) = (line for line in ways(chat, settings, asked).splitlines() if "معرفی دوست" in line)
    assert "۲۰۰٬۰۰۰ تومان" in line
    assert "به بالا" in line
    assert "۷" in line
    (line,) = (line for line in ways(chat, settings, CLUB).splitlines() if "معرفی دوست" in line)
    assert "به بالا" not in line
    assert "۱۰" in line.replace("۱۰۰", "")


def test_a_survey_is_told_with_how_often_it_brings_points(chat: Chat, settings: Settings) -> None:
    asked = CLUB.replace("[loyalty]", "[loyalty]\nsurvey_points = 20\nsurvey_monthly_limit = 3")
    (line,) = (line for line in ways(chat, settings, asked).splitlines() if "نظرسنجی" in line)
    assert "۲۰" in line
    assert "۳" in line
