"""Codes that points were spent on: shown when they are made, listed while they are unused, given back."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction
from actions.customers import customer_of_turn
from actions.loyalty_club import balance, last_day_text, lines_text, title_of_button
from actions.texts import Rich, button, fragment, meant
from actions.turn import Turn
from crm_store.errors import InvalidTransition, TooLate
from crm_store.loyalty import code_endings, redemptions
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.models import ACTIVE, CANCELLED, Redemption

#: Codes that are shown at once, the newest first, and how far back they are looked for.
CODES, LOOKED_AT = 5, 50


def asks_for_codes(turn: Turn) -> bool:
    """Whether a message asks for the codes that one has rather than for a new one."""
    return meant("loyalty", "asks_of_rewards", turn.text) == "codes"


def tell_code(reply: Reply, taken: Redemption, *, points: int) -> None:
    """Give the code of a reward that was just taken.

    Args:
        points: what is left.
    """
    told: dict[str, Any] = {"title": taken.title, "code": grouped(taken.code), "points": points}
    if taken.state != ACTIVE:
        reply.utter("utter_club_code_is_over")
    elif taken.expires_at is None:
        reply.utter("utter_club_code_lasting", **told)
    else:
        reply.utter("utter_club_code", **told, when=last_day_text(taken.expires_at))


def tell_codes(turn: Turn, session: Session, reply: Reply) -> None:
    """List the codes that are unused, each with a button that gives it back."""
    customer_id = customer_of_turn(turn, session)
    found = redemptions.redemptions_of(session, customer_id=customer_id, limit=LOOKED_AT)
    unused = [one for one in found if one.state == ACTIVE][:CODES]
    if not unused:
        reply.utter("utter_club_no_codes")
        return
    reply.utter(
        "utter_club_codes",
        lines=lines_text([_line_of(one) for one in unused]),
        buttons=[
            button(
                title_of_button("utter_club_cancel_button", code=grouped(one.code)),
                "cancel_code",
                redemption=str(one.id),
            )
            for one in unused
        ],
    )


def _line_of(one: Redemption) -> Rich:
    told: dict[str, Any] = {"title": one.title, "code": grouped(one.code)}
    if one.expires_at is None:
        return fragment("utter_club_code_lasting_line", **told)
    return fragment("utter_club_code_line", **told, when=last_day_text(one.expires_at))


class ActionCancelCode(StoreAction):
    """Gives an unused code back; its points return to where they came from."""

    def name(self) -> str:
        return "action_cancel_code"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        customer_id, number = customer_of_turn(turn, session), turn.entity("redemption") or ""
        own = redemptions.redemptions_of(session, customer_id=customer_id, limit=LOOKED_AT)
        meant_one = next((one for one in own if str(one.id) == number), None)
        if meant_one is None or not _give_back(session, meant_one):
            reply.utter("utter_club_code_cannot_cancel")
        else:
            lost = meant_one.points - code_endings.came_back(session, meant_one)
            told: dict[str, Any] = {"title": meant_one.title, "points": balance(session, customer_id).points}
            if lost:
                reply.utter("utter_club_code_cancelled_late", lost=lost, **told)
            else:
                reply.utter("utter_club_code_cancelled", **told)
        return []


def _give_back(session: Session, one: Redemption) -> bool:
    """Whether the code is given back, now or by this message before its answer was lost."""
    try:
        redemptions.cancel(session, redemption_id=one.id, customer_id=one.customer_id, actor="customer")
    except (InvalidTransition, TooLate):
        return one.state == CANCELLED
    return True
