"""Measures the import of a large customer list, beside a plain loop that inserts the same rows."""

from __future__ import annotations

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from crm_store.settings import PROJECT_ROOT
from tests.bench.figures import Figure, emit

ROWS = 100_000
HEADINGS = ("کد مشتری", "نام", "نام خانوادگی", "موبایل", "آدرس", "تاریخ تولد")


def import_figures(folder: Path) -> Iterator[Figure]:
    """Time and peak memory of importing a list, and of importing it again.

    The baseline reads the same file with `csv` and inserts customer and phone row by row in one transaction:
    nothing is validated, looked up, recorded or safe to interrupt.
    """
    file = folder / "customers.csv"
    _write_list(file)
    plain_seconds, plain_memory = _measured([sys.executable, "-m", "tests.bench.importing", str(file)], {})
    command = [sys.executable, "-m", "bot.cli", "import", "customers", str(file), "--yes"]
    data = {"PEYVAND_DATA_DIR": str(folder / "import")}
    seconds, memory = _measured(command, data)
    yield Figure("import_100k_seconds", seconds, "s", plain_seconds)
    yield Figure("import_100k_memory", memory, "MB", plain_memory)
    yield Figure("import_100k_again_seconds", _measured(command, data)[0], "s")


def _write_list(file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(HEADINGS)
        for number in range(ROWS):
            street = f"تهران، خیابان ولیعصر، کوچه {number % 99}، پلاک {number % 50}"
            born = f"13{50 + number % 40}/{number % 12 + 1:02}/{number % 29 + 1:02}"
            rows.writerow([f"C{number}", "سارا", "رضایی", f"0912{number:07}", street, born])


def _measured(command: list[str], settings: Mapping[str, str]) -> tuple[float, float]:
    """Seconds that a process takes, and the most memory it has, in MB."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env={**os.environ, **settings}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with code {process.returncode}")
    return time.monotonic() - started, usage.ru_maxrss / 1000


def _insert_plainly(file: Path) -> None:
    """The baseline, as a process of its own: in a store beside the file."""
    store = sqlite3.connect(file.with_suffix(".db"))
    store.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, ref, name, address, birthday)")
    store.execute("CREATE TABLE contact_points (id INTEGER PRIMARY KEY, customer_id, value)")
    with file.open(encoding="utf-8", newline="") as source, store:
        rows = csv.reader(source)
        next(rows)
        for ref, first, last, phone, address, birthday in rows:
            row = (ref, f"{first} {last}", address, birthday)
            customer = store.execute(
                "INSERT INTO customers (ref, name, address, birthday) VALUES (?, ?, ?, ?)", row
            )
            point = (customer.lastrowid, phone)
            store.execute("INSERT INTO contact_points (customer_id, value) VALUES (?, ?)", point)
    store.close()


def main() -> None:
    """Measure the import alone, or run the baseline on the file that is named."""
    if len(sys.argv) > 1:
        _insert_plainly(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        emit(import_figures(Path(folder)))


if __name__ == "__main__":
    main()
