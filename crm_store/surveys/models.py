"""Tables of the surveys area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: States of an invitation.
PLANNED = "planned"  # waits for its moment
ASKED = "asked"  # the first question was sent
STARTED = "started"  # at least one question is answered
COMPLETED = "completed"
SKIPPED = "skipped"  # the customer did not want to
EXPIRED = "expired"  # nothing more came; what was answered is kept
DROPPED = "dropped"  # never asked: cooldown, consent, no chat
INVITATION_STATES = (PLANNED, ASKED, STARTED, COMPLETED, SKIPPED, EXPIRED, DROPPED)
#: States of a follow-up.
OPEN, DONE = "open", "done"


class SurveyVersion(Base):
    """A survey as it was asked; a change makes a new version, answers stay with theirs."""

    __tablename__ = "survey_versions"
    __table_args__ = (UniqueConstraint("key", "version"), UniqueConstraint("key", "digest"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(40))
    #: From 1.
    version: Mapped[int]
    #: SHA-256 of the content.
    digest: Mapped[str] = mapped_column(String(64))
    #: As in the business file (`crm_store.business.surveys.SurveyDefinition`).
    content: Mapped[dict[str, Any]]
    #: ``file`` or ``api``; the file's surveys win over the API's of the same key.
    origin: Mapped[str] = mapped_column(String(10))
    #: The version in force when there are several: the one set last.
    set_at: Mapped[datetime] = mapped_column(default=utcnow)


class SurveyInvitation(Base):
    """One customer asked for an opinion once."""

    __tablename__ = "survey_invitations"
    __table_args__ = (
        Index("ix_survey_invitations_customer_id_state", "customer_id", "state"),
        Index("ix_survey_invitations_state_due_at", "state", "due_at"),
        Index("ix_survey_invitations_key_asked_at", "key", "asked_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(40))
    #: The version that is asked; set when it is planned.
    version_id: Mapped[int] = mapped_column(ForeignKey("survey_versions.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    #: Where it is asked; set when it is.
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    #: ``complaint``, ``service_request``, ``purchase``, ``handoff``, ``list`` or ``customer``.
    trigger: Mapped[str] = mapped_column(String(20))
    #: What it is about, of the trigger's type; None for nothing in particular.
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    #: Whose work is judged, when somebody's is.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"), index=True)
    #: The customer's tier when it was planned, for results by segment.
    tier: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(10), default=PLANNED)
    #: Why it was dropped: ``cooldown``, ``consent``, ``no_chat`` …
    reason: Mapped[str] = mapped_column(String(20), default="")
    #: Key of the question that waits for an answer, ``:why`` behind it for the reason; empty when none does.
    question: Mapped[str] = mapped_column(String(60), default="")
    due_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: Names the occasion, ``complaint:17``; the same occasion plans one.
    idempotency_key: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class SurveyAnswer(Base):
    """An answer to one question; a correction replaces it."""

    __tablename__ = "survey_answers"
    __table_args__ = (UniqueConstraint("invitation_id", "question"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invitation_id: Mapped[int] = mapped_column(ForeignKey("survey_invitations.id"))
    #: Key and kind of the question.
    question: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    #: The grade, on the question's own scale; None for others.
    value: Mapped[int | None]
    #: Key of the choice; empty for others.
    choice: Mapped[str] = mapped_column(String(40), default="")
    #: The customer's own words, also beside a grade.
    text: Mapped[str] = mapped_column(Text, default="")
    #: Ids of attachments.
    files: Mapped[list[Any]] = mapped_column(default=list)
    #: The message that answered it.
    inbox_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(default=utcnow)


class SurveyFollowUp(Base):
    """A low grade that a person has to look after."""

    __tablename__ = "survey_follow_ups"
    __table_args__ = (Index("ix_survey_follow_ups_state_due_at", "state", "due_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invitation_id: Mapped[int] = mapped_column(ForeignKey("survey_invitations.id"), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    #: Working time until then, by the business's calendar.
    due_at: Mapped[datetime]
    #: When those above were told that it is overdue.
    escalated_at: Mapped[datetime | None]
    #: What was done, in the words of whoever did it.
    note: Mapped[str] = mapped_column(Text, default="")
    done_by: Mapped[str] = mapped_column(String(60), default="")
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
