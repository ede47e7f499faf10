"""Asks the dialogue for one turn, through our own connector."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec

from crm_store.roles import SECRET_HEADER

CORRELATION_HEADER = "X-Correlation-Id"
CONNECT_SECONDS = 3.0
READY_SECONDS = 2.0


class TurnError(Exception):
    """A turn has no answer."""


class Unavailable(TurnError):
    """The dialogue is down or too slow: the same turn may be asked again for as long as it takes."""


class TurnFailed(TurnError):
    """The turn ran and broke, or said nothing."""


class TurnRefused(TurnError):
    """The dialogue does not know what the button stands for; asking again is of no use."""


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One message as the dialogue gets it.

    Attributes:
        sender: id of the conversation.
        message_id: id of the inbox row; the dialogue answers the same id once and repeats that answer.
        payload: ``/intent{json}`` of a button that we sent, never of a text.
        attachments: ``{"id", "kind"}`` each.
        contact: the sender's proven number in E.164.
    """

    sender: str
    message_id: str
    channel: str
    metadata: dict[str, Any]
    text: str | None = None
    payload: str | None = None
    attachments: list[dict[str, Any]] = []
    contact: str | None = None


class Reply(msgspec.Struct, frozen=True):
    """One message of the answer."""

    text: str | None = None
    buttons: list[dict[str, Any]] | None = None
    image: str | None = None
    custom: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    """The dialogue's answer.

    Attributes:
        replayed: the turn had run before; this is what it said then.
    """

    messages: list[Reply]
    replayed: bool = False
    intent: str | None = None
    confidence: float | None = None


class RasaClient:
    """Speaks to the rasa role; needs a running event loop.

    Args:
        url: address of the role.
        secret: shared secret of the roles.
        turn_seconds: longest wait for one answer.
    """

    def __init__(self, url: str, secret: str, *, turn_seconds: float) -> None:
        self._base = f"{url.rstrip('/')}/webhooks/gateway"
        self._session = aiohttp.ClientSession(
            headers={SECRET_HEADER: secret, "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=turn_seconds, sock_connect=CONNECT_SECONDS),
        )

    async def turn(self, turn: Turn) -> Answer:
        """Run one turn.

        Raises:
            Unavailable: no connection, no answer in time, or 503.
            TurnFailed: 500, an answer that cannot be read, or one without a message.
            TurnRefused: 422.
        """
        headers = {CORRELATION_HEADER: str(turn.metadata.get("correlation_id", ""))}
        try:
            async with self._session.post(
                f"{self._base}/turn", data=msgspec.json.encode(turn), headers=headers
            ) as response:
                return _read(response.status, await response.read())
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise Unavailable(f"{type(error).__name__}") from error

    async def ready(self) -> bool:
        """Whether the role has a model and takes turns."""
        try:
            timeout = aiohttp.ClientTimeout(total=READY_SECONDS)
            async with self._session.get(f"{self._base}/ready", timeout=timeout) as response:
                return response.status == 200
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return False

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _read(status: int, body: bytes) -> Answer:
    if status == 422:
        raise TurnRefused("the dialogue refused the payload (422)")
    if status in (400, 500):
        raise TurnFailed(f"the dialogue answered {status}")
    if status != 200:  # 503 by our connector; others while the role starts or has another secret
        raise Unavailable(f"the dialogue answered {status}")
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except msgspec.DecodeError as error:
        raise TurnFailed("the dialogue's answer cannot be read") from error
    if not any(message.text or message.image for message in answer.messages):
        raise TurnFailed("the dialogue said nothing")
    return answer
