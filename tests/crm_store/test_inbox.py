from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from crm_store import inbox
from crm_store.db import Database


def receive(database: Database, update_id: str, text: str = "سلام") -> int | None:
    with database.write() as session:
        return inbox.receive(
            session, channel="telegram", update_id=update_id, chat_id="7", payload={"text": text}
        )


def test_an_update_that_comes_three_times_is_kept_once(database: Database) -> None:
    answers = [receive(database, "900") for _ in range(3)]
    assert [answer is None for answer in answers] == [False, True, True]
    with database.read() as session:
        assert [row.update_id for row in inbox.pending(session)] == ["900"]


def test_the_same_update_from_many_threads_is_kept_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: receive(database, "901"), range(16)))
    assert sum(answer is not None for answer in answers) == 1


def test_the_same_number_on_another_channel_is_another_update(database: Database) -> None:
    receive(database, "1")
    with database.write() as session:
        other = inbox.receive(session, channel="bale", update_id="1", chat_id="7", payload={})
    assert other is not None


def test_rows_wait_in_order_of_arrival_until_they_are_finished(database: Database) -> None:
    first, second, third = (receive(database, str(n)) for n in range(3))
    with database.write() as session:
        inbox.finish(session, inbox_id=second or 0)
    with database.read() as session:
        assert [row.id for row in inbox.pending(session)] == [first, third]
        assert [row.id for row in inbox.pending(session, after_id=first or 0)] == [third]
        assert inbox.count_by_state(session) == {"pending": 2, "done": 1}


def test_what_was_received_in_a_unit_that_fails_is_not_kept(database: Database) -> None:
    def receive_and_fail() -> None:
        with database.write() as session:
            inbox.receive(session, channel="telegram", update_id="5", chat_id="7", payload={})
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        receive_and_fail()
    assert receive(database, "5") is not None


def test_a_parked_row_is_tried_again_from_the_start_when_the_operator_says_so(database: Database) -> None:
    row = receive(database, "6") or 0
    with database.write() as session:
        assert inbox.note_failure(session, inbox_id=row, error="boom") == 1
        inbox.finish(session, inbox_id=row, state=inbox.PARKED)
    with database.write() as session:
        assert inbox.retry_parked(session, inbox_ids=[row]) == 1
    with database.read() as session:
        assert [(item.id, item.attempts) for item in inbox.pending(session)] == [(row, 0)]
