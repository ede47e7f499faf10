"""How a message that asks for several things is divided."""

from __future__ import annotations

from typing import Any

from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.incoming import Turn
from bot.nlu.parts import ANSWERED_WITH_A_QUESTION, OPENING_A_FORM, divide, parts_begun
from bot.nlu.training import PROJECT_ROOT
from crm_store.learning.phrases import load_yaml

TEXT = "شکایت دارم، راستی ساعت کارتان چیست؟ یکی هم زنگ بزند"
TURN = Turn("5", "17", "web", TEXT, attachments=(3,), contact="+989121112233", metadata={"trusted": False})


def requests(*intents: str) -> list[dict[str, Any]]:
    """The requests of the text above."""
    places = [(0, 11), (18, 35), (36, len(TEXT))]
    return [
        {"start": start, "end": end, "intent": intent, "confidence": 0.9}
        for (start, end), intent in zip(places, intents, strict=True)
    ]


def test_parts_stand_in_the_order_of_the_text_but_for_those_that_ask_back() -> None:
    parts = divide(TURN, requests("complaint_file", "faq", "request_human"))
    assert [(part.message_id, part.text) for part in parts] == [
        ("17#1", "ساعت کارتان چیست؟"),
        ("17#2", "یکی هم زنگ بزند"),
        ("17#3", "شکایت دارم،"),
    ]
    assert [(part.sender, part.channel, part.metadata["trusted"]) for part in parts] == [
        ("5", "web", False)
    ] * 3


def test_files_and_contacts_go_with_the_part_that_has_a_use_for_them() -> None:
    by_use = divide(TURN, requests("complaint_add_note", "faq", "request_human"))
    assert [(part.attachments, part.contact) for part in by_use] == [
        ((3,), TURN.contact),
        ((), None),
        ((), None),
    ]
    by_place = divide(TURN, requests("loyalty_tier", "faq", "request_human"))
    assert [part.attachments for part in by_place] == [(), (), (3,)]


def test_a_message_that_was_begun_is_divided_as_before() -> None:
    parts = divide(TURN, requests("complaint_file", "faq", "request_human"))
    first = UserUttered(parts[0].text, message_id=parts[0].message_id, metadata=parts[0].metadata)
    assert parts_begun(DialogueStateTracker.from_events("5", [first]), TURN) == parts


def test_a_message_that_was_not_begun_has_no_parts() -> None:
    other = UserUttered("سلام", message_id="7", metadata={})
    assert parts_begun(DialogueStateTracker.from_events("5", [other]), TURN) == []


def test_whatever_opens_a_form_comes_last() -> None:
    opening = set()
    for file in (PROJECT_ROOT / "data").glob("*/rules.yml"):
        for rule in load_yaml(file)["rules"]:
            steps = rule["steps"]
            if not rule.get("condition") and any(step.get("active_loop") for step in steps):
                either = steps[0].get("or", [steps[0]])
                opening |= {step["intent"] for step in either}
    by_buttons_only = {
        *("choose_category", "choose_remedy", "correct_field", "skip_field", "drop_attachments"),
        "change_callback_phone",
        *("choose_kind", "choose_window", "more_windows", "correct_service_field", "skip_service_field"),
    }
    assert opening - by_buttons_only == set(OPENING_A_FORM)
    assert opening.isdisjoint(ANSWERED_WITH_A_QUESTION)
