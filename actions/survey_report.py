"""What surveys have brought, told within a report (actions/staff_report.py); and the periods of reports."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from actions.base import Reply, environment
from actions.texts import Rich, fragment, is_any_in, words
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.persian import to_jalali_text, to_persian_digits
from crm_store.persian.jalali_days import jalali, month_start
from crm_store.pictures import SURVEY as PICTURE
from crm_store.surveys.definitions import listed
from crm_store.surveys.results import QuestionResult, SurveyResults, results
from crm_store.terms import term

#: Surveys that one message tells of; each has a picture.
_AT_MOST = 3
#: Shortest word of a survey's title by which it is asked for.
_TELLING_LENGTH = 4


def asks_for_surveys(text: str) -> bool:
    """Whether a text asks for what surveys have brought."""
    return is_any_in("surveys", "report_words", text)


def report_surveys(turn: Turn, session: Session, reply: Reply) -> None:
    """Tell response rates and scores of a period, of this month if none is named."""
    first, after = period_of(turn)
    rules = environment().rules
    found = [
        results(session, key=key, rules=rules, since=moment_of(first), until=moment_of(after))
        for key in _asked_for(turn, session)
    ]
    found = [one for one in found if one.total.asked or one.total.began]
    found.sort(key=lambda one: one.total.asked + one.total.began, reverse=True)
    when = period_text(first, after)
    if not found:
        reply.utter("utter_survey_report_nothing", when=when)
    for one in found[:_AT_MOST]:
        reply.utter(
            "utter_survey_report",
            title=one.title,
            when=when,
            lines=Rich("\n".join(_lines(one))),
            picture=(PICTURE, msgspec.to_builtins(one)),
        )


def _asked_for(turn: Turn, session: Session) -> list[str]:
    """The surveys that a message names by a word that stands in no other's title; all where it names none."""
    typed = set(words(turn.text))
    surveys = [one.definition for one in listed(session, rules=environment().rules)]
    # «نظرسنجی» and «رضایت» are said of all of them.
    titles = {
        one.key: {
            word
            for word in words(one.title)
            if len(word) >= _TELLING_LENGTH and not is_any_in("surveys", "report_words", word)
        }
        for one in surveys
    }
    count = Counter(word for title in titles.values() for word in title)
    named = [key for key, title in titles.items() if any(count[word] == 1 for word in title & typed)]
    return named or list(titles)


def _lines(found: SurveyResults) -> list[Rich]:
    total = found.total
    lines = []
    if total.response_rate is not None:
        lines.append(
            fragment(
                "utter_survey_report_rate_line",
                answered=total.answered,
                asked=total.asked,
                rate=_number(100 * total.response_rate),
            )
        )
    if total.began:
        lines.append(fragment("utter_survey_report_began_line", began=total.began))
    if not lines:
        lines.append(fragment("utter_survey_report_none_line"))
    return [*lines, *(line for question in total.questions for line in _question_lines(question, found))]


def _question_lines(question: QuestionResult, found: SurveyResults) -> list[Rich]:
    """What a question has brought; nothing of words and photos, and nothing without an answer."""
    figures = question.figures
    measure = term("surveys", "measures", question.kind) or question.text
    told: dict[str, Any] = {"measure": measure, "count": figures.count}
    if not figures.count:
        return []
    if figures.nps is not None:
        ends = {"low": _number(figures.nps.low), "high": _number(figures.nps.high)}
        return [fragment("utter_survey_report_nps_line", score=_number(figures.nps.score), **ends, **told)]
    if figures.mean is not None:
        top = to_persian_digits(max(int(grade) for grade in figures.distribution))
        told |= {"mean": _number(figures.mean, places=1), "top": top}
        if figures.satisfied is not None:
            share = _number(100 * figures.satisfied)
            return [fragment("utter_survey_report_csat_line", share=share, **told)]
        return [fragment("utter_survey_report_mean_line", **told)]
    if not figures.distribution:
        return []
    return [_choices_line(question, found)]


def _choices_line(question: QuestionResult, found: SurveyResults) -> Rich:
    surveys = environment().business.surveys.item(found.key)
    asked = surveys.question(question.key) if surveys is not None else None
    titles = {choice.key: choice.title for choice in asked.choices} if asked is not None else {}
    counted = [
        fragment("utter_survey_report_choice", choice=titles.get(key, key), count=count)
        for key, count in sorted(question.figures.distribution.items(), key=lambda one: -one[1])
    ]
    separator = term("surveys", "report_marks", "between") or " "
    joined = Rich(separator.join(counted))
    return fragment("utter_survey_report_choice_line", question=question.text, choices=joined)


def period_of(turn: Turn) -> tuple[date, date]:
    """First day, and the first one after: what is named, else this Jalali month up to today."""
    spans: list[Any] = list(turn.entities.get("period", ()))
    named = spans[0] if spans else None
    if isinstance(named, dict):
        return date.fromisoformat(str(named["from"])), date.fromisoformat(str(named["to"]))
    day = turn.entity("date")
    if day is not None:
        first = date.fromisoformat(day)
        return first, first + timedelta(days=1)
    today = utcnow().astimezone(_zone()).date()
    year, month, _ = jalali(today)
    return month_start(year, month), today + timedelta(days=1)


def period_text(first: date, after: date) -> str:
    """The days of a period: «از ۱ تا ۶ آذر»."""
    last = after - timedelta(days=1)
    begin, end = (to_jalali_text(moment_of(day), environment().rules.timezone) for day in (first, last))
    return begin if first == last else str(fragment("utter_survey_report_span", first=begin, last=end))


def moment_of(day: date) -> datetime:
    """When a day of the business begins, in UTC."""
    return datetime.combine(day, time(), tzinfo=_zone()).astimezone(timezone.utc)


def _zone() -> ZoneInfo:
    return ZoneInfo(environment().rules.timezone)


def _number(value: float, *, places: int = 0) -> str:
    """A figure in Persian digits, with the minus sign of a negative one before it."""
    written = f"{value:.{places}f}"
    plain = "0" if float(written) == 0 else written
    return to_persian_digits(plain.replace(".", "\u066b"))
