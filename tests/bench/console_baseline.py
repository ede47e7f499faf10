"""What the console is compared with: the same bytes from plain aiohttp servers, each in its own process."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from aiohttp import WSMsgType, web

from tests.e2e.product import eventually
from tests.ports import free_port

START_SECONDS = 30.0


class Answer(NamedTuple):
    """A static answer.

    Attributes:
        content_type: as the header has it.
        body: what is sent.
    """

    content_type: str
    body: bytes


@contextmanager
def static_server(answers: dict[str, Answer]) -> Iterator[str]:
    """Address of a server that gives these answers, by path; 404 for all else."""
    with _running(answers) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def echo_server() -> Iterator[str]:
    """Address of a WebSocket that sends back each frame."""
    with _running({}) as port:
        yield f"http://127.0.0.1:{port}/echo"


@contextmanager
def _running(answers: dict[str, Answer]) -> Iterator[int]:
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(port, answers), daemon=True)
    server.start()
    eventually(lambda: _listens(port), within=START_SECONDS, what="the start of the plain server")
    yield port
    server.terminate()
    server.join()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serve(port: int, answers: dict[str, Answer]) -> None:
    async def page(request: web.Request) -> web.Response:
        answer = answers.get(request.path)
        if answer is None:
            raise web.HTTPNotFound
        return web.Response(body=answer.body, headers={"Content-Type": answer.content_type})

    app = web.Application()
    app.router.add_get("/echo", _echo)
    app.router.add_get("/{path:.*}", page)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


async def _echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket
