"""The web chat's socket: nothing lost, nothing repeated, nobody else's."""

from __future__ import annotations

import hashlib

import pytest
from aiohttp import WSServerHandshakeError
from sqlalchemy import delete, update

from bot.console import hub
from crm_store.base import utcnow
from crm_store.conversations.models import STAFF_ONLY, Message
from crm_store.db import Database
from tests.console.browser import words
from tests.console.conftest import Serve, Visit
from tests.console.stand_in import FILED, USED, answer_pending, answered, received, say


async def test_an_acknowledged_message_stands_in_the_inbox(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    browser = await visit(await serve())
    page = await browser.page()
    client_id = await page.say("سلام")
    assert (await page.next("ack"))["client_id"] == client_id
    (row,) = received(sqlite_database)
    assert row.payload == {"client_id": client_id, "text": "سلام"}
    assert row.chat_id == hashlib.sha256(browser.token.encode()).hexdigest()
    assert browser.token not in f"{row.update_id} {row.payload}"


async def test_the_answer_follows_the_visitors_own_line(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    page = await (await visit(await serve())).page()
    assert await page.next("ready") == {"type": "ready", "last_seq": 0, "waiting": False}
    client_id = await page.say("سلام")
    await page.next("typing")
    answer_pending(sqlite_database)
    own, answer = await page.lines(2)
    assert (own["author"], own["client_id"], words(own)) == ("customer", client_id, "سلام")
    assert (answer["author"], own["seq"], answer["seq"]) == ("bot", 1, 2)


async def test_a_message_sent_again_is_kept_and_shown_once(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    browser = await visit(await serve())
    first = await browser.page()
    client_id = await first.say("سلام")
    await first.next("ack")
    await first.socket.close()
    answer_pending(sqlite_database)
    second = await browser.page()
    await second.say("سلام", client_id=client_id)
    await second.next("ack")
    assert len(received(sqlite_database)) == 1
    assert answer_pending(sqlite_database) == 0
    assert [frame["type"] for frame in await second.everything_until_pong()].count("message") <= 2


async def test_what_happened_while_nobody_was_connected_comes_once_and_in_order(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    browser = await visit(await serve())
    page = await browser.page()
    seen = await answered(page, sqlite_database, "یک")
    await page.say("دو")
    await page.next("ack")
    await page.socket.close()
    answer_pending(sqlite_database)
    say(sqlite_database, received(sqlite_database)[0].chat_id, "خبر تازه")

    page = await browser.page(last_seq=seen)
    assert (await page.next("ready"))["last_seq"] == 5
    assert [words(line).strip("\u2068\u2069") for line in await page.lines(3)][0::2] == ["دو", "خبر تازه"]
    say(sqlite_database, received(sqlite_database)[0].chat_id, "و یکی دیگر")
    (line,) = await page.lines(1)
    assert (line["seq"], words(line)) == (6, "و یکی دیگر")


def reword(database: Database, seq: int, text: str, **changes: object) -> None:
    """Give a line other words."""
    with database.write() as session:
        line = update(Message).where(Message.seq == seq)
        session.execute(line.values(text=text, edited_at=utcnow(), **changes))


async def test_a_line_that_gets_other_words_is_sent_again_to_an_open_page_and_to_one_that_comes_back(
    serve: Serve, visit: Visit, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "EDITS_TICK", 0.05)
    browser = await visit(await serve())
    page = await browser.page()
    seen = await answered(page, sqlite_database)
    reword(sqlite_database, seen, "فردا می‌رسد")
    (line,) = await page.lines(1)
    assert (line["seq"], words(line)) == (seen, "فردا می‌رسد")
    reword(sqlite_database, seen, "پس‌فردا می‌رسد")
    (line,) = await page.lines(1)
    assert (line["seq"], words(line)) == (seen, "پس‌فردا می‌رسد")
    await page.socket.close()

    reword(sqlite_database, seen, "شنبه می‌رسد")
    page = await browser.page(last_seq=seen)
    (line,) = await page.lines(1)
    assert (line["seq"], words(line)) == (seen, "شنبه می‌رسد")
    say(sqlite_database, received(sqlite_database)[0].chat_id, "رسید")
    assert [words(line) for line in await page.lines(1)] == ["رسید"]
    reword(sqlite_database, seen, "به او نگو", audience=STAFF_ONLY)
    reword(sqlite_database, seen + 1, "هنوز نرسیده")
    assert [words(line) for line in await page.lines(1)] == ["هنوز نرسیده"]


async def test_a_visitor_whose_lines_went_with_time_begins_anew(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    browser = await visit(await serve())
    page = await browser.page()
    seen = await answered(page, sqlite_database)
    await page.socket.close()
    with sqlite_database.write() as session:
        session.execute(delete(Message))
    page = await browser.page()
    assert (await page.next("ready"))["last_seq"] == 0
    say(sqlite_database, received(sqlite_database)[0].chat_id, "خوش آمدید")
    (line,) = await page.lines(1)
    assert (line["seq"], words(line)) == (seen + 1, "خوش آمدید")


async def test_a_console_that_was_restarted_goes_on_where_the_page_stopped(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    server = await serve()
    browser = await visit(server)
    page = await browser.page()
    await page.say("یک")
    await page.next("ack")
    answer_pending(sqlite_database)
    await page.lines(2)
    await page.say("دو")
    await page.next("typing")
    await server.close()
    assert (await page.socket.receive()).data == 1001
    answer_pending(sqlite_database)

    browser.url = (await serve()).make_url("/")
    page = await browser.page(last_seq=2)
    assert [line["seq"] for line in await page.lines(2)] == [3, 4]


async def test_two_pages_of_one_visitor_see_the_same(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    browser = await visit(await serve())
    one, other = await browser.page(), await browser.page()
    await other.next("ready")
    await one.say("سلام")
    await one.next("ack")
    answer_pending(sqlite_database)
    assert await one.lines(2) == await other.lines(2)


async def test_a_visitor_never_sees_what_another_one_said(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    server = await serve()
    sara, reza = await visit(server), await visit(server)
    page_of_sara, page_of_reza = await sara.page(), await reza.page()
    await page_of_sara.say("راز سارا")
    await page_of_sara.next("ack")
    await page_of_reza.say("سلام")
    await page_of_reza.next("ack")
    answer_pending(sqlite_database)
    assert "راز سارا" in words((await page_of_sara.lines(2))[1])
    shown = [words(line) for line in await page_of_reza.lines(2)]
    late = await page_of_reza.everything_until_pong()
    assert not any("راز" in text for text in shown)
    assert not any(frame["type"] == "message" for frame in late)
    assert sara.token != reza.token


async def test_a_pressed_button_is_told_with_the_line_that_it_became(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    page = await (await visit(await serve())).page()
    await page.say("شکایت دارم")
    await page.next("ack")
    answer_pending(sqlite_database)
    button = (await page.lines(2))[1]["buttons"][1]
    assert set(button) == {"title", "token"}
    client_id = await page.press(button["token"])
    await page.next("ack")
    answer_pending(sqlite_database)
    own, answer = await page.lines(2)
    assert (own["pressed"], own["client_id"]) == (button["token"], client_id)
    assert words(own) == button["title"]
    assert words(answer).startswith(FILED.partition("<code>")[0])


async def test_another_visitors_button_does_nothing(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    server = await serve()
    page_of_sara, page_of_reza = await (await visit(server)).page(), await (await visit(server)).page()
    await page_of_sara.say("شکایت دارم")
    await page_of_sara.next("ack")
    answer_pending(sqlite_database)
    button = (await page_of_sara.lines(2))[1]["buttons"][0]
    await page_of_reza.press(button["token"])
    await page_of_reza.next("ack")
    answer_pending(sqlite_database)
    (line,) = await page_of_reza.lines(1)
    assert (line["author"], words(line)) == ("bot", USED)


async def test_what_was_typed_is_text_and_only_the_bots_three_tags_are_styles(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    page = await (await visit(await serve())).page()
    typed = "<b>مهم</b> <img src=x onerror=alert(1)> &lt;"
    await page.say(typed)
    await page.next("ack")
    answer_pending(sqlite_database)
    own, echo = await page.lines(2)
    assert own["segments"] == [[typed, []]]
    assert typed in words(echo)
    assert all(tags == [] for _, tags in echo["segments"])
    say(sqlite_database, received(sqlite_database)[0].chat_id, "کد <code>۱۲</code> <script>x</script>")
    (line,) = await page.lines(1)
    assert line["segments"] == [["کد ", []], ["۱۲", ["code"]], [" <script>x</script>", []]]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", None])
async def test_a_page_from_elsewhere_cannot_open_the_socket_or_upload(
    serve: Serve, visit: Visit, origin: str | None
) -> None:
    browser = await visit(await serve())
    with pytest.raises(WSServerHandshakeError) as refusal:
        await browser.session.ws_connect(browser.url / "chat/socket", origin=origin)
    assert refusal.value.status == 403
    headers = {"Origin": origin} if origin else {}
    async with browser.session.post(browser.url / "chat/attachments", headers=headers) as response:
        assert response.status == 403


async def test_behind_a_proxy_the_pages_public_host_counts(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    socket = await browser.session.ws_connect(
        browser.url / "chat/socket",
        origin="https://chat.example",
        headers={"X-Forwarded-Host": "chat.example"},
    )
    await socket.send_str('{"type": "hello", "last_seq": 0}')
    assert (await socket.receive_json(timeout=10))["type"] == "ready"
    await socket.close()
