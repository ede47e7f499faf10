"""By when a call is promised: working time, counted as the owner's business file says."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from crm_store.business import Callbacks
from crm_store.working_time import WorkingTime

#: Seconds to whose full number a promise is rounded up: "by 11:15" reads better than "by 11:07".
QUARTER = 900
#: The promise of a business that has not said when it works.
WITHOUT_HOURS = timedelta(hours=24)


def promised_by(now: datetime, callbacks: Callbacks, timezone: str) -> datetime:
    """The moment by which a call that is asked for now is promised.

    It lies ``within_minutes`` of working time after now, rounded up to a quarter of an hour but never out of
    working time.

    Args:
        now: a moment with a time zone.
        callbacks: working hours, holidays and how soon calls are made (`Business.call_hours`).
        timezone: the time zone of the working hours, such as ``Asia/Tehran``.

    Returns:
        The moment, in UTC.

    Raises:
        ValueError: the moment has no time zone.
        ConfigurationError: nobody works for a year on end.
    """
    working_time = WorkingTime(callbacks, timezone, "callback")
    within = timedelta(minutes=callbacks.within_minutes) if callbacks.has_hours else WITHOUT_HOURS
    due = working_time.add(now, within)
    return working_time.add(due, working_time.between(due, _rounded_up(due)))


def _rounded_up(moment: datetime) -> datetime:
    seconds = -(-moment.timestamp() // QUARTER) * QUARTER
    return datetime.fromtimestamp(seconds, tz=timezone.utc)
