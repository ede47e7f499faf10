"""How much one visitor may send."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Visitors remembered at once; the ones that rested long enough to be full again are forgotten first.
_REMEMBERED = 10_000


class RateLimiter:
    """A token bucket per visitor.

    Args:
        burst: frames that may come at once.
        per_second: frames per second after that.
        clock: seconds from any fixed moment.
    """

    def __init__(self, *, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_for(self, visitor: str) -> float:
        """Take one frame from the visitor's bucket.

        Returns:
            0 when the frame may pass, else the seconds after which the next one may.
        """
        now = self._clock()
        left, since = self._buckets.get(visitor, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_second)
        if left < 1:
            self._buckets[visitor] = (left, now)
            return (1 - left) / self._per_second
        self._buckets[visitor] = (left - 1, now)
        if len(self._buckets) > _REMEMBERED:
            self._forget_rested(now)
        return 0.0

    def _forget_rested(self, now: float) -> None:
        rest = self._burst / self._per_second
        self._buckets = {who: bucket for who, bucket in self._buckets.items() if now - bucket[1] < rest}
