"""Surveys: what is asked, when, and what is done about it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from crm_store.business.loyalty import Days, Tomans
from crm_store.business.parts import Key, Title

#: ``csat`` 1 to 5, ``nps`` 0 to 10, ``ces`` 1 to 7 (from very hard to very easy), ``scale`` from low to high.
QuestionKind = Literal["csat", "nps", "ces", "choice", "scale", "text", "photo"]
Occasion = Literal["complaint", "service_request", "purchase", "handoff"]
#: Ends of the standard scales.
SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}
#: Below or at these grades an answer is low, unless the question says otherwise.
LOW = {"csat": 2, "nps": 6, "ces": 3}
#: Where a branch leads when the survey ends there.
END = "end"
HourOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class SurveyChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of several answers."""

    key: Key
    title: Title
    words: tuple[str, ...] = ()


class Branch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an answer leads; the first branch that fits is taken, else the next question comes.

    Attributes:
        go_to: key of a later question, or ``end``.
        at_most: for grades up to this one.
        at_least: for grades from this one on.
        choices: for these choices.
    """

    go_to: Annotated[str, msgspec.Meta(min_length=1)]
    at_most: int | None = None
    at_least: int | None = None
    choices: tuple[str, ...] = ()


class SurveyQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question of a survey.

    Attributes:
        key: its name in the store.
        kind: how it is answered.
        text: as it is asked, in the owner's words.
        low: of a scale, the lowest grade.
        high: of a scale, the highest grade.
        choices: of a choice.
        low_is: grades up to this one are low: the reason is asked and a person looks after it; None for the
            standard of its kind, and for a scale its lowest third.
        asks_reason: whether the reason behind a low grade is asked.
        is_optional: whether the question can be passed over.
        branches: where answers lead.
    """

    key: Key
    kind: QuestionKind
    text: Title
    low: Annotated[int, msgspec.Meta(ge=0, le=10)] = 1
    high: Annotated[int, msgspec.Meta(ge=1, le=10)] = 5
    choices: tuple[SurveyChoice, ...] = ()
    low_is: int | None = None
    asks_reason: bool = True
    is_optional: bool = False
    branches: tuple[Branch, ...] = ()

    @property
    def is_graded(self) -> bool:
        """Whether its answer is a number."""
        return self.kind in ("csat", "nps", "ces", "scale")

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest grade."""
        return SCALES.get(self.kind, (self.low, self.high))

    @property
    def low_until(self) -> int:
        """Grades up to this one are low."""
        if self.low_is is not None:
            return self.low_is
        low, high = self.ends
        return LOW.get(self.kind, low + (high - low) // 3)


class SurveyTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a survey follows.

    Attributes:
        on: a resolved complaint, a finished service, a purchase, the end of a hand-over.
        after_days: so many days later.
        after_minutes: and so many minutes.
        minimum_tomans: of purchases, only those of at least this much.
    """

    on: Occasion
    after_days: Days = 0
    after_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    minimum_tomans: Tomans = 0


class SurveyDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A survey.

    Attributes:
        key: its name in the store.
        title: what staff and customers call it.
        questions: in order.
        triggers: what it follows; none for a survey that is only sent by hand.
        intro: said before the first question; empty for Peyvand's own words.
        is_open: whether whoever wishes to speak up gets this one; the first such survey is taken.
        is_active: whether it is asked at all.
    """

    key: Key
    title: Title
    questions: Annotated[tuple[SurveyQuestion, ...], msgspec.Meta(min_length=1, max_length=20)]
    triggers: tuple[SurveyTrigger, ...] = ()
    intro: str = ""
    is_open: bool = False
    is_active: bool = True

    def question(self, key: str) -> SurveyQuestion | None:
        """A question by its key."""
        return next((question for question in self.questions if question.key == key), None)

    def check(self) -> None:
        """Look for what contradicts itself.

        Raises:
            ValueError: something does; the message names the place.
        """
        place = f"surveys.{self.key}"
        keys = [question.key for question in self.questions]
        if len(set(keys)) < len(keys) or END in keys:
            raise ValueError(f"{place}: keys of questions must differ, and none may be called {END}")
        for number, question in enumerate(self.questions):
            _check_question(f"{place}.{question.key}", question, later=keys[number + 1 :])


class Surveys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How opinions are asked for.

    Attributes:
        items: the surveys.
        cooldown_days: between two surveys of one customer, whichever they are; one that somebody asks for
            needs no pause, and begins one.
        quiet_from: nobody is asked from this time of day on.
        quiet_until: until this one.
        reminder_after_hours: one reminder, where nothing was answered; 0 for none.
        expires_after_hours: then it is over, and what was answered is kept.
        follow_up_minutes: a person has so much working time to look after a low grade.
    """

    items: tuple[SurveyDefinition, ...] = ()
    cooldown_days: Days = 30
    quiet_from: HourOfDay = "21:00"
    quiet_until: HourOfDay = "09:00"
    reminder_after_hours: Annotated[int, msgspec.Meta(ge=0, le=720)] = 24
    expires_after_hours: Annotated[int, msgspec.Meta(ge=1, le=2160)] = 72
    follow_up_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 480

    def item(self, key: str) -> SurveyDefinition | None:
        """A survey by its key."""
        return next((item for item in self.items if item.key == key), None)

    def check(self) -> None:
        """Look for what contradicts itself.

        Raises:
            ValueError: something does; the message names the place.
        """
        keys = [item.key for item in self.items]
        doubled = sorted({key for key in keys if keys.count(key) > 1})
        if doubled:
            raise ValueError(f"surveys.items: {', '.join(doubled)} stands there twice")
        for item in self.items:
            item.check()
        if 0 < self.expires_after_hours <= self.reminder_after_hours:
            raise ValueError("surveys: reminder_after_hours must be less than expires_after_hours")


def _check_question(place: str, question: SurveyQuestion, *, later: list[str]) -> None:
    low, high = question.ends
    if question.is_graded and low >= high:
        raise ValueError(f"{place}: low must be less than high")
    if (question.kind == "choice") != bool(question.choices):
        raise ValueError(f"{place}: a choice needs choices, and nothing else has them")
    choices = [choice.key for choice in question.choices]
    if len(set(choices)) < len(choices):
        raise ValueError(f"{place}: keys of choices must differ")
    for branch in question.branches:
        if branch.go_to not in (*later, END):
            raise ValueError(f"{place}: a branch must lead to a later question or to {END}")
        if not set(branch.choices) <= set(choices):
            raise ValueError(f"{place}: a branch names a choice that there is not")
