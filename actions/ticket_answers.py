"""Answers to what we asked in a notice: is it solved, does the time suit, a grade, what the staff asked."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import FollowupAction
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.customers import customer_of_turn
from actions.ticket_form import FORM
from actions.ticket_tasks import REOPENED, described
from actions.tickets import begin
from actions.turn import Turn
from crm_store.complaints import following as complaints
from crm_store.errors import InvalidTransition, NotFound, TooLate
from crm_store.persian import phone_text
from crm_store.service_requests import following as requests
from crm_store.tickets.expecting import ANSWER, RATING

#: Stars of a grade that was given with buttons.
STARS = 5
#: What a bare number may be of.
SCALES = (STARS, 10, 20)
#: Whoever says in so many words that it is not solved has told what is left.
TELLING_WORDS = 7


class ActionConfirmSolved(StoreAction):
    """Takes the customer's word that it is solved, and closes the complaint."""

    def name(self) -> str:
        return "action_confirm_solved"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        where = _where(turn, session)
        try:
            complaint = complaints.confirm_solved(session, **where)
        except NotFound:
            reply.utter("utter_ticket_not_found")
        except InvalidTransition:
            reply.utter("utter_not_resolved_yet")
        else:
            reply.utter("utter_solved_thanks", **described(complaint))
        return []


class ActionDenySolved(StoreAction):
    """Opens a complaint again that is not solved, and asks what is left unless that was told."""

    def name(self) -> str:
        return "action_deny_solved"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        where = _where(turn, session)
        told = "" if turn.trusted else turn.text
        try:
            complaint = complaints.reopen(session, **where, reason=told)
        except NotFound:
            reply.utter("utter_ticket_not_found")
        except TooLate:
            reply.utter("utter_too_late_to_reopen")
        except InvalidTransition:
            reply.utter("utter_reopened_already")
        else:
            reply.utter("utter_complaint_reopened", **described(complaint))
            if told and (turn.word_count >= TELLING_WORDS or turn.attachments):
                complaints.add_note(session, **where, text=told, attachment_ids=turn.attachments)
            elif turn.form is None:
                begin(turn, session, REOPENED, complaint.code)
                return [FollowupAction(FORM)]
        return []


class ActionAnswerStaff(StoreAction):
    """Passes an answer on to whoever asked, with the files that came along; a button announces one."""

    def name(self) -> str:
        return "action_answer_staff"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        where = _where(turn, session)
        # Whoever shares their own contact answers with its number.
        text = turn.text or (phone_text(turn.contact) if turn.contact else "")
        if not text and not turn.attachments:
            return _wait_for_answer(turn, session, reply)
        try:
            complaint = complaints.answer_question(
                session, **where, text=text, attachment_ids=turn.attachments
            )
        except (NotFound, InvalidTransition):
            reply.utter("utter_question_is_over")
        else:
            reply.utter("utter_answer_passed_on", **described(complaint))
        return []


class ActionConfirmVisit(StoreAction):
    """Notes that the time of a visit suits the customer."""

    def name(self) -> str:
        return "action_confirm_visit"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        try:
            request = requests.confirm_visit(session, **_where(turn, session))
        except (NotFound, InvalidTransition):
            reply.utter("utter_visit_is_over")
        else:
            reply.utter("utter_visit_confirmed", **described(request))
        return []


class ActionRateVisit(StoreAction):
    """Takes the grade for a visit."""

    def name(self) -> str:
        return "action_rate_visit"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        grade = _grade(turn)
        if grade is None:
            reply.utter("utter_grade_unclear", expects=(RATING, turn.entity("ticket") or ""))
            return keep_form_waiting(turn)
        value, scale = grade
        try:
            requests.rate(session, **_where(turn, session), value=value, scale=scale)
        except (NotFound, InvalidTransition, TooLate):
            reply.utter("utter_visit_is_over")
        else:
            reply.utter("utter_grade_thanks" if value * 2 > scale else "utter_grade_regret")
        return []


def _wait_for_answer(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Ask for the answer that a button announces: the next message is read as it, within a form as well."""
    customer_id, rules = customer_of_turn(turn, session), environment().rules
    open_ones = {one.code: one for one in complaints.asked(session, customer_id=customer_id, rules=rules)}
    complaint = open_ones.get(turn.entity("ticket") or "")
    if complaint is None:
        reply.utter("utter_question_is_over")
        return []
    reply.utter("utter_ask_answer", expects=(ANSWER, complaint.code), **described(complaint))
    return keep_form_waiting(turn)


def _grade(turn: Turn) -> tuple[int, int] | None:
    """Value and scale of a grade, by button or in words; a bare number is of the first scale that it fits."""
    stars = turn.entity("stars")
    if stars is not None:
        return int(stars), STARS
    rating: Any = next(
        (one.value or _first(one.candidates) for one in turn.found if one.entity == "rating"), None
    )
    if rating:
        return _on_scale(rating["value"], rating["scale"])
    number: Any = next((one.value for one in turn.found if one.entity == "number"), None)
    scale = next((scale for scale in SCALES if number is not None and 0 <= number <= scale), None)
    return _on_scale(number, scale) if scale is not None else None


def _on_scale(value: float, scale: int) -> tuple[int, int] | None:
    """A grade in whole steps from 1 on: «۴.۵ از ۵» is 9 of 10, and zero is the worst that there is."""
    steps = 1 if value == int(value) else 2
    grade = max(1, round(value * steps))
    return (grade, scale * steps) if grade <= scale * steps else None


def _first(candidates: tuple[Any, ...]) -> Any:
    return candidates[0] if candidates else None


def _where(turn: Turn, session: Session) -> dict[str, Any]:
    return {
        "customer_id": customer_of_turn(turn, session),
        "code": turn.entity("ticket") or "",
        "inbox_id": turn.inbox_id,
        "rules": environment().rules,
    }
