"""What is asked about a complaint, a request or a purchase that is registered for a caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from actions.service_when import offer, the_one, when_text, wish_in
from actions.staff_desk import Desk
from actions.staff_tasks import (
    CHOICE,
    NUMBER,
    TEXT,
    Answer,
    Step,
    Task,
    any_text,
    asking,
    drop,
    one_of,
    put,
)
from actions.staff_words import AREA, rials_in
from actions.texts import Rich, fragment, is_one_of
from crm_store.business import ServiceKind
from crm_store.persian import find_order_numbers, phone_text, to_ascii_digits, to_persian_digits, toman_text
from crm_store.service_requests import drafting
from crm_store.service_requests.booking import Slot, free_slots
from crm_store.service_requests.windows import is_offered_in
from crm_store.terms import term, terms

COMPLAINT, REQUEST, PURCHASE = "complaint", "request", "purchase"
#: The value of a button that passes a question over.
SKIP = "skip"
#: So many windows are offered, and letters of a story shown.
OFFERED, LONGEST = 6, 300

IsDue = Callable[[Desk, Mapping[str, Any]], bool]


def offered_subjects(desk: Desk) -> dict[str, str]:
    """What this member may register, with its title."""
    fits = {
        COMPLAINT: desk.can("ticket.register"),
        REQUEST: desk.can("ticket.register") and bool(desk.rules.business.service.kinds),
        PURCHASE: desk.can("purchase.register"),
    }
    return {key: title for key, title in terms(AREA)["subject_titles"].items() if fits[key]}


def complaint_steps(is_due: IsDue) -> tuple[Step, ...]:
    """What is asked about a complaint."""
    return (
        Step("description", TEXT, asking("utter_staff_ask_story"), any_text, is_due),
        Step("category", CHOICE, _ask_category, _read_category, is_due),
        Step("order", TEXT, _skippable("utter_staff_ask_order"), _read_order, is_due),
    )


def request_steps(is_due: IsDue) -> tuple[Step, ...]:
    """What is asked about a service request: what its kind cannot do without, and what is wrong."""

    def due_if(belongs: Callable[[ServiceKind], bool]) -> IsDue:
        def due(desk: Desk, data: Mapping[str, Any]) -> bool:
            kind = _kind(desk, data) if is_due(desk, data) else None
            return kind is not None and belongs(kind)

        return due

    def needs(field: str) -> IsDue:
        return due_if(lambda kind: field in drafting.required_fields(kind))

    return (
        Step("kind", CHOICE, _ask_kind, _read_kind, is_due),
        Step("problem", TEXT, asking("utter_staff_ask_problem"), any_text, is_due),
        Step("city", TEXT, asking("utter_staff_ask_city"), _read_city, needs(drafting.CITY)),
        Step("address", TEXT, asking("utter_staff_ask_address"), any_text, needs(drafting.ADDRESS)),
        Step("window", CHOICE, _ask_window, _read_window, needs(drafting.WINDOW)),
    )


def purchase_steps(is_due: IsDue) -> tuple[Step, ...]:
    """What is asked about a purchase."""
    return (
        Step("amount", NUMBER, asking("utter_staff_ask_purchase_amount"), _read_amount, is_due),
        Step("title", TEXT, _skippable("utter_staff_ask_purchase_title"), _skipped_or_text, is_due),
        Step("order", TEXT, _skippable("utter_staff_ask_order"), _read_order, is_due),
    )


def _skippable(response: str) -> Callable[[Desk, Task, Step], None]:
    def ask(desk: Desk, task: Task, step: Step) -> None:
        put(desk, task, step, response, choices=[(term(AREA, "buttons", "skip") or SKIP, SKIP)])

    return ask


def _skipped_or_text(desk: Desk, task: Task, answer: Answer) -> str | None:
    passes = answer.value == SKIP or is_one_of("shared", "passing", answer.text)
    return "" if passes else any_text(desk, task, answer)


def _read_order(desk: Desk, task: Task, answer: Answer) -> str | None:
    text = _skipped_or_text(desk, task, answer)
    found = find_order_numbers(text) if text else []
    if len(found) == 1:
        return found[0].value
    # Kept as orders are looked for, whatever the keyboard.
    return to_ascii_digits(text) if text else text


def _ask_category(desk: Desk, task: Task, step: Step) -> None:
    choices = [(title, key) for key, title in _categories(desk).items()]
    put(desk, task, step, "utter_staff_ask_category", choices=choices)


def _read_category(desk: Desk, _task: Task, answer: Answer) -> str | None:
    named = desk.turn.entity("category") if answer.text else None
    return named if named in _categories(desk) else one_of(answer, _categories(desk))


def _categories(desk: Desk) -> dict[str, str]:
    return {one.key: one.title for one in desk.rules.business.complaints.categories}


def _ask_kind(desk: Desk, task: Task, step: Step) -> None:
    choices = [(title, key) for key, title in _kinds(desk).items()]
    put(desk, task, step, "utter_staff_ask_kind", choices=choices)


def _read_kind(desk: Desk, _task: Task, answer: Answer) -> str | None:
    return one_of(answer, _kinds(desk))


def _kinds(desk: Desk) -> dict[str, str]:
    return {one.key: one.title for one in desk.rules.business.service.kinds}


def _kind(desk: Desk, data: Mapping[str, Any]) -> ServiceKind | None:
    key = data.get("kind")
    return next((one for one in desk.rules.business.service.kinds if one.key == key), None)


def _read_city(desk: Desk, task: Task, answer: Answer) -> str | None:
    city = desk.turn.entity("city") or answer.text.strip()
    kind = _kind(desk, task.data)
    if kind is None or not city:
        return None
    if not is_offered_in(kind, city):
        desk.reply.utter("utter_staff_city_not_served", city=city)
        return None
    return city


def _ask_window(desk: Desk, task: Task, step: Step) -> None:
    slots = _offered(desk, task)
    if not slots:
        drop(desk)
        desk.reply.utter("utter_staff_nothing_free")
        return
    choices = [(when_text(one.starts_at, one.ends_at), one.starts_at.isoformat()) for one in slots]
    put(desk, task, step, "utter_staff_ask_visit_time", choices=choices)


def _offered(desk: Desk, task: Task) -> list[Slot]:
    kind = _kind(desk, task.data)
    if kind is None:
        return []
    wish = wish_in(desk.turn.text, desk.turn.found) if not desk.turn.trusted else None
    if wish is not None:
        return offer(desk.session, kind, wish).slots[:OFFERED]
    return free_slots(desk.session, kind=kind, rules=desk.rules, limit=OFFERED)


def _read_window(desk: Desk, task: Task, answer: Answer) -> str | None:
    if answer.value:
        return _moment(answer.value)
    kind = _kind(desk, task.data)
    wish = wish_in(desk.turn.text, desk.turn.found)
    one = the_one(desk.session, kind, wish) if kind is not None and wish is not None else None
    return one.starts_at.isoformat() if one is not None else None


def _moment(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.isoformat() if moment.tzinfo is not None else None


def _read_amount(desk: Desk, _task: Task, _answer: Answer) -> int | None:
    amount = rials_in(desk.turn)
    return amount if amount is not None and amount > 0 else None


def ask_confirm(desk: Desk, task: Task, step: Step) -> None:
    """Everything once more."""
    data = task.data
    customer_id = data.get("customer")
    who = desk.name_of(int(customer_id)) if customer_id else str(data.get("name") or "")
    phone = phone_text(str(data["phone"])) if data.get("phone") else ""
    lines = [
        fragment("utter_staff_caller_line", name=who or phone_or_nameless(phone)),
        *([fragment("utter_visit_line_phone", phone=phone)] if phone else []),
        *_subject_lines(desk, data),
    ]
    put(
        desk,
        task,
        step,
        "utter_staff_confirm_registration",
        subject=terms(AREA)["subject_titles"][data["subject"]],
        lines=Rich("\n".join(lines)),
    )


def phone_or_nameless(phone: str) -> str:
    """What somebody is called of whom no name is known."""
    return phone or term(AREA, "words", "nameless") or ""


def _subject_lines(desk: Desk, data: Mapping[str, Any]) -> list[Rich]:
    titles = {**_categories(desk)} if data["subject"] == COMPLAINT else _kinds(desk)
    key = data.get("category") if data["subject"] == COMPLAINT else data.get("kind")
    story = str(data.get("description" if data["subject"] == COMPLAINT else "problem") or "")
    place = "، ".join(str(data[part]) for part in ("city", "address") if data.get(part))
    facts: list[tuple[str, dict[str, object]]] = []
    if data["subject"] == PURCHASE:
        facts = [
            ("utter_staff_amount_line", {"amount": toman_text(int(data["amount"]))}),
            ("utter_staff_goods_line", {"title": data.get("title")}),
        ]
    else:
        facts = [
            ("utter_staff_kind_line", {"title": titles.get(str(key))}),
            ("utter_staff_ticket_story_line", {"text": story[:LONGEST]}),
            ("utter_visit_line_address", {"address": place}),
            ("utter_staff_time_line", {"when": _when(desk, data)}),
        ]
    order = to_persian_digits(str(data.get("order") or ""))
    facts.append(("utter_staff_ticket_order_line", {"order": order}))
    return [fragment(name, **values) for name, values in facts if all(values.values())]


def _when(desk: Desk, data: Mapping[str, Any]) -> str:
    kind, chosen = _kind(desk, data), data.get("window")
    if kind is None or not chosen:
        return ""
    starts_at = datetime.fromisoformat(str(chosen))
    slots = free_slots(desk.session, kind=kind, rules=desk.rules, limit=10_000)
    one = next((slot for slot in slots if slot.starts_at == starts_at), None)
    return when_text(one.starts_at, one.ends_at) if one is not None else ""
