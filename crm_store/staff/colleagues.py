"""To whom something can be given: colleagues by their names, however they are spelled, and teams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.complaints import models as complaints
from crm_store.complaints.models import Complaint
from crm_store.persian import fold
from crm_store.rules import Rules
from crm_store.service_requests import models as service_requests
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import COMPLAINT

TECHNICIAN = "technician"
#: How alike two words must be, of 100, to be one name; shorter words must be the same.
ALIKE, SHORTEST = 82, 3
_WORD = re.compile(r"\w+")


def candidates(session: Session, *, subject_type: str) -> list[StaffMember]:
    """Who can be given a ticket of a kind: complaints are for the desk, visits for technicians first."""
    here = select(StaffMember).where(StaffMember.disabled_at.is_(None), StaffMember.name != "")
    everybody = list(session.scalars(here.order_by(StaffMember.name, StaffMember.id)))
    if subject_type == COMPLAINT:
        return [one for one in everybody if one.role != TECHNICIAN]
    return sorted(everybody, key=lambda one: one.role != TECHNICIAN)


def named_in(text: str, colleagues: Sequence[StaffMember]) -> list[StaffMember]:
    """Colleagues whose name stands in a text, misspelt or not; those with most of their name first alone."""
    typed = _words(text)
    scores = {one.id: _score(_words(one.name), typed) for one in colleagues}
    best = max(scores.values(), default=0)
    return [one for one in colleagues if best and scores[one.id] == best]


def team_in(text: str, rules: Rules) -> str:
    """The one team of the business that a text names; empty for none."""
    typed = f" {' '.join(_words(text))} "
    named = [team for team in rules.business.handoff.teams if f" {' '.join(_words(team))} " in typed]
    return named[0] if len(named) == 1 else ""


def freest_of(
    session: Session, *, team: str, subject_type: str, among: Iterable[StaffMember]
) -> StaffMember | None:
    """Who of a team has the fewest open tickets of a kind; None where nobody of it can be given one."""
    members = [one for one in among if one.team == team]
    load = _open_tickets(session, subject_type)
    return min(members, key=lambda one: (load.get(one.id, 0), one.id), default=None)


def _open_tickets(session: Session, subject_type: str) -> dict[int, int]:
    if subject_type == COMPLAINT:
        owner, is_open = Complaint.assignee_id, Complaint.state.in_(complaints.OPEN_STATES)
    else:
        owner, is_open = ServiceRequest.technician_id, ServiceRequest.state.in_(service_requests.OPEN_STATES)
    rows = session.execute(
        select(owner, func.count()).where(is_open, owner.is_not(None)).group_by(owner)
    ).tuples()
    return {staff_id: count for staff_id, count in rows if staff_id is not None}


def _score(name: list[str], typed: list[str]) -> int:
    """How many words of a name stand in a text."""
    return sum(_stands(word, typed) for word in name)


def _stands(word: str, typed: list[str]) -> bool:
    if len(word) <= SHORTEST:
        return word in typed
    near = [one for one in typed if len(one) >= SHORTEST]
    return process.extractOne(word, near, scorer=fuzz.ratio, score_cutoff=ALIKE) is not None


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
