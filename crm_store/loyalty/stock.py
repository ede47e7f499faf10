"""How many of a reward were given."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.business.loyalty import Reward
from crm_store.errors import RewardGone
from crm_store.loyalty.models import RewardStock


def take_from_stock(session: Session, reward: Reward) -> None:
    """Count one more as given, in one statement: the last one goes once, however many ask.

    Raises:
        RewardGone: none is left.
    """
    if _count_one(session, reward):
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = insert(RewardStock).values(reward=reward.key, taken=0)
    session.execute(row.on_conflict_do_nothing(index_elements=["reward"]))
    if not _count_one(session, reward):
        raise RewardGone(f"{reward.key} is gone")


def put_back(session: Session, rewards: Iterable[str]) -> None:
    """Count some as not given after all.

    Args:
        rewards: the key of each; one that came back twice stands there twice.
    """
    for reward in sorted(rewards):
        session.execute(
            update(RewardStock)
            .where(RewardStock.reward == reward, RewardStock.taken > 0)
            .values(taken=RewardStock.taken - 1)
            .execution_options(synchronize_session=False)
        )


def _count_one(session: Session, reward: Reward) -> bool:
    """False when none is left, or none was ever given."""
    one_more = update(RewardStock).where(RewardStock.reward == reward.key)
    if reward.stock is not None:
        one_more = one_more.where(RewardStock.taken < reward.stock)
    counted = one_more.values(taken=RewardStock.taken + 1).returning(RewardStock.id)
    return session.scalar(counted.execution_options(synchronize_session=False)) is not None
