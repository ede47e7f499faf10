"""The audit trail: who looked at or changed what."""

from __future__ import annotations

import re

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.days import span_of
from bot.console.desk import id_of
from bot.console.labels import labels
from bot.console.pages import reading, render, rules_of
from crm_store.audit_queries import API, CUSTOMER, OPERATOR, SYSTEM, AuditPage, entries
from crm_store.staff.models import StaffMember

_ACTOR = re.compile(r"staff:[0-9]{1,18}|customer|system|operator|api")
_TARGET = re.compile(r"[a-z_]{1,40}")

routes = web.RouteTableDef()


@routes.get("/audit")
@allowed("audit.view")
async def audit(request: web.Request) -> web.StreamResponse:
    """The trail, newest first, of one member of staff, of one area or of a span of days."""
    asked = request.query
    areas, actions = labels("audit_areas"), labels("audit_actions")
    actor = asked.get("actor", "") if _ACTOR.fullmatch(asked.get("actor", "")) else ""
    area = asked.get("area", "") if asked.get("area", "") in areas else ""
    action = asked.get("action", "") if asked.get("action", "") in actions else ""
    about = asked.get("about", "") if _TARGET.fullmatch(asked.get("about", "")) else ""
    number = asked.get("number", "") if id_of(asked.get("number", "")) is not None else ""
    first, last = asked.get("from", "")[:12], asked.get("to", "")[:12]
    span = span_of(first, last, rules_of(request))

    def look(session: Session) -> tuple[AuditPage, dict[str, str]]:
        page = entries(
            session,
            actor=actor,
            area=area,
            action=action,
            target_type=about,
            target_id=number,
            since=span.since,
            until=span.until,
            before_id=id_of(asked.get("before", "")),
        )
        rows = session.execute(
            select(StaffMember.id, StaffMember.name, StaffMember.login).order_by(StaffMember.name)
        ).tuples()
        return page, {f"staff:{id_}": name or login or str(id_) for id_, name, login in rows}

    page, members = await reading(request, look)
    filters = {"actor": actor, "area": area, "action": action, "about": about, "number": number}
    filters |= {"from": first.replace("/", "-"), "to": last.replace("/", "-")} if span.is_right else {}
    return render(
        request,
        "audit.html",
        page=page,
        members=members,
        others=(CUSTOMER, SYSTEM, OPERATOR, API),
        audit_areas=areas,
        audit_actions=actions,
        filters=filters,
        first=first,
        last=last,
        is_right=span.is_right,
    )
