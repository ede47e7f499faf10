"""Ports for servers that tests start."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket

#: Below those that the system gives to connections, and beside those that the product takes by itself.
FIRST, EACH = 30_000, 270
_tried = itertools.count(os.getpid())


def free_port() -> int:
    """A loopback port that nobody uses, and nobody else is given before a server listens there.

    Every process of a test run has ports of its own: a server may need seconds until it listens.

    Raises:
        RuntimeError: all of them are in use.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(EACH):
        port = FIRST + EACH * (worker % 10) + next(_tried) % EACH
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")
