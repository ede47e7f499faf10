"""How something stands that is registered: a complaint or a request, by its code or all of one's own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from actions import complaints, handoff_after, promises, service_requests
from actions.base import Event, Reply, StoreAction
from actions.codes import given_code
from actions.turn import Turn


class ActionComplaintStatus(StoreAction):
    """Tells the state of one's own complaints, or of the ticket whose code was given."""

    reads_only = True

    def name(self) -> str:
        return "action_complaint_status"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        # «چرا هنوز زنگ نزدید» asks for a call that was promised.
        about_a_call = promises.answer_when(turn, session, reply)
        if about_a_call is not None:
            return about_a_call
        if not tell_by_code(turn, session, reply, otherwise="utter_complaint_not_found"):
            # What was agreed with a person lately says more than the state of a file.
            agreement = handoff_after.agreement_with(turn, session)
            is_agreed = agreement is not None and bool(agreement.agreed)
            if agreement is not None and is_agreed:
                handoff_after.tell_agreement(reply, agreement)
            complaints.tell_own(turn, session, reply, tells_of_none=not is_agreed)
        return []


class ActionServiceStatus(StoreAction):
    """Tells how one's own requests stand, or the ticket whose code was given."""

    reads_only = True

    def name(self) -> str:
        return "action_service_status"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        about_a_call = promises.answer_when(turn, session, reply)
        if about_a_call is not None:
            return about_a_call
        if not tell_by_code(turn, session, reply, otherwise="utter_service_not_found"):
            service_requests.tell_own(turn, session, reply)
        return []


def tell_by_code(turn: Turn, session: Session, reply: Reply, *, otherwise: str) -> bool:
    """Tell how the ticket stands whose code a message gives; False where it gives none.

    A code of somebody else's is answered as one that does not exist.

    Args:
        otherwise: the response to a code that is not this customer's.
    """
    code = given_code(turn)
    if code is None:
        return False
    tell = (complaints.tell_by_code, service_requests.tell_by_code)
    if not any(tell_it(turn, session, reply, code) for tell_it in tell):
        reply.utter(otherwise)
    return True
