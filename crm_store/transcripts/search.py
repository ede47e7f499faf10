"""Searching what was said, in all conversations, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import msgspec
from sqlalchemy import ColumnElement, Select, Text, cast, column, func, literal, literal_column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation, Message
from crm_store.customers.models import ChannelIdentity
from crm_store.paging import PAGE_SIZE, Page, find_place
from crm_store.persian import find_phones
from crm_store.persian.words import Word, find_words
from crm_store.privacy.service import family_of
from crm_store.transcripts.folding import plain_text
from crm_store.transcripts.models import FULL_TEXT, MessageText
from crm_store.transcripts.wanted import Term, as_fts5, as_tsquery, read_terms

#: So many lines are counted at most; who finds more narrows the search.
MOST = 1000
#: Letters before and after what is shown first.
BEFORE, AFTER = 50, 150
_ELLIPSIS = "…"
_full_text = table(FULL_TEXT, column("rowid"), column(FULL_TEXT))


class Piece(msgspec.Struct, frozen=True):
    """A part of a snippet: plain text, and whether it is what was searched for."""

    text: str
    is_match: bool


class Hit(msgspec.Struct, frozen=True):
    """A line that was found.

    Attributes:
        customer_id: whose conversation it is; None for a group of the staff's.
        snippet: plain text around the first match, in order.
    """

    message: Message
    conversation: Conversation
    customer_id: int | None
    snippet: list[Piece]


def search(
    session: Session,
    *,
    text: str,
    customer_id: int | None = None,
    staff_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    number: int = 1,
    size: int = PAGE_SIZE,
) -> Page[Hit]:
    """Lines in which all words of a text stand, newest first; of groups nothing, of whispers everything.

    A word of three letters or more finds words that begin with it as well, so that endings need not be
    typed. What stands in quotes («…» or "…") is found only so: the same whole words side by side; a star
    behind the last of them lets it be the beginning of a word.

    Args:
        text: as typed; nothing in it is a command.
        customer_id: only conversations of this person, by the record that stands for them.
        staff_id: only lines that this member of staff wrote.
        since: from this moment on.
        until: before this moment.
        number: which page, from 1; of more than MOST lines only the newest are listed.
    """
    terms = read_terms(text)
    if not terms:
        return Page([], find_place(number=1, total=0, size=size))
    chosen: list[ColumnElement[bool]] = []
    if staff_id is not None:
        chosen.append(Message.author == f"staff:{staff_id}")
    if since is not None:
        chosen.append(Message.created_at >= since)
    if until is not None:
        chosen.append(Message.created_at < until)
    if customer_id is not None:
        own = _own_lines(session, customer_id, chosen, terms)
        place = find_place(number=number, total=len(own), size=size)
        return Page(_hits(session, own[place.offset : place.offset + size], terms), place)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found = _in_fts5(terms) if is_sqlite else _in_tsvector(terms)
    # A staff group has no account.
    lines = found.join(Conversation, Message.conversation_id == Conversation.id).join(
        ChannelIdentity, Conversation.identity_id == ChannelIdentity.id
    )
    lines = lines.where(*chosen)
    total = session.scalar(select(func.count()).select_from(lines.limit(MOST).subquery())) or 0
    place = find_place(number=number, total=total, size=size)
    ids = session.scalars(
        lines.order_by(literal_column("found_id").desc()).offset(place.offset).limit(size)
    ).all()
    return Page(_hits(session, ids, terms), place)


def _own_lines(
    session: Session, customer_id: int, chosen: Sequence[ColumnElement[bool]], terms: Sequence[Term]
) -> list[int]:
    """Lines of one person's conversations, newest first: few enough to be read without the index.

    In the index a common word has lines of everybody, and theirs would have to be sought out among them.
    """
    family = family_of(session, customer_id=customer_id)
    own = select(Conversation.id).join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
    chats = session.scalars(own.where(ChannelIdentity.customer_id.in_(family))).all()
    holds = [MessageText.folded.contains(word, autoescape=True) for term in terms for word in term.words]
    rows = session.execute(
        select(MessageText.message_id, MessageText.folded)
        .join(Message, Message.id == MessageText.message_id)
        .where(Message.conversation_id.in_(chats), *holds, *chosen)
        .order_by(MessageText.message_id.desc())
    )
    fitting = (
        message_id for message_id, folded in rows if all(term.places(folded.split(" ")) for term in terms)
    )
    return list(islice(fitting, MOST))


def _in_fts5(terms: Sequence[Term]) -> Select[tuple[int]]:
    return (
        select(_full_text.c.rowid.label("found_id"))
        .where(_full_text.c[FULL_TEXT].op("MATCH")(as_fts5(terms)))
        .join(Message, Message.id == _full_text.c.rowid)
    )


def _in_tsvector(terms: Sequence[Term]) -> Select[tuple[int]]:
    # Word for word as the index has it.
    vector = func.to_tsvector(literal_column("'simple'"), MessageText.folded)
    query = cast(literal(as_tsquery(terms), Text), TSQUERY)
    return (
        select(MessageText.message_id.label("found_id"))
        .where(vector.op("@@")(query))
        .join(Message, Message.id == MessageText.message_id)
    )


def _hits(session: Session, ids: Sequence[int], terms: Sequence[Term]) -> list[Hit]:
    rows = session.execute(
        select(Message, Conversation, ChannelIdentity.customer_id)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
        .where(Message.id.in_(ids))
        .order_by(Message.id.desc())
    )
    return [
        Hit(message, conversation, customer_id, snippet_of(plain_text(message.author, message.text), terms))
        for message, conversation, customer_id in rows
    ]


def snippet_of(text: str, terms: Sequence[Term]) -> list[Piece]:
    """A part of a text around the first of some terms, with all of them marked."""
    found = find_words(text)
    texts = [word.text for word in found]
    marked = sorted(
        {
            start + further
            for term in terms
            for start in term.places(texts)
            for further in range(len(term.words))
        }
    )
    first = found[marked[0]].start if marked else 0
    start = _word_begin(found, max(0, first - BEFORE)) if first > BEFORE else 0
    end = min(len(text), max(first + AFTER, start + BEFORE + AFTER))
    for phone in find_phones(text):  # never cut: half a number would not be known as one
        start = phone.start if phone.start < start < phone.end else start
        end = phone.end if phone.start < end < phone.end else end
    pieces = [Piece(_ELLIPSIS, False)] if start else []
    position = start
    for place in marked:
        word = found[place]
        if position <= word.start and word.end <= end:
            if text[position : word.start]:
                pieces.append(Piece(text[position : word.start], False))
            pieces.append(Piece(text[word.start : word.end], True))
            position = word.end
    rest = text[position:end] + (_ELLIPSIS if end < len(text) else "")
    return [*pieces, Piece(rest, False)] if rest else pieces


def _word_begin(found: Sequence[Word], position: int) -> int:
    return next((word.start for word in found if word.start >= position), position)
