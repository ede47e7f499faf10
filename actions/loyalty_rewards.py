"""What points buy: the catalogue, a choice that is agreed to, and the codes that come of it.

A reward is paid for once per question that was agreed to: the question names the message that it answered,
and the payment is keyed by it, so that neither two taps nor «آره» said twice spends twice. It names the price
as well, and is asked again where that is no longer the price; what is spent is the price of the rules alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.customers import customer_of_turn
from actions.loyalty_club import balance, is_open, lines_text, title_of_button
from actions.loyalty_codes import asks_for_codes, tell_code, tell_codes
from actions.texts import Rich, button, fragment
from actions.turn import Turn
from crm_store.business.loyalty import Reward
from crm_store.errors import CrmError
from crm_store.loyalty import redemptions
from crm_store.loyalty.choosing import meant_options, numbers_of_points, option_of, write_options
from crm_store.loyalty.models import Redemption
from crm_store.loyalty.redemptions import Offer
from crm_store.tickets.expecting import REDEEM, REWARD

#: In what is agreed to, between a reward and its price in points.
AT = ":"
#: So few of a reward are worth telling.
FEW_LEFT = 10


class ActionLoyaltyRedeem(StoreAction):
    """Shows what points buy, or goes straight on where the message names it."""

    reads_only = True

    def name(self) -> str:
        return "action_loyalty_redeem"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.entity("view") == "codes" or asks_for_codes(turn):
            tell_codes(turn, session, reply)
            return []
        if not is_open(reply):
            return []
        offers = _offers(turn, session)
        if not offers:
            reply.utter("utter_club_no_rewards")
            return []
        return _offer(turn, session, reply, offers)


class ActionChooseReward(StoreAction):
    """Asks whether to take the reward that was chosen, or says why it is not possible."""

    reads_only = True

    def name(self) -> str:
        return "action_choose_reward"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if not is_open(reply):
            return []
        offer = _offer_of(turn, session, turn.entity("reward") or "")
        if offer is None:
            reply.utter("utter_club_reward_unknown")
            return []
        return _ask_to_confirm(turn, session, reply, offer)


class ActionConfirmRedeem(StoreAction):
    """Takes a reward at the price that was agreed to, once for the question, and gives its code."""

    def name(self) -> str:
        return "action_confirm_redeem"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        chosen, _, price = (turn.entity("reward") or "").partition(AT)
        asked, rules = turn.entity("asked") or str(turn.inbox_id), environment().rules
        key = f"redeem:{asked}:{chosen}"
        if not is_open(reply):
            return []
        reward = rules.business.loyalty.reward(chosen)
        if reward is not None and str(reward.points) != price and not _is_paid_for(session, key):
            return _ask_again(turn, session, reply, chosen, asked)
        try:
            # What was done before it turned out to be impossible is undone.
            with session.begin_nested():
                taken = redemptions.redeem(
                    session,
                    customer_id=customer_of_turn(turn, session),
                    reward=chosen,
                    key=key,
                    rules=rules,
                )
        except CrmError:
            _explain(turn, session, reply, chosen)
        else:
            tell_code(reply, taken, points=balance(session, taken.customer_id).points)
        return []


class ActionDropRedeem(StoreAction):
    """Leaves the points where they are."""

    reads_only = True

    def name(self) -> str:
        return "action_drop_redeem"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter("utter_club_kept")
        return []


def _offers(turn: Turn, session: Session) -> list[Offer]:
    customer_id = customer_of_turn(turn, session)
    return redemptions.catalogue(session, customer_id=customer_id, rules=environment().rules)


def _offer_of(turn: Turn, session: Session, key: str) -> Offer | None:
    return next((offer for offer in _offers(turn, session) if offer.reward.key == key), None)


def _points(turn: Turn, session: Session) -> int:
    return balance(session, customer_of_turn(turn, session)).points


def _offer(turn: Turn, session: Session, reply: Reply, offers: list[Offer]) -> list[Event]:
    """Ask which reward, out of those that a message may mean."""
    options = [option_of(offer.reward) for offer in offers]
    named = {option.key for option in meant_options(turn.text, options, listed=False)}
    fitting = [offer for offer in offers if offer.reward.key in named]
    if len(fitting) == 1:
        return _ask_to_confirm(turn, session, reply, fitting[0])
    points, budget = _points(turn, session), next(iter(numbers_of_points(turn.text)), None)
    if fitting:
        reply_with, shown = "utter_club_which_reward", fitting
    elif budget is not None and (
        within := [one for one in offers if one.can and one.reward.points <= budget]
    ):
        reply_with, shown = "utter_club_rewards_within", within
    elif budget is not None and all(offer.reward.points > budget for offer in offers):
        reply_with, shown = "utter_club_rewards_not_within", offers
    else:
        can_any = any(offer.can for offer in offers)
        reply_with, shown = "utter_club_rewards" if can_any else "utter_club_rewards_later", offers
    _show(reply, reply_with, shown, points, budget)
    return keep_form_waiting(turn)


def _show(reply: Reply, response: str, offers: Sequence[Offer], points: int, budget: int | None) -> None:
    possible = [offer.reward for offer in offers if offer.can]
    reply.utter(
        response,
        points=points,
        budget=budget or 0,
        lines=lines_text([_line_of(offer, points) for offer in offers]),
        buttons=[button(reward.title, "choose_reward", reward=reward.key) for reward in possible],
        expects=(REWARD, write_options([option_of(offer.reward) for offer in offers])),
    )


def _line_of(offer: Offer, points: int) -> Rich:
    """A reward with its cost, and why it is not possible."""
    told: dict[str, Any] = {"title": offer.reward.title, "points": offer.reward.points}
    if offer.why == "points":
        missing = offer.reward.points - points
        return fragment("utter_club_reward_missing_line", **told, missing=missing)
    if offer.why == "stock":
        return fragment("utter_club_reward_gone_line", **told)
    if offer.why == "limit":
        return fragment("utter_club_reward_limit_line", **told)
    if offer.why == "tier":
        return fragment("utter_club_reward_tier_line", **told, tiers=_tiers(offer.reward))
    if offer.left is not None and offer.left <= FEW_LEFT:
        return fragment("utter_club_reward_left_line", **told, left=offer.left)
    return fragment("utter_club_reward_line", **told)


def _tiers(reward: Reward) -> str:
    return "، ".join(reward.tiers)


def _ask_to_confirm(turn: Turn, session: Session, reply: Reply, offer: Offer) -> list[Event]:
    if not offer.can:
        _tell_impossible(turn, session, reply, offer)
        return []
    about = offer.reward.description
    response = "utter_club_confirm_reward_about" if about else "utter_club_confirm_reward"
    return _ask(turn, session, reply, offer.reward, response=response, asked=str(turn.inbox_id))


def _ask_again(turn: Turn, session: Session, reply: Reply, key: str, asked: str) -> list[Event]:
    """Ask whether it shall be the price of now, where another one was agreed to.

    Args:
        asked: the question that was agreed to; it is paid for once, however often it is asked again.
    """
    offer = _offer_of(turn, session, key)
    if offer is None or not offer.can:
        _explain(turn, session, reply, key)
        return []
    return _ask(turn, session, reply, offer.reward, response="utter_club_confirm_reward_changed", asked=asked)


def _ask(
    turn: Turn, session: Session, reply: Reply, reward: Reward, *, response: str, asked: str
) -> list[Event]:
    """Ask whether to take a reward at its price."""
    agreed = f"{reward.key}{AT}{reward.points}"
    yes = button(
        title_of_button("utter_club_reward_yes_button"), "confirm_redeem", reward=agreed, asked=asked
    )
    reply.utter(
        response,
        title=reward.title,
        points=reward.points,
        rest=_points(turn, session) - reward.points,
        about=reward.description,
        buttons=[yes, button(title_of_button("utter_club_no_button"), "drop_redeem")],
        expects=(REDEEM, f"{agreed}:{asked}"),
    )
    return keep_form_waiting(turn)


def _is_paid_for(session: Session, key: str) -> bool:
    """Whether a question was agreed to before, at the price of then."""
    paid = select(Redemption.id).where(Redemption.idempotency_key == key)
    return session.scalar(paid) is not None


def _explain(turn: Turn, session: Session, reply: Reply, key: str) -> None:
    """Say why the reward that was agreed to cannot be had any more."""
    offer = _offer_of(turn, session, key)
    if offer is None or offer.can:
        reply.utter("utter_club_reward_unknown")
    else:
        _tell_impossible(turn, session, reply, offer)


def _tell_impossible(turn: Turn, session: Session, reply: Reply, offer: Offer) -> None:
    reward = offer.reward
    if offer.why == "stock":
        reply.utter("utter_club_reward_gone", title=reward.title)
    elif offer.why == "limit":
        reply.utter("utter_club_reward_limit", title=reward.title)
    elif offer.why == "tier":
        reply.utter("utter_club_reward_tier", title=reward.title, tiers=_tiers(reward))
    else:
        missing = max(1, reward.points - _points(turn, session))
        reply.utter("utter_club_reward_missing", title=reward.title, points=reward.points, missing=missing)
