"""Making service requests and finding them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.base import utcnow
from crm_store.business import ServiceKind
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, FullyBooked, InvalidInput, NotFound
from crm_store.persian import parse_tracking_code
from crm_store.rules import Rules
from crm_store.service_requests import drafting
from crm_store.service_requests.booking import book
from crm_store.service_requests.jobs import plan_jobs
from crm_store.service_requests.models import (
    OPEN_STATES,
    REQUESTED,
    SCHEDULED,
    BookingWindow,
    ServiceRequest,
)
from crm_store.service_requests.timeline import note_event
from crm_store.service_requests.windows import is_offered_in
from crm_store.sla import clocks
from crm_store.tickets.codes import new_ticket_code
from crm_store.tickets.models import NORMAL, SERVICE_REQUEST, URGENT

_CODE_TRIES = 20
_DANGER = "danger"


def submit(
    session: Session, *, conversation_id: int, inbox_id: int, rules: Rules, now: datetime | None = None
) -> ServiceRequest:
    """Register the conversation's draft and take the chosen place; the same turn again gives what it made.

    Args:
        inbox_id: the message that confirmed it.

    Raises:
        DraftIncomplete: something is missing that must be told.
        FullyBooked: the window has no place left; the draft stays open, with the window taken out.
        InvalidInput: the kind is not offered in the city.
        NotFound: there is no draft to register.
    """
    now = now or utcnow()
    draft = drafting.service_draft(session, conversation_id=conversation_id, inbox_id=inbox_id)
    if draft is None or draft.state == drafts.CANCELLED:
        raise NotFound("there is no draft of a service request")
    known = session.scalar(select(ServiceRequest).where(ServiceRequest.draft_id == draft.id))
    if known is not None:
        return known
    kind = _checked(draft, rules)
    window = _take_place(session, draft, kind, inbox_id=inbox_id, rules=rules, now=now)
    customer_id = customer_of(session.get_one(Conversation, draft.conversation_id))
    request = take_in(
        session,
        draft,
        told=draft.data,
        kind=kind,
        window=window,
        customer_id=customer_id,
        actor="customer",
        rules=rules,
        now=now,
    )
    drafts.close_draft(draft, state=drafts.SUBMITTED, inbox_id=inbox_id)
    return request


def take_in(
    session: Session,
    draft: Draft,
    *,
    told: Mapping[str, Any],
    kind: ServiceKind,
    window: BookingWindow | None,
    customer_id: int,
    actor: str,
    rules: Rules,
    now: datetime,
) -> ServiceRequest:
    """Register what was told, with all that follows.

    Args:
        draft: what the request is made of.
        told: its fields, by the names of a draft's.
        window: where its place was taken, if it has one.
        actor: who told it, ``customer`` or ``staff:<id>``.
    """
    request = _insert_with_new_code(
        session, draft, told, kind=kind, window=window, customer_id=customer_id, now=now
    )
    attachments = told.get(drafting.ATTACHMENTS, [])
    for attachment in session.scalars(select(Attachment).where(Attachment.id.in_(attachments))):
        attachment.service_request_id = request.id
    starts_at = window.starts_at.isoformat() if window else None
    note_event(session, request, "submitted", actor=actor, now=now, kind=kind.key, starts_at=starts_at)
    plan_jobs(session, request, rules=rules, now=now)
    _start_clocks(session, request, rules=rules, now=now)
    return request


def _start_clocks(session: Session, request: ServiceRequest, *, rules: Rules, now: datetime) -> None:
    """Begin what is promised; whoever has chosen a time waits for no first answer."""
    about: dict[str, Any] = {
        "rules": rules,
        "subject_type": SERVICE_REQUEST,
        "subject_id": request.id,
        "now": now,
    }
    tier = session.get_one(Customer, request.customer_id).tier
    clocks.start(session, **about, priority=request.priority, tier=tier)
    if request.window is not None:
        clocks.responded(session, **about)


def _checked(draft: Draft, rules: Rules) -> ServiceKind:
    """The kind of a draft that holds all that it must."""
    key = draft.data.get(drafting.KIND)
    kind = next((kind for kind in rules.business.service.kinds if kind.key == key), None)
    if kind is None:
        raise DraftIncomplete([drafting.KIND])
    missing = [field for field in drafting.required_fields(kind) if not draft.data.get(field)]
    if missing:
        raise DraftIncomplete(missing)
    if not is_offered_in(kind, draft.data.get(drafting.CITY, "")):
        raise InvalidInput(f"{kind.key} is not offered in this city")
    return kind


def _take_place(
    session: Session, draft: Draft, kind: ServiceKind, *, inbox_id: int, rules: Rules, now: datetime
) -> BookingWindow | None:
    starts_at = drafting.chosen_window(draft.data)
    if not kind.is_booked or starts_at is None:
        return None
    try:
        return book(session, kind=kind, starts_at=starts_at, rules=rules, now=now)
    except FullyBooked:
        drafting.take_window_out(draft, inbox_id=inbox_id)
        raise


def _insert_with_new_code(
    session: Session,
    draft: Draft,
    data: Mapping[str, Any],
    *,
    kind: ServiceKind,
    window: BookingWindow | None,
    customer_id: int,
    now: datetime,
) -> ServiceRequest:
    """Insert under a random code, taking another one in the rare case that somebody took it meanwhile."""
    for _ in range(_CODE_TRIES):
        request = ServiceRequest(
            code=new_ticket_code(session),
            customer_id=customer_id,
            conversation_id=draft.conversation_id,
            draft_id=draft.id,
            kind=kind.key,
            problem=data.get(drafting.PROBLEM, ""),
            product=data.get(drafting.PRODUCT, ""),
            city=data.get(drafting.CITY, ""),
            address=data.get(drafting.ADDRESS, ""),
            answers=drafting.own_answers(data, kind),
            contact_point_id=data.get(drafting.CONTACT_POINT) or None,
            state=SCHEDULED if window else REQUESTED,
            priority=URGENT if _DANGER in data.get(drafting.SIGNALS, []) else NORMAL,
            window=window,
            created_at=now,
        )
        try:
            with session.begin_nested():
                session.add(request)
        except IntegrityError:
            continue
        return request
    raise RuntimeError("no free tracking code was found")


def requests_of(session: Session, *, customer_id: int, limit: int = 10) -> list[ServiceRequest]:
    """A customer's requests, newest first."""
    return list(
        session.scalars(
            select(ServiceRequest)
            .where(ServiceRequest.customer_id == customer_id)
            .order_by(ServiceRequest.id.desc())
            .limit(limit)
        )
    )


def request_told_in(session: Session, *, conversation_id: int, inbox_id: int) -> ServiceRequest | None:
    """The open request whose problem stood in a message of a conversation, if there is one."""
    made = session.execute(
        select(ServiceRequest, Draft)
        .join(Draft, Draft.id == ServiceRequest.draft_id)
        .where(ServiceRequest.conversation_id == conversation_id, ServiceRequest.state.in_(OPEN_STATES))
        .order_by(ServiceRequest.id)
    ).tuples()
    told_in = (one for one, draft in made if drafting.PROBLEM in drafts.fields_from(draft, inbox_id=inbox_id))
    return next(told_in, None)


def correct_problem(session: Session, request: ServiceRequest, *, text: str) -> None:
    """Replace what a request says of the problem; the former wording stays in the timeline."""
    former, request.problem = request.problem, text[: drafting.MAX_LENGTH[drafting.PROBLEM]]
    note_event(session, request, "description_corrected", actor="customer", now=utcnow(), former=former)


def own_request(session: Session, *, customer_id: int, code: str) -> ServiceRequest:
    """A customer's request by its code, in either script.

    Raises:
        NotFound: no such code, or it is somebody else's; the two cannot be told apart.
    """
    request = _by_code(session, code)
    if request is None or request.customer_id != customer_id:
        raise NotFound("no service request of this customer has this code")
    return request


def find_by_code(session: Session, *, code: str) -> ServiceRequest:
    """A request by its code, in either script, for the staff.

    Raises:
        NotFound: no service request has this code.
    """
    request = _by_code(session, code)
    if request is None:
        raise NotFound("no service request has this code")
    return request


def _by_code(session: Session, code: str) -> ServiceRequest | None:
    kept = parse_tracking_code(code) or ""
    return session.scalar(select(ServiceRequest).where(ServiceRequest.code == kept))
