"""What is said in a survey: its next question, what was not understood, and the thanks at the end."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.base import Reply, environment
from actions.texts import Rich, button, fragment
from crm_store.base import utcnow
from crm_store.persian import deadline_text, to_persian_digits
from crm_store.persian.grades import Why
from crm_store.surveys.answering import Next
from crm_store.surveys.definitions import definition_of
from crm_store.surveys.models import OPEN, SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion
from crm_store.surveys.wording import buttons_of
from crm_store.tickets.expecting import SURVEY

#: Said before a question that is asked once more; the second time in a row it is passed over.
UNCLEAR = frozenset(
    {
        "utter_survey_unclear_grade",
        "utter_survey_other_scale",
        "utter_survey_whole_grade",
        "utter_survey_several_grades",
        "utter_survey_nine_or_no",
        "utter_survey_unclear_choice",
        "utter_survey_several_choices",
        "utter_survey_no_words",
        "utter_survey_no_photo",
    }
)
#: Wordings that go before the next question in the same message; whoever answers a lot hears them by turns.
_THANKS = ("utter_survey_noted_first", "utter_survey_noted_second", "utter_survey_noted_third")
_UNCLEAR_GRADES: dict[Why, str] = {
    "fraction": "utter_survey_whole_grade",
    "scale": "utter_survey_other_scale",
    "several": "utter_survey_several_grades",
    "mixed": "utter_survey_several_grades",
}
NINE = 9


def ask(reply: Reply, invitation: SurveyInvitation, waiting: Next, *, before: Rich | None = None) -> None:
    """Put the question that waits, perhaps behind a word on the answer before."""
    question = waiting.question
    assert question is not None  # noqa: S101  # whoever calls this has looked
    survey, key = Rich(str(invitation.id)), Rich(waiting.key)
    buttons, expects = buttons_of(invitation, question, waiting.key), (SURVEY, str(invitation.id))
    if waiting.asks_reason:
        reply.utter(waiting.response, buttons=buttons, expects=expects, survey=survey, key=key)
        return
    told = Rich(f"{before}\n{fragment('utter_survey_question', question=question.text)}") if before else None
    reply.utter(
        waiting.response,
        buttons=buttons,
        expects=expects,
        question=told or question.text,
        survey=survey,
        key=key,
    )


def go_on(
    session: Session, reply: Reply, invitation: SurveyInvitation, waiting: Next, *, passed_over: bool = False
) -> None:
    """Put the next question with a word of thanks, or thank at the end."""
    if waiting.question is None:
        thank(session, reply, invitation)
        return
    count = len(_answers(session, invitation))
    name = "utter_survey_passed_over" if passed_over else _THANKS[count % len(_THANKS)]
    ask(reply, invitation, waiting, before=fragment(name))


def thank(session: Session, reply: Reply, invitation: SurveyInvitation) -> None:
    """Thank for all answers as they were: sorry, and what happens next, where somebody is not content."""
    expects = (SURVEY, str(invitation.id))
    follow_up = session.scalar(
        select(SurveyFollowUp).where(
            SurveyFollowUp.invitation_id == invitation.id, SurveyFollowUp.state == OPEN
        )
    )
    definition = definition_of(session.get_one(SurveyVersion, invitation.version_id))
    answers = _answers(session, invitation)
    graded = [
        (question, answers[question.key].value)
        for question in definition.questions
        if question.is_graded and question.key in answers
    ]
    given = [(question, value) for question, value in graded if value is not None]
    if any(value <= question.low_until for question, value in given) and follow_up is not None:
        deadline = deadline_text(follow_up.due_at, now=utcnow(), tz=environment().rules.timezone)
        reply.utter("utter_survey_thanks_low", expects=expects, deadline=deadline)
    elif given and all(value >= question.ends[1] - 1 for question, value in given):
        reply.utter("utter_survey_thanks_high", expects=expects)
    elif answers:
        reply.utter("utter_survey_thanks", expects=expects)
    else:
        reply.utter("utter_survey_over")


def ask_again(reply: Reply, invitation: SurveyInvitation, waiting: Next, *, why: Why, several: bool) -> None:
    """Say what was not understood, and put the question once more.

    Args:
        why: of a grade, why it could not be told.
        several: of a choice, whether several may have been meant.
    """
    question = waiting.question
    assert question is not None  # noqa: S101  # likewise
    if question.is_graded:
        low, high = (to_persian_digits(end) for end in question.ends)
        if why == "nine":
            nine = {"survey": str(invitation.id), "question": waiting.key, "value": str(NINE)}
            reply.utter(
                "utter_survey_nine_or_no",
                buttons=[button(to_persian_digits(NINE), "survey_choose", **nine)],
                expects=(SURVEY, str(invitation.id)),
            )
            return
        reply.utter(_UNCLEAR_GRADES.get(why, "utter_survey_unclear_grade"), low=low, high=high)
    elif question.kind == "choice":
        reply.utter("utter_survey_several_choices" if several else "utter_survey_unclear_choice")
    else:
        reply.utter("utter_survey_no_photo" if question.kind == "photo" else "utter_survey_no_words")
    ask(reply, invitation, waiting)


def _answers(session: Session, invitation: SurveyInvitation) -> dict[str, SurveyAnswer]:
    rows = session.scalars(select(SurveyAnswer).where(SurveyAnswer.invitation_id == invitation.id))
    return {row.question: row for row in rows}
