"""The page itself, as HTML and headers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import bot.console
from tests.console.conftest import Serve, Visit, name_business

STATIC = Path(bot.console.__file__).parent / "static"


class Elements(HTMLParser):
    """Collects the start tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


async def test_the_page_is_persian_and_bears_the_business_name(
    serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    name_business(tmp_path / "business.toml", "<b>کافه & کتاب</b>")
    server = await serve()
    html = await (await visit(server)).visit()
    assert ("html", {"lang": "fa", "dir": "rtl"}) in Elements(html).found
    assert "&lt;b&gt;کافه &amp; کتاب&lt;/b&gt;" in html
    assert "<b>کافه" not in html


async def test_an_address_that_there_is_not_leads_back_to_the_chat(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    for path in ("nothing", "chat/nothing", "consoles"):
        async with browser.session.get(browser.url / path) as response:
            assert response.status == 404
            elements = Elements(await response.text()).found
        assert ("html", {"lang": "fa", "dir": "rtl"}) in elements
        assert ("a", {"href": "/"}) in elements


async def test_nothing_on_the_page_is_inline_or_from_elsewhere(serve: Serve, visit: Visit) -> None:
    elements = Elements(await (await visit(await serve())).visit()).found
    for tag, attributes in elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "style"
        assert tag != "script" or attributes.get("src", "").startswith("/static/")
        address = attributes.get("src") or attributes.get("href", "")
        assert address == "" or address.startswith(("/static/", "#"))


async def test_every_file_that_the_page_needs_is_served_by_the_console(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    for file in filter(Path.is_file, STATIC.rglob("*")):
        async with browser.session.get(
            browser.url / "static" / file.relative_to(STATIC).as_posix()
        ) as response:
            assert response.status == 200
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        if file.parent.name == "fonts":
            continue
        addresses = re.findall(r"""(?:https?:|["'(])//\S+""", file.read_text(encoding="utf-8"))
        assert all(address.startswith("http://www.w3.org/") for address in addresses)


async def test_the_policy_forbids_what_the_page_does_not_need(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    async with browser.session.get(browser.url) as response:
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    browser.session.cookie_jar.clear()
    async with browser.session.get(browser.url, headers={"X-Forwarded-Proto": "https"}) as response:
        cookie = response.cookies["peyvand_visitor"]
    assert len(bytes.fromhex(cookie.value)) == 16
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["secure"]


async def test_a_visitor_who_comes_back_keeps_the_cookie(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    before = browser.token
    await browser.visit()
    assert browser.token == before
