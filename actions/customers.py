"""Who is writing: greeting by name, proving a number, and what a proof has led to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.handoff import typed_phone
from actions.turn import Turn
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.linking import outcome_of
from crm_store.customers.models import ContactPoint
from crm_store.customers.profile import greeting_name
from crm_store.customers.service import add_phone


class ActionGreet(StoreAction):
    """Returns a greeting, by name where it may be said."""

    reads_only = True

    def name(self) -> str:
        return "action_greet"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        name = greeting_name(session, conversation_id=turn.conversation_id)
        if name:
            reply.utter("utter_greet_by_name", name=name)
        else:
            reply.utter("utter_greet")
        return []


class ActionLinkProfile(StoreAction):
    """Answers somebody who says that we know them.

    A number that was typed is kept, and the answer is the same whether anybody has it or not.
    """

    def name(self) -> str:
        return "action_link_profile"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        customer_id = customer_of_turn(turn, session)
        if is_proven(session, customer_id):
            _tell_known(turn, session, reply)
            return []
        phone = typed_phone(turn)
        if phone is not None:
            add_phone(session, customer_id=customer_id, phone=phone)
        reply.utter("utter_ask_contact" if can_send_contact(turn, session) else "utter_link_by_staff")
        return []


def answer_contact(turn: Turn, session: Session, reply: Reply) -> None:
    """Answer a proven number that came outside all forms, for whatever it was sent."""
    if tell_link(turn, session, reply):
        return
    was_asked = turn.previous.ended_with("utter_ask_contact", "utter_profile_phone_kept")
    if was_asked and is_proven(session, customer_of_turn(turn, session)):
        reply.utter("utter_phone_proven")
    else:
        reply.utter("utter_contact_received")


def tell_link(turn: Turn, session: Session, reply: Reply) -> bool:
    """Tell whether the number in this message joined something or is disputed; False when it did neither."""
    customer_id = customer_of_turn(turn, session)
    linked = outcome_of(session, customer_id=customer_id, inbox_id=turn.inbox_id)
    if linked is None or linked.outcome == "none":
        return False
    name = greeting_name(session, conversation_id=turn.conversation_id)
    if linked.outcome == "conflict":
        reply.utter("utter_link_conflict")
    elif name:
        reply.utter("utter_welcome_back", name=name)
    else:
        reply.utter("utter_linked")
    return True


def customer_of_turn(turn: Turn, session: Session) -> int:
    """Who writes, as the store knows it."""
    return customer_of(session.get_one(Conversation, turn.conversation_id))


def channel_of(turn: Turn, session: Session) -> str:
    """Where the conversation takes place."""
    return session.get_one(Conversation, turn.conversation_id).channel


def can_send_contact(turn: Turn, session: Session) -> bool:
    """Whether the channel is a messenger, which vouches for its account's number."""
    return channel_of(turn, session) in environment().settings.bots()


def is_proven(session: Session, customer_id: int) -> bool:
    """Whether a number of a customer's is proven to be theirs."""
    proof = select(ContactPoint.id).where(
        ContactPoint.customer_id == customer_id, ContactPoint.proven_at.is_not(None)
    )
    return session.scalar(proof.limit(1)) is not None


def _tell_known(turn: Turn, session: Session, reply: Reply) -> None:
    name = greeting_name(session, conversation_id=turn.conversation_id)
    if name:
        reply.utter("utter_known_by_name", name=name)
    else:
        reply.utter("utter_known")
