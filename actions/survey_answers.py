"""What a message says in answer to a survey's question, and what is done with it."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.base import Event, Reply, environment, keep_form_waiting
from actions.customers import customer_of_turn
from actions.survey_telling import UNCLEAR, ask, ask_again, go_on, thank
from actions.texts import button, is_any_in
from actions.turn import SURVEY, Turn
from crm_store.business.surveys import SurveyQuestion
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.persian.grades import Grade, Why, read_grade
from crm_store.surveys import answering
from crm_store.surveys.answering import Next, Reading
from crm_store.surveys.choosing import choices_of, meant_choices
from crm_store.surveys.correcting import correct_after_end
from crm_store.surveys.models import SurveyAnswer, SurveyInvitation
from crm_store.surveys.waiting import last_grade
from crm_store.terms import term

#: More words than these beside a choice are kept.
_CHOICE_WORDS = 3


class Read(NamedTuple):
    """An answer as it was read.

    Attributes:
        reading: what to keep; None where it cannot be told.
        question: the key under which it is an answer.
        why: of a grade, why it cannot be told.
        several: of a choice, whether several may be meant.
    """

    reading: Reading | None
    question: str
    why: Why = ""
    several: bool = False


def invitation_of_turn(turn: Turn, session: Session) -> SurveyInvitation | None:
    """The survey that a message is about: named by what it answers, else the one that waits for answers."""
    customer_id = customer_of_turn(turn, session)
    named = turn.entity(SURVEY)
    if named is not None and named.isdecimal():
        try:
            return answering.find_invitation(session, invitation_id=int(named), customer_id=customer_id)
        except NotFound:
            return None
    # The same message again, when its answer was lost: it answered this one.
    answered = (
        select(SurveyInvitation)
        .join(SurveyAnswer)
        .where(SurveyAnswer.inbox_id == turn.inbox_id, SurveyInvitation.customer_id == customer_id)
    )
    return session.scalars(answered.limit(1)).first() or answering.open_invitation(
        session, customer_id=customer_id, conversation_id=turn.conversation_id
    )


def is_repeated(turn: Turn, session: Session, invitation: SurveyInvitation) -> bool:
    """Whether this message has answered something already: what was said to it was lost."""
    answered = select(SurveyAnswer.id).where(
        SurveyAnswer.invitation_id == invitation.id, SurveyAnswer.inbox_id == turn.inbox_id
    )
    return session.scalar(answered.limit(1)) is not None


def take_answer(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation) -> list[Event]:
    """Take a typed message for the answer to what waits, or ask for it once more."""
    waiting = answering.waiting_question(session, invitation=invitation)
    if is_repeated(turn, session, invitation):
        go_on(session, reply, invitation, waiting)
        return keep_form_waiting(turn)
    if waiting.question is None:
        return _correct(turn, session, reply, invitation)
    read = read_answer(turn, session, invitation, waiting)
    if read.reading is not None:
        try:
            coming = _answer(turn, session, invitation, read)
        except InvalidInput:
            pass
        except (InvalidTransition, NotFound):
            reply.utter("utter_survey_over")
            return keep_form_waiting(turn)
        else:
            go_on(session, reply, invitation, coming)
            if waiting.question.kind == "text" and turn_complains(turn):
                offer_complaint(reply)
            return keep_form_waiting(turn)
    # Asked once more with help; the second time in a row it is passed over kindly.
    if not UNCLEAR.isdisjoint(turn.previous.responses):
        return pass_over(turn, session, reply, invitation)
    ask_again(reply, invitation, waiting, why=read.why, several=read.several)
    return keep_form_waiting(turn)


def choose(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation) -> list[Event]:
    """Take what a button says; one of an earlier question puts its answer right."""
    key, value = turn.entity("question") or "", turn.entity("value") or ""
    reading = Reading(value=int(value)) if _is_number(value) else Reading(choice=value)
    was = answering.waiting_question(session, invitation=invitation)
    asked = was.question
    # Grades and choices may both be figures: the question tells which of them it is.
    if asked is not None and asked.key == key and asked.kind == "choice":
        reading = Reading(choice=value)
    try:
        go_on(session, reply, invitation, _answer(turn, session, invitation, Read(reading, key)))
    except InvalidTransition:
        _correct_to(turn, session, reply, invitation, Read(reading, key))
    except (InvalidInput, NotFound):
        if asked is None:
            reply.utter("utter_survey_over")
        else:
            ask(reply, invitation, was)
    return keep_form_waiting(turn)


def pass_over(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation) -> list[Event]:
    """Leave a question out; one that must be answered stays open, and nobody is pressed."""
    waiting = answering.waiting_question(session, invitation=invitation)
    if is_repeated(turn, session, invitation):
        go_on(session, reply, invitation, waiting, passed_over=True)
        return keep_form_waiting(turn)
    try:
        coming = answering.pass_over(
            session,
            invitation=invitation,
            question=turn.entity("question") or waiting.key,
            inbox_id=turn.inbox_id,
            rules=environment().rules,
        )
    except InvalidInput:
        reply.utter("utter_survey_left_open")
    except (InvalidTransition, NotFound):
        reply.utter("utter_survey_over")
    else:
        if waiting.asks_reason:
            _sign(turn, session, invitation, waiting)
        go_on(session, reply, invitation, coming, passed_over=True)
    return keep_form_waiting(turn)


def read_answer(turn: Turn, session: Session, invitation: SurveyInvitation, waiting: Next) -> Read:
    """What a typed message says: an answer to what waits, or a correction of the grade before."""
    asked = waiting.question
    assert asked is not None  # noqa: S101  # whoever calls this has looked
    before = last_grade(session, invitation=invitation)
    if before is not None:
        grade = grade_in(turn, before)
        if grade.corrects and grade.value is not None and (grade.is_number or asked.is_graded):
            return Read(_graded(turn, grade), before.key)
    if waiting.asks_reason or asked.kind == "text":
        reading = Reading(text=turn.text, files=tuple(turn.attachments) if not waiting.asks_reason else ())
        return Read(reading if turn.text else None, waiting.key)
    if asked.kind == "photo":
        files = tuple(turn.attachments)
        return Read(Reading(text=turn.text, files=files) if files else None, waiting.key)
    if asked.kind == "choice":
        meant = meant_choices(turn.text, choices_of(asked))
        text = turn.text if turn.word_count > _CHOICE_WORDS else ""
        chosen = Reading(choice=meant[0], text=text) if len(meant) == 1 else None
        return Read(chosen, waiting.key, several=len(meant) > 1)
    grade = grade_in(turn, asked)
    return Read(_graded(turn, grade) if grade.value is not None else None, waiting.key, why=grade.why)


def grade_in(turn: Turn, question: SurveyQuestion) -> Grade:
    """The grade that a message gives, on the scale of a question."""
    low, high = question.ends
    return read_grade(turn.text, low=low, high=high, kind=question.kind)


def turn_complains(turn: Turn) -> bool:
    """Whether what was written in answer tells what went wrong, by its likeliest meaning besides."""
    meanings = [intent for intent, _ in turn.ranking if intent != "survey_answer"]
    return bool(meanings) and meanings[0] == "complaint_file"


def offer_complaint(reply: Reply) -> None:
    """Offer to have somebody look into what was written."""
    title = term("shared", "suggestions", "complaint_file") or ""
    reply.utter("utter_survey_offer_complaint", buttons=[button(title, "complaint_file")])


def _sign(turn: Turn, session: Session, invitation: SurveyInvitation, waiting: Next) -> None:
    """Note that this message left out a reason, so that the same one again leaves out nothing else."""
    key = waiting.question.key if waiting.question is not None else ""
    own = (SurveyAnswer.invitation_id == invitation.id, SurveyAnswer.question == key)
    given = session.scalar(select(SurveyAnswer).where(*own))
    if given is not None:
        given.inbox_id = turn.inbox_id


def _correct(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation) -> list[Event]:
    """Put right the latest grade of a survey that has ended."""
    asked = last_grade(session, invitation=invitation)
    grade = grade_in(turn, asked) if asked is not None else None
    if asked is None or grade is None or grade.value is None:
        reply.utter("utter_survey_over")
    else:
        _correct_to(turn, session, reply, invitation, Read(_graded(turn, grade), asked.key))
    return keep_form_waiting(turn)


def _correct_to(turn: Turn, session: Session, reply: Reply, invitation: SurveyInvitation, read: Read) -> None:
    try:
        # The message that ended it, once more: what it said is kept already.
        if not is_repeated(turn, session, invitation):
            correct_after_end(session, **_what(turn, invitation, read))
    except (InvalidInput, InvalidTransition):
        reply.utter("utter_survey_over")
    else:
        thank(session, reply, invitation)


def _answer(turn: Turn, session: Session, invitation: SurveyInvitation, read: Read) -> Next:
    return answering.answer(session, **_what(turn, invitation, read))


def _what(turn: Turn, invitation: SurveyInvitation, read: Read) -> dict[str, Any]:
    return {
        "invitation": invitation,
        "question": read.question,
        "reading": read.reading or Reading(),
        "inbox_id": turn.inbox_id,
        "rules": environment().rules,
    }


def _graded(turn: Turn, grade: Grade) -> Reading:
    """A grade, with the words beside it that say more."""
    return Reading(value=grade.value, text=turn.text if grade.has_words and not grade.corrects else "")


def _is_number(value: str) -> bool:
    return value.isdecimal() and value.isascii()


def never_again(turn: Turn) -> bool:
    """Whether somebody says that they do not want to be asked any more, whatever about."""
    return is_any_in("surveys", "never", turn.text)
