"""Notices are made of the same responses as the dialogue's answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.gateway.relay import CONTACT_BUTTON
from bot.gateway.render import MissingParameter, Responses
from crm_store.errors import ConfigurationError
from crm_store.persian import rich
from crm_store.settings import PROJECT_ROOT

OWN = {
    "utter_trouble": {},
    "utter_parked": {},
    "utter_button_used": {},
    "utter_button_expired": {},
    "utter_button_unknown": {},
    "utter_sticker": {},
    "utter_unsupported": {},
    "utter_attachment_too_large": {"limit": 20},
    "utter_attachment_type_refused": {},
    "utter_contact_not_own": {},
    "utter_correction_noted": {},
    "utter_complaint_corrected": {"code": "1"},
    "utter_staff_group_complaint": {"code": "1", "category": "x"},
    "utter_staff_group_callback": {},
    CONTACT_BUTTON: {},
}


@pytest.fixture(scope="module")
def responses() -> Responses:
    return Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"))


def write(folder: Path, area: str, text: str) -> Path:
    path = folder / area / "responses.yml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "params"), OWN.items())
def test_every_notice_of_the_gateway_can_be_said_in_each_wording(
    responses: Responses, name: str, params: dict[str, object]
) -> None:
    said = {responses.render(name, params, turn=turn).text for turn in range(6)}
    assert all(text and "{" not in text for text in said)


@pytest.mark.parametrize("name", ["utter_button_used", "utter_button_expired", "utter_button_unknown"])
def test_an_alert_fits_into_what_a_messenger_shows(responses: Responses, name: str) -> None:
    texts = [rich.to_plain(responses.render(name, {}, turn=turn).text) for turn in range(6)]
    assert max(len(text) for text in texts) <= 200


def test_a_value_is_escaped_and_isolated(responses: Responses) -> None:
    text = responses.render("utter_complaint_corrected", {"code": "<b>&"}, turn=0).text
    assert "\u2068&lt;b&gt;&amp;\u2069" in text


def test_a_value_that_looks_like_a_placeholder_stays_what_it_is(responses: Responses) -> None:
    params = {"code": "{category}", "category": "x"}
    assert "{category}" in responses.render("utter_staff_group_complaint", params, turn=0).text


def test_a_missing_value_is_an_error_that_names_it(responses: Responses) -> None:
    with pytest.raises(MissingParameter, match="utter_complaint_corrected needs code"):
        responses.render("utter_complaint_corrected", {}, turn=0)


def test_a_payloads_doubled_braces_become_single_ones(responses: Responses) -> None:
    params = {"description": "x", "category": "y", "attachments": ""}
    rendered = responses.render("utter_complaint_summary", params, turn=0)
    assert '/correct_field{"field": "category"}' in [button["payload"] for button in rendered.buttons]


def test_one_response_can_stand_in_another(responses: Responses) -> None:
    attachments = {"response": "utter_complaint_attachments", "params": {"count": 2}}
    params = {"description": "x", "category": "y", "attachments": attachments}
    assert "<b>پیوست:</b> \u2068۲\u2069" in responses.render("utter_complaint_summary", params, turn=0).text


def test_a_category_is_called_as_its_button(responses: Responses) -> None:
    assert responses.button_title("utter_ask_complaint_category", "delivery") == "تحویل سفارش"


def test_a_response_defined_twice_is_refused(tmp_path: Path) -> None:
    text = "responses:\n  utter_x:\n  - text: سلام\n"
    paths = [write(tmp_path, "a", text), write(tmp_path, "b", text)]
    with pytest.raises(ConfigurationError, match="utter_x is defined twice"):
        Responses.load(paths)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"a/responses\.yml"):
        Responses.load([write(tmp_path, "a", "responses: [")])
