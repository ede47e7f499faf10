from __future__ import annotations

import pytest
from sqlalchemy import select

from actions.complaint_form import ValidateComplaintForm
from actions.handoff import ActionAskCallbackPhone
from actions.misunderstood import ActionFallback, ActionOutOfScope
from actions.shared import ActionAffirm, ActionDeny, ActionReceiveMedia
from crm_store.drafts import OPEN, Draft
from tests.actions.conftest import Chat

UNSURE = [("nlu_fallback", 0.4), ("complaint_status", 0.35), ("out_of_scope", 0.2), ("help", 0.05)]


NOTHING_LIKELY = [("nlu_fallback", 0.4), ("loyalty_tier", 0.08), ("faq", 0.05)]


def fail(chat: Chat, text: str = "بلبلبل", *, ranking: list[tuple[str, float]] | None = None) -> set[str]:
    """One more message that is not understood, in a row with those before."""
    before = chat.previous
    said = chat.run(ActionFallback(), text, intent="nlu_fallback", ranking=ranking or NOTHING_LIKELY)
    chat.ran_before(*said, text=text)
    chat.previous = [*before, *chat.previous]
    return said


def payloads(chat: Chat) -> list[str]:
    return [button["payload"] for button in chat.buttons]


def test_the_first_failure_asks_for_the_likely_meanings(chat: Chat) -> None:
    assert fail(chat, "اون چی شد پس", ranking=UNSURE) == {"utter_did_you_mean"}
    assert payloads(chat) == ["/complaint_status", "/request_human"]


def test_no_more_than_three_meanings_are_offered(chat: Chat) -> None:
    ranking = [
        ("faq", 0.3),
        ("complaint_status", 0.2),
        ("goodbye", 0.2),
        ("profile_update", 0.15),
        ("help", 0.1),
    ]
    fail(chat, "اون چی شد پس", ranking=ranking)
    assert payloads(chat) == ["/faq", "/complaint_status", "/profile_update"]


def test_where_nothing_is_likely_the_first_failure_shows_what_can_be_done(chat: Chat) -> None:
    assert fail(chat) == {"utter_misunderstood"}
    assert payloads(chat) == ["/complaint_file", "/complaint_status", "/service_request", "/request_human"]


def test_the_second_failure_in_a_row_offers_a_call_by_a_promised_time_and_the_third_does_not(
    chat: Chat,
) -> None:
    fail(chat)
    assert fail(chat) == {"utter_misunderstood_again"}
    assert "تا ساعت" in chat.told("utter_misunderstood_again")["deadline"]
    assert fail(chat) == {"utter_misunderstood_still"}
    assert "/request_human" in payloads(chat)
    assert fail(chat) == {"utter_misunderstood_still"}


def test_a_failure_after_something_understood_is_a_first_one(chat: Chat) -> None:
    fail(chat)
    chat.previous += [
        {"event": "user", "text": "سلام"},
        {"event": "bot", "metadata": {"utter_action": "utter_greet"}},
    ]
    assert fail(chat) == {"utter_misunderstood"}


def test_a_failure_of_a_session_that_is_over_does_not_count(chat: Chat) -> None:
    fail(chat)
    chat.previous.append({"event": "session_started"})
    assert fail(chat) == {"utter_misunderstood"}


def test_whoever_is_promised_a_call_is_not_offered_another(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback")
    chat.run(ActionFallback(), "09123456789", intent="nlu_fallback")
    chat.previous = []
    fail(chat)
    assert fail(chat) == {"utter_misunderstood_still"}


def test_no_to_the_guesses_is_a_second_failure(chat: Chat) -> None:
    chat.ran_before("utter_did_you_mean", text="اون چی شد پس")
    assert chat.run(ActionDeny(), "نه", intent="deny") == {"utter_misunderstood_again"}


@pytest.mark.parametrize(
    ("form", "second", "waits"),
    [
        ("complaint_form", "utter_form_unclear_again", True),
        ("callback_form", "utter_callback_form_unclear", False),
    ],
)
def test_within_a_form_the_second_failure_apologises_and_the_third_finds_other_words(
    chat: Chat, form: str, second: str, waits: bool
) -> None:
    chat.form = form
    assert fail(chat) == {"utter_form_unclear"}
    assert chat.events == []
    assert fail(chat) == {second}
    assert [event.get("name") for event in chat.events] == ([form] if waits else [])
    assert "تا ساعت" in chat.told(second)["deadline"]
    assert fail(chat) == {"utter_form_unclear_still"}


def test_the_call_offered_within_a_form_is_taken_without_losing_the_draft(chat: Chat) -> None:
    story = "غذایی که آوردید یخ کرده بود و پیک دیر رسید"
    chat.run(ValidateComplaintForm(), story, intent="complaint_file")
    chat.form = "complaint_form"
    chat.ran_before("utter_form_unclear_again")
    chat.run(ActionAffirm(), "بله", intent="affirm")
    assert [event["name"] for event in chat.events] == ["callback_form"]
    with chat.database.read() as session:
        draft = session.scalars(select(Draft)).one()
    assert (draft.state, draft.data["description"]) == (OPEN, story)


@pytest.mark.parametrize("text", ["صبر کن", "یه لحظه صبر کنید!", "وایسا يه دقيقه", "الان برمی‌گردم"])
@pytest.mark.parametrize("form", [None, "complaint_form"])
def test_a_plea_to_wait_is_granted_without_a_question(chat: Chat, text: str, form: str | None) -> None:
    chat.form = form
    assert chat.run(ActionOutOfScope(), text, intent="out_of_scope") == {"utter_take_your_time"}
    assert [event["name"] for event in chat.events] == ([form] if form else [])


@pytest.mark.parametrize("text", ["لطفا", "یه لحظه صبر کنید شماره سفارش رو پیدا کنم"])
def test_what_says_more_or_less_is_no_plea_to_wait(chat: Chat, text: str) -> None:
    assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_misunderstood"}


def test_what_is_not_ours_is_declined_and_the_second_time_a_call_is_offered(chat: Chat) -> None:
    certain = [("out_of_scope", 0.97)]
    for response in ("utter_out_of_scope", "utter_out_of_scope_again", "utter_out_of_scope"):
        before = chat.previous
        assert chat.run(ActionOutOfScope(), "قیمت دلار", intent="out_of_scope", ranking=certain) == {response}
        chat.ran_before(response)
        chat.previous = [*before, *chat.previous]


def test_a_story_that_is_most_likely_a_complaint_starts_one(chat: Chat) -> None:
    ranking = [("nlu_fallback", 0.4), ("complaint_file", 0.35), ("faq", 0.2)]
    story = "kharid nakardam vali do bar pul az kartam kam shod"
    chat.run(ActionFallback(), story, intent="nlu_fallback", ranking=ranking)
    assert [event["name"] for event in chat.events] == ["complaint_form"]
    assert chat.run(ActionFallback(), "pul", intent="nlu_fallback", ranking=ranking) == {"utter_did_you_mean"}


@pytest.mark.parametrize("said", ["utter_did_you_mean", "utter_misunderstood"])
def test_a_guess_that_was_right_takes_the_story_from_the_message_before(chat: Chat, said: str) -> None:
    story = "پیک شما امروز جلوی در خانه به پدر پیرم ناسزا گفت"
    chat.ran_before(said, text=story)
    chat.run(ValidateComplaintForm(), intent="complaint_file", trusted=True)
    assert chat.slots["complaint_description"] == story


def test_a_bare_code_leads_to_its_complaint(chat: Chat) -> None:
    code = chat.complaint().code
    assert chat.run(ActionFallback(), code, intent="nlu_fallback") == {
        "utter_complaint_state",
        "utter_complaint_answer_due",
    }
    assert "utter_complaint_state" in chat.run(ActionOutOfScope(), code, intent="out_of_scope")


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


def test_noise_is_not_understood_rather_than_declined(chat: Chat) -> None:
    ranking, topics = [("out_of_scope", 0.97)], [("noise", 0.9), ("elsewhere", 0.1)]
    said = chat.run(ActionOutOfScope(), "شسیبل", intent="out_of_scope", ranking=ranking, topics=topics)
    assert said == {"utter_misunderstood"}


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
