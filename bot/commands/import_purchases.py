"""``peyvand import purchases``: what was bought before the shop told of it by itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors, open_store
from bot.commands.rejected_rows import rejected_rows
from bot.commands.ticket_desk import rules_of
from crm_store.errors import InvalidInput
from crm_store.settings import load_settings

if TYPE_CHECKING:
    from crm_store.customers.tables import Table
    from crm_store.purchases.columns import Columns
    from crm_store.purchases.importing import OrderList

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_TARGET = click.Path(dir_okay=False, path_type=Path)
_SHOWN = 3


@click.command()
@click.argument("file", type=_FILE)
@click.option("--sheet", default="", help="Sheet of an XLSX file; the first one by default.")
@click.option("--shop", default="main", show_default=True, help="The shop whose orders they are.")
@click.option(
    "--currency",
    type=click.Choice(["toman", "rial"]),
    help="What amounts are in; by default as the heading says, else tomans.",
)
@click.option("--yes", is_flag=True, help="Import without asking.")
@click.option("--rejected", type=_TARGET, help="Where rejected rows go; FILE-rejected.csv by default.")
@explains_errors
def purchases(
    *, file: Path, sheet: str, shop: str, currency: str | None, yes: bool, rejected: Path | None
) -> None:
    """Import a list of paid orders (CSV or XLSX): shows what is understood, asks, and imports.

    Rows with the same order number are lines of one order. Interrupted or run twice, nothing counts twice.
    """
    from crm_store.customers.tables import open_table
    from crm_store.purchases.columns import find_columns, wording
    from crm_store.purchases.importing import import_orders, read_orders

    target = rejected or file.with_name(f"{file.stem}-rejected.csv")
    if target.resolve() == file.resolve():
        raise InvalidInput("--rejected: the file being imported cannot be written over")
    settings = load_settings()
    rules = rules_of(settings)
    table = open_table(file, sheet=sheet)
    columns = find_columns(table, currency=currency or "")
    orders = read_orders(table, columns, timezone=rules.timezone)
    _show(table, columns, orders)
    if not orders.rows:
        raise InvalidInput(f"{file.name} has headings and no rows")
    if not yes and not _agreed(len(orders.orders)):
        click.echo("nothing was imported")
        return
    with open_store(settings) as database:
        summary, refused = import_orders(database, name=file.name, orders=orders, rules=rules, shop=shop)
    if refused:
        with rejected_rows(target, columns.headings, wording) as write:
            for one in refused:
                write(one)
    click.echo(
        f"{summary.recorded} orders recorded, {summary.known} known already, {len(refused)} rows rejected"
    )
    for code, count in summary.refused.most_common():
        click.echo(f"  {code.replace('_', ' ')}: {count}")
    if refused:
        click.echo(f"these rows, with reasons: {target}")


def _agreed(orders: int) -> bool:
    if not sys.stdin.isatty():
        raise InvalidInput("standard input is no terminal, so nobody can be asked: add --yes to import")
    return click.confirm(f"Import {orders} orders?")


def _show(table: Table, columns: Columns, orders: OrderList) -> None:
    """What the columns are taken for, and the first orders as understood."""
    from rich.console import Console
    from rich.table import Table as Grid

    from bot.commands.showing import Words, moment_text

    console = Console()
    money = "rials" if columns.rials == 1 else "tomans"
    counted = f"{len(orders.orders)} orders in {orders.rows} rows, amounts in {money}"
    console.print(f"{table.path.name}: {table.format}, {counted}", markup=False, highlight=False)
    taken = Grid("field", "column", "heading")
    for name, place in columns.places.items():
        heading = columns.headings[place] if place < len(columns.headings) else ""
        taken.add_row(name, str(place + 1), Words(heading))
    console.print(taken)
    first = Grid("order", "phone", "paid at", "lines", "tomans")
    for order_id, rows in list(orders.orders.items())[:_SHOWN]:
        phone = next(row.phone for row in rows if row.phone)
        paid_at = next(row.paid_at for row in rows if row.paid_at)
        tomans = f"{sum(row.amount for row in rows) // 10:,}"
        zone = str(paid_at.tzinfo)
        moment = moment_text(paid_at, zone) if "/" in zone else paid_at.isoformat()
        first.add_row(order_id, phone, moment, str(len(rows)), tomans)
    console.print(first)
