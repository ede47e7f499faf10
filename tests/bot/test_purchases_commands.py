"""Keys of the API and lists of orders, from the terminal."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bot.commands.api_keys import api_keys
from bot.commands.import_ import import_
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.purchases.models import Purchase

HEADINGS = ("شماره سفارش", "موبایل مشتری", "تاریخ خرید", "نام کالا", "مبلغ", "نام مشتری")
KETTLE = ["۱۰۰۱", "۰۹۱۲۱۲۳۴۵۶۷", "۱۴۰۵/۰۶/۲۰ ۱۴:۳۰", "کتری", "۱٬۲۵۰٬۰۰۰", "سارا رضایی"]
CUP = ["۱۰۰۱", "", "", "فنجان", "۹۰,۰۰۰ تومان", ""]
LAMP = ["1002", "+98 912 765 4321", "2026-09-01", "چراغ", "500000 ریال", ""]
NO_PHONE = ["1003", "؟", "1405/06/20", "میز", "1000", ""]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy's data folder, and where its lists lie."""
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path / "var"))
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder / 'var' / 'peyvand.db'}")
    yield database
    database.dispose()


def a_list(folder: Path, *rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> Path:
    path = folder / "orders.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([headings, *rows])
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(import_, ["purchases", *map(str, arguments)])


def test_orders_of_several_rows_are_imported_once(folder: Path, store: Database) -> None:
    path = a_list(folder, KETTLE, CUP, LAMP)
    first, again = run(path, "--yes"), run(path, "--yes")
    assert "2 orders recorded, 0 known already, 0 rows rejected" in first.output
    assert "0 orders recorded, 2 known already" in again.output
    with store.read() as session:
        kept = {one.order_id: one for one in session.scalars(select(Purchase))}
        names = set(session.scalars(select(Customer.full_name)))
    assert (kept["1001"].total, kept["1002"].total) == (13_400_000, 500_000)
    assert kept["1001"].paid_at.isoformat() == "2026-09-11T11:00:00+00:00"
    assert names == {"سارا رضایی", ""}


def test_rows_that_cannot_be_taken_go_to_a_file_with_reasons(folder: Path, store: Database) -> None:
    spoilt = ["1001", KETTLE[1], KETTLE[2], "قاشق", "زیاد", ""]
    result = run(a_list(folder, KETTLE, spoilt, LAMP, NO_PHONE), "--yes")
    assert "1 orders recorded, 0 known already, 3 rows rejected" in result.output
    with (folder / "orders-rejected.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == ["2", "3", "5"]
    assert "مبلغ نیست" in rows[2][1]
    with store.read() as session:
        assert session.scalars(select(Purchase.order_id)).all() == ["1002"]


def test_english_headings_in_rials_are_read_from_a_spreadsheet(folder: Path, store: Database) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Order ID", "Phone", "Order Date", "Total (Rial)"])
    sheet.append([77, "09121234567", "2026-09-01", 1_500_000])
    book.save(folder / "orders.xlsx")
    book.close()
    result = run(folder / "orders.xlsx", "--yes")
    assert "amounts in rials" in result.output
    with store.read() as session:
        assert session.scalars(select(Purchase.total)).all() == [1_500_000]


def test_another_content_of_an_order_is_rejected(folder: Path) -> None:
    run(a_list(folder, LAMP), "--yes")
    result = run(a_list(folder, [*LAMP[:4], "1", ""]), "--yes")
    assert "conflict: 1" in result.output


def test_without_a_terminal_nothing_is_imported_unasked(folder: Path) -> None:
    result = run(a_list(folder, LAMP))
    assert result.exit_code == 2
    assert "--yes" in result.output


def test_a_list_without_amounts_is_refused(folder: Path) -> None:
    result = run(a_list(folder, LAMP[:4], headings=HEADINGS[:4]), "--yes")
    assert result.exit_code == 2
    assert "amount" in result.output


@pytest.mark.usefixtures("folder")
def test_a_key_is_shown_once_listed_and_revoked() -> None:
    runner = CliRunner()
    made = runner.invoke(api_keys, ["create", "--name", "till", "--scope", "purchases", "--scope", "rewards"])
    assert re.search(r"^pk_\S{40,}$", made.output, re.M)
    again = runner.invoke(api_keys, ["create", "--name", "till", "--scope", "purchases"])
    assert again.exit_code == 2
    listed = runner.invoke(api_keys, ["list"]).output
    assert "till" in listed
    assert "pk_" not in listed
    assert runner.invoke(api_keys, ["revoke", "till"]).output == "revoked\n"
    assert runner.invoke(api_keys, ["revoke", "nobody"]).exit_code == 2
