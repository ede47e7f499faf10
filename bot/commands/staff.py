"""``peyvand staff``: who works with Peyvand, in chat and at the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

    table = Table("id", "name", "role", "team", "login", "chat accounts", "skills", "areas", "state")
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
@click.argument("staff_id", metavar="ID", type=int)
@click.argument("role")
@explains_errors
def role(staff_id: int, role: str) -> None:
    """Give somebody another role (technician, agent, supervisor, admin), from their next message on."""
    member = _change(staff_id, role=role)
    click.echo(f"{member.name or member.login} is {member.role} from now on.")


@staff.command()
@click.argument("staff_id", metavar="ID", type=int)
@click.argument("team", default="")
@explains_errors
def team(staff_id: int, team: str) -> None:
    """Put somebody into one of the business file's teams; without TEAM, into none."""
    member = _change(staff_id, team=team)
    click.echo(
        f"{member.name or member.login} is in {f'the team {member.team}' if member.team else 'no team'}."
    )


@staff.command()
@click.argument("staff_id", metavar="ID", type=int)
@click.argument("skills", nargs=-1)
@explains_errors
def skills(staff_id: int, skills: tuple[str, ...]) -> None:
    """Say what somebody can do, in place of what was said before; without SKILLS, nothing in particular."""
    member = _change(staff_id, skills=skills)
    click.echo(f"{member.name or member.login} can do: {', '.join(member.skills) or 'nothing in particular'}")
    _warn_of_unknown_skills(member.skills)


@staff.command()
@click.argument("staff_id", metavar="ID", type=int)
@click.option("--drop", is_flag=True, help="Take the PIN away instead of making another.")
@explains_errors
def pin(staff_id: int, drop: bool) -> None:
    """Make a new PIN, show it once, and open chat accounts that wrong PINs have locked."""
    from crm_store.staff import pin as pins

    with open_store(load_settings()) as database, database.write() as session:
        made = "" if drop else pins.make_pin(session, staff_id=staff_id)
        if drop:
            pins.drop_pin(session, staff_id=staff_id)
    if made:
        click.echo(f"The PIN is now: {made}")
        click.echo("It is shown this once and kept nowhere; it is asked for in chat after a pause.")
    else:
        click.echo("There is no PIN any more; the next one is chosen in chat.")


@staff.command("totp-off")
@click.argument("staff_id", metavar="ID", type=int)
@explains_errors
def totp_off(staff_id: int) -> None:
    """Let somebody log in without the code of their app: the phone is lost. They can turn it on again."""
    from crm_store.staff import totp
    from crm_store.staff.accounts import member

    with open_store(load_settings()) as database, database.write() as session:
        who = member(session, staff_id=staff_id)
        was_on = totp.turn_off(session, staff_id=staff_id)
    name = who.name or who.login
    if was_on:
        click.echo(f"{name} logs in with the password alone; a new app can be set up in the console.")
    else:
        click.echo(f"{name} was asked for no code; nothing has changed.")


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


def _change(staff_id: int, **changes: Any) -> StaffMember:
    """Change some of what is kept of a member of staff."""
    from bot.commands.ticket_desk import working
    from crm_store.staff.accounts import member
    from crm_store.staff.managing import change_member

    with working() as desk:
        known = member(desk.session, staff_id=staff_id)
        kept = {
            name: getattr(known, name) for name in ("name", "role", "team", "skills", "areas", "max_chats")
        }
        return change_member(
            desk.session, staff_id=staff_id, actor=desk.actor, rules=desk.rules, **{**kept, **changes}
        )


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
    who = [str(member.id), member.name, member.role, member.team, member.login or ""]
    return [*who, *lists, state]


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
