"""What must happen in the week, said once more and simply: who is told what, and how everything ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.gateway.a_week.hours import ESCALATION, PROMISED, WARN_AFTER, after, worked

NOTHING = timedelta()
RESPONSES = ("first_response", "next_response")


class Told(NamedTuple):
    """A notice: in which chat, which response, about which case, and for a visit's reminder the visit."""

    chat: int
    response: str
    code: str = ""
    visit: datetime | None = None


class Noted(NamedTuple):
    """What the timeline says of a promise: when it was found, and who was told."""

    code: str
    event: str
    metric: str
    at: datetime
    step: int | None = None
    told: str | None = None


@dataclass
class Office:
    """The staff, by their numbers in the store.

    Attributes:
        chats: of those who can be reached.
        supervisors: all of them can be reached; no admin can.
        group: what is for nobody goes there.
    """

    chats: dict[int, int]
    supervisors: list[int]
    group: int


@dataclass
class Record:
    """What was to be told and noted by the end."""

    office: Office
    told: Counter[Told] = field(default_factory=Counter)
    noted: Counter[Noted] = field(default_factory=Counter)

    def tell_staff(self, member: int | None, response: str, code: str) -> str:
        """Tell one of the staff, or the group where that is nobody who can be reached; says whom."""
        chat = self.office.chats.get(member or 0)
        self.told[Told(chat or self.office.group, response, code)] += 1
        return "assignee" if chat else "groups"

    def tell_role(self, role: str, response: str, code: str) -> str:
        """Tell all supervisors; there is no admin, so that the group hears what is for one."""
        chats = [self.office.chats[one] for one in self.office.supervisors] if role == "supervisor" else []
        for chat in chats or [self.office.group]:
            self.told[Told(chat, response, code)] += 1
        return role if chats else "groups"

    def tell_dispatchers(self, response: str, code: str) -> None:
        """Tell those who send people out: the group and the supervisors."""
        self.told[Told(self.office.group, response, code)] += 1
        self.tell_role("supervisor", response, code)


@dataclass
class Promise:
    """One clock.

    Attributes:
        left: working time until it is due, counted from ``since``.
        over: ``met``, ``missed`` or ``cancelled`` once it has ended.
    """

    metric: str
    target: timedelta
    since: datetime
    left: timedelta
    paused: bool = False
    over: str = ""
    warned: datetime | None = None
    breached: datetime | None = None
    steps: int = 0

    def late(self, now: datetime) -> timedelta:
        """How much working time has passed since it was due; negative before."""
        return (NOTHING if self.paused else worked(self.since, now)) - self.left

    def is_past(self, now: datetime) -> bool:
        """Whether the due time is over, be it by an evening in which nobody works."""
        late = self.late(now)
        return late > NOTHING or (late == NOTHING and now > after(self.since, self.left))


class Promises:
    """The clocks of one case.

    Args:
        code: of the case.
        kind: a key of PROMISED.
        record: takes what is to be told and noted.
    """

    def __init__(self, code: str, kind: str, record: Record, now: datetime) -> None:
        self._code, self._minutes, self._record = code, PROMISED[kind], record
        self.all: list[Promise] = []
        for metric in ("first_response", "resolution"):
            self._begin(metric, now)

    def responded(self, now: datetime) -> None:
        """The customer was answered."""
        for promise in self._open(RESPONSES):
            self._stop(promise, now)

    def wrote(self, now: datetime) -> None:
        """The customer waits for an answer."""
        if not self._open(RESPONSES):
            self._begin("next_response", now)

    def pause(self, now: datetime) -> None:
        """The customer is waited for."""
        for promise in self._open():
            if not promise.paused:
                if promise.is_past(now):
                    self._breach(promise, now)
                promise.left, promise.since, promise.paused = -promise.late(now), now, True

    def resume(self, now: datetime) -> None:
        """It goes on."""
        for promise in self._open():
            if promise.paused:
                promise.since, promise.paused = now, False

    def stop(self, now: datetime) -> None:
        """All is done."""
        for promise in self._open():
            self._stop(promise, now)

    def cancel(self, now: datetime, metrics: Collection[str] = ()) -> None:
        """Nothing is owed any more."""
        for promise in self._open(metrics):
            promise.over = "cancelled"

    def restart(self, kind: str, now: datetime) -> None:
        """Promised anew, as it is now."""
        self._minutes = PROMISED[kind]
        self.cancel(now, ("next_response", "resolution"))
        self._begin("next_response", now)
        self._begin("resolution", now)

    def look(self, now: datetime, assignee: int | None) -> None:
        """What the automatic work finds out and tells at a moment."""
        for promise in self._open():
            late = promise.late(now)
            if late >= NOTHING:
                self._escalate(promise, now, late, assignee)
            elif not promise.paused and promise.warned is None and late >= -promise.target * (1 - WARN_AFTER):
                promise.warned = now
                told = self._record.tell_staff(assignee, "utter_sla_warning", self._code)
                self._note("sla.warned", promise, now, None, told)

    def _escalate(self, promise: Promise, now: datetime, late: timedelta, assignee: int | None) -> None:
        steps = sum(timedelta(minutes=minutes) <= late for _, minutes in ESCALATION)
        if steps <= promise.steps:
            return
        promise.steps, role = steps, ESCALATION[steps - 1][0]
        if role == "assignee":
            told = self._record.tell_staff(assignee, "utter_sla_breach", self._code)
        else:
            told = self._record.tell_role(role, "utter_sla_breach_escalated", self._code)
        event = "sla.breached" if promise.breached is None else "sla.escalated"
        promise.breached = promise.breached or now
        self._note(event, promise, now, steps, told)

    def _begin(self, metric: str, now: datetime) -> None:
        if metric in self._minutes:
            target = timedelta(minutes=self._minutes[metric])
            self.all.append(Promise(metric, target, since=now, left=target))

    def _stop(self, promise: Promise, now: datetime) -> None:
        if promise.is_past(now):
            self._breach(promise, now)
        promise.over = "missed" if promise.breached else "met"

    def _breach(self, promise: Promise, now: datetime) -> None:
        if promise.breached is None:
            promise.breached = now
            self._note("sla.breached", promise, now, None, None)

    def _note(self, event: str, promise: Promise, now: datetime, step: int | None, told: str | None) -> None:
        self._record.noted[Noted(self._code, event, promise.metric, now, step, told)] += 1

    def _open(self, metrics: Collection[str] = ()) -> list[Promise]:
        return [one for one in self.all if not one.over and (not metrics or one.metric in metrics)]
