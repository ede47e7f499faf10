"""A customer who is asked for an opinion: understanding, rules and actions go on as in the dialogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rasa_sdk import Action
from sqlalchemy import select

from actions import surveys
from actions.base import environment
from actions.staff import ActionStaff
from bot.nlu.expected import as_expected
from bot.nlu.values import find_values
from crm_store.base import utcnow
from crm_store.conversations.service import customer_of
from crm_store.rules import Rules
from crm_store.surveys.asking import look_at
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation
from crm_store.surveys.planning import plan_for_list
from crm_store.surveys.waiting import open_in, waiting_in
from crm_store.tickets.expecting import SURVEY, Expected
from tests.actions.conftest import Chat

SURVEYS = """
name = "فروشگاه سپیدار"

[[complaints.categories]]
key = "other"
title = "موضوع دیگر"

[surveys]
quiet_from = "00:00"
quiet_until = "00:00"

[[surveys.items]]
key = "after_purchase"
title = "توصیه به دیگران"

[[surveys.items.questions]]
key = "recommend"
kind = "nps"
text = "چقدر احتمال دارد ما را به دوستانتان پیشنهاد کنید؟"

[[surveys.items]]
key = "yearly"
title = "نظرسنجی سالانه"

[[surveys.items.questions]]
key = "content"
kind = "csat"
text = "از ما چقدر راضی هستید؟"

[[surveys.items.questions]]
key = "favourite"
kind = "choice"
text = "کدام را بیشتر پسندیدید؟"

[[surveys.items.questions.choices]]
key = "quality"
title = "کیفیت"
words = ["جنس"]

[[surveys.items.questions.choices]]
key = "price"
title = "قیمت"

[[surveys.items.questions.choices]]
key = "people"
title = "برخورد همکاران"
words = ["برخورد", "اخلاق"]

[[surveys.items.questions]]
key = "words"
kind = "text"
text = "چه پیشنهادی برای ما دارید؟"
is_optional = true

[[surveys.items.questions]]
key = "picture"
kind = "photo"
text = "اگر عکسی دارید بفرستید."
is_optional = true

[[surveys.items]]
key = "open"
title = "نظر و پیشنهاد"
is_open = true

[[surveys.items.questions]]
key = "content"
kind = "csat"
text = "روی‌هم‌رفته از ما چقدر راضی هستید؟"

[[surveys.items.questions]]
key = "suggestion"
kind = "text"
text = "چه نظر یا پیشنهادی دارید؟"
is_optional = true
"""
RULES: dict[str, Callable[[], Action]] = {
    "survey_start": surveys.ActionSurveyStart,
    "survey_answer": surveys.ActionSurveyAnswer,
    "survey_choose": surveys.ActionSurveyChoose,
    "survey_pass": surveys.ActionSurveyPass,
    "survey_later": surveys.ActionSurveyLater,
    "survey_skip": surveys.ActionSurveySkip,
    "staff_report": ActionStaff,
}
#: Said of a message that is the business of other rules.
LEFT = "left to other rules"


class SurveyChat:
    """A chat in which opinions are asked for.

    Attributes:
        said: names of what was said to the last message, in order.
    """

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.said: list[str] = []
        self._expected: Expected | None = None
        self._again: tuple[str, dict[str, Any], Expected | None, list[dict[str, Any]]] | None = None

    @property
    def rules(self) -> Rules:
        """The rules by which things go."""
        return environment().rules

    def asked(self, key: str) -> SurveyInvitation:
        """A survey that was sent to this customer, and its first question with it."""
        with self.chat.database.write() as session:
            told: dict[str, Any] = {
                "key": key,
                "customer_ids": [customer_of(self.chat.conversation)],
                "rules": self.rules,
            }
            (invitation,) = plan_for_list(session, **told).planned
            verdict = look_at(session, invitation_id=invitation.id, rules=self.rules, now=utcnow())
            assert verdict == "asked"
        self._expect(str(invitation.id), is_latest=True)
        return invitation

    def say(self, text: str, intent: str = "nlu_fallback", *, files: int = 0) -> list[str]:
        """Say something that is understood so without a survey; what is said to it."""
        named = {"name": intent, "confidence": 0.8}
        found = find_values(text, now=utcnow()) if text else []
        parsed: dict[str, Any] = {"intent": named, "intent_ranking": [named], "entities": []}
        attached = self.chat.files(files) if files else []
        expected = self._expected.as_metadata() if self._expected is not None else None
        read = as_expected(parsed, text, expected, has_files=bool(files))
        entities: dict[str, list[Any]] = {one["entity"]: [one["value"]] for one in read["entities"]}
        for one in found:
            value = (one.value, text[one.start : one.end], *one.candidates)
            entities.setdefault(one.entity, []).append(value)
        if attached:
            entities["attachment"] = list(attached)
        ranking = [(one["name"], one["confidence"]) for one in read["intent_ranking"]]
        return self._run(read["intent"]["name"], {"text": text, "entities": entities, "ranking": ranking})

    def press(self, intent: str, **entities: str) -> list[str]:
        """Tap a button; what is said to it."""
        values = {name: [value] for name, value in entities.items()}
        return self._run(intent, {"entities": values, "trusted": True})

    def repeat(self) -> list[str]:
        """The last message once more, as if what was said to it had been lost."""
        assert self._again is not None
        intent, fields, self._expected, self.chat.previous = self._again
        return self._run(intent, {**fields, "again": True})

    def told(self, response: str) -> dict[str, Any]:
        """The values with which a response was said."""
        return self.chat.told(response)

    def payloads(self) -> list[str]:
        """What the buttons of the last answer stand for, without those of the responses themselves."""
        return [button["payload"] for button in self.chat.buttons]

    def answers(self) -> dict[str, tuple[int | None, str, str, int]]:
        """Grade, choice, words and number of files by question."""
        with self.chat.database.read() as session:
            rows = session.scalars(select(SurveyAnswer).order_by(SurveyAnswer.id))
            return {row.question: (row.value, row.choice, row.text, len(row.files)) for row in rows}

    def states(self) -> list[tuple[str, str, str]]:
        """Key, state and waiting question of all invitations, in order."""
        with self.chat.database.read() as session:
            rows = session.scalars(select(SurveyInvitation).order_by(SurveyInvitation.id))
            return [(row.key, row.state, row.question) for row in rows]

    def follow_ups(self) -> int:
        """How many low grades people look after."""
        with self.chat.database.read() as session:
            return len(session.scalars(select(SurveyFollowUp)).all())

    def _run(self, intent: str, fields: dict[str, Any]) -> list[str]:
        self._again = (
            intent,
            {k: v for k, v in fields.items() if k != "again"},
            self._expected,
            self.chat.previous,
        )
        if intent not in RULES:
            self._expect_open()
            self.chat.previous = []
            return [LEFT]
        self.chat.run(RULES[intent](), intent=intent, **fields)
        self.said = [name for name, _ in self.chat.said]
        self.chat.ran_before(*self.said)
        followed = [event["name"] for event in self.chat.events if event["event"] == "followup"]
        named = self.chat.said[-1][1].get("custom") if self.chat.said else None
        asks = (named or {}).get("expects")
        if asks and asks["what"] == SURVEY:
            self._expect(asks["ticket"], is_latest=True)
        else:
            self._expect_open()
        return [*self.said, *followed]

    def _expect(self, invitation: str, *, is_latest: bool) -> None:
        with self.chat.database.read() as session:
            customer_id = customer_of(self.chat.conversation)
            question = waiting_in(session, invitation_id=int(invitation), customer_id=customer_id)
        known = question is not None
        self._expected = Expected(SURVEY, invitation, is_latest, question) if known else None

    def _expect_open(self) -> None:
        self._expected = None
        with self.chat.database.read() as session:
            told = {"conversation_id": self.chat.conversation.id}
            opened = open_in(session, customer_id=customer_of(self.chat.conversation), **told)
        if opened is not None:
            self._expect(str(opened), is_latest=False)
