"""How a period went: figures in tiles, and complaints day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from crm_store.persian import toman_text
from crm_store.pictures.canvas import ACCENT, FAINT, FAIR, GOOD, INK, POOR, QUIET, WIDTH, Canvas
from crm_store.pictures.lettering import number
from crm_store.terms import terms

LEFT, RIGHT = 92, WIDTH - 92
ROOM = RIGHT - LEFT
TITLE = 46
GAP, TALL = 24, 172
_WIDE = (ROOM - GAP) / 2
#: Heights of the chart with its heading, and of its bars.
CHART, HIGHEST = 396, 190
#: A share of satisfied people from which on it is good, and fair.
_GOOD_FROM, _FAIR_FROM = 0.8, 0.6
_HOUR = 60
_LONG_WAIT = 120

Words = Mapping[str, str]


class _Tile(NamedTuple):
    """A figure with what it is and what stands below it."""

    name: str
    figure: str
    below: str = ""
    colour: str = INK


def period_report(*, title: str, report: Mapping[str, Any], business: str = "") -> bytes:
    """How a period went.

    Args:
        title: what it is about, such as the period in words.
        report: of `crm_store.overview.report.report`, as JSON types.
        business: whose it is.
    """
    words: Words = terms("overview")["picture"]
    tiles = _tiles(report, words)
    lines = len(Canvas(100).broken(title, size=TITLE, room=ROOM))
    head = 84 + lines * TITLE * 1.5 + (74 if business else 18)
    rows = -(-len(tiles) // 2)
    canvas = Canvas(head + rows * (TALL + GAP) + CHART + 46)
    canvas.card()
    y = canvas.lines(RIGHT, 108, title, size=TITLE, room=ROOM)
    if business:
        canvas.text(RIGHT, y, business, size=32, colour=QUIET, room=ROOM)
    for place, tile in enumerate(tiles):
        column, row = place % 2, place // 2
        _draw_tile(canvas, tile, RIGHT - column * (_WIDE + GAP), head + row * (TALL + GAP))
    _draw_days(canvas, report["days"], head + rows * (TALL + GAP) + 12, words)
    return canvas.png()


def _tiles(report: Mapping[str, Any], words: Words) -> list[_Tile]:
    tiles = [
        _Tile(
            words["complaints"],
            number(report["complaints_opened"]),
            _listed(
                (words["resolved"], report["complaints_resolved"]),
                (words["breached"], report["complaints_breached"]),
                (words["open"], report["complaints_open"]),
            ),
        ),
        _Tile(words["first_answer"], _time(report["first_answer_minutes"], words)),
    ]
    if report["handoffs"]:
        claimed = words["claimed"].format(
            claimed=number(report["handoffs_claimed"]), asked=number(report["handoffs"])
        )
        waiting = f"{words['waiting']}: {_time(report['handoff_wait_minutes'], words)}"
        tiles.append(_Tile(words["handoffs"], claimed, waiting))
    if report["csat"] is not None or report["nps"] is not None:
        tiles.append(_opinion(report, words))
    if report["service_requests"] or report["visits_done"]:
        done = words["claimed"].format(
            claimed=number(report["visits_done"]), asked=number(report["service_requests"])
        )
        tiles.append(_Tile(words["visits"], done))
    if report["purchases"]:
        tiles.append(
            _Tile(words["purchases"], number(report["purchases"]), toman_text(report["purchases_rials"]))
        )
    if report["points_given"]:
        tiles.append(_Tile(words["points"], number(report["points_given"])))
    if report["callbacks_done"]:
        tiles.append(_Tile(words["calls"], number(report["callbacks_done"])))
    return tiles


def _opinion(report: Mapping[str, Any], words: Words) -> _Tile:
    nps = f"{words['nps']}: {number(report['nps'])}" if report["nps"] is not None else ""
    if report["csat"] is None:
        return _Tile(words["nps"], number(report["nps"]))
    share = report["csat"]
    colour = GOOD if share >= _GOOD_FROM else FAIR if share >= _FAIR_FROM else POOR
    answers = words["answers"].format(count=number(report["csat_answers"]))
    below = " · ".join(filter(None, (answers, nps)))
    return _Tile(words["csat"], words["percent"].format(share=number(100 * share)), below, colour)


def _time(minutes: int | None, words: Words) -> str:
    if minutes is None:
        return words["none"]
    if minutes < _LONG_WAIT:
        return words["minutes"].format(count=number(minutes))
    return words["hours"].format(count=number(minutes / _HOUR))


def _listed(*parts: tuple[str, int]) -> str:
    return " · ".join(f"{name} {number(count)}" for name, count in parts)


def _draw_tile(canvas: Canvas, tile: _Tile, right: float, top: float) -> None:
    """A tile whose corner above right is given."""
    canvas.box(right - _WIDE, top, _WIDE, TALL, colour="#f1f7f5", radius=28)
    room, x = _WIDE - 56, right - 28
    canvas.text(x, top + 38, tile.name, size=28, colour=QUIET, room=room)
    canvas.text(x, top + 92, tile.figure, size=52, bold=True, colour=tile.colour, room=room)
    if tile.below:
        canvas.text(x, top + 142, tile.below, size=25, colour=QUIET, room=room, smallest=0.6)


def _draw_days(canvas: Canvas, days: Sequence[Mapping[str, Any]], top: float, words: Words) -> None:
    """Complaints that came and went; the first day stands right."""
    canvas.line((LEFT, top), (RIGHT, top), colour=FAINT, width=3)
    canvas.text(RIGHT, top + 48, words["by_day"], size=30, bold=True, room=ROOM)
    most = max((max(day["opened"], day["resolved"]) for day in days), default=0)
    bottom = top + 96 + HIGHEST
    if not most:
        canvas.text(WIDTH / 2, top + 190, words["nothing"], size=34, colour=QUIET, align="center", room=ROOM)
        return
    slot = ROOM / len(days)
    wide = min(slot * 0.34, 46)
    canvas.line((LEFT, bottom + 2), (RIGHT, bottom + 2), colour=FAINT, width=3)
    for place, day in enumerate(days):
        middle = RIGHT - slot * (place + 0.5)
        bars = (
            (middle + wide / 2 + 1, day["opened"], FAIR),
            (middle - wide / 2 - 1, day["resolved"], ACCENT),
        )
        for x, count, colour in bars:
            tall = HIGHEST * 0.82 * count / most
            if count:
                canvas.box(x - wide / 2, bottom - max(tall, 6), wide, max(tall, 6), colour=colour, radius=8)
                canvas.text(
                    x, bottom - max(tall, 6) - 16, number(count), size=22, align="center", room=wide + 14
                )
        canvas.text(middle, bottom + 30, day["label"], size=24, colour=QUIET, align="center", room=slot - 8)
    _draw_legend(canvas, bottom + 70, words)


def _draw_legend(canvas: Canvas, y: float, words: Words) -> None:
    x: float = RIGHT
    for name, colour in (("opened", FAIR), ("resolved", ACCENT)):
        canvas.dot(x - 10, y, 9, colour=colour)
        x -= canvas.text(x - 30, y, words[name], size=25, colour=QUIET, room=300) + 70
