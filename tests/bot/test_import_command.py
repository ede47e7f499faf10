from __future__ import annotations

import csv
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from bot.commands.import_ import import_
from crm_store.activity import Activity
from crm_store.customers.models import ContactPoint, Customer
from crm_store.db import Database
from crm_store.settings import PROJECT_ROOT
from tests.e2e.product import eventually

MANY = 20_000
GOOD = ["سارا رضایی", "09121234567"]
BAD = ["علی", "۹۱۲"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy's data folder, and where its lists lie."""
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path / "var"))
    return tmp_path


def a_list(folder: Path, *rows: Sequence[str], headings: Sequence[str] = ("نام", "موبایل")) -> Path:
    path = folder / "customers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([headings, *rows])
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(import_, ["customers", *map(str, arguments)])


def count(folder: Path, table: type) -> int:
    """Rows of a table; none while there is no store."""
    database = Database(f"sqlite:///{folder / 'var' / 'peyvand.db'}")
    try:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0
    except OperationalError:
        return 0
    finally:
        database.dispose()


def test_a_list_is_shown_and_imported(folder: Path) -> None:
    result = run(a_list(folder, GOOD), "--yes")
    assert result.exit_code == 0, result.output
    assert "سارا رضایی" in result.output
    assert "1 created, 0 updated, 0 unchanged, 0 duplicates, 0 rejected" in result.output
    assert count(folder, Customer) == 1
    assert [path.name for path in folder.glob("*.csv")] == ["customers.csv"]


def test_without_a_terminal_nothing_is_imported_unless_it_is_said_beforehand(folder: Path) -> None:
    result = run(a_list(folder, GOOD))
    assert result.exit_code == 2
    assert "سارا رضایی" in result.output
    assert "--yes" in result.output
    assert count(folder, Customer) == 0


@pytest.mark.parametrize(("answer", "imported"), [(b"n\n", 0), (b"y\n", 1)])
def test_at_a_terminal_it_asks_before_it_imports(folder: Path, answer: bytes, imported: int) -> None:
    terminal, standard_input = pty.openpty()
    command = [sys.executable, "-m", "bot.cli", "import", "customers", str(a_list(folder, GOOD))]
    os.write(terminal, answer)
    result = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        stdin=standard_input,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    os.close(terminal)
    os.close(standard_input)
    assert "Import 1 rows?" in result.stdout
    assert ("nothing was imported" in result.stdout) == (not imported)
    assert count(folder, Customer) == imported


def test_rejected_rows_lie_in_a_file_that_a_spreadsheet_opens_and_that_is_imported_once_mended(
    folder: Path,
) -> None:
    result = run(a_list(folder, GOOD, BAD, GOOD), "--yes")
    assert result.exit_code == 0
    assert "1 created, 0 updated, 0 unchanged, 1 duplicates, 1 rejected" in result.output
    rejected = folder / "customers-rejected.csv"
    content = rejected.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    _, invalid, duplicate = csv.reader(content.decode("utf-8-sig").splitlines())
    assert invalid == ["3", "«۹۱۲» شماره تلفن معتبری نیست.", *BAD]
    assert duplicate == ["4", "این شماره تلفن در ردیف ۲ همین فایل آمده و همان ردیف وارد شده است.", *GOOD]
    rejected.write_text(rejected.read_text("utf-8").replace("علی,۹۱۲", "علی,۰۹۱۲۷۶۵۴۳۲۱"), "utf-8")
    assert "1 created, 0 updated, 1 unchanged" in run(rejected, "--yes").output
    assert count(folder, Customer) == 2


def test_columns_and_the_place_of_rejected_rows_can_be_set(folder: Path) -> None:
    path = a_list(folder, ["سارا", "کرج", "09121234567"], ["علی", "قم", ""], headings=["الف", "ب", "ج"])
    result = run(path, "--yes", "--map", "phone=ج", "--map", "full_name=1", "--rejected", folder / "no.csv")
    assert result.exit_code == 0, result.output
    assert "not imported: ب" in result.output
    assert "phone missing: 1" in result.output
    assert (folder / "no.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--map", "phone"], "FIELD=COLUMN"),
        (["--map", "phone=9"], "there is no such column"),
        (["--sheet", "1"], "only XLSX"),
        (["--rejected", "/nowhere/no.csv"], "--rejected"),
    ],
)
def test_what_cannot_be_done_ends_with_code_2_and_the_remedy(
    folder: Path, arguments: list[str], told: str
) -> None:
    result = run(a_list(folder, GOOD), "--yes", *arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert count(folder, Customer) == 0


def test_the_list_itself_is_not_written_over(folder: Path) -> None:
    path = a_list(folder, BAD)
    assert run(path, "--yes", "--rejected", path).exit_code == 2
    assert "علی" in path.read_text("utf-8")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_stopped_in_the_middle_and_run_again_nothing_is_missing_and_nothing_is_there_twice(
    folder: Path, how: signal.Signals, code: int
) -> None:
    path = a_list(folder, *([f"مشتری {i}", f"0912{i:07}"] for i in range(MANY)))
    command = [sys.executable, "-m", "bot.cli", "import", "customers", str(path), "--yes"]
    importing = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    eventually(lambda: count(folder, Customer) > MANY // 10, within=60, what="a tenth imported")
    importing.send_signal(how)
    _, errors = importing.communicate(timeout=60)
    assert importing.returncode == code, errors.decode()
    before = count(folder, Customer)
    assert 0 < before < MANY
    if how == signal.SIGINT:
        assert b"run the same command again" in errors
    result = run(path, "--yes")
    assert (
        f"{MANY - before} created, 0 updated, {before} unchanged, 0 duplicates, 0 rejected" in result.output
    )
    assert (count(folder, Customer), count(folder, ContactPoint), count(folder, Activity)) == (MANY,) * 3
    assert list(folder.glob("*rejected*")) == []
