"""The customers' club: how points are earned, what tiers there are, what points buy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from crm_store.business.parts import Key, Title

Points = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Tomans = Annotated[int, msgspec.Meta(ge=0, le=100_000_000_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Months = Annotated[int, msgspec.Meta(ge=0, le=120)]
Multiplier = Annotated[float, msgspec.Meta(ge=1, le=20)]
#: A Jalali date, ``1405/07/01``.
JalaliDate = Annotated[str, msgspec.Meta(pattern=r"^1[34]\d\d/(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])$")]


class CategoryRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How points are earned in one of the shop's categories.

    Attributes:
        category: as the shop names it in its orders.
        title: what customers read.
        tomans_per_point: one point for so many tomans; 0 for no points.
    """

    category: Title
    title: Title
    tomans_per_point: Tomans


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A level of membership.

    Attributes:
        name: what people read; it is also the customer's tier in service promises ([sla]).
        from_points: base points of purchases within the last twelve Jalali months that it takes.
        multiplier: points of purchases are multiplied by it.
        benefits: what it brings besides, in the owner's words.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    from_points: Points = 0
    multiplier: Multiplier = 1.0
    benefits: str = ""


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days on which purchases bring more.

    Attributes:
        title: what customers read.
        first_day: Jalali.
        last_day: Jalali, that day included.
        multiplier: points of purchases paid on these days are multiplied by it.
        categories: only lines of these of the shop's categories; none for all.
    """

    title: Title
    first_day: JalaliDate
    last_day: JalaliDate
    multiplier: Multiplier
    categories: tuple[str, ...] = ()


class Birthday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Purchases around the customer's birthday, by the Jalali calendar.

    Attributes:
        multiplier: points are multiplied by it; 1 for nothing.
        days_around: from so many days before to so many days after.
    """

    multiplier: Multiplier = 1.0
    days_around: Annotated[int, msgspec.Meta(ge=0, le=30)] = 3


class ReferralRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Customers who bring friends.

    Attributes:
        referrer_points: for whoever brought the friend, after the friend's first purchase.
        friend_points: for the friend, at the same time.
        minimum_tomans: what that purchase has to come to.
        yearly_limit: friends within twelve Jalali months who are rewarded at the most.
    """

    referrer_points: Points = 0
    friend_points: Points = 0
    minimum_tomans: Tomans = 0
    yearly_limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10


class Reward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What points buy.

    Attributes:
        key: its name in the store; never changed once somebody has it.
        title: what people read.
        points: what it costs.
        worth_tomans: of a discount, what it takes off; 0 for a gift.
        stock: how many there are in all; None for any number.
        per_customer: how many one customer may have; 0 for any number. Cancelled ones do not count.
        valid_days: after so many days an unused code lapses and the points go back; 0 for never.
        tiers: only for members of these tiers; none for everybody.
        description: what to know about it, in the owner's words.
    """

    key: Key
    title: Title
    points: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    worth_tomans: Tomans = 0
    stock: Annotated[int, msgspec.Meta(ge=0)] | None = None
    per_customer: Annotated[int, msgspec.Meta(ge=0)] = 0
    valid_days: Days = 30
    tiers: tuple[str, ...] = ()
    description: str = ""


class Loyalty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The club; off as long as ``tomans_per_point`` is 0.

    Attributes:
        tomans_per_point: one point for so many tomans of a purchase, where its category says nothing else.
        categories: rates of the shop's categories.
        expires_after_months: points lapse so many Jalali months after they came in; 0 for never.
        expiring_soon_days: what lapses within so many days is told beside the balance.
        tiers: from the lowest to the highest; the first takes 0 points.
        grace_months: so many Jalali months somebody keeps a tier for which too little was bought.
        campaigns: days that bring more. With several multipliers on one line, each of campaign, birthday and
            tier counts once (the largest campaign), multiplied with each other.
        birthday: purchases around the birthday.
        first_purchase_points: once, with the first purchase.
        referral: customers who bring friends.
        survey_points: for a completed survey.
        survey_monthly_limit: surveys in a Jalali month that bring points at the most.
        adjust_limit: what each role may give or take by hand at once; a role left out may not.
        rewards: what points buy.
        tells_earned: whether a customer in chat is told of points that came in.
    """

    tomans_per_point: Tomans = 0
    categories: tuple[CategoryRate, ...] = ()
    expires_after_months: Months = 12
    expiring_soon_days: Days = 30
    tiers: tuple[Tier, ...] = ()
    grace_months: Months = 1
    campaigns: tuple[Campaign, ...] = ()
    birthday: Birthday = Birthday()
    first_purchase_points: Points = 0
    referral: ReferralRules = ReferralRules()
    survey_points: Points = 0
    survey_monthly_limit: Annotated[int, msgspec.Meta(ge=1)] = 2
    adjust_limit: dict[Literal["agent", "supervisor", "admin"], Points] = msgspec.field(default_factory=dict)
    rewards: tuple[Reward, ...] = ()
    tells_earned: bool = True

    @property
    def is_on(self) -> bool:
        """Whether there is a club."""
        return self.tomans_per_point > 0

    def reward(self, key: str) -> Reward | None:
        """A reward of the catalogue; None when there is none of that key."""
        return next((reward for reward in self.rewards if reward.key == key), None)

    def tier(self, name: str) -> Tier | None:
        """A tier by its name; None when there is none of that name."""
        return next((tier for tier in self.tiers if tier.name == name), None)

    def as_content(self) -> dict[str, Any]:
        """As JSON types, for the versions that the store keeps."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]  # a dict, as a Struct always gives

    def check(self) -> None:
        """Look for what contradicts itself.

        Raises:
            ValueError: something does; the message names the place.
        """
        _no_doubles("loyalty.rewards", [reward.key for reward in self.rewards])
        _no_doubles("loyalty.tiers", [tier.name for tier in self.tiers])
        _no_doubles("loyalty.categories", [rate.category for rate in self.categories])
        needed = [tier.from_points for tier in self.tiers]
        if needed and (needed[0] != 0 or needed != sorted(set(needed))):
            raise ValueError("loyalty.tiers: from_points must begin with 0 and rise from tier to tier")
        for campaign in self.campaigns:
            if campaign.first_day > campaign.last_day:
                raise ValueError(f"loyalty.campaigns: {campaign.title} ends before it begins")
        names = {tier.name for tier in self.tiers}
        for reward in self.rewards:
            unknown = sorted(set(reward.tiers) - names)
            if unknown:
                raise ValueError(f"loyalty.rewards: {reward.key}: there is no tier {', '.join(unknown)}")


def _no_doubles(place: str, names: Sequence[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{place}: {', '.join(doubled)} stands there twice")
