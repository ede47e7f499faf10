"""Leaving the queue for a person, going on with a form that a person interrupted, and what was agreed."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction
from sqlalchemy.orm import Session

from actions import handoff_waiting
from actions.base import Event, Reply, StoreAction, environment
from actions.texts import is_any_in, is_one_of
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import drafting as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.handoff import service as callbacks
from crm_store.handoff.agreements import Agreement, last_agreement
from crm_store.persian import to_jalali_text
from crm_store.service_requests import drafting as requests
from crm_store.terms import term

#: The form that takes a draft down, by its kind.
FORM_OF = {
    complaints.DRAFT_KIND: "complaint_form",
    requests.DRAFT_KIND: "service_form",
    callbacks.DRAFT_KIND: "callback_form",
}
#: Told of what was agreed.
AGREED, NOT_NOTED = "utter_handoff_agreed", "utter_handoff_agreed_nothing"
#: Longest text, in words, that asks no more than what was agreed.
SHORT_QUESTION = 10


class ActionLeaveHandoff(StoreAction):
    """Ends the waiting for a person; once one is there the gateway does it without asking the dialogue."""

    def name(self) -> str:
        return "action_leave_handoff"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        # That it has ended is told by a notice.
        if not handoff_waiting.leave(turn, session):
            reply.utter("utter_handoff_nothing_to_leave")
        return []


class ActionResumeHandoff(StoreAction):
    """Goes on with what was interrupted when a person took over."""

    reads_only = True

    def name(self) -> str:
        return "action_resume_handoff"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.form:
            # It asks its question again by itself.
            reply.utter("utter_handoff_resumed")
            return []
        form = form_to_resume(turn, session)
        if form is not None:
            return [FollowupAction(form)]
        reply.utter("utter_handoff_nothing_to_resume")
        return []


def form_to_resume(turn: Turn, session: Session) -> str | None:
    """The form of the draft that was worked on last, unless it is too old to be gone on with."""
    hours = environment().settings.limits.draft_hours
    for draft in sorted(
        drafts.open_drafts(session, conversation_id=turn.conversation_id),
        key=lambda one: one.updated_at,
        reverse=True,
    ):
        is_usable = drafts.open_draft(
            session, conversation_id=turn.conversation_id, kind=draft.kind, max_age_hours=hours
        )
        if is_usable is not None and draft.kind in FORM_OF:
            return FORM_OF[draft.kind]
    return None


def wants_to_resume(turn: Turn) -> bool:
    """Whether a text says no more than that one wishes to go on."""
    return is_one_of("handoff", "resuming", turn.text)


def asks_what_was_agreed(turn: Turn) -> bool:
    """Whether a short text asks what came of the talk with a person: «همکارتون گفت چی شد؟»."""
    return turn.word_count <= SHORT_QUESTION and is_any_in("handoff", "asking_agreed", turn.text)


def agreement_with(turn: Turn, session: Session) -> Agreement | None:
    """What came of this customer's last talk with a person; None if none was lately."""
    customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
    return last_agreement(session, customer_id=customer_id)


def tell_agreement(reply: Reply, agreement: Agreement) -> None:
    """Tell what was agreed with whom, or that nothing was written down."""
    date = to_jalali_text(agreement.at, environment().settings.business.timezone)
    agent = agreement.agent or term("handoff", "words", "somebody")
    if agreement.agreed:
        reply.utter(AGREED, agent=agent, agreed=agreement.agreed, date=date)
    else:
        reply.utter(NOT_NOTED, agent=agent, date=date)
