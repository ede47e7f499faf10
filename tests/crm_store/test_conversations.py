from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from crm_store.base import utcnow
from crm_store.conversations.service import (
    add_message,
    issue_buttons,
    messages_after,
    open_conversation,
    press_button,
)
from crm_store.customers.service import identify
from crm_store.db import Database
from tests.factories import a_conversation, an_inbox_id

HOUR = timedelta(hours=1)
CHOICES = [{"title": "بله", "payload": "/affirm"}, {"title": "نه", "payload": "/deny"}]


def test_a_chat_has_one_conversation_and_one_customer_however_often_it_writes(database: Database) -> None:
    found = set()
    for _ in range(2):
        with database.write() as session:
            identity = identify(session, channel="telegram", external_id="42", display_name="مینا")
            conversation = open_conversation(session, channel="telegram", chat_id="42", identity=identity)
            found.add((conversation.id, identity.customer_id))
    assert len(found) == 1


def test_what_leaves_the_machine_for_a_button_says_nothing_of_its_payload(database: Database) -> None:
    with database.write() as session:
        issued = issue_buttons(
            session, conversation_id=a_conversation(session).id, buttons=CHOICES, lifetime=HOUR
        )
    assert [button["title"] for button in issued] == ["بله", "نه"]
    assert all(set(button) == {"title", "token"} and "affirm" not in button["token"] for button in issued)
    assert all(len(button["token"].encode()) <= 64 for button in issued)


def test_a_double_tap_uses_a_button_once_and_a_redelivered_tap_is_answered_again(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        yes, no = issue_buttons(session, conversation_id=conversation.id, buttons=CHOICES, lifetime=HOUR)
        taps = [an_inbox_id(session, conversation) for _ in range(3)]
        where = {"conversation_id": conversation.id}
        first = press_button(session, **where, token=yes["token"], inbox_id=taps[0])
        assert (first.outcome, first.payload) == ("ok", "/affirm")
        assert press_button(session, **where, token=yes["token"], inbox_id=taps[1]).outcome == "used"
        assert press_button(session, **where, token=no["token"], inbox_id=taps[2]).outcome == "used"
        assert press_button(session, **where, token=yes["token"], inbox_id=taps[0]) == first


def test_taps_that_race_use_a_button_once(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        yes, no = issue_buttons(session, conversation_id=conversation.id, buttons=CHOICES, lifetime=HOUR)
        taps = [an_inbox_id(session, conversation) for _ in range(8)]

    def tap(number: int) -> str:
        token = (yes, no)[number % 2]["token"]
        with database.write() as session:
            return press_button(
                session, conversation_id=conversation.id, token=token, inbox_id=taps[number]
            ).outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(tap, range(8)))
    assert outcomes == ["ok"] + ["used"] * 7


def test_a_button_of_another_chat_is_unknown_here_and_stays_usable_there(database: Database) -> None:
    with database.write() as session:
        mine, theirs = a_conversation(session), a_conversation(session)
        (button,) = issue_buttons(session, conversation_id=theirs.id, buttons=CHOICES[:1], lifetime=HOUR)
        tap = an_inbox_id(session, mine)
        forged = press_button(session, conversation_id=mine.id, token=button["token"], inbox_id=tap)
        invented = press_button(session, conversation_id=mine.id, token="no-such-token", inbox_id=tap)
        assert forged == invented
        assert forged.outcome == "unknown"
        own_tap = an_inbox_id(session, theirs)
        assert (
            press_button(session, conversation_id=theirs.id, token=button["token"], inbox_id=own_tap).outcome
            == "ok"
        )


def test_a_button_past_its_time_is_expired(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        (button,) = issue_buttons(
            session, conversation_id=conversation.id, buttons=CHOICES[:1], lifetime=HOUR
        )
        tap = an_inbox_id(session, conversation)
        late = press_button(
            session,
            conversation_id=conversation.id,
            token=button["token"],
            inbox_id=tap,
            now=utcnow() + 2 * HOUR,
        )
        assert late.outcome == "expired"


def test_the_transcript_is_numbered_without_gaps_by_writers_that_race(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)

    def write(number: int) -> None:
        with database.write() as session:
            add_message(session, conversation_id=conversation.id, author="bot", text=str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(20)))
    with database.read() as session:
        lines = messages_after(session, conversation_id=conversation.id, seq=0)
    assert [line.seq for line in lines] == list(range(1, 21))
    assert {line.text for line in lines} == {str(n) for n in range(20)}


def test_an_incoming_message_stands_in_the_transcript_once(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        row = an_inbox_id(session, conversation)
        for _ in range(2):
            add_message(
                session, conversation_id=conversation.id, author="customer", text="سلام", inbox_id=row
            )
        assert len(messages_after(session, conversation_id=conversation.id, seq=0)) == 1
