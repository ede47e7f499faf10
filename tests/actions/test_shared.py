from __future__ import annotations

import pytest
from sqlalchemy import select

from actions.complaint_form import ValidateComplaintForm
from actions.handoff import ActionAskCallbackPhone
from actions.shared import ActionAffirm, ActionDeny, ActionFallback, ActionOutOfScope, ActionReceiveMedia
from crm_store.drafts import OPEN, Draft
from tests.actions.conftest import Chat

UNSURE = [("nlu_fallback", 0.4), ("complaint_status", 0.35), ("out_of_scope", 0.2), ("help", 0.05)]


def test_the_first_failure_guesses_and_the_second_offers_a_call(chat: Chat) -> None:
    assert chat.run(ActionFallback(), "اون چی شد پس", intent="nlu_fallback", ranking=UNSURE) == {
        "utter_did_you_mean"
    }
    assert [button["payload"] for button in chat.buttons] == ["/complaint_status"]
    chat.ran_before("utter_did_you_mean")
    assert chat.run(ActionFallback(), "اون دیگه", intent="nlu_fallback") == {"utter_misunderstood_again"}


def test_a_failure_after_something_understood_is_a_first_one(chat: Chat) -> None:
    chat.ran_before("utter_greet")
    assert chat.run(ActionFallback(), "بلبلبل", intent="nlu_fallback") == {"utter_misunderstood"}


def test_a_story_that_is_most_likely_a_complaint_starts_one(chat: Chat) -> None:
    ranking = [("nlu_fallback", 0.4), ("complaint_file", 0.35), ("faq", 0.2)]
    story = "kharid nakardam vali do bar pul az kartam kam shod"
    chat.run(ActionFallback(), story, intent="nlu_fallback", ranking=ranking)
    assert [event["name"] for event in chat.events] == ["complaint_form"]
    assert chat.run(ActionFallback(), "pul", intent="nlu_fallback", ranking=ranking) == {"utter_did_you_mean"}


def test_a_guess_that_was_right_takes_the_story_from_the_message_before(chat: Chat) -> None:
    story = "پیک شما امروز جلوی در خانه به پدر پیرم ناسزا گفت"
    chat.ran_before("utter_did_you_mean", text=story)
    chat.run(ValidateComplaintForm(), intent="complaint_file", trusted=True)
    assert chat.slots["complaint_description"] == story


def test_a_bare_code_leads_to_its_complaint(chat: Chat) -> None:
    code = chat.complaint().code
    assert chat.run(ActionFallback(), code, intent="nlu_fallback") == {"utter_complaint_state"}
    assert chat.run(ActionOutOfScope(), code, intent="out_of_scope") == {"utter_complaint_state"}


@pytest.mark.parametrize("text", ["کد ۱۲۳۴۵۶۷۸", "12345678", "کد پیگیری من 1234567 است"])
def test_a_wrong_code_is_told_to_be_unknown(chat: Chat, text: str) -> None:
    assert chat.run(ActionOutOfScope(), text, intent="out_of_scope") == {"utter_complaint_not_found"}


@pytest.mark.parametrize("text", ["٠٩٣٥١١١٢٢٣٣", "۰۲۱-۸۸۷۷۶۶۵۵ داخلی ۱۲"])
def test_a_number_sent_for_no_reason_given_leads_to_the_offer_of_a_call(chat: Chat, text: str) -> None:
    assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_contact_received"}
    chat.ran_before("utter_contact_received")
    assert chat.run(ActionAskCallbackPhone()) == {"utter_ask_callback_known_phone"}


@pytest.mark.parametrize(
    ("confidence", "response"), [(0.95, "utter_out_of_scope"), (0.5, "utter_did_you_mean")]
)
def test_an_uncertain_out_of_scope_asks_first(chat: Chat, confidence: float, response: str) -> None:
    ranking = [("out_of_scope", confidence), ("complaint_file", 0.4)]
    assert chat.run(ActionOutOfScope(), "پیکتون فحش داد", intent="out_of_scope", ranking=ranking) == {
        response
    }


def test_a_file_without_words_is_kept_for_a_complaint_and_dropped_if_it_is_none(chat: Chat) -> None:
    files = chat.files()
    assert chat.run(ActionReceiveMedia(), intent="media", entities={"attachment": files}) == {
        "utter_media_received"
    }
    with chat.database.read() as session:
        assert session.scalars(select(Draft)).one().data["attachments"] == files
    chat.ran_before("utter_media_received")
    assert chat.run(ActionDeny(), "نه", intent="deny") == {"utter_media_not_needed"}
    with chat.database.read() as session:
        assert session.scalars(select(Draft)).one().state != OPEN


def test_yes_after_a_file_starts_the_complaint(chat: Chat) -> None:
    chat.ran_before("utter_media_received")
    chat.run(ActionAffirm(), "بله", intent="affirm")
    assert [event["name"] for event in chat.events] == ["complaint_form"]


def test_the_summarys_button_outlives_its_session(chat: Chat) -> None:
    chat.run(ValidateComplaintForm(), "غذایی که آوردید یخ کرده بود و پیک دیر رسید", intent="complaint_file")
    chat.slots.clear()
    chat.run(ActionAffirm(), intent="affirm", trusted=True)
    assert [event["name"] for event in chat.events] == ["complaint_form"]
