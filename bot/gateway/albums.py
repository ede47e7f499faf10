"""Albums: several updates with one ``media_group_id`` that make one turn."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway.jobs import Queued
from crm_store import drafts
from crm_store.conversations.models import Attachment, Message

#: Where a transcript line names the album that it stands for.
KEY = "media_group_id"


def caption(rows: Sequence[Queued]) -> str:
    """The words that came with an album, or with a single message."""
    return "\n".join(row.incoming.text for row in rows if row.incoming.text)


def answered_album(session: Session, *, conversation_id: int, head: Queued) -> int | None:
    """The inbox row of the turn in which this file's album was answered before; None in every other case."""
    group = head.incoming.media_group_id
    if not group:
        return None
    return session.scalar(
        select(Message.inbox_id)
        .where(
            Message.conversation_id == conversation_id,
            Message.extra[KEY].as_string() == group,
            Message.inbox_id != head.inbox_id,
        )
        .order_by(Message.seq)
        .limit(1)
    )


def join_late(session: Session, *, attachment_ids: list[int], first_inbox_id: int) -> None:
    """Put a latecomer where the rest of its album went: to the complaint, or into its open draft."""
    sibling = session.scalar(select(Attachment).where(Attachment.inbox_id == first_inbox_id).limit(1))
    if sibling is None:
        return
    for attachment in session.scalars(select(Attachment).where(Attachment.id.in_(attachment_ids))):
        attachment.complaint_id = sibling.complaint_id
    for draft in drafts.open_drafts(session, conversation_id=sibling.conversation_id):
        known = list(draft.data.get("attachments", []))
        new = [attachment_id for attachment_id in attachment_ids if attachment_id not in known]
        if sibling.id in known and new:
            source = int(draft.sources.get("attachments", first_inbox_id))
            drafts.set_field(draft, field="attachments", value=known + new, inbox_id=source)
