"""The areas of the console and who sees them in the navigation; their names are in ``base.html``."""

from __future__ import annotations

import msgspec

from bot.console.auth import HOME
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import has_permission


class Area(msgspec.Struct, frozen=True):
    """One area.

    Attributes:
        key: its name in the template.
        address: its first page.
        permission: who sees it.
    """

    key: str
    address: str
    permission: str


AREAS = tuple(
    Area(key, f"{HOME}/{key}", permission)
    for key, permission in (
        ("inbox", "handoff.view"),
        ("complaints", "ticket.view"),
        ("requests", "ticket.view"),
        ("visits", "visit.work"),
        ("callbacks", "callback.done"),
        ("customers", "customer.find"),
        ("transcripts", "transcript.search"),
        ("club", "club.view"),
        ("surveys", "surveys.view"),
        ("staff", "staff.view"),
        ("texts", "texts.view"),
        ("settings", "settings.view"),
        ("audit", "audit.view"),
    )
)


def areas_of(staff: StaffMember | None) -> list[Area]:
    """The areas that somebody may open, in the order in which they are shown."""
    return [area for area in AREAS if has_permission(staff, area.permission)]


def first_page(staff: StaffMember | None) -> str:
    """Where somebody begins."""
    areas = areas_of(staff)
    return areas[0].address if areas else f"{HOME}/account"
