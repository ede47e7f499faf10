"""Answers, kinds of complaints, products: what the owner tells in the business file besides times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from crm_store.business.calendar import Calendar

#: What may be asked about a complaint besides what happened and its category, in the order of asking.
Question = Literal["order_number", "remedy", "attachments", "phone"]
Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Title = Annotated[str, msgspec.Meta(min_length=1)]
Role = Literal["technician", "agent", "supervisor", "admin"]
Priority = Literal["low", "normal", "high", "urgent"]
#: A week of working time without a pause; what is longer is a slip of the finger.
MAX_WITHIN_MINUTES = 7 * 24 * 60
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]


class Faq(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to what every business is asked, as rich text; an empty one is not known yet."""

    hours: str = ""
    address: str = ""
    contact: str = ""
    delivery: str = ""
    returns: str = ""
    warranty: str = ""
    payment: str = ""
    instalments: str = ""

    def answer(self, topic: str) -> str:
        """The answer to a topic; empty when there is none."""
        return str(getattr(self, topic)).strip() if topic in self.__struct_fields__ else ""

    @property
    def answered(self) -> list[str]:
        """Topics with an answer."""
        return [topic for topic in self.__struct_fields__ if self.answer(topic)]

    @property
    def unanswered(self) -> list[str]:
        """Topics without an answer."""
        return [topic for topic in self.__struct_fields__ if not self.answer(topic)]


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of complaint.

    Attributes:
        key: its name in the store; never changed once complaints have it.
        title: what people read.
        ask: what is asked about such a complaint when the customer has not told it.
        words: words by which customers name it, besides those that Peyvand knows by itself.
        priority: how urgent such a complaint is before anything else is known about it.
    """

    key: Key
    title: str
    ask: tuple[Question, ...] = ("order_number", "remedy", "phone")
    words: tuple[str, ...] = ()
    priority: Priority = "normal"


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that the business sells and customers talk about.

    Attributes:
        key: its name in the store; never changed once something has it.
        title: what people read.
        words: other words by which customers name it.
    """

    key: Key
    title: Annotated[str, msgspec.Meta(min_length=1)]
    words: tuple[str, ...] = ()


class RootCause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something went wrong, as it is found out when a complaint is decided."""

    key: Key
    title: Title


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a role may grant by itself to make up for a mistake.

    Attributes:
        points: loyalty points at the most.
        tomans: money at the most.
    """

    points: Annotated[int, msgspec.Meta(ge=0)] = 0
    tomans: Annotated[int, msgspec.Meta(ge=0)] = 0


class Complaints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked about complaints, and how they are dealt with.

    Attributes:
        categories: in the order of their buttons.
        root_causes: what a decision may name as the reason.
        compensation: what each role may grant by itself; more waits for somebody who may.
        close_after_days: a resolved complaint is closed after so many days without a word.
        reopen_days: so long after the resolution a customer may say that it is not solved.
        appeal_days: so long after the resolution a customer may appeal, once.
        problem_customers: so many customers with one cause raise a problem; 0 for never.
        problem_hours: within so many hours.
    """

    categories: Annotated[tuple[Category, ...], msgspec.Meta(min_length=1)]
    root_causes: tuple[RootCause, ...] = ()
    compensation: Mapping[Role, Limit] = msgspec.field(default_factory=dict)
    close_after_days: Days = 3
    reopen_days: Days = 14
    appeal_days: Days = 30
    problem_customers: Annotated[int, msgspec.Meta(ge=0)] = 5
    problem_hours: Annotated[int, msgspec.Meta(gt=0, le=24 * 365)] = 24


class Callbacks(Calendar, frozen=True, forbid_unknown_fields=True):
    """When customers are called back; hours of its own stand in for those of the calendar.

    Attributes:
        within_minutes: a call is promised after so many minutes of working time at the latest.
    """

    within_minutes: Annotated[int, msgspec.Meta(gt=0, le=MAX_WITHIN_MINUTES)] = 120
