"""Working time: the owner's intervals per weekday, without holidays."""

from __future__ import annotations

from crm_store.business.calendar import Calendar


class WorkingTime:
    """Counts in working time.

    Args:
        calendar: intervals, holidays and struck days.
        timezone: the time zone of the intervals.
    """

    def __init__(self, calendar: Calendar, timezone: str) -> None:
        self._calendar = calendar
        self._timezone = timezone
