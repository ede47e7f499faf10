"""The arithmetic of a draw: fair, repeatable by the command of the documentation, and safe from tampering."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crm_store.errors import InvalidInput
from crm_store.loyalty.raffle_draw import (
    DRAND_CHAIN,
    FORMAT,
    Drawn,
    Entry,
    Published,
    Sealed,
    check_value,
    drand_round,
    faults_of,
    hash_of,
    read_published,
    read_value,
    sealed_text,
    winners_of,
    write_published,
)
from crm_store.settings import PROJECT_ROOT

#: What a fair draw exceeds once in a hundred times, by degrees of freedom (a table of chi-square).
ONE_PERCENT = {4: 13.277, 36: 58.619}
VALUE = "9e9829dfb34bd8db3e21c28e13aefecd86e007ebd19d6bb8a5cee99c0a34798f"
_HOLDERS = st.lists(st.integers(1, 3), min_size=1, max_size=12)


def a_file(chances: list[int], *, winners: int = 2, value: str | None = VALUE) -> Published:
    """A published file; each participant has so many chances."""
    holders = [number for number, count in enumerate(chances, start=1) for _ in range(count)]
    entries = [Entry(f"2K7HA9TR{place:02}", holder) for place, holder in enumerate(holders)]
    sealed = Sealed(
        raffle="yalda",
        title="قرعه‌کشی «یلدا»",
        prize='گوشی "A5"',
        winners=winners,
        sealed_at="2026-12-20T16:30:00+00:00",
        value_from="drand",
        value_at="2026-12-21T08:30:00+00:00",
        entries=entries,
    )
    entries_hash = hash_of(sealed_text(sealed))
    drawn = None
    if value is not None:
        won = winners_of(entries, value, winners, entries_hash=entries_hash)
        drawn = Drawn(value, [entry.ticket for entry in won])
    return Published(FORMAT, entries_hash, sealed, drawn)


@given(_HOLDERS, st.integers(1, 15))
def test_nobody_wins_twice_and_nobody_is_left_out_while_prizes_are_left(
    chances: list[int], count: int
) -> None:
    file = a_file(chances)
    won = winners_of(file.sealed.entries, VALUE, count, entries_hash=file.entries_hash)
    holders = [entry.holder for entry in won]
    assert len(set(holders)) == len(holders) == min(count, len(chances))
    assert set(won) <= set(file.sealed.entries)


def test_each_ticket_is_as_likely_as_any_other() -> None:
    entries = [Entry(f"T{number:02}", number) for number in range(37)]
    won = Counter(
        winners_of(entries, str(value), 1, entries_hash="0" * 64)[0].holder for value in range(37_000)
    )
    assert _chi_square([won[number] for number in range(37)], [1_000] * 37) < ONE_PERCENT[36]


def test_the_second_prize_is_as_fair_as_the_first_and_more_chances_win_more_often() -> None:
    entries = [Entry(f"T{number:02}", max(number, 3)) for number in range(8)]  # one has four of eight
    draws = [winners_of(entries, str(value), 2, entries_hash="1" * 64) for value in range(16_000)]
    first, second = (Counter(draw[place].holder for draw in draws) for place in (0, 1))
    by_chances = [8_000, 2_000, 2_000, 2_000, 2_000]
    assert _chi_square([first[holder] for holder in range(3, 8)], by_chances) < ONE_PERCENT[4]
    # Whoever has one ticket is second: after the one with four, or after another one with one.
    ones = (0.5 * 1 / 4 + 3 * (1 / 8) * (1 / 7)) * 16_000
    expected = [16_000 - 4 * ones, *[ones] * 4]
    assert _chi_square([second[holder] for holder in range(3, 8)], expected) < ONE_PERCENT[4]


def _chi_square(observed: Sequence[int], expected: Sequence[float]) -> float:
    """Pearson's statistic."""
    return sum((seen - due) ** 2 / due for seen, due in zip(observed, expected, strict=True))


def test_another_list_or_another_value_gives_other_winners() -> None:
    entries = [Entry(f"T{number:03}", number) for number in range(500)]
    orders = {
        tuple(winners_of(entries, value, 5, entries_hash=sealed)) for value in "abc" for sealed in "def"
    }
    assert len(orders) == 9


@given(_HOLDERS, st.booleans())
def test_a_file_that_was_not_touched_is_right_and_reads_back(chances: list[int], is_drawn: bool) -> None:
    file = a_file(chances, value=VALUE if is_drawn else None)
    read = read_published(write_published(file))
    assert read == file
    assert faults_of(read, known_hash=file.entries_hash, known_value=VALUE) == []
    assert faults_of(read) == []


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything in a document, containers too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(way for key, one in inner for way in leaves(one, (*path, key)))]


def tampered(document: Any, data: st.DataObject) -> Any:
    """The document with one change somewhere."""
    changed = copy.deepcopy(document)
    *way, last = data.draw(st.sampled_from([path for path in leaves(document) if path]))
    place = changed
    for key in way:
        place = place[key]
    old = place[last]
    acts = ["remove", "replace"] + (["swap", "double"] if isinstance(place, list) else ["add"])
    act = data.draw(st.sampled_from(acts))
    if act == "remove":
        del place[last]
    elif act == "replace":
        place[last] = data.draw(
            st.one_of(st.text(max_size=12), st.integers(), st.none(), st.just([]), st.just({}), st.booleans())
        )
        assume(place[last] != old or type(place[last]) is not type(old))
    elif act == "swap":
        other = data.draw(st.integers(0, len(place) - 1))
        place[last], place[other] = place[other], place[last]
    elif act == "double":
        place.insert(last, copy.deepcopy(old))
    else:
        place[data.draw(st.text(min_size=1, max_size=5))] = 1
    assume(json.dumps(changed, sort_keys=True) != json.dumps(document, sort_keys=True))
    return changed


@given(_HOLDERS, st.integers(1, 4), st.data())
@settings(max_examples=600)
def test_every_tampering_with_a_file_is_found(chances: list[int], winners: int, data: st.DataObject) -> None:
    file = a_file(chances, winners=winners)
    changed = tampered(json.loads(write_published(file)), data)
    if changed.get("drawn", None) is None and "drawn" in changed:
        return  # the file as it was before the draw
    try:
        read = read_published(json.dumps(changed))
    except InvalidInput:
        return
    if read.drawn is None:
        assert "drawn" not in changed
        return
    assert faults_of(read, known_hash=file.entries_hash, known_value=VALUE) != []


@given(_HOLDERS, st.data())
@settings(max_examples=300)
def test_a_list_that_is_exchanged_with_its_hash_and_winners_does_not_have_the_hash_that_was_told(
    chances: list[int], data: st.DataObject
) -> None:
    file = a_file(chances)
    document = json.loads(write_published(file))
    changed = tampered({"sealed": document["sealed"]}, data).get("sealed")
    assume(json.dumps(changed, sort_keys=True) != json.dumps(document["sealed"], sort_keys=True))
    document["sealed"] = changed
    try:
        other = read_published(json.dumps(document))
    except (InvalidInput, KeyError):
        return
    new_hash = hash_of(sealed_text(other.sealed))
    count = max(other.sealed.winners, 0)
    won = (
        winners_of(other.sealed.entries, VALUE, count, entries_hash=new_hash) if other.sealed.entries else []
    )
    forged = Published(FORMAT, new_hash, other.sealed, Drawn(VALUE, [entry.ticket for entry in won]))
    assert faults_of(forged, known_hash=file.entries_hash) != []


def test_a_name_that_stands_twice_in_a_file_is_refused() -> None:
    text = write_published(a_file([1, 1])).replace('"format":', '"format": "peyvand-raffle-1", "format":')
    with pytest.raises(InvalidInput, match="twice"):
        read_published(text)


def test_a_value_that_is_older_than_the_list_is_a_fault() -> None:
    file = a_file([1, 1], value=None)
    sealed = json.loads(write_published(file))
    sealed["sealed"]["value_at"] = "2026-12-20T16:30:00+00:00"
    assert any(
        "before the list was sealed" in fault for fault in faults_of(read_published(json.dumps(sealed)))
    )


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2,137,474.80", "2137474.8"),
        ("۲٬۱۳۷٬۴۷۴٫۸", "2137474.8"),
        ("۲۱۳۷۴۷۴/۸۰", "2137474.8"),
        (" 2137474.8\u200f", "2137474.8"),
        ("2137474", "2137474"),
        ("2,137,474.00", "2137474"),
        ("100", "100"),
        (VALUE.upper() + "\n", VALUE),
        ("0" * 64, "0" * 64),
        ("Rain", "rain"),
    ],
)
def test_a_value_is_mixed_in_in_one_form_however_it_is_typed(typed: str, read: str) -> None:
    assert read_value(typed) == read
    assert read_value(read) == read


@given(st.text(max_size=40))
def test_reading_a_value_again_changes_nothing(text: str) -> None:
    try:
        value = read_value(text)
    except InvalidInput:
        return
    assert read_value(value) == value


@pytest.mark.parametrize("value", ["", "  ", "a|b", "7" * 201, "\u0645"])
def test_what_is_no_value_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput):
        read_value(value)


def test_a_value_of_drand_is_a_hash_and_nothing_else() -> None:
    check_value(VALUE, f"api.drand.sh/{DRAND_CHAIN}/public/1")
    check_value("2137474", "the index")
    with pytest.raises(InvalidInput):
        check_value(VALUE[:-1], f"api.drand.sh/{DRAND_CHAIN}/public/1")


def test_the_round_of_drand_is_the_first_at_or_after_the_moment() -> None:
    genesis = datetime.fromtimestamp(1692803367, timezone.utc)
    assert drand_round(genesis) == 1
    assert drand_round(genesis + timedelta(seconds=1)) == drand_round(genesis + timedelta(seconds=3)) == 2
    # As others count: https://www.ruby-toolbox.com/projects/drand
    assert drand_round(datetime(2026, 4, 20, tzinfo=timezone.utc)) == 27946612


def documented_command() -> str:
    """The command of docs/raffles.md with which anybody checks a file."""
    text = (PROJECT_ROOT / "docs" / "raffles.md").read_text(encoding="utf-8")
    (command,) = (block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "hashlib" in block)
    return str(command)


@pytest.mark.parametrize(("chances", "winners"), [([1], 1), ([3, 1, 2], 5), ([1] * 40, 3)])
def test_the_documented_command_finds_the_same_winners(
    chances: list[int], winners: int, tmp_path: Path
) -> None:
    file = a_file(chances, winners=winners)
    assert file.drawn is not None
    (tmp_path / "raffle-yalda.json").write_text(write_published(file), encoding="utf-8")
    shown = run_documented(tmp_path)
    assert f"fingerprint: {file.entries_hash}" in shown
    assert "winners: " + " ".join(file.drawn.winners) in shown
    assert "agrees with the file" in shown


def test_the_documented_command_says_when_a_file_does_not_agree(tmp_path: Path) -> None:
    document = json.loads(write_published(a_file([1] * 20)))
    document["drawn"]["winners"].reverse()
    (tmp_path / "raffle-yalda.json").write_text(json.dumps(document), encoding="utf-8")
    assert "DOES NOT AGREE" in run_documented(tmp_path)


def run_documented(folder: Path) -> str:
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        ["bash", "-c", documented_command()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    return done.stdout
