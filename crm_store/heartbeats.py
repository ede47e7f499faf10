"""Heartbeats: each role writes that it lives and what it last managed, so that others can tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_store.base import Base, utcnow

#: In the detail of whoever gets a bot's updates: the name by which people find the bot.
USERNAME = "username"


class Heartbeat(Base):
    """The latest sign of life of a role."""

    __tablename__ = "heartbeats"

    #: ``gateway``, ``poller:telegram`` …
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime]
    #: ``ok`` or a short reason such as ``conflict`` (somebody else polls with our token).
    status: Mapped[str] = mapped_column(String(40), default="ok")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


def beat(session: Session, *, name: str, status: str = "ok", detail: dict[str, Any] | None = None) -> None:
    """Note a sign of life."""
    row = session.get(Heartbeat, name)
    if row is None:
        session.add(Heartbeat(name=name, at=utcnow(), status=status, detail=detail or {}))
        return
    row.at, row.status, row.detail = utcnow(), status, detail or {}


def bot_username(session: Session, *, channel: str) -> str | None:
    """The name by which people find a messenger's bot; None as long as the messenger has not told it."""
    for name in (f"poller:{channel}", f"webhook:{channel}"):
        row = session.get(Heartbeat, name)
        if row is not None and row.detail.get(USERNAME):
            return str(row.detail[USERNAME])
    return None
