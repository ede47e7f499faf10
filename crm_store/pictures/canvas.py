"""A canvas on which shapes and Persian text are drawn, in pixels from the corner above left."""

from __future__ import annotations

import io
import math

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyBboxPatch, Patch, Polygon, Wedge

from crm_store.pictures.lettering import BOLD, REGULAR, shaped, shortened

INK, QUIET, FAINT, PAPER, CARD = "#16302b", "#5b746e", "#e4eeeb", "#eaf2f0", "#ffffff"
ACCENT, DEEP, PALE = "#0b7a75", "#075450", "#d3ece8"
GOOD, FAIR, POOR, GOLD = "#14967f", "#e9b949", "#d3634c", "#f2c14e"
#: Every picture is so wide; chats show it on phones at a third of that.
WIDTH = 1000
#: Pixels per inch, so that sizes of text can be told in pixels, too.
DPI = 100
#: Text is drawn smaller down to this part of its size before it is shortened.
SMALLEST = 0.78
#: Steps of a shade that passes into another, each way.
_SHADES = 64
#: From the middle of digits down to the line they stand on, in parts of their size.
_HALF_DIGIT = 0.35


class Canvas:
    """A picture that is being drawn; what is drawn later lies above.

    Args:
        height: in pixels; it is WIDTH wide.
    """

    def __init__(self, height: float) -> None:
        self.height = round(height)
        self._figure = Figure(figsize=(WIDTH / DPI, self.height / DPI), dpi=DPI, facecolor=PAPER)
        self._renderer = FigureCanvasAgg(self._figure).get_renderer()
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_xlim(0, WIDTH)
        self._axes.set_ylim(self.height, 0)
        self._axes.axis("off")
        self._layer = 0

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        colour: str,
        radius: float = 28,
        opacity: float = 1.0,
    ) -> None:
        """A box with round corners; its corner above left is at (x, y)."""
        self._add(_box(x, y, width, height, radius), colour, opacity)

    def card(self, *, margin: float = 36, colours: tuple[str, str] = (CARD, CARD)) -> None:
        """The card that a picture stands on, with a soft shadow.

        Args:
            margin: around it.
            colours: from above right to below left.
        """
        width, height = WIDTH - 2 * margin, self.height - 2 * margin
        for spread in (14, 10, 6, 3):
            box = _box(margin - spread, margin - spread + 7, width + 2 * spread, height + 2 * spread, 52)
            self._add(box, DEEP, 0.022)
        self._add(_box(margin, margin, width, height, 44), colours[0], 1.0)
        if colours[0] != colours[1]:
            self._shade(_box(margin, margin, width, height, 44), colours)

    def dot(self, x: float, y: float, radius: float, *, colour: str, opacity: float = 1.0) -> None:
        """A filled circle."""
        self._add(Circle((x, y), radius), colour, opacity)

    def star(self, x: float, y: float, radius: float, *, colour: str = GOLD) -> None:
        """A star with five points."""
        corners = []
        for n in range(10):
            reach, angle = radius if n % 2 == 0 else radius * 0.45, math.pi * (n / 5 - 0.5)
            corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        self._add(Polygon(corners, closed=True, joinstyle="round"), colour, 1.0)

    def clock(self, x: float, y: float, radius: float, *, colour: str) -> None:
        """A clock's face."""
        self.arc(x, y, radius, 0, 360, colour=colour, width=radius * 0.2)
        for end in ((x, y - radius * 0.55), (x + radius * 0.4, y)):
            self.line((x, y), end, colour=colour, width=radius * 0.2)

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        begin: float,
        end: float,
        *,
        colour: str,
        width: float,
        is_round: bool = False,
    ) -> None:
        """Part of a ring around (x, y).

        Args:
            radius: of its outer edge.
            begin: in degrees, clockwise from the right.
            end: likewise, not before ``begin``.
            width: of the ring.
            is_round: its ends are.
        """
        self._add(Wedge((x, y), radius, begin, end, width=width), colour, 1.0)
        for angle in (begin, end) if is_round else ():
            middle, turned = radius - width / 2, math.radians(angle)
            self.dot(x + middle * math.cos(turned), y + middle * math.sin(turned), width / 2, colour=colour)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], *, colour: str, width: float = 2
    ) -> None:
        """A straight line, ``width`` in pixels."""
        self._layer += 1
        xs, ys = (start[0], end[0]), (start[1], end[1])
        self._axes.plot(
            xs, ys, color=colour, linewidth=_points(width), solid_capstyle="round", zorder=self._layer
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        room: float,
        colour: str = INK,
        bold: bool = False,
        align: str = "right",
        smallest: float = SMALLEST,
    ) -> float:
        """A line of text.

        Args:
            y: the middle of its digits.
            size: in pixels.
            room: it is drawn smaller, and at last shortened, to fit into so many pixels; figures are never
                shortened.
            smallest: down to this part of its size it is drawn smaller.
            align: which end is at x: ``right``, ``center`` or ``left``.

        Returns:
            How wide it became.
        """
        font = BOLD if bold else REGULAR
        smallest = smallest if any(letter.isalpha() for letter in text) else 0.1
        text, size = self._fitted(text, size, room, font, smallest)
        self._layer += 1
        self._axes.text(
            x,
            y + size * _HALF_DIGIT,
            shaped(text),
            fontproperties=font,
            fontsize=_points(size),
            color=colour,
            ha=align,
            va="baseline",
            zorder=self._layer,
            parse_math=False,
        )
        return self.width(text, size=size, bold=bold)

    def lines(
        self, x: float, y: float, text: str, *, size: float, room: float, colour: str = INK, most: int = 2
    ) -> float:
        """A bold text on several lines, the last one shortened; returns where the next line would stand."""
        for line in self.broken(text, size=size, room=room, most=most):
            self.text(x, y, line, size=size, room=room, colour=colour, bold=True, smallest=1.0)
            y += size * 1.5
        return y

    def broken(self, text: str, *, size: float, room: float, most: int = 2) -> list[str]:
        """A bold text in lines that fit, the last of ``most`` with all the rest."""
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            is_last = len(lines) == most
            if is_last or not lines[-1] or self.width(longer, size=size, bold=True) <= room:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def width(self, text: str, *, size: float, bold: bool = False) -> float:
        """How many pixels wide a line of text is."""
        drawn = shaped(text)
        if not drawn:
            return 0.0
        font = (BOLD if bold else REGULAR).copy()
        font.set_size(_points(size))
        return float(self._renderer.get_text_width_height_descent(drawn, font, ismath=False)[0])

    def png(self) -> bytes:
        """The picture."""
        file = io.BytesIO()
        self._figure.savefig(file, format="png", dpi=DPI, facecolor=PAPER)
        return file.getvalue()

    def _fitted(
        self, text: str, size: float, room: float, font: FontProperties, smallest: float
    ) -> tuple[str, float]:
        bold = font is BOLD
        wide = self.width(text, size=size, bold=bold)
        if wide <= room:
            return text, size
        size = max(size * room / wide * 0.98, size * smallest)
        fits, too_long = 0, len(text) + 1
        while too_long - fits > 1:
            tried = (fits + too_long) // 2
            if self.width(shortened(text, tried), size=size, bold=bold) <= room:
                fits = tried
            else:
                too_long = tried
        return shortened(text, fits), size

    def _add(self, patch: Patch, colour: str, opacity: float) -> None:
        self._layer += 1
        patch.set(facecolor=colour, edgecolor="none", linewidth=0, alpha=opacity, zorder=self._layer)
        self._axes.add_patch(patch)

    def _shade(self, patch: Patch, colours: tuple[str, str]) -> None:
        """Let one colour pass into another within a shape."""
        self._layer += 1
        shades = LinearSegmentedColormap.from_list("shades", colours)
        steps = range(_SHADES)
        shown = self._axes.imshow(
            [[(down + _SHADES - 1 - across) / (2 * _SHADES - 2) for across in steps] for down in steps],
            cmap=shades,
            interpolation="bilinear",
            extent=(0, WIDTH, self.height, 0),
            aspect="auto",
            zorder=self._layer,
        )
        patch.set_transform(self._axes.transData)
        shown.set_clip_path(patch)


def _box(x: float, y: float, width: float, height: float, radius: float) -> Patch:
    radius = max(0.0, min(radius, width / 2, height / 2))
    style = f"round,pad=0,rounding_size={radius}"
    return FancyBboxPatch((x, y), width, height, boxstyle=style)


def _points(pixels: float) -> float:
    return pixels * 72 / DPI
