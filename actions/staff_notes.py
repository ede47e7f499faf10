"""Notes that members of staff put on a customer; a technician's on their own visit."""

from __future__ import annotations

from actions.staff_card import go_on_buttons, show_notes
from actions.staff_desk import Desk, go
from actions.staff_find import customer_for, open_customer
from actions.staff_tasks import KINDS, TEXT, Kind, Step, Task, any_text, begin, put
from actions.staff_tickets import ticket_for
from actions.staff_words import has, said_in
from crm_store.base import utcnow
from crm_store.errors import Forbidden, InvalidInput, NotFound
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.timeline import note_event
from crm_store.staff.models import StaffNote
from crm_store.staff.notes import add_note as add_to_customer
from crm_store.staff.notes import delete_note, pin_note
from crm_store.tickets.models import INTERNAL, SERVICE_REQUEST
from crm_store.tickets.notes import add_note as add_to_ticket

NOTE = "note"
#: A request whose own words are fewer holds no note yet: «یادداشت بذار براش».
SHORTEST = 2


def add_note(desk: Desk) -> None:
    """Put what was said on the customer, or ask for it."""
    if not desk.can("customer.note"):
        _add_to_own_visit(desk)
        return
    if has("listing_notes", desk.turn.text):
        shown = customer_for(desk, "customer.history")
        if shown is not None:
            show_notes(desk, shown)
        return
    customer_id = customer_for(desk, "customer.note")
    if customer_id is None:
        return
    said = said_in(desk.turn.text, commands="noting") if not desk.turn.trusted else ""
    text = said if len(said.split()) >= SHORTEST else None
    pinned = has("pinning", desk.turn.text) or None
    begin(desk, NOTE, customer=customer_id, pinned=pinned, **({NOTE: text} if text else {}))


def change_note(desk: Desk) -> None:
    """Pin a note, take its pin away, or delete it: by a button of ours."""
    turn = desk.turn
    number, what = turn.button_value("staff_pin_note", "note"), turn.entity("value")
    note = desk.session.get(StaffNote, int(number)) if number and number.isdecimal() else None
    if note is None or note.deleted_at is not None or not open_customer(desk, note.customer_id):
        if note is None or note.deleted_at is not None:
            desk.reply.utter("utter_staff_note_gone", buttons=go_on_buttons(desk))
        return
    try:
        if what == "delete":
            delete_note(desk.session, note_id=note.id, staff=desk.staff)
        else:
            pin_note(desk.session, note_id=note.id, staff=desk.staff, is_pinned=what != "unpin")
    except Forbidden:
        desk.may("customer.note", own=False, target_type="staff_note", target_id=note.id)
        return
    except NotFound:
        desk.reply.utter("utter_staff_note_gone", buttons=go_on_buttons(desk))
        return
    if what == "delete":
        desk.reply.utter("utter_staff_note_deleted", buttons=go_on_buttons(desk))
    else:
        response = "utter_staff_note_unpinned" if what == "unpin" else "utter_staff_note_pinned"
        desk.reply.utter(response, buttons=go_on_buttons(desk))


def _ask_note(desk: Desk, task: Task, step: Step) -> None:
    put(desk, task, step, "utter_staff_ask_note", name=desk.name_of(int(task.data["customer"])))


def _finish(desk: Desk, task: Task) -> None:
    customer_id, text = int(task.data["customer"]), str(task.data[NOTE])
    try:
        note = add_to_customer(
            desk.session,
            customer_id=customer_id,
            staff=desk.staff,
            text=text,
            is_pinned=bool(task.data.get("pinned")),
            inbox_id=desk.turn.inbox_id,
        )
    except (InvalidInput, NotFound):
        desk.reply.utter("utter_staff_customer_gone")
        return
    first = [] if note.is_pinned else [go("pin", "staff_pin_note", note=str(note.id), value="pin")]
    buttons = [
        *first,
        go("delete_note", "staff_pin_note", note=str(note.id), value="delete"),
        *go_on_buttons(desk),
    ]
    desk.reply.utter(
        "utter_staff_note_added", name=desk.name_of(customer_id), words=note.text, buttons=buttons
    )


def _add_to_own_visit(desk: Desk) -> None:
    """A technician notes something on a visit of their own, for the colleagues."""
    visit = ticket_for(desk, "ticket.note_own", own_only=True)
    if visit is None:
        return
    said = said_in(desk.turn.text, commands="noting") if not desk.turn.trusted else ""
    text = said if len(said.split()) >= SHORTEST else None
    begin(desk, "visit_note", ticket=visit.code, **({NOTE: text} if text else {}))


def _finish_visit_note(desk: Desk, task: Task) -> None:
    visit = ticket_for(desk, "ticket.note_own", own_only=True, code=str(task.data["ticket"]))
    if not isinstance(visit, ServiceRequest):
        return
    now = utcnow()
    key = f"inbox:{desk.turn.inbox_id}:note:{visit.id}"
    note = add_to_ticket(
        desk.session,
        subject_type=SERVICE_REQUEST,
        subject_id=visit.id,
        kind=INTERNAL,
        author=desk.actor,
        text=str(task.data[NOTE]),
        idempotency_key=key,
        now=now,
    )
    if note.created_at == now:
        note_event(desk.session, visit, "noted", actor=desk.actor, now=now, note_id=note.id)
    desk.reply.utter("utter_staff_visit_note_added", buttons=go_on_buttons(desk))


def _ask_visit_note(desk: Desk, task: Task, step: Step) -> None:
    put(desk, task, step, "utter_staff_ask_visit_note")


KINDS[NOTE] = Kind("customer.note", (Step(NOTE, TEXT, _ask_note, any_text),), _finish)
KINDS["visit_note"] = Kind(
    "ticket.note_own", (Step(NOTE, TEXT, _ask_visit_note, any_text),), _finish_visit_note
)
