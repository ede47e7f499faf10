"""Giving a ticket to a colleague, a unit or oneself, and passing a conversation on."""

from __future__ import annotations

from typing import Any

from actions.staff_card import go_on_buttons
from actions.staff_desk import Desk
from actions.staff_find import named_firmly
from actions.staff_handoff import own_handoffs, pass_on
from actions.staff_tasks import CHOICE, KINDS, Answer, Kind, Step, Task, begin, put
from actions.staff_tickets import actions_for, is_open, is_own, ticket_for
from actions.staff_words import AREA, has
from actions.texts import fragment
from actions.ticket_tasks import Ticket, described
from crm_store.complaints import working as complaints
from crm_store.complaints.models import Complaint
from crm_store.errors import FullyBooked, InvalidInput, InvalidTransition, NotAllowed, NotFound
from crm_store.service_requests import working as requests
from crm_store.staff.colleagues import candidates, freest_of, named_in, team_in
from crm_store.staff.models import StaffMember
from crm_store.terms import term
from crm_store.tickets.queries import kind_of

ASSIGN, TO = "assign", "to"
ME, MEMBER, TEAM = "me", "staff:", "team:"
#: So many colleagues get a button.
OFFERED = 8


def assign(desk: Desk) -> None:
    """Give a ticket to whoever is named, or ask to whom; a conversation that is spoken of is passed on."""
    turn = desk.turn
    speaks_of_one = not turn.trusted and has("of_conversations", turn.text) and bool(own_handoffs(desk))
    if speaks_of_one or (turn.trusted and turn.entity("handoff")):
        pass_on(desk)
        return
    # A name in such a request is the colleague's.
    in_mind = desk.focus.customer_id is not None and not named_firmly(turn)
    desk = desk.again_as(settled=True) if in_mind else desk
    ticket = ticket_for(desk, "ticket.view_own", of_any="ticket.view")
    if ticket is None:
        return
    if not is_open(ticket):
        desk.reply.utter("utter_staff_ticket_over", buttons=actions_for(desk, ticket), **described(ticket))
        return
    to = _wanted(desk, ticket, Answer(turn.text if not turn.trusted else "", turn.entity("value") or ""))
    if to is None and not desk.can("ticket.assign"):
        if not turn.trusted and has("to_others", turn.text):
            desk.may("ticket.assign", target_type=kind_of(ticket), target_id=ticket.code)
            return
        # Who may give nothing to others can only mean themselves.
        to = ME
    begin(desk, ASSIGN, ticket=ticket.code, **({TO: to} if to else {}))


def _wanted(desk: Desk, ticket: Ticket, answer: Answer) -> str | None:
    """To whom a ticket is to go; None where that is not clear."""
    among = candidates(desk.session, subject_type=kind_of(ticket))
    if answer.value:
        known = {ME, *(f"{MEMBER}{one.id}" for one in among)}
        known |= {f"{TEAM}{team}" for team in desk.rules.business.handoff.teams}
        return answer.value if answer.value in known else None
    if not answer.text:
        return None
    team = team_in(answer.text, desk.rules)
    if team:
        return f"{TEAM}{team}"
    if has("taking_on", answer.text):
        return ME
    named = [one for one in named_in(answer.text, among) if one.id != desk.staff.id]
    if len(named) == 1:
        return f"{MEMBER}{named[0].id}"
    return ME if has("oneself", answer.text) and not has("to_others", answer.text) else None


def _ask(desk: Desk, task: Task, step: Step) -> None:
    ticket = ticket_for(desk, "ticket.view_own", of_any="ticket.view", code=str(task.data["ticket"]))
    if ticket is None:
        return
    among = [one for one in candidates(desk.session, subject_type=kind_of(ticket)) if one.id != desk.staff.id]
    choices = [] if is_own(desk, ticket) else [(term(AREA, "buttons", "take") or "", ME)]
    choices += [(_name(one), f"{MEMBER}{one.id}") for one in among[:OFFERED]]
    choices += [
        (str(fragment("utter_staff_team_button", team=team)), f"{TEAM}{team}")
        for team in desk.rules.business.handoff.teams
    ]
    put(desk, task, step, "utter_staff_ask_assignee", choices=choices, **described(ticket))


def _read(desk: Desk, task: Task, answer: Answer) -> str | None:
    ticket = ticket_for(desk, "ticket.view_own", of_any="ticket.view", code=str(task.data["ticket"]))
    return _wanted(desk, ticket, answer) if ticket is not None else None


def _finish(desk: Desk, task: Task) -> None:
    ticket = ticket_for(desk, "ticket.view_own", of_any="ticket.view", code=str(task.data["ticket"]))
    if ticket is None:
        return
    to = str(task.data[TO])
    permission = "ticket.take" if to == ME else "ticket.assign"
    if not desk.may(permission, target_type=kind_of(ticket), target_id=ticket.code):
        return
    assignee = _member(desk, ticket, to)
    if assignee is None:
        desk.reply.utter("utter_staff_team_empty", team=to.removeprefix(TEAM), buttons=go_on_buttons(desk))
        return
    try:
        # A refused change is undone by itself; what was looked at stays written down.
        with desk.session.begin_nested():
            _give(desk, ticket, assignee)
    except FullyBooked:
        desk.reply.utter("utter_staff_no_time_left", name=_name(assignee), buttons=actions_for(desk, ticket))
    except (NotAllowed, NotFound):
        desk.reply.utter("utter_staff_cannot_go", name=_name(assignee), buttons=actions_for(desk, ticket))
    except (InvalidTransition, InvalidInput):
        desk.reply.utter("utter_staff_not_now", buttons=actions_for(desk, ticket), **described(ticket))
    else:
        is_mine = assignee.id == desk.staff.id
        told: dict[str, Any] = (
            described(ticket) if is_mine else {**described(ticket), "name": _name(assignee)}
        )
        response = "utter_staff_taken" if is_mine else "utter_staff_assigned"
        desk.reply.utter(response, buttons=actions_for(desk, ticket), **told)


def _give(desk: Desk, ticket: Ticket, assignee: StaffMember) -> None:
    if isinstance(ticket, Complaint):
        complaints.assign(desk.session, ticket, staff_id=assignee.id, actor=desk.actor, rules=desk.rules)
    else:
        requests.assign(desk.session, ticket, staff_id=assignee.id, actor=desk.actor, rules=desk.rules)


def _member(desk: Desk, ticket: Ticket, to: str) -> StaffMember | None:
    if to == ME:
        return desk.staff
    among = candidates(desk.session, subject_type=kind_of(ticket))
    if to.startswith(TEAM):
        team = to.removeprefix(TEAM)
        return freest_of(desk.session, team=team, subject_type=kind_of(ticket), among=among)
    return next((one for one in among if f"{MEMBER}{one.id}" == to), None)


def _name(member: StaffMember) -> str:
    return member.name or member.login or ""


KINDS[ASSIGN] = Kind("ticket.view_own", (Step(TO, CHOICE, _ask, _read),), _finish)
