"""The first policy whose conditions hold is the one that a ticket comes under."""

from __future__ import annotations

import pytest

from crm_store.business import EXAMPLE, Sla, SlaPolicy, read_business
from crm_store.sla.policy import choose, policy_named

SLA = Sla(
    policies=(
        SlaPolicy(name="gold", tiers=("gold", "platinum"), priorities=("high", "urgent")),
        SlaPolicy(name="visits", kinds=("service_request",)),
        SlaPolicy(name="urgent", kinds=("complaint",), priorities=("urgent",)),
        SlaPolicy(name="small", priorities=("low",)),
    )
)


@pytest.mark.parametrize(
    ("kind", "priority", "tier", "name"),
    [
        ("complaint", "urgent", "", "urgent"),
        ("complaint", "urgent", "silver", "urgent"),
        ("complaint", "urgent", "gold", "gold"),
        ("service_request", "high", "platinum", "gold"),
        ("service_request", "normal", "gold", "visits"),
        ("service_request", "urgent", "", "visits"),
        ("complaint", "low", "", "small"),
        ("complaint", "normal", "", None),
    ],
)
def test_the_first_policy_whose_conditions_all_hold_is_chosen(
    kind: str, priority: str, tier: str, name: str | None
) -> None:
    policy = choose(SLA, kind=kind, priority=priority, tier=tier)
    assert (policy.name if policy else None) == name


def test_a_policy_is_found_by_its_name_as_long_as_it_is_there() -> None:
    assert policy_named(SLA, "small") is SLA.policies[3]
    assert policy_named(SLA, "large") is None


def test_a_new_business_promises_urgent_complaints_an_answer_before_others() -> None:
    sla = read_business(EXAMPLE).sla
    urgent, other, visit = (
        choose(sla, kind=kind, priority=priority, tier="")
        for kind, priority in (
            ("complaint", "urgent"),
            ("complaint", "normal"),
            ("service_request", "normal"),
        )
    )
    assert (urgent, other, visit) == sla.policies
    assert [policy.first_response for policy in sla.policies] == [30, 120, 240]
    assert [policy.resolution for policy in sla.policies] == [480, 1440, None]
