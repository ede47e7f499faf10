"""What surveys have brought, told to supervisors and the management and to nobody else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.staff import ActionStaff
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.pictures import draw
from crm_store.settings import Settings
from crm_store.staff.models import StaffAccount, StaffMember
from tests.actions.conftest import Chat
from tests.actions.survey_chat import SURVEYS, SurveyChat

THIS_MONTH = "نتیجه نظرسنجی این ماه"


@pytest.fixture
def boss(store: Database, settings: Settings) -> Chat:
    Path(settings.business_path).write_text(SURVEYS, encoding="utf-8")
    return Chat(store)


def works_as(chat: Chat, role: str) -> None:
    with chat.database.write() as session:
        member = StaffMember(name="مینا", role=role)
        session.add(member)
        session.flush()
        identity = session.get_one(Conversation, chat.conversation.id).identity_id
        session.add(StaffAccount(staff_id=member.id, identity_id=identity))


def report(chat: Chat, text: str = THIS_MONTH, **entities: Any) -> dict[str, Any]:
    chat.run(ActionStaff(), text, intent="staff_report", entities=entities)
    ((name, said),) = chat.said
    return {**said, "name": name}


def test_to_customers_there_is_no_such_thing(boss: Chat) -> None:
    assert report(boss)["name"] == "utter_out_of_scope"


@pytest.mark.parametrize("role", ["technician", "agent"])
def test_other_staff_are_told_that_it_is_not_theirs(boss: Chat, role: str) -> None:
    works_as(boss, role)
    assert report(boss)["name"] == "utter_staff_not_allowed"


@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_rates_scores_and_a_picture(boss: Chat, stranger: Chat, role: str) -> None:
    works_as(boss, role)
    for chat, grade in ((Chat(boss.database), "۱۰"), (stranger, "۳")):
        talk = SurveyChat(chat)
        talk.asked("after_purchase")
        talk.say(grade, "survey_answer")
    SurveyChat(Chat(boss.database)).asked("after_purchase")
    said = report(boss)
    assert said["name"] == "utter_survey_report"
    assert "توصیه به دیگران" in said["title"]
    plain = str(said["lines"]).replace("\u2068", "").replace("\u2069", "")
    first, second = plain.split("\n")
    assert first == "پاسخ داده‌اند: ۲ نفر از ۳ نفر (۶۷٪)"
    assert second.startswith("شاخص توصیه (NPS): ۰، با اطمینان ۹۵٪ میان -") or "(NPS): ۰" in second
    assert "(۲ پاسخ)" in second
    picture = said["custom"]["picture"]
    assert picture["kind"] == "survey"
    assert draw("survey", picture["params"]).startswith(b"\x89PNG")


def test_satisfaction_choices_and_who_spoke_up(boss: Chat, stranger: Chat) -> None:
    works_as(boss, "admin")
    talk = SurveyChat(stranger)
    talk.asked("yearly")
    for answer in ("۵", "قیمت", "ندارم", "ندارم"):
        talk.say(answer)
    SurveyChat(Chat(boss.database)).say("پنج ستاره", "survey_answer")
    boss.run(ActionStaff(), THIS_MONTH, intent="staff_report")
    lines = "\n".join(str(said["lines"]) for _, said in boss.said).replace("\u2068", "").replace("\u2069", "")
    assert "رضایت (CSAT): ۱۰۰٪ راضی، میانگین ۵٫۰ از ۵ (۱ پاسخ)" in lines
    assert "کدام را بیشتر پسندیدید؟ قیمت ۱، کیفیت ۰، برخورد همکاران ۰" in lines
    assert "خودشان نظر داده‌اند: ۱ نفر" in lines


def test_a_survey_is_named_and_a_period(boss: Chat, stranger: Chat) -> None:
    works_as(boss, "admin")
    talk = SurveyChat(stranger)
    talk.asked("after_purchase")
    talk.say("۱۰")
    SurveyChat(Chat(boss.database)).asked("yearly")
    assert "توصیه" in report(boss, "نتیجه نظرسنجی توصیه به دیگران")["title"]
    assert len(boss.said) == 1
    long_ago = (utcnow() - timedelta(days=400)).date()
    period = {"from": long_ago.isoformat(), "to": (long_ago + timedelta(days=30)).isoformat()}
    assert report(boss, "رضایت پارسال", period=[period])["name"] == "utter_survey_report_nothing"


def test_whoever_left_has_no_say(boss: Chat) -> None:
    works_as(boss, "admin")
    with boss.database.write() as session:
        session.scalars(select(StaffMember)).one().disabled_at = utcnow()
    assert report(boss)["name"] == "utter_out_of_scope"
