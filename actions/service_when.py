"""When somebody may come: what a message wishes for, and which free windows of time are offered for it.

«پنجشنبه عصر» is a wish. Where exactly one free window fits, it is taken; where several do, they are offered;
where none does, that is said and the nearest ones are offered. A wish that can be read in two ways («یکشنبه»
on a Sunday) is never guessed at: windows of both readings are offered, with their dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice, product
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from actions.answers import SHORT_ANSWER, is_denied
from actions.base import Reply, environment
from actions.texts import button, is_any_in, words
from actions.turn import Found, Turn
from crm_store.base import utcnow
from crm_store.business import ServiceKind
from crm_store.persian import span_text
from crm_store.service_requests.booking import Slot, free_slots
from crm_store.terms import term

AREA = "service_requests"
#: So many windows are offered at a time.
OFFERED = 6
#: More windows than a business has in the time for which it takes bookings.
ALL = 10_000
#: More ways to read one wish than these are not told apart.
MOST_READINGS = 4
#: Longest span of days that a wish may name, such as a month.
MOST_DAYS = 62

#: From and to, ``HH:MM``; equal ones are a moment.
Span = tuple[str, str]


class Reading(msgspec.Struct, frozen=True):
    """One way to read a wish.

    Attributes:
        days: the days that would do; none means any.
        spans: the hours that would do; none means any.
    """

    days: tuple[date, ...] = ()
    spans: tuple[Span, ...] = ()

    def on(self, days: tuple[date, ...]) -> Reading:
        """The same hours on other days."""
        return Reading(days, self.spans)


class Wish(msgspec.Struct, frozen=True):
    """When somebody would like it.

    Attributes:
        said: in the customer's own words.
        readings: the ways to read it; none where only a time was declined.
        soonest: the earlier the better.
        gone: a window that was chosen and that somebody else took.
    """

    said: str = ""
    readings: tuple[Reading, ...] = ()
    soonest: bool = False
    gone: bool = False

    @classmethod
    def of_gone(cls, starts_at: datetime, said: str) -> Wish:
        """The wish for a window that somebody else took meanwhile.

        Args:
            starts_at: its beginning.
            said: the window as people read it.
        """
        local = starts_at.astimezone(_zone())
        moment = f"{local:%H:%M}"
        return cls(said, (Reading((local.date(),), ((moment, moment),)),), gone=True)

    def as_data(self) -> dict[str, Any]:
        """As a draft keeps it."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]  # a dict, as a Struct always gives

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Wish:
        """As a draft kept it."""
        return msgspec.convert(data, cls)


class Offer(NamedTuple):
    """Windows to choose from.

    Attributes:
        response: how they are offered; None where nothing more than the plain question is to be said.
        slots: the windows; none where nothing is free at all.
        has_more: whether there are others.
        said: what was wished for.
    """

    response: str | None
    slots: list[Slot]
    has_more: bool
    said: str

    @property
    def buttons(self) -> list[dict[str, str]]:
        """A button for each window, and one for others."""
        chosen = [
            button(
                when_text(slot.starts_at, slot.ends_at), "choose_window", window=slot.starts_at.isoformat()
            )
            for slot in self.slots
        ]
        more = button(term(AREA, "buttons", "more_windows") or "", "more_windows")
        return [*chosen, *([more] if self.has_more else [])]


class MeantWindow(NamedTuple):
    """What a text means for a visit that is moved: the one window that fits, or None where several may do."""

    starts_at: datetime | None


def when_text(starts_at: datetime, ends_at: datetime) -> str:
    """A window as people read it."""
    return span_text(starts_at, ends_at, now=utcnow(), tz=environment().rules.timezone)


def wish_in(text: str, found: Iterable[Found]) -> Wish | None:
    """The time that a text wishes for; None where it says nothing of the time of a visit.

    Args:
        text: what was typed.
        found: the entities in it, with their places.
    """
    named = [one for one in found if one.entity in ("date", "time", "period")]
    meant = [one for one in named if not is_denied(text, one, AREA) and not _is_since(text, one)]
    soonest = is_any_in(AREA, "soonest", text)
    days = _days_wished(meant)
    # «شب‌ها صدا می‌ده» tells of a fault: in a longer text an hour without a day must be one to come at.
    speaks_of_coming = len(text.split()) <= SHORT_ANSWER or is_any_in(AREA, "coming", text)
    spans = [_spans_of(one) for one in meant if one.entity == "time"] if days or speaks_of_coming else []
    if days or spans:
        readings = islice(_readings(days, spans), MOST_READINGS)
        return Wish(_said(text, meant), tuple(readings), soonest)
    if soonest:
        return Wish(soonest=True)
    declines = speaks_of_coming and any(is_denied(text, one, AREA) for one in named)
    return Wish() if declines else None


def the_one(session: Session, kind: ServiceKind, wish: Wish) -> Slot | None:
    """The only free window that can be meant; None where there are several, or none."""
    fitting = _fitting(session, kind, wish)
    if wish.soonest:
        return next(iter(_in_order(fitting)), None) if wish.readings else _first_free(session, kind)
    # A day that can be read in two ways is asked about even if nothing is free on one of them.
    is_clear = len({reading.days for reading in wish.readings}) == 1
    possible = _in_order(fitting)
    return possible[0] if is_clear and len(possible) == 1 else None


def offer(session: Session, kind: ServiceKind, wish: Wish | None, page: int = 0) -> Offer:
    """The windows that are offered for a wish.

    Args:
        session: the unit of work.
        kind: what somebody comes for.
        wish: what was wished for; None or an empty one for nothing.
        page: how often later ones were asked for.
    """
    every = free_slots(session, kind=kind, rules=environment().rules, limit=ALL)
    fitting = _fitting(session, kind, wish) if wish else []
    possible = _in_order(fitting)
    if possible:
        several = len(fitting) > 1
        head = _some_of_each(fitting) if several else possible[:OFFERED]
        response = "utter_service_window_which" if several else "utter_service_windows_wished"
    else:
        head = _nearest(every, wish)
        response = None
        if wish and wish.readings:
            response = "utter_service_window_gone" if wish.gone else "utter_service_window_none"
    tail = [slot for slot in possible if slot not in head]
    # Later ones come first, then those before that were left out.
    last = head[-1].starts_at if head else utcnow()
    rest = [slot for slot in every if slot not in head and slot not in tail]
    tail += [slot for slot in rest if slot.starts_at > last] + [
        slot for slot in rest if slot.starts_at <= last
    ]
    begin = (page - 1) * OFFERED
    if page > 0 and tail[begin:]:
        shown = tail[begin : begin + OFFERED]
        return Offer("utter_service_more_windows", shown, len(tail) > begin + OFFERED, "")
    return Offer(response, head, bool(tail), wish.said if wish else "")


def meant_window(turn: Turn, session: Session, reply: Reply, *, kind: str) -> MeantWindow | None:
    """The window that a text means for a visit that is to be moved.

    Args:
        turn: the message.
        session: the unit of work.
        reply: receives that nothing is free then.
        kind: key of the kind of service.

    Returns:
        None where the text says nothing of time.
    """
    wish = wish_in(turn.text, turn.found)
    if wish is None:
        return None
    service = environment().business.service_kind(kind)
    one = the_one(session, service, wish)
    if one is None and wish.readings and not _in_order(_fitting(session, service, wish)):
        reply.utter("utter_service_no_window_then", wish=wish.said)
    return MeantWindow(one.starts_at if one is not None else None)


def window_buttons(session: Session, turn: Turn, *, kind: str, page: int = 0) -> list[dict[str, str]]:
    """Buttons of the windows that a visit may be moved to: those that the message wishes for come first."""
    wish = wish_in(turn.text, turn.found) if not turn.trusted else None
    offered = offer(session, environment().business.service_kind(kind), wish, page)
    return offered.buttons if offered.slots else []


def _fitting(session: Session, kind: ServiceKind, wish: Wish) -> list[list[Slot]]:
    """The free windows that fit, for each reading that has some."""
    found = [_of_reading(session, kind, reading) for reading in wish.readings]
    return [slots for slots in found if slots]


def _of_reading(session: Session, kind: ServiceKind, reading: Reading) -> list[Slot]:
    rules = environment().rules
    found: dict[datetime, Slot] = {}
    for day, span in product(reading.days or (None,), reading.spans or (None,)):
        slots = free_slots(session, kind=kind, rules=rules, on=day, between=span, limit=ALL)
        within = [slot for slot in slots if span is not None and _is_within(slot, span)]
        # «عصر» is 16 to 20: a window from 17 to 20 is meant rather than one that ends at 17.
        found.update((slot.starts_at, slot) for slot in within or slots)
    return [found[starts_at] for starts_at in sorted(found)]


def _is_within(slot: Slot, span: Span) -> bool:
    begin, end = slot.starts_at.astimezone(_zone()), slot.ends_at.astimezone(_zone())
    until = f"{end:%H:%M}" if end.date() == begin.date() else "24:00"
    return span[0] <= f"{begin:%H:%M}" and until <= span[1]


def _in_order(groups: Iterable[Iterable[Slot]]) -> list[Slot]:
    """All windows of several groups once, in order."""
    found = {slot.starts_at: slot for group in groups for slot in group}
    return [found[starts_at] for starts_at in sorted(found)]


def _some_of_each(groups: Sequence[Sequence[Slot]]) -> list[Slot]:
    return _in_order(group[: OFFERED // len(groups)] for group in groups)


def _nearest(every: list[Slot], wish: Wish | None) -> list[Slot]:
    """The windows nearest to the first day that was wished for; without one the next ones."""
    days = [day for reading in wish.readings for day in reading.days] if wish else []
    if not days:
        return every[:OFFERED]
    zone, day = _zone(), min(days)
    near = sorted(every, key=lambda slot: abs(slot.starts_at.astimezone(zone).date() - day))
    return _in_order([near[:OFFERED]])


def _first_free(session: Session, kind: ServiceKind) -> Slot | None:
    return next(iter(free_slots(session, kind=kind, rules=environment().rules, limit=1)), None)


def _days_wished(meant: list[Found]) -> list[list[tuple[date, ...]]]:
    """The days that each passage may name, those that are over left out."""
    dates = [_days_of(one) for one in meant if one.entity == "date"]
    periods = [_days_of(one) for one in meant if one.entity == "period"]
    return [one for one in dates if one] or [one for one in periods if one]


def _days_of(one: Found) -> list[tuple[date, ...]]:
    today = utcnow().astimezone(_zone()).date()
    possible = [one.value] if one.value is not None else list(one.candidates)
    spans = [
        _period(value) if isinstance(value, Mapping) else (date.fromisoformat(value),) for value in possible
    ]
    coming = [tuple(day for day in span if day >= today) for span in spans]
    return [span for span in coming if span]


def _period(value: Mapping[str, str]) -> tuple[date, ...]:
    begin, end = date.fromisoformat(value["from"]), date.fromisoformat(value["to"])
    return tuple(begin + timedelta(days=number) for number in range(min((end - begin).days, MOST_DAYS)))


def _spans_of(one: Found) -> list[Span]:
    possible = [one.value] if one.value is not None else list(one.candidates)
    return [
        (value["from"], value["to"]) if isinstance(value, Mapping) else (str(value), str(value))
        for value in possible
    ]


def _readings(days: list[list[tuple[date, ...]]], spans: list[list[Span]]) -> Iterator[Reading]:
    """Every way to read the passages together: each of them may be read in several ways."""
    for chosen in product(*days):
        for hours in product(*spans):
            yield Reading(tuple(sorted({day for group in chosen for day in group})), hours)


def _is_since(text: str, one: Found) -> bool:
    """«از دیروز» tells since when, not when to come."""
    before = words(text[: one.start])[-1:]
    return one.entity != "period" and bool(before) and is_any_in(AREA, "since", before[0])


def _said(text: str, meant: list[Found]) -> str:
    passages = {(one.start, one.end): text[one.start : one.end] for one in meant}
    return " ".join(passages[place] for place in sorted(passages))


def _zone() -> ZoneInfo:
    return ZoneInfo(environment().rules.timezone)
