from __future__ import annotations

from pathlib import Path

import pytest

from crm_store.base import utcnow
from crm_store.complaints import queries as complaints
from crm_store.conversations.queries import lines_around
from crm_store.conversations.service import add_message
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.handoff import queries as callbacks
from crm_store.paging import find_place
from tests.console.staff import a_callback, a_file, a_told_complaint
from tests.factories import a_conversation


def test_a_complaint_is_read_with_its_files_and_its_own_phone_first(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        complaint = a_told_complaint(session)
        newer = add_phone(session, customer_id=complaint.customer_id, phone="09121111111")
        files = [a_file(session, tmp_path, complaint, name=name).id for name in ("a.png", "b.png")]
        a_told_complaint(session)
    with database.read() as session:
        case = complaints.complaint_case(session, code=complaint.code)
        assert [point.id for point in case.phones] == [complaint.contact_point_id, newer.id]
        assert [file.id for file in case.attachments] == files
        assert [activity.kind for activity in case.activities] == ["complaint.filed"]
        assert [line.message.author for line in case.lines] == ["customer", "bot"]
        with pytest.raises(NotFound):
            complaints.complaint_case(session, code="00000000")


def test_complaints_are_listed_newest_first_with_how_many_files_they_have(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        older, newer, other = (a_told_complaint(session) for _ in range(3))
        other.category = "payment"
        a_file(session, tmp_path, older)
    with database.read() as session:
        page = complaints.complaints_page(session, category="delivery", state="received")
        assert [(row.complaint.id, row.attachments) for row in page.rows] == [(newer.id, 0), (older.id, 1)]
        second = complaints.complaints_page(session, number=2, size=2)
        assert [row.complaint.id for row in second.rows] == [older.id]
        assert second.place.total == 3


def test_waiting_calls_come_by_urgency_and_all_of_them_newest_first(database: Database) -> None:
    with database.write() as session:
        later, late, unpromised = (
            a_callback(session, hours=5),
            a_callback(session, hours=-1),
            a_callback(session),
        )
        unpromised.due_at = None
        done = a_callback(session)
        done.state = "replaced"
    with database.read() as session:
        waiting = callbacks.callbacks_page(session).rows
        assert [row.request.id for row in waiting] == [late.id, unpromised.id, later.id]
        every = callbacks.callbacks_page(session, only_open=False).rows
        assert [row.request.id for row in every] == [done.id, unpromised.id, late.id, later.id]
        overdue = [callbacks.is_overdue(row.request, now=utcnow()) for row in waiting]
        assert overdue == [True, False, False]
        case = callbacks.callback_case(session, callback_id=late.id)
        assert (case.phone.value, case.customer.display_name) == ("+989351112233", "سارا")


def test_a_transcript_is_cut_around_a_moment(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        where = a_conversation(session).id
        said = [add_message(session, conversation_id=where, author="bot", text=str(n)) for n in range(9)]
        lines = lines_around(session, conversation_id=where, moment=said[4].created_at, before=2, after=3)
    assert [line.message.text for line in lines] == ["3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("number", "total", "found"), [(1, 0, (1, 1)), (9, 50, (2, 2)), (-3, 51, (1, 3)), (3, 51, (3, 3))]
)
def test_a_page_that_is_not_there_is_the_nearest_one(number: int, total: int, found: tuple[int, int]) -> None:
    place = find_place(number=number, total=total)
    assert (place.number, place.count) == found
