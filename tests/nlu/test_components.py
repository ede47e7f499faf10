"""The components as Rasa's graph calls them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.audience import AudienceGate
from bot.nlu.classifier import PersianIntentClassifier
from bot.nlu.entities import PROJECT_ROOT, PersianEntityExtractor
from bot.nlu.tokenizer import PersianTokenizer
from crm_store.complaints.models import CATEGORIES
from crm_store.persian import new_tracking_code

CONTEXT = ExecutionContext(GraphSchema({}))
RESOURCE = Resource("component")


def created(component: Any, storage_path: Path) -> Any:
    """A component with its default settings."""
    storage = LocalModelStorage(storage_path)
    return component.create(component.get_default_config(), storage, RESOURCE, CONTEXT)


def loaded(component: Any, storage_path: Path) -> Any:
    """The component that the one before it saved."""
    storage = LocalModelStorage(storage_path)
    return component.load(component.get_default_config(), storage, RESOURCE, CONTEXT)


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> PersianEntityExtractor:
    """The extractor with the project's own trigger words."""
    extractor: PersianEntityExtractor = created(PersianEntityExtractor, tmp_path_factory.mktemp("entities"))
    return extractor


def found(extractor: PersianEntityExtractor, text: str) -> list[tuple[str, str, str]]:
    """Entity, value and typed text of what is found."""
    return [(e["entity"], e["value"], text[e["start"] : e["end"]]) for e in extractor.extract(text)]


def test_tokens_are_folded_and_keep_their_offsets(tmp_path: Path) -> None:
    message = Message({TEXT: "شكايت  دارم، ali@test.com"})
    created(PersianTokenizer, tmp_path).process([message])
    tokens = [(token.text, token.start, token.end) for token in message.get(TEXT_TOKENS)]
    assert tokens == [("شکایت", 0, 5), ("دارم", 7, 11), ("،", 11, 12), ("ali@test.com", 13, 25)]


def test_a_phone_number_becomes_e164_with_offsets_in_the_typed_text(
    extractor: PersianEntityExtractor,
) -> None:
    assert found(extractor, "😡 شماره‌ام ۰۹۱۲ ۳۴۵ ۶۷۸۹ است") == [
        ("phone_number", "+989123456789", "۰۹۱۲ ۳۴۵ ۶۷۸۹")
    ]


def test_a_tracking_code_is_found_only_if_its_check_digit_holds(extractor: PersianEntityExtractor) -> None:
    code = new_tracking_code()
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert found(extractor, f"کد {code} چی شد") == [("ticket_code", code, code)]
    assert found(extractor, f"کد {wrong} چی شد") == []


def test_categories_are_found_by_their_words(extractor: PersianEntityExtractor) -> None:
    text = "پیکتون دیر کرد و صندوقدار بي‌ادب بود"
    assert [(entity, value) for entity, value, _ in found(extractor, text)] == [
        ("category", "delivery"),
        ("category", "staff"),
        ("category", "staff"),
    ]


def test_the_categories_are_those_of_the_store() -> None:
    words_of = yaml.safe_load((PROJECT_ROOT / "data/complaints/categories.yml").read_text(encoding="utf-8"))
    assert tuple(words_of) == CATEGORIES
    assert all(words_of.values())


def test_a_loaded_extractor_finds_what_it_was_trained_with(tmp_path: Path) -> None:
    created(PersianEntityExtractor, tmp_path).train(TrainingData())
    assert found(loaded(PersianEntityExtractor, tmp_path), "پیک نیامد")[0][:2] == ("category", "delivery")


def test_entities_of_components_before_are_kept(extractor: PersianEntityExtractor) -> None:
    message = Message({TEXT: "پیک", "entities": [{"entity": "other", "value": 1}]})
    extractor.process([message])
    assert [entity["entity"] for entity in message.get("entities")] == ["other", "category"]


def test_the_classifier_learns_saves_and_ranks(tmp_path: Path) -> None:
    examples = [("سلام", "greet"), ("درود", "greet"), ("ممنون", "thank"), ("سپاس", "thank")]
    data = TrainingData([Message({TEXT: text, "intent": intent}) for text, intent in examples])
    created(PersianIntentClassifier, tmp_path).train(data)
    message = Message({TEXT: "سلاممم"})
    loaded(PersianIntentClassifier, tmp_path).process([message])
    assert message.get("intent")["name"] == "greet"
    assert [intent["name"] for intent in message.get("intent_ranking")] == ["greet", "thank"]


def ranked(metadata: dict[str, Any] | None) -> Message:
    """A message that looks most like a request of staff, after the gate."""
    ranking = [
        {"name": "staff_report", "confidence": 0.6},
        {"name": "help", "confidence": 0.3},
        {"name": "greet", "confidence": 0.1},
    ]
    message = Message({TEXT: "گزارش", "intent": ranking[0], "intent_ranking": ranking, "metadata": metadata})
    AudienceGate(AudienceGate.get_default_config()).process([message])
    return message


@pytest.mark.parametrize("metadata", [None, {}, {"audience": "customer"}, {"audience": "Staff"}])
def test_nobody_but_staff_gets_an_intent_of_staff(metadata: dict[str, Any] | None) -> None:
    ranking = ranked(metadata).get("intent_ranking")
    assert [intent["name"] for intent in ranking] == ["help", "greet"]
    assert [intent["confidence"] for intent in ranking] == pytest.approx([0.75, 0.25])
    assert ranked(metadata).get("intent")["name"] == "help"


def test_staff_keep_their_intents() -> None:
    assert ranked({"audience": "staff"}).get("intent")["name"] == "staff_report"
