"""Which of somebody's tickets a text means: by its code, by its place in the list, or by what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.codes import named_ticket
from actions.texts import is_any_in, named, words
from actions.ticket_tasks import Ticket, title_of
from actions.turn import Turn
from crm_store.tickets.queries import kind_of

#: Shortest word of a title by which a ticket is known, and shortest one with an ending, in characters.
TELLING_LENGTH, LONG_ENOUGH = 3, 4


def meant_ticket(turn: Turn, own: Sequence[Any], *, listed: bool) -> Ticket | None:
    """The ticket that a text names; None where that is not clear.

    Args:
        turn: the message.
        own: the tickets that it may be, the newest first.
        listed: they were shown just before, in this order: «دومی» is the second of them.
    """
    pointed_at = _by_code(turn, own) or (_by_place(turn, own) if listed else None)
    of_kind = _of_named_kind(turn, own)
    only = of_kind[0] if len(of_kind) == 1 < len(own) else None
    return pointed_at or only or _by_title(turn, of_kind) or _newest(turn, of_kind)


def _by_code(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    code = named_ticket(turn)
    return next((ticket for ticket in own if ticket.code == code), None)


def _by_place(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    """«اولی», «دومی», «آخری» of the list as it was shown."""
    typed = words(turn.text)
    if len(typed) == 1 and typed[0].isdecimal():
        found = {int(typed[0])}
    else:
        found = {int(place) for place in named("tickets", "places", turn.text)}
    if len(found) != 1:
        return None
    place = found.pop()
    index = place - 1 if place > 0 else len(own) + place
    return own[index] if 0 <= index < len(own) else None


def _of_named_kind(turn: Turn, own: Sequence[Any]) -> Sequence[Any]:
    """Those that a text calls a complaint or a request; all of them where it says neither or both."""
    kinds = named("tickets", "kinds", turn.text)
    return [ticket for ticket in own if kind_of(ticket) in kinds] if len(kinds) == 1 else own


def _by_title(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    """The only one whose category, or a word of whose title, stands in the text."""
    categories = {str(one.value) for one in turn.found if one.entity == "category"}
    typed = words(turn.text)
    fitting = [
        ticket
        for ticket in own
        if getattr(ticket, "category", "") in categories
        or any(_stands_in(typed, word) for word in words(title_of(ticket)))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _stands_in(typed: list[str], word: str) -> bool:
    """Whether a word of a title was typed, with an ending («تعمیرم») if it is long enough."""
    if len(word) < LONG_ENOUGH:
        return len(word) >= TELLING_LENGTH and word in typed
    return any(one.startswith(word) for one in typed)


def _newest(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    """«آخرین شکایتم» is the one that was registered last."""
    return own[0] if own and is_any_in("tickets", "newest", turn.text) else None
