"""A customer's card, their history and the notes on them, with buttons to go on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from actions.staff_desk import GOES_ON, Desk, go
from actions.staff_find import customer_for, open_chosen, open_customer
from actions.staff_words import AREA
from actions.texts import Rich, button, fragment, named
from actions.turn import Turn
from crm_store.conversations.reaching import latest_chat
from crm_store.errors import NotFound
from crm_store.overview.card import card_of
from crm_store.overview.history import GROUPS, HistoryEntry, history
from crm_store.overview.parts import CustomerCard
from crm_store.overview.telling import card_text
from crm_store.persian import to_jalali_datetime_text, to_persian_digits
from crm_store.staff.models import StaffMember
from crm_store.staff.notes import notes_of
from crm_store.terms import term, terms

PAGE = 8
#: So many of the open tickets get a button of their own.
TICKETS = 3
#: Notes on one customer that can be reached in chat.
_NOTES = 500


def open_button(desk: Desk) -> None:
    """Open the customer of a button of ours: the card, or what was asked before we knew whom it is about."""
    turn = desk.turn
    named_id = turn.button_value("staff_open", "customer")
    if named_id is None or not named_id.isdecimal():
        desk.reply.utter("utter_staff_step_over")
        return
    if not desk.may("customer.view", target_type="customer", target_id=named_id):
        return
    if turn.entity(GOES_ON) and open_chosen(desk, int(named_id)):
        return
    show_card(desk, int(named_id))


def show_card(desk: Desk, customer_id: int) -> None:
    """Show everything that is known about a customer at a glance."""
    try:
        card = card_of(desk.session, customer_id=customer_id, rules=desk.rules)
    except NotFound:
        desk.reply.utter("utter_staff_customer_gone")
        return
    if open_customer(desk, card.customer_id):
        text = card_text(card, rules=desk.rules, full_phone=desk.sees_phones)
        desk.reply.utter("utter_staff_card", lines=Rich(text), buttons=_buttons(desk, card))


def go_on_buttons(desk: Desk) -> list[dict[str, str]]:
    """What may come next with the customer whom a member has in mind."""
    customer_id = desk.focus.customer_id
    if customer_id is None or not desk.can("customer.view"):
        return [go("queue", "staff_my_queue")]
    return [go("card", "staff_open", customer=str(customer_id)), go("queue", "staff_my_queue")]


def _buttons(desk: Desk, card: CustomerCard) -> list[dict[str, str]]:
    tickets = [
        button(
            str(fragment("utter_staff_ticket_button", title=_title(desk, one.subject_type, one.title))),
            "staff_ticket",
            ticket=one.code,
        )
        for one in card.tickets[:TICKETS]
    ]
    offered = [
        ("history", "customer.history", "staff_history"),
        ("add_note", "customer.note", "staff_add_note"),
        ("register", "ticket.register", "staff_register"),
        ("points", "points.adjust", "staff_adjust_points"),
    ]
    buttons = [go(title, intent) for title, permission, intent in offered if desk.can(permission)]
    has_chat = latest_chat(desk.session, customer_id=card.customer_id) is not None
    if has_chat and desk.can("handoff.claim"):
        buttons.append(go("take_over", "staff_take_over"))
    return [*tickets, *buttons]


def _title(desk: Desk, subject_type: str, key: str) -> str:
    business = desk.rules.business
    return business.category(key).title if subject_type == "complaint" else business.service_kind(key).title


def show_history(desk: Desk) -> None:
    """Show what happened with a customer, newest first, of a kind or a period if one is named."""
    customer_id = customer_for(desk, "customer.history")
    if customer_id is None:
        return
    turn = desk.turn
    kinds = [one for one in _kinds_of(turn) if one in GROUPS]
    before = turn.entity("before") or ""
    span = _span_of(turn)
    if kinds == ["notes"] and span is None:
        show_notes(desk, customer_id, before=before)
        return
    page = history(
        desk.session,
        customer_id=customer_id,
        rules=desk.rules,
        kinds=kinds,
        since=_moment(desk, span[0]) if span else None,
        until=_moment(desk, span[1]) if span else None,
        before_id=int(before) if before.isdecimal() else None,
        size=PAGE,
    )
    name = desk.name_of(customer_id)
    filters = {"kind": ",".join(kinds), **({"period": f"{span[0]},{span[1]}"} if span else {})}
    buttons = _history_buttons(desk, page.next_before_id, filters, is_first=not before)
    if not page.entries:
        desk.reply.utter("utter_staff_history_empty", name=name, buttons=buttons)
        return
    lines = Rich("\n".join(_history_line(desk, one) for one in page.entries))
    response = "utter_staff_history_page" if before else "utter_staff_history"
    desk.reply.utter(response, name=name, lines=lines, buttons=buttons)


def _kinds_of(turn: Turn) -> list[str]:
    if turn.trusted:
        return (turn.entity("kind") or "").split(",")
    return sorted(named(AREA, "history_kinds", turn.text))


def _span_of(turn: Turn) -> tuple[date, date] | None:
    """First day, and the first one after, of what was named."""
    for value in turn.entities.get("period", ()):
        if isinstance(value, dict):
            return date.fromisoformat(str(value["from"])), date.fromisoformat(str(value["to"]))
        first, _, after = str(value).partition(",")
        return date.fromisoformat(first), date.fromisoformat(after)
    day = turn.entity("date")
    return (date.fromisoformat(day), date.fromisoformat(day) + timedelta(days=1)) if day else None


def _moment(desk: Desk, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(desk.rules.timezone)).astimezone(timezone.utc)


def _history_line(desk: Desk, entry: HistoryEntry) -> Rich:
    told: dict[str, Any] = {
        "when": to_jalali_datetime_text(entry.at, desk.rules.timezone),
        "title": entry.title,
        "code": to_persian_digits(entry.code),
        "detail": desk.words(entry.detail),
        "name": entry.actor_name,
    }
    line = fragment("utter_staff_history_line", when=told["when"], title=told["title"])
    extras = [
        fragment(response, **{key: told[key]})
        for key, response in (
            ("code", "utter_staff_history_code"),
            ("detail", "utter_staff_history_detail"),
            ("name", "utter_staff_history_by"),
        )
        if told[key]
    ]
    return Rich(line + "".join(extras))


def _history_buttons(
    desk: Desk, next_id: int | None, filters: dict[str, str], *, is_first: bool
) -> list[dict[str, str]]:
    buttons = []
    if next_id is not None:
        buttons.append(go("older", "staff_history", before=str(next_id), **filters))
    if is_first and not filters["kind"]:
        titles = terms(AREA)["history_buttons"]
        buttons += [
            button(title, "staff_history", **{**filters, "kind": key}) for key, title in titles.items()
        ]
    return [*buttons, *go_on_buttons(desk)]


def show_notes(desk: Desk, customer_id: int, *, before: str = "") -> None:
    """Show the notes on a customer page by page, pinned ones first.

    Args:
        before: the id of the last note of the page before.
    """
    every = notes_of(desk.session, customer_id=customer_id, limit=_NOTES)
    begins = next((place for place, one in enumerate(every, 1) if str(one.id) == before), 0)
    notes = every[begins : begins + PAGE]
    name = desk.name_of(customer_id)
    buttons = [go("add_note", "staff_add_note"), *go_on_buttons(desk)]
    if len(every) > begins + PAGE:
        buttons.insert(0, go("older", "staff_history", kind="notes", before=str(notes[-1].id)))
    if not notes:
        desk.reply.utter("utter_staff_notes_empty", name=name, buttons=buttons)
        return
    authors = {one.staff_id: _staff_name(desk, one.staff_id) for one in notes}
    lines = [
        fragment(
            "utter_staff_pinned_note_line" if note.is_pinned else "utter_staff_note_line",
            number=number,
            when=to_jalali_datetime_text(note.created_at, desk.rules.timezone),
            name=authors[note.staff_id],
            text=desk.words(note.text),
        )
        for number, note in enumerate(notes, begins + 1)
    ]
    pins = [
        button(
            str(fragment(_PIN_TITLES[note.is_pinned], number=number)),
            "staff_pin_note",
            note=str(note.id),
            value="unpin" if note.is_pinned else "pin",
        )
        for number, note in enumerate(notes[:TICKETS], begins + 1)
    ]
    desk.reply.utter(
        "utter_staff_notes", name=name, lines=Rich("\n\n".join(lines)), buttons=[*pins, *buttons]
    )


_PIN_TITLES = {False: "utter_staff_pin_note_button", True: "utter_staff_unpin_note_button"}


def _staff_name(desk: Desk, staff_id: int) -> str:
    member = desk.session.get(StaffMember, staff_id)
    return (
        (member.name or member.login or "") if member is not None else (term(AREA, "words", "somebody") or "")
    )
