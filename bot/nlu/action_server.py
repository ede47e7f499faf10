"""How Rasa calls the action server: one pool of connections, a slim body, and no failure passed over."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from jsonschema import Draft202012Validator, ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from yarl import URL

from bot.nlu.slim_tracker import slim
from bot.nlu.strict_turns import TurnAborted

#: An action is one short unit of work; stock Rasa would wait five minutes.
ACTION_SECONDS = 15.0
#: The action server (Sanic) closes idle connections after 5 s; we let go first, not to write into one.
IDLE_CONNECTION_SECONDS = 4.0

#: Rasa's own schema of an answer, made ready once: checking the schema itself takes longer than an action.
_ANSWER = Draft202012Validator(RemoteAction.action_response_format_spec())

_REJECTED = 400  # rasa_sdk: the form or action does not apply, ask the other rules
_LATER = frozenset({502, 503, 504})


class ActionServer(EndpointConfig):
    """The endpoint of the action server.

    Stock Rasa turns a refused connection, a time-out and an action's error into exceptions that it then logs
    and forgets, in `processor._run_action` and in the extraction of slots. Here each ends the turn.
    """

    _pool: aiohttp.ClientSession | None = None

    @classmethod
    def from_endpoint(cls, endpoint: EndpointConfig) -> ActionServer:
        """Takes the settings over from an endpoint read out of endpoints.yml.

        Its address may name the server alone; the path is then the one that rasa_sdk listens on.
        """
        url = URL(endpoint.url or "")
        address = str(url if url.path.strip("/") else url / "webhook")
        return cls(address, headers=endpoint.headers, cafile=endpoint.cafile, **endpoint.kwargs)

    async def request(  # type: ignore[override]  # the call is all that an action needs
        self, method: str = "post", subpath: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Runs one action.

        Args:
            method: HTTP method.
            subpath: Not used by actions.
            **kwargs: ``json``, the call that Rasa built; its other arguments are settings that stand here.

        Returns:
            The events and responses of the action.

        Raises:
            ClientResponseError: The action rejected the turn; Rasa asks the other rules.
            TurnAborted: Anything else went wrong.
        """
        call = slim(kwargs["json"])
        action = call["next_action"]
        try:
            status, body = await self._post(json.dumps(call).encode())
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise TurnAborted("unavailable", f"{action}: {type(error).__name__}") from error
        if status == _REJECTED:
            raise ClientResponseError(status, "rejected", body.decode())
        if status >= _REJECTED:
            # The body of an error holds the whole tracker: it must reach neither a log nor the gateway.
            raise TurnAborted("unavailable" if status in _LATER else "failed", f"{action}: HTTP {status}")
        return _checked(body, action)

    async def close(self) -> None:
        """Closes the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        if self._pool is None:
            self._pool = aiohttp.ClientSession(
                headers={"Content-Type": "application/json", **self.headers},
                timeout=aiohttp.ClientTimeout(total=ACTION_SECONDS),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS),
            )
        async with self._pool.post(self.url or "", data=body) as response:
            return response.status, await response.read()


def _checked(body: bytes, action: str) -> dict[str, Any]:
    """Reads an action's answer; Rasa would check it only where its own handler swallows the outcome."""
    try:
        answer: dict[str, Any] = json.loads(body)
        _ANSWER.validate(answer)
    except (ValueError, ValidationError) as error:
        raise TurnAborted("failed", f"{action}: not an answer of an action server") from error
    return answer
