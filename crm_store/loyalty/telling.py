"""Telling members of the club what happened, at an hour at which nobody is woken for points."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from crm_store.conversations.queries import latest_conversation
from crm_store.outbox import INTERACTIVE, enqueue_notice
from crm_store.rules import Rules

#: Local time from which on, and until which, people hear of what they did not do just now.
FROM, UNTIL = time(10, 0), time(22, 0)


def by_day(now: datetime, rules: Rules) -> datetime:
    """Now, or the next morning when it is night."""
    zone = ZoneInfo(rules.timezone)
    local = now.astimezone(zone)
    if FROM <= local.time() < UNTIL:
        return now
    day = local.date() if local.time() < FROM else local.date() + timedelta(days=1)
    return datetime.combine(day, FROM, zone)


def tell_by_day(
    session: Session,
    *,
    customer_id: int,
    response: str,
    key: str,
    params: dict[str, Any],
    rules: Rules,
    now: datetime,
    priority: int = INTERACTIVE,
) -> None:
    """Queue a notice for the chat in which a customer wrote last, if they can be reached in any.

    Args:
        response: name of the notice's response.
        key: names the cause; the same key again tells nothing twice.
    """
    conversation_id = latest_conversation(session, customer_id=customer_id)
    if conversation_id is not None:
        enqueue_notice(
            session,
            conversation_id=conversation_id,
            response=response,
            idempotency_key=key[:120],
            params=params,
            due_at=by_day(now, rules),
            priority=priority,
        )
