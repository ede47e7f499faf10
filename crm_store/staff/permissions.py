"""Who may do what: one table for chat, console and Telegram groups alike.

Whoever does something for a member of staff asks `may` first, with the member as the store has them now. A
refusal is written into the audit trail in the caller's transaction, which has to be committed all the same.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.staff.models import StaffMember

_ALL = frozenset({"technician", "agent", "supervisor", "admin"})
_DESK = frozenset({"agent", "supervisor", "admin"})
_LEAD = frozenset({"supervisor", "admin"})
_ADMIN = frozenset({"admin"})

#: Roles by what they may do. "Own" is what is assigned to oneself, or in one's hands.
PERMISSIONS: dict[str, frozenset[str]] = {
    # Customers
    "customer.find": _DESK,
    "customer.view": _DESK,
    "customer.history": _DESK,
    "customer.note": _DESK,
    "customer.edit": _DESK,
    "customer.merge": _LEAD,
    "customer.export": _LEAD,
    "customer.erase": _ADMIN,
    "transcript.view": _DESK,
    "transcript.search": _DESK,
    # Tickets
    "queue.own": _ALL,
    "queue.all": _DESK,
    "ticket.view": _DESK,
    "ticket.view_own": _ALL,
    "ticket.take": _DESK,
    "ticket.assign": _LEAD,
    "ticket.move": _DESK,
    "ticket.resolve": _DESK,
    "ticket.resolve_any": _LEAD,
    "ticket.escalate": _ALL,
    "ticket.note_own": _ALL,
    "ticket.register": _DESK,
    "visit.work": _ALL,
    "visits.all": _DESK,
    "callback.done": _DESK,
    # The club and opinions
    "points.adjust": _DESK,
    "purchase.register": _DESK,
    "club.view": _DESK,
    "club.manage": _LEAD,
    "rewards.burn": _DESK,
    "surveys.view": _LEAD,
    "surveys.manage": _LEAD,
    "report.view": _LEAD,
    "report.own": _ALL,
    # Hand-overs
    "handoff.view": _DESK,
    "handoff.claim": _DESK,
    "handoff.reply_own": _DESK,
    "handoff.release_own": _DESK,
    "handoff.transfer_own": _DESK,
    "handoff.manage_any": _LEAD,
    "canned.use": _DESK,
    "canned.edit": _LEAD,
    # The business
    "staff.view": _LEAD,
    "staff.manage": _ADMIN,
    "texts.view": _LEAD,
    "texts.edit": _ADMIN,
    "settings.view": _ADMIN,
    "audit.view": _ADMIN,
}


def has_permission(staff: StaffMember | None, permission: str) -> bool:
    """Whether the table allows it; nothing is written down, so for what is shown or left out only.

    Raises:
        KeyError: there is no such permission.
    """
    roles = PERMISSIONS[permission]
    return staff is not None and staff.disabled_at is None and staff.role in roles


def may(
    session: Session,
    *,
    staff: StaffMember | None,
    permission: str,
    own: bool = True,
    actor: str = "",
    target_type: str = "",
    target_id: object = "",
) -> bool:
    """Whether somebody may do something; a refusal is audited as ``staff.denied``.

    Args:
        staff: as the store has them now; None for a customer, a stranger or who was disabled.
        permission: a name of PERMISSIONS.
        own: False where what it is about is somebody else's and the permission is for one's own.
        actor: who tried, where there is no member of staff, such as ``customer:<id>``.
        target_type: what it is about, with `target_id`.

    Raises:
        KeyError: there is no such permission.
    """
    if own and has_permission(staff, permission):
        return True
    record_audit(
        session,
        actor=f"staff:{staff.id}" if staff is not None else actor or "unknown",
        action="staff.denied",
        target_type=target_type,
        target_id=target_id,
        detail={"permission": permission, **({} if own else {"own": False})},
    )
    return False
