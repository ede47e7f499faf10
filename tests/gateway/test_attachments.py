"""What people send besides text is kept, within limits, under names of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.gateway.attachments import AttachmentKeeper
from bot.gateway.file_types import is_accepted, true_type
from crm_store import drafts, inbox
from crm_store.complaints import drafting
from crm_store.conversations.models import Attachment, Message
from crm_store.customers.models import ContactPoint
from tests.fakes.bot_api_model import User
from tests.gateway.conftest import Setup

JPEG = b"\xff\xd8\xff\xe0 a photo"


@pytest.fixture
def sara(setup: Setup) -> User:
    setup.rasa.on_turn = lambda turn: [{"text": f"{len(turn['attachments'])} فایل"}]
    return setup.telegram.user(7, "سارا", phone_number="989121234567")


def attachments(setup: Setup) -> list[Attachment]:
    return list(setup.read(lambda session: session.query(Attachment).order_by(Attachment.id).all()))


def files(setup: Setup) -> list[Path]:
    return sorted(path for path in setup.settings.attachments_path.rglob("*") if path.is_file())


async def test_a_photo_is_kept_and_its_caption_is_the_text(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_photo(sara, JPEG, caption="شکسته است")
        await setup.telegram.wait_for_messages(7, 1)
    (kept,) = attachments(setup)
    assert (kept.kind, kept.mime_type, kept.size) == ("photo", "image/jpeg", len(JPEG))
    assert (setup.settings.attachments_path / kept.path).read_bytes() == JPEG
    turn = setup.rasa.turns[0]
    assert (turn["text"], turn["attachments"]) == ("شکسته است", [{"id": kept.id, "kind": "photo"}])


async def test_voice_and_documents_are_kept(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_voice(sara)
        await setup.telegram.send_document(sara, name="../../etc/رسید.pdf")
        await setup.telegram.wait_for_messages(7, 2)
    voice, document = attachments(setup)
    assert (voice.kind, voice.mime_type) == ("voice", "audio/ogg")
    assert (document.kind, document.file_name) == ("document", "../../etc/رسید.pdf")
    assert len(files(setup)) == 2
    assert "رسید" not in document.path
    assert Path(document.path).suffix == ".pdf"


async def test_an_album_is_one_turn_with_all_its_files(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_album(
            sara, [("photo", JPEG)] * 3 + [("video", b"\0\0\0 ftypmp42")], caption="ببینید"
        )
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished(rows=4)
    assert setup.texts(7) == ["4 فایل"]
    assert setup.rasa.turns[0]["text"] == "ببینید"
    assert {kept.inbox_id for kept in attachments(setup)} == {int(setup.rasa.turns[0]["message_id"])}
    assert setup.read(lambda session: session.query(Message).filter_by(author="customer").count()) == 1


async def test_a_latecomer_of_an_album_joins_it_silently(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_album(sara, [("photo", JPEG)] * 2, caption="ببینید")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished(rows=2)
        ids = [kept.id for kept in attachments(setup)]
        setup.write(lambda s: drafting.attach_to_draft(s, conversation_id=1, attachment_ids=ids, inbox_id=1))
        last = setup.read(lambda s: s.get(inbox.InboxItem, 2)).payload
        late = {**last["message"], "message_id": 99}
        await setup.telegram.inject_update({"message": late})
        await setup.all_finished(rows=3)
    assert len(setup.rasa.turns) == 1
    draft = setup.read(lambda s: drafts.open_draft(s, conversation_id=1, kind="complaint"))
    assert draft.data["attachments"] == [kept.id for kept in attachments(setup)]
    assert len(draft.data["attachments"]) == 3


async def test_a_file_that_claims_too_much_is_refused_before_it_is_fetched(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_document(sara, size=30_000_000)
        (told,) = await setup.telegram.wait_for_messages(7, 1)
    assert "۲۰ مگابایت" in told.plain.replace("\u2068", "").replace("\u2069", "")
    assert setup.telegram.calls("getFile") == []
    assert (attachments(setup), setup.rasa.turns) == ([], [])


async def test_a_file_that_is_larger_than_it_claims_is_refused_too(setup: Setup, sara: User) -> None:
    setup.set_limits(attachment_bytes=1000)
    async with setup.running():
        await setup.telegram.send_photo(sara, JPEG * 200, size=900, caption="ولی متن هم دارد")
        answers = await setup.telegram.wait_for_messages(7, 2)
    assert answers[0].plain == "0 فایل"
    assert "مگابایت" in answers[1].plain
    assert setup.rasa.turns[0]["text"] == "ولی متن هم دارد"
    assert files(setup) == []


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (b"MZ a program", "application/pdf"),
        (b"<!DOCTYPE html><script>", "text/plain"),
        (b"PK\x03\x04", "application/zip"),
        (b"<svg xmlns=''>", "image/svg+xml"),
    ],
)
async def test_a_type_that_is_not_accepted_is_refused_whatever_it_claims(
    setup: Setup, sara: User, content: bytes, mime_type: str
) -> None:
    async with setup.running():
        await setup.telegram.send_document(sara, content, mime_type=mime_type)
        (told,) = await setup.telegram.wait_for_messages(7, 1)
    assert "PDF" in told.plain
    assert (attachments(setup), files(setup)) == ([], [])


async def test_a_download_that_breaks_is_tried_again(setup: Setup, sara: User) -> None:
    setup.telegram.drop_next("file")
    setup.telegram.fail_next("getFile", status=502)
    async with setup.running():
        await setup.telegram.send_photo(sara, JPEG)
        await setup.telegram.wait_for_messages(7, 1)
    assert len(attachments(setup)) == len(files(setup)) == 1


async def test_a_file_is_fetched_once_however_often_the_turn_is_tried(setup: Setup, sara: User) -> None:
    setup.rasa.fail_next(2, status=500)
    async with setup.running():
        await setup.telegram.send_photo(sara, JPEG)
        await setup.telegram.wait_for_messages(7, 1)
    assert len(setup.telegram.calls("file")) == 1


async def test_a_location_is_kept_without_a_file(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_location(sara, 35.7, 51.4)
        await setup.telegram.wait_for_messages(7, 1)
    (kept,) = attachments(setup)
    assert kept.data == {"latitude": 35.7, "longitude": 51.4, "title": ""}
    assert setup.rasa.turns[0]["attachments"] == [{"id": kept.id, "kind": "location"}]


async def test_ones_own_contact_proves_the_number(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_contact(sara)
        await setup.telegram.wait_for_messages(7, 1)
    point = setup.read(lambda session: session.query(ContactPoint).one())
    assert point.value == "+989121234567"
    assert point.proven_at is not None
    assert setup.rasa.turns[0]["contact"] == "+989121234567"


async def test_somebody_elses_contact_proves_nothing_and_is_explained(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_contact(sara, own=False)
        (told,) = await setup.telegram.wait_for_messages(7, 1)
    assert "شمار" in told.plain
    assert told.keyboard is not None
    assert setup.read(lambda session: session.query(ContactPoint).count()) == 0
    assert setup.rasa.turns == []
    assert attachments(setup)[0].kind == "contact"


async def test_stickers_and_unknown_kinds_are_answered_kindly(setup: Setup, sara: User) -> None:
    async with setup.running():
        await setup.telegram.send_sticker(sara)
        message = {"message_id": 77, "from": sara.as_json(), "chat": {"id": 7, "type": "private"}, "dice": {}}
        await setup.telegram.wait_for_messages(7, 1)
        await setup.telegram.inject_update({"message": message})
        await setup.telegram.wait_for_messages(7, 2)
    assert all(setup.texts(7))
    assert setup.rasa.turns == []


async def test_a_file_that_the_web_chat_kept_is_taken_over(setup: Setup, sara: User) -> None:
    kept_already = setup.settings.attachments_path / "web" / "ab" / "1.png"
    kept_already.parent.mkdir(parents=True)
    kept_already.write_bytes(b"\x89PNG\r\n\x1a\n")
    item = {
        "kind": "photo",
        "mime_type": "image/png",
        "size": 8,
        "file_name": "x.png",
        "path": "web/ab/1.png",
    }

    def send(session: Any) -> None:
        payload = {"text": "ببینید", "client_id": "c", "attachments": [item]}
        inbox.receive(session, channel="web", update_id="v:c", chat_id="v", payload=payload)

    async with setup.running():
        setup.write(send)
        await setup.all_finished(rows=1)
    (kept,) = attachments(setup)
    assert (kept.path, kept.size) == ("web/ab/1.png", 8)


async def test_a_path_out_of_the_folder_is_parked(setup: Setup, sara: User) -> None:
    setup.set_limits(park_after_failures=1)
    secret = setup.settings.data_path / "secret.txt"
    secret.write_text("x")
    item = {
        "kind": "document",
        "mime_type": "text/plain",
        "size": 1,
        "file_name": "x",
        "path": "../secret.txt",
    }

    def send(session: Any) -> None:
        payload = {"client_id": "c", "attachments": [item]}
        inbox.receive(session, channel="web", update_id="v:c", chat_id="v", payload=payload)

    async with setup.running():
        setup.write(send)
        await setup.until(lambda: setup.read(inbox.count_by_state).get("parked"))
    assert attachments(setup) == []


def test_half_written_files_of_a_killed_process_are_removed(setup: Setup) -> None:
    folder = setup.settings.attachments_path / "2026" / "11"
    folder.mkdir(parents=True)
    (folder / "a.part").write_bytes(b"half")
    (folder / "b.jpg").write_bytes(b"whole")
    AttachmentKeeper(setup.database, setup.settings).remove_leftovers()
    assert [path.name for path in folder.iterdir()] == ["b.jpg"]


def test_types_are_told_by_how_a_file_begins() -> None:
    assert true_type(b"RIFF\0\0\0\0WEBP") == "image/webp"
    assert true_type(b"  <HTML>") == "text/html"
    assert true_type("سلام".encode()) == ""
    assert is_accepted("Text/Plain; charset=utf-8", ("text/plain",))
    assert not is_accepted("", ("image/*",))
