"""``peyvand inbox``: messages that could not be answered."""

from __future__ import annotations

import click

from bot.commands import explains_errors, open_store
from crm_store.settings import load_settings


@click.group()
def inbox() -> None:
    """See and retry messages that could not be answered."""


@inbox.command("list")
@explains_errors
def inbox_list() -> None:
    """List parked messages with the reason."""
    from crm_store.inbox import parked

    with open_store(load_settings()) as database, database.read() as session:
        rows = parked(session)
        for row in rows:
            click.echo(f"{row.id}\t{row.channel}\t{row.received_at:%Y-%m-%d %H:%M}Z\t{row.last_error}")
    if not rows:
        click.echo("no message is parked")


@inbox.command("retry")
@click.argument("ids", nargs=-1, type=int, required=True)
@explains_errors
def inbox_retry(ids: tuple[int, ...]) -> None:
    """Let parked messages be tried again."""
    from crm_store.audit import record_audit
    from crm_store.inbox import retry_parked

    with open_store(load_settings()) as database, database.write() as session:
        count = retry_parked(session, inbox_ids=list(ids))
        record_audit(session, actor="operator", action="inbox.retry", detail={"inbox_ids": list(ids)})
    click.echo(f"{count} will be tried again")
