"""What can be taught, and what is said of everything else."""

from __future__ import annotations

import pytest

from bot.nlu.labels import check_label, teachable_labels
from crm_store.errors import InvalidInput
from tests.nlu.conftest import PROJECT

pytestmark = pytest.mark.rasa


def test_intents_with_phrases_can_be_taught_with_their_topics_and_no_others() -> None:
    labels = teachable_labels(PROJECT)
    assert {"greet", "faq/hours", "faq/address"} <= set(labels)
    assert not {"faq", "pick", "media"} & set(labels)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("faq", "faq needs a topic: faq/address, faq/hours"),
        ("pick", "pick is made by buttons only and has no phrases"),
        ("complain_file", "complain_file is no intent; near it: complaint_file"),
        ("faq/hour", "near it: faq/hours"),
        ("سلام", "near it: complaint_file, deny"),
    ],
)
def test_a_refusal_says_why_and_names_near_ones(label: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        check_label(label, teachable_labels(PROJECT), PROJECT)


def test_a_label_that_can_be_taught_is_taken() -> None:
    assert check_label("greet", teachable_labels(PROJECT), PROJECT) == "greet"
