"""How a topic of a group is addressed inside the gateway: ``<the group's chat id>#<the topic's number>``."""

from __future__ import annotations

_SIGN = "#"


def topic_address(chat_id: str, thread_id: object) -> str:
    """The address of a topic; that of the chat itself where there is no topic."""
    return f"{chat_id}{_SIGN}{thread_id}" if thread_id else chat_id


def split_address(address: str) -> tuple[str, int | None]:
    """The chat of an address, and the number of the topic in it; None for none."""
    chat_id, _, thread_id = address.partition(_SIGN)
    return chat_id, int(thread_id) if thread_id.isdecimal() else None
