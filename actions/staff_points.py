"""Giving or taking points by hand, within the limits of one's role: how many, why, and a yes at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actions.staff_card import go_on_buttons
from actions.staff_desk import Desk, go
from actions.staff_find import customer_for, open_customer
from actions.staff_tasks import (
    KINDS,
    NUMBER,
    TEXT,
    Answer,
    Kind,
    Step,
    Task,
    any_text,
    begin,
    change,
    confirming,
    put,
)
from actions.staff_words import AREA, has, number_in, said_in
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed, NotEnoughPoints, NotFound
from crm_store.loyalty.balance import balance_of
from crm_store.staff.points import adjust_points, room_of
from crm_store.terms import term, terms

ADJUST, POINTS, WHY = "points", "points", "why"
#: What was said along with the request is the reason from so many words on.
SHORTEST = 2


def adjust(desk: Desk) -> None:
    """Give or take what was said, for the reason that was said; what is missing is asked."""
    if not desk.rules.business.loyalty.is_on:
        desk.reply.utter("utter_staff_no_club", buttons=go_on_buttons(desk))
        return
    customer_id = customer_for(desk, "points.adjust")
    if customer_id is None:
        return
    turn = desk.turn
    takes = not turn.trusted and _takes(turn.text)
    number = number_in(turn) if not turn.trusted else None
    reason = _reason_in(turn.text) if not turn.trusted else ""
    room, wanted = room_of(desk.session, staff=desk.staff, rules=desk.rules), number or 0
    known = {} if number is None or number <= 0 else {POINTS: number}
    if not room.each or not room.allows(-wanted if takes else wanted):
        _refuse(desk, customer_id, -wanted if takes else wanted)
        known = {}
    if not room.each:
        return
    begin(
        desk,
        ADJUST,
        customer=customer_id,
        takes=takes,
        **known,
        **({WHY: reason} if reason else {}),
    )


def _takes(text: str) -> bool:
    """Whether points are to be taken: what stands in the reason for giving some takes none."""
    places = [place for word in terms(AREA)["because"] if (place := text.find(f"{word} ")) >= 0]
    before = text[: min(places, default=len(text))]
    return has("taking", before if has("giving", before) else text)


def _reason_in(text: str) -> str:
    """What stands behind «بابت», «به خاطر», «دلیل»: the reason."""
    for word in terms(AREA)["because"]:
        _before, found, behind = text.partition(f"{word} ")
        if found and len(behind.split()) >= 1:
            return behind.strip(" :،.")
    said = said_in(text, commands="adjusting") if ":" in text else ""
    return said if len(said.split()) >= SHORTEST else ""


def _have(desk: Desk, customer_id: int) -> int:
    return balance_of(desk.session, customer_id=customer_id, soon=timedelta()).points


def _ask_points(desk: Desk, task: Task, step: Step) -> None:
    customer_id = int(task.data["customer"])
    room = room_of(desk.session, staff=desk.staff, rules=desk.rules)
    have = _have(desk, customer_id)
    response = (
        "utter_staff_ask_points_to_take" if task.data.get("takes") else "utter_staff_ask_points_to_give"
    )
    told: dict[str, Any] = {"name": desk.name_of(customer_id), "points": have, "each": room.each}
    if not task.data.get("takes"):
        told["left"] = min(room.each, room.left)
        del told["each"]
    put(desk, task, step, response, **told)


def _read_points(desk: Desk, task: Task, _answer: Answer) -> int | None:
    number = number_in(desk.turn)
    if number is None or number <= 0:
        return None
    room = room_of(desk.session, staff=desk.staff, rules=desk.rules)
    wanted = -number if task.data.get("takes") else number
    if not room.allows(wanted):
        _refuse(desk, int(task.data["customer"]), wanted)
        return None
    return number


def _ask_why(desk: Desk, task: Task, step: Step) -> None:
    choices = [(title, key) for key, title in terms(AREA)["point_reasons"].items()]
    put(desk, task, step, "utter_staff_ask_points_reason", choices=choices)


def _read_why(desk: Desk, task: Task, answer: Answer) -> str | None:
    return term(AREA, "point_reasons", answer.value) if answer.value else any_text(desk, task, answer)


def _ask_confirm(desk: Desk, task: Task, step: Step) -> None:
    data = task.data
    response = "utter_staff_confirm_take_points" if data.get("takes") else "utter_staff_confirm_give_points"
    name = desk.name_of(int(data["customer"]))
    put(desk, task, step, response, name=name, points=int(data[POINTS]), reason=str(data[WHY]))


def _finish(desk: Desk, task: Task) -> None:
    data = task.data
    customer_id, number = int(data["customer"]), int(data[POINTS])
    wanted = -number if data.get("takes") else number
    if not open_customer(desk, customer_id):
        return
    try:
        with desk.session.begin_nested():
            adjust_points(
                desk.session,
                customer_id=customer_id,
                points=wanted,
                reason=str(data[WHY]),
                staff=desk.staff,
                inbox_id=desk.turn.inbox_id,
                rules=desk.rules,
            )
    except NotAllowed:
        _refuse(desk, customer_id, wanted)
        change(desk, task, **{POINTS: None, "confirm": None})
    except NotEnoughPoints as few:
        desk.reply.utter("utter_staff_not_enough_points", missing=few.missing)
        change(desk, task, **{POINTS: None, "confirm": None})
    except (NotFound, InvalidInput, InvalidTransition):
        desk.reply.utter("utter_staff_customer_gone")
    else:
        have = _have(desk, customer_id)
        response = "utter_staff_points_taken" if data.get("takes") else "utter_staff_points_given"
        buttons = [go("points", "staff_adjust_points"), *go_on_buttons(desk)]
        desk.reply.utter(
            response, name=desk.name_of(customer_id), points=number, balance=have, buttons=buttons
        )


def _refuse(desk: Desk, customer_id: int, wanted: int) -> None:
    """Say that it is more than the role may, which is written down as every refusal is."""
    desk.may("points.adjust", own=False, target_type="customer", target_id=customer_id, says="")
    room = room_of(desk.session, staff=desk.staff, rules=desk.rules)
    if wanted < 0:
        desk.reply.utter("utter_staff_too_many_points_to_take", each=room.each)
    else:
        desk.reply.utter("utter_staff_too_many_points", each=room.each, left=room.left)


KINDS[ADJUST] = Kind(
    "points.adjust",
    (
        Step(POINTS, NUMBER, _ask_points, _read_points),
        Step(WHY, TEXT, _ask_why, _read_why),
        confirming(_ask_confirm),
    ),
    _finish,
)
