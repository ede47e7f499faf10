"""Rows of a list that were not taken: mended there, their file is imported in its turn."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store.errors import InvalidInput
from crm_store.persian import to_persian_digits

if TYPE_CHECKING:
    from crm_store.customers.columns import Refusal


@contextmanager
def rejected_rows(
    target: Path, headings: Sequence[str], wording: Callable[[str], Any]
) -> Iterator[Callable[[Refusal], None]]:
    """Collects rejected rows beside the target, which is replaced only when all went to its end.

    Args:
        headings: of the list.
        wording: gives the columns' titles (``rejected``) and the texts of the reasons (``reasons``).

    Raises:
        InvalidInput: nothing can be written there.
    """
    titles, reasons = wording("rejected"), wording("reasons")
    part = target.with_name(f".{target.name}.part")
    try:
        file = part.open("w", encoding="utf-8-sig", newline="")  # with the mark Excel reads Persian right
    except OSError as error:
        raise InvalidInput(
            f"{target} cannot be written ({error.strerror}): name another with --rejected"
        ) from error
    written = 0

    def write(refusal: Refusal) -> None:
        nonlocal written
        values = {
            name: to_persian_digits(value) if isinstance(value, int) else value
            for name, value in refusal.values.items()
        }
        reason = reasons[refusal.code].format(**values)
        rows.writerow([refusal.row.number, reason, *refusal.row.cells])
        written += 1

    try:
        with file:
            rows = csv.writer(file)
            rows.writerow([titles["row"], titles["reason"], *headings])
            yield write
        if written:
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
