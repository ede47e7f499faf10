"""Says what an error of the Bot API means for us."""

from __future__ import annotations

import warnings
from datetime import timedelta

import httpx
from telegram import error as telegram

from bot.gateway.channels.base import (
    BadMarkup,
    Blocked,
    ChannelError,
    Conflict,
    NoTopics,
    RateLimited,
    Rejected,
    TooLarge,
    TopicClosed,
    TopicGone,
    Unauthorized,
    Unreachable,
)

#: Refusals of the Bot API that mean a chat which cannot be written to, beside 403.
_GONE = ("chat not found", "user is deactivated", "user not found", "bot was kicked", "peer_id_invalid")
#: What goes wrong with a group's topics.
_TOPICS: tuple[tuple[str, type[ChannelError]], ...] = (
    ("message thread not found", TopicGone),
    ("topic_deleted", TopicGone),
    ("topic_closed", TopicClosed),
    ("not a forum", NoTopics),
    ("not enough rights to create a topic", NoTopics),
    ("not enough rights to manage", NoTopics),
)
#: The request never left: no connection was made.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
#: Where a 429 does not say how long to wait.
_USUAL_WAIT_SECONDS = 5.0
_SAME: dict[type[telegram.TelegramError], type[ChannelError]] = {
    telegram.Forbidden: Blocked,
    telegram.Conflict: Conflict,
    telegram.InvalidToken: Unauthorized,
    telegram.EndPointNotFound: Unauthorized,  # so the library reads a 404, which a wrong token gets
    telegram.ChatMigrated: Rejected,
}


def translate(error: telegram.TelegramError) -> ChannelError:
    """Our own exception for one of python-telegram-bot."""
    if isinstance(error, telegram.RetryAfter):
        return RateLimited(_seconds(error))
    if isinstance(error, telegram.BadRequest):  # a NetworkError by descent, but an answer
        return _refusal(error.message, error.message.lower())
    if isinstance(error, telegram.NetworkError):
        return _breakdown(error)
    for theirs, ours in _SAME.items():
        if isinstance(error, theirs):
            return ours(error.message)
    return Unreachable(error.message, maybe_delivered=True)  # an answer that is no Bot API answer


def _refusal(message: str, text: str) -> ChannelError:
    if "can't parse" in text:
        return BadMarkup(message)
    if "file is too big" in text:
        return TooLarge(message)
    if any(words in text for words in _GONE):
        return Blocked(message)
    for words, kind in _TOPICS:
        if words in text:
            return kind(message)
    return Rejected(message)


def _seconds(error: telegram.RetryAfter) -> float:
    with warnings.catch_warnings():
        # The library is about to give a timedelta in place of a number and says so at each use; we read both.
        warnings.simplefilter("ignore")
        wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _breakdown(error: telegram.NetworkError) -> ChannelError:
    if "too many requests" in error.message.lower():
        return RateLimited(_USUAL_WAIT_SECONDS)
    # What broke, without the address and the token in it.
    reason = type(error.__cause__).__name__ if error.__cause__ else error.message
    return Unreachable(reason, maybe_delivered=not isinstance(error.__cause__, _NEVER_SENT))
