"""Telegram: what it can do."""

from __future__ import annotations

from bot.gateway.channels.base import Capabilities
from bot.gateway.channels.bot_api import BotApiChannel
from crm_store.settings import BotApiSettings

CAPABILITIES = Capabilities(topics=True, replies=True)


def telegram_channel(settings: BotApiSettings, *, proxy_url: str = "") -> BotApiChannel:
    """A Telegram bot."""
    return BotApiChannel("telegram", CAPABILITIES, settings, proxy_url=proxy_url)
