"""What all that is done with a raffle begins and ends with: its lock, its refusals, what is written down."""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.loyalty.models import Raffle


def locked(session: Session, raffle_id: int, *, shared: bool = False) -> Raffle:
    """A raffle as it is now: with a shared lock nobody seals it meanwhile, otherwise nobody joins either.

    Raises:
        NotFound: there is none.
    """
    lock = {"read": True} if shared else {"key_share": True}
    raffle = session.get(Raffle, raffle_id, with_for_update=lock, populate_existing=True)
    if raffle is None:
        raise NotFound("there is no such raffle")
    return raffle


def expect(raffle: Raffle, state: str) -> None:
    """Raise InvalidTransition unless a raffle is in a state."""
    if raffle.state != state:
        raise InvalidTransition(f"this raffle is {raffle.state}, not {state}", state=raffle.state)


def refuse(is_wrong: bool, why: str) -> None:
    """Raise InvalidInput with a reason if something is wrong."""
    if is_wrong:
        raise InvalidInput(why)


def note(session: Session, raffle: Raffle, customer_id: int, kind: str, actor: str) -> None:
    """Write into a customer's timeline."""
    record_activity(
        session,
        customer_id=customer_id,
        kind=kind,
        actor=actor,
        subject_type="raffle",
        subject_id=raffle.id,
    )


def audit(session: Session, raffle: Raffle, action: str, actor: str, **detail: str) -> None:
    """Write into the audit trail."""
    record_audit(
        session,
        actor=actor,
        action=action,
        target_type="raffle",
        target_id=raffle.id,
        detail={"key": raffle.key, **detail},
    )
