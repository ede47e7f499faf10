"""What customers do with what is registered: add to it, take it back, appeal, move and cancel visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet
from sqlalchemy.orm import Session

from actions import handoff_waiting
from actions.base import Event, Reply, StoreAction, clear_slots, environment, keep_form_waiting
from actions.codes import named_ticket
from actions.complaints import ask_if_solved
from actions.customers import customer_of_turn
from actions.staff import admit, is_desk_wish, may_begin
from actions.ticket_form import (
    FORM,
    KEPT,
    SLOTS,
    TaskUnderWay,
    is_complete,
    slots_of,
    take_opening,
    task_under_way,
)
from actions.ticket_naming import meant_ticket
from actions.ticket_refusals import NONE_OF_THEM, refuse, tell_impossible, tell_none
from actions.ticket_tasks import (
    APPEAL,
    CANCEL,
    NOTE,
    OF_STAFF,
    REOPENED,
    RESCHEDULE,
    TASK_OF_INTENT,
    TASKS,
    VISIT_DONE,
    VISIT_NOT_DONE,
    WITHDRAW,
    Ticket,
    described,
    ticket_by_code,
    when_of,
)
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import following as complaints
from crm_store.complaints.models import RESOLVED, Complaint
from crm_store.errors import FullyBooked, InvalidInput, InvalidTransition, NotFound, TooLate
from crm_store.service_requests import following as requests
from crm_store.service_requests import visits
from crm_store.staff.accounts import staff_in
from crm_store.tickets import service
from crm_store.tickets.queries import kind_of

#: Forms in which "one more photo" belongs to what is being told.
TAKING_DOWN = ("complaint_form", "service_form")
_LEAVE_FORM = (SlotSet("requested_slot", None), ActiveLoop(None))
#: Said after something was added to a ticket: a file that follows belongs to it too.
ADDED = ("utter_note_added", "utter_answer_passed_on")


class ActionBeginTicketTask(StoreAction):
    """Begins what somebody wants to do with a ticket, or does it where everything is clear already."""

    def name(self) -> str:
        return "action_begin_ticket_task"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        code = named_ticket(turn)
        task = _meant_task(turn, session, code)
        if _is_dealt_with_by_desk(turn, session, reply, task, code):
            return keep_form_waiting(turn)
        if turn.form in TAKING_DOWN and task == NOTE:
            reply.utter("utter_form_go_ahead")
            return []
        if turn.form not in (None, FORM):
            reply.utter("utter_task_waits")
            return []
        under_way = task_under_way(turn, session)
        if under_way is not None and under_way.draft.state == drafts.SUBMITTED:
            # This very message has done it, and what was said to it was lost.
            return _go_on(turn, session, reply)
        own = TASKS[task].own(session, turn)
        named = meant_ticket(turn, own, listed=False)
        if code is not None and (named is None or named.code != code):
            refuse(turn, session, reply, task, code)
        elif not own:
            tell_none(turn, session, reply, task)
        elif task != NOTE or named is not None or not add_to_last_ticket(turn, session, reply):
            ticket = named or _obvious(turn, own, under_way)
            begin(turn, session, task, ticket.code if ticket is not None else None)
            take_opening(turn, session, reply)
            return _go_on(turn, session, reply)
        return []


def _meant_task(turn: Turn, session: Session, code: str | None) -> str:
    """What somebody wants to do: «لغو» of a complaint takes it back, whatever it was understood as."""
    task = TASK_OF_INTENT[turn.intent]
    other = {CANCEL: WITHDRAW, WITHDRAW: CANCEL}.get(task)
    if code is not None and other is not None and ticket_by_code(turn, session, task, code) is None:
        return other if ticket_by_code(turn, session, other, code) is not None else task
    return task


def _is_dealt_with_by_desk(turn: Turn, session: Session, reply: Reply, task: str, code: str | None) -> bool:
    """Whether the desk moves somebody's visit, or a PIN comes before what a technician tells of theirs."""
    if is_desk_wish(turn, session) and _is_about_others(turn, session, code):
        admit(turn, session, reply)
        return True
    return task in OF_STAFF and not may_begin(turn, session, reply)


def _is_about_others(turn: Turn, session: Session, code: str | None) -> bool:
    """Whether a visit of the desk member's own, as a customer, cannot be meant."""
    own = [one.code for one in TASKS[RESCHEDULE].own(session, turn)]
    return not own or (code is not None and code not in own)


def _obvious(turn: Turn, own: list[Any], under_way: TaskUnderWay | None) -> Any:
    """The ticket that goes without saying: the one that was just spoken of, or the only one."""
    if turn.form == FORM and under_way is not None and under_way.ticket in own:
        return under_way.ticket
    return own[0] if len(own) == 1 else None


def begin(turn: Turn, session: Session, task: str, code: str | None) -> None:
    """Begin a task of this conversation."""
    service.start_task(
        session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id, task=task, ticket=code
    )


def _go_on(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Ask for what is missing, or carry the task out."""
    under_way = task_under_way(turn, session)
    if under_way is None:
        return []
    if is_complete(under_way):
        ended = end_task(turn, session, reply)
        goes_on = any(event["event"] == "followup" for event in ended)
        # Said in the midst of another task, it ends the form too.
        return ended if goes_on or turn.form is None else [*ended, *_LEAVE_FORM]
    return [*clear_slots(SLOTS), SlotSet("requested_slot", None), FollowupAction(FORM)]


class ActionEndTicketTask(StoreAction):
    """Carries out a task whose questions are answered."""

    def name(self) -> str:
        return "action_end_ticket_task"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        return end_task(turn, session, reply)


def end_task(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Carry out the task under way and say what became of it."""
    under_way = task_under_way(turn, session)
    if under_way is None:
        raise NotFound("there is no task to carry out")
    if under_way.ticket is None:
        reply.utter(NONE_OF_THEM[under_way.task])
    elif under_way.choice == KEPT:
        reply.utter("utter_task_dropped")
    elif not _carry_out(turn, session, reply, under_way):
        return [*slots_of(under_way), FollowupAction(FORM)]
    elif not reply.awaits:
        wish = next((wish for wish, task in TASK_OF_INTENT.items() if task == under_way.task), "")
        handoff_waiting.offer_call_instead(turn, session, reply, intent=wish)
    service.end_task(under_way.draft, inbox_id=turn.inbox_id)
    return clear_slots(SLOTS)


def _carry_out(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> bool:
    """Do it, or say why it is not possible; False where another time has to be chosen first."""
    try:
        _CARRY_OUT[under_way.task](turn, session, reply, under_way)
    except FullyBooked:
        drafts.set_field(under_way.draft, field=service.CHOICE, value=None, inbox_id=turn.inbox_id)
        reply.utter("utter_window_taken")
        return False
    except NotFound:
        reply.utter(NONE_OF_THEM[under_way.task])
    except (TooLate, InvalidTransition):
        tell_impossible(reply, under_way.task, under_way.ticket)
    except InvalidInput:
        reply.utter("utter_nothing_added")
    return True


def drop_task(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Leave everything as it is."""
    service.cancel_task(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
    reply.utter("utter_task_dropped")
    return [*clear_slots(SLOTS), *_LEAVE_FORM]


def add_to_last_ticket(turn: Turn, session: Session, reply: Reply) -> bool:
    """Add files to the ticket that something was just added to; whether there is one."""
    # It may have been asked after that if all is solved.
    if not {*ADDED} & {*turn.previous.responses} or not turn.attachments:
        return False
    own = {(kind_of(ticket), ticket.id): ticket for ticket in TASKS[NOTE].own(session, turn)}
    noted = service.last_noted(session, subjects=own)
    if noted is None:
        return False
    ticket = own[noted]
    _add(turn, session, ticket, turn.text, turn.attachments)
    _tell_added(reply, ticket)
    return True


def _add(turn: Turn, session: Session, ticket: Ticket, text: str, files: list[int]) -> None:
    add_note = complaints.add_note if isinstance(ticket, Complaint) else requests.add_note
    add_note(
        session,
        customer_id=customer_of_turn(turn, session),
        code=ticket.code,
        text=text,
        attachment_ids=files,
        inbox_id=turn.inbox_id,
        rules=environment().rules,
    )


def _note(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    if under_way.text or under_way.files:
        _add(turn, session, under_way.ticket, under_way.text, under_way.files)
        _tell_added(reply, under_way.ticket)
    else:
        reply.utter("utter_nothing_added")


def _tell_added(reply: Reply, ticket: Ticket) -> None:
    """Say that it is added; of a complaint that is decided, ask besides if it is solved."""
    reply.utter("utter_note_added", **described(ticket))
    if isinstance(ticket, Complaint) and ticket.state == RESOLVED:
        ask_if_solved(reply, ticket)


def _withdraw(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    complaints.withdraw(session, **_where(turn, session, under_way), reason=under_way.text)
    reply.utter("utter_complaint_withdrawn", **described(under_way.ticket))


def _appeal(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    complaints.appeal(session, **_where(turn, session, under_way), reason=under_way.text)
    if under_way.files:
        _add(turn, session, under_way.ticket, "", under_way.files)
    reply.utter("utter_appeal_noted", **described(under_way.ticket))


def _cancel(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    requests.cancel(
        session,
        **_where(turn, session, under_way),
        reason=under_way.choice or "other",
        text=under_way.text,
    )
    reply.utter("utter_request_cancelled", **described(under_way.ticket))


def _reschedule(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    starts_at = datetime.fromisoformat(under_way.choice)
    moved = requests.reschedule(session, **_where(turn, session, under_way), starts_at=starts_at)
    session.refresh(moved, ["window"])
    reply.utter("utter_request_moved", **{**described(moved), "when": when_of(moved)})


def _finish_visit(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    visits.finish(
        session,
        **_where_of_staff(turn, session, under_way),
        text=under_way.text,
        attachment_ids=under_way.files,
    )
    reply.utter("utter_visit_noted_done", **described(under_way.ticket))


def _visit_not_done(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
    visits.not_done(
        session,
        **_where_of_staff(turn, session, under_way),
        reason=under_way.choice or "other",
        text=under_way.text,
        attachment_ids=under_way.files,
    )
    reply.utter("utter_visit_noted_not_done", **described(under_way.ticket))


def _where(turn: Turn, session: Session, under_way: TaskUnderWay) -> dict[str, Any]:
    """Whose ticket, which, and by which message: what every service of the customer's takes."""
    return {
        "customer_id": customer_of_turn(turn, session),
        "code": under_way.ticket.code,
        "inbox_id": turn.inbox_id,
        "rules": environment().rules,
    }


def _where_of_staff(turn: Turn, session: Session, under_way: TaskUnderWay) -> dict[str, Any]:
    staff = staff_in(session, conversation_id=turn.conversation_id)
    if staff is None:
        raise NotFound("this account belongs to no member of staff")
    code, inbox_id = under_way.ticket.code, turn.inbox_id
    return {"staff_id": staff.id, "code": code, "inbox_id": inbox_id, "rules": environment().rules}


_CARRY_OUT: dict[str, Callable[[Turn, Session, Reply, TaskUnderWay], None]] = {
    NOTE: _note,
    REOPENED: _note,
    WITHDRAW: _withdraw,
    APPEAL: _appeal,
    CANCEL: _cancel,
    RESCHEDULE: _reschedule,
    VISIT_DONE: _finish_visit,
    VISIT_NOT_DONE: _visit_not_done,
}
