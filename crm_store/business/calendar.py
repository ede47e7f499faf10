"""When the business works: the owner's intervals per weekday, public holidays, and days added or struck."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Literal

import msgspec
from persiantools.jdatetime import JalaliDate

from crm_store.persian import to_ascii_digits

Weekday = Literal["saturday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday"]
#: In the order of `datetime.date.weekday`.
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
#: From and to on one day. What lasts until midnight, ``24:00``, ends at `END_OF_DAY`:
#: `crm_store.working_time.span_of` makes exact moments of it.
Interval = tuple[time, time]
END_OF_DAY = time.max
_MIDNIGHT = "24:00"


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Working time.

    Attributes:
        hours: intervals of local time, ``"09:00-13:00"``, per weekday; ``24:00`` is midnight, and a day left
            out is closed. Without any hours all time is working time, holidays included.
        on_public_holidays: whether Iran's public holidays are working days.
        holidays: days of the business's own, Jalali ``1405/10/01``, on which nobody works.
        working_days: public holidays, Jalali, that are struck: they are worked like any day of the week.
    """

    hours: Mapping[Weekday, tuple[str, ...]] = msgspec.field(default_factory=dict)
    on_public_holidays: bool = False
    holidays: tuple[str, ...] = ()
    working_days: tuple[str, ...] = ()

    @property
    def has_hours(self) -> bool:
        """Whether it says at all when somebody works."""
        return any(self.hours.values())

    def intervals(self, weekday: Weekday) -> list[Interval]:
        """The intervals of a weekday, in order; they may overlap.

        Raises:
            ValueError: an interval is written differently.
        """
        return sorted(read_interval(text, "hours") for text in self.hours.get(weekday, ()))

    def days_off(self) -> frozenset[date]:
        """The business's own holidays.

        Raises:
            ValueError: one of them is no Jalali date.
        """
        return frozenset(read_day(text, "holidays") for text in self.holidays)

    def days_on(self) -> frozenset[date]:
        """Public holidays that are struck.

        Raises:
            ValueError: one of them is no Jalali date.
        """
        return frozenset(read_day(text, "working_days") for text in self.working_days)

    def check(self, section: str) -> None:
        """Look for what cannot be read.

        Args:
            section: where the calendar stands in the file.

        Raises:
            ValueError: something cannot; the message names the place.
        """
        try:
            for weekday in self.hours:
                self.intervals(weekday)
            both = self.days_off() & self.days_on()
            if both:
                day = JalaliDate(min(both))  # type: ignore[no-untyped-call]  # untyped library
                raise ValueError(f"working_days: {day:%Y/%m/%d} stands among the holidays too")
        except ValueError as error:
            raise ValueError(f"{section}.{error}") from error


def read_interval(text: str, place: str) -> Interval:
    """Two times of one day, such as ``09:00-17:00``; the second may be midnight, ``24:00``.

    Raises:
        ValueError: it is written differently, or crosses midnight; the message names the place.
    """
    begin, _, end = (part.strip() for part in text.partition("-"))
    try:
        interval = time.fromisoformat(begin), END_OF_DAY if end == _MIDNIGHT else time.fromisoformat(end)
    except ValueError as error:
        raise ValueError(f'{place}: "{text}" must be written like "09:00-17:00"') from error
    if interval[0] >= interval[1]:
        raise ValueError(
            f'{place}: "{text}" does not end later on the same day; what goes on past midnight is written as'
            ' two: until "24:00", and from "00:00" of the next day'
        )
    return interval


def read_day(text: str, place: str) -> date:
    """A Jalali date, such as ``1405/10/01``.

    Raises:
        ValueError: it is none; the message names the place.
    """
    try:
        year, month, day = (int(part) for part in to_ascii_digits(text).split("/"))
        # A Gregorian date, or a year in two digits, would be a holiday that never comes.
        if not 1300 <= year < 1500:
            raise ValueError(text)
        return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]  # untyped library
    except ValueError as error:
        raise ValueError(f'{place}: "{text}" must be a Jalali date like "1405/10/01"') from error
