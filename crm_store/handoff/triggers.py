"""Decides whether a person is needed: by what was heard, what was not understood, who it is, or a rule."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from crm_store.business.handoff import Handoff as Limits
from crm_store.business.handoff import HandoffRule
from crm_store.handoff.models import ANGER, ASKED, DANGER, NOT_UNDERSTOOD, RULE, VIP
from crm_store.handoff.waiting import URGENCY
from crm_store.rules import Rules


class Occasion(msgspec.Struct, frozen=True):
    """Why a conversation is handed over, and to whom.

    Attributes:
        reason: a reason of `crm_store.handoff.models`.
        team: to which team; empty for any.
        skill: who has this skill; empty for anybody.
        urgency: the larger, the sooner.
    """

    reason: str
    team: str
    skill: str
    urgency: int


def why_person(
    *,
    rules: Rules,
    asked: bool = False,
    signals: Collection[str] = (),
    failures: int = 0,
    tier: str = "",
    intent: str = "",
    category: str = "",
    complaint_filed: bool = False,
) -> Occasion | None:
    """Whether a hand-over is due, and the weightiest reason for it.

    A rule of the owner's that fits tells team and skill, whatever the reason is.

    Args:
        asked: the customer asked for a person.
        signals: what was heard beside the words: ``danger``, ``urgency``, ``anger``.
        failures: messages in a row that were not understood, this one included.
        tier: of the customer; empty for none.
        intent: what the customer wants.
        category: of a complaint that was filed now.
        complaint_filed: whether one was filed now.

    Returns:
        None where the bot goes on alone, or the owner wants no hand-overs.
    """
    limits = rules.business.handoff
    if not limits.is_on:
        return None
    rule = next(
        (one for one in limits.rules if _fits(one, intent=intent, category=category, tier=tier)), None
    )
    is_vip = complaint_filed and tier != "" and tier in limits.vip_tiers
    reasons = {
        DANGER: limits.on_danger and DANGER in signals,
        ANGER: limits.on_anger and ANGER in signals,
        VIP: is_vip,
        RULE: rule is not None,
        ASKED: asked,
        NOT_UNDERSTOOD: _has_failed(limits, failures),
    }
    reason = next((name for name, holds in reasons.items() if holds), None)
    if reason is None:
        return None
    urgency = URGENCY[reason]
    if rule is None:
        return Occasion(reason, "", "", urgency)
    return Occasion(reason, rule.team, rule.skill, max(urgency, rule.urgency))


def _has_failed(limits: Limits, failures: int) -> bool:
    return 0 < limits.after_failures <= failures


def _fits(rule: HandoffRule, *, intent: str, category: str, tier: str) -> bool:
    """Whether all that a rule names is so; a rule that names nothing fits nobody."""
    named = ((rule.intents, intent), (rule.categories, category), (rule.tiers, tier))
    return any(wanted for wanted, _ in named) and all(not wanted or is_ in wanted for wanted, is_ in named)
