"""An edited message corrects; it is not a second request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.gateway.edits import corrected_story
from crm_store import drafts
from crm_store.activity import Activity
from crm_store.complaints import drafting, following
from crm_store.complaints import service as complaints
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation, Message
from crm_store.drafts import Draft
from crm_store.service_requests.models import ServiceRequest
from crm_store.tickets.models import TicketNote
from tests.factories import RULES
from tests.factories.tickets import a_request_row
from tests.fakes.bot_api_model import User
from tests.gateway.conftest import Setup


@pytest.fixture
def sara(setup: Setup) -> User:
    setup.rasa.on_turn = lambda turn: [{"text": f"«{turn['text']}»"}]
    return setup.telegram.user(7, "سارا")


async def say(setup: Setup, user: User, text: str) -> int:
    """Write something, wait for the answer, and return the message's id."""
    before = len(setup.telegram.messages(user.id))
    update_id = await setup.telegram.send_text(user, text)
    await setup.telegram.wait_for_messages(user.id, before + 1)
    await setup.all_finished()
    return setup.telegram.message_id_of(update_id)


def draft_of(setup: Setup, **fields: str) -> None:
    """The draft that a dialogue would have made of the latest turn."""
    inbox_id = int(setup.rasa.turns[-1]["message_id"])

    def write(session: Any) -> None:
        for field, value in fields.items():
            drafting.set_draft_field(session, conversation_id=1, field=field, value=value, inbox_id=inbox_id)

    setup.write(write)


def pass_over_the_rest(session: Session) -> None:
    """Answers the questions for files and phone with nothing."""
    for field in ("attachments", "phone"):
        drafting.pass_over(session, conversation_id=1, field=field, inbox_id=1)


def only(setup: Setup, model: type[Any]) -> Any:
    return setup.read(lambda session: session.query(model).one())


async def test_an_edit_of_the_latest_message_is_a_new_turn(setup: Setup, sara: User) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "سلم")
        await setup.telegram.edit_text(sara, message_id, "سلام")
        await setup.telegram.wait_for_messages(7, 2)
    assert setup.texts(7) == ["«سلم»", "«سلام»"]
    assert [turn["metadata"]["edited"] for turn in setup.rasa.turns] == [False, True]
    lines = setup.read(
        lambda session: session.query(Message).filter_by(author="customer").order_by(Message.seq).all()
    )
    assert [line.text for line in lines] == ["سلام"]
    assert lines[0].edited_at is not None


async def test_an_edit_of_an_older_message_only_corrects_the_transcript(setup: Setup, sara: User) -> None:
    async with setup.running():
        first = await say(setup, sara, "یک")
        await say(setup, sara, "دو")
        await setup.telegram.edit_text(sara, first, "یکم")
        await setup.all_finished(rows=3)
    assert len(setup.rasa.turns) == 2
    lines = setup.read(
        lambda session: session.query(Message).filter_by(author="customer").order_by(Message.seq).all()
    )
    assert [line.text for line in lines] == ["یکم", "دو"]


async def test_an_edit_before_the_answer_replaces_the_text(setup: Setup, sara: User) -> None:
    await setup.rasa.stop()
    async with setup.running():
        update_id = await setup.telegram.send_text(sara, "شکایت از پیک")
        await setup.telegram.edit_text(sara, setup.telegram.message_id_of(update_id), "شکایت از پست")
        await setup.until(lambda: not setup.telegram.pending_updates())
        await setup.rasa.start()
        await setup.all_finished(rows=2)
    assert [turn["text"] for turn in setup.rasa.handled] == ["شکایت از پست"]
    assert setup.texts(7) == ["«شکایت از پست»"]
    assert only_text(setup) == "شکایت از پست"


def only_text(setup: Setup) -> str:
    return str(setup.read(lambda session: session.query(Message).filter_by(author="customer").one()).text)


async def test_an_edit_of_the_story_corrects_a_whole_draft_and_shows_it_again(
    setup: Setup, sara: User
) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "دو کتاب کم بود")
        told = {"order_number": "987", "remedy": "replacement", "category": "wrong_item"}
        draft_of(setup, description="دو کتاب کم بود", **told)
        setup.write(pass_over_the_rest)
        await say(setup, sara, "ارسال اشتباه")
        await setup.telegram.edit_text(sara, message_id, "سه کتاب <i>کم</i> بود")
        summary = (await setup.telegram.wait_for_messages(7, 3))[2]
    assert "سه کتاب <i>کم</i> بود" in summary.plain
    for line in ("ارسال اشتباه یا ناقص", "۹۸۷", "تعویض", "ندارد"):
        assert line in summary.plain
    assert summary.buttons[0].title == "ثبت شکایت"
    assert only(setup, Draft).data["description"] == "سه کتاب <i>کم</i> بود"
    assert len(setup.rasa.turns) == 2


async def test_an_edit_of_an_unfinished_drafts_story_is_noted(setup: Setup, sara: User) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "دو کتاب کم بود")
        draft_of(setup, description="دو کتاب کم بود")
        await setup.telegram.edit_text(sara, message_id, "سه کتاب کم بود")
        noted = (await setup.telegram.wait_for_messages(7, 2))[1]
    assert "اصلاح" in noted.plain or "تغییر" in noted.plain
    assert only(setup, Draft).data["description"] == "سه کتاب کم بود"


async def test_an_edit_of_a_filed_complaints_story_corrects_the_complaint(setup: Setup, sara: User) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "پیک دیر آمد")
        draft_of(setup, description="پیک دیر آمد", category="delivery")
        setup.write(
            lambda session: complaints.file_complaint(session, conversation_id=1, inbox_id=1, rules=RULES)
        )
        await say(setup, sara, "ممنون")
        await setup.telegram.edit_text(sara, message_id, "پیک نیامد")
        corrected = (await setup.telegram.wait_for_messages(7, 3))[2]
        await setup.telegram.edit_text(sara, message_id, "پیک اصلاً نیامد")
        await setup.telegram.wait_for_messages(7, 4)
    assert "ویرایش" in corrected.plain
    assert only(setup, Complaint).description == "پیک اصلاً نیامد"
    assert len(setup.rasa.turns) == 2


async def test_an_edit_of_a_note_corrects_it_and_is_no_second_note(setup: Setup, sara: User) -> None:
    async with setup.running():
        await say(setup, sara, "پیک دیر آمد")
        draft_of(setup, description="پیک دیر آمد", category="delivery")

        def file_and_add(text: str) -> Callable[[Session], None]:
            def write(session: Session) -> None:
                complaint = complaints.file_complaint(session, conversation_id=1, inbox_id=1, rules=RULES)
                following.add_note(
                    session,
                    customer_id=complaint.customer_id,
                    code=complaint.code,
                    inbox_id=int(setup.rasa.turns[-1]["message_id"]),
                    rules=RULES,
                    text=text,
                )

            return write

        message_id = await say(setup, sara, "جعبه هم پاره بود")
        setup.write(file_and_add("جعبه هم پاره بود"))
        await setup.telegram.edit_text(sara, message_id, "جعبه هم خیس بود")
        noted = (await setup.telegram.wait_for_messages(7, 3))[2]
        # One by which nothing was told, though something was added by it.
        chosen = await say(setup, sara, "دومی")
        setup.write(file_and_add("رنگش هم فرق داشت"))
        await say(setup, sara, "ممنون")
        await setup.telegram.edit_text(sara, chosen, "دومیش")
        await setup.all_finished(rows=6)
    assert "اصلاح" in noted.plain or "تغییر" in noted.plain
    assert len(setup.rasa.turns) == 4
    notes = setup.read(lambda session: session.query(TicketNote).order_by(TicketNote.id).all())
    assert [note.text for note in notes] == ["جعبه هم خیس بود", "رنگش هم فرق داشت"]
    assert former_texts(setup, "complaint.note_corrected") == ["جعبه هم پاره بود"]


@pytest.mark.parametrize("state", ["assigned", "done"])
async def test_an_edit_of_what_a_request_is_about_corrects_it_while_it_is_open(
    setup: Setup, sara: User, state: str
) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "کولر باد نمی‌زند")
        inbox_id = int(setup.rasa.turns[-1]["message_id"])

        def submit(session: Session) -> None:
            conversation = session.get_one(Conversation, 1)
            request = a_request_row(session, conversation, problem="کولر باد نمی‌زند", state=state)
            draft = session.get_one(Draft, request.draft_id)
            draft.sources = {"problem": inbox_id, "kind": inbox_id}

        setup.write(submit)
        await say(setup, sara, "ممنون")
        await setup.telegram.edit_text(sara, message_id, "کولر آب می‌دهد")
        await setup.all_finished(rows=3)
        if state == "assigned":
            await setup.telegram.wait_for_messages(7, 3)
    is_open = state == "assigned"
    assert only(setup, ServiceRequest).problem == ("کولر آب می‌دهد" if is_open else "کولر باد نمی‌زند")
    assert former_texts(setup, "service_request.description_corrected") == ["کولر باد نمی‌زند"] * is_open


def former_texts(setup: Setup, kind: str) -> list[str]:
    entries = setup.read(lambda session: session.query(Activity).filter_by(kind=kind).all())
    return [entry.data["former"] for entry in entries]


async def test_an_edit_without_a_change_is_passed_over(setup: Setup, sara: User) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "سلام")
        await setup.telegram.edit_text(sara, message_id, "سلام")
        await setup.all_finished(rows=2)
    assert len(setup.rasa.turns) == 1


async def test_an_edit_of_a_message_that_nobody_knows_is_passed_over(setup: Setup, sara: User) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "سلام")
        setup.write(lambda session: setattr(session.get(Message, 1), "platform_message_id", ""))
        await setup.telegram.edit_text(sara, message_id, "درود")
        await setup.all_finished(rows=2)
    assert len(setup.rasa.turns) == 1


async def test_a_draft_that_has_gone_stale_is_not_corrected(setup: Setup, sara: User) -> None:
    async with setup.running():
        message_id = await say(setup, sara, "دو کتاب کم بود")
        draft_of(setup, description="دو کتاب کم بود")
        await say(setup, sara, "بعداً")
        old = setup.read(lambda session: session.query(Draft).one()).updated_at.replace(year=2020)
        setup.write(lambda session: setattr(session.query(Draft).one(), "updated_at", old))
        await setup.telegram.edit_text(sara, message_id, "سه کتاب کم بود")
        await setup.all_finished(rows=3)
    assert only(setup, Draft).data["description"] == "دو کتاب کم بود"
    assert only(setup, Draft).state == drafts.OPEN


@pytest.mark.parametrize(
    ("story", "former", "text", "began_it", "expected"),
    [
        ("الف", "الف", "ب", True, "ب"),
        ("الف\nدنباله", "الف", "ب", True, "ب\nدنباله"),
        ("الف\nدنباله", "دنباله", "ادامه", False, "الف\nادامه"),
        ("الف", "بله", "نه", False, None),
        ("بله‌گو", "بله", "نه", False, None),
        ("خلاصهٔ دیگری", "الف", "ب", True, "ب"),
        ("ب", "الف", "ب", True, None),
    ],
)
def test_of_a_story_told_in_several_messages_only_one_is_replaced(
    story: str, former: str, text: str, began_it: bool, expected: str | None
) -> None:
    assert corrected_story(story, former, text, began_it=began_it) == expected
