"""What customers decide about their data: consents, a copy of everything, and being forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.errors import NotFound
from crm_store.outbox import OutboxItem
from crm_store.privacy.models import DONE, PENDING, Consent, Erasure

MARKETING = "marketing"
#: Version of the wordings of data/privacy/responses.yml by which consent is asked and confirmed.
CONSENT_VERSION = "1405-09"
#: Kind of the outbox row for which the relay makes a file when it sends it.
EXPORT = "export"
#: What is said above the file.
EXPORT_RESPONSE = "utter_data_export_file"
#: The answer that announces the file is written when the turn ends, and goes first.
AFTER_THE_ANSWER = timedelta(seconds=2)


def family_of(session: Session, *, customer_id: int) -> list[int]:
    """Ids of all records that are the same person as this one: those joined to it and what it was joined to.

    Returns:
        The record that stands for itself first.
    """
    head = session.get(Customer, customer_id)
    while head is not None and head.merged_into_id is not None:
        head = session.get(Customer, head.merged_into_id)
    if head is None:
        raise NotFound("no such customer")
    family, latest = [head.id], [head.id]
    while latest:
        joined = select(Customer.id).where(Customer.merged_into_id.in_(latest)).order_by(Customer.id)
        latest = [one for one in session.scalars(joined) if one not in family]
        family += latest
    return family


def record_consent(
    session: Session,
    *,
    customer_id: int,
    granted: bool,
    text: str,
    channel: str,
    inbox_id: int | None,
    purpose: str = MARKETING,
    version: str = CONSENT_VERSION,
) -> Consent:
    """Keep a decision; the same message again gives the first one.

    Args:
        granted: yes or no.
        text: the customer's own words, or the title of the button.
        channel: where it was said.
        inbox_id: the message that decided; None for a decision that staff wrote down.
        version: of the wording that was agreed or objected to.
    """
    if inbox_id is not None:
        known = session.scalar(
            select(Consent).where(Consent.inbox_id == inbox_id, Consent.purpose == purpose)
        )
        if known is not None:
            return known
    consent = Consent(
        customer_id=customer_id,
        purpose=purpose,
        granted=granted,
        text=text,
        version=version,
        channel=channel,
        inbox_id=inbox_id,
    )
    session.add(consent)
    session.flush()
    record_activity(
        session,
        customer_id=customer_id,
        kind="consent.given" if granted else "consent.withdrawn",
        subject_type="consent",
        subject_id=consent.id,
        data={"purpose": purpose, "version": version},
    )
    return consent


def marketing_allowed(session: Session, *, customer_id: int) -> bool:
    """Whether the customer's newest decision allows marketing; without a decision it is not allowed.

    Decisions of all accounts that were joined count as one person's. Whoever asked to be forgotten gets none.
    """
    family = family_of(session, customer_id=customer_id)
    is_erased = session.get_one(Customer, family[0]).erased_at is not None
    if is_erased or erasure_waits(session, customer_id=family[0]):
        return False
    newest = (
        select(Consent.granted)
        .where(Consent.customer_id.in_(family), Consent.purpose == MARKETING)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return bool(session.scalar(newest))


def request_export(session: Session, *, conversation_id: int, inbox_id: int) -> OutboxItem:
    """Queue a file of everything held about the customer of a conversation, into that conversation.

    The file is made when it is sent, so that none lies around; the same message again gives the first row.

    Raises:
        NotFound: the conversation is none of a customer alone.
    """
    customer_id = _owner_of(session, conversation_id)
    key = f"{EXPORT}:{inbox_id}"
    known = session.scalar(select(OutboxItem).where(OutboxItem.idempotency_key == key))
    if known is not None:
        return known
    item = OutboxItem(
        conversation_id=conversation_id,
        kind=EXPORT,
        content={"response": EXPORT_RESPONSE, "params": {}, "customer_id": customer_id},
        inbox_id=inbox_id,
        idempotency_key=key,
        due_at=utcnow() + AFTER_THE_ANSWER,
    )
    session.add(item)
    session.flush()
    _note(session, customer_id, "privacy.export_requested", outbox_id=item.id)
    return item


def request_erasure(session: Session, *, conversation_id: int, inbox_id: int) -> Erasure:
    """Take the confirmed wish of a conversation's customer to be forgotten; the gateway carries it out.

    The same message again, or another one while the first still waits, gives the first wish.

    Raises:
        NotFound: the conversation is none of a customer alone.
    """
    known = session.scalar(select(Erasure).where(Erasure.inbox_id == inbox_id))
    if known is not None:
        return known
    customer_id = _owner_of(session, conversation_id)
    waiting = session.scalar(
        select(Erasure).where(Erasure.customer_id == customer_id, Erasure.state == PENDING)
    )
    if waiting is not None:
        return waiting
    erasure = Erasure(customer_id=customer_id, conversation_id=conversation_id, inbox_id=inbox_id)
    session.add(erasure)
    session.flush()
    _note(session, customer_id, "privacy.erasure_requested", erasure_id=erasure.id)
    return erasure


def pending_erasures(session: Session) -> list[Erasure]:
    """Wishes that wait to be carried out, oldest first."""
    return list(session.scalars(select(Erasure).where(Erasure.state == PENDING).order_by(Erasure.id)))


def erasure_waits(session: Session, *, customer_id: int) -> bool:
    """Whether the customer asked to be forgotten and it is not done yet."""
    return (
        session.scalar(
            select(Erasure.id).where(Erasure.customer_id == customer_id, Erasure.state != DONE).limit(1)
        )
        is not None
    )


def _owner_of(session: Session, conversation_id: int) -> int:
    """The customer to whom a conversation belongs, as the record that stands for the person."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFound("no such conversation")
    return family_of(session, customer_id=customer_of(conversation))[0]


def _note(session: Session, customer_id: int, action: str, **detail: int) -> None:
    """Write a wish into the audit trail and the customer's timeline."""
    record_audit(
        session,
        actor=f"customer:{customer_id}",
        action=action,
        target_type="customer",
        target_id=customer_id,
        detail=dict(detail),
    )
    record_activity(session, customer_id=customer_id, kind=action)
