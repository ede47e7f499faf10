"""What the dispatcher works on: one update, or all updates of an album, until it is answered."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bot.gateway.incoming import Incoming, MediaRef
from crm_store.tickets.expecting import Expected


class Queued(msgspec.Struct, frozen=True):
    """An inbox row that waits."""

    inbox_id: int
    channel: str
    chat_id: str
    correlation_id: str
    incoming: Incoming


class Notice(msgspec.Struct, frozen=True):
    """A response to send, with its unescaped values."""

    response: str
    params: dict[str, Any] = {}


class Press(msgspec.Struct, frozen=True):
    """A press that the messenger wants answered.

    Attributes:
        callback_query_id: what is answered.
        message_id: the message below which the button stands.
        refusal: the response that says why the button does nothing; empty when it does.
        params: its values.
        clears: the buttons below that message are of no more use.
    """

    callback_query_id: str
    message_id: str
    refusal: str = ""
    params: dict[str, Any] = {}
    clears: bool = False


class DeskWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff wrote in a group, with files that are still to be fetched.

    Attributes:
        topic_id: in which customer's topic (`crm_store.handoff.models.StaffTopic`).
        conversation_id: this customer's; the files go where it is.
        staff_id: who.
        text: what was written with them.
        is_whisper: it stays among the staff.
    """

    topic_id: int
    conversation_id: int
    staff_id: int
    text: str
    is_whisper: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about a job, decided in the store.

    Attributes:
        conversation_id: where.
        text: what the dialogue is asked, as typed; None when it is asked something else.
        payload: the intent of a pressed button.
        contact: the sender's proven number in E.164.
        edited: the text is the new wording of an earlier message.
        attachments: ``{"id", "kind"}`` of what is kept already.
        media: files that are still to be fetched.
        late_of: the message whose album this file belongs to, when the album has been answered already.
        press: set for a pressed button.
        audience: who writes: ``staff`` only if the account is linked to a member of staff.
        expected: the question of ours that the message may answer.
        ownership: the conversation's at this moment; an answer leaves only as long as it stays so.
        is_silent: a person has the conversation, or it is no conversation with the bot: files are kept, and
            the dialogue is not asked.
        desk: set for what a member of staff wrote in a group.
        thread_id: the group's topic in which it is answered; empty for none.
    """

    conversation_id: int
    text: str | None = None
    payload: str | None = None
    contact: str | None = None
    edited: bool = False
    attachments: list[dict[str, Any]] = []
    media: tuple[MediaRef, ...] = ()
    late_of: int | None = None
    press: Press | None = None
    audience: Literal["customer", "staff"] = "customer"
    expected: Expected | None = None
    ownership: int | None = None
    is_silent: bool = False
    desk: DeskWords | None = None
    thread_id: str = ""


class Kept(msgspec.Struct):
    """What became of a job's files.

    Attributes:
        attachments: ``{"id", "kind"}`` of those that were kept.
        refusals: why the others were not.
    """

    attachments: list[dict[str, Any]] = []
    refusals: list[Notice] = []


class Job:
    """One turn in the making.

    Attributes:
        rows: the inbox rows that it answers; the first one names the turn.
        corrected: text that replaces the one that came, because it was edited before it was answered.
        plan: what to do; None before the store was asked, or when nothing is left to do.
        is_taken: the store was asked.
        kept: the files, once they are fetched.
        is_acknowledged: the press was answered.
    """

    def __init__(self, rows: list[Queued]) -> None:
        self.rows = rows
        self.corrected: str | None = None
        self.plan: Plan | None = None
        self.is_taken = False
        self.kept: Kept | None = None
        self.is_acknowledged = False

    @property
    def head(self) -> Queued:
        """The row that names the turn."""
        return self.rows[0]

    @property
    def row_ids(self) -> list[int]:
        """Ids of all rows."""
        return [row.inbox_id for row in self.rows]

    def correct(self, text: str) -> None:
        """Take over a new wording; the store is asked again with it."""
        if text != self.corrected:
            self.corrected, self.is_taken = text, False
