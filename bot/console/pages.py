"""How the console's pages are drawn, and how they reach the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from bot.console import auth
from bot.console.keys import BUSINESS, DATABASE, SETTINGS
from bot.console.texts import TEMPLATES
from bot.console.uploads import INLINE_TYPES
from crm_store.conversations.models import Attachment
from crm_store.persian import phone_text, rich, to_jalali_datetime_text, to_persian_digits
from crm_store.terms import terms

Result = TypeVar("Result")


def render(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """A page, with what every page shows.

    Args:
        template: its name in ``templates/console``.
        values: what it shows of its own.
    """
    file = request.config_dict[BUSINESS]
    business = file.current()
    names = terms("complaints")
    page = _environment(request.config_dict[SETTINGS].business.timezone).get_template(template)
    html = page.render(
        business=business.name,
        business_problem=file.problem,
        staff=auth.staff_of(request),
        form_token=auth.form_token(request),
        path=request.path,
        category_title=lambda key: business.category(key).title,
        remedy_title=lambda key: names["remedies"].get(key, key),
        state_title=lambda key: names["states"].get(key, key),
        **values,
    )
    return web.Response(text=html, status=status, content_type="text/html")


async def reading(request: web.Request, work: Callable[[Session], Result]) -> Result:
    """Run a unit of work that only reads, in a thread."""
    database = request.config_dict[DATABASE]

    def unit() -> Result:
        with database.read() as session:
            return work(session)

    return await asyncio.to_thread(unit)


async def writing(request: web.Request, work: Callable[[Session], Result]) -> Result:
    """Run a unit of work that may change the store, in a thread."""
    database = request.config_dict[DATABASE]

    def unit() -> Result:
        with database.write() as session:
            return work(session)

    return await asyncio.to_thread(unit)


def page_number(request: web.Request) -> int:
    """Which page of a list the address asks for; anything odd means the first."""
    text = request.query.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def inline_type(attachment: Attachment) -> str:
    """The type as which a browser may show or play a file in place; empty for all else."""
    bare = attachment.mime_type.partition(";")[0].strip().lower()
    return bare if bare in INLINE_TYPES.values() and attachment.path else ""


def _family(attachment: Attachment) -> str:
    return inline_type(attachment).partition("/")[0]


def _event_name(kind: str) -> str:
    events = terms("tickets")["events"]
    return str(events["names"].get(kind, events["unknown"]))


@cache
def _environment(timezone: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "fa": to_persian_digits,
        "moment": partial(to_jalali_datetime_text, tz=timezone),
        "phone": phone_text,
        "segments": rich.segments,
        "family": _family,
        "event_name": _event_name,
    }
    return environment
