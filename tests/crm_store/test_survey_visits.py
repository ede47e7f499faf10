"""A visit is asked about once: by the survey that follows it, or by the word that it is done."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business.surveys import SurveyDefinition, Surveys
from crm_store.conversations.models import Conversation
from crm_store.customers.service import mark_blocked
from crm_store.db import Database
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.service_requests import following, visits, working
from crm_store.service_requests.models import ServiceRequest
from crm_store.surveys.asking import look_at
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation
from crm_store.surveys.results import results
from tests.crm_store.clocked import told
from tests.factories.services import NOW, a_group, a_request, a_technician, at, by
from tests.factories.services import rules_with as services_with
from tests.factories.surveys import AFTER_VISIT, RECOMMEND, leave

DONE_AT = at(23, 11)
DUE = DONE_AT + timedelta(days=1)


def rules_for(*surveys: SurveyDefinition) -> Rules:
    rules = services_with()
    business = msgspec.structs.replace(rules.business, surveys=Surveys(items=surveys))
    return Rules(business, groups=rules.groups)


def done(session: Session, rules: Rules) -> ServiceRequest:
    """A visit that a technician has just done."""
    technician = a_technician(session)
    request = a_request(session, rules=rules, starts_at=at(23, 9))
    working.assign(session, request, staff_id=technician.id, actor="operator", rules=rules, now=NOW)
    visits.finish(session, staff_id=technician.id, code=request.code, inbox_id=1, rules=rules, now=DONE_AT)
    leave(session)
    return request


def invitation_of(session: Session) -> SurveyInvitation:
    return session.scalars(select(SurveyInvitation)).one()


def test_with_a_survey_the_word_that_a_visit_is_done_asks_nothing(database: Database) -> None:
    rules = rules_for(AFTER_VISIT)
    with database.write() as session:
        request = done(session, rules)
        read = [name for name, chat in told(session) if chat == request.conversation_id]
        assert read[-1] == "utter_visit_done_asked_later"
        invitation = invitation_of(session)
        assert (invitation.due_at, invitation.staff_id) == (DUE, request.technician_id)
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=DUE) == "asked"


def test_without_one_it_asks_for_a_grade_as_before(database: Database) -> None:
    rules = rules_for()
    with database.write() as session:
        request = done(session, rules)
        read = [name for name, chat in told(session) if chat == request.conversation_id]
        assert read[-1] == "utter_visit_done"
        assert session.scalars(select(SurveyInvitation)).all() == []


@pytest.mark.parametrize(("grade", "follow_ups"), [(5, 0), (1, 1)])
def test_a_grade_given_unasked_is_the_answer_to_the_survey(
    database: Database, grade: int, follow_ups: int
) -> None:
    rules = rules_for(AFTER_VISIT)
    with database.write() as session:
        a_group(session)
        request = done(session, rules)
        graded = {**by(request, session), "rules": rules, "value": grade, "scale": 5}
        for _ in range(2):
            following.rate(session, **graded, now=DONE_AT + timedelta(hours=1))
        invitation = invitation_of(session)
        assert (invitation.state, invitation.asked_at) == ("completed", DONE_AT + timedelta(hours=1))
        assert session.scalars(select(SurveyAnswer)).one().value == grade
        assert len(session.scalars(select(SurveyFollowUp)).all()) == follow_ups
        heard = [name for name, _ in told(session)]
        assert heard.count("utter_staff_survey_low") == follow_ups
        assert "utter_staff_visit_low_grade" not in heard
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=DUE) == ""


def test_what_else_a_survey_wants_to_know_is_still_asked_and_the_grade_is_not(database: Database) -> None:
    rules = rules_for(msgspec.structs.replace(AFTER_VISIT, questions=(*AFTER_VISIT.questions, RECOMMEND)))
    with database.write() as session:
        request = done(session, rules)
        graded = {**by(request, session), "rules": rules, "value": 4, "scale": 5}
        following.rate(session, **graded, now=DONE_AT)
        leave(session)
        invitation = invitation_of(session)
        assert (invitation.state, invitation.question) == ("planned", "recommend")
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=DUE) == "asked"
        last = session.scalars(select(OutboxItem).order_by(OutboxItem.id.desc())).first()
        assert last is not None
        assert last.content["response"] == "utter_survey_question_nps"


def test_a_grade_typed_while_the_survey_is_open_answers_it(database: Database) -> None:
    rules = rules_for(AFTER_VISIT)
    with database.write() as session:
        request = done(session, rules)
        invitation = invitation_of(session)
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=DUE) == "asked"
        graded = {**by(request, session), "rules": rules, "value": 5, "scale": 5}
        following.rate(session, **graded, now=DUE)
        assert invitation.state == "completed"


def test_a_grade_counts_also_when_what_else_the_survey_wants_to_know_cannot_be_asked(
    database: Database,
) -> None:
    survey = msgspec.structs.replace(AFTER_VISIT, questions=(*AFTER_VISIT.questions, RECOMMEND))
    rules = rules_for(survey)
    with database.write() as session:
        request = done(session, rules)
        graded = {**by(request, session), "rules": rules, "value": 2, "scale": 5}
        following.rate(session, **graded, now=DONE_AT)
        leave(session)
        invitation = invitation_of(session)
        chat = session.get_one(Conversation, request.conversation_id)
        mark_blocked(session, channel=chat.channel, external_id=chat.chat_id)
        assert look_at(session, invitation_id=invitation.id, rules=rules, now=DUE) == "dropped"
        total = results(session, key=survey.key, rules=rules).total
    assert (total.asked, total.began, total.response_rate) == (0, 1, None)
    assert [one.figures.count for one in total.questions] == [1, 0]
