"""A business that asks for opinions, and customers whom it may ask."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business import EXAMPLE, Calendar, read_business
from crm_store.business.surveys import (
    Branch,
    SurveyChoice,
    SurveyDefinition,
    SurveyQuestion,
    Surveys,
    SurveyTrigger,
)
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.outbox import SENT, OutboxItem
from crm_store.privacy.service import record_consent
from crm_store.rules import Rules
from crm_store.surveys.asking import look_at
from crm_store.surveys.models import SurveyInvitation
from crm_store.surveys.planning import plan_for
from tests.factories import a_conversation

TEHRAN = ZoneInfo("Asia/Tehran")
GROUP = ("telegram", "-100300")
HOURS = Calendar(
    hours=dict.fromkeys(("saturday", "sunday", "monday", "tuesday", "wednesday"), ("09:00-17:00",)),
    on_public_holidays=True,
)
RECOMMEND = SurveyQuestion(key="recommend", kind="nps", text="ما را پیشنهاد می‌کنید؟")
CONTENT = SurveyQuestion(key="content", kind="csat", text="راضی هستید؟")
EASE = SurveyQuestion(key="ease", kind="ces", text="آسان بود؟")
LIKED = SurveyQuestion(
    key="liked",
    kind="choice",
    text="چه چیزی خوب بود؟",
    choices=(SurveyChoice(key="price", title="قیمت"), SurveyChoice(key="people", title="برخورد")),
)
WORDS = SurveyQuestion(key="words", kind="text", text="چه بگوییم؟", is_optional=True)
AFTER_PURCHASE = SurveyDefinition(
    key="after_purchase",
    title="پس از خرید",
    questions=(RECOMMEND,),
    triggers=(SurveyTrigger(on="purchase", after_days=7),),
)
AFTER_VISIT = SurveyDefinition(
    key="after_visit",
    title="پس از خدمت",
    questions=(CONTENT,),
    triggers=(SurveyTrigger(on="service_request", after_days=1),),
)
AFTER_COMPLAINT = SurveyDefinition(
    key="after_complaint",
    title="پس از شکایت",
    questions=(CONTENT, EASE),
    triggers=(SurveyTrigger(on="complaint", after_minutes=30),),
)
BY_HAND = SurveyDefinition(
    key="by_hand",
    title="نظرسنجی سالانه",
    questions=(
        msgspec.structs.replace(
            RECOMMEND, branches=(Branch(go_to="liked", at_least=9), Branch(go_to="words", at_most=6))
        ),
        CONTENT,
        LIKED,
        WORDS,
    ),
)
OPEN = SurveyDefinition(key="open", title="نظر آزاد", questions=(CONTENT, WORDS), is_open=True)
ALL = (AFTER_PURCHASE, AFTER_VISIT, AFTER_COMPLAINT, BY_HAND, OPEN)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026 in Tehran, in UTC; the 22nd is Sunday, 1 Azar 1405."""
    return datetime(2026, 11, day, hour, minute, tzinfo=TEHRAN).astimezone(timezone.utc)


NOON = at(22, 12)


def rules_with(*items: SurveyDefinition, **settings: Any) -> Rules:
    """The rules of a business that asks from 9 to 21 and is at work on weekdays until 17.

    Args:
        items: its surveys; ALL if left out.
        settings: fields of `crm_store.business.Surveys`.
    """
    surveys = Surveys(items=items or ALL, **settings)
    business = msgspec.structs.replace(read_business(EXAMPLE), surveys=surveys, calendar=HOURS)
    return Rules(business, groups=(GROUP,))


def a_customer(session: Session) -> tuple[Conversation, int]:
    """Somebody with a chat."""
    conversation = a_conversation(session)
    return conversation, customer_of(conversation)


def bought(
    session: Session, customer_id: int, rules: Rules, *, number: int = 1, now: datetime = NOON
) -> SurveyInvitation:
    """The survey that follows a purchase."""
    planned = plan_for(
        session, occasion="purchase", subject_id=number, customer_id=customer_id, rules=rules, now=now
    )
    assert planned is not None
    return planned


def asked(
    session: Session, customer_id: int, rules: Rules, *, key: str = "by_hand", now: datetime = NOON
) -> SurveyInvitation:
    """A survey that was sent by hand and asked."""
    from crm_store.surveys.planning import plan_for_list

    (invitation,) = plan_for_list(session, key=key, customer_ids=[customer_id], rules=rules, now=now).planned
    assert look_at(session, invitation_id=invitation.id, rules=rules, now=now) == "asked"
    leave(session)
    return invitation


def leave(session: Session) -> None:
    """Have everything in the outbox sent."""
    for item in session.scalars(select(OutboxItem).where(OutboxItem.state == "pending")):
        item.state, item.sent_at = SENT, item.due_at
    session.flush()


def opts_out(session: Session, customer_id: int, *, granted: bool = False) -> None:
    """A decision about marketing."""
    record_consent(
        session, customer_id=customer_id, granted=granted, text="لغو", channel="telegram", inbox_id=None
    )


def questions_sent(session: Session) -> list[str]:
    """The responses of all survey notices, in order."""
    rows = session.scalars(select(OutboxItem).order_by(OutboxItem.id))
    return [row.content["response"] for row in rows if "survey" in row.content["response"]]
