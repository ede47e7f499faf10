"""What the club and the surveys hold about a customer, in the shape in which scripts expect it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.customers.models import ChannelIdentity, Customer
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.models import RaffleEntry, Redemption, Referral, ReferralCode
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation


class HeldClub(msgspec.Struct, frozen=True):
    """Points and what became of them.

    Attributes:
        codes: ``reward:state`` of each code, oldest first.
        chances: how many chances in raffles.
        referrals: states of the friends who came by the customer's code.
    """

    points: int
    debt: int
    tier: str
    codes: list[str]
    chances: int
    referrals: list[str]


class HeldSurvey(msgspec.Struct, frozen=True):
    """A survey that the customer was asked.

    Attributes:
        answers: by the question's key: the grade, the choice, the text or ``files:<n>``.
        follow_up: whether a person looks after it.
    """

    key: str
    state: str
    answers: dict[str, Any]
    follow_up: bool


def club_of(session: Session, customer_id: int) -> HeldClub:
    """How a customer stands in the club."""
    balance = balance_of(session, customer_id=customer_id, soon=timedelta(days=30))
    codes = session.scalars(
        select(Redemption).where(Redemption.customer_id == customer_id).order_by(Redemption.id)
    )
    entries = session.scalars(select(RaffleEntry.id).where(RaffleEntry.customer_id == customer_id))
    referrals = select(Referral.state).where(Referral.referrer_id == customer_id).order_by(Referral.id)
    return HeldClub(
        points=balance.points,
        debt=balance.debt,
        tier=session.get_one(Customer, customer_id).tier,
        codes=[f"{one.reward}:{one.state}" for one in codes],
        chances=len(entries.all()),
        referrals=list(session.scalars(referrals)),
    )


def latest_voucher(session: Session, *, channel: str, chat_id: str) -> str:
    """The code that the customer of a chat was given last; empty for none."""
    codes = (
        select(Redemption.code)
        .join(ChannelIdentity, ChannelIdentity.customer_id == Redemption.customer_id)
        .where(ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id)
    )
    return session.scalars(codes.order_by(Redemption.id.desc())).first() or ""


def own_friend_code(session: Session, *, channel: str, chat_id: str) -> str:
    """The code by which the customer of a chat brings friends; they have asked for it before."""
    codes = (
        select(ReferralCode.code)
        .join(ChannelIdentity, ChannelIdentity.customer_id == ReferralCode.customer_id)
        .where(ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id)
    )
    return session.scalars(codes).one()


def surveys_of(session: Session, customer_id: int) -> list[HeldSurvey]:
    """The surveys of a customer, oldest first, without those that are only planned."""
    rows = session.scalars(
        select(SurveyInvitation)
        .where(SurveyInvitation.customer_id == customer_id, SurveyInvitation.state != "planned")
        .order_by(SurveyInvitation.id)
    )
    return [_survey(session, row) for row in rows]


def _survey(session: Session, row: SurveyInvitation) -> HeldSurvey:
    answers = session.scalars(
        select(SurveyAnswer).where(SurveyAnswer.invitation_id == row.id).order_by(SurveyAnswer.id)
    )
    follow_up = select(SurveyFollowUp.id).where(SurveyFollowUp.invitation_id == row.id)
    return HeldSurvey(
        key=row.key,
        state=row.state,
        answers={answer.question: _said(answer) for answer in answers},
        follow_up=session.scalar(follow_up) is not None,
    )


def _said(answer: SurveyAnswer) -> Any:
    if answer.value is not None:
        return answer.value
    return answer.choice or (f"files:{len(answer.files)}" if answer.files else answer.text)
