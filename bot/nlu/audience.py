"""Who writes decides what may be meant: first of three layers that keep staff's intents from everybody else.

Whoever writes «گزارش امروز» as a customer must be understood as a customer. Rules by role and the actions'
own look into the store stand behind this. Staff, too, greet and thank; what customers ask is meant by them
less often than what only staff can ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

#: Intents that begin like this are for staff alone.
STAFF_PREFIX = "staff_"
#: Value of ``audience`` in a message's metadata that says that staff write.
STAFF = "staff"
#: How likely anything else is in a conversation of staff, compared with what is theirs alone.
OTHERS_AMONG_STAFF = 0.1
#: Requests that take words of one's own, and from how sure on what stands before a colon is one of them.
WITH_WORDS = frozenset(
    {"staff_add_note", "staff_escalate", "staff_register", "staff_release", "staff_resolve"}
)
SURE_OF_HEAD = 0.6
_HEAD = re.compile(r"\s*(\S+(?: \S+){0,5}?)\s*[:\uff1a]\s*\S", re.DOTALL)


def weight_for(metadata: Mapping[str, Any] | None) -> Callable[[str], float]:
    """Says how likely each intent is beforehand.

    Args:
        metadata: Of the message; without an audience it is a customer's.

    Returns:
        A function from an intent's name to its weight; 0 for what the sender cannot mean.
    """
    if (metadata or {}).get("audience") == STAFF:
        return lambda intent: 1.0 if intent.startswith(STAFF_PREFIX) else OTHERS_AMONG_STAFF
    return lambda intent: 0.0 if intent.startswith(STAFF_PREFIX) else 1.0


def head_of(text: str, metadata: Mapping[str, Any] | None) -> str | None:
    """What staff ask for, where they say it before a colon and words of their own behind: «پایان گفتگو: …».

    The words behind may look like anything and are no request.

    Returns:
        What stands before the colon; None where there is none, and for customers.
    """
    found = _HEAD.match(text) if (metadata or {}).get("audience") == STAFF else None
    return found[1] if found else None


def weight_for_author_of(intent: str) -> Callable[[str], float]:
    """Says how likely each intent is beforehand, when somebody wrote what means this one."""
    return weight_for({"audience": STAFF if intent.startswith(STAFF_PREFIX) else None})
