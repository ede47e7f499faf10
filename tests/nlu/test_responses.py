"""What Rasa says is worded by the owner where the owner has worded it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.nlu.responses import BusinessResponses
from crm_store.business import EXAMPLE, BusinessFile
from crm_store.db import Database
from crm_store.texts.models import RESPONSE
from crm_store.texts.service import EditedTexts, save

OWN: dict[str, list[dict[str, Any]]] = {
    "utter_filed": [
        {
            "text": "ثبت شد: {code}",
            "buttons": [{"title": "پیگیری", "payload": '/status{{"code": "{code}"}}'}],
            "custom": {"request_contact": True},
        },
        {"text": "در {business} ثبت شد: {code}"},
    ],
    "utter_hello": [{"text": "به {business} خوش آمدید"}],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The owner's file, as it is shipped."""
    path = tmp_path / "business.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def responses(file: Path) -> BusinessResponses:
    """A generator with the responses of a model, as the agent sets them."""
    generator = BusinessResponses(BusinessFile(file))
    generator.responses = OWN
    return generator


def say(responses: BusinessResponses, name: str, **values: str) -> dict[str, Any]:
    generated = responses.generate_from_slots(name, {"description": "راز"}, "web", **values)
    assert generated is not None
    return generated


def test_the_business_is_called_by_its_name_of_now(responses: BusinessResponses, file: Path) -> None:
    assert say(responses, "utter_hello")["text"] == "به \u2068کسب‌وکار ما\u2069 خوش آمدید"
    file.write_text(file.read_text(encoding="utf-8").replace("کسب‌وکار ما", "یاس"), encoding="utf-8")
    assert say(responses, "utter_hello")["text"] == "به \u2068یاس\u2069 خوش آمدید"


def test_a_text_of_the_owner_is_said_with_its_values_and_our_buttons(
    responses: BusinessResponses, file: Path
) -> None:
    with file.open("a", encoding="utf-8") as owner:
        owner.write('utter_filed = "کدتان {code} است [10[، با احترام، {business}"\n')
    said = say(responses, "utter_filed", code="123")
    assert said["text"] == "کدتان 123 است [10&#91;، با احترام، \u2068کسب‌وکار ما\u2069"
    assert said["buttons"] == [{"title": "پیگیری", "payload": '/status{"code": "123"}'}]
    assert said["custom"] == {"request_contact": True}


@pytest.mark.parametrize("text", ["ثبت شد", "{code} {description}", "{code} {", "{code} }", "{code} {{x}}"])
def test_a_text_that_would_break_the_turn_or_show_a_slot_is_not_said(
    responses: BusinessResponses, file: Path, text: str
) -> None:
    with file.open("a", encoding="utf-8") as owner:
        owner.write(f'utter_filed = "{text}"\n')
    assert "ثبت شد: 123" in say(responses, "utter_filed", code="123")["text"]


def test_an_unknown_response_is_none(responses: BusinessResponses) -> None:
    assert responses.generate_from_slots("utter_nothing", {}, "web") is None


def test_what_was_saved_at_the_console_is_said(sqlite_database: Database, file: Path) -> None:
    generator = BusinessResponses(BusinessFile(file), EditedTexts(sqlite_database, look_seconds=0))
    generator.responses = {"utter_filed": [{"text": "ثبت شد: {code}"}]}
    assert say(generator, "utter_filed", code="۱۲")["text"] == "ثبت شد: ۱۲"
    with sqlite_database.write() as session:
        text = {"text": "کدتان {code}", "original": "{code}"}
        save(session, kind=RESPONSE, key="utter_filed", actor="staff:1", **text)
    assert say(generator, "utter_filed", code="۱۲")["text"] == "کدتان ۱۲"
