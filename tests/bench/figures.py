"""A figure, its baseline, and how both are printed."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

STOCK_FILE = Path(__file__).parent / "stock.json"


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Attributes:
        name: what was measured.
        value: the figure.
        unit: ``ms``, ``s``, ``MB`` or ``%``.
        baseline: the same of the stock pipeline, where there is one.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which so large a share (0 to 1) of the values lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def stock_figures() -> dict[str, float]:
    """The figures of the stock pipeline as they were measured last; their conditions stand in the file."""
    if not STOCK_FILE.exists():
        return {}
    figures: dict[str, float] = json.loads(STOCK_FILE.read_text())["figures"]
    return figures


def emit(figures: Iterable[Figure]) -> None:
    """Print one JSON object per line as figures come, and a table at the end on standard error."""
    table = Table("figure", "value", "stock", "ratio")
    for figure in figures:
        shown = {"name": figure.name, "value": round(figure.value, 2), "unit": figure.unit}
        sys.stdout.write(json.dumps(shown | {"baseline": figure.baseline}) + "\n")
        sys.stdout.flush()
        stock = f"{figure.baseline:.1f}" if figure.baseline else ""
        ratio = f"{figure.value / figure.baseline:.2f}" if figure.baseline else ""
        table.add_row(figure.name, f"{figure.value:.1f} {figure.unit}", stock, ratio)
    Console(stderr=True).print(table)
