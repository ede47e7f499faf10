"""Whether somebody of the staff takes conversations over at the moment: said in words or by a button."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from actions.staff_desk import Desk, go
from actions.staff_words import AREA, longest_named
from actions.texts import Rich, fragment
from crm_store.handoff.models import CLAIMED, WAITING, Handoff
from crm_store.handoff.presence import AWAY, OFFLINE, ONLINE, PRESENCES, presence_of, set_presence
from crm_store.terms import term

_TOLD = {
    "online": "utter_staff_presence_online",
    "away": "utter_staff_presence_away",
    "offline": "utter_staff_presence_offline",
}
#: Who asks how it is changes nothing.
_QUESTION = re.compile(r"[\u061f?]")


def say_presence(desk: Desk) -> None:
    """Note whether conversations are offered to whoever writes; without a word of it, ask."""
    turn = desk.turn
    wanted = turn.entity("presence") if turn.trusted else _named_in(turn.text)
    if wanted not in PRESENCES:
        state = term(AREA, "presence", presence_of(desk.staff)) or ""
        buttons = [*presence_buttons(desk), go("queue", "staff_my_queue")]
        desk.reply.utter("utter_staff_ask_presence", state=state, waiting=waiting_line(desk), buttons=buttons)
        return
    set_presence(desk.session, staff=desk.staff, presence=wanted)
    buttons = [*presence_buttons(desk), go("queue", "staff_my_queue")]
    if wanted == ONLINE:
        buttons.append(go("next_one", "staff_take_over", value="next"))
    desk.reply.utter(_TOLD[wanted], waiting=waiting_line(desk), buttons=buttons)


def presence_buttons(desk: Desk) -> list[dict[str, str]]:
    """Buttons for whatever does not hold now."""
    now = presence_of(desk.staff)
    return [go(f"be_{one}", "staff_presence", presence=one) for one in PRESENCES if one != now]


def waiting_line(desk: Desk) -> Rich:
    """How many wait for a person, and how many whoever asks has in hand."""
    waiting = desk.session.scalar(select(func.count()).where(Handoff.state == WAITING)) or 0
    mine = desk.session.scalar(
        select(func.count()).where(Handoff.state == CLAIMED, Handoff.owner_id == desk.staff.id)
    )
    return fragment("utter_queue_waiting", waiting=waiting, mine=mine or 0) if waiting or mine else Rich("")


def _named_in(text: str) -> str | None:
    """The presence that words ask for; who is away until tomorrow is offline."""
    found = set() if _QUESTION.search(text) else longest_named("presences", text)
    found = found - {AWAY} if OFFLINE in found else found
    return found.pop() if len(found) == 1 else None
