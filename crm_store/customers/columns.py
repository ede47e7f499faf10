"""What the columns of a customer list mean, and a row read by them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import yaml

from crm_store.base import utcnow
from crm_store.customers.profile import EARLIEST_BIRTHDAY
from crm_store.customers.tables import Row, Table
from crm_store.errors import InvalidInput
from crm_store.persian import fold, normalize_phone, to_ascii_digits
from crm_store.persian.birthdays import read_date
from crm_store.settings import PROJECT_ROOT

#: What a column may hold; all but the phone may be missing.
FIELDS = (
    "phone",
    "full_name",
    "first_name",
    "last_name",
    "external_ref",
    "birthday",
    "address",
    "preferred_time",
    "tier",
)
#: Most characters that the store takes.
LONGEST = {"full_name": 200, "address": 1000, "external_ref": 100, "preferred_time": 200, "tier": 40}
#: Titles and empty rows may stand above the headings.
HEADINGS_WITHIN_ROWS = 10

_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+")
_WRITTEN_AS_DECIMAL = re.compile(r"(\d+)\.0+")
_PLACE = re.compile(r"(\D*)([0-9]{1,3})")
#: Arabic letters that keyboards and Windows-1256 put where Persian ones are meant; what is never seen goes.
_MENDED: dict[int, int | None] = {0x064A: 0x06CC, 0x0649: 0x06CC, 0x0643: 0x06A9}
_UNSEEN = ((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x9F), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069))
_MENDED |= {code: None for first, last in _UNSEEN for code in range(first, last + 1)}
_MENDED |= {0x00AD: None, 0xFEFF: None}


class Rejected(Exception):
    """A row cannot be taken.

    Attributes:
        code: why; its text stands in data/customers/columns.yml under ``reasons``.
        values: what the text's placeholders stand for.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class Refusal(NamedTuple):
    """A row that was not taken, with the reason's code and values (see `Rejected`)."""

    row: Row
    code: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Columns:
    """Which column holds which field.

    Attributes:
        headings: what stands above the columns; a made-up name where nothing does.
        places: index of the column by field; only fields that the table has, ``phone`` always.
        first_row: number of the first row after the headings.
    """

    headings: tuple[str, ...]
    places: Mapping[str, int]
    first_row: int


@dataclass(frozen=True)
class Record:
    """A row as understood; an empty text or None where the row says nothing.

    Attributes:
        row: where it stands.
        phone: E.164.
    """

    row: Row
    phone: str
    full_name: str
    external_ref: str
    birthday: date | None
    address: str
    preferred_time: str
    tier: str


def wording(section: str) -> Any:
    """A section of data/customers/columns.yml, whose shape is told there."""
    return _words()[section]


def find_columns(table: Table, corrections: Mapping[str, str] | None = None) -> Columns:
    """Recognise the columns by their headings, in Persian, English or Finglish.

    Args:
        table: the customer list.
        corrections: column by field, as a heading or a place («ستون ۳», ``3``); an empty one leaves the field
            out. They win over what is recognised.

    Raises:
        InvalidInput: no column holds phones, or a correction names no field or no column.
    """
    corrections = corrections or {}
    if unknown := set(corrections) - set(FIELDS):
        raise InvalidInput(f"--map: {', '.join(sorted(unknown))} is no field; fields are {', '.join(FIELDS)}")
    top = list(islice(table.rows(), HEADINGS_WITHIN_ROWS))
    if not top:
        raise InvalidInput(f"{table.path.name} has no rows")
    for row in top:
        places = _recognised(row.cells, corrections)
        if places is not None and "phone" in places:
            if _is_phone(row.cells[places["phone"]]):  # data already: the table has no headings
                return Columns(_made_up_headings(len(row.cells), places), places, row.number)
            return Columns(tuple(cell.strip() for cell in row.cells), places, row.number + 1)
    raise InvalidInput(_what_is_missing(top, corrections))


def read_record(row: Row, columns: Columns) -> Record:
    """Read a row.

    Raises:
        Rejected: the phone is missing, or something in the row is not valid.
    """
    texts = {
        field: clean(row.cells[place]) if place < len(row.cells) else ""
        for field, place in columns.places.items()
    }
    phone = read_phone(texts["phone"])
    name = texts.get("full_name") or f"{texts.get('first_name', '')} {texts.get('last_name', '')}".strip()
    kept = {
        "full_name": name,
        "external_ref": to_ascii_digits(texts.get("external_ref", "")),
        "address": texts.get("address", ""),
        "preferred_time": texts.get("preferred_time", ""),
        "tier": texts.get("tier", ""),
    }
    for field, longest in LONGEST.items():
        if len(kept[field]) > longest:
            raise Rejected(f"{field}_too_long", limit=longest)
    return Record(row=row, phone=phone, birthday=_birthday(texts.get("birthday", "")), **kept)


def clean(text: str) -> str:
    """A cell as the store keeps it: Persian letters, single spaces, nothing unseen; ``-`` alone is empty."""
    mended = " ".join(text.translate(_MENDED).split())
    return mended if any(character.isalnum() for character in mended) else ""


def _birthday(text: str) -> date | None:
    if not text:
        return None
    today = utcnow().date()
    value, problem = read_date(text, today=today)
    if problem == "ambiguous":
        raise Rejected("birthday_ambiguous", value=text)
    if value is None or not EARLIEST_BIRTHDAY <= value <= today:
        raise Rejected("birthday_invalid", value=text)
    return value


def read_phone(text: str) -> str:
    """A cell's phone as E.164.

    Raises:
        Rejected: it is empty or no phone.
    """
    if not text:
        raise Rejected("phone_missing")
    if _SCIENTIFIC.fullmatch(text):
        raise Rejected("phone_scientific", value=text)
    decimal = _WRITTEN_AS_DECIMAL.fullmatch(text)
    try:
        return normalize_phone(decimal[1] if decimal else text)
    except ValueError as error:
        raise Rejected("phone_invalid", value=text) from error


def _is_phone(text: str) -> bool:
    try:
        read_phone(clean(text))
    except Rejected:
        return False
    return True


def _recognised(cells: Sequence[str], corrections: Mapping[str, str]) -> dict[str, int] | None:
    """The columns by field, if the row has all that the corrections name."""
    keys = [heading_key(cell) for cell in cells]
    corrected: dict[str, int] = {}
    for field, wanted in corrections.items():
        place = _place_of(wanted, keys) if wanted else None
        if place is None and wanted:
            return None
        if place in corrected.values():
            raise InvalidInput(f"--map: {wanted} is given to two fields")
        if place is not None:
            corrected[field] = place
    places = {
        field: next(keys.index(heading_key(heading)) for heading in headings if heading_key(heading) in keys)
        for field, headings in wording("headings").items()
        if field not in corrections and any(heading_key(heading) in keys for heading in headings)
    }
    return {field: place for field, place in places.items() if place not in corrected.values()} | corrected


def _place_of(wanted: str, keys: Sequence[str]) -> int | None:
    key = heading_key(wanted)
    if key in keys:
        return keys.index(key)
    numbered = _PLACE.fullmatch(key)
    words = {"", *(heading_key(word) for word in wording("place"))}
    if numbered is None or numbered[1] not in words or not 1 <= int(numbered[2]) <= len(keys):
        return None
    return int(numbered[2]) - 1


def _made_up_headings(width: int, places: Mapping[str, int]) -> tuple[str, ...]:
    """Headings by which the file of rejected rows is understood when it is imported in its turn."""
    fields = {place: field for field, place in places.items()}
    words, place_word = wording("headings"), wording("place")[0]
    return tuple(
        words[fields[index]][0] if index in fields else f"{place_word} {index + 1}" for index in range(width)
    )


def _what_is_missing(top: Sequence[Row], corrections: Mapping[str, str]) -> str:
    seen = ", ".join(cell.strip() for cell in top[0].cells if cell.strip())
    for field, wanted in corrections.items():
        keys = [[heading_key(cell) for cell in row.cells] for row in top]
        if wanted and all(_place_of(wanted, row_keys) is None for row_keys in keys):
            return f"--map {field}={wanted}: there is no such column; row {top[0].number} says: {seen}"
    return (
        f"no column is recognised as phone; row {top[0].number} says: {seen}. "
        "Name it by its heading or its place: --map phone=HEADING or --map phone=3"
    )


def heading_key(text: str) -> str:
    """What of a heading counts when it is compared."""
    return "".join(character for character in fold(text) if character.isalnum())


@lru_cache
def _words() -> Mapping[str, Any]:
    path = PROJECT_ROOT / "data" / "customers" / "columns.yml"
    document: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document
