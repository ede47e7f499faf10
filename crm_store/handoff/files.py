"""What staff send along: it goes to the customer whose conversation it is, and nobody else's files do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Attachment, Conversation
from crm_store.errors import InvalidInput
from crm_store.staff.models import StaffAccount, StaffMember

MAX_FILES = 10


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is kept already.

    Attributes:
        kind: ``photo``, ``voice``, ``audio``, ``video`` or ``document``.
        mime_type: such as ``image/jpeg``.
        file_name: as it was called.
        path: below the attachments folder.
        size: in bytes.
    """

    kind: str
    path: str
    mime_type: str = ""
    file_name: str = ""
    size: int = 0


def sendable(
    session: Session, files: Iterable[int | KeptFile], *, conversation: Conversation, staff: StaffMember
) -> list[dict[str, Any]]:
    """Files as the outbox and the transcript keep them.

    Args:
        files: ids of attachments of this conversation, of the staff's groups or of the member's own chats; or
            files that were kept in another way.
        conversation: to which they go.
        staff: who sends them.

    Raises:
        InvalidInput: one does not exist, is somebody else's or is no file of ours, or there are too many.
    """
    chosen = list(files)
    if len(chosen) > MAX_FILES:
        raise InvalidInput(f"at most {MAX_FILES} files go along")
    return [_described(session, one, conversation, staff) for one in chosen]


def _described(
    session: Session, file: int | KeptFile, conversation: Conversation, staff: StaffMember
) -> dict[str, Any]:
    if isinstance(file, int):
        attachment = session.get(Attachment, file)
        if attachment is None or not attachment.path:
            raise InvalidInput("there is no such file")
        _check_may_go(session, attachment, conversation, staff)
        file = KeptFile(
            kind=attachment.kind,
            mime_type=attachment.mime_type,
            file_name=attachment.file_name,
            path=attachment.path,
            size=attachment.size,
        )
    else:
        _check_is_ours(file.path)
        for known in session.scalars(select(Attachment).where(Attachment.path == file.path)):
            _check_may_go(session, known, conversation, staff)
    return msgspec.structs.asdict(file)


def _check_may_go(
    session: Session, attachment: Attachment, conversation: Conversation, staff: StaffMember
) -> None:
    """Raise for a file of another customer's."""
    if attachment.conversation_id == conversation.id:
        return
    source = session.get_one(Conversation, attachment.conversation_id)
    if source.identity_id is None:
        return
    account = session.get(StaffAccount, source.identity_id)
    if account is None or account.staff_id != staff.id:
        raise InvalidInput("this file belongs to somebody else")


def _check_is_ours(path: str) -> None:
    place = PurePosixPath(path)
    if not path or place.is_absolute() or ".." in place.parts or "\x00" in path:
        raise InvalidInput("this is no file of ours")
