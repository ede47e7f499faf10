"""The files that customers sent, for staff."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed, can, refuse
from bot.console.auth import actor_of
from bot.console.desk import Desk, working
from bot.console.keys import SETTINGS
from bot.console.pages import Typed, inline_type, reading
from bot.console.talk_looks import need_reason_for_file
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment
from crm_store.conversations.queries import lines_around
from crm_store.errors import NotFound
from crm_store.service_requests.models import ServiceRequest

#: A look at a file of a customer; at one that the staff sent.
VIEWED, SENT_VIEWED = "attachment.viewed", "message.file_viewed"
#: So long after a look at a recording its further parts belong to it.
ONE_LOOK = timedelta(hours=1)

routes = web.RouteTableDef()


@routes.get("/attachments/{id:[0-9]{1,18}}")
@allowed("transcript.view", "ticket.view_own")
async def attachment(request: web.Request) -> web.StreamResponse:
    """A file: shown in place when it is of a harmless kind, else given to be saved under a name of ours."""
    attachment_id = int(request.match_info["id"])
    staff_id = int(actor_of(request).partition(":")[2])

    def look(desk: Desk) -> Attachment:
        found = desk.session.get(Attachment, attachment_id)
        if found is None:
            raise NotFound("no attachment has this number")
        if not _is_own(desk.session, staff_id=staff_id, attachment_id=attachment_id) and not (
            desk.has("transcript.view") and _is_around_own(desk, found)
        ):
            need_reason_for_file(desk, conversation_id=found.conversation_id)
        if not is_same_look(request, desk.session, VIEWED, attachment_id):
            desk.audit(VIEWED, target_type="attachment", target_id=attachment_id)
        return found

    if not can(request, "transcript.view") and not await reading(
        request, partial(_is_own, staff_id=staff_id, attachment_id=attachment_id)
    ):
        return await refuse(
            request, "ticket.view_own", own=False, target_type="attachment", target_id=attachment_id
        )
    found = await working(request, look, "transcript.view", "ticket.view_own")
    return serve(request, found, name=f"attachment-{found.id}")


def serve(request: web.Request, kept: Typed, *, name: str) -> web.FileResponse:
    """A file: in place when it is of a harmless kind, else to be saved under a name of ours.

    Args:
        name: without the ending.

    Raises:
        web.HTTPNotFound: it has no file, or no longer.
    """
    try:
        file = _file_of(request.config_dict[SETTINGS].attachments_path, kept)
    except NotFound as error:
        raise web.HTTPNotFound from error
    inline = "" if "save" in request.query else inline_type(kept)
    return web.FileResponse(
        file,
        headers={
            "Content-Type": inline or "application/octet-stream",
            "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{name}{file.suffix}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _is_own(session: Session, *, staff_id: int, attachment_id: int) -> bool:
    """Whether a file was sent with a ticket that is somebody's."""
    found = session.get(Attachment, attachment_id)
    if found is None:
        return False
    complaint = session.get(Complaint, found.complaint_id) if found.complaint_id else None
    request = session.get(ServiceRequest, found.service_request_id) if found.service_request_id else None
    return staff_id in (complaint and complaint.assignee_id, request and request.technician_id)


def _is_around_own(desk: Desk, attachment: Attachment) -> bool:
    """Whether a file stands among what was said around a ticket of one's own, on the ticket's page."""
    here = attachment.conversation_id
    registered = [
        *desk.session.scalars(
            select(Complaint.created_at).where(
                Complaint.conversation_id == here, Complaint.assignee_id == desk.staff.id
            )
        ),
        *desk.session.scalars(
            select(ServiceRequest.created_at).where(
                ServiceRequest.conversation_id == here, ServiceRequest.technician_id == desk.staff.id
            )
        ),
    ]
    return any(
        attachment.id == one.id
        for moment in registered
        for line in lines_around(desk.session, conversation_id=here, moment=moment)
        for one in line.attachments
    )


def is_same_look(request: web.Request, session: Session, action: str, number: int) -> bool:
    """Whether a file is looked at that somebody began to look at a while ago.

    A player asks for the parts of a recording one by one; that is one look at it.
    """
    if request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
        return False
    look = select(AuditEntry.id).where(
        AuditEntry.target_id == str(number),
        AuditEntry.action == action,
        AuditEntry.actor == actor_of(request),
        AuditEntry.at > utcnow() - ONE_LOOK,
    )
    return session.scalar(look.limit(1)) is not None


def _file_of(folder: Path, attachment: Typed) -> Path:
    """Where a kept file is.

    Raises:
        NotFound: it has no file, or no longer.
    """
    file = (folder / attachment.path).resolve()
    if not attachment.path or not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise NotFound("this attachment has no file")
    return file
