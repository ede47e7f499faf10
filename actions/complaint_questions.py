"""What the complaint form asks, one thing at a time, and why it asks."""

from __future__ import annotations

from abc import ABC

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.complaint_answers import FIELD_OF_SLOT, draft_of
from actions.forms import Question
from actions.texts import Rich, button, fragment
from actions.turn import Turn
from crm_store.complaints import drafting
from crm_store.complaints.models import REMEDIES
from crm_store.complaints.summary import shortened, summary_lines
from crm_store.errors import NotFound
from crm_store.terms import term


class ComplaintQuestion(Question, ABC):
    """Asks for a field of the complaint."""

    back_from = ("utter_complaint_summary", "utter_complaint_correction")

    def name(self) -> str:
        return f"action_ask_complaint_form_complaint_{self.field}"


class ActionAskDescription(ComplaintQuestion):
    """Asks what happened."""

    field = drafting.DESCRIPTION
    first = "utter_ask_complaint_description"
    again = "utter_ask_complaint_description_again"


class ActionAskCategory(ComplaintQuestion):
    """Asks what it is about: one of the business's categories."""

    field = drafting.CATEGORY
    first = "utter_ask_complaint_category"
    again = "utter_ask_complaint_category_again"

    def choices(self) -> list[dict[str, str]]:
        return [
            button(one.title, "choose_category", category=one.key)
            for one in environment().business.complaints.categories
        ]


class ActionAskOrderNumber(ComplaintQuestion):
    """Asks for the number of the order."""

    field = drafting.ORDER_NUMBER
    first = "utter_ask_complaint_order_number"
    again = "utter_ask_complaint_order_number_again"


class ActionAskRemedy(ComplaintQuestion):
    """Asks what would put it right."""

    field = drafting.REMEDY
    first = "utter_ask_complaint_remedy"
    again = "utter_ask_complaint_remedy_again"

    def choices(self) -> list[dict[str, str]]:
        titles = [(key, term("complaints", "remedies", key) or key) for key in REMEDIES]
        any_of_them = button(
            term("complaints", "buttons", "any_remedy") or "", "skip_field", field=self.field
        )
        return [*(button(title, "choose_remedy", remedy=key) for key, title in titles), any_of_them]


class ActionAskAttachments(ComplaintQuestion):
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


class ActionAskPhone(ComplaintQuestion):
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
