from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select

from crm_store.activity import timeline
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.customers.columns import FIELDS, Record, Refusal, find_columns, wording
from crm_store.customers.importing import Summary, import_customers, survey
from crm_store.customers.linking import link_by_proof
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer
from crm_store.customers.service import add_phone, identify
from crm_store.customers.tables import open_table
from crm_store.db import Database
from crm_store.errors import InvalidInput

HEADINGS = ["کد مشتری", "نام", "نام خانوادگی", "موبایل", "آدرس", "تاریخ تولد"]
SARA = ["7", "سارا", "رضایی", "09121234567", "تهران، خیابان ولیعصر", "1370/05/12"]
BORN = date(1991, 8, 3)


def a_list(
    folder: Path,
    *rows: Sequence[str],
    headings: Sequence[str] = HEADINGS,
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> Path:
    """A customer list as CSV."""
    path = folder / "customers.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([headings, *rows])
    return path


def a_workbook(folder: Path, *rows: Sequence[object], sheet: str = "مشتریان") -> Path:
    """A customer list as XLSX, behind a sheet of something else."""
    book = openpyxl.Workbook()
    book.create_sheet("راهنما", 0).append(["این فایل فهرست مشتریان است"])
    customers = book.create_sheet(sheet, 1)
    for row in rows:
        customers.append(list(row))
    book.save(folder / "customers.xlsx")
    return folder / "customers.xlsx"


def understood(path: Path, *, sheet: str = "", **corrections: str) -> list[Record | Refusal]:
    """All rows of a list as understood."""
    table = open_table(path, sheet=sheet)
    return survey(table, find_columns(table, corrections), shown=1000).first


def the_record(path: Path, *, sheet: str = "", **corrections: str) -> Record:
    """The one row of a list, which is valid."""
    (record,) = understood(path, sheet=sheet, **corrections)
    assert isinstance(record, Record), record
    return record


def reason_of(path: Path) -> str:
    """Why the one row of a list is refused."""
    (refusal,) = understood(path)
    assert isinstance(refusal, Refusal), refusal
    return refusal.code


def run(database: Database, path: Path, *, batch_rows: int = 2) -> tuple[Summary, dict[int, str]]:
    """Import a list; the numbers, and the reasons by row number."""
    table, refused = open_table(path), dict[int, str]()

    def note(_: Summary, refusals: list[Refusal]) -> None:
        refused.update({refusal.row.number: refusal.code for refusal in refusals})

    columns = find_columns(table)
    return import_customers(
        database, table=table, columns=columns, on_batch=note, batch_rows=batch_rows
    ), refused


def numbers(summary: Summary) -> tuple[int, int, int, int, int]:
    return (summary.created, summary.updated, summary.unchanged, summary.duplicates, summary.rejected)


def held(database: Database) -> dict[str, tuple[str, str, str]]:
    """Reference, name and address of each customer by phone."""
    with database.read() as session:
        rows = session.execute(
            select(ContactPoint.value, Customer.external_ref, Customer.full_name, Customer.address).join(
                Customer, ContactPoint.customer_id == Customer.id
            )
        )
        return {phone: (ref, name, address) for phone, ref, name, address in rows}


def an_account(database: Database, external_id: str, *, phone: str, proven: bool) -> int:
    """An account that has given a phone; returns the customer's id."""
    with database.write() as session:
        identity = identify(session, channel="telegram", external_id=external_id)
        if proven:
            return link_by_proof(session, identity_id=identity.id, phone=phone).customer_id
        add_phone(session, customer_id=identity.customer_id, phone=phone)
        return identity.customer_id


# --- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1256"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_list_reads_the_same_in_every_encoding_and_with_every_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    if encoding == "cp1256":  # it has no Persian yeh
        rows = [[cell.replace("ی", "ي") for cell in row] for row in (HEADINGS, SARA)]
    else:
        rows = [HEADINGS, SARA]
    path = a_list(tmp_path, *rows[1:], headings=rows[0], encoding=encoding, delimiter=delimiter)
    record = the_record(path)
    assert (record.phone, record.full_name, record.external_ref) == ("+989121234567", "سارا رضایی", "7")
    assert (record.address, record.birthday) == ("تهران، خیابان ولیعصر", BORN)


def test_commas_in_addresses_do_not_hide_the_semicolons_between_cells(tmp_path: Path) -> None:
    rows = [f"علی;0912{i:07};تهران, ونک, پلاک {i}" for i in range(30)]
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["نام;موبایل;آدرس", *rows]), encoding="utf-8")
    records = understood(path)
    assert [record.address for record in records if isinstance(record, Record)][29] == "تهران, ونک, پلاک 29"


def test_numbers_and_dates_of_a_workbook_are_read_as_a_person_would_type_them(tmp_path: Path) -> None:
    headings = ["کد مشتری", "نام و نام خانوادگی", "موبایل", "تاریخ تولد"]
    row = [7.0, "سارا رضایی", 9121234567, datetime(1991, 8, 3)]  # noqa: DTZ001  # a cell knows no zone
    record = the_record(a_workbook(tmp_path, [], headings, row), sheet="مشتریان")
    assert (record.external_ref, record.phone, record.birthday) == ("7", "+989121234567", BORN)
    assert record.row.number == 3


def test_the_first_sheet_is_read_unless_another_is_named(tmp_path: Path) -> None:
    path = a_workbook(tmp_path, HEADINGS, SARA)
    with pytest.raises(InvalidInput, match="phone"):
        find_columns(open_table(path))
    with pytest.raises(InvalidInput, match="مشتریان"):
        open_table(path, sheet="Sheet9")


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        (["نام و نام خانوادگي", "شماره‌موبایل", "نشانی", "کد اشتراک", "زمان تماس"], 5),
        (["Full Name", "MOBILE", "Address", "customer_id", "Best time to call"], 5),
        (["nam o famil", "shomare mobile", "adres", "kod moshtari", "saat tamas"], 5),
        (["esm", "telefon"], 2),
    ],
)
def test_headings_are_known_in_persian_english_and_finglish(
    tmp_path: Path, headings: list[str], cells: int
) -> None:
    said = ["سارا رضایی", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "تهران، ونک", "۷", "عصرها"]
    record = the_record(a_list(tmp_path, said[:cells], headings=headings))
    found = (record.full_name, record.phone, record.address, record.external_ref, record.preferred_time)
    assert found == (
        "سارا رضایی",
        "+989121234567",
        *["تهران، ونک", "7", "عصرها"][: cells - 2],
        *[""] * (5 - cells),
    )


def test_the_list_says_the_loyalty_tier_whatever_a_customer_has_said(
    database: Database, tmp_path: Path
) -> None:
    for tier in ("نقره‌ای", "طلایی"):
        run(database, a_list(tmp_path, ["09121234567", tier], headings=["موبایل", "سطح مشتری"]))
        with database.write() as session:
            customer = session.scalars(select(Customer)).one()
            session.add(ChannelIdentity(customer=customer, channel="telegram", external_id=tier))
            add_phone(session, customer_id=customer.id, phone="09121234567", proven=True)
    with database.read() as session:
        assert session.scalars(select(Customer.tier)).all() == ["طلایی"]


def test_no_heading_stands_for_two_fields() -> None:
    headings = [heading for field in wording("headings").values() for heading in field]
    assert len(headings) == len(set(headings))
    assert set(wording("headings")) == set(FIELDS)


def test_a_mobile_column_is_taken_before_a_landline_and_a_correction_before_both(tmp_path: Path) -> None:
    headings = ["نام", "تلفن", "موبایل", "تلفن محل کار"]
    path = a_list(tmp_path, ["سارا", "02188776655", "09121234567", "02144556677"], headings=headings)
    assert the_record(path).phone == "+989121234567"
    assert the_record(path, phone="تلفن").phone == "+982188776655"
    assert the_record(path, phone="ستون ۴").phone == "+982144556677"
    assert the_record(path, phone="4", first_name="").full_name == ""


def test_a_title_above_the_headings_is_passed_over(tmp_path: Path) -> None:
    path = a_list(tmp_path, [], HEADINGS, SARA, headings=["فهرست مشتریان، آذر ۱۴۰۵"])
    assert the_record(path).full_name == "سارا رضایی"


def test_a_list_without_headings_is_read_by_places_from_its_first_row(tmp_path: Path) -> None:
    path = a_list(tmp_path, ["علی", "09127654321"], headings=["سارا", "09121234567"])
    records = understood(path, phone="2", full_name="1")
    assert [record.full_name for record in records if isinstance(record, Record)] == ["سارا", "علی"]


@pytest.mark.parametrize(
    ("corrections", "named"),
    [({}, "--map phone="), ({"phone": "همراه اول"}, "همراه اول"), ({"colour": "نام"}, "colour")],
)
def test_columns_that_cannot_be_found_are_told_with_the_remedy(
    tmp_path: Path, corrections: Mapping[str, str], named: str
) -> None:
    table = open_table(a_list(tmp_path, ["سارا", "ونک"], headings=["نام", "محله"]))
    with pytest.raises(InvalidInput, match=named):
        find_columns(table, corrections)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xlsx"),
        (b"PK\x03\x04 no workbook", "XLSX"),
        (bytes(range(256)) * 20, "neither"),
        ('نام,موبایل\nسارا,"0912\nعلی,0913\n'.encode(), "line 2: a quotation mark"),
        (('نام,موبایل\n"سارا,0912\n' + "علی,0913\n" * 30 + '",1\n').encode(), "line 2: a quotation mark"),
    ],
)
def test_an_unusable_file_is_refused_before_anything_is_imported(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        understood(path)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "phone_missing"),
        ("-", "phone_missing"),
        ("9.12123E+09", "phone_scientific"),
        ("9121234", "phone_invalid"),
        ("09121234567 - 09127654321", "phone_invalid"),
        ("تلفن ندارد", "phone_invalid"),
    ],
)
def test_a_row_without_a_usable_phone_is_rejected_with_the_reason(
    tmp_path: Path, typed: str, code: str
) -> None:
    assert reason_of(a_list(tmp_path, ["سارا", typed], headings=["نام", "موبایل"])) == code


@pytest.mark.parametrize(
    "typed",
    ["9121234567", "9121234567.0", "+98 912 123 4567", "00989121234567", "۰۹۱۲-۱۲۳-۴۵۶۷", "٠٩١٢١٢٣٤٥٦٧"],
)
def test_a_phone_is_one_however_it_is_written(tmp_path: Path, typed: str) -> None:
    path = a_list(tmp_path, ["سارا", typed], headings=["نام", "موبایل"])
    assert the_record(path).phone == "+989121234567"


@pytest.mark.parametrize(
    "typed", ["1370/05/12", "۱۳۷۰-۵-۱۲", "12/05/1370", "1991-08-03", "13700512", "70/5/12"]
)
def test_a_birthday_is_read_in_both_calendars(tmp_path: Path, typed: str) -> None:
    assert the_record(a_list(tmp_path, [*SARA[:5], typed])).birthday == BORN


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1370/13/40", "birthday_invalid"),
        ("33000", "birthday_invalid"),
        ("1499/01/01", "birthday_invalid"),
        ("03/08/1991", "birthday_ambiguous"),
    ],
)
def test_what_is_no_certain_birthday_is_rejected(tmp_path: Path, typed: str, code: str) -> None:
    assert reason_of(a_list(tmp_path, [*SARA[:5], typed])) == code


def test_what_is_longer_than_the_store_takes_is_rejected_and_not_cut(tmp_path: Path) -> None:
    assert reason_of(a_list(tmp_path, [*SARA[:4], "ن" * 1001, ""])) == "address_too_long"


# --- the store


def test_a_new_phone_becomes_a_customer_without_an_account(database: Database, tmp_path: Path) -> None:
    summary, refused = run(database, a_list(tmp_path, SARA))
    assert (numbers(summary), refused) == ((1, 0, 0, 0, 0), {})
    with database.read() as session:
        customer = session.scalars(select(Customer)).one()
        assert (customer.full_name, customer.birthday, customer.source) == ("سارا رضایی", BORN, "import")
        point = session.scalars(select(ContactPoint)).one()
        assert (point.value, point.proven_at, point.customer_id) == ("+989121234567", None, customer.id)
        assert session.scalar(select(func.count(ChannelIdentity.id))) == 0
        (entry,) = timeline(session, customer_id=customer.id)
        assert (entry.kind, entry.actor) == ("customer.imported", "operator")


def test_a_run_leaves_one_audit_entry_with_its_numbers(database: Database, tmp_path: Path) -> None:
    rows = [["", "علی", "", f"0912123450{i}", "", ""] for i in range(5)]
    run(database, a_list(tmp_path, *rows, rows[0]), batch_rows=2)
    with database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action) == ("operator", "customers.import")
        assert entry.detail == {
            "file": "customers.csv",
            "created": 5,
            "updated": 0,
            "unchanged": 0,
            "refused": {"duplicate_phone": 1},
        }


def test_the_same_list_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    path = a_list(
        tmp_path, SARA, ["8", "علی", "", "09127654321", "", ""], ["", "مینا", "", "0213334445", "", ""]
    )
    assert numbers(run(database, path)[0]) == (2, 0, 0, 0, 1)
    before = held(database)
    assert numbers(run(database, path)[0]) == (0, 0, 2, 0, 1)
    assert held(database) == before


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_of_two_rows_with_one_phone_or_one_code_the_first_wins(
    database: Database, tmp_path: Path, batch_rows: int
) -> None:
    rows = [
        ["1", "سارا", "", "09121234567", "", ""],
        ["2", "مریم", "", "+98 912 123 4567", "", ""],
        ["1", "نسرین", "", "09127654321", "", ""],
        ["", "علی", "", "۰۹۱۲۷۶۵۴۳۲۱", "", ""],
    ]
    summary, refused = run(database, a_list(tmp_path, *rows), batch_rows=batch_rows)
    assert numbers(summary) == (2, 0, 0, 2, 0)
    assert refused == {3: "duplicate_phone", 4: "duplicate_ref"}
    assert held(database) == {"+989121234567": ("1", "سارا", ""), "+989127654321": ("", "علی", "")}


def test_a_customer_without_account_takes_what_the_list_says_and_keeps_what_it_leaves_empty(
    database: Database, tmp_path: Path
) -> None:
    run(database, a_list(tmp_path, SARA))
    again = ["7", "سارا", "محمدی", "09121234567", "", ""]
    assert numbers(run(database, a_list(tmp_path, again))[0]) == (0, 1, 0, 0, 0)
    assert held(database) == {"+989121234567": ("7", "سارا محمدی", "تهران، خیابان ولیعصر")}


def test_what_a_customer_said_in_chat_is_never_overwritten(database: Database, tmp_path: Path) -> None:
    customer_id = an_account(database, "1", phone="09121234567", proven=True)
    with database.write() as session:
        session.get_one(Customer, customer_id).full_name = "سارا خانم"
    assert numbers(run(database, a_list(tmp_path, SARA))[0]) == (0, 1, 0, 0, 0)
    assert held(database) == {"+989121234567": ("7", "سارا خانم", "تهران، خیابان ولیعصر")}
    assert numbers(run(database, a_list(tmp_path, SARA))[0]) == (0, 0, 1, 0, 0)


def test_a_number_that_an_account_merely_typed_is_not_its_own(database: Database, tmp_path: Path) -> None:
    stranger = an_account(database, "1", phone="09121234567", proven=False)
    assert numbers(run(database, a_list(tmp_path, SARA))[0]) == (1, 0, 0, 0, 0)
    with database.read() as session:
        assert session.get_one(Customer, stranger).full_name == ""
        assert session.scalar(select(func.count(Customer.id))) == 2


def test_a_later_proof_joins_the_imported_customer_and_the_list_then_finds_both_as_one(
    database: Database, tmp_path: Path
) -> None:
    run(database, a_list(tmp_path, SARA))
    customer_id = an_account(database, "1", phone="09121234567", proven=True)
    with database.read() as session:
        assert session.get_one(Customer, customer_id).full_name == "سارا رضایی"
    assert numbers(run(database, a_list(tmp_path, SARA))[0]) == (0, 0, 1, 0, 0)


def test_a_joined_record_leads_to_the_customer_that_stands_for_it(database: Database, tmp_path: Path) -> None:
    run(database, a_list(tmp_path, ["7", "سارا", "", "09121234567", "", ""]))
    with database.write() as session:
        standing = identify(session, channel="web", external_id="1").customer
        session.scalars(
            select(Customer).where(Customer.source == "import")
        ).one().merged_into_id = standing.id
    assert numbers(run(database, a_list(tmp_path, SARA))[0]) == (0, 1, 0, 0, 0)
    with database.read() as session:
        assert session.get_one(Customer, standing.id).address == "تهران، خیابان ولیعصر"


def test_an_erased_customer_is_nobody_any_more(database: Database, tmp_path: Path) -> None:
    run(database, a_list(tmp_path, SARA))
    with database.write() as session:
        session.scalars(select(Customer)).one().erased_at = utcnow()
    assert numbers(run(database, a_list(tmp_path, SARA))[0]) == (1, 0, 0, 0, 0)


def test_a_number_that_changed_in_the_business_records_no_longer_leads_to_the_customer(
    database: Database, tmp_path: Path
) -> None:
    run(database, a_list(tmp_path, SARA))
    moved = ["7", "سارا", "رضایی", "09127654321", "", ""]
    new_owner = ["8", "علی", "", "09121234567", "", ""]
    for expected in ((1, 1, 0, 0, 0), (0, 0, 2, 0, 0)):
        assert numbers(run(database, a_list(tmp_path, moved, new_owner))[0]) == expected
    found = {phone: name for phone, (_, name, _) in held(database).items()}
    assert found == {"+989127654321": "سارا رضایی", "+989121234567": "علی"}


def test_a_customer_with_account_keeps_the_proven_number_beside_the_lists(
    database: Database, tmp_path: Path
) -> None:
    customer_id = an_account(database, "1", phone="09121234567", proven=True)
    run(database, a_list(tmp_path, SARA))
    moved = a_list(tmp_path, ["7", "سارا", "", "09127654321", "", ""])
    assert [numbers(run(database, moved)[0]) for _ in range(2)] == [(0, 1, 0, 0, 0), (0, 0, 1, 0, 0)]
    with database.read() as session:
        points = session.scalars(select(ContactPoint).where(ContactPoint.customer_id == customer_id)).all()
        assert {point.value: point.proven_at is not None for point in points} == {
            "+989121234567": True,
            "+989127654321": False,
        }


def test_a_row_that_would_mix_two_customers_is_rejected(database: Database, tmp_path: Path) -> None:
    ali = ["8", "علی", "", "09127654321", "", ""]
    run(database, a_list(tmp_path, SARA, ali))
    before = held(database)
    of_another = ["9", "مریم", "", "09121234567", "", ""]
    mixed = ["7", "سارا", "", "09127654321", "", ""]
    _, refused = run(database, a_list(tmp_path, of_another, mixed))
    assert refused == {2: "phone_of_another", 3: "ref_of_another"}
    assert held(database) == before


def test_two_numbers_of_one_customer_do_not_change_it_back_and_forth(
    database: Database, tmp_path: Path
) -> None:
    an_account(database, "1", phone="09121234567", proven=True)
    an_account(database, "1", phone="09127654321", proven=True)
    rows = [["", "سارا", "", "09121234567", "", ""], ["", "مریم", "", "09127654321", "", ""]]
    assert numbers(run(database, a_list(tmp_path, *rows))[0]) == (0, 1, 0, 1, 0)
    assert numbers(run(database, a_list(tmp_path, *rows))[0]) == (0, 0, 1, 1, 0)


@pytest.mark.parametrize("batches_before", [0, 1, 3])
def test_interrupted_anywhere_and_run_again_nothing_is_missing_and_nothing_is_there_twice(
    database: Database, tmp_path: Path, batches_before: int
) -> None:
    rows = [[str(i), f"مشتری {i}", "", f"0912{i:07}", "", ""] for i in range(10)]
    path = a_list(tmp_path, *rows)
    table, done = open_table(path), 0

    def interrupt(_: Summary, __: list[Refusal]) -> None:
        nonlocal done
        done += 1
        if done > batches_before:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_customers(database, table=table, columns=find_columns(table), on_batch=interrupt, batch_rows=2)
    already = 2 * (batches_before + 1)
    assert numbers(run(database, path)[0]) == (10 - already, 0, already, 0, 0)
    assert len(held(database)) == 10
    with database.read() as session:
        assert session.scalar(select(func.count(Customer.id))) == 10


def test_every_reason_has_its_text() -> None:
    with_limits = {
        f"{field}_too_long" for field in ("full_name", "address", "external_ref", "preferred_time", "tier")
    }
    phones = {"phone_missing", "phone_scientific", "phone_invalid", "phone_of_another", "ref_of_another"}
    others = {"birthday_invalid", "birthday_ambiguous"}
    duplicates = {"duplicate_phone", "duplicate_ref", "duplicate_customer"}
    assert set(wording("reasons")) == with_limits | phones | others | duplicates
