"""What a customer or technician does with a ticket in chat: the task under way.

A task (taking a complaint back, moving a visit …) that needs more than one message is a draft, as the
progress of every form is; there is one at a time in a conversation.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.conversations.models import Attachment
from crm_store.drafts import Draft
from crm_store.tickets.models import TicketNote

DRAFT_KIND = "ticket_task"
#: Fields of a task's draft: what is done, the ticket's code, files, words, a chosen value, and the yes.
TASK, TICKET, FILES, DETAIL, CHOICE = "task", "ticket", "files", "detail", "choice"
MAX_DETAIL = 8000


def start_task(
    session: Session, *, conversation_id: int, inbox_id: int, task: str, ticket: str | None = None
) -> Draft:
    """Begin a task, in place of one that was left half-done; the same turn again finds its own.

    Args:
        task: its name in `actions.ticket_tasks`.
        ticket: the code of the ticket, if that is clear already.
    """
    draft = drafts.turn_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
    if draft is None:
        draft = drafts.start_draft(
            session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id
        )
    elif draft.state == drafts.OPEN and draft.sources.get(TASK) != inbox_id:
        for field in list(draft.data):
            drafts.set_field(draft, field=field, value=None, inbox_id=inbox_id)
    drafts.set_field(draft, field=TASK, value=task, inbox_id=inbox_id)
    if ticket is not None:
        drafts.set_field(draft, field=TICKET, value=ticket, inbox_id=inbox_id)
    return draft


def task_draft(session: Session, *, conversation_id: int, inbox_id: int) -> Draft | None:
    """The task that a turn works on."""
    return drafts.turn_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)


def add_detail(draft: Draft, *, text: str, inbox_id: int) -> None:
    """Add words to a task; what was written before stays."""
    told = draft.data.get(DETAIL, "")
    if f"\n{text}\n" not in f"\n{told}\n":
        drafts.set_field(draft, field=DETAIL, value=f"{told}\n{text}".strip()[:MAX_DETAIL], inbox_id=inbox_id)


def add_files(session: Session, draft: Draft, *, attachment_ids: Collection[int], inbox_id: int) -> None:
    """Add files of the conversation to a task; known ones are not added twice."""
    own = session.scalars(
        select(Attachment.id).where(
            Attachment.conversation_id == draft.conversation_id, Attachment.id.in_(attachment_ids)
        )
    )
    known = list(draft.data.get(FILES, []))
    added = [*known, *(one for one in own if one not in known)]
    drafts.set_field(draft, field=FILES, value=added, inbox_id=inbox_id)


def end_task(draft: Draft, *, inbox_id: int) -> None:
    """Close a task that was carried out."""
    if draft.state == drafts.OPEN:
        drafts.close_draft(draft, state=drafts.SUBMITTED, inbox_id=inbox_id)


def last_noted(session: Session, *, subjects: Collection[tuple[str, int]]) -> tuple[str, int] | None:
    """Which of some tickets a customer added something to last.

    Args:
        subjects: kind and id of each.

    Returns:
        Kind and id; None when nothing was added to any of them.
    """
    found = session.execute(
        select(TicketNote.subject_type, TicketNote.subject_id)
        .where(
            tuple_(TicketNote.subject_type, TicketNote.subject_id).in_(subjects),
            TicketNote.author == "customer",
        )
        .order_by(TicketNote.id.desc())
        .limit(1)
    ).one_or_none()
    return (found.subject_type, found.subject_id) if found is not None else None


def cancel_task(session: Session, *, conversation_id: int, inbox_id: int) -> bool:
    """Drop the task under way; False when there is none."""
    return drafts.cancel_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
