"""What differs from business to business: ``business.toml``, which the owner edits while Peyvand runs."""

from crm_store.business.calendar import WEEKDAYS, Calendar, Weekday
from crm_store.business.file import EXAMPLE, Business, BusinessFile, lay_out_business_file, read_business
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
    "Product",
    "Question",
    "Role",
    "RootCause",
    "Service",
    "ServiceKind",
    "ServiceQuestion",
    "Sla",
    "SlaPolicy",
    "Title",
    "Weekday",
    "lay_out_business_file",
    "read_business",
]
