"""The errors that callers of the store can act on."""

from __future__ import annotations


class CrmError(Exception):
    """Something the store refuses to do; ``code`` is stable and names the reason.

    Attributes:
        code: a short machine-readable reason, also the key of the text shown to a person.
    """

    code = "crm_error"


class NotFound(CrmError):
    """What was asked for does not exist, or is not the asker's: both look the same from outside."""

    code = "not_found"


class InvalidInput(CrmError):
    """A value cannot be accepted as it is; nothing was changed."""

    code = "invalid_input"


class DraftIncomplete(CrmError):
    """A draft lacks fields that are needed to submit it.

    Attributes:
        missing: names of the missing fields, in the order in which they are asked.
    """

    code = "draft_incomplete"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"draft lacks {', '.join(missing)}")
        self.missing = missing


class ConfigurationError(CrmError):
    """A setting is missing or wrong; the message names the key and the remedy."""

    code = "configuration"


class Forbidden(CrmError):
    """The asker may not do this; that they tried is in the audit trail."""

    code = "forbidden"


class LoginRefused(CrmError):
    """Login and password do not fit; from outside it looks the same whether the login exists."""

    code = "login_refused"


class LinkRefused(CrmError):
    """A code links no account; from outside it looks the same whether it is wrong, used or too old."""

    code = "link_refused"


class InvalidTransition(CrmError):
    """What was asked for is not possible in the state that something is in.

    Attributes:
        state: the state that it is in.
    """

    code = "invalid_transition"

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class NotAllowed(CrmError):
    """Whoever asks may not do this."""

    code = "not_allowed"


class TooLate(CrmError):
    """The time in which this was possible is over."""

    code = "too_late"


class FullyBooked(CrmError):
    """No place is left in a window of time, or it is no window that can be booked."""

    code = "fully_booked"


class RewardGone(CrmError):
    """None of a reward is left."""

    code = "reward_gone"


class LimitReached(CrmError):
    """Somebody has as many of something as one customer may have."""

    code = "limit_reached"


class NotEnoughPoints(CrmError):
    """A customer has fewer points than are needed.

    Attributes:
        missing: how many are missing.
    """

    code = "not_enough_points"

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} points are missing")
        self.missing = missing


class AlreadyClaimed(CrmError):
    """Somebody else has this conversation.

    Attributes:
        owner_id: who.
        owner_name: what they are called.
    """

    code = "already_claimed"

    def __init__(self, owner_id: int, owner_name: str) -> None:
        super().__init__("somebody else has this conversation")
        self.owner_id, self.owner_name = owner_id, owner_name


class CapReached(LimitReached):
    """Somebody has as many conversations at a time as they may have."""

    code = "cap_reached"


class Conflict(CrmError):
    """Something with this name is there already, with other content; nothing was changed."""

    code = "conflict"


class KeyRefused(CrmError):
    """A key of the API opens nothing; from outside it looks the same whether it is wrong or revoked."""

    code = "key_refused"
