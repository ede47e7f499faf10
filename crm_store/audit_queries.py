"""Reading the audit trail."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from crm_store.audit import AuditEntry

PAGE = 50
#: Actors besides members of staff, by the beginning of their names.
CUSTOMER, SYSTEM, OPERATOR, API = "customer", "system", "operator", "api"


class AuditPage(msgspec.Struct, frozen=True):
    """Entries of the trail, newest first.

    Attributes:
        next_before_id: `before_id` of the next page; None when there is none.
    """

    entries: list[AuditEntry]
    next_before_id: int | None


def entries(
    session: Session,
    *,
    actor: str = "",
    area: str = "",
    action: str = "",
    target_type: str = "",
    target_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    size: int = PAGE,
) -> AuditPage:
    """What was done and looked at, newest first.

    Args:
        actor: ``staff:<id>``, or a kind of actor: ``customer``, ``system``, ``operator``, ``api``.
        area: only actions that begin with it and a dot.
        action: only this action.
        target_type: only what was about such a thing, with `target_id` about this one.
        since: from this moment on.
        until: before this moment.
        before_id: only what is older than this entry, for the next page.
    """
    chosen: list[ColumnElement[bool]] = []
    if actor in (CUSTOMER, API):
        chosen.append(AuditEntry.actor.startswith(f"{actor}:", autoescape=True))
    elif actor:
        chosen.append(AuditEntry.actor == actor)
    if action:
        chosen.append(AuditEntry.action == action)
    elif area:
        chosen.append(AuditEntry.action.startswith(f"{area}.", autoescape=True))
    if target_type:
        chosen.append(AuditEntry.target_type == target_type)
    if target_id:
        chosen.append(AuditEntry.target_id == target_id)
    if since is not None:
        chosen.append(AuditEntry.at >= since)
    if until is not None:
        chosen.append(AuditEntry.at < until)
    if before_id is not None:
        chosen.append(AuditEntry.id < before_id)
    found = list(
        session.scalars(select(AuditEntry).where(*chosen).order_by(AuditEntry.id.desc()).limit(size + 1))
    )
    return AuditPage(found[:size], found[size - 1].id if len(found) > size else None)
