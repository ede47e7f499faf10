"""The channel over real HTTP: a trained model, a tracker store in a file and a real action server."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import urllib.error
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from bot.nlu.strict_turns import SESSION_TURNS
from tests.nlu.conftest import Rasa

pytestmark = pytest.mark.rasa

_ids = itertools.count(1)


@pytest.fixture
def sender() -> str:
    """A conversation of its own."""
    return f"conversation-{next(_ids)}"


def texts(answer: dict[str, Any]) -> list[str]:
    """What the bot said."""
    return [message["text"] for message in answer["messages"]]


def user_texts(rasa: Rasa, sender: str) -> list[str]:
    """What the tracker holds of what the person said."""
    return [event["text"] for event in rasa.events(sender) if event["event"] == "user"]


def test_a_ready_server_says_so(rasa: Rasa) -> None:
    assert rasa.ready() == (200, {"status": "ready"})


def test_a_turn_is_answered_in_the_agreed_shape(with_actions: Rasa, sender: str) -> None:
    status, answer = with_actions.turn(sender, "1", text="سلام")
    assert status == 200
    assert answer["confidence"] > 0.4
    assert {**answer, "confidence": None} == {
        "messages": [
            {
                "text": "سلام\n\nبفرمایید",
                "buttons": [{"title": "شکایت", "payload": '/pick{"category": "delivery"}'}],
                "image": None,
                "custom": None,
                "response": "utter_greet",
            }
        ],
        "replayed": False,
        "intent": "greet",
        "confidence": None,
    }


def test_what_a_question_is_about_reaches_the_tracker(with_actions: Rasa, sender: str) -> None:
    _, answer = with_actions.turn(sender, "1", text="ساعت کاریتون چنده؟")
    assert answer["intent"] == "faq"
    (event,) = (event for event in with_actions.events(sender) if event["event"] == "user")
    intent = event["parse_data"]["intent"]
    assert (intent["name"], intent["topic"]) == ("faq", "hours")
    assert intent["topic_confidence"] > 0.5


def test_responses_know_the_channel(with_actions: Rasa, sender: str) -> None:
    _, answer = with_actions.turn(sender, "1", text="سلام", channel="telegram")
    assert texts(answer) == ["سلام از تلگرام"]


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret-of-the-test", "رمز"])
def test_without_the_secret_nothing_happens(rasa: Rasa, sender: str, secret: str | None) -> None:
    sent = secret.encode().decode("latin-1") if secret else secret
    status, _ = rasa.post({"sender": sender, "message_id": "1", "text": "سلام"}, secret=sent)
    assert status == 401
    assert rasa.events(sender) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"sender": "1"}'])
def test_a_malformed_body_is_refused(rasa: Rasa, body: bytes) -> None:
    status, answer = rasa.post(body)
    assert (status, answer["error"]) == (400, "malformed")


# Typed text


@pytest.mark.parametrize(
    "typed",
    [
        "/restart",
        "/session_start",
        "/back",
        '/greet{"a":1}',
        "//greet",
        " / /greet",
        '/pick{"category":"delivery"}',
    ],
)
def test_text_that_looks_like_rasas_syntax_is_text(with_actions: Rasa, sender: str, typed: str) -> None:
    with_actions.turn(sender, "1", text="سلام")
    status, answer = with_actions.turn(sender, "2", text=typed)
    assert status == 200
    assert answer["intent"] not in ("restart", "session_start", "back", "pick")
    events = with_actions.events(sender)
    assert user_texts(with_actions, sender) == ["سلام", typed.strip()]
    assert [event["event"] for event in events].count("session_started") == 1
    assert not {"restart", "rewind"} & {event["event"] for event in events}
    assert events[-1]["name"] == "action_listen"
    assert all(event["metadata"].get("trusted") is False for event in events if event["event"] == "user")


def test_offsets_of_entities_hold_in_the_text_with_its_slash(with_actions: Rasa, sender: str) -> None:
    typed = "/ شماره ۰۹۱۲۳۴۵۶۷۸۹"
    with_actions.turn(sender, "1", text=typed)
    (user,) = (event for event in with_actions.events(sender) if event["event"] == "user")
    (phone,) = user["parse_data"]["entities"]
    assert phone["value"] == "+989123456789"
    assert typed[phone["start"] : phone["end"]] == "۰۹۱۲۳۴۵۶۷۸۹"


def test_text_with_half_an_emoji_is_answered(with_actions: Rasa, sender: str) -> None:
    assert with_actions.turn(sender, "1", text="سلام \ud83d")[0] == 200


def test_gibberish_is_not_understood(with_actions: Rasa, sender: str) -> None:
    _, answer = with_actions.turn(sender, "1", text="ژچضظ غثذض xqzv")
    assert (answer["intent"], texts(answer)) == ("nlu_fallback", ["متوجه نشدم"])


# Buttons, media, contacts


def test_a_button_is_an_intent_with_entities_and_trusted(with_actions: Rasa, sender: str) -> None:
    status, answer = with_actions.turn(
        sender, "7", text="شکایت", payload='/pick{"category": "delivery"}', metadata={"correlation_id": "c"}
    )
    seen = answer["messages"][0]["custom"]["seen"]
    assert (status, answer["intent"], answer["confidence"]) == (200, "pick", 1.0)
    assert [(entity["entity"], entity["value"]) for entity in seen["entities"]] == [("category", "delivery")]
    assert (seen["text"], seen["message_id"]) == ("شکایت", "7")
    assert seen["metadata"] == {"correlation_id": "c", "trusted": True}


@pytest.mark.parametrize("payload", ["/no_such_intent", "pick", "", "سلام", '/no_such{"a":1}'])
def test_a_payload_that_names_no_intent_is_refused(with_actions: Rasa, sender: str, payload: str) -> None:
    status, answer = with_actions.turn(sender, "1", payload=payload or " x")
    assert (status, answer["error"]) == (422, "unknown_payload")
    assert with_actions.events(sender) == []


def test_media_without_text_is_the_intent_media(with_actions: Rasa, sender: str) -> None:
    attachments = [{"id": 3, "kind": "photo"}, {"id": 4, "kind": "photo"}]
    status, answer = with_actions.turn(sender, "1", text=None, attachments=attachments)
    assert (status, answer["intent"], answer["confidence"]) == (200, "media", 1.0)
    assert answer["messages"][0]["text"] == "پرونده رسید"
    assert answer["messages"][0]["image"] == "https://example.com/a.png"
    (user,) = (event for event in with_actions.events(sender) if event["event"] == "user")
    assert [entity["value"] for entity in user["parse_data"]["entities"]] == [3, 4]


def test_text_and_attachments_and_contact_are_all_used(with_actions: Rasa, sender: str) -> None:
    fields = {"text": "سلام", "attachments": [{"id": 9, "kind": "voice"}], "contact": "+989121112233"}
    _, answer = with_actions.turn(sender, "1", **fields)
    (user,) = (event for event in with_actions.events(sender) if event["event"] == "user")
    assert answer["intent"] == "greet"
    assert user["parse_data"]["entities"] == [
        {"entity": "attachment", "value": 9},
        {"entity": "phone_number", "value": "+989121112233", "extractor": "contact"},
    ]


@pytest.mark.parametrize(("audience", "is_staff"), [("staff", True), ("customer", False)])
def test_intents_of_staff_are_for_staff(
    with_actions: Rasa, sender: str, audience: str, is_staff: bool
) -> None:
    _, answer = with_actions.turn(sender, "1", text="گزارش امروز", metadata={"audience": audience})
    assert (answer["intent"] == "staff_report") is is_staff


# Repetition


def test_the_same_message_again_gets_the_same_answer_without_running(with_actions: Rasa, sender: str) -> None:
    _, first = with_actions.turn(sender, "1", payload="/pick")
    _, second = with_actions.turn(sender, "2", text="سلام")
    _, again = with_actions.turn(sender, "1", payload="/pick")
    assert again == {**first, "replayed": True}
    assert with_actions.turn(sender, "2", text="سلام")[1] == {**second, "replayed": True}
    assert with_actions.effects(sender) == ["show"]
    assert len(user_texts(with_actions, sender)) == 2


def test_a_client_that_gives_up_finds_the_finished_turn(with_actions: Rasa, sender: str) -> None:
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        with_actions.turn(sender, "1", text="ممنون", timeout=1.2)
    status, answer = with_actions.turn(sender, "1", text="ممنون")
    assert (status, answer["replayed"], texts(answer)) == (200, True, ["خواهش می‌کنم"])
    assert with_actions.effects(sender) == ["slow"]


def test_the_same_message_twice_at_once_runs_once(with_actions: Rasa, sender: str) -> None:
    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(with_actions.turn(sender, "1", payload="/pick")[1]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["replayed"] for answer in answers) == [False, True, True, True]
    assert with_actions.effects(sender) == ["show"]


# Several requests

#: Asks for a question to be answered and for the points to be shown.
TWO_REQUESTS = "ساعت کاریتون چنده؟ راستی چند امتیاز دارم"
#: The second of its requests fails the first time.
FALTERING = "چند امتیاز دارم؟ راستی دیگه پیامک تبلیغاتی نفرستید"


def test_both_requests_of_a_message_are_answered_in_their_order(with_actions: Rasa, sender: str) -> None:
    status, answer = with_actions.turn(sender, "7", text=TWO_REQUESTS)
    assert (status, texts(answer), answer["replayed"]) == (200, ["پاسخ", "دیدم"], False)
    assert answer["intent"] == "faq"
    first, second = (event for event in with_actions.events(sender) if event["event"] == "user")
    assert (first["text"], first["message_id"]) == ("ساعت کاریتون چنده؟", "7#1")
    assert (second["text"], second["message_id"]) == ("چند امتیاز دارم", "7#2")
    assert second["parse_data"]["intent"]["name"] == "loyalty_balance"


def test_a_greeting_before_two_requests_is_not_answered_beside_them(with_actions: Rasa, sender: str) -> None:
    _, answer = with_actions.turn(sender, "1", text=f"سلام وقت بخیر، {TWO_REQUESTS}، ممنون")
    assert texts(answer) == ["پاسخ", "دیدم"]


def test_a_message_with_two_requests_is_repeated_as_a_whole(with_actions: Rasa, sender: str) -> None:
    _, first = with_actions.turn(sender, "1", text=TWO_REQUESTS)
    with_actions.turn(sender, "2", text="سلام")
    assert with_actions.turn(sender, "1", text=TWO_REQUESTS)[1] == {**first, "replayed": True}
    assert with_actions.effects(sender) == ["show"]


def test_a_retry_answers_what_was_done_from_memory_and_runs_only_the_rest(
    with_actions: Rasa, sender: str
) -> None:
    status, answer = with_actions.turn(sender, "1", text=FALTERING)
    assert (status, answer["error"]) == (500, "failed")
    status, answer = with_actions.turn(sender, "1", text=FALTERING)
    assert (status, texts(answer), answer["replayed"]) == (200, ["دیدم", "دیگر نمی‌فرستیم"], False)
    assert with_actions.effects(sender) == ["show", "falter", "falter"]
    assert with_actions.turn(sender, "1", text=FALTERING)[1] == {**answer, "replayed": True}


def test_the_request_that_opens_a_form_comes_last(with_actions: Rasa, sender: str) -> None:
    _, answer = with_actions.turn(sender, "1", text="می‌خوام شکایت ثبت کنم، راستی چند امتیاز دارم")
    assert texts(answer) == ["دیدم", "شرح ماجرا؟"]
    assert texts(with_actions.turn(sender, "2", text="پیک نیامد")[1]) == ["ثبت شد: پیک نیامد"]


def test_a_form_takes_a_message_as_a_whole(with_actions: Rasa, sender: str) -> None:
    with_actions.turn(sender, "1", payload="/complaint_file")
    assert texts(with_actions.turn(sender, "2", text=TWO_REQUESTS)[1]) == [f"ثبت شد: {TWO_REQUESTS}"]


def test_entities_of_a_part_lie_in_its_own_text(with_actions: Rasa, sender: str) -> None:
    _, answer = with_actions.turn(sender, "1", text=f"{TWO_REQUESTS} با ۰۹۱۲۳۴۵۶۷۸۹")
    seen = answer["messages"][1]["custom"]["seen"]
    (phone,) = seen["entities"]
    assert seen["text"][phone["start"] : phone["end"]] == "۰۹۱۲۳۴۵۶۷۸۹"
    assert (seen["message_id"], phone["value"]) == ("1#2", "+989123456789")


def test_no_session_begins_between_the_requests_of_a_message(with_actions: Rasa, sender: str) -> None:
    for number in range(SESSION_TURNS - 1):
        with_actions.turn(sender, f"m{number}", text="سلام")
    _, first = with_actions.turn(sender, "two", text=TWO_REQUESTS)
    assert [event["event"] for event in with_actions.events(sender)].count("session_started") == 1
    assert with_actions.turn(sender, "two", text=TWO_REQUESTS)[1] == {**first, "replayed": True}


# Failures


def test_an_action_that_fails_leaves_no_trace(with_actions: Rasa, sender: str) -> None:
    with_actions.turn(sender, "1", text="سلام")
    before = with_actions.events(sender)
    status, answer = with_actions.turn(sender, "2", payload="/deny")
    assert (status, answer["error"]) == (500, "failed")
    assert "action_fail" in answer["detail"]
    assert with_actions.events(sender) == before


def test_a_failed_turn_is_run_again_when_it_is_sent_again(with_actions: Rasa, sender: str) -> None:
    for _ in range(2):
        assert with_actions.turn(sender, "1", payload="/deny")[0] == 500
    assert with_actions.effects(sender) == ["fail", "fail"]


def test_a_turn_without_an_answer_is_a_failure_and_leaves_no_trace(with_actions: Rasa, sender: str) -> None:
    status, answer = with_actions.turn(sender, "1", payload="/goodbye")
    assert (status, answer["error"]) == (500, "failed")
    assert "silent" in answer["detail"]
    assert with_actions.events(sender) == []


def test_a_failing_extraction_of_a_slot_leaves_no_trace(with_actions: Rasa, sender: str) -> None:
    assert texts(with_actions.turn(sender, "1", payload="/complaint_file")[1]) == ["شرح ماجرا؟"]
    before = with_actions.events(sender)
    status, answer = with_actions.turn(sender, "2", text="استخراج خراب")
    assert (status, answer["error"]) == (500, "failed")
    assert with_actions.events(sender) == before
    assert texts(with_actions.turn(sender, "3", text="پیک نیامد")[1]) == ["ثبت شد: پیک نیامد"]


def test_a_long_conversation_is_not_sent_whole_to_an_action(with_actions: Rasa, sender: str) -> None:
    for number in range(12):
        with_actions.turn(sender, f"m{number}", text="سلام")
    _, answer = with_actions.turn(sender, "last", payload="/pick")
    assert answer["messages"][0]["custom"]["events"] < len(with_actions.events(sender)) / 2


def test_a_long_conversation_begins_a_new_session(with_actions: Rasa, sender: str) -> None:
    for number in range(SESSION_TURNS + 1):
        assert with_actions.turn(sender, str(number), text="سلام")[0] == 200
    events = [event["event"] for event in with_actions.events(sender)]
    assert events.count("session_started") == 2
    assert with_actions.turn(sender, str(SESSION_TURNS), text="سلام")[1]["replayed"] is True


def test_a_long_conversation_inside_a_form_goes_on(with_actions: Rasa, sender: str) -> None:
    for number in range(SESSION_TURNS - 1):
        with_actions.turn(sender, str(number), text="سلام")
    with_actions.turn(sender, "form", payload="/complaint_file")
    assert texts(with_actions.turn(sender, "story", text="پیک نیامد")[1]) == ["ثبت شد: پیک نیامد"]


def test_an_unreachable_action_server_is_an_outage_and_the_retry_succeeds(
    model_without_actions: Rasa, sender: str
) -> None:
    server = model_without_actions
    status, answer = server.turn(sender, "1", payload="/pick")
    assert (status, answer["error"]) == (503, "unavailable")
    assert server.events(sender) == []
    with server.action_server():
        status, answer = server.turn(sender, "1", payload="/pick")
    assert (status, answer["replayed"], texts(answer)) == (200, False, ["دیدم"])
    assert server.effects(sender) == ["show"]


def test_a_locked_tracker_store_is_an_outage_and_the_retry_succeeds(with_actions: Rasa, sender: str) -> None:
    with locked(with_actions):
        status, answer = with_actions.turn(sender, "1", text="سلام")
        assert (status, answer["error"]) == (503, "unavailable")
        assert "tracker store" in answer["detail"]
    assert with_actions.turn(sender, "1", text="سلام")[1]["replayed"] is False


@contextmanager
def locked(rasa: Rasa) -> Iterator[None]:
    """Keeps everybody else from writing to the tracker store."""
    with closing(sqlite3.connect(rasa.tracker_file, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")
