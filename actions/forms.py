"""What the forms share that take a matter down step by step: the draft that they write, and how they ask.

The draft is the truth and the form's slots mirror it, so a restart or an expired session loses nothing. A
message that gives a form nothing is left to the rules: they answer it and the form asks again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol

from rasa_sdk.events import SlotSet
from sqlalchemy.orm import Session

from actions.answers import passes_over
from actions.base import Event, Reply, StoreAction, environment
from actions.handoff import has_digits_of_a_phone
from actions.texts import is_one_of
from actions.turn import RESUME, Found, Turn
from crm_store import drafts, filling
from crm_store.drafts import Draft
from crm_store.filling import Filling
from crm_store.persian import find_phones

#: What a slot holds whose question was answered with nothing, or does not belong to this matter.
NOTHING = "-"
#: The answer was taken, and there is nothing to say about it.
TAKEN = ""


class Drafting(Protocol):
    """What the store offers for a kind of draft: ``crm_store/<area>/drafting.py``."""

    DRAFT_KIND: str
    FILLING: Filling

    def set_draft_field(
        self, session: Session, *, conversation_id: int, field: str, value: str, inbox_id: int
    ) -> Draft:
        """Write a field."""

    def pass_over(self, session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
        """Take "none" for an answer."""

    def ask_again(self, session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
        """Open a field that is to be corrected."""


class FormDraft:
    """Writes into the draft of a form what a turn tells.

    Args:
        drafting: the store's module for it.
        fields: the field of the draft that each slot mirrors.
    """

    def __init__(self, drafting: Drafting, fields: Mapping[str, str]) -> None:
        self._drafting = drafting
        self._fields = fields

    def of(self, turn: Turn, session: Session) -> Draft | None:
        """The draft that a turn works on."""
        return drafts.turn_draft(
            session,
            conversation_id=turn.conversation_id,
            kind=self._drafting.DRAFT_KIND,
            inbox_id=turn.inbox_id,
        )

    def data(self, turn: Turn, session: Session) -> Mapping[str, Any]:
        """What the draft holds; nothing when it has ended."""
        draft = self.of(turn, session)
        return draft.data if draft is not None and draft.state == drafts.OPEN else {}

    def note_signals(self, turn: Turn, session: Session, told_in: int | None = None) -> Draft | None:
        """Remember in the draft, which is returned, what was heard beside the words of a message.

        Args:
            turn: the message.
            session: the unit of work.
            told_in: the message that it was heard in, if not this one.
        """
        draft = self.of(turn, session)
        if draft is not None:
            filling.note_signals(
                draft, signals=turn.signals, strong=turn.strong, inbox_id=told_in or turn.inbox_id
            )
        return draft

    def heard(self, turn: Turn, session: Session) -> frozenset[str]:
        """What was heard beyond doubt while the draft was filled in."""
        draft = self.of(turn, session)
        return frozenset(draft.data.get(filling.STRONG_SIGNALS, ()) if draft is not None else ())

    def drop_stale(self, turn: Turn, session: Session) -> None:
        """Forget a draft that was left for too long."""
        drafts.drop_stale(
            session,
            conversation_id=turn.conversation_id,
            kind=self._drafting.DRAFT_KIND,
            max_age_hours=environment().settings.limits.draft_hours,
        )

    def set(self, turn: Turn, session: Session, field: str, value: str, told_in: int | None = None) -> None:
        """Write a field.

        Args:
            turn: the message.
            session: the unit of work.
            field: its name.
            value: what the customer said last.
            told_in: the message that it stood in, if not this one.
        """
        self._drafting.set_draft_field(
            session,
            conversation_id=turn.conversation_id,
            field=field,
            value=value,
            inbox_id=told_in or turn.inbox_id,
        )

    def set_phone(self, turn: Turn, session: Session, phone: str) -> None:
        """Keep the number to call; only the sender's own contact proves one."""
        self._drafting.FILLING.set_phone(
            session,
            conversation_id=turn.conversation_id,
            phone=phone,
            inbox_id=turn.inbox_id,
            proven=phone == turn.contact,
        )

    def add(self, turn: Turn, session: Session, field: str) -> None:
        """Add what is told on to free words, the same once only."""
        draft = self.of(turn, session)
        told, source = (draft.data.get(field, ""), draft.sources.get(field)) if draft else ("", None)
        if f"\n{turn.text}\n" not in f"\n{told}\n":
            # The message that began them stays their source: an edit of that one is an edit of the words.
            self.set(turn, session, field, f"{told}\n{turn.text}".strip(), source)

    def pass_over(self, turn: Turn, session: Session, field: str) -> None:
        """Take "none" for an answer."""
        self._drafting.pass_over(
            session, conversation_id=turn.conversation_id, field=field, inbox_id=turn.inbox_id
        )

    def ask_again(self, turn: Turn, session: Session, field: str) -> None:
        """Open a field that is to be corrected."""
        self._drafting.ask_again(
            session, conversation_id=turn.conversation_id, field=field, inbox_id=turn.inbox_id
        )

    def take_phone(self, turn: Turn, session: Session, field: str) -> str | None:
        """Take a typed answer to the question for a phone number.

        Args:
            turn: the message.
            session: the unit of work.
            field: the phone's.

        Returns:
            None when the text is no answer, else the response that says why the question comes again, mostly
            `TAKEN` for none.
        """
        phones = {phone.value for phone in find_phones(turn.text)}
        if len(phones) == 1:
            self.set_phone(turn, session, phones.pop())
        elif passes_over(turn):
            self.pass_over(turn, session, field)
        elif has_digits_of_a_phone(turn.text):
            return "utter_invalid_phone"
        else:
            return None
        return TAKEN

    def take_no_files(self, turn: Turn, session: Session, field: str) -> str | None:
        """Take a typed answer to the question for files: that there are none."""
        if turn.attachments or not passes_over(turn):
            return None
        self.pass_over(turn, session, field)
        return TAKEN

    def take_what_was_sent(self, turn: Turn, session: Session) -> bool:
        """Keep files, and the sender's own number as the one to call; whether there were any."""
        if turn.attachments and turn.contact is None:
            self._drafting.FILLING.attach(
                session,
                conversation_id=turn.conversation_id,
                attachment_ids=turn.attachments,
                inbox_id=turn.inbox_id,
            )
        if turn.contact is not None:
            self.set_phone(turn, session, turn.contact)
        return bool(turn.attachments) or turn.contact is not None

    def mirrored(self, data: Mapping[str, Any], still_open: Collection[str]) -> list[Event]:
        """The form's slots as the draft has them.

        Args:
            data: what the draft holds.
            still_open: the fields that are still to be asked.
        """
        return [
            SlotSet(slot, None if field in still_open else str(data.get(field) or NOTHING))
            for slot, field in self._fields.items()
        ]


class Opening(NamedTuple):
    """The text that starts a form (empty for none), the message that it stood in, and what is in it."""

    text: str
    inbox_id: int
    found: tuple[Found, ...] = ()


def opening_of(turn: Turn, offers: tuple[str, ...]) -> Opening:
    """The text with which a form starts.

    Args:
        turn: the message.
        offers: responses whose button stands for the message before, which was not understood.
    """
    before = turn.previous
    if turn.intent == RESUME or is_one_of("handoff", "resuming", turn.text):
        # What was interrupted goes on; nothing in the word for it begins anything.
        return Opening("", turn.inbox_id)
    if turn.text and not turn.trusted:
        return Opening(turn.text, turn.inbox_id, turn.found)
    if before.ended_with(*offers):
        return Opening(before.text, before.inbox_id, before.found)
    return Opening("", turn.inbox_id)


class Question(StoreAction, ABC):
    """Asks for a field: with some courtesy at first, briefly after a digression or a correction."""

    reads_only = True

    @property
    @abstractmethod
    def field(self) -> str:
        """The field that it asks for."""

    @property
    @abstractmethod
    def first(self) -> str:
        """The response that asks for the first time."""

    @property
    @abstractmethod
    def again(self) -> str:
        """The response that asks again."""

    @property
    @abstractmethod
    def back_from(self) -> tuple[str, ...]:
        """Responses after which nothing is asked for the first time: the summary, and what to correct."""

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter(self.response(turn), buttons=self.choices())
        return []

    def response(self, turn: Turn) -> str:
        """The response that asks now."""
        has_heard = not turn.heard.isdisjoint({self.first, self.again, *self.back_from})
        return self.again if has_heard else self.first

    def choices(self) -> list[dict[str, str]]:
        """Buttons besides those of the response."""
        return []
