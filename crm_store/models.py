"""Imports every table, so that ``Base.metadata`` is whole; add a new area's models here."""

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Button, Conversation, Message
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest
from crm_store.heartbeats import Heartbeat
from crm_store.inbox import InboxItem
from crm_store.outbox import OutboxItem

__all__ = [
    "Activity",
    "Attachment",
    "AuditEntry",
    "Base",
    "Button",
    "CallbackRequest",
    "ChannelIdentity",
    "Complaint",
    "ContactPoint",
    "Conversation",
    "Customer",
    "Draft",
    "Heartbeat",
    "InboxItem",
    "Message",
    "OutboxItem",
]
