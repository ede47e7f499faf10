"""How long it takes to read what a message says of amounts, numbers and grades, and to add working time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from crm_store.business import Calendar
from crm_store.persian import find_amounts, find_numbers, find_ratings, fold
from crm_store.persian.grades import read_grade
from crm_store.working_time import WorkingTime
from tests.bench.figures import Figure

MESSAGE = "سلام خسته نباشید دیروز ۵۰۰ هزار تومن از حسابم کم شده چرا؟"
RATING = "سلام خسته نباشید من از ۲۰ به کار تعمیرکارتون نمره ۱۸ میدم"
OPINION = "خیلی راضی نبودم ولی ۳ بار زنگ زدم و "
#: A message so many times as long may not take much more than so many times as long.
TIMES = 60
RUNS = range(200)
DAYS = ("saturday", "sunday", "monday", "tuesday", "wednesday")
START = datetime(2026, 11, 22, 6, 30, tzinfo=timezone.utc)


def reading_figures() -> Iterator[Figure]:
    """Each beside what must be done with every message anyway: folding it."""
    for name, find, text in (
        ("amounts", find_amounts, MESSAGE),
        ("numbers", find_numbers, MESSAGE),
        ("ratings", find_ratings, RATING),
        ("a grade", _grade, OPINION),
        (f"a grade in a message {TIMES} times as long", _grade, OPINION * TIMES),
    ):
        messages = [f"{text} {run}" for run in RUNS]
        yield Figure(f"reading {name}", _milliseconds(find, messages), "ms", _milliseconds(fold, messages))
    working = WorkingTime(Calendar(hours=dict.fromkeys(DAYS, ("09:00-17:00",))), "Asia/Tehran")
    day, year = (
        _milliseconds(lambda minute, span=span: working.add(START + timedelta(minutes=minute), span), RUNS)
        for span in (timedelta(hours=8), timedelta(hours=300 * 8))
    )
    yield Figure("adding a year of working time (baseline: a day)", year, "ms", day)


def _grade(text: str) -> object:
    return read_grade(text, low=1, high=5, kind="csat")


def _milliseconds(do: Callable[[Any], object], given: Iterable[Any]) -> float:
    """What one takes of several that differ, so that nothing is remembered."""
    wanted = list(given)
    started = time.perf_counter()
    for one in wanted:
        do(one)
    return 1000 * (time.perf_counter() - started) / len(wanted)
