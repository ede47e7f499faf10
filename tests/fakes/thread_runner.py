"""Runs an asynchronous fake in a thread of its own, so that a synchronous test can drive it."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class Server(Protocol):
    """What the runner needs of a fake."""

    async def start(self) -> None:
        """Begin to listen."""

    async def stop(self) -> None:
        """Stop listening and end every open request."""


FakeT = TypeVar("FakeT", bound=Server)
ResultT = TypeVar("ResultT")


class ThreadRunner(Generic[FakeT]):
    """A started fake and the event loop that serves it, for use from another thread.

    ``runner.run(runner.fake.send_text(user, "سلام"))`` runs a driving step and returns its result. Use it as
    a context manager, or call `stop`.
    """

    def __init__(self, fake: FakeT) -> None:
        self.fake = fake
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=type(fake).__name__, daemon=True)
        self._thread.start()
        self.run(fake.start())

    def run(self, step: Coroutine[Any, Any, ResultT], timeout: float = 60.0) -> ResultT:
        """Run one asynchronous step on the fake's loop.

        Args:
            step: the coroutine, such as ``fake.send_text(user, "سلام")``.
            timeout: seconds to wait for it.

        Raises:
            concurrent.futures.TimeoutError: when the step takes longer.
        """
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(timeout)

    def stop(self) -> None:
        """Stop the fake, its loop and its thread."""
        self.run(self.fake.stop())
        self.run(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def __enter__(self) -> "ThreadRunner[FakeT]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


async def _cancel_the_rest() -> None:
    """End requests that still hang, so that none is destroyed with its loop."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
