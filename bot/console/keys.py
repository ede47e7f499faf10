"""Where the console's application keeps what its views share."""

from __future__ import annotations

from aiohttp import ClientSession, web

from bot.console.chat_store import ChatStore
from bot.console.hub import Hub
from bot.console.limits import RateLimiter
from bot.console.live import LiveHub
from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.settings import Settings

SETTINGS = web.AppKey("settings", Settings)
BUSINESS = web.AppKey("business", BusinessFile)
DATABASE = web.AppKey("database", Database)
CHAT_STORE = web.AppKey("chat_store", ChatStore)
HUB = web.AppKey("hub", Hub)
#: The open pages of the console, and how fast a member of staff may do things there.
LIVE_HUB = web.AppKey("live_hub", LiveHub)
LIVE_LIMITER = web.AppKey("live_limiter", RateLimiter)
LIMITER = web.AppKey("limiter", RateLimiter)
#: How often one address, and how often anybody with one login, may try to log in.
LOGIN_ADDRESSES = web.AppKey("login_addresses", RateLimiter)
LOGIN_NAMES = web.AppKey("login_names", RateLimiter)
#: How often a member of staff may try a code of the second step.
LOGIN_CODES = web.AppKey("login_codes", RateLimiter)
HTTP = web.AppKey("http", ClientSession)
