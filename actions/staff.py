"""Staff in chat: whatever a member of staff asks for goes through here, whoever else asks gets nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.orm import Session

from actions import (
    staff_assign,
    staff_card,
    staff_escalate,
    staff_find,
    staff_handoff,
    staff_move,
    staff_notes,
    staff_points,
    staff_presence,
    staff_queue,
    staff_register,
    staff_report,
    staff_resolve,
    staff_tasks,
    staff_tickets,
    staff_visits,
)
from actions.base import Event, Reply, StoreAction, keep_form_waiting
from actions.staff_desk import Desk, enter
from actions.staff_pin import passes
from actions.turn import Turn
from crm_store.staff import focus as focuses
from crm_store.staff.accounts import staff_in
from crm_store.staff.permissions import has_permission


class Command(NamedTuple):
    """What a request needs, and who carries it out.

    Attributes:
        permission: what every such request needs; what depends on whose it is about is looked at as well.
    """

    permission: str
    handle: Callable[[Desk], object]


COMMANDS = {
    "staff_find_customer": Command("customer.find", staff_find.find_customer),
    "staff_open": Command("customer.view", staff_card.open_button),
    "staff_history": Command("customer.history", staff_card.show_history),
    "staff_add_note": Command("ticket.note_own", staff_notes.add_note),
    "staff_pin_note": Command("customer.note", staff_notes.change_note),
    "staff_my_queue": Command("queue.own", staff_queue.tell_queue),
    "staff_ticket": Command("ticket.view_own", staff_tickets.open_button),
    "staff_assign": Command("ticket.take", staff_assign.assign),
    "staff_move": Command("ticket.move", staff_move.move),
    "staff_resolve": Command("ticket.view_own", staff_resolve.resolve),
    "staff_escalate": Command("ticket.escalate", staff_escalate.escalate),
    "staff_take_over": Command("handoff.claim", staff_handoff.take),
    "staff_release": Command("handoff.release_own", staff_handoff.give_back),
    "staff_adjust_points": Command("points.adjust", staff_points.adjust),
    "staff_register": Command("ticket.register", staff_register.register),
    "staff_report": Command("report.own", staff_report.tell_report),
    "staff_presence": Command("handoff.claim", staff_presence.say_presence),
    "staff_answer": Command("queue.own", staff_tasks.take_answer),
    "visit_on_the_way": Command("visit.work", staff_visits.set_off),
    # What a technician was about to tell of a visit when the PIN came first: the visit is shown again.
    "visit_done": Command("visit.work", staff_visits.show_again),
    "visit_not_done": Command("visit.work", staff_visits.show_again),
    # A wish of the desk's to move somebody's visit; customers' wishes are led elsewhere.
    "service_reschedule": Command("ticket.move", staff_move.move),
}


#: What may go on with a request that waits for an answer.
_GOING_ON = frozenset({"staff_answer", "staff_open", "staff_ticket"})


class ActionStaff(StoreAction):
    """Carries out what a member of staff asks for."""

    def name(self) -> str:
        return "action_staff"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        admit(turn, session, reply)
        return keep_form_waiting(turn)


class ActionVisitOnTheWay(StoreAction):
    """Notes that the technician sets off; the customer is told."""

    def name(self) -> str:
        return "action_visit_on_the_way"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        admit(turn, session, reply, otherwise="utter_no_visit")
        return keep_form_waiting(turn)


def admit(turn: Turn, session: Session, reply: Reply, *, otherwise: str = "utter_out_of_scope") -> None:
    """Carry out a request of a member of staff; anybody else is told what they are told of nonsense."""
    command = COMMANDS.get(turn.intent)
    permission = command.permission if command is not None else "queue.own"
    desk = enter(turn, session, reply, permission=permission, run=run, otherwise=otherwise)
    if desk is None or not passes(desk):
        return
    if turn.intent not in _GOING_ON:
        # Whatever waited for an answer is left with a new request.
        focuses.keep(desk.focus, focuses.PARKED, None)
    run(desk)


def may_begin(turn: Turn, session: Session, reply: Reply) -> bool:
    """Whether a task of the staff's may begin; False where a PIN comes first. It refuses strangers itself."""
    if staff_in(session, conversation_id=turn.conversation_id) is None:
        return True
    desk = enter(turn, session, reply, permission="visit.work", run=run)
    return desk is not None and passes(desk)


def is_desk_wish(turn: Turn, session: Session) -> bool:
    """Whether a wish to move a visit is one of the desk's about a customer's."""
    staff = staff_in(session, conversation_id=turn.conversation_id)
    return turn.intent == "service_reschedule" and has_permission(staff, "ticket.move")


def run(desk: Desk) -> None:
    """Carry out a request of somebody who was let in."""
    command = COMMANDS.get(desk.turn.intent)
    if command is None:
        desk.reply.utter("utter_out_of_scope")
    elif desk.may(command.permission):
        command.handle(desk)
