"""A contact that the messenger vouches for tells who is writing, before the dialogue is asked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from bot.gateway.app import Gateway
from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer, LinkConflict
from crm_store.customers.service import add_phone
from crm_store.customers.settling import settle
from crm_store.outbox import OutboxItem
from tests.gateway.conftest import Setup

PHONE = "+989121234567"
GROUP = -1001234567890


def customer_of(setup: Setup, user_id: int) -> Customer:
    query = (
        select(Customer)
        .join(ChannelIdentity, ChannelIdentity.customer_id == Customer.id)
        .where(ChannelIdentity.external_id == str(user_id))
    )
    found: Customer = setup.read(lambda session: session.scalars(query).one())
    return found


def notices(setup: Setup, response: str) -> list[OutboxItem]:
    rows = setup.read(lambda session: session.scalars(select(OutboxItem)).all())
    return [row for row in rows if row.content.get("response") == response]


async def share_number(setup: Setup, user_id: int, name: str) -> None:
    user = setup.telegram.user(user_id, name, phone_number=PHONE)
    await setup.telegram.send_contact(user)
    await setup.telegram.wait_for_messages(user_id, 1)


async def dispute(setup: Setup) -> None:
    """Two accounts of one messenger send the same number as their own."""
    await share_number(setup, 7, "سارا")
    await share_number(setup, 8, "رضا")


async def test_a_customer_known_from_an_import_is_joined_before_the_dialogue_answers(setup: Setup) -> None:
    def keep_import(session: Any) -> int:
        imported = Customer(source="import", full_name="سارا محمدی")
        session.add(imported)
        session.flush()
        add_phone(session, customer_id=imported.id, phone=PHONE)
        return int(imported.id)

    imported_id = setup.write(keep_import)
    known: list[str] = []

    def answer(turn: dict[str, Any]) -> list[dict[str, Any]]:
        known.append(customer_of(setup, 7).full_name)
        return [{"text": "خوش آمدید"}]

    setup.rasa.on_turn = answer
    async with setup.running():
        await share_number(setup, 7, "سارا")
    assert known == ["سارا محمدی"]
    assert setup.rasa.turns[0]["contact"] == PHONE
    joined = setup.read(lambda session: session.get(Customer, imported_id))
    assert joined.merged_into_id == customer_of(setup, 7).id
    point = setup.read(
        lambda session: session.scalars(
            select(ContactPoint).where(ContactPoint.customer_id == joined.merged_into_id)
        ).one()
    )
    assert point.proven_by_id is not None


async def test_a_number_of_another_account_is_told_to_the_staff_group_once(setup: Setup) -> None:
    setup.set_telegram(staff_group_id=GROUP)
    async with setup.running():
        await setup.telegram.group_message(GROUP, setup.telegram.user(5, "همکار"), "سلام")
        await setup.all_finished(rows=1)
        await dispute(setup)
        await setup.telegram.send_contact(setup.telegram.user(8, "رضا", phone_number=PHONE))
        await setup.telegram.wait_for_messages(8, 2)
        await setup.telegram.wait_for_messages(GROUP, 1)
    conflict = setup.read(lambda session: session.scalars(select(LinkConflict)).one())
    assert (conflict.state, conflict.phone, conflict.holder_id) == ("open", PHONE, customer_of(setup, 7).id)
    assert len(notices(setup, "utter_staff_group_link_conflict")) == 1
    assert PHONE not in setup.texts(GROUP)[0]
    # The dialogue gets the contact all the same, and tells the customer.
    assert [turn["contact"] for turn in setup.rasa.turns] == [PHONE] * 3


async def test_a_turn_that_is_tried_again_opens_no_second_conflict(setup: Setup) -> None:
    async with setup.running():
        await share_number(setup, 7, "سارا")
        setup.rasa.fail_next(2, status=500)
        await share_number(setup, 8, "رضا")
    assert len(setup.read(lambda session: session.scalars(select(LinkConflict)).all())) == 1


async def test_the_claimant_is_told_what_a_person_decided(setup: Setup) -> None:
    async with setup.running() as gateway:
        assert isinstance(gateway, Gateway)
        await dispute(setup)
        setup.write(lambda session: settle(session, conflict_id=1, decision="joined", actor="operator"))
        _, told = await setup.telegram.wait_for_messages(8, 2)
    assert "شماره" in told.plain
    assert customer_of(setup, 7).id == customer_of(setup, 8).id
    chats = setup.read(lambda session: session.scalars(select(Conversation.identity_id)).all())
    assert len(set(chats)) == 2
