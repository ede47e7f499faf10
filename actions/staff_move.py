"""Moving a visit to another time, for the desk: the staff need not give notice."""

from __future__ import annotations

from datetime import datetime, timezone

from actions.service_when import offer, the_one, when_text, wish_in
from actions.staff_desk import Desk
from actions.staff_tasks import CHOICE, KINDS, Answer, Kind, Step, Task, begin, change, put
from actions.staff_tickets import actions_for, is_open, ticket_for
from actions.ticket_tasks import described, when_of
from crm_store.base import utcnow
from crm_store.errors import FullyBooked, InvalidTransition
from crm_store.service_requests.booking import Slot, free_slots
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.working import schedule_visit

MOVE, WINDOW = "move", "window"
#: So many windows are offered.
OFFERED = 6


def move(desk: Desk) -> None:
    """Move a visit to the time that was named, or ask for one."""
    request = _request(desk)
    if request is None:
        return
    if not is_open(request):
        desk.reply.utter("utter_staff_ticket_over", buttons=actions_for(desk, request), **described(request))
        return
    wanted = _window_in(desk, request) if not desk.turn.trusted else None
    begin(desk, MOVE, ticket=request.code, **({WINDOW: wanted.isoformat()} if wanted else {}))


def _request(desk: Desk, code: str = "") -> ServiceRequest | None:
    found = ticket_for(desk, "ticket.move", only_requests=True, code=code)
    if found is not None and not isinstance(found, ServiceRequest):
        desk.reply.utter("utter_staff_no_visit_to_move", buttons=actions_for(desk, found))
        return None
    return found


def _window_in(desk: Desk, request: ServiceRequest) -> datetime | None:
    """The one free window that a text means."""
    wish = wish_in(desk.turn.text, desk.turn.found)
    kind = desk.rules.business.service_kind(request.kind)
    one = the_one(desk.session, kind, wish) if wish is not None else None
    return one.starts_at if one is not None else None


def _ask(desk: Desk, task: Task, step: Step) -> None:
    request = _request(desk, str(task.data["ticket"]))
    if request is None:
        return
    slots = _offered(desk, request)
    if not slots:
        desk.reply.utter("utter_staff_nothing_free", buttons=actions_for(desk, request))
        return
    choices = [(when_text(one.starts_at, one.ends_at), one.starts_at.isoformat()) for one in slots]
    put(desk, task, step, "utter_staff_ask_window", choices=choices, **described(request))


def _offered(desk: Desk, request: ServiceRequest) -> list[Slot]:
    """The windows that come near to what was typed; the next ones where nothing was."""
    kind = desk.rules.business.service_kind(request.kind)
    wish = wish_in(desk.turn.text, desk.turn.found) if not desk.turn.trusted else None
    if wish is not None:
        return offer(desk.session, kind, wish).slots[:OFFERED]
    return free_slots(desk.session, kind=kind, rules=desk.rules, limit=OFFERED)


def _read(desk: Desk, task: Task, answer: Answer) -> str | None:
    if answer.value:
        return _moment(answer.value)
    request = _request(desk, str(task.data["ticket"]))
    wanted = _window_in(desk, request) if request is not None else None
    return wanted.isoformat() if wanted is not None else None


def _moment(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(timezone.utc).isoformat() if moment.tzinfo is not None else None


def _finish(desk: Desk, task: Task) -> None:
    request = _request(desk, str(task.data["ticket"]))
    if request is None:
        return
    starts_at = datetime.fromisoformat(str(task.data[WINDOW]))
    try:
        with desk.session.begin_nested():
            schedule_visit(
                desk.session, request, starts_at=starts_at, actor=desk.actor, rules=desk.rules, now=utcnow()
            )
    except FullyBooked:
        desk.reply.utter("utter_window_taken")
        change(desk, task, **{WINDOW: None})
    except InvalidTransition:
        desk.reply.utter("utter_staff_not_now", buttons=actions_for(desk, request), **described(request))
    else:
        desk.session.refresh(request, ["window"])
        told = {**described(request), "when": when_of(request)}
        desk.reply.utter("utter_staff_moved", buttons=actions_for(desk, request), **told)


KINDS[MOVE] = Kind("ticket.move", (Step(WINDOW, CHOICE, _ask, _read),), _finish)
