"""The components as Rasa's graph calls them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.audience import weight_for
from bot.nlu.classifier import PersianIntentClassifier
from bot.nlu.entities import PersianEntityExtractor
from bot.nlu.evidence import ComplaintEvidence
from bot.nlu.tokenizer import PersianTokenizer
from crm_store.business import EXAMPLE
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


@pytest.mark.parametrize(
    ("remedy", "text"),
    [
        ("refund", "پیک شما غذا رو یخ‌زده آورد، پولمو می‌خوام"),
        ("refund", "پولم رو پس بدین"),
        ("refund", "وجه را به حسابم برگردانید"),
        ("refund", "درخواست برگشت وجه دارم"),
        ("refund", "pulamo mikham"),
        ("replacement", "عوضش کنید"),
        ("replacement", "یکی سالم بفرستید"),
        ("replacement", "لطفاً كالا را تعويض بفرماييد"),
        ("repair", "بیاید تعمیرش کنید"),
        ("repair", "یه نفر بفرستید درستش کنه"),
        ("apology", "فقط یه عذرخواهی می‌خواستم"),
        ("apology", "باید ازم معذرت بخواید"),
        ("compensation", "خسارت"),
        ("compensation", "باید ضررمو جبران کنید"),
        ("explanation", "توضیح بدین چرا دیر شد"),
        ("explanation", "می‌خوام بدونم چرا این‌طوری شد"),
    ],
)
def test_what_a_customer_wants_is_found(extractor: PersianEntityExtractor, remedy: str, text: str) -> None:
    assert [value for entity, value, _ in found(extractor, text) if entity == "remedy"] == [remedy]


@pytest.mark.parametrize(
    "text",
    [
        "بابت تعمیر پول دادم",
        "پول کم شده از حسابم",
        "تعمیرکارتون اومد",
        "باید جواب پس بدن",
        "نه، متن رو عوض کن",
        "حتی یه عذرخواهی هم نکردن",
        "پیک به ماشینم خسارت زد",
        "این قسمت برای چیه توضیح بدید",
    ],
)
def test_the_same_words_without_a_wish_are_none(extractor: PersianEntityExtractor, text: str) -> None:
    assert "remedy" not in [entity for entity, _, _ in found(extractor, text)]


def test_one_sentence_tells_order_category_and_remedy(extractor: PersianEntityExtractor) -> None:
    assert found(extractor, "😡 پیک غذا رو یخ‌زده آورد، سفارش ۱۲۳۴۵، پولم رو پس بدین") == [
        ("category", "delivery", "پیک"),
        ("order_number", "12345", "۱۲۳۴۵"),
        ("category", "payment", "پولم"),
        ("remedy", "refund", "پولم رو پس بدین"),
    ]


@pytest.fixture
def business_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The owner's file, of which a loaded component takes the categories."""
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    path = tmp_path / "business.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_a_loaded_extractor_finds_what_it_was_trained_with(tmp_path: Path, business_file: Path) -> None:
    created(PersianEntityExtractor, tmp_path).train(TrainingData())
    extractor = loaded(PersianEntityExtractor, tmp_path)
    assert found(extractor, "پیک نیامد، عوضش کنید") == [
        ("category", "delivery", "پیک"),
        ("remedy", "replacement", "عوضش کنید"),
    ]


def test_categories_and_their_words_follow_the_business_file(tmp_path: Path, business_file: Path) -> None:
    created(PersianEntityExtractor, tmp_path).train(TrainingData())
    extractor = loaded(PersianEntityExtractor, tmp_path)
    assert found(extractor, "گلدانش پژمرده بود") == []
    flowers = '[[complaints.categories]]\nkey = "flowers"\ntitle = "تازگی گل"\nwords = ["پژمرده", "", "؟"]\n'
    renamed = business_file.read_text(encoding="utf-8").replace('"تحویل سفارش"', '"باربری ویژه"')
    business_file.write_text(renamed.replace("[texts]", flowers), encoding="utf-8")
    assert found(extractor, "گلدانش پژمرده بود، پیک و باربری ویژه و تازگی گل") == [
        ("category", "flowers", "پژمرده"),
        ("category", "delivery", "پیک"),
        ("category", "delivery", "باربری ویژه"),
        ("category", "flowers", "تازگی گل"),
    ]
    business_file.write_text(f'name = "x"\n{flowers}', encoding="utf-8")
    assert found(extractor, "پیک پژمرده") == [("category", "flowers", "پژمرده")]


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


def taught(*examples: tuple[str, str]) -> TrainingData:
    """Phrases with their intents; ``faq/hours`` is the topic hours of the intent faq."""
    return TrainingData([Message.build(text, intent) for text, intent in examples])


def test_an_intent_with_topics_is_ranked_as_one_and_tells_its_topic(tmp_path: Path) -> None:
    data = taught(
        ("سلام", "greet"),
        ("درود", "greet"),
        ("ساعت کار", "faq/hours"),
        ("تا ساعت چند بازید", "faq/hours"),
        ("آدرس", "faq/address"),
        ("آدرستون کجاست", "faq/address"),
    )
    created(PersianIntentClassifier, tmp_path).train(data)
    message = Message({TEXT: "ساعت کاری"})
    loaded(PersianIntentClassifier, tmp_path).process([message])
    intent = message.get("intent")
    assert [one["name"] for one in message.get("intent_ranking")] == ["faq", "greet"]
    assert (intent["name"], intent["topic"]) == ("faq", "hours")
    assert intent["topic_confidence"] > 0.5
    assert [topic["name"] for topic in intent["topic_ranking"]] == ["hours", "address"]
    assert "topic" not in message.get("intent_ranking")[1]


@pytest.mark.parametrize("metadata", [None, {}, {"audience": "customer"}, {"audience": "Staff"}])
def test_nobody_but_staff_gets_an_intent_of_staff(metadata: dict[str, Any] | None) -> None:
    assert weight_for(metadata)("staff_report") == 0
    assert weight_for(metadata)("help") == 1


def test_staff_are_understood_as_staff_before_anything_else() -> None:
    weight = weight_for({"audience": "staff"})
    assert 0 < weight("complaint_status") < weight("staff_report")


@pytest.mark.parametrize(
    ("text", "entities", "top", "expected"),
    [
        ("کفش سفارش ۳۳۱ پاره‌ست، عوضش کنین", ["order_number", "remedy"], "faq", "complaint_file"),
        ("پیک دیر رسید پولمو پس بدین لطفا", ["category", "remedy"], "profile_update", "complaint_file"),
        ("سفارش ۳۳۱ پاره‌ست، چطور عوضش کنم؟", ["order_number", "remedy"], "faq", "faq"),
        ("سفارش ۳۳۱ عوض بشه", ["order_number", "remedy"], "faq", "faq"),
        ("شرایط تعویض کالا برای سفارش ۳۳۱ چیه", ["order_number"], "faq", "faq"),
        ("پول سفارش ۳۳۱ که خواستم چی شد", ["order_number", "remedy"], "complaint_status", "complaint_status"),
    ],
)
def test_a_wish_for_a_remedy_about_an_order_is_a_complaint(
    tmp_path: Path, text: str, entities: list[str], top: str, expected: str
) -> None:
    ranking = [
        {"name": top, "confidence": 0.6},
        {"name": "greet", "confidence": 0.2},
        {"name": "complaint_file", "confidence": 0.1},
    ]
    message = Message({TEXT: text, "entities": [{"entity": name} for name in entities]})
    message.set("intent", ranking[0])
    message.set("intent_ranking", ranking)
    created(ComplaintEvidence, tmp_path).process([message])
    assert message.get("intent") == {"name": expected, "confidence": 0.6}
    assert message.get("intent_ranking")[0]["name"] == expected
    assert sorted(one["name"] for one in message.get("intent_ranking")) == sorted(
        {top, "greet", "complaint_file"}
    )
