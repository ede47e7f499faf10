"""``peyvand tickets``: working on complaints and service requests until the console can."""

from __future__ import annotations

import click

from bot.commands import explains_errors, ticket_decisions
from bot.commands.ticket_desk import (
    acting,
    check_movable,
    check_state,
    complaint_of,
    explaining_moves,
    moment_of,
    reading,
    request_of,
    span_of_day,
    working,
)
from crm_store.base import utcnow

KINDS = ("complaint", "service_request")


@click.group()
def tickets() -> None:
    """Work on complaints and service requests.

    CODE is a tracking code as customers have it, in any digits.
    """


@tickets.command("list")
@click.option(
    "--assignee", "assignee_id", type=int, metavar="STAFF_ID", help="Those of this member of staff."
)
@click.option("--unassigned", is_flag=True, help="Those that nobody deals with.")
@click.option("--kind", type=click.Choice(KINDS), help="Of one kind only.")
@click.option("--state", "states", multiple=True, help="In this state; may be said several times.")
@click.option("--overdue", is_flag=True, help="Those of which a due time has passed.")
@click.option("--page", "number", type=click.IntRange(1), default=1, show_default=True)
@explains_errors
def list_(
    *,
    assignee_id: int | None,
    unassigned: bool,
    kind: str | None,
    states: tuple[str, ...],
    overdue: bool,
    number: int,
) -> None:
    """List the tickets that somebody has to work on, the most urgent first."""
    from bot.commands.ticket_tables import Tables
    from crm_store.tickets.queries import known_states, queue

    for state in states:
        check_state(state, known_states(kind))
    now = utcnow()
    with reading() as (session, rules):
        page = queue(
            session,
            assignee_id=assignee_id,
            kind=kind,
            states=states,
            overdue=overdue,
            unassigned=unassigned,
            number=number,
            now=now,
        )
    if page.rows:
        Tables(rules, now).queue(page)
    else:
        click.echo("there is no such ticket")


@tickets.command()
@click.argument("code")
@explains_errors
def show(code: str) -> None:
    """Show everything about a ticket."""
    from bot.commands.ticket_tables import Tables
    from crm_store.tickets.cases import ticket_case

    with reading() as (session, rules):
        Tables(rules, utcnow()).case(ticket_case(session, code=code))


@tickets.command()
@click.argument("code")
@click.argument("assignee_id", metavar="STAFF_ID", type=int)
@acting
@explains_errors
def assign(code: str, assignee_id: int, staff_id: int | None) -> None:
    """Give a ticket to a member of staff, who is told; the staff's groups if they cannot be reached."""
    from bot.commands.ticket_tables import member_text
    from crm_store.complaints import working as complaints
    from crm_store.complaints.models import Complaint
    from crm_store.service_requests import working as requests
    from crm_store.staff.models import StaffMember
    from crm_store.staff.telling import can_be_reached
    from crm_store.tickets.queries import find_ticket

    with working(staff_id) as desk:
        ticket = find_ticket(desk.session, code=code)
        with explaining_moves(desk, ticket):
            if isinstance(ticket, Complaint):
                complaints.assign(
                    desk.session, ticket, staff_id=assignee_id, actor=desk.actor, rules=desk.rules
                )
            else:
                requests.assign(
                    desk.session, ticket, staff_id=assignee_id, actor=desk.actor, rules=desk.rules
                )
        member = desk.session.get_one(StaffMember, assignee_id)
        is_reached = can_be_reached(desk.session, staff_id=assignee_id)
    click.echo(f"{ticket.code}: {ticket.state}, with {member_text(member)}")
    if not is_reached:
        click.secho(
            f"{member_text(member)} cannot be reached in chat; the staff's groups are told instead, if there "
            f"are any. Link an account with `peyvand staff link {assignee_id}`",
            fg="yellow",
            err=True,
        )


@tickets.command()
@click.argument("code")
@click.argument("text")
@acting
@explains_errors
def ask(code: str, text: str, staff_id: int | None) -> None:
    """Ask the customer of a complaint something; the promises pause until the answer comes."""
    from crm_store.complaints.working import ask_customer

    with working(staff_id) as desk:
        complaint = complaint_of(desk.session, code)
        with explaining_moves(desk, complaint):
            ask_customer(desk.session, complaint, text=text, actor=desk.actor, rules=desk.rules)
    click.echo(f"{complaint.code}: {complaint.state}, the question is on its way")


@tickets.command()
@click.argument("code")
@click.argument("text")
@acting
@explains_errors
def write(code: str, text: str, staff_id: int | None) -> None:
    """Write to the customer of a ticket."""
    from crm_store.complaints import working as complaints
    from crm_store.complaints.models import Complaint
    from crm_store.service_requests import working as requests
    from crm_store.tickets.queries import find_ticket

    with working(staff_id) as desk:
        ticket = find_ticket(desk.session, code=code)
        if isinstance(ticket, Complaint):
            complaints.write_to_customer(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)
        else:
            requests.write_to_customer(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)
    click.echo(f"{ticket.code}: the message is on its way")


@tickets.command()
@click.argument("code")
@click.argument("text")
@acting
@explains_errors
def note(code: str, text: str, staff_id: int | None) -> None:
    """Keep a note that no customer reads."""
    from crm_store.complaints import working as complaints
    from crm_store.complaints.models import Complaint
    from crm_store.service_requests import notes as requests
    from crm_store.tickets.queries import find_ticket

    with working(staff_id) as desk:
        ticket = find_ticket(desk.session, code=code)
        if isinstance(ticket, Complaint):
            complaints.note_internally(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)
        else:
            requests.note_internally(desk.session, ticket, text=text, actor=desk.actor)
    click.echo(f"{ticket.code}: noted")


@tickets.command()
@click.argument("code")
@click.argument("state")
@click.option("--reason", default="", help="Why; it stands in the timeline.")
@acting
@explains_errors
def move(code: str, state: str, reason: str, staff_id: int | None) -> None:
    """Take a ticket to another state, of which the customer is told.

    To ask the customer of a complaint something, or to decide it, there are ask and resolve.
    """
    from crm_store.complaints import states as complaints
    from crm_store.complaints.models import Complaint
    from crm_store.service_requests import states as requests
    from crm_store.tickets.queries import find_ticket, kind_of, known_states

    with working(staff_id) as desk:
        ticket = find_ticket(desk.session, code=code)
        check_state(state, known_states(kind_of(ticket)))
        check_movable(ticket, state)
        before = ticket.state
        with explaining_moves(desk, ticket):
            if isinstance(ticket, Complaint):
                complaints.move(
                    desk.session, ticket, to=state, actor=desk.actor, rules=desk.rules, reason=reason
                )
            else:
                requests.move(
                    desk.session, ticket, to=state, actor=desk.actor, rules=desk.rules, reason=reason
                )
    click.echo(f"{ticket.code}: from {before} to {ticket.state}")


@tickets.command()
@click.argument("code")
@click.argument("priority")
@click.option("--reason", required=True, help="Why; it stands beside the other reasons.")
@acting
@explains_errors
def priority(code: str, priority: str, reason: str, staff_id: int | None) -> None:
    """Correct the priority of a complaint: low, normal, high or urgent."""
    from crm_store.complaints.working import set_priority

    with working(staff_id) as desk:
        complaint = complaint_of(desk.session, code)
        set_priority(
            desk.session, complaint, priority=priority, reason=reason, actor=desk.actor, rules=desk.rules
        )
    click.echo(f"{complaint.code}: {complaint.priority}")


@tickets.command()
@click.argument("code")
@click.argument("cause")
@acting
@explains_errors
def cause(code: str, cause: str, staff_id: int | None) -> None:
    """Note why a complaint came about, by the key of a cause in the business file."""
    from crm_store.complaints.working import set_cause

    with working(staff_id) as desk:
        complaint = complaint_of(desk.session, code)
        set_cause(desk.session, complaint, cause=cause, actor=desk.actor, rules=desk.rules)
    shared = f", a case of problem {complaint.problem_id}" if complaint.problem_id else ""
    click.echo(f"{complaint.code}: {complaint.root_cause}{shared}")


@tickets.command()
@click.argument("code")
@click.option("--at", "at", required=True, help='Beginning of the window: "1405/09/10 09:00", local time.')
@acting
@explains_errors
def schedule(code: str, at: str, staff_id: int | None) -> None:
    """Agree on another window for a visit; the customer and the technician are told."""
    from bot.commands.showing import moment_text
    from crm_store.service_requests.working import schedule_visit

    with working(staff_id) as desk:
        request = request_of(desk.session, code)
        starts_at = moment_of(at, desk.rules.timezone)
        with explaining_moves(desk, request):
            schedule_visit(desk.session, request, starts_at=starts_at, actor=desk.actor, rules=desk.rules)
        begin = moment_text(starts_at, desk.rules.timezone)
    click.echo(f"{request.code}: {request.state}, {begin}")


@tickets.command()
@click.option(
    "--day", default="today", show_default=True, help="today, tomorrow, or a Jalali date: 1405/09/10."
)
@click.option("--technician", "technician_id", type=int, metavar="STAFF_ID", help="Of this technician only.")
@explains_errors
def visits(day: str, technician_id: int | None) -> None:
    """List the visits of a day, in order."""
    from bot.commands.ticket_tables import Tables
    from crm_store.service_requests.queries import visits_between

    now = utcnow()
    with reading() as (session, rules):
        start, end = span_of_day(day, rules.timezone, now=now)
        rows = visits_between(session, start=start, end=end, technician_id=technician_id)
    if rows:
        Tables(rules, now).visits(rows)
    else:
        click.echo("there is no visit on that day")


for _command in (
    ticket_decisions.resolve,
    ticket_decisions.approve,
    ticket_decisions.refuse,
    ticket_decisions.compensations,
    ticket_decisions.problems,
):
    tickets.add_command(_command)
