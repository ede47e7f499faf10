"""Customers and agents as a book would have them, beside the store: who has whom, and what each may see.

`Desk` does everything twice, in the store and in the book, and compares: what is refused, who owns what,
whose turn it is. What customers saw is kept as the relay would bring it, in two steps: a row is taken,
checked at that moment, and arrives later, whatever has happened in between.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation, Message
from crm_store.errors import (
    CapReached,
    CrmError,
    Forbidden,
    InvalidInput,
    InvalidTransition,
)
from crm_store.handoff import claiming, replying, waiting
from crm_store.handoff.jobs import RISES_BY, look_after
from crm_store.handoff.models import CLAIMED, WAITING, Handoff
from crm_store.outbox import (
    OutboxItem,
    enqueue_message,
    enqueue_notice,
)
from tests.crm_store.handoff.handoff_book import (
    CAP,
    CLAIM_MINUTES,
    EXPIRE_MINUTES,
    IDLE_MINUTES,
    REASONS,
    RULES,
    Book,
    OneSession,
)
from tests.factories.handoff import MINUTE, NOON, a_key, says


class Desk(Book):
    """One interleaving, with the arguments of a `Book`."""

    def __init__(self, session: Session, chats: list[int], agents: list[int], seed: int) -> None:
        super().__init__(session, chats, agents, seed)
        self.acts: list[tuple[Callable[[], None], int]] = [
            (self.customer_writes, 12),
            (self.bot_answers, 12),
            (self.bot_tells, 6),
            (self.customer_wishes, 8),
            (self.customer_leaves, 3),
            (self.agent_claims, 10),
            (self.agent_takes_next, 4),
            (self.agent_takes_over, 4),
            (self.agent_replies, 18),
            (self.agent_whispers, 2),
            (self.agent_edits, 3),
            (self.agent_releases, 8),
            (self.agent_transfers, 5),
            (self.relay_takes, 20),
            (self.relay_delivers, 20),
            (self.gateway_dies, 2),
            (self.time_passes, 6),
        ]

    def run(self, steps: int) -> None:
        """Let so many things happen, and bring everything to an end."""
        acts, weights = zip(*self.acts, strict=True)
        for act in self.random.choices(acts, weights, k=steps):
            self.now += timedelta(seconds=1)
            act()
        self.settle()
        self.check_all()

    # What customers, the bot, agents and the relay do.

    def customer_writes(self) -> None:
        chat = self.chat()
        says(self.session, chat.id, self.words(chat), now=self.now)
        chat.spoken_at = self.now
        if chat.owner is None:
            chat.turns.append(chat.ownership)

    def bot_answers(self) -> None:
        chat = self.chat(lambda one: bool(one.turns))
        if not chat.turns:
            return
        ownership, text = chat.turns.pop(0), self.words(chat)
        conversation = self.session.get_one(Conversation, chat.id)
        line = self.session.scalar(
            select(Message.inbox_id)
            .where(Message.conversation_id == conversation.id, Message.inbox_id.is_not(None))
            .limit(1)
        )
        enqueue_message(
            self.session,
            conversation_id=chat.id,
            content={"text": text},
            inbox_id=line,
            ownership=ownership,
            due_at=self.now,
        )
        self.session.flush()
        chat.answers[text] = ownership

    def bot_tells(self) -> None:
        chat = self.chat()
        text = self.words(chat)
        enqueue_notice(
            self.session,
            conversation_id=chat.id,
            response="utter_told",
            params={"text": text},
            idempotency_key=text,
            due_at=self.now,
        )
        self.session.flush()
        chat.notices.append(text)

    def customer_wishes(self) -> None:
        chat = self.chat()
        reason = self.random.choice(REASONS)
        handoff = waiting.request(
            self.session, conversation_id=chat.id, reason=reason, rules=RULES, now=self.now
        )
        urgency = waiting.URGENCY[reason]
        if chat.wish is None:
            chat.wish = self.a_wish(handoff.id, urgency)
        elif chat.wish.owner is None:
            chat.wish.urgency = max(chat.wish.urgency, urgency)
        self.compare(chat)

    def customer_leaves(self) -> None:
        chat = self.chat(lambda one: one.wish is not None)
        left = waiting.leave(self.session, conversation_id=chat.id, now=self.now)
        assert (left is None) == (chat.wish is None)
        self.end(chat)

    def agent_claims(self) -> None:
        chat, agent = self.chat(lambda one: one.wish is not None), self.agent()
        if chat.wish is None:
            return
        handoff_id = chat.wish.id
        claim = lambda: claiming.claim(self.session, handoff_id=handoff_id, **self.by(agent))  # noqa: E731
        if self.expect(self.why_not_claim(chat, agent), claim):
            self.own(chat, agent)

    def agent_takes_next(self) -> None:
        agent = self.agent()
        queue = sorted(
            (one for one in self.chats.values() if one.wish and self.is_for(one.wish, agent)),
            key=lambda one: (-one.wish.urgency, one.wish.requested_at, one.wish.id),  # type: ignore[union-attr]
        )
        refused = CapReached if self.load(agent) >= CAP else None
        taken: list[Handoff | None] = []
        if self.expect(refused, lambda: taken.append(claiming.next_for(self.session, **self.by(agent)))):
            [found] = taken
            assert (found.conversation_id if found else None) == (queue[0].id if queue else None)
            if queue:
                self.own(queue[0], agent)

    def agent_takes_over(self) -> None:
        chat, agent = self.chat(), self.agent()
        refused = self.why_not_claim(chat, agent)
        if refused is CapReached:
            return  # the wish would stand there without anybody
        taken: list[Handoff] = []
        take = lambda: taken.append(  # noqa: E731
            claiming.take_over(self.session, conversation_id=chat.id, **self.by(agent))
        )
        if self.expect(refused, take):
            if chat.wish is None:
                chat.wish = self.a_wish(taken[0].id, 0)
            self.own(chat, agent)

    def agent_replies(self) -> None:
        # Mostly to somebody whom an agent has; now and then to somebody else's customer.
        chat = self.chat(lambda one: one.owner is not None)
        agent = chat.owner if chat.owner and self.random.random() < 0.8 else self.agent()
        if chat.wish is None:
            return
        text, wish, keys = self.words(chat), chat.wish, a_key()
        made: list[OutboxItem] = []
        write = lambda: made.append(  # noqa: E731
            replying.reply(
                self.session,
                handoff_id=wish.id,
                staff=self.agents[agent],
                text=text,
                key=keys,
                now=self.now,
            )
        )
        refused = InvalidTransition if wish.owner is None else Forbidden if wish.owner != agent else None
        if self.expect(refused, write):
            write()  # the same once more is no second one
            assert made[0] is made[1]
            chat.replies.append(text)
            chat.lines.append((made[0].content["message_id"], agent))
            chat.spoken_at = self.now

    def agent_whispers(self) -> None:
        chat = self.chat()
        replying.whisper(
            self.session,
            conversation_id=chat.id,
            staff=self.agents[self.agent()],
            text=f"whisper {self.words(chat)}",
            key=a_key(),
            now=self.now,
        )

    def agent_edits(self) -> None:
        chat = self.chat(lambda one: bool(one.lines) and one.owner is not None)
        if not chat.lines:
            return
        line, author = self.random.choice(chat.lines)
        agent = author if self.random.random() < 0.7 else self.agent()
        source = self.session.get_one(Message, line)
        handoff = self.session.get_one(
            Handoff, self.session.get_one(OutboxItem, source.outbox_id or 0).handoff_id or 0
        )
        refused: type[CrmError] | None = None
        if agent != author or (handoff.state != WAITING and handoff.owner_id != agent):
            refused = Forbidden
        elif handoff.state != CLAIMED:
            refused = InvalidTransition
        text = self.words(chat)
        change = lambda: replying.edit(  # noqa: E731
            self.session, message_id=line, staff=self.agents[agent], text=text, now=self.now
        )
        if self.expect(refused, change):
            chat.edits.append(text)

    def agent_releases(self) -> None:
        chat = self.chat(lambda one: one.owner is not None)
        agent = chat.owner if chat.owner and self.random.random() < 0.8 else self.agent()
        if chat.wish is None:
            return
        refused = Forbidden if chat.wish.owner != agent else None
        wish = chat.wish
        if self.expect(refused, lambda: claiming.release(self.session, handoff_id=wish.id, **self.by(agent))):
            self.end(chat)

    def agent_transfers(self) -> None:
        chat = self.chat(lambda one: one.owner is not None)
        if chat.owner is None or chat.wish is None:
            return
        agent, wish = chat.owner, chat.wish
        to: dict[str, Any] = {"to_team": "sales"} if self.random.random() < 0.3 else {}
        to = to or {"to_staff_id": self.agent()}
        colleague = to.get("to_staff_id")
        refused = InvalidInput if colleague == agent else None
        pass_on = lambda: claiming.transfer(  # noqa: E731
            self.session, handoff_id=wish.id, **self.by(agent), **to
        )
        if not self.expect(refused, pass_on):
            return
        if colleague is not None and self.load(colleague) < CAP:
            wish.owner, wish.held_since, chat.ownership = colleague, self.now, chat.ownership + 1
        else:
            self.wait_again(chat)
            wish.team = to.get("to_team") or wish.team
        self.compare(chat)

    def relay_takes(self) -> None:
        chat = self.chat(lambda one: one.on_its_way is None)
        if chat.on_its_way is None:
            self.take(chat)

    def relay_delivers(self) -> None:
        chat = self.chat(lambda one: one.on_its_way is not None)
        if chat.on_its_way is not None:
            self.deliver(chat)

    def gateway_dies(self) -> None:
        for chat in self.chats.values():
            self.die(chat)

    def time_passes(self) -> None:
        self.now += self.random.choice([1, 2, 5, 5, 10, 40]) * MINUTE
        look_after(OneSession(self.session), rules=RULES, now=self.now)  # type: ignore[arg-type]
        for chat in self.chats.values():
            wish = chat.wish
            if wish is None:
                continue
            if wish.owner is not None:
                spoken = chat.spoken_at or NOON
                idle = IDLE_MINUTES * MINUTE
                if wish.held_since and wish.held_since <= self.now - idle and spoken <= self.now - idle:
                    self.end(chat)
            elif wish.waiting_since <= self.now - EXPIRE_MINUTES * MINUTE:
                self.end(chat)
            elif wish.escalate_at and wish.escalate_at <= self.now:
                wish.urgency += RISES_BY
                wish.escalate_at = self.now + CLAIM_MINUTES * MINUTE
        self.compare_all()
