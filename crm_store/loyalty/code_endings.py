"""What comes back of a code that was not used, and how its customer hears of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.conversations.queries import latest_conversation
from crm_store.loyalty import ledger
from crm_store.loyalty.lapsing import OF_CODE
from crm_store.loyalty.models import LedgerPosting, LotMovement, PointLot, Redemption
from crm_store.loyalty.postings import parts_of
from crm_store.outbox import enqueue_notice
from crm_store.persian import group_thousands


class Ending(NamedTuple):
    """Responses that tell that a code ended: where all came back, where a part did, where nothing did."""

    whole: str
    part: str
    none: str


BY_THE_SHOP = Ending("utter_reward_cancelled", "utter_reward_cancelled_part", "utter_reward_cancelled_none")
OVER = Ending("utter_reward_lapsed", "utter_reward_lapsed_part", "utter_reward_lapsed_none")


def give_points_back(session: Session, redemption: Redemption, *, actor: str, now: datetime) -> None:
    """Give the points of a code back to their lots, after what is owed was settled."""
    ledger.reverse(
        session,
        posting=session.get_one(LedgerPosting, redemption.posting_id),
        cause=f"{OF_CODE}{redemption.id}",
        actor=actor,
        key=_key(redemption),
        now=now,
    )


def came_back(session: Session, redemption: Redemption) -> int:
    """How many points of a code are there again, or settled what was owed.

    What went back to lots whose time was over by then is lost: the next night writes it off. Nothing came
    back of a code that is active, used, or of somebody who was forgotten.
    """
    back = ledger.posting_by_key(session, _key(redemption))
    if back is None:
        return 0
    lost = session.scalar(
        select(func.sum(LotMovement.points))
        .join(PointLot, PointLot.id == LotMovement.lot_id)
        .where(
            LotMovement.posting_id.in_([part.id for part in parts_of(session, back)]),
            PointLot.expires_at <= back.at,
        )
    )
    return redemption.points - int(lost or 0)


def tell_end(
    session: Session, redemption: Redemption, ending: Ending, *, due_at: datetime | None = None
) -> None:
    """Tell that a code ended, and what came back of it."""
    conversation_id = latest_conversation(session, customer_id=redemption.customer_id)
    if conversation_id is None:
        return
    points = came_back(session, redemption)
    lost = redemption.points - points
    params = {"title": redemption.title, "points": group_thousands(points), "lost": group_thousands(lost)}
    enqueue_notice(
        session,
        conversation_id=conversation_id,
        response=ending.whole if not lost else ending.part if points else ending.none,
        idempotency_key=f"redemption-{redemption.state}:{redemption.id}",
        params=params,
        due_at=due_at,
    )


def _key(redemption: Redemption) -> str:
    return f"redemption-back:{redemption.id}"
