"""A chat about what is registered, with the rules that lead from intents to actions and into the form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rasa_sdk import Action
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import ticket_answers as answers
from actions import ticket_questions as questions
from actions.base import environment
from actions.shared import ActionAffirm, ActionCancelForm, ActionDeny, ActionReceiveMedia
from actions.staff import ActionStaff, ActionVisitOnTheWay
from actions.ticket_form import (
    CHOSEN_SLOT,
    CONFIRM_SLOT,
    DETAIL_SLOT,
    FILES_SLOT,
    FORM,
    SLOTS,
    ValidateTicketForm,
)
from actions.tickets import ActionBeginTicketTask, ActionEndTicketTask
from crm_store.complaints.models import Complaint
from crm_store.complaints.resolution import resolve
from crm_store.complaints.working import ask_customer
from crm_store.conversations.models import Attachment
from crm_store.conversations.service import customer_of
from crm_store.service_requests.models import ASSIGNED, SCHEDULED, BookingWindow, ServiceRequest
from crm_store.tickets.models import TicketNote
from tests.actions.conftest import Chat
from tests.actions.service_chat import BUSINESS, at, in_days
from tests.factories import a_complaint
from tests.factories.tickets import a_request_row, a_window

_CATEGORIES = """
[[complaints.root_causes]]
key = "carrier"
title = "شرکت ارسال"

[[complaints.categories]]
key = "delivery"
title = "تحویل سفارش"

[[complaints.categories]]
key = "product"
title = "کیفیت کالا"

[[complaints.categories]]
key = "payment"
title = "پرداخت و حساب"

[[complaints.categories]]"""
#: A business with some kinds of complaints that sends people out every day.
TICKET_BUSINESS = BUSINESS.replace("[[complaints.categories]]", _CATEGORIES, 1)

RULES: dict[str, Callable[[], Action]] = {
    **dict.fromkeys(
        (
            "complaint_add_note",
            "complaint_withdraw",
            "complaint_appeal",
            "service_cancel",
            "service_reschedule",
            "visit_done",
            "visit_not_done",
        ),
        ActionBeginTicketTask,
    ),
    "confirm_solved": answers.ActionConfirmSolved,
    "deny_solved": answers.ActionDenySolved,
    "answer_staff": answers.ActionAnswerStaff,
    "confirm_visit": answers.ActionConfirmVisit,
    "rate_visit": answers.ActionRateVisit,
    "visit_on_the_way": ActionVisitOnTheWay,
    "staff_my_queue": ActionStaff,
    "staff_ticket": ActionStaff,
    "explain": questions.ActionExplainTicketTask,
    "affirm": ActionAffirm,
    "deny": ActionDeny,
    "cancel": ActionCancelForm,
    "media": ActionReceiveMedia,
}
#: Said of a message that is the business of other rules.
LEFT = "left to other rules"
ASK: dict[str, Callable[[], Action]] = {
    CHOSEN_SLOT: questions.ActionAskTicket,
    FILES_SLOT: questions.ActionAskFiles,
    DETAIL_SLOT: questions.ActionAskDetail,
    CONFIRM_SLOT: questions.ActionAskTaskConfirm,
}


class TicketChat:
    """Goes on as Rasa does: a rule's action, then the form's questions until none is left.

    Attributes:
        said: what was said to the last message, in order.
        asked: the slot that was asked for last; empty where nothing is.
        params: what was said, with its values.
    """

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.said: list[str] = []
        self.asked = ""
        self.params: list[tuple[str, dict[str, Any]]] = []
        self._last: dict[str, Any] = {}
        self._before: tuple[Any, ...] = ()

    def say(self, text: str, *, intent: str = "nlu_fallback", files: int = 0, **fields: Any) -> list[str]:
        """Say something, perhaps below photos; what is said to it."""
        entities = {**fields.pop("entities", {}), "attachment": self.chat.files(files)}
        return self._turn(text=text, intent=intent, entities=entities, **fields)

    def press(self, intent: str, **entities: str) -> list[str]:
        """Tap a button; what is said to it."""
        values = {name: [value] for name, value in entities.items()}
        return self._turn(intent=intent, entities=values, trusted=True)

    def send(self, files: int = 1) -> list[str]:
        """Send photos without a word; what is said to it."""
        return self.say("", intent="media", files=files)

    def repeat(self) -> list[str]:
        """The last message once more, as if what was said to it had been lost; what is said to it."""
        chat = self.chat
        slots, chat.form, chat.previous = self._before
        chat.slots = dict(slots)
        return self._turn(again=True, **self._last)

    def told(self, response: str) -> dict[str, Any]:
        """The values with which a response was said."""
        return next(params for said, params in self.params if said == response)

    def buttons(self) -> list[str]:
        """What the buttons of the last question stand for."""
        return [button["payload"] for button in self.chat.buttons]

    def choices(self) -> list[str]:
        """The values that these buttons carry, in order."""
        return [payload.split('"')[3] for payload in self.buttons() if "{" in payload]

    def customer_id(self) -> int:
        """Whose chat it is."""
        return customer_of(self.chat.conversation)

    def write(self, change: Callable[[Session], Any]) -> Any:
        """Change the store."""
        with self.chat.database.write() as session:
            return change(session)

    def complaint(
        self, category: str = "delivery", *, decided: bool = False, ago: datetime | None = None
    ) -> str:
        """A complaint that this customer filed; its code."""

        def file(session: Session) -> str:
            rules = environment().rules
            made = a_complaint(session, self.chat.conversation, category=category, rules=rules, now=ago)
            if decided:
                told: dict[str, Any] = {
                    "decision": "upheld",
                    "root_cause": "carrier",
                    "explanation": "دیر رسید.",
                }
                resolve(session, made, **told, actor="operator", role="admin", rules=rules, now=ago)
            return made.code

        code: str = self.write(file)
        return code

    def question(self, code: str, text: str = "چه رنگی بود؟") -> None:
        """The staff ask something about a complaint."""

        def ask(session: Session) -> None:
            complaint = session.scalars(select(Complaint).where(Complaint.code == code)).one()
            ask_customer(session, complaint, text=text, actor="operator", rules=environment().rules)

        self.write(ask)

    def visit(
        self,
        *,
        starts_at: datetime | None = None,
        kind: str = "repair",
        technician: int | None = None,
        **columns: Any,
    ) -> str:
        """A visit to this customer, in three days in the evening if nothing else is said; its code."""

        def make(session: Session) -> str:
            begins = starts_at or at(in_days(3), 17)
            known = select(BookingWindow).where(BookingWindow.kind == kind, BookingWindow.starts_at == begins)
            window = session.scalar(known) or a_window(session, begins, kind=kind)
            state = SCHEDULED if technician is None else ASSIGNED
            given = {"state": state, "kind": kind, "technician_id": technician, **columns}
            return a_request_row(session, self.chat.conversation, window_id=window.id, **given).code

        code: str = self.write(make)
        return code

    def read_complaint(self, code: str) -> Complaint:
        """A complaint as it stands."""
        with self.chat.database.read() as session:
            return session.scalars(select(Complaint).where(Complaint.code == code)).one()

    def read_request(self, code: str) -> ServiceRequest:
        """A request as it stands, with its window."""
        with self.chat.database.read() as session:
            found = session.scalars(select(ServiceRequest).where(ServiceRequest.code == code)).one()
            session.refresh(found, ["window"])
            return found

    def notes(self, kind: str = "note") -> list[tuple[str, str, int]]:
        """Code of the ticket, text and number of files of everything that was added, in order."""
        with self.chat.database.read() as session:
            noted = []
            for note in session.scalars(
                select(TicketNote).where(TicketNote.kind == kind).order_by(TicketNote.id)
            ):
                model: Any = Complaint if note.subject_type == "complaint" else ServiceRequest
                files = session.scalars(select(Attachment).where(Attachment.note_id == note.id)).all()
                noted.append((session.get_one(model, note.subject_id).code, note.text, len(files)))
            return noted

    def _turn(self, *, again: bool = False, **fields: Any) -> list[str]:
        chat = self.chat
        if not again:
            self._before = (dict(chat.slots), chat.form, chat.previous)
        self._last, self.params, self.asked = fields, [], ""
        is_taken = False
        if chat.form == FORM:
            self._run(ValidateTicketForm(), again=again)
            is_taken, again = bool(chat.events), True
        if not is_taken:
            rule = RULES.get(fields["intent"])
            if rule is None:
                self.params.append((LEFT, {}))
            else:
                self._run(rule(), again=again)
                self._follow()
        if chat.form == FORM:
            self._go_on()
        self.said = [said for said, _ in self.params]
        chat.ran_before(*self.said, text=fields.get("text", ""))
        return self.said

    def _follow(self) -> None:
        """Begin or end the form where an action says so."""
        chat = self.chat
        for event in chat.events:
            if event["event"] == "active_loop":
                chat.form = event["name"]
            if event["event"] == "followup" and event["name"] == FORM:
                chat.form = FORM
                chat.slots["requested_slot"] = None
                self._run(ValidateTicketForm(), again=True)
                return

    def _go_on(self) -> None:
        """Ask for the first slot that is empty, or carry the task out."""
        chat = self.chat
        empty = next((slot for slot in SLOTS if chat.slots.get(slot) is None), None)
        chat.slots["requested_slot"] = empty
        if empty is not None:
            self.asked = empty.removeprefix("ticket_")
            self._run(ASK[empty](), again=True)
            return
        chat.form = None
        self._run(ActionEndTicketTask(), again=True)
        self._follow()
        if chat.form == FORM:
            self._go_on()

    def _run(self, action: Action, *, again: bool) -> None:
        self.chat.run(action, again=again, **self._last)
        self.params += self.chat.said
