"""The words of all names, kept in memory, and those of them that somebody who typed another one may mean."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from crm_store.customers.models import NameWord
from crm_store.persian.sounds import consonants, is_latin, says_the_same, sound

#: So long the words are kept; those of people who were forgotten go then at the latest.
KEPT_SECONDS = 600.0
#: Words become visible in another order than that of their numbers: so many are looked at again.
_SEEN_AGAIN = 64
#: Most words that one typed word may mean, and most that are looked at for their beginning.
MOST, MOST_BEGINNINGS = 40, 30
#: How well words fit, of 100.
SAME, ALIKE, READS_ALIKE, BEGINS, MAY_READ = 100.0, 96.0, 92.0, 84.0, 76.0
_ONE_SLIP, _TWO_SLIPS = 82.0, 70.0
#: Letters from which on a word may have one slip, two, or stand for its beginning.
_ONE_FROM, _TWO_FROM, _BEGINS_FROM = 3, 6, 3
#: Consonants that two scripts must share for a reading to be trusted although the vowels differ.
_CONSONANTS_FROM = 2


class Meant(NamedTuple):
    """A word of somebody's name, and how well it fits what was typed, up to 100."""

    word_id: int
    score: float


class Vocabulary:
    """All words of names."""

    def __init__(self) -> None:
        self.loaded_at = time.monotonic()
        self.newest = 0
        self._ids: dict[str, int] = {}
        self._words: list[str] = []
        self._sounds: list[str] = []
        self._by_sound: dict[str, list[int]] = {}
        self._by_consonants: dict[str, list[int]] = {}
        self._sorted: list[str] | None = None
        self._lock = threading.Lock()

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """Take words up; those that are known are passed over."""
        with self._lock:
            self._add(rows)

    def _add(self, rows: Iterable[tuple[int, str]]) -> None:
        for word_id, word in rows:
            self.newest = max(self.newest, word_id)
            if self._ids.get(word) == word_id:
                continue
            if word not in self._ids:
                place, sounds = len(self._words), sound(word)
                self._words.append(word)
                self._sounds.append(sounds)
                self._by_sound.setdefault(sounds, []).append(place)
                self._by_consonants.setdefault(consonants(sounds), []).append(place)
                self._sorted = None
            self._ids[word] = word_id

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def alike(self, typed: str) -> list[Meant]:
        """The typed word, words of the same sound, and words of the other script that read like it.

        Args:
            typed: folded.
        """
        with self._lock:
            found = [one for one in self._alike(typed, sound(typed)) if one[1] >= READS_ALIKE]
        return self._best(found)

    def meant_by(self, typed: str) -> list[Meant]:
        """All words that a typed one may stand for, misspelt or begun, the best first.

        Args:
            typed: folded.
        """
        sounds = sound(typed)
        with self._lock:
            found = [*self._alike(typed, sounds), *self._misspelt(sounds), *self._begun(typed)]
        return self._best(found)

    def _best(self, found: Iterable[tuple[int, float]]) -> list[Meant]:
        scores: dict[int, float] = {}
        for place, score in found:
            scores[place] = max(score, scores.get(place, 0.0))
        best = sorted(scores.items(), key=lambda one: (-one[1], len(self._words[one[0]]), one[0]))[:MOST]
        return [Meant(self._ids[self._words[place]], score) for place, score in best]

    def _alike(self, typed: str, sounds: str) -> Iterable[tuple[int, float]]:
        """The word itself, words of the same sound, and words of the other script that read like it."""
        for place in self._by_sound.get(sounds, ()):
            yield place, SAME if self._words[place] == typed else ALIKE
        latin, bones = is_latin(typed), consonants(sounds)
        for place in self._by_consonants.get(bones, ()):
            if is_latin(self._words[place]) == latin:
                continue
            persian, foreign = (self._sounds[place], sounds) if latin else (sounds, self._sounds[place])
            if says_the_same(persian, foreign):
                yield place, READS_ALIKE
            elif len(bones) >= _CONSONANTS_FROM:
                yield place, MAY_READ

    def _misspelt(self, sounds: str) -> Iterable[tuple[int, float]]:
        slips = 2 if len(sounds) >= _TWO_FROM else 1 if len(sounds) >= _ONE_FROM else 0
        if not slips:
            return
        near = process.extract(
            sounds, self._sounds, scorer=OSA.distance, processor=None, score_cutoff=slips, limit=MOST
        )
        for found, distance, place in near:
            if distance:
                # In a short word a slip changes more.
                short = max(0, 5 - min(len(sounds), len(found))) * 3
                yield place, (_ONE_SLIP if distance == 1 else _TWO_SLIPS) - short

    def _begun(self, typed: str) -> Iterable[tuple[int, float]]:
        if len(typed) < _BEGINS_FROM:
            return
        if self._sorted is None:
            self._sorted = sorted(self._words)
        start = bisect_left(self._sorted, typed)
        for word in self._sorted[start : start + MOST_BEGINNINGS]:
            if not word.startswith(typed):
                return
            place = self._by_sound[sound(word)]
            yield next(one for one in place if self._words[one] == word), BEGINS


_kept: WeakKeyDictionary[Pool, Vocabulary] = WeakKeyDictionary()
_lock = threading.Lock()


def vocabulary_of(session: Session) -> Vocabulary:
    """The words of a store's names as they are now."""
    pool = session.get_bind().engine.pool
    with _lock:
        known = _kept.get(pool)
        if known is None or time.monotonic() - known.loaded_at > KEPT_SECONDS:
            known = _kept[pool] = Vocabulary()
        rows = session.execute(
            select(NameWord.id, NameWord.word).where(NameWord.id > known.newest - _SEEN_AGAIN)
        )
        known.add(rows.tuples())
        return known
