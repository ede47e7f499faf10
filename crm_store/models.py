"""Imports every table, so that ``Base.metadata`` is whole; add a new area's models here."""

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution, Problem
from crm_store.conversations.models import Attachment, Button, Conversation, Message
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer, LinkConflict
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest
from crm_store.heartbeats import Heartbeat
from crm_store.inbox import InboxItem
from crm_store.jobs.models import ScheduledJob
from crm_store.learning.models import LearningSample
from crm_store.outbox import OutboxItem
from crm_store.privacy.models import Consent, Erasure
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.staff.models import ConsoleSession, StaffAccount, StaffInvitation, StaffMember
from crm_store.tickets.models import TicketNote

__all__ = [
    "Activity",
    "Attachment",
    "AuditEntry",
    "Base",
    "BookingWindow",
    "Button",
    "CallbackRequest",
    "ChannelIdentity",
    "Compensation",
    "Complaint",
    "ComplaintResolution",
    "Consent",
    "ConsoleSession",
    "ContactPoint",
    "Conversation",
    "Customer",
    "Draft",
    "Erasure",
    "Heartbeat",
    "InboxItem",
    "LearningSample",
    "LinkConflict",
    "Message",
    "OutboxItem",
    "Problem",
    "ScheduledJob",
    "ServiceRequest",
    "SlaClock",
    "StaffAccount",
    "StaffInvitation",
    "StaffMember",
    "TicketNote",
]
