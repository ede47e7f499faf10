"""Taking a joining of two customers' records back (`crm_store.customers.merging`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, select, update
from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity
from crm_store.audit import AuditEntry, record_audit
from crm_store.base import Base, utcnow
from crm_store.complaints.models import Compensation
from crm_store.conversations.models import Conversation
from crm_store.conversations.reaching import PHONE_CHANNEL
from crm_store.customers.merging import PROFILE, references
from crm_store.customers.models import JOINED, ContactPoint, Customer, LinkConflict
from crm_store.customers.names import remember
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.loyalty.referral_rewards import restore_referral
from crm_store.loyalty.settling import settle_debt, undo_settling
from crm_store.privacy.service import erasure_waits

_MERGE, _UNMERGE = "customer.merge", "customer.unmerge"
_BATCH = 500
#: What the timeline calls a row of a table that came in since.
_SUBJECTS = {
    "complaints": "complaint",
    "service_requests": "service_request",
    "callback_requests": "callback_request",
    "survey_invitations": "survey",
    "handoffs": "handoff",
}


class _Joining(NamedTuple):
    """A joining as the audit trail has it, with both records, locked."""

    audit_id: int
    detail: Mapping[str, Any]
    into: Customer
    joined: Customer


def undo_merge(
    session: Session,
    *,
    actor: str,
    audit_id: int | None = None,
    from_id: int | None = None,
    now: datetime | None = None,
) -> int:
    """Part two records that were joined by mistake.

    What was moved goes back, fields that were filled are emptied again unless they were changed since, and
    what came in since by the accounts that go back goes with them. Whatever else came in since, a purchase
    or points, stays where it is: nothing says whose of the two it is. What one of them had paid of the
    other's debt goes back and is owed again.

    Args:
        actor: who parts them, as in the audit trail.
        audit_id: the entry of the joining; or
        from_id: the record that was joined to another one.

    Returns:
        The record that stands for itself again.

    Raises:
        NotFound: there was no such joining, or the audit trail tells of it no more.
        InvalidTransition: it was undone before, or the other record was itself joined to a third one since.
        InvalidInput: one of the two was or is to be forgotten.
    """
    joining = _joining(session, audit_id, from_id)
    into, joined = joining.into, joining.joined
    by = {"cause": f"unmerge:{joined.id}", "actor": actor}
    points = [int(one) for one in joining.detail["moved"].get("loyalty_accounts.customer_id", ())]
    undo_settling(session, customer_id=into.id, account_ids=points, **by, now=now)
    _move_back(session, joining)
    accounts = [int(one) for one in joining.detail["moved"].get("channel_identities.customer_id", ())]
    came_since = _move_what_came_since(session, joining, accounts)
    session.flush()
    session.expire_all()
    _take_proofs_back(session, joining, accounts)
    _reopen_disputes(session, joining)
    for field in joining.detail.get("filled", ()):
        if field in PROFILE and getattr(into, field) == getattr(joined, field):
            setattr(into, field, None if field == "birthday" else "")
    joined.merged_into_id = None
    session.flush()
    remember(session, [into.id, joined.id])
    for one in (into, joined):
        # What is owed again may meet points that came in since.
        settle_debt(session, customer_id=one.id, **by, now=now)
    for referral_id, (state, reason) in joining.detail.get("referrals", {}).items():
        key = f"unmerge:{joining.audit_id}"
        restore_referral(
            session, referral_id=int(referral_id), state=state, reason=reason, key=key, now=now or utcnow()
        )
    for one, other in ((into, joined), (joined, into)):
        record_activity(
            session,
            customer_id=one.id,
            kind="customer.unmerged",
            actor=actor,
            subject_type="customer",
            subject_id=other.id,
        )
    record_audit(
        session,
        actor=actor,
        action=_UNMERGE,
        target_type="customer",
        target_id=into.id,
        detail={"from_id": joined.id, "audit_id": joining.audit_id, "came_since": came_since},
    )
    session.flush()
    return joined.id


def _joining(session: Session, audit_id: int | None, from_id: int | None) -> _Joining:
    entry = _entry(session, audit_id, from_id)
    into_id, joined_id = int(entry.target_id), int(entry.detail["from_id"])
    statement = (
        select(Customer)
        .where(Customer.id.in_((into_id, joined_id)))
        .order_by(Customer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    both = {one.id: one for one in session.scalars(statement)}
    into, joined = both[into_id], both[joined_id]
    if any(one.erased_at is not None or erasure_waits(session, customer_id=one.id) for one in (into, joined)):
        raise InvalidInput("a record that was or is to be forgotten cannot be parted from another one")
    if joined.merged_into_id != into_id or _entry(session, None, joined_id).id != entry.id:
        raise InvalidTransition("these records are not joined by this any more", state="apart")
    if into.merged_into_id is not None:
        raise InvalidTransition("the other record was joined to a third one since", state="joined")
    return _Joining(entry.id, entry.detail, into, joined)


def _entry(session: Session, audit_id: int | None, from_id: int | None) -> AuditEntry:
    """The entry of a joining, by its number or as the latest one of a record that is joined."""
    if audit_id is not None:
        entry = session.get(AuditEntry, audit_id)
        if entry is not None and entry.action == _MERGE and "from_id" in entry.detail:
            return entry
        raise NotFound("the audit trail has no such joining")
    joined = session.get(Customer, from_id) if from_id is not None else None
    if joined is None:
        raise NotFound("there is no such customer")
    if joined.merged_into_id is None:
        raise InvalidTransition("this record stands for itself", state="apart")
    entries = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.target_type == "customer",
            AuditEntry.target_id == str(joined.merged_into_id),
            AuditEntry.action == _MERGE,
        )
        .order_by(AuditEntry.id.desc())
    )
    for entry in entries:
        if entry.detail.get("from_id") == joined.id:
            return entry
    raise NotFound("the audit trail tells of this joining no more")


def _move_back(session: Session, joining: _Joining) -> None:
    """Give back what was moved, where it still is where it was moved to."""
    own_points = select(ContactPoint.id).where(ContactPoint.customer_id == joining.into.id)
    for name, ids in joining.detail["moved"].items():
        place, _, point_id = name.partition(":")
        table, column = _column(place)
        if point_id:
            # What referred to a number that both have refers to the joined record's own again.
            _repoint(session, table, ids, {column: int(point_id)}, column.in_(own_points))
        else:
            _repoint(session, table, ids, {column: joining.joined.id}, column == joining.into.id)


def _column(place: str) -> tuple[Table, Column[Any]]:
    table_name, column_name = place.split(".")
    table = Base.metadata.tables[table_name]
    return table, table.columns[column_name]


def _repoint(
    session: Session, table: Table, ids: Iterable[int], values: dict[Column[Any], int], condition: Any
) -> None:
    (key,) = table.primary_key
    rows = list(ids)
    for start in range(0, len(rows), _BATCH):
        session.execute(update(table).where(key.in_(rows[start : start + _BATCH]), condition).values(values))


def _move_what_came_since(session: Session, joining: _Joining, accounts: Sequence[int]) -> dict[str, int]:
    """Move what the accounts that go back brought since, with its timeline; returns how much of what."""
    into_id, joined_id = joining.into.id, joining.joined.id
    chats = session.scalars(
        select(Conversation.id).where(
            Conversation.identity_id.in_(accounts)
            | ((Conversation.channel == PHONE_CHANNEL) & (Conversation.chat_id == f"customer:{joined_id}"))
        )
    ).all()
    moved: dict[str, int] = {}
    for table, column in references(Customer):
        if "conversation_id" not in table.columns or not chats:
            continue
        (key,) = table.primary_key
        since = update(table).where(table.columns["conversation_id"].in_(chats), column == into_id)
        ids = session.scalars(since.values({column: joined_id}).returning(key)).all()
        if not ids:
            continue
        moved[table.name] = len(ids)
        _repoint_timeline(session, table.name, ids, into_id, joined_id)
        if table.name == "complaints":
            granted = Compensation.__table__.c
            session.execute(
                update(Compensation.__table__)  # type: ignore[arg-type]  # always a table
                .where(granted.complaint_id.in_(ids), granted.customer_id == into_id)
                .values(customer_id=joined_id)
            )
    return moved


def _repoint_timeline(
    session: Session, table_name: str, ids: Sequence[int], into_id: int, joined_id: int
) -> None:
    session.execute(
        update(Activity)
        .where(
            Activity.customer_id == into_id,
            Activity.subject_type == _SUBJECTS.get(table_name, table_name),
            Activity.subject_id.in_(ids),
        )
        .values(customer_id=joined_id)
        .execution_options(synchronize_session=False)
    )


def _take_proofs_back(session: Session, joining: _Joining, accounts: Sequence[int]) -> None:
    """Numbers that the accounts which go back have proven are theirs, and no longer the other record's."""
    before = joining.detail.get("proofs", {})
    own = {
        (one.kind, one.value): one
        for one in session.scalars(select(ContactPoint).where(ContactPoint.customer_id == joining.joined.id))
    }
    for point in session.scalars(
        select(ContactPoint).where(
            ContactPoint.customer_id == joining.into.id, ContactPoint.proven_by_id.in_(accounts)
        )
    ):
        twin = own.get((point.kind, point.value))
        if twin is None and str(point.id) not in before:
            point.customer_id = joining.joined.id  # it came since, from an account that goes back
            continue
        if twin is not None and twin.proven_at is None:
            twin.proven_at, twin.proven_by_id = point.proven_at, point.proven_by_id
        proven_at, proven_by_id = before.get(str(point.id), (None, None))
        point.proven_at = datetime.fromisoformat(proven_at) if proven_at else None
        point.proven_by_id = proven_by_id


def _reopen_disputes(session: Session, joining: _Joining) -> None:
    """Disputes that the joining settled are open again, or as they were before."""
    before = joining.detail.get("disputes", {})
    ids = [int(one) for one in before]
    for dispute in session.scalars(select(LinkConflict).where(LinkConflict.id.in_(ids))):
        if dispute.state == JOINED:
            state, settled_by, settled_at = before[str(dispute.id)]
            dispute.state, dispute.settled_by = state, settled_by
            dispute.settled_at = datetime.fromisoformat(settled_at) if settled_at else None


def joinings(session: Session, *, customer_id: int) -> list[AuditEntry]:
    """Joinings of other records to a customer's that can still be undone, the latest first."""
    joined = set(session.scalars(select(Customer.id).where(Customer.merged_into_id == customer_id)))
    entries = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.target_type == "customer",
            AuditEntry.target_id == str(customer_id),
            AuditEntry.action == _MERGE,
        )
        .order_by(AuditEntry.id.desc())
    )
    found = []
    for entry in entries:
        if entry.detail.get("from_id") in joined:
            joined.remove(entry.detail["from_id"])
            found.append(entry)
    return found
