"""Money: kept in rials, shown in tomans (one toman is ten rials)."""

from __future__ import annotations

from crm_store.persian.digits import group_thousands

_RIALS_IN_A_TOMAN = 10


def toman_text(rials: int) -> str:
    """Writes an amount, such as «۱۲۰٬۰۰۰ تومان».

    Args:
        rials: The amount in rials.

    Returns:
        The amount in tomans, or in rials when it is not a whole number of tomans: nothing is rounded away.
    """
    tomans, odd_rials = divmod(rials, _RIALS_IN_A_TOMAN)
    if odd_rials:
        return f"{group_thousands(rials)} ریال"
    return f"{group_thousands(tomans)} تومان"
