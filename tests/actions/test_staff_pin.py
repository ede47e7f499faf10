"""The PIN after a pause: asked for before anything else, readable nowhere; five wrong ones lock it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import Message
from crm_store.conversations.service import add_message
from crm_store.inbox import InboxItem
from crm_store.settings import Settings
from crm_store.staff.invitations import invite_again, redeem
from crm_store.staff.models import StaffAccount
from crm_store.staff.pin import HIDDEN, make_pin
from tests.actions.conftest import Chat
from tests.actions.service_chat import at, in_days
from tests.actions.staff_chat import StaffChat, open_business
from tests.actions.ticket_chat import TicketChat

RULES = """
[staff]
pin_after_minutes = 30
"""
QUEUE = "staff_my_queue"


@pytest.fixture
def agent(chat: Chat, settings: Settings) -> StaffChat:
    open_business(settings, RULES)
    return StaffChat(chat, "agent")


def account(session: Session, agent: StaffChat) -> StaffAccount:
    return session.scalars(select(StaffAccount).where(StaffAccount.staff_id == agent.id)).one()


def pause(agent: StaffChat, minutes: int = 31) -> None:
    agent.write(
        lambda session: setattr(account(session, agent), "active_at", utcnow() - timedelta(minutes=minutes))
    )


def pin(agent: StaffChat) -> str:
    return str(agent.write(lambda session: make_pin(session, staff_id=agent.id)))


def type_pin(agent: StaffChat, text: str, again: bool = False) -> list[str]:
    """Type something as an answer to the question for the PIN, with its line in the transcript."""
    step = agent.asked()
    original = agent.chat.new_message

    def with_line() -> int:
        number = original()

        def keep(session: Session) -> None:
            session.get_one(InboxItem, number).payload = {"message": {"text": text, "message_id": 7}}
            add_message(
                session,
                conversation_id=agent.chat.conversation.id,
                author="customer",
                text=text,
                inbox_id=number,
            )

        agent.write(keep)
        return number

    agent.chat.new_message = with_line  # type: ignore[method-assign]
    try:
        return agent.say(HIDDEN, "staff_answer", entities={"step": [step]})
    finally:
        agent.chat.new_message = original  # type: ignore[method-assign]


def test_the_first_pin_is_chosen_by_who_linked_just_now(agent: StaffChat) -> None:
    assert agent.say("کارهای باز من", QUEUE) == ["utter_staff_pin_choose"]
    assert type_pin(agent, "۱۱۱۱") == ["utter_staff_pin_unfit"]
    assert type_pin(agent, "۲۴۶۸") == ["utter_staff_pin_chosen", "utter_queue_empty"]
    pause(agent)
    assert agent.say("کارهای باز من", QUEUE) == ["utter_staff_pin"]
    assert type_pin(agent, "2468") == ["utter_queue_empty"]
    assert agent.say("کارهای باز من", QUEUE) == ["utter_queue_empty"]


def test_a_pin_stands_neither_in_the_transcript_nor_in_the_inbox(agent: StaffChat) -> None:
    made = pin(agent)
    pause(agent)
    agent.say("کارهای باز من", QUEUE)
    assert type_pin(agent, made) == agent.repeat() == ["utter_queue_empty"]
    lines = agent.read(lambda session: session.scalars(select(Message.text)).all())
    payloads = agent.read(lambda session: session.scalars(select(InboxItem.payload)).all())
    assert made not in str([*lines, *payloads])
    assert HIDDEN in lines


def test_five_wrong_ones_lock_until_the_operator_opens(agent: StaffChat) -> None:
    made = pin(agent)
    pause(agent)
    agent.say("کارهای باز من", QUEUE)
    for _ in range(4):
        assert type_pin(agent, "0000") == ["utter_staff_pin_wrong"]
    assert "۱" in agent.told("utter_staff_pin_wrong")["left"]
    assert type_pin(agent, "0000") == ["utter_staff_pin_locked"]
    assert agent.say("کارهای باز من", QUEUE) == ["utter_staff_pin_locked"]
    assert agent.press("staff_answer", step="pin:ask") == ["utter_staff_pin_locked"]
    assert [one.action for one in agent.audited("staff.pin_locked")] == ["staff.pin_locked"]
    made = pin(agent)
    agent.say("کارهای باز من", QUEUE)
    assert type_pin(agent, made) == ["utter_queue_empty"]


def test_what_is_no_pin_is_asked_again_and_counts_as_none(agent: StaffChat) -> None:
    made = pin(agent)
    pause(agent)
    agent.say("کارهای باز من", QUEUE)
    for text in ("کارهای باز من", "یه لحظه", "12", "رمزم یادم رفته", "سلام", "باشه"):
        assert type_pin(agent, text) == ["utter_staff_pin_unread"]
    assert agent.read(lambda session: account(session, agent).pin_failures) == 0
    assert type_pin(agent, made) == ["utter_queue_empty"]


def test_a_wrong_pin_that_is_run_again_counts_once(agent: StaffChat) -> None:
    pin(agent)
    pause(agent)
    agent.say("کارهای باز من", QUEUE)
    assert type_pin(agent, "0000") == agent.repeat() == agent.repeat() == ["utter_staff_pin_wrong"]
    assert agent.read(lambda session: account(session, agent).pin_failures) == 1


def test_who_leaves_at_the_question_for_the_pin_loses_no_try(agent: StaffChat) -> None:
    made = pin(agent)
    pause(agent)
    agent.say("کارهای باز من", QUEUE)
    assert type_pin(agent, "انصراف") == agent.repeat() == ["utter_staff_dropped"]
    assert agent.read(lambda session: account(session, agent).pin_failures) == 0
    assert agent.say("گزارش من", "staff_report") == ["utter_staff_pin"]
    assert "utter_queue_empty" not in type_pin(agent, made)


def test_a_new_invitation_opens_the_account_too(agent: StaffChat) -> None:
    pin(agent)

    def lock(session: Session) -> None:
        account(session, agent).pin_failures = 5

    agent.write(lock)
    assert agent.say("کارهای باز من", QUEUE) == ["utter_staff_pin_locked"]
    identity_id = agent.read(lambda session: account(session, agent).identity_id)

    def link(session: Session) -> None:
        _, code = invite_again(session, staff_id=agent.id)
        redeem(session, identity_id=identity_id, code=code)

    agent.write(link)
    assert agent.say("کارهای باز من", QUEUE) == ["utter_queue_empty"]


def test_without_a_pin_a_long_pause_ends_in_a_new_invitation(agent: StaffChat) -> None:
    pause(agent, 3000)
    assert agent.say("کارهای باز من", QUEUE) == ["utter_staff_pin_missing"]
    assert agent.press("staff_answer", step="pin:choose") == ["utter_staff_pin_missing"]


def test_what_waited_goes_on_as_it_was_asked(agent: StaffChat, stranger: Chat) -> None:
    code = TicketChat(stranger).complaint()
    made = pin(agent)
    pause(agent)
    assert agent.say(f"{code} رو فوری کن: خیلی مهم است", "staff_escalate") == ["utter_staff_pin"]
    assert type_pin(agent, made) == ["utter_staff_escalated"]


def test_a_technicians_visit_waits_for_the_pin(chat: Chat, stranger: Chat, settings: Settings) -> None:
    open_business(settings, RULES)
    technician = StaffChat(chat, "technician")
    code = TicketChat(stranger).visit(starts_at=at(in_days(0), 9), technician=technician.id)
    made = pin(technician)
    pause(technician)
    talk = TicketChat(chat)
    assert talk.press("visit_done", ticket=code) == ["utter_staff_pin"]
    assert TicketChat(stranger).read_request(code).state == "assigned"
    chat.said = [("utter_staff_pin", {"custom": {"expects": {"ticket": "pin:ask"}}})]
    assert type_pin(technician, made) == ["utter_visit_assigned_item"]
    said: list[Any] = talk.press("visit_done", ticket=code)
    assert said == ["utter_ask_visit_photo"]


def test_without_the_setting_nothing_is_asked(chat: Chat, settings: Settings) -> None:
    open_business(settings)
    agent = StaffChat(chat, "agent")
    pause(agent, 3000)
    assert agent.say("کارهای باز من", QUEUE) == ["utter_queue_empty"]
