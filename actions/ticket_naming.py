"""Which of somebody's tickets a text means: by its code, by its place in the list, or by what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.codes import named_ticket
from actions.texts import is_any_in, words
from actions.ticket_tasks import Ticket, title_of
from actions.turn import Turn
from crm_store.persian import fold
from crm_store.terms import terms

#: Shortest word of a title by which a ticket is known, in characters.
TELLING_LENGTH = 4


def meant_ticket(turn: Turn, own: Sequence[Any], *, listed: bool) -> Ticket | None:
    """The ticket that a text names; None where that is not clear.

    Args:
        turn: the message.
        own: the tickets that it may be, the newest first.
        listed: they were shown just before, in this order: «دومی» is the second of them.
    """
    return _by_code(turn, own) or (_by_place(turn, own) if listed else None) or _by_title(turn, own) or _newest(turn, own)


def _by_code(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    code = named_ticket(turn)
    return next((ticket for ticket in own if ticket.code == code), None)


def _by_place(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    """«اولی», «دومی», «آخری» of the list as it was shown."""
    typed = f" {' '.join(words(turn.text))} "
    found = {
        int(place)
        for place, names in terms("tickets")["places"].items()
        if any(f" {' '.join(words(str(name)))} " in typed for name in names)
    }
    if len(found) != 1:
        return None
    place = found.pop()
    index = place - 1 if place > 0 else len(own) - 1
    return own[index] if 0 <= index < len(own) else None


def _by_title(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    """The only one whose category, or a word of whose title, stands in the text."""
    categories = {str(one.value) for one in turn.found if one.entity == "category"}
    typed = set(words(turn.text))
    fitting = [
        ticket
        for ticket in own
        if getattr(ticket, "category", "") in categories
        or any(len(word) >= TELLING_LENGTH and word in typed for word in fold(title_of(ticket)).split())
    ]
    return fitting[0] if len(fitting) == 1 else None


def _newest(turn: Turn, own: Sequence[Any]) -> Ticket | None:
    """«آخرین شکایتم» is the one that was registered last."""
    return own[0] if own and is_any_in("tickets", "newest", turn.text) else None
