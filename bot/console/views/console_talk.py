"""What an agent sends from a conversation's page without the socket: words, and files in any case."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import structlog
from aiohttp import BodyPartReader, web
from sqlalchemy.orm import Session

from bot.console import auth, talk
from bot.console.allowed import allowed
from bot.console.desk import Desk, carry_out, working
from bot.console.forms import StaleFormError, see_other
from bot.console.keys import SETTINGS
from bot.console.live_frames import MAX_TEXT
from bot.console.pages import reading
from bot.console.talk_looks import need_reason_for_file
from bot.console.uploads import UploadRefusedError, keep_file
from bot.console.views.console_files import SENT_VIEWED, is_same_look, serve
from bot.console.views.console_inbox import handoff_of, page_of
from crm_store.conversations.models import Message
from crm_store.errors import Forbidden, NotFound
from crm_store.handoff.files import MAX_FILES, KeptFile
from crm_store.handoff.models import Handoff
from crm_store.privacy.files import staff_folder

#: Longest field of the form, in bytes: a text in four-byte letters.
_MAX_FIELD = 4 * MAX_TEXT + 1024

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


class Form(NamedTuple):
    """What the composer's form held."""

    fields: dict[str, str]
    files: list[KeptFile]


@routes.post("/inbox/{id:[0-9]{1,18}}/say")
@allowed("handoff.reply_own")
async def say(request: web.Request) -> web.StreamResponse:
    """Send words and files to the customer, or to the staff alone."""
    conversation_id = int(request.match_info["id"])
    back = page_of(conversation_id)
    try:
        form = await _read(request, conversation_id)
        key = UUID(form.fields.get("key", ""))
    except UploadRefusedError as error:
        return see_other(back, problem=error.code)
    except ValueError as error:
        raise web.HTTPBadRequest from error
    except OSError as error:
        log.error("upload_not_kept", error=os.strerror(error.errno or 0))
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return see_other(back, problem="storage_full" if is_full else "file_unreadable")
    is_whisper = form.fields.get("to") == "staff"

    def send(desk: Desk) -> None:
        text = form.fields.get("text", "")
        if is_whisper:
            talk.whisper(desk, conversation_id=conversation_id, text=text, key=key, files=form.files)
            return
        handoff_id = handoff_of(desk.session, conversation_id, form.fields)
        chosen = form.fields.get("canned", "")
        words = text.strip() or (talk.canned_text(desk, handoff_id, chosen) if chosen else "")
        talk.say(desk, handoff_id=handoff_id, text=words, key=key, files=form.files)

    done = "whispered" if is_whisper else "sent"
    return await carry_out(request, form.fields, send, "handoff.reply_own", back=back, done=done)


@routes.get("/lines/{id:[0-9]{1,18}}/files/{ordinal:[0-9]{1,2}}")
@allowed("transcript.view")
async def sent_file(request: web.Request) -> web.StreamResponse:
    """A file that a member of staff sent along with a line; the look is audited."""
    message_id, ordinal = int(request.match_info["id"]), int(request.match_info["ordinal"])

    def find(desk: Desk) -> KeptFile:
        message = desk.session.get(Message, message_id)
        files = talk.files_of(message) if message and message.author.startswith("staff:") else []
        if message is None or ordinal >= len(files):
            raise NotFound("no such file was sent along")
        need_reason_for_file(desk, conversation_id=message.conversation_id)
        if not is_same_look(request, desk.session, SENT_VIEWED, message_id):
            desk.audit(SENT_VIEWED, target_type="message", target_id=message_id, detail={"file": ordinal})
        return files[ordinal]

    kept = await working(request, find, "transcript.view")
    return serve(request, kept, name=f"sent-{message_id}-{ordinal}")


async def _read(request: web.Request, conversation_id: int) -> Form:
    """The form, part by part: what is not from a page of ours leaves nothing behind.

    Raises:
        StaleFormError: it was not sent from a page that we gave to this session.
        UploadRefusedError: a file is not accepted, or there are too many.
        ValueError: it cannot be read.
    """
    if request.content_type != "multipart/form-data":
        raise web.HTTPUnsupportedMediaType
    form, folder = Form({}, []), None
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise ValueError("a part in parts")
        if part.filename is None:
            form.fields[part.name or ""] = await _text_of(part)
            continue
        _check_token(request, form.fields)
        if not part.filename:
            await part.release()  # nothing was chosen
            continue
        if len(form.files) >= MAX_FILES:
            raise UploadRefusedError("too_many_files")
        folder = folder or await _folder(request, conversation_id, form.fields)
        kept = await keep_file(request.config_dict[SETTINGS], folder, part)
        place = (folder / kept["id"]).relative_to(request.config_dict[SETTINGS].attachments_path)
        form.files.append(
            KeptFile(
                kind=kept["kind"],
                path=place.as_posix(),
                mime_type=kept["mime_type"],
                file_name=kept["file_name"],
                size=kept["size"],
            )
        )
    _check_token(request, form.fields)
    return form


def _check_token(request: web.Request, fields: dict[str, str]) -> None:
    if not auth.is_own_form(request, fields.get("token", "")):
        raise StaleFormError


async def _text_of(part: BodyPartReader) -> str:
    data = bytearray()
    while chunk := await part.read_chunk(8192):
        data += chunk
        if len(data) > _MAX_FIELD:
            raise web.HTTPRequestEntityTooLarge(_MAX_FIELD, len(data))
    return data.decode("utf-8").replace("\0", "\ufffd")


async def _folder(request: web.Request, conversation_id: int, fields: dict[str, str]) -> Path:
    """Where files for a customer are kept, once it is certain that this member may send some.

    Raises:
        Forbidden: it is somebody else's conversation.
        NotFound: there is no such hand-over in this conversation.
    """
    staff = auth.staff_of(request)

    def check(session: Session) -> None:
        handoff = session.get_one(Handoff, handoff_of(session, conversation_id, fields))
        if staff is None or not talk.has_in_hand(handoff, staff):
            raise Forbidden("this conversation is somebody else's")

    await reading(request, check)
    return Path(request.config_dict[SETTINGS].attachments_path) / staff_folder(conversation_id)
