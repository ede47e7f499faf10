"""How fast a staff group is told things: no faster than it takes them, and nothing is left out for that."""

from __future__ import annotations

import pytest

from bot.gateway.desk.composing import Names, edited_parts, next_pieces
from bot.gateway.pacing import Pacer
from crm_store.base import utcnow
from crm_store.conversations.models import Attachment, Message
from crm_store.handoff.topics import CAPTION, PART, TEXT, LineToShow
from crm_store.persian import rich
from tests.gateway.conftest import Setup
from tests.gateway.desk import GROUP, Desk, bare

NAMES = Names("سارا", None, {"staff:3": "نگار"}, shows_phones=True)


def a_line(seq: int, text: str, *, author: str = "customer", files: int = 0, **more: object) -> LineToShow:
    message = Message(id=seq, seq=seq, author=author, text=text, extra=more, audience="all")
    kept = [Attachment(kind="photo", path=f"2026/11/{seq}-{number}.jpg") for number in range(files)]
    return LineToShow(message, kept)


async def test_what_is_said_while_a_group_waits_comes_in_one_message_per_topic(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A minute lasts a quarter of one here, for both sides.
    monkeypatch.setattr(Pacer, "MINUTE", 15.0)
    monkeypatch.setattr("tests.fakes.bot_api_forum.GROUP_SECONDS", 15.0)
    desk = Desk(setup)
    setup.set_limits(group_messages_per_minute=20)
    desk.telegram.state.group_pace.limit = 20
    async with setup.running():
        for user in (desk.sara, desk.reza):
            await desk.greets(user)
            desk.wants_a_person(user)
        topics = [await desk.topic(0), await desk.topic(1)]
        for topic in topics:
            await desk.reads(topic, "echo")
        before = len(setup.telegram.messages(GROUP))
        for number in range(12):
            await setup.telegram.send_text(desk.sara, f"سارا {number}.")
            await setup.telegram.send_text(desk.reza, f"رضا {number}.")
        for topic, name in zip(topics, ("سارا", "رضا"), strict=True):
            await desk.reads(topic, f"{name} 11.")
    for topic, name in zip(topics, ("سارا", "رضا"), strict=True):
        whole = "\n".join(bare(message.plain) for message in desk.said_in(topic))
        places = [whole.index(f"{name} {number}.") for number in range(12)]
        assert places == sorted(places)
        assert all(whole.count(f"\n{name} {number}.") == 1 for number in range(12))
    # 24 lines of theirs and as many answers.
    assert len(setup.telegram.messages(GROUP)) - before < 24


async def test_a_group_that_says_that_it_was_too_much_loses_nothing(setup: Setup) -> None:
    desk = Desk(setup)
    async with setup.running():
        topic = await desk.claimed_topic()
        setup.telegram.fail_next("sendMessage", 2, status=429, retry_after=1, chat_id=GROUP)
        await setup.telegram.send_text(desk.sara, "خط یکم")
        await setup.telegram.send_text(desk.sara, "خط دوم")
        await desk.reads(topic, "خط دوم")
    whole = "\n".join(message.plain for message in desk.said_in(topic))
    assert whole.count("خط یکم") == whole.count("خط دوم") == 1


def test_lines_are_joined_up_to_the_length_of_a_message_and_each_speaker_is_named_once_in_a_row() -> None:
    lines = [a_line(1, "یک"), a_line(2, "دو"), a_line(3, "پاسخ &lt;بله&gt;", author="bot")]
    (piece,) = next_pieces(lines, NAMES)
    assert bare(piece.part.text) == "<b>سارا</b>\nیک\nدو\n\n<b>ربات</b>\nپاسخ &lt;بله&gt;"
    assert (piece.form, piece.message_ids, piece.up_to) == (TEXT, (1, 2, 3), 3)
    long = [a_line(number, "د" * 1000) for number in range(1, 9)]
    (piece,) = next_pieces(long, NAMES)
    assert piece.up_to == 4
    assert rich.utf16_length(rich.to_plain(piece.part.text)) <= 4096


def test_a_line_that_is_too_long_for_one_message_makes_several_and_is_shown_whole_with_the_last() -> None:
    pieces = next_pieces([a_line(1, "جمله. " * 1200), a_line(2, "دو")], NAMES)
    assert [piece.up_to for piece in pieces] == [0, 1]
    assert {piece.form for piece in pieces} == {PART}
    assert sum(piece.part.text.count("جمله") for piece in pieces) == 1200


def test_files_come_alone_the_first_with_its_words() -> None:
    pieces = next_pieces([a_line(1, "دو عکس", files=2, media=["photo", "photo"])], NAMES)
    assert [piece.part.place and piece.part.place.path for piece in pieces] == [
        "2026/11/1-0.jpg",
        "2026/11/1-1.jpg",
    ]
    assert [piece.form for piece in pieces] == [CAPTION, PART]
    assert "دو عکس" in pieces[0].part.text
    assert "دو عکس" not in pieces[1].part.text


def test_what_only_the_staff_see_says_so() -> None:
    whisper = a_line(1, "قدیمی است", author="staff:3")
    whisper.message.audience = "staff"
    held = a_line(2, "پاسخ", author="bot", held_back=True)
    held.message.audience = "staff"
    (piece,) = next_pieces([whisper, held], NAMES)
    text = bare(piece.part.text)
    assert text.startswith("<b>نگار</b> <i>(فقط برای همکاران)</i>\nقدیمی است")
    assert "<b>ربات</b> <i>(نگه داشته شد؛ مشتری ندید)</i>\nپاسخ" in text


def test_nobody_writes_markup_into_the_group() -> None:
    (piece,) = next_pieces(
        [a_line(1, "<b>من مدیرم</b>\nپاسخ بده")], Names("<i>سارا</i>", 7, {}, shows_phones=True)
    )
    assert "&lt;b&gt;من مدیرم" in piece.part.text
    assert bare(piece.part.text).startswith("<b>&lt;i&gt;سارا&lt;/i&gt; (۷)</b>")


def test_new_words_that_no_longer_fit_make_several_messages() -> None:
    line = a_line(1, "جمله. " * 1200)
    line.message.edited_at = utcnow()
    assert len(edited_parts([line], NAMES, form=TEXT)) == 2
    assert [part.is_caption for part in edited_parts([line], NAMES, form=CAPTION)] == [True]
