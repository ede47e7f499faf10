"""``peyvand raffle``: raffles that anybody can check (docs/raffles.md)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors
from bot.commands.ticket_desk import acting, moment_of, reading, working
from crm_store.base import utcnow
from crm_store.errors import InvalidInput

if TYPE_CHECKING:
    from crm_store.loyalty.raffle_sources import Source
    from crm_store.loyalty.raffles import Winner

_OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the file that is to be published; raffle-KEY.json here by default.",
)


@click.group()
def raffle() -> None:
    """Hold a raffle: open it, seal the list, draw, and let anybody check it."""


@raffle.command("open")
@click.argument("key")
@click.option("--title", required=True, help="What customers read.")
@click.option("--prize", required=True, help="What is won.")
@click.option("--winners", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--closes", required=True, metavar="MOMENT", help='Until when one can join: "1405/09/30 20:00".'
)
@click.option("--opens", metavar="MOMENT", help="From when on; at once by default.")
@click.option("--points", type=click.IntRange(0), default=0, show_default=True, help="What a chance costs.")
@click.option(
    "--chances", type=click.IntRange(1), default=1, show_default=True, help="For each customer, at the most."
)
@click.option(
    "--by-right",
    multiple=True,
    metavar="TIER",
    help="Members of this tier have one chance for nothing; * for everybody with points.",
)
@acting
@explains_errors
def open_(
    *,
    key: str,
    title: str,
    prize: str,
    winners: int,
    closes: str,
    opens: str | None,
    points: int,
    chances: int,
    by_right: tuple[str, ...],
    staff_id: int | None,
) -> None:
    """Have customers join a new raffle."""
    from crm_store.loyalty.raffles import open_raffle

    with working(staff_id) as desk:
        timezone = desk.rules.timezone
        open_raffle(
            desk.session,
            key=key,
            title=title,
            prize=prize,
            winners=winners,
            points=points,
            chances=chances,
            by_right=by_right,
            opens_at=_moment("--opens", opens, timezone) if opens else None,
            closes_at=_moment("--closes", closes, timezone),
            actor=desk.actor,
            rules=desk.rules,
        )
    click.echo(f"{key} is open")


@raffle.command("list")
@explains_errors
def list_() -> None:
    """List all raffles with their chances and winners."""
    from rich.console import Console
    from rich.table import Table
    from sqlalchemy import func, select

    from bot.commands.showing import Words, moment_text
    from crm_store.loyalty.models import RaffleEntry
    from crm_store.loyalty.raffles import all_raffles, past_winners

    table = Table("key", "title", "state", "closes", "chances", "value at", "winners")
    with reading() as (session, rules):
        counted = select(RaffleEntry.raffle_id, func.count()).group_by(RaffleEntry.raffle_id)
        chances = dict(session.execute(counted).tuples().all())
        known = past_winners(session, limit=1000)
        for one in all_raffles(session):
            won = [_winner_text(who) for who in known if who.key == one.key]
            closes, value_at = (moment_text(when, rules.timezone) for when in (one.closes_at, one.random_at))
            count = str(chances.get(one.id, 0))
            table.add_row(
                one.key, Words(one.title), one.state, closes, count, value_at, Words("\n".join(won))
            )
    if table.row_count:
        Console().print(table)
    else:
        click.echo("there was no raffle yet")


@raffle.command()
@click.argument("key")
@click.option("--drand", metavar="MOMENT", help="The first value of drand at this moment decides.")
@click.option("--index", metavar="DAY", help="The index of Tehran's stock exchange on this day decides.")
@click.option("--source", help="Another public value decides; name it so that everybody finds the same.")
@click.option("--at", metavar="MOMENT", help="When that other value comes to be.")
@_OUT
@acting
@explains_errors
def seal(
    *,
    key: str,
    drand: str | None,
    index: str | None,
    source: str | None,
    at: str | None,
    out: Path | None,
    staff_id: int | None,
) -> None:
    """Close the list for good, and name the public value to come that decides.

    Everybody in the list is told its hash. Publish the file before that value comes to be.
    """
    from crm_store.loyalty import raffles

    if sum(given is not None for given in (drand, index, source)) != 1 or (source is None) != (at is None):
        raise click.UsageError("say one of --drand, --index and --source; --at belongs to --source")
    with working(staff_id) as desk:
        chosen = _source(drand, index, source, at, desk.rules.timezone)
        sealed = raffles.seal(
            desk.session,
            raffle=raffles.find_raffle(desk.session, key=key),
            random_source=chosen.text,
            random_at=chosen.at,
            actor=desk.actor,
            rules=desk.rules,
        )
        content = raffles.published(desk.session, raffle=sealed)
    click.echo(f"sealed: {sealed.entries_hash}")
    _write(content, key, out)


@raffle.command()
@click.argument("key")
@click.option("--value", required=True, help="The public value, as its source shows it.")
@_OUT
@acting
@explains_errors
def draw(*, key: str, value: str, out: Path | None, staff_id: int | None) -> None:
    """Mix in the public value and find the winners; it can be done once. Everybody in the list is told."""
    from crm_store.loyalty import raffles

    with working(staff_id) as desk:
        found = raffles.find_raffle(desk.session, key=key)
        drawn = raffles.draw(
            desk.session, raffle=found, random_value=value, actor=desk.actor, rules=desk.rules
        )
        content = raffles.published(desk.session, raffle=drawn)
        winners = [who for who in raffles.past_winners(desk.session, limit=1000) if who.key == key]
    for who in winners:
        click.echo(f"{who.place}. {_winner_text(who)}")
    _write(content, key, out)


@raffle.command()
@click.argument("key")
@_OUT
@explains_errors
def publish(key: str, out: Path | None) -> None:
    """Write the file of a sealed or drawn raffle once more."""
    from crm_store.loyalty import raffles

    with reading() as (session, _):
        content = raffles.published(session, raffle=raffles.find_raffle(session, key=key))
    _write(content, key, out)


@raffle.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hash", "known_hash", help="The hash as it was told when the list was sealed.")
@click.option("--value", "known_value", help="The public value, looked up at its source.")
@explains_errors
def verify(file: Path, known_hash: str | None, known_value: str | None) -> None:
    """Check a published file; exit code 2 if anything is wrong with it."""
    from crm_store.loyalty.raffle_draw import faults_of, read_published

    content = file.read_bytes()
    published = read_published(content)
    faults = faults_of(published, known_hash=known_hash, known_value=known_value)
    if faults:
        raise InvalidInput("; ".join(faults))
    click.secho("the file agrees with itself", fg="green")
    if known_hash is None:
        click.echo(f"compare with what was told when the list was sealed: {published.entries_hash}")
    if published.drawn is None:
        click.echo("the list is sealed and not drawn yet")
        return
    if known_value is None:
        click.echo(f"compare with its source: {published.drawn.value} ({published.sealed.value_from})")
    _show_winners(content)


@raffle.command("call-off")
@click.argument("key")
@acting
@explains_errors
def call_off(key: str, staff_id: int | None) -> None:
    """Let a raffle not take place; points go back, and everybody in it is told.

    Not once its public value has come to be.
    """
    from crm_store.loyalty import raffles

    with working(staff_id) as desk:
        found = raffles.find_raffle(desk.session, key=key)
        raffles.call_off(desk.session, raffle=found, actor=desk.actor, rules=desk.rules)
    click.echo(f"{key} is called off")


def _winner_text(who: Winner) -> str:
    from crm_store.loyalty.codes import grouped

    return f"{grouped(who.ticket)} (customer {who.customer_id})"


def _source(
    drand: str | None, index: str | None, source: str | None, at: str | None, timezone: str
) -> Source:
    from crm_store.business.calendar import read_day
    from crm_store.loyalty.raffle_sources import Source, drand_source, index_source
    from crm_store.persian import to_ascii_digits

    if drand is not None:
        return drand_source(_moment("--drand", drand, timezone))
    if index is not None:
        try:
            day = read_day(to_ascii_digits(index).strip(), "--index")
        except ValueError as error:
            raise InvalidInput(str(error)) from error
        return index_source(day, timezone=timezone, now=utcnow())
    return Source(source or "", _moment("--at", at or "", timezone))


def _moment(option: str, text: str, timezone: str) -> datetime:
    try:
        return moment_of(text, timezone)
    except InvalidInput as error:
        raise InvalidInput(str(error).replace("--at", option, 1)) from error


def _show_winners(content: str | bytes) -> None:
    from crm_store.loyalty.codes import grouped
    from crm_store.loyalty.raffle_draw import read_published

    drawn = read_published(content).drawn
    for place, ticket in enumerate(drawn.winners if drawn else (), start=1):
        click.echo(f"{place}. {grouped(ticket)}")


def _write(content: str, key: str, out: Path | None) -> None:
    path = out or Path(f"raffle-{key}.json")
    path.write_text(content, encoding="utf-8")
    path.chmod(0o644)  # it is for everybody
    click.echo(f"publish {path}")
