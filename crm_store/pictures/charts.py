"""The results of a survey: how many answered, and what, question by question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_store.pictures.canvas import (
    ACCENT,
    FAINT,
    FAIR,
    GOOD,
    INK,
    POOR,
    QUIET,
    WIDTH,
    Canvas,
)
from crm_store.pictures.lettering import number
from crm_store.terms import terms

LEFT, RIGHT = 92, WIDTH - 92
ROOM = RIGHT - LEFT
#: Questions that have room; the rest stands in the table of `peyvand surveys results`.
MOST_QUESTIONS = 4
#: Choices that have room below a question.
MOST_CHOICES = 6
TITLE, TEXT = 46, 34
#: Heights of what stands below a question's text.
GAUGE, BARS, CHOICE = 310, 232, 62
#: Up to these grades people are detractors and passives (https://www.netpromoter.com/know/).
DETRACTORS, PASSIVES = 6, 8
#: A gauge's ends in degrees clockwise from the right: -100 stands right, 100 left.
_GAUGE_MIDDLE, _DEGREES_PER_POINT = 270.0, 0.9

Words = Mapping[str, str]


def survey_results(results: Mapping[str, Any]) -> bytes:
    """The results of a survey as a whole.

    Args:
        results: of `crm_store.surveys.results.results`, as JSON types.
    """
    words: Words = terms("surveys")["picture"]
    total = results["total"]
    questions = [one for one in total["questions"] if _has_bars(one)][:MOST_QUESTIONS]
    scratch = Canvas(100)
    head = 84 + len(scratch.broken(results["title"], size=TITLE, room=ROOM)) * TITLE * 1.5 + 176
    height = head + sum(_height(scratch, one) for one in questions) + (70 if questions else 180)
    canvas = Canvas(height)
    canvas.card()
    y = canvas.lines(RIGHT, 108, results["title"], size=TITLE, room=ROOM)
    _draw_rate(canvas, total, y, words)
    if not questions:
        canvas.text(WIDTH / 2, head + 60, words["none"], size=38, colour=QUIET, align="center", room=ROOM)
    y = head
    for question in questions:
        if question is not questions[0]:
            canvas.line((LEFT, y), (RIGHT, y), colour=FAINT, width=3)
        _draw_question(canvas, question, y, words)
        y += _height(scratch, question)
    return canvas.png()


def _has_bars(question: Mapping[str, Any]) -> bool:
    """Whether there is something to draw; of words and photos there is not."""
    return bool(question["figures"].get("distribution")) and question["figures"]["count"] > 0


def _height(canvas: Canvas, question: Mapping[str, Any]) -> float:
    lines = len(canvas.broken(question["text"], size=TEXT, room=ROOM))
    top = 56 + lines * TEXT * 1.5
    if question["kind"] == "choice":
        return top + 60 + CHOICE * min(len(question["figures"]["distribution"]), MOST_CHOICES)
    return top + BARS + (GAUGE if question["figures"].get("nps") else 76)


def _draw_rate(canvas: Canvas, total: Mapping[str, Any], y: float, words: Words) -> None:
    """How many of those asked have answered, with a ring."""
    rate = total["response_rate"] or 0.0
    canvas.box(LEFT - 20, y - 12, ROOM + 40, 152, colour="#f1f7f5", radius=30)
    x, middle = RIGHT - 62, y + 64
    canvas.arc(x, middle, 60, 0, 360, colour="#d5e6e2", width=14)
    if rate > 0:
        # From the top to the left, as everything here is read.
        canvas.arc(x, middle, 60, 270 - 360 * min(rate, 1.0), 270, colour=ACCENT, width=14)
    canvas.text(x, middle, _percent(rate, words), size=34, bold=True, align="center", room=88)
    told = words["asked"].format(answered=number(total["answered"]), asked=number(total["asked"]))
    canvas.text(RIGHT - 150, middle - 26, words["rate"], size=30, colour=QUIET, room=ROOM - 150)
    canvas.text(RIGHT - 150, middle + 26, told, size=38, bold=True, room=ROOM - 150)


def _draw_question(canvas: Canvas, question: Mapping[str, Any], top: float, words: Words) -> None:
    figures = question["figures"]
    y = canvas.lines(RIGHT, top + 56, question["text"], size=TEXT, room=ROOM)
    answers = words["answers"].format(count=number(figures["count"]))
    if question["kind"] == "choice":
        canvas.text(RIGHT, y, answers, size=30, colour=QUIET, room=ROOM)
        _draw_choices(canvas, question, y + 62, words)
        return
    if figures.get("nps"):
        _draw_gauge(canvas, figures, y + 196, words)
        y += GAUGE
    else:
        wide = canvas.text(LEFT, y + 8, answers, size=30, colour=QUIET, room=ROOM / 2, align="left")
        told = _headline(figures, words)
        canvas.text(RIGHT, y + 8, told, size=44, bold=True, colour=ACCENT, room=ROOM - wide - 30)
        y += 76
    _draw_bars(canvas, question, y)


def _headline(figures: Mapping[str, Any], words: Words) -> str:
    """The figure that a kind of question is known by."""
    if figures.get("satisfied") is not None:
        return words["csat"].format(share=number(100 * figures["satisfied"]))
    if figures.get("mean") is not None:
        top = number(max(int(grade) for grade in figures["distribution"]))
        return words["mean"].format(mean=number(figures["mean"], decimals=1), top=top)
    return ""


def _draw_gauge(canvas: Canvas, figures: Mapping[str, Any], y: float, words: Words) -> None:
    """A Net Promoter Score with its interval, and beside it of whom it is made."""
    nps, x, radius = figures["nps"], RIGHT - 190, 178.0
    for begin, end, colour in ((-100, 0, "#f4d9d2"), (0, 50, "#f8ebcb"), (50, 100, "#cfe9e2")):
        canvas.arc(x, y, radius, _angle(end), _angle(begin), colour=colour, width=34)
    low, high = _angle(nps["high"]), _angle(nps["low"])
    canvas.arc(x, y, radius - 9, low, high, colour=_nps_colour(nps["score"]), width=16, is_round=True)
    turned = _angle(nps["score"])
    canvas.arc(x, y, radius + 8, turned - 1.6, turned + 1.6, colour=INK, width=50)
    canvas.text(x, y - 44, number(nps["score"]), size=82, bold=True, align="center", room=190)
    canvas.text(x, y + 18, words["nps"], size=30, colour=QUIET, align="center", room=220)
    canvas.text(x - radius + 17, y + 26, number(100), size=24, colour=QUIET, align="center", room=80)
    canvas.text(x + radius - 17, y + 26, number(-100), size=24, colour=QUIET, align="center", room=80)
    ends = words["interval"].format(low=number(nps["low"]), high=number(nps["high"]))
    canvas.text(x, y + 66, ends, size=28, colour=QUIET, align="center", room=400)
    _draw_groups(canvas, figures, y - 150, words)


def _draw_groups(canvas: Canvas, figures: Mapping[str, Any], y: float, words: Words) -> None:
    """Promoters, passives and detractors."""
    right, count = LEFT + 350, figures["count"]
    held = [0, 0, 0]
    for grade, given in figures["distribution"].items():
        held[2 if int(grade) <= DETRACTORS else 1 if int(grade) <= PASSIVES else 0] += given
    names = (("promoters", GOOD), ("passives", FAIR), ("detractors", POOR))
    for given, (name, colour) in zip(held, names, strict=True):
        share = given / count if count else 0.0
        canvas.text(right, y, words[name], size=30, room=220)
        canvas.text(LEFT, y, _percent(share, words), size=32, bold=True, align="left", room=110)
        _draw_bar(canvas, right, y + 26, length=350, share=share, colour=colour)
        y += 70
    answers = words["answers"].format(count=number(count))
    canvas.text(right, y + 6, answers, size=28, colour=QUIET, room=350)


def _draw_bar(canvas: Canvas, right: float, top: float, *, length: float, share: float, colour: str) -> None:
    """A bar that grows leftwards."""
    canvas.box(right - length, top, length, 16, colour=FAINT, radius=8)
    if share > 0:
        canvas.box(right - max(length * share, 16), top, max(length * share, 16), 16, colour=colour, radius=8)


def _draw_bars(canvas: Canvas, question: Mapping[str, Any], top: float) -> None:
    """How often each grade was given; the lowest stands right."""
    counts = question["figures"]["distribution"]
    most = max(counts.values(), default=0) or 1
    bottom, slot = top + 170, ROOM / max(len(counts), 1)
    wide = min(slot * 0.72, 84)
    for place, (grade, count) in enumerate(counts.items()):
        x = RIGHT - slot * (place + 0.5)
        tall = max(132 * count / most, 5)
        colour = _colour(question["kind"], place, int(grade), len(counts)) if count else FAINT
        canvas.box(x - wide / 2, bottom - tall, wide, tall, colour=colour, radius=12)
        if count:
            canvas.text(x, bottom - tall - 22, number(count), size=28, align="center", room=slot - 6)
        canvas.text(
            x, bottom + 28, number(int(grade)), size=30, colour=QUIET, bold=True, align="center", room=slot
        )


def _draw_choices(canvas: Canvas, question: Mapping[str, Any], y: float, words: Words) -> None:
    """How often each choice was taken, the most frequent first."""
    figures = question["figures"]
    titles = question.get("titles") or {}
    counts = sorted(figures["distribution"].items(), key=lambda one: -one[1])[:MOST_CHOICES]
    for choice, count in counts:
        share = count / figures["count"] if figures["count"] else 0.0
        canvas.text(RIGHT, y, titles.get(choice, choice), size=32, room=340)
        _draw_bar(canvas, RIGHT - 360, y - 8, length=ROOM - 360 - 170, share=share, colour=ACCENT)
        told = f"{_percent(share, words)} ({number(count)})"
        canvas.text(LEFT, y, told, size=30, colour=QUIET, align="left", room=158)
        y += CHOICE


def _percent(share: float, words: Words) -> str:
    return words["percent"].format(share=number(100 * share))


def _angle(score: float) -> float:
    return _GAUGE_MIDDLE - _DEGREES_PER_POINT * score


def _nps_colour(score: float) -> str:
    return POOR if score < 0 else FAIR if score < 50 else GOOD


def _colour(kind: str, place: int, grade: int, grades: int) -> str:
    """Poor, fair or good, as the standard of a kind has it."""
    if kind == "nps":
        return POOR if grade <= DETRACTORS else FAIR if grade <= PASSIVES else GOOD
    share = place / max(grades - 1, 1)
    return POOR if share < 0.4 else FAIR if share < 0.7 else GOOD
