"""Reads the Bot API's updates (https://core.telegram.org/bots/api#update). Strange ones never raise."""

from __future__ import annotations

from typing import Any

import structlog

from bot.gateway.incoming import ContactCard, Incoming, Location, MediaRef

log = structlog.get_logger(__name__)

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

#: Default types where the Bot API gives none.
_MEDIA = {
    "photo": "image/jpeg",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "animation": "video/mp4",
    "document": "",
}
_STORED_KINDS = {"video_note": "video", "animation": "video"}
#: What a chat tells of itself; nobody said anything.
_SERVICE = frozenset(
    {
        "pinned_message",
        "message_auto_delete_timer_changed",
        "write_access_allowed",
        "users_shared",
        "chat_shared",
        "connected_website",
        "passport_data",
        "successful_payment",
        "refunded_payment",
        "proximity_alert_triggered",
        "boost_added",
        "chat_background_set",
        "gift",
        "unique_gift",
        "new_chat_members",
        "left_chat_member",
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "migrate_from_chat_id",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "video_chat_scheduled",
        "video_chat_started",
        "video_chat_ended",
        "video_chat_participants_invited",
        "web_app_data",
    }
)
_MEMBER = ("member", "administrator", "creator", "restricted")


def parse_update(update: dict[str, Any]) -> Incoming:
    """Read one update; what cannot be read becomes ``ignored``."""
    try:
        return _parse(update)
    except Exception:
        # The traceback would quote the message; the id is enough to find it in the inbox.
        log.exception("strange_update", update_id=update.get("update_id"), exc_info=False)
        return Incoming(kind="ignored", detail="unreadable", chat_id=_chat_id_of(update))


def _chat_id_of(update: dict[str, Any]) -> str:
    for content in update.values():
        if isinstance(content, dict) and isinstance(content.get("chat"), dict) and "id" in content["chat"]:
            return str(content["chat"]["id"])
    return ""


def _parse(update: dict[str, Any]) -> Incoming:
    if "message" in update:
        return _message(update["message"])
    if "edited_message" in update:
        return _edited(update["edited_message"])
    if "callback_query" in update:
        return _press(update["callback_query"])
    if "my_chat_member" in update:
        return _membership(update["my_chat_member"])
    return Incoming(kind="ignored", detail="other update", chat_id=_chat_id_of(update))


def _sender(user: dict[str, Any]) -> dict[str, Any]:
    names = (user.get("first_name"), user.get("last_name"))
    return {
        "user_id": str(user["id"]),
        "display_name": " ".join(name for name in names if name),
        "username": user.get("username") or "",
    }


def _place(message: dict[str, Any]) -> dict[str, Any]:
    chat = message["chat"]
    return {
        "chat_id": str(chat["id"]),
        "is_group": chat.get("type", "private") != "private",
        "message_id": str(message.get("message_id", "")),
        **_topic(message),
    }


def _topic(message: dict[str, Any]) -> dict[str, Any]:
    """In which topic of a group a message stands, and which one it answers.

    Outside of topics a message's thread only says to which message a chain of answers goes back. In a topic
    every message that answers none is said to answer the one with which the topic was opened.
    """
    found: dict[str, Any] = {}
    if message.get("is_topic_message") and message.get("message_thread_id"):
        found["thread_id"] = str(message["message_thread_id"])
    answered = message.get("reply_to_message") or {}
    if answered.get("message_id") and "forum_topic_created" not in answered:
        found["reply_to"] = str(answered["message_id"])
    found["answers_account"] = str((answered.get("from") or {}).get("id", ""))
    return found


def _message(message: dict[str, Any]) -> Incoming:
    place = _place(message)
    if "migrate_to_chat_id" in message:
        return Incoming(kind="migrated", detail=str(message["migrate_to_chat_id"]), **place)
    user = message.get("from")
    if _is_anonymous(message) and _SERVICE.isdisjoint(message):
        return Incoming(kind="anonymous", **place)
    if not user or user.get("is_bot"):
        return Incoming(kind="ignored", detail="not written by a person", **place)
    who = {**place, **_sender(user)}
    if message.get("text"):
        return Incoming(kind="text", text=str(message["text"]), **who)
    return _attachment(message, who) or _anything_else(message, who)


def _is_anonymous(message: dict[str, Any]) -> bool:
    """Whether an admin of a group writes in the group's own name."""
    written_as = (message.get("sender_chat") or {}).get("id")
    return written_as is not None and written_as == message["chat"]["id"]


def _attachment(message: dict[str, Any], who: dict[str, Any]) -> Incoming | None:
    caption = str(message.get("caption") or "")
    # An animation also carries a document; the order of the table decides.
    kind = next((kind for kind in _MEDIA if message.get(kind)), None)
    if kind is not None:
        return Incoming(
            kind="media",
            text=caption,
            media=(_media(kind, message[kind]),),
            media_group_id=str(message.get("media_group_id") or ""),
            **who,
        )
    if message.get("location"):
        place, venue = message["location"], message.get("venue") or {}
        title = " ".join(text for text in (venue.get("title"), venue.get("address")) if text)
        point = Location(float(place["latitude"]), float(place["longitude"]), title)
        return Incoming(kind="location", location=point, **who)
    if message.get("contact"):
        return Incoming(kind="contact", contact=_contact(message["contact"], who["user_id"]), **who)
    return None


def _media(kind: str, content: Any) -> MediaRef:
    file = content[-1] if kind == "photo" else content  # a photo comes in several sizes, the largest last
    return MediaRef(
        kind=_STORED_KINDS.get(kind, kind),
        file_id=str(file["file_id"]),
        mime_type=str(file.get("mime_type") or _MEDIA[kind]),
        size=int(file.get("file_size") or 0),
        file_name=str(file.get("file_name") or ""),
    )


def _contact(card: dict[str, Any], user_id: str) -> ContactCard:
    names = (card.get("first_name"), card.get("last_name"))
    return ContactCard(
        phone=str(card["phone_number"]),
        own=str(card.get("user_id", "")) == user_id,
        name=" ".join(name for name in names if name),
    )


def _anything_else(message: dict[str, Any], who: dict[str, Any]) -> Incoming:
    if not _SERVICE.isdisjoint(message):
        return Incoming(kind="ignored", detail="service message", **who)
    return Incoming(kind="unsupported", detail="sticker" if "sticker" in message else "other", **who)


def _edited(message: dict[str, Any]) -> Incoming:
    place = _place(message)
    user = message.get("from")
    text = message.get("text") or message.get("caption")
    # A moving live location is edited every few seconds, without a word.
    if not user or user.get("is_bot") or not text:
        return Incoming(kind="ignored", detail="edit without text", **place)
    return Incoming(kind="edited", text=str(text), **place, **_sender(user))


def _press(query: dict[str, Any]) -> Incoming:
    # Behind a very old message only its id and chat come along; without any message the chat is the person's.
    message = query.get("message") or {"chat": {"id": query["from"]["id"]}}
    return Incoming(
        kind="button",
        token=str(query.get("data") or ""),
        callback_query_id=str(query["id"]),
        **_place(message),
        **_sender(query["from"]),
    )


def _membership(change: dict[str, Any]) -> Incoming:
    place = _place(change)
    is_member = change["new_chat_member"]["status"] in _MEMBER
    gained, lost = ("added", "removed") if place["is_group"] else ("reachable", "blocked")
    detail = gained if is_member else lost
    return Incoming(kind="membership", detail=detail, **place, **_sender(change["from"]))
