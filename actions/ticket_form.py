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
from actions.service_when import meant_window, wish_in
from actions.texts import count_other_words, is_any_in, meant
from actions.ticket_naming import meant_ticket
from actions.ticket_refusals import refuse
from actions.ticket_tasks import (
    APPEAL,
    CANCEL,
    CONFIRM,
    DETAIL,
    FILES,
    NOTE,
    OF_STAFF,
    REOPENED,
    RESCHEDULE,
    TASKS,
    VISIT_DONE,
    VISIT_NOT_DONE,
    ticket_by_code,
)
from actions.turn import Turn
from crm_store import drafts
from crm_store.drafts import Draft
from crm_store.service_requests.models import CANCEL_REASONS, NOT_DONE_REASONS, ServiceRequest
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
#: The reasons themselves.
CHOICES = {CANCEL: CANCEL_REASONS, VISIT_NOT_DONE: NOT_DONE_REASONS}
OTHER = "other"
#: The choice of whoever keeps a visit after all, when asked why it is to be cancelled.
KEPT = "kept"
#: How often later windows were asked for: a field of the draft.
PAGES = "pages"
ASKS_TO_CONFIRM = "utter_ask_withdraw"
#: What a detail may be taken for that stands alone: the model of a fridge is none of ours elsewhere.
STILL_DETAILS = frozenset({"out_of_scope", "nlu_fallback", "affirm", "deny"})
#: A yes or no of so many words at the most tells nothing.
PLAIN_ANSWER = {"affirm": 2, "deny": 3}
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
    ticket = next((one for one in own if one.code == code), None)
    if ticket is None and code is not None:
        # It is done already, or too late by now, which is told when it is tried.
        ticket = ticket_by_code(turn, session, task, code)
    return TaskUnderWay(task, draft, own, ticket)


class ValidateTicketForm(StoreAction):
    """Takes from each message what the task needs."""

    def name(self) -> str:
        return "validate_ticket_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        under_way = task_under_way(turn, session)
        if under_way is None or turn.answers_elsewhere:
            return []
        if turn.resumed or turn.requested not in SLOTS:
            return slots_of(under_way)
        if turn.requested == CONFIRM_SLOT and _confirms(turn):
            return [*slots_of(under_way), SlotSet(CONFIRM_SLOT, True)]
        took_files = _take_files(turn, session, under_way)
        took = _take_button(turn, under_way) if turn.trusted else _take_text(turn, session, reply, under_way)
        if not (took or took_files):
            return []
        fresh = task_under_way(turn, session)
        return slots_of(fresh) if fresh is not None else []


def _confirms(turn: Turn) -> bool:
    """Whether a complaint is really to be taken back."""
    if turn.trusted:
        return turn.intent == "affirm"
    # «بله» typed after another question, such as the offer of a call-back, is an answer to that one.
    if not turn.previous.ended_with(ASKS_TO_CONFIRM):
        return False
    says_so = turn.intent == "complaint_withdraw" and is_any_in("tickets", "confirming_withdrawal", turn.text)
    return turn.intent == "affirm" or says_so


def slots_of(under_way: TaskUnderWay) -> list[Event]:
    """The form's slots as the draft has them."""
    if under_way.draft.state != drafts.OPEN or not (under_way.ticket or under_way.own):
        # Nothing is left to ask: this very message has ended it, or there is nothing to do it with any more.
        filled = dict.fromkeys(SLOTS, NOTHING) | {CONFIRM_SLOT: True}
        return [SlotSet(name, value) for name, value in filled.items()]
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
    return _other_words(turn, task) >= TELLING_WORDS


def _other_words(turn: Turn, task: str) -> int:
    return count_other_words("tickets", f"announcing_{task}", turn.text)


def _take_files(turn: Turn, session: Session, under_way: TaskUnderWay) -> bool:
    takes = under_way.task in (NOTE, REOPENED, VISIT_DONE, VISIT_NOT_DONE, APPEAL)
    if not (takes and turn.attachments and turn.contact is None):
        return False
    service.add_files(session, under_way.draft, attachment_ids=turn.attachments, inbox_id=turn.inbox_id)
    return True


def _take_button(turn: Turn, under_way: TaskUnderWay) -> bool:
    """Take a button of this task's questions; one of another task's is over."""
    ticket = turn.button_value("choose_ticket", "ticket")
    reason = turn.button_value("choose_reason", "reason")
    window = turn.button_value("choose_window", "window")
    if ticket is not None and ticket in [one.code for one in under_way.own]:
        drafts.set_field(under_way.draft, field=service.TICKET, value=ticket, inbox_id=turn.inbox_id)
    elif reason is not None and reason in CHOICES.get(under_way.task, ()):
        _choose(turn, under_way, reason)
    elif window is not None and under_way.task == RESCHEDULE:
        _choose(turn, under_way, window)
    elif turn.intent == "skip":
        return _pass_over(turn, under_way)
    elif turn.intent == "more_windows" and under_way.task == RESCHEDULE:
        later = int(under_way.draft.data.get(PAGES, 0)) + 1
        drafts.set_field(under_way.draft, field=PAGES, value=later, inbox_id=turn.inbox_id)
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
        CHOSEN_SLOT: lambda: _take_named_ticket(turn, session, reply, under_way),
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
    if under_way.task in REASONS:
        return _take_reason(turn, under_way)
    tells_nothing = under_way.task == NOTE and not _other_words(turn, NOTE)
    if under_way.task not in OF_STAFF and (tells_nothing or _is_plain(turn)):
        return False
    if _digresses(turn) and not turn.attachments:
        return False
    service.add_detail(under_way.draft, text=turn.text, inbox_id=turn.inbox_id)
    return True


def _take_reason(turn: Turn, under_way: TaskUnderWay) -> bool:
    """Take one of the reasons, in whatever words; "keep it after all" ends the task."""
    reason = meant("service_requests", REASONS[under_way.task], turn.text)
    if under_way.task == CANCEL:
        goes_ahead = turn.intent in GO_AHEAD
        if is_any_in("tickets", "keeping", turn.text) and (goes_ahead or reason is None):
            _choose(turn, under_way, KEPT)
            return True
        if turn.intent == "service_reschedule" and (reason is None or wish_in(turn.text, turn.found)):
            return False
        if goes_ahead:
            _choose(turn, under_way, reason or OTHER)
            if turn.word_count > TELLING_WORDS:
                service.add_detail(under_way.draft, text=turn.text, inbox_id=turn.inbox_id)
            return True
    if reason is None and (_is_plain(turn) or _digresses(turn)):
        return False
    _choose(turn, under_way, reason or OTHER)
    service.add_detail(under_way.draft, text=turn.text, inbox_id=turn.inbox_id)
    return True


def _is_plain(turn: Turn) -> bool:
    return turn.word_count <= PLAIN_ANSWER.get(turn.intent, 0)


def _digresses(turn: Turn) -> bool:
    return begins_digression(turn, TOLD_ABOUT) and turn.intent not in STILL_DETAILS


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
    else:
        drafts.set_field(under_way.draft, field=PAGES, value=None, inbox_id=turn.inbox_id)
    return True


def _take_named_ticket(turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> bool:
    """Take the ticket that a text names; why another one does not do is said."""
    named = meant_ticket(turn, under_way.own, listed=True)
    code = named_ticket(turn)
    if code is not None and (named is None or named.code != code):
        refuse(turn, session, reply, under_way.task, code)
        return True
    if named is None:
        return False
    drafts.set_field(under_way.draft, field=service.TICKET, value=named.code, inbox_id=turn.inbox_id)
    return True
