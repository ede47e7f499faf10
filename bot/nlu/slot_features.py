"""What slots are recognised by: each word, its pieces and neighbours, what is known of it, and the intent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.nlu.features import MARKERS
from bot.nlu.linear_tagger import Features
from bot.nlu.persian import Word
from bot.nlu.phrase_book import Filled, PhraseBook
from bot.nlu.spoken import stem
from bot.nlu.word_groups import Groups
from crm_store.persian import fold
from crm_store.persian.number_words import ORDINALS, SCALES, VALUES

#: Intents with their confidences, best first.
Ranking = Sequence[tuple[str, float]]

#: As many intents as are looked at, and the confidence that makes one worth it.
_INTENTS, _POSSIBLE = 4, 0.05
_LONGEST_PIECE = 4
#: Shares of the occurrences of a phrase, told apart only as far as this.
_STEPS = (0.1, 0.3, 0.5, 0.7, 0.9)


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


_KINDS = {
    "number": frozenset({*VALUES, *SCALES}),
    "ordinal": frozenset(ORDINALS) | _words("اول"),
    "weekday": _words("شنبه یکشنبه یک‌شنبه دوشنبه سه‌شنبه چهارشنبه پنجشنبه پنج‌شنبه جمعه"),
    "month": _words(
        "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند ژانویه فوریه مارس آوریل مه ژوئن "
        "ژوئیه جولای اوت آگوست سپتامبر اکتبر نوامبر دسامبر"
    ),
    "part of the day": _words("صبح ظهر عصر شب غروب بامداد سحر بعدازظهر امشب دیشب نیمه‌شب"),
}
_KIND_OF = {word: kind for kind, some in _KINDS.items() for word in some}


class SlotFeatures:
    """Makes features of the words of a text."""

    def __init__(self, groups: Groups, phrases: PhraseBook, lists: Mapping[str, Iterable[str]]) -> None:
        """Creates it from what is known of words.

        Args:
            groups: See `bot.nlu.word_groups`.
            phrases: What fills slots.
            lists: Known words by what they are, such as given names; in whatever spelling.
        """
        self._groups = groups
        self._phrases = phrases
        self._lists = {name: frozenset(map(fold, some)) for name, some in lists.items()}

    def of(
        self, words: Sequence[Word], ranking: Ranking, but: Iterable[Filled] | None = None
    ) -> list[Features]:
        """Makes the features of a text.

        Args:
            words: The words of the text.
            ranking: What the text may mean; may be empty.
            but: The filled slots, of a text that the phrases were learnt from.

        Returns:
            The features of each word.
        """
        texts = [text_of(word) for word in words]
        named = [
            *_by_itself(texts),
            ("t", 1, [[stem(text)] for text in texts], True),
            ("h", 2, [[_shape(word)] for word in words], True),
            *self._group_names(texts),
            ("l", 1, [self._lists_with(text) for text in texts], False),
            ("g", 1, self._phrase_names(tuple(texts), but), False),
        ]
        found: list[Features] = [{"any": 1.0} for _ in texts]
        for name, reach, values, is_paired in named:
            _spread(found, name, reach, values, is_paired=is_paired)
        for text, features in zip(texts, found, strict=True):
            features.update(_intent_features(text, ranking))
        return found

    def _group_names(self, texts: Sequence[str]) -> list[_Named]:
        groups = [self._groups.get(text, ()) for text in texts]
        sizes = max(map(len, groups), default=0)
        return [
            (f"c{size}", 1, [[str(one[size])] if one else ["?"] for one in groups], size == sizes - 1)
            for size in range(sizes)
        ]

    def _lists_with(self, text: str) -> list[str]:
        return [name for name, some in self._lists.items() if text in some]

    def _phrase_names(self, texts: tuple[str, ...], but: Iterable[Filled] | None) -> list[list[str]]:
        names: list[list[str]] = [[] for _ in texts]
        for slot, first, end, share in self._phrases.find(texts, but):
            step = sum(share >= one for one in _STEPS)
            for place in range(first, end):
                part = f"{slot} {_part(place, first, end)}"
                names[place] += [f"{part} {min(end - first, 3)}", f"{part} ~{step}"]
        return names


#: Name of a kind of feature, how many words on either side have it too, the values of each word, and whether
#: those of neighbours count together as well.
_Named = tuple[str, int, list[list[str]], bool]


def text_of(word: Word) -> str:
    """What counts of a word: of phones, codes and addresses only that they are some."""
    return MARKERS.get(word.kind, word.text)


def _by_itself(texts: Sequence[str]) -> list[_Named]:
    pieces = range(1, _LONGEST_PIECE + 1)
    return [
        ("w", 2, [[text] for text in texts], True),
        ("p", 0, [[f"{text[:size]}-" for size in pieces if len(text) > size] for text in texts], False),
        ("s", 0, [[f"-{text[-size:]}" for size in pieces if len(text) > size] for text in texts], False),
        (
            "q",
            1,
            [[f"{text[:2]}-", f"{text[:3]}-", f"-{text[-2:]}", f"-{text[-3:]}"] for text in texts],
            False,
        ),
    ]


def _spread(
    found: list[Features], name: str, reach: int, values: Sequence[Sequence[str]], *, is_paired: bool
) -> None:
    """Gives each word the values of its own and of its neighbours."""
    edge = ["|"]
    for place, features in enumerate(found):
        for distance in range(-reach, reach + 1):
            beside = place + distance
            for value in values[beside] if 0 <= beside < len(values) else edge:
                features[f"{name}{distance} {value}"] = 1.0
        if is_paired:
            before = values[place - 1][0] if place else edge[0]
            after = values[place + 1][0] if place + 1 < len(values) else edge[0]
            features[f"{name}< {before} {values[place][0]}"] = 1.0
            features[f"{name}> {values[place][0]} {after}"] = 1.0


def _intent_features(text: str, ranking: Ranking) -> dict[str, Any]:
    """The likely intents, each as much as it is likely, with the area that its name begins with."""
    features: dict[str, float] = {}
    for name, confidence in ranking[:_INTENTS]:
        if confidence < _POSSIBLE:
            break
        area = f"a {name.partition('_')[0]}"
        features |= {f"i {name}": confidence, f"j {name} {text}": confidence}
        features[area] = features.get(area, 0.0) + confidence
    return features


def _shape(word: Word) -> str:
    if word.kind != "word":
        return f"{word.kind}{len(word.text)}" if word.kind == "number" else word.kind
    if word.text in _KIND_OF:
        return _KIND_OF[word.text]
    if not word.text[0].isalpha():
        return "mark"
    return "latin" if word.text[0].isascii() else "word"


def _part(place: int, first: int, end: int) -> str:
    if end - first == 1:
        return "all"
    return "first" if place == first else "last" if place == end - 1 else "inner"
