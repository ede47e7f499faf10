"""How many points a purchase brings: exact fractions, rounded down once for the whole purchase.

So an order that is split into several never brings more than in one piece, and what is left of a purchase
after a return is counted by the very numbers that counted the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from crm_store.business.loyalty import Birthday, Campaign, Loyalty
from crm_store.persian.jalali_days import jalali, jalali_day, month_end

_RIALS_IN_A_TOMAN = 10
_TWO_YEARS = 2


class Line(NamedTuple):
    """A line of a purchase.

    Attributes:
        category: as the shop names it; empty for none.
        amount: in rials.
    """

    category: str
    amount: int


class Rate(msgspec.Struct, frozen=True):
    """How the rials of a line become points.

    Attributes:
        rials: one point for so many; 0 for no points.
        times: the multipliers of tier, birthday and campaign, multiplied with each other, as text.
    """

    rials: int
    times: str = "1"

    @property
    def multiplier(self) -> Fraction:
        """The multiplier, exactly."""
        return Fraction(self.times)


class Counted(msgspec.Struct, frozen=True):
    """What a purchase brings.

    Attributes:
        points: in all.
        base: what counts for the tier, without multipliers.
        rates: how each line was counted, in the order of the lines.
    """

    points: int
    base: int
    rates: list[Rate]

    def as_data(self) -> dict[str, Any]:
        """For the posting: with it, what is left after a return can be counted (`left_of`)."""
        return {"rates": [[rate.rials, rate.times] for rate in self.rates]}


def rates_of(data: Mapping[str, Any]) -> list[Rate]:
    """How the lines of a posting were counted."""
    return [Rate(int(rials), str(times)) for rials, times in data.get("rates", [])]


def count_points(
    loyalty: Loyalty,
    *,
    lines: Sequence[Line],
    paid_at: datetime,
    tier: str,
    birthday: date | None,
    timezone: str,
) -> Counted:
    """What a purchase brings by the rules.

    Args:
        loyalty: the rules.
        lines: what was paid.
        paid_at: decides about campaigns and birthday, by the local day.
        tier: the customer's, by its name.
        birthday: the customer's, Gregorian; None when it is not known.
        timezone: where days begin.
    """
    day = paid_at.astimezone(ZoneInfo(timezone)).date()
    level = loyalty.tier(tier)
    common = _exact(level.multiplier if level is not None else 1)
    if birthday is not None and is_near_birthday(birthday, day, loyalty.birthday):
        common *= _exact(loyalty.birthday.multiplier)
    rates = [
        Rate(_rials_per_point(loyalty, line.category), str(common * _campaign(loyalty, line.category, day)))
        for line in lines
    ]
    return count_by(rates, [line.amount for line in lines])


def count_by(rates: Sequence[Rate], amounts: Sequence[int]) -> Counted:
    """What amounts bring, line by line, by rates that are known."""
    base = points = Fraction(0)
    for rate, amount in zip(rates, amounts, strict=True):
        if rate.rials:
            base += Fraction(amount, rate.rials)
            points += Fraction(amount, rate.rials) * rate.multiplier
    return Counted(math.floor(points), math.floor(base), list(rates))


def is_near_birthday(birthday: date, day: date, rules: Birthday) -> bool:
    """Whether a day is near somebody's birthday by the Jalali calendar.

    Whoever was born on 30 Esfand has it on the last day of Esfand in the years between.
    """
    _year, month, number = jalali(birthday)
    this_year = jalali(day)[0]
    near = timedelta(days=rules.days_around)
    for year in range(this_year - 1, this_year + _TWO_YEARS):
        in_year = jalali_day(year, month, number) or month_end(year, month)
        if abs(in_year - day) <= near:
            return True
    return False


def _campaign(loyalty: Loyalty, category: str, day: date) -> Fraction:
    """The largest multiplier of the campaigns of a day."""
    times = [
        _exact(campaign.multiplier)
        for campaign in loyalty.campaigns
        if _holds(campaign, day) and (not campaign.categories or category in campaign.categories)
    ]
    return max(times, default=Fraction(1))


def _holds(campaign: Campaign, day: date) -> bool:
    # Written as 1405/07/01, Jalali dates are in the order of their texts.
    year, month, number = jalali(day)
    return campaign.first_day <= f"{year:04}/{month:02}/{number:02}" <= campaign.last_day


def _rials_per_point(loyalty: Loyalty, category: str) -> int:
    own = (rate.tomans_per_point for rate in loyalty.categories if rate.category == category)
    return next(own, loyalty.tomans_per_point) * _RIALS_IN_A_TOMAN


def _exact(multiplier: float) -> Fraction:
    """The number that the owner wrote, not the nearest binary one."""
    return Fraction(str(multiplier))
