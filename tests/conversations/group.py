"""The staff's group in a scripted conversation: a topic for each customer, in which colleagues write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import find_conversation
from crm_store.db import Database
from crm_store.handoff import waiting
from crm_store.handoff.models import StaffTopic
from crm_store.handoff.presence import OFFLINE, set_presence
from crm_store.staff.models import StaffMember
from tests.conversations.expecting import ALERT, bare
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_model import SentMessage, User

GROUP = -1009876543210
CHANNEL = "telegram"
#: How often it is looked, ten times a second, whether somebody was told something in an alert.
_ALERT_TRIES = 200
#: In a handed-over chat: points of time that go back when time passes.
_TIMES = ("requested_at", "waiting_since", "escalate_at", "offered_at", "claimed_at", "first_reply_at")


class Topic:
    """The topic of a customer in the group.

    Args:
        fake: Telegram.
        database: the product's store, which knows the topic.
        chat_id: the customer's chat.

    Attributes:
        heard: how many of the bot's messages in it a turn has looked at.
    """

    def __init__(self, fake: FakeBotApi, database: Database, chat_id: str) -> None:
        self._fake = fake
        self._database = database
        self._chat_id = chat_id
        self._said: dict[str, int] = {}
        #: Buttons that were pressed, by their titles, with what they stood below.
        self._pressed: dict[str, tuple[SentMessage, str]] = {}
        self.heard = 0

    @property
    def thread_id(self) -> int | None:
        """Telegram's number of the topic; None where there is none."""
        with self._database.read() as session:
            chat = find_conversation(session, channel=CHANNEL, chat_id=self._chat_id)
            if chat is None:
                return None
            return session.scalar(select(StaffTopic.thread_id).where(StaffTopic.conversation_id == chat.id))

    def messages(self) -> list[SentMessage]:
        """What the bot wrote in it, as it stands now."""
        thread_id = self.thread_id
        return self._fake.topic_messages(GROUP, thread_id) if thread_id is not None else []

    def delete(self) -> None:
        """Delete it in the messenger; the bot is not told."""
        assert self.thread_id is not None, "there is no topic"
        self._fake.delete_topic(GROUP, self.thread_id)
        self.heard = 0

    def deed_of(self, user: User) -> Callable[[Mapping[str, Any], str], Any]:
        """What somebody does in it, as `acting.Actor.act`."""

        async def act(turn: Mapping[str, Any], text: str) -> list[int]:
            return [await self._act(user, turn, text)]

        return act

    async def _act(self, user: User, turn: Mapping[str, Any], text: str) -> int:
        fake, thread = self._fake, self.thread_id
        assert thread is not None, "there is no topic"
        if "press" in turn:
            return await self._press(user, turn["press"], alert=turn.get(ALERT, ""))
        if "photo" in turn:
            return await fake.group_photo(GROUP, user, caption=text, thread=thread)
        if "voice" in turn:
            return await fake.group_voice(GROUP, user, thread=thread)
        if "edit" in turn:
            return await fake.edit_group_text(GROUP, self._said[turn["edit"]], text)
        update = await fake.group_message(GROUP, user, text, thread=thread)
        self._said[turn["user"]] = fake.message_id_of(update)
        return update

    async def _press(self, user: User, title: str, *, alert: str) -> int:
        """Press the latest button that says so; one that is gone still stands on a screen that is behind.

        Args:
            alert: what whoever presses is told in an alert; empty for whatever it is.
        """
        shown = [(one, b.data) for one in self.messages() for b in one.buttons if title in b.title]
        assert shown or title in self._pressed, f"no button with {title!r} in the topic"
        self._pressed[title] = shown[-1] if shown else self._pressed[title]
        update = await self._fake.press_data(user, *self._pressed[title])
        callback = [*self._fake.state.callbacks.values()][-1]
        for _ in range(_ALERT_TRIES if alert else 0):
            if callback.answered:
                break
            await asyncio.sleep(0.1)
        told = bare(callback.answer_text)
        assert alert in told, f"told {told!r}, not {alert!r}"
        return update


def be(database: Database, staff_id: int, presence: str) -> None:
    """Say that somebody is there or not, as with the button of the console."""
    with database.write() as session:
        set_presence(session, staff=session.get_one(StaffMember, staff_id), presence=presence)


def let_wait(database: Database, chat_id: str, minutes: int) -> None:
    """As if the open hand-over of a chat had stood so much longer."""
    with database.write() as session:
        chat = find_conversation(session, channel=CHANNEL, chat_id=chat_id)
        handoff = waiting.open_of(session, conversation_id=chat.id) if chat else None
        assert handoff is not None, "nothing is handed over"
        for name in _TIMES:
            moment = getattr(handoff, name)
            if moment is not None:
                setattr(handoff, name, moment - timedelta(minutes=minutes))


def leave_the_desk(database: Database, staff_ids: list[int], chat_ids: list[str]) -> None:
    """Nobody of a script that is over stands in the way of the next one."""
    with database.write() as session:
        chats = select(Conversation.id).where(
            Conversation.channel == CHANNEL, Conversation.chat_id.in_(chat_ids)
        )
        for conversation_id in session.scalars(chats).all():
            waiting.leave(session, conversation_id=conversation_id)
        for staff_id in staff_ids:
            member = session.get_one(StaffMember, staff_id)
            member.presence, member.presence_at = OFFLINE, utcnow()
