"""What was not understood is kept for the operator, once a message, with what the person did next."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from actions import base
from actions.complaint_form import ValidateComplaintForm
from actions.misunderstood import ActionFallback, ActionOutOfScope
from actions.shared import ActionAffirm, ActionDeny
from actions.texts import shown
from crm_store.db import Database
from crm_store.learning.models import ASKED, CORRECTED, FALLBACK, LearningSample
from crm_store.settings import PROJECT_ROOT, LearningSettings, Settings
from crm_store.terms import terms
from tests.actions.conftest import Chat

#: The fallback has the least confidence of what is answered; what has more was too close to the next.
TOO_CLOSE = [("nlu_fallback", 0.4), ("loyalty_balance", 0.46), ("loyalty_history", 0.43)]
UNSURE = [("nlu_fallback", 0.7), ("complaint_status", 0.3), ("request_human", 0.2), ("goodbye", 0.1)]
NOTHING_LIKELY = [("nlu_fallback", 0.95), ("greet", 0.05)]


def fail(chat: Chat, text: str = "اون چی شد پس", *, ranking: Any = UNSURE, again: bool = False) -> None:
    """A message that is not understood, remembered as the turn before the next one."""
    said = chat.run(ActionFallback(), text, intent="nlu_fallback", ranking=ranking, again=again)
    answers = [{"event": "bot", "metadata": {"utter_action": response}} for response in said]
    chat.previous += [{"event": "user", "text": text, "message_id": str(chat.inbox_id)}, *answers]


def kept(chat: Chat) -> list[LearningSample]:
    with chat.database.read() as session:
        return session.query(LearningSample).order_by(LearningSample.id).all()


def test_a_message_about_which_was_asked_is_kept_with_its_likely_meanings(chat: Chat) -> None:
    fail(chat)
    (sample,) = kept(chat)
    assert (sample.text, sample.reason, sample.inbox_id) == ("اون چی شد پس", ASKED, chat.inbox_id)
    assert (sample.understood_as, sample.confidence) == ("complaint_status", 0.3)
    assert [label for label, _ in sample.ranking] == ["complaint_status", "request_human", "goodbye"]


def test_a_message_without_a_likely_meaning_is_kept_as_a_fallback(chat: Chat) -> None:
    fail(chat, "ژغضثط", ranking=NOTHING_LIKELY)
    assert [sample.reason for sample in kept(chat)] == [FALLBACK]


def test_a_turn_that_is_run_again_keeps_the_message_once(chat: Chat) -> None:
    fail(chat)
    chat.previous.clear()
    fail(chat, again=True)
    assert len(kept(chat)) == 1


def test_asking_again_in_other_words_notes_that_the_guesses_were_wrong(chat: Chat) -> None:
    fail(chat)
    fail(chat, "همون که گفتم")
    assert [(sample.text, sample.reason) for sample in kept(chat)] == [
        ("اون چی شد پس", CORRECTED),
        ("همون که گفتم", FALLBACK),
    ]


def test_a_no_to_the_guesses_is_noted_and_is_itself_understood(chat: Chat) -> None:
    fail(chat)
    chat.run(ActionDeny(), "نه", intent="deny")
    assert [(sample.text, sample.reason) for sample in kept(chat)] == [("اون چی شد پس", CORRECTED)]


def test_a_yes_that_answers_nothing_is_not_kept(chat: Chat) -> None:
    chat.form = "callback_form"
    chat.run(ActionAffirm(), "آره", intent="affirm", ranking=[("affirm", 0.95)])
    assert kept(chat) == []


@pytest.mark.parametrize(("confidence", "is_kept"), [(0.95, False), (0.5, True)])
def test_what_is_certainly_not_ours_is_understood_and_what_is_a_guess_is_kept(
    chat: Chat, confidence: float, is_kept: bool
) -> None:
    ranking = [("out_of_scope", confidence), ("complaint_status", 0.3)]
    chat.run(ActionOutOfScope(), "تیم ما دیشب چی شد", intent="out_of_scope", ranking=ranking)
    assert bool(kept(chat)) is is_kept


def test_a_message_that_needs_no_understanding_is_not_kept(chat: Chat) -> None:
    fail(chat, "09351112233")
    assert kept(chat) == []


def test_what_was_not_understood_within_a_form_is_kept_too(chat: Chat) -> None:
    chat.form = "callback_form"
    fail(chat)
    assert [sample.reason for sample in kept(chat)] == [FALLBACK]


def test_nothing_is_kept_where_the_operator_wants_none(settings: Settings) -> None:
    wanted = msgspec.structs.replace(settings, learning=LearningSettings(keep=False))
    chat = Chat(a_store(wanted))
    fail(chat)
    assert kept(chat) == []
    chat.database.dispose()


# Too close to call


def test_between_two_equally_likely_meanings_it_asks_which(chat: Chat) -> None:
    said = chat.run(ActionFallback(), "امتیازامو ببینم", intent="nlu_fallback", ranking=TOO_CLOSE)
    assert said == {"utter_which_one"}
    told = chat.told("utter_which_one")
    assert (told["first"], told["second"]) == (shown("امتیازهایم"), shown("سابقهٔ امتیازهایم"))
    assert chat.buttons == [
        {"title": "امتیازهایم", "payload": "/loyalty_balance"},
        {"title": "سابقهٔ امتیازهایم", "payload": "/loyalty_history"},
        {"title": "هیچ‌کدام", "payload": "/deny"},
    ]
    assert [sample.reason for sample in kept(chat)] == [ASKED]


def test_a_question_about_the_business_is_named_by_its_topic(chat: Chat) -> None:
    ranking = [("nlu_fallback", 0.4), ("faq", 0.47), ("complaint_status", 0.45)]
    topics = {"faq": "hours"}
    assert chat.run(ActionFallback(), "تا کی", intent="nlu_fallback", ranking=ranking, topics_of=topics) == {
        "utter_which_one"
    }
    assert chat.buttons[0] == {"title": "ساعت کار", "payload": '/choose_topic{"topic": "hours"}'}


@pytest.mark.parametrize(
    "ranking",
    [
        [("nlu_fallback", 0.4), ("loyalty_balance", 0.39), ("loyalty_history", 0.38)],
        [("nlu_fallback", 0.4), ("loyalty_balance", 0.46), ("thank", 0.44)],
        [("nlu_fallback", 0.4), ("loyalty_balance", 0.46)],
    ],
)
def test_a_choice_is_offered_only_between_two_likely_things_that_somebody_may_want(
    chat: Chat, ranking: Any
) -> None:
    assert chat.run(ActionFallback(), "امتیاز", intent="nlu_fallback", ranking=ranking) == {
        "utter_did_you_mean"
    }


def test_neither_of_the_two_is_noted_and_a_person_is_offered(chat: Chat) -> None:
    fail(chat, ranking=TOO_CLOSE)
    said = chat.run(ActionDeny(), "هیچ‌کدام", intent="deny", trusted=True)
    assert said == {"utter_misunderstood_again"}
    assert [(sample.text, sample.reason, sample.chosen) for sample in kept(chat)] == [
        ("اون چی شد پس", CORRECTED, "")
    ]


def test_a_story_is_not_told_twice_to_file_it_after_the_question(chat: Chat) -> None:
    story = "یخچالی که خریدم از روز اول سرد نمی‌کند و صدا هم می‌دهد"
    chat.ran_before("utter_which_one", text=story)
    chat.run(ValidateComplaintForm(), intent="complaint_file", trusted=True)
    assert chat.slots["complaint_description"] == story


def test_everything_that_may_be_meant_has_a_name_for_a_button() -> None:
    files = (PROJECT_ROOT / "data").glob("*/nlu.yml")
    taught = {
        entry["intent"].partition("/")[0]
        for file in files
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
        if "intent" in entry
    }
    # Answers and courtesy; nobody is asked whether they meant to say hello.
    no_wish = {"greet", "goodbye", "thank", "affirm", "deny", "skip", "cancel", "explain", "out_of_scope"}
    assert set(terms("shared")["suggestions"]) == taught - no_wish


def test_what_was_said_to_another_part_of_the_message_is_answered_by_nothing(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback", text="یکی زنگ بزنه")
    chat.run(ActionFallback(), "09351112233", intent="nlu_fallback", ranking=UNSURE, part=2)
    assert {response for response, _ in chat.said} == {"utter_contact_received"}


def a_store(settings: Settings) -> Database:
    from crm_store.migrate import upgrade

    database = base.configure(settings).database
    upgrade(database)
    return database
