"""A browser's side of the web chat, without the browser: cookie, socket, frames."""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, FormData
from yarl import URL

ANSWER_SECONDS = 10.0


class Browser:
    """One visitor.

    Args:
        url: address of the console.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        # By default aiohttp keeps no cookies of plain addresses such as 127.0.0.1.
        self.session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.pages: list[Page] = []

    @property
    def origin(self) -> str:
        """Origin of the console's own page."""
        return str(self.url.origin())

    @property
    def token(self) -> str:
        """The secret in the visitor's cookie."""
        return next(cookie.value for cookie in self.session.cookie_jar if cookie.key == "peyvand_visitor")

    async def visit(self) -> str:
        """Load the page; returns its HTML."""
        async with self.session.get(self.url) as response:
            assert response.status == 200
            return await response.text()

    async def page(self, *, last_seq: int = 0) -> Page:
        """Open the page's socket and say hello."""
        socket = await self.session.ws_connect(self.url / "chat/socket", origin=self.origin)
        page = Page(socket)
        self.pages.append(page)
        await page.send({"type": "hello", "last_seq": last_seq})
        return page

    async def upload(
        self, content: bytes, *, mime_type: str, name: str = "عکس.jpg"
    ) -> tuple[int, dict[str, Any]]:
        """Upload a file; returns the status and the answer."""
        form = FormData(quote_fields=False)
        form.add_field("file", content, filename=name, content_type=mime_type)
        headers = {"Origin": self.origin}
        async with self.session.post(self.url / "chat/attachments", data=form, headers=headers) as response:
            return response.status, await response.json()

    async def close(self) -> None:
        """Close everything."""
        for page in self.pages:
            await page.socket.close()
        await self.session.close()


class Page:
    """An open socket.

    Args:
        socket: it.
    """

    def __init__(self, socket: ClientWebSocketResponse[bool]) -> None:
        self.socket = socket

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        await self.socket.send_str(json.dumps(frame))

    async def say(self, text: str, *, client_id: str | None = None, attachments: Any = ()) -> str:
        """Send a message; returns its client id."""
        client_id = client_id or str(uuid.uuid4())
        await self.send(
            {"type": "message", "client_id": client_id, "text": text, "attachments": list(attachments)}
        )
        return client_id

    async def press(self, token: str) -> str:
        """Press a button; returns the press's client id."""
        client_id = str(uuid.uuid4())
        await self.send({"type": "press", "client_id": client_id, "token": token})
        return client_id

    async def next(self, kind: str) -> dict[str, Any]:
        """The next frame of a type; others are passed over."""
        while True:
            frame = await self.socket.receive_json(timeout=ANSWER_SECONDS)
            if frame["type"] == kind:
                return dict(frame)

    async def lines(self, count: int) -> list[dict[str, Any]]:
        """The next lines of the conversation."""
        return [await self.next("message") for _ in range(count)]

    async def everything_until_pong(self) -> list[dict[str, Any]]:
        """Frames that are on their way; the server answers in order, so a pong ends them."""
        await self.send({"type": "ping"})
        frames = []
        while (frame := await self.socket.receive_json(timeout=ANSWER_SECONDS))["type"] != "pong":
            frames.append(dict(frame))
        return frames


def words(line: dict[str, Any]) -> str:
    """A line's text."""
    return "".join(run for run, _ in line["segments"])
