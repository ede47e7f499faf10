"""How the console's pages are drawn, and how they reach the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache, partial
from typing import Protocol, TypeVar

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from sqlalchemy.orm import Session

from bot.console import auth
from bot.console.areas import areas_of
from bot.console.filters import desk_filters
from bot.console.keys import BUSINESS, DATABASE, SETTINGS
from bot.console.texts import TEMPLATES, message
from bot.console.uploads import INLINE_TYPES
from crm_store.persian import phone_text, rich, to_jalali_datetime_text, to_persian_digits
from crm_store.rules import Rules
from crm_store.staff.permissions import has_permission
from crm_store.staff.phones import sees_phones
from crm_store.terms import terms

Result = TypeVar("Result")


def render(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """A page, with what every page shows.

    Args:
        template: its name in ``templates/console``.
        values: what it shows of its own.
    """
    html = _page(request, template).render({**_shared_values(request), **values})
    return web.Response(text=html, status=status, content_type="text/html")


def part(request: web.Request, template: str, name: str, *arguments: object) -> str:
    """The HTML of a macro, for what is drawn into a page that is open already.

    Args:
        template: the file in ``templates/console`` that has it.
        name: the macro's name; it sees its arguments alone.
        arguments: what it is called with.
    """
    return str(getattr(_page(request, template).module, name)(*arguments))


def _page(request: web.Request, template: str) -> Template:
    return _environment(request.config_dict[SETTINGS].business.timezone).get_template(template)


def _shared_values(request: web.Request) -> dict[str, object]:
    file = request.config_dict[BUSINESS]
    business, staff, names = file.current(), auth.staff_of(request), terms("complaints")
    return {
        "business": business.name,
        "business_problem": file.problem,
        "staff": staff,
        "areas": areas_of(staff),
        "can": lambda permission: has_permission(staff, permission),
        "done_text": message("done", request.query.get("done", "")),
        "problem_text": message("problem", request.query.get("problem", "")),
        "form_token": auth.form_token(request),
        "path": request.path,
        "shows_phones": shows_phones(request),
        "category_title": lambda key: business.category(key).title,
        "service_title": lambda key: next(
            (kind.title for kind in business.service.kinds if kind.key == key), key
        ),
        "remedy_title": lambda key: names["remedies"].get(key, key),
        "state_title": lambda key: names["states"].get(key, key),
    }


def shows_phones(request: web.Request) -> bool:
    """Whether whoever is logged in sees phone numbers whole, in fields and in what people wrote."""
    staff = auth.staff_of(request)
    return staff is not None and sees_phones(rules_of(request), role=staff.role)


def rules_of(request: web.Request) -> Rules:
    """The rules as settings and business file have them now."""
    return Rules.of(request.config_dict[SETTINGS], request.config_dict[BUSINESS].current())


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


class Typed(Protocol):
    """A file with what is known of its type; without a path there is none."""

    @property
    def path(self) -> str:
        """Where it is, below the attachments folder."""

    @property
    def mime_type(self) -> str:
        """Such as ``image/jpeg``."""


def inline_type(attachment: Typed) -> str:
    """The type as which a browser may show or play a file in place; empty for all else."""
    bare = attachment.mime_type.partition(";")[0].strip().lower()
    return bare if bare in INLINE_TYPES.values() and attachment.path else ""


def _family(attachment: Typed) -> str:
    return inline_type(attachment).partition("/")[0]


def _event_name(kind: str) -> str:
    events = terms("tickets")["events"]
    return str(events["names"].get(kind, events["unknown"]))


def _overview_name(key: str, section: str) -> str:
    return str(terms("overview").get(section, {}).get(key, key))


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
        "plain_line": rich.to_plain,
        "overview": _overview_name,
        "family": _family,
        "event_name": _event_name,
    }
    environment.filters |= desk_filters(timezone)
    return environment
