from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from actions.complaint_form import ValidateComplaintForm
from actions.handoff import ActionNoteCallback, ValidateCallbackForm
from actions.misunderstood import ActionFallback
from actions.privacy import (
    ActionAskErasure,
    ActionConfirmErasure,
    ActionExportData,
    ActionKeepData,
    ActionMarketingOptIn,
    ActionMarketingOptOut,
)
from actions.shared import ActionAffirm, ActionCancelForm, ActionDeny
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.service import add_phone
from crm_store.drafts import OPEN, Draft
from crm_store.outbox import SENT, OutboxItem, enqueue_message, enqueue_notice
from crm_store.privacy.models import Consent, Erasure
from crm_store.privacy.service import CONSENT_VERSION, EXPORT, marketing_allowed
from tests.actions.conftest import Chat

QUESTION = "utter_ask_erasure"
STORY = "غذایی که آوردید یخ کرده بود و پیک هم خیلی دیر رسید"


def customer(chat: Chat) -> int:
    with chat.database.read() as session:
        return customer_of(session.merge(chat.conversation, load=False))


def consents(chat: Chat) -> list[Consent]:
    with chat.database.read() as session:
        return list(
            session.scalars(select(Consent).where(Consent.customer_id == customer(chat)).order_by(Consent.id))
        )


def erasures(chat: Chat) -> list[Erasure]:
    with chat.database.read() as session:
        return list(session.scalars(select(Erasure)))


def exports(chat: Chat) -> list[OutboxItem]:
    with chat.database.read() as session:
        return list(session.scalars(select(OutboxItem).where(OutboxItem.kind == EXPORT)))


def audited(chat: Chat) -> list[tuple[str, str]]:
    with chat.database.read() as session:
        return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry))]


def ask(chat: Chat) -> None:
    """The question was the last thing said."""
    said = chat.run(ActionAskErasure(), "اطلاعاتمو پاک کنید", intent="my_data_erase")
    assert said == {QUESTION}
    chat.ran_before(QUESTION, text="اطلاعاتمو پاک کنید")


def tell_a_story(chat: Chat) -> None:
    chat.run(ValidateComplaintForm(), STORY, intent="complaint_file")
    chat.form, chat.slots["requested_slot"] = "complaint_form", "complaint_category"


def open_drafts(chat: Chat) -> int:
    with chat.database.read() as session:
        return len(list(session.scalars(select(Draft).where(Draft.state == OPEN))))


# Advertising


def test_an_objection_to_advertising_is_kept_at_once_with_words_time_and_version(chat: Chat) -> None:
    begun = utcnow()
    assert chat.run(ActionMarketingOptOut(), "لغو ۱۱", intent="marketing_opt_out") == {
        "utter_marketing_stopped"
    }
    (consent,) = consents(chat)
    assert (consent.granted, consent.text, consent.version) == (False, "لغو ۱۱", CONSENT_VERSION)
    assert (consent.purpose, consent.inbox_id) == ("marketing", chat.inbox_id)
    assert begun <= consent.at <= utcnow()


def test_a_yes_to_advertising_holds_until_it_is_taken_back(chat: Chat) -> None:
    allowed = []
    for action, text in (
        (ActionMarketingOptIn(), "تخفیف‌ها رو بفرستید"),
        (ActionMarketingOptOut(), "لغو ۱۱"),
        (ActionMarketingOptIn(), "پشیمون شدم، دوباره بفرستید"),
    ):
        chat.run(action, text)
        with chat.database.read() as session:
            allowed.append(marketing_allowed(session, customer_id=customer(chat)))
    assert allowed == [True, False, True]
    assert [consent.text for consent in consents(chat)] == [
        "تخفیف‌ها رو بفرستید",
        "لغو ۱۱",
        "پشیمون شدم، دوباره بفرستید",
    ]


def test_saying_it_twice_is_answered_kindly_and_both_are_kept(chat: Chat) -> None:
    for action, first, second in (
        (ActionMarketingOptOut(), "utter_marketing_stopped", "utter_marketing_stopped_already"),
        (ActionMarketingOptIn(), "utter_marketing_allowed", "utter_marketing_allowed_already"),
    ):
        assert chat.run(action, "پیشنهاد ویژه بفرستید") == {first}
        assert chat.run(action, "پیشنهاد ویژه بفرستید") == {second}
    assert len(consents(chat)) == 4


def test_a_repeated_turn_decides_once_and_says_the_same(chat: Chat) -> None:
    for again in (False, True):
        assert chat.run(ActionMarketingOptOut(), "لغو ۱۱", again=again) == {"utter_marketing_stopped"}
    assert len(consents(chat)) == 1


def test_of_a_tapped_button_its_title_is_kept(chat: Chat) -> None:
    inbox_id = chat.new_message()
    with chat.database.write() as session:
        add_message(
            session,
            conversation_id=chat.conversation.id,
            author="customer",
            text="برای حساب خودم",
            inbox_id=inbox_id,
        )
    chat.inbox_id = inbox_id
    chat.run(ActionMarketingOptIn(), intent="marketing_opt_in", trusted=True, again=True)
    assert consents(chat)[0].text == "برای حساب خودم"


@pytest.mark.parametrize("text", ["تخفیف دارید؟", "عضویتم تو خبرنامه کنسل", "ارسال تبلیغ رو متوقف کنید"])
def test_a_yes_to_advertising_that_is_not_beyond_doubt_is_asked_about(chat: Chat, text: str) -> None:
    assert chat.run(ActionMarketingOptIn(), text, intent="marketing_opt_in") == {"utter_ask_marketing"}
    assert consents(chat) == []


@pytest.mark.parametrize(
    ("action", "text", "intent", "granted"),
    [(ActionAffirm(), "آره بفرستید", "affirm", True), (ActionDeny(), "نه مرسی", "deny", False)],
)
def test_the_question_about_advertising_may_be_answered_in_words(
    chat: Chat, action: ActionAffirm | ActionDeny, text: str, intent: str, granted: bool
) -> None:
    chat.form = "complaint_form"
    chat.ran_before("utter_ask_marketing", text="تخفیف دارید؟")
    chat.run(action, text, intent=intent)
    assert [(consent.granted, consent.text) for consent in consents(chat)] == [(granted, text)]


def test_nobody_agrees_to_advertising_for_somebody_else(chat: Chat) -> None:
    said = chat.run(ActionMarketingOptIn(), "برای مادرم هم تخفیف بفرستید", intent="marketing_opt_in")
    assert said == {"utter_own_account_only"}
    assert consents(chat) == []


# A copy of everything


def test_the_file_is_queued_once_into_the_own_chat_and_audited(chat: Chat, stranger: Chat) -> None:
    for again in (False, True):
        said = chat.run(ActionExportData(), "اطلاعاتمو بدید", intent="my_data_export", again=again)
        assert said == {"utter_data_export_coming"}
    (item,) = exports(chat)
    assert item.conversation_id == chat.conversation.id != stranger.conversation.id
    assert audited(chat) == [(f"customer:{customer(chat)}", "privacy.export_requested")]


@pytest.mark.parametrize(
    "text", ["پرونده شوهرم رو بفرستید", "اطلاعات شماره 0935 111 2233 رو بدید", "etelaat khaharam ro bedin"]
)
def test_nobody_gets_what_is_kept_of_somebody_else(chat: Chat, stranger: Chat, text: str) -> None:
    with chat.database.write() as session:
        add_phone(session, customer_id=customer(stranger), phone="09351112233", proven=True)
    assert chat.run(ActionExportData(), text, intent="my_data_export") == {"utter_own_account_only"}
    assert exports(chat) == []
    assert [button["payload"] for button in chat.buttons] == ["/my_data_export"]


def test_the_own_number_in_the_text_is_no_obstacle(chat: Chat) -> None:
    with chat.database.write() as session:
        add_phone(session, customer_id=customer(chat), phone="09123456789")
    text = "اطلاعات من با شماره ۰۹۱۲۳۴۵۶۷۸۹ رو بفرستید"
    assert chat.run(ActionExportData(), text, intent="my_data_export") == {"utter_data_export_coming"}


# Being forgotten


def test_erasing_is_asked_about_first(chat: Chat) -> None:
    ask(chat)
    assert erasures(chat) == []


def test_the_question_speaks_of_a_complaint_that_is_open(chat: Chat) -> None:
    ask(chat)
    assert chat.told(QUESTION)["open_cases"] == ""
    chat.previous = []
    chat.complaint()
    ask(chat)
    assert "شکایت" in chat.told(QUESTION)["open_cases"]
    assert "درخواست" not in chat.told(QUESTION)["open_cases"]


def test_the_button_erases_once_and_it_is_audited(chat: Chat) -> None:
    ask(chat)
    for again in (False, True):
        said = chat.run(ActionConfirmErasure(), intent="confirm_erasure", trusted=True, again=again)
        assert said == {"utter_erasure_begun"}
    (erasure,) = erasures(chat)
    assert (erasure.customer_id, erasure.inbox_id) == (customer(chat), chat.inbox_id)
    assert audited(chat) == [(f"customer:{customer(chat)}", "privacy.erasure_requested")]


@pytest.mark.parametrize("text", ["بله", "بله.", "آره", "bale", "YES"])
def test_a_bare_yes_straight_after_the_question_erases(chat: Chat, text: str) -> None:
    ask(chat)
    assert chat.run(ActionAffirm(), text, intent="affirm") == {"utter_erasure_begun"}
    assert len(erasures(chat)) == 1


@pytest.mark.parametrize("text", ["باشه", "بله بله شکایتمو ثبت کن", "اوکی", "بله ولی اول یه نسخه بدید"])
def test_a_yes_that_is_more_than_a_yes_is_asked_about_again(chat: Chat, text: str) -> None:
    ask(chat)
    assert chat.run(ActionAffirm(), text, intent="affirm") == {"utter_ask_erasure_again"}
    assert erasures(chat) == []
    chat.ran_before("utter_ask_erasure_again", text=text)
    assert chat.run(ActionAffirm(), "بله", intent="affirm") == {"utter_erasure_begun"}


@pytest.mark.parametrize(
    ("text", "answer", "count"),
    [
        ("آره پاک کن", "utter_erasure_begun", 1),
        ("اره همه رو پاک کن", "utter_erasure_begun", 1),
        ("خب پاک بشه دیگه", "utter_ask_erasure_again", 0),
        ("نه صبر کن", "utter_erasure_declined", 0),
    ],
)
def test_an_answer_that_was_not_understood_is_still_an_answer_to_that_question(
    chat: Chat, text: str, answer: str, count: int
) -> None:
    ask(chat)
    assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {answer}
    assert len(erasures(chat)) == count


def test_a_yes_to_anything_else_erases_nothing(chat: Chat) -> None:
    ask(chat)
    chat.ran_before("utter_greet", text="سلام")
    assert chat.run(ActionAffirm(), "بله", intent="affirm") == {"utter_affirm_idle"}
    assert erasures(chat) == []


def test_a_yes_after_a_notice_that_came_in_between_is_asked_about_again(chat: Chat) -> None:
    ask(chat)
    asked_in = int(chat.previous[0]["message_id"])
    with chat.database.write() as session:
        where: dict[str, Any] = {"conversation_id": chat.conversation.id}
        answer = enqueue_message(session, **where, content={"text": "پاک کنم؟"}, inbox_id=asked_in)
        notice = enqueue_notice(session, **where, response="utter_trouble", idempotency_key="reminder:1")
        answer.state = notice.state = SENT
        answer.sent_at = utcnow()
        notice.sent_at = answer.sent_at + timedelta(seconds=1)
    assert chat.run(ActionAffirm(), "بله", intent="affirm") == {"utter_ask_erasure_again"}
    assert erasures(chat) == []


def test_an_old_button_asks_again(chat: Chat) -> None:
    ask(chat)
    chat.ran_before("utter_greet", text="سلام")
    assert chat.run(ActionConfirmErasure(), intent="confirm_erasure", trusted=True) == {QUESTION}
    assert erasures(chat) == []


def test_a_button_of_a_session_that_is_over_asks_again(chat: Chat) -> None:
    ask(chat)
    chat.previous.append({"event": "session_started"})
    assert chat.run(ActionConfirmErasure(), intent="confirm_erasure", trusted=True) == {QUESTION}
    assert erasures(chat) == []


@pytest.mark.parametrize("text", ["اطلاعات خواهرم رو پاک کن", "شماره ۰۹۳۵۱۱۱۲۲۳۳ رو از سیستم پاک کنید"])
def test_nobody_has_somebody_else_erased(chat: Chat, stranger: Chat, text: str) -> None:
    with chat.database.write() as session:
        add_phone(session, customer_id=customer(stranger), phone="09351112233", proven=True)
    assert chat.run(ActionAskErasure(), text, intent="my_data_erase") == {"utter_own_account_only"}
    assert [button["payload"] for button in chat.buttons] == ["/my_data_erase"]
    chat.ran_before("utter_own_account_only", text=text)
    assert chat.run(ActionAffirm(), "بله", intent="affirm") == {"utter_affirm_idle"}
    assert erasures(chat) == []


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        (ActionKeepData(), {"intent": "keep_data", "trusted": True}),
        (ActionDeny(), {"text": "نه", "intent": "deny"}),
        (ActionCancelForm(), {"text": "بیخیال", "intent": "cancel"}),
    ],
)
def test_a_no_leaves_everything_as_it_is(chat: Chat, action: ActionDeny, fields: dict[str, Any]) -> None:
    tell_a_story(chat)
    ask(chat)
    assert chat.run(action, **fields) == {"utter_erasure_declined"}
    assert (erasures(chat), open_drafts(chat)) == ([], 1)


def test_the_form_goes_on_after_a_leave_it_that_was_meant_for_the_question(chat: Chat) -> None:
    tell_a_story(chat)
    ask(chat)
    chat.run(ActionCancelForm(), "بیخیال", intent="cancel")
    assert [event["name"] for event in chat.events] == ["complaint_form"]


def test_do_erase_it_that_sounds_like_leave_it_is_asked_about_again(chat: Chat) -> None:
    ask(chat)
    assert chat.run(ActionCancelForm(), "پاکش کن", intent="cancel") == {"utter_ask_erasure_again"}
    chat.ran_before("utter_ask_erasure_again")
    assert chat.run(ActionAskErasure(), "همه رو پاک کن", intent="my_data_erase") == {
        "utter_ask_erasure_again"
    }
    assert erasures(chat) == []


def test_nothing_is_promised_to_be_kept_that_is_being_erased(chat: Chat) -> None:
    ask(chat)
    chat.run(ActionConfirmErasure(), intent="confirm_erasure", trusted=True)
    assert chat.run(ActionKeepData(), intent="keep_data", trusted=True) == {"utter_erasure_begun"}


# Within a form


def test_the_form_waits_for_the_answer_to_the_question(chat: Chat) -> None:
    tell_a_story(chat)
    ask(chat)
    chat.run(ActionAskErasure(), "اطلاعاتمو پاک کنید", intent="my_data_erase")
    assert [event["name"] for event in chat.events if event["event"] == "action"] == ["complaint_form"]


def test_erasing_drops_what_was_being_filled_in(chat: Chat) -> None:
    tell_a_story(chat)
    ask(chat)
    assert chat.run(ActionAffirm(), "بله", intent="affirm") == {"utter_erasure_begun"}
    assert (len(erasures(chat)), open_drafts(chat)) == (1, 0)
    assert {"event": "active_loop", "timestamp": None, "name": None} in chat.events
    assert all(value is None for value in chat.slots.values())


@pytest.mark.parametrize("intent", ["affirm", "deny"])
def test_a_yes_or_no_to_the_question_is_none_for_the_call_back_form(chat: Chat, intent: str) -> None:
    chat.form = "callback_form"
    chat.run(ValidateCallbackForm(), intent="request_callback", trusted=True)
    chat.slots["requested_slot"] = "callback_phone"
    chat.run(ValidateCallbackForm(), "09123456789")
    chat.run(ActionNoteCallback(), again=True)
    chat.slots["requested_slot"] = None
    chat.run(ValidateCallbackForm(), intent="request_callback", trusted=True)
    chat.slots["requested_slot"] = "callback_phone"
    chat.ran_before(QUESTION, text="اطلاعاتمو پاک کنید")
    chat.run(ValidateCallbackForm(), "بله", intent=intent)
    assert chat.events == []
