"""What was said: searched in all conversations, and one conversation from its beginning to its end."""

from __future__ import annotations

import msgspec
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.days import span_of
from bot.console.desk import Desk, id_of, number_of, working
from bot.console.forms import own_form, see_other
from bot.console.kept import kept
from bot.console.looking import look_up, shown
from bot.console.pages import page_number, reading, render, rules_of
from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity, Customer
from crm_store.errors import NotFound
from crm_store.paging import Page
from crm_store.privacy.service import family_of
from crm_store.staff.models import StaffMember
from crm_store.transcripts.search import MOST, Hit, search
from crm_store.transcripts.service import TranscriptPage, transcript

PATH = "/console/transcripts"
SEARCH = "transcript-search"
FIELDS = ("text", "staff", "from", "to", "customer", "reason")
_PAGE, _SHORTEST = 60, 2

routes = web.RouteTableDef()


class Found(msgspec.Struct, frozen=True):
    """What a search found.

    Attributes:
        names: of the customers whose conversations it is, by number.
    """

    page: Page[Hit]
    names: dict[int, str]


class Talk(msgspec.Struct, frozen=True):
    """A part of a conversation.

    Attributes:
        customer: whose it is; None for a group of the staff's.
        others: further conversations of the same person.
    """

    page: TranscriptPage
    conversation: Conversation
    customer: Customer | None
    others: list[Conversation]


@routes.get("/transcripts")
@allowed("transcript.search")
async def transcripts(request: web.Request) -> web.StreamResponse:
    """The search, with what was found last in this log-in; who searched and whom they see is written down."""
    asked, rules = kept(request).get(request, SEARCH), rules_of(request)
    span = span_of(asked.get("from", ""), asked.get("to", ""), rules)

    def look(desk: Desk) -> Found:
        page = search(
            desk.session,
            text=asked["text"],
            customer_id=id_of(asked.get("customer", "")),
            staff_id=id_of(asked.get("staff", "")),
            since=span.since,
            until=span.until,
            number=page_number(request),
        )
        customers = (hit.customer_id for hit in page.rows)
        detail = shown(customers, reason=asked.get("reason", ""), found=page.place.total)
        desk.audit("transcript.searched", target_type="transcript", target_id="", detail=detail)
        return Found(page, _names(desk.session, page.rows))

    found = await working(request, look, "transcript.search") if asked.get("text") else None
    members = await reading(request, _members)
    return render(
        request,
        "transcripts.html",
        found=found,
        asked={name: asked.get(name, "") for name in FIELDS},
        members=members,
        most=MOST,
        is_right=span.is_right,
        asks_reason=rules.business.staff.asks_reason,
    )


@routes.post("/transcripts")
@allowed("transcript.search")
async def search_for(request: web.Request) -> web.StreamResponse:
    """Search; what is searched for stands in no address."""
    fields = await own_form(request)
    asked = {name: fields.get(name, "")[:300] for name in FIELDS}
    asked["customer"] = str(number_of(asked["customer"]) or "") if asked["customer"] else ""
    if asked["text"] and len(asked["text"]) < _SHORTEST:
        return see_other(PATH, problem="search_short")
    if asked["text"] and rules_of(request).business.staff.asks_reason and not asked["reason"]:
        return see_other(PATH, problem="reason_missing")
    kept(request).put(request, SEARCH, asked if asked["text"] else {})
    return see_other(PATH)


@routes.get("/transcripts/{id:[0-9]{1,18}}")
@allowed("transcript.view")
async def conversation(request: web.Request) -> web.StreamResponse:
    """A conversation, a part at a time, the newest lines first; who looked is written down."""
    conversation_id, before = int(request.match_info["id"]), id_of(request.query.get("before", ""))

    def look(desk: Desk) -> Talk:
        found = desk.session.get(Conversation, conversation_id)
        if found is None:
            raise NotFound("there is no such conversation")
        customer = found.identity.customer if found.identity is not None else None
        if customer is not None:
            if customer.erased_at is not None:
                raise NotFound("this customer was forgotten")
            look_up(desk, customer.id, page="transcript")
        desk.audit("transcript.viewed", target_type="conversation", target_id=conversation_id)
        others = _others(desk.session, customer, conversation_id) if customer is not None else []
        page = transcript(desk.session, conversation_id=conversation_id, before_seq=before, size=_PAGE)
        return Talk(page, found, customer, others)

    talk = await working(request, look, "transcript.view")
    return render(request, "transcript.html", talk=talk, is_latest=before is None)


def _names(session: Session, hits: list[Hit]) -> dict[int, str]:
    ids = {hit.customer_id for hit in hits if hit.customer_id is not None}
    rows = session.scalars(select(Customer).where(Customer.id.in_(ids), Customer.erased_at.is_(None)))
    return {one.id: one.full_name or one.display_name for one in rows}


def _members(session: Session) -> list[tuple[int, str]]:
    rows = session.execute(
        select(StaffMember.id, StaffMember.name, StaffMember.login).order_by(StaffMember.name)
    ).tuples()
    return [(id_, name or login or str(id_)) for id_, name, login in rows]


def _others(session: Session, customer: Customer, conversation_id: int) -> list[Conversation]:
    family = family_of(session, customer_id=customer.id)
    chats = (
        select(Conversation)
        .join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
        .where(ChannelIdentity.customer_id.in_(family), Conversation.id != conversation_id)
        .order_by(Conversation.id)
    )
    return list(session.scalars(chats))
