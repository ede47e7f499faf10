"""The few questions of a task with a ticket: which one, files, the detail, and whether it is really wanted.

The draft in the store is the truth and the form's slots mirror it. A message that gives the form nothing is
left to the rules: they answer it and the form asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rasa_sdk.events import SlotSet
from sqlalchemy.orm import Session

from actions.answers import begins_digression
from actions.base import Event, Reply, StoreAction
from actions.codes import named_ticket
from actions.service_when import meant_window
from actions.texts import count_other_words, is_any_in, meant, words
from actions.ticket_tasks import (
    APPEAL,
    CANCEL,
    CONFIRM,
    DETAIL,
    FILES,
    NOTE,
    REOPENED,
    RESCHEDULE,
    TASKS,
    VISIT_DONE,
    VISIT_NOT_DONE,
    Ticket,
    title_of,
)
from actions.turn import Turn
from crm_store import drafts
from crm_store.drafts import Draft
from crm_store.persian import fold
from crm_store.service_requests.models import ServiceRequest
from crm_store.terms import terms
from crm_store.tickets import service

FORM = "ticket_form"
CHOSEN_SLOT, FILES_SLOT, DETAIL_SLOT, CONFIRM_SLOT = (
    "ticket_chosen",
    "ticket_files",
    "ticket_detail",
    "ticket_confirm",
)
SLOTS = (CHOSEN_SLOT, FILES_SLOT, DETAIL_SLOT, CONFIRM_SLOT)
#: What a slot holds whose question does not belong to this task, or was answered with nothing.
NOTHING = "-"
#: So many words besides those that announce it are something to add: «یه عکس دیگه هم دارم» adds nothing yet.
TELLING_WORDS = 3
#: Where the reasons that may be chosen are named, by task.
REASONS = {CANCEL: "cancel_words", VISIT_NOT_DONE: "not_done_words"}
OTHER = "other"
#: What a detail may be taken for that stands alone: the model of a fridge is none of ours elsewhere.
STILL_DETAILS = frozenset({"out_of_scope", "nlu_fallback", "affirm", "deny"})
#: «هزینه‌ی ارسالش هنوز مونده» speaks of what the business is asked about, and asks nothing.
TOLD_ABOUT = {"faq": 3}
#: "Cancel it", said when the reason for cancelling a visit was asked, is about the visit, not about the form.
GO_AHEAD = ("affirm", "cancel", "service_cancel", "skip")


@dataclass(frozen=True)
class TaskUnderWay:
    """A task with what is known of it.

    Attributes:
        own: the tickets that it may be about.
        ticket: the one that it is about; None while that is open.
    """

    task: str
    draft: Draft
    own: list[Any]
    ticket: Any

    @property
    def text(self) -> str:
        """The words that were given."""
        return str(self.draft.data.get(service.DETAIL, ""))

    @property
    def files(self) -> list[int]:
        """Ids of the files that were given."""
        return list(self.draft.data.get(service.FILES, []))

    @property
    def choice(self) -> str:
        """The reason or window that was chosen; empty for none."""
        return str(self.draft.data.get(service.CHOICE, ""))


def task_under_way(turn: Turn, session: Session) -> TaskUnderWay | None:
    """The task that this turn works on."""
    draft = service.task_draft(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
    if draft is None or draft.state == drafts.CANCELLED or service.TASK not in draft.data:
        return None
    task = draft.data[service.TASK]
    own = TASKS[task].own(session, turn)
    code = draft.data.get(service.TICKET)
    return TaskUnderWay(task, draft, own, next((one for one in own if one.code == code), None))


class ValidateTicketForm(StoreAction):
    """Takes from each message what the task needs."""

    def name(self) -> str:
        return "validate_ticket_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        under_way = task_under_way(turn, session)
        if under_way is None or turn.answers_privacy:
            return []
        if turn.resumed or turn.requested not in SLOTS:
            return slots_of(under_way)
        if turn.requested == CONFIRM_SLOT and turn.intent == "affirm":
            return [*slots_of(under_way), SlotSet(CONFIRM_SLOT, True)]
        took_files = _take_files(turn, session, under_way)
        took = _take_button(turn, under_way) if turn.trusted else _take_text(turn, session, reply, under_way)
        if not (took or took_files):
            return []
        fresh = task_under_way(turn, session)
        return slots_of(fresh) if fresh is not None else []


def slots_of(under_way: TaskUnderWay) -> list[Event]:
    """The form's slots as the draft has them."""
    steps = TASKS[under_way.task].steps
    data = under_way.draft.data
    detail = data.get(service.CHOICE) if TASKS[under_way.task].chosen else data.get(service.DETAIL)
    if under_way.task in (NOTE, REOPENED) and data.get(service.FILES):
        detail = detail or NOTHING
    if detail == "":
        detail = NOTHING
    values = {
        CHOSEN_SLOT: under_way.ticket.code if under_way.ticket is not None else None,
        FILES_SLOT: str(data.get(service.FILES)) if service.FILES in data else None,
        DETAIL_SLOT: detail,
        CONFIRM_SLOT: None,
    }
    if FILES not in steps:
        values[FILES_SLOT] = NOTHING
    if DETAIL not in steps:
        values[DETAIL_SLOT] = NOTHING
    if CONFIRM not in steps:
        values[CONFIRM_SLOT] = True
    return [SlotSet(name, value) for name, value in values.items()]


def is_complete(under_way: TaskUnderWay) -> bool:
    """Whether nothing is left to ask."""
    return all(event["value"] is not None for event in slots_of(under_way))


def take_opening(turn: Turn, session: Session, reply: Reply) -> None:
    """Take what the message that begins a task tells beyond wanting it."""
    under_way = task_under_way(turn, session)
    if under_way is None:
        return
    _take_files(turn, session, under_way)
    if turn.trusted or not turn.text:
        return
    if under_way.ticket is None:
        _take_named_ticket(turn, under_way)
        under_way = task_under_way(turn, session) or under_way
    if under_way.task == RESCHEDULE:
        _take_window(turn, session, reply, under_way)
    elif under_way.task == CANCEL:
        reason = meant("service_requests", REASONS[CANCEL], turn.text)
        if reason is not None:
            _choose(turn, under_way, reason)
    elif under_way.task in (NOTE, APPEAL) and _tells(turn, under_way.task):
        service.add_detail(under_way.draft, text=turn.text, inbox_id=turn.inbox_id)


def _tells(turn: Turn, task: str) -> bool:
    """Whether a text says something to add, or why somebody appeals, rather than only that they want to."""
    return count_other_words("tickets", f"announcing_{task}", turn.text) >= TELLING_WORDS


def _take_files(turn: Turn, session: Session, under_way: TaskUnderWay) -> bool:
    takes = under_way.task in (NOTE, REOPENED, VISIT_DONE, VISIT_NOT_DONE, APPEAL)
    if not (takes and turn.attachments and turn.contact is None):
        return False
    service.add_files(session, under_way.draft, attachment_ids=turn.attachments, inbox_id=turn.inbox_id)
    return True


def _take_button(turn: Turn, under_way: TaskUnderWay) -> bool:
    ticket = turn.button_value("choose_ticket", "ticket")
    reason = turn.button_value("choose_reason", "reason")
    window = turn.button_value("choose_window", "window")
    if ticket is not None:
        drafts.set_field(under_way.draft, field=service.TICKET, value=ticket, inbox_id=turn.inbox_id)
    elif reason is not None or window is not None:
        _choose(turn, under_way, reason or window or "")
    elif turn.intent == "skip":
        return _pass_over(turn, under_way)
    elif turn.intent == "more_windows":
        later = int(under_way.draft.data.get("pages", 0)) + 1
        drafts.set_field(under_way.draft, field="pages", value=later, inbox_id=turn.inbox_id)
    else:
        return False
    return True


def _choose(turn: Turn, under_way: TaskUnderWay, value: str) -> None:
    drafts.set_field(under_way.draft, field=service.CHOICE, value=value, inbox_id=turn.inbox_id)


def _pass_over(turn: Turn, under_way: TaskUnderWay) -> bool:
    """Take "nothing" for an answer where there may be none."""
    if turn.requested == FILES_SLOT:
        drafts.set_field(under_way.draft, field=service.FILES, value=[], inbox_id=turn.inbox_id)
    elif turn.requested == DETAIL_SLOT and under_way.task in (VISIT_DONE, REOPENED):
        drafts.set_field(under_way.draft, field=service.DETAIL, value="", inbox_id=turn.inbox_id)
    else:
        return False
    return True


def _take_text(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> bool:
    if not turn.text:
        return False
    takers: dict[str | None, Callable[[], bool]] = {
        CHOSEN_SLOT: lambda: _take_named_ticket(turn, under_way),
        FILES_SLOT: lambda: _take_files_answer(turn, under_way),
        DETAIL_SLOT: lambda: _take_detail(turn, session, reply, under_way),
    }
    take = takers.get(turn.requested)
    return take() if take is not None else False


def _take_files_answer(turn: Turn, under_way: TaskUnderWay) -> bool:
    """No photo, or the note itself instead of one."""
    passes = turn.intent in ("skip", "deny") or is_any_in("shared", "passing", turn.text)
    if begins_digression(turn) and not passes:
        return False
    if turn.word_count > TELLING_WORDS or not passes:
        service.add_detail(under_way.draft, text=turn.text, inbox_id=turn.inbox_id)
    if not turn.attachments:
        drafts.set_field(under_way.draft, field=service.FILES, value=[], inbox_id=turn.inbox_id)
    return True


def _take_detail(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> bool:
    if under_way.task == RESCHEDULE:
        return _take_window(turn, session, reply, under_way)
    if turn.intent in ("skip", "deny") and _pass_over(turn, under_way):
        return True
    if (
        under_way.task == CANCEL
        and turn.intent in GO_AHEAD
        and not is_any_in("tickets", "keeping", turn.text)
    ):
        _choose(turn, under_way, meant("service_requests", REASONS[CANCEL], turn.text) or OTHER)
        return True
    if begins_digression(turn, TOLD_ABOUT) and turn.intent not in STILL_DETAILS and not turn.attachments:
        return False
    if under_way.task in REASONS:
        reason = meant("service_requests", REASONS[under_way.task], turn.text) or OTHER
        _choose(turn, under_way, reason)
    service.add_detail(under_way.draft, text=turn.text, inbox_id=turn.inbox_id)
    return True


def _take_window(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> bool:
    """Take the one free window that a text means, or remember what it asks for, so that such are offered."""
    request = under_way.ticket
    if not isinstance(request, ServiceRequest):
        return False
    window = meant_window(turn, session, reply, kind=request.kind)
    if window is None:
        return False
    if window.starts_at is not None:
        _choose(turn, under_way, window.starts_at.isoformat())
    return True


def _take_named_ticket(turn: Turn, under_way: TaskUnderWay) -> bool:
    """The ticket that a text names: by code, by its place in the list, or by what it is about."""
    named = _by_code(turn, under_way.own) or _by_place(turn, under_way.own) or _by_title(turn, under_way.own)
    if named is None:
        return False
    drafts.set_field(under_way.draft, field=service.TICKET, value=named.code, inbox_id=turn.inbox_id)
    return True


def _by_code(turn: Turn, own: list[Any]) -> Ticket | None:
    code = named_ticket(turn)
    return next((ticket for ticket in own if ticket.code == code), None)


def _by_place(turn: Turn, own: list[Any]) -> Ticket | None:
    """«اولی», «دومی», «آخری» of the list as it was shown: the newest first."""
    typed = set(words(turn.text))
    places: dict[str, int] = {
        word: int(place)
        for place, names in terms("tickets")["places"].items()
        for name in names
        for word in words(name)
    }
    found = {places[word] for word in typed if word in places}
    if len(found) != 1:
        return None
    place = found.pop()
    index = place - 1 if place > 0 else len(own) - 1
    return own[index] if 0 <= index < len(own) else None


def _by_title(turn: Turn, own: list[Any]) -> Ticket | None:
    """The only one whose category, or a word of whose title, stands in the text."""
    categories = {str(one.value) for one in turn.found if one.entity == "category"}
    typed = set(words(turn.text))
    fitting = [
        ticket
        for ticket in own
        if getattr(ticket, "category", "") in categories
        or any(len(word) > 3 and word in typed for word in fold(title_of(ticket)).split())
    ]
    return fitting[0] if len(fitting) == 1 else None
