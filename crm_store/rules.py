"""What services must know besides the store: the owner's rules, the time zone, the staff's groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from crm_store.business import Business
from crm_store.settings import Settings
from crm_store.working_time import WorkingTime


@dataclass(frozen=True)
class Rules:
    """The rules by which a unit of work goes.

    Attributes:
        business: what the owner says now.
        timezone: where the business's days begin and end.
        groups: channel and chat id of the staff's groups.
    """

    business: Business
    timezone: str = "Asia/Tehran"
    groups: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, settings: Settings, business: Business) -> Rules:
        """The rules as settings and business file have them."""
        return cls(business, settings.business.timezone, staff_groups(settings))

    @cached_property
    def working_time(self) -> WorkingTime:
        """The business's working time."""
        return WorkingTime(self.business.working_calendar, self.timezone)


def staff_groups(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Channel and chat id of the staff's groups."""
    return tuple(
        (channel, str(bot.staff_group_id))
        for channel, bot in settings.bots().items()
        if bot.staff_group_id is not None
    )
