"""What customers decide about their data."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import outbox
from crm_store.activity import timeline
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of, open_conversation
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.outbox import OutboxItem
from crm_store.privacy import service
from crm_store.privacy.models import Consent, Erasure
from tests.factories import a_conversation, an_inbox_id


def decide(session: Session, chat: Conversation, *, granted: bool, inbox_id: int | None = None) -> Consent:
    return service.record_consent(
        session,
        customer_id=customer_of(chat),
        granted=granted,
        text="لغو ۱۱",
        channel=chat.channel,
        inbox_id=inbox_id or an_inbox_id(session, chat),
    )


def allowed(session: Session, chat: Conversation) -> bool:
    return service.marketing_allowed(session, customer_id=customer_of(chat))


def audited(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_consent_is_kept_with_time_text_and_version(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        consent = decide(session, chat, granted=False)
        assert (consent.text, consent.version, consent.channel) == (
            "لغو ۱۱",
            service.CONSENT_VERSION,
            "telegram",
        )
        assert consent.at <= utcnow()
        assert timeline(session, customer_id=customer_of(chat))[0].kind == "consent.withdrawn"


def test_a_decision_counts_once_however_often_its_turn_runs(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        row = an_inbox_id(session, chat)
        assert decide(session, chat, granted=True, inbox_id=row) is decide(
            session, chat, granted=True, inbox_id=row
        )
        assert session.query(Consent).count() == 1


def test_marketing_needs_a_yes_and_the_newest_decision_holds(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        assert not allowed(session, chat)
        decide(session, chat, granted=True)
        assert allowed(session, chat)
        decide(session, chat, granted=False)
        assert not allowed(session, chat)


def test_a_no_on_one_account_holds_for_the_accounts_that_were_joined(database: Database) -> None:
    with database.write() as session:
        first, second = a_conversation(session), a_conversation(session, channel="web", chat_id="ab" * 32)
        decide(session, first, granted=True)
        decide(session, second, granted=False)
        merge(session, into_id=customer_of(first), from_id=customer_of(second), actor="operator")
        assert not allowed(session, first)


def test_nothing_is_advertised_to_somebody_who_was_forgotten(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        decide(session, chat, granted=True)
        session.get_one(Customer, customer_of(chat)).erased_at = utcnow()
        assert not allowed(session, chat)


def test_nothing_is_advertised_to_somebody_who_asked_to_be_forgotten(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        decide(session, chat, granted=True)
        service.request_erasure(session, conversation_id=chat.id, inbox_id=an_inbox_id(session, chat))
        assert not allowed(session, chat)


def test_an_export_is_queued_once_per_message_and_audited(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        row = an_inbox_id(session, chat)
        item = service.request_export(session, conversation_id=chat.id, inbox_id=row)
        assert service.request_export(session, conversation_id=chat.id, inbox_id=row) is item
        assert (item.kind, item.state, item.conversation_id) == (service.EXPORT, outbox.PENDING, chat.id)
        assert item.content["customer_id"] == customer_of(chat)
        assert session.query(OutboxItem).count() == 1
        assert audited(session) == ["privacy.export_requested"]


def test_a_wish_to_be_forgotten_is_kept_once_and_audited(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        row = an_inbox_id(session, chat)
        wish = service.request_erasure(session, conversation_id=chat.id, inbox_id=row)
        again = service.request_erasure(session, conversation_id=chat.id, inbox_id=row)
        said_twice = service.request_erasure(
            session, conversation_id=chat.id, inbox_id=an_inbox_id(session, chat)
        )
        assert wish is again is said_twice
        assert service.pending_erasures(session) == [wish]
        assert session.query(Erasure).count() == 1
        assert audited(session) == ["privacy.erasure_requested"]


def test_neither_can_be_asked_for_in_a_group_or_in_no_conversation(database: Database) -> None:
    with database.write() as session:
        group = open_conversation(session, channel="telegram", chat_id="-100", identity=None)
        for conversation_id in (group.id, group.id + 1):
            with pytest.raises(NotFound):
                service.request_export(session, conversation_id=conversation_id, inbox_id=1)
            with pytest.raises(NotFound):
                service.request_erasure(session, conversation_id=conversation_id, inbox_id=1)
        assert audited(session) == []
