"""Raffles: which there are, one's chances, taking part, and who has won."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.answers import is_question
from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.customers import customer_of_turn
from actions.loyalty_club import (
    balance,
    closing_text,
    day_text,
    is_open,
    lines_text,
    tell_how_to_begin,
    title_of_button,
)
from actions.texts import button, fragment, is_any_in, meant
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.errors import CrmError, LimitReached
from crm_store.loyalty import raffles
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.models import OPEN, Raffle, RaffleEntry
from crm_store.loyalty.raffles import Chances
from crm_store.tickets.expecting import RAFFLE

#: Winners that are shown at once, the latest first.
WINNERS = 10


class ActionLoyaltyRaffle(StoreAction):
    """Tells of raffles and winners; whoever asks to take part goes straight on."""

    def name(self) -> str:
        return "action_loyalty_raffle"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        asked = meant("loyalty", "asks_of_raffles", turn.text)
        if turn.entity("view") == "winners" or asked == "winners":
            _tell_winners(session, reply)
            return []
        if asked == "fair":
            reply.utter("utter_club_raffle_fair")
        current = list(raffles.current_raffles(session))
        running = [one for one in current if _takes_chances(one)]
        if not current:
            if is_open(reply):
                reply.utter("utter_club_no_raffle")
            return []
        wishes = (
            asked == "join" and not is_question(turn.text) and not is_any_in("loyalty", "asking", turn.text)
        )
        if wishes and len(running) == 1:
            return _join_or_ask(turn, session, reply, running[0])
        for raffle in current:
            _tell(turn, session, reply, raffle)
        return []


class ActionJoinRaffle(StoreAction):
    """Takes part in a raffle: by right at once, with points after they agreed to it."""

    def name(self) -> str:
        return "action_join_raffle"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        number, asked = turn.entity("raffle") or "", turn.entity("asked")
        raffle = session.get(Raffle, int(number)) if number.isdecimal() else None
        if raffle is None:
            reply.utter("utter_club_raffle_not_open")
        elif asked is None:
            return _join_or_ask(turn, session, reply, raffle)
        else:
            _join(turn, session, reply, raffle, key=f"raffle:{raffle.id}:{asked}")
        return []


def _tell(turn: Turn, session: Session, reply: Reply, raffle: Raffle) -> None:
    """What a raffle is about and how the chances are."""
    chances = _chances(turn, session, raffle)
    told: dict[str, Any] = {"title": raffle.title, "own": chances.own, "all": chances.all}
    if not _takes_chances(raffle):
        reply.utter("utter_club_raffle_closed_in" if chances.own else "utter_club_raffle_closed_out", **told)
        return
    title = (
        title_of_button("utter_club_raffle_pay_button", points=chances.costs)
        if chances.costs
        else title_of_button("utter_club_raffle_join_button")
    )
    reply.utter(
        "utter_club_raffle_in" if chances.own else "utter_club_raffle_out",
        **told,
        prize=raffle.prize,
        winners=raffle.winners,
        when=closing_text(raffle.closes_at),
        buttons=[button(title, "join_raffle", raffle=str(raffle.id))] if chances.can_join else None,
    )


def _chances(turn: Turn, session: Session, raffle: Raffle) -> Chances:
    customer_id = customer_of_turn(turn, session)
    return raffles.chances_of(session, customer_id=customer_id, raffle_id=raffle.id)


def _join_or_ask(turn: Turn, session: Session, reply: Reply, raffle: Raffle) -> list[Event]:
    """Take part where it costs nothing, ask first where it does."""
    key = f"raffle:{raffle.id}:right:{turn.inbox_id}"
    entered = session.scalar(select(RaffleEntry.id).where(RaffleEntry.idempotency_key == key))
    chances = _chances(turn, session, raffle)
    if entered is not None or (chances.can_join and not chances.costs):
        _join(turn, session, reply, raffle, key=key, is_free=True)
        return []
    points = _points(turn, session)
    if not chances.can_join or points < chances.costs:
        _tell_impossible(turn, session, reply, raffle)
        return []
    asked = str(turn.inbox_id)
    yes = title_of_button("utter_club_raffle_yes_button")
    reply.utter(
        "utter_club_raffle_confirm",
        title=raffle.title,
        points=chances.costs,
        rest=points - chances.costs,
        buttons=[
            button(yes, "join_raffle", raffle=str(raffle.id), asked=asked),
            button(title_of_button("utter_club_no_button"), "drop_redeem"),
        ],
        expects=(RAFFLE, f"{raffle.id}:{asked}"),
    )
    return keep_form_waiting(turn)


def _join(
    turn: Turn, session: Session, reply: Reply, raffle: Raffle, *, key: str, is_free: bool = False
) -> None:
    """Take a chance; one that was to be free is left where it would cost something after all."""
    customer_id, rules = customer_of_turn(turn, session), environment().rules
    try:
        # What was done before it turned out to be impossible is undone.
        with session.begin_nested():
            entry = raffles.join(session, customer_id=customer_id, raffle_id=raffle.id, key=key, rules=rules)
            if is_free and entry.posting_id is not None:
                raise LimitReached("the free chance was taken meanwhile")
    except CrmError:
        _tell_impossible(turn, session, reply, raffle)
    else:
        own = _chances(turn, session, raffle).own
        reply.utter("utter_club_raffle_joined", title=raffle.title, code=grouped(entry.ticket), own=own)


def _tell_impossible(turn: Turn, session: Session, reply: Reply, raffle: Raffle) -> None:
    """Say why somebody cannot take part, or not once more."""
    own = _chances(turn, session, raffle).own
    if not _takes_chances(raffle):
        reply.utter("utter_club_raffle_not_open")
    elif own >= raffle.chances or (own and not raffle.points):
        reply.utter("utter_club_raffle_limit", title=raffle.title)
    elif raffle.points:
        missing = max(1, raffle.points - _points(turn, session))
        reply.utter("utter_club_raffle_missing", title=raffle.title, points=raffle.points, missing=missing)
    elif raffles.EVERYBODY in raffle.by_right:
        tell_how_to_begin(turn, session, reply)
    else:
        reply.utter("utter_club_raffle_not_for_you", title=raffle.title, tiers="، ".join(raffle.by_right))


def _takes_chances(raffle: Raffle) -> bool:
    return raffle.state == OPEN and raffle.closes_at > utcnow()


def _points(turn: Turn, session: Session) -> int:
    return balance(session, customer_of_turn(turn, session)).points


def _tell_winners(session: Session, reply: Reply) -> None:
    """The latest winners, by masked names and tickets."""
    lines = [
        fragment(
            "utter_club_winner_line",
            title=one.title,
            when=day_text(one.drawn_at),
            name=one.name,
            code=grouped(one.ticket),
        )
        for one in raffles.past_winners(session, limit=WINNERS)
    ]
    if lines:
        reply.utter("utter_club_winners", lines=lines_text(lines))
    else:
        reply.utter("utter_club_no_winners")
