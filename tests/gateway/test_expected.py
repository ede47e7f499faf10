"""What the dialogue is told beside a message: the question of ours that it may answer, and who writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.following import answer_question
from crm_store.complaints.models import Complaint
from crm_store.complaints.resolution import resolve
from crm_store.complaints.working import ask_customer
from crm_store.conversations.models import Conversation, Message
from crm_store.conversations.service import customer_of
from crm_store.staff.invitations import invite
from tests.factories import RULES, a_complaint, an_inbox_id
from tests.gateway.conftest import Setup

SARA = 7


class Case:
    """A customer who has filed a complaint and is chatting."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.sara = setup.telegram.user(SARA, "سارا")
        self.code = ""

    async def write(self, text: str = "سلام") -> dict[str, Any] | None:
        """Write something; what the dialogue is told to expect."""
        answered = len(self.setup.telegram.messages(SARA)) + 1
        await self.setup.telegram.send_text(self.sara, text)
        await self.setup.telegram.wait_for_messages(SARA, answered)
        await self.sent()
        return self.expected()

    def expected(self) -> dict[str, Any] | None:
        """What the dialogue was told to expect last."""
        told: dict[str, Any] | None = self.setup.rasa.turns[-1]["metadata"]["expected"]
        return told

    async def file(self) -> None:
        """File a complaint."""
        await self.write()
        self.code = self.setup.write(lambda session: a_complaint(session, self._chat(session)).code)

    async def is_told(self, change: Any) -> None:
        """Something is done with the complaint of which the customer is told."""
        told = len(self.setup.telegram.messages(SARA)) + 1
        self.setup.write(lambda session: change(session, session.query(Complaint).one()))
        await self.setup.telegram.wait_for_messages(SARA, told)
        await self.sent()

    async def sent(self) -> None:
        """Wait until everything that left stands in the transcript."""

        def is_noted() -> bool:
            lines = self.setup.read(lambda session: session.query(Message).filter_by(author="bot").count())
            return bool(lines == len(self.setup.telegram.messages(SARA)))

        await self.setup.until(is_noted, "the transcript")

    def _chat(self, session: Session) -> Conversation:
        return session.query(Conversation).one()


@pytest.fixture
def case(setup: Setup) -> Case:
    return Case(setup)


def decide(session: Session, complaint: Complaint) -> None:
    told: dict[str, Any] = {"decision": "upheld", "root_cause": "carrier", "explanation": "دیر رسید."}
    resolve(session, complaint, **told, actor="operator", role="admin", rules=RULES)


def ask(session: Session, complaint: Complaint) -> None:
    ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)


async def test_without_a_question_nothing_is_expected(setup: Setup, case: Case) -> None:
    async with setup.running():
        assert await case.write() is None
        await case.file()
        assert await case.write("ممنون") is None


async def test_after_a_decision_the_next_message_may_say_whether_it_is_solved(
    setup: Setup, case: Case
) -> None:
    async with setup.running():
        await case.file()
        await case.is_told(decide)
        asked = {"what": "solved", "ticket": case.code, "is_latest": True}
        assert await case.write("آره") == asked
        assert await case.write("ممنون") is None


async def test_a_question_of_the_staffs_is_the_latest_at_first_and_still_open_two_days_later(
    setup: Setup, case: Case
) -> None:
    def two_days_pass(session: Session) -> None:
        for line in session.query(Message):
            line.created_at = utcnow() - timedelta(days=2)

    async with setup.running():
        await case.file()
        await case.is_told(ask)
        asked = {"what": "answer", "ticket": case.code, "is_latest": True}
        assert await case.write("ساعت کارتون؟") == asked
        setup.write(two_days_pass)
        assert await case.write("سلام") == {**asked, "is_latest": False}
        await setup.telegram.send_photo(case.sara)
        await setup.until(lambda: setup.rasa.turns[-1]["attachments"], "the photo")
        assert case.expected() == {**asked, "is_latest": False}


async def test_an_answered_question_is_expected_no_more(setup: Setup, case: Case) -> None:
    def answer(session: Session) -> None:
        chat = session.query(Conversation).one()
        answer_question(
            session,
            customer_id=customer_of(chat),
            code=case.code,
            inbox_id=an_inbox_id(session, chat),
            rules=RULES,
            text="آبی",
        )

    async with setup.running():
        await case.file()
        await case.is_told(ask)
        await case.write("آبی")
        setup.write(answer)
        assert await case.write("ممنون") is None


async def test_a_button_below_a_decision_names_its_complaint(setup: Setup, case: Case) -> None:
    async with setup.running():
        await case.file()
        await case.is_told(decide)
        decision = setup.telegram.messages(SARA)[-1]
        await setup.telegram.press(case.sara, decision, decision.buttons[0].title)
        await setup.until(lambda: setup.rasa.turns[-1]["payload"], "the press")
    assert setup.rasa.turns[-1]["payload"] == f'/confirm_solved{{"ticket": "{case.code}"}}'


async def test_a_reply_that_asks_something_is_expected_to_be_answered(setup: Setup, case: Case) -> None:
    asks: dict[str, Any] = {"what": "solved", "ticket": "12345678"}
    setup.rasa.on_turn = lambda _: [{"text": "آیا مشکل حل شد؟", "custom": {"expects": asks}}]
    async with setup.running():
        assert await case.write("شکایتم چی شد") is None
        assert await case.write("بله") == {**asks, "is_latest": True}


async def test_what_staff_are_expected_to_answer_comes_with_their_audience(setup: Setup, case: Case) -> None:
    def audience() -> str:
        return str(setup.rasa.turns[-1]["metadata"]["audience"])

    async with setup.running():
        await case.file()
        await case.is_told(ask)
        await case.write("کارهای امروز")
        assert audience() == "customer"
        code = setup.write(lambda session: invite(session, name="سارا", role="agent")[1])
        await setup.telegram.send_text(case.sara, code)
        await setup.telegram.wait_for_messages(SARA, len(setup.telegram.messages(SARA)) + 1)
        await case.sent()
        # Whoever works here may have complained as well.
        assert await case.write("کارهای امروز") == {
            "what": "answer",
            "ticket": case.code,
            "is_latest": False,
        }
        assert audience() == "staff"
