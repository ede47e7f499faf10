"""``peyvand rewards``: what points buy, and the codes that customers show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.commands import explains_errors
from bot.commands.ticket_desk import acting, reading, working

if TYPE_CHECKING:
    from crm_store.loyalty.models import Redemption


@click.group()
def rewards() -> None:
    """Look at rewards, and take the codes that customers show.

    CODE is as the customer has it: in any case, with Persian digits, spaces or hyphens.
    """


@rewards.command("list")
@explains_errors
def list_() -> None:
    """List the rewards of the business file, with how many were given."""
    from rich.console import Console
    from rich.table import Table
    from sqlalchemy import select

    from bot.commands.showing import Words
    from crm_store.loyalty.models import RewardStock

    with reading() as (session, rules):
        taken = dict(session.execute(select(RewardStock.reward, RewardStock.taken)).tuples().all())
    loyalty = rules.business.loyalty
    if not loyalty.rewards:
        click.echo("there is no reward; they stand in [[loyalty.rewards]] of the business file")
        return
    table = Table("key", "title", "points", "given", "left", "per customer", "for members of")
    for reward in loyalty.rewards:
        given = taken.get(reward.key, 0)
        left = "any number" if reward.stock is None else str(max(0, reward.stock - given))
        limit = str(reward.per_customer or "any number")
        tiers = Words("، ".join(reward.tiers)) if reward.tiers else "everybody"
        table.add_row(reward.key, Words(reward.title), str(reward.points), str(given), left, limit, tiers)
    Console().print(table)
    if not loyalty.is_on:
        click.secho("the club is off: tomans_per_point is 0", fg="yellow", err=True)


@rewards.command()
@click.argument("code", nargs=-1, required=True)
@explains_errors
def check(code: tuple[str, ...]) -> None:
    """Say what a code is for and whether it can be taken; it stays as it is."""
    from crm_store.base import utcnow
    from crm_store.loyalty.models import ACTIVE
    from crm_store.loyalty.redemptions import find

    with reading() as (session, rules):
        found = find(session, code=" ".join(code))
    _show(found, rules.timezone)
    is_over = found.expires_at is not None and found.expires_at <= utcnow()
    if found.state != ACTIVE or is_over:
        click.secho("it cannot be taken", fg="red")
    else:
        click.secho("it can be taken", fg="green")


@rewards.command()
@click.argument("code", nargs=-1, required=True)
@click.option("--order", default="", help="The order that it is used for.")
@acting
@explains_errors
def use(code: tuple[str, ...], order: str, staff_id: int | None) -> None:
    """Take a code; it can be taken once."""
    from crm_store.loyalty.redemptions import use_code

    with working(staff_id) as desk:
        taken = use_code(desk.session, code=" ".join(code), actor=desk.actor, used_for=order)
    _show(taken, desk.rules.timezone)
    click.secho("taken", fg="green")


@rewards.command()
@click.argument("code", nargs=-1, required=True)
@acting
@explains_errors
def cancel(code: tuple[str, ...], staff_id: int | None) -> None:
    """Give the points of an unused code back; the customer is told."""
    from crm_store.loyalty import redemptions

    with working(staff_id) as desk:
        found = redemptions.cancel(desk.session, code=" ".join(code), actor=desk.actor)
    click.echo(f"cancelled; {found.points} points went back")


def _show(redemption: Redemption, timezone: str) -> None:
    from rich.console import Console

    from bot.commands.showing import details, moment_text
    from crm_store.loyalty.codes import grouped

    rows = {
        "code": grouped(redemption.code),
        "reward": redemption.title,
        "worth": f"{redemption.worth // 10:,} tomans" if redemption.worth else "",
        "state": redemption.state,
        "until": moment_text(redemption.expires_at, timezone),
        "used": moment_text(redemption.used_at, timezone),
        "used for": redemption.used_for,
    }
    Console().print(details(iter(rows.items())))
