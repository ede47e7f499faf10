"""What the club and the surveys hold about a person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.customers.models import Customer
from crm_store.loyalty import ledger, referrals
from crm_store.loyalty.codes import new_code
from crm_store.loyalty.models import Raffle, RaffleEntry, Redemption, Referral
from crm_store.purchases.models import Purchase, PurchaseLine, PurchaseReturn
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion

if TYPE_CHECKING:
    from tests.factories.person import Person


def belong(session: Session, person: Person, chat: Conversation) -> None:
    """A purchase with a return, points, a code, a friend, a chance, and a survey with words."""
    customer_id = conversations.customer_of(chat)
    key = f"{customer_id}"
    now = utcnow()
    purchase = Purchase(
        order_id=f"shop-{key}",
        customer_id=customer_id,
        total=5_000_000,
        paid_at=now,
        source="api",
        digest="",
        lines=[PurchaseLine(number=1, title=person.device, amount=5_000_000)],
    )
    session.add(purchase)
    session.flush()
    session.add(
        PurchaseReturn(
            purchase_id=purchase.id, return_id="1", line_number=1, amount=10, returned_at=now, digest=""
        )
    )
    ledger.earn(
        session,
        customer_id=customer_id,
        points=50,
        cause=f"purchase:{purchase.id}",
        actor="system",
        key=f"seed-earn:{key}",
        expires_at=None,
    )
    _spend(session, customer_id, key)
    friend = Customer()
    session.add(friend)
    session.flush()
    referrals.code_of(session, customer_id=customer_id)
    session.add(Referral(referrer_id=customer_id, friend_id=friend.id))
    _raffle(session, customer_id, key)
    _survey(session, person, chat, key)


def _spend(session: Session, customer_id: int, key: str) -> None:
    posting = ledger.spend(
        session,
        customer_id=customer_id,
        points=20,
        cause="redemption:0",
        actor="customer",
        key=f"seed-spend:{key}",
    )
    session.add(
        Redemption(
            customer_id=customer_id,
            reward="mug",
            title="لیوان",
            points=20,
            code=new_code(),
            posting_id=posting.id,
            idempotency_key=f"seed:{key}",
        )
    )


def _raffle(session: Session, customer_id: int, key: str) -> None:
    now = utcnow()
    raffle = Raffle(
        key=f"seed_{key}",
        title="قرعه‌کشی",
        prize="سفر",
        winners=1,
        opens_at=now,
        closes_at=now + timedelta(days=1),
    )
    session.add(raffle)
    session.flush()
    session.add(
        RaffleEntry(
            raffle_id=raffle.id, customer_id=customer_id, ticket=new_code(), idempotency_key=f"seed:{key}"
        )
    )


def _survey(session: Session, person: Person, chat: Conversation, key: str) -> None:
    now = utcnow()
    customer_id = conversations.customer_of(chat)
    version = SurveyVersion(key=f"seed_{key}", version=1, digest=key, content={}, origin="file")
    session.add(version)
    session.flush()
    invitation = SurveyInvitation(
        key=version.key,
        version_id=version.id,
        customer_id=customer_id,
        conversation_id=chat.id,
        trigger="list",
        state="completed",
        due_at=now,
        asked_at=now,
        idempotency_key=f"seed:{key}",
    )
    session.add(invitation)
    session.flush()
    session.add_all(
        [
            SurveyAnswer(
                invitation_id=invitation.id,
                question="satisfaction",
                kind="csat",
                value=1,
                text=f"{person.story} {person.phone}",
            ),
            SurveyFollowUp(
                invitation_id=invitation.id, customer_id=customer_id, due_at=now, note=person.remark
            ),
        ]
    )
    session.flush()
