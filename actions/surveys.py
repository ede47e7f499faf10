"""Opinions in conversation: speaking up, answering, passing over, another time, or never again."""

from __future__ import annotations

from contextlib import suppress

from rasa_sdk.events import FollowupAction
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.customers import customer_of_turn
from actions.survey_answers import (
    choose,
    grade_in,
    invitation_of_turn,
    is_repeated,
    never_again,
    offer_complaint,
    pass_over,
    take_answer,
    turn_complains,
)
from actions.survey_telling import ask, go_on
from actions.texts import fragment
from actions.turn import SURVEY, Turn
from crm_store.business.surveys import SurveyQuestion
from crm_store.errors import InvalidTransition, NotFound
from crm_store.privacy import queries
from crm_store.privacy.service import record_consent
from crm_store.surveys import answering
from crm_store.surveys.answering import Next, Reading
from crm_store.surveys.asking import begin_for
from crm_store.surveys.choosing import tells_opinion
from crm_store.surveys.correcting import keep_early
from crm_store.surveys.definitions import active_surveys
from crm_store.surveys.models import COMPLETED, SurveyInvitation

#: Any scale on which praise and blame are told from each other.
_ANY_GRADE = SurveyQuestion(key="any", kind="csat", text="?")
#: Fewest words of an opinion that is told at once.
_OPINION_WORDS = 4


class ActionSurveyStart(StoreAction):
    """Begins the survey for whoever wishes to speak up, or goes on with the one that waits."""

    def name(self) -> str:
        return "action_survey_start"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        invitation = _begin(turn, session)
        if invitation is None:
            reply.utter("utter_survey_none")
            return []
        if not turn.trusted and turn.word_count >= _OPINION_WORDS and tells_opinion(turn.text):
            return _take_opinion(turn, session, reply, invitation)
        return _put(session, reply, invitation, "utter_survey_start")


class ActionSurveyAnswer(StoreAction):
    """Takes an answer; one that nothing was asked for is the first grade of the open survey."""

    def name(self) -> str:
        return "action_survey_answer"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        invitation = invitation_of_turn(turn, session)
        if invitation is not None:
            if turn.trusted:
                return _put(session, reply, invitation, "utter_survey_start")
            return take_answer(turn, session, reply, invitation)
        if turn.entity(SURVEY) is not None:
            reply.utter("utter_survey_over")
            return keep_form_waiting(turn)
        return _begin_with_grade(turn, session, reply)


class ActionSurveyChoose(StoreAction):
    """Takes the grade or the choice of a button."""

    def name(self) -> str:
        return "action_survey_choose"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        invitation = invitation_of_turn(turn, session) if turn.trusted else None
        if invitation is None:
            reply.utter("utter_survey_over")
            return keep_form_waiting(turn)
        return choose(turn, session, reply, invitation)


class ActionSurveyPass(StoreAction):
    """Leaves a question out; where it must be answered, nobody is pressed."""

    def name(self) -> str:
        return "action_survey_pass"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        invitation = invitation_of_turn(turn, session)
        if invitation is None:
            reply.utter("utter_survey_over")
            return keep_form_waiting(turn)
        waiting = answering.waiting_question(session, invitation=invitation)
        must = waiting.question is not None and not (waiting.asks_reason or waiting.question.is_optional)
        # «رد کن» about what must be answered means the survey.
        if must and not turn.trusted and not is_repeated(turn, session, invitation):
            return _skip(turn, session, reply, invitation)
        return pass_over(turn, session, reply, invitation)


class ActionSurveyLater(StoreAction):
    """Leaves a survey open without asking again."""

    reads_only = True

    def name(self) -> str:
        return "action_survey_later"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        invitation = invitation_of_turn(turn, session)
        is_open = (
            invitation is not None and answering.waiting_question(session, invitation=invitation).question
        )
        reply.utter("utter_survey_later" if is_open else "utter_survey_over")
        return keep_form_waiting(turn)


class ActionSurveySkip(StoreAction):
    """Ends a survey that somebody does not want, and all of them for whoever wants none any more."""

    def name(self) -> str:
        return "action_survey_skip"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        never = never_again(turn)
        is_of_form = turn.form is not None and turn.entity(SURVEY) is None and not turn.trusted
        invitation = None if is_of_form and not never else invitation_of_turn(turn, session)
        if never:
            return _stop_asking(turn, session, reply, invitation)
        if invitation is not None:
            return _skip(turn, session, reply, invitation)
        if not turn.trusted:
            # Whatever was asked or offered, it was no survey.
            return [FollowupAction("action_deny")]
        reply.utter("utter_survey_over")
        return keep_form_waiting(turn)


def _begin(turn: Turn, session: Session) -> SurveyInvitation | None:
    """The survey that waits, else that for whoever wishes to speak up; None without such a survey."""
    try:
        return begin_for(
            session,
            customer_id=customer_of_turn(turn, session),
            conversation_id=turn.conversation_id,
            inbox_id=turn.inbox_id,
            rules=environment().rules,
        )
    except NotFound:
        return None


def _put(session: Session, reply: Reply, invitation: SurveyInvitation, before: str) -> list[Event]:
    """Put what waits, behind a word of welcome."""
    waiting = answering.waiting_question(session, invitation=invitation)
    if waiting.question is None:
        go_on(session, reply, invitation, waiting)
    else:
        ask(reply, invitation, waiting, before=fragment(before))
    return []


def _take_opinion(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation) -> list[Event]:
    """Keep what was said along with the wish to say it, and ask what else there is to ask."""
    waiting = answering.waiting_question(session, invitation=invitation)
    asked = waiting.question
    if asked is None:
        return _put(session, reply, invitation, "utter_survey_start")
    if not waiting.asks_reason and asked.is_graded and grade_in(turn, asked).value is not None:
        return take_answer(turn, session, reply, invitation)
    if waiting.asks_reason or asked.kind == "text":
        coming = _answer_in_words(turn, session, invitation, waiting)
        go_on(session, reply, invitation, coming)
        return []
    is_kept = keep_early(session, invitation=invitation, text=turn.text, inbox_id=turn.inbox_id)
    return _put(session, reply, invitation, "utter_survey_opinion_kept" if is_kept else "utter_survey_start")


def _answer_in_words(turn: Turn, session: Session, invitation: SurveyInvitation, waiting: Next) -> Next:
    return answering.answer(
        session,
        invitation=invitation,
        question=waiting.key,
        reading=Reading(text=turn.text),
        inbox_id=turn.inbox_id,
        rules=environment().rules,
    )


def _begin_with_grade(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Take a grade that nothing was asked for; a bare number may be anything."""
    rules = environment().rules
    definition = next((one for one in active_surveys(session, rules=rules) if one.is_open), None)
    first = definition.questions[0] if definition is not None else None
    if turn.trusted or (first is not None and _rates(turn)):
        invitation = _begin(turn, session)
        if invitation is None:
            reply.utter("utter_survey_none")
            return []
        if not turn.trusted and first is not None and first.is_graded:
            return take_answer(turn, session, reply, invitation)
        return _put(session, reply, invitation, "utter_survey_start")
    if _rates(turn):
        reply.utter("utter_survey_none")
        if turn_complains(turn):
            offer_complaint(reply)
        return keep_form_waiting(turn)
    return [FollowupAction("action_fallback")]


def _rates(turn: Turn) -> bool:
    """Whether a message says of itself that it rates: by a scale, stars, or words of praise or blame."""
    is_rating = any(one.entity == "rating" for one in turn.found)
    if turn.form is not None:
        return False
    grade = grade_in(turn, _ANY_GRADE)
    return is_rating or (grade.value is not None and not grade.is_number)


def _skip(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation) -> list[Event]:
    try:
        answering.skip(session, invitation=invitation)
    except InvalidTransition as refused:
        reply.utter("utter_survey_thanks" if refused.state == COMPLETED else "utter_survey_over")
    else:
        reply.utter("utter_survey_skipped")
    return keep_form_waiting(turn)


def _stop_asking(
    turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation | None
) -> list[Event]:
    """Take a no to all surveys, by the same decision as a no to advertising."""
    record_consent(
        session,
        customer_id=customer_of_turn(turn, session),
        granted=False,
        text=turn.text or queries.words_of(session, inbox_id=turn.inbox_id),
        channel=turn.channel,
        inbox_id=turn.inbox_id,
    )
    if invitation is not None:
        with suppress(InvalidTransition):
            answering.skip(session, invitation=invitation)
    reply.utter("utter_survey_never_again")
    return keep_form_waiting(turn)
