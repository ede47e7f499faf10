"""Customers who bring friends: one's own code and link, and entering a friend's code."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.customers import can_send_contact, channel_of, customer_of_turn, is_proven
from actions.loyalty_club import (
    PROVE_FRIENDS_PHONE,
    club,
    is_open,
    lines_text,
    minimum_text,
    referral_reward,
    title_of_button,
)
from actions.texts import Rich, button, fragment, meant, words
from actions.turn import Turn
from crm_store.business.loyalty import ReferralRules
from crm_store.errors import NotFound
from crm_store.heartbeats import bot_username
from crm_store.loyalty.choosing import friend_code_in
from crm_store.loyalty.referrals import ReferralRefused, code_of, enter_code, find_code, referrals_of
from crm_store.tickets.expecting import FRIEND_CODE

#: How a link opens a bot with something to say, by messenger. Telegram documents it, Bale does the same.
LINKS = {
    "telegram": "https://t.me/{username}?start={start}",
    "bale": "https://ble.ir/{username}?start={start}",
}
#: What stands before a friend's code in such a link.
START_PREFIX = "ref_"
#: What is said to a code that does not count, by the reason.
REFUSED = {
    "unknown": "utter_club_friend_unknown",
    "own": "utter_club_friend_own",
    "too_late": "utter_club_friend_too_late",
    "already": "utter_club_friend_already",
    "ring": "utter_club_friend_ring",
}
#: Beside a question which code it is, what it is about: nothing in particular.
ANY = "any"


class ActionLoyaltyReferral(StoreAction):
    """Gives one's own code and link, or takes a friend's code."""

    def name(self) -> str:
        return "action_loyalty_referral"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if not is_open(reply):
            return []
        if not _is_on():
            reply.utter("utter_club_referral_off")
            return []
        code = None if turn.trusted else friend_code_in(turn.text)
        if code is not None:
            return _enter(turn, session, reply, code)
        wants_to_enter = meant("loyalty", "asks_of_friends", turn.text) == "enter"
        if turn.entity("view") == "enter" or wants_to_enter:
            return _ask_for_code(turn, reply)
        _tell_own(turn, session, reply)
        return []


class ActionEnterFriendCode(StoreAction):
    """Takes a friend's code, or says kindly why it does not count."""

    def name(self) -> str:
        return "action_enter_friend_code"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        code = turn.entity("code")
        if not is_open(reply):
            return []
        if not _is_on():
            reply.utter("utter_club_referral_off")
            return []
        return _ask_for_code(turn, reply) if code is None else _enter(turn, session, reply, code)


def take_bare_code(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    """Take a friend's code that stands alone in a message; None where it is none that we gave."""
    code = None if turn.trusted else friend_code_in(turn.text, asked=True)
    is_alone = code is not None and len(words(turn.text)) == 1
    if not is_alone or code is None or not _is_on() or find_code(session, code=code) is None:
        return None
    return _enter(turn, session, reply, code)


def take_code_of_link(turn: Turn, session: Session, reply: Reply) -> None:
    """Take the code that stood in the link which opened this chat; nothing is said where there is none."""
    code = turn.entity("code")
    if code is not None and _is_on():
        _enter(turn, session, reply, code)


def _is_on() -> bool:
    """Whether bringing friends brings points."""
    rules = club().referral
    return club().is_on and bool(rules.referrer_points or rules.friend_points)


def _enter(turn: Turn, session: Session, reply: Reply, code: str) -> list[Event]:
    customer_id = customer_of_turn(turn, session)
    try:
        with session.begin_nested():
            enter_code(session, customer_id=customer_id, code=code, rules=environment().rules)
    except (ReferralRefused, NotFound) as refused:
        reason = getattr(refused, "reason", "unknown")
        # Another try is likely only where the code may have been mistyped.
        expects = (FRIEND_CODE, ANY) if reason == "unknown" else None
        reply.utter(REFUSED[reason], expects=expects)
        return keep_form_waiting(turn) if expects else []
    noted, told = _noted(club().referral)
    if can_send_contact(turn, session) and not is_proven(session, customer_id):
        # What they buy is theirs only under a number that is proven.
        reply.utter(PROVE_FRIENDS_PHONE, noted=fragment(noted, **told))
    else:
        reply.utter(noted, **told)
    return []


def _noted(rules: ReferralRules) -> tuple[str, dict[str, Any]]:
    """The response to a friend's code that counts, with what it brings and for which purchase."""
    minimum = minimum_text(rules)
    if rules.friend_points and minimum:
        return "utter_club_friend_noted_from", {"points": rules.friend_points, "minimum": minimum}
    if rules.friend_points:
        return "utter_club_friend_noted", {"points": rules.friend_points}
    if minimum:
        return "utter_club_friend_noted_plain_from", {"minimum": minimum}
    return "utter_club_friend_noted_plain", {}


def _ask_for_code(turn: Turn, reply: Reply) -> list[Event]:
    reply.utter("utter_club_ask_friend_code", expects=(FRIEND_CODE, ANY))
    return keep_form_waiting(turn)


def _tell_own(turn: Turn, session: Session, reply: Reply) -> None:
    customer_id = customer_of_turn(turn, session)
    code = code_of(session, customer_id=customer_id)
    link, minimum = _link(turn, session, code), minimum_text(club().referral)
    told: dict[str, Any] = {
        "code": code,
        "reward": referral_reward(club().referral),
        "counts": lines_text([Rich(""), _counts(session, customer_id)]),
        "buttons": [button(title_of_button("utter_club_enter_button"), "loyalty_referral", view="enter")],
    }
    if link is None and minimum:
        reply.utter("utter_club_referral_code_from", **told, minimum=minimum)
    elif link is None:
        reply.utter("utter_club_referral_code", **told)
    elif minimum:
        reply.utter("utter_club_referral_link_from", **told, link=link, minimum=minimum)
    else:
        reply.utter("utter_club_referral_link", **told, link=link)


def _link(turn: Turn, session: Session, code: str) -> str | None:
    """The link that opens the bot of this chat's messenger with a code; None in chats that have none."""
    channel = channel_of(turn, session)
    username = bot_username(session, channel=channel) if channel in LINKS else None
    return LINKS[channel].format(username=username, start=START_PREFIX + code) if username else None


def _counts(session: Session, customer_id: int) -> Rich:
    counts = referrals_of(session, customer_id=customer_id)
    if not counts.rewarded and not counts.waiting:
        return fragment("utter_club_referral_none")
    return fragment(
        "utter_club_referral_counts",
        rewarded=counts.rewarded,
        waiting=counts.waiting,
        points=counts.points,
    )
