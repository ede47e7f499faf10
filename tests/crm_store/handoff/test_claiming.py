"""One person has a conversation at a time; the bot is silent, and knows afterwards where it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import drafts
from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.complaints import drafting
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.errors import AlreadyClaimed, CapReached, Forbidden, InvalidInput, InvalidTransition, NotFound
from crm_store.handoff import claiming, replying, waiting
from crm_store.handoff.models import CLAIMED, DANGER, ENDED, RELEASED, STAFF, WAITING
from crm_store.surveys.models import SurveyInvitation
from tests.factories import a_conversation, an_inbox_id
from tests.factories.handoff import (
    DESK,
    MINUTE,
    NOON,
    a_key,
    a_wish,
    an_agent,
    desk_words,
    lines_of,
    rules_with,
    sent_to,
)


def test_a_claim_makes_the_conversation_somebodys_own(database: Database) -> None:
    with database.write() as session:
        agent, handoff = an_agent(session), a_wish(session)
        claimed = claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=NOON)
        conversation = session.get_one(Conversation, handoff.conversation_id)
        assert (claimed.state, claimed.owner_id, claimed.claimed_at) == (CLAIMED, agent.id, NOON)
        assert (conversation.owner, conversation.owner_id, conversation.ownership) == ("human", agent.id, 1)
        [joined] = sent_to(session, conversation.id)
        assert joined.content["response"] == "utter_handoff_joined"
        assert (joined.speaker, joined.content["params"]["agent"]) == ("desk", "نگار")
        again = claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=NOON + MINUTE)
        assert (again.claimed_at, conversation.ownership) == (NOON, 1)
        assert len(sent_to(session, conversation.id)) == 1
        kinds = session.scalars(select(Activity.kind).where(Activity.subject_type == "handoff")).all()
        assert kinds == ["handoff.requested", "handoff.claimed"]
        audited = session.scalars(select(AuditEntry).where(AuditEntry.target_type == "handoff")).one()
        assert (audited.action, audited.actor) == ("handoff.claimed", f"staff:{agent.id}")


def test_who_has_given_no_name_is_a_colleague_to_the_customer(database: Database) -> None:
    with database.write() as session:
        first, second, handoff = an_agent(session, name=""), an_agent(session, name=""), a_wish(session)
        first.login, second.login = "admin", "second"
        how: dict[str, Any] = {"handoff_id": handoff.id, "staff": first, "rules": DESK, "now": NOON}
        claiming.claim(session, **how)
        claiming.transfer(session, to_staff_id=second.id, **how)
        claiming.release(session, **{**how, "staff": second})
        assert desk_words(session, handoff.conversation_id) == [
            "utter_handoff_joined_nameless",
            "utter_handoff_transferred_nameless",
            "utter_handoff_released",
        ]
        told = [item.content["params"].get("agent") for item in sent_to(session, handoff.conversation_id)]
        assert told == ["", "", "یکی از همکارانم"]


def test_who_comes_second_hears_who_was_first(database: Database) -> None:
    with database.write() as session:
        first, second, handoff = an_agent(session), an_agent(session, name="بابک"), a_wish(session)
        claiming.claim(session, handoff_id=handoff.id, staff=first, rules=DESK, now=NOON)
        with pytest.raises(AlreadyClaimed) as refused:
            claiming.claim(session, handoff_id=handoff.id, staff=second, rules=DESK, now=NOON)
        assert (refused.value.owner_id, refused.value.owner_name) == (first.id, "نگار")
        waiting.leave(session, conversation_id=handoff.conversation_id, now=NOON)
        with pytest.raises(InvalidTransition):
            claiming.claim(session, handoff_id=handoff.id, staff=second, rules=DESK, now=NOON)
        with pytest.raises(NotFound):
            claiming.claim(session, handoff_id=10**6, staff=second, rules=DESK, now=NOON)


def test_nobody_has_more_than_they_may(database: Database) -> None:
    rules = rules_with(chats_per_agent=1)
    with database.write() as session:
        agent, strong = an_agent(session), an_agent(session, max_chats=2)
        wishes = [a_wish(session, rules=rules) for _ in range(4)]
        claiming.claim(session, handoff_id=wishes[0].id, staff=agent, rules=rules, now=NOON)
        with pytest.raises(CapReached):
            claiming.claim(session, handoff_id=wishes[1].id, staff=agent, rules=rules, now=NOON)
        with pytest.raises(CapReached):
            claiming.next_for(session, staff=agent, rules=rules, now=NOON)
        for wish in wishes[1:3]:
            claiming.claim(session, handoff_id=wish.id, staff=strong, rules=rules, now=NOON)
        claiming.release(session, handoff_id=wishes[0].id, staff=agent, rules=rules, now=NOON)
        assert claiming.next_for(session, staff=agent, rules=rules, now=NOON) is wishes[3]


def test_who_may_not_is_refused_and_that_is_audited(database: Database) -> None:
    with database.write() as session:
        technician, handoff = an_agent(session, role="technician"), a_wish(session)
        with pytest.raises(Forbidden):
            claiming.claim(session, handoff_id=handoff.id, staff=technician, rules=DESK, now=NOON)
        with pytest.raises(Forbidden):
            claiming.take_over(
                session, conversation_id=handoff.conversation_id, staff=technician, rules=DESK, now=NOON
            )
        with pytest.raises(Forbidden):
            claiming.next_for(session, staff=technician, rules=DESK, now=NOON)
        agent = an_agent(session)
        agent.disabled_at = NOON
        with pytest.raises(Forbidden):
            claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=NOON)
        denied = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.denied")).all()
        assert [entry.detail["permission"] for entry in denied] == ["handoff.claim"] * 4
        assert handoff.state == WAITING


def test_the_next_one_is_the_most_urgent_and_oldest_that_fits(database: Database) -> None:
    with database.write() as session:
        late = a_wish(session, now=NOON + MINUTE)
        early = a_wish(session)
        urgent = a_wish(session, reason=DANGER, now=NOON + 2 * MINUTE)
        of_repairs = a_wish(session, reason=DANGER, team="repairs")
        of_boilers = a_wish(session, reason=DANGER, skill="boiler")
        agent = an_agent(session, team="sales", max_chats=9)
        how: dict[str, Any] = {"staff": agent, "rules": DESK, "now": NOON + 5 * MINUTE}
        assert [claiming.next_for(session, **how) for _ in range(4)] == [urgent, early, late, None]
        assert {of_repairs.state, of_boilers.state} == {WAITING}


def test_a_conversation_is_taken_over_without_a_wish(database: Database) -> None:
    with database.write() as session:
        agent, other, chat = an_agent(session), an_agent(session), a_conversation(session)
        how: dict[str, Any] = {"conversation_id": chat.id, "rules": DESK, "now": NOON}
        handoff = claiming.take_over(session, staff=agent, **how)
        assert (handoff.reason, handoff.state, handoff.owner_id) == (STAFF, CLAIMED, agent.id)
        assert handoff.offered_to_id is None
        assert claiming.take_over(session, staff=agent, **how) is handoff
        with pytest.raises(AlreadyClaimed):
            claiming.take_over(session, staff=other, **how)
        waits = a_wish(session)
        taken = claiming.take_over(
            session, conversation_id=waits.conversation_id, staff=other, rules=DESK, now=NOON
        )
        assert taken is waits
        assert waits.reason != STAFF


def test_given_back_the_bot_says_what_was_agreed_and_asks_for_a_rating(database: Database) -> None:
    with database.write() as session:
        agent, handoff = an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": handoff.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        replying.reply(session, text="درستش می‌کنم", key=a_key(), **how)
        claiming.release(session, agreed=" فردا پیک می‌آید ", rules=DESK, **how)
        conversation = session.get_one(Conversation, handoff.conversation_id)
        assert (conversation.owner, conversation.owner_id, conversation.ownership) == ("bot", None, 2)
        assert (handoff.state, handoff.outcome, handoff.agreed) == (ENDED, RELEASED, "فردا پیک می‌آید")
        told = sent_to(session, conversation.id)[-1].content
        assert told["response"] == "utter_handoff_released_agreed"
        assert told["params"] == {"agent": "نگار", "agreed": "فردا پیک می‌آید"}
        assert session.scalars(select(SurveyInvitation)).one().due_at == NOON + 10 * MINUTE
        assert waiting.last_of(session, conversation_id=conversation.id) is handoff
        before = len(sent_to(session, conversation.id))
        claiming.release(session, rules=DESK, **how)
        assert (len(sent_to(session, conversation.id)), conversation.ownership) == (before, 2)


def test_no_rating_is_asked_where_nothing_was_said_or_the_owner_wants_none(database: Database) -> None:
    quiet = rules_with(asks_rating=False)
    with database.write() as session:
        agent, silent, talked = an_agent(session), a_wish(session), a_wish(session)
        for handoff in (silent, talked):
            claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=NOON)
        replying.reply(session, handoff_id=talked.id, staff=agent, text="سلام", key=a_key(), now=NOON)
        claiming.release(session, handoff_id=silent.id, staff=agent, rules=DESK, now=NOON)
        claiming.release(session, handoff_id=talked.id, staff=agent, rules=quiet, now=NOON)
        assert session.scalars(select(SurveyInvitation)).all() == []
        assert desk_words(session, silent.conversation_id)[-1] == "utter_handoff_released"


def test_an_interrupted_form_is_offered_again_if_it_is_still_open(database: Database) -> None:
    with database.write() as session:
        agent = an_agent(session)
        told, dropped = a_conversation(session), a_conversation(session)
        for chat in (told, dropped):
            drafting.set_draft_field(
                session,
                conversation_id=chat.id,
                field="description",
                value="پیک نیامد",
                inbox_id=an_inbox_id(session, chat),
            )
        kept, given_up = a_wish(session, told), a_wish(session, dropped)
        for handoff in (kept, given_up):
            claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=NOON)
            assert handoff.interrupted == ["complaint"]
        drafts.cancel_draft(session, conversation_id=dropped.id, kind="complaint", inbox_id=1)
        for handoff in (kept, given_up):
            claiming.release(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=NOON)
        assert desk_words(session, told.id)[-2:] == ["utter_handoff_released", "utter_handoff_resume"]
        assert sent_to(session, told.id)[-1].content["params"]["go_on"] == "complaint_file"
        assert desk_words(session, dropped.id)[-1] == "utter_handoff_released"


def test_a_customer_who_ends_the_talk_is_offered_the_interrupted_form_too(database: Database) -> None:
    with database.write() as session:
        agent, chats = an_agent(session), [a_conversation(session) for _ in range(2)]
        for chat in chats:
            told = {"field": "description", "value": "پیک نیامد", "inbox_id": an_inbox_id(session, chat)}
            drafting.set_draft_field(session, conversation_id=chat.id, **told)
        talked, waited = [a_wish(session, chat) for chat in chats]
        claiming.claim(session, handoff_id=talked.id, staff=agent, rules=DESK, now=NOON)
        for handoff in (talked, waited):
            waiting.leave(session, conversation_id=handoff.conversation_id, now=NOON)
        words = desk_words(session, talked.conversation_id)
        assert words[-2:] == ["utter_handoff_left", "utter_handoff_resume"]
        # Who only waited has gone on with the bot all the time.
        assert desk_words(session, waited.conversation_id)[-1] == "utter_handoff_left"


def test_only_its_owner_and_those_above_give_a_conversation_back(database: Database) -> None:
    with database.write() as session:
        agent, other, handoff = an_agent(session), an_agent(session), a_wish(session)
        boss = an_agent(session, role="supervisor")
        how: dict[str, Any] = {"handoff_id": handoff.id, "rules": DESK, "now": NOON}
        with pytest.raises(InvalidTransition):
            claiming.release(session, staff=boss, **how)
        claiming.claim(session, staff=agent, **how)
        with pytest.raises(Forbidden):
            claiming.release(session, staff=other, **how)
        assert claiming.release(session, staff=boss, **how).outcome == RELEASED
        denied = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.denied")).one()
        assert (denied.actor, denied.target_id) == (f"staff:{other.id}", str(handoff.id))


def test_a_colleague_who_is_there_has_the_conversation_at_once(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        agent, colleague = an_agent(session), an_agent(session, name="بابک", chat=chat)
        handoff = a_wish(session, topic="قسط")
        before = len(sent_to(session, chat.id))
        how: dict[str, Any] = {"handoff_id": handoff.id, "rules": DESK, "now": NOON}
        claiming.claim(session, staff=agent, **how)
        claiming.transfer(session, staff=agent, to_staff_id=colleague.id, note="عجله دارد", **how)
        conversation = session.get_one(Conversation, handoff.conversation_id)
        assert (handoff.state, handoff.owner_id) == (CLAIMED, colleague.id)
        assert (conversation.owner_id, conversation.ownership) == (colleague.id, 2)
        told = sent_to(session, conversation.id)[-1].content
        assert (told["response"], told["params"]["agent"]) == ("utter_handoff_transferred", "بابک")
        [given] = sent_to(session, chat.id)[before:]
        assert given.content["response"] == "utter_staff_handoff_given"
        assert given.content["params"] == {
            "name": "سارا",
            "topic": "قسط",
            "by": "نگار",
            "handoff": handoff.id,
        }
        assert lines_of(session, conversation.id) == [(f"staff:{agent.id}", "staff", "عجله دارد")]
        with pytest.raises(Forbidden):
            replying.reply(session, handoff_id=handoff.id, staff=agent, text="هنوز من", key=a_key(), now=NOON)
        assert waiting.estimate(session, handoff=handoff, now=NOON, rules=DESK).position == 0


@pytest.mark.parametrize("why", ["away", "full"])
def test_a_colleague_who_cannot_take_it_now_is_offered_it_first(database: Database, why: str) -> None:
    with database.write() as session:
        agent, handoff = an_agent(session), a_wish(session)
        full = why == "full"
        colleague = an_agent(session, presence="online" if full else "away", max_chats=0 if full else None)
        how: dict[str, Any] = {"handoff_id": handoff.id, "rules": DESK, "now": NOON + MINUTE}
        claiming.claim(session, staff=agent, **how)
        claiming.transfer(session, staff=agent, to_staff_id=colleague.id, **how)
        conversation = session.get_one(Conversation, handoff.conversation_id)
        assert (handoff.state, handoff.owner_id, handoff.offered_to_id) == (WAITING, None, colleague.id)
        assert (conversation.owner, conversation.ownership) == ("bot", 2)
        assert handoff.waiting_since == NOON + MINUTE
        assert desk_words(session, conversation.id)[-1] == "utter_handoff_transferred_team"


def test_a_team_gets_a_conversation_and_one_of_it_claims_it(database: Database) -> None:
    with database.write() as session:
        agent, handoff = an_agent(session), a_wish(session)
        smith = an_agent(session, team="repairs")
        how: dict[str, Any] = {"handoff_id": handoff.id, "rules": DESK, "now": NOON}
        claiming.claim(session, staff=agent, **how)
        claiming.transfer(session, staff=agent, to_team="repairs", **how)
        assert (handoff.team, handoff.state, handoff.offered_to_id) == ("repairs", WAITING, smith.id)
        assert claiming.next_for(session, staff=agent, rules=DESK, now=NOON) is None
        assert claiming.next_for(session, staff=smith, rules=DESK, now=NOON) is handoff
        assert desk_words(session, handoff.conversation_id)[1:] == [
            "utter_handoff_transferred_team",
            "utter_handoff_joined",
        ]


def test_what_cannot_be_passed_on_stays_where_it_is(database: Database) -> None:
    with database.write() as session:
        agent, other, handoff = an_agent(session), an_agent(session), a_wish(session)
        technician = an_agent(session, role="technician")
        how: dict[str, Any] = {"handoff_id": handoff.id, "rules": DESK, "now": NOON}
        claiming.claim(session, staff=agent, **how)
        refused = [
            {},
            {"to_staff_id": other.id, "to_team": "sales"},
            {"to_staff_id": technician.id},
            {"to_staff_id": agent.id},
            {"to_team": "kitchen"},
        ]
        for to in refused:
            with pytest.raises(InvalidInput):
                claiming.transfer(session, staff=agent, **how, **to)
        with pytest.raises(NotFound):
            claiming.transfer(session, staff=agent, to_staff_id=10**6, **how)
        with pytest.raises(Forbidden):
            claiming.transfer(session, staff=other, to_staff_id=other.id, **how)
        assert (handoff.owner_id, handoff.state) == (agent.id, CLAIMED)
        claiming.release(session, staff=agent, **how)
        with pytest.raises(InvalidTransition):
            claiming.transfer(session, staff=agent, to_staff_id=other.id, **how)


def test_those_above_give_what_waits_to_somebody(database: Database) -> None:
    with database.write() as session:
        chats = [a_conversation(session) for _ in range(2)]
        boss, agent = an_agent(session, role="admin", chat=chats[0]), an_agent(session, chat=chats[1])
        handoff, own = a_wish(session), a_wish(session)
        how: dict[str, Any] = {"staff": boss, "rules": DESK, "now": NOON}
        claiming.transfer(session, handoff_id=handoff.id, to_staff_id=agent.id, **how)
        claiming.transfer(session, handoff_id=own.id, to_staff_id=boss.id, **how)
        assert (handoff.owner_id, handoff.claimed_at) == (agent.id, NOON)
        assert desk_words(session, handoff.conversation_id) == ["utter_handoff_joined"]
        # Who gives one to themselves knows it.
        told = [[item.content["response"] for item in sent_to(session, chat.id)] for chat in chats]
        assert [words.count("utter_staff_handoff_given") for words in told] == [0, 1]


def test_how_long_somebody_waited_is_kept_for_the_reports(database: Database) -> None:
    with database.write() as session:
        agent, handoff = an_agent(session), a_wish(session)
        how: dict[str, Any] = {"handoff_id": handoff.id, "staff": agent, "rules": DESK}
        claiming.claim(session, now=NOON + 3 * MINUTE, **how)
        assert handoff.claimed_at is not None
        assert handoff.claimed_at - handoff.waiting_since == timedelta(minutes=3)
