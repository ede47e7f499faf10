"""Hand-overs and the staff: when a person comes in, who, and what they may see."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Team = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Role = Literal["technician", "agent", "supervisor", "admin"]


class HandoffRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hands a conversation over by what it is about; all that is given must fit.

    Attributes:
        intents: what the customer wants, by the names of the catalogue.
        categories: categories of a filed complaint.
        tiers: tiers of the customer.
        team: to which team; empty for any.
        skill: who has this skill; empty for anybody.
        urgency: the larger, the sooner.
    """

    intents: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    team: str = ""
    skill: str = ""
    urgency: int = 0


class Handoff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When and how a person takes over.

    Attributes:
        is_on: whether people take conversations over at all; else a call is offered.
        after_failures: messages in a row that were not understood; 0 for never.
        on_anger: hand over when somebody is very angry.
        on_danger: hand over when somebody is in danger.
        vip_tiers: tiers whose complaints are taken over.
        rules: further occasions, the first that fits.
        teams: names of the teams that there are.
        chats_per_agent: conversations that one person has at a time.
        claim_minutes: after so many minutes without a claim the supervisors are told, and again after that.
        expire_minutes: after so many minutes a call is promised instead; 0 for never.
        idle_minutes: after so many minutes without a word of both sides the conversation is given back; after
            so many without one of the staff, if its owner is not there, another one gets who writes in vain.
        asks_rating: whether the survey for hand-overs is asked at the end.
    """

    is_on: bool = True
    after_failures: Annotated[int, msgspec.Meta(ge=0, le=10)] = 2
    on_anger: bool = True
    on_danger: bool = True
    vip_tiers: tuple[str, ...] = ()
    rules: tuple[HandoffRule, ...] = ()
    teams: tuple[Team, ...] = ()
    chats_per_agent: Annotated[int, msgspec.Meta(ge=1, le=50)] = 4
    claim_minutes: Minutes = 5
    expire_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 30
    idle_minutes: Annotated[int, msgspec.Meta(ge=5, le=10080)] = 180
    asks_rating: bool = True

    def check(self) -> None:
        """Raise where a rule names a team that is none.

        Raises:
            ValueError: saying which.
        """
        unknown = sorted({rule.team for rule in self.rules if rule.team and rule.team not in self.teams})
        if unknown:
            raise ValueError(f"handoff.rules: there is no team {', '.join(unknown)} in handoff.teams")


class PointLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points that somebody may give or take in one go, and give in a Jalali month."""

    each: Annotated[int, msgspec.Meta(ge=0)] = 0
    monthly: Annotated[int, msgspec.Meta(ge=0)] = 0


class StaffRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the staff.

    Attributes:
        asks_reason: whether a look-up of a customer needs a reason.
        pin_after_minutes: minutes without activity in chat after which the PIN is asked for; 0 for never.
        full_phone_roles: who sees phone numbers whole; everybody else sees ``0912•••1212``.
        points: what each role may give or take; who is left out may not.
    """

    asks_reason: bool = False
    pin_after_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    full_phone_roles: tuple[Role, ...] = ("agent", "supervisor", "admin")
    points: dict[Role, PointLimits] = msgspec.field(
        default_factory=lambda: {
            "agent": PointLimits(each=200, monthly=2_000),
            "supervisor": PointLimits(each=2_000, monthly=20_000),
            "admin": PointLimits(each=20_000, monthly=200_000),
        }
    )
