"""What a message tells about a service request: its kind, the product, the place, a phone, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from actions.answers import is_denied, own_phone
from actions.base import environment
from actions.service_when import AREA
from actions.texts import count_other_words, is_any_in, words
from actions.turn import Found
from crm_store.business import ServiceKind
from crm_store.service_requests import drafting
from crm_store.settings import PROJECT_ROOT
from crm_store.terms import terms

#: So many words that say more than "send somebody" tell what is to be done.
TELLING_WORDS = 2
#: An address has so many words at least.
ADDRESS_WORDS = 3
#: What says when, where and who, not what is to be done.
_BESIDES = frozenset({"date", "time", "period", "city", "phone_number"})
#: What may stand behind an address in one breath.
_BEHIND_ADDRESSES = _BESIDES - {"city"}
#: Most words of what leads from an address to that: «شماره‌ی من».
LEAD_IN_WORDS = 2
_CLAUSE_END = re.compile(r"[،,]")
_SENTENCE_END = re.compile(r"[.!؟?؛\n]")


@dataclass(frozen=True)
class Details:
    """What a message states; None where it states nothing, or nothing clear.

    Attributes:
        kind: key of the kind of service.
        product: what it is about, as people read it.
        city: its name in standard spelling.
        address: what stands behind the word for an address.
        phone: the writer's own number (E.164).
    """

    kind: str | None = None
    product: str | None = None
    city: str | None = None
    address: str | None = None
    phone: str | None = None


def kinds() -> tuple[ServiceKind, ...]:
    """What can be asked for."""
    return environment().business.service.kinds


def kind_of(data: Mapping[str, Any]) -> ServiceKind | None:
    """The kind that a draft names, unless the business offers it no more."""
    return next((kind for kind in kinds() if kind.key == data.get(drafting.KIND)), None)


def details_in(text: str, found: Iterable[Found]) -> Details:
    """Read what a text states.

    Args:
        text: what was typed.
        found: the entities in it, with their places.
    """
    stated = [one for one in found if one.value is not None]
    cities = {str(one.value) for one in stated if one.entity == "city" and not is_denied(text, one, AREA)}
    named = kinds_named(text)
    return Details(
        kind=named[0].key if len(named) == 1 else None,
        product=product_in(text, stated),
        city=cities.pop() if len(cities) == 1 else None,
        address=_address_in(text, found),
        phone=own_phone(text),
    )


def kinds_named(text: str) -> list[ServiceKind]:
    """The kinds of service that a text names, in the owner's words or in those that everybody uses.

    «بازدید دوره‌ای» names maintenance and no visit: within a longer name a shorter one names nothing.
    """
    typed = f" {' '.join(words(text))}"
    found = [
        (place, place + len(name), kind)
        for kind in kinds()
        for name in _names_of(kind)
        if (place := typed.find(f" {name}")) >= 0
    ]
    named = [
        kind.key
        for start, end, kind in found
        if not any(first <= start and end <= last and last - first > end - start for first, last, _ in found)
    ]
    return [kind for kind in kinds() if kind.key in named]


def product_in(text: str, found: Iterable[Found]) -> str | None:
    """The product that a text names: one of the business, or a device that everybody has."""
    titles = {product.key: product.title for product in environment().business.products}
    sold = [titles[one.value] for one in found if one.entity == "product" and one.value in titles]
    return sold[0] if sold else _device_in(text)


def tells_what_to_do(text: str, found: Iterable[Found]) -> bool:
    """Whether a text says what is wrong or what is to be done, rather than that somebody is to come."""
    told = list(text)
    for one in found:
        if one.entity in _BESIDES:
            told[one.start : one.end] = " " * (one.end - one.start)
    return count_other_words(AREA, "announcing", "".join(told)) >= TELLING_WORDS


def _address_in(text: str, found: Iterable[Found]) -> str | None:
    """«آدرس: خیابان زند، کوچهٔ ۵»: the rest of the sentence behind the word, if it is long enough for one.

    It ends where the text says when to come, or whom to call: «…، پلاک ۵، فردا عصر، شماره‌م ۰۹…».
    """
    match = _address_word().search(text)
    if match is None:
        return None
    ends = [one.start for one in found if one.entity in _BEHIND_ADDRESSES and one.start >= match.end()]
    rest = _SENTENCE_END.split(text[match.end() : min(ends, default=len(text))], maxsplit=1)[0]
    if ends:
        rest = _without_lead_in(rest)
    rest = rest.strip(" :،,-")
    # «آدرس رو عوض کنید» speaks about an address and tells none.
    first = rest.split()[:1]
    speaks_about_it = bool(first) and is_any_in(AREA, "about_an_address", first[0])
    return rest if len(rest.split()) >= ADDRESS_WORDS and not speaks_about_it else None


def _without_lead_in(address: str) -> str:
    """An address without the words that lead to what stands behind it: «، شماره‌م»."""
    *before, last = _CLAUSE_END.split(address)
    leads_on = len(last.split()) <= LEAD_IN_WORDS and not any(sign.isdigit() for sign in last)
    return address[: -len(last) - 1] if before and leads_on else address


@lru_cache
def _address_word() -> re.Pattern[str]:
    written = "|".join(map(re.escape, sorted(terms(AREA)["address_words"], key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{written})(?:\s*[:：]|\s+(?=\S))")


def _device_in(text: str) -> str | None:
    typed = f" {' '.join(words(text))}"
    named = [(typed.find(f" {name}"), title) for title, names in _devices().items() for name in names]
    places = sorted((place, -len(title), title) for place, title in named if place >= 0)
    return places[0][2] if places else None


@lru_cache
def _devices() -> Mapping[str, tuple[str, ...]]:
    return {
        title: tuple(" ".join(words(name)) for name in (title, *(more or ())))
        for title, more in terms(AREA)["devices"].items()
    }


def _names_of(kind: ServiceKind) -> list[str]:
    names = (kind.title, *kind.words, *_known_words().get(kind.key, ()))
    return [" ".join(words(name)) for name in names]


@lru_cache
def _known_words() -> Mapping[str, tuple[str, ...]]:
    """Words by which customers name the kinds that most businesses have."""
    text = (PROJECT_ROOT / "data" / AREA / "kinds.yml").read_text(encoding="utf-8")
    return {key: tuple(map(str, names)) for key, names in yaml.safe_load(text).items()}
