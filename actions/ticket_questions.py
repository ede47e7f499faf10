"""What the form of a task with a ticket asks."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction
from actions.service_when import window_buttons
from actions.texts import fragment
from actions.ticket_form import ASKS_TO_CONFIRM, CHOICES, PAGES, TaskUnderWay, task_under_way
from actions.ticket_tasks import (
    APPEAL,
    CANCEL,
    NOTE,
    REOPENED,
    RESCHEDULE,
    VISIT_DONE,
    VISIT_NOT_DONE,
    WITHDRAW,
    Ticket,
    described,
    title_of,
)
from actions.turn import Turn
from crm_store.errors import NotFound
from crm_store.persian import to_plain
from crm_store.terms import term

#: Which of several it is about.
WHICH = {
    NOTE: "utter_which_complaint_for_note",
    WITHDRAW: "utter_which_complaint_to_withdraw",
    APPEAL: "utter_which_complaint_to_appeal",
    CANCEL: "utter_which_request_to_cancel",
    RESCHEDULE: "utter_which_request_to_move",
    VISIT_DONE: "utter_which_visit",
    VISIT_NOT_DONE: "utter_which_visit",
}
DETAILS = {
    NOTE: "utter_ask_note",
    REOPENED: "utter_ask_what_is_left",
    APPEAL: "utter_ask_appeal_reason",
    CANCEL: "utter_ask_cancel_reason",
    RESCHEDULE: "utter_ask_new_time",
    VISIT_DONE: "utter_ask_visit_note",
    VISIT_NOT_DONE: "utter_ask_not_done_reason",
}
EXPLANATIONS = {
    NOTE: "utter_explain_note",
    REOPENED: "utter_explain_note",
    WITHDRAW: "utter_explain_withdraw",
    APPEAL: "utter_explain_appeal",
    CANCEL: "utter_explain_cancel",
    RESCHEDULE: "utter_explain_new_time",
    VISIT_DONE: "utter_explain_visit_note",
    VISIT_NOT_DONE: "utter_explain_visit_note",
}
_TITLES = {CANCEL: "cancel_reasons", VISIT_NOT_DONE: "not_done_reasons"}
#: So many tickets have a button; an older one is named by its code.
MOST_BUTTONS = 8
#: Longest title of a button that names a ticket, in characters.
TITLE_LENGTH = 40


class TaskQuestion(StoreAction, ABC):
    """A question of the form; the task says its words."""

    reads_only = True

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        under_way = task_under_way(turn, session)
        if under_way is None:
            raise NotFound("there is no task under way")
        self.ask(turn, session, reply, under_way)
        return []

    @abstractmethod
    def ask(self, turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
        """Ask it."""


class ActionAskTicket(TaskQuestion):
    """Asks which of several tickets is meant."""

    def name(self) -> str:
        return "action_ask_ticket_form_ticket_chosen"

    def ask(self, turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
        buttons = [
            {
                "title": _button_title(ticket),
                "payload": f"/choose_ticket{json.dumps({'ticket': ticket.code})}",
            }
            for ticket in under_way.own[:MOST_BUTTONS]
        ]
        reply.utter(WHICH[under_way.task], buttons=buttons)


class ActionAskFiles(TaskQuestion):
    """Asks for a photo of the work."""

    def name(self) -> str:
        return "action_ask_ticket_form_ticket_files"

    def ask(self, turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
        reply.utter("utter_ask_visit_photo", **described(under_way.ticket))


class ActionAskDetail(TaskQuestion):
    """Asks for words, a reason or a time."""

    def name(self) -> str:
        return "action_ask_ticket_form_ticket_detail"

    def ask(self, turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
        task = under_way.task
        buttons: list[dict[str, str]] | None = None
        if task in CHOICES:
            buttons = [
                {
                    "title": term("service_requests", _TITLES[task], reason) or reason,
                    "payload": f"/choose_reason{json.dumps({'reason': reason})}",
                }
                for reason in CHOICES[task]
            ]
        elif task == RESCHEDULE:
            buttons = window_buttons(
                session, turn, kind=under_way.ticket.kind, page=int(under_way.draft.data.get(PAGES, 0))
            )
            if not buttons:
                reply.utter("utter_no_windows")
                return
        reply.utter(DETAILS[task], buttons=buttons, **described(under_way.ticket))


class ActionAskTaskConfirm(TaskQuestion):
    """Asks whether it is really wanted."""

    def name(self) -> str:
        return "action_ask_ticket_form_ticket_confirm"

    def ask(self, turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
        reply.utter(ASKS_TO_CONFIRM, **described(under_way.ticket))


class ActionExplainTicketTask(TaskQuestion):
    """Says what the open question is for."""

    def name(self) -> str:
        return "action_explain_ticket_task"

    def ask(self, turn: Turn, session: Session, reply: Reply, under_way: TaskUnderWay) -> None:
        reply.utter(EXPLANATIONS[under_way.task])


def _button_title(ticket: Ticket) -> str:
    """«تحویل سفارش، ۳ آذر ۱۴۰۵ (۱۲۳۴۵۶۷۸)», cut where it is longer than a button."""
    shown = {**described(ticket), "title": title_of(ticket)[:TITLE_LENGTH]}
    return to_plain(fragment("utter_ticket_button", **shown))
