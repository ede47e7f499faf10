"""What the commands on tickets share: the store and the rules, who acts, and answers to what was left out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import click

from bot.commands import open_store
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed, NotFound
from crm_store.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from crm_store.complaints.models import Complaint
    from crm_store.rules import Rules
    from crm_store.service_requests.models import ServiceRequest

OPERATOR, OPERATORS_ROLE = "operator", "admin"
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


class Desk(NamedTuple):
    """A unit of work of somebody's.

    Attributes:
        actor: ``operator`` or ``staff:<id>``.
        role: one of `crm_store.staff.models.ROLES`.
    """

    session: Session
    rules: Rules
    actor: str
    role: str


def acting(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the option to act as a member of staff."""
    return click.option(
        "--as",
        "staff_id",
        type=int,
        metavar="STAFF_ID",
        help="Act as this member of staff; as the operator by default.",
    )(command)


def rules_of(settings: Settings) -> Rules:
    """The rules that are in force now."""
    from crm_store.business import BusinessFile
    from crm_store.rules import Rules

    return Rules.of(settings, BusinessFile(settings.business_path).current())


@contextmanager
def reading() -> Iterator[tuple[Session, Rules]]:
    """The store to read from, and the rules."""
    settings = load_settings()
    with open_store(settings) as database, database.read() as session:
        yield session, rules_of(settings)


@contextmanager
def working(staff_id: int | None = None) -> Iterator[Desk]:
    """A unit of work; what is impossible is refused with what is possible instead.

    Args:
        staff_id: the member of staff whose work it is; None for the operator.
    """
    settings = load_settings()
    with open_store(settings) as database, database.write() as session:
        actor, role = _actor(session, staff_id)
        yield Desk(session, rules_of(settings), actor, role)


@contextmanager
def explaining_moves(desk: Desk, ticket: Complaint | ServiceRequest) -> Iterator[None]:
    """Adds to a refused change of state what is possible from the present one."""
    try:
        yield
    except InvalidTransition as error:
        if error.state != ticket.state:  # it is not the ticket's own state that is in the way
            raise
        possible = ", ".join(_moves(desk, ticket)) or "nothing"
        raise InvalidTransition(f"{error}; possible from here: {possible}", state=error.state) from error


def check_state(state: str, known: Sequence[str]) -> None:
    """Look whether there is such a state.

    Raises:
        InvalidInput: there is none; the message names those that there are.
    """
    if state not in known:
        raise InvalidInput(f"{state} is no state; there are: {', '.join(known)}")


def check_movable(ticket: Complaint | ServiceRequest, state: str) -> None:
    """Look whether a ticket can simply be taken to a state.

    Raises:
        InvalidInput: it needs words for the customer; the message names the command that takes them.
    """
    from crm_store.complaints.models import Complaint

    command = _own_commands().get(state) if isinstance(ticket, Complaint) else None
    if command is not None:
        raise InvalidInput(f"{state} needs words for the customer: peyvand tickets {command} {ticket.code}")


def complaint_of(session: Session, code: str) -> Complaint:
    """A complaint by its code, in either script.

    Raises:
        NotFound: no ticket has this code.
        InvalidInput: it is a service request.
    """
    from crm_store.complaints.models import Complaint
    from crm_store.tickets.queries import find_ticket

    ticket = find_ticket(session, code=code)
    if not isinstance(ticket, Complaint):
        raise InvalidInput(f"{ticket.code} is a service request: this is for complaints")
    return ticket


def request_of(session: Session, code: str) -> ServiceRequest:
    """A service request by its code, in either script.

    Raises:
        NotFound: no ticket has this code.
        InvalidInput: it is a complaint.
    """
    from crm_store.service_requests.models import ServiceRequest
    from crm_store.tickets.queries import find_ticket

    ticket = find_ticket(session, code=code)
    if not isinstance(ticket, ServiceRequest):
        raise InvalidInput(f"{ticket.code} is a complaint: this is for service requests")
    return ticket


def can_ask() -> bool:
    """Whether somebody sits at the terminal who can be asked."""
    return sys.stdin.isatty()


def choose(name: str, choices: Mapping[str, str], *, given: str | None, default: str | None = None) -> str:
    """One of some keys: as it was given, as the default says, or as it is answered at the terminal.

    Args:
        name: the option's name without its hyphens.
        choices: keys with what they are called.
        given: what the option says; None if it was left out.
        default: what it is when nobody can be asked; None if it cannot be left out.

    Raises:
        InvalidInput: it is none of them.
    """
    from crm_store.persian import rich

    if given is None:
        if not can_ask():
            return _left_out(name, default)
        for key, title in choices.items():
            click.echo(f"  {key}  {rich.to_plain(rich.value(title))}")
        kinds = click.Choice([*choices, *(["none"] if default == "" else [])])
        answer = click.prompt(name, type=kinds, default="none" if default == "" else default)
        return "" if answer == "none" and default == "" else str(answer)
    if given and given not in choices:
        raise InvalidInput(f"--{name}: {given} is none of {', '.join(choices)}")
    return given


def words(name: str, *, given: str | None, default: str | None = None) -> str:
    """A text: as it was given, as the default says, or as it is typed at the terminal."""
    if given is None:
        given = str(click.prompt(name, default=default)) if can_ask() else _left_out(name, default)
    return given


def _left_out(name: str, default: str | None) -> str:
    if default is None:
        raise click.UsageError(f"say --{name}: standard input is no terminal, so nobody can be asked")
    return default


def moment_of(text: str, timezone: str) -> datetime:
    """A Jalali date and time, such as ``1405/09/10 09:00``, in any digits.

    Raises:
        InvalidInput: it is written differently.
    """
    from crm_store.business.calendar import read_day
    from crm_store.persian import to_ascii_digits

    day, _, hour = to_ascii_digits(text).strip().partition(" ")
    try:
        local = datetime.strptime(hour.strip(), "%H:%M").time()  # noqa: DTZ007  # a time of day only
        return datetime.combine(read_day(day, "--at"), local, ZoneInfo(timezone))
    except ValueError as error:
        raise InvalidInput(f'--at: "{text}" must be written like "1405/09/10 09:00"') from error


def span_of_day(text: str, timezone: str, *, now: datetime) -> tuple[datetime, datetime]:
    """Beginning and end of a day: ``today``, ``tomorrow``, ``yesterday`` or a Jalali date.

    Raises:
        InvalidInput: it is written differently.
    """
    from crm_store.business.calendar import read_day

    zone = ZoneInfo(timezone)
    try:
        day: date = (
            now.astimezone(zone).date() + timedelta(days=_DAYS[text])
            if text in _DAYS
            else read_day(text, "--day")
        )
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    start, end = (datetime.combine(day + timedelta(days=more), datetime.min.time(), zone) for more in (0, 1))
    return start, end


def _actor(session: Session, staff_id: int | None) -> tuple[str, str]:
    from crm_store.staff.models import StaffMember

    if staff_id is None:
        return OPERATOR, OPERATORS_ROLE
    member = session.get(StaffMember, staff_id)
    if member is None:
        raise NotFound(f"--as: no member of staff has the number {staff_id}")
    if member.disabled_at is not None:
        raise NotAllowed(f"--as: {staff_id} does not work here any more")
    return f"staff:{member.id}", member.role


def _own_commands() -> dict[str, str]:
    """Commands that alone lead to a state of a complaint."""
    from crm_store.complaints.models import RESOLVED, WAITING

    return {WAITING: "ask", RESOLVED: "resolve"}


def _moves(desk: Desk, ticket: Complaint | ServiceRequest) -> Sequence[str]:
    """States to which the one who acts may simply take a ticket now."""
    from crm_store.complaints import states as complaints
    from crm_store.complaints.models import Complaint
    from crm_store.service_requests import states as requests

    if isinstance(ticket, Complaint):
        kinds, others = frozenset({complaints.kind_of_actor(desk.actor)}), _own_commands()
        table = {move: who for move, who in complaints.TRANSITIONS.items() if move[1] not in others}
    else:
        kinds, table = requests.kinds_of_actor(desk.session, ticket, desk.actor), {**requests.TRANSITIONS}
    return [to for (before, to), allowed in table.items() if before == ticket.state != to and allowed & kinds]
