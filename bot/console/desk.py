"""What the console's pages do: one unit of work for whoever is logged in, and what is said of a refusal.

A member of staff is read anew within the unit: a role that was taken away since the page was opened does
nothing any more. A page that shows what somebody typed into a refused form keeps it for them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

from aiohttp import web
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from bot.console import auth
from bot.console.forms import see_other
from bot.console.pages import render, rules_of, writing
from bot.console.texts import message
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import Conflict, CrmError, Forbidden, NotFound
from crm_store.persian import to_ascii_digits
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import has_permission

Result = TypeVar("Result")
#: A page shown again, with what was typed and why it was refused.
Again = Callable[["Refusal"], Awaitable[web.StreamResponse]]

#: White space, half-spaces and what groups thousands.
_BETWEEN = re.compile(r"[\s,\u066c\u060c\u200c\u200e\u200f]+")
#: The form changed nothing because somebody else was faster; or because of what stands in it.
_CHANGED, _WRONG = 409, 422
_CHANGED_CODES = frozenset({"conflict", "invalid_transition", "fully_booked", "too_late"})


class Desk(NamedTuple):
    """A unit of work of a member of staff.

    Attributes:
        staff: as the store has them now.
        actor: ``staff:<id>``.
    """

    session: Session
    rules: Rules
    staff: StaffMember
    actor: str
    now: datetime

    def has(self, permission: str) -> bool:
        """Whether the member has a permission."""
        return has_permission(self.staff, permission)

    def must(self, *permissions: str) -> None:
        """Go on only with one of these permissions.

        Raises:
            Forbidden: the member has none of them.
        """
        if not any(self.has(one) for one in permissions):
            raise Forbidden(f"{self.actor} lacks {permissions[0]}")

    def audit(
        self, action: str, *, target_type: str, target_id: object, detail: dict[str, object] | None = None
    ) -> None:
        """Write down what the member looked at or did."""
        record_audit(
            self.session,
            actor=self.actor,
            action=action,
            target_type=target_type,
            target_id=target_id,
            detail=detail,
        )


class Refused(CrmError):
    """A form that cannot be carried out, for a reason of its own in ``messages.yml``."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.code = key


class Refusal(NamedTuple):
    """Why a form was refused, and what stood in it.

    Attributes:
        text: what the page says.
        fields: as they were typed.
        status: of the answer.
        error: what was raised.
    """

    text: str
    fields: Mapping[str, str]
    status: int
    error: CrmError


async def working(request: web.Request, work: Callable[[Desk], Result], *permissions: str) -> Result:
    """Run a unit of work of whoever is logged in.

    Args:
        work: what is done.
        permissions: of which the member must still have one.

    Raises:
        Forbidden: they have none any more, or no longer work here.
    """
    rules, member = rules_of(request), auth.staff_of(request)
    if member is None:
        raise Forbidden("nobody is logged in")
    staff_id = member.id

    def unit(session: Session) -> Result:
        staff = session.get(StaffMember, staff_id)
        if staff is None or staff.disabled_at is not None:
            raise Forbidden("the member does not work here any more")
        desk = Desk(session, rules, staff, f"staff:{staff_id}", utcnow())
        if permissions:
            desk.must(*permissions)
        return work(desk)

    try:
        return await writing(request, unit)
    except StaleDataError as error:
        raise Conflict("somebody else changed it at the same moment") from error


async def carry_out(
    request: web.Request,
    fields: Mapping[str, str],
    work: Callable[[Desk], object],
    *permissions: str,
    back: str,
    done: str,
    again: Again | None = None,
) -> web.StreamResponse:
    """Do what a form asks for, and lead on; where it is refused, say why.

    Args:
        fields: of the form.
        work: what is done.
        permissions: of which the member must still have one.
        back: the page that is shown afterwards.
        done: what it says then, a key below ``done`` in ``messages.yml``.
        again: shows the page again after a refusal; without it the page that follows says why.

    Raises:
        Forbidden, NotFound: these have pages of their own.
    """
    try:
        await working(request, work, *permissions)
    except (Forbidden, NotFound):
        raise
    except CrmError as error:
        if again is None:
            return see_other(back, problem=error.code)
        status = _CHANGED if error.code in _CHANGED_CODES else _WRONG
        return await again(Refusal(problem_text(error.code), fields, status, error))
    return see_other(back, done=done)


def render_form(
    request: web.Request, template: str, refusal: Refusal | None, **values: object
) -> web.Response:
    """A page with forms; after a refusal with the reason, and in ``typed`` the fields as they were."""
    shown: dict[str, object] = {"typed": {}}
    if refusal is not None:
        shown = {"typed": refusal.fields, "problem_text": refusal.text}
    status = refusal.status if refusal is not None else web.HTTPOk.status_code
    return render(request, template, status=status, **(shown | values))


def problem_text(code: str) -> str:
    """What a page says of a refusal."""
    return message("problem", code) or message("problem", "invalid")


def number_of(text: str) -> int | None:
    """A whole number of a form, in any digits, thousands grouped or not; None for anything else."""
    plain = _BETWEEN.sub("", to_ascii_digits(text))
    sign = -1 if plain[:1] in ("-", "\u2212") else 1
    digits = plain[1:] if plain[:1] in ("-", "+", "\u2212") else plain
    return sign * int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


def id_of(text: str) -> int | None:
    """A number of a row, as a form or an address has it; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
