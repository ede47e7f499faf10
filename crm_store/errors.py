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
