"""The intent model by itself, without Rasa."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.nlu.intent_model import IntentModel
from bot.nlu.persian import feature_text

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


@pytest.fixture(scope="module")
def model() -> IntentModel:
    """A model of three intents."""
    trained = IntentModel(feature_text)
    pairs = [(text, intent) for intent, texts in PHRASES.items() for text in texts]
    trained.train([text for text, _ in pairs], [intent for _, intent in pairs])
    return trained


@pytest.mark.parametrize(
    "typed", ["می‌خواهم شکایت کنم", "میخواهم شکایت کنم", "مي خواهم شكايت كنم", "میخواهممم شکایت"]
)
def test_spelling_does_not_change_what_is_meant(model: IntentModel, typed: str) -> None:
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


def test_text_that_shares_nothing_with_the_examples_has_no_confidence_at_all(model: IntentModel) -> None:
    assert {confidence for _, confidence in model.rank("xqzv wjkp")} == {0.0}


def test_a_saved_model_ranks_as_before(model: IntentModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert IntentModel.load(tmp_path, feature_text).rank("شکایتم") == model.rank("شکایتم")
