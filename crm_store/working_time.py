"""Working time: the owner's intervals per weekday, without holidays, counted exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

from crm_store.business.calendar import END_OF_DAY, WEEKDAYS, Calendar, Interval
from crm_store.errors import ConfigurationError

#: Two moments in UTC; the second one does not belong to it any more.
Span = tuple[datetime, datetime]
#: A calendar in which nobody works for so many days on end is taken for a mistake.
MAX_IDLE_DAYS = 366
_DAY = timedelta(days=1)
_NOTHING = timedelta()


class WorkingTime:
    """Counts in working time; a calendar without hours means that all time is working time.

    Every answer is exact in UTC: where clocks are changed, a working day has an hour more or less.

    Args:
        calendar: intervals, holidays and struck days; intervals that overlap count once.
        timezone: the time zone of the intervals, such as ``Asia/Tehran``.
        name: where the calendar stands in the business file, for messages.

    Raises:
        ValueError: the calendar cannot be read.
    """

    def __init__(self, calendar: Calendar, timezone: str, name: str = "calendar") -> None:
        self._zone = ZoneInfo(timezone)
        self._name = name
        self._is_always = not calendar.has_hours
        self._intervals = tuple(_merged(calendar.intervals(weekday)) for weekday in WEEKDAYS)
        self._days_off, self._struck = calendar.days_off(), calendar.days_on()
        self._on_public_holidays = calendar.on_public_holidays

    def add(self, start: datetime, working: timedelta) -> datetime:
        """The moment after an amount of working time.

        What is used up exactly at the end of an interval ends there, not at the beginning of the next one.

        Args:
            start: a moment with a time zone, within working time or not.
            working: how much; a negative amount leads back into the past.

        Returns:
            The earliest moment, in UTC, with so much working time after the start (going back: the latest
            with so much before it); the start itself for nothing.

        Raises:
            ValueError: the start has no time zone.
            ConfigurationError: the calendar has no working time for a year on end.
        """
        moment = _in_utc(start)
        if self._is_always or not working:
            return moment + working
        left = abs(working)
        spans = self._spans_after(moment) if working > _NOTHING else self._spans_before(moment)
        for begin, end in spans:
            if left <= end - begin:
                return begin + left if working > _NOTHING else end - left
            left -= end - begin
        raise AssertionError("spans never end")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from one moment to another; nothing when the end is not later.

        Raises:
            ValueError: a moment has no time zone.
        """
        first, last = _in_utc(start), _in_utc(end)
        if last <= first:
            return _NOTHING
        if self._is_always:
            return last - first
        day, last_day = first.astimezone(self._zone).date(), last.astimezone(self._zone).date()
        total = _NOTHING
        while day <= last_day:
            for begins, ends in self._spans_of(day):
                total += max(_NOTHING, min(ends, last) - max(begins, first))
            day += _DAY
        return total

    def is_working(self, moment: datetime) -> bool:
        """Whether a moment is working time; the end of an interval is not.

        Raises:
            ValueError: the moment has no time zone.
        """
        at = _in_utc(moment)
        if self._is_always:
            return True
        spans = self._spans_of(at.astimezone(self._zone).date())
        return any(begin <= at < end for begin, end in spans)

    def next_start(self, moment: datetime) -> datetime:
        """From when on somebody works: the moment itself within working time, else the next interval's start.

        Returns:
            The moment, in UTC.

        Raises:
            ValueError: the moment has no time zone.
            ConfigurationError: the calendar has no working time for a year on end.
        """
        at = _in_utc(moment)
        return at if self._is_always else next(self._spans_after(at))[0]

    def is_day_off(self, day: date) -> bool:
        """Whether a day is a holiday: one of the business's own, or a public one that is not struck."""
        if day in self._days_off:
            return True
        is_observed = not self._on_public_holidays and day not in self._struck
        return is_observed and day in public_holidays(day.year)

    def _spans_of(self, day: date) -> list[Span]:
        """Working time of a local day, in order."""
        intervals = self._intervals[day.weekday()]
        if not intervals or self.is_day_off(day):
            return []
        return [span_of(day, interval, self._zone) for interval in intervals]

    def _spans_after(self, moment: datetime) -> Iterator[Span]:
        """Working time from a moment on, without end."""
        for spans in self._days(moment, _DAY):
            for begin, end in spans:
                if end > moment and begin < end:
                    yield max(begin, moment), end

    def _spans_before(self, moment: datetime) -> Iterator[Span]:
        """Working time before a moment, the latest first, without end."""
        for spans in self._days(moment, -_DAY):
            for begin, end in reversed(spans):
                if begin < moment and begin < end:
                    yield begin, min(end, moment)

    def _days(self, moment: datetime, step: timedelta) -> Iterator[list[Span]]:
        day = moment.astimezone(self._zone).date()
        idle = 0
        while idle <= MAX_IDLE_DAYS:
            spans = self._spans_of(day)
            yield spans
            idle, day = 0 if spans else idle + 1, day + step
        raise ConfigurationError(
            f"{self._name}: nobody works for {MAX_IDLE_DAYS} days on end; give it hours on more days or fewer"
            " holidays"
        )


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """Iran's public holidays within a Gregorian year, those of the lunar calendar included.

    The dates of the lunar ones are estimates for the years to come, until they are announced.
    """
    return frozenset(country_holidays("IR", years=year))


def span_of(day: date, interval: Interval, zone: ZoneInfo) -> Span:
    """The moments at which an interval of a local day begins and ends, in UTC.

    A time of day that comes twice, because clocks are put back, means the first one; one that is skipped
    means the moment of the change.
    """
    return _moment(day, interval[0], zone), _moment(day, interval[1], zone)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    if at == END_OF_DAY:
        day, at = day + _DAY, time.min
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(timezone.utc)
    if moment.astimezone(zone).utcoffset() == local.utcoffset():
        return moment
    return _change_between(local.replace(fold=1).astimezone(timezone.utc), moment, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment with the later one's offset from UTC."""
    low, high = int(before.timestamp()), int(after.timestamp())
    offset = after.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, timezone.utc)


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Intervals in order, those that overlap or touch as one."""
    merged: list[Interval] = []
    for begin, end in intervals:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return tuple(merged)


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(timezone.utc)
