"""Reading messages that were not understood, for those who decide about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.learning.models import ACCEPTED, OPEN, LearningSample
from crm_store.learning.phrases import phrase_key


class Heard(msgspec.Struct, frozen=True):
    """A phrase that waits for a decision, with all messages that say it.

    Attributes:
        id: of the oldest message; it stands for all.
        text: as the oldest message has it.
        count: how many messages say it.
        reasons: why they were kept.
        ranking: likeliest intents with their confidences, best first, as the newest message has them.
        chosen: intents whose button was pressed afterwards, the most frequent first.
        since: when it was heard first.
    """

    id: int
    text: str
    count: int
    reasons: list[str]
    ranking: list[tuple[str, float]]
    chosen: list[str]
    since: datetime

    @property
    def suggestions(self) -> list[str]:
        """What may have been meant: what was chosen, with its likeliest topic, then the likeliest intents."""
        likely = [label for label, _ in self.ranking]
        chosen = [next((one for one in likely if one.startswith(f"{name}/")), name) for name in self.chosen]
        return list(dict.fromkeys([*chosen, *likely]))


def open_phrases(session: Session) -> list[Heard]:
    """Phrases that wait for a decision, the one heard first first."""
    groups: dict[str, list[LearningSample]] = {}
    waiting = select(LearningSample).where(LearningSample.state == OPEN).order_by(LearningSample.id)
    for sample in session.scalars(waiting):
        groups.setdefault(phrase_key(sample.text), []).append(sample)
    return [_heard(samples) for samples in groups.values()]


def same_phrase(session: Session, *, sample: LearningSample) -> list[LearningSample]:
    """A message and all others that say the same and are in the same state, that message first."""
    key = phrase_key(sample.text)
    others = session.scalars(
        select(LearningSample).where(LearningSample.state == sample.state, LearningSample.id != sample.id)
    )
    return [sample, *(one for one in others if phrase_key(one.text) == key)]


def taught_by(session: Session, *, conversation_ids: Collection[int]) -> list[str]:
    """Accepted phrases that only some conversations hold: with those they go from the training file."""
    accepted = session.scalars(select(LearningSample).where(LearningSample.state == ACCEPTED)).all()
    ours = [one.text for one in accepted if one.conversation_id in conversation_ids and one.text]
    others = {phrase_key(one.text) for one in accepted if one.conversation_id not in conversation_ids}
    return [text for text in ours if phrase_key(text) not in others]


def _heard(samples: list[LearningSample]) -> Heard:
    oldest, newest = samples[0], samples[-1]
    return Heard(
        id=oldest.id,
        text=oldest.text,
        count=len(samples),
        reasons=list(dict.fromkeys(one.reason for one in samples)),
        ranking=[(str(label), float(confidence)) for label, confidence in newest.ranking],
        chosen=_most_frequent(one.chosen for one in samples if one.chosen),
        since=oldest.created_at,
    )


def _most_frequent(names: Iterable[str]) -> list[str]:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return sorted(counted, key=lambda name: -counted[name])
