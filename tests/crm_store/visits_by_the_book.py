"""Service requests as a dispatcher keeps them in a book: a small reference to compare the store with.

Nothing here looks at the store. Windows are places on a list, technicians a name beside a visit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

NOTICE, DEADLINE, DAYS_AHEAD = timedelta(hours=2), timedelta(hours=3), 5
WINDOW = timedelta(hours=3)
TEHRAN = timedelta(hours=3, minutes=30)
COMING, UNDER_WAY = ("scheduled", "assigned"), ("assigned", "on_the_way")


class Refused(Exception):
    """Something is not possible; the name of the error that the store raises."""


@dataclass
class Visit:
    """One line of the book."""

    kind: str
    start: datetime | None
    state: str
    technician: int | None = None
    confirmed: bool = False
    grade: int | None = None
    graded_at: datetime | None = None
    done_at: datetime | None = None

    def is_seen_by(self, technician: int, day: date) -> bool:
        """Whether it stands in a technician's list of a day."""
        if self.technician != technician or self.state in ("scheduled", "cancelled"):
            return False
        return self.state in UNDER_WAY if self.start is None else (self.start + TEHRAN).date() == day


@dataclass
class Book:
    """All visits, and how many places of each window are gone."""

    windows: list[datetime]
    capacity: dict[str, int]
    minutes: dict[str, int]
    visits: list[Visit] = field(default_factory=list)
    used: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def can_be_booked(self, start: datetime, now: datetime, notice: timedelta = NOTICE) -> bool:
        days = ((start + TEHRAN).date() - (now + TEHRAN).date()).days
        return start in self.windows and start >= now + notice and 0 <= days <= DAYS_AHEAD

    def take(self, kind: str, start: datetime, now: datetime, notice: timedelta = NOTICE) -> None:
        place = (kind, start)
        if not self.can_be_booked(start, now, notice) or self.used.get(place, 0) >= self.capacity[kind]:
            raise Refused("FullyBooked")
        self.used[place] = self.used.get(place, 0) + 1

    def give_back(self, visit: Visit) -> None:
        if visit.start is not None:
            self.used[visit.kind, visit.start] -= 1

    def has_time(self, technician: int, visit: Visit, start: datetime) -> bool:
        others = [
            one
            for one in self.visits
            if one is not visit
            and one.technician == technician
            and one.state in UNDER_WAY
            and one.start == start
        ]
        minutes = sum(self.minutes[one.kind] for one in [*others, visit])
        return timedelta(minutes=minutes) <= WINDOW

    def submit(self, kind: str, start: datetime, now: datetime) -> Visit:
        if kind == "advice":
            visit = Visit(kind, None, "requested")
        else:
            self.take(kind, start, now)
            visit = Visit(kind, start, "scheduled")
        self.visits.append(visit)
        return visit

    def check_deadline(self, visit: Visit, now: datetime) -> None:
        is_coming = visit.state in COMING and visit.start is not None
        # Whoever was let down may choose another time.
        is_close = is_coming and visit.start - DEADLINE < now < visit.start + WINDOW
        if visit.state == "on_the_way" or is_close:
            raise Refused("TooLate")

    def reschedule(self, visit: Visit, start: datetime, now: datetime) -> None:
        if visit.state in COMING and visit.start == start:
            return
        self.check_deadline(visit, now)
        if visit.start is None or visit.state not in (*COMING, "not_done"):
            raise Refused("InvalidTransition")
        self.change_time(visit, start, now, NOTICE)

    def schedule(self, visit: Visit, start: datetime, now: datetime) -> None:
        if visit.state not in ("requested", *COMING, "not_done"):
            raise Refused("InvalidTransition")
        if not (visit.state in COMING and visit.start == start):
            self.change_time(visit, start, now, timedelta())

    def change_time(self, visit: Visit, start: datetime, now: datetime, notice: timedelta) -> None:
        self.take(visit.kind, start, now, notice)
        if visit.state in COMING:
            self.give_back(visit)
        keeps = visit.technician is not None and self.has_time(visit.technician, visit, start)
        visit.start, visit.confirmed, visit.state = start, False, "assigned" if keeps else "scheduled"
        visit.technician = visit.technician if keeps else None

    def cancel(self, visit: Visit, now: datetime) -> None:
        self.check_deadline(visit, now)
        self.cancel_by_staff(visit)

    def cancel_by_staff(self, visit: Visit) -> None:
        if visit.state in ("done", "cancelled"):
            raise Refused("InvalidTransition")
        if visit.state in (*COMING, "on_the_way"):
            self.give_back(visit)
        visit.state = "cancelled"

    def assign(self, visit: Visit, technician: int, now: datetime) -> None:
        if visit.state not in ("requested", *COMING, "not_done"):
            raise Refused("InvalidTransition")
        if visit.state == "assigned" and visit.technician == technician:
            return
        if visit.start is not None and not self.has_time(technician, visit, visit.start):
            raise Refused("FullyBooked")
        if visit.state == "not_done" and visit.start is not None and visit.start <= now:
            raise Refused("InvalidInput")
        visit.technician, visit.state = technician, "assigned"

    def act(self, visit: Visit, technician: int, to: str, now: datetime) -> None:
        if visit.technician != technician:
            raise Refused("NotFound")
        day_has_come = visit.start is None or (now + TEHRAN).date() >= (visit.start + TEHRAN).date()
        possible = ("assigned",) if to == "on_the_way" else UNDER_WAY
        if not day_has_come or visit.state not in possible:
            raise Refused("InvalidTransition")
        visit.state = to
        if to == "done":
            visit.done_at = now

    def confirm(self, visit: Visit, now: datetime) -> None:
        if visit.state not in (*COMING, "on_the_way") or visit.start is None or visit.start + WINDOW <= now:
            raise Refused("InvalidTransition")
        visit.confirmed = True

    def rate(self, visit: Visit, grade: int, now: datetime) -> None:
        if not 1 <= grade <= 5:
            raise Refused("InvalidInput")
        if visit.state != "done" or visit.done_at is None:
            raise Refused("InvalidTransition")
        first = visit.graded_at or now
        if now > first + timedelta(days=1) or now > visit.done_at + timedelta(days=30):
            raise Refused("TooLate")
        visit.grade, visit.graded_at = grade, first
