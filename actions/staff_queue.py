"""What is open: a technician's visits of a day, one's own tickets, everybody's, and who waits."""

from __future__ import annotations

from actions.staff_desk import Desk, go
from actions.staff_presence import presence_buttons, waiting_line
from actions.staff_visits import tell_visits
from actions.staff_words import one_of_sections
from actions.texts import Rich, button, fragment
from crm_store.persian import to_jalali_datetime_text, to_persian_digits
from crm_store.terms import term
from crm_store.tickets.models import COMPLAINT
from crm_store.tickets.queries import TicketRow, queue

TECHNICIAN = "technician"
OWN, ALL, UNASSIGNED = "own", "all", "unassigned"
#: So many tickets are listed at a time, and so many of them get a button.
LISTED, BUTTONS = 10, 5


def tell_queue(desk: Desk) -> None:
    """List what is open for whoever asks, or for everybody."""
    if desk.staff.role == TECHNICIAN:
        tell_visits(desk)
        return
    turn = desk.turn
    named = turn.entity("view") if turn.trusted else one_of_sections("queues", turn.text)
    scope = named if named in (ALL, UNASSIGNED) else OWN
    if scope != OWN and not desk.may("queue.all"):
        return
    number = turn.entity("page") if turn.trusted else None
    page = queue(
        desk.session,
        assignee_id=desk.staff.id if scope == OWN else None,
        unassigned=scope == UNASSIGNED,
        number=int(number) if number and number.isdecimal() else 1,
        size=LISTED,
    )
    waiting = waiting_line(desk) if desk.can("handoff.view") else Rich("")
    more = page.place.number + 1 if page.place.number < page.place.count else None
    buttons = _buttons(desk, page.rows, scope, more)
    if not page.rows:
        response = "utter_queue_empty" if scope == OWN else "utter_queue_empty_of_all"
        desk.reply.utter(response, waiting=waiting, buttons=buttons)
        return
    items = Rich("\n".join(fragment(_item_response(scope), **_row(desk, row)) for row in page.rows))
    response = "utter_queue" if scope == OWN else "utter_queue_of_all"
    count = to_persian_digits(page.place.total)
    desk.reply.utter(response, count=count, items=items, waiting=waiting, buttons=buttons)


def _item_response(scope: str) -> str:
    return "utter_queue_item" if scope != ALL else "utter_queue_item_of_all"


def _row(desk: Desk, row: TicketRow) -> dict[str, str]:
    business = desk.rules.business
    is_complaint = row.subject_type == COMPLAINT
    title = business.category(row.title).title if is_complaint else business.service_kind(row.title).title
    area = "complaints" if is_complaint else "service_requests"
    return {
        "code": to_persian_digits(row.code),
        "title": title,
        "state": term(area, "states", row.state) or row.state,
        "priority": term("complaints", "priorities", row.priority) or row.priority,
        "name": row.assignee_name or term("staff", "words", "nobody") or "",
        "due": _due(desk, row),
    }


def _due(desk: Desk, row: TicketRow) -> Rich:
    if row.due_at is None:
        return Rich("")
    response = "utter_queue_overdue" if row.is_overdue else "utter_queue_due"
    return fragment(response, when=to_jalali_datetime_text(row.due_at, desk.rules.timezone))


def _buttons(desk: Desk, rows: list[TicketRow], scope: str, more: int | None) -> list[dict[str, str]]:
    buttons = [
        button(str(fragment("utter_queue_button", **_row(desk, row))), "staff_ticket", ticket=row.code)
        for row in rows[:BUTTONS]
    ]
    if more is not None:
        buttons.append(go("more", "staff_my_queue", view=scope, page=str(more)))
    if desk.can("queue.all"):
        others = {OWN: (UNASSIGNED, ALL), UNASSIGNED: (OWN, ALL), ALL: (OWN, UNASSIGNED)}[scope]
        buttons += [go(f"queue_{one}", "staff_my_queue", view=one) for one in others]
    if desk.can("handoff.claim"):
        buttons += [go("next_one", "staff_take_over", value="next"), *presence_buttons(desk)]
    return buttons
