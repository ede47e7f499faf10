"""What a request says, as people read it: lines that name responses, rendered elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.customers.models import ContactPoint
from crm_store.persian import masked_phone, to_persian_digits
from crm_store.rules import Rules
from crm_store.service_requests import drafting
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.windows import bookable_window, visit_text
from crm_store.staff.phones import said

#: Characters of free words that are shown.
SHOWN_LENGTH = 500


def shortened(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH].rstrip() + "…"


def summary_lines(
    session: Session, data: Mapping[str, Any], rules: Rules, now: datetime | None = None
) -> list[dict[str, Any]]:
    """What is registered, as the customer reads it before agreeing.

    Args:
        session: where the phone is looked up.
        data: what the draft holds; it names a kind.

    Returns:
        ``{"response", "params"}`` each: a response of data/service_requests/responses.yml and its unescaped
        values.
    """
    now = now or utcnow()
    kind = rules.business.service_kind(data[drafting.KIND])
    lines = [_line("utter_service_line_kind", kind=kind.title), *_told(data)]
    lines += _answers(drafting.own_answers(data, kind))
    starts_at = drafting.chosen_window(data)
    window = bookable_window(kind, starts_at=starts_at, rules=rules, now=now) if starts_at else None
    if window is not None:
        lines.append(_line("utter_service_line_time", time=visit_text(window, rules, now)))
    elif not kind.is_booked:
        lines.append(_line("utter_service_line_time_open"))
    count = len(data.get(drafting.ATTACHMENTS, []))
    if count:
        lines.append(_line("utter_service_line_attachments", count=to_persian_digits(count)))
    if drafting.CONTACT_POINT in data:
        phone = _phone(session, data[drafting.CONTACT_POINT])
        lines.append(phone or _line("utter_service_line_no_phone"))
    return lines


def request_lines(
    session: Session,
    request: ServiceRequest,
    rules: Rules,
    now: datetime | None = None,
    *,
    is_whole: bool = True,
) -> list[dict[str, Any]]:
    """What a request says besides its kind and code: when, where, what; for whoever goes there.

    Args:
        session: where the phone is looked up.
        is_whole: whether whoever reads it sees phone numbers whole.
    """
    when = (
        _line("utter_service_line_time", time=visit_text(request.window, rules, now or utcnow()))
        if request.window
        else _line("utter_service_line_time_open")
    )
    told = {name: getattr(request, name) for name in _TOLD}
    phone = _phone(session, request.contact_point_id, is_whole=is_whole)
    answers = _answers(request.answers, is_whole=is_whole)
    return [when, *_told(told, is_whole=is_whole), *answers, *([phone] if phone else [])]


#: Lines of free words, in order.
_TOLD = {
    drafting.PROBLEM: "utter_service_line_problem",
    drafting.PRODUCT: "utter_service_line_product",
    drafting.CITY: "utter_service_line_city",
    drafting.ADDRESS: "utter_service_line_address",
}


def _told(data: Mapping[str, Any], *, is_whole: bool = True) -> list[dict[str, Any]]:
    return [
        _line(response, **{name: shortened(said(data[name], is_whole=is_whole))})
        for name, response in _TOLD.items()
        if data.get(name)
    ]


def _answers(answers: list[dict[str, str]], *, is_whole: bool = True) -> list[dict[str, Any]]:
    told = ((one["question"], said(one["answer"], is_whole=is_whole)) for one in answers)
    return [
        _line("utter_service_line_answer", question=question, answer=shortened(answer))
        for question, answer in told
    ]


def _phone(session: Session, contact_point_id: int | None, *, is_whole: bool = True) -> dict[str, Any] | None:
    point = session.get(ContactPoint, contact_point_id) if contact_point_id else None
    if point is None:
        return None
    return _line("utter_service_line_phone", phone=masked_phone(point.value, full=is_whole))


def _line(response: str, **params: object) -> dict[str, Any]:
    return {"response": response, "params": params}
