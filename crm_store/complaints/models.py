"""Tables of the complaints area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: What a customer may want to happen; the names stand in data/complaints/terms.yml.
REMEDIES = ("refund", "replacement", "repair", "apology", "compensation", "explanation")
#: States; `crm_store.complaints.states` says what leads from one to another.
RECEIVED = "received"
ACKNOWLEDGED = "acknowledged"
IN_REVIEW = "in_review"
WAITING = "waiting_customer"
RESOLVED = "resolved"
CLOSED = "closed"
WITHDRAWN = "withdrawn"
APPEALED = "appealed"
STATES = (RECEIVED, ACKNOWLEDGED, IN_REVIEW, WAITING, RESOLVED, CLOSED, WITHDRAWN, APPEALED)
#: Somebody still has to do something.
OPEN_STATES = (RECEIVED, ACKNOWLEDGED, IN_REVIEW, WAITING, APPEALED)
#: What was found about a complaint.
DECISIONS = ("upheld", "partly_upheld", "rejected")
_ONLY_OPEN = text("state = 'open'")


class Complaint(Base):
    """A registered complaint."""

    __tablename__ = "complaints"
    __table_args__ = (
        Index("ix_complaints_customer_id_created_at", "customer_id", "created_at"),
        Index("ix_complaints_assignee_id_state", "assignee_id", "state"),
        Index("ix_complaints_state_id", "state", "id"),
        Index("ix_complaints_category_created_at", "category", "created_at"),
        Index("ix_complaints_order_number", "order_number"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Eight digits, random, the last one a check digit.
    code: Mapped[str] = mapped_column(String(8), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The draft that it was made of; unique, so a draft becomes one complaint however often it is submitted.
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"), unique=True)
    #: The message that held the story; an edit of that message corrects the description.
    source_inbox_id: Mapped[int | None] = mapped_column(BigId, index=True)
    category: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(Text)
    #: As the customer gave it; empty when they have none.
    order_number: Mapped[str] = mapped_column(String(40), default="")
    #: Key of the product that it is about; empty when none of the business's was named.
    product: Mapped[str] = mapped_column(String(40), default="")
    #: One of REMEDIES; empty when the customer did not say.
    remedy: Mapped[str] = mapped_column(String(20), default="")
    #: The number to call about it; None when the customer gave none.
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_points.id"))
    state: Mapped[str] = mapped_column(String(20), default=RECEIVED)
    #: One of `crm_store.tickets.models.PRIORITIES`.
    priority: Mapped[str] = mapped_column(String(10), default="normal")
    #: Why it has this priority: ``{"reason", …}`` each, the reason a key of data/complaints/terms.yml.
    priority_reasons: Mapped[list[Any]] = mapped_column(default=list)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    #: The earlier complaint of the same customer about the same order; None for the first one.
    related_to_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    #: The problem that many customers have, of which this is one case.
    problem_id: Mapped[int | None] = mapped_column(ForeignKey("problems.id"), index=True)
    #: Why it happened, as found by the latest investigation: a key of the business's causes.
    root_cause: Mapped[str] = mapped_column(String(40), default="")
    #: When the latest decision was told to the customer; the periods to reopen and to appeal begin then.
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: When the customer appealed, which is possible once.
    appealed_at: Mapped[datetime | None]
    reopened_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    #: Raised with every change, so that two writers notice each other.
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ComplaintResolution(Base):
    """A decision about a complaint, with its reason and what the customer gets."""

    __tablename__ = "complaint_resolutions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    #: One of DECISIONS.
    decision: Mapped[str] = mapped_column(String(20))
    root_cause: Mapped[str] = mapped_column(String(40), default="")
    #: What is done: one of REMEDIES; empty for nothing.
    remedy: Mapped[str] = mapped_column(String(20), default="")
    #: What the customer is told of what was found and done, in the decider's words.
    explanation: Mapped[str] = mapped_column(Text, default="")
    #: ``staff:<id>`` or ``operator``.
    decided_by: Mapped[str] = mapped_column(String(60))
    #: ``proposed`` while a compensation waits for approval, ``told``, or ``refused`` with the compensation.
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    told_at: Mapped[datetime | None]


class Compensation(Base):
    """Points or money that make up for a mistake."""

    __tablename__ = "compensations"
    __table_args__ = (Index("ix_compensations_state_kind", "state", "kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"), index=True)
    resolution_id: Mapped[int] = mapped_column(ForeignKey("complaint_resolutions.id"), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    #: ``points`` or ``money``.
    kind: Mapped[str] = mapped_column(String(10))
    #: Points, or rials.
    amount: Mapped[int] = mapped_column(BigInteger)
    #: ``waiting`` for approval, ``granted`` (to be booked or paid), ``settled`` (done) or ``refused``.
    state: Mapped[str] = mapped_column(String(10))
    requested_by: Mapped[str] = mapped_column(String(60))
    #: Who approved or refused it.
    decided_by: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    decided_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Problem(Base):
    """One cause behind complaints of many customers."""

    __tablename__ = "problems"
    __table_args__ = (
        Index(
            "uq_problems_open_cause",
            "cause",
            unique=True,
            sqlite_where=_ONLY_OPEN,
            postgresql_where=_ONLY_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: What the complaints share: ``category:delivery``, ``product:espresso_maker``, ``cause:carrier``.
    cause: Mapped[str] = mapped_column(String(100))
    #: ``open`` or ``closed``.
    state: Mapped[str] = mapped_column(String(10), default="open")
    #: What the customers were told last.
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(60), default="")
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
