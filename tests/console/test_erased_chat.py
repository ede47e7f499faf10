"""An open page whose transcript is erased begins anew, and shows what is said afterwards."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import WSCloseCode

from bot.console.frames import message_frame
from crm_store.base import utcnow
from crm_store.conversations.models import Message
from crm_store.conversations.queries import Line
from crm_store.conversations.service import find_conversation
from crm_store.db import Database
from crm_store.privacy.erasure import erase
from crm_store.privacy.service import request_erasure
from tests.console.browser import words
from tests.console.conftest import Serve, Visit
from tests.console.stand_in import answer_pending, answered, received


async def test_the_page_is_told_to_connect_again_and_finds_an_empty_chat(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    browser = await visit(await serve())
    page = await browser.page()
    latest = await answered(page, sqlite_database)
    (row,) = received(sqlite_database)
    with sqlite_database.write() as session:
        chat = find_conversation(session, channel="web", chat_id=row.chat_id)
        assert chat is not None
        wish = request_erasure(session, conversation_id=chat.id, inbox_id=row.id)
        session.flush()
        erased = erase(session, erasure_id=wish.id, settled_for=timedelta())
        assert erased
    closed = await page.socket.receive(timeout=10)
    assert closed.data == WSCloseCode.SERVICE_RESTART
    page = await browser.page(last_seq=latest)
    assert (await page.next("ready"))["last_seq"] == 0
    page = await browser.page()
    await page.say("دوباره سلام")
    await page.next("ack")
    answer_pending(sqlite_database)
    assert words((await page.lines(1))[0]) == "دوباره سلام"


def test_a_file_of_a_line_that_has_the_number_of_an_erased_one_has_another_address() -> None:
    def address_of(path: str) -> str:
        sent = {"path": path, "kind": "photo", "file_name": "photo.png", "size": 12}
        message = Message(seq=4, author="staff:1", text="", extra={"files": [sent]}, created_at=utcnow())
        (file,) = message_frame(Line(message, {}), timezone="Asia/Tehran")["attachments"]
        return str(file["address"])

    addresses = [address_of(f"staff/7/{name}.png") for name in ("a" * 32, "b" * 32)]
    assert addresses[0] != addresses[1]
    assert all(address.startswith("/chat/lines/4/files/0?") for address in addresses)
