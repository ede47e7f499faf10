"""What a person writes reaches the customer of their conversation, once, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from crm_store.audit import AuditEntry
from crm_store.conversations.models import Attachment, Message
from crm_store.conversations.service import add_attachment
from crm_store.db import Database
from crm_store.errors import Conflict, Forbidden, InvalidInput, InvalidTransition, NotFound
from crm_store.handoff import claiming, replying, transferring
from crm_store.handoff.files import KeptFile
from crm_store.handoff.keeping import locked
from crm_store.outbox import EDIT, OutboxItem, enqueue_message
from crm_store.staff.models import StaffAccount
from tests.factories import a_conversation, a_group, an_inbox_id
from tests.factories.handoff import DESK, NOON, a_key, a_wish, an_agent, lines_of, says, sent_to


def in_hand(session: Any, **agent: Any) -> dict[str, Any]:
    """A conversation in somebody's hands, as the words go into it."""
    member, handoff = an_agent(session, **agent), a_wish(session)
    claiming.claim(session, handoff_id=handoff.id, staff=member, rules=DESK, now=NOON)
    return {"handoff_id": handoff.id, "staff": member, "now": NOON}


def test_a_reply_is_in_the_transcript_at_once_and_on_its_way(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        item = replying.reply(session, text=" ۲ < ۳\nباشه ", key="a", platform="console", **how)
        assert (item.speaker, item.handoff_id, item.state) == ("staff", how["handoff_id"], "pending")
        assert item.content["text"] == "۲ &lt; ۳\nباشه"
        line = session.scalars(select(Message).where(Message.outbox_id == item.id)).one()
        assert (line.author, line.text) == (f"staff:{how['staff'].id}", "۲ < ۳\nباشه")
        assert line.extra == {"via": "console"}
        assert item.content["message_id"] == line.id
        assert replying.reply(session, text="دوباره", key="a", **how) is item
        assert len(lines_of(session, item.conversation_id)) == 1


def test_only_who_has_the_conversation_speaks_in_it(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        others = [an_agent(session), an_agent(session, role="admin"), an_agent(session, role="technician")]
        for other in others:
            with pytest.raises(Forbidden):
                replying.reply(session, text="من هم هستم", key=a_key(), **{**how, "staff": other})
        denied = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.denied")).all()
        assert [entry.actor for entry in denied] == [f"staff:{other.id}" for other in others]
        waits = a_wish(session)
        with pytest.raises(InvalidTransition):
            replying.reply(
                session, handoff_id=waits.id, staff=how["staff"], text="سلام", key=a_key(), now=NOON
            )
        claiming.release(session, rules=DESK, **how)
        with pytest.raises(InvalidTransition):
            replying.reply(session, text="راستی", key=a_key(), **how)
        with pytest.raises(NotFound):
            replying.reply(session, text="الو", key=a_key(), **{**how, "handoff_id": 10**6})


def test_a_key_is_good_for_one_conversation_and_one_person(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        second = a_wish(session)
        claiming.claim(session, handoff_id=second.id, staff=how["staff"], rules=DESK, now=NOON)
        first = replying.reply(session, text="برای اولی", key="a", **how)
        with pytest.raises(Conflict):
            replying.reply(session, text="برای دومی", key="a", **{**how, "handoff_id": second.id})
        other = in_hand(session)
        assert replying.reply(session, text="از دیگری", key="a", **other) is not first


def test_a_reply_that_was_sent_is_not_refused_when_it_is_repeated_later(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        item = replying.reply(session, text="سلام", key="a", **how)
        transferring.transfer(session, to_staff_id=an_agent(session).id, rules=DESK, **how)
        assert replying.reply(session, text="سلام", key="a", **how) is item
        with pytest.raises(Forbidden):
            replying.reply(session, text="سلام", key="b", **how)
        ended = in_hand(session)
        item = replying.reply(session, text="خداحافظ", key="a", **ended)
        claiming.release(session, rules=DESK, **ended)
        assert replying.reply(session, text="خداحافظ", key="a", **ended) is item
        denied = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.denied")).all()
        assert len(denied) == 1


def test_there_must_be_something_to_say(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        for text in ("", " \n ", "آ" * (replying.MAX_TEXT + 1)):
            with pytest.raises(InvalidInput):
                replying.reply(session, text=text, key=a_key(), **how)
        for key in ("", "a" * (replying.MAX_KEY + 1), "a\0"):
            with pytest.raises(InvalidInput):
                replying.reply(session, text="سلام", key=key, **how)


def test_files_go_along_unless_they_are_somebody_elses(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        own_chat = a_conversation(session)
        session.add(StaffAccount(identity_id=own_chat.identity_id, staff_id=how["staff"].id))
        group, _ = a_group(session)
        places: dict[str, Attachment] = {}
        for name, where in (("group", group), ("stranger", a_conversation(session)), ("own", own_chat)):
            places[name] = add_attachment(
                session,
                conversation_id=where.id,
                inbox_id=an_inbox_id(session, where),
                kind="photo",
                mime_type="image/jpeg",
                size=12,
                path=f"{name}/one.jpg",
            )
        files = [places["group"].id, places["own"].id]
        item = replying.reply(session, text="", files=files, key=a_key(), **how)
        assert [sent["path"] for sent in item.content["files"]] == ["group/one.jpg", "own/one.jpg"]
        assert (item.content["files"][0]["kind"], item.content["files"][0]["size"]) == ("photo", 12)
        kept = KeptFile(kind="document", path="console/bill.pdf", file_name="bill.pdf")
        item = replying.reply(session, text="بفرمایید", files=[kept], key=a_key(), **how)
        line = session.scalars(select(Message).where(Message.outbox_id == item.id)).one()
        assert line.extra["files"] == item.content["files"]
        bad: list[int | KeptFile] = [
            places["stranger"].id,
            10**6,
            KeptFile(kind="photo", path="stranger/one.jpg"),
            KeptFile(kind="photo", path="../secret"),
            KeptFile(kind="photo", path="/etc/passwd"),
        ]
        for file in bad:
            with pytest.raises(InvalidInput):
                replying.reply(session, text="", files=[file], key=a_key(), **how)


def test_a_reply_answers_a_line_of_its_own_conversation(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        conversation_id = locked(session, handoff_id=how["handoff_id"]).conversation.id
        asked = says(session, conversation_id)
        asked.platform_message_id = "77"
        elsewhere = says(session, a_conversation(session).id)
        whispered = replying.whisper(
            session, conversation_id=conversation_id, staff=how["staff"], text="آرام", key="w", now=NOON
        )
        item = replying.reply(session, text="بله", reply_to=asked.id, key=a_key(), **how)
        assert item.content["reply_to"] == "77"
        for line in (elsewhere.id, whispered.id, 10**6):
            with pytest.raises(InvalidInput):
                replying.reply(session, text="بله", reply_to=line, key=a_key(), **how)


def test_a_whisper_stays_among_the_staff(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        conversation_id = locked(session, handoff_id=how["handoff_id"]).conversation.id
        colleague = an_agent(session)
        where: dict[str, Any] = {"conversation_id": conversation_id, "now": NOON}
        line = replying.whisper(session, staff=colleague, text="تخفیف بده", key="a", **where)
        assert replying.whisper(session, staff=colleague, text="تخفیف بده", key="a", **where) is line
        assert lines_of(session, conversation_id) == [(f"staff:{colleague.id}", "staff", "تخفیف بده")]
        assert [item.speaker for item in sent_to(session, conversation_id)] == ["desk"]
        with pytest.raises(Forbidden):
            replying.whisper(session, staff=an_agent(session, role="technician"), text="من", key="b", **where)


def test_an_edit_follows_the_message_and_is_ones_own(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        item = replying.reply(session, text="فردا", key=a_key(), **how)
        line = session.scalars(select(Message).where(Message.outbox_id == item.id)).one()
        line.platform_message_id = "91"
        change: dict[str, Any] = {"message_id": line.id, "now": NOON}
        replying.edit(session, staff=how["staff"], text="پس‌فردا", **change)
        replying.edit(session, staff=how["staff"], text="پس‌فردا", **change)
        assert (line.text, line.edited_at) == ("پس‌فردا", NOON)
        [edited] = [one for one in sent_to(session, line.conversation_id) if one.kind == EDIT]
        assert edited.content == {"text": "پس‌فردا", "edits": "91", "message_id": line.id}
        assert (edited.handoff_id, edited.speaker) == (how["handoff_id"], "staff")
        with pytest.raises(Forbidden):
            replying.edit(session, staff=an_agent(session, role="admin"), text="هرگز", **change)
        with pytest.raises(Forbidden):
            replying.edit(
                session, message_id=says(session, line.conversation_id).id, staff=how["staff"], text="آه"
            )
        claiming.release(session, rules=DESK, **how)
        with pytest.raises(InvalidTransition):
            replying.edit(session, staff=how["staff"], text="هیچ‌وقت", **change)
        with pytest.raises(NotFound):
            replying.edit(session, message_id=10**6, staff=how["staff"], text="هیچ")


def test_a_whisper_is_edited_without_a_word_to_the_customer(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        conversation_id = locked(session, handoff_id=how["handoff_id"]).conversation.id
        line = replying.whisper(
            session, conversation_id=conversation_id, staff=how["staff"], text="تند", key="w", now=NOON
        )
        replying.edit(session, message_id=line.id, staff=how["staff"], text="آرام", now=NOON)
        assert line.text == "آرام"
        assert [item.speaker for item in sent_to(session, conversation_id)] == ["desk"]


def test_the_database_refuses_a_reply_into_another_conversation(database: Database) -> None:
    with database.write() as session:
        how = in_hand(session)
        other = a_wish(session).conversation_id
        item = replying.reply(session, text="برای سارا", key=a_key(), **how)
        own, item_id = item.conversation_id, item.id
    crossing: dict[str, Any] = {"content": {"text": "اشتباهی"}, "kind": "message", "speaker": "staff"}
    with pytest.raises(IntegrityError), database.write() as session:
        enqueue_message(
            session,
            conversation_id=other,
            content={"text": "اشتباهی"},
            speaker="staff",
            handoff_id=how["handoff_id"],
        )
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(update(OutboxItem).where(OutboxItem.id == item_id).values(conversation_id=other))
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(insert(OutboxItem).values(conversation_id=other, **crossing))
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(
            insert(OutboxItem).values(conversation_id=other, handoff_id=how["handoff_id"], **crossing)
        )
    with database.read() as session:
        assert [one.content["text"] for one in sent_to(session, own) if one.speaker == "staff"] == [
            "برای سارا"
        ]
        assert sent_to(session, other) == []
