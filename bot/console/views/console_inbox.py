"""The console's inbox, and the conversation of each customer with the card beside it."""

from __future__ import annotations

from functools import partial
from typing import get_args
from uuid import uuid4

from aiohttp import web
from sqlalchemy.orm import Session
from yarl import URL

from bot.console import auth, talk, talk_looks
from bot.console.allowed import allowed
from bot.console.auth import HOME
from bot.console.desk import Desk, carry_out, id_of, working
from bot.console.forms import own_form, see_other
from bot.console.keys import LIVE_HUB, SETTINGS
from bot.console.live_frames import MAX_TEXT
from bot.console.looking import MAX_REASON, ReasonMissing
from bot.console.pages import page_number, reading, render, rules_of
from crm_store.base import utcnow
from crm_store.errors import CrmError, Forbidden, NotFound
from crm_store.handoff import board, claiming, presence
from crm_store.handoff.keeping import MAX_WORDS
from crm_store.handoff.models import Handoff
from crm_store.paging import Page

PATH = f"{HOME}/inbox"
TABS: tuple[board.Tab, ...] = get_args(board.Tab)
_ID = "{id:[0-9]{1,18}}"

routes = web.RouteTableDef()


@routes.get("/inbox")
@allowed("handoff.view")
async def inbox(request: web.Request) -> web.StreamResponse:
    """Who waits, whom one has, all that are open, and those that have ended."""
    return await _inbox(request, tab=request.query.get("tab", ""), number=page_number(request))


@routes.post("/inbox")
@allowed("handoff.view")
async def search(request: web.Request) -> web.StreamResponse:
    """The same, with what stands in the search form: names and numbers belong in no address."""
    fields = await own_form(request)
    tab, query = fields.get("tab", ""), fields.get("query", "")[:100]
    reason = fields.get("reason", "")[:MAX_REASON]
    if query and rules_of(request).business.staff.asks_reason and not reason:
        return see_other(str(URL(PATH).with_query(tab=tab)), problem="reason_missing")
    return await _inbox(request, tab=tab, query=query, reason=reason)


@routes.post("/inbox/next")
@allowed("handoff.claim")
async def take_next(request: web.Request) -> web.StreamResponse:
    """Claim whoever should be next, and go there."""
    await own_form(request)

    def take(desk: Desk) -> int | None:
        taken = claiming.next_for(desk.session, staff=desk.staff, rules=desk.rules, now=desk.now)
        return taken.conversation_id if taken else None

    try:
        conversation_id = await working(request, take, "handoff.claim")
    except Forbidden:
        raise
    except CrmError as error:
        return see_other(PATH, problem=error.code)
    if conversation_id is None:
        return see_other(PATH, problem="none_waiting")
    return see_other(page_of(conversation_id), done="claimed")


@routes.get(f"/inbox/{_ID}")
@allowed("handoff.view")
async def conversation(request: web.Request) -> web.StreamResponse:
    """One conversation with its customer's card; who looked is written down."""
    conversation_id, now, rules = int(request.match_info["id"]), utcnow(), rules_of(request)
    before, staff = _before(request), auth.staff_of(request)
    if staff is None:  # never so: the guard stands before it
        raise web.HTTPForbidden

    def look(session: Session) -> bool:
        desk = Desk(session, rules, staff, auth.actor_of(request), now)
        return talk_looks.is_noted(desk, conversation_id=conversation_id)

    try:
        is_noted = await reading(request, look)
    except ReasonMissing:
        return render(request, "talk_reason.html", conversation_id=conversation_id)
    if not is_noted:
        await working(request, partial(talk_looks.note, conversation_id=conversation_id), "handoff.view")
    shown = await reading(
        request,
        partial(
            talk.talk_of,
            staff=staff,
            conversation_id=conversation_id,
            rules=rules,
            now=now,
            before_seq=before,
        ),
    )
    limits = request.config_dict[SETTINGS].limits
    return render(
        request,
        "conversation.html",
        talk=shown,
        is_newest=before is None,
        key=str(uuid4()),
        max_text=MAX_TEXT,
        max_words=MAX_WORDS,
        accept=",".join(limits.attachment_types),
        teams=rules.business.handoff.teams,
        now=now,
    )


@routes.post(f"/inbox/{_ID}/reason")
@allowed("handoff.view")
async def give_reason(request: web.Request) -> web.StreamResponse:
    """Say why one looks at a conversation, and see it."""
    fields, conversation_id = await own_form(request), int(request.match_info["id"])
    reason = fields.get("reason", "")
    if not reason:
        return see_other(page_of(conversation_id), problem="reason_missing")

    look = partial(talk_looks.note, conversation_id=conversation_id, reason=reason)
    await working(request, look, "handoff.view")
    return see_other(page_of(conversation_id))


@routes.post(f"/inbox/{_ID}/claim")
@allowed("handoff.claim")
async def claim(request: web.Request) -> web.StreamResponse:
    """Take a customer who waits."""
    fields, conversation_id = await own_form(request), int(request.match_info["id"])

    def take(desk: Desk) -> None:
        handoff_id = handoff_of(desk.session, conversation_id, fields)
        talk.claim(desk, handoff_id=handoff_id)

    return await carry_out(
        request, fields, take, "handoff.claim", back=page_of(conversation_id), done="claimed"
    )


@routes.post(f"/inbox/{_ID}/take")
@allowed("handoff.claim")
async def take_over(request: web.Request) -> web.StreamResponse:
    """Take over a conversation that the bot has, without the customer's wish."""
    fields, conversation_id = await own_form(request), int(request.match_info["id"])

    def take(desk: Desk) -> None:
        claiming.take_over(
            desk.session, conversation_id=conversation_id, staff=desk.staff, rules=desk.rules, now=desk.now
        )

    return await carry_out(
        request, fields, take, "handoff.claim", back=page_of(conversation_id), done="claimed"
    )


@routes.post(f"/inbox/{_ID}/release")
@allowed("handoff.release_own", "handoff.manage_any")
async def release(request: web.Request) -> web.StreamResponse:
    """Give a conversation back to the bot, with what was agreed."""
    fields, conversation_id = await own_form(request), int(request.match_info["id"])

    def give(desk: Desk) -> None:
        handoff_id = handoff_of(desk.session, conversation_id, fields)
        talk.release(desk, handoff_id=handoff_id, agreed=fields.get("agreed", ""))

    return await carry_out(request, fields, give, back=page_of(conversation_id), done="released")


@routes.post(f"/inbox/{_ID}/transfer")
@allowed("handoff.transfer_own", "handoff.manage_any")
async def transfer(request: web.Request) -> web.StreamResponse:
    """Give a conversation to a colleague or a team."""
    fields, conversation_id = await own_form(request), int(request.match_info["id"])

    def give(desk: Desk) -> None:
        handoff_id = handoff_of(desk.session, conversation_id, fields)
        talk.transfer(desk, handoff_id=handoff_id, to=fields.get("to", ""), note=fields.get("note", ""))

    return await carry_out(request, fields, give, back=page_of(conversation_id), done="transferred")


@routes.post("/presence")
@allowed("handoff.claim")
async def set_presence(request: web.Request) -> web.StreamResponse:
    """Say whether one takes conversations over."""
    fields = await own_form(request)

    def choose(desk: Desk) -> None:
        presence.set_presence(
            desk.session, staff=desk.staff, presence=fields.get("presence", ""), now=desk.now
        )

    back = auth.local_path(fields.get("next", ""))
    return await carry_out(request, fields, choose, "handoff.claim", back=back, done="presence")


def page_of(conversation_id: int) -> str:
    """The page of a conversation."""
    return f"{PATH}/{conversation_id}"


def handoff_of(session: Session, conversation_id: int, fields: dict[str, str]) -> int:
    """The hand-over that a form is about, which is of the conversation that its page shows.

    Raises:
        NotFound: it names none, or that of another conversation.
    """
    number = id_of(fields.get("handoff", ""))
    handoff = session.get(Handoff, number) if number is not None else None
    if handoff is None or handoff.conversation_id != conversation_id:
        raise NotFound("there is no such hand-over in this conversation")
    return handoff.id


async def _inbox(
    request: web.Request, *, tab: str, query: str = "", reason: str = "", number: int = 1
) -> web.StreamResponse:
    staff = auth.staff_of(request)
    if staff is None:  # never so: the guard stands before it
        raise web.HTTPForbidden

    def read(session: Session) -> tuple[board.Tab, board.Counts, Page[board.BoardRow]]:
        counts = board.counts(session, staff=staff)
        chosen = next((one for one in TABS if one == tab), "mine" if counts.mine else "waiting")
        page = board.inbox(session, staff=staff, tab=chosen, query=query, number=number)
        return chosen, counts, page

    version = request.config_dict[LIVE_HUB].version  # before the rows: what is seen meanwhile draws them anew
    chosen, counts, page = await reading(request, read)
    if query:
        customers = [row.customer.id for row in page.rows]
        note = partial(talk_looks.note_search, customers=customers, reason=reason)
        await working(request, note, "handoff.view")
    return render(
        request,
        "inbox.html",
        tab=chosen,
        tabs=TABS,
        version=version,
        counts=counts,
        page=page,
        query=query,
        reason=reason,
        asks_reason=rules_of(request).business.staff.asks_reason,
        now=utcnow(),
    )


def _before(request: web.Request) -> int | None:
    text = request.query.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
