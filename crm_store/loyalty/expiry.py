"""When points lapse: so many Jalali months after they came in."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_store.persian.jalali_days import add_months
from crm_store.rules import Rules


def expiry_of(earned_at: datetime, rules: Rules) -> datetime | None:
    """From when on points that came in at a moment cannot be spent.

    Points of 30 Shahrivar with twelve months can be spent on the whole of 30 Shahrivar of the next year;
    where a month is shorter, on its last day.

    Returns:
        The midnight after the last day, local time; None where points never lapse.
    """
    months = rules.business.loyalty.expires_after_months
    if not months:
        return None
    zone = ZoneInfo(rules.timezone)
    last_day = add_months(earned_at.astimezone(zone).date(), months)
    return datetime.combine(last_day + timedelta(days=1), time.min, zone)
