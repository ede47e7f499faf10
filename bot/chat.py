"""``peyvand chat``: the same conversation in a terminal, through the same inbox, dialogue and outbox."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from bot.up import Supervisor, only_supervisor, prepare, roles_for
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations.models import Message
from crm_store.conversations.queries import latest_numbers, lines_after
from crm_store.conversations.service import find_conversation
from crm_store.db import Database
from crm_store.persian import rich, to_ascii_digits, to_persian_digits
from crm_store.settings import Settings

CHANNEL = "terminal"
ANSWER_SECONDS = 90.0
LOOK_EVERY = 0.03


class TerminalChat:
    """One conversation of the terminal channel.

    Args:
        database: the store.
        name: whose conversation it is; also the chat's id.
        folder: the attachments folder, where files that we are sent stay.
    """

    def __init__(self, database: Database, *, name: str, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._chat_id = name
        self._buttons: list[dict[str, str]] = []
        with database.read() as session:
            self._seen = latest_numbers(session, channel=CHANNEL, chat_ids=[name]).get(name, 0)

    def send(self, line: str) -> int:
        """Put a line into the inbox; the number of a shown button presses it. Returns the row's id."""
        client_id = secrets.token_hex(8)
        payload: dict[str, str] = {"client_id": client_id, "display_name": self._chat_id}
        choice = to_ascii_digits(line.strip())
        if choice.isdecimal() and 0 < int(choice) <= len(self._buttons):
            payload["button"] = self._buttons[int(choice) - 1]["token"]
        else:
            payload["text"] = line
        with self._database.write() as session:
            row = inbox.receive(
                session,
                channel=CHANNEL,
                update_id=f"{self._chat_id}:{client_id}",
                chat_id=self._chat_id,
                payload=payload,
            )
        if row is None:
            raise RuntimeError("a fresh random id was in the inbox already")
        return row

    def new_answers(self) -> list[Message]:
        """What was said to us since we last looked."""
        with self._database.read() as session:
            newest = latest_numbers(session, channel=CHANNEL, chat_ids=[self._chat_id])
            self._seen = min(self._seen, newest.get(self._chat_id, 0))  # an erased transcript begins anew
            lines = lines_after(session, channel=CHANNEL, chat_id=self._chat_id, seq=self._seen)
        if lines:
            self._seen = lines[-1].message.seq
        return [line.message for line in lines if line.message.author != "customer"]

    def is_answered(self, row: int) -> bool:
        """Whether a row is dealt with and all its answers have left."""
        with self._database.read() as session:
            if session.get_one(inbox.InboxItem, row).state == inbox.PENDING:
                return False
            conversation = find_conversation(session, channel=CHANNEL, chat_id=self._chat_id)
            if conversation is None:
                return True
            return outbox.next_of(session, conversation_id=conversation.id, now=utcnow()) is None

    def show(self, message: Message) -> None:
        """Print an answer, its buttons numbered; the numbers stand for the latest answer's buttons."""
        # Only the bot writes rich text; what a colleague typed is text, whatever it looks like.
        click.echo(rich.to_plain(message.text) if message.author == "bot" else message.text)
        for file in message.extra.get("files", []):
            click.echo(f"  {self._folder / file['path']}")
        document = message.extra.get("document", {})
        if document.get("path"):
            click.echo(f"  {self._folder / document['path']}")
        self._buttons = message.extra.get("buttons", [])
        for number, button in enumerate(self._buttons, start=1):
            click.echo(f"  {to_persian_digits(number)}) {button['title']}")

    async def exchange(self, line: str) -> None:
        """Send a line and print what comes back until it is answered."""
        row = await asyncio.to_thread(self.send, line)
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        answered = False
        while not answered:
            answered = await asyncio.to_thread(self.is_answered, row)
            for message in await asyncio.to_thread(self.new_answers):
                self.show(message)
            if asyncio.get_running_loop().time() > deadline:
                click.secho("no answer yet; it will come with your next line", fg="yellow", err=True)
                return
            if not answered:
                await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def _product(settings: Settings, model: Path) -> AsyncIterator[None]:
    """The running product, or one of our own without a console for as long as the conversation lasts."""
    prepare(settings, needs_port=False)
    with only_supervisor(settings.data_path) as is_only:
        if not is_only:  # the product is running
            yield
            return
        roles = roles_for(settings, model, with_console=False)
        for role in roles:
            role.env.setdefault("PEYVAND_LOG_LEVEL", "WARNING")  # the conversation is what one came to see
        supervisor = Supervisor(roles, data_path=settings.data_path)
        try:
            await supervisor.start()
            yield
        finally:
            await supervisor.stop()


async def converse(settings: Settings, *, name: str, model: Path) -> None:
    """Read lines until the end of input and answer each.

    Raises:
        ConfigurationError: the product cannot be started.
    """
    interactive = sys.stdin.isatty()
    async with _product(settings, model):
        chat = TerminalChat(Database(settings.store_url), name=name, folder=settings.attachments_path)
        if interactive:
            click.echo("Write a message; a number presses a button; Ctrl-D ends.", err=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            text = line.rstrip("\n")
            if not text.strip():
                continue
            if not interactive:
                click.echo(f"> {text}")
            await chat.exchange(text)
