"""Keeps updates: all of a batch in one transaction, and none is confirmed before that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session

from bot.gateway.channels.bot_api_updates import parse_update
from crm_store import inbox
from crm_store.db import Database
from crm_store.inbox import InboxItem

log = structlog.get_logger(__name__)


class Receiver:
    """Writes the updates of one bot into the inbox.

    Args:
        database: the store.
        channel: the bot's channel.
        bot_id: its account; each bot numbers its updates by itself.
    """

    def __init__(self, database: Database, channel: str, bot_id: str) -> None:
        self._database = database
        self._channel = channel
        self._bot_id = bot_id

    def keep(self, updates: Sequence[dict[str, Any]]) -> list[InboxItem]:
        """Keep a batch; returns the rows that are new.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: nothing was kept; the batch must be kept again.
        """
        try:
            with self._database.write() as session:
                return self._keep_all(session, updates)
        except OperationalError:
            raise  # the store is away, or its disk is full
        except (StatementError, ValueError, TypeError) as error:
            # One that the database cannot hold must not hold up the others.
            log.error("strange_batch", channel=self._channel, error=type(error).__name__)
            return [row for update in updates for row in self._keep_alone(update)]

    def _keep_all(self, session: Session, updates: Sequence[dict[str, Any]]) -> list[InboxItem]:
        kept = [self._keep_one(session, update) for update in updates]
        new = [row_id for row_id in kept if row_id is not None]
        return inbox.items(session, ids=new) if new else []

    def _keep_one(self, session: Session, update: dict[str, Any]) -> int | None:
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            log.error("update_without_id", channel=self._channel)
            return None
        return inbox.receive(
            session,
            channel=self._channel,
            update_id=f"{self._bot_id}:{update['update_id']}",
            chat_id=parse_update(update).place,
            payload=update,
        )

    def _keep_alone(self, update: dict[str, Any]) -> list[InboxItem]:
        try:
            with self._database.write() as session:
                return self._keep_all(session, [update])
        except OperationalError:
            raise
        except (StatementError, ValueError, TypeError):
            log.error("strange_update", channel=self._channel, update_id=update.get("update_id"))
            with self._database.write() as session:
                return self._keep_all(session, [{"update_id": update["update_id"], "unreadable": True}])
