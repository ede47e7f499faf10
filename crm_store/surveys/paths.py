"""Which way a survey goes: by the answers given, over what was answered before, to the end."""

from __future__ import annotations

from collections.abc import Mapping

from crm_store.business.surveys import END, Branch, SurveyDefinition, SurveyQuestion
from crm_store.surveys.models import SurveyAnswer
from crm_store.surveys.wording import WHY

#: By the keys of the questions.
Answers = Mapping[str, SurveyAnswer]


def next_open(definition: SurveyDefinition, answers: Answers, asked: SurveyQuestion, waited: str) -> str:
    """What is asked after a question: over what was answered before, up to the reason that was waited for.

    Returns:
        The key under which it is answered; empty at the end.
    """
    following = _after(definition, asked, answers.get(asked.key))
    while following is not None and following.key in answers:
        if waited == following.key + WHY:
            return waited
        following = _after(definition, following, answers[following.key])
    return following.key if following is not None else ""


def _after(
    definition: SurveyDefinition, asked: SurveyQuestion, given: SurveyAnswer | None
) -> SurveyQuestion | None:
    """The question to which an answer leads: by the first branch that fits, else the one behind it."""
    for branch in asked.branches:
        if _fits(branch, given):
            return None if branch.go_to == END else definition.question(branch.go_to)
    place = definition.questions.index(asked) + 1
    return definition.questions[place] if place < len(definition.questions) else None


def _fits(branch: Branch, given: SurveyAnswer | None) -> bool:
    """Whether an answer takes a branch; one without conditions is always taken."""
    value, choice = (given.value, given.choice) if given is not None else (None, "")
    if branch.at_most is not None and (value is None or value > branch.at_most):
        return False
    if branch.at_least is not None and (value is None or value < branch.at_least):
        return False
    return not branch.choices or choice in branch.choices


def is_low(asked: SurveyQuestion, given: SurveyAnswer) -> bool:
    """Whether an answer is a low grade."""
    return asked.is_graded and given.value is not None and given.value <= asked.low_until


def parts(name: str) -> tuple[str, bool]:
    """A question's key, and whether its reason is meant."""
    return name.removesuffix(WHY), name.endswith(WHY)


def is_empty(given: SurveyAnswer) -> bool:
    """Whether a question was passed over."""
    return given.value is None and not (given.choice or given.text or given.files)
