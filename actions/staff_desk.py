"""Who of the staff writes, what they have in mind, and what every one of their requests goes through.

Whoever is not staff gets what anybody gets for nonsense: to them none of this exists. Who somebody is, and
what they may do, is read from the store for every message; refusals are audited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from actions.base import Reply, environment
from actions.texts import button
from actions.turn import Found, Turn
from crm_store.audit import record_audit
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.customers.models import Customer
from crm_store.persian import masked_phone, phone_text
from crm_store.rules import Rules
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.states import is_expected
from crm_store.staff import focus as focuses
from crm_store.staff import phones, pin
from crm_store.staff.accounts import staff_in
from crm_store.staff.models import StaffAccount, StaffFocus, StaffMember
from crm_store.staff.permissions import has_permission, may
from crm_store.terms import term

#: An entity of a button: what was asked before goes on once the customer or ticket is known.
GOES_ON = "goes_on"


@dataclass(frozen=True)
class Desk:
    """One request of a member of staff.

    Attributes:
        staff: as the store has them now.
        account: the chat account that they write with.
        focus: what they have in mind.
        run: carries out a request, such as one that waited for a PIN.
        settled: the customer or ticket of the request was chosen; it is not looked for again.
    """

    turn: Turn
    session: Session
    reply: Reply
    staff: StaffMember
    account: StaffAccount
    focus: StaffFocus
    rules: Rules
    run: Callable[[Desk], None]
    settled: bool = False

    @property
    def actor(self) -> str:
        """As in the audit trail."""
        return f"staff:{self.staff.id}"

    def may(
        self,
        permission: str,
        *,
        own: bool = True,
        target_type: str = "",
        target_id: object = "",
        says: str = "utter_staff_not_allowed",
    ) -> bool:
        """Whether this member may do something; a refusal is audited and said, in these words if in any."""
        allowed = may(
            self.session,
            staff=self.staff,
            permission=permission,
            own=own,
            target_type=target_type,
            target_id=target_id,
        )
        if not allowed and says:
            self.reply.utter(says)
        return allowed

    def can(self, permission: str) -> bool:
        """Whether something is worth offering to this member."""
        return has_permission(self.staff, permission)

    def audit(self, action: str, *, target_type: str, target_id: object, **detail: Any) -> None:
        """Write down what this member looked at."""
        record_audit(
            self.session,
            actor=self.actor,
            action=action,
            target_type=target_type,
            target_id=target_id,
            correlation_id=self.turn.correlation_id,
            detail=detail,
        )

    def note_look(self, customer_id: int, **detail: Any) -> None:
        """Write down that this member looked at a customer, with the reason that they gave."""
        given = self.focus.data.get(focuses.REASON) or {}
        reason = {"reason": given["text"]} if given else {}
        self.audit("customer.viewed", target_type="customer", target_id=customer_id, **detail, **reason)

    def phone(self, number: str) -> str:
        """A phone number (E.164) as this member may see it."""
        return phone_text(number) if self.sees_phones else masked_phone(number)

    def phone_for(self, number: str, ticket: Complaint | ServiceRequest) -> str:
        """A phone number (E.164) beside a ticket: whole for who has to call before they come."""
        return phone_text(number) if self.is_expected(ticket) else self.phone(number)

    def is_expected(self, ticket: Complaint | ServiceRequest) -> bool:
        """Whether whoever writes is still to come for a visit."""
        return isinstance(ticket, ServiceRequest) and is_expected(ticket, staff_id=self.staff.id)

    def words(self, text: str, ticket: Complaint | ServiceRequest | None = None) -> str:
        """What somebody wrote, with the phone numbers in it as this member may see them."""
        is_whole = self.sees_phones or (ticket is not None and self.is_expected(ticket))
        return phones.said(text, is_whole=is_whole)

    @property
    def sees_phones(self) -> bool:
        """Whether this member sees phone numbers whole."""
        return phones.sees_phones(self.rules, role=self.staff.role)

    def name_of(self, customer_id: int) -> str:
        """What a customer is called."""
        customer = self.session.get_one(Customer, customer_id)
        return customer.full_name or customer.display_name or nobody()

    def again_as(self, **changes: Any) -> Desk:
        """The same member with another request, or with what it is about settled."""
        settled = bool(changes.pop("settled", self.settled))
        return replace(self, turn=replace(self.turn, **changes), settled=settled)


def nobody() -> str:
    """What somebody without a name is called."""
    return term("staff", "words", "nameless") or ""


def go(title: str, intent: str, **entities: str) -> dict[str, str]:
    """A button to go on; its title is a key of data/staff/terms.yml."""
    return button(term("staff", "buttons", title) or title, intent, **entities)


def enter(
    turn: Turn,
    session: Session,
    reply: Reply,
    *,
    permission: str,
    run: Callable[[Desk], None],
    otherwise: str = "utter_out_of_scope",
) -> Desk | None:
    """Let a member of staff in; None for everybody else, who has been answered as nonsense is.

    Args:
        turn: the message.
        session: the unit of work.
        reply: receives the answer to who is not staff.
        permission: what it takes, for the audit trail.
        run: carries out a request.
        otherwise: what anybody else is told.
    """
    staff = staff_in(session, conversation_id=turn.conversation_id)
    account = pin.account_in(session, conversation_id=turn.conversation_id) if staff else None
    if staff is None or account is None or account.staff_id != staff.id:
        may(session, staff=None, permission=permission, actor=_stranger(turn, session))
        reply.utter(otherwise)
        return None
    focus = focuses.focus_of(session, conversation_id=turn.conversation_id, staff_id=staff.id)
    focuses.begin_turn(focus, key=f"{turn.inbox_id}#{turn.part}")
    return Desk(turn, session, reply, staff, account, focus, environment().rules, run)


def note_denial(turn: Turn, session: Session, code: str) -> None:
    """Write down that somebody was refused a visit that is not theirs, or none of whose visits there are."""
    may(
        session,
        staff=staff_in(session, conversation_id=turn.conversation_id),
        permission="visit.work",
        own=False,
        actor=_stranger(turn, session),
        target_type="service_request",
        target_id=code,
    )


def park(desk: Desk, *, customer_id: int | None = None, ticket: str | None = None) -> None:
    """Keep a request until something else was answered, with what it is about if that is settled."""
    turn = desk.turn
    found = [[one.entity, one.value, one.start, one.end, list(one.candidates)] for one in turn.found]
    kept = {
        "intent": turn.intent,
        "text": turn.text,
        "trusted": turn.trusted,
        "entities": {name: list(values) for name, values in turn.entities.items()},
        "found": found,
        "customer": customer_id,
        "ticket": ticket,
        "settled": desk.settled or customer_id is not None or ticket is not None,
    }
    focuses.keep(desk.focus, focuses.PARKED, kept)


def go_on_with_parked(desk: Desk) -> bool:
    """Carry out the request that was kept; whether there was one."""
    kept: Mapping[str, Any] | None = desk.focus.data.get(focuses.PARKED)
    if kept is None:
        return False
    focuses.keep(desk.focus, focuses.PARKED, None)
    if kept["customer"] is not None:
        focuses.turn_to(desk.focus, customer_id=kept["customer"], ticket=kept["ticket"])
    found = tuple(
        Found(name, value, start, end, tuple(candidates))
        for name, value, start, end, candidates in kept["found"]
    )
    parked = desk.again_as(
        intent=kept["intent"],
        text=kept["text"],
        trusted=kept["trusted"],
        entities={name: tuple(values) for name, values in kept["entities"].items()},
        found=found,
        settled=kept["settled"],
    )
    parked.run(parked)
    return True


def _stranger(turn: Turn, session: Session) -> str:
    conversation = session.get(Conversation, turn.conversation_id)
    if conversation is None or conversation.identity is None:
        return f"conversation:{turn.conversation_id}"
    return f"customer:{conversation.identity.customer_id}"
