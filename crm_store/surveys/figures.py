"""What answers amount to: Net Promoter Score with its interval, satisfaction, effort, distributions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt

import msgspec

#: Of the normal distribution, for 95 of 100.
Z_95 = 1.959963984540054
#: Grades of promoters and of detractors.
PROMOTERS_FROM, DETRACTORS_TO = 9, 6


class Nps(msgspec.Struct, frozen=True):
    """A Net Promoter Score, from -100 to 100.

    Attributes:
        score: share of promoters (9, 10) less share of detractors (0 to 6), in hundredths.
        low: lower end of the 95 % interval.
        high: its upper end.
    """

    score: float
    low: float
    high: float


class Figures(msgspec.Struct, frozen=True):
    """What was answered to one question.

    Attributes:
        count: answers, without those who passed the question over.
        distribution: how often each grade or choice was given, in order; of words and photos nothing.
        mean: of grades.
        nps: of a recommendation.
        satisfied: of a satisfaction, the share of the two best grades, from 0 to 1.
    """

    count: int
    distribution: dict[str, int]
    mean: float | None = None
    nps: Nps | None = None
    satisfied: float | None = None


def nps(grades: Iterable[int]) -> Nps | None:
    """The score of grades from 0 to 10; None without any.

    The interval is the adjusted Wald interval for the difference of two shares of one sample: D. Bonett and
    R. Price, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions Based on Paired
    Data", Journal of Educational and Behavioral Statistics 37 (2012), 479-488. With the shares p of promoters
    and d of detractors, each with one more and of n + 2: p - d ± z √((p + d - (p - d)²) / (n + 2)). It holds
    its 95 % in small samples too, and where all think alike; there the plain interval has no width.
    """
    counts = Counter(
        1 if grade >= PROMOTERS_FROM else -1 if grade <= DETRACTORS_TO else 0 for grade in grades
    )
    total = sum(counts.values())
    if not total:
        return None
    size = total + 2
    promoters, detractors = (counts[1] + 1) / size, (counts[-1] + 1) / size
    difference = promoters - detractors
    width = Z_95 * sqrt((promoters + detractors - difference**2) / size)
    return Nps(
        score=100 * (counts[1] - counts[-1]) / total,
        low=max(-100.0, 100 * (difference - width)),
        high=min(100.0, 100 * (difference + width)),
    )


def graded(kind: str, ends: tuple[int, int], counts: Mapping[int, int]) -> Figures:
    """Figures of grades.

    Args:
        kind: ``csat``, ``nps``, ``ces`` or ``scale``.
        ends: the lowest and the highest grade.
        counts: how often each was given.
    """
    low, high = ends
    total = sum(counts.values())
    two_best = sum(count for grade, count in counts.items() if grade >= high - 1)
    return Figures(
        count=total,
        distribution={str(grade): counts.get(grade, 0) for grade in range(low, high + 1)},
        mean=sum(grade * count for grade, count in counts.items()) / total if total else None,
        nps=nps(grade for grade, count in counts.items() for _ in range(count)) if kind == "nps" else None,
        satisfied=two_best / total if kind == "csat" and total else None,
    )
