"""Reads everything held about a customer, for the file that the customer asks for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import and_, inspect, or_, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Conversation, Message
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer, LinkConflict
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest
from crm_store.inbox import InboxItem
from crm_store.learning.models import LearningSample
from crm_store.privacy.models import Consent
from crm_store.privacy.scope import scope_of

#: What is about somebody else, or means nothing outside the store.
_NOT_THEIRS = {
    "holder_id",
    "detail",
    "correlation_id",
    "settled_by",
    "decided_by",
    "path",
    "last_error",
    "version_id",
}
_ACTORS = ("actor", "author")

Row = TypeVar("Row", bound=Base)


class Holdings(msgspec.Struct, frozen=True):
    """All rows about one person, each list in order of age.

    Attributes:
        customers: the record that stands for the person first, then those joined to it.
        learning: messages that were not understood, kept to learn from.
        updates: what arrived, as the messengers sent it.
        accesses: who asked for or changed what, without the particulars.
    """

    customers: list[Customer]
    accounts: list[ChannelIdentity]
    phones: list[ContactPoint]
    conversations: list[Conversation]
    messages: list[Message]
    complaints: list[Complaint]
    callbacks: list[CallbackRequest]
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


def holdings_of(session: Session, *, customer_id: int) -> Holdings:
    """Everything held about a customer and the records joined to it.

    Raises:
        NotFound: there is no such customer.
    """
    scope = scope_of(session, customer_id=customer_id)
    people, chats = scope.customers, scope.conversations
    names = [str(one) for one in people]
    about_them = and_(AuditEntry.target_type == "customer", AuditEntry.target_id.in_(names))
    by_them = AuditEntry.actor.in_([f"customer:{one}" for one in people])

    def rows(model: type[Row], condition: Any) -> list[Row]:
        return list(session.scalars(select(model).where(condition).order_by(*inspect(model).primary_key)))

    return Holdings(
        customers=sorted(rows(Customer, Customer.id.in_(people)), key=lambda one: people.index(one.id)),
        accounts=rows(ChannelIdentity, ChannelIdentity.customer_id.in_(people)),
        phones=rows(ContactPoint, ContactPoint.customer_id.in_(people)),
        conversations=rows(Conversation, Conversation.id.in_(chats)),
        messages=rows(Message, Message.conversation_id.in_(chats)),
        complaints=rows(Complaint, Complaint.customer_id.in_(people)),
        callbacks=rows(CallbackRequest, CallbackRequest.customer_id.in_(people)),
        drafts=rows(Draft, Draft.conversation_id.in_(chats)),
        attachments=rows(Attachment, Attachment.conversation_id.in_(chats)),
        consents=rows(Consent, Consent.customer_id.in_(people)),
        activities=rows(Activity, Activity.customer_id.in_(people)),
        conflicts=rows(LinkConflict, LinkConflict.identity_id.in_(scope.identities)),
        learning=rows(LearningSample, LearningSample.conversation_id.in_(chats)),
        updates=rows(InboxItem, scope.is_in_inbox()),
        accesses=rows(AuditEntry, or_(about_them, by_them)),
    )


def _plain(row: Base) -> dict[str, Any]:
    columns = [attribute.key for attribute in inspect(type(row)).column_attrs]
    shown = {key: _json(getattr(row, key)) for key in columns if key not in _NOT_THEIRS}
    for key in _ACTORS:
        if key in shown:
            shown[key] = shown[key].partition(":")[0]  # which member of staff it was is theirs
    return shown


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (datetime, date)) else value


def newest_first(attachments: Iterable[Attachment]) -> list[Attachment]:
    """Attachments that have a file, the newest first."""
    return sorted((one for one in attachments if one.path), key=lambda one: one.id, reverse=True)
