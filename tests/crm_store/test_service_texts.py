"""Names, words and texts of the service requests area are complete."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from bot.gateway.render import Responses
from crm_store.business import EXAMPLE, BusinessFile, read_business
from crm_store.persian import to_plain
from crm_store.service_requests.drafting import FIELDS
from crm_store.service_requests.models import CANCEL_REASONS, NOT_DONE_REASONS, STATES
from crm_store.settings import PROJECT_ROOT
from crm_store.terms import terms

FOLDER = PROJECT_ROOT / "data" / "service_requests"


@pytest.fixture(scope="module")
def responses() -> Responses:
    return Responses.load([FOLDER / "responses.yml"], BusinessFile(PROJECT_ROOT / "no-such-file.toml"))


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("states", STATES),
        ("cancel_reasons", CANCEL_REASONS),
        ("cancel_words", CANCEL_REASONS),
        ("not_done_reasons", NOT_DONE_REASONS),
        ("not_done_words", NOT_DONE_REASONS),
        ("fields", FIELDS),
    ],
)
def test_everything_has_a_name_and_words(section: str, keys: tuple[str, ...]) -> None:
    named = terms("service_requests")[section]
    assert tuple(named) == keys
    assert all(named.values())
    if section.endswith("_reasons"):
        assert max(len(title) for title in named.values()) <= 25, "titles of buttons are short"


def test_the_kinds_of_a_new_business_have_words_by_which_customers_name_them() -> None:
    words = yaml.safe_load((FOLDER / "kinds.yml").read_text(encoding="utf-8"))
    assert tuple(words) == tuple(kind.key for kind in read_business(EXAMPLE).service.kinds)
    assert all(words.values())


def test_a_new_business_can_be_booked() -> None:
    service = read_business(EXAMPLE).service
    assert [kind.key for kind in service.kinds if not kind.is_booked] == ["other"]
    assert service.intervals("thursday")
    assert not service.intervals("friday")


VISIT: dict[str, Any] = {
    "code": "۱۲۳",
    "ticket": "123",
    "kind": "تعمیر",
    "time": {"response": "utter_visit_time_open", "params": {}},
    "before": "فردا",
    "name": {"response": "utter_our_technician", "params": {}},
    "reason": {"response": "utter_not_done_address", "params": {}},
    "message": "سلام",
    "grade": "۱",
    "scale": "۵",
    "lines": [{"response": "utter_service_line_city", "params": {"city": "<b>یزد"}}],
}


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize(
    "name",
    [
        "utter_visit_scheduled",
        "utter_service_scheduled_change",
        "utter_visit_assigned",
        "utter_visit_on_the_way",
        "utter_visit_done",
        "utter_visit_not_done",
        "utter_visit_not_done_open",
        "utter_visit_reminder",
        "utter_service_cancelled_by_us",
        "utter_service_cancelled_by_us_because",
        "utter_service_message",
        "utter_staff_visit_new",
        "utter_staff_visit_moved",
        "utter_staff_visit_moved_away",
        "utter_staff_visit_gone",
        "utter_staff_visit_cancelled",
        "utter_staff_visit_unassigned",
        "utter_staff_visit_note",
        "utter_staff_visit_missed",
        "utter_staff_visit_not_done",
        "utter_staff_visit_low_grade",
    ],
)
def test_notices_are_complete_and_their_buttons_name_the_request(
    responses: Responses, name: str, turn: int
) -> None:
    shown = responses.render(name, VISIT, turn=turn)
    assert "{" not in shown.text
    assert "تعمیر" in to_plain(shown.text)
    for button in shown.buttons:
        payload = button["payload"]
        assert json.loads(payload[payload.index("{") :])["ticket"] == "123"


def test_a_visit_that_was_done_can_be_graded_from_five_to_one(responses: Responses) -> None:
    buttons = responses.render("utter_visit_done", VISIT, turn=0).buttons
    payloads = [button["payload"] for button in buttons]
    assert [json.loads(one[one.index("{") :])["stars"] for one in payloads] == ["5", "4", "3", "2", "1"]
    assert all(one.startswith("/rate_visit{") for one in payloads)
