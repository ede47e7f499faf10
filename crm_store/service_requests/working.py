"""What the staff do with service requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.rules import Rules
from crm_store.service_requests import scheduling, states, technicians, telling
from crm_store.service_requests.models import ASSIGNED, CANCELLED, ServiceRequest
from crm_store.service_requests.timeline import note_event
from crm_store.sla import clocks
from crm_store.tickets.models import NOTE, SERVICE_REQUEST, TicketNote
from crm_store.tickets.notes import add_note


def assign(
    session: Session,
    request: ServiceRequest,
    *,
    staff_id: int,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> ServiceRequest:
    """Send somebody there, in place of whoever was to go; the same person again changes nothing.

    Args:
        actor: ``operator`` or ``staff:<id>``.

    Raises:
        InvalidTransition: nobody can be sent in its state, or not by this actor.
        InvalidInput: a visit that was not done needs another time first.
        NotFound: there is no such member of staff, or they no longer work here.
        NotAllowed: they lack a skill, or do not go to that city.
        FullyBooked: they have no time left in that window.
    """
    now = now or utcnow()
    request = states.lock(session, request)
    states.check_move(session, request, to=ASSIGNED, actor=actor)
    if request.state == ASSIGNED and request.technician_id == staff_id:
        return request
    former = request.technician_id if request.state == ASSIGNED else None
    technicians.take_in(session, request, staff_id=staff_id, window=request.window, rules=rules)
    with session.begin_nested():
        request.technician_id = staff_id
        states.move(session, request, to=ASSIGNED, actor=actor, rules=rules, event="assigned", now=now)
    key = f"service-assigned:{request.id}:{request.version}"
    telling.tell_new_visit(session, request, key=key, rules=rules, now=now)
    telling.tell_technician(
        session, request, staff_id=former, response="utter_staff_visit_gone", key=key, rules=rules, now=now
    )
    return request


def schedule_visit(
    session: Session,
    request: ServiceRequest,
    *,
    starts_at: datetime,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> ServiceRequest:
    """Agree on the window that begins at a moment, or on another one; the staff need not give notice.

    Args:
        actor: ``operator`` or ``staff:<id>``.

    Raises:
        FullyBooked: no place is left, or no window begins then; nothing was changed.
        InvalidTransition: no time can be agreed in its state, or not by this actor.
    """
    return scheduling.reschedule(
        session, request, starts_at=starts_at, actor=actor, rules=rules, now=now or utcnow()
    )


def cancel_by_staff(
    session: Session,
    request: ServiceRequest,
    *,
    reason: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> ServiceRequest:
    """Cancel a request; its place is free again.

    Args:
        reason: what the customer is told of why, in words; may be empty.
        actor: ``operator`` or ``staff:<id>``.

    Raises:
        InvalidTransition: it is over already, or this actor may not.
    """
    return states.move(
        session, request, to=CANCELLED, actor=actor, rules=rules, reason="other", text=reason.strip(), now=now
    )


def write_to_customer(
    session: Session,
    request: ServiceRequest,
    *,
    text: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> TicketNote:
    """Write to the customer about a request.

    Args:
        actor: ``operator`` or ``staff:<id>``.

    Raises:
        InvalidInput: there is nothing to say.
        InvalidTransition: this actor is neither staff nor sent there.
    """
    now = now or utcnow()
    if not text.strip():
        raise InvalidInput("there is nothing to say")
    request = states.lock(session, request)
    if not states.kinds_of_actor(session, request, actor) & {states.STAFF, states.TECHNICIAN}:
        raise InvalidTransition(f"{actor} does not write to this customer", state=request.state)
    note = add_note(
        session,
        subject_type=SERVICE_REQUEST,
        subject_id=request.id,
        kind=NOTE,
        author=actor,
        text=text,
        now=now,
    )
    note_event(session, request, "message_sent", actor=actor, now=now, note_id=note.id)
    clocks.responded(session, rules=rules, subject_type=SERVICE_REQUEST, subject_id=request.id, now=now)
    telling.tell_customer(
        session,
        request,
        response="utter_service_message",
        key=f"service-message:{note.id}",
        rules=rules,
        now=now,
        message=note.text,
    )
    return note
