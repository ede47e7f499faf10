"""The visits of a day, of everybody or of one technician, to look at and to print."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
from aiohttp import web

from bot.console.allowed import allowed
from bot.console.days import day_of
from bot.console.desk import Desk, id_of, working
from bot.console.looking import look_through
from bot.console.pages import render, rules_of
from bot.console.ticket_pages import names_of
from crm_store.customers.models import ContactPoint
from crm_store.customers.service import best_phone
from crm_store.persian.jalali_days import jalali
from crm_store.rules import Rules
from crm_store.service_requests.queries import VisitRow, visits_between
from crm_store.service_requests.states import is_expected
from crm_store.service_requests.windows import day_begins, is_missed, local_day
from crm_store.staff.colleagues import TECHNICIAN, candidates
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import SERVICE_REQUEST

routes = web.RouteTableDef()


class Visit(msgspec.Struct, frozen=True):
    """A visit in the list.

    Attributes:
        phone: the number to call.
        is_missed: its time went by and nobody left for it.
        is_expected: whoever looks is still to come for it.
    """

    row: VisitRow
    phone: ContactPoint | None
    is_missed: bool
    is_expected: bool


class DayOfVisits(msgspec.Struct, frozen=True):
    """What a day's page shows.

    Attributes:
        technicians: whose visits one may choose.
    """

    visits: list[Visit]
    technicians: list[StaffMember]


@routes.get("/visits")
@allowed("visit.work")
async def visits(request: web.Request) -> web.StreamResponse:
    """The visits of a day; who may not see everybody's sees their own."""
    rules = rules_of(request)
    typed = request.query.get("day", "")
    technician = id_of(request.query.get("technician", ""))

    def look(desk: Desk) -> tuple[DayOfVisits, date, bool]:
        today = local_day(desk.now, rules)
        day, is_right = _day_of(typed, today)
        sees_all = desk.has("visits.all")
        if sees_all:  # one's own visits are looked at to make them
            look_through(desk, "visits", day=_jalali(day))
        else:
            desk.audit("visits.viewed", target_type="visits", target_id=_jalali(day))
        wanted = technician if sees_all else desk.staff.id
        found = _visits(desk, day, wanted, rules)
        technicians = candidates(desk.session, subject_type=SERVICE_REQUEST) if sees_all else []
        return DayOfVisits(found, technicians), day, is_right

    found, day, is_right = await working(request, look, "visit.work")
    begins = day_begins(day, rules)
    return render(
        request,
        "visits.html",
        found=found,
        day=begins,
        before=day_begins(day - timedelta(days=1), rules),
        after=day_begins(day + timedelta(days=1), rules),
        technician=technician,
        technician_role=TECHNICIAN,
        titles=names_of(rules),
        is_right=is_right,
    )


def _visits(desk: Desk, day: date, technician_id: int | None, rules: Rules) -> list[Visit]:
    rows = visits_between(
        desk.session,
        start=day_begins(day, rules),
        end=day_begins(day + timedelta(days=1), rules),
        technician_id=technician_id,
    )
    given = {row.request.contact_point_id for row in rows} - {None}
    phones = {id_: desk.session.get(ContactPoint, id_) for id_ in given}
    return [
        Visit(
            row,
            phones.get(row.request.contact_point_id) or best_phone(desk.session, customer_id=row.customer.id),
            is_missed(row.request, desk.now),
            is_expected(row.request, staff_id=desk.staff.id),
        )
        for row in rows
    ]


def _day_of(text: str, today: date) -> tuple[date, bool]:
    """A Jalali day as the address has it, and whether it is one; today for nothing and for anything odd."""
    found = day_of(text) if text else today
    return (today, False) if found is None else (found, True)


def _jalali(day: date) -> str:
    """A day as people know it, for the audit trail."""
    year, month, number = jalali(day)
    return f"{year}/{month:02}/{number:02}"
