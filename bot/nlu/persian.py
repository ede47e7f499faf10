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
from collections.abc import Collection, Iterator, Mapping, Sequence
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
        text: The word, folded; what belongs together but was typed apart (می خواهم) is written together.
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
        bare_end: One past its last character without an ending.
    """

    label: str
    start: int
    end: int
    bare_end: int


# What stays whole in folded text: Latin letters are lower-case and digits are ASCII there.
_WHOLE = re.compile(
    r"(?P<email>[a-z0-9._+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    r"|(?P<url>https?://\S+|(?<![\w.])(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/\S*)?)"
    r"|(?P<mention>(?<![\w@])@[a-z0-9_]+)"
    r"|(?P<identifier>(?<!\w)(?=[\w/-]*\d)(?=[\w/-]*[a-z])[a-z0-9]+(?:[-_/][a-z0-9]+)*(?!\w))"
    r"|(?P<number>\+?\d+(?:[.,:/\u066b\u066c-]\d+)*)"
)

#: Written with a half-space before or after the rest of their word.
_PREFIXES = frozenset({"می", "نمی"})
_SUFFIXES = frozenset(
    {
        *("ها", "های", "هایی", "هام", "هاش", "هامون", "هاتون", "هاشون", "هایم", "هایت", "هایش"),
        *("هایمان", "هایتان", "هایشان", "هامو", "هارو", "تر", "ترین"),
    }
)


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
        found.append(Word(folded[start:end].replace(" ", ""), *_source(text, offsets, start, end), kind))
    return found


class PhraseFinder:
    """Finds phrases in whatever spelling, as whole words, with or without the endings of a noun."""

    def __init__(
        self,
        phrases: Mapping[str, Sequence[str]],
        *,
        are_patterns: bool = False,
        endings: Collection[str] | None = None,
    ) -> None:
        """Prepares the search.

        Args:
            phrases: For each label the phrases that stand for it.
            are_patterns: In a phrase ``a/b`` is either word and ``a?`` may be left out; its words have no
                further endings: ``پولمو/پولم رو/را? می‌خوام/میخام``.
            endings: What the last word of a phrase may end with, folded; those of a noun if left out.
        """
        import spacy  # noqa: PLC0415  # slow to load

        written = (lambda phrase: [phrase]) if are_patterns else _spellings
        folded = {
            label: [fold(one) for phrase in some if any(map(str.isalnum, phrase)) for one in written(phrase)]
            for label, some in phrases.items()
        }
        self._endings = _NOUN_ENDINGS if endings is None else frozenset(endings)
        #: Words of which one stands in every text that holds a phrase.
        self._telling = frozenset(
            word for some in folded.values() for one in some for word in _telling_words(one, are_patterns)
        )
        self._has_endings = not are_patterns
        self._pipeline = spacy.blank("fa")
        # spaCy's own tokenizer leaves «سلام،خوبی؟چه» in one piece.
        self._pipeline.tokenizer = self._document
        # Phrases are looked up by their words without endings: a regular expression for each ending of each
        # phrase takes milliseconds a message.
        ruler: Any = self._pipeline.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LEMMA"})
        ruler.add_patterns(
            [
                {"label": label, "pattern": _alternatives(phrase) if are_patterns else phrase}
                for label, some in folded.items()
                for phrase in some
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
        spans = _folded_words(folded)
        if self._telling.isdisjoint(self._bare(word) for word in _word_texts(folded)):
            return []
        found = []
        for entity in self._pipeline(folded).ents:
            start, end = spans[entity.start][0], spans[entity.end - 1][1]
            bare_end = _end_of(folded, spans[entity.end - 1], len(entity[-1].lemma_))
            span, bare = _source(text, offsets, start, end), _source(text, offsets, start, bare_end)
            found.append(Phrase(entity.label_, *span, bare[1]))
        return found

    def _bare(self, word: str) -> str:
        """The word without its ending, if a phrase ends with it."""
        if not self._has_endings or word in self._telling:
            return word
        for length in range(1, min(len(word), _LONGEST_ENDING + 1)):
            if word[:-length] in self._telling and word[-length:] in self._endings:
                return word[:-length]
        return word

    def _document(self, folded: str) -> Doc:
        from spacy.tokens import Doc  # noqa: PLC0415  # slow to load

        words = list(_word_texts(folded))
        return Doc(self._pipeline.vocab, words=words, lemmas=[self._bare(word) for word in words])


# Plural, possessive and object endings, written and spoken: پیک‌ها، پیکتون، پیکشان، پولم، پولمو، پیکه
_NOUN_ENDINGS = frozenset(
    plural + owner + object_
    for plural in ("", "ها", "های", "هایی", "ا", "ای")
    for owner in ("", "م", "ت", "ش", "مان", "تان", "شان", "مون", "تون", "شون", "ی")
    for object_ in ("", "و", "ه", "رو", "را")
)
_LONGEST_ENDING = max(map(len, _NOUN_ENDINGS))


def _spellings(phrase: str) -> list[str]:
    """A phrase as it is, and with spaces in place of its half-spaces, which folding drops."""
    return list(dict.fromkeys((phrase, phrase.replace("\u200c", " "))))


def _telling_words(phrase: str, is_pattern: bool) -> Sequence[str]:
    """The last word of a phrase; of a pattern that of its words which stands in the fewest texts."""
    if not is_pattern:
        return _word_texts(phrase)[-1:]
    needed = [word.split("/") for word in phrase.split() if not word.endswith("?")]
    return max(needed, key=lambda either: min(map(len, either)), default=())


def _alternatives(phrase: str) -> list[dict[str, Any]]:
    pattern = []
    for word in phrase.split():
        either = word.removesuffix("?").split("/")
        pattern.append({"TEXT": {"IN": either}, "OP": "?" if word.endswith("?") else "1"})
    return pattern


def _word_texts(folded: str) -> tuple[str, ...]:
    return tuple(folded[start:end].replace(" ", "") for start, end, _ in _folded_words(folded))


def _end_of(folded: str, span: tuple[int, int, str], length: int) -> int:
    """Where so many letters of a word end, which may have been typed with a space in it."""
    end = span[0]
    for _ in range(length):
        end += 1 + (folded[end] == " ")
    return end


#: White space, half-spaces and marks of direction.
_UNSEEN = " \t\n\r\f\v\u00a0\u00ac\u200b\u200c\u200d\u200e\u200f"


def _source(text: str, offsets: list[int], start: int, end: int) -> tuple[int, int]:
    """Maps a span back; the spaces that folding dropped after it are no part of it."""
    source_start, source_end = source_span(offsets, start, end, len(text))
    return source_start, source_start + len(text[source_start:source_end].rstrip(_UNSEEN))


# A message is split for its tokens, for each finder and for each model: once is enough.
@lru_cache(maxsize=4)
def _folded_words(folded: str) -> tuple[tuple[int, int, str], ...]:
    """Start, end and kind of each word of a folded text."""
    found: list[tuple[int, int, str]] = []
    position = 0
    for start, end, kind in _whole_spans(folded):
        found += [*_hazm_words(folded, position, start), (start, end, kind)]
        position = end
    return tuple(_joined(folded, [*found, *_hazm_words(folded, position, len(folded))]))


def _joined(folded: str, spans: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Puts together what a half-space belongs between: «می خواهم», «کتاب ها», «گوشی هام»."""
    waiting: tuple[int, int, str] | None = None
    for span in spans:
        start, end, kind = span
        if waiting is None:
            waiting = span
            continue
        before, word = folded[waiting[0] : waiting[1]], folded[start:end]
        belongs = before in _PREFIXES or (word in _SUFFIXES and before[-1:].isalpha())
        if kind == waiting[2] == "word" and start == waiting[1] + 1 and belongs and word[:1].isalpha():
            waiting = (waiting[0], end, kind)
        else:
            yield waiting
            waiting = span
    if waiting is not None:
        yield waiting


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
    from hazm import WordTokenizer  # noqa: PLC0415  # slow to load

    # Joined verb parts (گفته_شده_است) are words that do not stand in the text. Without joining nothing reads
    # the list of words, which takes 90 MB and half a second.
    return WordTokenizer(join_verb_parts=False, words_file=Path(os.devnull))
