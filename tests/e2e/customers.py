"""Customers who write at the same time, each waiting for an answer before going on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.conversations.matcher import ResponseMatcher
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_model import SentMessage, User
from tests.fakes.thread_runner import ThreadRunner

PATIENCE_SECONDS = 240.0
STORY = "غذایی که دیشب آوردید یخ کرده بود و پیک یک ساعت دیر رسید، سفارش 77{number}، پولم را پس می‌خواهم"


@dataclass(frozen=True)
class Step:
    """One message of a customer: a text, or a press of a button by part of its title."""

    expect: str
    text: str = ""
    press: str = ""


COMPLAINT_STEPS = (
    Step("utter_greet", text="سلام وقت بخیر"),
    Step("utter_ask_complaint_phone", text=STORY),
    Step("utter_complaint_summary", text="بدون شماره"),
    Step("utter_complaint_filed", press="ثبت"),
    Step("utter_complaint_state", text="شکایت من به کجا رسید؟"),
)


class Customer:
    """Somebody who files one complaint and asks for its state.

    Args:
        telegram: the fake that the product polls.
        number: tells the customer and the story from others.
    """

    def __init__(self, telegram: ThreadRunner[FakeBotApi], *, number: int) -> None:
        self._telegram = telegram
        self._number = number
        self.matcher = ResponseMatcher()
        self.user: User = telegram.fake.user(number, f"مشتری {number}")

    async def complain(self, may_go_on: Callable[[int], bool] = lambda _step: True) -> None:
        """Take every step; runs on the fake's event loop.

        Args:
            may_go_on: asked before each step, with its number from 0, until it says yes.

        Raises:
            TimeoutError: naming the answer that did not come.
        """
        for number, step in enumerate(COMPLAINT_STEPS):
            await self._telegram.fake.wait_until(lambda n=number: may_go_on(n), 1800.0)
            await self.take(step)

    async def take(self, step: Step) -> None:
        """Say one thing and wait for the answer.

        Raises:
            TimeoutError: naming the answer that did not come.
        """
        fake = self._telegram.fake
        before = len(fake.messages(self.user.id))
        if step.press:
            await fake.press(self.user, self._message_with(step.press), step.press)
        else:
            await fake.send_text(self.user, step.text.format(number=self._number))

        def answers() -> list[str]:
            return [message.plain for message in fake.messages(self.user.id)[before:]]

        try:
            await fake.wait_until(
                lambda: any(step.expect in self.matcher.names(answer) for answer in answers()),
                PATIENCE_SECONDS,
            )
        except TimeoutError:
            raise TimeoutError(f"customer {self._number} expected {step.expect}, got {answers()}") from None

    def _message_with(self, title: str) -> SentMessage:
        messages = reversed(self._telegram.fake.messages(self.user.id))
        return next(m for m in messages if any(title in button.title for button in m.buttons))
