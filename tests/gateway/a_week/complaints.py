"""A complaint of the week, as it must go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.gateway.a_week.hours import CLOSE_AFTER, REMIND_OF_QUESTION_AFTER, TELL_OF_QUESTION_AFTER
from tests.gateway.a_week.model import Promises, Record, Told

OPEN = ("received", "acknowledged", "in_review", "waiting_customer", "appealed")
PRIORITIES = ("normal", "high", "urgent")


@dataclass
class ComplaintCase:
    """One complaint.

    Attributes:
        chat: its customer's.
        priority: one of PRIORITIES.
        close_at: when it closes without a word.
        remind_at: when its question is called to mind.
        tell_at: when the staff hear that it was not answered.
    """

    record: Record
    chat: int
    code: str
    priority: str
    filed_at: datetime
    state: str = "received"
    assignee: int | None = None
    close_at: datetime | None = None
    remind_at: datetime | None = None
    tell_at: datetime | None = None
    closed_at: datetime | None = None
    reminded_at: list[datetime] = field(default_factory=list)
    was_appealed: bool = False
    reopened: int = 0

    def __post_init__(self) -> None:
        self.promises = Promises(self.code, self._urgency, self.record, self.filed_at)

    # The staff.

    def assign(self, member: int, now: datetime) -> None:
        """Somebody deals with it."""
        if member == self.assignee:
            return
        self.assignee = member
        if self.state == "received":
            self.state = "acknowledged"
            self._tell("utter_complaint_acknowledged")
        self.record.tell_staff(member, "utter_staff_complaint_assigned", self.code)

    def review(self, now: datetime) -> None:
        """Somebody looks into it."""
        self.state = "in_review"
        self._tell("utter_complaint_in_review")

    def ask(self, now: datetime) -> None:
        """The customer is asked something."""
        self.promises.responded(now)
        self.promises.pause(now)
        self.state = "waiting_customer"
        self.remind_at, self.tell_at = now + REMIND_OF_QUESTION_AFTER, now + TELL_OF_QUESTION_AFTER
        self._tell("utter_complaint_question")

    def write(self, now: datetime) -> None:
        """The customer reads something."""
        self._tell("utter_complaint_message")
        if self.state in OPEN:
            self.promises.responded(now)

    def resolve(self, decision: str, now: datetime) -> None:
        """It is decided."""
        self._go_on(now)
        self.promises.stop(now)
        self.state, self.close_at = "resolved", now + CLOSE_AFTER
        final = "finally_" if self.was_appealed else ""
        self._tell(f"utter_complaint_resolved_{final}{decision}")

    # The customer.

    def note(self, now: datetime) -> None:
        """Something is added."""
        if self.state == "resolved":
            self.close_at = now + CLOSE_AFTER
        elif self.state in OPEN and self.state != "waiting_customer":
            self.promises.wrote(now)
        self._tell_assignee("note")

    def answer(self, now: datetime) -> None:
        """The question is answered."""
        self._go_on(now)
        self.state = "in_review"
        self.promises.wrote(now)
        self._tell_assignee("answered")

    def withdraw(self, now: datetime) -> None:
        """It is taken back."""
        self._go_on(now)
        self.promises.cancel(now)
        self.state, self.closed_at = "withdrawn", now
        self._tell_assignee("withdrawn")

    def solved(self, now: datetime) -> None:
        """The customer is content."""
        if self.state == "resolved":
            self.state, self.closed_at = "closed", now

    def reopen(self, now: datetime) -> None:
        """The customer is not."""
        self.reopened += 1
        self._raise(1)
        self._again("in_review", now)
        self._tell_assignee("reopened")

    def appeal(self, now: datetime) -> None:
        """Nor with the decision."""
        self.was_appealed = True
        if self.priority == "normal":
            self._raise(1)
        self._again("appealed", now)
        self.record.tell_role("supervisor", "utter_staff_complaint_appealed", self.code)

    # By itself.

    def look(self, now: datetime) -> None:
        """What is due by now."""
        if self.state == "resolved" and self.close_at and self.close_at <= now:
            self.state, self.closed_at = "closed", now
            self._tell("utter_complaint_closed")
        if self.state == "waiting_customer" and self.remind_at and self.remind_at <= now:
            self.remind_at = None
            self.reminded_at.append(now)
            self._tell("utter_complaint_question_reminder")
        if self.state == "waiting_customer" and self.tell_at and self.tell_at <= now:
            self.tell_at = None
            self._tell_assignee("unanswered")
        self.promises.look(now, self.assignee)

    @property
    def _urgency(self) -> str:
        """A key of PROMISED."""
        return "urgent" if self.priority == "urgent" else "normal"

    def _raise(self, steps: int) -> None:
        self.priority = PRIORITIES[min(PRIORITIES.index(self.priority) + steps, len(PRIORITIES) - 1)]

    def _go_on(self, now: datetime) -> None:
        self.remind_at = self.tell_at = None
        self.promises.resume(now)

    def _again(self, state: str, now: datetime) -> None:
        self.promises.restart(self._urgency, now)
        self.state, self.closed_at, self.close_at = state, None, None

    def _tell(self, response: str) -> None:
        self.record.told[Told(self.chat, response, self.code)] += 1

    def _tell_assignee(self, event: str) -> None:
        self.record.tell_staff(self.assignee, f"utter_staff_complaint_{event}", self.code)
