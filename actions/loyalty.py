"""The customers' club in conversation: what one has, where it came from, the tier, and how to earn."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.customers import customer_of_turn, tell_link
from actions.loyalty_club import (
    balance,
    club,
    day_text,
    first_name,
    is_open,
    last_day_text,
    lines_text,
    member_of_turn,
    rate_text,
    title_of_button,
)
from actions.loyalty_earning import ways_to_earn
from actions.texts import Rich, button, fragment, meant
from actions.turn import Turn
from crm_store.customers.models import Customer
from crm_store.loyalty.balance import Balance, history_of, lots_of
from crm_store.loyalty.models import ADJUST, EXPIRE, RETURN, REVERSAL, LedgerPosting, Redemption
from crm_store.loyalty.service import is_member
from crm_store.loyalty.tiers import Standing, standing_of
from crm_store.terms import term
from crm_store.tickets.expecting import HISTORY

#: Lines of the history that are shown at once.
PAGE = 8
#: Kinds of postings whose name says more than their cause.
_NAMED_BY_KIND = frozenset({EXPIRE, RETURN, ADJUST})
#: What was settled, or no longer is, because two records of one person were joined or parted.
_OF_RECORDS = frozenset({"merge", "unmerge"})
#: What the undoing of a posting is called, by what the posting was for.
_UNDONE = {"redemption": "code_returned", "raffle": "raffle_called_off"}


class ActionLoyaltyBalance(StoreAction):
    """Tells what somebody has, what of it lapses soon, and kindly what is owed."""

    reads_only = True

    def name(self) -> str:
        return "action_loyalty_balance"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        customer_id = member_of_turn(turn, session, reply)
        if customer_id is not None:
            tell_balance(turn, session, reply, customer_id)
        return []


def tell_balance(turn: Turn, session: Session, reply: Reply, customer_id: int) -> None:
    """Say what a member has, with the card."""
    held = balance(session, customer_id)
    if held.points == 0:
        if held.debt:
            reply.utter("utter_club_debt", debt=held.debt)
        else:
            reply.utter("utter_club_no_points")
        return
    standing = standing_of(session, customer_id=customer_id, rules=environment().rules)
    when = last_day_text(held.expires_first_at) if held.expires_first_at is not None else ""
    first = _good_until(session, customer_id, when)
    name = first_name(session.get_one(Customer, customer_id).full_name)
    picture = ("balance", _card(held, standing, name, when=when, first=first))
    asks_expiry = meant("loyalty", "asks_of_balance", turn.text) == "expiry"
    told: dict[str, Any] = {"points": held.points, "when": when, "picture": picture}
    if held.expiring_soon:
        if first < held.expiring_soon:
            days = club().expiring_soon_days
            reply.utter(
                "utter_club_balance_soon_parts", **told, soon=held.expiring_soon, first=first, days=days
            )
        else:
            reply.utter("utter_club_balance_soon", **told, soon=held.expiring_soon)
    elif asks_expiry and when:
        if first < held.points:
            reply.utter("utter_club_balance_later_parts", **told, first=first)
        else:
            reply.utter("utter_club_balance_later", **told)
    elif asks_expiry:
        reply.utter("utter_club_balance_lasting", points=held.points, picture=picture)
    else:
        reply.utter("utter_club_balance", points=held.points, picture=picture)


def _good_until(session: Session, customer_id: int, last_day: str) -> int:
    """How many points can be spent until the end of a day, and no longer."""
    lots = lots_of(session, customer_id=customer_id)
    ending = ((lot.points, lot.expires_at) for lot in lots if lot.expires_at is not None)
    return sum(points for points, expires_at in ending if last_day_text(expires_at) == last_day)


def _card(held: Balance, standing: Standing, name: str, *, when: str, first: int) -> dict[str, Any]:
    """What the card of a balance shows; of points that lapse soon only those of the day that it names.

    Args:
        when: the last day of those that lapse first.
        first: how many they are.
    """
    return {
        "points": held.points,
        "expiring": first if held.expiring_soon else 0,
        "expires_on": when if held.expiring_soon else "",
        "tier": standing.tier.name if standing.tier is not None else "",
        "business": environment().business.name,
        "name": name,
    }


def answer_proof(turn: Turn, session: Session, reply: Reply) -> None:
    """Answer a number that was proven to find points: what came of it, and what there is now."""
    customer_id = customer_of_turn(turn, session)
    is_told = tell_link(turn, session, reply)
    if is_member(session, customer_id=customer_id):
        tell_balance(turn, session, reply, customer_id)
    elif not is_told:
        reply.utter("utter_club_nothing_under_phone", rate=rate_text(club().tomans_per_point))


class ActionLoyaltyHistory(StoreAction):
    """Tells where points came from and went, a page at a time."""

    reads_only = True

    def name(self) -> str:
        return "action_loyalty_history"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        customer_id = member_of_turn(turn, session, reply)
        if customer_id is None:
            return []
        before = turn.entity("before")
        before_id = int(before) if before and before.isdecimal() else None
        found = history_of(session, customer_id=customer_id, limit=PAGE + 1, before_id=before_id)
        if not found:
            reply.utter("utter_club_history_empty" if before_id is None else "utter_club_history_end")
            return []
        shown = found[:PAGE]
        more = str(shown[-1].id) if len(found) > PAGE else None
        titles = _titles_of_rewards(session, shown)
        reply.utter(
            "utter_club_history" if before_id is None else "utter_club_history_page",
            lines=lines_text([_line_of(posting, titles) for posting in shown if _change_of(posting)]),
            buttons=[button(title_of_button("utter_club_more_button"), "history_more", before=more)]
            if more
            else None,
            expects=(HISTORY, more) if more else None,
        )
        return []


def _line_of(posting: LedgerPosting, titles: dict[int, str]) -> Rich:
    """A change of the account; what settles a debt came in as well."""
    change = _change_of(posting)
    told: dict[str, Any] = {
        "when": day_text(posting.at),
        "points": abs(change),
        "cause": _cause_of(posting, titles),
    }
    return fragment("utter_club_history_in_line" if change >= 0 else "utter_club_history_out_line", **told)


def _change_of(posting: LedgerPosting) -> int:
    """By how much somebody has more or less; nothing where a return finds that all had lapsed."""
    return posting.points - posting.debt


def _cause_of(posting: LedgerPosting, titles: dict[int, str]) -> Rich | str:
    about = posting.cause.partition(":")[0]
    if about in _OF_RECORDS:
        name = about
    elif posting.kind in _NAMED_BY_KIND:
        name = posting.kind
    elif posting.kind == REVERSAL:
        name = _UNDONE.get(about, REVERSAL)
    else:
        name = about
    if posting.id in titles:
        return fragment("utter_club_history_reward", title=titles[posting.id])
    return term("loyalty", "causes", name) or term("loyalty", "causes", "other") or ""


def _titles_of_rewards(session: Session, postings: list[LedgerPosting]) -> dict[int, str]:
    """What was bought, by the posting that paid for it."""
    rows = session.execute(
        select(Redemption.posting_id, Redemption.title).where(
            Redemption.posting_id.in_([posting.id for posting in postings])
        )
    )
    return dict(rows.tuples().all())


class ActionLoyaltyTier(StoreAction):
    """Tells the tier, the way to the next one, and what tiers bring."""

    reads_only = True

    def name(self) -> str:
        return "action_loyalty_tier"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if not is_open(reply):
            return []
        if not club().tiers:
            reply.utter("utter_club_no_tiers")
        elif turn.entity("view") == "all":
            _tell_all_tiers(reply)
        else:
            asks_all = meant("loyalty", "asks_of_tiers", turn.text) == "all"
            if asks_all:
                _tell_all_tiers(reply)
            customer_id = member_of_turn(turn, session, reply)
            if customer_id is not None:
                standing = standing_of(session, customer_id=customer_id, rules=environment().rules)
                _tell_tier(reply, standing)
        return []


def _tell_tier(reply: Reply, standing: Standing) -> None:
    tier, coming = standing.tier, standing.next_tier
    if tier is None:
        reply.utter("utter_club_no_tiers")
        return
    picture = ("tier", _way_of(standing))
    notes = [*([fragment("utter_club_tier_benefits", benefits=tier.benefits)] if tier.benefits else [])]
    if standing.grace_until is not None:
        notes.append(fragment("utter_club_tier_grace", when=last_day_text(standing.grace_until)))
    elif standing.keeps_until is not None and tier.from_points:
        notes.append(fragment("utter_club_tier_until", when=last_day_text(standing.keeps_until)))
    told: dict[str, Any] = {"tier": tier.name, "notes": lines_text([Rich(""), *notes])}
    if coming is None:
        reply.utter("utter_club_top_tier", **told, picture=picture)
    else:
        reply.utter("utter_club_tier", **told, next=coming.name, missing=standing.missing, picture=picture)


def _way_of(standing: Standing) -> dict[str, Any]:
    """What the picture of the way to the next tier shows."""
    tier = standing.tier
    # The lowest level is never lost.
    kept = standing.grace_until or (standing.keeps_until if tier is not None and tier.from_points else None)
    return {
        "points": standing.points,
        "tier": tier.name if tier is not None else "",
        "until": last_day_text(kept) if kept is not None else "",
        "tiers": [{"name": tier.name, "from_points": tier.from_points} for tier in club().tiers],
        "business": environment().business.name,
    }


def _tell_all_tiers(reply: Reply) -> None:
    lines = [
        fragment(
            "utter_club_tier_benefits_line",
            tier=tier.name,
            points=tier.from_points,
            benefits=tier.benefits,
        )
        if tier.benefits
        else fragment("utter_club_tier_line", tier=tier.name, points=tier.from_points)
        for tier in club().tiers
    ]
    reply.utter("utter_club_tiers", lines=lines_text(lines))


class ActionLoyaltyHowToEarn(StoreAction):
    """Tells how points are earned, from the rules as they are: what is switched off is not spoken of."""

    reads_only = True

    def name(self) -> str:
        return "action_loyalty_how_to_earn"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if is_open(reply):
            reply.utter("utter_club_how_to_earn", lines=lines_text(ways_to_earn(club())))
        return []
