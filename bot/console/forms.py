"""Forms of the console's pages: where they come from, what they carry, where one goes afterwards."""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from bot.console import auth

#: Longest field of a form, in characters.
MAX_FIELD = 20_000


class StaleFormError(Exception):
    """A form was not sent from a page that we gave to this session; `explain` shows a page that says so."""


async def own_form(request: web.Request) -> dict[str, str]:
    """The text fields of a form of this session; ``token`` is checked.

    Spaces around what was typed are left out, except in passwords.

    Raises:
        StaleFormError: it was sent from elsewhere, or from a page of an earlier session.
        web.HTTPUnsupportedMediaType: it is no form.
        web.HTTPBadRequest: it cannot be read, or a field is far too long.
    """
    fields = await text_fields(request)
    if not auth.is_own_form(request, fields.get("token", "")):
        raise StaleFormError
    return {name: value if "password" in name else value.strip() for name, value in fields.items()}


async def text_fields(request: web.Request) -> dict[str, str]:
    """The text fields of a form, whoever sent it; of several with one name the last.

    Raises:
        web.HTTPUnsupportedMediaType: it is no form.
        web.HTTPBadRequest: it cannot be read, or a field is far too long.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        form = await request.post()
    except ValueError as error:
        raise web.HTTPBadRequest from error
    # PostgreSQL takes no NUL in a text.
    fields = {name: value.replace("\0", "\ufffd") for name, value in form.items() if isinstance(value, str)}
    if any(len(value) > MAX_FIELD for value in fields.values()):
        raise web.HTTPBadRequest
    return fields


def see_other(address: str, *, done: str = "", problem: str = "") -> web.Response:
    """Lead on to a page after a form, which may tell what came of it.

    Args:
        address: a page of the console.
        done: key below ``done`` in ``templates/console/messages.yml``.
        problem: key below ``problem`` there.
    """
    said = {name: key for name, key in (("done", done), ("problem", problem)) if key}
    return web.Response(status=303, headers={"Location": str(URL(address).update_query(said))})
