"""Pictures for chat: of the right size, with every word in its place, whatever they show."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import warnings
from typing import Any

import msgspec
import pytest
from PIL import Image

from crm_store.pictures import BALANCE, KINDS, REPORT, SURVEY, TIER, draw
from crm_store.pictures.canvas import WIDTH, Canvas
from crm_store.pictures.lettering import number, shaped, shortened
from crm_store.surveys.figures import Figures, graded

LONG = "شرکت بازرگانی و پخش سراسری لوازم خانگی و صنعتی آریا Home Appliances"
TIERS = [{"name": f"سطح {n}", "from_points": 1000 * n} for n in range(12)]


def question(kind: str, counts: dict[Any, int], ends: tuple[int, int] = (0, 10)) -> dict[str, Any]:
    if kind == "choice":
        figures = Figures(count=sum(counts.values()), distribution=counts)
    else:
        figures = graded(kind, ends, counts)
    return {"kind": kind, "text": f"{LONG}؟ {LONG}؟", "figures": msgspec.to_builtins(figures)}


def survey(
    *questions: dict[str, Any], asked: int = 0, answered: int = 0, title: str = LONG
) -> dict[str, Any]:
    rate = answered / asked if asked else None
    total = {"asked": asked, "answered": answered, "response_rate": rate, "questions": list(questions)}
    return {"title": title, "total": total}


def period(count: int, days: int = 1, **figures: Any) -> dict[str, Any]:
    """A report in which everything was as often; times and opinions only where they are given."""
    counted = ("complaints_opened", "complaints_resolved", "complaints_breached", "complaints_open")
    counted += ("service_requests", "visits_done", "handoffs", "handoffs_claimed", "callbacks_done")
    counted += ("csat_answers", "points_given", "purchases", "purchases_rials")
    unknown = ("first_answer_minutes", "handoff_wait_minutes", "csat", "nps")
    bars = [{"label": f"{n} اردیبهشت", "opened": count, "resolved": count // 2} for n in range(days)]
    return {**dict.fromkeys(counted, count), **dict.fromkeys(unknown), "days": bars, **figures}


SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "no points": (BALANCE, {"points": 0}),
    "huge numbers": (
        BALANCE,
        {"points": 99_999_999_999, "expiring": 9_999_999_999, "expires_on": "یکشنبه ۳۰ اسفند ۱۴۰۵"},
    ),
    "long names": (BALANCE, {"points": 120, "tier": LONG, "business": LONG, "name": LONG}),
    "Latin names": (BALANCE, {"points": 120, "tier": "VIP", "business": "$5 & $6_x^2", "name": "Ali"}),
    "signs that the font lacks": (
        BALANCE,
        {"points": 1, "business": "👩‍👧 گل\u2068ی\u2069 \u0378", "name": "😀"},
    ),
    "no tiers": (TIER, {"points": 0, "tier": "", "tiers": []}),
    "one tier": (TIER, {"points": 0, "tier": "سطح 0", "tiers": TIERS[:1]}),
    "seven tiers": (TIER, {"points": 3500, "tier": "سطح 3", "tiers": TIERS[:7], "business": LONG}),
    "twelve tiers": (TIER, {"points": 99_999, "tier": "سطح 11", "tiers": TIERS, "until": "۱ فروردین ۱۴۰۶"}),
    "a tier that is not kept": (TIER, {"points": 10, "tier": "سطح 2", "tiers": TIERS[:4], "until": "۵ دی"}),
    "a tier that is no more": (TIER, {"points": 10, "tier": LONG, "tiers": TIERS[:4], "until": "۵ دی"}),
    "nobody asked": (SURVEY, survey()),
    "nobody answered": (SURVEY, survey(question("nps", {}), asked=10)),
    "a period without anything": (REPORT, {"title": "امروز", "report": period(0)}),
    "a period with much of everything": (
        REPORT,
        {
            "title": LONG,
            "business": LONG,
            "report": period(
                9_999_999, days=14, first_answer_minutes=99_999, handoff_wait_minutes=1, csat=0.5, nps=-100.0
            ),
        },
    ),
    "a period with a score and no satisfaction": (
        REPORT,
        {"title": "این ماه", "report": period(3, days=3, nps=41.2)},
    ),
    "all kinds": (
        SURVEY,
        survey(
            question("nps", {0: 3, 7: 1, 10: 1}),
            question("csat", {5: 1}, (1, 5)),
            question("scale", dict.fromkeys(range(1, 11), 1234567), (1, 10)),
            question("choice", {f"{LONG} {n}": n for n in range(8)}),
            question("ces", {1: 2}, (1, 7)),
            asked=10,
            answered=3,
        ),
    ),
}
shows = pytest.mark.parametrize(("kind", "params"), SHOWN.values(), ids=SHOWN)


def picture(kind: str, params: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(draw(kind, params))).convert("RGB")


@shows
def test_whatever_is_shown_nothing_reaches_the_edge(kind: str, params: dict[str, Any]) -> None:
    image = picture(kind, params)
    width, height = image.size
    assert width == WIDTH
    assert width + height < 10_000, "or Telegram refuses it"
    paper = image.getpixel((0, 0))
    edge = [(x, y) for x in range(width) for y in (0, 9, height - 10, height - 1)]
    edge += [(x, y) for y in range(height) for x in (0, 9, width - 10, width - 1)]
    assert {image.getpixel(place) for place in edge} == {paper}


@shows
def test_no_text_is_wider_than_its_room_or_leaves_the_card(
    kind: str, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = []
    plain_text = Canvas.text

    def text(self: Canvas, x: float, y: float, text: str, **how: Any) -> float:
        wide = plain_text(self, x, y, text, **how)
        left = x - wide * {"right": 1.0, "center": 0.5, "left": 0.0}[how.get("align", "right")]
        if wide > how["room"] or left < 60 or left + wide > WIDTH - 60 or not 50 < y < self.height - 50:
            leaving.append(text)
        return wide

    monkeypatch.setattr(Canvas, "text", text)
    draw(kind, params)
    assert leaving == []


@shows
def test_a_picture_is_small(kind: str, params: dict[str, Any]) -> None:
    assert len(draw(kind, params)) < 400_000


@shows
def test_the_font_has_all_that_is_drawn(kind: str, params: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw(kind, params).startswith(b"\x89PNG")


def test_other_figures_give_another_picture() -> None:
    drawn = {draw(BALANCE, {"points": points}) for points in (1, 2, 2)}
    assert len(drawn) == 2


def test_several_are_drawn_at_the_same_time() -> None:
    drawn: list[bytes] = []
    threads = [threading.Thread(target=lambda: drawn.append(draw(BALANCE, {"points": 77}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 4
    assert len(set(drawn)) == 1


def test_letters_are_joined_and_stand_from_right_to_left() -> None:
    assert shaped("سلام") == "\ufee1\ufefc\ufeb3"  # seen, lam with alef, meem, as they stand from the left
    assert shaped("می‌روم")[-2:] == "\ufbfd\ufee3", "a half-space ends a letter and is not seen"
    assert shaped("(۲ عدد)").startswith("(")
    assert shaped("خانهٔ Ali").startswith("Ali ")
    assert shaped("Who are you?") == "Who are you?"
    assert shaped("\u2068آ\u2069 😀").strip() == "\ufe81"


def test_numbers_have_persian_digits() -> None:
    assert number(1234567) == "۱٬۲۳۴٬۵۶۷"
    assert number(4.26, decimals=1) == "۴٫۳"
    assert shaped(number(-20)) == "-۲۰"


def test_long_names_are_shortened_and_numbers_never() -> None:
    assert shortened("فروشگاه", 7) == "فروشگاه"
    assert shortened("فروشگاه آفتاب", 9) == "فروشگاه…"
    canvas = Canvas(200)
    assert canvas.text(500, 100, number(10**15), size=40, room=100) <= 100
    assert canvas.text(500, 100, LONG, size=40, room=100) <= 100


def test_the_drawing_library_is_loaded_with_the_first_picture() -> None:
    code = "import sys, crm_store.pictures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="no picture of the kind"):
        draw("portrait", {})
    with pytest.raises(TypeError):
        draw(BALANCE, {})
    assert set(KINDS) == {kind for kind, _params in SHOWN.values()}
