"""Who of the staff reads phone numbers whole, and what everybody else reads in their place."""

from __future__ import annotations

from crm_store.persian import hide_phones
from crm_store.rules import Rules

#: Who reads what is written in a staff group.
GROUP_ROLES = frozenset({"agent", "supervisor", "admin"})


def sees_phones(rules: Rules, *, role: str) -> bool:
    """Whether members of staff with a role see phone numbers whole."""
    return role in rules.business.staff.full_phone_roles


def groups_see_phones(rules: Rules) -> bool:
    """Whether everybody who reads in the staff's groups does."""
    return all(sees_phones(rules, role=role) for role in GROUP_ROLES)


def said(text: str, *, is_whole: bool) -> str:
    """What somebody wrote, as it is told to the staff.

    Args:
        text: plain text.
        is_whole: whether whoever reads it sees phone numbers whole.
    """
    return text if is_whole else hide_phones(text)
