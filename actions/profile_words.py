"""What a message says about somebody's profile: which field it means, and the value that stands in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from actions.handoff import has_digits_of_a_phone, typed_phone
from actions.texts import count_other_words, is_any_in, named, words
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.customers.profile import CHANNELS, checked
from crm_store.errors import InvalidInput
from crm_store.persian.birthdays import read_date

AREA = "customers"
FIELDS = ("full_name", "phone", "address", "birthday", "preferred_time", "preferred_channel")
#: Most words of a name that stands in a sentence, and of one that was asked for.
NAME_IN_A_SENTENCE, NAME_ALONE = range(2, 5), range(1, 7)
HOUR_DIGITS = 2

_CHUNK = re.compile(r"\S+")
#: What people put around a value: «اسمم: «سارا محمدی».»
_AROUND = " \t\n:؛;،,.-–—«»\"'()!؟?"
_BIRTHDAY_PROBLEMS = {
    "absent": "utter_birthday_unread",
    "incomplete": "utter_birthday_incomplete",
    "impossible": "utter_birthday_impossible",
    "ambiguous": "utter_birthday_ambiguous",
}


class Said(NamedTuple):
    """What was said about a field.

    Attributes:
        value: as it is kept; None when the message holds none.
        problem: the response that says why it cannot be kept; None when nothing is wrong.
    """

    value: str | None = None
    problem: str | None = None


def fields_meant(turn: Turn) -> set[str]:
    """The fields that a message is about; several when it is not clear which one."""
    chosen = turn.button_value("profile_update", "field")
    if turn.trusted:
        return {chosen} & set(FIELDS) if chosen else set()
    found = named(AREA, "field_words", turn.text)
    if names_what_is_not_kept(turn) and found <= {"address", "phone"}:
        return set()
    if found:
        return found
    if turn.contact is not None or typed_phone(turn) is not None:
        return {"phone"}
    if _tells_a_time(turn.text):
        return {"preferred_time"}
    speaks_of_ways = _channels(turn.text) or named(AREA, "channel_refusals", turn.text)
    return {"preferred_channel"} if speaks_of_ways else set()


def names_what_is_not_kept(turn: Turn) -> bool:
    """Whether a message is about a fact that no profile has."""
    return not turn.trusted and is_any_in(AREA, "not_kept", turn.text)


def value_said(field: str, turn: Turn, *, was_asked: bool, channel: str) -> Said:
    """The value of a field in a message.

    Args:
        field: one of FIELDS.
        turn: the message.
        was_asked: the value was asked for, so the whole message is meant for it.
        channel: where the message came from.
    """
    chosen = turn.button_value("profile_update", "value")
    if turn.trusted:
        return Said(chosen if field == "preferred_channel" and chosen in CHANNELS else None)
    if field == "preferred_channel":
        return _channel(turn.text, was_asked, channel)
    readers: dict[str, Callable[[Turn, bool], Said]] = {
        "full_name": _name,
        "phone": _phone,
        "address": _address,
        "birthday": _birthday,
        "preferred_time": _time,
    }
    return readers[field](turn, was_asked)


def _name(turn: Turn, was_asked: bool) -> Said:
    before, name = _without_carriers(turn.text)
    length = len(words(name))
    if not was_asked:
        announced = before[-1:] and is_any_in(AREA, "before_a_name", before[-1])
        fits = announced and length in NAME_IN_A_SENTENCE
        # A word that belongs to no value shows that it is a sentence.
        if not fits or count_other_words(AREA, "carriers", name) != length:
            return Said()
        return _checked("full_name", name, None)
    return _checked("full_name", name if length in NAME_ALONE else "", "utter_name_unread")


def _phone(turn: Turn, was_asked: bool) -> Said:
    phone = turn.contact or typed_phone(turn)
    if phone is None and was_asked and has_digits_of_a_phone(turn.text):
        return Said(problem="utter_invalid_phone")
    return Said(phone)


def _address(turn: Turn, was_asked: bool) -> Said:
    _, address = _without_carriers(turn.text)
    if was_asked:
        return _checked("address", address, "utter_address_unread")
    chunks = address.split()
    # What people say on the way to the address: «از این به بعد بفرستید کرج، خیابان …».
    talk = [place for place, chunk in enumerate(chunks, start=1) if is_any_in(AREA, "talk", chunk)]
    address = " ".join(chunks[talk[-1] if talk else 0 :])
    return _checked("address", address, None) if is_any_in(AREA, "address_words", address) else Said()


def _birthday(turn: Turn, was_asked: bool) -> Said:
    read = read_date(turn.text, today=utcnow().date())
    if read.value is None:
        is_told = was_asked or read.problem != "absent"
        return Said(problem=_BIRTHDAY_PROBLEMS[read.problem] if is_told else None)
    try:
        checked("birthday", read.value)
    except InvalidInput:
        return Said(problem="utter_birthday_impossible")
    return Said(read.value.isoformat())


def _time(turn: Turn, was_asked: bool) -> Said:
    """When somebody likes to be contacted stays in their own words."""
    if was_asked or _tells_a_time(turn.text):
        return _checked("preferred_time", turn.text, "utter_time_unread" if was_asked else None)
    return Said()


def _channel(text: str, was_asked: bool, channel: str) -> Said:
    found = _channels(text)
    if not found and was_asked:
        found = named(AREA, "channel_answers", text)
    if "here" in found:
        found = (found - {"here"}) | ({channel} & set(CHANNELS))
    if len(found) == 1:
        return Said(found.pop())
    return Said(problem="utter_channel_unread" if was_asked else None)


def _channels(text: str) -> set[str]:
    return named(AREA, "channel_words", text) - named(AREA, "channel_refusals", text)


def _tells_a_time(text: str) -> bool:
    return is_any_in(AREA, "time_words", text) or _names_an_hour(words(text))


def _names_an_hour(said: list[str]) -> bool:
    """Whether a small number stands beside a word that makes it an hour."""
    for before, number, after in zip(["", *said], said, [*said[1:], ""], strict=False):
        beside = is_any_in(AREA, "before_an_hour", before) or is_any_in(AREA, "after_an_hour", after)
        if number.isdecimal() and len(number) <= HOUR_DIGITS and beside:
            return True
    return False


def _checked(field: str, value: str, problem: str | None) -> Said:
    try:
        return Said(str(checked(field, value)))
    except InvalidInput:
        return Said(problem=problem)


def _without_carriers(text: str) -> tuple[list[str], str]:
    """The words before a value, and the value without what people say around it."""
    chunks = list(_CHUNK.finditer(text))
    start, end = 0, len(chunks)
    while start < end and not count_other_words(AREA, "carriers", chunks[start].group()):
        start += 1
    while end > start and not count_other_words(AREA, "carriers", chunks[end - 1].group()):
        end -= 1
    before = [chunk.group() for chunk in chunks[:start]]
    value = text[chunks[start].start() : chunks[end - 1].end()] if start < end else ""
    return before, value.strip(_AROUND)
