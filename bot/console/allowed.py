"""Who may open which page: asked of the table of permissions at every request, refusals audited.

The guard (`bot.console.auth.guard`) reads the member of staff anew for each request, so a changed role or a
disabled account holds from the next click on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.console import auth
from bot.console.pages import render, writing
from crm_store.audit import record_audit
from crm_store.staff.permissions import has_permission, may

log = structlog.get_logger(__name__)


def allowed(*permissions: str) -> Callable[[Handler], Handler]:
    """Let only those on to a view who have one of these permissions; others get an audited page with 403.

    Where a permission is for one's own things, the view asks further, with `refuse` or
    `crm_store.staff.permissions.may`.

    Args:
        permissions: names of `crm_store.staff.permissions.PERMISSIONS`.
    """

    def decorate(view: Handler) -> Handler:
        @wraps(view)
        async def guarded(request: web.Request) -> web.StreamResponse:
            if can(request, *permissions):
                return await view(request)
            return await refuse(request, permissions[0])

        guarded.permissions = permissions  # type: ignore[attr-defined]  # the permission matrix reads it
        return guarded

    return decorate


def can(request: web.Request, *permissions: str) -> bool:
    """Whether whoever is logged in has one of these permissions; nothing is written down."""
    return any(has_permission(auth.staff_of(request), permission) for permission in permissions)


async def refuse(
    request: web.Request,
    permission: str,
    *,
    own: bool = True,
    target_type: str = "page",
    target_id: object = "",
) -> web.Response:
    """The page that says no; that somebody tried is written down.

    Args:
        own: False where the permission is for one's own and this is somebody else's.
        target_type: what it was about, with `target_id`; the page itself otherwise.
    """
    await audit_refusal(request, permission, own=own, target_type=target_type, target_id=target_id)
    return render(request, "notice.html", status=403, kind="forbidden")


async def audit_refusal(
    request: web.Request,
    permission: str,
    *,
    own: bool = True,
    target_type: str = "page",
    target_id: object = "",
) -> None:
    """Write down that somebody tried what they may not, in a unit of work of its own."""
    staff = auth.staff_of(request)
    target = target_id or request.path[:60]
    log.warning("console_denied", staff_id=staff and staff.id, permission=permission)
    await writing(
        request,
        lambda session: may(
            session,
            staff=staff,
            permission=permission,
            own=own,
            target_type=target_type,
            target_id=target,
        ),
    )


async def audit_forbidden(request: web.Request, **detail: object) -> None:
    """Write down that a service refused something; what it began, its own note included, was taken back.

    Args:
        detail: what else is known of it.
    """
    staff = auth.staff_of(request)
    log.warning("console_denied", staff_id=staff and staff.id)
    await writing(
        request,
        lambda session: record_audit(
            session,
            actor=f"staff:{staff.id}" if staff else "unknown",
            action="staff.denied",
            target_type="page",
            target_id=request.path[:60],
            detail={"method": request.method, **detail},
        ),
    )
