"""What else colleagues write in a topic: kept replies, typing errors, places, albums, slow files."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_store.conversations.models import Message
from crm_store.customers.models import ChannelIdentity
from crm_store.handoff import replying
from crm_store.handoff.canned import save_canned
from crm_store.handoff.models import Handoff
from crm_store.privacy.holdings import SentFile, files_of, holdings_of
from tests.fakes.bot_api_people import SMALLEST_PHOTO
from tests.gateway.conftest import Setup
from tests.gateway.desk import GROUP, REZA, SARA, Desk, bare


@pytest.fixture
def desk(setup: Setup) -> Desk:
    return Desk(setup)


def keep(desk: Desk, shortcut: str, text: str) -> None:
    """A supervisor keeps a reply ready."""

    def save(session: object) -> None:
        staff = desk.staff(session, desk.negar)  # type: ignore[arg-type]
        staff.role = "supervisor"
        save_canned(session, staff=staff, shortcut=shortcut, title="سلام", text=text)  # type: ignore[arg-type]

    desk.setup.write(save)


async def test_a_shortcut_says_the_reply_that_is_kept_ready_with_the_customers_name(
    setup: Setup, desk: Desk
) -> None:
    keep(desk, "/سلام", "سلام {name}، من {agent} هستم.")
    async with setup.running():
        topic = await desk.claimed_topic()
        await desk.writes(desk.negar, topic, "/سلام")
        await desk.gets(desk.sara, "سلام سارا، من نگار هستم.")
        shown = await desk.reads(topic, "سلام سارا، من نگار هستم.")
    assert bare(shown.plain).startswith("نگار")
    assert ("staff:1", "all", "سلام سارا، من نگار هستم.") in desk.lines(desk.sara)
    assert not [text for text in setup.texts(SARA) if text.startswith("/")]


async def test_a_shortcut_below_a_photo_is_filled_in_too(setup: Setup, desk: Desk) -> None:
    keep(desk, "/part", "این قطعه، {name}؟")
    async with setup.running():
        topic = await desk.claimed_topic()
        await setup.telegram.group_photo(GROUP, desk.negar, caption="/part", thread=topic.thread_id)
        assert (await desk.gets(desk.sara, "این قطعه، سارا؟")).kind == "photo"


async def test_a_command_that_is_none_is_not_said_to_the_customer(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        got = setup.texts(SARA)
        await desk.writes(desk.negar, topic, "/relase@peyvand_bot")
        await desk.reads(topic, "پاسخ آماده یا فرمانی به این شکل نیست")
        await setup.all_finished()
    assert setup.texts(SARA) == got
    assert desk.handoff().state == "claimed"


@pytest.mark.parametrize(
    "text",
    [
        "/relase قرار شد ۲۰٪ برگردانیم، مشتری بدحسابی است",
        "/relase@peyvand_bot\nمشتری بدحسابی است",
        "\uff0frelase مشتری بدحسابی است",
        "/سلام مشتری بدحسابی است",
        "/ مشتری بدحسابی است",
    ],
)
async def test_words_behind_what_is_neither_a_command_nor_a_shortcut_alone_are_not_said_to_the_customer(
    setup: Setup, desk: Desk, text: str
) -> None:
    keep(desk, "/سلام", "سلام {name}")
    async with setup.running():
        topic = await desk.claimed_topic()
        got = setup.texts(SARA)
        await desk.writes(desk.negar, topic, text)
        await desk.reads(topic, "پاسخ آماده یا فرمانی به این شکل نیست")
        await setup.telegram.group_photo(GROUP, desk.negar, caption=text, thread=topic.thread_id)
        await setup.all_finished()
    assert setup.texts(SARA) == got
    assert desk.handoff().state == "claimed"


@pytest.mark.parametrize("command", ["/Release", "/RELEASE@peyvand_bot", "\uff0frelease"])
async def test_a_command_is_known_in_capitals_and_behind_a_wide_slash(
    setup: Setup, desk: Desk, command: str
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        await desk.writes(desk.negar, topic, f"{command} فردا تماس می‌گیریم")
        await setup.until(lambda: desk.handoff().state == "ended")
        await desk.reads(topic, "قرار شد: فردا تماس می‌گیریم")
    assert desk.handoff().agreed == "فردا تماس می‌گیریم"
    assert not [text for text in setup.texts(SARA) if "elease" in text.lower()]


async def test_of_words_that_did_not_arrive_the_edit_is_not_told_as_well(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        await setup.all_finished()

    def say_and_edit(session: Session) -> None:
        staff = desk.staff(session, desk.negar)
        number = session.query(Handoff).one().id
        row = replying.reply(session, handoff_id=number, staff=staff, text="هستید؟", key="said")
        replying.edit(session, message_id=row.content["message_id"], staff=staff, text="آنجا هستید؟")

    setup.write(say_and_edit)
    desk.sara.blocked = True
    async with setup.running():
        await desk.reads(topic, "به دست مشتری نرسید")
        await setup.all_finished()
    assert not [message for message in desk.said_in(topic) if "متن پیشین" in message.plain]


async def test_unseen_marks_before_the_slashes_give_nothing_away(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        got = setup.texts(SARA)
        await desk.writes(desk.negar, topic, "\u200f//مشتری بدحساب است")
        await desk.writes(desk.negar, topic, "\u2067/\u200f/ تخفیف نده")
        await desk.writes(desk.negar, topic, "\u200f/relase")
        await desk.reads(topic, "پاسخ آماده یا فرمانی به این شکل نیست")
        await setup.all_finished()
        assert setup.texts(SARA) == got
        assert setup.read(whispers) == [("مشتری بدحساب است", 0), ("تخفیف نده", 0)]
        await desk.writes(desk.negar, topic, "\u200f/release")
        await setup.until(lambda: desk.handoff().state == "ended")


async def test_whoever_sends_a_place_is_told_that_it_is_not_passed_on(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        got = len(setup.telegram.messages(SARA))
        await setup.telegram.group_location(GROUP, desk.negar, thread=topic.thread_id)
        await desk.reads(topic, "این پیام به مشتری نرسید")
        await setup.telegram.group_location(GROUP, desk.stranger, thread=topic.thread_id)
        await desk.reads(topic, "وصل نیست")
        await setup.all_finished()
    assert len(setup.telegram.messages(SARA)) == got


async def test_an_admin_who_stays_anonymous_is_told_that_it_is_not_passed_on(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        await setup.telegram.group_message_unnamed(GROUP, "من کی‌ام؟", thread=topic.thread_id)
        await desk.reads(topic, "ناشناس می‌نویسید")
        await setup.all_finished()
    assert not [text for text in setup.texts(SARA) if "من کی‌ام؟" in text]


def whispers(session: Session) -> list[tuple[str, int]]:
    """Words and number of files of what stays among the staff."""
    found = session.query(Message).filter_by(audience="staff").order_by(Message.seq)
    return [(one.text, len(one.extra.get("files", []))) for one in found]


async def test_whispered_photos_stay_among_the_staff_also_one_that_comes_late(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        got, shown = len(setup.telegram.messages(SARA)), len(desk.said_in(topic))
        where: dict[str, Any] = {"thread": topic.thread_id, "album": "77"}
        await setup.telegram.group_photo(GROUP, desk.negar, caption="// کارت ملی‌اش", **where)
        await setup.until(lambda: setup.read(whispers), "the first of them")
        await setup.telegram.group_photo(GROUP, desk.negar, **where)
        await setup.all_finished()
        await desk.writes(desk.negar, topic, "رسید")
        await desk.gets(desk.sara, "رسید")
    assert len(setup.telegram.messages(SARA)) == got + 1
    assert len(desk.said_in(topic)) == shown, "the group has its own photos already"

    assert setup.read(whispers) == [("کارت ملی‌اش", 1), ("", 1)]

    def told_to_her(session: Session) -> list[SentFile]:
        identity = session.query(ChannelIdentity).filter_by(external_id=str(SARA)).one()
        return files_of(holdings_of(session, customer_id=identity.customer_id))

    assert setup.read(told_to_her) == []


async def test_a_file_that_is_slow_to_fetch_holds_up_its_own_topic_only(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        of_sara = await desk.claimed_topic(desk.sara)
        of_reza = await desk.claimed_topic(desk.reza, number=1)
        setup.telegram.fail_next("getFile", 4, status=500)
        await setup.telegram.group_photo(
            GROUP, desk.negar, SMALLEST_PHOTO + b"slow", caption="همین؟", thread=of_sara.thread_id
        )
        await desk.writes(desk.negar, of_sara, "و این")
        await desk.writes(desk.negar, of_reza, "شما بفرمایید")
        await desk.gets(desk.reza, "شما بفرمایید")
        assert not [text for text in setup.texts(SARA) if text in ("همین؟", "و این")]
        await desk.gets(desk.sara, "و این")
    assert [text for text in setup.texts(SARA) if text in ("همین؟", "و این")] == ["همین؟", "و این"]
    assert not [text for text in setup.texts(REZA) if text in ("همین؟", "و این")]
