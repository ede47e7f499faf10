"""Forgetting a customer in the store; tests/gateway/test_housekeeping.py searches every byte afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import inbox, outbox
from crm_store.base import Base, utcnow
from crm_store.conversations.models import Button, Conversation, Message
from crm_store.conversations.service import customer_of
from crm_store.customers.models import ContactPoint, Customer
from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.handoff.service import open_callbacks
from crm_store.learning.models import LearningSample
from crm_store.outbox import OutboxItem, enqueue_message
from crm_store.privacy import erasure
from crm_store.privacy.files import remove_files
from crm_store.privacy.service import request_erasure
from crm_store.privacy.tracker import VARIABLE, tracker_url
from crm_store.settings import Settings
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, seed

SETTLED = timedelta(seconds=40)
#: Tables that hold nothing of customers.
NOT_ABOUT_CUSTOMERS = {"heartbeats", "staff_members", "console_sessions"}


def wish_of(session: Session, chat: Conversation) -> int:
    """A wish that nothing stands in the way of."""
    row = an_inbox_id(session, chat)
    wish = request_erasure(session, conversation_id=chat.id, inbox_id=row)
    inbox.finish(session, inbox_id=row)
    return wish.id


def forget(session: Session, wish: int) -> list[int] | None:
    return erasure.erase(session, erasure_id=wish, settled_for=SETTLED)


def rows(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table).order_by(*table.primary_key)).mappings():
            yield table.name, dict(row)


def test_what_was_said_goes_and_the_rows_that_others_refer_to_stay(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        chat_id, customer_id = chat.id, customer_of(chat)
        conversation_ids = forget(session, wish_of(session, chat))
    assert conversation_ids is not None
    assert chat_id in conversation_ids
    assert len(conversation_ids) == 2, "the web chat of the same person goes too"
    with database.read() as session:
        assert session.query(Message).count() == session.query(Button).count() == 0
        assert session.query(LearningSample).count() == 0
        assert session.get_one(Conversation, chat_id).chat_id == f"erased-{chat_id}"
        family = session.scalars(select(Customer).where(Customer.erased_at.is_not(None))).all()
        assert {one.merged_into_id for one in family} == {None, customer_id}
        assert not any(one.full_name or one.display_name or one.address or one.birthday for one in family)
        points = session.scalars(select(ContactPoint)).all()
        assert all(point.kind == "erased" and point.proven_at is None for point in points)
        assert open_callbacks(session) == []
        assert all(item.payload == {} for item in session.query(inbox.InboxItem))
        assert not session.query(inbox.InboxItem).filter_by(state=inbox.PARKED).count()


def test_forgetting_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        wish = wish_of(session, chat)
        forget(session, wish)
    with database.read() as session:
        before = list(rows(session))
    with database.write() as session:
        assert forget(session, wish)
    with database.read() as session:
        assert list(rows(session)) == before


def test_a_message_that_waits_is_answered_first(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        wish = wish_of(session, chat)
        an_inbox_id(session, chat)
        assert forget(session, wish) is None
        assert session.get_one(Customer, customer_of(chat)).full_name == MINA.name


def test_the_last_answer_leaves_first_but_nothing_that_is_due_much_later(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        wish = wish_of(session, chat)
        enqueue_message(session, conversation_id=chat.id, content={"text": "بعداً"}).due_at = (
            utcnow() + timedelta(days=3)
        )
        now = enqueue_message(session, conversation_id=chat.id, content={"text": "پاک می‌شود"})
        session.flush()
        assert forget(session, wish) is None
        now.state = outbox.SENT
        session.flush()
        assert forget(session, wish) == [chat.id]
        states = session.scalars(select(OutboxItem.state).order_by(OutboxItem.id)).all()
        assert states == [outbox.CANCELLED, outbox.SENT]


def test_what_hangs_is_given_up_and_left_alone_until_its_turn_must_have_ended(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        wish = wish_of(session, chat)
        hangs = an_inbox_id(session, chat, text="نمی‌رسد")
        erasure.give_up_waiting(session, customer_id=customer_of(chat))
        assert forget(session, wish) is None
        item = session.get_one(inbox.InboxItem, hangs, populate_existing=True)
        assert (item.state, item.payload) == (inbox.IGNORED, {})
        item.finished_at = utcnow() - SETTLED
        session.flush()
        assert forget(session, wish) == [chat.id]


def test_what_the_account_wrote_in_a_group_goes_and_what_others_wrote_there_stays(
    database: Database,
) -> None:
    def in_group(session: Session, account: int) -> int:
        said = {"message": {"chat": {"id": -100}, "from": {"id": account}, "text": "سلام گروه"}}
        row = inbox.receive(
            session, channel="telegram", update_id=f"g{account}", chat_id="-100", payload=said
        )
        assert row is not None
        inbox.finish(session, inbox_id=row, state=inbox.IGNORED)
        return row

    with database.write() as session:
        chat = a_conversation(session, chat_id="4400")
        own, others = in_group(session, 4400), in_group(session, 44001)
        forget(session, wish_of(session, chat))
    with database.read() as session:
        assert session.get_one(inbox.InboxItem, own).payload == {}
        assert session.get_one(inbox.InboxItem, others).payload["message"]["text"] == "سلام گروه"


def test_the_dialogues_memory_is_where_it_was_said_to_be_or_where_it_usually_is(tmp_path: Path) -> None:
    here = Settings(data_dir=str(tmp_path), rasa_url="http://127.0.0.1:5005")
    assert tracker_url(here, {}) == f"sqlite:///{tmp_path / 'tracker.db'}"
    assert tracker_url(here, {VARIABLE: "postgresql://db/rasa"}) == "postgresql://db/rasa"
    elsewhere = Settings(data_dir=str(tmp_path), rasa_url="http://10.0.0.7:5005")
    with pytest.raises(ConfigurationError, match=VARIABLE):
        tracker_url(elsewhere, {})


def test_files_outside_the_folder_are_never_touched(tmp_path: Path) -> None:
    folder, outside = tmp_path / "attachments", tmp_path / "store.db"
    (folder / "web").mkdir(parents=True)
    for file in (outside, folder / "web" / "a.jpg", folder / "b.jpg"):
        file.write_text("x")
    remove_files(folder, ["../store.db", str(outside), "", ".", "gone.jpg", "web", "b.jpg"])
    assert outside.exists()
    assert list(folder.iterdir()) == []


def test_every_table_that_may_name_a_customer_is_seeded_and_searched(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as session:
        wish_of(session, seed(session, MINA, tmp_path))
        filled = {name for name, _ in rows(session)}
    assert {table.name for table in Base.metadata.sorted_tables} - NOT_ABOUT_CUSTOMERS == filled
