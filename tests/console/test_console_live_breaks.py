"""The console's socket in hard times: nothing that a page lacks is forgotten, and no page is left deaf."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import WSCloseCode
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.console import app, follower, live, talk
from bot.console.views import console_live
from crm_store.conversations.models import Message
from crm_store.db import Database
from tests.console.agents import a_customer_waits, a_reply_on, open_live
from tests.console.conftest import Enter


class _Failing:
    """Fails with the store's error, as often as it is said, before it works."""

    def __init__(self, works: Any, *, times: int) -> None:
        self._works, self._times = works, times

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self._times:
            self._times -= 1
            raise SQLAlchemyError
        return self._works(*arguments, **options)


def number_of_line(database: Database, seq: int) -> int:
    with database.read() as session:
        return session.scalars(select(Message.id).where(Message.seq == seq)).one()


async def test_a_page_is_told_whose_it_is_and_of_which_conversation_things_stand_so(
    enter: Enter, sqlite_database: Database
) -> None:
    _, conversation_id = a_customer_waits(sqlite_database)
    page = await open_live(await enter(), hello=False)
    await page.send({"type": "hello", "conversation": conversation_id, "last_seq": 3})
    assert await page.next("ready") == {"type": "ready", "last_seq": 3, "staff": 1}
    assert (await page.desk(waiting=1))["conversation"] == conversation_id
    lists = await open_live(await enter())
    assert (await lists.desk(waiting=1))["conversation"] is None


async def test_a_page_that_opens_during_a_flood_is_welcomed_all_the_same(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STAFF_BURST", 1)
    monkeypatch.setattr(app, "STAFF_PER_SECOND", 0.001)
    browser = await enter()
    for _ in range(2):
        page = await open_live(browser)
        assert await page.next("desk")
    await page.send({"type": "ping"})
    assert (await page.next("error"))["code"] == "too_fast"


async def test_a_page_that_cannot_be_welcomed_is_to_connect_anew(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = _Failing(console_live.changing_lines, times=1)
    monkeypatch.setattr(console_live, "changing_lines", failing)
    _, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    page = await open_live(browser, hello=False)
    await page.send({"type": "hello", "conversation": conversation_id, "last_seq": 0})
    assert await page.close_code() == WSCloseCode.TRY_AGAIN_LATER
    page = await open_live(browser, conversation=conversation_id)
    assert (await page.next("line"))["seq"] == 1


async def test_a_line_that_changed_is_sent_again_although_the_store_failed_meanwhile(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_TICK", 0.05)
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0.01)
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    seq = (await a_reply_on(page, handoff_id))["seq"]
    monkeypatch.setattr(talk, "lines_of", _Failing(talk.lines_of, times=1))
    await page.do("edit", message=number_of_line(sqlite_database, seq), text="ساعت چهار")
    line = await page.next("line")
    assert line["seq"] == seq
    assert "ساعت چهار" in line["html"]


async def test_a_line_that_was_edited_before_it_was_looked_at_is_sent_again(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_TICK", 3600.0)
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    seq = (await a_reply_on(page, handoff_id))["seq"]
    await page.do("edit", message=number_of_line(sqlite_database, seq), text="ساعت چهار")
    monkeypatch.setattr(live, "SLOW_TICK", 0.05)
    line = await page.next("line")
    assert line["seq"] == seq
    assert "ساعت چهار" in line["html"]
