"""Who has a conversation: the bot is silent while a person has it, and nothing is lost between the two."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_store import outbox
from crm_store.conversations.models import Attachment, Conversation, Message
from crm_store.handoff import claiming, releasing, replying
from crm_store.handoff.models import Handoff
from crm_store.inbox import InboxItem
from crm_store.outbox import OutboxItem
from tests.gateway.conftest import Setup
from tests.gateway.desk import GROUP, REZA, SARA, Desk


@pytest.fixture
def desk(setup: Setup) -> Desk:
    return Desk(setup)


class Case:
    """A hand-over of Sara's, changed from outside, as from the console."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.setup = desk.setup
        self.number = desk.wants_a_person(desk.sara)

    def claim(self) -> None:
        """Negar takes it."""
        self.setup.write(
            lambda session: claiming.claim(
                session,
                handoff_id=self.number,
                staff=self.desk.staff(session, self.desk.negar),
                rules=self.desk.rules,
            )
        )

    def release(self) -> None:
        """Negar gives it back."""
        self.setup.write(
            lambda session: releasing.release(
                session,
                handoff_id=self.number,
                staff=self.desk.staff(session, self.desk.negar),
                rules=self.desk.rules,
            )
        )

    def reply(self, text: str) -> None:
        """Negar says something."""
        self.setup.write(
            lambda session: replying.reply(
                session,
                handoff_id=self.number,
                staff=self.desk.staff(session, self.desk.negar),
                text=text,
                platform="console",
                key=text,
            )
        )


def tell(setup: Setup, desk: Desk, key: str) -> None:
    """The bot has news for Sara."""

    def queue(session: Session) -> None:
        chat = desk.chat(session, desk.sara)
        outbox.enqueue_notice(session, conversation_id=chat.id, response="utter_sticker", idempotency_key=key)

    setup.write(queue)


async def idle(setup: Setup) -> None:
    """Wait until nothing is to be done that can be done."""
    await setup.all_finished()

    def is_done() -> bool:
        def left(session: Session) -> int:
            rows = session.query(OutboxItem, Conversation).filter(OutboxItem.state == outbox.PENDING)
            rows = rows.join(Conversation, OutboxItem.conversation_id == Conversation.id)
            return sum(not (item.speaker == "bot" and chat.owner == "human") for item, chat in rows)

        return bool(setup.read(left) == 0)

    await setup.until(is_done, "an empty outbox")


async def test_an_answer_in_flight_while_a_person_takes_over_is_held_back_for_the_staff(
    setup: Setup, desk: Desk
) -> None:
    setup.rasa.on_turn = lambda turn: [{"text": f"پاسخ <b>ربات</b> به {turn['text']}"}]
    async with setup.running():
        await desk.greets(desk.sara, "یک")
        case = Case(desk)
        released = setup.rasa.hold_next()
        await setup.telegram.send_text(desk.sara, "دو")
        await setup.until(lambda: len(setup.rasa.turns) == 2, "the turn")
        case.claim()
        released.set()
        await idle(setup)
        topic = await desk.topic()
        held = await desk.reads(topic, "پاسخ ربات به دو")
    assert "مشتری ندید" in held.plain
    assert not [text for text in setup.texts(SARA) if "به دو" in text]
    assert ("bot", "staff", "پاسخ <b>ربات</b> به دو") in desk.lines(desk.sara)


async def test_an_answer_begun_before_somebody_took_over_is_held_back_even_when_they_gave_it_back(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        released = setup.rasa.hold_next()
        await setup.telegram.send_text(desk.sara, "دو")
        await setup.until(lambda: len(setup.rasa.turns) == 2, "the turn")
        case.claim()
        case.release()
        released.set()
        await idle(setup)
        await desk.greets(desk.sara, "سه")
    assert "echo 2" not in setup.texts(SARA)
    assert "echo 3" in setup.texts(SARA)
    assert ("bot", "staff", "echo 2") in desk.lines(desk.sara)


async def test_an_answer_that_waits_for_its_turn_to_leave_is_looked_at_again_in_the_last_moment(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        setup.telegram.fail_next("sendMessage", status=429, retry_after=5, chat_id=SARA)
        await setup.telegram.send_text(desk.sara, "دو")
        await setup.all_finished(rows=2)
        await setup.until(
            lambda: len([c for c in setup.telegram.calls("sendMessage") if c.chat_id == SARA]) == 2
        )
        case.claim()
        case.reply("من این‌جا هستم")
        await desk.gets(desk.sara, "من این‌جا هستم")
        await idle(setup)
    assert "echo 2" not in setup.texts(SARA)


async def test_news_of_the_bot_wait_until_the_person_has_gone(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        case.claim()
        tell(setup, desk, "news")
        case.reply("سلام از نگار")
        await desk.gets(desk.sara, "سلام از نگار")
        await idle(setup)
        assert not [text for text in setup.texts(SARA) if "استیکر" in text]
        case.release()
        await desk.gets(desk.sara, "استیکر")


async def test_while_a_person_has_the_conversation_lines_and_files_are_kept_and_the_bot_is_not_asked(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        case.claim()
        asked = len(setup.rasa.turns)
        await setup.telegram.send_photo(desk.sara, caption="عکسش")
        await setup.telegram.send_document(desk.sara, b"MZ program", mime_type="application/x-msdownload")
        await setup.telegram.send_sticker(desk.sara)
        await idle(setup)
        await desk.gets(desk.sara, "فایل")
    assert len(setup.rasa.turns) == asked
    (photo,) = setup.read(lambda session: session.query(Attachment).all())
    assert photo.kind == "photo"
    assert ("customer", "all", "عکسش") in desk.lines(desk.sara)


async def test_a_press_on_a_button_of_the_bots_is_only_a_line_while_a_person_has_the_conversation(
    setup: Setup, desk: Desk
) -> None:
    setup.rasa.on_turn = lambda _: [{"text": "کدام؟", "buttons": [{"title": "این", "payload": "/affirm"}]}]
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        case.claim()
        question = setup.telegram.messages(SARA)[0]
        asked = len(setup.rasa.turns)
        await setup.telegram.press(desk.sara, question, "این")
        await idle(setup)
        await setup.until(lambda: not setup.telegram.unanswered_callbacks(), "the answer to the press")
    assert len(setup.rasa.turns) == asked
    assert ("customer", "all", "این") in desk.lines(desk.sara)


async def test_an_edit_reaches_the_person_and_not_the_bot(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        case.claim()
        asked = len(setup.rasa.turns)
        said = await setup.telegram.send_text(desk.sara, "کوچه ۸")
        await setup.all_finished(rows=2)
        await setup.telegram.edit_text(desk.sara, setup.telegram.message_id_of(said), "کوچه ۹")
        await setup.all_finished(rows=3)
    assert len(setup.rasa.turns) == asked
    assert ("customer", "all", "کوچه ۹") in desk.lines(desk.sara)


@pytest.mark.parametrize("how", ["button", "words"])
async def test_a_customer_who_has_had_enough_goes_back_to_the_bot(
    setup: Setup, desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from bot.gateway import intake

    monkeypatch.setattr(intake, "terms", lambda _: {"leaving": ["پایان گفتگو"]})
    leave: list[dict[str, Any]] = [{"title": "پایان", "payload": "/handoff_leave"}]
    setup.rasa.on_turn = lambda _: [{"text": "بفرمایید", "buttons": leave}]
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        case.claim()
        if how == "button":
            await setup.telegram.press(desk.sara, setup.telegram.messages(SARA)[0], "پایان")
        else:
            await setup.telegram.send_text(desk.sara, "پایان گفتگو.")
        await setup.until(lambda: desk.handoff().state == "ended", "the end")
        asked = len(setup.rasa.turns)
        await setup.telegram.send_text(desk.sara, "سلام")
        await setup.until(lambda: len(setup.rasa.turns) > asked, "the bot")
    assert desk.handoff().outcome == "left"


async def test_the_bot_goes_on_while_a_customer_waits(setup: Setup, desk: Desk) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        Case(desk)
        await desk.greets(desk.sara, "راستی")
    assert setup.texts(SARA)[-1] == "echo 2"


async def test_a_killed_gateway_takes_up_what_a_person_said_and_nothing_that_the_bot_was_about_to_say(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.greets(desk.sara)
        case = Case(desk)
        await setup.telegram.stop()
        setup.rasa.slow_next(0.5)
    # What a killed process leaves: an answer and a reply that have not left.
    setup.write(lambda session: answer_of_the_bot(session, desk))
    case.claim()
    case.reply("من نگارم")
    await setup.telegram.start()
    async with setup.running():
        await desk.gets(desk.sara, "من نگارم")
        await idle(setup)
    assert "پاسخ ربات" not in setup.texts(SARA)
    assert ("bot", "staff", "پاسخ ربات") in desk.lines(desk.sara)
    assert setup.texts(SARA).count("من نگارم") == 1


def answer_of_the_bot(session: Session, desk: Desk) -> None:
    chat = desk.chat(session, desk.sara)
    asked = session.query(InboxItem).filter_by(chat_id=str(SARA)).order_by(InboxItem.id.desc()).first()
    assert asked is not None
    outbox.enqueue_message(
        session,
        conversation_id=chat.id,
        content={"text": "پاسخ ربات"},
        inbox_id=asked.id,
        ownership=chat.ownership,
    )


async def test_what_is_written_in_one_topic_never_reaches_another_customer(setup: Setup, desk: Desk) -> None:
    chance = random.Random(20261127)
    people = {SARA: desk.sara, REZA: desk.reza}
    wanted: Counter[tuple[int, str]] = Counter()
    async with setup.running():
        topics = {}
        for number, (chat, user) in enumerate(people.items()):
            await desk.greets(user)
            desk.wants_a_person(user)
            topics[chat] = await desk.topic(number)
        for number in range(24):
            chat = chance.choice(list(people))
            if chance.random() < 0.15:
                setup.telegram.delete_topic(GROUP, topics[chat].thread_id)
                await setup.telegram.send_text(people[chat], f"پیام {number}")
                look = partial(newest, setup, desk, chat, topics[chat].thread_id)
                topics[chat] = await setup.until(look, "a new topic")
            words = f"برای {chat} شمارهٔ {number}."
            await desk.writes(desk.negar, topics[chat], words)
            wanted[chat, words] += 1
        for chat, words in wanted:
            await desk.gets(people[chat], words)
    for chat in people:
        got = [text for text in setup.texts(chat) if text.startswith("برای")]
        assert Counter((chat, text) for text in got) == Counter(
            {key: count for key, count in wanted.items() if key[0] == chat}
        )
    rows = setup.read(
        lambda session: (
            session.query(OutboxItem, Handoff)
            .join(Handoff, OutboxItem.handoff_id == Handoff.id)
            .filter(OutboxItem.speaker == "staff")
            .all()
        )
    )
    assert all(item.conversation_id == handoff.conversation_id for item, handoff in rows)
    assert (
        setup.read(lambda session: session.query(Message).filter(Message.author.like("account:%")).count())
        == 0
    )


def newest(setup: Setup, desk: Desk, chat: int, gone: int) -> Any:
    """The topic of a customer that was opened in place of one that is gone."""
    name = desk.sara.first_name if chat == SARA else desk.reza.first_name
    found = [
        topic
        for topic in setup.telegram.state.forums.of(GROUP)
        if name in topic.name and topic.thread_id > gone
    ]
    return found[-1] if found and desk.is_known(found[-1]) else None


async def test_an_old_button_of_another_customers_topic_does_only_what_it_says(
    setup: Setup, desk: Desk
) -> None:
    async with setup.running():
        await desk.claimed_topic(desk.sara)
        second = await desk.claimed_topic(desk.reza, number=1)
        sign = await desk.reads(second, "گفتگو را برداشت")
        token = sign.buttons[0].data
        # Forged: the token of Reza's topic, pressed by a customer in their own chat.
        await setup.telegram.press_data(desk.sara, setup.telegram.messages(SARA)[0], token)
        await setup.until(lambda: not setup.telegram.unanswered_callbacks(), "an alert")
        await asyncio.sleep(0.1)
    states = setup.read(lambda session: {one.state for one in session.query(Handoff)})
    assert states == {"claimed"}
