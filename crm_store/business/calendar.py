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
Interval = tuple[time, time]


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Working time.

    Attributes:
        hours: intervals of local time, ``"09:00-13:00"``, per weekday; a day left out is closed.
        on_public_holidays: whether Iran's public holidays are working days.
        holidays: days of the business's own, Jalali ``1405/10/01``, on which nobody works.
        working_days: days, Jalali, that are worked although they are public holidays.
    """

    hours: Mapping[Weekday, tuple[str, ...]] = msgspec.field(default_factory=dict)
    on_public_holidays: bool = False
    holidays: tuple[str, ...] = ()
    working_days: tuple[str, ...] = ()

    def intervals(self, weekday: Weekday) -> list[Interval]:
        """The intervals of a weekday, in order.

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
        """Public holidays that are worked all the same.

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
            self.days_off()
            self.days_on()
        except ValueError as error:
            raise ValueError(f"{section}.{error}") from error


def read_interval(text: str, place: str) -> Interval:
    """Two times of a day, such as ``09:00-17:00``.

    Raises:
        ValueError: it is written differently; the message names the place.
    """
    begin, dash, end = text.partition("-")
    try:
        interval = time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())
    except ValueError:
        interval = time.max, time.min
    if not dash or interval[0] >= interval[1]:
        raise ValueError(f'{place}: "{text}" must be written like "09:00-17:00"')
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
