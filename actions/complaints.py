"""Complaints: what is said about one, its summary, filing it and asking where it is."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, clear_slots, environment, tell_staff
from actions.complaint_form import SLOTS
from actions.texts import Rich, category_title, count_other_words, fragment, term
from actions.turn import Turn, read_turn
from crm_store import drafts
from crm_store.complaints import service
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.errors import NotFound
from crm_store.persian import (
    find_phones,
    find_tracking_codes,
    to_ascii_digits,
    to_jalali_text,
    to_persian_digits,
)

#: Characters of the story that the summary shows.
SUMMARY_LENGTH = 500

_LOOKS_LIKE_A_CODE = re.compile(r"\d{5,}")


class ActionAskComplaintDescription(Action):
    """Asks for the story: with sympathy at first, briefly after a digression or a correction."""

    def name(self) -> str:
        """The action's name in domain.yml."""
        return "action_ask_complaint_form_complaint_description"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[Event]:
        """Runs the action (called by rasa_sdk)."""
        first, again = "utter_ask_complaint_description", "utter_ask_complaint_description_again"
        Reply(dispatcher).utter(again if _has_heard(read_turn(tracker), first, again) else first)
        return []


class ActionAskComplaintCategory(Action):
    """Asks for the category: with sympathy at first, briefly after a digression or a correction."""

    def name(self) -> str:
        """The action's name in domain.yml."""
        return "action_ask_complaint_form_complaint_category"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[Event]:
        """Runs the action (called by rasa_sdk)."""
        first, again = "utter_ask_complaint_category", "utter_ask_complaint_category_again"
        Reply(dispatcher).utter(again if _has_heard(read_turn(tracker), first, again) else first)
        return []


def _has_heard(turn: Turn, *questions: str) -> bool:
    """Whether somebody was told just now that we are sorry, or at the latest before the summary."""
    return turn.previous.ended_with(*questions, "utter_complaint_summary", "utter_complaint_correction")


class ActionAskComplaintFormConfirm(StoreAction):
    """Shows the draft and asks whether it may be filed."""

    reads_only = True

    def name(self) -> str:
        return "action_ask_complaint_form_confirm"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        draft = drafts.turn_draft(
            session, conversation_id=turn.conversation_id, kind=service.DRAFT_KIND, inbox_id=turn.inbox_id
        )
        if draft is None:
            raise NotFound("there is no complaint draft to show")
        count = len(draft.data.get("attachments", []))
        reply.utter(
            "utter_complaint_summary",
            description=_shortened(draft.data["description"]),
            category=category_title(draft.data["category"]),
            attachments=fragment("complaints", "utter_complaint_attachments", count=count)
            if count
            else Rich(),
        )
        return []


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
            params={"code": code, "category": category_title(complaint.category)},
        )
        reply.utter("utter_complaint_filed", code=code)
        return clear_slots(SLOTS)


class ActionComplaintStatus(StoreAction):
    """Tells the state of one's own complaints, or of the one whose code was given."""

    reads_only = True

    def name(self) -> str:
        return "action_complaint_status"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
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
    if not complaints:
        reply.utter("utter_no_complaints")
        return
    items = [
        fragment("complaints", "utter_complaint_list_item", **_described(complaint))
        for complaint in complaints
    ]
    reply.utter("utter_complaint_list", items=Rich("\n".join(items)))


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
        "category": category_title(complaint.category),
        "state": term("complaints", "states", complaint.state),
        "date": to_jalali_text(complaint.created_at, timezone),
    }


def _shortened(story: str) -> str:
    return story if len(story) <= SUMMARY_LENGTH else story[:SUMMARY_LENGTH].rstrip() + "…"
