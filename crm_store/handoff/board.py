"""The staff's inbox: who waits, who has whom, what was said last, and what has changed since one looked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm_store.conversations.models import EVERYBODY, Conversation, Message
from crm_store.customers.models import ContactPoint, Customer, CustomerName, NameWord
from crm_store.errors import Forbidden, NotFound
from crm_store.handoff.models import CLAIMED, ENDED, OPEN_STATES, WAITING, Handoff
from crm_store.paging import PAGE_SIZE, Page, find_place
from crm_store.persian import fold, to_ascii_digits
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import has_permission

Tab = Literal["waiting", "mine", "all", "ended"]
#: How the authors of lines begin that customers and the staff write.
BY_CUSTOMER, BY_STAFF = "customer", "staff:"
#: So many of a conversation's last lines are looked at for what nobody has answered.
_RECENT = 100
#: So many digits of a phone number find its customer.
_DIGITS = 4


class BoardRow(msgspec.Struct, frozen=True):
    """A hand-over in the inbox.

    Attributes:
        channel: where the customer writes.
        owner_name: who has it; empty for nobody.
        offered_name: to whom it was offered; empty for nobody.
        last: the last line; None where there is none.
        unanswered: how many of the customer's lines nobody of the staff has answered.
    """

    handoff: Handoff
    customer: Customer
    channel: str
    owner_name: str
    offered_name: str
    last: Message | None
    unanswered: int


class Counts(msgspec.Struct, frozen=True):
    """How many stand under each heading.

    Attributes:
        waiting: nobody has them.
        mine: in the hands of who asks.
        all: open, whoever has them.
        unanswered: of mine, those in which the customer spoke last.
    """

    waiting: int
    mine: int
    all: int
    unanswered: int


#: What the inbox shows, by the number of each open hand-over; it is equal as long as nothing has changed.
Version = Mapping[int, tuple[object, ...]]


class Changes(msgspec.Struct, frozen=True):
    """What has changed since one looked.

    Attributes:
        version: what there is now, to compare with the next time.
        changed: numbers of hand-overs that are new or not as they were.
        gone: numbers of those that have ended.
        lines: numbers of those in which something was said.
    """

    version: Version
    changed: list[int]
    gone: list[int]
    lines: list[int]


def inbox(
    session: Session,
    *,
    staff: StaffMember,
    tab: Tab,
    query: str = "",
    number: int = 1,
    size: int = PAGE_SIZE,
) -> Page[BoardRow]:
    """A page of the inbox.

    Args:
        tab: ``waiting``, the most urgent first; ``mine``, the latest first; ``all`` that are open;
            ``ended``, the last ones first.
        query: a part of the customer's name, of their number or of what it is about; empty for all.
        number: which page, from 1.

    Raises:
        Forbidden: they see no hand-overs.
    """
    _check_sees(staff)
    chosen = [_of_tab(tab, staff), *_found_by(query)]
    counted = select(func.count()).select_from(Handoff).join(Customer, Handoff.customer_id == Customer.id)
    place = find_place(number=number, total=session.scalar(counted.where(*chosen)) or 0, size=size)
    statement = _rows().where(*chosen).order_by(*_order_of(tab)).offset(place.offset).limit(size)
    return Page(_filled(session, statement), place)


def row(session: Session, *, handoff_id: int) -> BoardRow:
    """One row of the inbox, whatever its state.

    Raises:
        NotFound: there is no such hand-over.
    """
    found = _filled(session, _rows().where(Handoff.id == handoff_id))
    if not found:
        raise NotFound("there is no such hand-over")
    return found[0]


def rows(session: Session, *, handoff_ids: Collection[int]) -> list[BoardRow]:
    """Several rows of the inbox; those that are not there are left out."""
    return _filled(session, _rows().where(Handoff.id.in_(handoff_ids)).order_by(Handoff.id))


def counts(session: Session, *, staff: StaffMember) -> Counts:
    """How many stand under each heading for somebody.

    Raises:
        Forbidden: they see no hand-overs.
    """
    _check_sees(staff)
    by_owner = session.execute(
        select(Handoff.state, Handoff.owner_id, func.count())
        .where(Handoff.state.in_(OPEN_STATES))
        .group_by(Handoff.state, Handoff.owner_id)
    ).all()
    waiting = sum(count for state, _, count in by_owner if state == WAITING)
    mine = sum(count for state, owner_id, count in by_owner if state == CLAIMED and owner_id == staff.id)
    conversations = session.scalars(
        select(Handoff.conversation_id).where(Handoff.state == CLAIMED, Handoff.owner_id == staff.id)
    ).all()
    return Counts(
        waiting=waiting,
        mine=mine,
        all=sum(count for *_, count in by_owner),
        unanswered=len(_unanswered(session, conversations)),
    )


def version_now(session: Session) -> Version:
    """What the inbox shows now; a few hundred hand-overs are open at a time at most."""
    open_ones = session.execute(
        select(
            Handoff.id,
            Conversation.last_seq,
            Handoff.state,
            Handoff.owner_id,
            Handoff.offered_to_id,
            Handoff.urgency,
            Handoff.reason,
            Handoff.team,
            Handoff.skill,
        )
        .join(Conversation, Handoff.conversation_id == Conversation.id)
        .where(Handoff.state.in_(OPEN_STATES))
    ).all()
    return {handoff_id: tuple(rest) for handoff_id, *rest in open_ones}


def changes_since(session: Session, *, version: Version | None) -> Changes:
    """What has changed since a version was read; with None everything is new.

    One process asks once for all who look, and tells each of them.
    """
    now, before = version_now(session), version or {}
    changed = [one for one, shown in now.items() if before.get(one) != shown]
    return Changes(
        version=now,
        changed=sorted(changed),
        gone=sorted(set(before) - set(now)),
        lines=sorted(one for one in changed if one not in before or before[one][0] != now[one][0]),
    )


def _check_sees(staff: StaffMember) -> None:
    if not has_permission(staff, "handoff.view"):
        raise Forbidden("this member of staff sees no hand-overs")


def _of_tab(tab: Tab, staff: StaffMember) -> ColumnElement[bool]:
    if tab == "waiting":
        return Handoff.state == WAITING
    if tab == "mine":
        return and_(Handoff.state == CLAIMED, Handoff.owner_id == staff.id)
    return Handoff.state == ENDED if tab == "ended" else Handoff.state.in_(OPEN_STATES)


def _order_of(tab: Tab) -> tuple[SQLColumnExpression[Any], ...]:
    if tab == "ended":
        return Handoff.ended_at.desc(), Handoff.id.desc()
    if tab == "mine":
        return Handoff.claimed_at.desc(), Handoff.id.desc()
    # Those who wait come first, the most urgent first and of these the oldest.
    is_claimed = Handoff.state == CLAIMED
    return is_claimed, Handoff.urgency.desc(), Handoff.requested_at, Handoff.id


def _found_by(query: str) -> list[ColumnElement[bool]]:
    text = " ".join(query.split())
    if not text:
        return []
    fields = (Customer.full_name, Customer.display_name, Handoff.topic)
    found = [field.icontains(text, autoescape=True) for field in fields]
    found.append(and_(*(_is_called(word) for word in fold(text).split())))
    digits = "".join(one for one in to_ascii_digits(text) if one.isdigit())
    # Numbers are kept with the country's in place of the zero.
    for form in {digits, digits.removeprefix("0")}:
        if len(form) >= _DIGITS:
            is_theirs = ContactPoint.customer_id == Customer.id
            found.append(exists().where(is_theirs, ContactPoint.value.contains(form)))
    return [or_(*found)]


def _is_called(word: str) -> ColumnElement[bool]:
    """Whether a word in a customer's name begins so, however it is spelled."""
    return exists().where(
        CustomerName.customer_id == Customer.id,
        CustomerName.word_id == NameWord.id,
        NameWord.word.startswith(word, autoescape=True),
    )


def _rows() -> Select[Any]:
    owner, offered = aliased(StaffMember), aliased(StaffMember)
    last = and_(Message.conversation_id == Conversation.id, Message.seq == Conversation.last_seq)
    return (
        select(Handoff, Customer, Conversation.channel, owner.name, offered.name, Message)
        .join(Customer, Handoff.customer_id == Customer.id)
        .join(Conversation, Handoff.conversation_id == Conversation.id)
        .outerjoin(owner, Handoff.owner_id == owner.id)
        .outerjoin(offered, Handoff.offered_to_id == offered.id)
        .outerjoin(Message, last)
    )


def _filled(session: Session, statement: Select[Any]) -> list[BoardRow]:
    found = session.execute(statement).all()
    waiting = _unanswered(session, [handoff.conversation_id for handoff, *_ in found])
    return [
        BoardRow(
            handoff=handoff,
            customer=customer,
            channel=channel,
            owner_name=owner or "",
            offered_name=offered or "",
            last=last,
            unanswered=waiting.get(handoff.conversation_id, 0) if handoff.state != ENDED else 0,
        )
        for handoff, customer, channel, owner, offered, last in found
    ]


def _unanswered(session: Session, conversations: Collection[int]) -> dict[int, int]:
    """How many lines of a customer's came after the last one of the staff's; none is left out."""
    if not conversations:
        return {}
    answer = aliased(Message)
    answered = (
        select(func.max(answer.seq))
        .where(
            answer.conversation_id == Conversation.id,
            answer.seq > Conversation.last_seq - _RECENT,
            answer.author.startswith(BY_STAFF),
            answer.audience == EVERYBODY,
        )
        .scalar_subquery()
    )
    found = session.execute(
        select(Conversation.id, func.count())
        .join(Message, Message.conversation_id == Conversation.id)
        .where(
            Conversation.id.in_(conversations),
            Message.author == BY_CUSTOMER,
            Message.seq > Conversation.last_seq - _RECENT,
            Message.seq > func.coalesce(answered, 0),
        )
        .group_by(Conversation.id)
    ).tuples()
    return dict(found.all())


def last_spoken(
    session: Session, *, conversation_id: int, by: Collection[str] = (BY_CUSTOMER, BY_STAFF)
) -> datetime | None:
    """When the customer or somebody of the staff said something to the other last.

    Args:
        by: whose words count: one of these, or both.
    """
    return session.scalar(
        select(func.max(Message.created_at)).where(
            Message.conversation_id == conversation_id,
            Message.audience == EVERYBODY,
            or_(*(Message.author.startswith(author) for author in by)),
        )
    )
