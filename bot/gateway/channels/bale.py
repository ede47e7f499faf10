"""Bale: the same shape as Telegram, with less promised in its documentation (https://docs.bale.ai)."""

from __future__ import annotations

from bot.gateway.channels.base import Capabilities
from bot.gateway.channels.bot_api import BotApiChannel
from crm_store.settings import BotApiSettings

# Bale's sendPhoto takes uploads with a caption as Telegram's does.
# Neither an HTML parse mode nor limits nor a webhook secret are documented, so none is relied on.
CAPABILITIES = Capabilities(html=False, webhook_secret_header=False, messages_per_second=15.0)


def bale_channel(settings: BotApiSettings, *, proxy_url: str = "") -> BotApiChannel:
    """A Bale bot."""
    return BotApiChannel("bale", CAPABILITIES, settings, proxy_url=proxy_url)
