"""A strict fake of the Telegram Bot API on loopback, which keeps texts and breaks on demand."""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from tests.fakes.bot_api_faults import Fault, Faults
from tests.fakes.bot_api_methods import BotMethods
from tests.fakes.bot_api_model import BotApiError, Call, Callback, Params, SentMessage, Upload
from tests.fakes.bot_api_people import People
from tests.fakes.bot_api_state import BotState
from tests.fakes.thread_runner import ThreadRunner
from tests.ports import free_port

TOKEN = "7001:AAH-fake-token-for-loopback-tests-only"
MAX_REQUEST_BYTES = 60 * 1024 * 1024
WATCH_SECONDS = 0.02
BAD_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class FakeBotApi(People, Faults):
    """Telegram for one bot: the Bot API over HTTP for the bot, and its users for the test.

    ``stop`` and ``start`` again keep everything, the port too, so a test can take Telegram away for a while.

    Attributes:
        token: the bot's token.
    """

    def __init__(self, token: str = TOKEN, *, redeliver: int = 1, seed: int = 0) -> None:
        """Prepare the fake.

        Args:
            token: the only token that is let in.
            redeliver: each update is delivered between one and this many times, whatever is confirmed.
            seed: of the choice how often.
        """
        state = BotState(token)
        state.queue.redeliver_up_to(redeliver, seed)
        People.__init__(self, state)
        Faults.__init__(self)
        self.token = token
        self._methods = BotMethods(state)
        self._runner: web.AppRunner | None = None
        self._port = 0

    @classmethod
    def start_in_thread(
        cls, token: str = TOKEN, *, redeliver: int = 1, seed: int = 0
    ) -> "ThreadRunner[FakeBotApi]":
        """Start a fake in a thread of its own, to be driven from a synchronous test."""
        return ThreadRunner(cls(token, redeliver=redeliver, seed=seed))

    @property
    def base_url(self) -> str:
        """Address of the server; the Bot API is below ``/bot<token>``, files below ``/file/bot<token>``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def violations(self) -> list[str]:
        """What Telegram would let pass, but a careful client does not do; empty after a good test."""
        return self.state.violations

    async def start(self) -> None:
        """Listen on a free port, or again on the one used before."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_route("*", "/bot{token}/{method}", self._handle_call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._handle_download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._port = self._port or free_port()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self.state.webhook.resume()

    async def stop(self) -> None:
        """Refuse connections and break the open ones."""
        await self.state.webhook.pause()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def messages(self, chat_id: int | None = None) -> list[SentMessage]:
        """The bot's messages in a chat (or in all), oldest first, as they stand now."""
        return [message for message in list(self.state.sent.values()) if chat_id in (None, message.chat_id)]

    def topic_messages(self, chat_id: int, thread_id: int) -> list[SentMessage]:
        """The bot's messages in a topic, oldest first, as they stand now."""
        return [message for message in self.messages(chat_id) if message.thread_id == thread_id]

    def calls(self, method: str) -> list[Call]:
        """All requests of one method, oldest first."""
        return [call for call in list(self.state.calls) if call.method == method]

    def unanswered_callbacks(self) -> list[Callback]:
        """Pressed buttons whose query was not answered."""
        return [callback for callback in list(self.state.callbacks.values()) if not callback.answered]

    def pending_updates(self) -> list[int]:
        """Ids of the updates that are not confirmed (or still to be repeated)."""
        return [update.update_id for update in self.state.queue.pending()]

    def max_rate(self, chat_id: int | None = None, seconds: float = 1.0) -> int:
        """The most messages that were accepted within any such span of time.

        Args:
            chat_id: of one chat; None counts the whole bot.
            seconds: length of the span.
        """
        times = [
            call.at
            for call in list(self.state.calls)
            if call.method.startswith("send")
            and call.method != "sendChatAction"
            and call.status == 200
            and chat_id in (None, call.chat_id)
        ]
        return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)

    async def wait_until(
        self, condition: Callable[[], bool], timeout: float, what: str = "the condition"
    ) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: naming what did not come true within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come true within {timeout} s")
            await asyncio.sleep(WATCH_SECONDS)

    async def wait_for_messages(self, chat_id: int, count: int, timeout: float = 30.0) -> list[SentMessage]:
        """Wait until the bot has sent that many messages to a chat, and return all of them.

        Raises:
            TimeoutError: with the texts that did come, when fewer came within `timeout` seconds.
        """
        try:
            await self.wait_until(lambda: len(self.messages(chat_id)) >= count, timeout)
        except TimeoutError:
            texts = [message.plain for message in self.messages(chat_id)]
            raise TimeoutError(f"{count} messages expected in chat {chat_id}, got {texts}") from None
        return self.messages(chat_id)

    async def _handle_call(self, request: web.Request) -> web.StreamResponse:
        params = await _read_params(request)
        call = Call(request.match_info["method"], params.fields, time.monotonic())
        self.state.calls.append(call)
        fault = self.take(call.method, call.chat_id)
        if fault.when == "before" and not await self._let_through(request, fault):
            return web.Response()
        answer = await self._answer(request, params, fault)
        call.status = answer.status
        if fault.when == "after" and not await self._let_through(request, fault):
            return web.Response()
        return answer

    async def _let_through(self, request: web.Request, fault: Fault) -> bool:
        """Hang or break the connection as the fault says; whether the request may go on."""
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        return not fault.drop

    async def _answer(self, request: web.Request, params: Params, fault: Fault) -> web.Response:
        if fault.error is not None and fault.error.status == 502:
            return web.Response(status=502, text=BAD_GATEWAY_PAGE, content_type="text/html")
        try:
            if fault.error is not None:
                raise fault.error
            if request.match_info["token"] != self.token:
                raise BotApiError(401, "Unauthorized")
            result = await self._methods.call(request.match_info["method"], params)
        except BotApiError as error:
            return web.json_response(error.as_json(), status=error.status)
        return web.json_response({"ok": True, "result": result})

    async def _handle_download(self, request: web.Request) -> web.StreamResponse:
        call = Call("file", {"path": request.match_info["path"]}, time.monotonic())
        self.state.calls.append(call)
        fault = self.take("file", None)
        if not await self._let_through(request, fault):
            return web.Response()
        if fault.error is not None:
            call.status = fault.error.status
            return web.json_response(fault.error.as_json(), status=fault.error.status)
        found = [file for file in self.state.files.values() if file.path == request.match_info["path"]]
        if request.match_info["token"] != self.token or not found:
            call.status = 404
            return web.json_response(BotApiError(404, "Not Found").as_json(), status=404)
        call.status = 200
        return web.Response(body=found[0].content, content_type="application/octet-stream")


async def _read_params(request: web.Request) -> Params:
    """Parameters from the address and from a JSON, urlencoded or multipart body."""
    fields: dict[str, object] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        body = await request.json()
        fields |= body if isinstance(body, dict) else {}
        return Params(fields, uploads)
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            uploads[name] = Upload(value.filename, value.file.read())
        else:
            fields[name] = value if isinstance(value, str) else bytes(value).decode()
    return Params(fields, uploads)
