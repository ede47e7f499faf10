"""Answers the web chat's inbox through the services, as the gateway does, without understanding anything."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from types import TracebackType

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import inbox
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.customers.service import identify
from crm_store.db import Database
from crm_store.heartbeats import beat
from crm_store.inbox import InboxItem
from crm_store.persian import rich
from tests.console.browser import Page

CATEGORIES = ("دیر رسیدن سفارش", "کیفیت کالا", "رفتار همکاران", "پرداخت و بازگشت پول", "چیز دیگر")
QUESTION = "متأسفم که این تجربه برایتان پیش آمد. شکایتتان بیشتر به کدام موضوع مربوط است؟"
FILED = (
    "شکایت شما با کد پیگیری <code>{code}</code> ثبت شد. <b>همکارانمان تا فردا با شما تماس می‌گیرند.</b>\n"
    "هر وقت خواستید، همین‌جا از وضعیتش بپرسید."
)
USED = "این دکمه پیش‌تر استفاده شده است."


def answer_pending(database: Database) -> int:
    """Answer whatever waits, one transaction per message; returns how many there were."""
    with database.read() as session:
        waiting = [row.id for row in inbox.pending(session)]
    for inbox_id in waiting:
        with database.write() as session:
            row = session.get_one(InboxItem, inbox_id)
            identity = identify(session, channel=row.channel, external_id=row.chat_id)
            conversation = conversations.open_conversation(
                session, channel=row.channel, chat_id=row.chat_id, identity=identity
            )
            _answer(session, conversation, row)
            inbox.finish(session, inbox_id=row.id)
    return len(waiting)


async def answered(page: Page, database: Database, text: str = "سلام") -> int:
    """A visitor says something that is answered; the answer's number, once the page has it."""
    await page.say(text)
    await page.next("ack")
    answer_pending(database)
    return int((await page.lines(2))[-1]["seq"])


def say(database: Database, chat_id: str, text: str) -> None:
    """The bot says something of its own accord to a visitor whom it knows."""
    with database.write() as session:
        conversation = conversations.find_conversation(session, channel="web", chat_id=chat_id)
        assert conversation is not None
        reply(session, conversation, text)


def received(database: Database) -> list[InboxItem]:
    """Everything that the web chat kept, in order of arrival."""
    with database.read() as session:
        return list(
            session.scalars(select(InboxItem).where(InboxItem.channel == "web").order_by(InboxItem.id))
        )


def _answer(session: Session, conversation: Conversation, row: InboxItem) -> None:
    if "button" in row.payload:
        _answer_press(session, conversation, row)
        return
    text = row.payload.get("text", "")
    _customer_line(session, conversation, row, text)
    if "شکایت" in text:
        reply(session, conversation, QUESTION, CATEGORIES)
    else:
        reply(session, conversation, f"شنیدم: {rich.value(text)}")


def _answer_press(session: Session, conversation: Conversation, row: InboxItem) -> None:
    press = conversations.press_button(
        session, conversation_id=conversation.id, token=row.payload["button"], inbox_id=row.id
    )
    if press.outcome != "ok":
        reply(session, conversation, USED)
        return
    _customer_line(session, conversation, row, press.title)
    reply(session, conversation, FILED.format(code=rich.value("۱۴۰۵-۷۷۳۱-۲۰۶۴")))


def _customer_line(session: Session, conversation: Conversation, row: InboxItem, text: str) -> None:
    conversations.add_message(
        session, conversation_id=conversation.id, author="customer", text=text, inbox_id=row.id
    )


def reply(session: Session, conversation: Conversation, text: str, buttons: tuple[str, ...] = ()) -> None:
    """Write a line of the bot, with buttons of these titles."""
    issued = conversations.issue_buttons(
        session,
        conversation_id=conversation.id,
        buttons=[{"title": title, "payload": "/choose_category"} for title in buttons],
        lifetime=timedelta(hours=1),
    )
    conversations.add_message(
        session, conversation_id=conversation.id, author="bot", text=text, extra={"buttons": issued}
    )


class StandIn:
    """Answers in the background as long as it is entered, and gives the gateway's sign of life.

    Args:
        database: the store.
        pause: seconds between two looks at the inbox.
    """

    def __init__(self, database: Database, *, pause: float = 0.02) -> None:
        self._database = database
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        next_beat = 0.0
        while not self._stop.wait(self._pause):
            if time.monotonic() > next_beat:
                with self._database.write() as session:
                    beat(session, name="gateway")
                next_beat = time.monotonic() + 5
            answer_pending(self._database)
