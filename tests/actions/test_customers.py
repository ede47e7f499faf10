"""Who is writing, and what they say about themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from actions.customers import ActionGreet, ActionLinkProfile
from actions.profile_form import (
    ActionAskProfileValue,
    ActionCancelProfile,
    ActionUpdateProfile,
    ValidateProfileForm,
)
from actions.shared import ActionReceiveMedia
from crm_store.activity import timeline
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.linking import link_by_proof
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.persian import rich
from tests.actions.conftest import Chat

PHONE = "+989123456789"


def customer(chat: Chat) -> Customer:
    with chat.database.read() as session:
        return session.get_one(Customer, customer_of(session.get_one(Conversation, chat.conversation.id)))


def an_import(chat: Chat, **fields: Any) -> int:
    with chat.database.write() as session:
        record = Customer(source="import", **fields)
        session.add(record)
        session.flush()
        add_phone(session, customer_id=record.id, phone=PHONE)
        return record.id


def prove(chat: Chat, inbox_id: int | None = None) -> None:
    """What the gateway does with the sender's own contact."""
    with chat.database.write() as session:
        identity = session.get_one(Conversation, chat.conversation.id).identity_id
        assert identity is not None
        link_by_proof(session, identity_id=identity, phone=PHONE, inbox_id=inbox_id)


def send_contact(chat: Chat) -> set[str]:
    """The sender's own contact, outside all forms."""
    chat.inbox_id = chat.new_message()
    prove(chat, chat.inbox_id)
    return chat.run(ActionReceiveMedia(), intent="media", contact=PHONE, again=True)


def say(chat: Chat, text: str, **fields: Any) -> set[str]:
    """One message to the profile form, as Rasa runs it: the form, then its next question or its end."""
    fields.setdefault("intent", "profile_update")
    if chat.form is None:
        chat.slots = {"profile_field": None, "profile_value": None, "requested_slot": None}
    said = chat.run(ValidateProfileForm(), text, **fields)
    chat.form = "profile_form"
    again = {**fields, "again": True}
    if not chat.slots["profile_field"]:
        chat.slots["requested_slot"] = "profile_field"
        return said | {"utter_ask_profile_field"}
    if not chat.slots["profile_value"]:
        chat.slots["requested_slot"] = "profile_value"
        return said | chat.run(ActionAskProfileValue(), text, **again)
    chat.form, chat.slots["requested_slot"] = None, None
    return said | chat.run(ActionUpdateProfile(), text, **again)


def shown(chat: Chat, name: str) -> str:
    return rich.to_plain(chat.told("utter_profile_saved")[name]).strip("\u2068\u2069")


def test_a_stranger_is_greeted_without_a_name(chat: Chat) -> None:
    an_import(chat, full_name="سارا محمدی")
    assert chat.run(ActionGreet(), "سلام", intent="greet") == {"utter_greet"}


def test_whoever_is_known_by_a_proven_number_is_greeted_by_name(chat: Chat) -> None:
    an_import(chat, full_name="سارا محمدی")
    assert send_contact(chat) == {"utter_welcome_back"}
    assert "سارا محمدی" in chat.told("utter_welcome_back")["name"]
    assert chat.run(ActionGreet(), "سلام", intent="greet") == {"utter_greet_by_name"}


def test_a_joined_record_without_a_name_is_told_of_too(chat: Chat) -> None:
    an_import(chat)
    assert send_contact(chat) == {"utter_linked"}


def test_a_contact_of_a_new_customer_is_answered_as_what_it_was_asked_for(chat: Chat) -> None:
    chat.ran_before("utter_ask_contact")
    assert send_contact(chat) == {"utter_phone_proven"}
    chat.ran_before("utter_greet")
    assert send_contact(chat) == {"utter_contact_received"}


def test_a_disputed_number_is_explained_kindly_and_stays_unproven(chat: Chat, stranger: Chat) -> None:
    prove(stranger)
    assert send_contact(chat) == {"utter_link_conflict"}
    with chat.database.read() as session:
        points = session.scalars(select(ContactPoint).where(ContactPoint.customer_id == customer(chat).id))
        assert [point.proven_at for point in points] == [None]


def test_a_typed_number_is_answered_alike_whether_it_is_known_or_not(chat: Chat, stranger: Chat) -> None:
    text = "من قبلاً مشتری شما بودم، شماره‌ام ۰۹۱۲۳۴۵۶۷۸۹"
    assert stranger.run(ActionLinkProfile(), text, intent="profile_link") == {"utter_ask_contact"}
    before = stranger.said
    imported = an_import(chat, full_name="سارا محمدی")
    assert chat.run(ActionLinkProfile(), text, intent="profile_link") == {"utter_ask_contact"}
    assert chat.said == before
    with chat.database.read() as session:
        point = session.scalars(
            select(ContactPoint).where(ContactPoint.customer_id == customer(chat).id)
        ).one()
        assert (point.value, point.proven_at) == (PHONE, None)
        assert session.get_one(Customer, imported).merged_into_id is None


def test_in_the_web_chat_a_member_of_staff_confirms_by_a_call(store: Database) -> None:
    chat = Chat(store)
    with store.write() as session:
        session.get_one(Conversation, chat.conversation.id).channel = "web"
    assert chat.run(ActionLinkProfile(), "من مشتریتونم", intent="profile_link") == {"utter_link_by_staff"}


def test_whoever_is_known_already_is_told_so(chat: Chat) -> None:
    prove(chat)
    assert chat.run(ActionLinkProfile(), "وصلم کن", intent="profile_link") == {"utter_known"}


@pytest.mark.parametrize(
    ("text", "field", "value", "read"),
    [
        ("تولدم ۱۵ مهر ۷۰ است", "birthday", date(1991, 10, 7), "۱۵ مهر ۱۳۷۰"),
        (
            "آدرسم عوض شده: تهران، خیابان شریعتی، پلاک ۱۴",
            "address",
            "تهران، خیابان شریعتی، پلاک ۱۴",
            "تهران، خیابان شریعتی، پلاک ۱۴",
        ),
        (
            "از اون خونه رفتیم، از این به بعد بفرستین کرج، خیابون هشتم",
            "address",
            "کرج، خیابون هشتم",
            None,
        ),
        ("نام بنده را به سارا محمدی اصلاح کنید", "full_name", "سارا محمدی", "سارا محمدی"),
        ("بعدازظهرها تماس بگیرید بهتره", "preferred_time", "بعدازظهرها تماس بگیرید بهتره", None),
        ("بعد ۵ زنگ بزنید", "preferred_time", "بعد ۵ زنگ بزنید", None),
        ("فقط تلگرام پیام بدید", "preferred_channel", "telegram", "تلگرام"),
        ("تو بله پیام بدین، زنگ نزنید", "preferred_channel", "bale", "پیام‌رسان بله"),
        ("به جای زنگ پیامک بدین", "preferred_channel", "sms", "پیامک"),
    ],
)
def test_what_one_message_says_is_kept_at_once_and_shown_back(
    chat: Chat, text: str, field: str, value: Any, read: str | None
) -> None:
    assert say(chat, text) == {"utter_profile_saved"}
    assert getattr(customer(chat), field) == value
    assert shown(chat, "value") == (read or value)
    (correct,) = chat.buttons
    assert correct["payload"] == f'/profile_update{{"field": "{field}"}}'


def test_a_turn_that_runs_again_changes_nothing_more(chat: Chat) -> None:
    say(chat, "تولدم ۱۵ مهر ۷۰ است")
    chat.slots |= {"profile_field": "birthday", "profile_value": "1991-10-07"}
    chat.run(ActionUpdateProfile(), again=True)
    with chat.database.read() as session:
        kinds = [entry.kind for entry in timeline(session, customer_id=customer(chat).id)]
    assert kinds.count("customer.profile_changed") == 1


@pytest.mark.parametrize(
    "text",
    [
        "اسمم رو اشتباه نوشتید",
        "اسمم اشتباه ثبت شده تو فاکتور خرید",
        "اسمم رو عوض کنید زشته",
        "آدرسم عوض شده",
        "تاریخ تولدمو ثبت کنید",
        "ساعت تماس دلخواهم رو عوض کنید",
        "شماره‌م عوض شده",
        "کانال ارتباطیم رو عوض کنید",
    ],
)
def test_a_sentence_without_a_value_is_asked_for_it(chat: Chat, text: str) -> None:
    (said,) = say(chat, text)
    assert said.startswith("utter_ask_profile_")
    assert said != "utter_ask_profile_field"


def test_a_wish_without_a_field_is_asked_for_it_with_buttons(chat: Chat) -> None:
    assert say(chat, "ویرایش مشخصات") == {"utter_ask_profile_field"}
    button = {"entities": {"field": ["address"]}, "trusted": True}
    assert say(chat, "", **button) == {"utter_ask_profile_address"}
    assert say(chat, "شیراز، بلوار چمران، پلاک ۳", intent="nlu_fallback") == {"utter_profile_saved"}
    assert customer(chat).address == "شیراز، بلوار چمران، پلاک ۳"


def test_two_fields_at_once_are_asked_one_after_the_other(chat: Chat) -> None:
    assert say(chat, "اسم و آدرسم رو اصلاح کنید") == {"utter_ask_profile_field"}
    assert say(chat, "آدرس", intent="faq") == {"utter_ask_profile_address"}


def test_a_button_chooses_the_way_of_contact(chat: Chat) -> None:
    button = {"entities": {"field": ["preferred_channel"], "value": ["sms"]}, "trusted": True}
    assert say(chat, "", **button) == {"utter_profile_saved"}
    assert customer(chat).preferred_channel == "sms"


def test_the_button_below_what_was_kept_asks_for_it_again(chat: Chat) -> None:
    say(chat, "تولدم ۱۵ مهر ۷۰ است")
    assert say(chat, "", entities={"field": ["birthday"]}, trusted=True) == {"utter_ask_profile_birthday"}
    assert say(chat, "۱۶ مهر ۷۰", intent="nlu_fallback") == {"utter_profile_saved"}
    assert customer(chat).birthday == date(1991, 10, 8)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("۱۵ مهر", "utter_birthday_incomplete"),
        ("۳۱ مهر ۷۰", "utter_birthday_impossible"),
        ("۱ فروردین ۱۴۹۰", "utter_birthday_impossible"),
        ("۱۲/۱۰/۰۳", "utter_birthday_ambiguous"),
        ("پاییز بود", "utter_birthday_unread"),
    ],
)
def test_an_impossible_birthday_is_explained_and_asked_again(chat: Chat, text: str, problem: str) -> None:
    say(chat, "تاریخ تولدم رو ثبت کنید")
    assert say(chat, text, intent="nlu_fallback") == {problem, "utter_ask_profile_birthday"}
    assert customer(chat).birthday is None


@pytest.mark.parametrize(
    ("asked", "text", "value"),
    [
        ("اسمم اشتباهه", "سارا محمدی", "سارا محمدی"),
        ("اسمم اشتباهه", "اسمم امید یاری هست", "امید یاری"),
        ("کانال ارتباطیم رو عوض کنید", "بله", "bale"),
        ("کانال ارتباطیم رو عوض کنید", "بهم زنگ بزنید", "phone"),
        ("کانال ارتباطیم رو عوض کنید", "همین‌جا", "telegram"),
        ("ساعت تماس دلخواهم رو عوض کنید", "عصرها با من تماس بگیرید", "عصرها با من تماس بگیرید"),
    ],
)
@pytest.mark.parametrize("intent", ["nlu_fallback", "request_human", "affirm"])
def test_an_answer_is_taken_for_what_was_asked(
    chat: Chat, asked: str, text: str, value: str, intent: str
) -> None:
    say(chat, asked)
    ranking = [(intent, 0.5)] if "زنگ" not in text else [(intent, 0.9)]
    assert say(chat, text, intent=intent, ranking=ranking) == {"utter_profile_saved"}
    kept = customer(chat)
    assert value in (kept.full_name, kept.preferred_channel, kept.preferred_time)


def test_a_phone_is_typed_unproven_and_proven_by_the_contact(chat: Chat) -> None:
    assert say(chat, "شماره جدیدم ۰۹۱۲۳۴۵۶۷۸۹") == {"utter_profile_phone_kept"}
    assert say(chat, "شماره‌م عوض شده") == {"utter_ask_profile_phone"}
    chat.inbox_id = chat.new_message()
    prove(chat, chat.inbox_id)
    assert say(chat, "", intent="media", contact=PHONE, again=True) == {"utter_profile_phone_proven"}


def test_a_number_that_can_be_none_is_explained(chat: Chat) -> None:
    say(chat, "شماره‌م عوض شده")
    said = say(chat, "۰۹۱۲ ۳۴", intent="nlu_fallback")
    assert said == {"utter_invalid_phone", "utter_ask_profile_phone"}


def test_another_field_may_be_named_instead(chat: Chat) -> None:
    say(chat, "تاریخ تولدم رو ثبت کنید")
    assert say(chat, "نه، شماره‌م عوض شده") == {"utter_ask_profile_phone"}


def test_what_no_profile_has_is_said(chat: Chat) -> None:
    assert say(chat, "ایمیلم رو عوض کنید") == {"utter_profile_not_kept", "utter_ask_profile_field"}


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        ("cancel", "بی‌خیال"),
        ("deny", "نه ولش کن"),
        ("explain", "برای چی می‌خواید؟"),
        ("request_human", "وصل کن به اپراتور"),
        ("media", ""),
    ],
)
def test_what_is_no_value_is_left_to_the_rules(chat: Chat, intent: str, text: str) -> None:
    say(chat, "آدرسم عوض شده")
    chat.run(ValidateProfileForm(), text, intent=intent)
    assert chat.events == []


def test_dropping_it_changes_nothing(chat: Chat) -> None:
    say(chat, "آدرسم عوض شده")
    assert chat.run(ActionCancelProfile(), "بی‌خیال", intent="cancel") == {"utter_profile_cancelled"}
    assert (chat.slots["profile_field"], customer(chat).address) == (None, "")
