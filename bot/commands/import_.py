"""``peyvand import``: what a business knows from before."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors, open_store
from bot.commands.import_purchases import purchases
from bot.commands.rejected_rows import rejected_rows
from crm_store.errors import InvalidInput
from crm_store.settings import load_settings

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from crm_store.customers.columns import Columns, Record, Refusal
    from crm_store.customers.importing import Summary, Survey
    from crm_store.customers.tables import Table

INTERRUPTED = 130
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_TARGET = click.Path(dir_okay=False, path_type=Path)


@click.group("import")
def import_() -> None:
    """Bring along what the business knows from before."""


import_.add_command(purchases)


@import_.command()
@click.argument("file", type=_FILE)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="A field's column, by heading or place; an empty one leaves the field out.",
)
@click.option("--sheet", default="", help="Sheet of an XLSX file; the first one by default.")
@click.option("--yes", is_flag=True, help="Import without asking.")
@click.option("--rejected", type=_TARGET, help="Where rejected rows go; FILE-rejected.csv by default.")
@explains_errors
def customers(file: Path, mapping: tuple[str, ...], sheet: str, yes: bool, rejected: Path | None) -> None:
    """Import a customer list (CSV or XLSX): shows what is understood, asks, and imports.

    Interrupted or run twice, it makes no customer twice. Rows that cannot be taken go to a file of their own,
    with the reason; mended there, that file is imported in its turn.
    """
    from crm_store.customers.columns import find_columns
    from crm_store.customers.importing import survey
    from crm_store.customers.tables import open_table

    target = rejected or file.with_name(f"{file.stem}-rejected.csv")
    if target.resolve() == file.resolve():
        raise InvalidInput("--rejected: the file being imported cannot be written over")
    table = open_table(file, sheet=sheet)
    columns = find_columns(table, _corrections(mapping))
    found = survey(table, columns)
    _show(table, columns, found)
    if not found.rows:
        raise InvalidInput(f"{file.name} has headings and no rows")
    if not yes and not _agreed(found.rows):
        click.echo("nothing was imported")
        return
    _summarise(_import(table, columns, found.rows, target), target)


def _corrections(mapping: Iterable[str]) -> dict[str, str]:
    corrections = {}
    for given in mapping:
        name, equals, column = given.partition("=")
        if not equals:
            raise InvalidInput(f"--map {given}: write it as FIELD=COLUMN, for instance phone=3")
        corrections[name.strip()] = column.strip()
    return corrections


def _agreed(rows: int) -> bool:
    if not sys.stdin.isatty():
        raise InvalidInput("standard input is no terminal, so nobody can be asked: add --yes to import")
    return click.confirm(f"Import {rows} rows?")


def _show(table: Table, columns: Columns, found: Survey) -> None:
    """What the columns are taken for, and the first rows as understood."""
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    console = Console()
    console.print(Text(f"{table.path.name}: {table.format}, {found.rows} rows"))
    taken = Grid("field", "column", "heading")
    for name, place in columns.places.items():
        heading = columns.headings[place] if place < len(columns.headings) else ""
        taken.add_row(name, str(place + 1), Text(heading))
    console.print(taken)
    unused = [
        heading for place, heading in enumerate(columns.headings) if place not in columns.places.values()
    ]
    if any(unused):
        console.print(Text(f"not imported: {', '.join(heading for heading in unused if heading)}"))
    console.print(_first_rows(found))


def _first_rows(found: Survey) -> Grid:
    """The first rows side by side: so their values have room on a narrow screen."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid("", *(f"row {row.row.number}" for row in found.first))
    understood = [_understood(row) for row in found.first]
    for name in dict.fromkeys(name for values in understood for name in values):
        grid.add_row(name, *(Text(values.get(name, "")) for values in understood))
    return grid


def _understood(row: Record | Refusal) -> dict[str, str]:
    """What a row says, by field; why, if it is not taken."""
    from crm_store.customers.columns import Record
    from crm_store.persian.birthdays import date_text

    if not isinstance(row, Record):
        return {"rejected": _readable(row.code)}
    said = {
        "phone": row.phone,
        "name": row.full_name,
        "customer id": row.external_ref,
        "birthday": date_text(row.birthday) if row.birthday else "",
        "address": row.address,
        "time to call": row.preferred_time,
        "tier": row.tier,
    }
    return {name: value for name, value in said.items() if value}


def _import(table: Table, columns: Columns, rows: int, target: Path) -> Summary:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from crm_store.customers.columns import wording
    from crm_store.customers.importing import import_customers

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    rejected = rejected_rows(target, columns.headings, wording)
    with open_store(load_settings()) as database, rejected as write, bar:
        task = bar.add_task("importing", total=rows)

        def on_batch(summary: Summary, refusals: list[Refusal]) -> None:
            for refusal in refusals:
                write(refusal)
            bar.update(task, completed=summary.rows)

        try:
            return import_customers(database, table=table, columns=columns, on_batch=on_batch)
        except KeyboardInterrupt:
            bar.stop()
            done = int(bar.tasks[0].completed)
            click.echo(
                f"interrupted: {done} of {rows} rows are imported; run the same command again for the rest",
                err=True,
            )
            sys.exit(INTERRUPTED)


def _summarise(summary: Summary, target: Path) -> None:
    click.echo(
        f"{summary.created} created, {summary.updated} updated, {summary.unchanged} unchanged, "
        f"{summary.duplicates} duplicates, {summary.rejected} rejected"
    )
    if summary.refused:
        for code, count in summary.refused.most_common():
            click.echo(f"  {_readable(code)}: {count}")
        click.echo(f"these rows, with reasons: {target}")


def _readable(code: str) -> str:
    return code.replace("_", " ")
