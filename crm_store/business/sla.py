"""How soon what is answered: policies chosen by conditions, and who hears of it when time runs out."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from crm_store.business.parts import Priority, Title

#: What a policy is for.
TicketKind = Literal["complaint", "service_request"]
Minutes = Annotated[int, msgspec.Meta(gt=0, le=60 * 24 * 365)]


class SlaPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How soon tickets that meet some conditions are dealt with, in minutes of working time.

    Attributes:
        name: for the staff; a ticket's later clocks find their policy by it.
        kinds: the kinds of ticket that it is for; none means all.
        priorities: the priorities that it is for; none means all.
        tiers: the loyalty tiers that it is for; none means all.
        first_response: until somebody has answered for the first time; None for no clock.
        next_response: until a later message of the customer's is answered, once the first one was.
        resolution: until it is decided.
    """

    name: Title
    kinds: tuple[TicketKind, ...] = ()
    priorities: tuple[Priority, ...] = ()
    tiers: tuple[str, ...] = ()
    first_response: Minutes | None = None
    next_response: Minutes | None = None
    resolution: Minutes | None = None


class EscalationStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told so long after a due time has passed.

    Attributes:
        after_minutes: of working time.
        tell: the assignee, or everybody of a role.
    """

    tell: Literal["assignee", "agent", "supervisor", "admin"]
    after_minutes: Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 365)] = 0


class Sla(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All policies; the first one whose conditions hold is chosen.

    Attributes:
        policies: in the order in which they are tried.
        warn_percent: the assignee is warned when so much of the time has passed.
        escalation: who is told of a breach, step by step.
    """

    policies: tuple[SlaPolicy, ...] = ()
    warn_percent: Annotated[int, msgspec.Meta(gt=0, lt=100)] = 75
    escalation: tuple[EscalationStep, ...] = (
        EscalationStep("assignee"),
        EscalationStep("supervisor", 60),
        EscalationStep("admin", 240),
    )

    def check(self) -> None:
        """Look for what contradicts itself.

        Raises:
            ValueError: something does; the message names the place.
        """
        names = [policy.name for policy in self.policies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sla.policies: {', '.join(twice)} stands there twice")
        for policy in self.policies:
            if policy.next_response and not policy.first_response:
                raise ValueError(f"sla.policies: {policy.name}: a next_response needs a first_response")
        after = [step.after_minutes for step in self.escalation]
        if after != sorted(after):
            raise ValueError("sla.escalation: later steps must come after earlier ones")
