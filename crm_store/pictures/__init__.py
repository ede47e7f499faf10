"""Pictures for chat: cards and charts with Persian text, as PNG.

Each kind is a pure function of plain values; `draw` finds it by its name. matplotlib is loaded with the first
picture, not with the program.
"""

from __future__ import annotations

from typing import Any

#: Kinds of pictures.
BALANCE, TIER, SURVEY, REPORT = "balance", "tier", "survey", "report"
KINDS = (BALANCE, TIER, SURVEY, REPORT)


def draw(kind: str, params: dict[str, Any]) -> bytes:
    """A picture as PNG.

    Args:
        kind: one of KINDS.
        params: what it shows, as the function of its kind takes it.

    Raises:
        ValueError: there is no such kind.
        TypeError, KeyError: something that it shows is missing.
    """
    from crm_store.pictures import cards, charts, reports  # noqa: PLC0415  # matplotlib takes a second

    if kind == BALANCE:
        return cards.balance_card(**params)
    if kind == TIER:
        return cards.tier_progress(**params)
    if kind == SURVEY:
        return charts.survey_results(params)
    if kind == REPORT:
        return reports.period_report(**params)
    raise ValueError(f"there is no picture of the kind {kind!r}")
