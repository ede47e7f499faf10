"""An open page that is sent what is new as soon as its hub stirs it."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.console.frames import encode
from bot.console.pulse import RETRY_SECONDS

#: So many lines at the end of a conversation are watched for edits and deliveries.
WATCHED_LINES = 30

log = structlog.get_logger(__name__)


class Follower(ABC):
    """One open page.

    Args:
        socket: its socket.
        unreadable: what is logged when the store cannot be read.
    """

    def __init__(self, socket: web.WebSocketResponse, *, unreadable: str) -> None:
        self.news = asyncio.Event()
        self._socket = socket
        self._unreadable = unreadable

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame; a page that has just gone is no error."""
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(encode(frame))

    async def close(self, code: int) -> None:
        """Close the socket; a page of the web chat connects again by itself."""
        await self._socket.close(code=code)

    async def follow(self) -> None:
        """Send news until cancelled. A slow page only holds up itself."""
        while not self._socket.closed:
            await self.news.wait()
            self.news.clear()
            try:
                await self._send_news()
            except SQLAlchemyError as error:
                log.warning(self._unreadable, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                self.news.set()

    @abstractmethod
    async def _send_news(self) -> None:
        """Send what the page lacks.

        Raises:
            SQLAlchemyError: the store cannot be read; it is tried again in a while.
        """
