"""A customer's card in words, for chat and the staff's group; the console has a template of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crm_store.base import utcnow
from crm_store.overview.parts import (
    Callback,
    Channel,
    Contact,
    CustomerCard,
    HandoffState,
    LastProblem,
    Note,
    OpenTicket,
)
from crm_store.persian import (
    deadline_text,
    group_thousands,
    hide_phones,
    masked_phone,
    rich,
    span_text,
    to_jalali_text,
    to_persian_digits,
    toman_text,
)
from crm_store.rules import Rules
from crm_store.terms import term, terms
from crm_store.tickets.models import COMPLAINT

_AREA = "overview"


def lines_of(card: CustomerCard, *, rules: Rules, full_phone: bool, now: datetime | None = None) -> list[str]:
    """The card's lines, each rich text (`crm_store.persian.rich`), with everything in them escaped.

    Args:
        full_phone: whether phone numbers are shown whole.
    """
    return list(_Telling(card, rules, full_phone, now or utcnow()).lines())


def card_text(card: CustomerCard, *, rules: Rules, full_phone: bool, now: datetime | None = None) -> str:
    """The card as one message: rich text."""
    return "\n".join(lines_of(card, rules=rules, full_phone=full_phone, now=now))


class _Telling:
    """One card, told line by line; what is empty is left out."""

    def __init__(self, card: CustomerCard, rules: Rules, full_phone: bool, now: datetime) -> None:
        self._card = card
        self._rules = rules
        self._full_phone = full_phone
        self._now = now

    def lines(self) -> Iterator[str]:
        card = self._card
        yield self._title()
        if card.flags:
            yield _line("flags", flags=_listed(_name("flags", flag) for flag in card.flags))
        if card.handoff is not None:
            yield self._handoff(card.handoff)
        yield self._phones()
        yield from self._tickets()
        yield from (self._callback(one) for one in card.callbacks)
        if card.last_problem is not None:
            yield from self._problem(card.last_problem)
        yield from self._notes()
        yield from self._contacts()
        yield from self._standing()
        yield from self._wishes()

    def _title(self) -> str:
        card = self._card
        name = _value(card.name) if card.name else _words()["nameless"]
        more = [_value(card.tier)] if card.tier else []
        more += [_line("ref", ref=_value(card.external_ref))] if card.external_ref else []
        return _line("title", name=name, more="".join(_line("more", value=one) for one in more))

    def _phones(self) -> str:
        if not self._card.phones:
            return _words()["no_phone"]
        shown = []
        for phone in self._card.phones:
            written = _value(masked_phone(phone.value, full=self._full_phone))
            shown.append(_line("proven", phone=written) if phone.is_proven else written)
        return _line("phones", phones=_listed(shown))

    def _tickets(self) -> Iterator[str]:
        card = self._card
        if not card.tickets:
            return
        yield _words()["tickets"]
        yield from (self._ticket(ticket) for ticket in card.tickets)
        if card.tickets_more:
            yield _line("tickets_more", count=to_persian_digits(card.tickets_more))

    def _ticket(self, ticket: OpenTicket) -> str:
        is_complaint = ticket.subject_type == COMPLAINT
        rest = ""
        clock = next((one for one in ticket.clocks if one.is_overdue), None)
        if clock is not None:
            rest += _line("overdue", metric=_name("clock_metrics", clock.metric))
        elif (nearest := next((one for one in ticket.clocks if not one.is_paused), None)) is not None:
            metric = _name("clock_metrics", nearest.metric)
            rest += _line("due", metric=metric, deadline=self._deadline(nearest.due_at))
        if ticket.visit_at is not None and ticket.visit_until is not None:
            span = span_text(ticket.visit_at, ticket.visit_until, now=self._now, tz=self._rules.timezone)
            rest += _line("visit", span=span)
        if ticket.assignee:
            rest += _line("assignee", name=_value(ticket.assignee))
        state = (
            _name("complaint_states", ticket.state)
            if is_complaint
            else term("service_requests", "states", ticket.state) or ticket.state
        )
        return _line(
            ticket.subject_type,
            code=to_persian_digits(ticket.code),
            title=_value(self._title_of(ticket.subject_type, ticket.title)),
            state=state,
            rest=rest,
        )

    def _title_of(self, subject_type: str, key: str) -> str:
        business = self._rules.business
        return business.category(key).title if subject_type == COMPLAINT else business.service_kind(key).title

    def _callback(self, one: Callback) -> str:
        topic = _line("topic", words=self._said(one.topic)) if one.topic else ""
        if one.due_at is None:
            return _line("callback_open", topic=topic)
        if one.is_overdue:
            return _line("callback_overdue", deadline=self._date(one.due_at), topic=topic)
        return _line("callback", deadline=self._deadline(one.due_at), topic=topic)

    def _problem(self, problem: LastProblem) -> Iterator[str]:
        title = problem.title
        if problem.kind == "complaint":
            title = self._rules.business.category(title).title
        elif problem.kind == "visit":
            title = self._rules.business.service_kind(title).title
        yield _line(
            f"problem_{problem.kind}",
            title=_value(title),
            date=self._date(problem.at),
            code=to_persian_digits(problem.code),
            words=_line("topic", words=self._said(problem.words)) if problem.words else "",
        )
        yield self._made_up(problem)

    def _made_up(self, problem: LastProblem) -> str:
        if problem.apologised:
            told = _words()["apologised"]
        else:
            told = _words()["rejected" if problem.decision == "rejected" else "not_apologised"]
        if problem.remedy:
            told += _line("remedy", remedy=term("complaints", "remedies", problem.remedy) or problem.remedy)
        if problem.compensation:
            amount = (
                _line("points_amount", points=group_thousands(problem.compensation))
                if problem.compensation_kind == "points"
                else toman_text(problem.compensation)
            )
            told += _line("made_up", amount=amount)
        return told

    def _handoff(self, handoff: HandoffState) -> str:
        if handoff.state == "waiting":
            topic = _line("topic", words=self._said(handoff.topic)) if handoff.topic else ""
            return _line("handoff_waiting", reason=_name("handoff_reasons", handoff.reason), topic=topic)
        if handoff.state == "claimed":
            return _line("handoff_claimed", name=_value(handoff.owner))
        ended = _line("handoff_ended", name=_value(handoff.owner), date=self._date(handoff.since))
        return ended + (_line("agreed", agreed=self._said(handoff.agreed)) if handoff.agreed else "")

    def _contacts(self) -> Iterator[str]:
        if self._card.contacts:
            yield _words()["contacts"]
            yield from (self._contact(one) for one in self._card.contacts)

    def _contact(self, one: Contact) -> str:
        return _line(
            "contact",
            kind=_name("contact_kinds", one.kind),
            date=self._date(one.at),
            staff=_line("contact_staff", name=_value(one.staff)) if one.staff else "",
            words=_line("topic", words=self._said(one.words)) if one.words else "",
        )

    def _notes(self) -> Iterator[str]:
        if not self._card.notes:
            return
        yield _words()["notes"]
        yield from (self._note(one) for one in self._card.notes)
        if self._card.notes_more:
            yield _line("notes_more", count=to_persian_digits(self._card.notes_more))

    def _note(self, one: Note) -> str:
        return _line(
            "pinned" if one.is_pinned else "note",
            text=self._said(one.text),
            author=_value(one.author),
            date=self._date(one.at),
        )

    def _standing(self) -> Iterator[str]:
        """What somebody is worth to the business, and the business to them."""
        card = self._card
        if card.value.purchases and card.value.last_at is not None:
            yield _line(
                "value",
                count=to_persian_digits(card.value.purchases),
                all=toman_text(card.value.rials_all),
                year=toman_text(card.value.rials_12_months),
                date=self._date(card.value.last_at),
            )
        else:
            yield _words()["no_purchases"]
        if self._rules.business.loyalty.is_on:
            expiring = card.points.expiring_soon
            yield _line(
                "points_expiring" if expiring else "points",
                points=group_thousands(card.points.points - card.points.debt),
                expiring=group_thousands(expiring),
            )
        grades = list(self._grades())
        if grades:
            yield _line("satisfaction", grades=_listed(grades))
        yield _line("since", date=self._date(card.since))

    def _grades(self) -> Iterator[str]:
        satisfaction = self._card.satisfaction
        if satisfaction.csat is not None:
            yield _line("csat", mean=_decimal(satisfaction.csat))
        if satisfaction.nps is not None:
            yield _line("nps", mean=_decimal(satisfaction.nps))
        for grade in satisfaction.last[:1]:
            yield _line(
                "grade_words" if grade.words else "grade",
                kind=_name("grade_kinds", grade.kind),
                value=to_persian_digits(grade.value),
                top=to_persian_digits(grade.top),
                words=self._said(grade.words),
            )

    def _wishes(self) -> Iterator[str]:
        card = self._card
        if card.birthday_in is not None:
            days = to_persian_digits(card.birthday_in)
            yield _line("birthday", days=days) if card.birthday_in else _words()["birthday_today"]
        if card.channels:
            yield _line("channels", channels=_listed(map(_channel, card.channels)))
        wishes = [_name("channels", card.preferred_channel)] if card.preferred_channel else []
        wishes += [_value(card.preferred_time)] if card.preferred_time else []
        if wishes:
            yield _line("preferences", preferences=_listed(wishes))
        if card.consents:
            decided = (
                _line("granted" if one.granted else "refused", purpose=_name("purposes", one.purpose))
                for one in card.consents
            )
            yield _line("consents", consents=_listed(decided))

    def _said(self, text: str) -> str:
        """What somebody wrote; a phone number in it is hidden as the others are."""
        return _value(text if self._full_phone else hide_phones(text))

    def _date(self, moment: datetime) -> str:
        return to_jalali_text(moment, self._rules.timezone)

    def _deadline(self, moment: datetime) -> str:
        return deadline_text(moment, now=self._now, tz=self._rules.timezone)


def _channel(channel: Channel) -> str:
    name = _name("channels", channel.channel)
    if channel.username:
        name = _line("username", channel=name, username=_value(f"@{channel.username}"))
    return _line("blocked", channel=name) if channel.is_blocked else name


def _decimal(number: float) -> str:
    return to_persian_digits(f"{number:.1f}".replace(".", "\u066b"))


def _words() -> dict[str, str]:
    words: dict[str, str] = terms(_AREA)["card"]
    return words


def _line(key: str, **values: str) -> str:
    return str(_words()[key]).format(**values)


def _value(text: str) -> str:
    """A value on one line, escaped."""
    return rich.value(" ".join(text.split()))


def _name(section: str, key: str) -> str:
    return term(_AREA, section, key) or _value(key)


def _listed(parts: Iterator[str] | list[str] | map[str]) -> str:
    return str(terms(_AREA)["comma"]).join(parts)
