"""``peyvand api-keys``: keys by which the business's other programs use the API."""

from __future__ import annotations

import click

from bot.commands import explains_errors
from bot.commands.ticket_desk import acting, reading, working


@click.group("api-keys")
def api_keys() -> None:
    """Give out and revoke keys of the API (docs/api.md)."""


@api_keys.command()
@click.option("--name", required=True, help="What the key is called; no two have the same name.")
@click.option("--shop", default="main", show_default=True, help="The shop whose orders it brings.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["purchases", "rewards", "surveys"]),
    help="What it opens; may be given several times.",
)
@acting
@explains_errors
def create(name: str, shop: str, scopes: tuple[str, ...], staff_id: int | None) -> None:
    """Make a key; it is shown now and never again."""
    from crm_store.api_keys.service import create_key

    with working(staff_id) as desk:
        _, key = create_key(desk.session, name=name, shop=shop, scopes=scopes, actor=desk.actor)
    click.echo(key)
    click.echo("keep it safe: it cannot be shown again", err=True)


@api_keys.command("list")
@explains_errors
def list_() -> None:
    """List all keys, revoked ones included."""
    from rich.console import Console
    from rich.table import Table

    from bot.commands.showing import Words, moment_text
    from crm_store.api_keys.service import keys

    with reading() as (session, rules):
        found = keys(session)
    if not found:
        click.echo("there is no key; make one with peyvand api-keys create")
        return
    table = Table("name", "shop", "scopes", "made", "last used", "revoked")
    for key in found:
        moments = (key.created_at, key.last_used_at, key.revoked_at)
        made, used, revoked = (moment_text(moment, rules.timezone) for moment in moments)
        table.add_row(Words(key.name), key.shop, ", ".join(key.scopes), made, used, revoked)
    Console().print(table)


@api_keys.command()
@click.argument("name")
@acting
@explains_errors
def revoke(name: str, staff_id: int | None) -> None:
    """Revoke a key for good: from now on it opens nothing."""
    from crm_store.api_keys.service import revoke_key

    with working(staff_id) as desk:
        revoke_key(desk.session, name=name, actor=desk.actor)
    click.echo("revoked")
