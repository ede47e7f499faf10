"""Points that members of staff give or take in chat: within limits, with a reason, after a yes, once."""

from __future__ import annotations

import pytest

from crm_store.settings import Settings
from tests.actions.club_chat import earn, points_of
from tests.actions.conftest import Chat
from tests.actions.staff_chat import StaffChat, call_them, open_business

LIMITS = """
[staff.points]
agent = {each = 100, monthly = 150}
supervisor = {each = 1000, monthly = 5000}
"""


@pytest.fixture
def agent(chat: Chat, stranger: Chat, settings: Settings) -> StaffChat:
    open_business(settings, LIMITS)
    call_them(stranger, "مریم صادقی", "09121234567")
    return StaffChat(chat, "agent")


def give(agent: StaffChat, points: int, text: str = "{} امتیاز بهش بده بابت دیرکرد") -> list[str]:
    return agent.say(text.format(points), "staff_adjust_points", entities={"points": [points]})


def test_points_are_given_after_a_yes_and_once(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert give(agent, 60) == ["utter_staff_confirm_give_points"]
    told = agent.told("utter_staff_confirm_give_points")
    assert "دیرکرد" in told["reason"]
    assert points_of(stranger) == 0
    assert agent.choose("yes") == agent.repeat() == ["utter_staff_points_given"]
    assert points_of(stranger) == 60
    (entry,) = agent.audited("loyalty.adjust")
    assert (entry.actor, entry.detail["reason"]) == (f"staff:{agent.id}", "دیرکرد")


def test_number_and_reason_are_asked_for(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert agent.press("staff_adjust_points") == ["utter_staff_ask_points_to_give"]
    assert agent.answer("۴۰", entities={"number": [40]}) == ["utter_staff_ask_points_reason"]
    assert agent.choose("gift") == ["utter_staff_confirm_give_points"]
    assert agent.answer("بله", value="yes") == ["utter_staff_points_given"]


def test_points_are_taken_as_far_as_there_are_any(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    earn(stranger, 50)
    text = "{} امتیاز ازش کم کن بابت مرجوعی"
    assert give(agent, 80, text) == ["utter_staff_confirm_take_points"]
    assert agent.choose("yes") == ["utter_staff_not_enough_points", "utter_staff_ask_points_to_take"]
    assert agent.answer("۳۰", entities={"number": [30]}) == ["utter_staff_confirm_take_points"]
    assert agent.choose("yes") == ["utter_staff_points_taken"]
    assert points_of(stranger) == 20


@pytest.mark.parametrize("reason", ["بابت کم بودن وزن کالا", "بابت حذف سفارشش", "به خاطر اینکه کم گذاشتیم"])
def test_the_reason_for_giving_takes_nothing(agent: StaffChat, stranger: Chat, reason: str) -> None:
    agent.turn_to(stranger)
    assert give(agent, 50, f"{{}} امتیاز بهش بده {reason}") == ["utter_staff_confirm_give_points"]


@pytest.mark.parametrize(
    "text",
    [
        "از حسابش بابت مرجوعی {} امتیاز کم کن",
        "{} امتیاز بابت مرجوعی ازش کم کن",
        "کسر {} امتیاز بابت مرجوعی",
        "{} امتیاز هدیه‌اش رو پس بگیر بابت مرجوعی",
    ],
)
def test_points_are_taken_wherever_the_reason_stands(agent: StaffChat, stranger: Chat, text: str) -> None:
    agent.turn_to(stranger)
    earn(stranger, 50)
    assert give(agent, 30, text) == ["utter_staff_confirm_take_points"]


def test_taking_too_many_is_refused_without_a_word_of_the_month(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    earn(stranger, 500)
    said = give(agent, 101, "{} امتیاز ازش کم کن بابت مرجوعی")
    assert said == ["utter_staff_too_many_points_to_take", "utter_staff_ask_points_to_take"]
    assert "left" not in agent.told("utter_staff_too_many_points_to_take")


def test_more_than_the_role_may_is_refused_and_written_down(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert give(agent, 101) == ["utter_staff_too_many_points", "utter_staff_ask_points_to_give"]
    said = agent.answer("۱۰۵", entities={"number": [105]})
    assert said == ["utter_staff_too_many_points", "utter_staff_ask_points_to_give"]
    assert {one.detail["permission"] for one in agent.audited("staff.denied")} == {"points.adjust"}
    assert points_of(stranger) == 0


def test_a_number_that_is_refused_leaves_the_reason_as_it_was_told(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    give(agent, 101)
    looks_like_a_request = (("staff_adjust_points", 0.9),)
    said = agent.answer("۱۰۵", entities={"number": [105]}, ranking=looks_like_a_request)
    assert said == ["utter_staff_too_many_points", "utter_staff_ask_points_to_give"]
    said = agent.answer("۹۰", entities={"number": [90]}, ranking=looks_like_a_request)
    assert said == ["utter_staff_confirm_give_points"]
    assert "دیرکرد" in agent.told("utter_staff_confirm_give_points")["reason"]


def test_a_months_points_are_limited_too(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    give(agent, 100)
    agent.choose("yes")
    assert give(agent, 60) == ["utter_staff_too_many_points", "utter_staff_ask_points_to_give"]
    assert agent.answer("۵۰", entities={"number": [50]}) == ["utter_staff_confirm_give_points"]
    assert agent.choose("yes") == ["utter_staff_points_given"]
    assert points_of(stranger) == 150


def test_a_limit_that_is_reached_meanwhile_holds(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    give(agent, 100)
    first = agent.buttons()
    agent.choose("yes")
    give(agent, 50)
    assert agent.press("staff_answer", **first[0][1]) == ["utter_staff_step_over"]
    assert points_of(stranger) == 100


def test_without_a_club_there_are_no_points(chat: Chat, stranger: Chat, settings: Settings) -> None:
    open_business(settings)
    path = settings.business_path
    path.write_text(
        path.read_text(encoding="utf-8").replace("tomans_per_point = 10000", ""), encoding="utf-8"
    )
    assert StaffChat(chat, "admin").press("staff_adjust_points") == ["utter_staff_no_club"]
