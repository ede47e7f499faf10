"""Plays a scripted conversation through the fake Bot API and compares what the store holds afterwards.

A script has a name, turns and what the store holds at the end. A turn does one thing (`acting.DEEDS`), or
something happens: ``restart`` kills a role, ``lose_session`` takes the dialogue's memory of the chat away.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from crm_store import outbox
from crm_store.base import utcnow
from crm_store.conversations.queries import waits_for_answer
from crm_store.conversations.service import find_conversation
from crm_store.db import Database
from crm_store.persian import new_tracking_code
from tests.conversations.acting import DEEDS, OWN_PHONE, Actor, text_of
from tests.conversations.held import expected_of, held_of, without_words
from tests.conversations.matcher import ResponseMatcher
from tests.conversations.record import Record
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_model import SentMessage
from tests.fakes.thread_runner import ThreadRunner

CHANNEL = "telegram"
ANSWER_SECONDS = 90.0
#: Told when an answer is late, as after a restart; it stands beside the answer itself.
LATE = "utter_trouble"
FILED = "utter_complaint_filed"

SCRIPT_KEYS = {"name", "turns", "store", "messy", "has_everything"}
EXPECTATIONS = {
    "expect_response",
    "expect_any",
    "expect_all",
    "expect_none",
    "expect_buttons_contain",
    "expect_text_contains",
    "expect_text_lacks",
}
TURN_KEYS = {"chat", "caption", "to", "restart", "lose_session", *DEEDS, *EXPECTATIONS}


class ScriptPlayer:
    """Plays one script with customers of its own.

    Args:
        telegram: the fake that the product polls.
        product: the running product.
        first_user_id: the script's customers get ids from here on.
    """

    def __init__(self, telegram: ThreadRunner[FakeBotApi], product: Product, *, first_user_id: int) -> None:
        self._telegram = telegram
        self._product = product
        self._database: Database = product.database()
        self._matcher = ResponseMatcher()
        self._next_id = first_user_id
        self._actors: dict[str, Actor] = {}

    def play(self, script: Mapping[str, Any]) -> Record:
        """Play every turn and check the store at the end.

        Raises:
            AssertionError: naming the turn, what was expected and what came.
        """
        record = Record(
            script["name"],
            is_messy=script.get("messy", False),
            has_everything=script.get("has_everything", False),
        )
        turns_since: dict[str, int] = {}
        for number, turn in enumerate(script["turns"], start=1):
            if not set(turn) & set(DEEDS):
                self._let_happen(turn)
                continue
            answers = self._take_turn(turn)
            names = [self._matcher.names(answer.plain) for answer in answers]
            _check_answers(turn, answers, names, where=f"{script['name']!r}, turn {number}")
            chat = turn.get("chat", "a")
            record.turns += 1
            turns_since[chat] = turns_since.get(chat, 0) + 1
            for responses in names:
                record.note_asked(responses)
            if any(FILED in responses for responses in names):
                record.turns_to_file.append(turns_since.pop(chat))
        self._check_store(script.get("store", {}), record)
        return record

    def _actor(self, turn: Mapping[str, Any]) -> Actor:
        chat = turn.get("chat", "a")
        if chat not in self._actors:
            fake = self._telegram.fake
            phone = OWN_PHONE.format(self._next_id)
            user = fake.user(self._next_id, f"مشتری {chat}", phone_number=phone)
            self._actors[chat] = Actor(fake, user)
            self._next_id += 1
        return self._actors[chat]

    def _let_happen(self, turn: Mapping[str, Any]) -> None:
        if "restart" in turn:
            self._product.kill(turn["restart"])
        if "lose_session" in turn:
            self._product.lose_session(channel=CHANNEL, chat_id=str(self._actor(turn).user.id))

    def _take_turn(self, turn: Mapping[str, Any]) -> list[SentMessage]:
        """Do what the turn says and wait until all of it is answered."""
        actor = self._actor(turn)
        before = len(actor.messages())
        updates = self._telegram.run(actor.act(turn, self._filled(text_of(turn))))
        wait = self._telegram.fake.wait_until(
            lambda: self._is_answered(actor, updates), ANSWER_SECONDS, what=f"the answer to {turn}"
        )
        self._telegram.run(wait, timeout=ANSWER_SECONDS + 10)
        return actor.messages()[before:]

    def _is_answered(self, actor: Actor, updates: list[int]) -> bool:
        if set(updates) & set(self._telegram.fake.pending_updates()):
            return False
        chat_id = str(actor.user.id)
        with self._database.read() as session:
            if waits_for_answer(session, channel=CHANNEL, chat_id=chat_id):
                return False
            conversation = find_conversation(session, channel=CHANNEL, chat_id=chat_id)
            return (
                conversation is None
                or outbox.next_of(session, conversation_id=conversation.id, now=utcnow()) is None
            )

    def _filled(self, text: str) -> str:
        """Put codes of filed complaints and people's own numbers into what is written."""
        with self._database.read() as session:
            for chat, actor in self._actors.items():
                placeholder = f"{{code:{chat}}}"
                if placeholder in text:
                    held = held_of(session, channel=CHANNEL, chat_id=str(actor.user.id))
                    text = text.replace(placeholder, held.complaints[-1].code)
        return text.replace("{code:missing}", new_tracking_code())

    def _check_store(self, expected: Mapping[str, Any], record: Record) -> None:
        for chat, actor in self._actors.items():
            with self._database.read() as session:
                held = held_of(session, channel=CHANNEL, chat_id=str(actor.user.id))
            record.held.append(held)
            where = f"{record.name!r}, the store about chat {chat}"
            wanted = expected_of(expected, chat=chat, own_phone=actor.user.phone_number)
            assert without_words(held) == wanted, where
            stories = [entry for entry in expected.get("complaints", []) if entry.get("chat", "a") == chat]
            for complaint, story in zip(held.complaints, stories, strict=True):
                for part in _listed(story.get("description_contains")):
                    assert part in complaint.description, where
                for part in _listed(story.get("description_lacks")):
                    assert part not in complaint.description, where


def _check_answers(
    turn: Mapping[str, Any], answers: list[SentMessage], names: list[set[str]], *, where: str
) -> None:
    got = set().union(*names) - {LATE}
    texts = [answer.plain for answer in answers]
    titles = [button.title for answer in answers for button in answer.buttons]
    expected = {*_listed(turn.get("expect_response")), *_listed(turn.get("expect_all"))}
    assert expected <= got, f"{where}: expected {expected - got}, got {texts}"
    if "expect_any" in turn:
        assert got & set(turn["expect_any"]), f"{where}: expected one of {turn['expect_any']}, got {texts}"
    surprising = got & set(_listed(turn.get("expect_none")))
    assert not surprising, f"{where}: {surprising} came: {texts}"
    for part in _listed(turn.get("expect_buttons_contain")):
        assert any(part in title for title in titles), f"{where}: no button with {part} among {titles}"
    for part in _listed(turn.get("expect_text_contains")):
        assert any(part in text for text in texts), f"{where}: {part} is not said in {texts}"
    for part in _listed(turn.get("expect_text_lacks")):
        assert not any(part in text for text in texts), f"{where}: {part} is said in {texts}"
    assert answers or not turn.keys() & EXPECTATIONS, f"{where}: nothing was answered"


def _listed(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def load_scripts() -> list[Path]:
    """The scripts, in order of their names."""
    return sorted((Path(__file__).parent / "scripts").glob("*.yml"))


def read_script(file: Path) -> dict[str, Any]:
    """A script's content.

    Raises:
        ValueError: it says something that nobody looks at.
    """
    script: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    unknown = set(script) - SCRIPT_KEYS | {key for turn in script["turns"] for key in turn} - TURN_KEYS
    if unknown:
        raise ValueError(f"{file.name}: unknown: {', '.join(sorted(unknown))}")
    return script


class Stage:
    """Plays scripts, each once, and remembers what was measured.

    Args:
        telegram: the fake that the product polls.
        product: the running product.
    """

    def __init__(self, telegram: ThreadRunner[FakeBotApi], product: Product) -> None:
        self._telegram = telegram
        self._product = product
        self._records: dict[Path, Record] = {}

    def record(self, file: Path) -> Record:
        """What was measured about a script, which is played if it was not yet."""
        if file not in self._records:
            first_user_id = 700_000 + 100 * load_scripts().index(file)
            player = ScriptPlayer(self._telegram, self._product, first_user_id=first_user_id)
            self._records[file] = player.play(read_script(file))
        return self._records[file]
