"""What customers, technicians and the rest of the staff are told of a service request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.conversations.reaching import chat_to_tell
from crm_store.outbox import enqueue_notice
from crm_store.persian import to_persian_digits
from crm_store.rules import Rules
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.service_requests.summary import request_lines
from crm_store.service_requests.windows import visit_text
from crm_store.staff.models import StaffMember
from crm_store.staff.phones import groups_see_phones
from crm_store.staff.telling import can_be_reached, tell_groups, tell_member_or_groups, tell_role
from crm_store.terms import term

#: Why a visit did not succeed, in words for the customer.
_BECAUSE = {
    "nobody_home": "utter_not_done_nobody_home",
    "address": "utter_not_done_address",
    "part_missing": "utter_not_done_part_missing",
    "refused": "utter_not_done_refused",
    "too_late": "utter_not_done_too_late",
    "other": "utter_not_done_other",
}
#: What the customer is told of a change, besides of those that need a reason; the technician's name is given.
_READ_BY_CUSTOMER = {
    "scheduled": "utter_visit_scheduled",
    "rescheduled": "utter_service_scheduled_change",
    "assigned": "utter_visit_assigned",
    "set_off": "utter_visit_on_the_way",
    "done": "utter_visit_done",
    "cancelled": "utter_service_cancelled_by_us",
}
#: Said instead of ``done`` where a survey asks about the visit later.
VISIT_DONE_WITHOUT_QUESTION = "utter_visit_done_asked_later"
_SUPERVISOR = "supervisor"


def described(request: ServiceRequest, rules: Rules, now: datetime) -> dict[str, Any]:
    """A request as notices tell it: ``code``, ``ticket`` (the code in buttons), ``kind`` and ``time``."""
    return {
        "code": to_persian_digits(request.code),
        "ticket": request.code,
        "kind": rules.business.service_kind(request.kind).title,
        "time": time_of(request.window, rules, now),
    }


def time_of(window: BookingWindow | None, rules: Rules, now: datetime) -> str | dict[str, Any]:
    """When somebody comes; without a window the response that says it is still to be agreed."""
    return visit_text(window, rules, now) if window else _text("utter_visit_time_open")


def tell_customer(
    session: Session,
    request: ServiceRequest,
    *,
    response: str,
    key: str,
    rules: Rules,
    now: datetime,
    **params: object,
) -> None:
    """Queue a notice in the conversation in which the request was made; of a caller's in any chat of theirs.

    Args:
        key: names the cause; the same key again tells nothing twice.
        params: values besides those of `described`.
    """
    chat = chat_to_tell(session, conversation_id=request.conversation_id, customer_id=request.customer_id)
    if chat is None:
        return
    enqueue_notice(
        session,
        conversation_id=chat,
        response=response,
        idempotency_key=key,
        params={**described(request, rules, now), **params},
    )


def customer_reads(session: Session, request: ServiceRequest, what: str) -> tuple[str, dict[str, Any]] | None:
    """The response in which the customer hears of a change, and its further values; None where of none.

    Args:
        what: the change, as the timeline names it.
    """
    if what == "not_done":
        response = "utter_visit_not_done" if request.window else "utter_visit_not_done_open"
        return response, {"reason": _text(_BECAUSE[request.reason])}
    if what == "cancelled" and request.outcome:
        return "utter_service_cancelled_by_us_because", {"reason": request.outcome}
    response = _READ_BY_CUSTOMER.get(what, "")
    return (response, {"name": name_of(session, request.technician_id)}) if response else None


def name_of(session: Session, staff_id: int | None) -> str | dict[str, Any]:
    """What a member of staff is called; without a name the response that says "our colleague"."""
    member = session.get(StaffMember, staff_id) if staff_id else None
    return member.name if member and member.name else _text("utter_our_technician")


def tell_technician(
    session: Session,
    request: ServiceRequest,
    *,
    staff_id: int | None,
    response: str,
    key: str,
    rules: Rules,
    now: datetime,
    **params: object,
) -> None:
    """Queue a notice for whoever goes or went there, if somebody does; the groups if they cannot be reached.

    Args:
        key: names the cause; others may be told of the same cause under it.
        params: values besides those of `described` and their ``name``.
    """
    if staff_id is not None:
        values = {**described(request, rules, now), "name": name_of(session, staff_id), **params}
        tell_member_or_groups(
            session,
            staff_id=staff_id,
            groups=rules.groups,
            response=response,
            key=f"{key}:technician:{staff_id}",
            params=values,
        )


def tell_new_visit(
    session: Session, request: ServiceRequest, *, key: str, rules: Rules, now: datetime
) -> None:
    """Tell the technician of a visit: when, where, what; the groups read phone numbers as they may."""
    technician = request.technician_id
    is_reached = technician is not None and can_be_reached(session, staff_id=technician)
    is_whole = is_reached or groups_see_phones(rules)
    lines = request_lines(session, request, rules, now, is_whole=is_whole)
    tell_technician(
        session,
        request,
        staff_id=technician,
        response="utter_staff_visit_new",
        key=key,
        rules=rules,
        now=now,
        lines=lines,
    )


def tell_of_note(
    session: Session, request: ServiceRequest, *, note_id: int, rules: Rules, now: datetime
) -> None:
    """Tell whoever goes there that the customer added something; those who send people out if nobody does."""
    tell_member_or_groups(
        session,
        staff_id=request.technician_id,
        groups=rules.groups,
        response="utter_staff_visit_note",
        key=f"service-note:{note_id}",
        params=described(request, rules, now),
    )


def tell_of_failure(
    session: Session, request: ServiceRequest, *, key: str, rules: Rules, now: datetime
) -> None:
    """Tell those who send people out that a visit did not succeed, and why."""
    tell_dispatchers(
        session,
        request,
        response="utter_staff_visit_not_done",
        key=f"{key}:dispatchers",
        rules=rules,
        now=now,
        name=name_of(session, request.technician_id),
        reason=term("service_requests", "not_done_reasons", request.reason) or request.reason,
    )


def tell_of_missed(
    session: Session, request: ServiceRequest, *, key: str, rules: Rules, now: datetime
) -> None:
    """Tell those who send people out that the time of a visit went by and nobody left for it."""
    sent = request.technician_id is not None
    tell_dispatchers(
        session,
        request,
        response="utter_staff_visit_missed",
        key=key,
        rules=rules,
        now=now,
        name=name_of(session, request.technician_id) if sent else _text("utter_nobody_was_sent"),
    )


def tell_of_low_grade(
    session: Session, request: ServiceRequest, *, key: str, rules: Rules, now: datetime
) -> None:
    """Tell those who send people out that a customer was not content with a visit."""
    tell_dispatchers(
        session,
        request,
        response="utter_staff_visit_low_grade",
        key=key,
        rules=rules,
        now=now,
        name=name_of(session, request.technician_id),
        grade=to_persian_digits(request.rating or 0),
        scale=to_persian_digits(request.rating_scale or 0),
    )


def tell_dispatchers(
    session: Session,
    request: ServiceRequest,
    *,
    response: str,
    key: str,
    rules: Rules,
    now: datetime,
    **params: object,
) -> None:
    """Queue a notice for the staff's groups and the supervisors."""
    values = {**described(request, rules, now), **params}
    tell_groups(session, groups=rules.groups, response=response, key=key, params=values)
    tell_role(session, role=_SUPERVISOR, response=response, key=key, params=values)


def _text(response: str) -> dict[str, Any]:
    return {"response": response, "params": {}}
