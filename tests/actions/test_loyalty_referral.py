"""Bringing friends: the own code and link, a friend's code, and the link that opened the chat."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.loyalty_referral import ActionEnterFriendCode, ActionLoyaltyReferral
from actions.misunderstood import ActionFallback
from actions.shared import ActionStart
from crm_store import heartbeats
from crm_store.loyalty.models import Referral
from crm_store.loyalty.referrals import code_of
from crm_store.settings import Settings
from tests.actions.club_chat import CLUB, NO_CLUB, customer_in
from tests.actions.conftest import Chat


@pytest.fixture(autouse=True)
def business(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(CLUB, encoding="utf-8")


def own_code(chat: Chat) -> str:
    with chat.database.write() as session:
        return code_of(session, customer_id=customer_in(chat))


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


def test_the_link_of_a_friend_welcomes_and_notes_who_brought_them(chat: Chat, stranger: Chat) -> None:
    chat.run(ActionStart(), intent="start", trusted=True, entities={"code": [own_code(stranger)]})
    assert [said for said, _ in chat.said] == ["utter_welcome", "utter_club_friend_noted"]
    assert referrals(chat) == [(customer_in(stranger), customer_in(chat))]


def test_a_plain_beginning_is_only_welcomed(chat: Chat) -> None:
    assert chat.run(ActionStart(), intent="start", trusted=True) == {"utter_welcome"}


@pytest.mark.parametrize("text", ["کد دوستم {code} رو ثبت کن", "{code}", "کد معرف دارم: {code}"])
def test_a_friends_code_is_taken_wherever_it_stands(chat: Chat, stranger: Chat, text: str) -> None:
    typed = text.format(code=own_code(stranger).lower())
    action = ActionLoyaltyReferral() if " " in typed else ActionFallback()
    assert chat.run(action, typed, intent="nlu_fallback") == {"utter_club_friend_noted"}
    assert referrals(chat) == [(customer_in(stranger), customer_in(chat))]


def test_whoever_wishes_to_enter_a_code_is_asked_for_it(chat: Chat, stranger: Chat) -> None:
    assert chat.run(ActionLoyaltyReferral(), "کد دوستم رو کجا وارد کنم") == {"utter_club_ask_friend_code"}
    assert chat.told("utter_club_ask_friend_code")["custom"]["expects"]["what"] == "friend_code"
    code = own_code(stranger)
    assert chat.run(ActionEnterFriendCode(), code, entities={"code": [code]}) == {"utter_club_friend_noted"}


def test_a_code_that_does_not_count_is_refused_with_its_reason(chat: Chat, stranger: Chat) -> None:
    def enter(code: str) -> set[str]:
        return chat.run(ActionEnterFriendCode(), code, entities={"code": [code]})

    assert enter("XXX999") == {"utter_club_friend_unknown"}
    assert enter(own_code(chat)) == {"utter_club_friend_own"}
    enter(own_code(stranger))
    assert enter(own_code(Chat(chat.database))) == {"utter_club_friend_already"}
    assert stranger.run(ActionEnterFriendCode(), own_code(chat), entities={"code": [own_code(chat)]}) == {
        "utter_club_friend_ring"
    }


def test_where_bringing_friends_brings_nothing_that_is_said(chat: Chat, settings: Settings) -> None:
    plain = CLUB.replace("referrer_points = 150", "").replace("friend_points = 100", "")
    Path(settings.business_path).write_text(plain, encoding="utf-8")
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_referral_off"}
    Path(settings.business_path).write_text(NO_CLUB, encoding="utf-8")
    assert chat.run(ActionLoyaltyReferral(), "کد معرفم چیه") == {"utter_club_off"}
