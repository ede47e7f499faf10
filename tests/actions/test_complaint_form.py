"""The complaint form turn by turn: what is taken from a message, and what is asked next."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from actions import complaint_questions as questions
from actions.complaint_form import CONFIRM, FIELD_OF_SLOT, SLOTS, ValidateComplaintForm
from actions.complaints import ActionFileComplaint
from crm_store.complaints.models import Complaint
from crm_store.customers.models import ContactPoint
from crm_store.customers.service import add_phone
from tests.actions.conftest import Chat

STORY = "پیک شما غذا رو یخ‌زده آورد، سفارش ۱۲۳۴۵، پولمو می‌خوام"
IN_STORY: dict[str, list[Any]] = {
    "category": [("delivery", "پیک"), ("payment", "پولمو")],
    "order_number": [("12345", "۱۲۳۴۵")],
    "remedy": [("refund", "پولمو می‌خوام")],
}
ASK = {
    "description": questions.ActionAskDescription,
    "category": questions.ActionAskCategory,
    "order_number": questions.ActionAskOrderNumber,
    "remedy": questions.ActionAskRemedy,
    "attachments": questions.ActionAskAttachments,
    "phone": questions.ActionAskPhone,
    CONFIRM: questions.ActionAskConfirm,
}


class Form:
    """Goes on as Rasa does: after each message the first slot that is empty is asked for."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    def say(
        self, text: str, *, intent: str = "nlu_fallback", heard: tuple[str, ...] = (), **entities: list[Any]
    ) -> str:
        """Say something, in a tone in which danger or anger is heard; returns what is asked then."""
        return self._turn(text, intent=intent, entities=entities, signals=heard)

    def press(self, intent: str, **entities: str) -> str:
        """Tap a button; returns what is asked then."""
        values = {name: [value] for name, value in entities.items()}
        return self._turn("", intent=intent, entities=values, trusted=True)

    def send(self, *, contact: str | None = None, files: int = 0) -> str:
        """Send files or one's own contact; returns what is asked then."""
        return self._turn(
            "", intent="media", contact=contact, entities={"attachment": self.chat.files(files)}
        )

    def file(self) -> Complaint:
        """Confirm the summary."""
        assert self.press("affirm") == ""
        self.chat.run(ActionFileComplaint(), intent="affirm", trusted=True, again=True)
        with self.chat.database.read() as session:
            return session.scalars(select(Complaint).order_by(Complaint.id.desc())).first()  # type: ignore[return-value]

    def _turn(self, text: str, **fields: Any) -> str:
        chat = self.chat
        self.said = chat.run(ValidateComplaintForm(), text, **fields)
        chat.form = "complaint_form"
        if not chat.events:
            return "left to the rules"
        empty = next((slot for slot in SLOTS if chat.slots.get(slot) is None), "")
        chat.slots["requested_slot"] = empty or None
        asked = FIELD_OF_SLOT.get(empty, empty)
        if asked:
            responses = chat.run(ASK[asked](), text, again=True)
            chat.ran_before(*responses, text=text)
        return asked


@pytest.fixture
def form(chat: Chat) -> Form:
    return Form(chat)


@pytest.fixture
def at_summary(form: Form) -> Form:
    form.say(STORY, intent="complaint_file", **IN_STORY)
    assert form.send(contact="+989121234567") == CONFIRM
    return form


def test_what_the_story_tells_is_not_asked_again(form: Form) -> None:
    assert form.say(STORY, intent="complaint_file", **IN_STORY) == "phone"
    assert form.say("۰۹۱۲ ۱۲۳ ۴۵ ۶۷") == CONFIRM
    complaint = form.file()
    assert complaint.description == STORY
    assert (complaint.category, complaint.order_number, complaint.remedy) == ("delivery", "12345", "refund")


def test_what_is_missing_is_asked_one_thing_at_a_time(form: Form) -> None:
    assert form.say("شکایت دارم", intent="complaint_file") == "description"
    assert form.say("لباسی که خریدم بعد از یک بار شستن رنگ داد", intent="complaint_file") == "category"
    assert form.press("choose_category", category="product") == "order_number"
    assert form.say("A-۹۹۱") == "remedy"
    assert form.press("choose_remedy", remedy="replacement") == "attachments"
    assert form.send(files=2) == "phone"
    assert form.say("+98 912 123 4567") == CONFIRM
    complaint = form.file()
    assert (complaint.category, complaint.order_number, complaint.remedy) == (
        "product",
        "A-991",
        "replacement",
    )


def test_each_category_is_asked_about_only_what_the_business_wants_to_know(form: Form) -> None:
    form.say("فروشنده سر من داد زد و از مغازه بیرونم کرد", intent="complaint_file")
    assert form.press("choose_category", category="staff") == "remedy"


def test_a_story_about_two_things_is_asked_which_one_it_is(form: Form) -> None:
    story = "پیک دیر رسید و جنس هم خراب بود و کسی پاسخ نداد"
    found = {"category": [("delivery", "پیک"), ("product", "خراب")]}
    assert form.say(story, intent="complaint_file", **found) == "category"


@pytest.mark.parametrize("text", ["ندارم", "شماره ندارم", "یادم نیست", "نمیدونم", "رد کن", "nadaram"])
def test_the_order_number_may_be_passed_over_in_words(form: Form, text: str) -> None:
    form.say(STORY, intent="complaint_file", category=[("delivery", "پیک")])
    assert form.say(text) == "remedy"


def test_a_passed_question_and_a_refused_phone_leave_the_complaint_without_them(form: Form) -> None:
    form.say(STORY, intent="complaint_file", category=[("delivery", "پیک")])
    form.press("skip_field", field="order_number")
    assert form.press("skip_field", field="remedy") == "phone"
    assert form.say("بدون شماره") == CONFIRM
    complaint = form.file()
    assert (complaint.order_number, complaint.remedy, complaint.contact_point_id) == ("", "", None)


def test_a_number_given_outright_counts_whatever_the_sentence_was_understood_as(at_summary: Form) -> None:
    found = {"order_number": [("54321", "۵۴۳۲۱")]}
    assert at_summary.say("شماره سفارشم ۵۴۳۲۱ هست", intent="explain", **found) == CONFIRM
    assert at_summary.say("سفارش ۵۴۳۲۱ کی میرسه؟", intent="faq", **found) == "left to the rules"


def test_several_numbers_are_not_guessed_from(form: Form) -> None:
    form.say(STORY, intent="complaint_file", category=[("delivery", "پیک")])
    assert form.say("۱۲۳۴ یا ۵۶۷۸") == "order_number"
    assert form.said == {"utter_order_number_unclear"}


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("تعویض", "replacement"), ("عوضش کنید", "replacement"), ("یه عذرخواهی", "apology"), ("فرقی نداره", "")],
)
def test_the_remedy_is_understood_in_words(form: Form, text: str, remedy: str) -> None:
    form.say(STORY, intent="complaint_file", category=[("delivery", "پیک")])
    form.say("۷۷۸۸")
    assert form.say(text) == "phone"
    form.say("بدون شماره")
    assert form.file().remedy == remedy


def test_a_number_told_late_is_no_refusal_of_what_is_asked_now(form: Form) -> None:
    form.say(STORY, intent="complaint_file", category=[("delivery", "پیک")])
    form.press("skip_field", field="order_number")
    late = "خب برگشتم. شماره سفارش: ۷۰۰۴۱"
    assert form.say(late, intent="skip", order_number=[("70041", "۷۰۰۴۱")]) == "remedy"
    form.press("choose_remedy", remedy="refund")
    form.say("بدون شماره")
    assert form.file().order_number == "70041"


def test_a_proven_number_is_kept_as_proven_and_a_typed_one_is_not(form: Form, chat: Chat) -> None:
    form.say(STORY, intent="complaint_file", **IN_STORY)
    form.say("09121234567")
    form.press("correct_field", field="phone")
    form.send(contact="+989351234567")
    form.file()
    with chat.database.read() as session:
        points = {point.value: point.proven_at is not None for point in session.scalars(select(ContactPoint))}
    assert points == {"+989121234567": False, "+989351234567": True}


def test_a_number_that_can_be_none_is_told_so_and_asked_again(form: Form) -> None:
    form.say(STORY, intent="complaint_file", **IN_STORY)
    assert form.say("۰۹۱۲۳۴۵") == "phone"
    assert form.said == {"utter_invalid_phone"}


def test_a_phone_that_is_known_is_not_asked_again(form: Form, chat: Chat) -> None:
    with chat.database.write() as session:
        identity = chat.conversation.identity
        assert identity is not None
        add_phone(session, customer_id=identity.customer_id, phone="09121234567")
    assert form.say(STORY, intent="complaint_file", **IN_STORY) == CONFIRM


def test_somebody_elses_number_in_a_story_is_not_taken_for_the_writers(form: Form) -> None:
    story = f"{STORY} پیک با ۰۹۱۲۱۲۳۴۵۶۷ زنگ زد"
    assert form.say(story, intent="complaint_file", **IN_STORY) == "phone"
    own = f"{STORY} شماره‌ام ۰۹۱۲۱۲۳۴۵۶۷ است"
    form.press("cancel")
    form.chat.slots.clear()
    assert form.say(own, intent="complaint_file", **IN_STORY) == CONFIRM


def test_a_no_with_another_category_corrects_it_in_words(at_summary: Form) -> None:
    text = "نه، تحویل نبود، پرداخت بود"
    found = {"category": [("delivery", "تحویل"), ("payment", "پرداخت")]}
    assert at_summary.say(text, intent="deny", **found) == CONFIRM
    assert at_summary.file().category == "payment"


@pytest.mark.parametrize("text", ["پرداخت بود نه تحویل", "نه پرداخت بود، تحویل نبود", "به جای تحویل پرداخت"])
def test_what_is_denied_does_not_count_wherever_the_no_stands(at_summary: Form, text: str) -> None:
    found = {"category": [("delivery", "تحویل"), ("payment", "پرداخت")]}
    at_summary.say(text, intent="deny", **found)
    assert at_summary.file().category == "payment"


def test_order_number_remedy_and_phone_are_corrected_in_words_too(at_summary: Form) -> None:
    assert at_summary.say("شماره سفارش ۵۴۳۲۱ بود", order_number=[("54321", "۵۴۳۲۱")]) == CONFIRM
    assert at_summary.say("نه، تعویض می‌خوام", remedy=[("replacement", "تعویض می‌خوام")]) == CONFIRM
    assert at_summary.say("شماره‌ام ۰۹۳۵۱۲۳۴۵۶۷ است") == CONFIRM
    complaint = at_summary.file()
    assert (complaint.order_number, complaint.remedy) == ("54321", "replacement")
    with at_summary.chat.database.read() as session:
        assert session.get_one(ContactPoint, complaint.contact_point_id).value == "+989351234567"


@pytest.mark.parametrize(
    "field", ["description", "category", "order_number", "remedy", "attachments", "phone"]
)
def test_every_field_has_a_button_that_asks_it_and_comes_back(at_summary: Form, field: str) -> None:
    answers = {
        "description": {"text": "پیک آدرس را پیدا نکرد و برگشت رفت", "intent": "complaint_file"},
        "category": {"text": "کیفیت کالا"},
        "order_number": {"text": "۷۷۷"},
        "remedy": {"text": "تعمیر"},
        "attachments": {"text": "ندارم"},
        "phone": {"text": "۰۲۱ ۸۸۷۷ ۶۶۵۵"},
    }
    assert at_summary.press("correct_field", field=field) == field
    assert at_summary.say(**answers[field]) == CONFIRM


def test_more_files_can_be_added_and_all_taken_back(at_summary: Form, chat: Chat) -> None:
    at_summary.send(files=1)
    assert at_summary.press("correct_field", field="attachments") == "attachments"
    assert chat.said[0][0] == "utter_ask_complaint_more_attachments"
    at_summary.send(files=2)
    assert "۳" in chat.told("utter_complaint_summary")["lines"]
    at_summary.press("correct_field", field="attachments")
    at_summary.press("drop_attachments")
    assert "ندارد" in chat.told("utter_complaint_summary")["lines"]


def test_files_may_come_at_any_moment(form: Form) -> None:
    form.say(STORY, intent="complaint_file", category=[("product", "غذا")])
    assert form.send(files=1) == "order_number"
    form.say("۹۹۸۸")
    assert form.press("choose_remedy", remedy="refund") == "phone"


@pytest.mark.parametrize(
    ("text", "intent"),
    [("این به چه دردی می‌خوره؟", "explain"), ("ساعت کارتون چیه؟", "faq"), ("بی‌خیال", "cancel")],
)
def test_questions_and_a_wish_to_stop_are_left_to_the_rules_at_every_step(
    form: Form, text: str, intent: str
) -> None:
    form.say(STORY, intent="complaint_file", category=[("product", "غذا")])
    for answer in ("۱۲۳۴", "تعویض", "ندارم", "بدون شماره"):
        assert form.say(text, intent=intent) == "left to the rules"
        form.say(answer)
    assert form.say(text, intent=intent) == "left to the rules"


@pytest.mark.parametrize(
    ("field", "explanation"),
    [
        ("order_number", "utter_explain_complaint_order_number"),
        ("phone", "utter_explain_complaint_phone"),
        ("category", "utter_explain_complaint"),
    ],
)
def test_each_question_is_explained_for_itself(chat: Chat, field: str, explanation: str) -> None:
    chat.slots["requested_slot"] = f"complaint_{field}"
    assert chat.run(questions.ActionExplainComplaint(), "چرا می‌پرسید؟", intent="explain") == {explanation}


def test_not_knowing_the_category_is_an_answer(form: Form) -> None:
    form.say(STORY, intent="complaint_file")
    assert form.say("نمی‌دونم کدومه") == "order_number"
    assert form.chat.slots["complaint_category"] == "other"


def test_yes_but_with_a_correction_shows_the_summary_again(at_summary: Form) -> None:
    text = "آره ولی شماره سفارش ۵۴۳۲۱ بود"
    assert at_summary.say(text, intent="affirm", order_number=[("54321", "۵۴۳۲۱")]) == CONFIRM
    assert at_summary.file().order_number == "54321"


def test_a_number_among_other_words_is_not_taken_for_the_order_number(at_summary: Form) -> None:
    assert at_summary.say("تولدم ۱۵ مهر ۱۳۷۰ هست", intent="profile_update") == "left to the rules"
    assert at_summary.say("نه، ۵۴۳۲۱ بود", intent="deny") == CONFIRM
    assert at_summary.file().order_number == "54321"


def test_a_number_that_answers_the_offer_of_a_call_is_left_to_it(form: Form) -> None:
    form.say(STORY, intent="complaint_file", **IN_STORY)
    form.chat.ran_before("utter_offer_callback")
    assert form.say("09121234567") == "left to the rules"


def test_more_of_the_story_in_several_lines_is_kept_once_when_the_turn_runs_again(form: Form) -> None:
    form.say(STORY, intent="complaint_file", **IN_STORY)
    more = "پیک تلفنش را هم جواب نمی‌داد\nآخر سر هم غذا را پشت در گذاشت و رفت"
    chat = form.chat
    for again in (False, True):
        chat.run(ValidateComplaintForm(), more, intent="complaint_file", again=again)
    form.press("skip_field", field="phone")
    assert form.file().description == f"{STORY}\n{more}"


def test_a_refusal_that_names_another_field_is_taken_for_that_one(form: Form) -> None:
    story = {"category": [("product", "غذا")]}
    form.say(STORY, intent="complaint_file", **story, remedy=[("refund", "پولمو می‌خوام")])
    assert form.say("۱۲۳۴") == "attachments"
    form.say("چیزی ندارم")
    form.press("correct_field", field="order_number")
    assert form.say("عکس ندارم", intent="skip") == "order_number"
    assert form.say("۴۴۱۲") == "phone"


def test_the_order_number_is_corrected_beside_other_words(at_summary: Form) -> None:
    assert at_summary.say("سفارشم اشتباه بود AB-12346X", intent="nlu_fallback") == CONFIRM
    assert at_summary.file().order_number == "AB-12346X"


def test_another_complaint_waits_until_this_one_is_filed(form: Form, chat: Chat) -> None:
    form.say(STORY, intent="complaint_file", **IN_STORY)
    assert form.say("یه شکایت دیگه هم دارم پیکتون بهم فحش داد", intent="complaint_file") == "phone"
    assert form.said == {"utter_complaint_one_at_a_time"}
    assert chat.slots["complaint_description"] == STORY


def test_a_few_words_that_name_what_went_wrong_are_a_story(form: Form) -> None:
    text = "کفش خریدم سایزش غلط اومده"
    assert form.say(text, intent="complaint_file", category=[("wrong_item", "سایزش")]) == "order_number"


def test_a_brief_answer_to_the_question_whether_to_erase_is_no_story(form: Form) -> None:
    form.say("شکایت دارم", intent="complaint_file")
    form.chat.ran_before("utter_ask_erasure")
    assert form.say("آره پاک کن") == "left to the rules"


@pytest.mark.parametrize("signals", [("danger",), ()])
def test_what_is_heard_in_a_story_told_as_an_answer_decides_how_urgent_it_is(
    form: Form, signals: tuple[str, ...]
) -> None:
    assert form.say("شکایت دارم", intent="complaint_file") == "description"
    story = "پکیجتون گاز پس داد و بچه‌م حالش بد شد"
    assert form.say(story, intent="complaint_file", heard=signals) == "category"
    assert form.press("choose_category", category="product") == "order_number"
    for asked in ("remedy", "attachments", "phone", CONFIRM):
        assert form.say("ندارم") == asked
    assert (form.file().priority == "urgent") is bool(signals)
