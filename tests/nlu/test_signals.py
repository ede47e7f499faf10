"""Anger, urgency and danger: what is heard in messages that nobody taught, and how it is passed on.

The model is trained here without sentence vectors, which takes seconds; with them it hears more
(docs/measurements.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.features import Reader
from bot.nlu.labels import training_files
from bot.nlu.sentence_vectors import Vectors
from bot.nlu.signal_model import SIGNALS, SignalModel, SignalPhrase, SignalSettings, signal_phrases
from bot.nlu.signals import PersianSignals
from crm_store.learning.phrases import phrase_key, read_examples
from crm_store.settings import PROJECT_ROOT
from tests.nlu import gold

PHRASES = PROJECT_ROOT / "data" / "shared" / "signals.yml"

#: What is measured lies 0.1 and more above.
LEAST_F1 = 0.75
LEAST_RECALL_OF_DANGER = 0.85

FEW = """
danger: [بوی گاز میاد, آتیش گرفت, دود میاد, برق گرفت منو, مسموم شدیم, دستم سوخت]
urgency: [فوری, عجله دارم, همین الان, زود باشید, سریع لطفا, وقت ندارم]
anger: [دزدا, بی‌شعورا, خجالت بکشید, دروغگوها, لعنت بهتون, مسخره کردین]
anger+urgency: [زود باشید دزدا, همین الان بی‌شعورا]
none: [سلام, ممنون, ساعت کاریتون چیه, گاز کولر چنده, بله, نه, آدرس, شماره]
"""


def trained(phrases: list[SignalPhrase], **how: object) -> SignalModel:
    """A model of some phrases, without sentence vectors unless an encoder is given."""
    model = SignalModel(Reader.learn(text for text, _ in phrases), how.pop("encoder", None), **how)  # type: ignore[arg-type]
    model.train(phrases)
    return model


@pytest.fixture(scope="module")
def phrases() -> list[SignalPhrase]:
    """What the project's model is trained with."""
    examples = [
        (label.partition("/")[0], text)
        for file in training_files()
        for label, texts in read_examples(file).items()
        for text in texts
    ]
    return signal_phrases(PHRASES, examples)


@pytest.fixture(scope="module")
def model(phrases: list[SignalPhrase]) -> SignalModel:
    """The project's model."""
    return trained(phrases)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A file with a few phrases."""
    file = tmp_path / "signals.yml"
    file.write_text(FEW, encoding="utf-8")
    return file


def heard(model: SignalModel, text: str) -> list[str]:
    return [signal.name for signal in model.hear(text)]


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@pytest.fixture(scope="module")
def measured(model: SignalModel, phrases: list[SignalPhrase]) -> Mapping[str, tuple[float, float]]:
    """Precision and recall of each signal on the evaluation messages.

    Without those that are taught as well, such as «خداحافظ»: they would only measure memory.
    """
    taught = {phrase_key(text) for text, _ in phrases}
    messages = [one for one in gold.signal_messages() if phrase_key(one.text) not in taught]
    answers = [heard(model, message.text) for message in messages]
    figures = {}
    for name in SIGNALS:
        right = sum(
            name in answer and name in message.signals
            for answer, message in zip(answers, messages, strict=True)
        )
        said = sum(name in answer for answer in answers)
        meant = sum(name in message.signals for message in messages)
        figures[name] = (share(right, said), share(right, meant))
    return figures


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_are_heard_in_messages_nobody_taught(
    measured: Mapping[str, tuple[float, float]], name: str
) -> None:
    precision, recall = measured[name]
    f1 = share(2 * precision * recall, precision + recall)
    assert f1 >= LEAST_F1, f"precision {precision:.3f}, recall {recall:.3f}"


def test_hardly_any_danger_is_missed(measured: Mapping[str, tuple[float, float]]) -> None:
    assert measured["danger"][1] >= LEAST_RECALL_OF_DANGER


@pytest.mark.parametrize(
    "text", ["سلام", "ساعت کاری شعبه کرج", "کپسول آتش‌نشانی دارید؟", "شارژ گاز کولر چنده", "امتیازم چند شد"]
)
def test_nothing_is_heard_in_what_is_asked_every_day(model: SignalModel, text: str) -> None:
    assert heard(model, text) == []


@pytest.mark.parametrize("text", ["", "   ", "👍"])
def test_nothing_is_heard_in_nothing(model: SignalModel, text: str) -> None:
    assert heard(model, text) == []


def test_the_most_dangerous_comes_first_each_with_its_confidence(model: SignalModel) -> None:
    signals = model.hear("بی‌شعورا بوی گاز خونه رو برداشته، همین الان یکی رو بفرستید!!!")
    assert [signal.name for signal in signals] == ["danger", "urgency", "anger"]
    assert all(model.thresholds[name] <= confidence <= 1 for name, confidence in signals)


def test_latin_letters_are_heard_as_well(model: SignalModel) -> None:
    assert "danger" in heard(model, "buye gaz miad tu khune")


def test_a_missed_danger_weighs_more_than_a_false_one(model: SignalModel) -> None:
    assert model.thresholds["danger"] < min(model.thresholds["urgency"], 0.5)


def test_a_saved_model_hears_as_before(few: Path, tmp_path: Path) -> None:
    phrases = signal_phrases(few)
    before = trained(phrases, settings=SignalSettings(regularisation=10.0))
    before.save(tmp_path)
    after = SignalModel.load(tmp_path, Reader.learn(text for text, _ in phrases), None)
    assert after.hear("بوی گاز میاد زود باشید") == before.hear("بوی گاز میاد زود باشید") != []


def test_each_signal_needs_examples_and_counterexamples() -> None:
    with pytest.raises(ValueError, match="phrases with it and phrases without it"):
        trained([SignalPhrase("آتیش", frozenset({"danger"})), SignalPhrase("سلام")])


def test_phrases_of_calm_intents_are_taught_as_without_signals(few: Path) -> None:
    phrases = signal_phrases(
        few, [("greet", "درود"), ("faq", "ارسال دارید"), ("complaint_file", "کالا شکست"), ("greet", "سلام")]
    )
    taught = {text for text, signals in phrases if not signals}
    assert {"درود", "ارسال دارید", "گاز کولر چنده"} <= taught
    assert "کالا شکست" not in taught
    assert SignalPhrase("زود باشید دزدا", frozenset({"anger", "urgency"})) in phrases
    assert len(phrases) == len({text for text, _ in phrases})


class CountingEncoder:
    """An encoder that knows nothing and counts how often it is asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, texts: list[str]) -> Vectors:
        import numpy as np

        self.asked += 1
        return np.random.default_rng(len(texts)).normal(size=(len(texts), 4)).astype(np.float32)


@pytest.mark.parametrize(("unsure", "asks"), [((0.0, 1.0), True), ((0.5, 0.5), False)])
def test_a_sentence_vector_is_asked_for_only_in_doubt(
    few: Path, unsure: tuple[float, float], asks: bool
) -> None:
    encoder = CountingEncoder()
    model = trained(signal_phrases(few), encoder=encoder, settings=SignalSettings(unsure=unsure))
    before = encoder.asked
    model.hear("بوی گاز میاد")
    assert (encoder.asked > before) is asks


def component(few: Path) -> dict[str, object]:
    return {**PersianSignals.get_default_config(), "phrases": str(few), "sentence_vectors": False}


def test_the_component_learns_saves_and_puts_signals_into_what_is_passed_on(
    few: Path, tmp_path: Path
) -> None:
    storage, resource, context = (
        LocalModelStorage(tmp_path / "model"),
        Resource("signals"),
        ExecutionContext(GraphSchema({})),
    )
    (tmp_path / "model").mkdir()
    data = TrainingData([Message.build("درود", "greet"), Message.build("سپاس", "thank")])
    PersianSignals.create(component(few), storage, resource, context).train(data)
    loaded = PersianSignals.load(component(few), storage, resource, context)
    smell, greeting = loaded.process([Message({TEXT: "بوی گاز میاد"}), Message({TEXT: "درود"})])
    assert [signal["name"] for signal in smell.as_dict(only_output_properties=True)["signals"]] == ["danger"]
    assert greeting.as_dict(only_output_properties=True)["signals"] == []


def test_other_phrases_are_noticed_by_the_training_cache(few: Path) -> None:
    before = PersianSignals.fingerprint_addon(component(few))
    few.write_text(FEW.replace("سلام", "درود"), encoding="utf-8")
    assert PersianSignals.fingerprint_addon(component(few)) != before
