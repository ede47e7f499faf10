"""What is said of a promised call: by when it comes, and to which number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from actions.base import Event, Reply, environment, keep_form_waiting
from actions.texts import is_any_in, is_one_of
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import ContactPoint
from crm_store.handoff import service
from crm_store.handoff.models import CallbackRequest
from crm_store.handoff.promise import promised_by
from crm_store.persian import deadline_text, phone_text

FORM = "callback_form"
#: Longest text, in words, that may ask no more than when the call comes.
SHORT_QUESTION = 8


def open_callback(turn: Turn, session: Session) -> CallbackRequest | None:
    """The call that this customer waits for, also one whose time has passed."""
    return service.open_callback(
        session, customer_id=customer_of(session.get_one(Conversation, turn.conversation_id))
    )


def call_is_coming(turn: Turn, session: Session) -> bool:
    """Whether this customer is promised a call that is still to come: another one is not offered."""
    promised = open_callback(turn, session)
    return promised is not None and service.promise_stands(promised)


def answer_when(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    """Answer when the call comes that a customer asks about; None where a message asks something else."""
    if not _asks_when(turn):
        return None
    promised = open_callback(turn, session)
    if promised is not None:
        return tell_promise(turn, session, reply, promised)
    if turn.form == FORM:
        reply.utter("utter_callback_when", deadline=next_deadline())
        return []
    if turn.callback_offered:
        reply.utter("utter_offer_callback", deadline=next_deadline())
        return keep_form_waiting(turn)
    return None


def _asks_when(turn: Turn) -> bool:
    """Whether a message asks when the call comes: «کی زنگ می‌زنید؟», or «کی؟» where a call is spoken of."""
    if turn.trusted or turn.word_count > SHORT_QUESTION or not is_any_in("handoff", "when", turn.text):
        return False
    if is_any_in("handoff", "calling", turn.text):
        return True
    speaks_of_it = turn.callback_promised or turn.callback_offered or turn.form == FORM
    return speaks_of_it and is_one_of("handoff", "when", turn.text)


def tell_promise(turn: Turn, session: Session, reply: Reply, request: CallbackRequest) -> list[Event]:
    """Tell when and where the call comes; where its time has passed, apologise and offer another one."""
    if service.promise_stands(request):
        reply.utter("utter_callback_promised", **described(request, session))
        return []
    reply.utter("utter_callback_overdue", deadline=next_deadline())
    return keep_form_waiting(turn)


def described(request: CallbackRequest, session: Session) -> dict[str, Any]:
    """By when and at which number a customer is called, as a response tells it."""
    point = session.get_one(ContactPoint, request.contact_point_id)
    return {"deadline": _shown(request.due_at or next_due()), "phone": phone_text(point.value)}


def next_due() -> datetime:
    """The moment that is promised to whoever asks for a call now."""
    return promised_by(utcnow(), environment().business.call_hours, environment().settings.business.timezone)


def next_deadline() -> str:
    """The same in words."""
    return _shown(next_due())


def _shown(due_at: datetime) -> str:
    return deadline_text(due_at, now=utcnow(), tz=environment().settings.business.timezone)
