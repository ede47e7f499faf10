"""Registering for somebody who called: known or new, with a chat or without one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.customers.models import Customer
from crm_store.purchases.models import Purchase
from crm_store.service_requests.models import ServiceRequest
from crm_store.settings import Settings
from tests.actions.club_chat import points_of
from tests.actions.conftest import Chat
from tests.actions.service_chat import at, in_days
from tests.actions.staff_chat import StaffChat, call_them, open_business, told_in

PHONE, NEW_PHONE = "+989121234567", "+989355554433"


@pytest.fixture
def agent(chat: Chat, stranger: Chat, settings: Settings) -> StaffChat:
    open_business(settings)
    call_them(stranger, "مریم صادقی", PHONE)
    return StaffChat(chat, "agent")


def complaints(agent: StaffChat) -> list[Complaint]:
    return list(agent.read(lambda session: session.scalars(select(Complaint)).all()))


def customers(agent: StaffChat) -> int:
    return int(agent.read(lambda session: session.scalar(select(func.count()).select_from(Customer))))


def test_a_complaint_of_a_known_caller_is_hers_and_told_in_her_chat(agent: StaffChat, stranger: Chat) -> None:
    said = agent.say("یه شکایت برای ۰۹۱۲۱۲۳۴۵۶۷ ثبت کن: بسته را سه روز دیر آوردند", "staff_register")
    assert said == ["utter_staff_ask_category"]
    assert agent.answer("تحویل سفارش") == ["utter_staff_ask_order"]
    assert agent.choose("skip") == ["utter_staff_confirm_registration"]
    assert "مریم صادقی" in str(agent.told("utter_staff_confirm_registration")["lines"])
    assert agent.choose("yes") == agent.repeat() == ["utter_staff_registered"]
    (made,) = complaints(agent)
    assert (made.category, made.description) == ("delivery", "بسته را سه روز دیر آوردند")
    assert made.conversation_id == stranger.conversation.id
    assert made.customer_id == agent.mind().customer_id != made.assignee_id
    agent.press("staff_assign", ticket=made.code, value="me")
    assert told_in(stranger) == ["utter_complaint_acknowledged"]


def test_an_order_is_kept_as_orders_are_looked_for(agent: StaffChat) -> None:
    agent.say("یه شکایت برای ۰۹۱۲۱۲۳۴۵۶۷ ثبت کن: بسته را سه روز دیر آوردند", "staff_register")
    agent.answer("تحویل سفارش")
    assert agent.answer("۴۴۰۱۹۲") == ["utter_staff_confirm_registration"]
    agent.choose("yes")
    (made,) = complaints(agent)
    assert made.order_number == "440192"
    assert agent.say("سفارش ۴۴۰۱۹۲", "staff_find_customer") == ["utter_staff_card"]


def test_a_caller_whom_nobody_knows_is_made_with_a_name(agent: StaffChat) -> None:
    before = customers(agent)
    said = agent.say("یه شکایت برای ۰۹۳۵۵۵۵۴۴۳۳ ثبت کن", "staff_register")
    assert said == ["utter_staff_ask_caller_name"]
    assert agent.answer("۱۲۳") == ["utter_staff_no_name", "utter_staff_ask_caller_name"]
    assert agent.answer("کمال نیک‌پور") == ["utter_staff_ask_story"]
    assert agent.answer("سلام، پول دو بار کم شده") == ["utter_staff_ask_category"]
    agent.choose("payment")
    agent.answer("سفارش ۱۲۳۴۵")
    assert customers(agent) == before
    assert agent.choose("yes") == agent.repeat() == ["utter_staff_registered"]
    (made,) = complaints(agent)
    conversation = agent.read(lambda session: session.get_one(Conversation, made.conversation_id))
    customer = agent.read(lambda session: session.get_one(Customer, made.customer_id))
    assert (conversation.channel, conversation.identity_id) == ("phone", None)
    assert (customer.full_name, customer.source, made.order_number) == ("کمال نیک‌پور", "staff", "12345")
    # Nothing is queued for who has no chat.
    agent.press("staff_assign", ticket=made.code, value="me")
    assert complaints(agent)[0].state == "acknowledged"
    assert customers(agent) == before + 1


def test_a_visit_is_registered_with_the_time_that_is_free(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert agent.say("براش درخواست تعمیر ثبت کن", "staff_register") == ["utter_staff_ask_kind"]
    assert agent.choose("repair") == ["utter_staff_ask_problem"]
    assert agent.answer("خنک نمی‌کند") == ["utter_staff_ask_city"]
    said = agent.answer("تبریز", entities={"city": ["تبریز"]})
    assert said == ["utter_staff_city_not_served", "utter_staff_ask_city"]
    assert agent.answer("شیراز", entities={"city": ["شیراز"]}) == ["utter_staff_ask_address"]
    assert agent.answer("خیابان زند، کوچهٔ ۳") == ["utter_staff_ask_visit_time"]
    chosen = at(in_days(1), 14)
    slot = next(
        values["value"]
        for _, values in agent.buttons()
        if values["value"].startswith(f"{chosen.utctimetuple().tm_year}") and "T10:30" in values["value"]
    )
    assert agent.choose(slot) == ["utter_staff_confirm_registration"]
    assert agent.choose("yes") == agent.repeat() == ["utter_staff_registered"]
    made = agent.read(lambda session: session.scalars(select(ServiceRequest)).one())
    assert (made.kind, made.city, made.problem, made.state) == ("repair", "شیراز", "خنک نمی‌کند", "scheduled")
    assert made.conversation_id == stranger.conversation.id


def test_a_purchase_brings_its_points_once(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert agent.say("خریدشو ثبت کن", "staff_register") == ["utter_staff_ask_purchase_amount"]
    assert agent.answer("۵۰۰ هزار", entities={"amount": [5_000_000]}) == ["utter_staff_ask_purchase_title"]
    agent.answer("قابلمه")
    assert agent.choose("skip") == ["utter_staff_confirm_registration"]
    assert agent.choose("yes") == agent.repeat() == ["utter_staff_registered_purchase"]
    made = agent.read(lambda session: session.scalars(select(Purchase)).one())
    assert (made.total, made.source, made.customer_id) == (5_000_000, "staff", agent.mind().customer_id)
    assert points_of(stranger) == 50


def test_an_order_that_is_known_with_another_amount_is_asked_about(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    for amount, said in ((5_000_000, ["utter_staff_registered_purchase"]), (6_000_000, None)):
        agent.say("خریدشو ثبت کن", "staff_register")
        agent.answer("مبلغ", entities={"amount": [amount]})
        agent.choose("skip")
        agent.answer("سفارش ۱۲۳۴۵")
        assert agent.choose("yes") == (said or ["utter_staff_order_known", "utter_staff_ask_order"])


def test_what_is_left_registers_nothing(agent: StaffChat) -> None:
    agent.say("یه شکایت برای ۰۹۳۵۵۵۵۴۴۳۳ ثبت کن", "staff_register")
    before = customers(agent)
    assert agent.choose("drop") == ["utter_staff_dropped"]
    assert (customers(agent), complaints(agent)) == (before, [])


def test_who_calls_is_asked_for_first(agent: StaffChat) -> None:
    assert agent.say("یکی زنگ زده، باید براش ثبت کنم", "staff_register") == ["utter_staff_ask_caller_phone"]
    assert agent.answer("نمی‌دونم") == ["utter_invalid_phone", "utter_staff_ask_caller_phone"]
    assert agent.answer("۰۹۱۲۱۲۳۴۵۶۷") == ["utter_staff_ask_subject"]
    assert {values["value"] for _, values in agent.buttons()} == {"complaint", "request", "purchase", "drop"}
