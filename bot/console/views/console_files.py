"""The files that customers sent, for staff."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.auth import actor_of
from bot.console.keys import SETTINGS
from bot.console.pages import inline_type, writing
from crm_store.audit import AuditEntry, record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Attachment
from crm_store.errors import NotFound

VIEWED = "attachment.viewed"
#: So long after a look at a recording its further parts belong to it.
ONE_LOOK = timedelta(hours=1)

routes = web.RouteTableDef()


@routes.get("/attachments/{id:[0-9]{1,18}}")
async def attachment(request: web.Request) -> web.StreamResponse:
    """A file: shown in place when it is of a harmless kind, else given to be saved under a name of ours."""
    attachment_id, actor = int(request.match_info["id"]), actor_of(request)
    # A player asks for the parts of a recording one by one; that is one look at it.
    is_part = not request.headers.get("Range", "bytes=0-").startswith("bytes=0-")

    def look(session: Session) -> Attachment:
        found = session.get(Attachment, attachment_id)
        if found is None:
            raise NotFound("no attachment has this number")
        if not (is_part and _has_looked(session, actor, attachment_id)):
            record_audit(
                session,
                actor=actor,
                action=VIEWED,
                target_type="attachment",
                target_id=attachment_id,
            )
        return found

    try:
        found = await writing(request, look)
        file = _file_of(request.config_dict[SETTINGS].attachments_path, found)
    except NotFound as error:
        raise web.HTTPNotFound from error
    inline = "" if "save" in request.query else inline_type(found)
    name = f"attachment-{found.id}{file.suffix}"
    return web.FileResponse(
        file,
        headers={
            "Content-Type": inline or "application/octet-stream",
            "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _has_looked(session: Session, actor: str, attachment_id: int) -> bool:
    """Whether somebody has begun to look at a file a while ago."""
    look = select(AuditEntry.id).where(
        AuditEntry.target_type == "attachment",
        AuditEntry.target_id == str(attachment_id),
        AuditEntry.action == VIEWED,
        AuditEntry.actor == actor,
        AuditEntry.at > utcnow() - ONE_LOOK,
    )
    return session.scalar(look.limit(1)) is not None


def _file_of(folder: Path, attachment: Attachment) -> Path:
    """Where a kept file is.

    Raises:
        NotFound: it has no file, or no longer.
    """
    file = (folder / attachment.path).resolve()
    if not attachment.path or not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise NotFound("this attachment has no file")
    return file
