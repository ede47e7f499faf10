"""Joining two records of one person, so that nothing is lost and it can be undone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, select, update
from sqlalchemy.orm import Session

import crm_store.models  # noqa: F401  # every table that names a customer must be known
from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import Base, utcnow
from crm_store.customers.models import (
    JOINED,
    KEPT_APART,
    OPEN,
    ChannelIdentity,
    ContactPoint,
    Customer,
    LinkConflict,
)
from crm_store.errors import InvalidInput
from crm_store.jobs.service import schedule
from crm_store.loyalty.referral_rewards import OF_CUSTOMER, settle_merge
from crm_store.loyalty.settling import settle_debt

#: What is taken over where the record that stays has nothing.
PROFILE = (
    "display_name",
    "full_name",
    "birthday",
    "address",
    "preferred_channel",
    "preferred_time",
    "external_ref",
    "tier",
)
#: References that need more than the other record's id: they must stay unique, or tell of the joining itself.
_BY_HAND = {
    ("customers", "merged_into_id"),
    ("contact_points", "customer_id"),
    ("link_conflicts", "holder_id"),
    # They follow the records by themselves (crm_store.customers.names).
    ("customer_names", "customer_id"),
}

Moved = dict[str, list[int]]


def merge(session: Session, *, into_id: int, from_id: int, actor: str, now: datetime | None = None) -> None:
    """Join a customer's record to another one of the same person; joined records stay as they are.

    Everything that names the customer is moved over, in every area; empty fields of the profile are filled.
    The joined record keeps its own fields, and those contact points that the other one has too. What one of
    them owes is settled out of the other's points. The audit trail tells by ids what was moved.

    Args:
        into_id: the record that goes on standing for the person; see `keeper`.
        actor: who joins them, as in the audit trail: ``customer:<id>``, ``staff:<id>`` or ``operator``.
        now: when, for the points.

    Raises:
        InvalidInput: one of them was joined to another record or erased before.
    """
    statement = select(Customer).where(Customer.id.in_((into_id, from_id))).order_by(Customer.id)
    both = {customer.id: customer for customer in session.scalars(statement.with_for_update())}
    into, joined = both[into_id], both[from_id]
    if into_id in (joined.merged_into_id, from_id):
        return
    if any(one.merged_into_id is not None or one.erased_at is not None for one in (into, joined)):
        raise InvalidInput("a record that was joined to another one or erased cannot be joined")
    filled = _fill_profile(into, joined)
    joined.merged_into_id = into_id
    session.flush()
    before = _before(session, both)
    moved = {
        f"{table.name}.{column.name}": repoint(session, table, column, from_id, into_id)
        for table, column in references(Customer)
        if (table.name, column.name) not in _BY_HAND
    }
    moved |= _join_contact_points(session, into_id=into_id, from_id=from_id)
    moved |= _join_conflicts(session, into_id=into_id, from_id=from_id, actor=actor)
    session.flush()
    session.expire_all()  # what is in memory still names the other record
    now = now or utcnow()
    own = settle_merge(session, customer_id=into_id, now=now)
    by = "customer" if actor.startswith("customer:") else actor
    # Whoever owes has nothing to spend, whichever of the two records it was.
    settle_debt(session, customer_id=into_id, cause=f"merge:{from_id}", actor=by, now=now)
    # Together they may have another level, and a friend's first purchase.
    data = {"customer_id": into_id}
    schedule(session, kind=OF_CUSTOMER, key=f"loyalty-merged:{from_id}", due_at=utcnow(), data=data)
    record_activity(
        session,
        customer_id=into_id,
        kind="customer.merged",
        actor=by,
        subject_type="customer",
        subject_id=from_id,
    )
    record_audit(
        session,
        actor=actor,
        action="customer.merge",
        target_type="customer",
        target_id=into_id,
        detail={
            "from_id": from_id,
            "filled": filled,
            "moved": {name: ids for name, ids in moved.items() if ids},
            **before,
            "referrals": own,
        },
    )


def keeper(session: Session, *, customer_ids: list[int]) -> int:
    """Which of several records of a person stays: the oldest that has an account, or else the oldest.

    An account's record goes before an imported one, because what was said in chat outranks what a file knew.
    """
    with_account = select(ChannelIdentity.customer_id).where(ChannelIdentity.customer_id.in_(customer_ids))
    return min(session.scalars(with_account).all() or customer_ids)


def _fill_profile(into: Customer, joined: Customer) -> list[str]:
    filled = [field for field in PROFILE if not getattr(into, field) and getattr(joined, field)]
    for field in filled:
        setattr(into, field, getattr(joined, field))
    return filled


def _before(session: Session, both: Collection[int]) -> dict[str, dict[str, list[Any]]]:
    """What a joining may change besides whose something is: proofs of numbers, and disputes about them."""
    points = session.scalars(select(ContactPoint).where(ContactPoint.customer_id.in_(both))).all()
    accounts = select(ChannelIdentity.id).where(ChannelIdentity.customer_id.in_(both))
    disputes = session.scalars(
        select(LinkConflict).where(LinkConflict.identity_id.in_(accounts) | LinkConflict.holder_id.in_(both))
    ).all()
    return {
        "proofs": {str(one.id): [_iso(one.proven_at), one.proven_by_id] for one in points if one.proven_at},
        "disputes": {str(one.id): [one.state, one.settled_by, _iso(one.settled_at)] for one in disputes},
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def references(model: type[Base]) -> Iterator[tuple[Table, Column[Any]]]:
    """Columns of all tables that hold a row's id."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table is model.__table__ for key in column.foreign_keys):
                yield table, column


def repoint(session: Session, table: Table, column: Column[Any], old: int, new: int) -> list[int]:
    """Let rows that refer to one row refer to another one; returns their own keys."""
    (key,) = table.primary_key
    statement = update(table).where(column == old).values({column.name: new}).returning(key)
    return sorted(session.scalars(statement))


def _join_contact_points(session: Session, *, into_id: int, from_id: int) -> Moved:
    """Move contact points; one that both have keeps its place, and what refers to it takes the other."""
    moved: Moved = {"contact_points.customer_id": []}
    points = session.scalars(select(ContactPoint).where(ContactPoint.customer_id == from_id)).all()
    for point in points:
        twin = session.scalar(
            select(ContactPoint).where(
                ContactPoint.customer_id == into_id,
                ContactPoint.kind == point.kind,
                ContactPoint.value == point.value,
            )
        )
        if twin is None:
            point.customer_id = into_id
            moved["contact_points.customer_id"].append(point.id)
            continue
        if point.proven_at is not None and (twin.proven_at is None or twin.proven_at < point.proven_at):
            twin.proven_at, twin.proven_by_id = point.proven_at, point.proven_by_id
        for table, column in references(ContactPoint):
            name = f"{table.name}.{column.name}:{point.id}"
            moved[name] = repoint(session, table, column, point.id, twin.id)
    return moved


def _join_conflicts(session: Session, *, into_id: int, from_id: int, actor: str) -> Moved:
    """Move conflicts; one between the two records is settled by the joining."""
    moved: Moved = {"link_conflicts.holder_id": []}
    for conflict in session.scalars(select(LinkConflict).where(LinkConflict.holder_id == from_id)).all():
        same = select(LinkConflict.id).where(
            LinkConflict.identity_id == conflict.identity_id,
            LinkConflict.holder_id == into_id,
            LinkConflict.phone == conflict.phone,
        )
        if session.scalar(same) is None:
            conflict.holder_id = into_id
            moved["link_conflicts.holder_id"].append(conflict.id)
    session.flush()
    accounts = select(ChannelIdentity.id).where(ChannelIdentity.customer_id == into_id)
    settled = select(LinkConflict).where(
        LinkConflict.identity_id.in_(accounts),
        LinkConflict.holder_id.in_((into_id, from_id)),
        LinkConflict.state.in_((OPEN, KEPT_APART)),
    )
    for conflict in session.scalars(settled).all():
        conflict.state, conflict.settled_by, conflict.settled_at = JOINED, actor, utcnow()
    return moved
