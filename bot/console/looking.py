"""Looking a customer up: always written down, with a reason where the business asks for one.

A reason that was given holds for a while: for that customer, so that a look at the card, the points and the
cases is one look; or for a list that shows customers with their numbers. Where it is missing, the console
leads to the page that asks for it, and from there back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from aiohttp import web
from sqlalchemy import select
from yarl import URL

from bot.console.auth import HOME, local_path
from bot.console.desk import Desk
from crm_store.audit import AuditEntry
from crm_store.customers.models import Customer
from crm_store.errors import NotFound

VIEWED, LISTED = "customer.viewed", "customer.listed"
CUSTOMER, LIST = "customer", "list"
#: So long a reason holds for one customer or one list.
REASON_HOLDS = timedelta(minutes=30)
MAX_REASON = 300
#: The lists that show customers, with their first pages, and who may look through them.
LISTS = {
    "visits": ("/visits", "visits.all"),
    "callbacks": ("/callbacks", "callback.done"),
    "follow-ups": ("/surveys/follow-ups", "surveys.view"),
    "decisions": ("/complaints/decisions", "ticket.resolve_any"),
    "duplicates": ("/customers/duplicates", "customer.merge"),
    "codes": ("/club/codes", "rewards.burn"),
}


class ReasonMissing(Exception):
    """Why something is looked up has to be said first.

    Attributes:
        kind: whether it is a customer, a list or a conversation.
        name: number of the customer or conversation, or name of the list.
    """

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(kind, name)
        self.kind, self.name = kind, str(name)


def standing(desk: Desk, customer_id: int) -> Customer:
    """The record that stands for a customer.

    Raises:
        NotFound: there is no such customer, or they were forgotten.
    """
    customer = desk.session.get(Customer, customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer = desk.session.get(Customer, customer.merged_into_id)
    if customer is None or customer.erased_at is not None:
        raise NotFound("there is no such customer")
    return customer


def look_up(desk: Desk, customer_id: int, *, page: str) -> None:
    """Write down that a customer is looked up.

    Args:
        page: which part of what is known is looked at.

    Raises:
        ReasonMissing: the business wants to know why, and it was not said lately.
    """
    _need_reason(desk, CUSTOMER, customer_id, VIEWED)
    desk.audit(VIEWED, target_type=CUSTOMER, target_id=customer_id, detail={"page": page})


def need_reason(desk: Desk, customer_id: int) -> None:
    """Go on to something of a customer's, which is written down by itself, only where it was said why.

    Raises:
        ReasonMissing: the business wants to know why, and it was not said lately.
    """
    try:
        customer = standing(desk, customer_id)
    except NotFound:
        return  # of who was forgotten nothing is left to be looked up
    _need_reason(desk, CUSTOMER, customer.id, VIEWED)


def look_through(desk: Desk, name: str, **detail: object) -> None:
    """Write down that a list is looked through that shows customers.

    Args:
        name: of `LISTS`.
        detail: which part of it.

    Raises:
        ReasonMissing: the business wants to know why, and it was not said lately.
    """
    _need_reason(desk, LIST, name, LISTED)
    desk.audit(LISTED, target_type=LIST, target_id=name, detail=detail)


def shown(customers: Iterable[int | None], *, reason: str = "", **detail: object) -> dict[str, object]:
    """What is written down of a search, as it is of one in chat: whom it shows, and why it was made.

    Args:
        customers: as they are shown; None for lines of nobody's.
        reason: empty where none is asked for.
        detail: what else is known of it.
    """
    ids = list(dict.fromkeys(one for one in customers if one is not None))
    return {"customers": ids, **detail, **({"reason": reason[:MAX_REASON]} if reason else {})}


def give_reason(desk: Desk, kind: str, name: object, reason: str) -> None:
    """Keep why a customer is looked up, or a list looked through."""
    action = VIEWED if kind == CUSTOMER else LISTED
    desk.audit(action, target_type=kind, target_id=name, detail={"reason": reason[:MAX_REASON]})


def to_reason(request: web.Request, missing: ReasonMissing) -> web.HTTPSeeOther:
    """The way to the page that asks for the reason, and back."""
    back = local_path(request.path_qs) if request.method in ("GET", "HEAD") else HOME
    return web.HTTPSeeOther(URL(f"{HOME}/{missing.kind}s/{missing.name}/reason").with_query(next=back))


def _need_reason(desk: Desk, kind: str, name: object, action: str) -> None:
    if desk.rules.business.staff.asks_reason and not _has_reason(desk, kind, name, action):
        raise ReasonMissing(kind, name)


def _has_reason(desk: Desk, kind: str, name: object, action: str) -> bool:
    lately = select(AuditEntry.detail).where(
        AuditEntry.target_type == kind,
        AuditEntry.target_id == str(name),
        AuditEntry.action == action,
        AuditEntry.actor == desk.actor,
        AuditEntry.at > desk.now - REASON_HOLDS,
    )
    return any(detail.get("reason") for detail in desk.session.scalars(lately))
