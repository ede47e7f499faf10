"""What is told of hand-overs has all its values; words by which customers speak of them are read right."""

from __future__ import annotations

from typing import Any

import pytest

from actions.texts import fragment, is_any_in, is_one_of
from crm_store.outbox import OutboxItem
from crm_store.persian import rich
from tests.actions.conftest import Chat
from tests.factories.notices import rendered

AGENT = {"agent": "نگار", "number": 5}
#: Notices and the values with which the services send them.
NOTICES: dict[str, dict[str, Any]] = {
    "utter_handoff_joined": AGENT,
    "utter_handoff_joined_nameless": {"agent": "", "number": 5},
    "utter_handoff_transferred": AGENT,
    "utter_handoff_transferred_nameless": {"agent": "", "number": 5},
    "utter_handoff_transferred_team": {},
    "utter_handoff_released": {"agent": "نگار"},
    "utter_handoff_released_agreed": {"agent": "نگار", "agreed": "فردا پول برمی‌گردد"},
    "utter_handoff_resume": {"kind": "complaint", "go_on": "complaint_file"},
    "utter_handoff_left": {},
    "utter_handoff_expired": {"deadline": "امروز تا ساعت ۱۶"},
    "utter_handoff_out_of_hours": {"deadline": "امروز تا ساعت ۱۶"},
    "utter_staff_handoff_offer": {
        "name": "سارا",
        "topic": "قسط",
        "reason": "asked",
        "handoff": 5,
        "number": 5,
    },
    "utter_staff_handoff_given": {"name": "سارا", "topic": "قسط", "by": "نگار", "handoff": 5},
    "utter_staff_handoff_unclaimed": {
        "count": 2,
        "name": "سارا",
        "topic": "قسط",
        "minutes": "۷",
        "handoff": 5,
        "number": 5,
    },
}
#: Where a customer may end the waiting or the talk, by what stands on the button.
LEAVING = {
    "utter_handoff_joined": "پایان گفت‌وگو با همکار",
    "utter_handoff_joined_nameless": "پایان گفت‌وگو با همکار",
    "utter_handoff_transferred": "پایان گفت‌وگو با همکار",
    "utter_handoff_transferred_nameless": "پایان گفت‌وگو با همکار",
    "utter_handoff_transferred_team": "دیگر نیازی نیست",
}


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_has_its_values_in_all_its_wordings(name: str) -> None:
    for turn in range(6):
        notice = OutboxItem(content={"response": name, "params": NOTICES[name]})
        shown = rendered(notice, turn)
        assert "{" not in shown.text
        assert shown.text
        payloads = {button["title"]: button["payload"] for button in shown.buttons}
        if name in LEAVING:
            assert payloads == {LEAVING[name]: "/handoff_leave"}
        if name.startswith("utter_staff"):
            assert list(payloads.values()) == ['/staff_take_over{"handoff": "5"}']


@pytest.mark.parametrize(
    ("minutes", "text"),
    [("utter_handoff_minutes", "تا حدود ۷ دقیقهٔ دیگر"), ("utter_handoff_hours", "تا حدود ۲ ساعت دیگر")],
)
def test_how_long_it_takes_is_told_in_persian(chat: Chat, minutes: str, text: str) -> None:
    told = rich.to_plain(fragment(minutes, minutes=7, hours=2))
    assert told.replace("\u2068", "").replace("\u2069", "").startswith(text)


@pytest.mark.parametrize(
    "text", ["تمام", "لغو", "ممنون، تمام شد", "نه دیگه نیازی نیست", "پایان", "ربات", "ادامه"]
)
def test_what_may_be_meant_for_the_person_ends_no_talk(text: str) -> None:
    assert not is_one_of("handoff", "leaving", text)


@pytest.mark.parametrize(
    "text",
    [
        "قرار شد پول من برگرده ولی نیومد",
        "همکارتون خیلی بی‌ادب بود",
        "قرارداد گارانتی چیه",
        "نتیجهٔ قرعه‌کشی کی میاد",
        "قرار بود دیروز بیاد",
    ],
)
def test_what_speaks_of_something_else_asks_not_what_was_agreed(text: str) -> None:
    assert not is_any_in("handoff", "asking_agreed", text)


@pytest.mark.parametrize(
    "text", ["نوبت تعمیرم کی هست", "چند نفر کارمند دارید", "کی میاد تعمیرکار", "منتظر پیکم"]
)
def test_what_speaks_of_something_else_asks_not_for_the_place(text: str) -> None:
    assert not is_any_in("handoff", "asking_place", text)
