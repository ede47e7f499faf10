"""Answers: branches, corrections, reasons behind low grades, and what the staff do about them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import timeline
from crm_store.business.surveys import Branch, SurveyDefinition, SurveyQuestion
from crm_store.conversations.service import add_attachment, open_conversation
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.outbox import OutboxItem
from crm_store.surveys import follow_ups
from crm_store.surveys.answering import (
    Next,
    Reading,
    answer,
    find_invitation,
    pass_over,
    skip,
    waiting_question,
)
from crm_store.surveys.asking import look_at
from crm_store.surveys.forgetting import forget_opinions
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation
from crm_store.surveys.paths import next_open
from crm_store.surveys.wording import buttons_of
from tests.crm_store.clocked import a_member, told
from tests.factories import an_inbox_id
from tests.factories.surveys import (
    CONTENT,
    GROUP,
    LIKED,
    NOON,
    RECOMMEND,
    WORDS,
    a_customer,
    asked,
    at,
    rules_with,
)

RULES = rules_with()
PHOTO = SurveyQuestion(key="photo", kind="photo", text="عکس؟")
SCALE = SurveyQuestion(key="scale", kind="scale", text="چند؟", low=0, high=10, low_is=3, is_optional=True)
_numbers = count(1)


def a_survey(session: Session, *questions: SurveyQuestion, key: str = "own") -> tuple[SurveyInvitation, Any]:
    """A survey of these questions that was just asked, and its rules."""
    rules = rules_with(SurveyDefinition(key=key, title="ما", questions=questions))
    _, customer = a_customer(session)
    return asked(session, customer, rules, key=key), rules


def say(
    session: Session, invitation: SurveyInvitation, question: str, *, rules: Any = RULES, **reading: Any
) -> Next:
    return answer(
        session,
        invitation=invitation,
        question=question,
        reading=Reading(**reading),
        inbox_id=next(_numbers),
        rules=rules,
        now=NOON,
    )


def given_to(session: Session, invitation: SurveyInvitation) -> dict[str, SurveyAnswer]:
    rows = session.scalars(select(SurveyAnswer).where(SurveyAnswer.invitation_id == invitation.id))
    return {row.question: row for row in rows}


def test_a_happy_answer_takes_its_branch_and_the_last_one_completes_the_survey(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        first = say(session, invitation, "recommend", value=9)
        assert (first.key, first.is_low, first.response) == ("liked", False, "utter_survey_question_choice")
        second = say(session, invitation, "liked", choice="people")
        assert (second.key, second.finished) == ("words", False)
        last = say(session, invitation, "words", text="عالی بود")
        assert (last.question, last.finished) == (None, True)
        assert (invitation.state, invitation.finished_at) == ("completed", NOON)
        assert timeline(session, customer_id=customer)[0].kind == "survey.completed"


def test_a_low_grade_asks_for_its_reason_and_may_go_on_without_one(database: Database) -> None:
    with database.write() as session:
        (_, first), (_, second) = a_customer(session), a_customer(session)
        telling, silent = asked(session, first, RULES), asked(session, second, RULES)
        low = say(session, telling, "recommend", value=2)
        assert (low.key, low.is_low, low.asks_reason) == ("recommend:why", True, True)
        assert low.response == "utter_survey_question_reason"
        assert say(session, telling, "recommend:why", text="دیر رسید").key == "words"
        assert given_to(session, telling)["recommend"].text == "دیر رسید"
        say(session, silent, "recommend", value=6)
        passed = pass_over(
            session, invitation=silent, question="recommend:why", inbox_id=1, rules=RULES, now=NOON
        )
        assert passed.key == "words"


def test_a_reason_told_beside_the_grade_is_not_asked_again(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        assert say(session, invitation, "recommend", value=1, text="گران بود").key == "words"


def test_a_correction_replaces_the_answer_and_keeps_what_waits(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        say(session, invitation, "recommend", value=8)
        assert waiting_question(session, invitation=invitation).key == "content"
        assert say(session, invitation, "recommend", value=7).key == "content"
        assert say(session, invitation, "recommend", value=10).key == "liked"
        assert given_to(session, invitation)["recommend"].value == 10
        assert say(session, invitation, "liked", choice="price").key == "words"


def test_the_same_message_again_changes_nothing(database: Database) -> None:
    with database.write() as session:
        invitation, rules = a_survey(session, CONTENT)
        again = {
            "invitation": invitation,
            "question": "content",
            "reading": Reading(value=5),
            "inbox_id": 7,
            "rules": rules,
        }
        first, second = answer(session, now=NOON, **again), answer(session, now=NOON, **again)  # type: ignore[arg-type]
        assert first == second
        assert first.finished
        assert [row.kind for row in timeline(session, customer_id=invitation.customer_id)].count(
            "survey.completed"
        ) == 1


@pytest.mark.parametrize(
    ("question", "reading"),
    [
        (CONTENT, {"value": 6}),
        (CONTENT, {"value": 0}),
        (CONTENT, {"text": "خوب"}),
        (RECOMMEND, {"value": -1}),
        (LIKED, {"choice": "unknown"}),
        (LIKED, {}),
        (WORDS, {"text": "  "}),
        (PHOTO, {"text": "ندارم"}),
        (PHOTO, {"files": (999,)}),
        (SCALE, {"value": 11}),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    sqlite_database: Database, question: SurveyQuestion, reading: dict[str, Any]
) -> None:
    with sqlite_database.write() as session:
        invitation, rules = a_survey(session, question)
        with pytest.raises(InvalidInput):
            say(session, invitation, question.key, rules=rules, **reading)
        assert given_to(session, invitation) == {}


def test_only_what_was_asked_takes_an_answer(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        with pytest.raises(InvalidInput):
            say(session, invitation, "words", text="سلام")
        with pytest.raises(InvalidInput):
            say(session, invitation, "recommend:why", text="سلام")
        with pytest.raises(NotFound):
            say(session, invitation, "unknown", value=1)
        with pytest.raises(InvalidInput):
            pass_over(session, invitation=invitation, question="recommend", inbox_id=1, rules=RULES)
        with pytest.raises(NotFound):
            find_invitation(session, invitation_id=invitation.id, customer_id=customer + 1)


def test_a_photo_must_be_the_customers_own(database: Database) -> None:
    with database.write() as session:
        invitation, rules = a_survey(session, PHOTO)
        (stranger, _), chat = a_customer(session), invitation.conversation_id
        from crm_store.conversations.models import Conversation

        own = session.get_one(Conversation, chat)
        files = [
            add_attachment(
                session, conversation_id=one.id, inbox_id=an_inbox_id(session, one), kind="photo"
            ).id
            for one in (own, stranger)
        ]
        assert say(session, invitation, "photo", rules=rules, files=tuple(files)).finished
        assert given_to(session, invitation)["photo"].files == [files[0]]


def test_skipping_keeps_what_was_answered_and_ends_it(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        say(session, invitation, "recommend", value=8)
        skip(session, invitation=invitation, now=NOON)
        skip(session, invitation=invitation, now=NOON)
        assert invitation.state == "skipped"
        assert set(given_to(session, invitation)) == {"recommend"}
        with pytest.raises(InvalidTransition):
            say(session, invitation, "content", value=5)


def test_what_only_lacks_an_optional_answer_is_complete_when_its_time_is_over(database: Database) -> None:
    with database.write() as session:
        invitation, rules = a_survey(session, CONTENT, WORDS)
        other, _ = a_survey(session, CONTENT, RECOMMEND, key="own")
        say(session, invitation, "content", rules=rules, value=1)
        say(session, other, "content", value=5)
        later = NOON + timedelta(days=9)
        ends = [look_at(session, invitation_id=one.id, rules=rules, now=later) for one in (invitation, other)]
        assert ends == ["completed", "expired"]
        assert given_to(session, other)["content"].value == 5


def test_whoever_has_just_answered_is_not_cut_off(database: Database) -> None:
    with database.write() as session:
        invitation, rules = a_survey(session, CONTENT, RECOMMEND)
        late = NOON + timedelta(hours=71, minutes=30)
        answer(
            session,
            invitation=invitation,
            question="content",
            reading=Reading(value=5),
            inbox_id=1,
            rules=rules,
            now=late,
        )
        over = NOON + timedelta(hours=72)
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=over) == "moved"
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=late + timedelta(hours=1)) == (
            "expired"
        )


def test_buttons_of_an_owners_question_come_from_its_definition(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        invitation, _ = a_survey(session, LIKED)
        chosen = buttons_of(invitation, LIKED, "liked")
        assert [(one["title"], one["row"]) for one in chosen] == [("قیمت", 0), ("برخورد", 1)]
        assert chosen[0]["payload"] == (
            f'/survey_choose{{"survey": "{invitation.id}", "question": "liked", "value": "price"}}'
        )
        scale = buttons_of(invitation, SCALE, "scale")
        assert [one["row"] for one in scale] == [0] * 5 + [1] * 5 + [2, 3]
        assert scale[-1]["payload"].startswith("/survey_pass{")
        assert buttons_of(invitation, CONTENT, "content") == []


_grades = st.integers(0, 10)


@settings(max_examples=300)
@given(data=st.data(), size=st.integers(1, 8))
def test_every_way_through_a_survey_ends_and_asks_no_question_twice(data: st.DataObject, size: int) -> None:
    keys = [f"q{number}" for number in range(size)]
    questions = []
    for number, key in enumerate(keys):
        branches = data.draw(
            st.lists(
                st.builds(
                    Branch,
                    go_to=st.sampled_from([*keys[number + 1 :], "end"]),
                    at_most=st.none() | _grades,
                    at_least=st.none() | _grades,
                ),
                max_size=3,
            )
        )
        questions.append(SurveyQuestion(key=key, kind="nps", text="؟", branches=tuple(branches)))
    definition = SurveyDefinition(key="own", title="ما", questions=tuple(questions))
    definition.check()
    answers: dict[str, SurveyAnswer] = {}
    waiting = keys[0]
    for _ in range(size):
        assert waiting not in answers
        answers[waiting] = SurveyAnswer(question=waiting, value=data.draw(_grades), choice="")
        question = definition.question(waiting)
        assert question is not None
        waiting = next_open(definition, answers, question, waiting)
        if not waiting:
            break
    assert waiting == ""


def test_a_low_grade_opens_one_follow_up_due_in_working_time_and_tells_the_staff(database: Database) -> None:
    with database.write() as session:
        supervisor, agent = a_member(session, "supervisor"), a_member(session, "agent")
        open_conversation(session, channel=GROUP[0], chat_id=GROUP[1], identity=None)
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        say(session, invitation, "recommend", value=1, text="بد بود")
        say(session, invitation, "recommend", value=2)
        say(session, invitation, "words", text="هیچ")
        follow_up = session.scalars(select(SurveyFollowUp)).one()
        # Eight hours of work from Sunday noon on: five today, three on Monday.
        assert follow_up.due_at == at(23, 12)
        assert [response for response, _ in told(session)].count("utter_staff_survey_low") == 2
        assert follow_ups.open_follow_ups(session) == [follow_up]
        assert supervisor.id != agent.id


def test_an_overdue_follow_up_is_told_those_above_once(database: Database) -> None:
    with database.write() as session:
        a_member(session, "admin")
        invitation, rules = a_survey(session, CONTENT)
        say(session, invitation, "content", rules=rules, value=1)
        follow_up = session.scalars(select(SurveyFollowUp)).one()
        just_before = follow_up.due_at - timedelta(minutes=1)
        assert follow_ups.escalate_due(session, rules=rules, now=just_before) == 0
        assert follow_ups.escalate_due(session, rules=rules, now=follow_up.due_at) == 1
        assert follow_ups.escalate_due(session, rules=rules, now=follow_up.due_at) == 0
        overdue = [row for row in session.scalars(select(OutboxItem)) if "overdue" in row.content["response"]]
        assert len(overdue) == 1


def test_a_follow_up_is_done_with_a_note_and_once(database: Database) -> None:
    with database.write() as session:
        invitation, rules = a_survey(session, CONTENT)
        say(session, invitation, "content", rules=rules, value=2)
        follow_up = session.scalars(select(SurveyFollowUp)).one()
        about = {"follow_up_id": follow_up.id, "actor": "operator", "now": NOON}
        with pytest.raises(InvalidInput):
            follow_ups.finish(session, text=" ", **about)  # type: ignore[arg-type]
        follow_ups.finish(session, text="تماس گرفتیم", **about)  # type: ignore[arg-type]
        with pytest.raises(InvalidTransition):
            follow_ups.finish(session, text="دوباره", **about)  # type: ignore[arg-type]
        assert (follow_up.state, follow_up.done_by, follow_up.note) == ("done", "operator", "تماس گرفتیم")
        assert follow_ups.escalate_due(session, rules=rules, now=NOON + timedelta(days=9)) == 0


def test_a_question_without_reasons_goes_on(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        calm = msgspec.structs.replace(CONTENT, asks_reason=False)
        invitation, rules = a_survey(session, calm, WORDS)
        low = say(session, invitation, "content", rules=rules, value=1)
        assert (low.key, low.is_low) == ("words", True)


def test_of_the_opinions_of_the_forgotten_only_grades_and_choices_stay(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        say(session, invitation, "recommend", value=2, text="مینا ناراضی است")
        forget_opinions(session, customer_ids=[customer], now=NOON)
        kept = given_to(session, invitation)["recommend"]
        assert (kept.value, kept.text) == (2, "")
        assert (invitation.state, invitation.reason) == ("expired", "forgotten")
        follow_up = session.scalars(select(SurveyFollowUp)).one()
        assert (follow_up.state, follow_up.note) == ("done", "")
