"""Public values that may decide a raffle, named so that whoever looks them up finds the same."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm_store.errors import InvalidInput
from crm_store.loyalty.raffle_draw import drand_address, drand_round
from crm_store.persian import to_jalali_text, to_persian_digits
from crm_store.terms import terms

#: The exchange has closed and its index is settled.
_INDEX_SETTLED = time(18)


class Source(NamedTuple):
    """A public value to come: what it is, in the words that are published, and when it comes to be."""

    text: str
    at: datetime


def drand_source(moment: datetime) -> Source:
    """The first value of drand at or after a moment: nobody can foresee or choose it."""
    number = drand_round(moment)
    text = _text("drand").format(round=number, shown=to_persian_digits(number), address=drand_address(number))
    return Source(text, moment)


def index_source(day: date, *, timezone: str, now: datetime) -> Source:
    """The main index of Tehran's stock exchange at the end of a day.

    Raises:
        InvalidInput: the day is not to come: its value may be known already.
    """
    zone = ZoneInfo(timezone)
    if day <= now.astimezone(zone).date():
        raise InvalidInput("the index has to be that of a day to come")
    at = datetime.combine(day, _INDEX_SETTLED, zone)
    return Source(_text("index").format(day=to_jalali_text(at, timezone)), at)


def _text(kind: str) -> str:
    return str(terms("loyalty")["raffle_sources"][kind])
