"""Results of a survey: who answered, and what, as a whole and by tier, member of staff or Jalali month."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm_store.business.surveys import SurveyDefinition, SurveyQuestion
from crm_store.errors import NotFound
from crm_store.persian.jalali_days import jalali
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.surveys.definitions import definition_of, survey_in_force
from crm_store.surveys.figures import Figures, graded
from crm_store.surveys.models import (
    COMPLETED,
    EXPIRED,
    SKIPPED,
    SurveyAnswer,
    SurveyInvitation,
    SurveyVersion,
)
from crm_store.surveys.planning import BY_CUSTOMER

By = Literal["tier", "staff", "month"]


class QuestionResult(msgspec.Struct, frozen=True):
    """A question and what was answered to it.

    Attributes:
        versions: numbers of the versions whose answers are counted.
        left_out: those in which it was another question: other grades, other choices, another kind.
        figures: of the answers.
        titles: of the choices, by their keys.
    """

    key: str
    kind: str
    text: str
    versions: list[int]
    left_out: list[int]
    figures: Figures
    titles: dict[str, str] = {}


class Segment(msgspec.Struct, frozen=True):
    """The results of some of those who were asked.

    Attributes:
        name: of the tier or the member of staff, or the Jalali month, ``1405-09``; empty for all or for none.
        asked: whom we asked.
        began: who spoke up unasked.
        answered: those asked who answered at least one question.
        completed: who answered all, asked or not.
        skipped: who did not want to.
        expired: of whom nothing more came.
        response_rate: share of those asked who answered something, from 0 to 1; None if nobody was asked.
    """

    name: str
    asked: int
    began: int
    answered: int
    completed: int
    skipped: int
    expired: int
    response_rate: float | None
    questions: list[QuestionResult]


class SurveyResults(msgspec.Struct, frozen=True):
    """The results of a survey.

    Attributes:
        total: of all.
        segments: by what was asked for, in order of their names.
    """

    key: str
    title: str
    since: datetime | None
    until: datetime | None
    by: str
    total: Segment
    segments: list[Segment]


def results(
    session: Session,
    *,
    key: str,
    rules: Rules,
    since: datetime | None = None,
    until: datetime | None = None,
    by: By | None = None,
) -> SurveyResults:
    """What a survey has brought.

    Answers to a question are added up over all versions in which it was the same one: of the same kind, with
    the same grades and the same choices as now.

    Args:
        since: only of those asked from this moment on.
        until: only of those asked before this one.
        by: also by tier, by member of staff, or by the Jalali month of asking.

    Raises:
        NotFound: there is no such survey.
    """
    definition = survey_in_force(session, key=key, rules=rules)
    versions = session.scalars(
        select(SurveyVersion).where(SurveyVersion.key == key).order_by(SurveyVersion.version)
    ).all()
    if definition is None and not versions:
        raise NotFound(f"there is no survey {key}")
    current = definition if definition is not None else definition_of(versions[-1])
    asked = _Asked(session, key, since, until)
    counting = _Counting(current, {one.id: (one.version, definition_of(one)) for one in versions})
    named = _naming(session, by, rules)
    segments = []
    if by is not None:
        groups: dict[str, list[SurveyInvitation]] = defaultdict(list)
        for invitation in asked.invitations:
            groups[named(invitation)].append(invitation)
        segments = [counting.segment(name, groups[name], asked.answers) for name in sorted(groups)]
    total = counting.segment("", asked.invitations, asked.answers)
    return SurveyResults(key, current.title, since, until, by or "", total, segments)


class _Asked:
    """The invitations of a period and the answers to them, by invitation.

    Among them are those that were never asked but answered: a visit was graded before its survey's time came.
    """

    def __init__(self, session: Session, key: str, since: datetime | None, until: datetime | None) -> None:
        begun_at = func.coalesce(SurveyInvitation.asked_at, SurveyInvitation.created_at)
        any_answer = aliased(SurveyAnswer)
        is_answered = exists().where(any_answer.invitation_id == SurveyInvitation.id)
        within: list[ColumnElement[bool]] = [
            SurveyInvitation.key == key,
            or_(SurveyInvitation.asked_at.is_not(None), is_answered),
        ]
        if since is not None:
            within.append(begun_at >= since)
        if until is not None:
            within.append(begun_at < until)
        self.invitations = list(
            session.scalars(select(SurveyInvitation).where(*within).order_by(SurveyInvitation.id))
        )
        self.answers: dict[int, list[Any]] = defaultdict(list)
        columns = (SurveyAnswer.invitation_id, SurveyAnswer.question, SurveyAnswer.value, SurveyAnswer.choice)
        texts = (SurveyAnswer.text, SurveyAnswer.files)
        own = select(*columns, *texts).join(SurveyInvitation).where(*within)
        for row in session.execute(own):
            if row.value is not None or row.choice or row.text or row.files:
                self.answers[row.invitation_id].append(row)


class _Counting:
    """Adds up answers of versions that can be compared.

    Args:
        current: the survey as it is now.
        versions: number and content by id.
    """

    def __init__(self, current: SurveyDefinition, versions: dict[int, tuple[int, SurveyDefinition]]) -> None:
        self._current = current
        self._versions = versions
        self._same = {
            question.key: {
                id_
                for id_, (_, definition) in versions.items()
                if _is_same(question, definition.question(question.key))
            }
            for question in current.questions
        }

    def segment(
        self, name: str, invitations: list[SurveyInvitation], answers: dict[int, list[Any]]
    ) -> Segment:
        """The results of some of those who were asked."""
        asked = [one for one in invitations if one.trigger != BY_CUSTOMER and one.asked_at is not None]
        answered = sum(one.id in answers for one in asked)
        states = Counter(one.state for one in invitations)
        return Segment(
            name=name,
            asked=len(asked),
            began=len(invitations) - len(asked),
            answered=answered,
            completed=states[COMPLETED],
            skipped=states[SKIPPED],
            expired=states[EXPIRED],
            response_rate=answered / len(asked) if asked else None,
            questions=[self._question(one, invitations, answers) for one in self._current.questions],
        )

    def _question(
        self, question: SurveyQuestion, invitations: list[SurveyInvitation], answers: dict[int, list[Any]]
    ) -> QuestionResult:
        same = self._same[question.key]
        given = [
            row
            for one in invitations
            if one.version_id in same
            for row in answers.get(one.id, ())
            if row.question == question.key
        ]
        known = {id_ for id_, (_, definition) in self._versions.items() if definition.question(question.key)}
        return QuestionResult(
            key=question.key,
            kind=question.kind,
            text=question.text,
            versions=sorted(self._versions[id_][0] for id_ in same),
            left_out=sorted(self._versions[id_][0] for id_ in known - same),
            figures=_figures(question, given),
            titles={choice.key: choice.title for choice in question.choices},
        )


def _figures(question: SurveyQuestion, given: list[Any]) -> Figures:
    if question.is_graded:
        return graded(question.kind, question.ends, Counter(row.value for row in given))
    counts = Counter(row.choice for row in given if row.choice)
    return Figures(
        count=len(given), distribution={choice.key: counts[choice.key] for choice in question.choices}
    )


def _is_same(question: SurveyQuestion, other: SurveyQuestion | None) -> bool:
    """Whether answers to two questions can be added up."""
    if other is None or (question.kind, question.ends) != (other.kind, other.ends):
        return False
    return {one.key for one in question.choices} == {one.key for one in other.choices}


def _naming(session: Session, by: By | None, rules: Rules) -> Callable[[SurveyInvitation], str]:
    """What tells to which segment somebody belongs."""
    if by == "tier":
        return lambda invitation: invitation.tier
    if by == "staff":
        rows = session.execute(select(StaffMember.id, StaffMember.name)).tuples().all()
        often = Counter(name for _, name in rows)
        names = {id_: name if often[name] == 1 else f"{name} ({id_})" for id_, name in rows}
        return lambda invitation: names.get(invitation.staff_id or 0, "")
    zone = ZoneInfo(rules.timezone)

    def month(invitation: SurveyInvitation) -> str:
        moment = invitation.asked_at or invitation.created_at
        year, number, _ = jalali(moment.astimezone(zone).date())
        return f"{year}-{number:02}"

    return month
