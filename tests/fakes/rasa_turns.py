"""A strict stand-in for the connector that Rasa serves to the gateway, for tests that need no Rasa."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from aiohttp import web

from tests.fakes.thread_runner import ThreadRunner
from tests.ports import free_port

Turn = dict[str, Any]
Reply = dict[str, Any]
SECRET = "loopback-test-secret"
CHANNELS = {"telegram", "bale", "web", "terminal"}
FIELDS = {"sender", "message_id", "channel", "text", "payload", "attachments", "contact", "metadata"}
REFUSALS = {422: "unknown payload", 500: "failed", 503: "unavailable"}
METADATA = {"correlation_id": str, "audience": str, "edited": bool, "expected": (dict, type(None))}
EXPECTED = {"what": str, "ticket": str, "is_latest": bool}


@dataclass
class RasaFault:
    """What happens to the next turns.

    Attributes:
        times: turns still to be hit.
        status: 422, 500 or 503 to refuse with; 0 to go on.
        seconds: how long the answer takes, the turn being done already.
        empty: whether the turn is answered with no message at all.
        drop: whether the connection is closed when the turn is done.
        until: what the answer waits for, the turn being done already.
    """

    times: int
    status: int = 0
    seconds: float = 0.0
    empty: bool = False
    drop: bool = False
    until: asyncio.Event | None = None


class FakeRasa:
    """The connector's two routes, answering what the test wants.

    ``stop`` and ``start`` again make Rasa unreachable for a while, on the same port and with the same memory.

    Attributes:
        secret: what the header X-Peyvand-Secret must hold.
        on_turn: makes the messages of a new turn from its body; an error it raises becomes 500.
        turns: every well-formed request, repeats and failed ones too.
        handled: the requests that reached `on_turn`.
        violations: broken rules of the interface; empty after a good test.
        is_ready: what the readiness route says.
    """

    def __init__(self, on_turn: Callable[[Turn], list[Reply]] | None = None, *, secret: str = SECRET) -> None:
        self.secret = secret
        self.on_turn = on_turn or _echo
        self.turns: list[Turn] = []
        self.handled: list[Turn] = []
        self.violations: list[str] = []
        self.is_ready = True
        self._answers: dict[str, tuple[Turn, dict[str, Any]]] = {}
        self._faults: list[RasaFault] = []
        self._open: list[tuple[web.Request, Turn]] = []
        self._runner: web.AppRunner | None = None
        self._port = 0

    @classmethod
    def start_in_thread(
        cls, on_turn: Callable[[Turn], list[Reply]] | None = None
    ) -> "ThreadRunner[FakeRasa]":
        """Start a fake in a thread of its own, to be driven from a synchronous test."""
        return ThreadRunner(cls(on_turn))

    @property
    def base_url(self) -> str:
        """Address that the gateway is given as Rasa's."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen on a free port, or again on the one used before."""
        app = web.Application()
        app.router.add_post("/webhooks/gateway/turn", self._turn)
        app.router.add_get("/webhooks/gateway/ready", self._ready)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._port = self._port or free_port()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()

    async def stop(self) -> None:
        """Refuse connections and break the open ones."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def fail_next(self, times: int = 1, *, status: Literal[422, 500, 503] = 503) -> None:
        """Refuse the next turns: 503 in an outage, 500 for one that was undone, 422 for a strange payload."""
        self._faults.append(RasaFault(times, status=status))

    def slow_next(self, seconds: float, times: int = 1) -> None:
        """Do the next turns at once, but answer late."""
        self._faults.append(RasaFault(times, seconds=seconds))

    def hold_next(self) -> asyncio.Event:
        """Do the next turn, but answer only when the event that is returned is set."""
        released = asyncio.Event()
        self._faults.append(RasaFault(1, until=released))
        return released

    def empty_next(self, times: int = 1) -> None:
        """Answer the next turns with no message, as stock Rasa does when an action fails."""
        self._faults.append(RasaFault(times, empty=True))

    def drop_next(self, times: int = 1) -> None:
        """Do the next turns, but close the connection instead of answering."""
        self._faults.append(RasaFault(times, drop=True))

    def turns_of(self, sender: str) -> list[Turn]:
        """The requests for one conversation, oldest first."""
        return [turn for turn in list(self.turns) if turn["sender"] == sender]

    async def _ready(self, request: web.Request) -> web.Response:
        if not self.is_ready:
            return web.json_response({"error": "unavailable"}, status=503)
        return web.json_response({"status": "ready"})

    async def _turn(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Peyvand-Secret") != self.secret:
            return web.json_response({"error": "unauthorized"}, status=401)
        body = await request.json()
        broken = broken_rules(body)
        if broken:
            self.violations += broken
            return web.json_response({"error": "invalid", "details": broken}, status=400)
        self.turns.append(body)
        self._check_order(body)
        self._open.append((request, body))
        try:
            return await self._answer(request, body)
        finally:
            self._open.remove((request, body))

    def _check_order(self, turn: Turn) -> None:
        """One conversation has one turn at a time; a client that gave up on one may go on."""
        for request, other in self._open:
            waiting = request.transport is not None and not request.transport.is_closing()
            if waiting and other["sender"] == turn["sender"] and other["message_id"] != turn["message_id"]:
                self.violations.append(f"two turns of conversation {turn['sender']} at the same time")

    async def _answer(self, request: web.Request, turn: Turn) -> web.Response:
        fault = self._take_fault()
        if fault.status:
            return web.json_response({"error": REFUSALS[fault.status]}, status=fault.status)
        if fault.empty:
            return web.json_response({"messages": [], "replayed": False})
        try:
            answer = self._remembered(turn) or self._new_answer(turn)
        except Exception as error:  # whatever the test's handler raises stands for a failed action
            return web.json_response({"error": "failed", "details": repr(error)}, status=500)
        await asyncio.sleep(fault.seconds)
        if fault.until is not None:
            await fault.until.wait()
        if fault.drop and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    def _take_fault(self) -> RasaFault:
        if not self._faults:
            return RasaFault(times=0)
        fault = self._faults[0]
        fault.times -= 1
        if fault.times == 0:
            self._faults.pop(0)
        return fault

    def _remembered(self, turn: Turn) -> dict[str, Any] | None:
        """The first answer to this message id; None for a new one."""
        if turn["message_id"] not in self._answers:
            return None
        first, answer = self._answers[turn["message_id"]]
        if any(first[name] != turn[name] for name in FIELDS - {"metadata"}):
            self.violations.append(f"message_id {turn['message_id']} came again with another content")
        return answer | {"replayed": True}

    def _new_answer(self, turn: Turn) -> dict[str, Any]:
        self.handled.append(turn)
        answer = {"messages": self.on_turn(turn), "replayed": False, "intent": "", "confidence": 1.0}
        self._answers[turn["message_id"]] = turn, answer
        return answer


def broken_rules(body: object) -> list[str]:
    """What is wrong with the body of a turn; empty when it is well formed."""
    if not isinstance(body, dict) or set(body) != FIELDS:
        return [f"a turn has exactly the fields {sorted(FIELDS)}: {body}"]
    rules = {
        "sender is a number in a string": _is_number(body["sender"]),
        "message_id is a number in a string": _is_number(body["message_id"]),
        "channel is known": body["channel"] in CHANNELS,
        "text is null or not empty": _is_text_or_null(body["text"]),
        "payload is null or starts with a slash": _is_text_or_null(body["payload"], start="/"),
        "contact is null or an international number": _is_text_or_null(body["contact"], start="+"),
        "attachments are ids and kinds": _are_attachments(body["attachments"]),
        "exactly one of text, payload, attachments or contact is given": _has_one_content(body),
        "metadata is complete": _is_metadata(body["metadata"]),
    }
    return [f"{rule}: {body}" for rule, holds in rules.items() if not holds]


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _is_text_or_null(value: object, start: str = "") -> bool:
    return value is None or (isinstance(value, str) and value != "" and value.startswith(start))


def _are_attachments(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and set(item) == {"id", "kind"}
        and type(item["id"]) is int
        and isinstance(item["kind"], str)
        for item in value
    )


def _has_one_content(body: Turn) -> bool:
    """Attachments may come with a text, which is their caption."""
    if body["payload"] is not None:
        return body["text"] is None and not body["attachments"] and body["contact"] is None
    if body["text"] is not None:
        return body["contact"] is None
    return bool(body["attachments"]) or body["contact"] is not None


def _is_metadata(value: object) -> bool:
    if not _has_fields(value, METADATA):
        return False
    expected = value["expected"]
    return expected is None or _has_fields(expected, EXPECTED)


def _has_fields(value: object, fields: Mapping[str, Any]) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(value, dict)
        and set(value) == set(fields)
        and all(isinstance(value[name], kind) for name, kind in fields.items())
    )


def _echo(turn: Turn) -> list[Reply]:
    return [{"text": f"echo {turn['message_id']}"}]
