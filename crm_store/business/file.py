"""What differs from business to business: ``business.toml``, which the owner edits while Peyvand runs.

Every role reads it through `BusinessFile`, which notices a change by itself: nothing is trained or started
again. A file with a mistake in it never takes effect; the last good one stays in force and the mistake is
logged, with its place.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from crm_store.business.calendar import Calendar
from crm_store.business.handoff import Handoff, StaffRules
from crm_store.business.loyalty import Loyalty
from crm_store.business.parts import Callbacks, Category, Complaints, Faq, Product, RootCause
from crm_store.business.service import Service, ServiceKind
from crm_store.business.sla import Sla
from crm_store.business.surveys import Surveys
from crm_store.errors import ConfigurationError
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS, DayParts
from crm_store.settings import PROJECT_ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The file that a new copy starts with, and that stands in until there is one.
EXAMPLE = PROJECT_ROOT / "business.example.toml"

#: What people call parts of the day; the defaults stand in `crm_store.persian.calendar_words`.
DayPart = Literal[
    "early_morning",
    "first_thing",
    "morning",
    "forenoon",
    "noon",
    "afternoon",
    "late",
    "evening",
    "dusk",
    "night",
]
log = structlog.get_logger(__name__)


class Business(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The business that Peyvand speaks for.

    Attributes:
        name: as customers know it; stands for ``{business}`` in every response.
        faq: answers to common questions.
        complaints: categories and what is asked about them.
        calendar: when the business works (`working_calendar`).
        callback: when calls are promised (`call_hours`).
        service: what can be booked, and when.
        sla: how soon what is answered.
        loyalty: the customers' club.
        surveys: opinions that are asked for.
        handoff: when and how a person takes over.
        staff: what holds for the staff.
        day_parts: what customers' words for parts of the day mean here, ``"08:00-12:00"``; a part left out is
            what it is to most people.
        products: what it sells, so that it is known by name when somebody mentions it.
        texts: wordings of the business's own by the name of a response, in place of Peyvand's.
    """

    name: str
    complaints: Complaints
    faq: Faq = Faq()
    calendar: Calendar = Calendar()
    callback: Callbacks = Callbacks()
    service: Service = Service()
    sla: Sla = Sla()
    loyalty: Loyalty = Loyalty()
    surveys: Surveys = Surveys()
    handoff: Handoff = Handoff()
    staff: StaffRules = StaffRules()
    day_parts: Mapping[DayPart, str] = msgspec.field(default_factory=dict)
    products: tuple[Product, ...] = ()
    texts: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    @property
    def category_keys(self) -> tuple[str, ...]:
        """Keys of the categories, in the order of their buttons."""
        return tuple(category.key for category in self.complaints.categories)

    def parts_of_day(self) -> DayParts:
        """From and to, ``HH:MM``, of every part of the day.

        Raises:
            ValueError: one of them is written differently.
        """
        return {**DEFAULT_DAY_PARTS, **{name: _day_part(name, text) for name, text in self.day_parts.items()}}

    @property
    def working_calendar(self) -> Calendar:
        """When the business works: the calendar, or as long as it has no hours those of call-backs."""
        return self.calendar if self.calendar.has_hours else self.callback

    @property
    def call_hours(self) -> Callbacks:
        """When calls are promised: within hours of their own, or else within those of the calendar."""
        if self.callback.has_hours:
            return self.callback
        days_off = self.calendar.holidays + self.callback.holidays
        calendar = msgspec.structs.asdict(msgspec.structs.replace(self.calendar, holidays=days_off))
        return Callbacks(**calendar, within_minutes=self.callback.within_minutes)

    def category(self, key: str) -> Category:
        """A category by its key; one that the owner took out of the file is shown by its key."""
        found = (category for category in self.complaints.categories if category.key == key)
        return next(found, Category(key=key, title=key))

    def root_cause(self, key: str) -> RootCause:
        """A root cause by its key; one that the owner took out of the file is shown by its key."""
        found = (cause for cause in self.complaints.root_causes if cause.key == key)
        return next(found, RootCause(key=key, title=key))

    def service_kind(self, key: str) -> ServiceKind:
        """A kind of service by its key; one that the owner took out of the file is shown by its key."""
        found = (kind for kind in self.service.kinds if kind.key == key)
        return next(found, ServiceKind(key=key, title=key))


def read_business(path: Path) -> Business:
    """Read a business file.

    Raises:
        ConfigurationError: it cannot be read, or something in it is wrong; the message says where.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        business = msgspec.convert(_with_lists(values), Business)
        _check(business)
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is not valid TOML: {error}") from error
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
    return business


class BusinessFile:
    """The business file as it is now.

    Args:
        path: where the owner edits it; as long as nothing has been there, the example that is shipped
            stands in.

    Raises:
        ConfigurationError: it is wrong, and there is no earlier good version either.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: A copy of the last good version: a restart while the owner's file has a mistake in it is no outage.
        self._good_copy = path.with_name(f"{path.stem}.last-good{path.suffix}")
        self._stamp = self._look()
        #: What is wrong with the file as it stands; empty when it is in force.
        self.problem = ""
        try:
            self._business = self._read() if self._stamp else read_business(EXAMPLE)
        except ConfigurationError as error:
            if not self._good_copy.exists():
                raise
            self._business = read_business(self._good_copy)
            self._note_problem(error)

    def current(self) -> Business:
        """The newest good version."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._business, self.problem = self._read(), ""
                log.info("business_file_read", file=self._path.name)
            except ConfigurationError as error:
                self._note_problem(error)
        return self._business

    def _read(self) -> Business:
        business = read_business(self._path)
        # Every role does this; whoever comes last writes the same. A folder that is not ours stays as it is.
        with contextlib.suppress(OSError):
            fresh = self._good_copy.with_name(f".{self._good_copy.name}.{os.getpid()}")
            shutil.copyfile(self._path, fresh)
            fresh.replace(self._good_copy)
        return business

    def _note_problem(self, error: ConfigurationError) -> None:
        self.problem = str(error)
        log.error("business_file_wrong", reason=self.problem, in_force="the last good version")

    def _look(self) -> tuple[int, int] | None:
        """What changes when the file is saved; None where there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def lay_out_business_file(path: Path) -> bool:
    """Give a new copy of Peyvand its business file; whether it was made now."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(EXAMPLE, path)
    return True


def _with_lists(values: dict[str, object]) -> dict[str, object]:
    """One wording may be written without brackets."""
    texts = values.get("texts")
    if isinstance(texts, dict):
        values["texts"] = {name: [text] if isinstance(text, str) else text for name, text in texts.items()}
    return values


def _check(business: Business) -> None:
    _check_keys("complaints.categories", business.category_keys)
    _check_keys("products", [product.key for product in business.products])
    _check_keys("complaints.root_causes", [cause.key for cause in business.complaints.root_causes])
    _check_keys("service.kinds", [kind.key for kind in business.service.kinds])
    business.calendar.check("calendar")
    business.callback.check("callback")
    business.service.check()
    business.sla.check()
    business.loyalty.check()
    business.surveys.check()
    business.handoff.check()
    business.parts_of_day()
    empty = sorted(name for name, wordings in business.texts.items() if not all(wordings) or not wordings)
    if empty:
        raise ValueError(f"texts: {', '.join(empty)} is empty; leave it out to get Peyvand's own wording")


def _check_keys(place: str, keys: Sequence[str]) -> None:
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise ValueError(f"{place}: {', '.join(doubled)} stands there twice")


def _day_part(name: str, text: str) -> tuple[str, str]:
    """From and to; a part may last until midnight, ``24:00``."""
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", text.strip())
    begin, end = text.strip()[:5], text.strip()[-5:]
    if not match or begin >= end:
        raise ValueError(f'day_parts.{name}: "{text}" must be written like "08:00-12:00"')
    return begin, end
