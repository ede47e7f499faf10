"""The one module that imports hazm and spaCy: words of a text, and phrases found in it.

Both libraries are imported at first use and once: together they take a second and 70 MB, and whoever only
looks for a trained model needs neither.

hazm tears e-mail addresses, codes and amounts apart (``ali@test.com`` becomes four words), so spans that
must stay whole are found first and hazm sees only what lies between them. spaCy's ``EntityRuler`` folds
nothing, so it is given folded text. Offsets always lead into the text as it was typed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_store.persian import find_phones, find_tracking_codes, fold, fold_with_offsets, source_span

if TYPE_CHECKING:
    from hazm import WordTokenizer
    from spacy.tokens import Doc


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        text: The word, folded.
        start: Its first character, in code points of the original text.
        end: One past its last character.
        kind: ``word``, or the kind of a whole span: ``phone``, ``code``, ``email``, ``url``, ``number`` …
    """

    text: str
    start: int
    end: int
    kind: str


class Phrase(NamedTuple):
    """A known phrase found in a text.

    Attributes:
        label: What the phrase stands for.
        start: Its first character, in code points of the original text.
        end: One past its last character.
    """

    label: str
    start: int
    end: int


# What stays whole in folded text: Latin letters are lower-case and digits are ASCII there.
_WHOLE = re.compile(
    r"(?P<email>[a-z0-9._+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    r"|(?P<url>https?://\S+|(?<![\w.])(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/\S*)?)"
    r"|(?P<mention>(?<![\w@])@[a-z0-9_]+)"
    r"|(?P<identifier>(?<!\w)(?=[\w/-]*\d)(?=[\w/-]*[a-z])[a-z0-9]+(?:[-_/][a-z0-9]+)*(?!\w))"
    r"|(?P<number>\+?\d+(?:[.,:/\u066b\u066c-]\d+)*)"
)

# Upper-case, so that no folded word can be one of them.
_MARKERS = {"phone": "PHONE", "code": "CODE", "email": "EMAIL", "url": "URL"}


def words(text: str) -> list[Word]:
    """Splits a text into words.

    Args:
        text: Any text.

    Returns:
        Its words in order, punctuation marks among them; e-mail and web addresses, phones, tracking codes,
        order numbers, amounts and dates are one word each.
    """
    folded, offsets = fold_with_offsets(text)
    found = []
    for start, end, kind in _folded_words(folded):
        found.append(Word(folded[start:end], *_source(text, offsets, start, end), kind))
    return found


def feature_text(text: str) -> str:
    """Makes of a text what intents are learnt from.

    Args:
        text: Any text.

    Returns:
        Its words, separated by spaces. Of phones, codes and addresses only the kind: which one it is says
        nothing about what somebody wants, that there is one says much.
    """
    return " ".join(_MARKERS.get(word.kind, word.text) for word in words(text))


class PhraseFinder:
    """Finds phrases in whatever spelling, as whole words, with or without the endings of a noun."""

    def __init__(self, phrases: Mapping[str, Sequence[str]], *, are_patterns: bool = False) -> None:
        """Prepares the search.

        Args:
            phrases: For each label the phrases that stand for it.
            are_patterns: In a phrase ``a/b`` is either word and ``a?`` may be left out; its words have no
                further endings: ``پولمو/پولم رو/را? می‌خوام/میخام``.
        """
        import spacy  # noqa: PLC0415

        self._pipeline = spacy.blank("fa")
        # spaCy's own tokenizer leaves «سلام،خوبی؟چه» in one piece.
        self._pipeline.tokenizer = self._document
        ruler: Any = self._pipeline.add_pipe("entity_ruler")
        tokens_of = _alternatives if are_patterns else _token_pattern
        ruler.add_patterns(
            [
                {"label": label, "pattern": tokens_of(phrase)}
                for label, label_phrases in phrases.items()
                for phrase in label_phrases
                if fold(phrase)
            ]
        )

    def find(self, text: str) -> list[Phrase]:
        """Finds the phrases in a text.

        Args:
            text: Any text.

        Returns:
            The phrases in the order of the text; of overlapping ones the longest.
        """
        folded, offsets = fold_with_offsets(text)
        found = []
        for entity in self._pipeline(folded).ents:
            found.append(Phrase(entity.label_, *_source(text, offsets, entity.start_char, entity.end_char)))
        return found

    def _document(self, folded: str) -> Doc:
        from spacy.tokens import Doc  # noqa: PLC0415

        spans = [(start, end) for start, end, _ in _folded_words(folded)]
        return Doc(
            self._pipeline.vocab,
            words=[folded[start:end] for start, end in spans],
            spaces=[folded[end : end + 1] == " " for _, end in spans],
        )


# Plural, possessive and object endings, written and spoken: پیک‌ها، پیکتون، پیکشان، پولم، پولمو، پیکه
_NOUN_ENDINGS = "(?:ها|های|هایی|ا|ای)?(?:م|ت|ش|مان|تان|شان|مون|تون|شون|ی)?(?:و|ه|رو|را)?"


def _token_pattern(phrase: str) -> list[dict[str, Any]]:
    *first, last = (fold(phrase)[start:end] for start, end, _ in _folded_words(fold(phrase)))
    return [
        *({"TEXT": word} for word in first),
        {"TEXT": {"REGEX": f"^{re.escape(last)}{_NOUN_ENDINGS}$"}},
    ]


def _alternatives(phrase: str) -> list[dict[str, Any]]:
    pattern = []
    for word in phrase.split():
        either = [fold(one) for one in word.removesuffix("?").split("/")]
        pattern.append({"TEXT": {"IN": either}, "OP": "?" if word.endswith("?") else "1"})
    return pattern


def _source(text: str, offsets: list[int], start: int, end: int) -> tuple[int, int]:
    """Maps a span back; the spaces that folding dropped after it are no part of it."""
    source_start, source_end = source_span(offsets, start, end, len(text))
    return source_start, source_start + len(text[source_start:source_end].rstrip())


# A message is split for its tokens, for each finder and for each model: once is enough.
@lru_cache(maxsize=4)
def _folded_words(folded: str) -> tuple[tuple[int, int, str], ...]:
    """Start, end and kind of each word of a folded text."""
    found: list[tuple[int, int, str]] = []
    position = 0
    for start, end, kind in _whole_spans(folded):
        found += [*_hazm_words(folded, position, start), (start, end, kind)]
        position = end
    return (*found, *_hazm_words(folded, position, len(folded)))


def _whole_spans(folded: str) -> list[tuple[int, int, str]]:
    """Finds what hazm must not tear apart; a phone or tracking code wins over the number it also is."""
    spans = [(match.start(), match.end(), match.lastgroup or "") for match in _WHOLE.finditer(folded)]
    if any(kind in ("number", "identifier") for _, _, kind in spans):
        phones = [(phone.start, phone.end, "phone") for phone in find_phones(folded)]
        codes = [(code.start, code.end, "code") for code in find_tracking_codes(folded)]
        certain = phones + codes
        spans = certain + [span for span in spans if not any(_overlap(span, other) for other in certain)]
    return sorted(spans)


def _overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _hazm_words(folded: str, position: int, end: int) -> Iterator[tuple[int, int, str]]:
    for word in _hazm_tokenizer().tokenize(folded[position:end]):
        if word:
            start = folded.index(word, position)
            position = start + len(word)
            yield start, position, "word"


@lru_cache(maxsize=1)
def _hazm_tokenizer() -> WordTokenizer:
    from hazm import WordTokenizer  # noqa: PLC0415

    # Joined verb parts (گفته_شده_است) are words that do not stand in the text. Without joining nothing reads
    # the list of words, which takes 90 MB and half a second.
    return WordTokenizer(join_verb_parts=False, words_file=Path(os.devnull))
