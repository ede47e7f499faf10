"""Answers as they were understood, and whether they fit the question."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business.surveys import SurveyQuestion
from crm_store.conversations.models import Attachment, Conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.errors import InvalidInput
from crm_store.surveys.models import SurveyInvitation

#: Letters of an answer's text that are kept.
LONGEST = 4000


class Reading(NamedTuple):
    """An answer as it was understood.

    Attributes:
        value: the grade.
        choice: key of the choice.
        text: the customer's own words; beside a grade they are its reason.
        files: ids of attachments.
    """

    value: int | None = None
    choice: str = ""
    text: str = ""
    files: tuple[int, ...] = ()


def fitting(
    session: Session, invitation: SurveyInvitation, asked: SurveyQuestion, reading: Reading
) -> Reading:
    """What of a reading answers a question.

    Raises:
        InvalidInput: it does not answer it.
    """
    text = reading.text.strip()[:LONGEST]
    if asked.is_graded:
        low, high = asked.ends
        if reading.value is None or not low <= reading.value <= high:
            raise InvalidInput(f"a grade from {low} to {high} is wanted")
        return Reading(value=reading.value, text=text)
    if asked.kind == "choice":
        if reading.choice not in {choice.key for choice in asked.choices}:
            raise InvalidInput(f"{reading.choice} is none of the choices")
        return Reading(choice=reading.choice, text=text)
    if asked.kind == "text":
        if not text:
            raise InvalidInput("words are wanted")
        return Reading(text=text, files=_own_files(session, invitation, reading.files))
    files = _own_files(session, invitation, reading.files)
    if not files:
        raise InvalidInput("a photo is wanted")
    return Reading(text=text, files=files)


def _own_files(session: Session, invitation: SurveyInvitation, ids: tuple[int, ...]) -> tuple[int, ...]:
    """Those of the attachments that the customer sent."""
    if not ids:
        return ()
    own = (
        select(Attachment.id)
        .join(Conversation, Attachment.conversation_id == Conversation.id)
        .join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
        .where(Attachment.id.in_(ids), ChannelIdentity.customer_id == invitation.customer_id)
        .order_by(Attachment.id)
    )
    return tuple(session.scalars(own))
