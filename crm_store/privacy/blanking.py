"""Takes what names somebody out of rows that stay."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, String, Text, and_, case, cast, false, literal, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm_store import drafts, outbox
from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Compensation, ComplaintResolution
from crm_store.customers.models import (
    KEPT_APART,
    OPEN,
    ChannelIdentity,
    ContactPoint,
    Customer,
    LinkConflict,
)
from crm_store.customers.names import forget as forget_names
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest, Handoff
from crm_store.outbox import OutboxItem
from crm_store.privacy.models import Consent, Erasure
from crm_store.privacy.scope import Scope
from crm_store.privacy.tickets import Tickets
from crm_store.tickets.models import TicketNote

#: Kind of a contact point whose number is gone.
ERASED = "erased"
CANCELLED_CALLBACK = "cancelled"
#: An Iranian number without its country code.
_NATIONAL_DIGITS = 10
#: Shorter account numbers stand in too many other numbers to be looked for.
_ACCOUNT_DIGITS = 5


def mentions_of(session: Session, scope: Scope) -> list[str]:
    """What tells the person among the particulars of other rows: phone numbers and account numbers."""
    points = session.scalars(
        select(ContactPoint.value).where(
            ContactPoint.customer_id.in_(scope.customers), ContactPoint.kind != ERASED
        )
    )
    disputed = session.scalars(select(LinkConflict.phone).where(_is_party(scope)))
    phones = {number[-_NATIONAL_DIGITS:] for number in [*points, *disputed] if number.startswith("+")}
    accounts = {account for _, account in scope.accounts if len(account) >= _ACCOUNT_DIGITS}
    return sorted(phones | accounts)


def blank_trails(session: Session, scope: Scope, tickets: Tickets, mentions: Collection[str]) -> None:
    """Timelines, audit trail and consents: that something happened stays, what was said goes.

    Args:
        mentions: entries about others that hold one of these lose their particulars too.
    """
    own = Activity.customer_id.in_(scope.customers)
    _set(session, Activity, or_(own, _holds(Activity.data, mentions)), data={})
    about = [
        and_(AuditEntry.target_type == kind, AuditEntry.target_id.in_([str(one) for one in ids]))
        for kind, ids in _targets(session, scope, tickets).items()
    ]
    by = AuditEntry.actor.in_([f"customer:{one}" for one in scope.customers])
    _set(session, AuditEntry, or_(by, *about, _holds(AuditEntry.detail, mentions)), detail={})
    _set(session, Consent, Consent.customer_id.in_(scope.customers), text="")
    _set(session, Erasure, Erasure.customer_id.in_(scope.customers), last_error="")


def blank_callbacks(session: Session, scope: Scope) -> None:
    """Call-backs: when they were wished for stays, what they were about goes."""
    own = CallbackRequest.customer_id.in_(scope.customers)
    _set(session, CallbackRequest, and_(own, CallbackRequest.state == "open"), state=CANCELLED_CALLBACK)
    _set(session, CallbackRequest, own, topic="", outcome="")


def blank_drafts(session: Session, condition: ColumnElement[bool]) -> None:
    """Leave of some drafts only that there were any; tickets are made of them."""
    _set(session, Draft, and_(condition, Draft.state == drafts.OPEN), state=drafts.CANCELLED)
    _set(session, Draft, and_(condition, is_full(Draft.data)), data={}, sources={}, version=Draft.version + 1)


def empty_outbox(session: Session, condition: ColumnElement[bool]) -> None:
    """Send nothing of some rows any more, and leave only that there were any."""
    state = case((OutboxItem.state == outbox.PENDING, outbox.CANCELLED), else_=OutboxItem.state)
    _set(session, OutboxItem, condition, state=state, content={}, last_error="")


def blank_people(session: Session, scope: Scope) -> None:
    """The person's records, accounts and numbers, and disputes about the numbers."""
    number = literal("erased-")
    _set(
        session,
        LinkConflict,
        and_(_is_party(scope), LinkConflict.state == OPEN),
        state=KEPT_APART,
        settled_by="system",
    )
    _set(session, LinkConflict, _is_party(scope), phone=number + cast(LinkConflict.id, String))
    _set(
        session,
        ContactPoint,
        ContactPoint.customer_id.in_(scope.customers),
        kind=ERASED,
        value=number + cast(ContactPoint.id, String),
        ending="",
        proven_at=None,
        proven_by_id=None,
    )
    _set(
        session,
        ChannelIdentity,
        ChannelIdentity.id.in_(scope.identities),
        external_id=number + cast(ChannelIdentity.id, String),
        display_name="",
        username="",
    )
    _set(
        session,
        Customer,
        Customer.id.in_(scope.customers),
        display_name="",
        full_name="",
        birthday=None,
        address="",
        preferred_channel="",
        preferred_time="",
        external_ref="",
        tier="",
    )
    forget_names(session, scope.customers)


def is_full(column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether a JSON column still holds something."""
    return cast(column, Text) != "{}"


def _targets(session: Session, scope: Scope, tickets: Tickets) -> dict[str, list[int]]:
    """Ids of what audit entries may be about, by the name of the type."""

    def ids(model: Any, condition: ColumnElement[bool]) -> list[int]:
        return list(session.scalars(select(model.id).where(condition)))

    people = scope.customers
    return {
        "customer": people,
        "channel_identity": scope.identities,
        "identity": scope.identities,
        "conversation": scope.conversations,
        "complaint": tickets.complaints,
        "complaint_resolution": ids(
            ComplaintResolution, ComplaintResolution.complaint_id.in_(tickets.complaints)
        ),
        "compensation": ids(Compensation, Compensation.complaint_id.in_(tickets.complaints)),
        "service_request": tickets.requests,
        "ticket_note": ids(TicketNote, tickets.own_notes()),
        "handoff": ids(Handoff, Handoff.customer_id.in_(people)),
        "callback_request": ids(CallbackRequest, CallbackRequest.customer_id.in_(people)),
        "contact_point": ids(ContactPoint, ContactPoint.customer_id.in_(people)),
        "link_conflict": ids(LinkConflict, _is_party(scope)),
    }


def _is_party(scope: Scope) -> ColumnElement[bool]:
    return or_(LinkConflict.identity_id.in_(scope.identities), LinkConflict.holder_id.in_(scope.customers))


def _holds(column: InstrumentedAttribute[Any], words: Collection[str]) -> ColumnElement[bool]:
    """Whether the text of a JSON column holds one of some numbers."""
    return or_(false(), *(cast(column, Text).contains(word, autoescape=True) for word in words))


def _set(session: Session, model: type[Base], condition: ColumnElement[bool], **values: Any) -> None:
    session.execute(
        update(model).where(condition).values(values).execution_options(synchronize_session=False)
    )
