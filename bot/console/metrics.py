"""The numbers of ``/metrics``, read from the store at every scrape; none of them names a person."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from bot.console.hub import Hub
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations.models import Attachment, Conversation, Message
from crm_store.db import Database
from crm_store.heartbeats import Heartbeat

POLLER = "poller:"
_INBOX_STATES = (inbox.PENDING, inbox.DONE, inbox.IGNORED, inbox.PARKED)
_OUTBOX_STATES = (outbox.PENDING, outbox.SENT, outbox.FAILED, outbox.CANCELLED)


def build_registry(database: Database, hub: Hub) -> CollectorRegistry:
    """A registry of our own, so that nothing else of the process shows up in it."""
    registry = CollectorRegistry()
    registry.register(_StoreCollector(database))
    registry.register(_SocketCollector(hub))
    return registry


class _SocketCollector(Collector):
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "peyvand_websockets_open", "Web chat pages connected.", self._hub.open_sockets
        )
        yield CounterMetricFamily(
            "peyvand_websockets_opened", "Web chat connections since the start.", self._hub.opened_total
        )


class _StoreCollector(Collector):
    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> list[Metric]:
        # Registering would otherwise scrape the store once.
        return []

    def collect(self) -> Iterator[Metric]:
        with self._database.read() as session:
            yield _by_state(
                "peyvand_inbox_rows", "Updates received.", inbox.count_by_state(session), _INBOX_STATES
            )
            yield _by_state(
                "peyvand_outbox_rows", "Messages to send.", outbox.count_by_state(session), _OUTBOX_STATES
            )
            yield _oldest_pending(session)
            yield _messages(session)
            yield GaugeMetricFamily(
                "peyvand_attachment_bytes",
                "Bytes of attachments kept.",
                session.scalar(select(func.coalesce(func.sum(Attachment.size), 0))),
            )
            yield from _heartbeats(session)


def _by_state(name: str, text: str, counts: dict[str, int], states: tuple[str, ...]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["state"])
    for state in states:
        family.add_metric([state], counts.get(state, 0))
    return family


def _oldest_pending(session: Session) -> Metric:
    family = GaugeMetricFamily(
        "peyvand_oldest_pending_seconds", "Age of the longest-waiting row; 0 when none waits.", labels=["box"]
    )
    waiting_out = select(func.min(outbox.OutboxItem.due_at)).where(outbox.OutboxItem.state == outbox.PENDING)
    for box, since in (("inbox", inbox.oldest_pending(session)), ("outbox", session.scalar(waiting_out))):
        age = (utcnow() - since).total_seconds() if since else 0.0
        family.add_metric([box], max(0.0, age))
    return family


def _messages(session: Session) -> Metric:
    family = CounterMetricFamily(
        "peyvand_messages", "Lines of transcripts by channel and direction.", labels=["channel", "direction"]
    )
    is_ours = or_(Message.author == "bot", Message.author.startswith("staff:"))
    direction = case((is_ours, "out"), else_="in")
    rows = session.execute(
        select(Conversation.channel, direction, func.count())
        .join(Conversation, Message.conversation_id == Conversation.id)
        .group_by(Conversation.channel, direction)
    )
    for channel, way, count in rows:
        family.add_metric([channel, way], count)
    return family


def _heartbeats(session: Session) -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "peyvand_heartbeat_age_seconds", "Since a role's last sign of life.", labels=["role"]
    )
    polls = GaugeMetricFamily(
        "peyvand_poll_age_seconds",
        "Since the last successful poll; infinite before the first.",
        labels=["channel"],
    )
    now = utcnow()
    for beat in session.scalars(select(Heartbeat)):
        ages.add_metric([beat.name], (now - beat.at).total_seconds())
        if beat.name.startswith(POLLER):
            last = beat.detail.get("last_successful_poll")
            age = (now - datetime.fromisoformat(last)).total_seconds() if last else math.inf
            polls.add_metric([beat.name[len(POLLER) :]], age)
    yield ages
    yield polls
