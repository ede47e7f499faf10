"""What points buy: the catalogue, codes that are taken once, and points that come back.

Whoever writes here locks the customer first and the reward's stock last, so that nobody waits for each other.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.business.loyalty import Loyalty, Reward
from crm_store.customers.models import Customer
from crm_store.errors import (
    CrmError,
    InvalidInput,
    InvalidTransition,
    LimitReached,
    NotAllowed,
    NotFound,
    TooLate,
)
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.code_endings import BY_THE_SHOP, OVER, give_points_back, tell_end
from crm_store.loyalty.codes import new_code, read_code
from crm_store.loyalty.models import ACTIVE, CANCELLED, LAPSED, USED, Redemption, RewardStock
from crm_store.loyalty.stock import put_back, take_from_stock
from crm_store.loyalty.telling import by_day
from crm_store.rules import Rules

SYSTEM, CUSTOMER = "system", "customer"
_RIALS_IN_A_TOMAN = 10
#: Codes that lapse in one unit of work.
LAPSED_AT_ONCE = 200
Obstacle = Literal["", "points", "stock", "limit", "tier"]


class Offer(msgspec.Struct, frozen=True):
    """A reward as one customer sees it.

    Attributes:
        left: how many are left; None for any number.
        can: whether the customer can have it now.
        why: what is in the way; empty for nothing.
    """

    reward: Reward
    left: int | None
    can: bool
    why: Obstacle = ""


def catalogue(
    session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None
) -> list[Offer]:
    """All rewards, in the owner's order; none while there is no club."""
    loyalty = rules.business.loyalty
    if not loyalty.is_on or not loyalty.rewards:
        return []
    customer = _standing(session, customer_id)
    points = balance_of(session, customer_id=customer.id, soon=timedelta(0), now=now).points
    taken = dict(session.execute(select(RewardStock.reward, RewardStock.taken)).tuples().all())
    had = _had(session, customer.id)
    return [_offer(one, customer.tier, points, taken, had) for one in loyalty.rewards]


def _offer(reward: Reward, tier: str, points: int, taken: dict[str, int], had: dict[str, int]) -> Offer:
    left = None if reward.stock is None else max(0, reward.stock - taken.get(reward.key, 0))
    why: Obstacle = ""
    if reward.tiers and tier not in reward.tiers:
        why = "tier"
    elif left == 0:
        why = "stock"
    elif reward.per_customer and had.get(reward.key, 0) >= reward.per_customer:
        why = "limit"
    elif points < reward.points:
        why = "points"
    return Offer(reward, left, not why, why)


def redeem(
    session: Session, *, customer_id: int, reward: str, key: str, rules: Rules, now: datetime | None = None
) -> Redemption:
    """Spend points on a reward.

    Args:
        reward: its key.
        key: names the message that confirmed it; the same again gives the same code.

    Raises:
        NotFound: there is no such reward, or no such customer.
        NotAllowed: it is only for members of other tiers.
        LimitReached: the customer has as many of it as one may have.
        NotEnoughPoints: the customer has too few.
        RewardGone: none is left.
        InvalidInput: the key was used for something else.
    """
    now = now or utcnow()
    customer = ledger.lock_customer(session, customer_id)
    known = session.scalar(select(Redemption).where(Redemption.idempotency_key == key))
    if known is not None:
        if (known.customer_id, known.reward) != (customer.id, reward):
            raise InvalidInput("this key was used for another reward")
        return known
    chosen = _chosen(session, rules.business.loyalty, customer, reward)
    number = _next_id(session)
    take_from_stock(session, chosen)
    try:
        posting = ledger.spend(
            session,
            customer_id=customer.id,
            points=chosen.points,
            cause=f"redemption:{number}",
            actor=CUSTOMER,
            key=f"redeem:{key}",
            now=now,
        )
    except CrmError:
        put_back(session, [chosen.key])  # whoever goes on after a refusal has taken nothing
        raise
    redemption = Redemption(
        id=number,
        customer_id=customer.id,
        reward=chosen.key,
        title=chosen.title,
        worth=chosen.worth_tomans * _RIALS_IN_A_TOMAN,
        points=chosen.points,
        code=_unused_code(session),
        state=ACTIVE,
        posting_id=posting.id,
        expires_at=_end_of(now, chosen.valid_days, rules.timezone),
        idempotency_key=key,
        created_at=now,
    )
    session.add(redemption)
    _note(session, redemption, "loyalty.reward_taken", CUSTOMER)
    session.flush()
    return redemption


def find(session: Session, *, code: str) -> Redemption:
    """What a code is for, whatever has become of it.

    Args:
        code: as it was typed or read out.

    Raises:
        NotFound: nobody was given such a code.
    """
    read = read_code(code)
    found = session.scalar(select(Redemption).where(Redemption.code == read)) if read else None
    if found is None:
        raise NotFound("nobody was given such a code")
    return found


def use_code(
    session: Session, *, code: str, actor: str, used_for: str = "", now: datetime | None = None
) -> Redemption:
    """Take a code, once. The same shop may ask again for the same order, and hears the same.

    Args:
        actor: ``api:<id>``, ``operator`` or ``staff:<id>``.
        used_for: the shop's order; at most 100 characters.

    Raises:
        NotFound: nobody was given such a code.
        TooLate: its time is over.
        InvalidTransition: it was used for something else, or given back.
    """
    now = now or utcnow()
    if len(used_for) > 100:
        raise InvalidInput("an order has at most 100 characters")
    redemption = find(session, code=code)
    in_time = or_(Redemption.expires_at.is_(None), Redemption.expires_at > now)
    values = {"state": USED, "used_by": actor, "used_for": used_for, "used_at": now}
    if _move(session, redemption, values, in_time):
        _note(session, redemption, "loyalty.code_used", actor)
        _audit(session, redemption, "redemption.use", actor)
        return redemption
    if (
        redemption.state == USED
        and used_for
        and (redemption.used_by, redemption.used_for) == (actor, used_for)
    ):
        return redemption
    if redemption.state in (ACTIVE, LAPSED):
        raise TooLate("the time of this code is over")
    raise InvalidTransition(f"this code is {redemption.state} already", state=redemption.state)


def cancel(
    session: Session,
    *,
    redemption_id: int | None = None,
    code: str = "",
    customer_id: int | None = None,
    actor: str,
    now: datetime | None = None,
) -> Redemption:
    """Give back a code that was not used: the points go back to their lots, what is owed is settled first.

    What is there again of them tells `crm_store.loyalty.code_endings.came_back`.

    Args:
        redemption_id: which one; or else ``code``.
        customer_id: whose it has to be; None for anybody's.
        actor: the customer hears in a notice if it is somebody else.

    Raises:
        NotFound: there is none, or it is not that customer's.
        InvalidTransition: it was used, or given back before.
    """
    now = now or utcnow()
    found = find(session, code=code) if redemption_id is None else session.get(Redemption, redemption_id)
    if found is None:
        raise NotFound("there is no such code")
    owner = _lock_owner(session, found)
    if customer_id is not None and (owner is None or _standing(session, customer_id).id != owner.id):
        raise NotFound("there is no such code")
    if not _move(session, found, {"state": CANCELLED}):
        raise InvalidTransition(f"this code is {found.state} already", state=found.state)
    if owner is not None:
        give_points_back(session, found, actor=actor, now=now)
    put_back(session, [found.reward])
    _note(session, found, "loyalty.code_cancelled", actor)
    if actor != CUSTOMER:
        _audit(session, found, "redemption.cancel", actor)
        tell_end(session, found, BY_THE_SHOP)
    return found


def redemptions_of(session: Session, *, customer_id: int, limit: int = 10) -> list[Redemption]:
    """A customer's codes, whatever has become of them, the latest first."""
    chosen = select(Redemption).where(Redemption.customer_id == customer_id)
    return list(session.scalars(chosen.order_by(Redemption.id.desc()).limit(limit)))


def lapse_due(session: Session, *, rules: Rules, now: datetime | None = None) -> int:
    """Let codes lapse whose time is over; their points go back, and their customers are told.

    Returns:
        How many lapsed; `LAPSED_AT_ONCE` means that there may be more.
    """
    now = now or utcnow()
    due = session.scalars(
        select(Redemption)
        .where(Redemption.state == ACTIVE, Redemption.expires_at <= now)
        .order_by(Redemption.customer_id, Redemption.id)
        .limit(LAPSED_AT_ONCE)
    ).all()
    lapsed = []
    for redemption in due:
        owner = _lock_owner(session, redemption)
        if _move(session, redemption, {"state": LAPSED}):
            if owner is not None:
                give_points_back(session, redemption, actor=SYSTEM, now=now)
            _note(session, redemption, "loyalty.code_lapsed", SYSTEM)
            tell_end(session, redemption, OVER, due_at=by_day(now, rules))
            lapsed.append(redemption.reward)
    put_back(session, lapsed)
    return len(lapsed)


def _chosen(session: Session, loyalty: Loyalty, customer: Customer, key: str) -> Reward:
    reward = loyalty.reward(key) if loyalty.is_on else None
    if reward is None:
        raise NotFound("there is no such reward")
    if reward.tiers and customer.tier not in reward.tiers:
        raise NotAllowed(f"{key} is for members of {', '.join(reward.tiers)}")
    if reward.per_customer and _had(session, customer.id).get(key, 0) >= reward.per_customer:
        raise LimitReached(f"nobody may have more than {reward.per_customer} of {key}")
    return reward


def _had(session: Session, customer_id: int) -> dict[str, int]:
    """How many of each reward a customer has had; whose points came back do not count."""
    counted = (
        select(Redemption.reward, func.count())
        .where(Redemption.customer_id == customer_id, Redemption.state.in_((ACTIVE, USED)))
        .group_by(Redemption.reward)
    )
    return dict(session.execute(counted).tuples().all())


def _unused_code(session: Session) -> str:
    while True:
        code = new_code()
        with session.no_autoflush:
            if session.scalar(select(Redemption.id).where(Redemption.code == code)) is None:
                return code


def _next_id(session: Session) -> int:
    """A number for a redemption: the posting that names it as its cause comes first, and is never changed."""
    if session.get_bind().dialect.name == "sqlite":  # who writes is alone there
        return (session.scalar(select(func.max(Redemption.id))) or 0) + 1
    sequence = func.pg_get_serial_sequence(Redemption.__tablename__, "id")
    return int(session.scalar(select(func.nextval(sequence))) or 0)


def _move(
    session: Session, redemption: Redemption, values: dict[str, object], *where: ColumnElement[bool]
) -> bool:
    """Change an active code; False, with the code as it is now, when it is no longer active."""
    changed = session.scalar(
        update(Redemption)
        .where(Redemption.id == redemption.id, Redemption.state == ACTIVE, *where)
        .values(values)
        .returning(Redemption.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(redemption)
    return changed is not None


def _lock_owner(session: Session, redemption: Redemption) -> Customer | None:
    """Lock whose code it is; None for somebody who was forgotten, with all points."""
    customer = session.get_one(Customer, redemption.customer_id)
    return None if customer.erased_at is not None else ledger.lock_customer(session, customer.id)


def _end_of(now: datetime, days: int, timezone: str) -> datetime | None:
    """The last second of the day until which a code holds; None for ever."""
    if not days:
        return None
    zone = ZoneInfo(timezone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(23, 59, 59), zone)


def _standing(session: Session, customer_id: int) -> Customer:
    """The record that stands for a customer."""
    customer = session.get(Customer, customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer = session.get(Customer, customer.merged_into_id)
    if customer is None:
        raise NotFound("there is no such customer")
    return customer


def _note(session: Session, redemption: Redemption, kind: str, actor: str) -> None:
    record_activity(
        session,
        customer_id=redemption.customer_id,
        kind=kind,
        actor=actor,
        subject_type="redemption",
        subject_id=redemption.id,
        data={"reward": redemption.reward, "points": redemption.points},
    )


def _audit(session: Session, redemption: Redemption, action: str, actor: str) -> None:
    record_audit(
        session, actor=actor, action=action, target_type="redemption", target_id=redemption.id, detail={}
    )
