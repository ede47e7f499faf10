"""What the complaint form asks, one thing at a time, and why it asks."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.complaint_answers import draft_of
from actions.complaint_form import FIELD_OF_SLOT
from actions.texts import Rich, fragment
from actions.turn import Turn
from crm_store.complaints import drafting
from crm_store.complaints.models import REMEDIES
from crm_store.complaints.summary import shortened, summary_lines
from crm_store.errors import NotFound
from crm_store.terms import term


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

    def name(self) -> str:
        return f"action_ask_complaint_form_complaint_{self.field}"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        asked = {self.first, self.again, "utter_complaint_summary", "utter_complaint_correction"}
        has_heard = not turn.heard.isdisjoint(asked)
        reply.utter(self.again if has_heard else self.first, buttons=self.choices())
        return []

    def choices(self) -> list[dict[str, str]]:
        """Buttons besides those of the response."""
        return []


class ActionAskDescription(Question):
    """Asks what happened."""

    field = drafting.DESCRIPTION
    first = "utter_ask_complaint_description"
    again = "utter_ask_complaint_description_again"


class ActionAskCategory(Question):
    """Asks what it is about: one of the business's categories."""

    field = drafting.CATEGORY
    first = "utter_ask_complaint_category"
    again = "utter_ask_complaint_category_again"

    def choices(self) -> list[dict[str, str]]:
        return [
            _button(one.title, "choose_category", category=one.key)
            for one in environment().business.complaints.categories
        ]


class ActionAskOrderNumber(Question):
    """Asks for the number of the order."""

    field = drafting.ORDER_NUMBER
    first = "utter_ask_complaint_order_number"
    again = "utter_ask_complaint_order_number_again"


class ActionAskRemedy(Question):
    """Asks what would put it right."""

    field = drafting.REMEDY
    first = "utter_ask_complaint_remedy"
    again = "utter_ask_complaint_remedy_again"

    def choices(self) -> list[dict[str, str]]:
        titles = [(key, term("complaints", "remedies", key) or key) for key in REMEDIES]
        any_of_them = _button(
            term("complaints", "buttons", "any_remedy") or "", "skip_field", field=self.field
        )
        return [*(_button(title, "choose_remedy", remedy=key) for key, title in titles), any_of_them]


class ActionAskAttachments(Question):
    """Asks for photos and files; whoever has sent some is asked for more."""

    field = drafting.ATTACHMENTS
    first = "utter_ask_complaint_attachments"
    again = "utter_ask_complaint_attachments_again"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        draft = draft_of(turn, session)
        if draft is not None and draft.data.get(drafting.ATTACHMENTS):
            reply.utter("utter_ask_complaint_more_attachments")
            return []
        return super().answer(turn, session, reply)


class ActionAskPhone(Question):
    """Asks for the number to call."""

    field = drafting.PHONE
    first = "utter_ask_complaint_phone"
    again = "utter_ask_complaint_phone_again"


class ActionAskConfirm(StoreAction):
    """Shows the draft and asks whether it may be filed."""

    reads_only = True

    def name(self) -> str:
        return "action_ask_complaint_form_confirm"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        draft = draft_of(turn, session)
        if draft is None:
            raise NotFound("there is no complaint draft to show")
        lines = summary_lines(session, draft.data, environment().business)
        reply.utter(
            "utter_complaint_summary",
            description=shortened(draft.data[drafting.DESCRIPTION]),
            lines=Rich("\n".join(fragment(line["response"], **line["params"]) for line in lines)),
        )
        return []


#: Why a question is asked; the others are explained together with the whole.
EXPLANATIONS = {
    drafting.ORDER_NUMBER: "utter_explain_complaint_order_number",
    drafting.REMEDY: "utter_explain_complaint_remedy",
    drafting.ATTACHMENTS: "utter_explain_complaint_attachments",
    drafting.PHONE: "utter_explain_complaint_phone",
}


class ActionExplainComplaint(StoreAction):
    """Says what the question that is open is for."""

    reads_only = True

    def name(self) -> str:
        return "action_explain_complaint"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        field = FIELD_OF_SLOT.get(turn.requested or "", "")
        reply.utter(EXPLANATIONS.get(field, "utter_explain_complaint"))
        return []


def _button(title: str, intent: str, **entities: str) -> dict[str, str]:
    return {"title": title, "payload": f"/{intent}{json.dumps(entities)}"}
