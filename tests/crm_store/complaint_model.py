"""What a complaint must be after each step, told a second time and in the plainest way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crm_store.settings import PROJECT_ROOT

_ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| ([\w, ]+) \|", re.MULTILINE)

OPEN = ("received", "acknowledged", "in_review", "waiting_customer", "appealed")
DECIDED = ("resolved", "closed")
CLOSE_AFTER, REOPEN_WITHIN, APPEAL_WITHIN = timedelta(days=3), timedelta(days=14), timedelta(days=30)
REMIND_AFTER, TELL_AFTER = timedelta(days=2), timedelta(days=4)


def documented_transitions() -> dict[tuple[str, str], frozenset[str]]:
    """The table of docs/complaints.md."""
    text = (PROJECT_ROOT / "docs" / "complaints.md").read_text(encoding="utf-8")
    return {
        (before, after): frozenset(who.strip() for who in actors.split(","))
        for before, after, actors in _ROW.findall(text)
    }


@dataclass
class Model:
    """A complaint as it should be.

    Attributes:
        told: the names of the responses that its customer was sent, in order.
        states: all states that it has been in, in order.
        closes_at: when it is closed by itself.
        reminds_at: when open questions are called to mind.
        tells_at: when whoever deals with it hears that they are still open.
        appealed_at: when the customer appealed.
        points: what was granted by now.
        proposal: a decision waits for approval.
    """

    state: str = "received"
    assignee: int | None = None
    questions: int = 0
    resolved_at: datetime | None = None
    appealed_at: datetime | None = None
    points: int = 0
    reopened: int = 0
    closes_at: datetime | None = None
    reminds_at: datetime | None = None
    tells_at: datetime | None = None
    proposal: bool = False
    notes: int = 0
    told: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=lambda: ["received"])

    def may(self, to: str, kind: str) -> bool:
        """Whether a kind of actor may take it there."""
        return kind in documented_transitions().get((self.state, to), ())

    def go(self, to: str, now: datetime, *, says: str = "") -> None:
        """Take it to another state."""
        before, self.state = self.state, to
        self.states.append(to)
        if before == "waiting_customer":
            self.questions, self.reminds_at, self.tells_at = 0, None, None
        self.closes_at = now + CLOSE_AFTER if to == "resolved" else None
        if to == "resolved":
            self.resolved_at, self.proposal = now, False
        if to == "withdrawn":
            self.proposal = False
        if before in DECIDED and to == "in_review":
            self.reopened += 1
        if says:
            self.told.append(says)

    @property
    def is_appealed(self) -> bool:
        """Whether there was an appeal."""
        return self.appealed_at is not None

    @property
    def is_appeal_open(self) -> bool:
        """Whether nobody has decided about an appeal yet."""
        return self.appealed_at is not None and bool(
            self.resolved_at and self.resolved_at <= self.appealed_at
        )

    def is_within(self, span: timedelta, now: datetime) -> bool:
        """Whether the decision was told at most so long ago."""
        return self.resolved_at is not None and now <= self.resolved_at + span

    def pass_time(self, now: datetime) -> None:
        """Let the automatic work be done."""
        if self.reminds_at is not None and self.reminds_at <= now:
            self.reminds_at = None
            self.told.append("utter_complaint_question_reminder")
        if self.tells_at is not None and self.tells_at <= now:
            self.tells_at = None
        if self.closes_at is not None and self.closes_at <= now:
            self.go("closed", now, says="utter_complaint_closed")
