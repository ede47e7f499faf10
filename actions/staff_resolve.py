"""Deciding a complaint and ending a visit: asked step by step, shown once more, then done and told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from actions.staff_card import go_on_buttons
from actions.staff_desk import Desk
from actions.staff_tasks import (
    CHOICE,
    KINDS,
    NUMBER,
    TEXT,
    Answer,
    Kind,
    Step,
    Task,
    any_text,
    asking,
    begin,
    confirming,
    one_of,
    put,
)
from actions.staff_tickets import actions_for, is_own, ticket_for
from actions.staff_visits import tell_visit
from actions.staff_words import AREA, number_in, rials_in, said_in
from actions.texts import Rich, fragment
from actions.ticket_tasks import Ticket, described
from crm_store.complaints.models import (
    DECISIONS,
    REMEDIES,
    RESOLVED,
    Complaint,
    ComplaintResolution,
)
from crm_store.complaints.resolution import Offer
from crm_store.complaints.resolution import resolve as decide
from crm_store.complaints.states import TRANSITIONS as COMPLAINT_MOVES
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed
from crm_store.persian import toman_text
from crm_store.service_requests import states as requests
from crm_store.service_requests.models import DONE, ServiceRequest
from crm_store.service_requests.timeline import was_done
from crm_store.terms import term, terms
from crm_store.tickets.queries import kind_of

DECISION, FINISH = "decide", "finish"
NONE, POINTS, MONEY = "none", "points", "money"
#: What was said along with the request is what was done from so many words on.
SHORTEST = 3


def resolve(desk: Desk) -> None:
    """Decide a complaint or end a visit, with what is asked about it."""
    ticket = ticket_for(desk, "ticket.view_own", of_any="ticket.view")
    if ticket is None:
        return
    if isinstance(ticket, ServiceRequest) and not desk.can("ticket.resolve") and is_own(desk, ticket):
        # A technician's own visit ends with photo and note.
        tell_visit(desk, ticket)
        return
    if not _may_resolve(desk, ticket):
        return
    said = said_in(desk.turn.text, commands="resolving") if not desk.turn.trusted else ""
    text = said if len(said.split()) >= SHORTEST else None
    if isinstance(ticket, Complaint):
        if (ticket.state, RESOLVED) not in COMPLAINT_MOVES:
            _tell_not_now(desk, ticket)
            return
        begin(desk, DECISION, ticket=ticket.code, **({"text": text} if text else {}))
    elif (ticket.state, DONE) not in requests.TRANSITIONS:
        _tell_not_now(desk, ticket)
    else:
        begin(desk, FINISH, ticket=ticket.code, **({"text": text} if text else {}))


def _may_resolve(desk: Desk, ticket: Ticket) -> bool:
    """Whether a ticket is this member's to decide; one of the desk may take it first."""
    if desk.can("ticket.resolve_any"):
        return desk.may("ticket.resolve_any")
    own, target = is_own(desk, ticket), {"target_type": kind_of(ticket), "target_id": ticket.code}
    if own or not desk.can("ticket.resolve"):
        return desk.may("ticket.resolve", own=own, **target)
    desk.may("ticket.resolve", own=False, says="", **target)
    desk.reply.utter("utter_staff_take_first", buttons=actions_for(desk, ticket), **described(ticket))
    return False


def _tell_not_now(desk: Desk, ticket: Ticket) -> None:
    desk.reply.utter("utter_staff_not_now", buttons=actions_for(desk, ticket), **described(ticket))


def _ticket(desk: Desk, task: Task) -> Ticket | None:
    return ticket_for(desk, "ticket.resolve", of_any="ticket.resolve_any", code=str(task.data["ticket"]))


def _decisions(_desk: Desk) -> dict[str, str]:
    return {key: term("complaints", "decisions", key) or key for key in DECISIONS}


def _causes(desk: Desk) -> dict[str, str]:
    return {one.key: one.title for one in desk.rules.business.complaints.root_causes}


def _remedies(_desk: Desk) -> dict[str, str]:
    titles = {key: term("complaints", "remedies", key) or key for key in REMEDIES}
    return {**titles, NONE: term(AREA, "words", "nothing") or NONE}


def _grants(_desk: Desk) -> dict[str, str]:
    return dict(terms(AREA)["grants"])


def _choice_step(name: str, titles: Any, response: str, is_due: Any = None) -> Step:
    """A question with one button per choice."""

    def ask(desk: Desk, task: Task, step: Step) -> None:
        choices = [(title, key) for key, title in titles(desk).items()]
        put(desk, task, step, response, choices=choices)

    def read(desk: Desk, _task: Task, answer: Answer) -> str | None:
        return one_of(answer, titles(desk))

    step = Step(name, CHOICE, ask, read)
    return step if is_due is None else step._replace(is_due=is_due)


def _is_granted(_desk: Desk, data: Mapping[str, Any]) -> bool:
    return data.get("grant") in (POINTS, MONEY)


def _read_amount(desk: Desk, task: Task, _answer: Answer) -> int | None:
    read = number_in if task.data["grant"] == POINTS else rials_in
    amount = read(desk.turn)
    return amount if amount is not None and amount > 0 else None


def _ask_amount(desk: Desk, task: Task, step: Step) -> None:
    response = (
        "utter_staff_ask_points_amount" if task.data["grant"] == POINTS else "utter_staff_ask_money_amount"
    )
    put(desk, task, step, response)


def _ask_confirm(desk: Desk, task: Task, step: Step) -> None:
    ticket = _ticket(desk, task)
    if ticket is None:
        return
    data = task.data
    lines = [
        fragment("utter_staff_decision_line", decision=_decisions(desk).get(str(data["decision"]), "")),
        *(
            [fragment("utter_staff_cause_line", cause=_causes(desk).get(str(data["cause"]), ""))]
            if data.get("cause")
            else []
        ),
        fragment("utter_staff_remedy_line", remedy=_remedies(desk).get(str(data["remedy"]), "")),
        *([fragment("utter_staff_grant_line", amount=_amount_text(data))] if _is_granted(desk, data) else []),
        fragment("utter_staff_explanation_line", text=str(data["text"])),
    ]
    put(
        desk,
        task,
        step,
        "utter_staff_confirm_decision",
        lines=Rich("\n".join(lines)),
        **described(ticket),
    )


def _amount_text(data: Mapping[str, Any]) -> Rich | str:
    amount = int(data["amount"])
    return toman_text(amount) if data["grant"] == MONEY else fragment("utter_points_amount", points=amount)


def _decide(desk: Desk, task: Task) -> None:
    ticket = _ticket(desk, task)
    if not isinstance(ticket, Complaint):
        return
    data = task.data
    known = _made_by_me(desk, ticket, str(data["text"]))
    try:
        with desk.session.begin_nested():
            made = known or decide(
                desk.session,
                ticket,
                decision=str(data["decision"]),
                root_cause=str(data.get("cause", "")),
                remedy="" if data["remedy"] == NONE else str(data["remedy"]),
                explanation=str(data["text"]),
                compensation=Offer(str(data["grant"]), int(data["amount"]))
                if _is_granted(desk, data)
                else None,
                actor=desk.actor,
                role=desk.staff.role,
                rules=desk.rules,
            )
    except NotAllowed:
        desk.may("ticket.resolve", own=False, target_type="complaint", target_id=ticket.code)
    except (InvalidTransition, InvalidInput):
        _tell_not_now(desk, ticket)
    else:
        waits = made.state == "proposed"
        response = "utter_staff_decision_waits" if waits else "utter_staff_decided"
        desk.reply.utter(response, buttons=go_on_buttons(desk), **described(ticket))


def _made_by_me(desk: Desk, complaint: Complaint, text: str) -> ComplaintResolution | None:
    """The decision that this very message has made, if what was said to it was lost."""
    latest = desk.session.scalar(
        select(ComplaintResolution)
        .where(ComplaintResolution.complaint_id == complaint.id)
        .order_by(ComplaintResolution.id.desc())
        .limit(1)
    )
    is_mine = latest is not None and latest.decided_by == desk.actor and latest.explanation == text.strip()
    return latest if is_mine and complaint.state == RESOLVED else None


def _ask_finish(desk: Desk, task: Task, step: Step) -> None:
    ticket = _ticket(desk, task)
    if ticket is not None:
        put(desk, task, step, "utter_staff_confirm_finish", words=str(task.data["text"]), **described(ticket))


def _finish(desk: Desk, task: Task) -> None:
    ticket = _ticket(desk, task)
    if not isinstance(ticket, ServiceRequest):
        return
    text = str(task.data["text"])
    try:
        if not was_done(desk.session, ticket, requests.EVENTS[DONE], inbox_id=desk.turn.inbox_id):
            with desk.session.begin_nested():
                requests.move(
                    desk.session,
                    ticket,
                    to=DONE,
                    actor=desk.actor,
                    rules=desk.rules,
                    text=text,
                    inbox_id=desk.turn.inbox_id,
                )
    except (InvalidTransition, InvalidInput):
        _tell_not_now(desk, ticket)
    else:
        desk.reply.utter("utter_staff_visit_finished", buttons=go_on_buttons(desk), **described(ticket))


KINDS[DECISION] = Kind(
    "ticket.resolve",
    (
        _choice_step("decision", _decisions, "utter_staff_ask_decision"),
        _choice_step("cause", _causes, "utter_staff_ask_cause", lambda desk, _data: bool(_causes(desk))),
        _choice_step("remedy", _remedies, "utter_staff_ask_remedy"),
        _choice_step("grant", _grants, "utter_staff_ask_grant"),
        Step("amount", NUMBER, _ask_amount, _read_amount, _is_granted),
        Step("text", TEXT, asking("utter_staff_ask_explanation"), any_text),
        confirming(_ask_confirm),
    ),
    _decide,
)
KINDS[FINISH] = Kind(
    "ticket.resolve",
    (
        Step("text", TEXT, asking("utter_staff_ask_visit_outcome"), any_text),
        confirming(_ask_finish),
    ),
    _finish,
)
