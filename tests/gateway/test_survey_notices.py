"""A survey's question leaves with its buttons, and not once quiet hours have begun."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.gateway.leaving import verdict
from bot.gateway.render import Responses
from crm_store.base import utcnow
from crm_store.business import EXAMPLE, BusinessFile
from crm_store.business.surveys import SurveyDefinition, SurveyQuestion
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.outbox import OutboxItem
from crm_store.settings import PROJECT_ROOT
from tests.factories.surveys import CONTENT, EASE, LIKED, RECOMMEND, WORDS, a_customer, asked, rules_with

PHOTO = SurveyQuestion(key="photo", kind="photo", text="عکس؟")
SCALE = SurveyQuestion(key="scale", kind="scale", text="چند؟", low=1, high=3)


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        (CONTENT, ["۱ (بد)", "۲", "۳", "۴", "۵ (عالی)"]),
        (RECOMMEND, ["۰", "۱", "۲", "۳", "۴", "۵", "۶", "۷", "۸", "۹", "۱۰"]),
        (EASE, ["۱", "۲", "۳", "۴", "۵", "۶", "۷"]),
        (LIKED, ["قیمت", "برخورد"]),
        (SCALE, ["۱", "۲", "۳"]),
        (WORDS, []),
        (PHOTO, []),
    ],
)
def test_every_kind_of_question_is_rendered_with_its_grades_or_choices(
    sqlite_database: Database, question: SurveyQuestion, titles: list[str]
) -> None:
    rules = rules_with(SurveyDefinition(key="own", title="ما", questions=(question,)))
    responses = Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"), BusinessFile(EXAMPLE))
    with sqlite_database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, rules, key="own")
        item = session.scalars(select(OutboxItem)).one()
    for turn in range(3):
        rendered = responses.render(item.content["response"], item.content["params"], turn=turn)
        assert question.text in rendered.text
        chosen = [one for one in rendered.buttons if one["payload"].startswith("/survey_choose")]
        shown = [one["title"] for one in chosen]
        assert [one.split(" ")[0] for one in shown] == [one.split(" ")[0] for one in titles]
        assert all(f'"survey": "{invitation.id}"' in one["payload"] for one in chosen)
        assert [one["payload"] for one in rendered.buttons].count("/survey_skip") == 1


def test_a_question_that_was_held_up_until_quiet_hours_does_not_leave(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        chat, customer = a_customer(session)
        asked(session, customer, rules_with())
        item = session.scalars(select(OutboxItem)).one()
        chat = session.get_one(Conversation, chat.id)
        for ahead in (True, False):
            moment = utcnow() + timedelta(hours=1 if ahead else -1)
            item.content = {**item.content, "leaves_before": moment.isoformat()}
            assert (verdict(session, item, chat) == "leaves") is ahead
