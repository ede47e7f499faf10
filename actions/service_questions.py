"""What the form of a service request asks, one thing at a time, and why it asks."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.forms import Question
from actions.promises import next_deadline
from actions.service_answers import DRAFT, FIELD_OF_SLOT, PAGE, known_address, wish_of
from actions.service_details import kind_of, kinds
from actions.service_form import CONFIRM, CORRECTION, SUMMARY
from actions.service_when import AREA, offer
from actions.texts import Rich, button, fragment
from actions.turn import Turn
from crm_store.business import ServiceKind
from crm_store.errors import NotFound
from crm_store.service_requests import drafting
from crm_store.service_requests.summary import summary_lines
from crm_store.service_requests.windows import is_offered_in
from crm_store.terms import term


class ServiceQuestion(Question, ABC):
    """Asks for a field of the request."""

    back_from = (SUMMARY, CORRECTION)

    def name(self) -> str:
        return f"action_ask_service_form_service_{self.field}"


class ActionAskKind(ServiceQuestion):
    """Asks what is wanted: one of the business's kinds of service."""

    field = drafting.KIND
    first = "utter_ask_service_kind"
    again = "utter_ask_service_kind_again"

    def choices(self) -> list[dict[str, str]]:
        return [button(kind.title, "choose_kind", kind=kind.key) for kind in kinds()]


class ActionAskProblem(ServiceQuestion):
    """Asks what is wrong, or what is to be done."""

    field = drafting.PROBLEM
    first = "utter_ask_service_problem"
    again = "utter_ask_service_problem_again"


class ActionAskProduct(ServiceQuestion):
    """Asks what it is about."""

    field = drafting.PRODUCT
    first = "utter_ask_service_product"
    again = "utter_ask_service_product_again"


class ActionAskCity(ServiceQuestion):
    """Asks for the city; where nobody can come, says so and offers a call."""

    field = drafting.CITY
    first = "utter_ask_service_city"
    again = "utter_ask_service_city_again"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        data = DRAFT.data(turn, session)
        kind, city = kind_of(data), data.get(drafting.CITY)
        if kind is None or not kind.areas:
            return super().answer(turn, session, reply)
        areas = _listed(kind.areas)
        if city and not is_offered_in(kind, city) and not turn.resumed:
            reply.utter("utter_service_city_not_served", city=city, areas=areas, deadline=next_deadline())
        else:
            reply.utter("utter_ask_service_city_of", areas=areas)
        return []


class ActionAskAddress(ServiceQuestion):
    """Asks where to come; the address that is known is offered."""

    field = drafting.ADDRESS
    first = "utter_ask_service_address"
    again = "utter_ask_service_address_again"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        known = known_address(turn, session)
        if known and self.response(turn) == self.first:
            reply.utter("utter_ask_service_address_known", address=known)
            return []
        return super().answer(turn, session, reply)


class ActionAskOwnQuestion(ServiceQuestion):
    """Asks one of the owner's own questions about this kind of service."""

    field = drafting.ANSWERS
    first = "utter_ask_service_answers"
    again = "utter_ask_service_answers"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        data = DRAFT.data(turn, session)
        kind = kind_of(data)
        question = drafting.next_own_question(data, kind) if kind else None
        if question is None:
            raise NotFound("there is no question of the owner's to ask")
        reply.utter("utter_ask_service_answers", question=question)
        return []


class ActionAskWindow(ServiceQuestion):
    """Offers free windows: those that were wished for, or the nearest ones."""

    field = drafting.WINDOW
    first = "utter_ask_service_window"
    again = "utter_ask_service_window_again"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        data = DRAFT.data(turn, session)
        kind = kind_of(data)
        if kind is None:
            raise NotFound("there is no kind of service to offer windows of")
        offered = offer(session, kind, wish_of(data), int(data.get(PAGE, 0)))
        if not offered.slots:
            reply.utter("utter_service_fully_booked", deadline=next_deadline())
        elif offered.response is None or turn.resumed:
            reply.utter(self.response(turn), buttons=offered.buttons)
        elif offered.said:
            reply.utter(offered.response, buttons=offered.buttons, wish=offered.said)
        else:
            reply.utter(offered.response, buttons=offered.buttons)
        return []


class ActionAskServiceAttachments(ServiceQuestion):
    """Asks for photos and files; whoever has sent some is asked for more."""

    field = drafting.ATTACHMENTS
    first = "utter_ask_service_attachments"
    again = "utter_ask_service_attachments_again"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if DRAFT.data(turn, session).get(drafting.ATTACHMENTS):
            reply.utter("utter_ask_service_more_attachments")
            return []
        return super().answer(turn, session, reply)


class ActionAskServicePhone(ServiceQuestion):
    """Asks for the number to call."""

    field = drafting.PHONE
    first = "utter_ask_service_phone"
    again = "utter_ask_service_phone_again"


class ActionAskServiceConfirm(StoreAction):
    """Shows the draft and asks whether it may be registered."""

    reads_only = True

    def name(self) -> str:
        return f"action_ask_service_form_{CONFIRM}"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        data = DRAFT.data(turn, session)
        kind = kind_of(data)
        if kind is None:
            raise NotFound("there is no draft of a service request to show")
        lines = summary_lines(session, data, environment().rules)
        reply.utter(
            SUMMARY,
            buttons=[*_corrections(data, kind), button(term(AREA, "buttons", "cancel") or "", "cancel")],
            lines=Rich("\n".join(fragment(line["response"], **line["params"]) for line in lines)),
        )
        return []


def ask_what_is_wrong(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Ask which part of the summary is to be corrected, after a plain no."""
    data = DRAFT.data(turn, session)
    kind = kind_of(data)
    reply.utter(CORRECTION, buttons=_corrections(data, kind) if kind else None)
    return keep_form_waiting(turn)


#: Why a question is asked; the others are explained together with the whole.
EXPLANATIONS = {
    drafting.ADDRESS: "utter_explain_service_address",
    drafting.WINDOW: "utter_explain_service_window",
    drafting.ATTACHMENTS: "utter_explain_service_attachments",
    drafting.PHONE: "utter_explain_service_phone",
}


class ActionExplainService(StoreAction):
    """Says what the question that is open is for."""

    reads_only = True

    def name(self) -> str:
        return "action_explain_service"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        field = FIELD_OF_SLOT.get(turn.requested or "", "")
        reply.utter(EXPLANATIONS.get(field, "utter_explain_service"))
        return []


def _corrections(data: Mapping[str, Any], kind: ServiceKind) -> list[dict[str, str]]:
    """A button for each part of the request that may be corrected: what belongs to its kind, or was told."""
    belong = {*drafting.required_fields(kind), *kind.ask}
    belong |= {drafting.ANSWERS} if kind.questions else set()
    belong |= {field for field in drafting.FIELDS if data.get(field)}
    if len(kinds()) == 1:
        belong.discard(drafting.KIND)
    return [
        button(term(AREA, "field_titles", field) or field, "correct_service_field", field=field)
        for field in drafting.FIELDS
        if field in belong
    ]


def _listed(names: tuple[str, ...]) -> str:
    """«شیراز، مرودشت و صدرا»."""
    if len(names) == 1:
        return names[0]
    comma, joined = term(AREA, "listing", "comma") or "", term(AREA, "listing", "and") or ""
    return comma.join(names[:-1]) + joined + names[-1]
