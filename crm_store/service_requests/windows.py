"""When somebody can come: the windows of time that the business offers, in its own local time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from crm_store.business import WEEKDAYS, ServiceKind
from crm_store.persian import fold, span_text
from crm_store.rules import Rules
from crm_store.service_requests.models import ASSIGNED, SCHEDULED, BookingWindow, ServiceRequest
from crm_store.working_time import span_of


class Window(msgspec.Struct, frozen=True):
    """From when to when somebody comes, in UTC."""

    starts_at: datetime
    ends_at: datetime


def is_offered_in(kind: ServiceKind, city: str) -> bool:
    """Whether a kind of service is offered in a city; one without areas is offered everywhere."""
    return covers(kind.areas, city)


def covers(areas: tuple[str, ...] | list[str], city: str) -> bool:
    """Whether a city is among some areas, however it is spelled; no areas mean everywhere."""
    return not areas or _folded(city) in {_folded(area) for area in areas}


def windows_on(day: date, *, kind: ServiceKind, rules: Rules) -> list[Window]:
    """The windows of a local day that are long enough for a kind of service, in order; none on holidays."""
    if rules.working_time.is_day_off(day):
        return []
    length, zone = timedelta(minutes=kind.duration_minutes), ZoneInfo(rules.timezone)
    spans = [
        Window(*span_of(day, interval, zone))
        for interval in rules.business.service.intervals(WEEKDAYS[day.weekday()])
    ]
    return [span for span in spans if span.ends_at - span.starts_at >= length]


def bookable_windows(
    kind: ServiceKind, *, rules: Rules, now: datetime, on: date | None = None, with_notice: bool = True
) -> list[Window]:
    """The windows that can be booked now, in order, whether places are left or not.

    Args:
        on: only those of this local day.
        with_notice: whether the business wants some time before a window begins, as it does of customers;
            otherwise it only must not have begun.
    """
    service = rules.business.service
    today = local_day(now, rules)
    last = today + timedelta(days=service.days_ahead)
    days = [today + timedelta(days=number) for number in range(service.days_ahead + 1)]
    if on is not None:
        days = [on] if today <= on <= last else []
    earliest = now + timedelta(minutes=service.notice_minutes if with_notice else 0)
    return [
        window
        for day in days
        for window in windows_on(day, kind=kind, rules=rules)
        if window.starts_at >= earliest
    ]


def bookable_window(
    kind: ServiceKind, *, starts_at: datetime, rules: Rules, now: datetime, with_notice: bool = True
) -> Window | None:
    """The window that begins at a moment; None where none does that can be booked now."""
    on = local_day(starts_at, rules)
    windows = bookable_windows(kind, rules=rules, now=now, on=on, with_notice=with_notice)
    return next((window for window in windows if window.starts_at == starts_at), None)


def local_day(moment: datetime, rules: Rules) -> date:
    """The business's day at a moment."""
    return moment.astimezone(ZoneInfo(rules.timezone)).date()


def day_begins(day: date, rules: Rules) -> datetime:
    """When a local day begins, in UTC."""
    return _at(day, time.min, rules)


def change_deadline(window: BookingWindow, rules: Rules) -> datetime:
    """Until when a customer moves or cancels a visit in chat."""
    return window.starts_at - timedelta(minutes=rules.business.service.change_deadline_minutes)


def is_missed(request: ServiceRequest, now: datetime) -> bool:
    """Whether the time of a visit went by though nobody left for it."""
    is_coming = request.state in (SCHEDULED, ASSIGNED)
    return is_coming and request.window is not None and request.window.ends_at <= now


def reminder_due(window: BookingWindow, rules: Rules) -> datetime:
    """The evening before a visit, in UTC, when it is called to mind."""
    before = local_day(window.starts_at, rules) - timedelta(days=1)
    return _at(before, rules.business.service.reminder_at(), rules)


def visit_text(window: BookingWindow | Window, rules: Rules, now: datetime) -> str:
    """A window as people read it: «پنجشنبه ۵ آذر، ساعت ۱۴ تا ۱۷»."""
    return span_text(window.starts_at, window.ends_at, now=now, tz=rules.timezone)


def _at(day: date, moment: time, rules: Rules) -> datetime:
    return span_of(day, (moment, moment), ZoneInfo(rules.timezone))[0]


def _folded(city: str) -> str:
    return fold(city).replace(" ", "")
