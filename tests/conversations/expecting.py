"""What a turn of a script expects to hear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conversations.matcher import ResponseMatcher
from tests.fakes.bot_api_model import SentMessage

#: Told when an answer is late, as after a restart; it stands beside the answer itself.
LATE = "utter_trouble"

EXPECTATIONS = {
    "expect_response",
    "expect_any",
    "expect_all",
    "expect_none",
    "expect_silence",
    "expect_buttons_contain",
    "expect_buttons_lack",
    "expect_text_contains",
    "expect_text_lacks",
}


class Heard:
    """What came in a chat.

    Args:
        messages: of the bot, in order.
        matcher: tells of which response each was made.

    Attributes:
        names: responses that each of the messages may have been made of.
    """

    def __init__(self, messages: list[SentMessage], matcher: ResponseMatcher) -> None:
        self.texts = [message.plain for message in messages]
        self.titles = [button.title for message in messages for button in message.buttons]
        self.names = [matcher.names(text) for text in self.texts]

    @property
    def all_names(self) -> set[str]:
        """The responses of all messages together."""
        return set().union(*self.names) - {LATE}

    def has_what_is_awaited(self, turn: Mapping[str, Any]) -> bool:
        """Whether all responses came that a turn says must come."""
        one_of = turn.get("expect_any")
        return _awaited(turn) <= self.all_names and (not one_of or bool(self.all_names & set(one_of)))

    def check(self, turn: Mapping[str, Any], *, where: str) -> None:
        """Compare what came with what a turn expects.

        Raises:
            AssertionError: naming what was expected and what came.
        """
        got, texts = self.all_names, self.texts
        missing = _awaited(turn) - got
        assert not missing, f"{where}: expected {missing}, got {texts}"
        if "expect_any" in turn:
            assert got & set(turn["expect_any"]), (
                f"{where}: expected one of {turn['expect_any']}, got {texts}"
            )
        surprising = got & set(listed(turn.get("expect_none")))
        assert not surprising, f"{where}: {surprising} came: {texts}"
        for part in listed(turn.get("expect_buttons_contain")):
            assert any(part in title for title in self.titles), f"{where}: no button {part} in {self.titles}"
        for part in listed(turn.get("expect_buttons_lack")):
            assert not any(part in title for title in self.titles), f"{where}: button {part} in {self.titles}"
        for part in listed(turn.get("expect_text_contains")):
            assert any(part in text for text in texts), f"{where}: {part} is not said in {texts}"
        for part in listed(turn.get("expect_text_lacks")):
            assert not any(part in text for text in texts), f"{where}: {part} is said in {texts}"
        if turn.get("expect_silence"):
            assert not texts, f"{where}: nothing was to be said, got {texts}"
        else:
            assert texts or not turn.keys() & EXPECTATIONS, f"{where}: nothing was answered"


def listed(value: str | list[str] | None) -> list[str]:
    """One thing or several, as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def _awaited(turn: Mapping[str, Any]) -> set[str]:
    return {*listed(turn.get("expect_response")), *listed(turn.get("expect_all"))}
