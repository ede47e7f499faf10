"""The arithmetic of a draw, which anybody can repeat: what is sealed, who wins, what is wrong with a file.

Nothing here knows the store. The same in a few lines of plain Python stands in docs/raffles.md; a test runs
them.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from crm_store.errors import InvalidInput
from crm_store.persian import to_ascii_digits

FORMAT = "peyvand-raffle-1"
#: drand's network "quicknet" (https://docs.drand.love): a value every three seconds, signed by many at once.
DRAND_CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
_DRAND_GENESIS, _DRAND_PERIOD = 1692803367, 3
_HEX = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]+(?:[.][0-9]+)?")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[,'\u066c\u060c\u2019](?=[0-9]{3})")
#: A slash is how many write it.
_DECIMAL_POINT = re.compile(r"(?<=[0-9])[/\u066b](?=[0-9]+$)")
_NUMBERS = 2**256
_LONGEST_VALUE = 200


class Entry(NamedTuple):
    """A chance: its ticket, and the number of the participant who holds it, in this raffle only."""

    ticket: str
    holder: int


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that decides a raffle, but for the value that nobody knows yet.

    Attributes:
        raffle: its key.
        winners: how many win.
        value_from: which public value decides.
        value_at: when that value comes to be, after ``sealed_at``; both in UTC as ISO 8601.
        entries: in order of their tickets.
    """

    raffle: str
    title: str
    prize: str
    winners: int
    sealed_at: str
    value_from: str
    value_at: str
    entries: list[Entry]


class Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it ended: the value as it was mixed in, and the tickets that won, the first prize first."""

    value: str
    winners: list[str]


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that is published: when the list is sealed, and again with the winners."""

    format: str
    entries_hash: str
    sealed: Sealed
    drawn: Drawn | None = None


def sealed_text(sealed: Sealed) -> str:
    """What is hashed: JSON in ASCII, keys in order, without spaces."""
    return json.dumps(msgspec.to_builtins(sealed), sort_keys=True, separators=(",", ":"))


def hash_of(text: str) -> str:
    """SHA-256 of what `sealed_text` gives, in hexadecimal."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def winners_of(entries: Sequence[Entry], value: str, count: int, *, entries_hash: str) -> list[Entry]:
    """Who wins: each ticket is as likely as any other, and nobody wins twice.

    For counter 0, 1, 2 … SHA-256 of ``<hash>|<value>|<counter>`` is read as a number of 256 bits. One that is
    in the last, incomplete run of the number of tickets is passed over, so that no ticket is more likely than
    another; of any other the remainder names the ticket, passed over if its holder has won already.

    Args:
        entries: in the order in which they were sealed.
        value: the public value, as `read_value` gives it.
        count: how many win; with fewer participants, all of them do.
        entries_hash: of what was sealed.
    """
    total = len(entries)
    wanted = min(count, len({entry.holder for entry in entries}))
    won: dict[int, Entry] = {}
    counter = 0
    while len(won) < wanted:
        digest = hashlib.sha256(f"{entries_hash}|{value}|{counter}".encode()).digest()
        number = int.from_bytes(digest, "big")
        counter += 1
        if number < _NUMBERS - _NUMBERS % total:
            entry = entries[number % total]
            won.setdefault(entry.holder, entry)
    return list(won.values())


def read_value(text: str) -> str:
    """A public value in the one form that is mixed in, however it was typed.

    Spaces and bidi marks go, digits become ASCII, letters small; of a number the separators go and the zeros
    at the end of its fraction. So nobody can try out different ways of writing the same value.

    Raises:
        InvalidInput: nothing is left, other letters are, or it is far too long.
    """
    visible = (one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    value = "".join(to_ascii_digits("".join(visible)).split()).lower()
    if not _HEX.fullmatch(value):
        plain = _DECIMAL_POINT.sub(".", _BETWEEN_DIGITS.sub("", value))
        if _NUMBER.fullmatch(plain):
            value = f"{Decimal(plain):f}"
            value = value.rstrip("0").rstrip(".") if "." in value else value
    if not 1 <= len(value) <= _LONGEST_VALUE or "|" in value or not (value.isascii() and value.isprintable()):
        raise InvalidInput("this is no public value: a number or Latin letters, at most 200 characters")
    return value


def drand_round(moment: datetime) -> int:
    """Number of the first value of drand's quicknet at or after a moment."""
    return max(-(-(int(moment.timestamp()) - _DRAND_GENESIS) // _DRAND_PERIOD), 0) + 1


def drand_address(number: int) -> str:
    """Where a value of drand's quicknet stands, in the field ``randomness``."""
    return f"api.drand.sh/{DRAND_CHAIN}/public/{number}"


def check_value(value: str, source: str) -> None:
    """Look whether a value can be one of its source's at all.

    Raises:
        InvalidInput: drand's are 64 hexadecimal digits.
    """
    if DRAND_CHAIN in source and not _HEX.fullmatch(value):
        raise InvalidInput('drand\'s value is the 64 hexadecimal digits of the field "randomness"')


def read_published(content: bytes | str) -> Published:
    """Reads a published file.

    Raises:
        InvalidInput: it is none; the message says what is wrong.
    """
    try:
        return msgspec.convert(
            json.loads(content, object_pairs_hook=_without_doubles), Published, strict=True
        )
    except (ValueError, RecursionError) as error:  # also what msgspec, json and UTF-8 say
        raise InvalidInput(f"this is no file of a raffle: {error}") from error


def write_published(published: Published) -> str:
    """The file as it is published, a line for each entry."""
    document = msgspec.to_builtins(published)
    entries = ",\n".join(f"      {json.dumps(list(entry))}" for entry in published.sealed.entries)
    document["sealed"]["entries"] = []
    head, tail = json.dumps(document, ensure_ascii=False, indent=2).rsplit('"entries": []', 1)
    return f'{head}"entries": [\n{entries}\n    ]{tail}\n'


def faults_of(
    published: Published, *, known_hash: str | None = None, known_value: str | None = None
) -> list[str]:
    """What is wrong with a published file; nothing if all is right.

    Args:
        published: the file.
        known_hash: the hash as it was told when the list was sealed; without it, a list that was exchanged
            together with its hash goes unnoticed.
        known_value: the value, looked up at its source; without it, one that never was is taken as it stands.
    """
    sealed, faults = published.sealed, _faults_of_list(published.sealed)
    if published.format != FORMAT:
        faults.append(f"the format is not {FORMAT}")
    counted = hash_of(sealed_text(sealed))
    if published.entries_hash != counted:
        faults.append("the list is not the one that the hash in the file was counted from")
    if known_hash is not None and known_hash.strip().lower() != counted:
        faults.append("the list is not the one that was sealed: its hash is another than was told then")
    return faults if published.drawn is None else faults + _faults_of_draw(published, known_value)


def _faults_of_list(sealed: Sealed) -> list[str]:
    tickets = [entry.ticket for entry in sealed.entries]
    faults = []
    if tickets != sorted(set(tickets)):
        faults.append("a ticket stands in the list twice, or the list is out of order")
    if sealed.winners < 1 or not tickets:
        faults.append("there is nobody to win")
    try:
        sealed_at, value_at = (datetime.fromisoformat(one) for one in (sealed.sealed_at, sealed.value_at))
        if not sealed_at < value_at:
            faults.append("the value came to be before the list was sealed")
    except (ValueError, TypeError):
        faults.append("sealed_at or value_at is no moment")
    return faults


def _faults_of_draw(published: Published, known_value: str | None) -> list[str]:
    sealed, drawn = published.sealed, published.drawn
    faults: list[str] = []
    if drawn is None:
        return faults
    try:
        if drawn.value != read_value(drawn.value):
            faults.append("the value is not written in the form that is mixed in")
        if known_value is not None and read_value(known_value) != drawn.value:
            faults.append("the value is not the one that its source tells")
    except InvalidInput as error:
        return [str(error)]
    if sealed.entries:
        won = winners_of(
            sealed.entries, drawn.value, max(sealed.winners, 0), entries_hash=hash_of(sealed_text(sealed))
        )
        if drawn.winners != [entry.ticket for entry in won]:
            faults.append(f"the winners are others: {', '.join(entry.ticket for entry in won)}")
    return faults


def moment_text(moment: datetime) -> str:
    """A moment as it stands in the file: UTC, to the second."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; what stands there twice could be read in two ways."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found
