"""Answers of the FAQ and wordings of responses, edited by the owner, with their history."""

from __future__ import annotations

from functools import cache, partial

import msgspec
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refusal, carry_out, id_of, render_form
from bot.console.forms import own_form
from bot.console.labels import label
from bot.console.pages import reading, render, rules_of
from crm_store.business.parts import Faq
from crm_store.errors import NotFound
from crm_store.persian import fold
from crm_store.rules import Rules
from crm_store.settings import PROJECT_ROOT
from crm_store.staff.models import StaffMember
from crm_store.terms import terms
from crm_store.texts import service
from crm_store.texts.models import FAQ, RESPONSE, TextVersion
from crm_store.texts.service import MAX_TEXT, TextRefused, Texts
from crm_store.wording_faults import placeholders
from crm_store.wordings import Wording, read_responses, text_problems

PATH = "/console/texts"
TOPIC = "/texts/faq/{key:[a-z]{1,40}}"
NAME = "/texts/responses/{key:[a-z][a-z0-9_]{1,79}}"
SHOWN = ("faq", "responses", "edited")
CONSOLE, FILE, OWN = "console", "file", "own"
#: What is shown of many responses; who wants others narrows the list down.
_MOST = 80

routes = web.RouteTableDef()


class Row(msgspec.Struct, frozen=True):
    """A text in the list.

    Attributes:
        area: of a response, the folder that it comes from.
        text: what is said now; the first of several wordings.
        origin: who says so, ``console``, ``file`` or ``own``.
    """

    kind: str
    key: str
    area: str
    text: str
    origin: str


class OneText(msgspec.Struct, frozen=True):
    """Everything about one text.

    Attributes:
        own: Peyvand's wordings; none of an answer.
        of_file: those of the business file that can be said.
        placeholders: which a wording has to have.
        versions: what was saved at the console, newest first.
        members: names of those who saved, by ``staff:<id>``.
    """

    row: Row
    own: list[str]
    of_file: list[str]
    placeholders: list[str]
    versions: list[TextVersion]
    members: dict[str, str]

    @property
    def newest(self) -> int:
        """Number of the newest version; 0 for none."""
        return self.versions[0].id if self.versions else 0


@routes.get("/texts")
@allowed("texts.view")
async def texts(request: web.Request) -> web.StreamResponse:
    """All texts: the answers, the responses of an area or with some words in them, or what was edited."""
    asked = request.query
    show = asked.get("show", "")
    show = show if show in SHOWN else "faq"
    areas = sorted({area for area, _ in own_responses().values()})
    area = asked.get("area", "") if asked.get("area", "") in areas else ""
    words = asked.get("q", "").strip()[:100]
    rules = rules_of(request)
    saved = await reading(request, service.current_texts)
    rows = _faq_rows(rules, saved) if show == "faq" else _response_rows(rules, saved)
    if show == "edited":
        rows = [row for row in (*_faq_rows(rules, saved), *rows) if row.origin != OWN and row.text]
    if show == "responses":
        rows = [row for row in rows if _fits(row, area, words)]
    return render(
        request,
        "texts.html",
        rows=rows[:_MOST],
        total=len(rows),
        show=show,
        area_names=[(key, label(key, "text_areas")) for key in areas],
        area=area,
        topics=terms("shared")["topics"],
        words=words,
    )


@routes.get(TOPIC)
@allowed("texts.view")
async def answer(request: web.Request) -> web.StreamResponse:
    """An answer of the FAQ with its history."""
    return await _page(request, FAQ)


@routes.post(TOPIC)
@allowed("texts.edit")
async def save_answer(request: web.Request) -> web.StreamResponse:
    """Put another answer in force."""
    return await _save(request, FAQ)


@routes.post(f"{TOPIC}/back")
@allowed("texts.edit")
async def answer_back(request: web.Request) -> web.StreamResponse:
    """Put an earlier answer in force again, or that of the business file."""
    return await _go_back(request, FAQ)


@routes.get(NAME)
@allowed("texts.view")
async def response(request: web.Request) -> web.StreamResponse:
    """A response with its wordings and its history."""
    return await _page(request, RESPONSE)


@routes.post(NAME)
@allowed("texts.edit")
async def save_response(request: web.Request) -> web.StreamResponse:
    """Put another wording in force."""
    return await _save(request, RESPONSE)


@routes.post(f"{NAME}/back")
@allowed("texts.edit")
async def response_back(request: web.Request) -> web.StreamResponse:
    """Put an earlier wording in force again, or that of the business file or Peyvand."""
    return await _go_back(request, RESPONSE)


@cache
def own_responses() -> dict[str, tuple[str, list[Wording]]]:
    """Peyvand's responses that say something: the area and the wordings of each."""
    found: dict[str, tuple[str, list[Wording]]] = {}
    for path in sorted((PROJECT_ROOT / "data").glob("*/responses.yml")):
        for name, wordings in read_responses([path]).items():
            if wordings and wordings[0].get("text"):
                found[name] = (path.parent.name, wordings)
    return found


async def _save(request: web.Request, kind: str) -> web.StreamResponse:
    fields, key = await own_form(request), _key_of(request, kind)

    def work(desk: Desk) -> None:
        service.save(
            desk.session,
            kind=kind,
            key=key,
            text=fields.get("text", ""),
            actor=desk.actor,
            original=_original(kind, key),
            based_on=id_of(fields.get("based_on", "")) or 0,
            now=desk.now,
        )

    done = "text_saved" if fields.get("text", "") else "text_given_back"
    again = partial(_page, request, kind)
    return await carry_out(request, fields, work, "texts.edit", back=request.path, done=done, again=again)


async def _go_back(request: web.Request, kind: str) -> web.StreamResponse:
    fields, key = await own_form(request), _key_of(request, kind)
    version_id = id_of(fields.get("version", ""))

    def work(desk: Desk) -> None:
        former = desk.session.get(TextVersion, version_id) if version_id else None
        if version_id and (former is None or (former.kind, former.key) != (kind, key)):
            raise NotFound("this text never had such a version")
        service.save(
            desk.session,
            kind=kind,
            key=key,
            text=former.text if former is not None else "",
            actor=desk.actor,
            original=_original(kind, key),
            based_on=id_of(fields.get("based_on", "")) or 0,
            now=desk.now,
        )

    back = request.path.removesuffix("/back")
    done = "text_saved" if version_id else "text_given_back"
    again = partial(_page, request, kind)
    return await carry_out(request, fields, work, "texts.edit", back=back, done=done, again=again)


async def _page(request: web.Request, kind: str, refusal: Refusal | None = None) -> web.StreamResponse:
    key, rules = _key_of(request, kind), rules_of(request)
    found = await reading(request, lambda session: _one(session, kind, key, rules))
    refused = refusal.error if refusal is not None else None
    typed = refusal.fields.get("text") if refusal is not None else None
    return render_form(
        request,
        "text.html",
        refusal,
        found=found,
        topics=terms("shared")["topics"],
        address=f"{PATH}/{'faq' if kind == FAQ else 'responses'}/{key}",
        typed=found.row.text if typed is None else typed,
        faults=refused.faults if isinstance(refused, TextRefused) else None,
        is_too_long=isinstance(refused, TextRefused) and refused.is_too_long,
        max_text=MAX_TEXT,
    )


def _one(session: Session, kind: str, key: str, rules: Rules) -> OneText:
    saved, business = service.current_texts(session), rules.business
    versions = service.history(session, kind=kind, key=key)
    named = session.execute(select(StaffMember.id, StaffMember.name, StaffMember.login)).tuples()
    members = {f"staff:{id_}": name or login or "" for id_, name, login in named}
    if kind == FAQ:
        row = next(row for row in _faq_rows(rules, saved) if row.key == key)
        of_file = [business.faq.answer(key)] if business.faq.answer(key) else []
        return OneText(row, [], of_file, [], versions, members)
    own = [str(wording.get("text") or "") for wording in own_responses()[key][1]]
    of_file = [text for text in business.texts.get(key, ()) if not text_problems(text, own[0])]
    return OneText(_response_row(key, rules, saved), own, of_file, placeholders(own[0]), versions, members)


def _key_of(request: web.Request, kind: str) -> str:
    """The key in the address.

    Raises:
        NotFound: there is no such text.
    """
    key = request.match_info["key"]
    if key not in (Faq.__struct_fields__ if kind == FAQ else own_responses()):
        raise NotFound(f"there is no text {kind}:{key}")
    return key


def _original(kind: str, key: str) -> str:
    return str(own_responses()[key][1][0].get("text") or "") if kind == RESPONSE else ""


def _faq_rows(rules: Rules, saved: Texts) -> list[Row]:
    rows = []
    for topic in Faq.__struct_fields__:
        edited, of_file = saved.faq.get(topic, ""), rules.business.faq.answer(topic)
        origin = CONSOLE if edited else FILE if of_file else OWN
        rows.append(Row(FAQ, topic, "", edited or of_file, origin))
    return rows


def _response_rows(rules: Rules, saved: Texts) -> list[Row]:
    return [_response_row(name, rules, saved) for name in own_responses()]


def _response_row(name: str, rules: Rules, saved: Texts) -> Row:
    """A response as it is said now; a text that cannot be said gives way, as in `crm_store.wordings`."""
    area, wordings = own_responses()[name]
    own = str(wordings[0].get("text") or "")
    edited = saved.responses.get(name, "")
    if edited and not text_problems(edited, own):
        return Row(RESPONSE, name, area, edited, CONSOLE)
    of_file = next((text for text in rules.business.texts.get(name, ()) if not text_problems(text, own)), "")
    return Row(RESPONSE, name, area, of_file or own, FILE if of_file else OWN)


def _fits(row: Row, area: str, words: str) -> bool:
    """Whether a response belongs to an area and has some words in it."""
    is_named = words.isascii() and words.lower() in row.key
    return area in ("", row.area) and (not words or is_named or fold(words) in fold(row.text))
