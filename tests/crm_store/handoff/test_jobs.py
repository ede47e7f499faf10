"""What nobody does happens by itself: offers go round, those above hear, calls are promised, nobody idles."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from crm_store.activity import Activity
from crm_store.business.handoff import Role
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.handoff import claiming, replying, service, waiting
from crm_store.handoff.jobs import look_after
from crm_store.handoff.models import CLAIMED, ENDED, EXPIRED, RELEASED, WAITING, CallbackRequest, Handoff
from crm_store.handoff.presence import set_presence
from crm_store.handoff.queries import callbacks_page
from crm_store.outbox import OutboxItem
from crm_store.persian import hide_phones
from crm_store.rules import Rules
from crm_store.staff.accounts import disable
from tests.factories import a_conversation, a_group
from tests.factories.handoff import (
    DESK,
    MINUTE,
    NOON,
    a_key,
    a_wish,
    an_agent,
    desk_words,
    rules_with,
    says,
    sent_to,
)


def done(database: Database, *, after: int, rules: Rules = DESK) -> Counter[str]:
    """What is done by itself so many minutes after noon."""
    return look_after(database, rules=rules, now=NOON + after * MINUTE)


def reread(database: Database, handoff_id: int) -> Handoff:
    with database.read() as session:
        return session.get_one(Handoff, handoff_id)


def test_what_was_offered_in_vain_is_offered_to_the_next(database: Database) -> None:
    with database.write() as session:
        first, second = an_agent(session), an_agent(session)
        wish = a_wish(session)
        assert wish.offered_to_id == first.id
    assert done(database, after=4) == {}
    assert done(database, after=5)["offered"] == 1
    assert reread(database, wish.id).offered_to_id == second.id
    with database.write() as session:
        set_presence(session, staff=second, presence="away", now=NOON + 6 * MINUTE)
    assert done(database, after=6)["offered"] == 1
    assert reread(database, wish.id).offered_to_id == first.id


def test_whoever_comes_is_offered_what_waits(database: Database) -> None:
    with database.write() as session:
        wish = a_wish(session)
    assert done(database, after=1) == {}
    with database.write() as session:
        agent = an_agent(session)
    assert done(database, after=2) == {"offered": 1}
    assert reread(database, wish.id).offered_to_id == agent.id


def test_those_above_hear_of_what_nobody_claims_again_and_again(database: Database) -> None:
    with database.write() as session:
        boss_chat = a_conversation(session)
        an_agent(session, role="supervisor", chat=boss_chat, presence="offline")
        wish = a_wish(session)
        before = wish.urgency
    assert done(database, after=4) == {}
    assert done(database, after=5) == {"escalated": 1}
    assert done(database, after=6) == {}
    assert done(database, after=10) == {"escalated": 1}
    with database.write() as session:
        told = sent_to(session, boss_chat.id)
        assert [item.content["response"] for item in told] == ["utter_staff_handoff_unclaimed"] * 2
        assert told[0].content["params"]["name"] == "سارا"
        assert told[0].content["params"]["count"] == 1
        found = session.get_one(Handoff, wish.id)
        assert (found.escalated, found.urgency) == (2, before + 20)
        agent = an_agent(session)
        claiming.claim(session, handoff_id=wish.id, staff=agent, rules=DESK, now=NOON + 11 * MINUTE)
    assert done(database, after=20) == {}


def test_where_nobody_above_can_be_reached_the_group_hears(database: Database) -> None:
    with database.write() as session:
        group, groups = a_group(session)
        a_wish(session)
    done(database, after=5, rules=rules_with(groups=groups))
    with database.read() as session:
        assert [one.content["response"] for one in sent_to(session, group.id)] == [
            "utter_staff_handoff_unclaimed"
        ]


@pytest.mark.parametrize(
    ("shown", "agent", "boss", "group"),
    [
        ((), False, False, False),
        (("supervisor", "admin"), False, True, False),
        (("agent", "supervisor"), True, True, False),
        (("agent", "supervisor", "admin"), True, True, True),
    ],
)
def test_what_it_is_about_is_told_with_numbers_only_to_those_who_see_them(
    database: Database, shown: tuple[Role, ...], *, agent: bool, boss: bool, group: bool
) -> None:
    topic = "زنگ بزنید: ۰۹۳۵ ۴۴۴ ۵۵۶۶"
    with database.write() as session:
        their_group, groups = a_group(session)
        chats = [a_conversation(session) for _ in range(2)]
        rules = rules_with(groups=groups)
        seen = msgspec.structs.replace(rules.business.staff, full_phone_roles=shown)
        business = msgspec.structs.replace(rules.business, staff=seen)
        rules = Rules(business, groups=rules.groups)
        an_agent(session, chat=chats[0])
        lead = an_agent(session, role="supervisor", chat=chats[1], presence="offline")
        a_wish(session, topic=f"{'پمپ خراب است ' * 8}{topic}", rules=rules)
        a_wish(session, topic=topic, rules=rules)
    done(database, after=5, rules=rules)
    with database.write() as session:
        disable(session, staff_id=lead.id)
    done(database, after=10, rules=rules)
    with database.read() as session:
        for chat, is_whole in zip((*chats, their_group), (agent, boss, group), strict=True):
            told = [item.content["params"]["topic"] for item in sent_to(session, chat.id)]
            assert told
            assert (topic in told) is is_whole
            assert (hide_phones(topic) in told) is not is_whole
            assert is_whole or not any("۰۹۳۵ " in one for one in told)


def test_a_wish_that_nobody_meets_ends_with_a_promised_call(database: Database) -> None:
    with database.write() as session:
        group, groups = a_group(session)
        chat = a_conversation(session)
        point = add_phone(session, customer_id=customer_of(chat), phone="09121230987")
        wish = a_wish(session, chat, topic="قسط")
    rules = rules_with(groups=groups)
    assert "expired" not in done(database, after=29, rules=rules)
    assert done(database, after=30, rules=rules)["expired"] == 1
    with database.read() as session:
        ended = session.get_one(Handoff, wish.id)
        assert (ended.state, ended.outcome) == (ENDED, EXPIRED)
        call = session.scalars(select(CallbackRequest)).one()
        assert (call.contact_point_id, call.topic, call.state) == (point.id, "قسط", "open")
        assert call.due_at is not None
        assert call.due_at > NOON + 30 * MINUTE
        assert desk_words(session, chat.id) == ["utter_handoff_expired"]
        assert sent_to(session, group.id)[-1].content["response"] == "utter_staff_group_callback"
        assert [row.request.id for row in callbacks_page(session).rows] == [call.id]
    assert done(database, after=31, rules=rules) == {}


def test_without_a_number_the_call_is_offered_and_without_a_limit_nothing_expires(
    database: Database,
) -> None:
    with database.write() as session:
        wish = a_wish(session)
    assert "expired" not in done(database, after=600, rules=rules_with(expire_minutes=0))
    assert done(database, after=600)["expired"] == 1
    with database.read() as session:
        assert session.scalars(select(CallbackRequest)).all() == []
        assert desk_words(session, wish.conversation_id) == ["utter_handoff_out_of_hours"]


def test_what_is_passed_on_has_its_time_anew(database: Database) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "rules": DESK}
        claiming.claim(session, now=NOON, **how)
        claiming.transfer(session, to_team="repairs", now=NOON + 40 * MINUTE, **how)
    assert done(database, after=44) == {}
    assert done(database, after=45)["escalated"] == 1
    assert done(database, after=70)["expired"] == 1


def test_a_talk_in_which_nobody_says_a_word_is_given_back(database: Database) -> None:
    with database.write() as session:
        agent, wish, other = an_agent(session), a_wish(session), a_wish(session)
        for handoff in (wish, other):
            how: dict[str, Any] = {"handoff_id": handoff.id, "staff": agent, "now": NOON}
            claiming.claim(session, rules=DESK, **how)
            replying.reply(session, text="سلام", key=a_key(), **how)
        says(session, wish.conversation_id, now=NOON + 100 * MINUTE)
    assert done(database, after=179) == {}
    assert done(database, after=180) == {"idle": 1}
    assert reread(database, other.id).outcome == RELEASED
    assert reread(database, wish.id).state == CLAIMED
    assert done(database, after=280) == {"idle": 1}
    with database.read() as session:
        conversation = session.get_one(Conversation, wish.conversation_id)
        assert (conversation.owner, conversation.owner_id) == ("bot", None)
        assert desk_words(session, conversation.id)[-1] == "utter_handoff_released"
        last = session.scalars(select(Activity).order_by(Activity.id.desc())).first()
        assert last is not None
        assert (last.kind, last.actor) == ("handoff.released", "system")


def test_who_got_a_talk_from_a_colleague_has_as_long_as_who_claimed_it(database: Database) -> None:
    with database.write() as session:
        agent, colleague, wish = an_agent(session), an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent}
        claiming.claim(session, rules=DESK, now=NOON, **how)
        replying.reply(session, text="سلام", key=a_key(), now=NOON, **how)
        later = NOON + 175 * MINUTE
        claiming.transfer(session, to_staff_id=colleague.id, rules=DESK, now=later, **how)
    assert done(database, after=180) == {}
    assert done(database, after=354) == {}
    found = reread(database, wish.id)
    assert (found.state, found.owner_id, found.claimed_at) == (CLAIMED, colleague.id, NOON)
    assert done(database, after=355) == {"idle": 1}
    assert reread(database, wish.id).outcome == RELEASED


@pytest.mark.parametrize("why", ["goes home", "has not said for long that they are there"])
def test_who_writes_in_vain_to_somebody_who_is_not_there_waits_for_another(
    database: Database, why: str
) -> None:
    with database.write() as session:
        agent = an_agent(session, now=NOON - 600 * MINUTE)
        wish = a_wish(session)
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        replying.reply(session, text="سلام", key=a_key(), **how)
        if why == "goes home":
            set_presence(session, staff=agent, presence="offline", now=NOON + 10 * MINUTE)
        colleague = an_agent(session)
        for after in (60, 120, 170):
            says(session, wish.conversation_id, now=NOON + after * MINUTE)
    assert done(database, after=179) == {}
    assert done(database, after=180) == {"unanswered": 1}
    with database.read() as session:
        again = session.get_one(Handoff, wish.id)
        assert (again.state, again.owner_id, again.offered_to_id) == (WAITING, None, colleague.id)
        assert session.get_one(Conversation, wish.conversation_id).owner == "bot"
        assert desk_words(session, wish.conversation_id)[-1] == "utter_handoff_transferred_team"
    assert done(database, after=181) == {}
    assert done(database, after=185)["escalated"] == 1
    assert done(database, after=210)["expired"] == 1


@pytest.mark.parametrize(("presence", "answered", "asked"), [("online", 0, 100), ("offline", 100, 170)])
def test_who_is_there_or_answers_all_the_same_keeps_their_talk(
    database: Database, presence: str, answered: int, asked: int
) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "now": NOON + answered * MINUTE}
        claiming.claim(session, handoff_id=wish.id, staff=agent, rules=DESK, now=NOON)
        replying.reply(session, text="سلام", key=a_key(), **how)
        set_presence(session, staff=agent, presence=presence, now=NOON)
        says(session, wish.conversation_id, now=NOON + asked * MINUTE)
    assert done(database, after=200) == {}
    assert reread(database, wish.id).owner_id == agent.id


def test_thanks_to_somebody_who_has_gone_home_are_no_question_for_another(database: Database) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        replying.reply(session, text="فردا می‌رسد", key=a_key(), **how)
        says(session, wish.conversation_id, "ممنون", now=NOON + 5 * MINUTE)
        set_presence(session, staff=agent, presence="offline", now=NOON + MINUTE)
        an_agent(session)
    assert done(database, after=184) == {}
    assert done(database, after=185) == {"idle": 1}


def test_the_conversations_of_who_no_longer_works_here_wait_for_another(database: Database) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        claiming.claim(session, handoff_id=wish.id, staff=agent, rules=DESK, now=NOON)
        disable(session, staff_id=agent.id, now=NOON + MINUTE)
        colleague = an_agent(session)
    assert done(database, after=2) == {"orphaned": 1}
    with database.read() as session:
        again = session.get_one(Handoff, wish.id)
        assert (again.state, again.owner_id, again.offered_to_id) == (WAITING, None, colleague.id)
        assert session.get_one(Conversation, wish.conversation_id).owner == "bot"


def test_the_conversations_of_who_may_have_none_any_more_wait_for_another(database: Database) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        claiming.claim(session, handoff_id=wish.id, staff=agent, rules=DESK, now=NOON)
        colleague = an_agent(session)
        agent.role = "technician"
    assert done(database, after=2) == {"orphaned": 1}
    again = reread(database, wish.id)
    assert (again.state, again.owner_id, again.offered_to_id) == (WAITING, None, colleague.id)


def test_what_is_passed_on_to_somebody_who_is_away_is_theirs_first(database: Database) -> None:
    with database.write() as session:
        agent, wish, third = an_agent(session), a_wish(session), an_agent(session)
        colleague = an_agent(session, presence="away")
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "rules": DESK, "now": NOON}
        claiming.claim(session, **how)
        claiming.transfer(session, to_staff_id=colleague.id, **how)
    assert done(database, after=4) == {}
    assert reread(database, wish.id).offered_to_id == colleague.id
    assert done(database, after=5)["offered"] == 1
    assert reread(database, wish.id).offered_to_id in (agent.id, third.id)


@pytest.mark.parametrize("ends", ["expires", "is left"])
def test_a_form_is_gone_on_with_also_when_a_talk_was_passed_on_in_vain(database: Database, ends: str) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        session.add(Draft(conversation_id=wish.conversation_id, kind="complaint", state="open"))
        session.flush()
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        replying.reply(session, text="سلام", key=a_key(), **how)
        claiming.transfer(session, to_team="repairs", rules=DESK, **how)
        if ends == "is left":
            waiting.leave(session, conversation_id=wish.conversation_id, now=NOON + MINUTE)
    if ends == "expires":
        assert done(database, after=30)["expired"] == 1
    with database.read() as session:
        assert desk_words(session, wish.conversation_id)[-1] == "utter_handoff_resume"


def a_call(session: object, now: datetime = NOON) -> CallbackRequest:
    """A call that was promised."""
    chat = a_conversation(session)  # type: ignore[arg-type]
    add_phone(session, customer_id=customer_of(chat), phone="09121230987")  # type: ignore[arg-type]
    made = service.promise_call(
        session,  # type: ignore[arg-type]
        conversation_id=chat.id,
        topic="قسط",
        due_at=now + 60 * MINUTE,
        now=now,
    )
    assert made is not None
    return made


def test_a_promised_call_takes_over_what_waited_before(database: Database) -> None:
    with database.write() as session:
        first = a_call(session)
        second = service.promise_call(
            session,
            conversation_id=first.conversation_id,
            topic="فاکتور",
            due_at=NOON + 90 * MINUTE,
            now=NOON,
        )
        assert second is not None
        assert (first.state, second.topic) == ("replaced", "قسط\nفاکتور")
        assert session.scalars(select(OutboxItem)).all() == []
