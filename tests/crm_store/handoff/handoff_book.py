"""What a book would have of customers and agents, compared with the store; and the relay between them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway.leaving import hold_back, verdict
from crm_store.conversations.models import STAFF_ONLY, Conversation, Message
from crm_store.errors import (
    AlreadyClaimed,
    CapReached,
    CrmError,
)
from crm_store.handoff import waiting
from crm_store.handoff.models import CLAIMED, ENDED, WAITING, Handoff
from crm_store.outbox import (
    CANCELLED,
    EDIT,
    SENT,
    OutboxItem,
    next_of,
    waiting_conversations,
)
from crm_store.staff.models import StaffMember
from tests.factories.handoff import MINUTE, NOON, a_key, rules_with

CUSTOMERS, AGENTS, CAP = 20, 5, 3
CLAIM_MINUTES, EXPIRE_MINUTES, IDLE_MINUTES = 5, 30, 60
RULES = rules_with(
    chats_per_agent=CAP,
    claim_minutes=CLAIM_MINUTES,
    expire_minutes=EXPIRE_MINUTES,
    idle_minutes=IDLE_MINUTES,
    asks_rating=False,
)
REASONS = ("asked", "anger", "danger", "not_understood")


@dataclass
class Wish:
    """A hand-over in the book."""

    id: int
    urgency: int
    requested_at: datetime
    waiting_since: datetime
    escalate_at: datetime | None
    held_since: datetime | None = None
    owner: int | None = None
    team: str = ""


@dataclass
class Chat:
    """A customer in the book.

    Attributes:
        wish: what waits or is claimed.
        ownership: how often the owner has changed.
        spoken_at: when customer or agent said something last.
        turns: ownerships under which the bot's turns were taken that it has not answered yet.
        answers: what the bot answered, and under which ownership.
        notices: what the bot told by itself.
        replies: what agents wrote, in order.
        edits: what they wrote instead.
        on_its_way: the row that the relay has taken.
        screen: what has arrived, and whether a person had the chat when it was taken.
        unnoted: what had arrived when the gateway was killed, before it was noted.
    """

    id: int
    wish: Wish | None = None
    ownership: int = 0
    spoken_at: datetime | None = None
    turns: list[int] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    on_its_way: tuple[int, bool] | None = None
    screen: list[tuple[OutboxItem, bool]] = field(default_factory=list)
    unnoted: set[int] = field(default_factory=set)

    @property
    def owner(self) -> int | None:
        """The agent who has it."""
        return self.wish.owner if self.wish else None


class OneSession:
    """A database whose units of work are all parts of one, which can be taken back as a whole."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The session, with everything written."""
        yield self._session
        self._session.flush()

    read = write


class Book:
    """What is so, in the store and on paper.

    Args:
        session: the store.
        chats: ids of the customers' conversations.
        agents: ids of members of staff.
        seed: chooses what happens.
    """

    def __init__(self, session: Session, chats: list[int], agents: list[int], seed: int) -> None:
        self.session, self.random = session, random.Random(seed)
        self.now = NOON
        self.chats = {one: Chat(one) for one in chats}
        # A few of them meet more often than by chance, or nothing much would happen to anybody.
        self.busy = self.random.sample(chats, 4)
        self.agents = {one: session.get_one(StaffMember, one) for one in agents}
        # They stay in memory, which saves reading them again and again.
        self.conversations = session.scalars(select(Conversation).where(Conversation.id.in_(chats))).all()

    # The book.

    def chat(self, wanted: Callable[[Chat], bool] = lambda _: True) -> Chat:
        """One of those who fit, if there are any; mostly one of the busy ones."""
        some = [self.chats[one] for one in self.busy] if self.random.random() < 0.7 else []
        fitting = [one for one in some if wanted(one)] or [one for one in self.chats.values() if wanted(one)]
        return self.random.choice(fitting or list(self.chats.values()))

    def agent(self) -> int:
        return self.random.choice(list(self.agents))

    def by(self, agent: int) -> dict[str, Any]:
        return {"staff": self.agents[agent], "rules": RULES, "now": self.now}

    def words(self, chat: Chat) -> str:
        """Something to say that names its customer."""
        return f"{chat.id}: {a_key()}"

    def load(self, agent: int) -> int:
        return sum(one.owner == agent for one in self.chats.values())

    def a_wish(self, handoff_id: int, urgency: int) -> Wish:
        return Wish(handoff_id, urgency, self.now, self.now, self.now + CLAIM_MINUTES * MINUTE)

    def is_for(self, wish: Wish, agent: int) -> bool:
        """Whether somebody would get it as their next one."""
        return wish.owner is None and wish.team in ("", self.agents[agent].team)

    def why_not_claim(self, chat: Chat, agent: int) -> type[CrmError] | None:
        if chat.owner is not None:
            return None if chat.owner == agent else AlreadyClaimed
        return CapReached if self.load(agent) >= CAP else None

    def expect(self, refused: type[CrmError] | None, act: Callable[[], object]) -> bool:
        """Do something that is refused for the reason given, or not at all; whether it was done."""
        if refused is not None:
            with pytest.raises(refused):
                act()
            return False
        act()
        return True

    def own(self, chat: Chat, agent: int) -> None:
        assert chat.wish is not None
        if chat.wish.owner != agent:
            chat.wish.owner, chat.wish.held_since = agent, self.now
            chat.ownership += 1
        self.compare(chat)

    def end(self, chat: Chat) -> None:
        chat.ownership += chat.owner is not None
        chat.wish = None
        self.compare(chat)

    def wait_again(self, chat: Chat) -> None:
        assert chat.wish is not None
        chat.wish.owner, chat.wish.waiting_since = None, self.now
        chat.wish.escalate_at = self.now + CLAIM_MINUTES * MINUTE
        chat.ownership += 1

    def take(self, chat: Chat) -> None:
        """What the relay does before it sends."""
        conversation = self.session.get_one(Conversation, chat.id)
        item = next_of(self.session, conversation_id=chat.id, now=self.now + MINUTE)
        if item is None:
            return
        becomes = verdict(self.session, item, conversation)
        assert becomes in ("leaves", "held_back"), becomes
        if becomes == "held_back":
            hold_back(self.session, item)
            self.session.flush()
        else:
            chat.on_its_way = (item.id, chat.owner is not None)

    def deliver(self, chat: Chat) -> None:
        """What it does once the messenger has it."""
        assert chat.on_its_way is not None
        item_id, was_human = chat.on_its_way
        item = self.session.get_one(OutboxItem, item_id)
        item.state = SENT
        chat.screen.append((item, was_human))
        chat.on_its_way = None
        self.session.flush()

    def die(self, chat: Chat) -> None:
        """The gateway is killed before it has sent a row, or before it has noted that it did."""
        if chat.on_its_way is not None and self.random.random() < 0.5:
            item_id, was_human = chat.on_its_way
            chat.screen.append((self.session.get_one(OutboxItem, item_id), was_human))
            chat.unnoted.add(item_id)
        chat.on_its_way = None

    def settle(self) -> None:
        """End everything that is open, and let everything arrive."""
        for chat in self.chats.values():
            if chat.wish is not None:
                waiting.leave(self.session, conversation_id=chat.id, now=self.now)
                self.end(chat)
            if chat.on_its_way is not None:
                self.deliver(chat)
        last = self.now + MINUTE
        while left := waiting_conversations(self.session, now=last):
            for conversation_id in left:
                chat = self.chats[conversation_id]
                self.take(chat)
                if chat.on_its_way is not None:
                    self.deliver(chat)

    # What must be so.

    def compare(self, chat: Chat) -> None:
        """The store says of a customer what the book says."""
        conversation = self.session.get_one(Conversation, chat.id)
        owner = "bot" if chat.owner is None else "human"
        assert (conversation.owner, conversation.owner_id) == (owner, chat.owner)
        assert conversation.ownership == chat.ownership
        handoff = waiting.open_of(self.session, conversation_id=chat.id)
        if chat.wish is None:
            assert handoff is None
            return
        assert handoff is not None
        state = WAITING if chat.owner is None else CLAIMED
        assert (handoff.id, handoff.state, handoff.owner_id) == (chat.wish.id, state, chat.owner)
        assert handoff.urgency == chat.wish.urgency

    def compare_all(self) -> None:
        """The store says of all of them what the book says."""
        found = self.session.execute(
            select(
                Conversation.id, Conversation.owner_id, Conversation.ownership, Handoff.id, Handoff.urgency
            )
            .outerjoin(
                Handoff, (Handoff.conversation_id == Conversation.id) & Handoff.state.in_((WAITING, CLAIMED))
            )
            .where(Conversation.id.in_(self.chats))
        )
        wishes = {one.id: one.wish for one in self.chats.values()}
        for chat_id, owner_id, ownership, handoff_id, urgency in found:
            wish, chat = wishes[chat_id], self.chats[chat_id]
            assert (owner_id, ownership) == (chat.owner, chat.ownership)
            assert (handoff_id, urgency) == ((wish.id, wish.urgency) if wish else (None, None))

    def check_all(self) -> None:
        """Nobody was talked over, nothing was lost, nothing crossed."""
        for agent in self.agents:
            assert self.load(agent) <= CAP
        self.compare_all()
        for chat in self.chats.values():
            self.check_screen(chat)
        states = self.session.scalars(select(Handoff.state).distinct()).all()
        assert set(states) <= {ENDED}

    def check_screen(self, chat: Chat) -> None:
        spoken: dict[str, list[str]] = {"bot": [], "staff": [], "desk": [], "notice": [], EDIT: []}
        seen: set[int] = set()
        for item, was_human in chat.screen:
            assert item.conversation_id == chat.id
            is_again = item.id in seen
            seen.add(item.id)
            assert not is_again or item.id in chat.unnoted, "twice without a reason"
            text = item.content.get("text") or item.content["params"].get("text", "")
            kind = "notice" if item.content.get("response") == "utter_told" else item.speaker
            kind = EDIT if item.kind == EDIT else kind
            assert not (was_human and kind in ("bot", "notice")), "the bot talked over a person"
            assert kind == "desk" or text.startswith(f"{chat.id}: "), "what was meant for another"
            if not is_again:
                spoken[kind].append(text)
        assert spoken["staff"] == chat.replies
        assert spoken["notice"] == chat.notices
        assert spoken[EDIT] == chat.edits
        if not chat.answers:
            return
        kept = [
            line.text
            for line in self.session.scalars(
                select(Message).where(Message.conversation_id == chat.id, Message.audience == STAFF_ONLY)
            )
            if line.extra.get("held_back")
        ]
        # What had arrived without a note of it, and was held back afterwards, is seen by both.
        both = [one.content["text"] for one, _ in chat.screen if one.id in chat.unnoted and one.state != SENT]
        assert sorted([*spoken["bot"], *kept]) == sorted([*chat.answers, *dict.fromkeys(both)])
        cancelled = select(OutboxItem).where(
            OutboxItem.conversation_id == chat.id, OutboxItem.state == CANCELLED
        )
        assert sorted(one.content["text"] for one in self.session.scalars(cancelled)) == sorted(kept)
