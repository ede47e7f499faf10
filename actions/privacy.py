"""Their say: advertising or none, a copy of everything that is kept, and being forgotten.

Each of them acts on the customer of the conversation, whoever is named in the text.
"""

from __future__ import annotations

from rasa_sdk.events import ActiveLoop, FollowupAction
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, clear_slots, keep_form_waiting
from actions.texts import Rich, fragment, is_any_in, is_one_of
from actions.turn import MARKETING_QUESTION, Turn
from crm_store import drafts
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.persian import find_phones
from crm_store.privacy import queries, service
from crm_store.terms import term


class ActionMarketingOptOut(StoreAction):
    """Takes a no to advertising at once."""

    def name(self) -> str:
        return "action_marketing_opt_out"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        _stop_marketing(turn, session, reply)
        return []


class ActionMarketingOptIn(StoreAction):
    """Takes a yes to advertising at once if it is beyond doubt, and asks otherwise.

    A wrong no costs the business little, a wrong yes breaks a promise.
    """

    def name(self) -> str:
        return "action_marketing_opt_in"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if _is_for_somebody_else(turn, session):
            _decline_for_others(turn, reply)
            return []
        if not _is_clear_yes(turn):
            reply.utter(MARKETING_QUESTION)
            return keep_form_waiting(turn)
        _allow_marketing(turn, session, reply)
        return []


class ActionExportData(StoreAction):
    """Has a file of everything made, which comes by itself."""

    def name(self) -> str:
        return "action_export_data"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if _is_for_somebody_else(turn, session):
            _decline_for_others(turn, reply)
            return []
        service.request_export(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
        reply.utter("utter_data_export_coming")
        return []


class ActionAskErasure(StoreAction):
    """Explains what erasing means and asks whether it is wanted."""

    reads_only = True

    def name(self) -> str:
        return "action_ask_erasure"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if _is_for_somebody_else(turn, session):
            _decline_for_others(turn, reply)
            return []
        if turn.erasure_asked:
            return _ask_again(turn, reply)
        return _ask(turn, session, reply)


class ActionConfirmErasure(StoreAction):
    """Obeys the button, if nothing else was talked about since."""

    def name(self) -> str:
        return "action_confirm_erasure"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.trusted and turn.erasure_asked:
            return _erase(turn, session, reply)
        return _ask(turn, session, reply)


class ActionKeepData(StoreAction):
    """Leaves everything as it is."""

    reads_only = True

    def name(self) -> str:
        return "action_keep_data"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        _keep(turn, session, reply)
        return []


def take_yes(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Take a typed yes to a question of this area; whatever is more than a bare yes erases nothing."""
    # A notice that came in between may have been what the yes is meant for.
    in_doubt = queries.something_told_since(
        session, conversation_id=turn.conversation_id, inbox_id=turn.previous.inbox_id
    )
    if turn.erasure_asked:
        if in_doubt or not is_one_of("privacy", "confirming_erasure", turn.text):
            return _ask_again(turn, reply)
        return _erase(turn, session, reply)
    if in_doubt:
        reply.utter(MARKETING_QUESTION)
        return keep_form_waiting(turn)
    _allow_marketing(turn, session, reply)
    return []


def take_answer(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    """Take what was not understood for an answer to the question whether to erase; None where it is none."""
    if turn.trusted or not turn.erasure_asked:
        return None
    if is_one_of("privacy", "confirming_erasure", turn.text):
        return take_yes(turn, session, reply)
    if is_any_in("privacy", "erasing", turn.text):
        return _ask_again(turn, reply)
    if is_any_in("privacy", "refusing_erasure", turn.text):
        return take_no(turn, session, reply)
    return None


def take_no(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Take a typed no to a question of this area."""
    # «پاکش کن» sounds like dropping a form.
    if turn.erasure_asked and turn.intent == "cancel" and is_any_in("privacy", "erasing", turn.text):
        return _ask_again(turn, reply)
    if turn.erasure_asked:
        _keep(turn, session, reply)
    else:
        _stop_marketing(turn, session, reply)
    # By the rules a form is over after "drop it", which was not meant here: it has to be sent on.
    return [FollowupAction(turn.form)] if turn.form and turn.intent == "cancel" else []


def _keep(turn: Turn, session: Session, reply: Reply) -> None:
    """Say that nothing is erased, unless it was confirmed in the meantime."""
    waits = service.erasure_waits(session, customer_id=_customer_of(turn, session))
    reply.utter("utter_erasure_begun" if waits else "utter_erasure_declined")


def _stop_marketing(turn: Turn, session: Session, reply: Reply) -> None:
    again = _decide(turn, session, granted=False)
    reply.utter("utter_marketing_stopped_already" if again else "utter_marketing_stopped")


def _allow_marketing(turn: Turn, session: Session, reply: Reply) -> None:
    again = _decide(turn, session, granted=True)
    reply.utter("utter_marketing_allowed_already" if again else "utter_marketing_allowed")


def _is_clear_yes(turn: Turn) -> bool:
    """Whether the words themselves ask for advertising, and no word among them refuses it."""
    return turn.trusted or (
        is_any_in("privacy", "agreeing", turn.text) and not is_any_in("privacy", "refusing", turn.text)
    )


def _decide(turn: Turn, session: Session, *, granted: bool) -> bool:
    """Record a decision about advertising; tells whether it was the same before."""
    customer_id = _customer_of(turn, session)
    before = queries.decided_before(session, customer_id=customer_id, inbox_id=turn.inbox_id)
    service.record_consent(
        session,
        customer_id=customer_id,
        granted=granted,
        text=turn.text or queries.words_of(session, inbox_id=turn.inbox_id),
        channel=turn.channel,
        inbox_id=turn.inbox_id,
    )
    return before is granted


def _is_for_somebody_else(turn: Turn, session: Session) -> bool:
    """Whether somebody else is named, or a phone number that this customer never gave."""
    if turn.trusted:
        return False
    customer_id = _customer_of(turn, session)
    return is_any_in("privacy", "others", turn.text) or any(
        not queries.has_phone(session, customer_id=customer_id, phone=phone.value)
        for phone in find_phones(turn.text)
    )


def _decline_for_others(turn: Turn, reply: Reply) -> None:
    title = term("privacy", "own_account", turn.intent)
    reply.utter(
        "utter_own_account_only", buttons=[{"title": title, "payload": f"/{turn.intent}"}] if title else None
    )


def _ask(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    is_open = queries.open_cases(session, customer_id=_customer_of(turn, session))
    told = [
        *([fragment("utter_erasure_open_complaint")] if is_open.complaint else []),
        *([fragment("utter_erasure_open_request")] if is_open.request else []),
    ]
    reply.utter("utter_ask_erasure", open_cases=Rich("".join(told)))
    return keep_form_waiting(turn)


def _ask_again(turn: Turn, reply: Reply) -> list[Event]:
    reply.utter("utter_ask_erasure_again")
    return keep_form_waiting(turn)


def _erase(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Have everything erased, and drop at once what was being filled in."""
    for draft in drafts.open_drafts(session, conversation_id=turn.conversation_id):
        drafts.close_draft(draft, state=drafts.CANCELLED, inbox_id=turn.inbox_id)
    service.request_erasure(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
    reply.utter("utter_erasure_begun")
    return [*clear_slots(tuple(turn.slots)), ActiveLoop(None)]


def _customer_of(turn: Turn, session: Session) -> int:
    return customer_of(session.get_one(Conversation, turn.conversation_id))
