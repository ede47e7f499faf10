"""What customers say about themselves, and by which name they are greeted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm_store.activity import timeline
from crm_store.base import utcnow
from crm_store.conversations.service import customer_of
from crm_store.customers.linking import link_by_proof
from crm_store.customers.models import Customer
from crm_store.customers.profile import greeting_name, update_profile
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import InvalidInput
from tests.factories import a_conversation, an_inbox_id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "سارا محمدی"),
        ("full_name", "آن‌ماری اُکانر"),
        ("birthday", date(1991, 10, 7)),
        ("address", "تهران، خیابان ولیعصر\nپلاک ۱۲"),
        ("preferred_channel", "telegram"),
        ("preferred_time", "عصرها بعد از ساعت ۵"),
    ],
)
def test_what_is_said_is_kept_with_the_former_value_in_the_timeline(
    database: Database, field: str, value: str | date
) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        customer_id = customer_of(conversation)
        message = an_inbox_id(session, conversation)
        for _ in range(2):
            update_profile(session, customer_id=customer_id, field=field, value=value, inbox_id=message)
        assert getattr(session.get_one(Customer, customer_id), field) == value
        changes = [
            entry.data for entry in timeline(session, customer_id=customer_id) if "field" in entry.data
        ]
        assert changes == [{"field": field, "former": ""}]


def test_an_older_message_that_runs_again_does_not_bring_the_old_value_back(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        customer_id = customer_of(conversation)
        first, second = an_inbox_id(session, conversation), an_inbox_id(session, conversation)
        for value, message in (("سارا", first), ("سارا محمدی", second), ("سارا", first)):
            update_profile(session, customer_id=customer_id, field="full_name", value=value, inbox_id=message)
        assert session.get_one(Customer, customer_id).full_name == "سارا محمدی"
        assert timeline(session, customer_id=customer_id)[0].data["former"] == "سارا"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "س"),
        ("full_name", "09121234567"),
        ("full_name", "<b>سارا</b>"),
        ("full_name", "س" * 101),
        ("birthday", date(1899, 12, 31)),
        ("birthday", "1370/7/15"),
        ("address", "کوچه"),
        ("address", "کوچهٔ " * 100),
        ("address", "۱۲۳۴۵۶"),
        ("preferred_channel", "whatsapp"),
        ("preferred_time", "۵"),
        ("phone", "09121234567"),
        ("erased_at", "2026"),
    ],
)
def test_what_cannot_be_is_refused(database: Database, field: str, value: str | date) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        with pytest.raises(InvalidInput):
            update_profile(
                session,
                customer_id=customer_of(conversation),
                field=field,
                value=value,
                inbox_id=an_inbox_id(session, conversation),
            )


def test_nobody_is_born_tomorrow(sqlite_database: Database) -> None:
    tomorrow = utcnow().date() + timedelta(days=1)
    with sqlite_database.write() as session, pytest.raises(InvalidInput):
        update_profile(session, customer_id=1, field="birthday", value=tomorrow, inbox_id=1)


def test_the_messengers_name_greets_nobody(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        assert session.get_one(Customer, customer_of(conversation)).display_name == "سارا"
        assert greeting_name(session, conversation_id=conversation.id) == ""


def test_a_name_that_was_told_in_chat_greets(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session, channel="web")
        update_profile(
            session,
            customer_id=customer_of(conversation),
            field="full_name",
            value="سارا محمدی",
            inbox_id=an_inbox_id(session, conversation),
        )
        assert greeting_name(session, conversation_id=conversation.id) == "سارا محمدی"


def test_a_known_name_greets_only_once_the_number_is_proven(database: Database) -> None:
    with database.write() as session:
        imported = Customer(source="import", full_name="سارا محمدی")
        session.add(imported)
        session.flush()
        add_phone(session, customer_id=imported.id, phone="09121234567")
        conversation = a_conversation(session)
        add_phone(session, customer_id=customer_of(conversation), phone="09121234567")
        assert greeting_name(session, conversation_id=conversation.id) == ""
        assert conversation.identity_id is not None
        link_by_proof(session, identity_id=conversation.identity_id, phone="09121234567")
        assert greeting_name(session, conversation_id=conversation.id) == "سارا محمدی"
