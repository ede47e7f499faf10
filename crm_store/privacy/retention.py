"""Lets go of what was kept long enough (settings, section ``[retention]``), a batch at a time.

Every function does one batch in the caller's transaction and tells how many rows it was; who calls it goes on
until there are none. What waits, is open or is in a person's hands is left alone, however old it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, not_, or_, select, update
from sqlalchemy.orm import Session

from crm_store import drafts, inbox, outbox
from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Button, Message
from crm_store.drafts import Draft
from crm_store.handoff.models import ENDED as HANDOFF_ENDED
from crm_store.handoff.models import CallbackRequest, Handoff, RelayedLine, StaffTopic
from crm_store.inbox import InboxItem
from crm_store.jobs.models import PENDING as JOB_WAITS
from crm_store.jobs.models import ScheduledJob
from crm_store.learning.models import OPEN as UNDECIDED
from crm_store.learning.models import LearningSample
from crm_store.outbox import OutboxItem
from crm_store.privacy.blanking import is_full
from crm_store.privacy.files import STAFF_PLACE
from crm_store.privacy.service import EXPORT
from crm_store.privacy.tickets import Tickets, blank_tickets, complaint_speaks, request_speaks
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.staff.models import StaffFocus, StaffNote
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST

BATCH = 500
#: Where drafts keep the ids of what was sent along.
_FILE_FIELDS = ("attachments", "files")
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
    """Forget files that belong to no complaint or service request, nor to one in the making.

    Returns:
        Paths of the files that are to be deleted once this is committed; None when there is nothing left.
    """
    is_loose = and_(Attachment.complaint_id.is_(None), Attachment.service_request_id.is_(None))
    spare = and_(Attachment.created_at < before, is_loose)
    wanted = _in_open_drafts(session)
    ids = _batch(session, Attachment, and_(spare, Attachment.id.not_in(wanted)))
    return _drop_attachments(session, ids) if ids else None


def forget_complaints(session: Session, *, before: datetime) -> list[str] | None:
    """Leave of old complaints only what names no one, as an erasure does.

    A complaint is old when nothing happened to it for so long, whether or not anybody closed it.

    Returns:
        Paths of the files that are to be deleted once this is committed; None when there is nothing left.
    """
    ids = _batch(session, Complaint, and_(_is_old(Complaint, COMPLAINT, before), complaint_speaks()))
    return _forget_tickets(session, Tickets(ids, [], [])) if ids else None


def forget_requests(session: Session, *, before: datetime) -> list[str] | None:
    """Leave of old service requests only what names no one, as `forget_complaints` does of complaints.

    Returns:
        Paths of the files that are to be deleted once this is committed; None when there is nothing left.
    """
    is_old = _is_old(ServiceRequest, SERVICE_REQUEST, before)
    ids = _batch(session, ServiceRequest, and_(is_old, request_speaks()))
    return _forget_tickets(session, Tickets([], ids, [])) if ids else None


def forget_jobs(session: Session, *, before: datetime) -> int:
    """Delete automatic work that was done, cancelled or given up; what waits for its time stays."""
    is_over = and_(ScheduledJob.state != JOB_WAITS, ScheduledJob.finished_at < before)
    ids = _batch(session, ScheduledJob, is_over)
    _delete(session, ScheduledJob, ScheduledJob.id.in_(ids))
    return len(ids)


def forget_windows(session: Session, *, before: datetime) -> int:
    """Delete windows of time that are over and that no request names as its time any more."""
    is_named = exists().where(ServiceRequest.window_id == BookingWindow.id)
    ids = _batch(session, BookingWindow, and_(BookingWindow.ends_at < before, not_(is_named)))
    _delete(session, BookingWindow, BookingWindow.id.in_(ids))
    return len(ids)


def forget_callbacks(session: Session, *, before: datetime) -> int:
    """Blank what old calls were to be about; requests that still wait for one are left alone."""
    is_old = and_(CallbackRequest.created_at < before, CallbackRequest.state != "open")
    speaks = or_(CallbackRequest.topic != "", CallbackRequest.outcome != "")
    ids = _batch(session, CallbackRequest, and_(is_old, speaks))
    _set(session, CallbackRequest, ids, topic="", outcome="")
    return len(ids)


def forget_handoffs(session: Session, *, before: datetime) -> int:
    """Blank what old hand-overs were about and what was agreed in them; open ones are left alone."""
    is_old = and_(Handoff.state == HANDOFF_ENDED, Handoff.ended_at < before)
    speaks = or_(Handoff.topic != "", Handoff.agreed != "")
    ids = _batch(session, Handoff, and_(is_old, speaks))
    _set(session, Handoff, ids, topic="", agreed="")
    return len(ids)


def forget_notes(session: Session, *, before: datetime) -> int:
    """Delete old notes of the staff's on customers; pinned ones stay until somebody unpins them."""
    is_old = and_(StaffNote.created_at < before, StaffNote.is_pinned.is_(False))
    ids = _batch(session, StaffNote, is_old)
    _delete(session, StaffNote, StaffNote.id.in_(ids))
    return len(ids)


def forget_focus(session: Session, *, before: datetime) -> int:
    """Delete what members of staff had in mind in their chats once."""
    idle = select(StaffFocus.conversation_id).where(StaffFocus.updated_at < before)
    ids = list(session.scalars(idle.order_by(StaffFocus.conversation_id).limit(BATCH)))
    _delete(session, StaffFocus, StaffFocus.conversation_id.in_(ids))
    return len(ids)


def forget_topics(session: Session, *, before: datetime) -> int:
    """Delete which messages in a staff group stand for lines, once all lines of their topic are gone."""
    has_lines = exists().where(Message.conversation_id == StaffTopic.conversation_id)
    shows = exists().where(RelayedLine.topic_id == StaffTopic.id)
    is_over = and_(StaffTopic.created_at < before, StaffTopic.handoff_id.is_(None), not_(has_lines), shows)
    ids = _batch(session, StaffTopic, is_over)
    _delete(session, RelayedLine, RelayedLine.topic_id.in_(ids))
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
    return known | (({*exports} | _sent_by_staff(session, places)) & {*places})


def _sent_by_staff(session: Session, places: list[str]) -> set[str]:
    """What lines of the staff name, of the conversations in whose folders some paths are."""
    found = filter(None, map(STAFF_PLACE.match, places))
    lines = session.scalars(
        select(Message.extra).where(
            Message.conversation_id.in_({int(place[1]) for place in found}), Message.author.like("staff:%")
        )
    )
    return {file["path"] for extra in lines for file in extra.get("files", [])}


def _in_open_drafts(session: Session) -> list[int]:
    open_ones = session.scalars(select(Draft.data).where(Draft.state == drafts.OPEN))
    return [int(one) for data in open_ones for field in _FILE_FIELDS for one in data.get(field, [])]


def _is_old(
    model: type[Complaint] | type[ServiceRequest], subject_type: str, before: datetime
) -> ColumnElement[bool]:
    """Whether nothing happened to a ticket since a moment."""
    lately = exists().where(
        Activity.customer_id == model.customer_id,
        Activity.at >= before,
        Activity.subject_type == subject_type,
        Activity.subject_id == model.id,
    )
    return and_(model.created_at < before, model.updated_at < before, not_(lately))


def _forget_tickets(session: Session, tickets: Tickets) -> list[str]:
    """Blank tickets, what they were made of and their timeline; returns paths of files to be deleted."""
    files = list(session.scalars(select(Attachment.id).where(tickets.own_files())))
    made_of: list[int] = []
    owners: set[int] = set()
    for model, ids in ((Complaint, tickets.complaints), (ServiceRequest, tickets.requests)):
        for draft_id, customer_id in session.execute(
            select(model.draft_id, model.customer_id).where(model.id.in_(ids))
        ):
            made_of.append(draft_id)
            owners.add(customer_id)
    _set(session, Draft, made_of, data={}, sources={}, version=Draft.version + 1)
    about_them = tickets.are_subject(Activity.subject_type, Activity.subject_id)
    session.execute(
        update(Activity)
        .where(Activity.customer_id.in_(owners), about_them)
        .values(data={})
        .execution_options(synchronize_session=False)
    )
    blank_tickets(session, tickets)
    return _drop_attachments(session, files)


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
