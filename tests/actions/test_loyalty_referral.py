"""Bringing friends: the own code and link, a friend's code, and the link that opened the chat."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.loyalty_referral import ActionEnterFriendCode, ActionLoyaltyReferral
from actions.misunderstood import ActionFallback
from actions.shared import ActionStart
from crm_store import heartbeats
from crm_store.customers.service import add_phone
from crm_store.loyalty.models import Referral
from crm_store.loyalty.referrals import code_of
from crm_store.settings import Settings
from tests.actions.club_chat import CLUB, NO_CLUB, customer_in
from tests.actions.conftest import Chat
from tests.factories import a_conversation

LEAST = CLUB.replace("[loyalty.referral]", "[loyalty.referral]\nminimum_tomans = 200000")
NOTED, PROVE = "utter_club_friend_noted", "utter_club_friend_prove_phone"


@pytest.fixture(autouse=True)
def business(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(CLUB, encoding="utf-8")


def own_code(chat: Chat) -> str:
    with chat.database.write() as session:
        return code_of(session, customer_id=customer_in(chat))


def prove_number(chat: Chat) -> None:
    with chat.database.write() as session:
        add_phone(session, customer_id=customer_in(chat), phone="+989121112233", proven=True)


def enter(chat: Chat, code: str) -> set[str]:
    return chat.run(ActionEnterFriendCode(), code, entities={"code": [code]})


def referrals(chat: Chat) -> list[tuple[int, int]]:
    with chat.database.read() as session:
        return [(one.referrer_id, one.friend_id) for one in session.query(Referral).order_by(Referral.id)]


def test_where_the_bots_name_is_known_the_code_comes_with_a_link_that_opens_it(chat: Chat) -> None:
    with chat.database.write() as session:
        heartbeats.beat(session, name="poller:telegram", detail={heartbeats.USERNAME: "sepidar_bot"})
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_referral_link"}
    told = chat.told("utter_club_referral_link")
    code = own_code(chat)
    assert f"https://t.me/sepidar_bot?start=ref_{code}" in told["link"]
    assert code in told["code"]


def test_as_long_as_the_name_is_not_known_the_code_is_enough(chat: Chat) -> None:
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_referral_code"}


def test_what_the_friend_has_to_buy_and_the_limit_are_told_with_the_code(
    chat: Chat, settings: Settings
) -> None:
    Path(settings.business_path).write_text(LEAST, encoding="utf-8")
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_referral_code_from"}
    with chat.database.write() as session:
        heartbeats.beat(session, name="poller:telegram", detail={heartbeats.USERNAME: "sepidar_bot"})
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_referral_link_from"}
    told = chat.told("utter_club_referral_link_from")
    assert "۲۰۰٬۰۰۰ تومان" in told["minimum"]
    assert "۱۰ دوست" in told["reward"].replace("\u2068", "").replace("\u2069", "")


def test_the_link_of_a_friend_welcomes_and_notes_who_brought_them(chat: Chat, stranger: Chat) -> None:
    prove_number(chat)
    chat.run(ActionStart(), intent="start", trusted=True, entities={"code": [own_code(stranger)]})
    assert [said for said, _ in chat.said] == ["utter_welcome", NOTED]
    assert referrals(chat) == [(customer_in(stranger), customer_in(chat))]


def test_whoever_came_by_a_code_without_a_proven_number_is_asked_for_it(chat: Chat, stranger: Chat) -> None:
    code = own_code(stranger)
    chat.run(ActionStart(), intent="start", trusted=True, entities={"code": [code]})
    assert [said for said, _ in chat.said] == ["utter_welcome", PROVE]
    assert "۱۰۰" in chat.told(PROVE)["noted"]
    assert enter(chat, code) == {PROVE}
    prove_number(chat)
    assert enter(chat, code) == {NOTED}


def test_where_no_messenger_vouches_for_a_number_it_is_not_asked_for(chat: Chat, stranger: Chat) -> None:
    with chat.database.write() as session:
        chat.conversation = a_conversation(session, channel="web")
    assert enter(chat, own_code(stranger)) == {NOTED}


@pytest.mark.parametrize(
    ("friend_points", "told"),
    [
        (100, "utter_club_friend_noted_from"),
        (0, "utter_club_friend_noted_plain_from"),
        (0, "utter_club_friend_noted_plain"),
    ],
)
def test_a_friend_hears_what_their_purchase_has_to_come_to(
    chat: Chat, stranger: Chat, settings: Settings, friend_points: int, told: str
) -> None:
    asks_for_much = told.endswith("_from")
    own = LEAST if asks_for_much else CLUB
    own = own.replace("friend_points = 100", f"friend_points = {friend_points}")
    Path(settings.business_path).write_text(own, encoding="utf-8")
    prove_number(chat)
    assert enter(chat, own_code(stranger)) == {told}
    if asks_for_much:
        assert "۲۰۰٬۰۰۰ تومان" in chat.told(told)["minimum"]


def test_the_least_purchase_is_told_to_whoever_is_asked_for_their_number(
    chat: Chat, stranger: Chat, settings: Settings
) -> None:
    Path(settings.business_path).write_text(LEAST, encoding="utf-8")
    assert enter(chat, own_code(stranger)) == {PROVE}
    assert "۲۰۰٬۰۰۰ تومان" in chat.told(PROVE)["noted"]


def test_a_plain_beginning_is_only_welcomed(chat: Chat) -> None:
    assert chat.run(ActionStart(), intent="start", trusted=True) == {"utter_welcome"}


@pytest.mark.parametrize("text", ["کد دوستم {code} رو ثبت کن", "{code}", "کد معرف دارم: {code}"])
def test_a_friends_code_is_taken_wherever_it_stands(chat: Chat, stranger: Chat, text: str) -> None:
    prove_number(chat)
    typed = text.format(code=own_code(stranger).lower())
    action = ActionLoyaltyReferral() if " " in typed else ActionFallback()
    assert chat.run(action, typed, intent="nlu_fallback") == {NOTED}
    assert referrals(chat) == [(customer_in(stranger), customer_in(chat))]


def test_whoever_wishes_to_enter_a_code_is_asked_for_it(chat: Chat, stranger: Chat) -> None:
    assert chat.run(ActionLoyaltyReferral(), "کد دوستم رو کجا وارد کنم") == {"utter_club_ask_friend_code"}
    assert chat.told("utter_club_ask_friend_code")["custom"]["expects"]["what"] == "friend_code"
    prove_number(chat)
    assert enter(chat, own_code(stranger)) == {NOTED}


def test_a_code_that_does_not_count_is_refused_with_its_reason(chat: Chat, stranger: Chat) -> None:
    assert enter(chat, "XXX999") == {"utter_club_friend_unknown"}
    assert enter(chat, own_code(chat)) == {"utter_club_friend_own"}
    enter(chat, own_code(stranger))
    assert enter(chat, own_code(Chat(chat.database))) == {"utter_club_friend_already"}
    assert enter(stranger, own_code(chat)) == {"utter_club_friend_ring"}


def test_where_bringing_friends_brings_nothing_that_is_said(chat: Chat, settings: Settings) -> None:
    plain = CLUB.replace("referrer_points = 150", "").replace("friend_points = 100", "")
    Path(settings.business_path).write_text(plain, encoding="utf-8")
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_referral_off"}
    Path(settings.business_path).write_text(NO_CLUB, encoding="utf-8")
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_off"}
