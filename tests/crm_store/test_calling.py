"""Calls that were promised are noted with what came of them, once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.errors import Forbidden, InvalidInput, InvalidTransition, NotFound
from crm_store.handoff.calling import note_call
from tests.console.staff import a_callback
from tests.factories import a_member


def test_a_customer_who_was_spoken_to_waits_no_more(database: Database) -> None:
    with database.write() as session:
        request, staff = a_callback(session), a_member(session)
        done = note_call(session, callback_id=request.id, staff=staff, reached=True, outcome=" فردا می‌آید ")
        assert (done.state, done.done_by_id, done.outcome) == ("done", staff.id, "فردا می‌آید")
        assert done.done_at is not None
        done_at = done.done_at
        note_call(session, callback_id=request.id, staff=staff, reached=True, outcome="دوباره")
        assert (done.outcome, done.done_at) == ("فردا می‌آید", done_at), "noted once"
        with pytest.raises(InvalidTransition):
            note_call(session, callback_id=request.id, staff=a_member(session), reached=True)


def test_a_call_that_nobody_took_leaves_the_request_open_and_is_told_of(database: Database) -> None:
    with database.write() as session:
        request, staff = a_callback(session), a_member(session)
        with pytest.raises(InvalidInput):
            note_call(session, callback_id=request.id, staff=staff, reached=False, outcome=" ")
        for words in ("اشغال بود", "جواب نداد"):
            note_call(session, callback_id=request.id, staff=staff, reached=False, outcome=words)
        assert (request.state, request.outcome, request.done_at) == ("open", "جواب نداد", None)
        kinds = session.scalars(
            select(Activity.kind).where(Activity.subject_type == "callback_request").order_by(Activity.id)
        )
        assert list(kinds) == ["callback.requested", "callback.tried", "callback.tried"]


def test_who_makes_no_calls_notes_none_and_is_in_the_audit_trail(database: Database) -> None:
    with database.write() as session:
        request = a_callback(session)
        how = {"callback_id": request.id, "reached": True}
        with pytest.raises(Forbidden):
            note_call(session, staff=a_member(session, role="technician"), **how)
        gone = a_member(session)
        gone.disabled_at = utcnow()
        with pytest.raises(Forbidden):
            note_call(session, staff=gone, **how)
        assert request.state == "open"
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions[-2:] == ["staff.denied", "staff.denied"]


def test_a_request_that_is_not_there_is_not_called(database: Database) -> None:
    with database.write() as session, pytest.raises(NotFound):
        note_call(session, callback_id=7, staff=a_member(session), reached=True)
