"""What a member of staff registers for somebody who called: a customer, a complaint, a request, a purchase.

Everything is keyed by the staff member's own message: the same message again gives what it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.complaints import drafting as complaints
from crm_store.complaints import service as complaint_service
from crm_store.complaints.models import Complaint
from crm_store.conversations.reaching import conversation_for
from crm_store.customers.linking import one_at_a_time
from crm_store.customers.matching import STAFF, customer_of_phone
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.profile import checked
from crm_store.customers.service import best_phone
from crm_store.drafts import Draft
from crm_store.errors import InvalidInput, NotFound
from crm_store.loyalty.people import standing_customer
from crm_store.persian import normalize_phone
from crm_store.purchases.models import Purchase
from crm_store.purchases.service import NewLine, NewPurchase, record_purchase
from crm_store.rules import Rules
from crm_store.service_requests import drafting as requests
from crm_store.service_requests import service as request_service
from crm_store.service_requests.booking import book
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.windows import is_offered_in
from crm_store.staff.models import StaffMember


def caller(
    session: Session, *, phone: str, name: str, staff: StaffMember, now: datetime | None = None
) -> Customer:
    """The customer with a phone, as far as the business may go by it; made with a name where there is none.

    Args:
        phone: in any script and format.
        name: what they are called; taken where no name is known.

    Raises:
        InvalidInput: the phone or the name is none.
    """
    try:
        value = normalize_phone(phone)
    except ValueError as error:
        raise InvalidInput("not a valid phone number") from error
    one_at_a_time(session, value)
    customer = customer_of_phone(session, phone=value)
    kept = str(checked("full_name", name)) if name else ""
    if customer is not None:
        customer.full_name = customer.full_name or kept
        return customer
    made = now or utcnow()
    customer = Customer(
        source=STAFF, full_name=kept, contact_points=[ContactPoint(value=value)], created_at=made
    )
    session.add(customer)
    session.flush()
    actor = f"staff:{staff.id}"
    record_activity(session, customer_id=customer.id, kind="customer.registered", actor=actor)
    record_audit(
        session, actor=actor, action="customer.registered", target_type="customer", target_id=customer.id
    )
    return customer


def register_complaint(
    session: Session,
    *,
    customer_id: int,
    told: Mapping[str, Any],
    staff: StaffMember,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> Complaint:
    """Register a complaint that somebody told on the phone.

    Args:
        told: ``description``, ``category`` and what else a complaint's draft may hold.
        inbox_id: the member's message that confirmed it.

    Raises:
        InvalidInput: what must be told is missing, or the business knows no such category.
        NotFound: the customer was forgotten.
    """
    if not all(str(told.get(field, "")).strip() for field in complaints.REQUIRED_FIELDS):
        raise InvalidInput("a complaint needs a description and a category")
    if told[complaints.CATEGORY] not in rules.business.category_keys:
        raise InvalidInput("the business knows no such category")
    now = now or utcnow()
    customer = _standing(session, customer_id)
    draft, is_new = _draft_of(session, customer.id, complaints.DRAFT_KIND, inbox_id)
    if not is_new:
        return session.scalars(select(Complaint).where(Complaint.draft_id == draft.id)).one()
    longest = {
        complaints.DESCRIPTION: complaints.MAX_DESCRIPTION,
        complaints.ORDER_NUMBER: complaints.MAX_ORDER_NUMBER,
    }
    fields = {
        name: value[: longest.get(name)] if isinstance(value, str) else value for name, value in told.items()
    }
    return complaint_service.take_in(
        session,
        draft,
        told=_with_phone(session, fields, customer.id),
        customer_id=customer.id,
        actor=f"staff:{staff.id}",
        rules=rules,
        now=now,
    )


def register_request(
    session: Session,
    *,
    customer_id: int,
    told: Mapping[str, Any],
    staff: StaffMember,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> ServiceRequest:
    """Register a service request that somebody made on the phone, and take its place.

    Args:
        told: ``kind`` and what else a request's draft may hold; ``window`` as its beginning, ISO text.
        inbox_id: the member's message that confirmed it.

    Raises:
        InvalidInput: the kind is unknown or not offered in the city, or what must be told is missing.
        FullyBooked: the window has no place left; nothing was changed.
        NotFound: the customer was forgotten.
    """
    kind = next((one for one in rules.business.service.kinds if one.key == told.get(requests.KIND)), None)
    if kind is None or not is_offered_in(kind, str(told.get(requests.CITY, ""))):
        raise InvalidInput("the kind is unknown, or is not offered in this city")
    if not all(told.get(field) for field in requests.required_fields(kind)):
        raise InvalidInput("something is missing that must be told")
    now = now or utcnow()
    customer = _standing(session, customer_id)
    draft, is_new = _draft_of(session, customer.id, requests.DRAFT_KIND, inbox_id)
    if not is_new:
        return session.scalars(select(ServiceRequest).where(ServiceRequest.draft_id == draft.id)).one()
    starts_at = requests.chosen_window(told)
    # The staff need not give notice, as when they move a visit.
    window = (
        book(session, kind=kind, starts_at=starts_at, rules=rules, now=now, with_notice=False)
        if kind.is_booked and starts_at is not None
        else None
    )
    return request_service.take_in(
        session,
        draft,
        told=_with_phone(session, told, customer.id),
        kind=kind,
        window=window,
        customer_id=customer.id,
        actor=f"staff:{staff.id}",
        rules=rules,
        now=now,
    )


def register_purchase(
    session: Session,
    *,
    customer_id: int,
    order_id: str,
    amount_rials: int,
    title: str = "",
    staff: StaffMember,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> Purchase:
    """Keep an order of a customer's, with the points that it brings.

    Args:
        order_id: the shop's own number of it; one is made where it is empty.
        inbox_id: the member's message that confirmed it.

    Raises:
        InvalidInput: something in it cannot be true, or no phone of the customer is known.
        Conflict: this order was told before with other content.
        NotFound: the customer was forgotten.
    """
    now = now or utcnow()
    point = best_phone(session, customer_id=customer_id)
    if point is None:
        raise InvalidInput("no phone of this customer is known")
    name = order_id.strip() or f"staff-{inbox_id}"
    known = session.scalar(select(Purchase).where(Purchase.order_id == name, Purchase.source == STAFF))
    paid_at = known.paid_at if known is not None else now
    new = NewPurchase(
        order_id=name,
        phone=point.value,
        paid_at=paid_at,
        lines=(NewLine(amount_rials=amount_rials, title=title.strip()[:200]),),
    )
    purchase, _ = record_purchase(
        session,
        new=new,
        source=STAFF,
        actor=f"staff:{staff.id}",
        rules=rules,
        now=now,
        customer_id=customer_id,
    )
    return purchase


def _standing(session: Session, customer_id: int) -> Customer:
    customer = standing_customer(session, customer_id)
    if customer is None:
        raise NotFound("this customer was forgotten")
    return customer


def _draft_of(session: Session, customer_id: int, kind: str, inbox_id: int) -> tuple[Draft, bool]:
    """What is registered by a message, and whether it is new; it holds nothing, for the ticket holds all."""
    known = session.scalar(
        select(Draft).where(
            Draft.kind == kind,
            Draft.closed_by_inbox_id == inbox_id,
            Draft.state == drafts.SUBMITTED,
        )
    )
    if known is not None:
        return known, False
    conversation = conversation_for(session, customer_id=customer_id)
    draft = Draft(
        conversation_id=conversation.id,
        kind=kind,
        data={},
        sources={},
        state=drafts.SUBMITTED,
        closed_by_inbox_id=inbox_id,
    )
    session.add(draft)
    session.flush()
    return draft, True


def _with_phone(session: Session, told: Mapping[str, Any], customer_id: int) -> dict[str, Any]:
    point = best_phone(session, customer_id=customer_id)
    return {**told, complaints.CONTACT_POINT: point.id if point is not None else None}
