"""Customers' topics in the staff's group: what is shown there, and what is written there."""

from __future__ import annotations

import pytest

from crm_store.audit import AuditEntry
from crm_store.conversations.models import Attachment, Message
from crm_store.handoff.models import RelayedLine, StaffTopic
from tests.fakes.bot_api_model import SentMessage
from tests.fakes.bot_api_people import SMALLEST_PHOTO, SMALLEST_VOICE
from tests.gateway.conftest import Setup
from tests.gateway.desk import GROUP, REZA, SARA, Desk, bare


@pytest.fixture
def desk(setup: Setup) -> Desk:
    return Desk(setup)


async def test_a_wish_for_a_person_opens_a_topic_with_the_card_a_button_and_the_last_lines(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara, "یخچالم سرد نمی‌کند")
        desk.wants_a_person(desk.sara)
        topic = await desk.topic()
        await desk.reads(topic, "echo 1")
    card, lines = desk.said_in(topic)
    assert "سارا" in topic.name
    assert "یخچالم خراب است" in card.plain
    assert "سارا" in card.plain
    assert [button.title for button in card.buttons] == ["برداشتن گفتگو"]
    assert bare(lines.plain) == "سارا\nیخچالم سرد نمی‌کند\n\nربات\necho 1"


async def test_the_first_answer_takes_the_conversation_over_and_reaches_the_customer(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        asked = len(setup.rasa.turns)
        await setup.telegram.send_text(desk.sara, "یخچال سرد نمی‌کند")
        await desk.reads(topic, "یخچال سرد نمی‌کند")
        await setup.all_finished()
    assert len(setup.rasa.turns) == asked, "the bot is silent while a person has the conversation"
    assert ("staff:1", "all", "سلام، من نگارم") in desk.lines(desk.sara)
    # Nobody reads their own words a second time.
    assert not [message for message in desk.said_in(topic) if "من نگارم" in message.plain]


async def test_photos_voice_and_files_go_both_ways(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        await setup.telegram.send_photo(desk.sara, SMALLEST_PHOTO + b"leak", caption="این‌جا چکه می‌کند")
        photo = await desk.reads(topic, "این‌جا چکه می‌کند")
        assert (photo.kind, photo.file and photo.file.content) == ("photo", SMALLEST_PHOTO + b"leak")
        await setup.telegram.send_voice(desk.sara, SMALLEST_VOICE + b"hum")
        await setup.until(lambda: desk.said_in(topic)[-1].kind == "voice", "the recording")
        await setup.telegram.send_document(desk.sara, b"%PDF-1.4 bill", name="فاکتور.pdf")
        await setup.until(lambda: desk.said_in(topic)[-1].kind == "document", "the document")
        sent = desk.said_in(topic)[-1].file
        assert sent is not None
        assert (sent.name, sent.content) == ("فاکتور.pdf", b"%PDF-1.4 bill")

        await setup.telegram.group_photo(
            GROUP, desk.negar, SMALLEST_PHOTO + b"part", caption="همین قطعه؟", thread=topic.thread_id
        )
        shown = await desk.gets(desk.sara, "همین قطعه؟")
        assert (shown.kind, shown.file and shown.file.content) == ("photo", SMALLEST_PHOTO + b"part")
        await setup.telegram.group_voice(GROUP, desk.negar, SMALLEST_VOICE + b"yes", thread=topic.thread_id)
        await setup.until(lambda: setup.telegram.messages(SARA)[-1].kind == "voice", "the recording")
        await setup.all_finished()
    kept = setup.read(lambda session: session.query(Attachment).order_by(Attachment.id).all())
    hers = setup.read(lambda session: desk.chat(session, desk.sara).id)
    assert {one.conversation_id for one in kept} == {hers}, "all files are with the customer they belong to"


async def test_edits_go_both_ways(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        said = await setup.telegram.send_text(desk.sara, "فردا ساعت ۸")
        await desk.reads(topic, "فردا ساعت ۸")
        await setup.telegram.edit_text(desk.sara, setup.telegram.message_id_of(said), "فردا ساعت ۹")
        shown = await desk.reads(topic, "فردا ساعت ۹")
        assert "ویرایش" in shown.plain
        assert not [message for message in desk.said_in(topic) if "ساعت ۸" in message.plain]

        answer = await desk.writes(desk.negar, topic, "ساعت ۱۰ می‌آیند")
        await desk.gets(desk.sara, "ساعت ۱۰ می‌آیند")
        await setup.all_finished()
        await setup.telegram.edit_group_text(GROUP, setup.telegram.message_id_of(answer), "ساعت ۱۱ می‌آیند")
        await desk.gets(desk.sara, "ساعت ۱۱ می‌آیند")
    assert len([text for text in setup.texts(SARA) if "می‌آیند" in text]) == 1
    assert setup.telegram.calls("editMessageText")


async def test_an_edit_that_is_refused_is_told_and_the_message_still_counts_as_arrived(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        answer = await desk.writes(desk.negar, topic, "ساعت ۱۰ می‌آیند")
        await desk.gets(desk.sara, "ساعت ۱۰ می‌آیند")
        await setup.all_finished()
        setup.telegram.fail_next("editMessageText", 9, status=400, chat_id=SARA)
        await setup.telegram.edit_group_text(GROUP, setup.telegram.message_id_of(answer), "ساعت ۱۱ می‌آیند")
        told = await desk.reads(topic, "متن پیشین نزد اوست")
        await setup.all_finished()
    assert told.reply_to is not None
    assert not [message for message in desk.said_in(topic) if "به دست مشتری نرسید" in message.plain]
    line = setup.read(lambda s: s.query(Message).filter_by(text="ساعت ۱۱ می‌آیند").one())
    assert "undelivered" not in line.extra


async def test_a_whisper_stays_among_the_staff(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        whispered = await desk.writes(desk.omid, topic, "// این مشتری قدیمی است")
        await setup.all_finished()
        await setup.telegram.edit_group_text(
            GROUP, setup.telegram.message_id_of(whispered), "// مشتری خیلی قدیمی است"
        )
        await setup.all_finished()
        await desk.writes(desk.negar, topic, "در خدمتم")
        await desk.gets(desk.sara, "در خدمتم")
    assert not [text for text in setup.texts(SARA) if "قدیمی" in text]
    assert ("staff:2", "staff", "مشتری خیلی قدیمی است") in desk.lines(desk.sara)


async def test_what_was_said_can_not_be_turned_into_a_whisper(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        said = await desk.writes(desk.negar, topic, "سخت می‌گیرد")
        await desk.gets(desk.sara, "سخت می‌گیرد")
        await setup.telegram.edit_group_text(GROUP, setup.telegram.message_id_of(said), "// سخت می‌گیرد")
        await desk.reads(topic, "پیش‌تر به مشتری رسیده")
    assert setup.texts(SARA)[-1] == "سخت می‌گیرد"


async def test_a_stranger_and_a_colleague_without_the_conversation_say_nothing_to_the_customer(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        got = setup.texts(SARA)
        await desk.writes(desk.stranger, topic, "من هم هستم")
        await desk.reads(topic, "وصل نیست")
        await desk.writes(desk.omid, topic, "بگذار من جواب بدهم")
        await desk.reads(topic, "دست نگار است")
        await setup.all_finished()
        assert setup.texts(SARA) == got
        await setup.telegram.press(
            desk.stranger, (await desk.reads(topic, "گفتگو را برداشت")), "پایان و برگشت"
        )
        await setup.until(lambda: not setup.telegram.unanswered_callbacks(), "an alert")
    assert desk.handoff().state == "claimed"
    denied = setup.read(lambda s: s.query(AuditEntry).filter_by(action="staff.denied").all())
    actors = [entry.actor for entry in denied]
    assert f"account:telegram:{desk.stranger.id}" in actors
    assert "staff:2" in actors


async def test_buttons_claim_and_release_and_the_customer_goes_on_with_the_bot(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        desk.wants_a_person(desk.sara)
        topic = await desk.topic()
        card = await desk.reads(topic, "درخواست گفتگو")
        (claim,) = [button.data for button in card.buttons]
        await setup.telegram.press_data(desk.stranger, card, claim)
        await setup.telegram.press_data(desk.negar, card, claim)
        await desk.reads(topic, "نگار گفتگو را برداشت")
        await setup.telegram.press_data(desk.omid, card, claim)
        await setup.until(lambda: not setup.telegram.unanswered_callbacks(), "alerts")
        alerts = [one.answer_text for one in setup.telegram.state.callbacks.values()]
        assert "وصل نیست" in alerts[0]
        assert alerts[1] == "گفتگو دست شماست."
        assert "نگار" in alerts[2]
        sign = await desk.reads(topic, "گفتگو را برداشت")
        await setup.telegram.press(desk.negar, sign, "پایان و برگشت")
        await desk.reads(topic, "ربات دوباره پاسخ می‌دهد")
        asked = len(setup.rasa.turns)
        await setup.telegram.send_text(desk.sara, "ممنون")
        await setup.until(lambda: len(setup.rasa.turns) > asked, "the bot")
    assert desk.handoff().outcome == "released"


async def test_a_typed_release_tells_what_was_agreed(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        await desk.writes(desk.negar, topic, "/release فردا کمپرسور عوض می‌شود")
        await desk.reads(topic, "فردا کمپرسور عوض می‌شود")
        await desk.writes(desk.negar, topic, "باز هم من")
        over = await desk.reads(topic, "گفتگو الان با ربات است")
        assert [button.title for button in over.buttons] == ["برداشتن گفتگو"]
        await setup.telegram.press(desk.negar, over, "برداشتن")
        await setup.until(lambda: not setup.telegram.unanswered_callbacks(), "an alert")
        await desk.writes(desk.negar, topic, "یک چیز دیگر")
        await desk.gets(desk.sara, "یک چیز دیگر")
    assert not [text for text in setup.texts(SARA) if "باز هم من" in text or "/release" in text]
    assert len(setup.telegram.state.forums.of(GROUP)) == 1, "one topic per customer"


async def test_a_conversation_is_passed_on_to_a_colleague_who_is_there(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        sign = await desk.reads(topic, "گفتگو را برداشت")
        await setup.telegram.press(desk.negar, sign, "سپردن")
        choice = await desk.reads(topic, "به چه کسی؟")
        await setup.telegram.press(desk.negar, choice, "امید")
        await desk.reads(topic, "امید گفتگو را برداشت")
        await desk.writes(desk.negar, topic, "هنوز من")
        await desk.reads(topic, "دست امید است")
        await desk.writes(desk.omid, topic, "من امیدم")
        await desk.gets(desk.sara, "من امیدم")
    assert not [text for text in setup.texts(SARA) if "هنوز من" in text]


async def test_whoever_does_not_have_a_conversation_is_not_asked_to_whom_it_goes(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        sign = await desk.reads(topic, "گفتگو را برداشت")
        await setup.telegram.press(desk.omid, sign, "سپردن")
        await setup.until(lambda: not setup.telegram.unanswered_callbacks(), "an alert")
        await setup.all_finished()
    assert not [message for message in desk.said_in(topic) if "به چه کسی؟" in message.plain]
    assert setup.read(lambda session: session.query(AuditEntry).filter_by(action="staff.denied").count()) == 1


async def test_a_deleted_topic_is_opened_again_and_what_was_lost_is_shown_again(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        first = await desk.claimed_topic()
        await setup.telegram.send_text(desk.sara, "خط یکم")
        await desk.reads(first, "خط یکم")
        setup.telegram.delete_topic(GROUP, first.thread_id)
        await setup.telegram.send_text(desk.sara, "خط دوم")
        second = await desk.topic()
        assert second.thread_id != first.thread_id
        await desk.reads(second, "خط دوم")
        await desk.reads(second, "گفتگو را برداشت")
        await desk.writes(desk.negar, second, "می‌بینم")
        await desk.gets(desk.sara, "می‌بینم")
    whole = "\n".join(message.plain for message in desk.said_in(second))
    assert "درخواست گفتگو" in whole
    assert whole.index("\nسلام، من نگارم") < whole.index("\nخط یکم") < whole.index("\nخط دوم")


async def test_a_closed_topic_is_opened_again(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        setup.telegram.close_topic(GROUP, topic.thread_id)
        await setup.telegram.send_text(desk.sara, "هستید؟")
        await desk.reads(topic, "هستید؟")
    assert setup.telegram.calls("reopenForumTopic")
    assert len(setup.telegram.state.forums.of(GROUP)) == 1


async def test_who_blocked_the_bot_gets_nothing_and_the_staff_hear_of_it(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        desk.sara.blocked = True
        await desk.writes(desk.negar, topic, "هستید؟")
        told = await desk.reads(topic, "به دست مشتری نرسید")
    assert told.reply_to is not None
    line = setup.read(lambda s: s.query(Message).filter_by(text="هستید؟").one())
    assert line.extra["undelivered"] is True


async def test_an_answer_to_a_line_is_shown_to_the_customer_as_one(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        asked = await setup.telegram.send_text(desk.sara, "چند می‌شود؟")
        shown = await desk.reads(topic, "چند می‌شود؟")
        await desk.is_noted(shown)
        await desk.writes(desk.negar, topic, "رایگان است", reply_to=shown.message_id)
        answer = await desk.gets(desk.sara, "رایگان است")
    assert answer.reply_to == setup.telegram.message_id_of(asked)


@pytest.mark.parametrize("channel", ["telegram", "bale"])
async def test_without_topics_messages_name_the_customer_and_answers_find_them(
    setup: Setup, channel: str
) -> None:
    desk = Desk(setup, forum=False, channel=channel)
    async with setup.running():
        for user in (desk.sara, desk.reza):
            await desk.greets(user)
            desk.wants_a_person(user)
        await setup.until(lambda: len(setup.telegram.messages(GROUP)) >= 4, "two cards and their lines")
        group = setup.telegram.messages(GROUP)
        of_sara = [message for message in group if "سارا" in bare(message.plain)]
        of_reza = [message for message in group if "رضا" in message.plain]
        assert len(of_sara) == len(of_reza) == 2
        for message in (of_sara[1], of_reza[0]):
            await desk.is_noted(message)
        await setup.telegram.group_message(GROUP, desk.negar, "سلام سارا", reply_to=of_sara[1].message_id)
        await setup.telegram.group_message(GROUP, desk.negar, "سلام رضا", reply_to=of_reza[0].message_id)
        await setup.telegram.group_message(GROUP, desk.negar, "ناهار؟")
        await desk.gets(desk.sara, "سلام سارا")
        await desk.gets(desk.reza, "سلام رضا")
        await setup.all_finished()
    assert not [text for text in setup.texts(SARA) if "رضا" in text or "ناهار" in text]
    assert not [text for text in setup.texts(REZA) if "سارا" in text or "ناهار" in text]
    assert {topic.thread_id for topic in setup.read(lambda s: s.query(StaffTopic).all())} == {None}


async def test_an_answer_to_a_message_that_was_not_noted_when_the_gateway_was_killed_is_not_lost_silently(
    setup: Setup,
) -> None:
    desk = Desk(setup, forum=False)
    async with setup.running():
        await desk.greets(desk.sara)
        desk.wants_a_person(desk.sara)
        await setup.until(lambda: len(setup.telegram.messages(GROUP)) >= 2, "the card and the lines")
        _, lines = setup.telegram.messages(GROUP)[:2]
        await desk.is_noted(lines)
        number = str(lines.message_id)
        setup.write(lambda s: s.query(RelayedLine).filter_by(platform_message_id=number).delete())
        await setup.telegram.group_message(GROUP, desk.negar, "سلام سارا", reply_to=lines.message_id)

        def told() -> list[SentMessage]:
            return [one for one in setup.telegram.messages(GROUP) if "معلوم نیست" in one.plain]

        (answer,) = await setup.until(told, "a word about it")
        # Whoever answers that, or a notice, speaks with colleagues.
        await setup.telegram.group_message(GROUP, desk.negar, "باشه", reply_to=answer.message_id)
        await setup.all_finished()
        assert len(told()) == 1
    assert not [text for text in setup.texts(SARA) if "سلام سارا" in text]


async def test_what_is_written_in_a_topic_not_noted_when_the_gateway_was_killed_is_not_lost_silently(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        desk.wants_a_person(desk.sara)
        ours = setup.telegram.state.forums.open(GROUP, "سارا", lambda: 900_000)
        theirs = setup.telegram.state.forums.open(GROUP, "ناهار", lambda: 900_001)
        theirs.opener = desk.omid
        await desk.writes(desk.negar, theirs, "ناهار چی؟")
        await desk.writes(desk.negar, ours, "سلام سارا")
        await desk.reads(ours, "معلوم نیست اینجا گفتگوی چه کسی بوده است")
        await setup.all_finished()
    assert desk.said_in(theirs) == []
    assert not [text for text in setup.texts(SARA) if "سلام سارا" in text]


async def test_a_group_in_which_the_bot_may_open_no_topics_is_told_all_the_same(
    setup: Setup, desk: Desk
) -> None:
    setup.telegram.state.forums.may_open = False
    async with setup.running():
        await desk.greets(desk.sara)
        desk.wants_a_person(desk.sara)
        await setup.until(lambda: len(setup.telegram.messages(GROUP)) >= 2, "the card and the lines")
    assert setup.telegram.state.forums.of(GROUP) == []


async def test_a_killed_gateway_shows_nothing_a_second_time_that_was_noted(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        topic = await desk.claimed_topic()
        await setup.telegram.send_text(desk.sara, "یک")
        await desk.reads(topic, "یک")
        await setup.until(
            lambda: setup.read(lambda s: s.query(StaffTopic).one()).relayed_seq == len(desk.lines(desk.sara)),
            "all noted",
        )
    shown = len(desk.said_in(topic))
    async with setup.running():
        await setup.telegram.send_text(desk.sara, "دو")
        await desk.reads(topic, "دو")
    assert len(desk.said_in(topic)) == shown + 1
    assert setup.read(lambda s: s.query(RelayedLine).count()) >= shown
