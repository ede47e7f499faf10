"""What the pages of complaints and of service requests have in common: lists, one ticket, simple forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

import msgspec
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.console import auth
from bot.console.desk import Desk, Refused, carry_out, id_of
from bot.console.forms import own_form, see_other
from bot.console.looking import need_reason
from bot.console.pages import page_number, reading, render, rules_of
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment
from crm_store.conversations.queries import TranscriptLine, lines_around
from crm_store.errors import Conflict, Forbidden, NotFound
from crm_store.paging import Page
from crm_store.persian import parse_tracking_code
from crm_store.rules import Rules
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla import clocks
from crm_store.sla.models import SlaClock
from crm_store.staff.colleagues import candidates
from crm_store.staff.models import StaffMember
from crm_store.tickets.cases import TicketCase, ticket_case
from crm_store.tickets.models import COMPLAINT, TicketNote
from crm_store.tickets.queries import TicketRow, assignee_of, find_ticket, kind_of, known_states, queue

#: Which tickets a list shows: those that somebody has to work on, a part of them, or all, the newest first.
SHOWN = ("open", "overdue", "unassigned", "mine", "all")
#: The same words of the same member again within so long are a form that was sent twice.
_TWICE = timedelta(minutes=2)
_MOST_PAGES = 100_000

Ticket = TypeVar("Ticket", Complaint, ServiceRequest)
ListPage = Callable[..., Awaitable[web.StreamResponse]]


class Chosen(NamedTuple):
    """What a list is limited to, as the address says it; anything odd limits nothing."""

    show: str
    title: str
    state: str
    assignee: str
    #: What the address calls the title: ``category`` or ``kind``.
    name: str

    def filters(self) -> dict[str, str]:
        """For the addresses of the other pages of the list."""
        named = {"show": "" if self.show == "open" else self.show, self.name: self.title}
        return {**named, "state": self.state, "assignee": self.assignee}


class TicketList(msgspec.Struct, frozen=True):
    """A page of a list.

    Attributes:
        stories: what customers wrote, by ticket.
        files: how many files came with a ticket.
        colleagues: to whom tickets of this kind can be given.
    """

    page: Page[TicketRow]
    stories: dict[int, str]
    files: dict[int, int]
    colleagues: list[StaffMember]


class Clock(msgspec.Struct, frozen=True):
    """A due time and how it stands.

    Attributes:
        minutes: working time that is left, negative when it is over; None when the clock has stopped.
    """

    clock: SlaClock
    minutes: int | None
    is_late: bool


class TicketView(msgspec.Struct, frozen=True):
    """One ticket with everything that its page shows.

    Attributes:
        lines: what was said around the time it was registered.
        colleagues: to whom it can be given.
        is_own: whether it is assigned to whoever looks.
    """

    case: TicketCase
    lines: list[TranscriptLine]
    clocks: list[Clock]
    colleagues: list[StaffMember]
    is_own: bool


def chosen(request: web.Request, kind: str, names: Mapping[str, Collection[str]]) -> Chosen:
    """What the address limits a list to.

    Args:
        names: as in `names_of`.
    """
    asked, name = request.query, "category" if kind == COMPLAINT else "kind"
    show, title, state = asked.get("show", ""), asked.get(name, ""), asked.get("state", "")
    assignee = asked.get("assignee", "")
    return Chosen(
        show if show in SHOWN else "open",
        title if title in names[name] else "",
        state if state in known_states(kind) else "",
        assignee if id_of(assignee) is not None else "",
        name,
    )


async def ticket_list(request: web.Request, kind: str, wanted: Chosen) -> TicketList:
    """A page of a list of tickets."""
    me = auth.staff_of(request)
    mine = me.id if me is not None and wanted.show == "mine" else None
    states: Sequence[str] = (wanted.state,) if wanted.state else ()
    if wanted.show == "all" and not states:
        states = known_states(kind)
    search = partial(
        queue,
        assignee_id=mine if mine is not None else id_of(wanted.assignee),
        kind=kind,
        states=states,
        overdue=wanted.show == "overdue",
        unassigned=wanted.show == "unassigned",
        title=wanted.title,
        newest_first=wanted.show == "all",
        number=min(page_number(request), _MOST_PAGES),
    )

    def look(session: Session) -> TicketList:
        page = search(session)
        ids = [row.id for row in page.rows]
        colleagues = candidates(session, subject_type=kind)
        return TicketList(page, _stories(session, kind, ids), _files(session, kind, ids), colleagues)

    return await reading(request, look)


async def leads_to(request: web.Request, kind: str, typed: str) -> str:
    """The code of a ticket of a kind as it is kept, when there is one; else empty."""
    code = parse_tracking_code(typed) or ""

    def look(session: Session) -> str:
        try:
            found = find_ticket(session, code=code)
        except NotFound:
            return ""
        return code if kind_of(found) == kind else ""

    return await reading(request, look) if code else ""


def look_at(desk: Desk, *, code: str, kind: str) -> TicketView:
    """A ticket for its page; who looked is written down.

    Raises:
        NotFound: no ticket of this kind has the code.
        Forbidden: it is somebody else's, and the member sees their own alone.
        ReasonMissing: it is somebody else's, and the business wants to know why it is looked at.
    """
    case = ticket_case(desk.session, code=code)
    if case.subject_type != kind:
        raise NotFound("no ticket of this kind has this code")
    is_own = case.assignee_id == desk.staff.id
    if not is_own and not desk.has("ticket.view"):
        raise Forbidden("only one's own tickets")
    if not is_own:  # one's own are looked at to deal with them
        need_reason(desk, case.customer.id)
    desk.audit(f"{kind}.viewed", target_type=kind, target_id=case.ticket.id)
    lines = (
        lines_around(desk.session, conversation_id=case.conversation.id, moment=case.ticket.created_at)
        if desk.has("transcript.view")
        else []
    )
    return TicketView(
        case=case,
        lines=lines,
        clocks=[_clock(one, desk) for one in case.clocks],
        colleagues=candidates(desk.session, subject_type=kind),
        is_own=is_own,
    )


async def find_by_code(request: web.Request, kind: str, page: ListPage) -> web.StreamResponse:
    """Go to the ticket of a kind whose tracking code was typed; what is typed stands in no address.

    Args:
        page: of the list, shown where there is no such ticket.
    """
    typed = (await own_form(request)).get("code", "").strip()
    code = await leads_to(request, kind, typed)
    return see_other(f"{request.path}/{code}") if code else await page(request, unknown_code=typed[:40])


async def list_page(
    request: web.Request,
    *,
    kind: str,
    template: str,
    states: Sequence[str],
    unknown_code: str = "",
) -> web.StreamResponse:
    """The list of a kind of tickets.

    Args:
        states: those that a ticket may be in.
        unknown_code: what was typed and is no ticket's tracking code.
    """
    names = names_of(rules_of(request))
    wanted = chosen(request, kind, names)
    return render(
        request,
        template,
        found=await ticket_list(request, kind, wanted),
        wanted=wanted,
        titles=names,
        states=states,
        path=request.path,
        unknown_code=unknown_code,
    )


async def act(
    request: web.Request,
    work: Callable[[Desk, Ticket, dict[str, str]], object],
    *permissions: str,
    locked: Callable[[Desk, str], Ticket],
    page: Callable[..., Any],
    path: str,
    done: str,
    says: str = "",
    checks: bool = True,
) -> web.StreamResponse:
    """Do something with a ticket that is as its page showed it.

    Args:
        work: what is done, with the fields of the form.
        permissions: one of them is needed.
        locked: finds the ticket by its code, and locks it.
        page: makes its page, where something was refused.
        path: of its list.
        done: names what was done.
        says: the kind of note that it writes, which is written once.
        checks: whether it may have changed meanwhile.
    """
    fields = await own_form(request)
    code = request.match_info["code"]

    def unit(desk: Desk) -> None:
        ticket = locked(desk, code)
        if says and was_said(desk, ticket, kind=says, text=fields.get("text", "")):
            return
        if checks:
            unchanged(ticket, fields.get("version", ""))
        work(desk, ticket, fields)

    again = partial(page, request, opened=request.path.rpartition("/")[2])
    return await carry_out(request, fields, unit, *permissions, back=f"{path}/{code}", done=done, again=again)


def locked_ticket(
    desk: Desk, code: str, *, model: type[Ticket], lock: Callable[[Session, Ticket], object]
) -> Ticket:
    """A ticket as it is now, locked.

    Args:
        lock: has it as it is now, and nobody else change it.

    Raises:
        NotFound: no ticket of this kind has the code.
        Forbidden: it is somebody else's, and the member has to do with their own alone.
    """
    ticket = find_ticket(desk.session, code=code)
    if not isinstance(ticket, model):
        raise NotFound("no ticket of this kind has this code")
    lock(desk.session, ticket)
    if assignee_of(ticket) != desk.staff.id and not desk.has("ticket.view"):
        raise Forbidden("only one's own tickets")
    return ticket


def unchanged(ticket: Complaint | ServiceRequest, version: str) -> None:
    """Go on only where a ticket is as its form's page showed it.

    Raises:
        Conflict: somebody changed it meanwhile.
    """
    if str(ticket.version) != version:
        raise Conflict("the ticket was changed meanwhile")


def was_said(desk: Desk, ticket: Complaint | ServiceRequest, *, kind: str, text: str) -> bool:
    """Whether a member wrote the same a moment ago: a form that was sent twice."""
    latest = desk.session.scalar(
        select(TicketNote)
        .where(
            TicketNote.subject_type == kind_of(ticket),
            TicketNote.subject_id == ticket.id,
            TicketNote.author == desk.actor,
            TicketNote.kind == kind,
        )
        .order_by(TicketNote.id.desc())
        .limit(1)
    )
    return latest is not None and latest.text == text.strip() and latest.created_at > utcnow() - _TWICE


def colleague_of(fields: dict[str, str]) -> int:
    """The member of staff that a form names.

    Raises:
        Refused: it names none.
    """
    found = id_of(fields.get("staff", ""))
    if found is None:
        raise Refused("no_assignee")
    return found


def words_of(fields: dict[str, str], name: str = "text", *, refusal: str = "words_missing") -> str:
    """The words of a form.

    Raises:
        Refused: there are none.
    """
    text = fields.get(name, "").strip()
    if not text:
        raise Refused(refusal)
    return text


def may_note(desk: Desk, *, is_own: bool) -> None:
    """Go on only for those who may keep notes on a ticket.

    Raises:
        Forbidden: it is somebody else's.
    """
    if not desk.has("ticket.move"):
        desk.must("ticket.note_own")
        if not is_own:
            raise Forbidden("only on one's own tickets")


def _clock(clock: SlaClock, desk: Desk) -> Clock:
    is_open = clock.state in clocks.OPEN_STATES
    left = clocks.times(clock, desk.rules, desk.now).remaining
    is_late = left < timedelta(0) if is_open else clock.state == "missed"
    return Clock(clock, round(left.total_seconds() / 60) if is_open else None, is_late)


def _stories(session: Session, kind: str, ids: Sequence[int]) -> dict[int, str]:
    if kind == COMPLAINT:
        complaints = select(Complaint.id, Complaint.description).where(Complaint.id.in_(ids))
        return dict(session.execute(complaints).tuples().all())
    requests = select(ServiceRequest.id, ServiceRequest.problem).where(ServiceRequest.id.in_(ids))
    return dict(session.execute(requests).tuples().all())


def _files(session: Session, kind: str, ids: Sequence[int]) -> dict[int, int]:
    owner = Attachment.complaint_id if kind == COMPLAINT else Attachment.service_request_id
    rows = session.execute(select(owner, func.count()).where(owner.in_(ids)).group_by(owner)).tuples()
    return {ticket_id: count for ticket_id, count in rows if ticket_id is not None}


def names_of(rules: Rules) -> dict[str, dict[str, str]]:
    """Titles of the business's own keys, as they are now."""
    business = rules.business
    return {
        "category": {one.key: one.title for one in business.complaints.categories},
        "cause": {one.key: one.title for one in business.complaints.root_causes},
        "kind": {one.key: one.title for one in business.service.kinds},
        "product": {one.key: one.title for one in business.products},
    }
