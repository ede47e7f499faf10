"""What a turn of a script expects to hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.conversations.matcher import ResponseMatcher
from tests.fakes.bot_api_model import SentMessage

#: Told when an answer is late, as after a restart; it stands beside the answer itself.
LATE = "utter_trouble"

#: What stands in a chat at the end of a turn, whenever it was written: messages may be changed later.
SHOWN = {"expect_shown", "expect_not_shown"}
#: What a button in a topic answers whoever presses it, beside the chat; looked at when it is pressed.
ALERT = "expect_alert"
EXPECTATIONS = {
    *SHOWN,
    ALERT,
    "expect_media",
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
        shown: all that stands in the chat by now.

    Attributes:
        names: responses that each of the messages may have been made of.
    """

    def __init__(
        self, messages: list[SentMessage], matcher: ResponseMatcher, shown: Sequence[SentMessage] = ()
    ) -> None:
        self.texts = [bare(message.plain) for message in messages]
        self.titles = [button.title for message in messages for button in message.buttons]
        self._kinds = {message.kind for message in messages}
        self._shown = [bare(message.plain) for message in shown]
        self.names = [matcher.names(message.plain) for message in messages]

    @property
    def all_names(self) -> set[str]:
        """The responses of all messages together."""
        return set().union(*self.names) - {LATE}

    def fits(self, turn: Mapping[str, Any]) -> bool:
        """Whether all is as a turn expects it."""
        try:
            self.check(turn, where="")
        except AssertionError:
            return False
        return True

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
        for part in listed(turn.get("expect_shown")):
            assert any(part in text for text in self._shown), f"{where}: {part} is not shown in {self._shown}"
        for part in listed(turn.get("expect_not_shown")):
            assert not any(part in text for text in self._shown), f"{where}: {part} is shown: {self._shown}"
        lacking = {*listed(turn.get("expect_media"))} - self._kinds
        assert not lacking, f"{where}: no {lacking} came, but {self._kinds}: {texts}"
        if turn.get("expect_silence"):
            assert not texts, f"{where}: nothing was to be said, got {texts}"
        else:
            assert texts or not turn.keys() & (EXPECTATIONS - SHOWN - {ALERT}), (
                f"{where}: nothing was answered"
            )


def listed(value: str | list[str] | None) -> list[str]:
    """One thing or several, as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def bare(text: str) -> str:
    """A text without the marks that keep names from disturbing what stands around them."""
    return text.replace("\u2068", "").replace("\u2069", "")


def _awaited(turn: Mapping[str, Any]) -> set[str]:
    return {*listed(turn.get("expect_response")), *listed(turn.get("expect_all"))}
