"""Plays a scripted conversation through the fake Bot API and compares what the store holds afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.db import Database
from crm_store.drafts import OPEN, Draft
from crm_store.handoff.models import CallbackRequest
from crm_store.persian import new_tracking_code
from tests.conversations.matcher import ResponseMatcher
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_model import SentMessage, User
from tests.fakes.thread_runner import ThreadRunner

ANSWER_SECONDS = 30.0


class ScriptPlayer:
    """Plays one script with customers of its own.

    Args:
        telegram: the fake that the product polls.
        database: the product's store.
        first_user_id: the script's customers get ids from here on.
    """

    def __init__(self, telegram: ThreadRunner[FakeBotApi], database: Database, *, first_user_id: int) -> None:
        self._telegram = telegram
        self._database = database
        self._matcher = ResponseMatcher()
        self._next_id = first_user_id
        self._users: dict[str, User] = {}

    def play(self, script: Mapping[str, Any]) -> None:
        """Play every turn and check the store at the end.

        Raises:
            AssertionError: naming the turn, what was expected and what came.
        """
        for number, turn in enumerate(script["turns"], start=1):
            answers = self._take_turn(turn)
            self._check_answers(turn, answers, where=f"{script['name']!r}, turn {number}")
        with self._database.read() as session:
            self._check_store(session, script.get("store", {}))

    def _user(self, turn: Mapping[str, Any]) -> User:
        chat = turn.get("chat", "a")
        if chat not in self._users:
            self._users[chat] = self._telegram.fake.user(self._next_id, f"مشتری {chat}")
            self._next_id += 1
        return self._users[chat]

    def _take_turn(self, turn: Mapping[str, Any]) -> list[SentMessage]:
        fake, user = self._telegram.fake, self._user(turn)
        before = len(fake.messages(user.id))
        if "press" in turn:
            message = next(
                message
                for message in reversed(fake.messages(user.id))
                if any(turn["press"] in button.title for button in message.buttons)
            )
            self._telegram.run(fake.press(user, message, turn["press"]))
        else:
            self._telegram.run(fake.send_text(user, self._filled(turn["user"])))
        expected = len(turn.get("expect_all", [])) or 1
        return self._telegram.run(fake.wait_for_messages(user.id, before + expected, ANSWER_SECONDS))[before:]

    def _check_answers(self, turn: Mapping[str, Any], answers: list[SentMessage], *, where: str) -> None:
        got = set().union(*(self._matcher.names(answer.plain) for answer in answers))
        texts = [answer.plain for answer in answers]
        if "expect_response" in turn:
            assert turn["expect_response"] in got, f"{where}: expected {turn['expect_response']}, got {texts}"
        if "expect_any" in turn:
            assert got & set(turn["expect_any"]), (
                f"{where}: expected one of {turn['expect_any']}, got {texts}"
            )
        for name in turn.get("expect_all", []):
            assert name in got, f"{where}: expected {name} among the answers, got {texts}"

    def _filled(self, text: str) -> str:
        with self._database.read() as session:
            for chat, user in self._users.items():
                placeholder = f"{{code:{chat}}}"
                if placeholder in text:
                    text = text.replace(placeholder, _complaints_of(session, user)[-1].code)
        return text.replace("{code:missing}", new_tracking_code())

    def _check_store(self, session: Session, expected: Mapping[str, Any]) -> None:
        for chat, user in self._users.items():
            wanted = [c for c in expected.get("complaints", []) if c.get("chat", "a") == chat]
            filed = _complaints_of(session, user)
            assert [c.category for c in filed] == [c["category"] for c in wanted]
            for complaint, want in zip(filed, wanted, strict=True):
                assert want.get("description_contains", "") in complaint.description
                if "description_lacks" in want:
                    assert want["description_lacks"] not in complaint.description
        ids = [str(user.id) for user in self._users.values()]
        drafts = select(func.count()).select_from(Draft).join(Conversation).where(Draft.state == OPEN)
        assert session.scalar(drafts.where(Conversation.chat_id.in_(ids))) == expected.get("open_drafts", 0)
        calls = select(func.count()).select_from(CallbackRequest).join(Conversation)
        assert session.scalar(calls.where(Conversation.chat_id.in_(ids))) == expected.get(
            "callback_requests", 0
        )


def _complaints_of(session: Session, user: User) -> list[Complaint]:
    query = select(Complaint).join(ChannelIdentity, ChannelIdentity.customer_id == Complaint.customer_id)
    return list(
        session.scalars(query.where(ChannelIdentity.external_id == str(user.id)).order_by(Complaint.id))
    )


def load_scripts() -> list[Path]:
    """The scripts, in order of their names."""
    return sorted((Path(__file__).parent / "scripts").glob("*.yml"))


def read_script(file: Path) -> dict[str, Any]:
    """A script's content."""
    script: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return script
