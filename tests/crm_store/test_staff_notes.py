"""Notes of the staff's on customers: by whom they may, once a message, gone when deleted."""

from __future__ import annotations

from typing import Any

import pytest

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.conversations.service import customer_of
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import Forbidden, InvalidInput, NotFound
from crm_store.staff.models import StaffNote
from crm_store.staff.notes import MAX_TEXT, add_note, delete_note, edit_note, note_rows, notes_of, pin_note
from tests.factories import a_conversation, a_member, an_inbox_id


def test_a_message_writes_one_note_and_the_timeline_says_so_without_its_words(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        customer_id, row = customer_of(chat), an_inbox_id(session, chat)
        wrote: dict[str, Any] = {"customer_id": customer_id, "staff": agent, "inbox_id": row}
        first = add_note(session, **wrote, text="  صبح‌ها خواب است ")
        assert add_note(session, **wrote, text="باز هم") == first
        assert first.text == "صبح‌ها خواب است"
        (entry,) = session.query(Activity).filter_by(kind="note.added")
        assert (entry.actor, entry.subject_id, entry.data) == (f"staff:{agent.id}", first.id, {})
        assert (
            len(add_note(session, customer_id=customer_id, staff=agent, text="الف" * 9999).text) == MAX_TEXT
        )


def test_pinned_notes_come_first_then_the_newest(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        made = [add_note(session, customer_id=customer_of(chat), staff=agent, text=f"{n}") for n in range(3)]
        pin_note(session, note_id=made[0].id, staff=agent)
        session.flush()
        assert [note.text for note in notes_of(session, customer_id=customer_of(chat))] == ["0", "2", "1"]
        assert {row.author for row in note_rows(session, customer_id=customer_of(chat))} == {agent.name}
        pin_note(session, note_id=made[0].id, staff=agent, is_pinned=False)
        session.flush()
        assert [note.text for note in notes_of(session, customer_id=customer_of(chat))] == ["2", "1", "0"]


def test_a_technician_writes_none_and_that_they_tried_is_audited(database: Database) -> None:
    with database.write() as session:
        technician = a_member(session, role="technician")
        with pytest.raises(Forbidden):
            add_note(session, customer_id=customer_of(a_conversation(session)), staff=technician, text="سلام")
        session.flush()
        assert session.query(StaffNote).count() == 0
        (denied,) = session.query(AuditEntry).filter_by(action="staff.denied")
        assert (denied.actor, denied.detail["permission"]) == (f"staff:{technician.id}", "customer.note")


def test_ones_own_note_is_changed_and_anybodys_is_deleted_by_a_supervisor_only(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        agent, colleague, lead = (a_member(session, role=role) for role in ("agent", "agent", "supervisor"))
        note = add_note(session, customer_id=customer_of(chat), staff=agent, text="نخست")
        assert edit_note(session, note_id=note.id, staff=agent, text="دوم").text == "دوم"
        with pytest.raises(Forbidden):
            edit_note(session, note_id=note.id, staff=colleague, text="سوم")
        with pytest.raises(Forbidden):
            delete_note(session, note_id=note.id, staff=colleague)
        delete_note(session, note_id=note.id, staff=lead)
        session.flush()
        assert (note.text, notes_of(session, customer_id=customer_of(chat))) == ("", [])
        for gone in (note.id, 4711):
            with pytest.raises(NotFound):
                delete_note(session, note_id=gone, staff=lead)
        assert {entry.action for entry in session.query(AuditEntry)} == {
            "note.edited",
            "staff.denied",
            "note.deleted",
        }


def test_a_note_on_a_joined_record_is_on_the_one_that_stands_for_it_and_on_the_forgotten_there_is_none(
    database: Database,
) -> None:
    with database.write() as session:
        one, other = (customer_of(a_conversation(session)) for _ in range(2))
        agent = a_member(session)
        merge(session, into_id=one, from_id=other, actor="operator")
        assert add_note(session, customer_id=other, staff=agent, text="سلام").customer_id == one
        with pytest.raises(InvalidInput):
            add_note(session, customer_id=one, staff=agent, text="  \n ")
        session.get_one(Customer, one).erased_at = utcnow()
        for customer_id in (one, other, 4711):
            with pytest.raises(NotFound):
                add_note(session, customer_id=customer_id, staff=agent, text="سلام")
