"""What the columns of a list of orders mean, and a row read by them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from crm_store.base import utcnow
from crm_store.customers.columns import HEADINGS_WITHIN_ROWS, Rejected, clean, heading_key, read_phone
from crm_store.customers.tables import Row, Table
from crm_store.errors import InvalidInput
from crm_store.persian import to_ascii_digits
from crm_store.persian.birthdays import read_date
from crm_store.settings import PROJECT_ROOT

NEEDED = ("order_id", "phone", "paid_at", "amount")
TOMAN = 10
_TIME = re.compile(r"(?<![\d/.-])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?(?!\d)")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\S+")
_AMOUNT = re.compile(r"(\d{1,3}(?:[,\u060c\u066c]\d{3})+|\d+)(?:[.\u066b]0+)?")


@dataclass(frozen=True)
class Columns:
    """Which column holds which field.

    Attributes:
        headings: what stands above the columns.
        places: index of the column by field.
        first_row: number of the first row after the headings.
        rials: what one of its amounts is in rials.
    """

    headings: tuple[str, ...]
    places: Mapping[str, int]
    first_row: int
    rials: int


@dataclass(frozen=True)
class OrderRow:
    """A row as understood.

    Attributes:
        phone: E.164; empty where the row leaves it to the order's first row.
        paid_at: likewise None.
        amount: in rials.
    """

    row: Row
    order_id: str
    phone: str
    paid_at: datetime | None
    amount: int
    title: str
    category: str
    customer_name: str
    customer_ref: str


def wording(section: str) -> Any:
    """A section of data/loyalty/purchase_columns.yml, whose shape is told there."""
    return _words()[section]


def find_columns(table: Table, *, currency: str = "") -> Columns:
    """Recognise the columns by their headings.

    Args:
        currency: ``toman`` or ``rial``; empty goes by the heading of the amounts, and else by tomans.

    Raises:
        InvalidInput: a column that is needed is missing.
    """
    top = list(islice(table.rows(), HEADINGS_WITHIN_ROWS))
    best: dict[str, int] = {}
    for row in top:
        places = _recognised(row.cells)
        if all(name in places for name in NEEDED):
            said = currency or ("rial" if _says(row.cells[places["amount"]], "rial") else "toman")
            headings = tuple(cell.strip() for cell in row.cells)
            return Columns(headings, places, row.number + 1, 1 if said == "rial" else TOMAN)
        best = max(best, places, key=len)
    missing = ", ".join(f"{name} ({wording('headings')[name][0]})" for name in NEEDED if name not in best)
    raise InvalidInput(f"{table.path.name}: no column is recognised as {missing}")


def read_row(row: Row, columns: Columns, timezone: str) -> OrderRow:
    """Read a row.

    Raises:
        Rejected: something in it is missing or not valid.
    """
    texts = {
        field: clean(row.cells[place]) if place < len(row.cells) else ""
        for field, place in columns.places.items()
    }
    order_id = order_number(texts["order_id"])
    if not order_id:
        raise Rejected("order_missing")
    if len(order_id) > 100 or "/" in order_id:
        raise Rejected("order_invalid", value=order_id[:100])
    return OrderRow(
        row=row,
        order_id=order_id,
        phone=read_phone(texts["phone"]) if texts["phone"] else "",
        paid_at=_moment(texts["paid_at"], timezone),
        amount=_amount(texts["amount"], columns.rials),
        title=texts.get("title", "")[:200],
        category=texts.get("category", "")[:60],
        customer_name=texts.get("customer_name", ""),
        customer_ref=to_ascii_digits(texts.get("customer_ref", "")),
    )


def order_number(cell: str) -> str:
    """An order's number as it is kept; spreadsheets make decimals of numbers."""
    return re.sub(r"^(\d+)\.0+$", r"\1", to_ascii_digits(clean(cell)))


def _recognised(cells: Sequence[str]) -> dict[str, int]:
    """Places by field; each column stands for one field."""
    keys = [_without_money(heading_key(cell)) for cell in cells]
    places: dict[str, int] = {}
    for field, headings in wording("headings").items():
        for heading in map(heading_key, headings):
            if heading in keys and keys.index(heading) not in places.values():
                places[field] = keys.index(heading)
                break
    return places


def _without_money(key: str) -> str:
    for word in map(heading_key, (*wording("rial"), *wording("toman"))):
        if key.endswith(word) and key != word:
            return key.removesuffix(word)
    return key


def _says(text: str, currency: str) -> bool:
    return any(heading_key(text).endswith(heading_key(word)) for word in wording(currency))


def _amount(text: str, rials: int) -> int:
    if not text:
        raise Rejected("amount_missing")
    bare = to_ascii_digits(text).casefold().strip()
    for currency, worth in (("rial", 1), ("toman", TOMAN)):
        for word in wording(currency):
            if bare.endswith(word):
                bare, rials = bare.removesuffix(word).strip(), worth
    match = _AMOUNT.fullmatch(bare)
    if match is None:
        raise Rejected("amount_invalid", value=text[:60])
    return int(re.sub(r"\D", "", match[1])) * rials


def _moment(text: str, timezone: str) -> datetime | None:
    """A date, Jalali or Gregorian, with or without a time of day; the beginning of the day without."""
    if not text:
        return None
    digits, zone = to_ascii_digits(text), ZoneInfo(timezone)
    if _ISO.fullmatch(digits):
        return _iso(digits, text, zone)
    clock = _TIME.search(digits)
    rest = digits if clock is None else f"{digits[: clock.start()]} {digits[clock.end() :]}"
    day, _problem = read_date(rest, today=utcnow().date())
    if day is None:
        raise Rejected("date_invalid", value=text[:60])
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock is not None else (0, 0, 0)
    at = time(hour, minute, second)
    return datetime.combine(day, at, zone)


def _iso(digits: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(re.sub(r"Z$", "+00:00", digits))
    except ValueError as error:
        raise Rejected("date_invalid", value=text[:60]) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@lru_cache
def _words() -> Mapping[str, Any]:
    path = PROJECT_ROOT / "data" / "loyalty" / "purchase_columns.yml"
    document: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document
