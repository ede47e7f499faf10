"""A technician's visits of a day, each with the buttons that fit, and setting off for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from actions.staff_desk import Desk
from actions.texts import Rich, fragment
from actions.ticket_tasks import described, today, visits_on
from actions.turn import Turn
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.service import best_phone
from crm_store.errors import InvalidTransition, NotFound
from crm_store.persian import to_persian_digits
from crm_store.service_requests import visits
from crm_store.service_requests.models import ASSIGNED, ON_THE_WAY, ServiceRequest
from crm_store.terms import term

#: What a technician is shown for a visit, by its state.
_VISITS = {ASSIGNED: "utter_visit_assigned_item", ON_THE_WAY: "utter_visit_on_the_way_item"}


def tell_visits(desk: Desk) -> None:
    """List the visits of the day that is asked about."""
    found = visits_on(desk.session, desk.staff.id, _day_of(desk.turn))
    if not found:
        desk.reply.utter("utter_no_visits")
        return
    desk.reply.utter("utter_visits", count=to_persian_digits(len(found)))
    for visit in found:
        tell_visit(desk, visit)


def tell_visit(desk: Desk, visit: ServiceRequest) -> None:
    """Show a visit to its technician, with the buttons that fit; that they saw it is written down."""
    desk.audit("ticket.viewed", target_type="service_request", target_id=visit.code)
    customer = desk.session.get_one(Customer, visit.customer_id)
    given = desk.session.get(ContactPoint, visit.contact_point_id) if visit.contact_point_id else None
    point = given or best_phone(desk.session, customer_id=customer.id)
    address, problem = desk.words(_address(visit), visit), desk.words(visit.problem, visit)
    lines = [
        fragment("utter_visit_line_customer", name=customer.full_name or customer.display_name),
        *([fragment("utter_visit_line_phone", phone=desk.phone_for(point.value, visit))] if point else []),
        *([fragment("utter_visit_line_address", address=address)] if address else []),
        *([fragment("utter_visit_line_product", product=visit.product)] if visit.product else []),
        *([fragment("utter_visit_line_problem", problem=problem)] if problem else []),
        *(fragment("utter_visit_line_answer", **_shown(desk, visit, answer)) for answer in visit.answers),
    ]
    response = _VISITS.get(visit.state, "utter_visit_over_item")
    values = {**described(visit), "lines": Rich("\n".join(lines))}
    state = term("service_requests", "states", visit.state)
    desk.reply.utter(response, **values, state=state, ticket=Rich(visit.code))


def set_off(desk: Desk) -> None:
    """Note that the technician sets off; the customer is told."""
    code = desk.turn.button_value("visit_on_the_way", "ticket") or ""
    try:
        visit = visits.set_off(
            desk.session, staff_id=desk.staff.id, code=code, inbox_id=desk.turn.inbox_id, rules=desk.rules
        )
    except NotFound:
        desk.may("visit.work", own=False, target_type="service_request", target_id=code, says="")
        desk.reply.utter("utter_no_visit")
    except InvalidTransition as refused:
        # Nobody has left for it, so its day has not come.
        desk.reply.utter("utter_no_visit" if refused.state == ASSIGNED else "utter_visit_is_over")
    else:
        desk.reply.utter("utter_visit_set_off")
        tell_visit(desk, visit)


def show_again(desk: Desk) -> None:
    """Show a visit that a button of ours is about, if it is this technician's."""
    code = desk.turn.entity("ticket") or ""
    own = [one for one in visits_on(desk.session, desk.staff.id, today()) if one.code == code]
    if own and desk.turn.trusted:
        tell_visit(desk, own[0])
    else:
        desk.reply.utter("utter_no_visit")


def _shown(desk: Desk, visit: ServiceRequest, answer: Mapping[str, Any]) -> dict[str, Any]:
    """A question and its answer as this technician may read them."""
    return {**answer, "answer": desk.words(str(answer["answer"]), visit)}


def _address(visit: ServiceRequest) -> str:
    return "، ".join(part for part in (visit.city, visit.address) if part)


def _day_of(turn: Turn) -> date:
    """The day that is asked about: today, if none is named."""
    named = turn.entity("date")
    return date.fromisoformat(named) if named else today()
