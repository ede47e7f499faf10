"""Imports every table, so that ``Base.metadata`` is whole; add a new area's models here.

With them come the listeners that keep what is searched in step with what it is made of.
"""

import crm_store.customers.names
import crm_store.transcripts.service  # noqa: F401  # for its listeners
from crm_store.activity import Activity
from crm_store.api_keys.models import ApiKey
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution, Problem
from crm_store.conversations.models import Attachment, Button, Conversation, Message
from crm_store.customers.models import (
    ChannelIdentity,
    ContactPoint,
    Customer,
    CustomerName,
    LinkConflict,
    NameWord,
)
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest, CannedReply, Handoff, RelayedLine, StaffTopic
from crm_store.heartbeats import Heartbeat
from crm_store.inbox import InboxItem
from crm_store.jobs.models import ScheduledJob
from crm_store.learning.models import LearningSample
from crm_store.loyalty.models import (
    LedgerPosting,
    LedgerProof,
    LotMovement,
    LoyaltyAccount,
    LoyaltyRuleVersion,
    PointLot,
    Raffle,
    RaffleEntry,
    Redemption,
    Referral,
    ReferralCode,
    RewardStock,
)
from crm_store.outbox import OutboxItem
from crm_store.privacy.models import Consent, Erasure
from crm_store.purchases.models import Purchase, PurchaseLine, PurchaseReturn
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.staff.models import (
    ConsoleSession,
    StaffAccount,
    StaffFocus,
    StaffInvitation,
    StaffMember,
    StaffNote,
)
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion
from crm_store.texts.models import TextVersion
from crm_store.tickets.models import TicketNote
from crm_store.transcripts.models import MessageText

__all__ = [
    "Activity",
    "ApiKey",
    "Attachment",
    "AuditEntry",
    "Base",
    "BookingWindow",
    "Button",
    "CallbackRequest",
    "CannedReply",
    "ChannelIdentity",
    "Compensation",
    "Complaint",
    "ComplaintResolution",
    "Consent",
    "ConsoleSession",
    "ContactPoint",
    "Conversation",
    "Customer",
    "CustomerName",
    "Draft",
    "Erasure",
    "Handoff",
    "Heartbeat",
    "InboxItem",
    "LearningSample",
    "LedgerPosting",
    "LedgerProof",
    "LinkConflict",
    "LotMovement",
    "LoyaltyAccount",
    "LoyaltyRuleVersion",
    "Message",
    "MessageText",
    "NameWord",
    "OutboxItem",
    "PointLot",
    "Problem",
    "Purchase",
    "PurchaseLine",
    "PurchaseReturn",
    "Raffle",
    "RaffleEntry",
    "Redemption",
    "Referral",
    "ReferralCode",
    "RelayedLine",
    "RewardStock",
    "ScheduledJob",
    "ServiceRequest",
    "SlaClock",
    "StaffAccount",
    "StaffFocus",
    "StaffInvitation",
    "StaffMember",
    "StaffNote",
    "StaffTopic",
    "SurveyAnswer",
    "SurveyFollowUp",
    "SurveyInvitation",
    "SurveyVersion",
    "TextVersion",
    "TicketNote",
]
