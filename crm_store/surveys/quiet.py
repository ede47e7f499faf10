"""Quiet hours: the times of the local day at which nobody is asked for an opinion."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from crm_store.business.surveys import Surveys
from crm_store.rules import Rules

_DAY = timedelta(days=1)


def is_quiet(moment: datetime, *, rules: Rules) -> bool:
    """Whether nobody is asked at a moment; quiet hours that begin and end alike are none."""
    begins, ends = _hours(rules.business.surveys)
    at = moment.astimezone(ZoneInfo(rules.timezone)).time()
    if begins <= ends:
        return begins <= at < ends
    return at >= begins or at < ends


def allowed_from(moment: datetime, *, rules: Rules) -> datetime:
    """The first moment from this one on that is not quiet, in UTC."""
    if not is_quiet(moment, rules=rules):
        return moment.astimezone(timezone.utc)
    return _next(moment, _hours(rules.business.surveys)[1], rules)


def quiet_from(moment: datetime, *, rules: Rules) -> datetime | None:
    """When the next quiet hours begin, in UTC; None where there are none."""
    begins, ends = _hours(rules.business.surveys)
    return _next(moment, begins, rules) if begins != ends else None


def _next(moment: datetime, at: time, rules: Rules) -> datetime:
    """The first time that a clock on the wall shows a time of day after a moment."""
    day = moment.astimezone(ZoneInfo(rules.timezone)).date()
    found = (_moments(day + number * _DAY, at, rules) for number in range(-1, 3))
    return min(one for both in found for one in both if one > moment)


def _moments(day: date, at: time, rules: Rules) -> tuple[datetime, datetime]:
    """Both moments of a local time of day: where clocks are set back there are two, mostly they are one."""
    local = datetime.combine(day, at, tzinfo=ZoneInfo(rules.timezone))
    return local.astimezone(timezone.utc), local.replace(fold=1).astimezone(timezone.utc)


def _hours(surveys: Surveys) -> tuple[time, time]:
    return time.fromisoformat(surveys.quiet_from), time.fromisoformat(surveys.quiet_until)
