"""The form of a service request turn by turn: what is taken from a message, and what is asked next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import service_questions as questions
from actions.base import Event, Reply, StoreAction
from actions.service_form import CONFIRM, ValidateServiceForm
from actions.service_requests import ActionRequestService
from actions.turn import Turn
from crm_store.customers.models import ContactPoint
from crm_store.customers.profile import update_profile
from crm_store.drafts import Draft
from crm_store.service_requests import drafting
from crm_store.settings import Settings
from tests.actions.conftest import Chat
from tests.actions.service_chat import BUSINESS, EVENING, MORNING, ServiceForm, at, in_days

STORY = "یخچالم خنک نمی‌کنه یکی رو بفرستین پنجشنبه عصر، شیراز"


def told(*, days: int = 3, hours: Any = None, city: str = "شیراز") -> dict[str, list[Any]]:
    """What is found in the story: Thursday is so many days from now."""
    return {
        "date": [(in_days(days).isoformat(), "پنجشنبه")],
        "time": [(hours or EVENING, "عصر")],
        "city": [(city, "شیراز")],
    }


@pytest.fixture
def form(chat: Chat, settings: Settings) -> ServiceForm:
    Path(settings.business_path).write_text(BUSINESS, encoding="utf-8")
    return ServiceForm(chat)


@pytest.fixture
def at_summary(form: ServiceForm) -> ServiceForm:
    form.say(STORY, intent="service_request", entities=told())
    form.say("خیابان زند، کوچهٔ ۵، پلاک ۱۲")
    assert form.send(contact="+989121234567") == CONFIRM
    return form


def draft(chat: Chat) -> dict[str, Any]:
    with chat.database.read() as session:
        return dict(session.scalars(select(Draft).where(Draft.kind == drafting.DRAFT_KIND)).one().data)


def test_everything_that_the_first_message_tells_is_used(form: ServiceForm) -> None:
    assert form.say(STORY, intent="service_request", entities=told()) == "address"
    assert form.said == {"utter_service_window_taken"}
    assert form.say("خیابان زند، کوچهٔ ۵، پلاک ۱۲") == "phone"
    assert form.say("۰۹۱۲ ۱۲۳ ۴۵ ۶۷") == CONFIRM
    request = form.submit()
    assert request is not None
    assert form.said == {"utter_service_submitted"}
    assert (request.kind, request.problem, request.product) == ("repair", STORY, "یخچال")
    assert (request.city, request.address) == ("شیراز", "خیابان زند، کوچهٔ ۵، پلاک ۱۲")
    assert request.window is not None
    assert request.window.starts_at == at(in_days(3), 17)


def test_what_is_missing_is_asked_one_thing_at_a_time(form: ServiceForm) -> None:
    assert form.say("یه نفر رو بفرستید", intent="service_request") == "kind"
    assert form.press("choose_kind", kind="repair") == "problem"
    assert form.say("آب از زیرش می‌ریزه روی زمین") == "product"
    assert form.say("ظرفشویی بوش سری ۶") == "city"
    assert form.say("شیراز", entities={"city": [("شیراز", "شیراز")]}) == "address"
    assert form.say("بلوار چمران، برج سپید، طبقهٔ ۳") == "window"
    assert form.press("choose_window", window=form.windows()[0]) == "phone"
    assert form.say("بدون شماره") == CONFIRM
    request = form.submit()
    assert request is not None
    assert (request.product, request.contact_point_id) == ("ظرفشویی بوش سری ۶", None)


def test_only_what_a_kind_needs_is_asked_and_the_owners_questions_one_after_another(
    form: ServiceForm,
) -> None:
    assert form.say("نصاب می‌خوام", intent="service_request") == "address"
    assert form.say("شیراز، خیابان ملاصدرا، پلاک ۳") == "answers"
    assert form.chat.told("utter_ask_service_answers")["question"] == "\u2068طبقهٔ چندم است؟\u2069"
    assert form.say("طبقه ۴") == "answers"
    assert form.say("نه", intent="deny") == "window"
    form.press("choose_window", window=form.windows()[0])
    form.say("بدون شماره")
    request = form.submit()
    assert request is not None
    assert [one["answer"] for one in request.answers] == ["طبقه ۴", "نه"]


def test_an_own_question_may_be_passed_over(form: ServiceForm) -> None:
    form.say("نصاب می‌خوام", intent="service_request")
    form.say("شیراز، خیابان ملاصدرا، پلاک ۳")
    assert form.press("skip_service_field", field="answers") == "answers"
    assert form.press("skip_service_field", field="answers") == "window"


def test_a_kind_without_windows_is_promised_an_answer_instead(form: ServiceForm) -> None:
    form.say("یه نفر رو بفرستید", intent="service_request")
    assert form.say("خدمات دیگر") == "problem"
    assert form.say("می‌خوام دستگاه قدیمی رو بفروشم") == "attachments"
    assert form.send(files=1) == "phone"
    form.say("بدون شماره")
    request = form.submit()
    assert request is not None
    assert request.window is None
    assert form.said == {"utter_service_submitted_unbooked"}
    assert "ساعت" in form.chat.told("utter_service_submitted_unbooked")["deadline"]


def test_a_business_that_sends_nobody_says_so_and_offers_a_call(chat: Chat, settings: Settings) -> None:
    Path(settings.business_path).write_text(BUSINESS.split("[service]")[0], encoding="utf-8")
    assert chat.run(ActionRequestService(), "تعمیرکار بفرستید", intent="service_request") == {
        "utter_service_not_offered"
    }


def test_a_complaint_that_is_being_told_comes_first(form: ServiceForm, chat: Chat) -> None:
    chat.form = "complaint_form"
    assert chat.run(ActionRequestService(), "تعمیرکار هم بفرستید", intent="service_request") == {
        "utter_service_comes_next"
    }
    assert chat.events == []


def test_the_only_kind_needs_no_choosing(form: ServiceForm, settings: Settings) -> None:
    first, repair, *_ = BUSINESS.split("[[service.kinds]]")
    Path(settings.business_path).write_text(f"{first}[[service.kinds]]{repair}", encoding="utf-8")
    assert form.say("یه نفر رو بفرستید", intent="service_request") == "problem"


def test_a_city_where_nobody_can_come_is_told_at_once_with_the_list(form: ServiceForm) -> None:
    text = "یخچالم خنک نمی‌کنه، اهواز"
    assert form.say(text, intent="service_request", entities={"city": [("اهواز", "اهواز")]}) == "city"
    assert form.asked == {"utter_service_city_not_served"}
    told_areas = form.chat.told("utter_service_city_not_served")
    assert "مرودشت" in told_areas["areas"]
    assert "اهواز" in told_areas["city"]
    assert form.say("مرودشت هستم") == "address"


def test_a_number_after_that_offer_is_for_the_call(form: ServiceForm) -> None:
    form.say("یخچالم خنک نمی‌کنه، اهواز", intent="service_request", entities={"city": [("اهواز", "اهواز")]})
    assert form.say("09121234567") == "left to the rules"


def test_danger_is_remembered_whenever_it_is_spoken_of(form: ServiceForm, chat: Chat) -> None:
    form.say("تعمیرکار بفرستید", intent="service_request")
    form.say("بوی گاز هم میاد", signals=["danger"])
    assert draft(chat)[drafting.SIGNALS] == ["danger"]


def test_a_product_of_the_business_is_called_as_the_business_calls_it(form: ServiceForm, chat: Chat) -> None:
    found = {"product": [("boiler", "بوتانم")]}
    form.say("بوتانم روشن نمیشه تعمیرکار بفرستید", intent="service_request", entities=found)
    assert draft(chat)[drafting.PRODUCT] == "پکیج بوتان"


def test_the_address_that_is_known_is_offered(form: ServiceForm, chat: Chat) -> None:
    with chat.database.write() as session:
        identity = chat.conversation.identity
        assert identity is not None
        update_profile(
            session,
            customer_id=identity.customer_id,
            field="address",
            value="شیراز، خیابان ارم، پلاک ۸",
            inbox_id=chat.new_message(),
        )
    assert form.say("نصاب می‌خوام", intent="service_request") == "address"
    assert form.asked == {"utter_ask_service_address_known"}
    assert form.press("affirm") == "answers"
    assert draft(chat)[drafting.ADDRESS] == "شیراز، خیابان ارم، پلاک ۸"


def test_an_address_told_in_the_story_is_not_asked(form: ServiceForm) -> None:
    text = "نصاب می‌خوام. آدرس: شیراز، خیابان ارم، پلاک ۸"
    assert form.say(text, intent="service_request") == "answers"


def test_an_address_ends_where_the_text_says_when_to_come(form: ServiceForm, chat: Chat) -> None:
    text = "نصاب می‌خوام، آدرس: شیراز، خیابان ارم، پلاک ۸، شماره‌ی من ۰۹۱۲۱۲۳۴۵۶۷، پنجشنبه عصر"
    found = {**told(), "phone_number": [("+989121234567", "۰۹۱۲۱۲۳۴۵۶۷")]}
    form.say(text, intent="service_request", entities=found)
    assert draft(chat)[drafting.ADDRESS] == "شیراز، خیابان ارم، پلاک ۸"


@pytest.mark.parametrize("text", ["میدان", "اونجا"])
def test_a_word_is_no_address(form: ServiceForm, text: str) -> None:
    form.say("نصاب می‌خوام", intent="service_request")
    assert form.say(text) == "address"
    assert form.said == {"utter_service_address_short"}


@pytest.mark.parametrize(
    ("text", "intent"),
    [("این به چه دردی می‌خوره؟", "explain"), ("ساعت کارتون چیه؟", "faq"), ("بی‌خیال", "cancel")],
)
def test_questions_and_a_wish_to_stop_are_left_to_the_rules_at_every_step(
    form: ServiceForm, text: str, intent: str
) -> None:
    answers = ["repair", "چکه می‌کنه", "لباسشویی", "شیراز", "خیابان زند پلاک ۵", "هرچه زودتر", "بدون شماره"]
    form.say("یه نفر رو بفرستید", intent="service_request")
    for answer in answers:
        assert form.say(text, intent=intent) == "left to the rules"
        if answer == "repair":
            form.press("choose_kind", kind=answer)
        else:
            form.say(answer)
    assert form.say(text, intent=intent) == "left to the rules"


def test_other_answers_on_the_way_are_taken_too(form: ServiceForm) -> None:
    form.say("یخچالم خنک نمی‌کنه", intent="service_request")
    form.say("شیراز", entities={"city": [("شیراز", "شیراز")]})
    form.say("خیابان زند پلاک ۵")
    assert form.say("شماره‌ام ۰۹۱۲۱۲۳۴۵۶۷ است") == "window"
    assert form.press("choose_window", window=form.windows()[0]) == CONFIRM


def test_a_time_instead_of_an_address_is_no_address(form: ServiceForm, chat: Chat) -> None:
    form.say("نصاب می‌خوام", intent="service_request")
    found = {"date": [(in_days(2).isoformat(), "پس‌فردا")], "time": [(EVENING, "عصر")]}
    assert form.say("پس‌فردا عصر بیاین", entities=found) == "address"
    assert form.said == {"utter_service_window_taken"}
    assert drafting.ADDRESS not in draft(chat)


def test_corrections_in_words_change_the_summary(at_summary: ServiceForm) -> None:
    text = "نه پنجشنبه نه، شنبه صبح"
    found = {
        "date": [(in_days(3).isoformat(), "پنجشنبه"), (in_days(5).isoformat(), "شنبه صبح")],
        "time": [(MORNING, "صبح")],
    }
    assert at_summary.say(text, intent="deny", entities=found) == CONFIRM
    assert at_summary.said == {"utter_service_window_taken"}
    assert at_summary.say("آدرس عوض شد") == "address"
    assert at_summary.say("خیابان ارم، کوچهٔ ۲، پلاک ۴") == CONFIRM
    request = at_summary.submit()
    assert request is not None
    assert request.address == "خیابان ارم، کوچهٔ ۲، پلاک ۴"
    assert request.window is not None
    assert request.window.starts_at == at(in_days(5), 9)


@pytest.mark.parametrize("field", ["kind", "problem", "product", "city", "address", "window", "phone"])
def test_every_field_has_a_button_that_asks_it_and_comes_back(at_summary: ServiceForm, field: str) -> None:
    answers = {
        "kind": "تعمیر",
        "problem": "برفک می‌زنه و آب می‌ندازه",
        "product": "فریزر",
        "city": "مرودشت",
        "address": "خیابان ارم، کوچهٔ ۲، پلاک ۴",
        "window": "هر چه زودتر",
        "phone": "۰۷۱ ۳۲۳۳ ۴۴۵۵",
    }
    assert f'/correct_service_field{{"field": "{field}"}}' in [
        button["payload"] for button in at_summary.chat.buttons
    ]
    assert at_summary.press("correct_service_field", field=field) == field
    assert at_summary.say(answers[field]) == CONFIRM


def test_a_longer_word_at_the_summary_is_added_to_the_problem_once(at_summary: ServiceForm) -> None:
    more = "راستی فریزرش هم از دیشب پر از برفک شده و در بسته نمیشه"
    assert at_summary.say(more, intent="complaint_file") == CONFIRM
    request = at_summary.submit()
    assert request is not None
    assert request.problem == f"{STORY}\n{more}"


def test_yes_but_with_a_correction_shows_the_summary_again(at_summary: ServiceForm) -> None:
    assert at_summary.say("آره ولی آدرس عوض شد", intent="affirm") == "address"


def test_a_plain_no_at_the_summary_asks_what_is_wrong(at_summary: ServiceForm, chat: Chat) -> None:
    assert at_summary.say("نه", intent="deny") == "left to the rules"

    class AskWhatIsWrong(StoreAction):
        def name(self) -> str:
            return "a stand-in for action_deny"

        def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
            return questions.ask_what_is_wrong(turn, session, reply)

    assert chat.run(AskWhatIsWrong(), "نه", intent="deny") == {"utter_service_correction"}
    assert {button["payload"] for button in chat.buttons} >= {'/correct_service_field{"field": "window"}'}
    assert at_summary.say("زمان") == "window"


def test_a_confirmation_in_words_registers_it(at_summary: ServiceForm) -> None:
    assert at_summary.say("ثبتش کنید", intent="nlu_fallback") == ""


def test_a_half_told_request_goes_on_and_a_new_one_takes_its_place(form: ServiceForm, chat: Chat) -> None:
    form.say(STORY, intent="service_request", entities=told())
    chat.form, chat.slots = None, {}
    assert form.say("تعمیرکار می‌خواستم", intent="service_request") == "address"
    assert form.said == {"utter_service_continued"}
    chat.form, chat.slots = None, {}
    form.say("کولر گازی باد گرم می‌زنه", intent="service_request")
    assert form.said == {"utter_service_replaced"}
    assert draft(chat)[drafting.PROBLEM] == "کولر گازی باد گرم می‌زنه"


def test_a_turn_that_runs_again_begins_nothing_twice(form: ServiceForm, chat: Chat) -> None:
    form.say(STORY, intent="service_request", entities=told())
    before = draft(chat)
    chat.form, chat.slots = None, {}
    said = chat.run(ValidateServiceForm(), STORY, intent="service_request", entities=told(), again=True)
    assert said == {"utter_service_window_taken"}
    assert draft(chat) == before


def test_a_button_offered_for_what_was_not_understood_takes_up_that_message(form: ServiceForm) -> None:
    form.chat.ran_before("utter_did_you_mean", text="کولرم آب می‌ریزه تو اتاق")
    assert form.press("service_request") == "city"
    assert form.chat.slots["service_problem"] == "کولرم آب می‌ریزه تو اتاق"


def test_a_proven_number_is_kept_as_proven(at_summary: ServiceForm, chat: Chat) -> None:
    request = at_summary.submit()
    assert request is not None
    with chat.database.read() as session:
        assert session.get_one(ContactPoint, request.contact_point_id).proven_at is not None


def test_each_question_is_explained_for_itself(chat: Chat) -> None:
    for field, explanation in {
        "window": "utter_explain_service_window",
        "phone": "utter_explain_service_phone",
        "kind": "utter_explain_service",
    }.items():
        chat.slots["requested_slot"] = f"service_{field}"
        assert chat.run(questions.ActionExplainService(), "چرا؟", intent="explain") == {explanation}
