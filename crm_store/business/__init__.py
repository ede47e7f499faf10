"""What differs from business to business: ``business.toml``, which the owner edits while Peyvand runs."""

from crm_store.business.calendar import WEEKDAYS, Calendar, Weekday
from crm_store.business.file import EXAMPLE, Business, BusinessFile, lay_out_business_file, read_business
from crm_store.business.loyalty import Loyalty, Reward, Tier
from crm_store.business.parts import (
    Callbacks,
    Category,
    Complaints,
    Faq,
    Key,
    Limit,
    Product,
    Question,
    Role,
    RootCause,
    Title,
)
from crm_store.business.service import Service, ServiceKind, ServiceQuestion
from crm_store.business.sla import EscalationStep, Sla, SlaPolicy
from crm_store.business.surveys import SurveyDefinition, SurveyQuestion, Surveys

__all__ = [
    "EXAMPLE",
    "WEEKDAYS",
    "Business",
    "BusinessFile",
    "Calendar",
    "Callbacks",
    "Category",
    "Complaints",
    "EscalationStep",
    "Faq",
    "Key",
    "Limit",
    "Loyalty",
    "Product",
    "Question",
    "Reward",
    "Role",
    "RootCause",
    "Service",
    "ServiceKind",
    "ServiceQuestion",
    "Sla",
    "SlaPolicy",
    "SurveyDefinition",
    "SurveyQuestion",
    "Surveys",
    "Tier",
    "Title",
    "Weekday",
    "lay_out_business_file",
    "read_business",
]
