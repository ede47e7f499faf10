"""How many points a purchase brings."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from crm_store.business.loyalty import Birthday, Campaign, CategoryRate, Loyalty, Tier
from crm_store.loyalty.counting import Line, count_by, count_points, is_near_birthday, rates_of

TEHRAN = "Asia/Tehran"
CLUB = Loyalty(
    tomans_per_point=10_000,
    categories=(
        CategoryRate("accessories", "لوازم جانبی", 5_000),
        CategoryRate("gift_cards", "کارت هدیه", 0),
    ),
    tiers=(Tier("برنزی"), Tier("نقره‌ای", 100, 1.1), Tier("طلایی", 1000, 2)),
    campaigns=(
        Campaign("پاییز", "1405/09/01", "1405/09/10", 2),
        Campaign("یلدا", "1405/09/05", "1405/09/30", 3, ("accessories",)),
    ),
    birthday=Birthday(2, 3),
)


def at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    """A moment in Tehran by the Jalali calendar."""
    gregorian: date = JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
    return datetime.combine(gregorian, datetime.min.time(), timezone(timedelta(hours=3, minutes=30))) + (
        timedelta(hours=hour)
    )


def count(*lines: tuple[str, int], paid_at: datetime, tier: str = "", birthday: date | None = None) -> int:
    told = [Line(category, tomans * 10) for category, tomans in lines]
    return count_points(
        CLUB, lines=told, paid_at=paid_at, tier=tier, birthday=birthday, timezone=TEHRAN
    ).points


@pytest.mark.parametrize(
    ("lines", "paid_at", "tier", "points"),
    [
        ([("", 100_000)], at(1405, 8, 1), "", 10),
        ([("", 99_999)], at(1405, 8, 1), "", 9),
        ([("", 99_999), ("", 1)], at(1405, 8, 1), "", 10),
        ([("accessories", 100_000)], at(1405, 8, 1), "", 20),
        ([("gift_cards", 9_000_000)], at(1405, 8, 1), "طلایی", 0),
        ([("", 100_000)], at(1405, 8, 1), "نقره‌ای", 11),
        ([("", 100_000)], at(1405, 8, 1), "سطحی که دیگر نیست", 10),
        ([("", 100_000)], at(1405, 9, 1, 0), "", 20),
        ([("", 100_000)], at(1405, 9, 10, 23), "", 20),
        ([("", 100_000)], at(1405, 9, 11, 0), "", 10),
        ([("accessories", 100_000)], at(1405, 9, 7), "", 60),
        ([("", 100_000), ("accessories", 100_000)], at(1405, 9, 7), "طلایی", 2 * (20 + 60)),
    ],
)
def test_points_follow_category_campaign_and_tier(
    lines: list[tuple[str, int]], paid_at: datetime, tier: str, points: int
) -> None:
    assert count(*lines, paid_at=paid_at, tier=tier) == points


def test_a_birthday_multiplies_what_tier_and_campaign_gave() -> None:
    born = at(1370, 9, 5).date()
    assert count(("", 100_000), paid_at=at(1405, 9, 8), tier="طلایی", birthday=born) == 10 * 2 * 2 * 2
    assert count(("", 100_000), paid_at=at(1405, 9, 9), tier="طلایی", birthday=born) == 10 * 2 * 2


def test_whoever_was_born_on_a_leap_day_has_a_birthday_every_year() -> None:
    born = at(1399, 12, 30).date()
    assert is_near_birthday(born, at(1403, 12, 30).date(), Birthday(2, 0))
    assert is_near_birthday(born, at(1405, 12, 29).date(), Birthday(2, 0))
    assert not is_near_birthday(born, at(1405, 12, 28).date(), Birthday(2, 0))
    assert is_near_birthday(at(1370, 1, 1).date(), at(1404, 12, 28).date(), Birthday(2, 3))


def test_the_base_knows_no_multiplier() -> None:
    counted = count_points(
        CLUB,
        lines=[Line("", 1_000_000), Line("accessories", 1_000_000)],
        paid_at=at(1405, 9, 7),
        tier="طلایی",
        birthday=at(1370, 9, 7).date(),
        timezone=TEHRAN,
    )
    assert counted.base == 10 + 20


AMOUNTS = st.lists(
    st.tuples(st.sampled_from(["", "accessories", "gift_cards"]), st.integers(0, 10_000_000)),
    min_size=1,
    max_size=6,
)


@given(lines=AMOUNTS, tier=st.sampled_from(["", "نقره‌ای", "طلایی"]), days=st.integers(0, 60))
def test_a_split_order_never_brings_more(lines: list[tuple[str, int]], tier: str, days: int) -> None:
    paid_at = at(1405, 8, 20) + timedelta(days=days)
    apart = sum(count(line, paid_at=paid_at, tier=tier) for line in lines)
    assert apart <= count(*lines, paid_at=paid_at, tier=tier)


@given(lines=AMOUNTS, tier=st.sampled_from(["", "نقره‌ای", "طلایی"]))
def test_what_is_left_of_a_purchase_is_counted_by_the_numbers_of_then(
    lines: list[tuple[str, int]], tier: str
) -> None:
    counted = count_points(
        CLUB,
        lines=[Line(category, amount) for category, amount in lines],
        paid_at=at(1405, 9, 7),
        tier=tier,
        birthday=None,
        timezone=TEHRAN,
    )
    rates = rates_of(counted.as_data())
    assert count_by(rates, [amount for _category, amount in lines]).points == counted.points
    assert count_by(rates, [0] * len(lines)).points == 0
