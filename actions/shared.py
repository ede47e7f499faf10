"""What belongs to no area: sessions, yes and no, dropping a form, media."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, FollowupAction, SessionStarted, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions import (
    complaint_form,
    customers,
    handoff,
    handoff_waiting,
    loyalty,
    loyalty_club,
    loyalty_referral,
    privacy,
    promises,
    service_answers,
    service_form,
    service_questions,
    ticket_form,
    tickets,
)
from actions.base import Event, Reply, StoreAction, clear_slots, keep_form_waiting
from actions.misunderstood import COMPLAINT_FORM, GUESSES, keep_media, not_understood
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import drafting as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.handoff import service as callbacks
from crm_store.service_requests import drafting as requests
from crm_store.tickets import service as ticket_tasks

#: Questions to which a bare yes says that the answer is about to come.
WAITS_AFTER_YES = (
    "complaint_order_number",
    "complaint_attachments",
    "complaint_phone",
    "service_attachments",
    "service_phone",
    ticket_form.FILES_SLOT,
    ticket_form.DETAIL_SLOT,
)

#: Questions of a task with a ticket after which a plain no leaves everything as it is.
DROPPED_BY_NO = (ticket_form.CONFIRM_SLOT, ticket_form.DETAIL_SLOT)

#: How the draft of each form is dropped; without a form, whatever is open.
DROPPING: dict[str, Callable[..., bool]] = {
    COMPLAINT_FORM: complaints.cancel_draft,
    service_form.FORM: requests.cancel_draft,
    promises.FORM: callbacks.cancel_callback,
    ticket_form.FORM: ticket_tasks.cancel_task,
}


class ActionSessionStart(Action):
    """Starts a session with nothing carried over: what must last is in the store."""

    def name(self) -> str:
        return "action_session_start"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[Event]:
        """Runs the action (called by rasa_sdk)."""
        return [SessionStarted(), ActionExecuted("action_listen")]


class ActionStart(StoreAction):
    """Welcomes whoever comes in for the first time, and takes the friend's code of the link that led here."""

    def name(self) -> str:
        return "action_start"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter("utter_welcome")
        loyalty_referral.take_code_of_link(turn, session, reply)
        return []


class ActionHelp(StoreAction):
    """Tells what can be done here; no plain response, for a call for help may need a person."""

    reads_only = True

    def name(self) -> str:
        return "action_help"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter("utter_help")
        return []


class ActionGoodbye(StoreAction):
    """Returns a farewell; a form waits until the person is back."""

    reads_only = True

    def name(self) -> str:
        return "action_goodbye"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter("utter_form_goodbye" if turn.form else "utter_goodbye")
        return keep_form_waiting(turn)


class ActionAffirm(StoreAction):
    """Takes a yes for an answer to what was offered last."""

    def name(self) -> str:
        return "action_affirm"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.answers_privacy:
            return privacy.take_yes(turn, session, reply)
        if turn.callback_offered:
            if handoff.typed_phone(turn) is None:
                return [FollowupAction(promises.FORM)]
            handoff.note_callback(turn, session, reply)
        elif turn.requested in WAITS_AFTER_YES and turn.form is not None:
            reply.utter("utter_form_go_ahead")
        elif turn.form:
            return not_understood(turn, session, reply)
        # The summary's button outlives its session: the draft is shown again, and the next tap files it.
        elif turn.previous.ended_with("utter_media_received") or (turn.trusted and _has_story(turn, session)):
            return [FollowupAction(COMPLAINT_FORM)]
        elif turn.trusted and service_answers.DRAFT.data(turn, session):
            return [FollowupAction(service_form.FORM)]
        else:
            reply.utter("utter_affirm_idle")
        return []


class ActionDeny(StoreAction):
    """Takes a no for an answer to what was offered or asked last."""

    def name(self) -> str:
        return "action_deny"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.answers_privacy:
            return privacy.take_no(turn, session, reply)
        if turn.callback_offered:
            reply.utter("utter_callback_declined")
        elif turn.form == COMPLAINT_FORM and turn.requested == complaint_form.CONFIRM:
            reply.utter("utter_complaint_correction")
            return keep_form_waiting(turn)
        elif turn.form == service_form.FORM and turn.requested == service_form.CONFIRM:
            return service_questions.ask_what_is_wrong(turn, session, reply)
        elif turn.form == ticket_form.FORM and turn.requested in DROPPED_BY_NO:
            return tickets.drop_task(turn, session, reply)
        elif _ends_the_waiting(turn, session):
            pass
        elif turn.form or turn.previous.ended_with(*GUESSES):
            return not_understood(turn, session, reply)
        elif turn.previous.ended_with("utter_media_received"):
            if not _has_story(turn, session):
                complaints.cancel_draft(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
            reply.utter("utter_media_not_needed")
        else:
            reply.utter("utter_deny_idle")
        return []


class ActionCancelForm(StoreAction):
    """Drops what is being filled in, also when its session is over and only the draft is left."""

    def name(self) -> str:
        return "action_cancel_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.answers_privacy:
            return privacy.take_no(turn, session, reply)
        if turn.form == ticket_form.FORM:
            return tickets.drop_task(turn, session, reply)
        if turn.callback_offered and turn.form is None:
            reply.utter("utter_callback_declined")
            return []
        dropped = {
            form
            for form, drop in DROPPING.items()
            if turn.form in (None, form)
            and drop(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
        }
        if turn.form == promises.FORM or dropped == {promises.FORM}:
            # Whoever drops another number for a promised call is still called.
            promised = promises.open_callback(turn, session)
            if promised is not None and callbacks.promise_stands(promised):
                promises.tell_promise(turn, session, reply, promised)
            else:
                reply.utter("utter_callback_declined")
        elif turn.form or dropped:
            reply.utter("utter_form_cancelled")
        elif not handoff_waiting.leave(turn, session):
            reply.utter("utter_nothing_to_cancel")
        return [
            *clear_slots((*complaint_form.SLOTS, *service_form.SLOTS, *handoff.SLOTS)),
            SlotSet("requested_slot", None),
            ActiveLoop(None),
        ]


class ActionReceiveMedia(StoreAction):
    """Keeps what was sent without a word, and asks what it is for."""

    def name(self) -> str:
        return "action_receive_media"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.contact is not None:
            _take_contact(turn, session, reply, turn.contact)
        elif turn.form:
            reply.utter("utter_media_in_form")
        elif _is_seen_by_a_person(turn, session, reply):
            pass
        elif not tickets.add_to_last_ticket(turn, session, reply):
            keep_media(turn, session, reply)
        return []


def _ends_the_waiting(turn: Turn, session: Session) -> bool:
    """Whether a no is one to the person who was to come, so that nobody comes; a notice says so."""
    told = turn.previous.ended_with(*handoff_waiting.TELLS_OF_WAITING)
    return told and handoff_waiting.leave(turn, session)


def _is_seen_by_a_person(turn: Turn, session: Session, reply: Reply) -> bool:
    """Whether somebody waits for a person, who sees what was sent."""
    waiting = handoff_waiting.waiting_in(turn, session)
    if waiting is not None:
        handoff_waiting.tell_place(session, reply, waiting, handoff_waiting.STILL)
    return waiting is not None


def _take_contact(turn: Turn, session: Session, reply: Reply, phone: str) -> None:
    if turn.callback_offered or turn.callback_promised:
        customers.tell_link(turn, session, reply)
        handoff.note_callback(turn, session, reply)
        return
    customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
    add_phone(session, customer_id=customer_id, phone=phone, proven=True)
    if not turn.form:
        if not turn.previous.ended_with(loyalty_club.PROVE_PHONE, loyalty_club.PROVE_FRIENDS_PHONE):
            customers.answer_contact(turn, session, reply)
        else:
            loyalty.answer_proof(turn, session, reply)
    elif not customers.tell_link(turn, session, reply):
        reply.utter("utter_media_in_form")


def _has_story(turn: Turn, session: Session) -> bool:
    draft = drafts.turn_draft(
        session, conversation_id=turn.conversation_id, kind=complaints.DRAFT_KIND, inbox_id=turn.inbox_id
    )
    return draft is not None and draft.state == drafts.OPEN and bool(draft.data.get("description"))
