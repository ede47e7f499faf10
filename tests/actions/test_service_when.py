"""When somebody may come: what is wished for, taken and offered."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.service_form import CONFIRM
from actions.service_when import MeantWindow, Reading, Wish, meant_window, window_buttons, wish_in
from actions.turn import Found, Turn
from crm_store.service_requests.booking import book, free_slots
from crm_store.settings import Settings
from tests.actions.conftest import Chat
from tests.actions.service_chat import BUSINESS, EVENING, MORNING, ServiceForm, at, in_days

#: Windows of a day that begin at these hours.
DAY = (9, 14, 17)


@pytest.fixture
def form(chat: Chat, settings: Settings) -> ServiceForm:
    Path(settings.business_path).write_text(BUSINESS, encoding="utf-8")
    return ServiceForm(chat)


@pytest.fixture
def at_window(form: ServiceForm) -> ServiceForm:
    """Everything is told but when."""
    form.say("نصاب می‌خوام", intent="service_request")
    form.say("شیراز، خیابان ارم، پلاک ۸")
    form.press("skip_service_field", field="answers")
    assert form.press("skip_service_field", field="answers") == "window"
    return form


def take(form: ServiceForm, day: date, hour: int) -> None:
    """Somebody else books the only place."""
    with form.chat.database.write() as session:
        kind = environment().business.service_kind("installation")
        book(session, kind=kind, starts_at=at(day, hour), rules=environment().rules)


def starts(form: ServiceForm) -> list[str]:
    """The windows on the buttons, by day and hour from now: ``2@9``."""
    names = {at(in_days(number), hour): f"{number}@{hour}" for number in range(12) for hour in DAY}
    return [names[datetime.fromisoformat(window)] for window in form.windows()]


def when(day: int | None = None, hours: Any = None, *words: str) -> dict[str, list[Any]]:
    """A day and hours as they are found, each with its word."""
    written = list(words)
    found: dict[str, list[Any]] = {}
    if day is not None:
        found["date"] = [(in_days(day).isoformat(), written.pop(0))]
    if hours is not None:
        found["time"] = [(hours, written.pop(0))]
    return found


def test_six_free_windows_are_offered_and_later_ones_on_request(at_window: ServiceForm) -> None:
    assert len(at_window.windows()) == 6
    first = at_window.windows()
    assert at_window.titles()[-1] == "زمان‌های دیگر"
    assert at_window.press("more_windows") == "window"
    assert at_window.asked == {"utter_service_more_windows"}
    assert len(at_window.windows()) == 6
    assert not set(at_window.windows()) & set(first)
    assert at_window.say("هیچ‌کدوم", intent="deny") == "window"
    assert not set(at_window.windows()) & set(first)


def test_a_wish_that_one_window_fits_takes_it(at_window: ServiceForm) -> None:
    found = when(2, EVENING, "پس‌فردا", "عصر")
    assert at_window.say("پس‌فردا عصر", entities=found) == "phone"
    assert at_window.said == {"utter_service_window_taken"}


def test_a_wish_that_several_windows_fit_offers_those(at_window: ServiceForm) -> None:
    assert at_window.say("پس‌فردا", entities=when(2, None, "پس‌فردا")) == "window"
    assert at_window.asked == {"utter_service_windows_wished"}
    assert starts(at_window) == ["2@9", "2@14", "2@17"]
    assert "پس‌فردا" in at_window.chat.told("utter_service_windows_wished")["wish"]


def test_hours_alone_belong_to_the_day_that_was_asked_for(at_window: ServiceForm) -> None:
    at_window.say("پس‌فردا", entities=when(2, None, "پس‌فردا"))
    assert at_window.say("صبح", entities=when(None, MORNING, "صبح")) == "phone"


def test_a_wish_that_no_window_fits_says_so_and_offers_the_nearest(at_window: ServiceForm) -> None:
    for hour in DAY:
        take(at_window, in_days(4), hour)
    assert at_window.say("چهار روز دیگه", entities=when(4, None, "چهار روز دیگه")) == "window"
    assert at_window.asked == {"utter_service_window_none"}
    assert starts(at_window) == ["3@9", "3@14", "3@17", "5@9", "5@14", "5@17"]


@pytest.mark.parametrize("text", ["هر وقت زودتر", "در اولین فرصت", "فرقی نداره", "harchi zoodtar"])
def test_the_earlier_the_better_takes_the_first_one(at_window: ServiceForm, text: str) -> None:
    first = at_window.windows()[0]
    assert at_window.say(text) == "phone"
    at_window.say("بدون شماره")
    request = at_window.submit()
    assert request is not None
    assert request.window is not None
    assert request.window.starts_at.isoformat() == first


def test_a_day_that_may_be_two_is_asked_about(at_window: ServiceForm) -> None:
    days = [in_days(1).isoformat(), in_days(8).isoformat()]
    for hour in (9, 14):
        take(at_window, in_days(1), hour)
    assert at_window.say("یکشنبه", entities={"date": [(None, "یکشنبه", *days)]}) == "window"
    assert at_window.asked == {"utter_service_window_which"}
    assert starts(at_window) == ["1@17", "8@9", "8@14", "8@17"]


def test_an_hour_at_which_nobody_comes_is_not_asked_about(at_window: ServiceForm) -> None:
    found = {**when(2, None, "پس‌فردا"), "time": [(None, "ساعت ۵", "17:00", "05:00")]}
    assert at_window.say("پس‌فردا ساعت ۵", entities=found) == "phone"
    assert at_window.said == {"utter_service_window_taken"}


def test_a_window_that_somebody_else_took_meanwhile_loses_nothing(at_window: ServiceForm) -> None:
    at_window.say("پس‌فردا عصر", entities=when(2, EVENING, "پس‌فردا", "عصر"))
    assert at_window.say("بدون شماره") == CONFIRM
    take(at_window, in_days(2), 17)
    assert at_window.submit() is None
    assert at_window.said == set()
    at_window.chat.slots["requested_slot"] = None
    assert at_window.say("بله", intent="affirm") == "window"
    assert at_window.said == set()
    assert at_window.asked == {"utter_service_window_gone"}
    assert starts(at_window) == ["1@9", "1@14", "1@17", "2@9", "2@14", "3@9"]
    assert at_window.press("choose_window", window=at_window.windows()[0]) == CONFIRM
    assert at_window.submit() is not None


def test_nothing_free_at_all_offers_a_call(at_window: ServiceForm) -> None:
    with at_window.chat.database.write() as session:
        kind, rules = environment().business.service_kind("installation"), environment().rules
        for slot in free_slots(session, kind=kind, rules=rules, limit=100):
            book(session, kind=kind, starts_at=slot.starts_at, rules=rules)
    assert at_window.ask() == "window"
    assert at_window.asked == {"utter_service_fully_booked"}


def test_a_time_that_was_said_first_waits_until_the_kind_is_known(form: ServiceForm) -> None:
    found = when(2, EVENING, "پس‌فردا", "عصر")
    assert form.say("یه نفر بفرستید پس‌فردا عصر", intent="service_request", entities=found) == "kind"
    assert form.said == set()
    assert form.press("choose_kind", kind="installation") == "address"
    assert form.said == {"utter_service_window_taken"}


def test_another_kind_has_other_windows(at_window: ServiceForm) -> None:
    at_window.say("پس‌فردا عصر", entities=when(2, EVENING, "پس‌فردا", "عصر"))
    at_window.press("correct_service_field", field="kind")
    assert at_window.press("choose_kind", kind="repair") == "problem"
    assert at_window.chat.slots["service_window"] is None


class ActionMoveVisit(StoreAction):
    """What moving a visit takes from a text and offers for it."""

    def name(self) -> str:
        return "action_move_visit"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        self.meant = meant_window(turn, session, reply, kind="installation")
        self.buttons = window_buttons(session, turn, kind="installation")
        return []


def test_a_visit_is_moved_to_the_window_that_is_meant(form: ServiceForm) -> None:
    move = ActionMoveVisit()
    assert form.chat.run(move, "پس‌فردا عصر", entities=when(2, EVENING, "پس‌فردا", "عصر")) == set()
    assert move.meant == MeantWindow(at(in_days(2), 17))


def test_a_visit_that_could_be_moved_to_several_windows_is_offered_those_first(form: ServiceForm) -> None:
    move = ActionMoveVisit()
    form.chat.run(move, "پس‌فردا", entities=when(2, None, "پس‌فردا"))
    assert move.meant == MeantWindow(None)
    assert len(move.buttons) == len(DAY) + 1


def test_where_a_visit_cannot_be_moved_to_is_said(form: ServiceForm) -> None:
    move = ActionMoveVisit()
    said = form.chat.run(move, "سی روز دیگه", entities=when(30, None, "سی روز دیگه"))
    assert said == {"utter_service_no_window_then"}
    assert move.buttons


def test_a_text_without_a_time_moves_nothing(form: ServiceForm) -> None:
    move = ActionMoveVisit()
    form.chat.run(move, "می‌خوام زمانش رو عوض کنم")
    assert move.meant is None


def found_in(text: str, *found: tuple[str, Any, str]) -> list[Found]:
    return [
        Found(entity, value, text.index(word), text.index(word) + len(word)) for entity, value, word in found
    ]


def test_hours_in_a_story_are_no_wish(form: ServiceForm) -> None:
    text = "کولرم شب‌ها صدای بدی می‌ده و نمی‌ذاره بخوابیم"
    night = {"from": "20:00", "to": "24:00"}
    assert wish_in(text, found_in(text, ("time", night, "شب‌ها"))) is None


def test_since_when_it_has_been_so_is_no_wish(form: ServiceForm) -> None:
    text = "از امروز صبح خنک نمی‌کنه"
    found = found_in(text, ("date", in_days(0).isoformat(), "امروز"))
    assert wish_in(text, found) is None


def test_a_day_that_is_over_is_no_wish(form: ServiceForm) -> None:
    text = "دیروز خراب شد"
    assert wish_in(text, found_in(text, ("date", in_days(-1).isoformat(), "دیروز"))) is None


def test_a_day_on_which_somebody_cannot_is_left_out(form: ServiceForm) -> None:
    text = "فردا نمی‌تونم، پس‌فردا خوبه"
    found = found_in(
        text, ("date", in_days(1).isoformat(), "فردا"), ("date", in_days(2).isoformat(), "پس‌فردا")
    )
    assert wish_in(text, found) == Wish("پس‌فردا", (Reading((in_days(2),)),))


def test_either_of_two_days_will_do(form: ServiceForm) -> None:
    text = "فردا یا پس‌فردا"
    found = found_in(
        text, ("date", in_days(1).isoformat(), "فردا"), ("date", in_days(2).isoformat(), "پس‌فردا")
    )
    wish = wish_in(text, found)
    assert wish is not None
    assert wish.readings == (Reading((in_days(1), in_days(2))),)


def test_a_wish_is_kept_as_it_was(form: ServiceForm) -> None:
    wish = Wish("فردا عصر", (Reading((in_days(1),), (("16:00", "20:00"),)),), soonest=True)
    assert Wish.from_data(wish.as_data()) == wish
