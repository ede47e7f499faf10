"""Holds a raffle of a script, which does not wait until its time has come."""

from __future__ import annotations

from collections.abc import Mapping

from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.loyalty import raffles
from tests.factories import RULES

_BY = "operator"


def hold(database: Database, told: Mapping[str, str]) -> None:
    """Seal a raffle, so that its public value has come to be now, or draw it.

    Args:
        told: the raffle's key by ``sealed`` or ``drawn``.
    """
    with database.write() as session:
        if "drawn" in told:
            sealed = raffles.find_raffle(session, key=told["drawn"])
            raffles.draw(session, raffle=sealed, random_value="c6e4", actor=_BY, rules=RULES)
            return
        raffle, now = raffles.find_raffle(session, key=told["sealed"]), utcnow()
        raffle.closes_at = now - raffles.LEAD
        session.flush()
        raffles.seal(
            session,
            raffle=raffle,
            random_source="عددی که بعد می‌آید",
            random_at=now,
            actor=_BY,
            rules=RULES,
            now=now - raffles.LEAD,
        )
