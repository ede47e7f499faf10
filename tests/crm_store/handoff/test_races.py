"""Whatever several people do at the same moment is as if one had done it after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.gateway.leaving import verdict
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation, Message
from crm_store.db import Database
from crm_store.errors import AlreadyClaimed, CapReached, CrmError, Forbidden, InvalidTransition
from crm_store.handoff import claiming, releasing, replying, waiting
from crm_store.handoff.jobs import look_after
from crm_store.handoff.models import CLAIMED, ENDED, OPEN_STATES, WAITING, Handoff
from crm_store.handoff.presence import loads
from crm_store.outbox import OutboxItem, enqueue_message
from crm_store.staff.models import StaffMember
from tests.factories import a_conversation, an_inbox_id
from tests.factories.handoff import DESK, MINUTE, NOON, a_key, a_wish, an_agent, rules_with, says, sent_to

Act = Callable[[Any], Any]
ATTEMPTS = range(3)


def together(database: Database, acts: Sequence[Act]) -> list[Any]:
    """Do things at the same moment, each in a unit of work of its own; results and refusals, in order.

    A refusal is committed, as its audit entry is.
    """
    begin = Barrier(len(acts))

    def do(act: Act) -> Any:
        begin.wait()
        with database.write() as session:
            try:
                return act(session)
            except CrmError as refusal:
                return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def by(agent: StaffMember, **more: Any) -> dict[str, Any]:
    """Somebody acts, by the usual rules."""
    return {"staff": agent, "rules": DESK, "now": NOON, **more}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_of_five_who_claim_one_gets_it_and_the_others_hear_who(database: Database, attempt: int) -> None:
    with database.write() as session:
        agents = [an_agent(session, name=f"همکار {number}") for number in range(5)]
        wish = a_wish(session)
    results = together(
        database,
        [
            lambda session, agent=agent: claiming.claim(session, handoff_id=wish.id, **by(agent))
            for agent in agents
        ],
    )
    [owner] = [agent for agent, result in zip(agents, results, strict=True) if isinstance(result, Handoff)]
    refused = [result for result in results if isinstance(result, AlreadyClaimed)]
    assert [(one.owner_id, one.owner_name) for one in refused] == [(owner.id, owner.name)] * 4
    with database.read() as session:
        conversation = session.get_one(Conversation, wish.conversation_id)
        assert (conversation.owner_id, conversation.ownership) == (owner.id, 1)
        assert len(sent_to(session, conversation.id)) == 1


def test_nobody_gets_more_than_they_may_by_being_quick(database: Database) -> None:
    with database.write() as session:
        agent = an_agent(session, max_chats=1)
        wishes = [a_wish(session) for _ in range(4)]
    results = together(
        database,
        [
            lambda session, wish=wish: claiming.claim(session, handoff_id=wish.id, **by(agent))
            for wish in wishes
        ],
    )
    assert sum(isinstance(one, Handoff) for one in results) == 1
    assert sum(isinstance(one, CapReached) for one in results) == 3
    with database.read() as session:
        assert loads(session) == {agent.id: 1}


def test_everybody_who_takes_the_next_one_gets_another(database: Database) -> None:
    with database.write() as session:
        agents = [an_agent(session) for _ in range(4)]
        wishes = [a_wish(session) for _ in range(4)]
    results = together(
        database, [lambda session, agent=agent: claiming.next_for(session, **by(agent)) for agent in agents]
    )
    assert {one.id for one in results} == {one.id for one in wishes}


def test_messages_that_come_together_begin_one_wish(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        asked = [an_inbox_id(session, chat) for _ in range(4)]
    results = together(
        database,
        [
            lambda session, inbox_id=inbox_id: waiting.request(
                session, conversation_id=chat.id, reason="asked", inbox_id=inbox_id, rules=DESK, now=NOON
            )
            for inbox_id in asked
        ],
    )
    assert len({one.id for one in results}) == 1


def test_wishes_that_come_together_are_offered_in_turn(database: Database) -> None:
    with database.write() as session:
        agents = [an_agent(session) for _ in range(4)]
        chats = [a_conversation(session).id for _ in range(4)]
    results = together(
        database,
        [
            lambda session, chat=chat: waiting.request(
                session, conversation_id=chat, reason="asked", rules=DESK, now=NOON
            )
            for chat in chats
        ],
    )
    assert {one.offered_to_id for one in results} == {agent.id for agent in agents}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_customer_who_leaves_while_being_claimed_is_the_bots(database: Database, attempt: int) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
    claimed, left = together(
        database,
        [
            lambda session: claiming.claim(session, handoff_id=wish.id, **by(agent)),
            lambda session: waiting.leave(session, conversation_id=wish.conversation_id, now=NOON),
        ],
    )
    assert left.outcome == "left"
    with database.read() as session:
        conversation = session.get_one(Conversation, wish.conversation_id)
        assert (conversation.owner, conversation.owner_id) == ("bot", None)
        assert session.get_one(Handoff, wish.id).state == ENDED
        assert conversation.ownership == (0 if isinstance(claimed, InvalidTransition) else 2)


@pytest.mark.parametrize("ends", ["release", "leave"])
def test_what_a_customer_writes_just_before_the_end_belongs_to_the_talk(
    database: Database, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    with database.write() as session:
        agent, wish = an_agent(session, now=utcnow()), a_wish(session, now=utcnow())
        claiming.claim(session, handoff_id=wish.id, staff=agent, rules=DESK)

    def after_them(lock: Act) -> Any:
        """The lock, had while the customer's line was being kept."""

        def take(session: Any, **which: Any) -> Any:
            says(session, wish.conversation_id, "یک چیز دیگر", now=utcnow())
            return lock(session, **which)

        return take

    monkeypatch.setattr(releasing, "locked", after_them(releasing.locked))
    monkeypatch.setattr(waiting, "lock_conversation", after_them(waiting.lock_conversation))
    with database.write() as session:
        if ends == "release":
            claiming.release(session, handoff_id=wish.id, staff=agent, rules=DESK)
        else:
            waiting.leave(session, conversation_id=wish.conversation_id)
    with database.read() as session:
        last = session.scalars(select(Message).where(Message.text == "یک چیز دیگر")).one()
        ended_at = session.get_one(Handoff, wish.id).ended_at
        # The staff's group is shown what was said up to the end.
        assert ended_at is not None
        assert last.created_at <= ended_at


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_reply_that_is_written_while_giving_back_comes_before_it_or_not_at_all(
    database: Database, attempt: int
) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        claiming.claim(session, handoff_id=wish.id, **by(agent))
    replied, _ = together(
        database,
        [
            lambda session: replying.reply(
                session, handoff_id=wish.id, staff=agent, text="صبر کنید", key="a", now=NOON
            ),
            lambda session: claiming.release(session, handoff_id=wish.id, **by(agent)),
        ],
    )
    with database.read() as session:
        rows = sent_to(session, wish.conversation_id)
        said = [one.id for one in rows if one.speaker == "staff"]
        [back] = [one.id for one in rows if one.content.get("response") == "utter_handoff_released"]
        if isinstance(replied, InvalidTransition):
            assert said == []
        else:
            assert said == [replied.id]
            assert replied.id < back


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_same_reply_sent_twice_at_once_is_one(database: Database, attempt: int) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        claiming.claim(session, handoff_id=wish.id, **by(agent))
    reply = lambda session: replying.reply(  # noqa: E731
        session, handoff_id=wish.id, staff=agent, text="سلام", key="a", now=NOON
    )
    first, second = together(database, [reply, reply])
    assert first.id == second.id
    with database.read() as session:
        lines = select(func.count()).select_from(Message).where(Message.author.startswith("staff:"))
        assert session.scalar(lines) == 1


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_answer_of_the_bot_that_is_finished_while_being_claimed_is_held_back(
    database: Database, attempt: int
) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        asked = says(session, wish.conversation_id)
    answer, _ = together(
        database,
        [
            lambda session: enqueue_message(
                session,
                conversation_id=wish.conversation_id,
                content={"text": "پاسخ ربات"},
                inbox_id=asked.inbox_id,
                ownership=0,
            ),
            lambda session: claiming.claim(session, handoff_id=wish.id, **by(agent)),
        ],
    )
    for release in (False, True):
        with database.write() as session:
            if release:
                claiming.release(session, handoff_id=wish.id, **by(agent))
            conversation = session.get_one(Conversation, wish.conversation_id)
            item = session.get_one(OutboxItem, answer.id)
            assert verdict(session, item, conversation) == "held_back"


def test_two_who_give_back_and_pass_on_do_one_of_it(database: Database) -> None:
    with database.write() as session:
        agent, colleague, wish = an_agent(session), an_agent(session), a_wish(session)
        claiming.claim(session, handoff_id=wish.id, **by(agent))
    released, passed = together(
        database,
        [
            lambda session: claiming.release(session, handoff_id=wish.id, **by(agent)),
            lambda session: claiming.transfer(
                session, handoff_id=wish.id, to_staff_id=colleague.id, **by(agent)
            ),
        ],
    )
    assert isinstance(released, Forbidden) != isinstance(passed, InvalidTransition)


def test_the_jobs_of_two_processes_do_everything_once(database: Database) -> None:
    with database.write() as session:
        wishes = [a_wish(session) for _ in range(4)]
    begin = Barrier(2)

    def work(_: int) -> int:
        begin.wait()
        return look_after(database, rules=DESK, now=NOON + 5 * MINUTE)["escalated"]

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, range(2))) == 4
    with database.read() as session:
        escalated = session.scalars(select(Handoff.escalated)).all()
        assert escalated == [1] * len(wishes)


CUSTOMERS, AGENTS, ACTS = 4, 5, 40


def test_in_a_crowd_everything_stays_in_order(database: Database) -> None:
    """Five threads, each an agent, at four customers who come and go."""
    rules = rules_with(chats_per_agent=2, asks_rating=False)
    with database.write() as session:
        agents = [an_agent(session) for _ in range(AGENTS)]
        chats = [a_conversation(session).id for _ in range(CUSTOMERS)]
    accepted: list[list[tuple[int, str]]] = [[] for _ in agents]

    def work(number: int) -> None:
        agent, choose = agents[number], random.Random(number)
        for step in range(ACTS):
            chat, text = choose.choice(chats), f"{number}:{step}"
            how: dict[str, Any] = {"staff": agent, "now": NOON + timedelta(seconds=step)}
            try:
                with database.write() as session:
                    opened = waiting.open_of(session, conversation_id=chat)
                    act = choose.choice(["wish", "claim", "reply", "reply", "release", "leave", "transfer"])
                    if act == "wish" or opened is None:
                        waiting.request(
                            session, conversation_id=chat, reason="asked", rules=rules, now=how["now"]
                        )
                    elif act == "claim":
                        claiming.claim(session, handoff_id=opened.id, rules=rules, **how)
                    elif act == "reply":
                        replying.reply(session, handoff_id=opened.id, text=text, key=a_key(), **how)
                    elif act == "release":
                        claiming.release(session, handoff_id=opened.id, rules=rules, **how)
                    elif act == "leave":
                        waiting.leave(session, conversation_id=chat, now=how["now"])
                    else:
                        to = agents[choose.randrange(AGENTS)].id
                        claiming.transfer(session, handoff_id=opened.id, to_staff_id=to, rules=rules, **how)
                if act == "reply" and opened is not None:
                    accepted[number].append((chat, text))
            except CrmError:
                pass  # somebody else was quicker

    with ThreadPoolExecutor(AGENTS) as pool:
        list(pool.map(work, range(AGENTS)))
    with database.read() as session:
        said = [
            (item.conversation_id, item.content["text"])
            for item in session.scalars(select(OutboxItem).where(OutboxItem.speaker == "staff"))
        ]
        assert sorted(said) == sorted(one for some in accepted for one in some)
        assert all(count <= 2 for count in loads(session).values())
        for conversation in session.scalars(select(Conversation).where(Conversation.id.in_(chats))):
            opened = session.scalars(
                select(Handoff).where(
                    Handoff.conversation_id == conversation.id, Handoff.state.in_(OPEN_STATES)
                )
            ).one_or_none()
            is_claimed = opened is not None and opened.state == CLAIMED
            assert conversation.owner == ("human" if is_claimed else "bot")
            assert conversation.owner_id == (opened.owner_id if opened and is_claimed else None)
            assert opened is None or opened.state in (WAITING, CLAIMED)
            numbers = session.scalars(
                select(Message.seq).where(Message.conversation_id == conversation.id).order_by(Message.seq)
            ).all()
            assert numbers == list(range(1, len(numbers) + 1))
