"""Reads for many open pages at once: what all of them lack at a moment is one unit of work in one thread.

A thread, a connection and a transaction for each page's few lines cost more than the lines. Those who ask
while a unit is at work are served together by the next one, so the busier it is the more share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation
from crm_store.db import Database

Result = TypeVar("Result")
#: So many are served by one unit of work; the others wait for the next, so that nobody waits long.
MOST_TOGETHER = 50


class _Wish(NamedTuple):
    work: Callable[[Session], Any]
    conversation_id: int | None
    answer: asyncio.Future[Any]


class SharedReader:
    """Runs what pages read, many in one unit of work.

    Args:
        database: the store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wishes: list[_Wish] = []
        self._server: asyncio.Task[None] | None = None

    async def read(self, work: Callable[[Session], Result], *, conversation_id: int | None) -> Result:
        """Run something that only reads, soon and together with what others read.

        Whatever it raises is raised here, and nowhere else.

        Args:
            work: what is read. It begins after the call: what it finds is never older.
            conversation_id: what it will look at, if anything; fetched for all at once.
        """
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._wishes.append(_Wish(work, conversation_id, answer))
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        while self._wishes:
            wishes, self._wishes = self._wishes[:MOST_TOGETHER], self._wishes[MOST_TOGETHER:]
            try:
                results = await asyncio.to_thread(self._run, wishes)
            except Exception as error:  # not one of theirs: all of them are told
                results = [error] * len(wishes)
            for wish, result in zip(wishes, results, strict=True):
                _give(wish.answer, result)

    def _run(self, wishes: list[_Wish]) -> list[Any]:
        shown = {wish.conversation_id for wish in wishes if wish.conversation_id is not None}
        with self._database.read() as session:
            # Held until the end: a session forgets what nobody else holds.
            held = session.scalars(select(Conversation).where(Conversation.id.in_(shown))).all()
            results = [_outcome(wish.work, session) for wish in wishes]
            del held
        return results


def _outcome(work: Callable[[Session], Any], session: Session) -> Any:
    try:
        return work(session)
    except Exception as error:  # raised again where it was asked for
        return error


def _give(answer: asyncio.Future[Any], result: Any) -> None:
    if answer.done():  # the page went meanwhile
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
