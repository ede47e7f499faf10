"""How points are earned, as the owner's rules have it now."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from actions.base import environment
from actions.loyalty_club import day_text, minimum_text, rate_text, referral_reward, times_text
from actions.texts import Rich, fragment
from crm_store.base import utcnow
from crm_store.business.loyalty import Campaign, Loyalty, ReferralRules
from crm_store.persian.jalali_days import jalali_day, month_end

#: A campaign is spoken of from so many days before it begins.
ANNOUNCED = timedelta(days=30)


def ways_to_earn(loyalty: Loyalty) -> list[Rich]:
    """A line for each way, and what to know about points; nothing of what is switched off."""
    return [
        fragment("utter_club_earn_purchase_line", rate=rate_text(loyalty.tomans_per_point)),
        *_categories(loyalty),
        *_multipliers(loyalty),
        *_gifts(loyalty),
        fragment("utter_club_earn_expiry_line", months=loyalty.expires_after_months)
        if loyalty.expires_after_months
        else fragment("utter_club_earn_return_line"),
    ]


def _categories(loyalty: Loyalty) -> list[Rich]:
    return [
        fragment("utter_club_earn_category_line", category=one.title, rate=rate_text(one.tomans_per_point))
        if one.tomans_per_point
        else fragment("utter_club_earn_no_category_line", category=one.title)
        for one in loyalty.categories
    ]


def _multipliers(loyalty: Loyalty) -> list[Rich]:
    lines = [
        fragment("utter_club_earn_tier_line", tier=tier.name, times=times_text(tier.multiplier))
        for tier in loyalty.tiers
        if tier.multiplier > 1
    ]
    for campaign in loyalty.campaigns:
        days = _days_of(campaign)
        if days is not None:
            lines.append(_line_of(campaign, days, loyalty))
    if loyalty.birthday.multiplier > 1:
        lines.append(
            fragment(
                "utter_club_earn_birthday_line",
                days=loyalty.birthday.days_around,
                times=times_text(loyalty.birthday.multiplier),
            )
        )
    return lines


def _line_of(campaign: Campaign, days: tuple[date, date], loyalty: Loyalty) -> Rich:
    """What a campaign brings, and for what if not for everything."""
    told = {
        "title": campaign.title,
        "first": day_text(_noon(days[0])),
        "last": day_text(_noon(days[1])),
        "times": times_text(campaign.multiplier),
    }
    if not campaign.categories:
        return fragment("utter_club_earn_campaign_line", **told)
    titles = {one.category: one.title for one in loyalty.categories}
    named = "، ".join(titles.get(category, category) for category in campaign.categories)
    return fragment("utter_club_earn_campaign_categories_line", **told, categories=named)


def _gifts(loyalty: Loyalty) -> list[Rich]:
    lines = []
    if loyalty.first_purchase_points:
        lines.append(fragment("utter_club_earn_first_line", points=loyalty.first_purchase_points))
    if loyalty.referral.referrer_points or loyalty.referral.friend_points:
        lines.append(_line_of_friends(loyalty.referral))
    if loyalty.survey_points:
        limit = loyalty.survey_monthly_limit
        lines.append(fragment("utter_club_earn_survey_line", points=loyalty.survey_points, limit=limit))
    return lines


def _line_of_friends(rules: ReferralRules) -> Rich:
    reward, minimum = referral_reward(rules), minimum_text(rules)
    if minimum:
        return fragment("utter_club_earn_referral_from_line", reward=reward, minimum=minimum)
    return fragment("utter_club_earn_referral_line", reward=reward)


def _days_of(campaign: Campaign) -> tuple[date, date] | None:
    """First and last day of a campaign; None for one that is over, or far away."""
    first, last = (_day(written) for written in (campaign.first_day, campaign.last_day))
    today = utcnow().astimezone(ZoneInfo(environment().rules.timezone)).date()
    return (first, last) if first - ANNOUNCED <= today <= last else None


def _day(written: str) -> date:
    """A day of the business file, ``1405/07/01``; the last one of a month that has no such day."""
    year, month, day = (int(part) for part in written.split("/"))
    return jalali_day(year, month, day) or month_end(year, month)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(environment().rules.timezone))
