"""Opinions in conversation: asked, answered in any words, put right, passed over, refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.conversations.service import customer_of
from crm_store.privacy.models import Consent
from crm_store.settings import Settings
from crm_store.surveys.models import SurveyInvitation
from tests.actions.conftest import Chat
from tests.actions.survey_chat import LEFT, SURVEYS, SurveyChat


@pytest.fixture
def talk(chat: Chat, settings: Settings) -> SurveyChat:
    Path(settings.business_path).write_text(SURVEYS, encoding="utf-8")
    return SurveyChat(chat)


# Grades


@pytest.mark.parametrize("text", ["۹", "نه از ده", "۱۸ از ۲۰", "نمره‌م ۹", "۹۰ درصد"])
def test_a_grade_in_whatever_words_ends_a_survey_of_one_question(talk: SurveyChat, text: str) -> None:
    talk.asked("after_purchase")
    assert talk.say(text, "survey_answer") == ["utter_survey_thanks_high"]
    assert talk.answers() == {"recommend": (9, "", "", 0)}
    assert talk.states() == [("after_purchase", "completed", "")]


def test_words_beside_a_grade_are_kept(talk: SurveyChat) -> None:
    talk.asked("yearly")
    assert talk.say("راضی بودم ولی دیر اومدن", "complaint_file") == ["utter_survey_question_choice"]
    assert talk.answers()["content"] == (4, "", "راضی بودم ولی دیر اومدن", 0)
    assert "کدام را بیشتر پسندیدید" in talk.told("utter_survey_question_choice")["question"]


def test_a_button_answers(talk: SurveyChat) -> None:
    invitation = str(talk.asked("after_purchase").id)
    said = talk.press("survey_choose", survey=invitation, question="recommend", value="8")
    assert said == ["utter_survey_thanks"]
    assert talk.answers() == {"recommend": (8, "", "", 0)}
    assert talk.repeat() == ["utter_survey_thanks"]
    assert talk.states() == [("after_purchase", "completed", "")]


def test_a_low_grade_asks_for_its_reason_and_says_what_happens_next(talk: SurveyChat) -> None:
    talk.asked("after_purchase")
    assert talk.say("۳") == ["utter_survey_question_reason"]
    assert talk.follow_ups() == 1
    assert talk.say("تعمیرکار دو ساعت دیر اومد", "complaint_file") == ["utter_survey_thanks_low"]
    assert talk.told("utter_survey_thanks_low")["deadline"]
    assert talk.answers() == {"recommend": (3, "", "تعمیرکار دو ساعت دیر اومد", 0)}


def test_a_reason_told_along_with_the_grade_is_not_asked_for(talk: SurveyChat) -> None:
    talk.asked("after_purchase")
    assert talk.say("افتضاح بود، دو ساعت معطل شدم", "complaint_file") == ["utter_survey_thanks_low"]
    assert talk.answers()["recommend"][0] == 0


def test_a_reason_may_be_kept_to_oneself(talk: SurveyChat) -> None:
    talk.asked("after_purchase")
    talk.say("۳")
    assert talk.say("ترجیح می‌دم نگم") == ["utter_survey_thanks_low"]
    assert talk.states() == [("after_purchase", "completed", "")]


# What was not understood


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("خب چی بگم والا", "utter_survey_unclear_grade"),
        ("هشت", "utter_survey_unclear_grade"),
        ("۷ از ۱۰", "utter_survey_other_scale"),
        ("۴.۵", "utter_survey_whole_grade"),
        ("۴ یا ۵", "utter_survey_several_grades"),
        ("برخورد خوب بود ولی کار افتضاح بود", "utter_survey_several_grades"),
    ],
)
def test_an_unclear_grade_is_asked_for_once_more_with_help(talk: SurveyChat, text: str, help_: str) -> None:
    talk.asked("yearly")
    assert talk.say(text, "survey_answer") == [help_, "utter_survey_question_csat"]
    assert (talk.told(help_)["low"], talk.told(help_)["high"]) == ("\u2068۱\u2069", "\u2068۵\u2069")
    assert talk.say("۴") == ["utter_survey_question_choice"]


def test_who_is_not_understood_twice_is_left_in_peace_and_may_still_answer(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("خب چی بگم والا")
    assert talk.say("هرچی شما بگید") == ["utter_survey_left_open"]
    assert talk.say("هرچی شما بگید") == [LEFT]
    assert talk.say("۵ از ۵", "survey_answer") == ["utter_survey_question_choice"]


def test_nine_and_no_are_told_apart_by_asking(talk: SurveyChat) -> None:
    invitation = talk.asked("after_purchase").id
    assert talk.say("نه", "deny") == ["utter_survey_nine_or_no"]
    assert f'"survey": "{invitation}", "question": "recommend", "value": "9"' in talk.payloads()[0]
    assert talk.say("نه میدم") == ["utter_survey_thanks_high"]
    assert talk.answers()["recommend"][0] == 9


# Choices, words and photos


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("دومی", "price"),
        ("۳", "people"),
        ("گزینه یک", "quality"),
        ("آخری", "people"),
        ("جنسش", "quality"),
        ("برخوردتون", "people"),
        ("قیمت نه، کیفیت", "quality"),
    ],
)
def test_a_choice_by_place_title_or_words(talk: SurveyChat, text: str, choice: str) -> None:
    talk.asked("yearly")
    talk.say("۵")
    assert talk.say(text) == ["utter_survey_question_text"]
    assert talk.answers()["favourite"] == (None, choice, "", 0)


def test_a_choice_by_a_button_whose_key_is_no_number(talk: SurveyChat) -> None:
    invitation = str(talk.asked("yearly").id)
    talk.say("۵")
    pressed = {"survey": invitation, "question": "favourite", "value": "people"}
    assert talk.press("survey_choose", **pressed) == ["utter_survey_question_text"]


@pytest.mark.parametrize(
    ("text", "help_"),
    [("همه‌ش", "utter_survey_unclear_choice"), ("کیفیت و قیمت", "utter_survey_several_choices")],
)
def test_an_unclear_choice_is_asked_for_once_more(talk: SurveyChat, text: str, help_: str) -> None:
    talk.asked("yearly")
    talk.say("۵")
    assert talk.say(text) == [help_, "utter_survey_question_choice"]
    assert sum("survey_choose" in payload for payload in talk.payloads()) == 3


def test_words_and_photos_are_kept(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("۵")
    talk.say("قیمت")
    assert talk.say("کاش جمعه‌ها هم باز باشید", "survey_start") == ["utter_survey_question_photo"]
    assert talk.say("بفرمایید") == ["utter_survey_no_photo", "utter_survey_question_photo"]
    assert talk.say("", "media", files=2) == ["utter_survey_thanks_high"]
    assert talk.answers()["words"] == (None, "", "کاش جمعه‌ها هم باز باشید", 0)
    assert talk.answers()["picture"][3] == 2


def test_what_went_wrong_answers_a_question_for_words_and_a_complaint_is_offered(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("۵")
    talk.say("قیمت")
    said = talk.say("بسته‌بندی هر دو بار پاره بود", "complaint_file")
    assert said == ["utter_survey_question_photo", "utter_survey_offer_complaint"]
    assert "/complaint_file" in talk.payloads()


def test_optional_questions_are_passed_over(talk: SurveyChat) -> None:
    invitation = str(talk.asked("yearly").id)
    talk.say("۵")
    talk.say("قیمت")
    assert talk.say("ندارم") == ["utter_survey_question_photo"]
    assert "از این یکی می‌گذریم" in talk.told("utter_survey_question_photo")["question"]
    assert talk.press("survey_pass", survey=invitation, question="picture") == ["utter_survey_thanks_high"]
    assert talk.states() == [("yearly", "completed", "")]


# Corrections


def test_a_grade_is_put_right_in_the_middle(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("۵")
    assert talk.say("نه ۴", "deny") == ["utter_survey_question_choice"]
    assert talk.answers()["content"][0] == 4


def test_a_low_grade_put_right_is_no_longer_asked_the_reason_for(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("۱")
    assert talk.say("ببخشید اشتباه زدم، ۵", "survey_answer") == ["utter_survey_question_choice"]
    assert talk.answers()["content"] == (5, "", "", 0)


def test_a_grade_is_put_right_straight_after_the_end(talk: SurveyChat) -> None:
    talk.asked("after_purchase")
    talk.say("۹")
    assert talk.say("نه ۷", "deny") == ["utter_survey_thanks"]
    assert talk.answers()["recommend"][0] == 7
    assert talk.repeat() == ["utter_survey_thanks"]


def test_a_button_of_a_survey_long_over_changes_nothing(talk: SurveyChat) -> None:
    invitation = talk.asked("after_purchase")
    talk.say("۹")
    with talk.chat.database.write() as session:
        session.get_one(SurveyInvitation, invitation.id).finished_at = utcnow() - timedelta(days=400)
    pressed = {"survey": str(invitation.id), "question": "recommend", "value": "1"}
    assert talk.press("survey_choose", **pressed) == ["utter_survey_over"]
    assert talk.answers()["recommend"][0] == 9


# Refusals


@pytest.mark.parametrize("text", ["حوصله ندارم", "نمی‌خوام جواب بدم", "رد کن"])
def test_a_survey_is_refused(talk: SurveyChat, text: str) -> None:
    talk.asked("yearly")
    assert talk.say(text, "survey_skip") == ["utter_survey_skipped"]
    assert talk.states() == [("yearly", "skipped", "")]


def test_another_time(talk: SurveyChat) -> None:
    talk.asked("yearly")
    assert talk.say("بعداً جواب میدم", "survey_skip") == ["utter_survey_later"]
    assert talk.states() == [("yearly", "asked", "content")]
    assert talk.press("survey_later") == ["utter_survey_later"]


def test_never_again_is_a_no_to_advertising_as_well(talk: SurveyChat) -> None:
    talk.asked("yearly")
    assert talk.say("دیگه نپرسید", "survey_skip") == ["utter_survey_never_again"]
    assert talk.states() == [("yearly", "skipped", "")]
    with talk.chat.database.read() as session:
        consent = session.scalars(select(Consent)).one()
        assert (consent.granted, consent.text) == (False, "دیگه نپرسید")
        assert consent.customer_id == customer_of(talk.chat.conversation)


def test_a_no_without_a_survey_is_the_business_of_others(talk: SurveyChat) -> None:
    assert talk.say("حوصله ندارم", "survey_skip") == ["action_deny"]
    assert talk.press("survey_skip") == ["utter_survey_over"]
    assert talk.press("survey_later") == ["utter_survey_over"]


def test_a_form_takes_no_for_itself(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("ساعت کارتون چنده؟", "faq")
    talk.chat.form = "complaint_form"
    talk._expected = None  # a form goes before a question of long ago
    assert talk.say("حوصله ندارم", "survey_skip") == ["action_deny"]
    assert talk.states() == [("yearly", "asked", "content")]


def test_a_message_that_comes_again_leaves_out_no_more_than_it_did(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("۱")
    assert talk.say("ترجیح می‌دم نگم") == ["utter_survey_question_choice"]
    assert talk.repeat() == ["utter_survey_question_choice"]
    assert talk.states() == [("yearly", "started", "favourite")]


# Something else in the middle


def test_something_else_is_answered_and_the_question_stays_open(talk: SurveyChat) -> None:
    talk.asked("yearly")
    assert talk.say("ساعت کارتون چنده؟", "faq") == [LEFT]
    assert talk.states() == [("yearly", "asked", "content")]
    assert talk.say("۴ از ۵", "survey_answer") == ["utter_survey_question_choice"]


# Speaking up


def test_whoever_wishes_to_speak_up_is_asked(talk: SurveyChat) -> None:
    assert talk.say("می‌خوام نظر بدم", "survey_start") == ["utter_survey_question_csat"]
    assert talk.states() == [("open", "asked", "content")]
    talk.say("خیلی خوب بود")
    assert talk.say("نه ممنون", "deny") == ["utter_survey_thanks_high"]


def test_speaking_up_goes_on_with_what_waits(talk: SurveyChat) -> None:
    talk.asked("yearly")
    talk.say("ساعت کارتون چنده؟", "faq")
    assert talk.say("می‌خوام تو نظرسنجی شرکت کنم", "survey_start") == ["utter_survey_question_csat"]
    assert [key for key, _, _ in talk.states()] == ["yearly"]


def test_an_opinion_told_at_once_is_not_asked_for_again(talk: SurveyChat) -> None:
    said = talk.say("پیشنهاد می‌کنم پارکینگ هم اجاره کنید", "survey_start")
    assert said == ["utter_survey_question_csat"]
    assert "ثبت کردم" in talk.told("utter_survey_question_csat")["question"]
    assert talk.say("۴") == ["utter_survey_thanks_high"]
    assert talk.answers()["suggestion"][2] == "پیشنهاد می‌کنم پارکینگ هم اجاره کنید"
    assert talk.states() == [("open", "completed", "")]


@pytest.mark.parametrize(
    ("text", "grade"), [("۱۰ از ۱۰", 5), ("پنج ستاره", 5), ("کاملا راضی بودم", 5), ("۸ از ۱۰", 4)]
)
def test_a_grade_out_of_the_blue_begins_the_open_survey(talk: SurveyChat, text: str, grade: int) -> None:
    assert talk.say(text, "survey_answer") == ["utter_survey_question_text"]
    assert talk.answers()["content"][0] == grade
    assert talk.states() == [("open", "started", "suggestion")]


def test_the_same_message_again_begins_nothing_twice(talk: SurveyChat) -> None:
    talk.say("۱۰ از ۱۰", "survey_answer")
    assert talk.repeat() == ["utter_survey_question_text"]
    assert len(talk.states()) == 1


def test_a_bare_number_out_of_the_blue_begins_nothing(talk: SurveyChat) -> None:
    assert talk.say("۵", "survey_answer") == ["action_fallback"]
    assert talk.states() == []


def test_without_an_open_survey_people_are_offered(talk: SurveyChat, settings: Settings) -> None:
    Path(settings.business_path).write_text(SURVEYS.replace("is_open = true", ""), encoding="utf-8")
    assert talk.say("می‌خوام نظر بدم", "survey_start") == ["utter_survey_none"]
    assert talk.say("۱۰ از ۱۰", "survey_answer") == ["utter_survey_none"]


def test_nobody_answers_for_somebody_else(talk: SurveyChat, stranger: Chat) -> None:
    invitation = str(talk.asked("after_purchase").id)
    other = SurveyChat(stranger)
    pressed = {"survey": invitation, "question": "recommend", "value": "1"}
    assert other.press("survey_choose", **pressed) == ["utter_survey_over"]
    assert talk.answers() == {}
