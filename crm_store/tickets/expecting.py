"""Which question of ours a customer's next message may answer: the dialogue knows nothing of notices."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints.models import WAITING, Complaint
from crm_store.complaints.outcome import DECISION_RESPONSES
from crm_store.conversations.models import EVERYBODY, Conversation, Message
from crm_store.outbox import OutboxItem
from crm_store.staff.models import StaffFocus
from crm_store.surveys.waiting import Waiting, open_in, waiting_in
from crm_store.surveys.wording import ASKING
from crm_store.tickets.models import COMPLAINT, QUESTION, TicketNote

#: What a customer may be asked: whether it is solved, if a time suits, a grade, or what the staff asked; and
#: to write again if it is not solved after all.
SOLVED, VISIT, RATING, ANSWER, IF_LEFT = "solved", "visit", "rating", "answer", "closed"
#: Likewise in the club: which reward, whether to take it or join a raffle, a friend's code, more of a list.
REWARD, REDEEM, FRIEND_CODE, RAFFLE, HISTORY = "reward", "redeem", "friend_code", "raffle", "history"
CLUB_KINDS = frozenset({REWARD, REDEEM, FRIEND_CODE, RAFFLE, HISTORY})
#: An opinion: the question that waits in a survey.
SURVEY = "survey"
#: A step of what a member of staff does (`crm_store.tickets.staff_questions`).
STAFF = "staff"
#: After a hand-over: whether to go on with a form, whether to take a call instead. They are about nothing.
GO_ON, CALL = "go_on", "call"
HANDOFF_KINDS = frozenset({GO_ON, CALL})
KINDS = frozenset({SOLVED, VISIT, RATING, ANSWER, IF_LEFT, SURVEY, STAFF}) | CLUB_KINDS | HANDOFF_KINDS
#: Where the dialogue's own questions name what they expect, beside a reply (``custom`` in Rasa's words) and
#: in the outbox: ``{"what", "ticket"}``.
EXPECTS = "expects"
#: So many lines are looked through for a question that notices have followed.
_LOOKED_THROUGH = 12
#: Notices that ask something.
_ASKING = {
    **dict.fromkeys(DECISION_RESPONSES, SOLVED),
    "utter_complaint_question": ANSWER,
    "utter_complaint_question_reminder": ANSWER,
    "utter_visit_reminder": VISIT,
    "utter_visit_done": RATING,
    "utter_complaint_closed": IF_LEFT,
    "utter_handoff_resume": GO_ON,
    "utter_handoff_out_of_hours": CALL,
    **dict.fromkeys(ASKING, SURVEY),
}


class Expected(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open question.

    Attributes:
        what: one of KINDS.
        ticket: the code of the ticket that it is about, in ASCII digits; of others what they are about.
        is_latest: nothing else has been said since: a bare yes or no belongs to it.
        question: of a survey what it waits for.
    """

    what: str
    ticket: str
    is_latest: bool
    question: Waiting | None = None

    def as_metadata(self) -> dict[str, Any]:
        """As the dialogue is told of it."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]  # a dict, as a Struct always gives


def expected_in(session: Session, *, conversation_id: int) -> Expected | None:
    """The question that a message of this conversation may answer; None when none is open.

    What was asked last goes first; a question of the staff's stays open until it is answered, then that of a
    survey.
    """
    latest = _asked_last(session, conversation_id) or _asked_of_staff(session, conversation_id)
    conversation = session.get(Conversation, conversation_id)
    customer_id = conversation.identity.customer_id if conversation and conversation.identity else None
    if latest is not None and latest.what == SURVEY:
        return _in_survey(session, latest.ticket, customer_id, is_latest=True)
    if latest is not None or customer_id is None:
        return latest
    code = session.scalar(
        select(Complaint.code)
        .join(TicketNote, TicketNote.subject_id == Complaint.id)
        .where(
            TicketNote.subject_type == COMPLAINT,
            TicketNote.kind == QUESTION,
            TicketNote.answered_at.is_(None),
            Complaint.customer_id == customer_id,
            Complaint.state == WAITING,
        )
        .order_by(TicketNote.id.desc())
        .limit(1)
    )
    if code:
        return Expected(ANSWER, code, is_latest=False)
    opened = open_in(session, conversation_id=conversation_id, customer_id=customer_id)
    return _in_survey(session, str(opened), customer_id, is_latest=False) if opened else None


def _in_survey(
    session: Session, invitation: str, customer_id: int | None, *, is_latest: bool
) -> Expected | None:
    """What a survey waits for; None when nothing is taken for an answer any more."""
    if customer_id is None or not invitation.isdecimal():
        return None
    question = waiting_in(session, invitation_id=int(invitation), customer_id=customer_id)
    return Expected(SURVEY, invitation, is_latest, question) if question is not None else None


def _asked_of_staff(session: Session, conversation_id: int) -> Expected | None:
    """The question of a member's task that nothing but notices has followed: those come at any moment."""
    if session.get(StaffFocus, conversation_id) is None:
        return None
    rows = session.execute(
        select(Message.author, OutboxItem.content)
        .outerjoin(OutboxItem, Message.outbox_id == OutboxItem.id)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.seq.desc())
        .limit(_LOOKED_THROUGH)
    ).tuples()
    typed = 0
    for author, content in rows:
        typed += author == "customer"
        asked = (content or {}).get(EXPECTS) or {}
        if typed > 1:  # the message itself, and another one since the question
            return None
        if asked.get("what") == STAFF and asked.get("ticket"):
            return Expected(STAFF, str(asked["ticket"]), is_latest=True)
        if author == "bot" and "response" not in (content or {}):
            return None
    return None


def _asked_last(session: Session, conversation_id: int) -> Expected | None:
    """The question in the last thing that we said; after a word of a person's there is none."""
    content = session.scalar(
        select(OutboxItem.content)
        .select_from(Message)
        .outerjoin(OutboxItem, (Message.outbox_id == OutboxItem.id) & (Message.author == "bot"))
        .where(
            Message.conversation_id == conversation_id,
            Message.author != "customer",
            Message.audience == EVERYBODY,
        )
        .order_by(Message.seq.desc())
        .limit(1)
    )
    if not content:
        return None
    if "response" in content:
        what = _ASKING.get(str(content["response"]))
        ticket = "-" if what in HANDOFF_KINDS else (content.get("params") or {}).get("ticket")
    else:
        named = content.get(EXPECTS) or {}
        what, ticket = named.get("what"), named.get("ticket")
    return Expected(what, str(ticket), is_latest=True) if what in KINDS and ticket else None
