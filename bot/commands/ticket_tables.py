"""How ``peyvand tickets`` shows tickets: lists, and one with everything around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bot.commands.showing import Words, details, length_text, moment_text
from crm_store.activity import Activity
from crm_store.complaints.models import Compensation, Complaint
from crm_store.complaints.problems import problem_title
from crm_store.complaints.queries import CompensationRow, ProblemRow
from crm_store.conversations.models import Attachment
from crm_store.customers.models import Customer
from crm_store.paging import Page
from crm_store.persian import phone_text, span_text, toman_text
from crm_store.rules import Rules
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.queries import VisitRow
from crm_store.sla.clocks import OPEN_STATES, times
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffMember
from crm_store.terms import terms
from crm_store.tickets.cases import TicketCase
from crm_store.tickets.models import COMPLAINT
from crm_store.tickets.queries import TicketRow

_PRIORITY_STYLES = {"urgent": "bold red", "high": "yellow", "low": "dim"}
_WHOLE = ("id", "code", "complaint", "state", "priority", "promise")
_DATES, _DATE_WIDTH = ("when", "due", "since"), 10
#: What stands in the timeline's data and is shown elsewhere, or is of no use to people.
_NOT_SHOWN = ("from", "to", "reason", "inbox_id")
#: What holds the number of a member of staff, in the timeline's data.
_MEMBERS = ("staff_id", "technician_id", "former")


class Tables:
    """Shows tickets on standard output.

    Args:
        rules: names of categories, products and services, and the time zone.
        now: the moment at which they are looked at.
    """

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._rules = rules
        self._now = now
        self._console = Console(highlight=False)

    def queue(self, page: Page[TicketRow]) -> None:
        """A page of the list."""
        table = _dated("code", "state", "priority", "about", "customer", "assignee", "due")
        for row in page.rows:
            table.add_row(
                row.code,
                row.state,
                Text(row.priority, _PRIORITY_STYLES.get(row.priority, "")),
                Words(self._title(row.subject_type, row.title)),
                Words(row.customer_name),
                self._assignee(row),
                Text(self._moment(row.due_at), "red" if row.is_overdue else ""),
            )
        self._console.print(table)
        place = page.place
        more = f", page {place.number} of {place.count}" if place.count > 1 else ""
        self._console.print(f"{place.total} ticket{'s' * (place.total != 1)}{more}")

    def case(self, case: TicketCase) -> None:
        """A ticket with everything around it."""
        ticket = case.ticket
        kind = "complaint" if case.subject_type == COMPLAINT else "service request"
        style = _PRIORITY_STYLES.get(ticket.priority, "")
        heading = Text.assemble(
            f"{kind} ", (ticket.code, "bold"), f"  {ticket.state}  ", (ticket.priority, style)
        )
        self._console.print(heading)
        about = (
            self._complaint(case, ticket) if isinstance(ticket, Complaint) else self._request(case, ticket)
        )
        self._console.print(details(chain(self._customer(case), about)))
        self._section("files", self._files(case.attachments))
        self._section("notes", self._notes(case))
        self._section("promises", self._clocks(case.clocks))
        self._section("decisions", self._resolutions(case))
        self._section("timeline", self._timeline(case))

    def visits(self, visits: Sequence[VisitRow]) -> None:
        """The visits of a day."""
        table = _dated("code", "state", "window", "about", "where", "customer", "technician")
        for row in visits:
            request, window = row.request, row.window
            table.add_row(
                request.code,
                request.state,
                Words(span_text(window.starts_at, window.ends_at, now=self._now, tz=self._rules.timezone)),
                Words(self._rules.business.service_kind(request.kind).title),
                Words(" ".join(part for part in (request.city, request.address) if part)),
                Words(_name(row.customer)),
                Words(row.technician.name) if row.technician else Text("nobody", "yellow"),
            )
        self._console.print(table)

    def compensations(self, rows: Sequence[CompensationRow]) -> None:
        """Points and money that wait for approval, for booking or for payment."""
        table = _dated("id", "complaint", "state", "amount", "customer", "asked for by", "since")
        for row in rows:
            one = row.compensation
            table.add_row(
                str(one.id),
                row.code,
                one.state,
                Words(_amount(one)),
                Words(_name(row.customer)),
                one.requested_by,
                self._moment(one.created_at),
            )
        self._console.print(table)

    def problems(self, rows: Sequence[ProblemRow]) -> None:
        """Problems that are not closed, with how many complaints they link."""
        table = _dated("id", "what they share", "title", "complaints", "since", "answer")
        for row in rows:
            problem = row.problem
            table.add_row(
                str(problem.id),
                problem.cause,
                Words(problem_title(problem, self._rules.business)),
                str(row.complaints),
                self._moment(problem.created_at),
                Words(problem.answer),
            )
        self._console.print(table)

    def _section(self, name: str, table: Table | None) -> None:
        if table is not None:
            self._console.print(Text(f"\n{name}", "bold"))
            self._console.print(table)

    def _customer(self, case: TicketCase) -> Iterator[tuple[str, object]]:
        customer = case.customer
        yield "customer", f"{customer.id} {_name(customer)}".strip()
        yield "tier", customer.tier
        yield "chat", case.conversation.channel
        proven = {True: "", False: " (not proven)"}
        phones = [f"{phone_text(one.value)}{proven[one.proven_at is not None]}" for one in case.phones]
        yield "phone", "\n".join(phones)
        yield "wants to be called", customer.preferred_time

    def _complaint(self, case: TicketCase, complaint: Complaint) -> Iterator[tuple[str, object]]:
        business, names = self._rules.business, terms("complaints")
        products = {product.key: product.title for product in business.products}
        yield "assignee", _member(case.staff, complaint.assignee_id)
        yield "filed", self._moment(complaint.created_at)
        yield "category", business.category(complaint.category).title
        yield "order", complaint.order_number
        yield "product", products.get(complaint.product, complaint.product)
        yield "wants", names["remedies"].get(complaint.remedy, complaint.remedy)
        yield "priority", "\n".join(_reason(reason, self._rules) for reason in complaint.priority_reasons)
        if complaint.root_cause:
            yield "cause", business.root_cause(complaint.root_cause).title
        yield "related", ", ".join(f"{other.code} ({other.state})" for other in case.related)
        if case.problem:
            yield (
                "problem",
                f"{case.problem.id} {problem_title(case.problem, business)} ({case.problem.state})",
            )
        yield "story", complaint.description

    def _request(self, case: TicketCase, request: ServiceRequest) -> Iterator[tuple[str, object]]:
        yield "technician", _member(case.staff, request.technician_id)
        yield "made", self._moment(request.created_at)
        yield "kind", self._rules.business.service_kind(request.kind).title
        if case.window:
            start, end = case.window.starts_at, case.window.ends_at
            yield "visit", span_text(start, end, now=self._now, tz=self._rules.timezone)
        yield "confirmed", self._moment(request.confirmed_at)
        yield "product", request.product
        yield "where", " ".join(part for part in (request.city, request.address) if part)
        for answer in request.answers:
            yield "answer", f"{answer.get('question', '')}\n{answer.get('answer', '')}"
        yield "why", _service_reason(request.reason)
        yield "outcome", request.outcome
        yield "done", self._moment(request.done_at)
        if request.rating is not None:
            yield "rating", f"{request.rating} of {request.rating_scale}"
        yield "problem", request.problem

    def _files(self, attachments: Sequence[Attachment]) -> Table | None:
        table = Table("id", "kind", "name", "bytes", "where", "note")
        for one in attachments:
            where = one.path or ", ".join(str(value) for value in one.data.values())
            note = str(one.note_id or "")
            table.add_row(
                str(one.id), one.kind, Words(one.file_name), str(one.size or ""), Words(where), note
            )
        return table if attachments else None

    def _notes(self, case: TicketCase) -> Table | None:
        table = _dated("id", "when", "who", "kind", "text")
        for note in case.notes:
            kind = f"{note.kind} (open)" if note.kind == "question" and not note.answered_at else note.kind
            who = _who(note.author, case.staff)
            table.add_row(str(note.id), self._moment(note.created_at), Words(who), kind, Words(note.text))
        return table if case.notes else None

    def _clocks(self, clocks: Sequence[SlaClock]) -> Table | None:
        table = _dated("promise", "state", "due", "elapsed", "paused", "remaining")
        for clock in clocks:
            stand = times(clock, self._rules, self._now)
            is_open = clock.state in OPEN_STATES
            is_late = stand.remaining < timedelta(0) if is_open else clock.state == "missed"
            table.add_row(
                clock.metric,
                Text(clock.state, "red" if is_late else ""),
                self._moment(clock.due_at),
                length_text(stand.elapsed),
                length_text(stand.paused),
                Text(length_text(stand.remaining) if is_open else "", "red" if is_late else ""),
            )
        return table if clocks else None

    def _resolutions(self, case: TicketCase) -> Table | None:
        business, remedies = self._rules.business, terms("complaints")["remedies"]
        granted = {one.resolution_id: one for one in case.compensations}
        table = _dated("when", "who", "decision", "cause", "remedy", "explanation")
        for one in case.resolutions:
            remedy = [remedies.get(one.remedy, one.remedy)] if one.remedy else []
            if one.id in granted:
                compensation = granted[one.id]
                remedy.append(f"{_amount(compensation)} ({compensation.id}, {compensation.state})")
            table.add_row(
                self._moment(one.created_at),
                Words(_who(one.decided_by, case.staff)),
                f"{one.decision}\n({one.state})",
                Words(business.root_cause(one.root_cause).title if one.root_cause else ""),
                Words("\n".join(remedy)),
                Words(one.explanation),
            )
        return table if case.resolutions else None

    def _timeline(self, case: TicketCase) -> Table | None:
        table = _dated("when", "who", "what", "why")
        for entry in case.activities:
            who = _who(entry.actor, case.staff)
            table.add_row(
                self._moment(entry.at), Words(who), Words(_event(entry)), Words(self._why(entry, case.staff))
            )
        return table if case.activities else None

    def _why(self, entry: Activity, names: dict[int, str]) -> str:
        """Reason and whatever else is known of an event."""
        lines = [str(entry.data["reason"])] if entry.data.get("reason") else []
        for key, value in entry.data.items():
            if key in _NOT_SHOWN or value in ("", None):
                continue
            shown: object = value
            if key in _MEMBERS and isinstance(value, int):
                shown = _member(names, value)
            elif key.endswith("_at") and isinstance(value, str):
                shown = self._moment(datetime.fromisoformat(value))
            lines.append(f"{key.removesuffix('_id').removesuffix('_at')}: {shown}")
        return "\n".join(lines)

    def _assignee(self, row: TicketRow) -> RenderableType:
        if row.assignee_id is None:
            return Text("nobody", "yellow")
        return Words(f"{row.assignee_id} {row.assignee_name}")

    def _title(self, subject_type: str, key: str) -> str:
        business = self._rules.business
        return business.category(key).title if subject_type == COMPLAINT else business.service_kind(key).title

    def _moment(self, moment: datetime | None) -> str:
        return moment_text(moment, self._rules.timezone)


def _dated(*names: str) -> Table:
    """A table whose short words are kept whole, and dates at least by the day, however narrow it is."""
    table = Table()
    for name in names:
        table.add_column(name, no_wrap=name in _WHOLE, min_width=_DATE_WIDTH if name in _DATES else None)
    return table


def member_text(member: StaffMember) -> str:
    """A member of staff by number and name."""
    return f"{member.id} {member.name}".strip()


def _name(customer: Customer) -> str:
    return customer.full_name or customer.display_name


def _member(names: dict[int, str], staff_id: int | None) -> str:
    return "nobody" if staff_id is None else f"{staff_id} {names.get(staff_id, '')}".strip()


def _who(actor: str, names: dict[int, str]) -> str:
    kind, _, number = actor.partition(":")
    return _member(names, int(number)) if kind == "staff" and number.isdigit() else actor


def _event(entry: Activity) -> str:
    """What happened, and from what to what; in words that can be wrapped."""
    name = entry.kind.removeprefix(f"{entry.subject_type}.").replace(".", " ").replace("_", " ")
    before, after = entry.data.get("from"), entry.data.get("to")
    if not before and not after:
        return name
    return f"{name}\n({before or 'none'} to {after})" if after else f"{name}\n(from {before})"


def _reason(reason: dict[str, Any], rules: Rules) -> str:
    """Why a complaint has its priority, in the words of data/complaints/terms.yml."""
    key = str(reason.get("reason", ""))
    name = str(terms("complaints")["priority_reasons"].get(key, key))
    known = {name: value for name, value in reason.items() if name != "reason" and value}
    if "category" in known:
        known["category"] = rules.business.category(known["category"]).title
    more = ", ".join(str(value) for value in known.values())
    return f"{name} ({more})" if more else name


def _service_reason(key: str) -> str:
    names = terms("service_requests")
    found = {**names.get("cancel_reasons", {}), **names.get("not_done_reasons", {})}
    return str(found.get(key, key))


def _amount(compensation: Compensation) -> str:
    return (
        toman_text(compensation.amount) if compensation.kind == "money" else f"{compensation.amount} points"
    )
