"""Complaints: filing one, and asking where it is."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.orm import Session

from actions import promises
from actions.base import Event, Reply, StoreAction, clear_slots, environment, tell_staff
from actions.complaint_answers import draft_of
from actions.complaint_form import SLOTS
from actions.texts import Rich, count_other_words, fragment
from actions.turn import Turn
from crm_store.complaints import drafting, service
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.drafts import OPEN
from crm_store.errors import NotFound
from crm_store.persian import (
    find_phones,
    find_tracking_codes,
    to_ascii_digits,
    to_jalali_text,
    to_persian_digits,
)
from crm_store.terms import term

_LOOKS_LIKE_A_CODE = re.compile(r"\d{5,}")


class ActionFileComplaint(StoreAction):
    """Files the confirmed draft and tells the tracking code."""

    def name(self) -> str:
        return "action_file_complaint"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        complaint = service.file_complaint(
            session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id
        )
        code = to_persian_digits(complaint.code)
        tell_staff(
            session,
            turn,
            response="utter_staff_group_complaint",
            key=f"staff-complaint:{complaint.id}",
            params={"code": code, "category": environment().business.category(complaint.category).title},
        )
        reply.utter("utter_complaint_filed", code=code)
        return clear_slots(SLOTS)


class ActionComplaintStatus(StoreAction):
    """Tells the state of one's own complaints, or of the one whose code was given."""

    reads_only = True

    def name(self) -> str:
        return "action_complaint_status"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        # «چرا هنوز زنگ نزدید» asks for a call that was promised.
        about_a_call = promises.answer_when(turn, session, reply)
        if about_a_call is not None:
            return about_a_call
        tell_status(turn, session, reply)
        return []


def tell_status(turn: Turn, session: Session, reply: Reply) -> None:
    """Tell the state of the complaint that the message names, or list them all, newest first.

    A code of somebody else's complaint is answered as one that does not exist.
    """
    customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
    code = given_code(turn)
    if code is not None:
        try:
            complaint = service.own_complaint(session, customer_id=customer_id, code=code)
        except NotFound:
            reply.utter("utter_complaint_not_found")
        else:
            reply.utter("utter_complaint_state", **_described(complaint))
        return
    complaints = service.complaints_of(session, customer_id=customer_id)
    draft = draft_of(turn, session)
    is_half_told = draft is not None and draft.state == OPEN and drafting.DESCRIPTION in draft.data
    if not complaints:
        reply.utter("utter_complaint_waits" if is_half_told and not turn.form else "utter_no_complaints")
        return
    items = [fragment("utter_complaint_list_item", **_described(complaint)) for complaint in complaints]
    reply.utter("utter_complaint_list", items=Rich("\n".join(items)))
    if is_half_told and not turn.form:
        reply.utter("utter_complaint_waits")


def given_code(turn: Turn) -> str | None:
    """The tracking code in a message; a number that can be none counts as one that does not exist."""
    found = find_tracking_codes(turn.text)
    if found:
        return found[0].value
    number = _LOOKS_LIKE_A_CODE.search(to_ascii_digits(turn.text))
    return number.group() if number and not find_phones(turn.text) else None


def names_only_a_code(turn: Turn) -> bool:
    """Whether a message is a tracking code, right or wrong, and no more: «کد ۱۲۳۴۵۶۷۸»."""
    code = given_code(turn)
    besides = re.sub(r"\d+", " ", turn.text)
    return (
        code is not None
        and not code.startswith("0")
        and not count_other_words("complaints", "naming_a_code", besides)
    )


def _described(complaint: Complaint) -> dict[str, Any]:
    timezone = environment().settings.business.timezone
    return {
        "code": to_persian_digits(complaint.code),
        "category": environment().business.category(complaint.category).title,
        "state": term("complaints", "states", complaint.state),
        "date": to_jalali_text(complaint.created_at, timezone),
    }
