"""Structured logs for every role: one correlation id from update to reply, no secrets, no personal data.

Log calls name an event and give ids; texts, phone numbers and tokens are never arguments. As a second line
of defence ``redact`` masks whatever looks like a bot token or a phone number, also in records of libraries.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from crm_store.settings import Settings

_TOKEN = re.compile(r"\b(bot)?\d{6,12}:[A-Za-z0-9_-]{20,}")
_PHONE = re.compile(r"(?<![\d:.-])(?:\+98|0098|0)9\d{9}(?!\d)")
#: Libraries that log addresses (with the token in them) or whole requests at INFO.
_NOISY = (
    "httpx",
    "httpcore",
    "telegram",
    "sqlalchemy.engine",
    "aiohttp.access",
    "alembic",
    "sanic.access",
    "apscheduler",
)


def redact(text: str) -> str:
    """Mask bot tokens and Iranian mobile numbers."""
    return _PHONE.sub("[phone]", _TOKEN.sub("[token]", text))


def place_of(error: BaseException) -> str:
    """Where an error was raised, for a log line; a whole traceback may quote what a person typed."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "an unknown place"
    code = traceback.tb_frame.f_code
    return f"{code.co_name} ({code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno})"


def _redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


def configure_logging(settings: Settings, *, role: str) -> None:
    """Set up structlog and the standard library's logging for a role.

    Args:
        role: ``gateway``, ``console``, ``actions``, ``rasa`` or ``up``; stands in every line.
    """

    def add_role(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("role", role)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_role,
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
