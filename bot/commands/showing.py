"""How what the store holds is shown in a terminal: Persian texts that wrap, moments, lengths of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from crm_store.persian import jalali_numeric, to_persian_digits
from crm_store.persian.rich import FIRST_STRONG_ISOLATE, POP_ISOLATE, to_plain, value


class Words:
    """A text of people's, each line of it isolated so that its direction is its own and not the table's.

    Args:
        text: as it is kept; control characters go, nothing in it is markup.
        style: of the whole text.
    """

    def __init__(self, text: object, style: StyleType = "") -> None:
        clean = to_plain(value(str(text)))
        self._text = Text(clean.translate({ord(FIRST_STRONG_ISOLATE): None, ord(POP_ISOLATE): None}), style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._text.wrap(console, options.max_width):
            line.rstrip()
            yield Text.assemble(FIRST_STRONG_ISOLATE, line, POP_ISOLATE, end="\n") if line else Text("")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text)


def moment_text(moment: datetime | None, timezone: str) -> str:
    """A Jalali date with the time, such as «۱۴۰۵/۰۹/۰۱ ۱۴:۰۵»; empty for none."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{jalali_numeric(moment, timezone)} {to_persian_digits(f'{local:%H:%M}')}"


def length_text(length: timedelta) -> str:
    """A length of time in hours and minutes, such as ``12h 05m``."""
    minutes = round(length.total_seconds() / 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("", minutes)
    return f"{sign}{minutes // 60}h {minutes % 60:02}m" if minutes >= 60 else f"{sign}{minutes}m"


def details(rows: Iterator[tuple[str, object]]) -> Table:
    """Names and values beside each other; an empty value is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(ratio=1)
    for name, given in rows:
        if given not in ("", None):
            grid.add_row(name, given if isinstance(given, (Words, Text)) else Words(given))
    return grid
