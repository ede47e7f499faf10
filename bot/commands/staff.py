"""``peyvand staff``: who works with Peyvand, in chat and at the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors, open_store
from crm_store.settings import load_settings

if TYPE_CHECKING:
    from crm_store.paging import Page
    from crm_store.staff.models import StaffMember
    from crm_store.tickets.queries import TicketRow


@click.group()
def staff() -> None:
    """Invite members of staff, let them in and keep them out."""


@staff.command()
@click.option("--name", required=True, help="What they are called.")
@click.option("--role", required=True, help="technician, agent, supervisor or admin.")
@click.option(
    "--skill", "skills", multiple=True, help="What a technician can do; may be given several times."
)
@click.option(
    "--area", "areas", multiple=True, help="A city that a technician goes to; none means everywhere."
)
@explains_errors
def invite(name: str, role: str, skills: tuple[str, ...], areas: tuple[str, ...]) -> None:
    """Add somebody who works in chat, and show the one-time code with which they link their account."""
    from crm_store.staff import invitations

    with open_store(load_settings()) as database, database.write() as session:
        member, code = invitations.invite(session, name=name, role=role, skills=skills, areas=areas)
    click.echo(f"{member.name} is here now, as {member.role}, with the id {member.id}.")
    _show_code(code)
    _warn_of_unknown_skills(member.skills)


@staff.command()
@click.argument("staff_id", metavar="ID", type=int)
@explains_errors
def link(staff_id: int) -> None:
    """Show a new one-time code for somebody who is here already; former codes stop working."""
    from crm_store.staff import invitations

    with open_store(load_settings()) as database, database.write() as session:
        member, code = invitations.invite_again(session, staff_id=staff_id)
    click.echo(f"A code for {member.name or member.login} ({member.role}):")
    _show_code(code)


@staff.command("list")
@explains_errors
def list_() -> None:
    """List everybody, with their role and the channels on which they have linked an account."""
    from rich.console import Console
    from rich.table import Table

    from crm_store.staff.accounts import channels_of, members

    table = Table("id", "name", "role", "login", "chat accounts", "skills", "areas", "state")
    with open_store(load_settings()) as database, database.read() as session:
        everybody = members(session)
        channels = channels_of(session, staff_ids=[member.id for member in everybody])
        for member in everybody:
            table.add_row(*_cells(member, channels.get(member.id, [])))
    if everybody:
        Console().print(table)
    else:
        click.echo("nobody is here yet; `peyvand staff invite` adds somebody")


@staff.command()
@click.argument("staff_id", metavar="ID", type=int)
@explains_errors
def disable(staff_id: int) -> None:
    """Keep somebody out: their chat accounts, log-ins and codes stop working at once.

    What they still have to do stays with them until it is given to somebody else; it is listed.
    """
    from crm_store.staff import accounts
    from crm_store.tickets.queries import queue

    with open_store(load_settings()) as database, database.write() as session:
        member = accounts.disable(session, staff_id=staff_id)
        left = queue(session, assignee_id=staff_id)
    click.echo(f"{member.name or member.login} is kept out from now on.")
    if left.rows:
        _show_what_is_left(staff_id, left)


@staff.command()
@click.argument("login")
@explains_errors
def password(login: str) -> None:
    """Make a new password for LOGIN, show it once and end that person's log-ins."""
    from crm_store.staff.service import FIRST_LOGIN, ensure_first_admin, normalize_login, set_password

    with open_store(load_settings()) as database, database.write() as session:
        # A console that was started alone has nobody yet who could log in.
        first = ensure_first_admin(session) if normalize_login(login) == FIRST_LOGIN else None
        made = first or set_password(session, login=login)
    click.echo(f"The password of {normalize_login(login)} is now: {made}")
    click.echo("It is shown this once and kept nowhere.")


def _show_what_is_left(staff_id: int, left: Page[TicketRow]) -> None:
    """Say what somebody else has to take over, and how."""
    from crm_store.tickets.models import COMPLAINT

    click.secho(f"Still theirs, and to be handed over: {left.place.total}", fg="yellow")
    for row in left.rows:
        kind = "complaint" if row.subject_type == COMPLAINT else "visit"
        click.echo(f"    {row.code}  {kind}, {row.state}")
    if left.place.total > len(left.rows):
        click.echo(f"    all of them: `peyvand tickets list --assignee {staff_id}`")
    click.echo("Give each to somebody else with `peyvand tickets assign CODE STAFF_ID`.")


def _show_code(code: str) -> None:
    from crm_store.staff.invitations import VALID_FOR

    minutes = int(VALID_FOR.total_seconds() // 60)
    click.echo(f"\n    {code}\n")
    click.echo(f"They send it to the bot as a message, in their own chat with it, within {minutes} minutes.")
    click.echo("It works once, is shown this once and kept nowhere; `peyvand staff link ID` makes another.")


def _cells(member: StaffMember, channels: list[str]) -> list[str]:
    state = "kept out" if member.disabled_at is not None else "works here"
    lists = [", ".join(map(str, items)) for items in (channels, member.skills, member.areas)]
    return [str(member.id), member.name, member.role, member.login or "", *lists, state]


def _warn_of_unknown_skills(skills: list[str]) -> None:
    """A misspelt skill would keep every visit away from a technician without a word."""
    from crm_store.business import EXAMPLE, read_business

    path = load_settings().business_path
    business = read_business(path if path.exists() else EXAMPLE)
    asked_for = {skill for kind in business.service.kinds for skill in kind.skills}
    for skill in skills:
        if skill not in asked_for:
            known = ", ".join(sorted(asked_for)) or "none"
            click.secho(
                f"no kind of service asks for the skill {skill}; asked for: {known}", fg="yellow", err=True
            )
