"""What tests of the desk's pages do again and again: press the buttons of a page, look at the store."""

from __future__ import annotations

import html
import re
from typing import Any

from aiohttp import ClientResponse
from sqlalchemy import select

from crm_store.audit import AuditEntry
from crm_store.db import Database
from crm_store.outbox import OutboxItem
from tests.console.staff import StaffBrowser, form_token


async def hidden_fields(browser: StaffBrowser, page: str, address: str) -> dict[str, str]:
    """The hidden fields of the form on a page that is sent to an address."""
    text = await browser.page(page)
    found = re.search(rf'<form[^>]*action="{re.escape(address)}"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert found is not None, f"{page} has no form for {address}"
    inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', found[1])
    return {name: html.unescape(value) for name, value in inputs}


async def send(browser: StaffBrowser, page: str, address: str, **fields: str) -> ClientResponse:
    """Fill in and send the form on a page that is sent to an address."""
    return await browser.post(address, {**await hidden_fields(browser, page, address), **fields})


async def token_of(browser: StaffBrowser) -> str:
    """The token of this log-in's forms."""
    return form_token(await browser.page("/console/account"))


def done(response: ClientResponse) -> str:
    """Where a form led, as far as it tells what came of it."""
    assert response.status == 303, response.status
    return response.headers["Location"]


def audited(database: Database, *actions: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Entries of the audit trail with these actions, in order."""
    with database.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.id)
        )
        return [(row.actor, row.action, row.target_id, row.detail) for row in rows]


def notices(database: Database) -> list[str]:
    """Names of all notices on their way, in order."""
    with database.read() as session:
        rows = session.scalars(select(OutboxItem).order_by(OutboxItem.id))
        return [row.content.get("response", "") for row in rows]
