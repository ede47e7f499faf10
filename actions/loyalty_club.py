"""What the club's conversations share: whether there is one, who belongs to it, how things are written."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from actions.base import Reply, environment
from actions.customers import can_send_contact, customer_of_turn, is_proven
from actions.texts import Rich, fragment, is_any_in
from actions.turn import Turn
from crm_store.business.loyalty import Loyalty, ReferralRules
from crm_store.loyalty.balance import Balance, balance_of
from crm_store.loyalty.service import is_member
from crm_store.persian import rich, to_jalali_datetime_text, to_jalali_text, to_persian_digits, toman_text

#: Asks for the number under which purchases may wait.
PROVE_PHONE = "utter_club_prove_phone"
#: Asks whoever came by a friend's code for the number under which they will buy.
PROVE_FRIENDS_PHONE = "utter_club_friend_prove_phone"
_RIALS_IN_A_TOMAN = 10
#: The last moment of a day on whose end something lapses.
_A_MOMENT = timedelta(seconds=1)


def club() -> Loyalty:
    """The club's rules as they are now."""
    return environment().business.loyalty


def is_open(reply: Reply) -> bool:
    """Whether there is a club; says so where there is none."""
    if not club().is_on:
        reply.utter("utter_club_off")
    return club().is_on


def member_of_turn(turn: Turn, session: Session, reply: Reply) -> int | None:
    """The member who writes; says how to begin where there is no club or they are not in it yet."""
    if not is_open(reply):
        return None
    customer_id = customer_of_turn(turn, session)
    if is_member(session, customer_id=customer_id):
        return customer_id
    tell_how_to_begin(turn, session, reply)
    return None


def tell_how_to_begin(turn: Turn, session: Session, reply: Reply) -> None:
    """Say how somebody gets into the club; purchases may wait under a number that is to be proven."""
    is_known = is_proven(session, customer_of_turn(turn, session))
    asks = can_send_contact(turn, session) and not is_known
    reply.utter(PROVE_PHONE if asks else "utter_club_not_member", rate=rate_text(club().tomans_per_point))


def balance(session: Session, customer_id: int) -> Balance:
    """What a customer has, and what of it lapses soon."""
    return balance_of(session, customer_id=customer_id, soon=timedelta(days=club().expiring_soon_days))


def rate_text(tomans: int) -> str:
    """For how much money there is a point."""
    return toman_text(tomans * _RIALS_IN_A_TOMAN)


def minimum_text(rules: ReferralRules) -> str:
    """What a friend's purchase has to come to; empty where any will do."""
    return rate_text(rules.minimum_tomans) if rules.minimum_tomans else ""


def referral_reward(rules: ReferralRules) -> Rich:
    """What a friend's first purchase brings, and to whom."""
    if not rules.referrer_points:
        return fragment("utter_club_reward_of_friend", friend=rules.friend_points)
    told = {"points": rules.referrer_points, "limit": rules.yearly_limit}
    if not rules.friend_points:
        return fragment("utter_club_reward_of_referrer", **told)
    return fragment("utter_club_reward_of_both", **told, friend=rules.friend_points)


def times_text(multiplier: float) -> str:
    """How many times the points: «۱٫۵»."""
    return to_persian_digits(f"{multiplier:g}".replace(".", "\u066b"))


def day_text(moment: datetime) -> str:
    """The day of a moment where the business is."""
    return to_jalali_text(moment, environment().rules.timezone)


def last_day_text(moment: datetime) -> str:
    """The last day before a moment at which something lapses."""
    return day_text(moment - _A_MOMENT)


def closing_text(moment: datetime) -> str:
    """Until when something is open, to the minute; midnight belongs to the day that it ends."""
    timezone = environment().rules.timezone
    local = moment.astimezone(ZoneInfo(timezone))
    is_midnight = (local.hour, local.minute) == (0, 0)
    return to_jalali_datetime_text(local - _A_MOMENT if is_midnight else local, timezone)


def first_name(full_name: str) -> str:
    """The name by which somebody is spoken to, with what belongs before it; empty where none is known."""
    words = full_name.split()
    titles = list(takewhile(lambda word: is_any_in("loyalty", "before_names", word), words))
    return " ".join(words[: len(titles) + 1])


def lines_text(lines: list[Rich]) -> Rich:
    """Lines of a list, each a fragment."""
    return Rich("\n".join(lines))


def title_of_button(response: str, **params: object) -> str:
    """A fragment as a button's title."""
    return rich.to_plain(fragment(response, **params))
