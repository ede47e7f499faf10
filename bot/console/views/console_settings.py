"""The business file that is in force, what is wrong with it, and the settings; secrets never."""

from __future__ import annotations

import msgspec
from aiohttp import web

from bot.console.allowed import allowed
from bot.console.keys import BUSINESS, SETTINGS
from bot.console.pages import render
from crm_store.business import Business
from crm_store.settings import Settings

#: What may be shown of the settings as it is; of all else only whether it is set.
_SHOWN = frozenset(
    {
        "http_host",
        "http_port",
        "public_metrics",
        "log_level",
        "log_format",
        "business.timezone",
        "telegram.mode",
        "telegram.staff_group_id",
        "bale.mode",
        "bale.staff_group_id",
        "learning.keep",
        "woocommerce.shop",
        "woocommerce.currency",
        *(f"limits.{name}" for name in Settings().limits.__struct_fields__),
        *(f"retention.{name}" for name in Settings().retention.__struct_fields__),
    }
)
_SQLITE, _POSTGRESQL = "SQLite", "PostgreSQL"

routes = web.RouteTableDef()


class Setting(msgspec.Struct, frozen=True):
    """A setting as it is shown.

    Attributes:
        value: as it is; True or False for whether a hidden one is set.
        is_hidden: whether only that is shown.
    """

    name: str
    value: object
    is_hidden: bool


@routes.get("/settings")
@allowed("settings.view")
async def settings(request: web.Request) -> web.StreamResponse:
    """Everything that the owner has set, as it is in force."""
    file, own = request.config_dict[BUSINESS], request.config_dict[SETTINGS]
    business = file.current()
    return render(
        request,
        "settings.html",
        file_name=own.business_path.name,
        file_problem=file.problem,
        sections=_sections(business),
        own=shown_settings(own),
        database=_SQLITE if own.store_url.startswith("sqlite") else _POSTGRESQL,
    )


def shown_settings(settings: Settings) -> list[Setting]:
    """The settings in order: what is no secret as it is, and of all else whether it is set."""
    found = []
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, msgspec.Struct):
            found += [_shown(f"{name}.{field}", getattr(value, field)) for field in value.__struct_fields__]
        else:
            found.append(_shown(name, value))
    return found


def _shown(name: str, value: object) -> Setting:
    if name in _SHOWN:
        return Setting(name, ", ".join(value) if isinstance(value, tuple) else value, False)
    return Setting(name, bool(value), True)


def _sections(business: Business) -> dict[str, object]:
    """The business file by section, as plain values; its texts have pages of their own."""
    built = msgspec.to_builtins(business)
    return {name: value for name, value in built.items() if name != "texts" and value not in ({}, [], "")}
