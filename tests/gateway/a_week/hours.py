"""The business of the simulated week, and its working time counted by hand: nothing here is Peyvand's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

#: Tehran has no daylight saving time any more.
LOCAL = timezone(timedelta(hours=3, minutes=30))
#: Saturday, 7 Azar 1405; Tuesday is a holiday of the business's own.
START = datetime(2026, 11, 28, tzinfo=LOCAL)
END = START + timedelta(days=7)
#: Nobody does the automatic work between Sunday evening and Monday night.
STOP_FROM, STOP_HOURS = START + timedelta(days=1, hours=17), 30
STOP_UNTIL = STOP_FROM + timedelta(hours=STOP_HOURS)
HOLIDAY = date(2026, 12, 1)

CLOSE_AFTER = timedelta(days=2)
REMIND_OF_QUESTION_AFTER, TELL_OF_QUESTION_AFTER = timedelta(days=2), timedelta(days=4)
EVENING, VISITS_LAST = time(18), timedelta(hours=3)
CHANGE_UNTIL, NOTICE = timedelta(hours=3), timedelta(hours=2)
#: Half-told things are offered again from this hour of the next day on, while they are younger than this.
OFFER_HOUR, OFFER_WITHIN, QUIET = 10, timedelta(hours=72), timedelta(minutes=30)
WARN_AFTER = 0.75
#: Working time after a breach, and who hears of it then.
ESCALATION = (("assignee", 0), ("supervisor", 60), ("admin", 240))
#: Minutes of working time by kind of case and metric.
PROMISED = {
    "urgent": {"first_response": 30, "next_response": 60, "resolution": 480},
    "normal": {"first_response": 120, "next_response": 240, "resolution": 1440},
    "service": {"first_response": 240, "next_response": 240},
}

BUSINESS = """
name = "Yas"

[calendar]
holidays = ["1405/09/10"]

[calendar.hours]
saturday = ["09:00-17:00"]
sunday = ["09:00-17:00"]
monday = ["09:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-13:00"]

[[sla.policies]]
name = "urgent"
kinds = ["complaint"]
priorities = ["urgent"]
first_response = 30
next_response = 60
resolution = 480

[[sla.policies]]
name = "normal"
kinds = ["complaint"]
first_response = 120
next_response = 240
resolution = 1440

[[sla.policies]]
name = "service"
kinds = ["service_request"]
first_response = 240
next_response = 240

[[sla.escalation]]
tell = "assignee"

[[sla.escalation]]
tell = "supervisor"
after_minutes = 60

[[sla.escalation]]
tell = "admin"
after_minutes = 240

[complaints]
close_after_days = 2
problem_customers = 0

[[complaints.categories]]
key = "delivery"
title = "Delivery"

[[complaints.root_causes]]
key = "carrier"
title = "Carrier"

[service]
reminder_time = "18:00"
notice_minutes = 120
change_deadline_minutes = 180

[service.windows]
saturday = ["09:00-12:00", "14:00-17:00"]
sunday = ["09:00-12:00", "14:00-17:00"]
monday = ["09:00-12:00", "14:00-17:00"]
tuesday = ["09:00-12:00", "14:00-17:00"]
wednesday = ["09:00-12:00", "14:00-17:00"]
thursday = ["09:00-12:00"]

[[service.kinds]]
key = "repair"
title = "Repair"
ask = ["problem"]
duration_minutes = 1
capacity = 10000
"""

Span = tuple[datetime, datetime]


def hours_on(day: date) -> tuple[int, int] | None:
    """When the business opens and closes on a day."""
    if day == HOLIDAY or day.weekday() == 4:
        return None
    return (9, 13) if day.weekday() == 3 else (9, 17)


def moment(day: date, hour: int) -> datetime:
    """An hour of a local day."""
    return datetime.combine(day, time(hour), LOCAL)


DAYS = [(START + timedelta(days=number)).date() for number in range(-1, 25)]
WORKING: list[Span] = [
    (moment(day, hours[0]), moment(day, hours[1])) for day in DAYS if (hours := hours_on(day)) is not None
]
#: When visits begin: at nine and at two, on Thursday only at nine.
VISITS: list[datetime] = [
    moment(day, hour)
    for day in DAYS
    if (hours := hours_on(day)) is not None
    for hour in ((9, 14) if hours == (9, 17) else (9,))
]


def worked(start: datetime, end: datetime) -> timedelta:
    """Working time between two moments."""
    parts = (min(end, closes) - max(start, opens) for opens, closes in WORKING)
    return sum((part for part in parts if part > timedelta()), timedelta())


def after(start: datetime, amount: timedelta) -> datetime:
    """The first moment by which so much working time has passed."""
    for opens, closes in WORKING:
        begin = max(start, opens)
        if begin < closes and amount <= closes - begin:
            return begin + amount
        amount -= max(closes - begin, timedelta())
    raise AssertionError("the week is too long ago")


def evening_before(visit: datetime) -> datetime:
    """When a visit is called to mind."""
    return datetime.combine(visit.astimezone(LOCAL).date() - timedelta(days=1), EVENING, LOCAL)
