"""Notices are made of the same responses as the dialogue's answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.gateway.relay import CONTACT_BUTTON
from bot.gateway.render import MissingParameter, Responses
from crm_store.business import EXAMPLE, BusinessFile
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
    "utter_staff_group_complaint": {"code": "1", "category": "x", "priority": "y"},
    "utter_staff_group_callback": {"deadline": "x"},
    "utter_staff_group_callback_about": {"deadline": "x", "topic": "y"},
    "utter_staff_linked": {"name": "x", "role": "y"},
    "utter_staff_linked_to_answer": {"name": "x", "role": "y"},
    "utter_staff_link_refused": {},
    CONTACT_BUTTON: {},
}


@pytest.fixture(scope="module")
def responses() -> Responses:
    return Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"), BusinessFile(EXAMPLE))


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
    params = {"code": "{category}", "category": "x", "priority": "y"}
    assert "{category}" in responses.render("utter_staff_group_complaint", params, turn=0).text


def test_a_missing_value_is_an_error_that_names_it(responses: Responses) -> None:
    with pytest.raises(MissingParameter, match="utter_complaint_corrected needs code"):
        responses.render("utter_complaint_corrected", {}, turn=0)


def test_a_payloads_doubled_braces_become_single_ones(responses: Responses) -> None:
    rendered = responses.render("utter_complaint_summary", {"description": "x", "lines": []}, turn=0)
    assert '/correct_field{"field": "category"}' in [button["payload"] for button in rendered.buttons]


TICKETED = """
responses:
  utter_x:
  - text: "{code}"
    buttons:
    - {title: "بله {code}", payload: '/confirm_solved{{"ticket": "{ticket}"}}'}
    - {title: "نه", payload: '/rate_visit{{"ticket": "{ticket}", "stars": {stars}}}'}
    - {title: "هیچ", payload: "/deny"}
"""


def test_values_in_a_buttons_payload_are_filled_in_as_they_are(tmp_path: Path) -> None:
    responses = Responses.load([write(tmp_path, "a", TICKETED)], BusinessFile(EXAMPLE))
    params = {"code": "۱۲۳", "ticket": "123", "stars": 5}
    solved, rated, nothing = responses.render("utter_x", params, turn=0).buttons
    assert solved == {"title": "بله \u2068۱۲۳\u2069", "payload": '/confirm_solved{"ticket": "123"}'}
    assert rated["payload"] == '/rate_visit{"ticket": "123", "stars": 5}'
    assert nothing["payload"] == "/deny"


@pytest.mark.parametrize("value", ['a"b\\c', "{stars}", '"}}{{', "خط\nتازه", "<b>&"])
def test_a_value_in_a_payload_never_leaves_its_quotes(tmp_path: Path, value: str) -> None:
    responses = Responses.load([write(tmp_path, "a", TICKETED)], BusinessFile(EXAMPLE))
    params = {"code": "1", "ticket": value, "stars": 5}
    payload = responses.render("utter_x", params, turn=0).buttons[0]["payload"]
    assert json.loads(payload.removeprefix("/confirm_solved")) == {"ticket": value}


def test_a_value_that_a_payload_lacks_is_an_error(tmp_path: Path) -> None:
    responses = Responses.load([write(tmp_path, "a", TICKETED)], BusinessFile(EXAMPLE))
    with pytest.raises(MissingParameter, match="utter_x needs ticket"):
        responses.render("utter_x", {"code": "1"}, turn=0)


def test_other_responses_can_stand_in_one_a_line_each(responses: Responses) -> None:
    lines = [
        {"response": "utter_complaint_line_order", "params": {"number": 2}},
        {"response": "utter_complaint_line_no_remedy", "params": {}},
    ]
    params = {"description": "x", "lines": lines}
    text = responses.render("utter_complaint_summary", params, turn=0).text
    assert "\n<b>شمارهٔ سفارش:</b> \u2068۲\u2069\n<b>خواستهٔ شما:</b> به تشخیص ما\n" in text


@pytest.fixture
def owners_file(tmp_path: Path) -> Path:
    """The owner's file, as it is shipped."""
    path = tmp_path / "business.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_the_owners_texts_and_name_are_said_as_soon_as_the_file_is_saved(
    tmp_path: Path, owners_file: Path
) -> None:
    text = "responses:\n  utter_x:\n  - text: '{business}: {code}'\n    buttons: [{title: ب, payload: /b}]\n"
    responses = Responses.load([write(tmp_path, "a", text)], BusinessFile(owners_file))
    before = responses.render("utter_x", {"code": "1"}, turn=0)
    assert before.text == "\u2068کسب‌وکار ما\u2069: \u20681\u2069"
    renamed = owners_file.read_text(encoding="utf-8").replace("کسب‌وکار ما", "یاس")
    owners_file.write_text(renamed + 'utter_x = "کد {code} در {business}"\n', encoding="utf-8")
    after = responses.render("utter_x", {"code": "1"}, turn=0)
    assert after.text == "کد \u20681\u2069 در \u2068یاس\u2069"
    assert after.buttons == before.buttons == [{"title": "ب", "payload": "/b"}]


def test_a_text_of_the_owner_that_lacks_its_value_gives_way_to_ours(
    tmp_path: Path, owners_file: Path
) -> None:
    with owners_file.open("a", encoding="utf-8") as owner:
        owner.write('utter_x = "{date}"\n')
    own = write(tmp_path, "a", "responses:\n  utter_x:\n  - text: 'کد {code}'\n")
    responses = Responses.load([own], BusinessFile(owners_file))
    assert responses.render("utter_x", {"code": "1"}, turn=0).text == "کد \u20681\u2069"


def test_a_response_defined_twice_is_refused(tmp_path: Path) -> None:
    text = "responses:\n  utter_x:\n  - text: سلام\n"
    paths = [write(tmp_path, "a", text), write(tmp_path, "b", text)]
    with pytest.raises(ConfigurationError, match="utter_x is defined twice"):
        Responses.load(paths, BusinessFile(EXAMPLE))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"a/responses\.yml"):
        Responses.load([write(tmp_path, "a", "responses: [")], BusinessFile(EXAMPLE))
