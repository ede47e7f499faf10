"""Which question of ours a customer's next message may answer: the dialogue knows nothing of notices."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints.models import WAITING, Complaint
from crm_store.complaints.outcome import DECISION_RESPONSES
from crm_store.conversations.models import Conversation, Message
from crm_store.outbox import OutboxItem
from crm_store.tickets.models import COMPLAINT, QUESTION, TicketNote

#: What a customer may be asked: whether it is solved, if a time suits, a grade, or what the staff asked; and
#: to write again if it is not solved after all.
SOLVED, VISIT, RATING, ANSWER, IF_LEFT = "solved", "visit", "rating", "answer", "closed"
KINDS = frozenset({SOLVED, VISIT, RATING, ANSWER, IF_LEFT})
#: Where the dialogue's own questions name what they expect, beside a reply (``custom`` in Rasa's words) and
#: in the outbox: ``{"what", "ticket"}``.
EXPECTS = "expects"
#: Notices that ask something.
_ASKING = {
    **dict.fromkeys(DECISION_RESPONSES, SOLVED),
    "utter_complaint_question": ANSWER,
    "utter_complaint_question_reminder": ANSWER,
    "utter_visit_reminder": VISIT,
    "utter_visit_done": RATING,
    "utter_complaint_closed": IF_LEFT,
}


class Expected(msgspec.Struct, frozen=True):
    """An open question.

    Attributes:
        what: ``solved``, ``visit``, ``rating``, ``answer`` or ``closed``.
        ticket: the code of the ticket that it is about, in ASCII digits.
        is_latest: nothing else has been said since: a bare yes or no belongs to it.
    """

    what: str
    ticket: str
    is_latest: bool

    def as_metadata(self) -> dict[str, Any]:
        """As the dialogue is told of it."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]  # a dict, as a Struct always gives


def expected_in(session: Session, *, conversation_id: int) -> Expected | None:
    """The question that a message of this conversation may answer; None when none is open.

    What was asked last goes first; a question of the staff's stays open until it is answered.
    """
    latest = _asked_last(session, conversation_id)
    if latest is not None:
        return latest
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.identity is None:
        return None
    code = session.scalar(
        select(Complaint.code)
        .join(TicketNote, TicketNote.subject_id == Complaint.id)
        .where(
            TicketNote.subject_type == COMPLAINT,
            TicketNote.kind == QUESTION,
            TicketNote.answered_at.is_(None),
            Complaint.customer_id == conversation.identity.customer_id,
            Complaint.state == WAITING,
        )
        .order_by(TicketNote.id.desc())
        .limit(1)
    )
    return Expected(ANSWER, code, is_latest=False) if code else None


def _asked_last(session: Session, conversation_id: int) -> Expected | None:
    """The question in the last thing that we said."""
    content = session.scalar(
        select(OutboxItem.content)
        .join(Message, Message.outbox_id == OutboxItem.id)
        .where(Message.conversation_id == conversation_id, Message.author == "bot")
        .order_by(Message.seq.desc())
        .limit(1)
    )
    if not content:
        return None
    if "response" in content:
        what = _ASKING.get(str(content["response"]))
        ticket = (content.get("params") or {}).get("ticket")
    else:
        named = content.get(EXPECTS) or {}
        what, ticket = named.get("what"), named.get("ticket")
    return Expected(what, str(ticket), is_latest=True) if what in KINDS and ticket else None
