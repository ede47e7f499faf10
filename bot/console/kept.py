"""What the console remembers for a log-in, in memory alone: a secret to be shown once, the last search.

Neither belongs into an address. After a restart a search is asked for anew, and another secret is made.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping

from aiohttp import web

from bot.console.auth import COOKIE

#: So many are remembered; the oldest go first.
_MOST = 2000


class Kept:
    """Values by log-in and name."""

    def __init__(self) -> None:
        self._values: OrderedDict[tuple[str, str], Mapping[str, str]] = OrderedDict()

    def put(self, request: web.Request, name: str, values: Mapping[str, str]) -> None:
        """Remember something for whoever is logged in."""
        key = _key(request, name)
        self._values.pop(key, None)
        self._values[key] = dict(values)
        while len(self._values) > _MOST:
            self._values.popitem(last=False)

    def get(self, request: web.Request, name: str) -> Mapping[str, str]:
        """What is remembered; empty for nothing."""
        return self._values.get(_key(request, name), {})

    def take(self, request: web.Request, name: str) -> Mapping[str, str]:
        """What is remembered, once."""
        return self._values.pop(_key(request, name), {})


KEPT = web.AppKey("kept", Kept)


def kept(request: web.Request) -> Kept:
    """What the console remembers."""
    return request.config_dict[KEPT]


def _key(request: web.Request, name: str) -> tuple[str, str]:
    token = request.cookies.get(COOKIE, "")
    return hashlib.sha256(token.encode()).hexdigest(), name
