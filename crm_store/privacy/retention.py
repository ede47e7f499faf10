"""Lets go of what was kept long enough (settings, section ``[retention]``), a batch at a time.

Every function does one batch in the caller's transaction and tells how many rows it was; who calls it goes on
until there are none. What waits, is open or is in a person's hands is left alone, however old it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from crm_store import drafts, inbox, outbox
from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Button, Message
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest
from crm_store.inbox import InboxItem
from crm_store.learning.models import OPEN as UNDECIDED
from crm_store.learning.models import LearningSample
from crm_store.outbox import OutboxItem
from crm_store.privacy.blanking import blank_complaints, is_full
from crm_store.privacy.service import EXPORT

BATCH = 500
_OVER = (outbox.SENT, outbox.FAILED, outbox.CANCELLED)


def forget_updates(session: Session, *, before: datetime) -> int:
    """Blank what messengers sent, once dealt with. The rows stay: effects are known by their numbers."""
    is_over = and_(InboxItem.state.in_((inbox.DONE, inbox.IGNORED)), InboxItem.finished_at < before)
    ids = _batch(session, InboxItem, and_(is_over, is_full(InboxItem.payload)))
    _set(session, InboxItem, ids, payload={}, last_error="")
    return len(ids)


def forget_sent(session: Session, *, before: datetime) -> int:
    """Blank what was sent or given up. The rows stay: their keys keep it from being sent twice."""
    is_over = and_(OutboxItem.state.in_(_OVER), OutboxItem.created_at < before)
    ids = _batch(session, OutboxItem, and_(is_over, is_full(OutboxItem.content)))
    _set(session, OutboxItem, ids, content={}, last_error="")
    return len(ids)


def forget_buttons(session: Session, *, before: datetime) -> int:
    """Delete buttons that have expired."""
    tokens = list(
        session.scalars(
            select(Button.token).where(Button.expires_at < before).order_by(Button.token).limit(BATCH)
        )
    )
    _delete(session, Button, Button.token.in_(tokens))
    return len(tokens)


def forget_drafts(session: Session, *, before: datetime, abandoned_before: datetime) -> int:
    """Blank forms that ended, and cancel and blank those that nobody continues any more.

    Args:
        abandoned_before: an open form untouched since then is no longer continued.
    """
    has_ended = and_(Draft.state != drafts.OPEN, Draft.updated_at < before)
    is_abandoned = and_(Draft.state == drafts.OPEN, Draft.updated_at < min(before, abandoned_before))
    ids = _batch(session, Draft, and_(or_(has_ended, is_abandoned), is_full(Draft.data)))
    session.execute(
        update(Draft)
        .where(Draft.id.in_(ids), Draft.state == drafts.OPEN)
        .values(state=drafts.CANCELLED)
        .execution_options(synchronize_session=False)
    )
    _set(session, Draft, ids, data={}, sources={}, version=Draft.version + 1)
    return len(ids)


def forget_transcripts(session: Session, *, before: datetime) -> int:
    """Delete what was said."""
    ids = _batch(session, Message, Message.created_at < before)
    _delete(session, Message, Message.id.in_(ids))
    return len(ids)


def forget_attachments(session: Session, *, before: datetime) -> list[str] | None:
    """Forget files that belong to no complaint, nor to one in the making.

    Returns:
        Paths of the files that are to be deleted once this is committed; None when there is nothing left.
    """
    spare = and_(Attachment.created_at < before, Attachment.complaint_id.is_(None))
    wanted = _in_open_drafts(session)
    ids = _batch(session, Attachment, and_(spare, Attachment.id.not_in(wanted)))
    return _drop_attachments(session, ids) if ids else None


def forget_complaints(session: Session, *, before: datetime) -> list[str] | None:
    """Leave of old complaints only what names no one, as an erasure does.

    A complaint is old when nothing happened to it for so long, whether or not anybody closed it.

    Returns:
        Paths of the files that are to be deleted once this is committed; None when there is nothing left.
    """
    about_it = and_(Activity.subject_type == "complaint", Activity.subject_id == Complaint.id)
    last_change = select(func.max(Activity.at)).where(about_it).scalar_subquery()
    is_old = and_(Complaint.created_at < before, func.coalesce(last_change, Complaint.created_at) < before)
    says_something = or_(
        Complaint.description != "", Complaint.order_number != "", Complaint.contact_point_id.is_not(None)
    )
    ids = _batch(session, Complaint, and_(is_old, says_something))
    if not ids:
        return None
    files = _batch(session, Attachment, Attachment.complaint_id.in_(ids), limit=None)
    made_of = list(session.scalars(select(Complaint.draft_id).where(Complaint.id.in_(ids))))
    _set(session, Draft, made_of, data={}, sources={}, version=Draft.version + 1)
    session.execute(
        update(Activity)
        .where(Activity.subject_type == "complaint", Activity.subject_id.in_(ids))
        .values(data={})
        .execution_options(synchronize_session=False)
    )
    blank_complaints(session, Complaint.id.in_(ids))
    return _drop_attachments(session, files)


def forget_callbacks(session: Session, *, before: datetime) -> int:
    """Blank what old calls were to be about; requests that still wait for one are left alone."""
    is_old = and_(CallbackRequest.created_at < before, CallbackRequest.state != "open")
    ids = _batch(session, CallbackRequest, and_(is_old, CallbackRequest.topic != ""))
    _set(session, CallbackRequest, ids, topic="")
    return len(ids)


def forget_audit(session: Session, *, before: datetime) -> int:
    """Delete old entries of the audit trail."""
    ids = _batch(session, AuditEntry, AuditEntry.at < before)
    _delete(session, AuditEntry, AuditEntry.id.in_(ids))
    return len(ids)


def forget_learning(session: Session, *, before: datetime) -> int:
    """Delete messages that nobody decided about, and blank those about which somebody did.

    What was accepted stays in the training file, where nothing says any more who wrote it.
    """
    is_decided = and_(LearningSample.state != UNDECIDED, LearningSample.decided_at < before)
    waits = and_(LearningSample.state == UNDECIDED, LearningSample.created_at < before)
    waiting = _batch(session, LearningSample, waits)
    decided = _batch(session, LearningSample, and_(is_decided, LearningSample.text != ""))
    _delete(session, LearningSample, LearningSample.id.in_(waiting))
    _set(session, LearningSample, decided, text="", ranking=[])
    return len(waiting) + len(decided)


def withdraw_exports(session: Session, *, before: datetime) -> list[str]:
    """Take back files of customers' data that were handed over here, in the web chat or the terminal.

    Returns:
        Paths of the files that are to be deleted once this is committed.
    """
    lines = session.scalars(
        select(Message)
        .join(OutboxItem, Message.outbox_id == OutboxItem.id)
        .where(OutboxItem.kind == EXPORT, OutboxItem.sent_at < before)
    )
    places = []
    for line in lines:
        document = dict(line.extra.get("document", {}))
        if document.pop("path", None):
            places.append(line.extra["document"]["path"])
            line.extra = {**line.extra, "document": document}
    return places


def known_places(session: Session, places: list[str]) -> set[str]:
    """Those of some paths that an attachment or a line of a transcript still refers to."""
    known = set(session.scalars(select(Attachment.path).where(Attachment.path.in_(places))))
    exports = session.scalars(
        select(Message.extra["document"]["path"].as_string())
        .join(OutboxItem, Message.outbox_id == OutboxItem.id)
        .where(OutboxItem.kind == EXPORT)
    )
    return known | ({*exports} & {*places})


def _in_open_drafts(session: Session) -> list[int]:
    open_ones = session.scalars(select(Draft.data).where(Draft.state == drafts.OPEN))
    return [int(one) for data in open_ones for one in data.get("attachments", [])]


def _drop_attachments(session: Session, ids: list[int]) -> list[str]:
    """Delete rows; returns the paths of files that no other row names: one may be sent along twice."""
    paths = session.scalars(select(Attachment.path).where(Attachment.id.in_(ids), Attachment.path != ""))
    places = set(paths)
    _delete(session, Attachment, Attachment.id.in_(ids))
    return sorted(places - set(session.scalars(select(Attachment.path).where(Attachment.path.in_(places)))))


def _batch(
    session: Session, model: Any, condition: ColumnElement[bool], *, limit: int | None = BATCH
) -> list[int]:
    return list(session.scalars(select(model.id).where(condition).order_by(model.id).limit(limit)))


def _delete(session: Session, model: type[Base], condition: ColumnElement[bool]) -> None:
    session.execute(delete(model).where(condition).execution_options(synchronize_session=False))


def _set(session: Session, model: Any, ids: list[int], **values: Any) -> None:
    session.execute(
        update(model).where(model.id.in_(ids)).values(values).execution_options(synchronize_session=False)
    )
