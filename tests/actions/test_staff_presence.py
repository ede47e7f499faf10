"""Who works in chat alone goes online, away and offline by words and by buttons."""

from __future__ import annotations

import pytest

from crm_store.base import utcnow
from crm_store.handoff.presence import LASTS, online
from crm_store.settings import Settings
from crm_store.staff.models import StaffMember
from tests.actions.conftest import Chat
from tests.actions.staff_chat import StaffChat, open_business


@pytest.fixture
def agent(chat: Chat, settings: Settings) -> StaffChat:
    open_business(settings)
    return StaffChat(chat, "agent")


def presence(agent: StaffChat) -> str:
    member: StaffMember = agent.read(lambda session: session.get_one(StaffMember, agent.id))
    return member.presence


def offered(agent: StaffChat) -> set[str]:
    """What the buttons of the last message would change the presence to."""
    return {values["presence"] for intent, values in agent.buttons() if intent == "staff_presence"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("آنلاینم کن", "online"),
        ("شیفتم شروع شد، آماده‌ی پاسخگویی‌ام", "online"),
        ("از ناهار برگشتم", "online"),
        ("انلاينم كن", "online"),
        ("دارم می‌رم ناهار، فعلاً کسی رو به من نده", "away"),
        ("الان در دسترس نیستم", "away"),
        ("آفلاینم کن", "offline"),
        ("دیگه آنلاین نیستم", "offline"),
        ("شیفتم تموم شد", "offline"),
        ("تا فردا در دسترس نیستم", "offline"),
    ],
)
def test_words_change_whether_conversations_are_offered(agent: StaffChat, text: str, wanted: str) -> None:
    assert agent.say(text, "staff_presence") == [f"utter_staff_presence_{wanted}"]
    assert presence(agent) == wanted
    assert offered(agent) == {"online", "away", "offline"} - {wanted}
    assert agent.repeat() == [f"utter_staff_presence_{wanted}"]


def test_who_went_online_in_chat_is_among_those_to_whom_conversations_are_offered(agent: StaffChat) -> None:
    assert agent.read(online) == []
    agent.say("آنلاینم کن", "staff_presence")
    assert [one.id for one in agent.read(online)] == [agent.id]
    agent.tap("staff_presence", presence="away")
    assert agent.read(online) == []
    assert [one.detail for one in agent.audited("staff.presence")] == [
        {"presence": "online"},
        {"presence": "away"},
    ]


@pytest.mark.parametrize("text", ["وضعیتم رو عوض کن", "آنلاینم یا آفلاین؟", "من حاضرم؟"])
def test_a_question_is_answered_with_what_holds_now_and_changes_nothing(agent: StaffChat, text: str) -> None:
    agent.say("آنلاینم کن", "staff_presence")
    assert agent.say(text, "staff_presence") == ["utter_staff_ask_presence"]
    assert agent.told("utter_staff_ask_presence")["state"].strip("\u2068\u2069") == "آنلاین"
    assert presence(agent) == "online"
    assert offered(agent) == {"away", "offline"}


def test_who_said_so_long_ago_is_told_that_they_are_offline(agent: StaffChat) -> None:
    agent.say("آنلاینم کن", "staff_presence")

    def let_time_pass(session: object) -> None:
        session.get_one(StaffMember, agent.id).presence_at = utcnow() - LASTS  # type: ignore[attr-defined]

    agent.write(let_time_pass)
    agent.say("وضعیتم چیه", "staff_presence")
    assert agent.told("utter_staff_ask_presence")["state"].strip("\u2068\u2069") == "آفلاین"


def test_the_queue_offers_what_does_not_hold(agent: StaffChat) -> None:
    agent.say("کارهای من", "staff_my_queue")
    assert offered(agent) == {"online", "away"}
    agent.tap("staff_presence", presence="online")
    agent.say("کارهای من", "staff_my_queue")
    assert offered(agent) == {"away", "offline"}


@pytest.mark.parametrize("value", ["", "asleep", "admin"])
def test_a_forged_button_changes_nothing(agent: StaffChat, value: str) -> None:
    assert agent.press("staff_presence", presence=value) == ["utter_staff_ask_presence"]
    assert presence(agent) == "offline"


def test_a_typed_entity_is_no_button(agent: StaffChat) -> None:
    text = '/staff_presence{"presence": "online"}'
    agent.say(text, "staff_presence", entities={"presence": ["away"]})
    assert presence(agent) != "away"
