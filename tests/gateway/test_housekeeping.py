"""Erasures and retention periods are carried out, everywhere: tables, files and the dialogue's memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from bot.gateway.housekeeping import Housekeeping
from crm_store import inbox
from crm_store.audit import AuditEntry
from crm_store.base import Base, utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation, Message
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.customers.service import identify
from crm_store.db import Database
from crm_store.learning.models import LearningSample
from crm_store.learning.phrases import LearnedPhrases
from crm_store.learning.service import accept
from crm_store.loyalty.models import LedgerPosting, LotMovement, PointLot
from crm_store.privacy import erasure
from crm_store.privacy.files import chat_folder
from crm_store.privacy.holdings import holdings_of
from crm_store.privacy.models import Consent, Erasure
from crm_store.privacy.service import request_erasure
from crm_store.settings import RetentionSettings, Settings
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, OMID, Person, files_below, seed
from tests.factories.person_cases import a_technician
from tests.factories.tracker import make_tracker, remember
from tests.gateway.conftest import Setup


class House:
    """A store, a data folder and the dialogue's memory, with two customers in them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.settings = Settings(data_dir=str(folder), rasa_url="http://127.0.0.1:5005")
        self.keeping = Housekeeping(self.settings, database)
        self.tracker = f"sqlite:///{folder / 'tracker.db'}"
        make_tracker(self.tracker)
        self.chats = {}
        for person in (MINA, OMID):
            with database.write() as session:
                self.chats[person] = seed(session, person, self.settings.attachments_path)
            said = f"{person.story} {' '.join(person.spellings)} {person.name}"
            remember(self.tracker, conversation_id=self.chats[person].id, said=said, at=1.0)

    def customer_of(self, person: Person) -> int:
        with self.database.read() as session:
            return customer_of(session.get_one(Conversation, self.chats[person].id))

    def asks_to_be_forgotten(self, person: Person) -> int:
        """The confirmed wish, some time ago."""
        chat = self.chats[person]
        with self.database.write() as session:
            confirmed = an_inbox_id(session, chat, text=person.name)
            wish = request_erasure(session, conversation_id=chat.id, inbox_id=confirmed)
            wish.requested_at = utcnow() - timedelta(minutes=1)
            inbox.finish(session, inbox_id=confirmed)
            return wish.id

    def state_of(self, erasure_id: int) -> str:
        with self.database.read() as session:
            return session.get_one(Erasure, erasure_id).state

    def held_about(self, person: Person) -> str:
        with self.database.read() as session:
            held = holdings_of(session, customer_id=self.customer_of(person))
            return json.dumps(held.as_data(), ensure_ascii=False)

    def traces_of(self, person: Person) -> set[str]:
        """Where something of a person is found, in any form."""
        return {*_in_files(self.folder, person), *_in_tables(self.database, person)}


def _in_files(folder: Path, person: Person) -> Iterator[str]:
    for file in files_below(folder):
        content = file.read_bytes().lower()
        for word in person.words:
            forms = [word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode()]
            yield from (
                f"{word} in {file.name.removesuffix('-wal')}" for form in forms if form.lower() in content
            )
        if person.visitor[:32] in str(file):
            yield f"the visitor in the name {file}"


def _in_tables(database: Database, person: Person) -> Iterator[str]:
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for column, value in row.items():
                    held = json.dumps(value, ensure_ascii=False, default=str)
                    yield from (f"{word} in {table.name}.{column}" for word in person.words if word in held)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


def test_a_forgotten_customer_is_found_nowhere_and_another_one_is_whole(house: House) -> None:
    before = house.traces_of(OMID)
    held = house.held_about(OMID)
    found = " ".join(house.traces_of(MINA))
    assert all(word in found for word in MINA.words), "what is looked for must be there at first"
    wish = house.asks_to_be_forgotten(MINA)
    house.keeping.carry_out_erasures()
    assert house.state_of(wish) == "done"
    assert house.traces_of(MINA) == set()
    assert house.held_about(OMID) == held
    assert house.traces_of(OMID) == before


def test_what_a_forgotten_customer_taught_is_taught_no_more_and_what_others_taught_is(house: House) -> None:
    learned = LearnedPhrases(house.settings.learned_path)
    with house.database.write() as session:
        for sample in session.query(LearningSample):
            accept(session, sample_id=sample.id, intent="request_human", learned=learned, actor="operator")
    assert len(learned.read()["request_human"]) == 2
    house.asks_to_be_forgotten(MINA)
    house.keeping.carry_out_erasures()
    assert learned.read() == {"request_human": [f"{OMID.topic} 09120000000"]}
    assert house.traces_of(MINA) == set()


def test_a_technicians_dialogue_remembers_a_forgotten_customer_no_more(house: House) -> None:
    with house.database.write() as session:
        technician, other = a_technician(session).id, a_conversation(session).id
    for conversation_id in (technician, other):
        remember(house.tracker, conversation_id=conversation_id, said=f"{MINA.home}, a visit", at=2.0)
    wish = house.asks_to_be_forgotten(MINA)
    house.keeping.carry_out_erasures()
    assert house.state_of(wish) == "done"
    assert [trace for trace in house.traces_of(MINA) if "tracker.db" not in trace] == []
    engine = create_engine(house.tracker)
    with engine.connect() as connection:
        senders = (
            connection.execute(text("SELECT sender_id FROM events WHERE timestamp = 2.0")).scalars().all()
        )
    engine.dispose()
    assert senders == [str(other)], "what other customers said is theirs"


def test_what_names_no_one_stays(house: House) -> None:
    customer_id = house.customer_of(MINA)
    house.asks_to_be_forgotten(MINA)
    house.keeping.carry_out_erasures()
    with house.database.read() as session:
        customer = session.get_one(Customer, customer_id)
        assert customer.erased_at is not None
        complaint = session.scalars(select(Complaint).where(Complaint.customer_id == customer_id)).one()
        assert (complaint.category, complaint.remedy, complaint.state) == (
            "delivery",
            "refund",
            "withdrawn",
        )
        assert len(complaint.code) == 8
        consent = session.scalars(select(Consent).where(Consent.customer_id == customer_id)).one()
        assert (consent.granted, consent.text, consent.channel) == (False, "", "telegram")
        trail = session.scalars(select(AuditEntry).where(AuditEntry.target_id == str(customer_id))).all()
        assert {"customer.viewed", "privacy.erasure_requested", "privacy.erased"} <= {
            entry.action for entry in trail
        }


def test_afterwards_the_same_chat_begins_as_a_new_customer(house: House) -> None:
    former = house.customer_of(MINA)
    house.asks_to_be_forgotten(MINA)
    house.keeping.carry_out_erasures()
    with house.database.write() as session:
        identity = identify(session, channel="telegram", external_id=MINA.account)
        assert identity.customer_id != former
        assert session.get_one(Customer, identity.customer_id).erased_at is None


def test_nothing_is_erased_while_a_message_is_being_answered(house: House) -> None:
    wish = house.asks_to_be_forgotten(MINA)
    with house.database.write() as session:
        waiting = an_inbox_id(session, house.chats[MINA], text="هنوز یک چیز دیگر")
    house.keeping.carry_out_erasures()
    assert house.state_of(wish) == "pending"
    assert house.traces_of(MINA)
    with house.database.write() as session:
        inbox.finish(session, inbox_id=waiting)
    house.keeping.carry_out_erasures()
    assert house.state_of(wish) == "done"


def test_an_answer_that_never_comes_does_not_keep_the_wish_waiting_for_ever(house: House) -> None:
    wish = house.asks_to_be_forgotten(MINA)
    with house.database.write() as session:
        waiting = an_inbox_id(session, house.chats[MINA], text=MINA.story)
        session.get_one(Erasure, wish).requested_at = utcnow() - erasure.PATIENCE - timedelta(minutes=1)
    house.keeping.carry_out_erasures()
    with house.database.write() as session:
        item = session.get_one(inbox.InboxItem, waiting)
        assert (item.state, item.payload) == (inbox.IGNORED, {})
        assert session.get_one(Erasure, wish).state == "pending", "its turn may still be running"
        item.finished_at = utcnow() - timedelta(minutes=5)
    house.keeping.carry_out_erasures()
    assert house.state_of(wish) == "done"
    assert house.traces_of(MINA) == set()


def test_a_failure_is_counted_and_all_is_done_at_a_later_try(house: House) -> None:
    wish = house.asks_to_be_forgotten(MINA)
    memory = house.folder / "tracker.db"
    whole = memory.read_bytes()
    memory.write_bytes(b"this is no database" * 100)
    house.keeping.carry_out_erasures()
    with house.database.read() as session:
        failed = session.get_one(Erasure, wish)
        assert (failed.state, failed.attempts) == ("pending", 1)
        assert "DatabaseError" in failed.last_error
    memory.write_bytes(whole)
    Housekeeping(house.settings, house.database).carry_out_erasures()
    assert house.state_of(wish) == "done"
    assert house.traces_of(MINA) == set()


def test_old_things_go_and_files_with_them(house: House) -> None:
    folder = house.settings.attachments_path
    orphan = folder / chat_folder("web", OMID.visitor) / f"{'0' * 32}.txt"
    orphan.write_text("never sent")
    for file in files_below(folder):
        _age(file, days=100)
    with house.database.write() as session:
        _make_old(session, days=100)
    house.keeping.carry_out_retention()
    assert not orphan.exists()
    kept = [path.name for path in files_below(folder)]
    assert f"{OMID.account}0000.txt" in kept, "the file of a complaint stays"
    with house.database.read() as session:
        assert session.scalars(select(inbox.InboxItem.payload).where(inbox.InboxItem.state == "done")).all()
        assert not any(
            session.scalars(select(inbox.InboxItem.payload).where(inbox.InboxItem.state == "done"))
        )
        assert all(session.scalars(select(inbox.InboxItem.payload).where(inbox.InboxItem.state == "parked")))
        assert session.query(Message).count() > 0
    assert OMID.story.encode("unicode-escape") not in (house.folder / "tracker.db").read_bytes()


def test_a_period_of_zero_keeps_for_good(house: House) -> None:
    forever = RetentionSettings(
        raw_days=0,
        transcript_days=0,
        attachment_days=0,
        complaint_days=0,
        audit_days=0,
        learning_days=0,
    )
    settings = Settings(data_dir=str(house.folder), retention=forever)
    for file in files_below(settings.attachments_path):
        _age(file, days=9000)
    with house.database.write() as session:
        _make_old(session, days=9000)
    before = house.traces_of(OMID)
    Housekeeping(settings, house.database).carry_out_retention()
    assert house.traces_of(OMID) == before


async def test_the_gateway_carries_wishes_out_by_itself(setup: Setup) -> None:
    def ask(session: Session) -> int:
        chat = seed(session, MINA, setup.settings.attachments_path)
        confirmed = an_inbox_id(session, chat)
        inbox.finish(session, inbox_id=confirmed)
        wish = request_erasure(session, conversation_id=chat.id, inbox_id=confirmed)
        wish.requested_at = utcnow() - timedelta(minutes=1)
        return wish.id

    wish = setup.write(ask)
    async with setup.running():
        await setup.until(
            lambda: setup.read(lambda session: session.get_one(Erasure, wish).state) == "done", "the end"
        )
    assert not _in_tables_or_files(setup, MINA)


def _in_tables_or_files(setup: Setup, person: Person) -> set[str]:
    return {*_in_files(setup.settings.data_path, person), *_in_tables(setup.database, person)}


def _age(file: Path, *, days: int) -> None:
    moment = (utcnow() - timedelta(days=days)).timestamp()
    os.utime(file, (moment, moment))


def _make_old(session: Session, *, days: int) -> None:
    """Put everything that happened so many days back, apart from the ledger, which nobody can change."""
    back = timedelta(days=days)
    for mapper in Base.registry.mappers:
        if mapper.class_ in (LedgerPosting, PointLot, LotMovement):
            continue
        moments = [
            column.key for column in mapper.column_attrs if column.key.endswith("_at") or column.key == "at"
        ]
        for row in session.scalars(select(mapper.class_)):
            for moment in moments:
                if getattr(row, moment) is not None:
                    setattr(row, moment, getattr(row, moment) - back)
