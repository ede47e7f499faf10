from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from actions.complaint_form import ValidateComplaintForm
from actions.complaint_questions import ActionAskCategory, ActionAskConfirm, ActionAskDescription
from actions.complaint_story import tells_what_happened
from actions.complaints import ActionFileComplaint
from actions.shared import ActionAffirm, ActionCancelForm, ActionDeny
from actions.status import ActionComplaintStatus
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment
from crm_store.conversations.service import open_conversation
from crm_store.drafts import OPEN, Draft
from crm_store.outbox import OutboxItem
from crm_store.persian import new_tracking_code, rich, to_persian_digits
from tests.actions.conftest import STAFF_GROUP, Chat
from tests.factories import a_conversation, a_member
from tests.factories.notices import rendered

STORY = "غذایی که دیشب آوردید یخ کرده بود و پیک هم دیر رسید"


def begin(chat: Chat, text: str = STORY) -> None:
    chat.run(ValidateComplaintForm(), text, intent="complaint_file")
    chat.form = "complaint_form"


def at_summary(chat: Chat) -> None:
    begin(chat)
    chat.slots["requested_slot"] = "complaint_category"
    chat.run(
        ValidateComplaintForm(), intent="choose_category", entities={"category": ["delivery"]}, trusted=True
    )
    chat.slots["requested_slot"] = "confirm"
    chat.ran_before("utter_complaint_summary")


def draft_of(chat: Chat) -> Draft | None:
    with chat.database.read() as session:
        return session.scalar(
            select(Draft).where(Draft.conversation_id == chat.conversation.id, Draft.state == OPEN)
        )


def complaints(chat: Chat) -> list[Complaint]:
    with chat.database.read() as session:
        return list(
            session.scalars(select(Complaint).where(Complaint.conversation_id == chat.conversation.id))
        )


@pytest.mark.parametrize(
    "text",
    [
        "شکایت دارم",
        "سلام وقت بخیر می‌خواستم یه شکایت ثبت کنم",
        "غذا سرد بود",
        "mikham ye shekayat sabt konam salam",
    ],
)
def test_a_text_that_tells_nothing_is_no_story(text: str) -> None:
    assert not tells_what_happened(text)


@pytest.mark.parametrize("text", [STORY, "kharid nakardam vali do bar pul az kartam kam shod"])
def test_a_long_text_that_says_what_happened_is_a_story(text: str) -> None:
    assert tells_what_happened(text)


def test_a_story_told_at_once_is_kept_and_only_the_category_is_missing(chat: Chat) -> None:
    begin(chat)
    assert chat.slots["complaint_description"] == STORY
    assert chat.slots["complaint_category"] is None


def test_a_short_complaint_leaves_the_story_to_be_asked(chat: Chat) -> None:
    begin(chat, "شکایت دارم")
    assert chat.slots["complaint_description"] is None


def test_a_greeting_in_front_does_not_spoil_the_story_that_was_asked_for(chat: Chat) -> None:
    begin(chat, "شکایت دارم")
    chat.slots["requested_slot"] = "complaint_description"
    chat.run(ValidateComplaintForm(), "سلام، غذا سرد بود", intent="greet")
    assert chat.slots["complaint_description"] == "سلام، غذا سرد بود"


@pytest.mark.parametrize(("text", "intent"), [("لغو", "cancel"), ("برای چی باید اینو بنویسم؟", "explain")])
def test_a_short_cancel_or_question_is_left_to_the_rules(chat: Chat, text: str, intent: str) -> None:
    begin(chat, "شکایت دارم")
    chat.slots["requested_slot"] = "complaint_description"
    chat.run(ValidateComplaintForm(), text, intent=intent)
    assert chat.events == []


def test_a_long_text_that_sounds_like_a_cancel_stays_a_story(chat: Chat) -> None:
    begin(chat, "شکایت دارم")
    chat.slots["requested_slot"] = "complaint_description"
    text = "سفارشم را بدون این‌که به من بگویید لغو کردید"
    chat.run(ValidateComplaintForm(), text, intent="cancel")
    assert chat.slots["complaint_description"] == text


@pytest.mark.parametrize(
    ("text", "entities"), [("رفتار کارکنان", {}), ("از برخوردشون", {"category": [("staff", "برخوردشون")]})]
)
def test_a_typed_category_counts_like_a_tapped_one(
    chat: Chat, text: str, entities: dict[str, list[object]]
) -> None:
    begin(chat)
    chat.slots["requested_slot"] = "complaint_category"
    chat.run(ValidateComplaintForm(), text, intent="nlu_fallback", entities=entities)
    assert chat.slots["complaint_category"] == "staff"


def test_what_is_told_after_the_story_is_added_to_it_once(chat: Chat) -> None:
    begin(chat)
    chat.slots["requested_slot"] = "complaint_category"
    more = "راننده هم سر من داد کشید و رفت پایین"
    for again in (False, True):
        chat.run(ValidateComplaintForm(), more, intent="complaint_file", again=again)
    assert chat.slots["complaint_description"] == f"{STORY}\n{more}"


def test_files_sent_before_the_story_belong_to_it(chat: Chat) -> None:
    files = chat.files(2)
    begin(chat, "شکایت دارم")
    chat.slots["requested_slot"] = "complaint_description"
    chat.run(ValidateComplaintForm(), intent="media", entities={"attachment": files})
    chat.run(ValidateComplaintForm(), STORY, intent="complaint_file")
    draft = draft_of(chat)
    assert draft is not None
    assert draft.data["attachments"] == files


def test_the_summary_shows_markup_as_text_and_cuts_a_long_story(chat: Chat) -> None:
    begin(chat, "<b>سایت</b> شما & خراب است 0[ {x} " + "خیلی بد " * 200)
    chat.slots["requested_slot"] = "complaint_category"
    chat.run(
        ValidateComplaintForm(), intent="choose_category", entities={"category": ["website"]}, trusted=True
    )
    chat.run(ActionAskConfirm(), intent="choose_category")
    told = chat.told("utter_complaint_summary")
    assert "&lt;b&gt;سایت&lt;/b&gt; شما &amp; خراب" in told["description"]
    assert "0[" not in told["description"]
    assert "0[ {x}" in rich.to_plain(told["description"])
    assert len(rich.to_plain(told["description"])) < 520


def test_the_same_turn_run_twice_files_one_complaint(chat: Chat) -> None:
    at_summary(chat)
    codes = set()
    for again in (False, True):
        chat.slots.update(requested_slot="confirm", confirm=None)
        chat.run(ValidateComplaintForm(), intent="affirm", trusted=True, again=again)
        assert chat.slots["confirm"] is True
        chat.run(ActionFileComplaint(), intent="affirm", trusted=True, again=True)
        codes.add(chat.told("utter_complaint_filed")["code"])
    (complaint,) = complaints(chat)
    assert codes == {rich.value(to_persian_digits(complaint.code))}


def test_filing_clears_only_the_slots_of_the_complaint(chat: Chat) -> None:
    at_summary(chat)
    chat.slots["callback_phone"] = "+989121234567"
    chat.run(ActionFileComplaint(), intent="affirm", trusted=True)
    assert chat.slots["complaint_description"] is None
    assert chat.slots["callback_phone"] == "+989121234567"


def test_the_staff_group_is_told_once_of_a_complaint(chat: Chat) -> None:
    with chat.database.write() as session:
        group = open_conversation(session, channel="telegram", chat_id=str(STAFF_GROUP), identity=None)
    at_summary(chat)
    for again in (False, True):
        chat.run(ActionFileComplaint(), intent="affirm", trusted=True, again=again)
    with chat.database.read() as session:
        (notice,) = session.scalars(select(OutboxItem))
    assert notice.conversation_id == group.id
    assert notice.content["response"] == "utter_staff_group_complaint"
    assert notice.content["params"]["category"] == "تحویل سفارش"
    assert rich.to_plain(rendered(notice).text).endswith("اولویت: \u2068عادی\u2069")


def test_of_an_urgent_complaint_supervisors_are_told_once_with_the_reasons(chat: Chat) -> None:
    with chat.database.write() as session:
        desk, bystander = a_conversation(session), a_conversation(session)
        a_member(session, role="supervisor", chat=desk)
        a_member(session, chat=bystander)
    at_summary(chat)
    with chat.database.write() as session:
        draft = session.scalars(select(Draft)).one()
        draft.data = {**draft.data, "signals": ["danger"]}
    for again in (False, True):
        chat.run(ActionFileComplaint(), intent="affirm", trusted=True, again=again)
    with chat.database.read() as session:
        (notice,) = session.scalars(select(OutboxItem))
        assert notice.conversation_id == desk.id
        assert notice.content["response"] == "utter_staff_complaint_urgent"
        plain = rich.to_plain(rendered(notice).text).replace("\u2068", "").replace("\u2069", "")
        assert "فوری (نگرانی از سلامت یا ایمنی)" in plain


def test_yes_typed_after_another_question_does_not_file(chat: Chat) -> None:
    at_summary(chat)
    chat.ran_before("utter_offer_callback")
    chat.run(ValidateComplaintForm(), "بله", intent="affirm")
    assert chat.events == []
    chat.run(ActionAffirm(), "بله", intent="affirm")
    assert [event["name"] for event in chat.events] == ["callback_form"]


@pytest.mark.parametrize("text", ["بله", "ثبت کن", "ثبت شکایت"])
def test_a_typed_yes_to_the_summary_confirms_it(chat: Chat, text: str) -> None:
    at_summary(chat)
    chat.run(ValidateComplaintForm(), text, intent="affirm" if text == "بله" else "complaint_file")
    assert chat.slots["confirm"] is True


def test_no_to_the_summary_asks_what_to_correct_and_a_word_says_it(chat: Chat) -> None:
    at_summary(chat)
    chat.run(ValidateComplaintForm(), "نه", intent="deny")
    assert chat.events == []
    assert chat.run(ActionDeny(), "نه", intent="deny") == {"utter_complaint_correction"}
    chat.run(ValidateComplaintForm(), "دسته‌اش", intent="nlu_fallback")
    assert chat.slots["complaint_category"] is None
    assert chat.slots["complaint_description"] == STORY


def test_a_button_of_an_older_message_is_obeyed_at_any_step(chat: Chat) -> None:
    at_summary(chat)
    chat.run(
        ValidateComplaintForm(), intent="choose_category", entities={"category": ["staff"]}, trusted=True
    )
    assert chat.slots["complaint_category"] == "staff"


def test_a_typed_intent_is_no_button(chat: Chat) -> None:
    at_summary(chat)
    chat.run(
        ValidateComplaintForm(), "/correct_field", intent="correct_field", entities={"field": ["description"]}
    )
    assert chat.slots["complaint_description"] == STORY


def test_a_lost_session_goes_on_from_the_draft(chat: Chat) -> None:
    at_summary(chat)
    chat.slots.clear()
    chat.form, chat.previous = None, []
    assert chat.run(ValidateComplaintForm(), "شکایت دارم", intent="complaint_file") == {
        "utter_complaint_continued"
    }
    assert (chat.slots["complaint_description"], chat.slots["complaint_category"]) == (STORY, "delivery")


def test_a_new_story_replaces_the_old_draft_as_a_whole(chat: Chat) -> None:
    at_summary(chat)
    chat.slots.clear()
    story = "تعمیرکارتان آمد و ماشین لباسشویی را بدتر از قبل کرد"
    begin(chat, story)
    assert (chat.slots["complaint_description"], chat.slots["complaint_category"]) == (story, None)


def test_a_draft_that_lay_too_long_is_not_continued(chat: Chat) -> None:
    at_summary(chat)
    with chat.database.write() as session:
        session.scalars(select(Draft)).one().updated_at = utcnow() - timedelta(hours=73)
    chat.slots.clear()
    assert chat.run(ValidateComplaintForm(), "شکایت دارم", intent="complaint_file") == set()
    assert chat.slots["complaint_description"] is None


def test_cancelling_drops_the_draft_and_says_the_same_when_it_runs_again(chat: Chat) -> None:
    at_summary(chat)
    chat.form = None
    for again in (False, True):
        assert chat.run(ActionCancelForm(), "لغو", intent="cancel", again=again) == {"utter_form_cancelled"}
    assert draft_of(chat) is None
    assert chat.run(ActionCancelForm(), "لغو", intent="cancel") == {"utter_nothing_to_cancel"}


def test_complaints_are_listed_newest_first(chat: Chat) -> None:
    older, newer = chat.complaint(), chat.complaint()
    chat.run(ActionComplaintStatus(), "شکایتم چی شد", intent="complaint_status")
    items = chat.told("utter_complaint_list")["items"]
    assert items.index(to_persian_digits(newer.code)) < items.index(to_persian_digits(older.code))


def test_a_code_in_either_script_gives_the_state_of_ones_own_complaint(chat: Chat) -> None:
    code = chat.complaint().code
    for written in (code, to_persian_digits(code)):
        text = f"وضعیت شکایت {written} چیست؟"
        assert chat.run(ActionComplaintStatus(), text, intent="complaint_status") == {
            "utter_complaint_state",
            "utter_complaint_answer_due",
        }


def test_a_code_of_another_customer_gets_the_same_answer_as_a_missing_one(chat: Chat, stranger: Chat) -> None:
    answers = []
    for code in (chat.complaint().code, new_tracking_code(), "12345678"):
        stranger.run(ActionComplaintStatus(), f"شکایت {code} چی شد", intent="complaint_status")
        answers.append(stranger.said)
    assert answers[0] == answers[1] == answers[2]
    assert [response for response, _ in answers[0]] == ["utter_complaint_not_found"]


def test_attachments_of_another_customer_are_not_taken(chat: Chat, stranger: Chat) -> None:
    begin(chat, "شکایت دارم")
    chat.slots["requested_slot"] = "complaint_description"
    chat.run(
        ValidateComplaintForm(), STORY, intent="complaint_file", entities={"attachment": stranger.files()}
    )
    at_summary(chat)
    chat.run(ActionFileComplaint(), intent="affirm", trusted=True)
    with chat.database.read() as session:
        assert session.scalar(select(func.count()).where(Attachment.complaint_id.is_not(None))) == 0


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("4", "nlu_fallback"),
        ("فردا هوا چطوره؟", "out_of_scope"),
        ("کیفیت", "nlu_fallback"),
    ],
)
def test_a_number_or_chatter_is_no_story(chat: Chat, text: str, intent: str) -> None:
    begin(chat, "شکایت دارم")
    chat.slots["requested_slot"] = "complaint_description"
    chat.run(ValidateComplaintForm(), text, intent=intent)
    assert chat.events == []


def test_a_short_complaint_stands_before_the_story_that_was_asked_for(chat: Chat) -> None:
    begin(chat, "سفارشم دیر رسیده")
    chat.slots["requested_slot"] = "complaint_description"
    chat.ran_before("utter_ask_complaint_description", text="سفارشم دیر رسیده")
    chat.run(ValidateComplaintForm(), "سه روز معطل شدم", intent="complaint_file")
    assert chat.slots["complaint_description"] == "سفارشم دیر رسیده\nسه روز معطل شدم"


@pytest.mark.parametrize(
    ("before", "question"),
    [
        ("utter_greet", "utter_ask_complaint_category"),
        ("utter_ask_complaint_description", "utter_ask_complaint_category"),
        ("utter_ask_complaint_category", "utter_ask_complaint_category_again"),
        ("utter_complaint_summary", "utter_ask_complaint_category_again"),
    ],
)
def test_sympathy_is_expressed_once(chat: Chat, before: str, question: str) -> None:
    chat.ran_before(before)
    assert chat.run(ActionAskCategory()) == {question}
    chat.ran_before("utter_complaint_correction")
    assert chat.run(ActionAskDescription()) == {"utter_ask_complaint_description_again"}
