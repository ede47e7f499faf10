"""Who is called so: customers by their names, whole or in part, misspelt or in another script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from crm_store.customers.models import CustomerName
from crm_store.customers.names import words_of
from crm_store.customers.vocabulary import ALIKE, READS_ALIKE, SAME, Meant, Vocabulary, vocabulary_of
from crm_store.persian.sounds import TITLES

#: Of a longer text only the first words count.
MOST_WORDS = 5
#: Most rows that are read to put people in order.
MOST_ROWS = 3000
#: Of a single word so many rows are read for each person who is wanted.
_ROWS_FOR_EACH = 20
#: Letters that each part of a word has that was written without the space in it.
_SHORTEST_PART = 2

#: People are looked for among those first whose words fit so well, and among the others so well at least.
_TIERS = (READS_ALIKE, 80.0, 0.0)

#: What each word of a name may mean.
_Reading = list[list[Meant]]


def customers_named(session: Session, *, text: str, limit: int) -> list[tuple[int, float]]:
    """Ids of customers whose names fit a text, the best first, and how well: up to 100.

    All words have to fit; where nobody has all of them, those are given who have most, at least half. Who is
    called just so stands for all who are called nearly so.
    """
    typed = words_of(text)
    typed = ([word for word in typed if word not in TITLES] or typed)[:MOST_WORDS]
    if not typed:
        return []
    vocabulary = vocabulary_of(session)
    best: dict[int, float] = {}
    for means in (vocabulary.alike, vocabulary.meant_by):
        for words in _readings(typed, vocabulary):
            for customer_id, score in _with_all(session, [means(word) for word in words], limit):
                best[customer_id] = max(score, best.get(customer_id, 0.0))
        if len(best) >= limit or (len(typed) > 1 and max(best.values(), default=0.0) >= ALIKE):
            break
    fewer = len(typed) - 1
    while not best and 2 * fewer >= len(typed):
        for some in combinations(typed, fewer):
            for customer_id, score in _with_all(session, [vocabulary.meant_by(one) for one in some], limit):
                best[customer_id] = max(score * fewer / len(typed), best.get(customer_id, 0.0))
        fewer -= 1
    return sorted(best.items(), key=lambda one: (-one[1], -one[0]))[:limit]


def _readings(typed: list[str], vocabulary: Vocabulary) -> Iterator[list[str]]:
    """The words as they stand, and with spaces where people leave them out or put them in."""
    yield typed
    for place, word in enumerate(typed):
        before, after = typed[:place], typed[place + 1 :]
        if after and word + after[0] in vocabulary:
            yield [*before, word + after[0], *after[1:]]
        for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            if word[:cut] in vocabulary and word[cut:] in vocabulary:
                yield [*before, word[:cut], word[cut:], *after]


def _with_all(session: Session, reading: _Reading, limit: int) -> list[tuple[int, float]]:
    """Customers who have a word for each that was typed."""
    if not reading or not all(reading):
        return []
    if len(reading) == 1:
        return _with_one(session, reading[0], limit)
    return _with_each(session, [{one.word_id: one.score for one in meant} for meant in reading], limit)


def _with_each(session: Session, scores: Sequence[dict[int, float]], limit: int) -> list[tuple[int, float]]:
    order = _rarest_first(session, scores)
    # The rarest word leads; the others are looked up with each customer that it leads to.
    first, *others = (aliased(CustomerName) for _ in order)
    statement = select(first.customer_id, first.word_id, *(one.word_id for one in others))
    statement = statement.where(first.word_id.in_(scores[order[0]]))
    for place, other in zip(order[1:], others, strict=True):
        statement = statement.join(
            other, (other.customer_id == first.customer_id) & other.word_id.in_(scores[place])
        )
    best: dict[int, float] = defaultdict(float)
    for customer_id, *word_ids in session.execute(statement.limit(MOST_ROWS)):
        fits = sum(scores[place][word_id] for place, word_id in zip(order, word_ids, strict=True))
        best[customer_id] = max(best[customer_id], fits / len(order))
    return sorted(best.items(), key=lambda one: (-one[1], -one[0]))[:limit]


def _with_one(session: Session, meant: Sequence[Meant], limit: int) -> list[tuple[int, float]]:
    """Customers who have one of some words, those with the best word first; the newest of each."""
    scores = {one.word_id: one.score for one in meant}
    best: dict[int, float] = {}
    for tier, above in zip(_TIERS, (SAME + 1, *_TIERS), strict=False):
        word_ids = [word_id for word_id, score in scores.items() if tier <= score < above]
        if not word_ids or len(best) >= limit:
            continue
        rows = select(CustomerName.customer_id, CustomerName.word_id).where(
            CustomerName.word_id.in_(word_ids)
        )
        for customer_id, word_id in session.execute(
            rows.order_by(CustomerName.customer_id.desc()).limit(_ROWS_FOR_EACH * limit)
        ):
            best[customer_id] = max(scores[word_id], best.get(customer_id, 0.0))
    return sorted(best.items(), key=lambda one: (-one[1], -one[0]))[:limit]


def _rarest_first(session: Session, scores: Sequence[dict[int, float]]) -> list[int]:
    """Places of the words in the order of how many people have them."""
    counts = dict(
        session.execute(
            select(CustomerName.word_id, func.count())
            .where(CustomerName.word_id.in_({word_id for one in scores for word_id in one}))
            .group_by(CustomerName.word_id)
        )
        .tuples()
        .all()
    )
    totals = [sum(counts.get(word_id, 0) for word_id in one) for one in scores]
    return sorted(range(len(scores)), key=totals.__getitem__)
