"""The slot model by itself, and the Rasa component around it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.linear_tagger import LinearTagger, TaggerSettings
from bot.nlu.phrase_book import Filled, PhraseBook
from bot.nlu.slot_model import Example, SlotModel, Span
from bot.nlu.slots import PersianSlotTagger

NAMES = (
    *("سارا رضایی", "علی محمدی", "مریم کاظمی", "رضا", "نگار", "حسین قاسمی", "زهرا", "کامران نوری", "اکبری"),
    *("لیلا", "مهدی جعفری", "موسوی", "نرگس طاهری", "سعید مرادی", "امیری", "پریسا نادری", "فرهادی", "مینا"),
    *("کریمی", "بهمن راد", "نجفی", "الهام رحیمی", "عباسی", "اکبر ملکی"),
)
PRODUCTS = (
    *("یخچال", "جاروبرقی", "کتری برقی", "ماشین لباسشویی", "اتو", "مخلوط‌کن", "سشوار", "تلویزیون", "کولر"),
    *("بخاری", "قهوه‌ساز", "گوشی", "آبگرمکن", "مبل", "میز تحریر", "ساعت"),
)
NAMED = ("سلام، {} هستم", "به آقای {} بگید زنگ بزنن", "اسم من {} است", "خانم {} جواب نداد")
BOUGHT = ("برای {} نصاب می‌خواهم", "{} من خراب شده", "یک {} سفارش دادم", "قیمت {} چنده؟")
NOTHING = (
    "سلام وقت بخیر",
    "ممنون از شما",
    "سفارش من کجاست؟",
    "می‌خواهم شکایت کنم",
    "ناراضی هستم",
    "جواب نداد",
)
SETTINGS = TaggerSettings(models=2)
CONTEXT = ExecutionContext(GraphSchema({}))
RESOURCE = Resource("component")


def filled(frame: str, slot: str, value: str) -> Example:
    """A phrase with one slot."""
    start = frame.index("{}")
    return Example(frame.format(value), [Span(slot, start, start + len(value))])


# Each value stands in two frames only: what always stands in all of them is told by the value alone.
EXAMPLES = [
    *(
        filled(frames[(place + step) % len(frames)], slot, value)
        for slot, frames, values in (("person_name", NAMED, NAMES), ("product", BOUGHT, PRODUCTS))
        for place, value in enumerate(values)
        for step in range(2)
    ),
    *(Example(text) for text in NOTHING),
]


@pytest.fixture(scope="module")
def model() -> SlotModel:
    """A model of two slots."""
    trained = SlotModel()
    trained.train(EXAMPLES, SETTINGS)
    return trained


def found(model: SlotModel, text: str) -> list[tuple[str, str]]:
    """Slots and the typed text of what is found."""
    return [(slot, text[start:end]) for slot, start, end, _ in model.tag(text)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("سلام، بهروز شریفی هستم", [("person_name", "بهروز شریفی")]),
        ("به آقای قنبری بگید زنگ بزنن", [("person_name", "قنبری")]),
        ("برای فریزر نصاب می‌خواهم", [("product", "فریزر")]),
        ("یک پنکه سفارش دادم", [("product", "پنکه")]),
    ],
)
def test_what_stands_where_slots_stood_is_found_though_never_seen(
    model: SlotModel, typed: str, expected: list[tuple[str, str]]
) -> None:
    assert found(model, typed) == expected


def test_several_slots_of_one_text_are_found_in_its_order(model: SlotModel) -> None:
    text = "سلام، سارا رضایی هستم، یخچال من خراب شده"
    assert found(model, text) == [("person_name", "سارا رضایی"), ("product", "یخچال")]


@pytest.mark.parametrize("typed", [*NOTHING, "", "   ", "😡"])
def test_where_nothing_is_named_nothing_is_found(model: SlotModel, typed: str) -> None:
    assert model.tag(typed) == []


@pytest.mark.parametrize(
    "typed",
    ["😡😡 مخلوط‌کن من خراب شده", "مخلوط‌كن من خراب شده", "😡  مخلوط‌كن  من خراب شده", "مخلوطکن من خراب شده"],
)
def test_offsets_lead_into_the_text_as_it_was_typed(model: SlotModel, typed: str) -> None:
    [slot] = model.tag(typed)
    assert slot.slot == "product"
    assert typed[slot.start : slot.end] == typed[typed.index("مخلوط") : typed.index(" من")].rstrip()


def test_confidence_is_a_probability_that_is_high_where_much_is_known(model: SlotModel) -> None:
    [slot] = model.tag("سلام، سارا رضایی هستم")
    assert 0.6 < slot.confidence <= 1


def test_a_saved_model_finds_the_same(model: SlotModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = SlotModel.load(tmp_path)
    texts = [example.text for example in EXAMPLES]
    assert [again.tag(text) for text in texts] == [model.tag(text) for text in texts]


def test_without_annotated_phrases_nothing_is_learnt(tmp_path: Path) -> None:
    model = SlotModel()
    model.train([Example(text) for text in NOTHING], SETTINGS)
    model.save(tmp_path)
    assert not SlotModel.load(tmp_path).is_trained
    assert SlotModel.load(tmp_path).tag("سارا رضایی هستم") == []


def test_the_intent_of_a_text_tells_what_its_words_are() -> None:
    """«آزادی را پخش کن» is a song to somebody who wants music, and a film to who wants to watch."""
    values = ("آزادی", "باران", "عشق", "سکوت", "پاییز", "رویا")
    frames = ("{} را پخش کن", "{} را بگذار")
    examples = []
    for slot, intent, other in (("song", "play_music", "play_film"), ("film", "play_film", "play_music")):
        ranking = [(intent, 0.9), (other, 0.1)]
        for frame, value in product(frames, values):
            examples.append(Example(frame.format(value), [Span(slot, 0, len(value))], ranking))
    model = SlotModel()
    model.train(examples, SETTINGS)
    [song], [film] = (model.tag("مهتاب را پخش کن", [(one, 0.9)]) for one in ("play_music", "play_film"))
    assert (song.slot, film.slot) == ("song", "film")


def test_a_phrase_is_not_known_from_the_sentence_that_is_learnt_from() -> None:
    sentences, fillings = [("کتری", "برقی"), ("کتری",)], [[Filled("product", 0, 2)], []]
    book = PhraseBook(sentences, fillings)
    assert book.find(sentences[0], but=fillings[0]) == []
    assert [match.slot for match in book.find(("یک", "کتری", "برقی"))] == ["product"]


def test_no_slot_begins_with_its_inside() -> None:
    sentences = [[{"a": 1.0}, {"b": 1.0}], [{"c": 1.0}, {"c": 1.0}]] * 5
    tagger = LinearTagger.train(sentences, [["B-x", "I-x"], ["O", "O"]] * 5, TaggerSettings(missing=0.0))
    labels, probabilities = tagger.tag([{"b": 1.0}, {"c": 1.0}])
    assert labels[0] != "I-x"
    assert probabilities[0][tagger.labels.index("I-x")] == pytest.approx(0)
    assert probabilities.sum(axis=1) == pytest.approx(1)


def trained_component(folder: Path, messages: list[Message], **settings: object) -> PersianSlotTagger:
    """The component as it is loaded after training on messages."""
    config = PersianSlotTagger.get_default_config() | settings
    storage = LocalModelStorage(folder)
    PersianSlotTagger.create(config, storage, RESOURCE, CONTEXT).train(TrainingData(messages))
    return PersianSlotTagger.load(config, storage, RESOURCE, CONTEXT)


def training_messages(*, are_annotated: bool = True) -> list[Message]:
    """The examples as Rasa reads them."""
    return [
        Message(
            {
                TEXT: text,
                INTENT: spans[0].slot if spans else "other",
                ENTITIES: [
                    {"entity": slot, "start": start, "end": end, "value": text[start:end]}
                    for slot, start, end in spans
                    if are_annotated
                ],
            }
        )
        for text, spans, _ in ((one.text, one.spans, one.ranking) for one in EXAMPLES)
    ]


def test_the_component_adds_entities_beside_those_that_were_found_before(tmp_path: Path) -> None:
    component = trained_component(tmp_path, training_messages())
    text = "سلام، سارا رضایی هستم، یخچال من خراب شده"
    earlier = {"entity": "category", "start": 23, "end": 28, "value": "appliance", "extractor": "Earlier"}
    message = Message({TEXT: text, ENTITIES: [earlier]})
    component.process([message])
    name, kept = message.get(ENTITIES)
    assert kept == earlier
    assert {key: name[key] for key in ("entity", "start", "end", "value", "extractor")} == {
        "entity": "person_name",
        "start": 6,
        "end": 16,
        "value": "سارا رضایی",
        "extractor": "PersianSlotTagger",
    }
    assert 0.5 <= name["confidence_entity"] <= 1


def test_the_component_learns_only_the_entities_that_it_is_told_to(tmp_path: Path) -> None:
    component = trained_component(tmp_path, training_messages(), entities=["product"])
    message = Message({TEXT: "سلام، سارا رضایی هستم، یخچال من خراب شده"})
    component.process([message])
    assert [entity["entity"] for entity in message.get(ENTITIES)] == ["product"]


def test_the_component_does_nothing_without_annotated_phrases(tmp_path: Path) -> None:
    component = trained_component(tmp_path, training_messages(are_annotated=False))
    message = Message({TEXT: "سلام، سارا رضایی هستم"})
    component.process([message])
    assert message.get(ENTITIES, []) == []
