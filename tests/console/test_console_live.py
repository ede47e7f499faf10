"""The console's socket: what a page is told, what it may do, and what nobody may do with forged frames."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError
from sqlalchemy import select, update

from bot.console import app, live
from bot.console.views import console_live
from crm_store.base import utcnow
from crm_store.conversations.models import BOT, HUMAN, STAFF_ONLY, Conversation, Message
from crm_store.db import Database
from crm_store.handoff import claiming, waiting
from crm_store.handoff.models import CLAIMED, WAITING, Handoff
from crm_store.outbox import SPEAKER_STAFF, OutboxItem
from crm_store.staff.models import ConsoleSession, StaffMember
from tests.console.agents import a_reply_on, bot_says, denials, open_live, says, who_waits
from tests.console.conftest import Enter
from tests.factories import RULES


def a_customer(database: Database, **told: Any) -> tuple[int, int]:
    """Somebody who waits; returns the hand-over and the conversation."""
    with database.write() as session:
        handoff = who_waits(session, **told)
        return handoff.id, handoff.conversation_id


def claimed_by(database: Database, login: str, handoff_id: int) -> None:
    with database.write() as session:
        staff = session.scalars(select(StaffMember).where(StaffMember.login == login)).one()
        claiming.claim(session, handoff_id=handoff_id, staff=staff, rules=RULES)


def staff_replies(database: Database) -> list[tuple[int, str]]:
    """What is on its way from people, by conversation."""
    with database.read() as session:
        rows = session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF))
        return [(row.conversation_id, row.content["text"]) for row in rows]


async def test_whoever_waits_is_seen_on_every_page_at_once(enter: Enter, sqlite_database: Database) -> None:
    page = await open_live(await enter())
    await page.desk(waiting=0)
    a_customer(sqlite_database)
    assert (await page.desk(waiting=1))["mine"] == 0


async def test_an_agent_claims_and_everybody_sees_whose_it_is(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer(sqlite_database)
    mine = await open_live(await enter(), conversation=conversation_id)
    theirs = await open_live(await enter("babak"), conversation=conversation_id)
    await theirs.desk(waiting=1, state="waiting:0")
    answer = await mine.do("claim", handoff=handoff_id)
    assert (answer["type"], answer["conversation"]) == ("ack", conversation_id)
    seen = await theirs.desk(waiting=0)
    assert seen["state"].startswith("claimed:")
    with sqlite_database.read() as session:
        conversation = session.get_one(Conversation, conversation_id)
        assert (conversation.owner, conversation.owner_id) == (HUMAN, int(seen["state"].partition(":")[2]))
    refused = await theirs.do("claim", handoff=handoff_id)
    assert (refused["type"], refused["code"]) == ("error", "already_claimed")
    assert "زودتر" in refused["text"]


async def test_a_reply_is_in_the_transcript_at_once_and_said_only_once(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    await page.do("claim", handoff=handoff_id)
    key = str(uuid.uuid4())
    first = await page.do("reply", key=key, handoff=handoff_id, text="سلام <b>مریم</b> خانم")
    again = await page.do("reply", key=key, handoff=handoff_id, text="سلام <b>مریم</b> خانم")
    assert first["type"] == "ack"
    assert first["seq"] == again["seq"]
    assert len(staff_replies(sqlite_database)) == 1
    watcher = await open_live(await enter("babak"), conversation=conversation_id, last_seq=first["seq"] - 1)
    line = await watcher.next("line")
    assert (line["seq"], line["author"]) == (first["seq"], "staff")
    assert "سلام &lt;b&gt;مریم&lt;/b&gt; خانم" in line["html"]
    assert "نگار" in line["html"]


async def test_what_was_missed_comes_after_a_break(enter: Enter, sqlite_database: Database) -> None:
    _, conversation_id = a_customer(sqlite_database)
    browser = await enter()
    page = await open_live(browser, conversation=conversation_id)
    assert [(await page.next("line"))["seq"] for _ in range(3)] == [1, 2, 3]
    await page.socket.close()
    with sqlite_database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        says(session, conversation, "کسی هست؟")
        bot_says(session, conversation, "چند لحظه صبر کنید")
    again = await open_live(browser, conversation=conversation_id, last_seq=3)
    assert [(await again.next("line"))["seq"] for _ in range(2)] == [4, 5]


async def test_a_page_that_missed_too_much_is_loaded_anew(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_live, "MOST_MISSED", 2)
    _, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=0)
    assert await page.next("reload")


async def test_a_line_that_changes_is_sent_again(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_TICK", 0.05)
    handoff_id, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    line = await a_reply_on(page, handoff_id)
    assert "در راه" in line["html"]
    settle(sqlite_database, "failed")
    again = await page.next("line")
    assert again["seq"] == line["seq"]
    assert "به مشتری نرسید" in again["html"]


def settle(database: Database, state: str) -> None:
    """What is on its way from people arrives, or does not."""
    with database.write() as session:
        ours = update(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)
        session.execute(ours.values(state=state, sent_at=utcnow() if state == "sent" else None))


async def test_a_reply_that_leaves_before_the_next_look_is_no_longer_shown_as_on_its_way(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_TICK", 3600.0)
    handoff_id, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    line = await a_reply_on(page, handoff_id)
    assert "در راه" in line["html"]
    settle(sqlite_database, "sent")
    monkeypatch.setattr(live, "SLOW_TICK", 0.05)
    again = await page.next("line")
    assert again["seq"] == line["seq"]
    assert "در راه" not in again["html"]


async def test_a_page_that_was_away_while_a_reply_left_shows_it_as_it_is(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_TICK", 3600.0)
    handoff_id, conversation_id = a_customer(sqlite_database)
    browser = await enter()
    page = await open_live(browser, conversation=conversation_id, last_seq=3)
    await page.do("claim", handoff=handoff_id)
    sent = await page.do("reply", handoff=handoff_id, text="سلام")
    await page.socket.close()
    settle(sqlite_database, "sent")
    back = await open_live(browser, conversation=conversation_id, last_seq=sent["seq"])
    line = await back.next("line")
    assert line["seq"] == sent["seq"]
    assert "در راه" not in line["html"]


async def test_a_whisper_stays_among_the_staff_also_when_it_is_typed_with_slashes(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    await page.do("whisper", conversation=conversation_id, text="مشتری حساس است")
    await page.do("claim", handoff=handoff_id)
    await page.do("reply", handoff=handoff_id, text="//قیمت را نگو")
    assert staff_replies(sqlite_database) == []
    with sqlite_database.read() as session:
        whispers = session.scalars(
            select(Message.text).where(Message.audience == STAFF_ONLY, Message.author.startswith("staff:"))
        ).all()
    assert whispers == ["مشتری حساس است", "قیمت را نگو"]


@pytest.mark.parametrize("text", ["/relase مشتری بدحسابی است", "/سلامم", "／ یک یادداشت"])
async def test_what_looks_like_a_mistyped_command_is_not_said_to_the_customer(
    enter: Enter, sqlite_database: Database, text: str
) -> None:
    handoff_id, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    await page.do("claim", handoff=handoff_id)
    refused = await page.do("reply", handoff=handoff_id, text=text)
    assert (refused["type"], refused["code"]) == ("error", "slip")
    assert staff_replies(sqlite_database) == []


async def test_a_reply_cannot_reach_a_customer_of_somebody_else(
    enter: Enter, sqlite_database: Database
) -> None:
    theirs, conversation_id = a_customer(sqlite_database)
    await enter("babak")
    claimed_by(sqlite_database, "babak", theirs)
    for role, login in (("agent", "negar"), ("supervisor", "sara"), ("admin", "boss")):
        page = await open_live(await enter(login, role=role), conversation=conversation_id)
        refused = await page.do("reply", handoff=theirs, text="سلام")
        assert (refused["type"], refused["code"]) == ("error", "forbidden")
    assert staff_replies(sqlite_database) == []
    assert [(kind, number) for _, kind, number in denials(sqlite_database)] == [("handoff", str(theirs))] * 3


async def test_nothing_is_said_to_who_still_waits_or_has_left(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id)
    assert (await page.do("reply", handoff=handoff_id, text="سلام"))["code"] == "invalid_transition"
    await page.do("claim", handoff=handoff_id)
    with sqlite_database.write() as session:
        waiting.leave(session, conversation_id=conversation_id)
    assert (await page.do("reply", handoff=handoff_id, text="سلام"))["type"] == "error"
    assert staff_replies(sqlite_database) == []


async def test_only_who_wrote_a_line_gives_it_other_words(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, conversation_id = a_customer(sqlite_database)
    mine = await open_live(await enter(), conversation=conversation_id)
    theirs = await open_live(await enter("babak"), conversation=conversation_id)
    await mine.do("claim", handoff=handoff_id)
    sent = await mine.do("reply", handoff=handoff_id, text="ساعت سه")
    with sqlite_database.read() as session:
        line = session.scalars(select(Message).where(Message.seq == sent["seq"])).one()
        customers = session.scalars(select(Message.id).where(Message.author == "customer").limit(1)).one()
    assert (await theirs.do("edit", message=line.id, text="ساعت نه"))["code"] == "forbidden"
    assert (await mine.do("edit", message=customers, text="راضی‌ام"))["code"] == "forbidden"
    assert (await mine.do("edit", message=line.id, text="ساعت چهار"))["seq"] == sent["seq"]
    with sqlite_database.read() as session:
        assert session.get_one(Message, line.id).text == "ساعت چهار"


FORGED: list[Any] = [
    "",
    "x",
    "[]",
    "{}",
    "null",
    {"type": "nothing"},
    {"type": "hello", "conversation": "1", "last_seq": 0},
    {"type": "hello", "conversation": -1},
    {"type": "hello", "conversation": 10**30},
    {"type": "hello", "last_seq": -1},
    {"type": "reply", "handoff": 1, "text": "سلام"},
    {"type": "reply", "key": "no-uuid", "handoff": 1, "text": "سلام"},
    {"type": "reply", "key": str(uuid.UUID(int=1)), "handoff": "1", "text": "سلام"},
    {"type": "reply", "key": str(uuid.UUID(int=1)), "handoff": 1, "text": None},
    {"type": "reply", "key": str(uuid.UUID(int=1)), "handoff": 1, "text": "سلام", "staff": 7},
    {"type": "reply", "key": str(uuid.UUID(int=1)), "handoff": 1, "conversation": 2, "text": "سلام"},
    {"type": "claim", "key": str(uuid.UUID(int=1)), "handoff": 1, "owner": 7},
    {"type": "whisper", "key": str(uuid.UUID(int=1)), "conversation": True, "text": "x"},
    {"type": "ping", "more": 1},
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda one: str(one)[:40])
async def test_what_is_no_frame_of_ours_does_nothing(
    enter: Enter, sqlite_database: Database, forged: Any
) -> None:
    a_customer(sqlite_database)
    page = await open_live(await enter())
    await page.send(forged)
    assert (await page.next("error"))["code"] == "malformed"
    await page.until_pong()
    assert staff_replies(sqlite_database) == []


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n ", "empty"), ("a" * 4001, "too_long"), ("//", "empty")]
)
async def test_nothing_and_too_much_are_not_sent(
    enter: Enter, sqlite_database: Database, text: str, code: str
) -> None:
    handoff_id, _ = a_customer(sqlite_database)
    page = await open_live(await enter())
    await page.do("claim", handoff=handoff_id)
    assert (await page.do("reply", handoff=handoff_id, text=text))["code"] == code


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("reply", {"handoff": 999, "text": "سلام"}),
        ("claim", {"handoff": 999}),
        ("whisper", {"conversation": 999, "text": "سلام"}),
        ("edit", {"message": 999, "text": "سلام"}),
    ],
)
async def test_what_is_not_there_is_not_found(enter: Enter, kind: str, fields: dict[str, Any]) -> None:
    page = await open_live(await enter())
    assert (await page.do(kind, **fields))["code"] == "not_found"


async def test_a_technician_hears_nothing_and_the_try_is_audited(
    enter: Enter, sqlite_database: Database
) -> None:
    page = await open_live(await enter("tech", role="technician"), hello=False)
    assert await page.close_code() == live.NOT_ALLOWED
    assert denials(sqlite_database) == [("staff:1", "page", "/console/live")]


async def test_without_a_session_the_socket_says_so_and_closes(enter: Enter) -> None:
    browser = await enter()
    browser.session.cookie_jar.clear()
    page = await open_live(browser, hello=False)
    assert await page.close_code() == live.SESSION_OVER


async def test_a_session_that_ends_ends_the_socket_with_the_next_frame(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, _ = a_customer(sqlite_database)
    page = await open_live(await enter())
    await page.desk(waiting=1)
    with sqlite_database.write() as session:
        for row in session.scalars(select(ConsoleSession)):
            session.delete(row)
    await page.send({"type": "claim", "key": str(uuid.uuid4()), "handoff": handoff_id})
    assert await page.close_code() == live.SESSION_OVER
    with sqlite_database.read() as session:
        assert session.get_one(Handoff, handoff_id).state == WAITING


async def test_who_was_disabled_is_told_nothing_more(enter: Enter, sqlite_database: Database) -> None:
    _, conversation_id = a_customer(sqlite_database)
    page = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    await page.desk(waiting=1)
    with sqlite_database.write() as session:
        session.scalars(select(StaffMember)).one().role = "technician"
        says(session, session.get_one(Conversation, conversation_id), "رازی دارم")
    frames = []
    while not page.socket.closed:
        frames.append(await page.socket.receive(timeout=10))
    assert not any("رازی" in str(frame.data) for frame in frames)


async def test_a_role_that_was_taken_away_does_nothing_any_more(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SLOW_TICK", 3600.0)  # a look in between would close the page
    handoff_id, _ = a_customer(sqlite_database)
    page = await open_live(await enter())
    await page.desk(waiting=1)
    with sqlite_database.write() as session:
        session.scalars(select(StaffMember)).one().role = "technician"
    await page.send({"type": "claim", "key": str(uuid.uuid4()), "handoff": handoff_id})
    assert (await page.next("error"))["code"] == "forbidden"
    assert ("staff:1", "handoff", str(handoff_id)) in denials(sqlite_database)
    with sqlite_database.read() as session:
        assert session.scalars(select(Conversation.owner)).one() == BOT


@pytest.mark.parametrize("origin", ["https://example.org", "null", None])
async def test_a_page_elsewhere_opens_no_socket(
    enter: Enter, sqlite_database: Database, origin: str | None
) -> None:
    browser = await enter()
    with pytest.raises(WSServerHandshakeError) as refused:
        await browser.session.ws_connect(browser.url / "console/live", origin=origin)
    assert refused.value.status == 403
    assert denials(sqlite_database) == [("staff:1", "page", "/console/live")]


async def test_a_flood_is_slowed_down_and_loses_nothing_that_was_taken(
    enter: Enter, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a slow machine everything would be slow enough.
    monkeypatch.setattr(app, "STAFF_BURST", 12)
    monkeypatch.setattr(app, "STAFF_PER_SECOND", 0.1)
    handoff_id, _ = a_customer(sqlite_database)
    page = await open_live(await enter())
    await page.do("claim", handoff=handoff_id)
    keys = [str(uuid.uuid4()) for _ in range(20)]
    for number, key in enumerate(keys):
        await page.send({"type": "reply", "key": key, "handoff": handoff_id, "text": f"پیام {number}"})
    answers = [await page.next_of("ack", "error") for _ in keys]
    refused = [one for one in answers if one["type"] == "error"]
    assert refused
    assert all(one["code"] == "too_fast" and one["retry_after"] >= 1 for one in refused)
    assert len(staff_replies(sqlite_database)) == len(answers) - len(refused)


async def test_no_group_and_no_stranger_is_shown(enter: Enter, sqlite_database: Database) -> None:
    from crm_store.conversations.service import open_conversation

    with sqlite_database.write() as session:
        group = open_conversation(session, channel="telegram", chat_id="-100777", identity=None)
        session.flush()
        group_id = group.id
    page = await open_live(await enter(), hello=False)
    for conversation_id in (group_id, 999):
        await page.send(json.dumps({"type": "hello", "conversation": conversation_id}))
        assert (await page.next("error"))["code"] == "not_found"


async def test_a_member_has_room_for_so_many_pages(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_SOCKETS_PER_MEMBER", 1)
    browser = await enter()
    first = await open_live(browser)
    second = await open_live(browser, hello=False)
    assert await second.close_code() == 1013
    await first.until_pong()


async def test_a_waiting_customer_is_claimed_by_one_of_two(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, _ = a_customer(sqlite_database)
    pages = [await open_live(await enter(login)) for login in ("negar", "babak")]
    for page in pages:
        await page.send({"type": "claim", "key": str(uuid.uuid4()), "handoff": handoff_id})
    answers = [await page.next_of("ack", "error") for page in pages]
    assert sorted(one["type"] for one in answers) == ["ack", "error"]
    with sqlite_database.read() as session:
        assert session.get_one(Handoff, handoff_id).state == CLAIMED
