"""People are found by a number, a code, an order or a name however it is spelt; the forgotten by nothing."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.service import customer_of
from crm_store.customers import vocabulary
from crm_store.customers.finding import CODE, NAME, ORDER, PHONE, find
from crm_store.customers.merging import merge
from crm_store.customers.models import ContactPoint, Customer, CustomerName, NameWord
from crm_store.customers.names import forget, remember, words_of
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.migrate import _config, upgrade
from crm_store.purchases.models import Purchase
from tests.factories import a_complaint, a_conversation


def called(session: Session, *names: str) -> dict[str, int]:
    made = [Customer(full_name=name) for name in names]
    session.add_all(made)
    session.flush()
    return {one.full_name: one.id for one in made}


def names(session: Session, typed: str, limit: int = 10) -> list[str]:
    return [found.name for found in find(session, text=typed, limit=limit)]


PEOPLE = (
    "سارا محمدی",
    "محمد رضایی",
    "علی‌رضا کریمی",
    "علی رضا کریمی",
    "فاطمه حسینی",
    "طاهره قاسمی",
    "Sara Mohammadi",
    "امید عباسی",
    "زهرا صادقی",
    "یوسف وحیدی",
)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("سارا محمدی", ["سارا محمدی", "Sara Mohammadi"]),
        ("خانم سارا محمدی", ["سارا محمدی"]),
        ("محمدی سارا", ["سارا محمدی"]),
        ("سارا محمّدي", ["سارا محمدی"]),
        ("سارا محمدیی", ["سارا محمدی"]),
        ("سرا محمدی", ["Sara Mohammadi", "سارا محمدی"]),
        ("تاهره غاسمی", ["طاهره قاسمی"]),
        ("اباسی", ["امید عباسی"]),
        ("زهرا سادقی", ["زهرا صادقی"]),
        ("وحیدی", ["یوسف وحیدی"]),
        ("yousef vahidi", ["یوسف وحیدی"]),
        ("fateme hoseini", ["فاطمه حسینی"]),
        ("sara mohamadi", ["Sara Mohammadi", "سارا محمدی"]),
        ("علیرضا کریمی", ["علی رضا کریمی", "علی‌رضا کریمی"]),
        ("علی رضا کریمی", ["علی رضا کریمی", "علی‌رضا کریمی"]),
        ("حسین", ["فاطمه حسینی"]),
        ("سارا محمدی از شیراز", ["سارا محمدی"]),
    ],
)
def test_a_name_is_found_folded_misspelt_in_part_and_in_another_script(
    sqlite_database: Database, typed: str, first: list[str]
) -> None:
    with sqlite_database.write() as session:
        called(session, *PEOPLE)
        assert names(session, typed)[: len(first)] == first


def test_both_databases_find_the_same(sqlite_database: Database, postgres_database: Database) -> None:
    answers = []
    for database in (sqlite_database, postgres_database):
        with database.write() as session:
            called(session, *PEOPLE)
            typed = ("سارا", "محمدی سارا", "رضا", "کریمی", "fateme", "۰۹۱۲")
            answers.append([(one, names(session, one)) for one in typed])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("typed", ["", "   ", "😀", "پلنگ", "' OR 1=1 --", "%", "__", "آقای", "\x00", "۱۲"])
def test_what_names_nobody_finds_nobody(database: Database, typed: str) -> None:
    with database.write() as session:
        called(session, *PEOPLE)
        assert find(session, text=typed) == []


def test_a_phone_is_found_whole_and_by_its_end_a_proven_one_first(database: Database) -> None:
    with database.write() as session:
        ids = called(session, "مینا", "امید", "رضا")
        add_phone(session, customer_id=ids["مینا"], phone="09121234567")
        add_phone(session, customer_id=ids["امید"], phone="09121234567", proven=True)
        add_phone(session, customer_id=ids["رضا"], phone="09351114567")
        for typed in ("۰۹۱۲ ۱۲۳ ۴۵۶۷", "شماره‌ش ۰۹۱۲۱۲۳۴۵۶۷ بود", "+98 912 123 4567"):
            found = find(session, text=typed)
            assert [one.name for one in found] == ["امید", "مینا"], typed
            assert {one.matched_by for one in found} == {PHONE}
            assert found[0].phone == "+989121234567"
        assert {one.name for one in find(session, text="4567")} == {"امید", "مینا", "رضا"}
        assert names(session, "۱۱۱۴۵۶۷") == ["رضا"]
        assert names(session, "567") == []


def test_an_end_of_a_number_follows_the_number(database: Database) -> None:
    with database.write() as session:
        ids = called(session, "مینا")
        point = add_phone(session, customer_id=ids["مینا"], phone="09121234567")
        point.value = "+989121239999"
        session.flush()
        assert names(session, "4567") == []
        assert names(session, "9999") == ["مینا"]


def test_codes_orders_and_numbers_of_other_systems_are_found(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat, order_number="B-7788")
        owner = session.get_one(Customer, customer_of(chat))
        owner.external_ref = "K-31"
        session.add(
            Purchase(
                shop="branch",
                order_id="A-1024",
                customer_id=owner.id,
                total=1,
                paid_at=utcnow(),
                source="api",
                digest="0" * 64,
            )
        )
        session.flush()
        for typed, by in (
            (complaint.code, CODE),
            (f"شکایت {complaint.code}", CODE),
            ("A-1024", ORDER),
            ("#a-1024", ORDER),
            ("سفارش A-1024", ORDER),
            ("B-7788", ORDER),
            ("K-31", CODE),
        ):
            found = find(session, text=typed)
            assert [(one.customer_id, one.matched_by) for one in found] == [(owner.id, by)], typed


def test_a_joined_record_leads_to_the_one_that_stands_for_it_by_its_own_name_too(database: Database) -> None:
    with database.write() as session:
        ids = called(session, "مینا زرین", "م. زرین‌کلاه")
        merge(session, into_id=ids["مینا زرین"], from_id=ids["م. زرین‌کلاه"], actor="operator")
        for typed in ("مینا", "زرین‌کلاه"):
            assert [one.customer_id for one in find(session, text=typed)] == [ids["مینا زرین"]]
        session.get_one(Customer, ids["مینا زرین"]).full_name = "مینو زرین"
        session.flush()
        assert names(session, "مینو") == ["مینو زرین"]
        assert names(session, "زرین‌کلاه") == ["مینو زرین"]


def test_a_new_name_replaces_the_former_one(database: Database) -> None:
    with database.write() as session:
        ids = called(session, "مینا زرین")
        session.get_one(Customer, ids["مینا زرین"]).full_name = "پریسا نیک"
        session.flush()
        assert names(session, "زرین") == []
        assert names(session, "پریسا") == ["پریسا نیک"]


def test_whoever_is_forgotten_is_found_no_more_and_rare_words_go_with_them(database: Database) -> None:
    with database.write() as session:
        ids = called(session, "مینا زرین‌کلاه", "مینا محمدی")
        forget(session, [ids["مینا زرین‌کلاه"]])
        assert set(session.scalars(select(NameWord.word))) == {"مینا", "محمدی"}
        session.execute(update(Customer).where(Customer.id == ids["مینا محمدی"]).values(erased_at=utcnow()))
        session.expire_all()
        assert find(session, text="محمدی") == []


def test_names_that_were_written_past_the_session_are_taken_up_by_hand(database: Database) -> None:
    with database.write() as session:
        ids = called(session, "مینا")
        session.execute(update(Customer).values(full_name="نسترن بهار"))
        remember(session, list(ids.values()))
        assert session.query(CustomerName).count() == 2


def test_the_words_in_memory_are_read_again_after_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        called(session, "مینا زرین")
        assert names(session, "زرین") == ["مینا زرین"]
        known = vocabulary.vocabulary_of(session)
        monkeypatch.setattr(vocabulary, "KEPT_SECONDS", -1.0)
        assert vocabulary.vocabulary_of(session) is not known
        assert names(session, "زرین") == ["مینا زرین"]


def test_digits_and_single_letters_are_no_words_of_names() -> None:
    assert words_of("علی ر. ۱۲۳ Ali2000", "علی") == ["علی", "ali"]


def test_who_was_there_before_an_update_is_found_after_it(tmp_path: object) -> None:
    store = Database(f"sqlite:///{tmp_path}/old.db")
    command.upgrade(_config(store), "0005")
    created = "'2026-01-01 00:00:00'"
    with store.write() as session:
        for id_, name, into in ((1, "سارا محمدی", "NULL"), (2, "س. محمدی‌نژاد", "1")):
            session.execute(
                text(
                    "INSERT INTO customers (id, display_name, full_name, address, preferred_channel, "
                    "preferred_time, source, external_ref, tier, merged_into_id, created_at) VALUES "
                    f"({id_}, '', :name, '', '', '', '', '', '', {into}, {created})"
                ),
                {"name": name},
            )
        session.execute(
            text(
                "INSERT INTO contact_points (customer_id, kind, value, created_at) "
                f"VALUES (1, 'phone', '+989121234567', {created})"
            )
        )
    upgrade(store)
    with store.read() as session:
        for typed in ("سارا", "محمدی‌نژاد", "4567"):
            assert [one.customer_id for one in find(session, text=typed)] == [1], typed
        assert session.scalar(select(ContactPoint.ending)) == "4567"
        assert session.query(Complaint).count() == 0
    store.dispose()


def test_names_say_by_what_they_were_found(database: Database) -> None:
    with database.write() as session:
        called(session, "سارا محمدی")
        (found,) = find(session, text="سارا محمدی")
        assert (found.matched_by, found.score) == (NAME, 100.0)
