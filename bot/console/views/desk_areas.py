"""The modules of views of the desk: tickets, customers, the club, opinions, staff, texts, settings, audit."""

from __future__ import annotations

from aiohttp import web

from bot.console.kept import KEPT, Kept
from bot.console.views import (
    console_audit,
    console_callbacks,
    console_canned,
    console_club,
    console_complaints,
    console_customers,
    console_decisions,
    console_duplicates,
    console_raffles,
    console_reasons,
    console_requests,
    console_settings,
    console_staff,
    console_surveys,
    console_texts,
    console_transcripts,
    console_visits,
)

DESK_AREAS = (
    console_decisions,
    console_complaints,
    console_requests,
    console_visits,
    console_callbacks,
    console_duplicates,
    console_reasons,
    console_customers,
    console_transcripts,
    console_raffles,
    console_club,
    console_surveys,
    console_staff,
    console_canned,
    console_texts,
    console_settings,
    console_audit,
)


def set_up_desk(console: web.Application) -> None:
    """Give the console's application what these views share."""
    console[KEPT] = Kept()
