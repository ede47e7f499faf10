"""Raising a ticket: one step more urgent, with the reason, and those above are told."""

from __future__ import annotations

from actions.staff_card import go_on_buttons
from actions.staff_desk import Desk
from actions.staff_tasks import KINDS, TEXT, Answer, Kind, Step, Task, any_text, begin, put
from actions.staff_tickets import actions_for, is_open, ticket_for
from actions.staff_words import AREA, said_in
from actions.ticket_tasks import described
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.terms import term, terms
from crm_store.tickets.escalating import escalate as raise_ticket

ESCALATE, WHY = "escalate", "why"
#: What was said along with the request is the reason from so many words on.
SHORTEST = 2


def escalate(desk: Desk) -> None:
    """Raise a ticket, for the reason that was said or is asked for."""
    ticket = ticket_for(desk, "ticket.escalate")
    if ticket is None:
        return
    if not is_open(ticket):
        desk.reply.utter("utter_staff_ticket_over", buttons=actions_for(desk, ticket), **described(ticket))
        return
    said = said_in(desk.turn.text, commands="escalating") if not desk.turn.trusted else ""
    text = said if len(said.split()) >= SHORTEST else None
    begin(desk, ESCALATE, ticket=ticket.code, **({WHY: text} if text else {}))


def _ask(desk: Desk, task: Task, step: Step) -> None:
    ticket = ticket_for(desk, "ticket.escalate", code=str(task.data["ticket"]))
    if ticket is not None:
        choices = [(title, key) for key, title in terms(AREA)["escalation_reasons"].items()]
        put(desk, task, step, "utter_staff_ask_why_urgent", choices=choices, **described(ticket))


def _read(desk: Desk, task: Task, answer: Answer) -> str | None:
    return term(AREA, "escalation_reasons", answer.value) if answer.value else any_text(desk, task, answer)


def _finish(desk: Desk, task: Task) -> None:
    ticket = ticket_for(desk, "ticket.escalate", code=str(task.data["ticket"]))
    if ticket is None:
        return
    try:
        raise_ticket(
            desk.session,
            ticket,
            reason=str(task.data[WHY]),
            staff=desk.staff,
            inbox_id=desk.turn.inbox_id,
            rules=desk.rules,
        )
    except (InvalidTransition, InvalidInput):
        desk.reply.utter("utter_staff_ticket_over", buttons=actions_for(desk, ticket), **described(ticket))
    else:
        priority = term("complaints", "priorities", ticket.priority) or ticket.priority
        told = {**described(ticket), "priority": priority}
        desk.reply.utter("utter_staff_escalated", buttons=go_on_buttons(desk), **told)


KINDS[ESCALATE] = Kind("ticket.escalate", (Step(WHY, TEXT, _ask, _read),), _finish)
