"""A chat in which somebody is asked for, on a business that sends people out."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from actions import service_questions as questions
from actions.base import environment
from actions.service_answers import FIELD_OF_SLOT
from actions.service_form import CONFIRM, FORM, SLOTS, ValidateServiceForm
from actions.service_requests import ActionRequestService, ActionSubmitServiceRequest
from crm_store.base import utcnow
from crm_store.service_requests.models import ServiceRequest
from tests.actions.conftest import Chat

#: Three windows a day, one place in each; every day is worked, so that days can be counted.
BUSINESS = """
name = "سرویس آریا"

[calendar]
on_public_holidays = true

[[complaints.categories]]
key = "other"
title = "موضوع دیگر"

[[sla.policies]]
name = "خدمات"
kinds = ["service_request"]
first_response = 120

[[products]]
key = "boiler"
title = "پکیج بوتان"

[service]
days_ahead = 10
notice_minutes = 0

[service.windows]
saturday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]
sunday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]
monday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]
tuesday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]
wednesday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]
thursday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]
friday = ["09:00-12:00", "14:00-17:00", "17:00-20:00"]

[[service.kinds]]
key = "repair"
title = "تعمیر"
ask = ["problem", "product", "city", "address", "phone"]
areas = ["شیراز", "مرودشت"]

[[service.kinds]]
key = "installation"
title = "نصب"
ask = ["address", "phone"]
questions = ["طبقهٔ چندم است؟", "آسانسور دارید؟"]

[[service.kinds]]
key = "other"
title = "خدمات دیگر"
ask = ["problem", "attachments", "phone"]
is_booked = false
"""

ASK = {
    "kind": questions.ActionAskKind,
    "problem": questions.ActionAskProblem,
    "product": questions.ActionAskProduct,
    "city": questions.ActionAskCity,
    "address": questions.ActionAskAddress,
    "answers": questions.ActionAskOwnQuestion,
    "window": questions.ActionAskWindow,
    "attachments": questions.ActionAskServiceAttachments,
    "phone": questions.ActionAskServicePhone,
    CONFIRM: questions.ActionAskServiceConfirm,
}


def zone() -> ZoneInfo:
    return ZoneInfo(environment().rules.timezone)


def in_days(number: int) -> date:
    """The business's day so many days from now."""
    return utcnow().astimezone(zone()).date() + timedelta(days=number)


def at(day: date, hour: int) -> datetime:
    """An hour of a local day."""
    return datetime.combine(day, time(hour), zone())


EVENING = {"from": "16:00", "to": "20:00"}
MORNING = {"from": "08:00", "to": "12:00"}


class ServiceForm:
    """Goes on as Rasa does: after each message the first slot that is empty is asked for.

    Attributes:
        said: what was said before the question.
        asked: the response that asked.
    """

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.said: set[str] = set()
        self.asked: set[str] = set()

    def say(self, text: str, *, intent: str = "nlu_fallback", **fields: Any) -> str:
        """Say something; returns what is asked then."""
        return self._turn(text, intent=intent, **fields)

    def press(self, intent: str, **entities: str) -> str:
        """Tap a button; returns what is asked then."""
        values = {name: [value] for name, value in entities.items()}
        return self._turn("", intent=intent, entities=values, trusted=True)

    def send(self, *, contact: str | None = None, files: int = 0) -> str:
        """Send files or one's own contact; returns what is asked then."""
        return self._turn(
            "", intent="media", contact=contact, entities={"attachment": self.chat.files(files)}
        )

    def submit(self) -> ServiceRequest | None:
        """Confirm the summary; the newest request, or None where it is not registered."""
        assert self.press("affirm") == ""
        self.said = self.chat.run(ActionSubmitServiceRequest(), intent="affirm", trusted=True, again=True)
        with self.chat.database.read() as session:
            newest = (
                select(ServiceRequest)
                .options(joinedload(ServiceRequest.window))
                .order_by(ServiceRequest.id.desc())
            )
            return session.scalars(newest).first()

    def titles(self) -> list[str]:
        """Titles of the buttons of the question."""
        return [button["title"] for button in self.chat.buttons]

    def windows(self) -> list[str]:
        """What the buttons of the question choose."""
        return [
            button["payload"].split('"')[3]
            for button in self.chat.buttons
            if button["payload"].startswith("/choose_window")
        ]

    def _turn(self, text: str, **fields: Any) -> str:
        chat = self.chat
        if chat.form is None:
            chat.run(ActionRequestService(), text, **fields)
            assert chat.events[0]["name"] == FORM
        self.said = chat.run(ValidateServiceForm(), text, again=chat.form is None, **fields)
        chat.form = FORM
        if not chat.events:
            return "left to the rules"
        return self.ask(text)

    def ask(self, text: str = "") -> str:
        """Ask for the first slot that is empty."""
        chat = self.chat
        empty = next((slot for slot in SLOTS if chat.slots.get(slot) is None), "")
        chat.slots["requested_slot"] = empty or None
        asked = FIELD_OF_SLOT.get(empty, empty)
        if asked:
            self.asked = chat.run(ASK[asked](), text, again=True)
            chat.ran_before(*self.said, *self.asked, text=text)
        return asked
