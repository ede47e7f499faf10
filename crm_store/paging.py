"""Long lists, a page at a time."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

PAGE_SIZE = 25

Row = TypeVar("Row")


class Place(msgspec.Struct, frozen=True):
    """Which page of a list is wanted, moved to the nearest one that there is.

    Attributes:
        number: the page, from 1.
        count: how many pages there are, at least 1.
        total: how many rows all pages have together.
        size: rows on a full page.
    """

    number: int
    count: int
    total: int
    size: int

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.size


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """One page of a list."""

    rows: list[Row]
    place: Place


def find_place(*, number: int, total: int, size: int = PAGE_SIZE) -> Place:
    """The page nearest to a number.

    Args:
        number: as it was asked for; may be beyond either end.
        total: rows of the whole list.
        size: rows on a page.
    """
    count = max(1, -(-total // size))
    return Place(number=min(max(1, number), count), count=count, total=total, size=size)
