"""Persian text as it is drawn: letters joined, in the order in which they stand, none that the font lacks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import arabic_reshaper
from bidi.algorithm import get_display
from matplotlib.font_manager import FontProperties, get_font

from crm_store.persian import group_thousands, to_persian_digits

FONTS = Path(__file__).parent / "fonts"
REGULAR = FontProperties(fname=str(FONTS / "Vazirmatn-Regular.ttf"))
BOLD = FontProperties(fname=str(FONTS / "Vazirmatn-Bold.ttf"))

_ELLIPSIS = "…"
#: Seen by nobody; keeps letters apart while they are joined.
_HALF_SPACE = "\u200c"
#: Signs that say where a number or a sign belongs, and are not drawn.
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f"))
#: Heh with a hamza above has a letter of its own; other signs above and below are left out.
_HEH_HAMZA = unicodedata.lookup("ARABIC LETTER HEH") + unicodedata.lookup("ARABIC HAMZA ABOVE")
_HEH_WITH_HAMZA = unicodedata.lookup("ARABIC LETTER HEH WITH YEH ABOVE")
_shaper = arabic_reshaper.ArabicReshaper({"delete_harakat": True, "support_ligatures": True})


@lru_cache(256)
def shaped(text: str) -> str:
    """A line whose letters are joined and stand in the order in which they are drawn.

    It is read from right to left unless all its letters are of another script.
    """
    plain = unicodedata.normalize("NFC", " ".join(text.split())).replace(_HEH_HAMZA, _HEH_WITH_HAMZA)
    joined = "".join(_in_font(letter) for letter in _shaper.reshape(plain))
    kinds = {unicodedata.bidirectional(letter) for letter in joined}
    base = "L" if "L" in kinds and not kinds & {"R", "AL"} else "R"
    return str(get_display(joined, base_dir=base)).translate(_MARKS)


def number(value: float, *, decimals: int = 0) -> str:
    """A number with Persian digits; whole ones in groups of three."""
    if decimals:
        return to_persian_digits(f"{value:.{decimals}f}".replace(".", "\u066b"))
    return group_thousands(round(value))


def shortened(text: str, length: int) -> str:
    """The first letters of a text, with an ellipsis; ``length`` of them at most."""
    if len(text) <= length:
        return text
    return text[: max(length - 1, 0)].rstrip().rstrip(_HALF_SPACE) + _ELLIPSIS


def _in_font(letter: str) -> str:
    """A letter, or what stands for it where the font has none; of signs that nobody sees only the marks."""
    if ord(letter) in _MARKS:
        return letter
    if unicodedata.category(letter) == "Cf":
        return ""
    if _has(letter):
        return letter
    return "".join(part for part in unicodedata.normalize("NFKC", letter) if _has(part))


def _has(letter: str) -> bool:
    return ord(letter) in _letters()


@lru_cache
def _letters() -> frozenset[int]:
    """Of the fonts, which have the same."""
    return frozenset(get_font(str(FONTS / "Vazirmatn-Regular.ttf")).get_charmap())
