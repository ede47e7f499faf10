"""How much of what people write is read as it is meant, on messages that nothing was taught with."""

from __future__ import annotations

import pytest

from bot.nlu.entities import PersianEntityExtractor
from tests.nlu.gold import EXPRESSIONS, MENTIONS, entity_messages, score, score_spans
from tests.nlu.test_reading import extractor_in


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> PersianEntityExtractor:
    """The extractor with the project's own lists."""
    return extractor_in(tmp_path_factory.mktemp("entities"))


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_values_are_read_right_or_marked_as_ambiguous(extractor: PersianEntityExtractor, kind: str) -> None:
    answers = [extractor.extract(message.text, now=message.now) for message in entity_messages(kind)]  # type: ignore[union-attr]
    result = score(kind, answers)
    assert len(answers) >= 34
    assert result.exact >= 0.97, result.misses
    assert result.wrong <= 0.01, result.misses


@pytest.mark.parametrize("kind", MENTIONS)
def test_names_and_places_are_found_where_they_stand(extractor: PersianEntityExtractor, kind: str) -> None:
    answers = [extractor.extract(message.text) for message in entity_messages(kind)]
    for result in (score(kind, answers), score_spans(kind, answers)):
        assert result.exact >= 0.95, result.misses
        assert result.wrong <= 0.03, result.misses
