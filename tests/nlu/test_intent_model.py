"""The intent model by itself, without Rasa."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.nlu.features import Reader
from bot.nlu.intent_model import IntentModel, IntentSettings
from bot.nlu.sentence_vectors import CachedEncoder, Vectors, default_encoder

PHRASES = {
    "greet": ["سلام", "سلام وقت بخیر", "درود بر شما", "صبح بخیر", "سلام خوبین"],
    "complaint_file": [
        "شکایت دارم",
        "می‌خواهم شکایت کنم",
        "کالا خراب بود",
        "پیک دیر آمد",
        "از شما شکایت می‌کنم",
    ],
    "thank": ["ممنون", "خیلی ممنون", "دستتون درد نکنه", "متشکرم", "سپاسگزارم"],
}
PAIRS = [(text, intent) for intent, texts in PHRASES.items() for text in texts]
TEXTS, LABELS = [text for text, _ in PAIRS], [intent for _, intent in PAIRS]


class Counting:
    """An encoder that counts what it was asked, and knows what each text of the examples means."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        meanings = [next((intent for text, intent in PAIRS if text == one), "thank") for one in texts]
        return np.array([[meaning == intent for intent in PHRASES] for meaning in meanings], dtype=np.float32)


def trained(encoder: Counting | None = None, settings: IntentSettings | None = None) -> IntentModel:
    model = IntentModel(Reader.learn(TEXTS), encoder, settings)
    model.train(TEXTS, LABELS)
    return model


@pytest.fixture(scope="module")
def model() -> IntentModel:
    """A model of three intents, without sentence vectors."""
    return trained()


@pytest.mark.parametrize(
    "typed",
    [
        "می‌خواهم شکایت کنم",
        "میخواهم شکایت کنم",
        "مي خواهم شكايت كنم",
        "میخواهممم شکایت",
        "میخوام شکایت کنم",
        "mikham shekayat konam",
        "ldohil a;hdj ;kl",
    ],
)
def test_spelling_script_and_keyboard_do_not_change_what_is_meant(model: IntentModel, typed: str) -> None:
    assert model.rank(typed)[0][0] == "complaint_file"


def test_confidences_add_up_to_one_on_familiar_text(model: IntentModel) -> None:
    ranking = model.rank("سلام، ممنون")
    assert sum(confidence for _, confidence in ranking) == pytest.approx(1)
    assert ranking == sorted(ranking, key=lambda pair: -pair[1])


@pytest.mark.parametrize("typed", ["xqzv wjkp", "ژچضظ غثذض", "", "   ", "🜁🜂", "ʘʘʘ"])
def test_text_with_nothing_known_in_it_is_not_understood_with_confidence(
    model: IntentModel, typed: str
) -> None:
    assert model.rank(typed)[0][1] < 0.3


def test_what_the_sender_cannot_mean_is_not_ranked(model: IntentModel) -> None:
    ranking = model.rank("سلام", lambda intent: 0.0 if intent == "greet" else 1.0)
    assert {intent for intent, _ in ranking} == {"complaint_file", "thank"}
    assert sum(confidence for _, confidence in ranking) == pytest.approx(1)


def test_only_what_the_quick_model_is_not_sure_of_needs_a_sentence_vector() -> None:
    encoder = Counting()
    model = trained(encoder, IntentSettings(sure=0.6))
    taught = len(encoder.asked)
    assert model.rank("سلام وقت بخیر")[0][1] >= 0.6
    assert len(encoder.asked) == taught
    model.rank("سلام ممنون شکایت")
    assert len(encoder.asked) == taught + 1


def test_the_thorough_model_learns_from_so_many_examples_of_each_intent_at_the_most() -> None:
    encoder = Counting()
    trained(encoder, IntentSettings(examples_per_intent=2))
    assert len(encoder.asked) == 2 * len(PHRASES)


def test_calibrating_brings_confidence_nearer_to_what_proves_right() -> None:
    model = trained()
    before = model.rank("سلام شکایت")[0][1]
    # Phrases that are plain to it make it trust itself more.
    model.calibrate(TEXTS, LABELS, lambda _: lambda _: 1.0)
    assert model.rank("سلام شکایت")[0][1] > before


def test_one_intent_is_nothing_to_choose_from() -> None:
    with pytest.raises(ValueError, match="two"):
        IntentModel(Reader.learn(TEXTS), None).train(["سلام", "درود"], ["greet", "greet"])


def test_a_saved_model_ranks_as_before(tmp_path: Path) -> None:
    encoder = Counting()
    model = trained(encoder)
    model.save(tmp_path)
    reader = Reader.learn(TEXTS)
    assert IntentModel.load(tmp_path, reader, encoder).rank("شکایتم") == model.rank("شکایتم")


def test_a_model_goes_on_without_the_encoder_that_it_was_trained_with(tmp_path: Path) -> None:
    trained(Counting()).save(tmp_path)
    assert IntentModel.load(tmp_path, Reader.learn(TEXTS), None).rank("شکایت دارم")[0][0] == "complaint_file"


def test_vectors_that_were_made_once_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    first, second = Counting(), Counting()
    made = CachedEncoder(first, file).encode(["سلام", "ممنون"])
    again = CachedEncoder(second, file).encode(["ممنون", "سلام", "شکایت دارم"])
    assert second.asked == ["شکایت دارم"]
    assert np.array_equal(again[:2], made[::-1])


def test_a_cache_of_another_encoder_or_a_broken_one_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    CachedEncoder(Counting(), file).encode(["سلام"])
    other = Counting()
    other.name = "another"
    CachedEncoder(other, file).encode(["سلام"])
    file.write_bytes(b"not a cache")
    third = Counting()
    CachedEncoder(third, file).encode(["سلام"])
    assert other.asked == third.asked == ["سلام"]


def test_vectors_of_like_meanings_are_nearer_than_of_others() -> None:
    encoder = default_encoder()
    assert encoder is not None
    here, near, far = encoder.encode(["کجا هستید؟", "آدرس شما چیست؟", "پولم را پس بدهید"])
    assert here @ near > here @ far
