"""Twenty customers and five agents in any order: nobody is talked over, nothing is lost, nothing crosses.

With ``--soak`` a thousand orders of events on each database; else a part of them, others than the last time.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest

from crm_store.db import Database
from tests.crm_store.handoff.handoff_book import AGENTS, CUSTOMERS
from tests.crm_store.handoff.handoff_model import Desk
from tests.factories import a_conversation
from tests.factories.handoff import an_agent

STEPS = 90
FEW, MANY = 40, 1_000


class _TakenBack(Exception):
    """Ends a unit of work without a trace."""


def play(database: Database, chats: list[int], agents: list[int], seed: int) -> None:
    """One order of events; it is taken back afterwards, so that the next one begins with empty hands."""
    with suppress(_TakenBack), database.write() as session:
        Desk(session, chats, agents, seed).run(STEPS)
        raise _TakenBack


@pytest.mark.timeout(7200)
def test_any_order_of_events_leaves_what_the_book_says(database: Database, soak: bool) -> None:
    with database.write() as session:
        chats = [a_conversation(session).id for _ in range(CUSTOMERS)]
        teams = ["sales", "sales", *[""] * (AGENTS - 2)]
        agents = [an_agent(session, name=team or "همکار", team=team).id for team in teams]
    first = 0 if soak or os.environ.get("CI") else random.randrange(10**6)
    for seed in range(first, first + (MANY if soak else FEW)):
        try:
            play(database, chats, agents, seed)
        except Exception as error:
            raise AssertionError(f"the order of events {seed} went wrong") from error
