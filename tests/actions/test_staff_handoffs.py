"""Taking conversations over, passing them on and giving them back, from the member's own chat."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from actions.base import environment
from crm_store.conversations.models import Conversation
from crm_store.handoff.models import Handoff
from crm_store.handoff.waiting import request
from crm_store.settings import Settings
from tests.actions.conftest import Chat
from tests.actions.staff_chat import StaffChat, call_them, colleague, open_business, told_in


@pytest.fixture
def agent(chat: Chat, stranger: Chat, settings: Settings) -> StaffChat:
    open_business(settings)
    call_them(stranger, "مریم صادقی", "09121234567")
    return StaffChat(chat, "agent")


def waits(chat: Chat) -> int:
    """A hand-over that a customer waits for."""
    with chat.database.write() as session:
        made = request(
            session,
            conversation_id=chat.conversation.id,
            reason="asked",
            topic="پولم برنگشته",
            rules=environment().rules,
        )
        return made.id


def handoff(agent: StaffChat) -> Handoff:
    found = agent.read(lambda session: session.scalars(select(Handoff).order_by(Handoff.id)).all()[-1])
    assert isinstance(found, Handoff)
    return found


def owner(agent: StaffChat, chat: Chat) -> tuple[str, int | None]:
    found = agent.read(lambda session: session.get_one(Conversation, chat.conversation.id))
    return found.owner, found.owner_id


def test_the_next_who_waits_is_taken_over_once(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    said = agent.say("گفتگوی بعدی رو بده", "staff_take_over")
    assert said == agent.repeat() == ["utter_staff_taken_over"]
    assert "پولم برنگشته" in str(agent.told("utter_staff_taken_over")["topic"])
    assert owner(agent, stranger) == ("human", agent.id)
    assert "utter_handoff_joined" in told_in(stranger)
    assert agent.say("نفر بعدی", "staff_take_over") == ["utter_staff_nobody_waits"]


def test_where_a_reason_comes_first_one_is_taken_and_that_one_is_shown(
    agent: StaffChat, stranger: Chat, settings: Settings
) -> None:
    open_business(settings, "\n[staff]\nasks_reason = true\n")
    second = Chat(agent.chat.database)
    call_them(second, "زهرا کریمی", "09351112233")
    waits(stranger)
    waits(second)
    assert agent.press("staff_take_over", value="next") == ["utter_staff_ask_reason"]
    assert agent.choose("case") == agent.repeat() == ["utter_staff_taken_over"]
    assert "مریم صادقی" in str(agent.told("utter_staff_taken_over")["name"])
    assert owner(agent, stranger) == ("human", agent.id)
    assert owner(agent, second) != ("human", agent.id)


def test_one_is_taken_by_its_number(agent: StaffChat, stranger: Chat) -> None:
    number = waits(stranger)
    text = f"گفتگوی {number} رو برمی‌دارم"
    said = agent.say(text, "staff_take_over", entities={"number": [number]})
    assert said == ["utter_staff_taken_over"]


def test_without_a_customer_in_mind_it_is_asked_whom(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    assert agent.say("خودم باهاش حرف می‌زنم", "staff_take_over") == ["utter_staff_ask_whom"]
    assert agent.answer("صادقی") == ["utter_staff_taken_over"]


def test_nobody_waits(agent: StaffChat) -> None:
    assert agent.press("staff_take_over", value="next") == ["utter_staff_nobody_waits"]


def test_the_customer_in_mind_is_taken_over_without_their_wish(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert agent.say("خودم باهاش حرف می‌زنم", "staff_take_over") == ["utter_staff_taken_over"]
    assert handoff(agent).reason == "staff"


def test_who_comes_second_hears_who_was_first(agent: StaffChat, stranger: Chat) -> None:
    number = waits(stranger)
    other = StaffChat(Chat(agent.chat.database), "agent", "سینا مرادی")
    assert other.press("staff_take_over", handoff=str(number)) == ["utter_staff_taken_over"]
    assert agent.press("staff_take_over", handoff=str(number)) == ["utter_staff_already_taken"]
    assert "سینا مرادی" in agent.told("utter_staff_already_taken")["name"]
    assert agent.press("staff_release", handoff=str(number)) == ["utter_staff_not_allowed"]
    assert owner(agent, stranger) == ("human", other.id)
    assert agent.audited("staff.denied")


def test_it_goes_back_with_what_was_agreed(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    agent.press("staff_take_over", value="next")
    assert agent.tap("staff_release") == ["utter_staff_ask_agreed"]
    said = agent.answer("سلام، فردا تا ظهر پول برمی‌گردد")
    assert said == agent.repeat() == ["utter_staff_given_back"]
    assert (handoff(agent).agreed, handoff(agent).outcome) == ("سلام، فردا تا ظهر پول برمی‌گردد", "released")
    assert owner(agent, stranger) == ("bot", None)


def test_what_was_agreed_may_be_said_at_once_or_be_nothing(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    agent.press("staff_take_over", value="next")
    said = agent.say("پایان گفتگو: فردا زنگ می‌زنیم", "staff_release")
    assert said == agent.repeat() == ["utter_staff_given_back"]
    assert handoff(agent).agreed == "فردا زنگ می‌زنیم"
    waits(stranger)
    agent.press("staff_take_over", value="next")
    agent.press("staff_release")
    assert agent.choose("nothing") == ["utter_staff_given_back"]
    assert handoff(agent).agreed == ""


def test_the_words_that_ask_to_end_it_are_not_what_was_agreed(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    agent.press("staff_take_over", value="next")
    said = agent.say("کارم با این آقا تموم شد، برش گردون به ربات", "staff_release")
    assert said == ["utter_staff_ask_agreed"]
    assert handoff(agent).state == "claimed"


def test_with_nothing_in_hand_there_is_nothing_to_give_back(agent: StaffChat) -> None:
    assert agent.say("پایان گفتگو", "staff_release") == ["utter_staff_no_handoff"]


def test_it_is_passed_on_to_a_colleague_or_a_team(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    agent.press("staff_take_over", value="next")
    colleague(agent.chat, "سینا مرادی")
    assert agent.say("این گفتگو رو بده به سینا", "staff_assign") == ["utter_staff_passed_on_waits"]
    assert handoff(agent).state == "waiting"
    agent.press("staff_take_over", value="next")
    assert agent.tap("staff_assign") == ["utter_staff_ask_pass_on"]
    assert agent.answer("واحد حسابداری") == ["utter_staff_passed_on_waits"]
    assert (handoff(agent).state, handoff(agent).team) == ("waiting", "حسابداری")


def test_of_several_in_hand_one_is_chosen(agent: StaffChat, stranger: Chat) -> None:
    second = Chat(agent.chat.database)
    call_them(second, "زهرا کریمی", "09351112233")
    numbers = [waits(stranger), waits(second)]
    for _ in numbers:
        agent.press("staff_take_over", value="next")
    agent.write(
        lambda session: setattr(
            session.get_one(type(agent.mind()), agent.chat.conversation.id), "customer_id", None
        )
    )
    assert agent.say("پایان گفتگو", "staff_release") == ["utter_staff_which_handoff"]
    assert agent.tap("staff_release", handoff=str(numbers[0])) == ["utter_staff_ask_agreed"]


def test_a_colleagues_conversation_is_passed_on_to_anybody_but_them(agent: StaffChat, stranger: Chat) -> None:
    waits(stranger)
    agent.press("staff_take_over", value="next")
    sina = colleague(agent.chat, "سینا مرادی")
    boss = StaffChat(Chat(agent.chat.database), "supervisor", "سارا امینی")
    assert boss.press("staff_assign", handoff=str(handoff(agent).id)) == ["utter_staff_ask_pass_on"]
    offered = [values["value"] for _, values in boss.buttons()]
    assert f"staff:{sina}" in offered
    assert f"staff:{agent.id}" not in offered
    assert boss.answer("نگار کاظمی") == ["utter_staff_ask_pass_on"]
    assert boss.choose(f"staff:{sina}") == ["utter_staff_passed_on_waits"]
