"""Reads everything held about a customer, for the file that the customer asks for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, and_, inspect, or_, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.conversations.models import EVERYBODY, OF_STAFF, Attachment, Conversation, Message
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer, LinkConflict
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest, Handoff
from crm_store.inbox import InboxItem
from crm_store.learning.models import LearningSample
from crm_store.loyalty.models import (
    LedgerPosting,
    LoyaltyAccount,
    RaffleEntry,
    Redemption,
    Referral,
    ReferralCode,
)
from crm_store.privacy.models import Consent
from crm_store.privacy.scope import Scope, scope_of
from crm_store.privacy.tickets import Tickets, bare_reasons, tickets_of
from crm_store.purchases.models import Purchase, PurchaseLine, PurchaseReturn
from crm_store.service_requests.models import DONE, NOT_DONE, BookingWindow, ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffAccount, StaffNote
from crm_store.surveys.models import SurveyAnswer, SurveyInvitation
from crm_store.tickets.models import COMPLAINT, INTERNAL, SERVICE_REQUEST, TicketNote
from crm_store.tickets.queries import kind_of

#: What is about somebody else, or means nothing outside the store.
_NOT_THEIRS = {
    "holder_id",
    "detail",
    "correlation_id",
    "settled_by",
    "decided_by",
    "requested_by",
    "assignee_id",
    "technician_id",
    "problem_id",
    "booked",
    "path",
    "last_error",
    "version_id",
    "idempotency_key",
    "policy",
    "warn_at",
    "warned_at",
    "check_at",
    "escalated",
    "referrer_id",
    "friend_id",
    "digest",
    "rules_id",
    "staff_id",
    "used_by",
    "owner_id",
    "done_by_id",
    "offered_to_id",
    "offered_at",
    "escalate_at",
    "ownership",
    "urgency",
    "ending",
    "is_pinned",
}
_ACTORS = ("actor", "author")
_STAFF = ("staff", "operator")

Row = TypeVar("Row", bound=Base)


class Holdings(msgspec.Struct, frozen=True):
    """All rows about one person, each list in order of age.

    Attributes:
        customers: the record that stands for the person first, then those joined to it.
        staff_accounts: accounts of the person with which they work here.
        notes: what was said about complaints and requests, without what staff wrote for each other.
        resolutions: decisions about complaints that were told.
        compensations: what was granted; what waits for approval or was refused is no promise yet.
        windows: when visits take place.
        promises: by when something was promised.
        handoffs: conversations that people took over, without who it was.
        staff_notes: what staff noted down about the person, without who did.
        postings: what came into the person's points and went.
        friends: who came by the person's code, and by whose code the person came, without who that is.
        learning: messages that were not understood, kept to learn from.
        updates: what arrived, as the messengers sent it.
        accesses: who asked for or changed what, without the particulars.
    """

    customers: list[Customer]
    accounts: list[ChannelIdentity]
    staff_accounts: list[StaffAccount]
    phones: list[ContactPoint]
    conversations: list[Conversation]
    messages: list[Message]
    complaints: list[Complaint]
    requests: list[ServiceRequest]
    windows: list[BookingWindow]
    notes: list[TicketNote]
    resolutions: list[ComplaintResolution]
    compensations: list[Compensation]
    promises: list[SlaClock]
    callbacks: list[CallbackRequest]
    handoffs: list[Handoff]
    staff_notes: list[StaffNote]
    purchases: list[Purchase]
    purchase_lines: list[PurchaseLine]
    purchase_returns: list[PurchaseReturn]
    postings: list[LedgerPosting]
    redemptions: list[Redemption]
    friend_codes: list[ReferralCode]
    friends: list[Referral]
    chances: list[RaffleEntry]
    surveys: list[SurveyInvitation]
    answers: list[SurveyAnswer]
    drafts: list[Draft]
    attachments: list[Attachment]
    consents: list[Consent]
    activities: list[Activity]
    conflicts: list[LinkConflict]
    learning: list[LearningSample]
    updates: list[InboxItem]
    accesses: list[AuditEntry]

    def as_data(self) -> dict[str, Any]:
        """Everything as JSON types, under the names of the fields."""
        return {name: [_plain(row) for row in getattr(self, name)] for name in self.__struct_fields__}

    def window_of(self, request: ServiceRequest) -> BookingWindow | None:
        """When the visit of a request takes place."""
        return next((window for window in self.windows if window.id == request.window_id), None)

    def notes_on(self, ticket: Complaint | ServiceRequest) -> list[TicketNote]:
        """What was said about a complaint or request."""
        return [note for note in self.notes if _is_about(note, ticket)]

    def promises_on(self, ticket: Complaint | ServiceRequest) -> list[SlaClock]:
        """By when something was promised about a complaint or request."""
        return [promise for promise in self.promises if _is_about(promise, ticket)]

    def resolutions_of(self, complaint: Complaint) -> list[ComplaintResolution]:
        """Decisions about a complaint."""
        return [one for one in self.resolutions if one.complaint_id == complaint.id]

    def compensations_of(self, complaint: Complaint) -> list[Compensation]:
        """What was granted because of a complaint."""
        return [one for one in self.compensations if one.complaint_id == complaint.id]


def holdings_of(session: Session, *, customer_id: int) -> Holdings:
    """Everything held about a customer and the records joined to it.

    Raises:
        NotFound: there is no such customer.
    """
    scope = scope_of(session, customer_id=customer_id)
    people, chats = scope.customers, scope.conversations
    tickets = tickets_of(session, customers=people)
    names = [str(one) for one in people]
    about_them = and_(AuditEntry.target_type == "customer", AuditEntry.target_id.in_(names))
    by_them = AuditEntry.actor.in_([f"customer:{one}" for one in people])

    def rows(model: type[Row], condition: Any) -> list[Row]:
        return list(session.scalars(select(model).where(condition).order_by(*inspect(model).primary_key)))

    return Holdings(
        customers=sorted(rows(Customer, Customer.id.in_(people)), key=lambda one: people.index(one.id)),
        accounts=rows(ChannelIdentity, ChannelIdentity.customer_id.in_(people)),
        staff_accounts=rows(StaffAccount, StaffAccount.identity_id.in_(scope.identities)),
        phones=rows(ContactPoint, ContactPoint.customer_id.in_(people)),
        conversations=rows(Conversation, Conversation.id.in_(chats)),
        # What staff whispered to each other, and what was held back, was never said to the person.
        messages=rows(Message, and_(Message.conversation_id.in_(chats), Message.audience == EVERYBODY)),
        complaints=rows(Complaint, Complaint.customer_id.in_(people)),
        requests=rows(ServiceRequest, ServiceRequest.customer_id.in_(people)),
        windows=rows(BookingWindow, BookingWindow.id.in_(_windows_of(tickets))),
        notes=rows(TicketNote, and_(tickets.own_notes(), TicketNote.kind != INTERNAL)),
        resolutions=rows(ComplaintResolution, _is_told(tickets)),
        compensations=rows(
            Compensation,
            and_(Compensation.customer_id.in_(people), Compensation.state.in_(("granted", "settled"))),
        ),
        promises=rows(SlaClock, tickets.are_subject(SlaClock.subject_type, SlaClock.subject_id)),
        callbacks=rows(CallbackRequest, CallbackRequest.customer_id.in_(people)),
        handoffs=rows(Handoff, Handoff.customer_id.in_(people)),
        staff_notes=rows(StaffNote, and_(StaffNote.customer_id.in_(people), StaffNote.deleted_at.is_(None))),
        purchases=rows(Purchase, Purchase.customer_id.in_(people)),
        purchase_lines=rows(PurchaseLine, PurchaseLine.purchase_id.in_(_of(Purchase, people))),
        purchase_returns=rows(PurchaseReturn, PurchaseReturn.purchase_id.in_(_of(Purchase, people))),
        postings=rows(LedgerPosting, LedgerPosting.account_id.in_(_of(LoyaltyAccount, people))),
        redemptions=rows(Redemption, Redemption.customer_id.in_(people)),
        friend_codes=rows(ReferralCode, ReferralCode.customer_id.in_(people)),
        friends=rows(Referral, or_(Referral.referrer_id.in_(people), Referral.friend_id.in_(people))),
        chances=rows(RaffleEntry, RaffleEntry.customer_id.in_(people)),
        surveys=rows(SurveyInvitation, SurveyInvitation.customer_id.in_(people)),
        answers=rows(SurveyAnswer, SurveyAnswer.invitation_id.in_(_of(SurveyInvitation, people))),
        drafts=rows(Draft, Draft.conversation_id.in_(chats)),
        attachments=rows(Attachment, _files_of(scope, tickets)),
        consents=rows(Consent, Consent.customer_id.in_(people)),
        activities=rows(Activity, Activity.customer_id.in_(people)),
        conflicts=rows(LinkConflict, LinkConflict.identity_id.in_(scope.identities)),
        learning=rows(LearningSample, LearningSample.conversation_id.in_(chats)),
        updates=rows(InboxItem, scope.is_in_inbox()),
        accesses=rows(AuditEntry, or_(about_them, by_them)),
    )


def _of(model: Any, people: list[int]) -> Select[tuple[int]]:
    """Ids of a person's rows."""
    return select(model.id).where(model.customer_id.in_(people))


def _windows_of(tickets: Tickets) -> Select[tuple[int | None]]:
    return select(ServiceRequest.window_id).where(ServiceRequest.id.in_(tickets.requests))


def _is_told(tickets: Tickets) -> ColumnElement[bool]:
    own = ComplaintResolution.complaint_id.in_(tickets.complaints)
    return and_(own, ComplaintResolution.state == "told")


def _files_of(scope: Scope, tickets: Tickets) -> ColumnElement[bool]:
    """What a person sent, and what staff sent about the person's cases, technicians from the person's home.

    What staff keep with a complaint for themselves is left out, and what the person sent about the cases of
    others, being a member of staff. What staff sent in the conversation is with its line (`from_staff`).
    """
    internal = select(TicketNote.id).where(tickets.own_notes(), TicketNote.kind == INTERNAL)
    shown = or_(
        Attachment.note_id.is_(None),
        Attachment.note_id.not_in(internal),
        Attachment.service_request_id.is_not(None),
    )
    is_loose = and_(
        Attachment.complaint_id.is_(None),
        Attachment.service_request_id.is_(None),
        Attachment.data[OF_STAFF].as_boolean().is_not(True),
    )
    return or_(
        and_(tickets.own_files(), shown), and_(Attachment.conversation_id.in_(scope.conversations), is_loose)
    )


def _is_about(row: TicketNote | SlaClock, ticket: Complaint | ServiceRequest) -> bool:
    return (row.subject_type, row.subject_id) == (kind_of(ticket), ticket.id)


def _plain(row: Base) -> dict[str, Any]:
    columns = [attribute.key for attribute in inspect(type(row)).column_attrs]
    shown = {key: _json(getattr(row, key)) for key in columns if key not in _NOT_THEIRS}
    for key in _ACTORS:
        if key in shown:
            shown[key] = shown[key].partition(":")[0]  # which member of staff it was is theirs
    return {**shown, **_kept_among_staff(row)}


def _kept_among_staff(row: Base) -> dict[str, Any]:
    """What of a row stands instead of what staff wrote for each other."""
    if isinstance(row, Complaint):
        return {"priority_reasons": bare_reasons(row.priority_reasons)}
    if isinstance(row, ServiceRequest) and row.state in (DONE, NOT_DONE):
        return {"outcome": ""}
    if isinstance(row, Activity) and row.subject_type in (COMPLAINT, SERVICE_REQUEST):
        return {"data": {}} if row.actor.partition(":")[0] in _STAFF else {}
    return {}


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (datetime, date)) else value


class SentFile(msgspec.Struct, frozen=True):
    """A file that a person has from us or we from them.

    Attributes:
        id: what it is called in a package of files.
        kind: ``photo``, ``voice``, ``audio``, ``video`` or ``document``.
        path: below the attachments folder.
    """

    id: str
    kind: str
    path: str
    file_name: str
    created_at: datetime


def files_of(holdings: Holdings) -> list[SentFile]:
    """What was sent in both directions and is kept as a file, the newest first."""
    theirs = [
        SentFile(str(one.id), one.kind, one.path, one.file_name, one.created_at)
        for one in holdings.attachments
        if one.path
    ]
    return sorted([*theirs, *from_staff(holdings)], key=lambda one: (one.created_at, one.id), reverse=True)


def from_staff(holdings: Holdings) -> list[SentFile]:
    """What the staff sent in conversations."""
    return [
        SentFile(f"{line.id}-{number}", one["kind"], one["path"], one.get("file_name", ""), line.created_at)
        for line in holdings.messages
        if line.author.partition(":")[0] in _STAFF
        for number, one in enumerate(line.extra.get("files", []), start=1)
        if one.get("path")
    ]
