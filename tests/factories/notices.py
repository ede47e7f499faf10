"""What is on its way to a chat, as it is kept and as it is read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway.render import Rendered, Responses
from crm_store.business import Business, BusinessFile
from crm_store.outbox import OutboxItem
from crm_store.settings import PROJECT_ROOT
from tests.factories import RULES


def notices_to(session: Session, conversation_id: int) -> list[OutboxItem]:
    """The notices of a chat, in order."""
    chosen = select(OutboxItem).where(
        OutboxItem.conversation_id == conversation_id, OutboxItem.kind == "notice"
    )
    return list(session.scalars(chosen.order_by(OutboxItem.id)))


def told(session: Session, conversation_id: int) -> list[str]:
    """Names of the responses on their way to a chat, in order."""
    return [item.content["response"] for item in notices_to(session, conversation_id)]


def last_params(session: Session, conversation_id: int) -> dict[str, Any]:
    """The values of the last notice of a chat."""
    params: dict[str, Any] = notices_to(session, conversation_id)[-1].content["params"]
    return params


def rendered(item: OutboxItem, turn: int = 0) -> Rendered:
    """A notice as it leaves."""
    return _responses().render(item.content["response"], item.content["params"], turn=turn)


class _AsShipped(BusinessFile):
    """The business as it is shipped, which writes no copy of itself beside its file."""

    def __init__(self) -> None:
        self._business = RULES.business

    def current(self) -> Business:
        return self._business


@lru_cache
def _responses() -> Responses:
    return Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"), _AsShipped())
