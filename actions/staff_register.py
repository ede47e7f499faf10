"""Registering for somebody who called: who it is, what for, what about it, and once more to confirm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.staff_card import go_on_buttons
from actions.staff_desk import Desk, go
from actions.staff_find import cover, customer_for, named_in, open_customer
from actions.staff_register_steps import (
    COMPLAINT,
    PURCHASE,
    REQUEST,
    ask_confirm,
    complaint_steps,
    offered_subjects,
    purchase_steps,
    request_steps,
)
from actions.staff_tasks import (
    CHOICE,
    KINDS,
    TEXT,
    Answer,
    Kind,
    Step,
    Task,
    asking,
    begin,
    change,
    confirming,
    one_of,
    put,
)
from actions.staff_words import one_of_sections, said_in
from actions.ticket_tasks import described
from crm_store.customers.finding import PHONE, find
from crm_store.customers.profile import checked
from crm_store.errors import Conflict, FullyBooked, InvalidInput, NotFound
from crm_store.persian import find_phones, toman_text
from crm_store.staff import registering

REGISTER = "register"
CUSTOMER, NUMBER, NAME, SUBJECT = "customer", "phone", "name", "subject"
#: What was said along with the request is the story from so many words on.
SHORTEST = 4


def register(desk: Desk) -> None:
    """Register what a caller wants; whoever was spoken of is the caller unless another is named."""
    turn = desk.turn
    phones = find_phones(turn.text) if not turn.trusted else []
    data: dict[str, Any] = {}
    if phones and not desk.settled:
        found = [one for one in find(desk.session, text=phones[0].value) if one.matched_by == PHONE]
        if found:
            cover(desk, found[0].customer_id)
            if not open_customer(desk, found[0].customer_id):
                return
            data[CUSTOMER] = found[0].customer_id
        else:
            data[NUMBER] = phones[0].value
    elif desk.focus.customer_id is not None or named_in(turn):
        customer_id = customer_for(desk, "customer.view")
        if customer_id is None:
            return
        data[CUSTOMER] = customer_id
    subject = turn.entity("subject") if turn.trusted else one_of_sections("subjects", turn.text)
    if subject in offered_subjects(desk):
        data[SUBJECT] = subject
    said = said_in(turn.text, commands="registering") if not turn.trusted and ":" in turn.text else ""
    if len(said.split()) >= SHORTEST:
        data["description"] = data["problem"] = said
    begin(desk, REGISTER, **data)


def _is_unknown(_desk: Desk, data: Mapping[str, Any]) -> bool:
    return CUSTOMER not in data


def _read_phone(desk: Desk, _task: Task, answer: Answer) -> str | None:
    phones = find_phones(answer.text)
    if len({one.value for one in phones}) != 1:
        desk.reply.utter("utter_invalid_phone")
        return None
    return phones[0].value


def _read_name(desk: Desk, _task: Task, answer: Answer) -> str | None:
    try:
        return str(checked("full_name", answer.text))
    except InvalidInput:
        desk.reply.utter("utter_staff_no_name")
        return None


def _is_new(desk: Desk, data: Mapping[str, Any]) -> bool:
    """Whether nobody is known by the phone that was given."""
    if CUSTOMER in data or NUMBER not in data:
        return False
    return not [one for one in find(desk.session, text=str(data[NUMBER])) if one.matched_by == PHONE]


def _ask_subject(desk: Desk, task: Task, step: Step) -> None:
    choices = [(title, key) for key, title in offered_subjects(desk).items()]
    put(desk, task, step, "utter_staff_ask_subject", choices=choices)


def _read_subject(desk: Desk, _task: Task, answer: Answer) -> str | None:
    titles = offered_subjects(desk)
    named = one_of_sections("subjects", answer.text) if answer.text else None
    return named if named in titles else one_of(answer, titles)


def _finish(desk: Desk, task: Task) -> None:
    try:
        with desk.session.begin_nested():
            customer_id = _customer(desk, task.data)
    except InvalidInput:
        desk.reply.utter("utter_invalid_phone")
        change(desk, task, **{NUMBER: None, NAME: None, "confirm": None})
        return
    cover(desk, customer_id)
    if not open_customer(desk, customer_id):
        return
    try:
        with desk.session.begin_nested():
            _register(desk, task.data, customer_id)
    except FullyBooked:
        desk.reply.utter("utter_window_taken")
        change(desk, task, window=None, confirm=None)
    except Conflict:
        desk.reply.utter("utter_staff_order_known")
        change(desk, task, order=None, confirm=None)
    except (InvalidInput, NotFound):
        desk.reply.utter("utter_staff_not_registered", buttons=go_on_buttons(desk))


def _customer(desk: Desk, data: Mapping[str, Any]) -> int:
    """Whose it is; made where nobody is known by the phone."""
    if CUSTOMER in data:
        return int(data[CUSTOMER])
    found = [one for one in find(desk.session, text=str(data[NUMBER])) if one.matched_by == PHONE]
    if found:
        return found[0].customer_id
    name = str(data.get(NAME, ""))
    return registering.caller(desk.session, phone=str(data[NUMBER]), name=name, staff=desk.staff).id


def _register(desk: Desk, data: Mapping[str, Any], customer_id: int) -> None:
    """Register it, and say its code."""
    where: dict[str, Any] = {
        "customer_id": customer_id,
        "staff": desk.staff,
        "inbox_id": desk.turn.inbox_id,
        "rules": desk.rules,
    }
    name = desk.name_of(customer_id)
    if data[SUBJECT] == PURCHASE:
        purchase = registering.register_purchase(
            desk.session,
            order_id=str(data.get("order") or ""),
            amount_rials=int(data["amount"]),
            title=str(data.get("title") or ""),
            **where,
        )
        buttons = go_on_buttons(desk)
        amount = toman_text(purchase.total)
        desk.reply.utter("utter_staff_registered_purchase", name=name, amount=amount, buttons=buttons)
        return
    told = {
        key: value for key, value in data.items() if key not in (CUSTOMER, NUMBER, NAME, SUBJECT, "confirm")
    }
    if data[SUBJECT] == COMPLAINT:
        told["order_number"] = str(told.pop("order", "") or "")
        ticket: Any = registering.register_complaint(desk.session, told=told, **where)
    else:
        ticket = registering.register_request(desk.session, told=told, **where)
    buttons = [go("open_ticket", "staff_ticket", ticket=ticket.code), *go_on_buttons(desk)]
    desk.reply.utter("utter_staff_registered", name=name, buttons=buttons, **described(ticket))


def _is(subject: str) -> Any:
    return lambda _desk, data: data.get(SUBJECT) == subject


KINDS[REGISTER] = Kind(
    "ticket.register",
    (
        Step(NUMBER, TEXT, asking("utter_staff_ask_caller_phone"), _read_phone, _is_unknown),
        Step(NAME, TEXT, asking("utter_staff_ask_caller_name"), _read_name, _is_new),
        Step(SUBJECT, CHOICE, _ask_subject, _read_subject),
        *complaint_steps(_is(COMPLAINT)),
        *request_steps(_is(REQUEST)),
        *purchase_steps(_is(PURCHASE)),
        confirming(ask_confirm),
    ),
    _finish,
)
