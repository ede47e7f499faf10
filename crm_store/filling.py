"""What all forms share that take a matter down step by step: their draft with phone and files.

A field that stands in the draft has been answered, even with nothing: an empty one says that the customer has
none or passed the question over. Whatever was said last holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone, best_phone
from crm_store.drafts import Draft

ATTACHMENTS, PHONE = "attachments", "phone"
#: Where the phone stands in a draft: the id of the contact point, 0 for "no phone".
CONTACT_POINT = "contact_point_id"
#: What was heard beside the words: ``danger``, ``urgency``, ``anger``.
SIGNALS, STRONG_SIGNALS = "signals", "strong_signals"
#: The field that the customer wants to correct: it is asked again, its former value stays until then.
ASKING = "asking"
#: The summary has been shown: from then on only what the customer wants to correct is asked.
SUMMARISED = "summarised"


class Filling:
    """One kind of draft.

    Args:
        kind: its name in the store.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def find(self, session: Session, *, conversation_id: int, inbox_id: int) -> Draft | None:
        """The draft that a turn works on."""
        return drafts.turn_draft(session, conversation_id=conversation_id, kind=self._kind, inbox_id=inbox_id)

    def start(self, session: Session, *, conversation_id: int, inbox_id: int) -> Draft:
        """The draft that a turn works on, made if there is none; a phone that is known is in it."""
        draft = self.find(session, conversation_id=conversation_id, inbox_id=inbox_id)
        if draft is None:
            draft = drafts.start_draft(
                session, conversation_id=conversation_id, kind=self._kind, inbox_id=inbox_id
            )
            customer_id = customer_of(session.get_one(Conversation, conversation_id))
            known = best_phone(session, customer_id=customer_id)
            if known is not None:
                drafts.set_field(draft, field=CONTACT_POINT, value=known.id, inbox_id=inbox_id)
        return draft

    def set_phone(
        self, session: Session, *, conversation_id: int, phone: str, inbox_id: int, proven: bool = False
    ) -> Draft:
        """Keep the phone to call.

        Args:
            phone: as typed, in any script and format.
            proven: True only for the sender's own contact as the messenger hands it over.

        Raises:
            InvalidInput: the text is not a valid phone number.
        """
        customer_id = customer_of(session.get_one(Conversation, conversation_id))
        point = add_phone(session, customer_id=customer_id, phone=phone, proven=proven)
        draft = self.start(session, conversation_id=conversation_id, inbox_id=inbox_id)
        settle(draft, PHONE, point.id, inbox_id)
        return draft

    def attach(
        self, session: Session, *, conversation_id: int, attachment_ids: list[int], inbox_id: int
    ) -> Draft:
        """Add attachments of this conversation to its draft; known ones are not added twice."""
        draft = self.start(session, conversation_id=conversation_id, inbox_id=inbox_id)
        own = session.scalars(
            select(Attachment.id).where(
                Attachment.conversation_id == conversation_id, Attachment.id.in_(attachment_ids)
            )
        )
        known = list(draft.data.get(ATTACHMENTS, []))
        value = known + [attachment_id for attachment_id in own if attachment_id not in known]
        settle(draft, ATTACHMENTS, value, inbox_id)
        return draft

    def drop_attachments(self, session: Session, *, conversation_id: int, inbox_id: int) -> Draft:
        """Take all files out of the draft; the conversation keeps them."""
        draft = self.start(session, conversation_id=conversation_id, inbox_id=inbox_id)
        settle(draft, ATTACHMENTS, [], inbox_id)
        return draft

    def cancel(self, session: Session, *, conversation_id: int, inbox_id: int) -> bool:
        """Drop the conversation's open draft; False when there is none."""
        return drafts.cancel_draft(
            session, conversation_id=conversation_id, kind=self._kind, inbox_id=inbox_id
        )


def settle(draft: Draft, field: str, value: object, inbox_id: int) -> None:
    """Write an answer; the question is no longer open."""
    drafts.set_field(draft, field=place_of(field), value=value, inbox_id=inbox_id)
    if draft.data.get(ASKING) == field:
        drafts.set_field(draft, field=ASKING, value=None, inbox_id=inbox_id)


def settle_with_none(draft: Draft, field: str, inbox_id: int) -> None:
    """Take "none" for an answer; files that are there already stay."""
    none = {ATTACHMENTS: list(draft.data.get(ATTACHMENTS, [])), PHONE: 0}
    settle(draft, field, none.get(field, ""), inbox_id)


def ask_for(draft: Draft, field: str, inbox_id: int) -> None:
    """Open a field that the customer wants to correct."""
    drafts.set_field(draft, field=ASKING, value=field, inbox_id=inbox_id)


def note_summary(draft: Draft, *, inbox_id: int) -> None:
    """Note that the customer has seen the summary."""
    drafts.set_field(draft, field=SUMMARISED, value=True, inbox_id=inbox_id)


def note_signals(
    draft: Draft, *, signals: Collection[str], inbox_id: int, strong: Collection[str] = ()
) -> None:
    """Remember what was heard beside the words.

    Args:
        signals: all of it: it decides how urgent the matter is.
        inbox_id: the message.
        strong: what was heard beyond doubt: a reason to call a person.
    """
    for field, new in ((SIGNALS, signals), (STRONG_SIGNALS, strong)):
        heard = {*draft.data.get(field, []), *new}
        if heard:
            drafts.set_field(draft, field=field, value=sorted(heard), inbox_id=inbox_id)


def begin_anew(draft: Draft, *, inbox_id: int) -> None:
    """Forget what was told before; the phone to call stays, it is the same customer."""
    for field in [field for field in draft.data if field != CONTACT_POINT]:
        drafts.set_field(draft, field=field, value=None, inbox_id=inbox_id)


def is_answered(data: Mapping[str, Any], field: str) -> bool:
    """Whether a question was answered, be it with nothing."""
    return place_of(field) in data


def place_of(field: str) -> str:
    """The name under which a field stands in a draft."""
    return CONTACT_POINT if field == PHONE else field
