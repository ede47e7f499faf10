"""The channel through which the gateway reaches Rasa.

``POST /webhooks/gateway/turn`` runs one turn and answers with what the bot says. The same message id again
is answered from the tracker. A turn that cannot be finished leaves nothing behind, so the gateway may simply
send it again. A message that asks for several things is run as so many turns (`bot.nlu.parts`): if a later
one cannot be finished, those before it stand, and the retry runs only what is missing.
``GET /webhooks/gateway/ready`` says whether a model is loaded, and ``POST /webhooks/gateway/model`` has it
loaded anew, while turns go on.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint, response
from sanic.exceptions import InvalidUsage
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.nlu.incoming import MalformedTurn, Turn, UnknownPayload, to_user_message
from bot.nlu.parts import divide, parts_begun
from bot.nlu.requests import REQUESTS
from bot.nlu.strict_turns import StrictAgent, StrictProcessor, TurnAborted, answers_to
from crm_store.errors import ConfigurationError
from crm_store.logs import place_of
from crm_store.roles import SECRET_HEADER

#: Longest turn; the gateway gives up earlier, and its retry then finds the finished turn.
TURN_SECONDS = 40.0
#: A lock's ticket lives from the request on, so it covers waiting for one turn before and its own.
LOCK_SECONDS = 2 * TURN_SECONDS + 10
#: Stock Rasa looks once a second whether a lock is free.
LOCK_POLL_SECONDS = 0.05

log = structlog.get_logger(__name__)


class GatewayInput(InputChannel):
    """Rasa input channel ``gateway``."""

    def __init__(self, secret: str) -> None:
        """Creates the channel.

        Args:
            secret: What the gateway must send in the header `SECRET_HEADER`.

        Raises:
            ValueError: The secret is empty.
        """
        if not secret:
            raise ValueError("the channel gateway needs a secret: set PEYVAND_INTERNAL_SECRET")
        self._secret = secret.encode()
        self._running: set[asyncio.Task[HTTPResponse]] = set()

    @classmethod
    def name(cls) -> str:
        """Name of the channel and of its routes."""
        return "gateway"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> GatewayInput:
        """Creates the channel from credentials.yml."""
        if credentials is None:
            cls.raise_missing_credentials_exception()
            raise AssertionError  # the line before never returns
        return cls(str(credentials["secret"]))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Defines the routes.

        Args:
            on_new_message: Rasa's own handler; not used, because it throws the outcome of a turn away.
        """
        blueprint = Blueprint("gateway_channel")

        @blueprint.post("/turn")
        async def turn(request: Request) -> HTTPResponse:
            if not self._is_trusted(request):
                return _error(401, "unauthorized", "wrong or missing secret")
            try:
                parsed = Turn.from_body(request.json)
            except (MalformedTurn, InvalidUsage) as error:
                return _error(400, "malformed", str(error))
            # A gateway that gives up and asks again must find the turn finished, not run it a second time.
            task = asyncio.ensure_future(_answer(request.app.ctx.agent, parsed))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return await asyncio.shield(task)

        @blueprint.get("/ready")
        async def ready(request: Request) -> HTTPResponse:
            if _is_ready(getattr(request.app.ctx, "agent", None)):
                return response.json({"status": "ready"})
            return _error(503, "unavailable", "no model loaded")

        @blueprint.post("/model")
        async def model(request: Request) -> HTTPResponse:
            if not self._is_trusted(request):
                return _error(401, "unauthorized", "wrong or missing secret")
            if not _is_ready(getattr(request.app.ctx, "agent", None)):
                return _error(503, "unavailable", "no model loaded")
            try:
                return response.json({"model": await request.app.ctx.models.renew()})
            except ConfigurationError as error:
                log.warning("model_refused", detail=str(error))
                return _error(422, "model_refused", str(error))

        return blueprint

    def _is_trusted(self, request: Request) -> bool:
        return hmac.compare_digest(
            request.headers.get(SECRET_HEADER, "").encode(errors="replace"), self._secret
        )


class TurnOutput(CollectingOutputChannel):
    """Collects what the bot says in one turn.

    The stock collector splits texts at blank lines and separates pictures from their captions.
    """

    def __init__(self, channel: str) -> None:
        """Creates the collector.

        Args:
            channel: Where the message came from; responses for one channel compare with it.
        """
        super().__init__()
        self._channel = channel

    def name(self) -> str:  # type: ignore[override]  # of a channel it is a class method
        """Name of the channel."""
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keeps one message of the bot as a whole."""
        self.messages.append(_outgoing(message))


async def _answer(agent: Any, turn: Turn) -> HTTPResponse:
    """Runs a turn and turns whatever happens into a response."""
    started = time.perf_counter()
    structlog.contextvars.bind_contextvars(correlation_id=turn.metadata.get("correlation_id"))
    try:
        answer = await _run(agent, turn)
    except UnknownPayload as error:
        return _error(422, "unknown_payload", str(error))
    except TurnAborted as aborted:
        return _refusal(aborted.reason, aborted.detail)
    except LockError:
        return _refusal("unavailable", "another message of this conversation takes too long")
    except Exception as error:
        # The traceback stays away from the log: it may quote what a person typed.
        return _refusal("failed", f"{type(error).__name__} in {place_of(error)}")
    milliseconds = round((time.perf_counter() - started) * 1000)
    log.info("turn", intent=answer["intent"], replayed=answer["replayed"], milliseconds=milliseconds)
    return response.json(answer)


async def _run(agent: Any, turn: Turn) -> dict[str, Any]:
    if not _is_ready(agent):
        raise TurnAborted("unavailable", "no model loaded")
    async with agent.lock_store.lock(turn.sender, LOCK_SECONDS, LOCK_POLL_SECONDS):
        try:
            return await asyncio.wait_for(_run_locked(agent.processor, turn), TURN_SECONDS)
        except asyncio.TimeoutError as error:
            raise TurnAborted("unavailable", "the turn took too long") from error


async def _run_locked(processor: StrictProcessor, turn: Turn) -> dict[str, Any]:
    tracker = await processor.get_tracker(turn.sender)
    earlier = _replay(tracker, turn.message_id)
    if earlier is not None:
        return earlier
    parts = parts_begun(tracker, turn)
    if not parts:
        output = TurnOutput(turn.channel)
        message = await to_user_message(turn, processor, tracker, output)
        requests = message.parse_data.pop(REQUESTS, [])
        # A form takes a message as a whole, for it may tell a story.
        if not requests or tracker.active_loop_name:
            await processor.handle_turn(message, tracker)
            return _answer_body(output.messages, message.parse_data["intent"], replayed=False)
        parts = divide(turn, requests)
    return _joined([await _run_part(processor, part) for part in parts])


async def _run_part(processor: StrictProcessor, part: Turn) -> dict[str, Any]:
    """Runs a part of a message, unless it was run before."""
    # Read anew each time: the parts before are saved by now.
    tracker = await processor.get_tracker(part.sender)
    earlier = _replay(tracker, part.message_id)
    if earlier is not None:
        return earlier
    output = TurnOutput(part.channel)
    message = await to_user_message(part, processor, tracker, output)
    message.parse_data.pop(REQUESTS, None)
    await processor.handle_turn(message, tracker)
    return _answer_body(output.messages, message.parse_data["intent"], replayed=False)


def _joined(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The answers to the parts of a message as one; its intent is that of the first."""
    return {
        **answers[0],
        "messages": [message for answer in answers for message in answer["messages"]],
        "replayed": all(answer["replayed"] for answer in answers),
    }


def _replay(tracker: DialogueStateTracker, message_id: str) -> dict[str, Any] | None:
    """Finds the answer to a message that was handled before; the tracker holds only turns that succeeded."""
    for event in tracker.events:
        if isinstance(event, UserUttered) and event.message_id == message_id:
            messages = [_outgoing(answer.message()) for answer in answers_to(tracker, message_id)]
            return _answer_body(messages, event.intent, replayed=True)
    return None


def _outgoing(message: dict[str, Any]) -> dict[str, Any]:
    """The part of a bot message that the gateway renders."""
    return {
        "text": message.get("text"),
        "buttons": message.get("buttons") or [],
        "image": message.get("image"),
        "custom": message.get("custom"),
        "response": message.get("utter_action"),
    }


def _answer_body(messages: list[dict[str, Any]], intent: dict[str, Any], *, replayed: bool) -> dict[str, Any]:
    return {
        "messages": messages,
        "replayed": replayed,
        "intent": intent["name"],
        "confidence": intent["confidence"],
    }


def _is_ready(agent: Any) -> bool:
    # Only a strict agent undoes a failed turn; under `rasa run` the channel refuses.
    return isinstance(agent, StrictAgent) and bool(agent.is_ready())


def _refusal(reason: str, detail: str) -> HTTPResponse:
    log.warning("turn_aborted", reason=reason, detail=detail)
    return _error(503 if reason == "unavailable" else 500, reason, detail)


def _error(status: int, error: str, detail: str) -> HTTPResponse:
    return response.json({"error": error, "detail": detail}, status=status)
