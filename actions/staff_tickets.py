"""The ticket that a request of the staff's is about, and how it is shown with what can be done with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from actions.codes import named_ticket
from actions.staff_desk import GOES_ON, Desk, go, go_on_with_parked, park
from actions.staff_find import customer_for, named_in, open_customer
from actions.staff_words import AREA
from actions.texts import Rich, button, fragment
from actions.ticket_tasks import Ticket, described, today, visits_on
from crm_store.complaints.models import OPEN_STATES as OPEN_COMPLAINTS
from crm_store.complaints.models import Complaint
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.service import best_phone
from crm_store.errors import NotFound
from crm_store.persian import to_jalali_datetime_text, to_persian_digits
from crm_store.service_requests.models import OPEN_STATES as OPEN_REQUESTS
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import RUNNING, SlaClock
from crm_store.staff import focus as focuses
from crm_store.staff.models import StaffMember
from crm_store.terms import term
from crm_store.tickets.queries import assignee_of, find_ticket, kind_of

#: So many are offered to choose from.
OFFERED = 8
#: Letters of a story that a ticket is shown with.
LONGEST = 600


def is_own(desk: Desk, ticket: Ticket) -> bool:
    """Whether a ticket is assigned to whoever writes."""
    return assignee_of(ticket) == desk.staff.id


def is_open(ticket: Ticket) -> bool:
    """Whether somebody still has to work on a ticket."""
    return ticket.state in (OPEN_COMPLAINTS if isinstance(ticket, Complaint) else OPEN_REQUESTS)


def may_with(desk: Desk, ticket: Ticket, permission: str, *, of_any: str = "") -> bool:
    """Whether this member may do something with a ticket.

    Args:
        desk: the member.
        ticket: which.
        permission: what for; with their own tickets if `of_any` is named, or they are a technician.
        of_any: the permission for everybody's.
    """
    if of_any and desk.can(of_any):
        return desk.may(of_any)
    only_own = bool(of_any) or not desk.can("ticket.view")
    own = is_own(desk, ticket) or not only_own
    return desk.may(permission, own=own, target_type=kind_of(ticket), target_id=ticket.code)


def ticket_for(
    desk: Desk,
    permission: str,
    *,
    of_any: str = "",
    own_only: bool = False,
    only_requests: bool = False,
    code: str = "",
) -> Ticket | None:
    """The ticket that a request is about: named by its code, spoken of last, or the customer's only one.

    Args:
        desk: the member.
        permission: what for, as for `may_with`.
        of_any: likewise.
        own_only: only what is assigned to the member is meant.
        only_requests: only service requests are meant.
        code: the ticket, where it is known.

    Returns:
        None where it is still to be told, or it is not allowed; that was said.
    """
    named = code or named_ticket(desk.turn)
    if named:
        return _with_code(desk, named, permission, of_any=of_any)
    own_only = own_only or not desk.can("ticket.view")
    # Somebody else may be named than the one who was spoken of.
    is_named = not own_only and not desk.settled and bool(named_in(desk.turn))
    if is_named and customer_for(desk, "customer.view") is None:
        return None
    kept = desk.focus.data.get(focuses.TICKET)
    if kept:
        return _with_code(desk, str(kept), permission, of_any=of_any)
    found = _own(desk) if own_only else _of_customer(desk)
    if found is None:
        return None
    found = [one for one in found if isinstance(one, ServiceRequest) or not only_requests]
    if len(found) == 1:
        return _with_code(desk, found[0].code, permission, of_any=of_any)
    if found:
        park(desk)
        _offer(desk, found)
    else:
        desk.reply.utter("utter_staff_no_ticket", buttons=[go("queue", "staff_my_queue")])
    return None


def open_button(desk: Desk) -> None:
    """Open the ticket of a button of ours: to look at it, or to go on with what was asked."""
    turn = desk.turn
    code = turn.button_value("staff_ticket", "ticket")
    if code is None:
        desk.reply.utter("utter_staff_step_over")
        return
    ticket = _with_code(desk, code, "ticket.view_own", of_any="ticket.view")
    if ticket is None:
        return
    kept = desk.focus.data.get(focuses.PARKED)
    if turn.entity(GOES_ON) and kept is not None:
        known = {**kept, "customer": ticket.customer_id, "ticket": ticket.code, "settled": True}
        focuses.keep(desk.focus, focuses.PARKED, known)
        go_on_with_parked(desk)
    else:
        show(desk, ticket)


def show(desk: Desk, ticket: Ticket) -> None:
    """Show a ticket with what can be done with it."""
    lines = [line for line in _lines(desk, ticket) if line]
    told = {**described(ticket), "lines": Rich("\n".join(lines))}
    desk.reply.utter("utter_staff_ticket", buttons=actions_for(desk, ticket), **told)


def actions_for(desk: Desk, ticket: Ticket) -> list[dict[str, str]]:
    """Buttons for what this member may do with a ticket as it stands."""
    code, is_complaint, mine = ticket.code, isinstance(ticket, Complaint), is_own(desk, ticket)
    buttons = []
    if is_open(ticket):
        may_resolve = desk.can("ticket.resolve_any") or (mine and desk.can("ticket.resolve"))
        offered = [
            ("take", "staff_assign", not mine and desk.can("ticket.take") and is_complaint, {"value": "me"}),
            ("assign", "staff_assign", desk.can("ticket.assign"), {}),
            ("move", "staff_move", not is_complaint and desk.can("ticket.move"), {}),
            ("resolve", "staff_resolve", may_resolve, {}),
            ("escalate", "staff_escalate", mine or desk.can("ticket.view"), {}),
        ]
        buttons = [go(title, intent, ticket=code, **more) for title, intent, fits, more in offered if fits]
    if desk.can("customer.view"):
        buttons.append(go("card", "staff_open", customer=str(ticket.customer_id)))
    return buttons


def _with_code(desk: Desk, code: str, permission: str, *, of_any: str) -> Ticket | None:
    try:
        ticket = find_ticket(desk.session, code=code)
    except NotFound:
        # Whoever may see none of others learns nothing of which codes there are.
        response = "utter_staff_ticket_not_found" if desk.can("ticket.view") else "utter_no_visit"
        desk.reply.utter(response)
        return None
    if not may_with(desk, ticket, permission, of_any=of_any):
        return None
    if desk.can("customer.view"):
        if not open_customer(desk, ticket.customer_id):
            kept = desk.focus.data[focuses.PARKED]
            focuses.keep(desk.focus, focuses.PARKED, {**kept, "ticket": ticket.code})
            return None
    else:
        desk.audit("ticket.viewed", target_type=kind_of(ticket), target_id=ticket.code)
    focuses.turn_to(desk.focus, customer_id=ticket.customer_id, ticket=ticket.code)
    return ticket


def _own(desk: Desk) -> list[Any]:
    """What is open for somebody who sees nothing else."""
    return [one for one in visits_on(desk.session, desk.staff.id, today()) if is_open(one)]


def _of_customer(desk: Desk) -> list[Any] | None:
    """The open tickets of the customer whom a request is about; None where that is still to be told."""
    customer_id = customer_for(desk, "customer.view")
    if customer_id is None:
        return None
    complaints = select(Complaint).where(
        Complaint.customer_id == customer_id, Complaint.state.in_(OPEN_COMPLAINTS)
    )
    requests = select(ServiceRequest).where(
        ServiceRequest.customer_id == customer_id, ServiceRequest.state.in_(OPEN_REQUESTS)
    )
    return [
        *desk.session.scalars(complaints.order_by(Complaint.id.desc()).limit(OFFERED)),
        *desk.session.scalars(requests.order_by(ServiceRequest.id.desc()).limit(OFFERED)),
    ]


def _offer(desk: Desk, found: list[Any]) -> None:
    buttons = [
        button(
            str(fragment("utter_ticket_button", **described(one))),
            "staff_ticket",
            ticket=one.code,
            **{GOES_ON: GOES_ON},
        )
        for one in found[:OFFERED]
    ]
    desk.reply.utter("utter_staff_which_ticket", count=len(found), buttons=buttons)


def _lines(desk: Desk, ticket: Ticket) -> list[Rich]:
    area = "complaints" if isinstance(ticket, Complaint) else "service_requests"
    state = term(area, "states", ticket.state) or ticket.state
    priority = term("complaints", "priorities", ticket.priority) or ticket.priority
    story = ticket.description if isinstance(ticket, Complaint) else ticket.problem
    return [
        fragment("utter_staff_ticket_state_line", state=state, priority=priority),
        _customer_line(desk, ticket),
        _owner_line(desk, ticket),
        _due_line(desk, ticket),
        *_visit_lines(desk, ticket),
        *(
            [fragment("utter_staff_ticket_story_line", text=_short(desk.words(story, ticket)))]
            if story
            else []
        ),
    ]


def _customer_line(desk: Desk, ticket: Ticket) -> Rich:
    session = desk.session
    customer = session.get_one(Customer, ticket.customer_id)
    given = session.get(ContactPoint, ticket.contact_point_id) if ticket.contact_point_id else None
    point = given or best_phone(session, customer_id=customer.id)
    name = customer.full_name or customer.display_name or term(AREA, "words", "nameless") or ""
    if point is None:
        return fragment("utter_staff_ticket_customer_line", name=name)
    return fragment(
        "utter_staff_ticket_customer_phone_line", name=name, phone=desk.phone_for(point.value, ticket)
    )


def _owner_line(desk: Desk, ticket: Ticket) -> Rich:
    owner_id = assignee_of(ticket)
    if owner_id is None:
        return fragment("utter_staff_ticket_nobody_line")
    owner = desk.session.get_one(StaffMember, owner_id)
    return fragment("utter_staff_ticket_owner_line", name=owner.name or owner.login or "")


def _due_line(desk: Desk, ticket: Ticket) -> Rich:
    due_at = desk.session.scalar(
        select(SlaClock.due_at)
        .where(
            SlaClock.subject_type == kind_of(ticket),
            SlaClock.subject_id == ticket.id,
            SlaClock.state == RUNNING,
        )
        .order_by(SlaClock.due_at)
        .limit(1)
    )
    if due_at is None:
        return Rich("")
    return fragment("utter_staff_ticket_due_line", when=to_jalali_datetime_text(due_at, desk.rules.timezone))


def _visit_lines(desk: Desk, ticket: Ticket) -> list[Rich]:
    if isinstance(ticket, Complaint):
        order = ticket.order_number
        return [fragment("utter_staff_ticket_order_line", order=to_persian_digits(order))] if order else []
    address = term(AREA, "words", "comma") or " "
    place = address.join(part for part in (ticket.city, ticket.address) if part)
    return [fragment("utter_visit_line_address", address=desk.words(place, ticket))] if place else []


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"
