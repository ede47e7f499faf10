"""Faults that a test asks for, used up one request at a time."""

from dataclasses import dataclass
from typing import Literal

from tests.fakes.bot_api_model import BotApiError

When = Literal["before", "after"]
DESCRIPTIONS = {
    400: "Bad Request: injected failure",
    403: "Forbidden: bot was blocked by the user",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


@dataclass
class Fault:
    """What happens to the next matching requests.

    Attributes:
        method: Bot API method, or "file" for downloads.
        times: requests still to be hit.
        chat_id: only requests for this chat; None for any.
        error: the refusal to answer with instead of handling the request.
        seconds: how long the request hangs.
        drop: whether the connection is closed without an answer.
        when: before the request is handled, or after it took effect.
    """

    method: str
    times: int
    chat_id: int | None = None
    error: BotApiError | None = None
    seconds: float = 0.0
    drop: bool = False
    when: When = "before"


NO_FAULT = Fault(method="", times=0)


class Faults:
    """The faults to come; the oldest that matches a request is used first."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def take(self, method: str, chat_id: int | None) -> Fault:
        """The fault for this request; one that does nothing when none was asked for."""
        for fault in self._queue:
            if fault.method == method and fault.chat_id in (None, chat_id):
                fault.times -= 1
                if fault.times == 0:
                    self._queue.remove(fault)
                return fault
        return NO_FAULT

    def clear(self) -> None:
        """Forget the faults to come."""
        self._queue.clear()

    def fail_next(
        self,
        method: str,
        times: int = 1,
        *,
        status: int = 429,
        retry_after: int | None = None,
        description: str | None = None,
        chat_id: int | None = None,
    ) -> None:
        """Refuse the next requests without handling them.

        Args:
            method: Bot API method, or "file" for downloads.
            times: how many requests.
            status: 400, 403, 429, 500, 502 or any other.
            retry_after: whole seconds, for 429 (1 when not given).
            description: Telegram's wording; a usual one when not given.
            chat_id: only requests for this chat.
        """
        if status == 429:
            retry_after = retry_after or 1
        wording = description or DESCRIPTIONS.get(status, f"Too Many Requests: retry after {retry_after}")
        self._queue.append(Fault(method, times, chat_id, BotApiError(status, wording, retry_after)))

    def hang_next(
        self,
        method: str,
        seconds: float,
        *,
        times: int = 1,
        when: When = "before",
        chat_id: int | None = None,
    ) -> None:
        """Let the next requests wait, before they are handled or between their effect and the answer."""
        self._queue.append(Fault(method, times, chat_id, seconds=seconds, when=when))

    def drop_next(
        self, method: str, when: When = "before", *, times: int = 1, chat_id: int | None = None
    ) -> None:
        """Close the connection of the next requests, before they are handled or after they took effect."""
        self._queue.append(Fault(method, times, chat_id, drop=True, when=when))

    def conflict_next(self, times: int = 1) -> None:
        """Answer the next getUpdates with 409, as when somebody else polls with the same token."""
        self.fail_next("getUpdates", times, status=409)
