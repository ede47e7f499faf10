"""Which policy a ticket comes under."""

from __future__ import annotations

from crm_store.business import Sla, SlaPolicy


def choose(sla: Sla, *, kind: str, priority: str, tier: str) -> SlaPolicy | None:
    """The first policy whose conditions all hold; None when nothing is promised for such a ticket.

    Args:
        kind: a kind of ticket (`crm_store.tickets.models`).
        priority: one of `crm_store.tickets.models.PRIORITIES`.
        tier: the customer's loyalty tier; empty for none.
    """
    return next((policy for policy in sla.policies if _holds(policy, kind, priority, tier)), None)


def policy_named(sla: Sla, name: str) -> SlaPolicy | None:
    """A policy by its name; None when the owner took it out of the file."""
    return next((policy for policy in sla.policies if policy.name == name), None)


def minutes_for(policy: SlaPolicy, metric: str) -> int | None:
    """How much working time a policy allows for a metric; None for no clock."""
    minutes: int | None = getattr(policy, metric)
    return minutes


def _holds(policy: SlaPolicy, kind: str, priority: str, tier: str) -> bool:
    conditions = ((policy.kinds, kind), (policy.priorities, priority), (policy.tiers, tier))
    return all(not wanted or value in wanted for wanted, value in conditions)
