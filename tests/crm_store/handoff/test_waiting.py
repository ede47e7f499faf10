"""Somebody who wants a person waits in turn, knows how long, and may change their mind."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from crm_store.activity import Activity
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.db import Database
from crm_store.errors import InvalidInput, NotFound
from crm_store.handoff import claiming, presence, replying, waiting
from crm_store.handoff.models import ANGER, ASKED, DANGER, ENDED, LEFT, WAITING
from crm_store.handoff.presence import LASTS
from crm_store.outbox import OutboxItem
from crm_store.surveys.models import SurveyInvitation
from tests.factories import a_conversation, a_group, an_inbox_id
from tests.factories.handoff import DESK, MINUTE, NOON, a_key, a_wish, an_agent, desk_words, rules_with


def test_a_wish_waits_while_the_bot_goes_on_answering(database: Database) -> None:
    with database.write() as session:
        handoff = a_wish(session, topic="قسطم عقب افتاده")
        conversation = session.get_one(Conversation, handoff.conversation_id)
        assert (handoff.state, handoff.reason, handoff.topic) == (WAITING, ASKED, "قسطم عقب افتاده")
        assert (conversation.owner, conversation.owner_id, conversation.ownership) == ("bot", None, 0)
        assert handoff.escalate_at == NOON + 5 * MINUTE
        kinds = session.scalars(select(Activity.kind).where(Activity.subject_type == "handoff")).all()
        assert kinds == ["handoff.requested"]
        assert waiting.open_of(session, conversation_id=conversation.id) is handoff


def test_the_same_message_and_an_open_wish_begin_no_second_one(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        asked, angry = an_inbox_id(session, chat), an_inbox_id(session, chat)
        where: dict[str, Any] = {"conversation_id": chat.id, "rules": DESK, "now": NOON}
        first = waiting.request(session, reason=ASKED, inbox_id=asked, **where)
        assert waiting.request(session, reason=ASKED, inbox_id=asked, **where) is first
        raised = waiting.request(session, reason=ANGER, inbox_id=angry, topic="زود باشید", **where)
        assert raised is first
        assert (first.reason, first.topic, first.urgency) == (ANGER, "زود باشید", waiting.URGENCY[ANGER])
        # A lesser reason takes nothing back.
        assert waiting.request(session, reason=ASKED, **where).reason == ANGER
        waiting.leave(session, conversation_id=chat.id, now=NOON)
        assert waiting.request(session, reason=ASKED, inbox_id=asked, **where) is first
        assert waiting.request(session, reason=ASKED, **where) is not first


def test_groups_and_unknown_reasons_are_refused(database: Database) -> None:
    with database.write() as session:
        group, _ = a_group(session)
        with pytest.raises(NotFound):
            waiting.request(session, conversation_id=group.id, reason=ASKED, rules=DESK)
        with pytest.raises(NotFound):
            waiting.request(session, conversation_id=10**6, reason=ASKED, rules=DESK)
        with pytest.raises(InvalidInput):
            waiting.request(session, conversation_id=a_conversation(session).id, reason="mood", rules=DESK)


def test_offers_go_round_among_those_who_are_there_and_have_room(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        one = an_agent(session, chat=chat)
        other = an_agent(session, name="بابک")
        full = an_agent(session, name="پر", max_chats=0)
        away = an_agent(session, name="دور", presence="away")
        gone = an_agent(session, name="رفته", now=NOON - LASTS)
        technician = an_agent(session, role="technician")
        offered = [a_wish(session, now=NOON + number * MINUTE).offered_to_id for number in range(4)]
        assert not {full.id, away.id, gone.id, technician.id} & set(offered)
        assert offered == [one.id, other.id, one.id, other.id]
        notices = session.scalars(select(OutboxItem).where(OutboxItem.conversation_id == chat.id)).all()
        assert [item.content["response"] for item in notices] == ["utter_staff_handoff_offer"] * 2
        assert notices[0].content["params"]["name"] == "سارا"


def test_an_offer_goes_to_the_team_and_the_skill(database: Database) -> None:
    with database.write() as session:
        an_agent(session)
        seller = an_agent(session, team="sales")
        smith = an_agent(session, skills=["boiler"])
        assert a_wish(session, team="sales").offered_to_id == seller.id
        assert a_wish(session, skill="boiler").offered_to_id == smith.id
        assert a_wish(session, team="repairs").offered_to_id is None
        # A team that the owner has dissolved is any.
        assert a_wish(session, team="sales", rules=rules_with(teams=())).offered_to_id is not None


def test_whether_a_hand_over_can_begin_depends_on_hours_and_people(database: Database) -> None:
    with database.write() as session:
        assert waiting.can_begin(session, rules=DESK, now=NOON) == waiting.Availability(True, True, 0)
        an_agent(session)
        night = NOON.replace(hour=22)
        assert waiting.can_begin(session, rules=DESK, now=night).within_hours is False
        assert waiting.can_begin(session, rules=DESK, now=NOON).agents_online == 1
        assert waiting.can_begin(session, rules=rules_with(is_on=False), now=NOON).is_on is False


def test_place_and_time_are_read_from_the_real_queue(database: Database) -> None:
    rules = rules_with(chats_per_agent=1)
    with database.write() as session:
        agent = an_agent(session)
        how: dict[str, Any] = {"staff": agent, "rules": rules}
        # Nothing is known yet.
        first = a_wish(session, rules=rules)
        assert waiting.estimate(session, handoff=first, now=NOON, rules=rules) == waiting.Estimate(1, None)
        claiming.claim(session, handoff_id=first.id, now=NOON + 2 * MINUTE, **how)
        claiming.release(session, handoff_id=first.id, now=NOON + 12 * MINUTE, **how)
        later = NOON + 20 * MINUTE
        second = a_wish(session, now=later, rules=rules)
        third = a_wish(session, now=later + MINUTE, rules=rules)
        urgent = a_wish(session, now=later + 2 * MINUTE, rules=rules, reason=DANGER)
        told = [
            waiting.estimate(session, handoff=one, now=later + 2 * MINUTE, rules=rules)
            for one in (urgent, second, third)
        ]
        # Two minutes until a claim, and ten minutes for each who goes before.
        assert told == [waiting.Estimate(1, 2), waiting.Estimate(2, 12), waiting.Estimate(3, 22)]
        claiming.claim(session, handoff_id=urgent.id, now=later + 2 * MINUTE, **how)
        # Of two claims one took two minutes and one none.
        assert waiting.estimate(session, handoff=second, now=later, rules=rules).minutes == 11
        assert waiting.estimate(session, handoff=urgent, now=later, rules=rules).position == 0
        presence.set_presence(session, staff=agent, presence="offline", now=later)
        assert waiting.estimate(session, handoff=second, now=later, rules=rules).minutes is None


def test_a_customer_leaves_the_queue(database: Database) -> None:
    with database.write() as session:
        handoff = a_wish(session)
        left = waiting.leave(session, conversation_id=handoff.conversation_id, now=NOON)
        assert left is handoff
        assert (handoff.state, handoff.outcome, handoff.ended_at) == (ENDED, LEFT, NOON)
        assert desk_words(session, handoff.conversation_id) == ["utter_handoff_left"]
        assert waiting.leave(session, conversation_id=handoff.conversation_id, now=NOON) is None
        assert session.get_one(Conversation, handoff.conversation_id).ownership == 0


def test_a_customer_leaves_a_talk_and_what_was_written_still_comes(database: Database) -> None:
    with database.write() as session:
        agent, handoff = an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": handoff.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        written = replying.reply(session, text="سلام", key=a_key(), **how)
        waiting.leave(session, conversation_id=handoff.conversation_id, now=NOON, rules=DESK)
        conversation = session.get_one(Conversation, handoff.conversation_id)
        assert (conversation.owner, conversation.owner_id, conversation.ownership) == ("bot", None, 2)
        assert written.state == "pending"
        assert desk_words(session, conversation.id) == ["utter_handoff_joined", "utter_handoff_left"]
        asked = session.scalars(select(SurveyInvitation)).one()
        assert (asked.trigger, asked.subject_id, asked.staff_id) == ("handoff", handoff.id, agent.id)
        assert asked.customer_id == customer_of(conversation)
