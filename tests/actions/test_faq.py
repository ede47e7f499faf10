"""Questions to the business are answered in the owner's words."""

from __future__ import annotations

from typing import Any

import pytest

from actions.faq import ActionFaq
from crm_store.business import EXAMPLE
from crm_store.settings import Settings
from crm_store.texts.models import FAQ
from crm_store.texts.service import save
from tests.actions.conftest import Chat

ANSWERS = {"hours": "هر روز <b>۹ تا ۲۱</b>", "delivery": "{business} به همهٔ شهرها می‌فرستد."}


@pytest.fixture(autouse=True)
def answered(settings: Settings) -> None:
    """Two answers in the owner's file."""
    write(settings, **ANSWERS)


def write(settings: Settings, **answers: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for topic, answer in answers.items():
        text = text.replace(f'{topic} = ""', f"{topic} = '{answer}'")
    settings.business_path.write_text(text, encoding="utf-8")


def ask(chat: Chat, *topics: tuple[str, float], **fields: Any) -> set[str]:
    return chat.run(ActionFaq(), "ساعت کاریتون چنده", intent="faq", topics=topics, **fields)


def payloads(chat: Chat) -> list[str]:
    return [button["payload"] for button in chat.buttons]


def test_a_question_gets_the_owners_answer_with_its_tags(chat: Chat) -> None:
    assert ask(chat, ("hours", 0.9), ("address", 0.05)) == {"utter_faq_answer"}
    assert chat.told("utter_faq_answer")["answer"] == "هر روز <b>۹ تا ۲۱</b>"


def test_the_business_is_called_by_its_name(chat: Chat) -> None:
    ask(chat, ("delivery", 0.9))
    assert chat.told("utter_faq_answer")["answer"] == "\u2068کسب‌وکار ما\u2069 به همهٔ شهرها می‌فرستد."


def test_an_answer_changes_with_the_file(chat: Chat, settings: Settings) -> None:
    ask(chat, ("hours", 0.9))
    write(settings, hours="تا اطلاع بعدی تعطیلیم.")
    ask(chat, ("hours", 0.9))
    assert chat.told("utter_faq_answer")["answer"] == "تا اطلاع بعدی تعطیلیم."


def test_an_answer_with_another_tag_is_shown_as_it_is_written(chat: Chat, settings: Settings) -> None:
    write(settings, hours="<a href=x>{business}</a>")
    ask(chat, ("hours", 0.9))
    assert "&lt;a href=x&gt;کسب‌وکار ما&lt;/a&gt;" in chat.told("utter_faq_answer")["answer"]


@pytest.mark.parametrize(
    "topics",
    [[("address", 0.95)], [("other", 0.9)], [("hours", 0.39)], [("other", 0.5), ("hours", 0.45)], []],
)
def test_what_is_not_answered_or_not_certain_gets_the_offer_of_a_call(
    chat: Chat, topics: list[tuple[str, float]]
) -> None:
    assert ask(chat, *topics) == {"utter_faq_not_yet"}


def test_two_topics_that_may_both_be_meant_are_offered(chat: Chat) -> None:
    assert ask(chat, ("payment", 0.57), ("delivery", 0.42), ("hours", 0.01)) == {"utter_ask_faq_topic"}
    assert payloads(chat) == ['/choose_topic{"topic": "payment"}', '/choose_topic{"topic": "delivery"}']
    assert [button["title"] for button in chat.buttons] == ["راه‌های پرداخت", "ارسال و تحویل"]


def test_a_chosen_topic_is_answered(chat: Chat) -> None:
    fields = {"intent": "choose_topic", "trusted": True, "entities": {"topic": ["hours"]}}
    assert chat.run(ActionFaq(), **fields) == {"utter_faq_answer"}
    fields["entities"] = {"topic": ["payment"]}
    assert chat.run(ActionFaq(), **fields) == {"utter_faq_not_yet"}


def test_a_button_that_names_no_topic_offers_those_that_are_answered(chat: Chat, settings: Settings) -> None:
    assert chat.run(ActionFaq(), intent="faq", trusted=True) == {"utter_ask_faq_topic"}
    assert payloads(chat) == ['/choose_topic{"topic": "hours"}', '/choose_topic{"topic": "delivery"}']
    write(settings)
    assert chat.run(ActionFaq(), intent="faq", trusted=True) == {"utter_faq_not_yet"}


def test_within_a_form_no_call_is_offered_and_a_question_of_ours_keeps_the_forms_waiting(chat: Chat) -> None:
    chat.form = "complaint_form"
    assert ask(chat, ("hours", 0.9)) == {"utter_faq_answer"}
    assert chat.events == []
    assert ask(chat, ("address", 0.9)) == {"utter_form_faq"}
    ask(chat, ("payment", 0.5), ("delivery", 0.45))
    assert [event["name"] for event in chat.events] == ["complaint_form"]


@pytest.mark.parametrize("form", [True, False])
def test_how_long_a_complaint_takes_is_not_answered_with_the_time_of_a_parcel(chat: Chat, form: bool) -> None:
    chat.form = "complaint_form" if form else None
    chat.ran_before("utter_ask_complaint_phone" if form else "utter_complaint_filed")
    about = {"intent": "faq", "topics": [("delivery", 0.9)]}
    assert chat.run(ActionFaq(), "چقدر طول میکشه رسیدگی کنید؟", **about) == {"utter_complaint_how_long"}
    assert chat.run(ActionFaq(), "ارسالش چقدر طول میکشه؟", **about) == {"utter_faq_answer"}


def test_an_answer_that_was_saved_at_the_console_goes_before_the_file(chat: Chat) -> None:
    with chat.database.write() as session:
        save(session, kind=FAQ, key="hours", text="فقط <b>عصرها</b> در {business}", actor="staff:1")
        save(session, kind=FAQ, key="payment", text="کارت به کارت", actor="staff:1")
    ask(chat, ("hours", 0.9))
    assert chat.told("utter_faq_answer")["answer"] == "فقط <b>عصرها</b> در \u2068کسب‌وکار ما\u2069"
    ask(chat, ("payment", 0.9))
    assert chat.told("utter_faq_answer")["answer"] == "کارت به کارت"
