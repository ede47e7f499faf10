"""Whom a survey may reach: the record that stands for a person, their consent, when they were asked last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.customers.models import Customer
from crm_store.privacy.models import Consent
from crm_store.privacy.service import MARKETING, erasure_waits, family_of
from crm_store.surveys.models import ASKED, STARTED, SurveyInvitation

#: The first question was sent, and an answer is still taken.
OPEN_STATES = (ASKED, STARTED)


def standing_for(session: Session, *, customer_id: int) -> Customer | None:
    """The record that stands for a person; None when there is none or it was forgotten."""
    customer = session.get(Customer, customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer = session.get(Customer, customer.merged_into_id)
    return customer if customer is not None and customer.erased_at is None else None


def lock_person(session: Session, *, customer_id: int) -> Customer | None:
    """The record that stands for a person, as it is now; nobody else asks them until the unit of work ends.

    Whatever a survey does begins with this lock, so that a person who is asked by two processes at the same
    moment is asked once.
    """
    current: int | None = customer_id
    customer = None
    while current is not None:
        customer = session.scalar(
            select(Customer)
            .where(Customer.id == current)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        current = customer.merged_into_id if customer is not None else None
    return customer if customer is not None and customer.erased_at is None else None


def has_opted_out(session: Session, *, customer_id: int) -> bool:
    """Whether the person's newest decision is that they want no marketing, or they asked to be forgotten.

    An opinion is asked about what somebody lived through here: without any decision it may be.
    """
    family = family_of(session, customer_id=customer_id)
    if erasure_waits(session, customer_id=family[0]):
        return True
    newest = (
        select(Consent.granted)
        .where(Consent.customer_id.in_(family), Consent.purpose == MARKETING)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return session.scalar(newest) is False


def asked_last(session: Session, *, customer_id: int) -> datetime | None:
    """When a person was asked for an opinion last, in whichever survey and whatever became of it."""
    return session.scalar(
        select(func.max(SurveyInvitation.asked_at)).where(SurveyInvitation.customer_id == customer_id)
    )


def open_survey_of(session: Session, *, customer_id: int) -> SurveyInvitation | None:
    """The newest survey that waits for a person's answers."""
    return session.scalar(
        select(SurveyInvitation)
        .where(SurveyInvitation.customer_id == customer_id, SurveyInvitation.state.in_(OPEN_STATES))
        .order_by(SurveyInvitation.asked_at.desc(), SurveyInvitation.id.desc())
        .limit(1)
    )
