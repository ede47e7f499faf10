"""Who hears of what happens to a complaint: its customer, whoever deals with it, those who decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.conversations.reaching import chat_to_tell
from crm_store.outbox import enqueue_notice
from crm_store.persian import to_persian_digits
from crm_store.rules import Rules
from crm_store.staff.telling import tell_groups, tell_member_or_groups, tell_role
from crm_store.terms import term

_STAFF = "staff:"


def tell_customer(session: Session, complaint: Complaint, response: str, *, key: str, **params: Any) -> None:
    """Queue a notice in the chat in which the complaint was filed; of a caller's in any chat of theirs.

    Args:
        response: its name.
        key: names the cause; the same key again tells nothing twice.
        params: values for its placeholders besides ``code``, and ``ticket``, which its buttons name.
    """
    chat = chat_to_tell(session, conversation_id=complaint.conversation_id, customer_id=complaint.customer_id)
    if chat is None:
        return
    enqueue_notice(
        session,
        conversation_id=chat,
        response=response,
        idempotency_key=key,
        params={"code": to_persian_digits(complaint.code), "ticket": complaint.code, **params},
    )


def tell_assignee(
    session: Session, complaint: Complaint, response: str, *, key: str, rules: Rules, **params: Any
) -> None:
    """Tell whoever deals with a complaint; the staff's groups if that is nobody who can be reached."""
    tell_member_of(session, complaint, complaint.assignee_id, response, key=key, rules=rules, **params)


def tell_member_of(
    session: Session,
    complaint: Complaint,
    staff_id: int | None,
    response: str,
    *,
    key: str,
    rules: Rules,
    **params: Any,
) -> None:
    """Tell a member of staff; the staff's groups if they cannot be reached, or it is nobody."""
    said = _for_staff(complaint, response, key, rules, params)
    tell_member_or_groups(session, staff_id=staff_id, groups=rules.groups, **said)


def priority_text(complaint: Complaint) -> str | dict[str, Any]:
    """How urgent a complaint is, in words and with the reasons, to be a value of a notice."""
    priority = term("complaints", "priorities", complaint.priority) or complaint.priority
    keys = dict.fromkeys(str(one.get("reason", "")) for one in complaint.priority_reasons)
    # Its category is told of anyway.
    names = [term("complaints", "priority_reasons", key) or key for key in keys if key != "category"]
    if not names:
        return priority
    params = {"priority": priority, "reasons": "، ".join(names)}
    return {"response": "utter_priority_with_reasons", "params": params}


def staff_id_of(actor: str) -> int | None:
    """Number of the member of staff who did something; None for the operator at the terminal."""
    return int(actor.removeprefix(_STAFF)) if actor.startswith(_STAFF) else None


def tell_roles(
    session: Session,
    complaint: Complaint,
    roles: Iterable[str],
    response: str,
    *,
    key: str,
    rules: Rules,
    **params: Any,
) -> None:
    """Tell everybody who has one of some roles; the staff's groups if that is nobody who can be reached."""
    said = _for_staff(complaint, response, key, rules, params)
    if not sum(tell_role(session, role=role, **said) for role in roles):
        tell_groups(session, groups=rules.groups, **said)


def _for_staff(
    complaint: Complaint, response: str, key: str, rules: Rules, params: dict[str, Any]
) -> dict[str, Any]:
    """A notice to the staff, which names a complaint and quotes nothing that its customer wrote."""
    named = {
        "code": to_persian_digits(complaint.code),
        "category": rules.business.category(complaint.category).title,
    }
    return {"response": response, "key": key, "params": {**named, **params}}
