"""Any order of answers, corrections, cancels and lost sessions gives the last thing said for each field."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from crm_store.db import Database
from tests.conversations import telling
from tests.conversations.held import held_of
from tests.conversations.telling import ASKS_CATEGORY, ASKS_DESCRIPTION, SUMMARY, Ledger, parsed
from tests.conversations.terminal import CHANNEL, TerminalCustomer, unique_name
from tests.e2e.product import Product

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(1800)]

EXAMPLES, SOAK_EXAMPLES = 25, 300
STEPS = 12
#: More answers than a complaint has questions.
QUESTIONS = 10

_names = itertools.count(1)


class AnyOrder(RuleBasedStateMachine):
    """Says anything in any order and keeps the ledger of what was said."""

    product: Product
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.customer = TerminalCustomer(
            self.product, self.database, name=unique_name(f"any-order-{next(_names)}")
        )
        self.ledger = Ledger()
        self._told_numbers = itertools.count(1)

    @property
    def is_open(self) -> bool:
        """Whether a story has been told that is not filed or dropped."""
        return self.ledger.current is not None

    @property
    def own_buttons(self) -> dict[str, str]:
        """Buttons of the complaint's questions below the last message."""
        return {
            title: payload
            for title, payload in self.customer.buttons.items()
            if parsed(payload)[0] in telling.BUTTONS
        }

    @rule(story=strategies.sampled_from(list(telling.STORIES)))
    def tell_a_story(self, story: str) -> None:
        self.ledger.tell_story(story, telling.STORIES[story], heard=self.customer.heard)
        self.customer.say(story)

    @precondition(lambda self: self.is_open and not self.customer.heard & ASKS_DESCRIPTION)
    @rule(sentence=strategies.sampled_from(telling.ORDER_SENTENCES))
    def tell_the_order_number(self, sentence: str) -> None:
        number = str(4100 + next(self._told_numbers))
        self.ledger.begin().order_number = number
        self.customer.say(sentence.format(number))

    @precondition(lambda self: self.is_open and not self.customer.heard & ASKS_DESCRIPTION)
    @rule(remedy=strategies.sampled_from(list(telling.REMEDIES)))
    def tell_the_remedy(self, remedy: str) -> None:
        self.ledger.begin().remedy = remedy
        self.customer.say(telling.REMEDIES[remedy])

    @precondition(lambda self: self.is_open and not self.customer.heard & ASKS_DESCRIPTION)
    @rule(sentence=strategies.sampled_from(telling.PHONE_SENTENCES))
    def tell_the_phone(self, sentence: str) -> None:
        digits = f"0912555{next(self._told_numbers):04}"
        self.ledger.tell_phone(f"+98{digits[1:]}")
        self.customer.say(sentence.format(digits))

    @precondition(lambda self: self.is_open and self.ledger.current.category in telling.CATEGORY_WORDS)
    @precondition(lambda self: not self.customer.heard & (ASKS_DESCRIPTION | ASKS_CATEGORY))
    @rule(category=strategies.sampled_from(list(telling.CATEGORY_WORDS)))
    def correct_the_category_in_words(self, category: str) -> None:
        told = self.ledger.begin()
        if told.category is None or told.category == category:
            return
        words = telling.CATEGORY_WORDS
        self.customer.say(f"نه، {words[told.category]} نبود، {words[category]} بود")
        told.category = category

    @precondition(lambda self: self.customer.heard & ASKS_CATEGORY)
    @rule(category=strategies.sampled_from(list(telling.CATEGORY_WORDS)))
    def name_the_category(self, category: str) -> None:
        self.ledger.begin().category = category
        self.customer.say(telling.CATEGORY_WORDS[category])

    @precondition(lambda self: self.own_buttons)
    @rule(data=strategies.data())
    def press_a_button(self, data: strategies.DataObject) -> None:
        self._press(data.draw(strategies.sampled_from(list(self.own_buttons))))

    def _press(self, title: str) -> None:
        self.ledger.press(self.own_buttons[title])
        self.customer.press(title)

    @rule()
    def send_a_photo(self) -> None:
        self.ledger.add_file()
        self.customer.send_photo()

    @rule(text=strategies.sampled_from(telling.DIGRESSIONS))
    def ask_something_else(self, text: str) -> None:
        self.customer.say(text)

    @rule(text=strategies.sampled_from(telling.CANCELLATIONS))
    def cancel(self, text: str) -> None:
        self.ledger.cancel()
        self.customer.say(text)

    @precondition(lambda self: self.is_open)
    @rule()
    def lose_the_session_and_go_on(self) -> None:
        self.customer.lose_session()
        self.customer.say(telling.STARTING)

    def teardown(self) -> None:
        """Bring what is open to its end and compare the store."""
        for _ in range(QUESTIONS):
            if not self.is_open:
                break
            if SUMMARY in self.customer.heard:
                self._press(next(title for title, one in self.own_buttons.items() if "affirm" in one))
            elif self.customer.heard & ASKS_DESCRIPTION:
                self.tell_a_story(next(iter(telling.STORIES)))
            elif self.own_buttons:
                self._press(next(reversed(self.own_buttons)))
            else:
                self.customer.say(telling.STARTING)
        with self.database.read() as session:
            held = held_of(session, channel=CHANNEL, chat_id=self.customer.name)
        filed = [msgspec.structs.replace(one, code="") for one in held.complaints]
        assert filed == self.ledger.filed, self.customer.log()
        assert not self.is_open, self.customer.log()


@pytest.fixture
def any_order(answering_product: Product) -> type[AnyOrder]:
    AnyOrder.product, AnyOrder.database = answering_product, answering_product.database()
    return AnyOrder


def test_any_order_gives_the_last_thing_said_for_each_field(
    any_order: Callable[[], AnyOrder], soak: bool
) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # untyped library
        any_order,
        settings=settings(
            max_examples=SOAK_EXAMPLES if soak else EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=not soak,
            deadline=None,
            database=None,
            # Making a failing example small takes minutes; the conversation itself is told all the same.
            phases=(Phase.generate, Phase.shrink) if soak else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
