"""Measures the console as an agent meets it: the inbox's first paint, and how soon a customer's words come.

``python -m tests.bench.console`` alone; part of `make bench`. Everything is asked of the running product, on
loopback.

First paint is what Chromium itself notes as ``first-contentful-paint``, of an inbox with `WAITING` hand-overs
that wait and `CLAIMED` that the agent has. The baseline is the same page, byte for byte with its styles,
scripts and fonts, as static answers of an aiohttp server: what remains is the console's own work.

The relay: `SOCKETS` pages are open, each of an agent who watches a conversation of their own, and each of
these customers writes once a second, evenly spread over it. A writer in a process of its own stands for the
gateway: it keeps lines with `add_message`, all that are due at a moment in one transaction, as the gateway
keeps what one answer of a messenger holds. The inbox rows that the gateway writes earlier, in a transaction
of their own, are left out: they are no part of the way from the commit to the page. A wait begins just before
the commit, so it contains the disk's, and ends when the page's frame has been read; both clocks are the
system's monotonic one, which all processes share. The baseline is the round trip of the same frames, at the
same pace, with a plain aiohttp server that sends each back.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType
from playwright.sync_api import BrowserContext, Page, sync_playwright
from sqlalchemy import update
from sqlalchemy.orm import Session
from yarl import URL

from bot.console.auth import COOKIE
from bot.console.views.console_inbox import PATH
from crm_store.conversations.service import add_message
from crm_store.db import Database
from crm_store.handoff import claiming
from crm_store.inbox import DONE, InboxItem
from crm_store.migrate import upgrade
from crm_store.outbox import SENT, OutboxItem
from crm_store.staff.models import StaffMember
from crm_store.staff.service import open_session
from tests.bench.console_baseline import Answer, echo_server, static_server
from tests.bench.figures import Figure, emit, percentile
from tests.console.agents import PASSWORD, an_agent, who_waits
from tests.e2e.conftest import CHROMIUM, CHROMIUM_ARGUMENTS, DESKTOP
from tests.e2e.product import Product
from tests.factories import RULES

WAITING, CLAIMED = 40, 20
#: The page is loaded so often, after some times that are not counted.
LOADS, FIRST_LOADS = 15, 2
SOCKETS, PAGES_OF_AN_AGENT = 200, 10
#: Seconds for which customers write, and of these those at the beginning that are not counted.
WRITING_SECONDS, FIRST_SECONDS = 20, 2
#: How long the last lines may take to arrive, in seconds.
LATE_SECONDS = 30.0
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_TEXT = "سلام، سفارش ۱۲۳۴۵ هنوز به دستم نرسیده است؛ لطفاً پیگیری کنید"

#: A conversation and the number of a line in it.
Place = tuple[int, int]


def console_figures(folder: Path) -> Iterator[Figure]:
    """First paint of the inbox, and the relay of customers' words to open pages."""
    product = Product(folder / "console", {"PEYVAND_LOG_LEVEL": "WARNING"})
    database = product.database()
    upgrade(database)
    with database.write() as session:
        _fill_inbox(session)
    product.start()
    try:
        yield from _paint_figures(product)
        yield from _relay_figures(product, database)
    finally:
        product.stop()
        database.dispose()


def _fill_inbox(session: Session) -> None:
    agent = an_agent(session)
    agent.max_chats = CLAIMED
    for number in range(WAITING + CLAIMED):
        handoff = who_waits(session, name=f"مریم رضایی {number}", channel="web", minutes=0.1)
        if number < CLAIMED:
            claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=RULES)
    _settle(session)


def _settle(session: Session) -> None:
    """Let nothing be left for the bot to do: it is not what is measured."""
    session.execute(update(InboxItem).values(state=DONE))
    session.execute(update(OutboxItem).values(state=SENT))


def _paint_figures(product: Product) -> Iterator[Figure]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        context = chromium.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.goto(f"{product.url}{PATH}")
        page.locator("input[name=login]").fill("negar")
        page.locator("input[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda address: URL(address).path == PATH)
        page.close()
        answers = _answers(context, f"{product.url}{PATH}?tab=all")
        paints = _paints(context, f"{product.url}{PATH}?tab=all")
        with static_server(answers) as address:
            plain = _paints(chromium.new_context(viewport=DESKTOP), f"{address}{PATH}?tab=all")
        chromium.close()
    name = f"first paint of the inbox, {WAITING + CLAIMED} conversations"
    yield Figure(f"{name}, p50", percentile(paints, 0.5), "ms", percentile(plain, 0.5))
    yield Figure(f"{name}, p95", percentile(paints, 0.95), "ms", percentile(plain, 0.95))


def _answers(context: BrowserContext, address: str) -> dict[str, Answer]:
    """What a page is made of, by path."""
    addresses: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(address, wait_until="load")
    page.close()
    # Asked for again: of what the browser had already, it was only told that it has not changed.
    fetched = {one: context.request.get(one) for one in addresses if one.startswith("http")}
    return {
        URL(one).path: Answer(answer.headers["content-type"], answer.body())
        for one, answer in fetched.items()
    }


def _paints(context: BrowserContext, address: str) -> list[float]:
    return [_paint(context.new_page(), address) for _ in range(FIRST_LOADS + LOADS)][FIRST_LOADS:]


def _paint(page: Page, address: str) -> float:
    """Milliseconds from the beginning of the navigation."""
    response = page.goto(address, wait_until="load")
    assert response is not None
    assert response.status == 200
    # Asked again and again from outside: the page's own policy lets nothing wait inside it.
    while (paint := page.evaluate(_PAINT)) is None:
        page.wait_for_timeout(5)
    page.close()
    return float(paint)


def _relay_figures(product: Product, database: Database) -> Iterator[Figure]:
    with database.write() as session:
        watched = _fill_desks(session)
    with tempfile.TemporaryDirectory() as folder:
        waits, frame = asyncio.run(_relay(product, watched, Path(folder) / "written.json"))
    with echo_server() as address:
        plain = asyncio.run(_echo(address, frame))
    name = f"relay to {SOCKETS} open pages, {SOCKETS} messages a second"
    for share in (0.5, 0.95):
        value = 1000 * percentile(waits, share)
        yield Figure(f"{name}, p{share * 100:.0f}", value, "ms", 1000 * percentile(plain, share))


def _fill_desks(session: Session) -> dict[int, str]:
    """Agents who have their conversations; returns the session of whose each conversation is."""
    watched = {}
    for number in range(SOCKETS // PAGES_OF_AN_AGENT):
        agent = _a_colleague(session, number)
        token = open_session(session, staff_id=agent.id)
        for _ in range(PAGES_OF_AN_AGENT):
            handoff = who_waits(session, channel="web", minutes=0.1)
            claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=RULES)
            watched[handoff.conversation_id] = token
    _settle(session)
    return watched


def _a_colleague(session: Session, number: int) -> StaffMember:
    """Somebody who needs no password: hashing one is slow on purpose."""
    agent = StaffMember(login=f"agent{number}", name=f"همکار {number}", role="agent", presence="online")
    agent.max_chats = PAGES_OF_AN_AGENT
    session.add(agent)
    session.flush()
    return agent


async def _relay(product: Product, watched: dict[int, str], written: Path) -> tuple[list[float], str]:
    """Seconds that each line took to its page, and one of the frames."""
    url, arrived, frames = URL(product.url), dict[Place, float](), list[str]()
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        pages = [await _open_page(session, url, one, token) for one, token in watched.items()]
        readers = [
            asyncio.create_task(_read(page, one, arrived, frames))
            for one, page in zip(watched, pages, strict=True)
        ]
        database = f"sqlite:///{product.folder / 'peyvand.db'}"
        writer = multiprocessing.get_context("spawn").Process(
            target=_write, args=(database, list(watched), written)
        )
        writer.start()
        await asyncio.to_thread(writer.join)
        assert writer.exitcode == 0
        sent = [((one, seq), moment) for one, seq, moment in json.loads(written.read_text())]
        await _until_all_arrived(arrived, {place for place, _ in sent})
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*(page.close() for page in pages))
    counted = sent[FIRST_SECONDS * SOCKETS :]
    return [arrived[place] - moment for place, moment in counted], frames[-1]


async def _open_page(
    session: ClientSession, url: URL, conversation_id: int, token: str
) -> ClientWebSocketResponse[bool]:
    page = await session.ws_connect(
        url / "console/live", origin=str(url.origin()), headers={"Cookie": f"{COOKIE}={token}"}
    )
    await page.send_str(json.dumps({"type": "hello", "conversation": conversation_id, "last_seq": 10**8}))
    return page


async def _read(
    page: ClientWebSocketResponse[bool], conversation_id: int, arrived: dict[Place, float], frames: list[str]
) -> None:
    async for message in page:
        moment = time.monotonic()
        frame = json.loads(message.data)
        if frame["type"] == "line":
            arrived.setdefault((conversation_id, frame["seq"]), moment)
            frames[:] = [message.data]


async def _until_all_arrived(arrived: dict[Place, float], sent: set[Place]) -> None:
    deadline = time.monotonic() + LATE_SECONDS
    while missing := sent - arrived.keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(missing)} of {len(sent)} lines did not arrive")
        await asyncio.sleep(0.05)


def _write(address: str, conversations: list[int], written: Path) -> None:
    """Write as the gateway does, and what was written when: conversation, number, monotonic seconds."""
    database = Database(address)
    kept: list[tuple[int, int, float]] = []
    started, done, every = time.monotonic(), 0, 1 / len(conversations)
    while done < WRITING_SECONDS * len(conversations):
        due = min(int((time.monotonic() - started) / every), WRITING_SECONDS * len(conversations))
        if due == done:
            time.sleep(every)
            continue
        with database.write() as session:
            batch = [_say(session, conversations[one % len(conversations)]) for one in range(done, due)]
            moment = time.monotonic()
        kept += [(one, seq, moment) for one, seq in batch]
        done = due
    database.dispose()
    written.write_text(json.dumps(kept))


def _say(session: Session, conversation_id: int) -> Place:
    line = add_message(session, conversation_id=conversation_id, author="customer", text=_TEXT)
    return conversation_id, line.seq


async def _echo(address: str, frame: str) -> list[float]:
    """Seconds that each round trip of a frame took."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        sockets = [await session.ws_connect(address) for _ in range(SOCKETS)]
        waits = await asyncio.gather(
            *(_ask(socket, frame, number / SOCKETS) for number, socket in enumerate(sockets))
        )
        await asyncio.gather(*(socket.close() for socket in sockets))
    return [wait for ones in waits for wait in ones[FIRST_SECONDS:]]


async def _ask(socket: ClientWebSocketResponse[bool], frame: str, offset: float) -> list[float]:
    waits, begin = [], time.monotonic() + offset
    for number in range(WRITING_SECONDS):
        await asyncio.sleep(max(0.0, begin + number - time.monotonic()))
        asked = time.monotonic()
        await socket.send_str(frame)
        assert (await socket.receive()).type is WSMsgType.TEXT
        waits.append(time.monotonic() - asked)
    return waits


def main() -> None:
    """Measure the console alone."""
    with tempfile.TemporaryDirectory() as folder:
        emit(console_figures(Path(folder)))


if __name__ == "__main__":
    main()
