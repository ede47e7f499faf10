"""A customer of the terminal channel, who can say, press and send whatever a test comes up with."""

from __future__ import annotations

import itertools
import time

from sqlalchemy import select

from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations.models import Button, Message
from crm_store.conversations.queries import latest_numbers, lines_after
from crm_store.conversations.service import find_conversation
from crm_store.db import Database
from crm_store.persian import rich
from crm_store.privacy.files import chat_folder
from tests.conversations.matcher import ResponseMatcher
from tests.e2e.product import Product, eventually

CHANNEL = "terminal"
ANSWER_SECONDS = 60.0
_PHOTO = b"\xff\xd8\xff\xe0fake jpeg\xff\xd9"
_MATCHER = ResponseMatcher()


class TerminalCustomer:
    """One chat of the terminal channel.

    Args:
        product: the running product.
        database: its store.
        name: the chat's id.

    Attributes:
        heard: names of the responses that the last message may have been made from.
        buttons: payloads of the buttons below the last message, by their titles.
        transcript: what was said by both, for reading when a test fails.
    """

    def __init__(self, product: Product, database: Database, *, name: str) -> None:
        self._product = product
        self._database = database
        self.name = name
        self.heard: set[str] = set()
        self.buttons: dict[str, str] = {}
        self.transcript: list[str] = []
        self._tokens: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._seen = 0

    def say(self, text: str) -> None:
        """Write something and wait for the answer."""
        self._send(text, text=text)

    def press(self, title: str) -> None:
        """Press a button below the last message."""
        self._send(f"[{title}]", button=self._tokens[title])

    def send_photo(self) -> None:
        """Send a photo without a word."""
        folder = chat_folder(CHANNEL, self.name)
        place = self._product.folder / "attachments" / folder / f"{next(self._numbers)}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_PHOTO)
        kept = {"kind": "photo", "mime_type": "image/jpeg", "size": len(_PHOTO), "file_name": ""}
        self._send("[photo]", attachments=[kept | {"path": f"{folder}/{place.name}"}])

    def lose_session(self) -> None:
        """Let the dialogue forget this chat, as when its session is over."""
        self.transcript.append("  (the session is lost)")
        self._product.lose_session(channel=CHANNEL, chat_id=self.name)

    def _send(self, shown: str, **payload: object) -> None:
        client_id = str(next(self._numbers))
        with self._database.write() as session:
            row = inbox.receive(
                session,
                channel=CHANNEL,
                update_id=f"{self.name}:{client_id}",
                chat_id=self.name,
                payload={"client_id": client_id, "display_name": self.name, **payload},
            )
        assert row is not None
        eventually(lambda: self._is_answered(row), within=ANSWER_SECONDS, what=f"the answer to {shown}")
        self.transcript.append(f"> {shown}")
        self._listen()

    def _is_answered(self, row: int) -> bool:
        with self._database.read() as session:
            if session.get_one(inbox.InboxItem, row).state == inbox.PENDING:
                return False
            conversation = find_conversation(session, channel=CHANNEL, chat_id=self.name)
            assert conversation is not None
            return outbox.next_of(session, conversation_id=conversation.id, now=utcnow()) is None

    def _listen(self) -> None:
        """Take in what was answered; the last message and its buttons are what comes next is about."""
        with self._database.read() as session:
            lines = lines_after(session, channel=CHANNEL, chat_id=self.name, seq=self._seen)
            self._seen = latest_numbers(session, channel=CHANNEL, chat_ids=[self.name])[self.name]
            answers = [line.message for line in lines if line.message.author == "bot"]
            assert answers, f"nothing was answered:\n{self.log()}"
            shown = answers[-1].extra.get("buttons", [])
            self._tokens = {button["title"]: button["token"] for button in shown}
            payloads = dict(
                session.execute(
                    select(Button.token, Button.payload).where(Button.token.in_(self._tokens.values()))
                )
                .tuples()
                .all()
            )
            self.buttons = {title: payloads[token] for title, token in self._tokens.items()}
        self.transcript += [f"  < {_plain(answer)}" for answer in answers]
        self.heard = _MATCHER.names(rich.to_plain(answers[-1].text))

    def log(self) -> str:
        """The conversation so far."""
        return "\n".join(self.transcript)


def _plain(answer: Message) -> str:
    titles = [button["title"] for button in answer.extra.get("buttons", [])]
    return f"{' / '.join(rich.to_plain(answer.text).split())} {titles or ''}".replace(" / ", " ")


def unique_name(prefix: str) -> str:
    """A chat's name that no other test run of this store has used."""
    return f"{prefix}-{time.time_ns()}"
