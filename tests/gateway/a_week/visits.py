"""A service request of the week, and a half-told story, as they must go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from tests.gateway.a_week.hours import (
    CHANGE_UNTIL,
    LOCAL,
    OFFER_HOUR,
    OFFER_WITHIN,
    QUIET,
    VISITS_LAST,
    evening_before,
)
from tests.gateway.a_week.model import Promises, Record, Told

COMING = ("scheduled", "assigned")


@dataclass
class VisitCase:
    """One service request.

    Attributes:
        remind_of: the visit that is to be called to mind on the evening before.
        look_after: the visit of which is looked whether anybody has left for it by its end.
    """

    record: Record
    chat: int
    code: str
    visit: datetime
    asked_at: datetime
    state: str = "scheduled"
    technician: int | None = None
    is_confirmed: bool = False
    remind_of: datetime | None = None
    look_after: datetime | None = None

    def __post_init__(self) -> None:
        self.promises = Promises(self.code, "service", self.record, self.asked_at)
        self.promises.responded(self.asked_at)  # a time is agreed at once
        self._plan(self.asked_at)

    def is_changeable(self, now: datetime) -> bool:
        """Whether the customer may still move it or cancel it."""
        is_free = now <= self.visit - CHANGE_UNTIL or now >= self.visit + VISITS_LAST
        return self.state == "not_done" or (self.state in COMING and is_free)

    def is_today(self, now: datetime) -> bool:
        """Whether the technician may leave for it."""
        return now.astimezone(LOCAL).date() >= self.visit.astimezone(LOCAL).date()

    # The staff.

    def assign(self, member: int, now: datetime) -> None:
        """Somebody is sent there."""
        former, self.technician, self.state = self.technician, member, "assigned"
        self.promises.responded(now)
        self._tell("utter_visit_assigned")
        self.record.tell_staff(member, "utter_staff_visit_new", self.code)
        if former:
            self.record.tell_staff(former, "utter_staff_visit_gone", self.code)
        self._plan(now)

    def write(self, now: datetime) -> None:
        """The customer reads something."""
        self.promises.responded(now)
        self._tell("utter_service_message")

    def set_off(self, now: datetime) -> None:
        """The technician leaves."""
        self.state = "on_the_way"
        self._tell("utter_visit_on_the_way")

    def finish(self, now: datetime) -> None:
        """It is done."""
        self.state = "done"
        self.promises.stop(now)
        self._tell("utter_visit_done")

    def not_done(self, now: datetime) -> None:
        """It did not succeed."""
        self.state = "not_done"
        self._tell("utter_visit_not_done")
        self.record.tell_dispatchers("utter_staff_visit_not_done", self.code)

    # Both.

    def move(self, visit: datetime, now: datetime, *, by_customer: bool) -> None:
        """Another time is agreed; whoever was to go there still does."""
        self.visit, self.is_confirmed = visit, False
        self.state = "assigned" if self.technician else "scheduled"
        if not by_customer:
            self.promises.responded(now)
            self._tell("utter_service_scheduled_change")
        if self.technician:
            self.record.tell_staff(self.technician, "utter_staff_visit_moved", self.code)
        self._plan(now)

    def cancel(self, now: datetime, *, by_customer: bool) -> None:
        """It does not take place."""
        self.state = "cancelled"
        self.promises.cancel(now)
        if not by_customer:
            self._tell("utter_service_cancelled_by_us")
        if self.technician:
            self.record.tell_staff(self.technician, "utter_staff_visit_cancelled", self.code)

    # The customer.

    def confirm(self, now: datetime) -> None:
        """The time suits."""
        self.is_confirmed = True

    def note(self, now: datetime) -> None:
        """Something is added."""
        self.promises.wrote(now)
        self.record.tell_staff(self.technician, "utter_staff_visit_note", self.code)

    # By itself.

    def look(self, now: datetime) -> None:
        """What is due by now."""
        if self.remind_of and evening_before(self.remind_of) <= now:
            is_true = self.state in COMING and self.visit == self.remind_of and now < self.visit
            if is_true and not self.is_confirmed:
                self._tell("utter_visit_reminder", self.visit)
            self.remind_of = None
        if self.look_after and self.look_after + VISITS_LAST <= now:
            if self.state in COMING and self.visit == self.look_after:
                self.record.tell_dispatchers("utter_staff_visit_missed", self.code)
            self.look_after = None
        self.promises.look(now, self.technician)

    def _plan(self, now: datetime) -> None:
        """A visit is called to mind that was agreed on before the evening before, and looked after; once."""
        if evening_before(self.visit) > now:
            self.remind_of = self.visit
        if self.visit + VISITS_LAST > now:
            self.look_after = self.visit

    def _tell(self, response: str, visit: datetime | None = None) -> None:
        self.record.told[Told(self.chat, response, self.code, visit)] += 1


@dataclass
class HalfTold:
    """A complaint or a request that somebody began to tell.

    Attributes:
        response: in which it is offered again; empty where nothing was told yet.
        touched_at: when it was told last.
        wrote_at: when its customer wrote anything last.
    """

    record: Record
    chat: int
    draft: int
    response: str
    touched_at: datetime
    wrote_at: datetime
    is_open: bool = True
    is_with_bot: bool = True
    offered_at: datetime | None = None

    def look(self, now: datetime) -> None:
        """What is due by now."""
        local = now.astimezone(LOCAL)
        today = datetime.combine(local.date(), time(), LOCAL)
        is_left = self.is_open and self.is_with_bot and bool(self.response) and self.offered_at is None
        is_due = local.hour >= OFFER_HOUR and now - OFFER_WITHIN < self.touched_at < today
        if is_left and is_due and self.wrote_at <= now - QUIET:
            self.offered_at = now
            self.record.told[Told(self.chat, self.response)] += 1
