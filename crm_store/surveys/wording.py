"""How a question is put: the response that says it, its values, and the buttons that it needs besides."""

from __future__ import annotations

import json
from typing import Any

from crm_store.business.surveys import SurveyDefinition, SurveyQuestion
from crm_store.persian import to_persian_digits
from crm_store.surveys.models import SurveyInvitation
from crm_store.terms import term

#: By kind of question; each has ``{question}``, and in its buttons' payloads ``{survey}`` and ``{key}``.
QUESTIONS = {
    "csat": "utter_survey_question_csat",
    "nps": "utter_survey_question_nps",
    "ces": "utter_survey_question_ces",
    "choice": "utter_survey_question_choice",
    "scale": "utter_survey_question_scale",
    "text": "utter_survey_question_text",
    "photo": "utter_survey_question_photo",
}
REASON = "utter_survey_question_reason"
#: All notices after which a survey waits for an answer.
ASKING = frozenset({*QUESTIONS.values(), REASON})
#: Behind the key of a question: the reason for the low grade that it got.
WHY = ":why"
CHOOSE, PASS = "survey_choose", "survey_pass"
#: Grades of a scale in one row of buttons.
_IN_A_ROW = 5


def params_of(invitation: SurveyInvitation, question: SurveyQuestion, key: str) -> dict[str, Any]:
    """The values of a question's response: ``question``, ``survey``, ``key`` and ``ticket`` (as ``survey``).

    Args:
        key: the question's, or the same with WHY behind it.
    """
    survey = str(invitation.id)
    return {"question": question.text, "survey": survey, "key": key, "ticket": survey}


def opening(definition: SurveyDefinition) -> dict[str, Any] | str:
    """What is said before the first question: the owner's words, or the response with Peyvand's."""
    return definition.intro or {"response": "utter_survey_opening", "params": {}}


def buttons_of(invitation: SurveyInvitation, question: SurveyQuestion, key: str) -> list[dict[str, Any]]:
    """Buttons besides those of the response: of a choice, of a scale, and to pass the question over.

    Returns:
        ``{"title", "payload", "row"}`` each; grades in rising order.
    """
    if key.endswith(WHY):
        return []  # the response has its own
    options: list[tuple[str, str, int]] = []
    if question.kind == "choice":
        options = [(choice.title, choice.key, row) for row, choice in enumerate(question.choices)]
    elif question.kind == "scale":
        low, high = question.ends
        grades = range(low, high + 1)
        options = [(to_persian_digits(one), str(one), (one - low) // _IN_A_ROW) for one in grades]
    buttons: list[dict[str, Any]] = [
        {"title": title, "payload": _payload(CHOOSE, invitation, key, value=value), "row": row}
        for title, value, row in options
    ]
    if question.is_optional:
        title = term("surveys", "buttons", "pass") or ""
        row = max((button["row"] for button in buttons), default=-1) + 1
        buttons.append({"title": title, "payload": _payload(PASS, invitation, key), "row": row})
    return buttons


def _payload(intent: str, invitation: SurveyInvitation, key: str, **values: str) -> str:
    named = {"survey": str(invitation.id), "question": key, **values}
    return f"/{intent}{json.dumps(named, ensure_ascii=False)}"
