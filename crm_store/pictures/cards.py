"""The club's cards: what somebody has, and the way to the next level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crm_store.pictures.canvas import (
    ACCENT,
    CARD,
    DEEP,
    FAINT,
    GOLD,
    INK,
    PALE,
    QUIET,
    WIDTH,
    Canvas,
)
from crm_store.pictures.lettering import number, shaped, shortened
from crm_store.terms import terms

LEFT, RIGHT = 92, WIDTH - 92
ROOM = RIGHT - LEFT
#: Steps that have room beside each other.
MOST_STEPS = 7
#: Heights of the lowest and the highest step, and the widest step.
LOWEST, HIGHEST, WIDEST = 84, 250, 250
GAP = 14
#: Of a name that stands beside other words.
MOST_LETTERS = 26


def balance_card(
    *,
    points: int,
    expiring: int = 0,
    expires_on: str = "",
    tier: str = "",
    business: str = "",
    name: str = "",
) -> bytes:
    """What somebody has.

    Args:
        points: that can be spent.
        expiring: of these, those that lapse soon.
        expires_on: when the first of them do, as people read it.
        tier: name of the level; empty for none.
        business: whose club it is.
        name: the customer's, as they are spoken to.
    """
    words = terms("loyalty")["picture"]
    canvas = Canvas(606 if expiring else 500)
    canvas.card(colours=("#0f948a", DEEP))
    tier_room = _tier_pill(canvas, tier) if tier else 0.0
    canvas.text(RIGHT, 116, business, size=40, bold=True, colour=CARD, room=ROOM - tier_room - 40)
    name = shortened(name.strip(), MOST_LETTERS)
    label = words["balance_of"].format(name=name) if shaped(name).strip() else words["balance"]
    canvas.text(RIGHT, 238, label, size=36, colour=PALE, room=ROOM)
    canvas.text(RIGHT, 344, number(points), size=136, bold=True, colour=CARD, room=ROOM)
    if expiring:
        canvas.box(LEFT - 24, 446, ROOM + 48, 92, colour=CARD, radius=30, opacity=0.14)
        canvas.clock(RIGHT - 20, 492, 22, colour=GOLD)
        told = words["expiring"].format(points=number(expiring), when=expires_on)
        canvas.text(RIGHT - 62, 492, told, size=36, colour=CARD, room=ROOM - 70)
    return canvas.png()


def _tier_pill(canvas: Canvas, tier: str) -> float:
    """A level's name with a star; returns how wide it is."""
    room = 300.0
    wide = min(canvas.width(tier, size=34, bold=True), room) + 100
    canvas.box(LEFT - 12, 80, wide, 72, colour=CARD, radius=36, opacity=0.16)
    canvas.star(LEFT - 12 + wide - 42, 117, 21)
    canvas.text(LEFT - 12 + 28, 116, tier, size=34, bold=True, colour=CARD, room=room, align="left")
    return wide


class _Way(msgspec.Struct, frozen=True):
    """Where somebody stands among the levels.

    Attributes:
        steps: ``{"name", "from_points"}`` each, lowest first.
        own: place of the level that is kept; -1 for none.
        points: that count now.
        is_top: there is no level above the kept one.
    """

    steps: list[Mapping[str, Any]]
    own: int
    points: int
    is_top: bool

    @property
    def aim(self) -> Mapping[str, Any] | None:
        """The level that points are missing for: the kept one in its grace, else the one above it."""
        waiting = (step for step in self.steps[max(self.own, 0) :] if self.points < step["from_points"])
        return next(waiting, None)

    @property
    def share(self) -> float:
        """How much of the way to the aim is gone, from 0 to 1."""
        if self.aim is None:
            return 1.0
        place, needed = self.steps.index(self.aim), int(self.aim["from_points"])
        below = int(self.steps[place - 1]["from_points"]) if place else 0
        return max(0.0, min(1.0, (self.points - below) / max(needed - below, 1)))


def tier_progress(
    *, points: int, tier: str, tiers: Sequence[Mapping[str, Any]], business: str = "", until: str = ""
) -> bytes:
    """Where somebody stands among the levels: steps that rise from right to left.

    Args:
        points: of purchases that count now.
        tier: name of the level that is kept; empty for none.
        tiers: ``{"name", "from_points"}`` each, lowest first.
        business: whose club it is.
        until: how long the level is kept for certain, as people read it; empty where nothing is to be said.
    """
    words = terms("loyalty")["picture"]
    way = _around(tiers, tier, points)
    canvas = Canvas(842 if until and way.own >= 0 else 732)
    canvas.card()
    canvas.text(RIGHT, 106, words["tiers"], size=32, colour=QUIET, room=ROOM / 2)
    canvas.text(LEFT, 106, business, size=32, colour=QUIET, room=ROOM / 2 - 30, align="left")
    told = f"{number(points)} {words['points']}"
    wide = canvas.text(LEFT, 180, told, size=44, colour=ACCENT, bold=True, room=ROOM / 2, align="left")
    canvas.text(RIGHT, 180, tier, size=62, bold=True, room=ROOM - wide - 40)
    _draw_steps(canvas, way, bottom=572)
    _draw_missing(canvas, way, words, y=610)
    if until and way.own >= 0:
        canvas.box(LEFT - 20, 698, ROOM + 40, 76, colour=FAINT, radius=28)
        canvas.clock(RIGHT - 18, 736, 19, colour=ACCENT)
        canvas.text(RIGHT - 56, 736, words["until"].format(when=until), size=34, room=ROOM - 64)
    return canvas.png()


def _draw_steps(canvas: Canvas, way: _Way, *, bottom: float) -> None:
    count = max(len(way.steps), 1)
    wide = min(WIDEST, (ROOM - GAP * (count - 1)) / count)
    first = (WIDTH + count * wide + GAP * (count - 1)) / 2 - wide
    for place, step in enumerate(way.steps):
        x, is_own = first - place * (wide + GAP), place == way.own
        tall = LOWEST + (HIGHEST - LOWEST) * (place + 1) / count
        is_reached = is_own or way.points >= step["from_points"]
        colour = DEEP if is_own else "#5fb0a7" if is_reached else FAINT
        canvas.box(x, bottom - tall, wide, tall, colour=colour, radius=22)
        if step is way.aim and not is_own and way.share > 0:
            canvas.box(
                x, bottom - max(tall * way.share, 30), wide, max(tall * way.share, 30), colour="#b9dfd9"
            )
        if is_own:
            canvas.star(x + wide / 2, bottom - tall + 42, min(24, wide / 5))
        canvas.text(
            x + wide / 2, bottom - 34, number(step["from_points"]), size=30, room=wide - 16, align="center",
            colour=CARD if is_own else INK,
        )  # fmt: skip
        canvas.text(
            x + wide / 2, bottom - tall - 34, str(step["name"]), size=36, bold=is_own, align="center",
            colour=INK if is_own else QUIET, room=wide + GAP - 8,
        )  # fmt: skip


def _draw_missing(canvas: Canvas, way: _Way, words: Mapping[str, str], *, y: float) -> None:
    """How far it is to the next level, in words."""
    if way.aim is None:
        if way.is_top:
            canvas.text(WIDTH / 2, y + 34, words["top"], size=40, bold=True, room=ROOM, align="center")
        return
    is_kept = way.own >= 0 and way.aim is way.steps[way.own]
    missing = number(int(way.aim["from_points"]) - way.points)
    told = words["keep" if is_kept else "missing"].format(points=missing, tier=way.aim["name"])
    canvas.text(WIDTH / 2, y + 34, told, size=40, bold=True, room=ROOM, align="center")


def _around(tiers: Sequence[Mapping[str, Any]], tier: str, points: int) -> _Way:
    """Of many levels those around one's own."""
    own = next((place for place, step in enumerate(tiers) if step["name"] == tier), -1)
    first = min(max(own - MOST_STEPS // 2, 0), max(len(tiers) - MOST_STEPS, 0))
    steps = list(tiers[first : first + MOST_STEPS])
    return _Way(steps, own - first if own >= 0 else -1, points, is_top=0 <= own == len(tiers) - 1)
