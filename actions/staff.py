"""Staff in chat: a technician's visits of the day, and what is open for whoever asks."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.texts import Rich, fragment
from actions.ticket_tasks import described, today, visits_on
from actions.turn import Turn
from crm_store.customers.models import ContactPoint, Customer
from crm_store.errors import InvalidTransition, NotFound
from crm_store.persian import phone_text, to_persian_digits
from crm_store.service_requests import visits
from crm_store.service_requests.models import ASSIGNED, ON_THE_WAY, ServiceRequest
from crm_store.staff.accounts import staff_in
from crm_store.staff.models import StaffMember
from crm_store.terms import term
from crm_store.tickets.models import COMPLAINT
from crm_store.tickets.queries import TicketRow, queue

TECHNICIAN = "technician"
#: So many tickets are listed; the rest is counted.
LISTED = 10
#: What a technician is shown for a visit, by its state.
_VISITS = {ASSIGNED: "utter_visit_assigned_item", ON_THE_WAY: "utter_visit_on_the_way_item"}


class ActionStaffQueue(StoreAction):
    """Lists what is open: a technician's visits of a day with buttons, anybody else's tickets."""

    reads_only = True

    def name(self) -> str:
        return "action_staff_queue"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        staff = staff_in(session, conversation_id=turn.conversation_id)
        if staff is None:
            reply.utter("utter_out_of_scope")
        elif staff.role == TECHNICIAN:
            _tell_visits(turn, session, reply, staff)
        else:
            _tell_queue(session, reply, staff)
        return []


def _tell_visits(turn: Turn, session: Session, reply: Reply, staff: StaffMember) -> None:
    day = _day_of(turn)
    found = visits_on(session, staff.id, day)
    if not found:
        reply.utter("utter_no_visits")
        return
    reply.utter("utter_visits", count=to_persian_digits(len(found)))
    for visit in found:
        tell_visit(session, reply, visit)


def tell_visit(session: Session, reply: Reply, visit: ServiceRequest) -> None:
    """Show a visit to its technician, with the buttons that fit."""
    customer = session.get_one(Customer, visit.customer_id)
    point = session.get(ContactPoint, visit.contact_point_id) if visit.contact_point_id else None
    lines = [
        fragment("utter_visit_line_customer", name=customer.full_name or customer.display_name),
        *([fragment("utter_visit_line_phone", phone=phone_text(point.value))] if point else []),
        *([fragment("utter_visit_line_address", address=_address(visit))] if _address(visit) else []),
        *([fragment("utter_visit_line_product", product=visit.product)] if visit.product else []),
        *([fragment("utter_visit_line_problem", problem=visit.problem)] if visit.problem else []),
        *(fragment("utter_visit_line_answer", **answer) for answer in visit.answers),
    ]
    response = _VISITS.get(visit.state, "utter_visit_over_item")
    values = {**described(visit), "lines": Rich("\n".join(lines))}
    state = term("service_requests", "states", visit.state)
    reply.utter(response, **values, state=state, ticket=Rich(visit.code))


def _address(visit: ServiceRequest) -> str:
    return "، ".join(part for part in (visit.city, visit.address) if part)


def _day_of(turn: Turn) -> date:
    """The day that is asked about: today, if none is named."""
    named = turn.entity("date")
    return date.fromisoformat(named) if named else today()


def _tell_queue(session: Session, reply: Reply, staff: StaffMember) -> None:
    page = queue(session, assignee_id=staff.id, size=LISTED)
    if not page.rows:
        reply.utter("utter_queue_empty")
        return
    items = [fragment("utter_queue_item", **_row(row)) for row in page.rows]
    reply.utter("utter_queue", count=to_persian_digits(page.place.total), items=Rich("\n".join(items)))


def _row(row: TicketRow) -> dict[str, str]:
    business = environment().business
    is_complaint = row.subject_type == COMPLAINT
    title = business.category(row.title).title if is_complaint else business.service_kind(row.title).title
    area = "complaints" if is_complaint else "service_requests"
    return {
        "code": to_persian_digits(row.code),
        "title": title,
        "state": term(area, "states", row.state) or row.state,
        "priority": term("complaints", "priorities", row.priority) or row.priority,
    }


class ActionVisitOnTheWay(StoreAction):
    """Notes that the technician sets off; the customer is told."""

    def name(self) -> str:
        return "action_visit_on_the_way"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        staff = staff_in(session, conversation_id=turn.conversation_id)
        code = turn.button_value("visit_on_the_way", "ticket") or ""
        try:
            if staff is None:
                raise NotFound("this account belongs to no member of staff")
            visit = visits.set_off(
                session, staff_id=staff.id, code=code, inbox_id=turn.inbox_id, rules=environment().rules
            )
        except NotFound:
            reply.utter("utter_no_visit")
        except InvalidTransition as refused:
            # Nobody has left for it, so its day has not come.
            reply.utter("utter_no_visit" if refused.state == ASSIGNED else "utter_visit_is_over")
        else:
            reply.utter("utter_visit_set_off")
            tell_visit(session, reply, visit)
        return []
