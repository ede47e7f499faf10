"""A chat with the actions: hand-built trackers, real actions, a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import base
from actions.handoff_watch import HandoffWatch
from crm_store.complaints.models import Complaint
from crm_store.conversations.service import add_attachment
from crm_store.db import Database
from crm_store.settings import BotApiSettings, Settings
from tests.factories import a_complaint, a_conversation, an_inbox_id
from tests.factories.stores import put_store

STAFF_GROUP = -100200


class Chat:
    """One customer's conversation, turn by turn, as Rasa would present it to an action.

    Attributes:
        said: the responses of the last action with their parameters, in order.
        inbox_id: the last message.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            self.conversation = a_conversation(session)
        self.slots: dict[str, Any] = {}
        self.form: str | None = None
        self.previous: list[dict[str, Any]] = []
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.buttons: list[dict[str, str]] = []
        self.inbox_id = 0

    def files(self, count: int = 1) -> list[int]:
        """Files that the gateway has kept for this conversation."""
        with self.database.write() as session:
            message = an_inbox_id(session, self.conversation)
            return [
                add_attachment(
                    session,
                    conversation_id=self.conversation.id,
                    inbox_id=message,
                    kind="photo",
                    ordinal=number,
                ).id
                for number in range(count)
            ]

    def complaint(self) -> Complaint:
        """A complaint that this customer filed before."""
        with self.database.write() as session:
            return a_complaint(session, self.conversation)

    def ran_before(self, *responses: str, text: str = "") -> None:
        """What the turn before said."""
        said = [{"event": "bot", "metadata": {"utter_action": response}} for response in responses]
        self.previous = [{"event": "user", "text": text, "message_id": str(self.new_message())}, *said]

    def new_message(self) -> int:
        """A fresh message in the inbox."""
        with self.database.write() as session:
            return an_inbox_id(session, self.conversation)

    def run(
        self, action: Action, text: str = "", *, intent: str = "", again: bool = False, **fields: Any
    ) -> set[str]:
        """Runs an action for a message and applies its slots; returns the names of the responses.

        Args:
            action: the action.
            text: what was typed.
            intent: what it was understood as.
            again: the last message once more, as after a crash.
            fields: ``entities`` (name to values, or to a value and its words in the text, followed
                by the candidates of one that is ambiguous),
                ``contact``, ``trusted``, ``ranking``, ``topics``, ``topics_of`` (intent to likeliest topic),
                ``part`` (of a message that asks for several things, which are ``parts``), ``signals``.
        """
        if not again:
            self.inbox_id = self.new_message()
        entities = [
            _entity(name, value, text)
            for name, values in fields.get("entities", {}).items()
            for value in values
        ]
        if fields.get("contact"):
            entities.append({"entity": "phone_number", "value": fields["contact"], "extractor": "contact"})
        message = {
            "text": text,
            "intent": {
                "name": intent,
                "confidence": 0.9,
                "topic_ranking": [
                    {"name": name, "confidence": score} for name, score in fields.get("topics", ())
                ],
            },
            "signals": [{"name": name} for name in fields.get("signals", ())],
            "intent_ranking": [
                {"name": name, "confidence": score, "topic": fields.get("topics_of", {}).get(name)}
                for name, score in fields.get("ranking", ())
            ],
            "entities": entities,
            "message_id": f"{self.inbox_id}#{fields['part']}" if "part" in fields else str(self.inbox_id),
            "metadata": {
                "trusted": fields.get("trusted", False),
                "correlation_id": "c",
                "parts": fields.get("parts", ()),
            },
        }
        events = [*self.previous, {"event": "user", **message}]
        tracker = Tracker(
            str(self.conversation.id), self.slots, message, events, False, None, {"name": self.form}, None
        )
        dispatcher = CollectingDispatcher()
        self.events = asyncio.run(action.run(dispatcher, tracker, {}))
        for event in self.events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
        self.said = [(message["response"], message) for message in dispatcher.messages]
        self.buttons = [button for message in dispatcher.messages for button in message["buttons"]]
        return {response for response, _ in self.said}

    def told(self, response: str) -> dict[str, Any]:
        """The parameters with which a response was said."""
        return next(params for said, params in self.said if said == response)


def _entity(name: str, value: Any, text: str) -> dict[str, Any]:
    if not isinstance(value, tuple):
        return {"entity": name, "value": value}
    value, written, *candidates = value
    start = text.index(written)
    entity = {"entity": name, "value": value, "start": start, "end": start + len(written)}
    return {**entity, "candidates": candidates} if value is None else entity


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a staff group."""
    telegram = BotApiSettings(token="1:a", base_url="http://127.0.0.1:1", staff_group_id=STAFF_GROUP)
    return Settings(data_dir=str(tmp_path), telegram=telegram)


@pytest.fixture
def store(settings: Settings) -> Iterator[Database]:
    """The store of the actions."""
    put_store(Path(settings.data_dir) / "peyvand.db")
    database = base.configure(settings).database
    base.watch_with(HandoffWatch())
    yield database
    database.dispose()


@pytest.fixture
def chat(store: Database) -> Chat:
    """A customer's chat."""
    return Chat(store)


@pytest.fixture
def stranger(store: Database) -> Chat:
    """Another customer's chat."""
    return Chat(store)
