"""Files in the web chat: kept before a message names them, and shown to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from bot.console.texts import notice
from crm_store.db import Database
from crm_store.settings import Settings
from tests.console.conftest import Serve, Visit
from tests.console.stand_in import answer_pending, received

PHOTO = b"\xff\xd8\xff" + b"photo" * 100


def reference(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: kept[name] for name in ("id", "mime_type", "file_name")}


async def test_a_photo_is_kept_named_by_the_message_and_shown_to_its_sender(
    serve: Serve, visit: Visit, sqlite_database: Database, settings: Settings
) -> None:
    browser = await visit(await serve())
    status, kept = await browser.upload(PHOTO, mime_type="image/jpeg")
    assert (status, kept["kind"], kept["size"]) == (201, "photo", len(PHOTO))
    page = await browser.page()
    await page.say("جعبه له شده بود", attachments=[reference(kept)])
    await page.next("ack")
    (row,) = received(sqlite_database)
    (attachment,) = row.payload["attachments"]
    assert (settings.attachments_path / attachment["path"]).read_bytes() == PHOTO
    assert {**attachment, "path": ""} == {
        "path": "",
        "kind": "photo",
        "mime_type": "image/jpeg",
        "size": len(PHOTO),
        "file_name": "عکس.jpg",
    }
    answer_pending(sqlite_database)
    own, _ = await page.lines(2)
    (shown,) = own["attachments"]
    async with browser.session.get(browser.url / "chat/attachments" / shown["id"]) as response:
        assert (response.content_type, await response.read()) == ("image/jpeg", PHOTO)


async def test_nobody_else_can_see_or_send_a_file(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    server = await serve()
    sara, reza = await visit(server), await visit(server)
    _, kept = await sara.upload(PHOTO, mime_type="image/jpeg")
    async with reza.session.get(reza.url / "chat/attachments" / kept["id"]) as response:
        assert response.status == 404
    page = await reza.page()
    await page.say("این عکس من است", attachments=[reference(kept)])
    assert (await page.next("error"))["text"] == notice("file_missing")
    assert received(sqlite_database) == []


@pytest.mark.parametrize(
    "name", ["../../store.db", "store.db", "/etc/passwd", "0" * 32, f"{'0' * 32}.jpg/.."]
)
async def test_a_message_cannot_name_a_path(
    serve: Serve, visit: Visit, sqlite_database: Database, name: str
) -> None:
    page = await (await visit(await serve())).page()
    await page.say("سلام", attachments=[{"id": name, "mime_type": "image/jpeg", "file_name": ""}])
    assert (await page.next("error"))["code"] == "malformed"
    assert received(sqlite_database) == []


@pytest.mark.parametrize(
    ("file", "refusal"),
    [
        ((b"x" * 50_001, "image/jpeg"), (413, "file_too_large")),
        ((b"MZ", "application/x-msdownload"), (422, "file_type")),
        ((b"MZ and so on", "image/jpeg"), (422, "file_type")),
        ((b"<svg><script/></svg>", "image/png"), (422, "file_type")),
        ((b"", "image/jpeg"), (422, "file_unreadable")),
    ],
)
async def test_a_file_that_is_not_accepted_is_refused_kindly_and_leaves_nothing(
    serve: Serve, visit: Visit, settings: Settings, file: tuple[bytes, str], refusal: tuple[int, str]
) -> None:
    browser = await visit(await serve())
    status, answer = await browser.upload(file[0], mime_type=file[1])
    assert (status, answer["code"]) == refusal
    assert answer["text"] == notice(answer["code"], limit=1)
    assert [file for file in settings.attachments_path.rglob("*") if file.is_file()] == []


async def test_what_a_browser_might_run_is_only_handed_out_as_a_download(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    _, kept = await browser.upload(b"%PDF-1.7 ...", mime_type="application/pdf", name="faktor.pdf")
    async with browser.session.get(browser.url / "chat/attachments" / kept["id"]) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"] == "attachment"
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_an_upload_without_a_file_is_refused(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    headers = {"Origin": browser.origin}
    async with browser.session.post(
        browser.url / "chat/attachments", data=b"{}", headers={**headers, "Content-Type": "application/json"}
    ) as response:
        assert (response.status, (await response.json())["code"]) == (422, "file_unreadable")
