"""Service requests: asking for somebody, registering it, and asking how it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rasa_sdk.events import FollowupAction
from sqlalchemy.orm import Session

from actions import handoff_waiting, promises
from actions.base import Event, Reply, StoreAction, clear_slots, environment, keep_form_waiting, tell_staff
from actions.customers import customer_of_turn
from actions.service_answers import DRAFT, WISH
from actions.service_details import kind_of, kinds
from actions.service_form import FORM, SLOTS, slots_of
from actions.service_when import AREA, Wish, when_text
from actions.texts import Rich, button, fragment
from actions.turn import Turn
from crm_store import drafts
from crm_store.base import utcnow
from crm_store.errors import DraftIncomplete, FullyBooked, InvalidInput, NotFound
from crm_store.persian import deadline_text, to_jalali_datetime_text, to_jalali_text, to_persian_digits
from crm_store.service_requests import drafting, service
from crm_store.service_requests.models import ASSIGNED, ON_THE_WAY, SCHEDULED, ServiceRequest
from crm_store.service_requests.windows import bookable_window, is_missed
from crm_store.sla.clocks import open_clock
from crm_store.sla.models import FIRST_RESPONSE
from crm_store.terms import term
from crm_store.tickets.models import SERVICE_REQUEST

#: What is being told there is finished before somebody is sent.
COMES_FIRST = "complaint_form"
#: Somebody is still to come.
COMING = (SCHEDULED, ASSIGNED, ON_THE_WAY)


class ActionRequestService(StoreAction):
    """Takes the wish for somebody to come; says honestly where nothing of that kind is offered."""

    reads_only = True

    def name(self) -> str:
        return "action_request_service"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if not kinds():
            reply.utter("utter_service_not_offered", deadline=promises.next_deadline())
            return keep_form_waiting(turn)
        if turn.form == COMES_FIRST:
            reply.utter("utter_service_comes_next")
            return []
        return [FollowupAction(FORM)]


class ActionSubmitServiceRequest(StoreAction):
    """Registers the confirmed draft; a window that somebody else took meanwhile is asked for again."""

    def name(self) -> str:
        return "action_submit_service_request"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        chosen = drafting.chosen_window(DRAFT.data(turn, session))
        heard = DRAFT.heard(turn, session)
        try:
            request = service.submit(
                session,
                conversation_id=turn.conversation_id,
                inbox_id=turn.inbox_id,
                rules=environment().rules,
            )
        except FullyBooked:
            _note_gone(turn, session, chosen)
            return [*slots_of(turn, session), FollowupAction(FORM)]
        except (DraftIncomplete, InvalidInput):
            # The owner has changed meanwhile what is offered, and where: what is missing now is asked.
            return [*slots_of(turn, session), FollowupAction(FORM)]
        _tell_submitted(session, reply, request)
        told = _described(request)
        tell_staff(
            session,
            turn,
            response="utter_staff_group_service",
            key=f"staff-service:{request.id}",
            params={name: told[name] for name in ("code", "title", "when")},
        )
        handoff_waiting.offer_call_instead(turn, session, reply, heard=heard, intent="service_request")
        return clear_slots(SLOTS)


def tell_own(turn: Turn, session: Session, reply: Reply) -> None:
    """Tell how the customer's only request stands, or list them all, newest first."""
    requests = service.requests_of(session, customer_id=customer_of_turn(turn, session))
    is_half_told = drafting.KIND in DRAFT.data(turn, session) and turn.form != FORM
    if len(requests) == 1:
        _tell_one(session, reply, requests[0])
    elif requests:
        items = [fragment("utter_service_list_item", **_described(request)) for request in requests]
        reply.utter("utter_service_list", items=Rich("\n".join(items)))
    elif not is_half_told:
        reply.utter("utter_no_services")
    if is_half_told:
        reply.utter("utter_service_waits")


def tell_by_code(turn: Turn, session: Session, reply: Reply, code: str) -> bool:
    """Tell how the request with a code stands; False where this customer has none."""
    try:
        request = service.own_request(session, customer_id=customer_of_turn(turn, session), code=code)
    except NotFound:
        return False
    _tell_one(session, reply, request)
    return True


def _tell_one(session: Session, reply: Reply, request: ServiceRequest) -> None:
    told = _described(request)
    deadline = _answer_due(session, request)
    if is_missed(request, utcnow()):
        reply.utter("utter_visit_missed", **told, ticket=Rich(request.code))
    elif request.window is not None and request.state in COMING:
        changes = [
            button(term(AREA, "buttons", intent) or intent, intent, ticket=request.code)
            for intent in ("service_reschedule", "service_cancel")
        ]
        reply.utter("utter_service_state_coming", buttons=changes, **told)
    elif deadline is not None:
        reply.utter("utter_service_state_waiting", deadline=deadline, **told)
    else:
        reply.utter("utter_service_state", **told)


def _tell_submitted(session: Session, reply: Reply, request: ServiceRequest) -> None:
    code, deadline = to_persian_digits(request.code), _answer_due(session, request)
    if request.window is not None:
        when = when_text(request.window.starts_at, request.window.ends_at)
        reply.utter("utter_service_submitted", code=code, when=when)
    elif deadline is not None:
        reply.utter("utter_service_submitted_unbooked", code=code, deadline=deadline)
    else:
        reply.utter("utter_service_submitted_open", code=code)


def _answer_due(session: Session, request: ServiceRequest) -> str | None:
    """By when somebody gets in touch, in words, as it was promised; None where no promise is open."""
    clock = open_clock(session, subject_type=SERVICE_REQUEST, subject_id=request.id, metric=FIRST_RESPONSE)
    if clock is None or clock.due_at < utcnow():
        return None
    return deadline_text(clock.due_at, now=utcnow(), tz=environment().rules.timezone)


def _note_gone(turn: Turn, session: Session, chosen: datetime | None) -> None:
    """Remember that a window is gone, so that it is said where others are offered."""
    draft = DRAFT.of(turn, session)
    kind = kind_of(draft.data) if draft else None
    if draft is None or kind is None or chosen is None:
        return
    rules = environment().rules
    window = bookable_window(kind, starts_at=chosen, rules=rules, now=utcnow())
    said = (
        when_text(window.starts_at, window.ends_at)
        if window
        else to_jalali_datetime_text(chosen, rules.timezone)
    )
    drafts.set_field(draft, field=WISH, value=Wish.of_gone(chosen, said).as_data(), inbox_id=turn.inbox_id)


def _described(request: ServiceRequest) -> dict[str, Any]:
    """A request as responses tell it."""
    window, timezone = request.window, environment().rules.timezone
    date = to_jalali_text(request.created_at, timezone)
    return {
        "code": to_persian_digits(request.code),
        "title": environment().business.service_kind(request.kind).title,
        "state": term(AREA, "states", request.state),
        "when": when_text(window.starts_at, window.ends_at) if window else date,
        "date": date,
    }
