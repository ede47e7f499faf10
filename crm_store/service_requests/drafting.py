"""Taking a service request down: what its draft holds, and what is still to be asked.

A field that stands in the draft has been answered, even with nothing: an empty product says that the customer
named none or passed the question over. Whatever was said last holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from sqlalchemy.orm import Session

from crm_store import drafts, filling
from crm_store.business import ServiceKind
from crm_store.drafts import Draft
from crm_store.errors import InvalidInput
from crm_store.filling import ASKING, SUMMARISED, Filling, ask_for, is_answered, settle, settle_with_none

DRAFT_KIND = "service_request"
KIND, PROBLEM, PRODUCT, CITY, ADDRESS = "kind", "problem", "product", "city", "address"
#: The kind's own questions: ``{"question", "answer"}`` each.
ANSWERS = "answers"
#: The beginning of the chosen window, as ISO text in UTC.
WINDOW = "window"
ATTACHMENTS, PHONE, CONTACT_POINT, SIGNALS = (
    filling.ATTACHMENTS,
    filling.PHONE,
    filling.CONTACT_POINT,
    filling.SIGNALS,
)
#: In the order in which they are asked.
FIELDS = (KIND, PROBLEM, PRODUCT, CITY, ADDRESS, ANSWERS, WINDOW, ATTACHMENTS, PHONE)
#: What must be told where it belongs to the request; `required_fields` says where it does.
REQUIRED_FIELDS = (KIND, CITY, ADDRESS, WINDOW)
MAX_LENGTH = {PROBLEM: 8000, PRODUCT: 200, CITY: 60, ADDRESS: 2000}
MAX_ANSWER = 2000

FILLING = Filling(DRAFT_KIND)
service_draft, start_request, cancel_draft = FILLING.find, FILLING.start, FILLING.cancel
set_draft_phone, attach_to_draft = FILLING.set_phone, FILLING.attach
drop_attachments = FILLING.drop_attachments
begin_anew, note_summary = filling.begin_anew, filling.note_summary


def set_draft_field(
    session: Session, *, conversation_id: int, field: str, value: str, inbox_id: int
) -> Draft:
    """Write a field of the conversation's draft, making the draft if there is none.

    Another kind has other places: a window that was chosen for the former one is asked again.

    Args:
        field: ``kind``, ``problem``, ``product``, ``city``, ``address`` or ``window``.
        value: what the customer said last; a window is its beginning, as ISO text.

    Raises:
        InvalidInput: there is no such field, the window is no moment, or what must be told is empty.
    """
    if field not in (KIND, *MAX_LENGTH, WINDOW):
        raise InvalidInput(f"a service request has no field {field}")
    if field in REQUIRED_FIELDS and not value.strip():
        raise InvalidInput(f"{field} must not be empty")
    value = _moment(value).isoformat() if field == WINDOW else value[: MAX_LENGTH.get(field)]
    draft = start_request(session, conversation_id=conversation_id, inbox_id=inbox_id)
    if field == KIND and draft.data.get(KIND) != value:
        drafts.set_field(draft, field=WINDOW, value=None, inbox_id=inbox_id)
    settle(draft, field, value, inbox_id)
    return draft


def answer_own_question(
    session: Session, *, conversation_id: int, question: str, answer: str, inbox_id: int
) -> Draft:
    """Keep the answer to one of the kind's own questions; an empty one passes it over."""
    draft = start_request(session, conversation_id=conversation_id, inbox_id=inbox_id)
    others = [one for one in draft.data.get(ANSWERS, []) if one["question"] != question]
    settle(draft, ANSWERS, [*others, {"question": question, "answer": answer[:MAX_ANSWER]}], inbox_id)
    return draft


def pass_over(session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
    """Take "none" for an answer; files that are there already stay.

    One of the kind's own questions is passed over with `answer_own_question`.

    Raises:
        InvalidInput: this field must be told.
    """
    if field not in (PROBLEM, PRODUCT, ATTACHMENTS, PHONE):
        raise InvalidInput(f"{field} cannot be passed over")
    draft = start_request(session, conversation_id=conversation_id, inbox_id=inbox_id)
    settle_with_none(draft, field, inbox_id)
    return draft


def ask_again(session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
    """Open a field that the customer wants to correct; the kind's own questions are all asked anew.

    Raises:
        InvalidInput: there is no such field.
    """
    if field not in FIELDS:
        raise InvalidInput(f"a service request has no field {field}")
    draft = start_request(session, conversation_id=conversation_id, inbox_id=inbox_id)
    if field == ANSWERS:
        drafts.set_field(draft, field=ANSWERS, value=None, inbox_id=inbox_id)
    ask_for(draft, field, inbox_id)
    return draft


def take_window_out(draft: Draft, *, inbox_id: int) -> None:
    """Ask for the time again: the window that was chosen is no longer free."""
    drafts.set_field(draft, field=WINDOW, value=None, inbox_id=inbox_id)


def required_fields(kind: ServiceKind) -> tuple[str, ...]:
    """What must be told about a request of a kind, in the order of asking."""
    belongs = {
        KIND: True,
        CITY: CITY in kind.ask or bool(kind.areas),
        ADDRESS: ADDRESS in kind.ask,
        WINDOW: kind.is_booked,
    }
    return tuple(field for field in REQUIRED_FIELDS if belongs[field])


def open_questions(data: Mapping[str, Any], kind: ServiceKind | None) -> list[str]:
    """The fields that are still to be asked, in order.

    Args:
        data: what the draft holds.
        kind: the kind that it names; None while it names none, then nothing else is asked.
    """
    if kind is None or not data.get(KIND):
        return [KIND]
    required, asking = required_fields(kind), data.get(ASKING)
    # Own questions are open after the summary only where they were opened again, or are another kind's.
    wanted = {*required, ANSWERS} if data.get(SUMMARISED) else {*required, ANSWERS, *kind.ask}
    wanted |= {asking} if asking else set()

    def is_open(field: str) -> bool:
        if field == ANSWERS:
            return next_own_question(data, kind) is not None
        if field == asking:
            return True
        return not data.get(field) if field in required else not is_answered(data, field)

    return [field for field in FIELDS if field in wanted and is_open(field)]


def next_own_question(data: Mapping[str, Any], kind: ServiceKind) -> str | None:
    """The first of the kind's own questions that has no answer yet."""
    answered = {one["question"] for one in data.get(ANSWERS, [])}
    return next((question for question in kind.questions if question not in answered), None)


def own_answers(data: Mapping[str, Any], kind: ServiceKind) -> list[dict[str, str]]:
    """``{"question", "answer"}`` of the kind's own questions that were answered, in the kind's order."""
    told = {one["question"]: one["answer"] for one in data.get(ANSWERS, [])}
    return [{"question": one, "answer": told[one]} for one in kind.questions if told.get(one)]


def chosen_window(data: Mapping[str, Any]) -> datetime | None:
    """The beginning of the window that a draft names, in UTC."""
    return _moment(data[WINDOW]) if data.get(WINDOW) else None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text} is no moment") from error
    if moment.utcoffset() is None:
        raise InvalidInput(f"{text} has no time zone")
    return moment.astimezone(timezone.utc)
