"""What the console does with a conversation: reads it for its page, and carries out what its agent does.

Pages and sockets do the same things here, each in one unit of work for whoever is logged in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.desk import Desk, Refused, id_of
from bot.console.live_frames import MAX_TEXT
from crm_store.conversations.models import Conversation, Message
from crm_store.conversations.queries import TranscriptLine
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.errors import NotFound
from crm_store.handoff import claiming, releasing, replying, transferring, waiting
from crm_store.handoff.files import KeptFile
from crm_store.handoff.models import CLAIMED, Handoff
from crm_store.handoff.presence import loads, presence_of
from crm_store.handoff.written import is_slip, whispered
from crm_store.outbox import SENT, OutboxItem
from crm_store.overview.card import card_of
from crm_store.overview.parts import CustomerCard
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import PERMISSIONS, has_permission
from crm_store.transcripts.service import transcript

LINES = 60
PLATFORM = "console"


class Lines(NamedTuple):
    """Some lines of a conversation.

    Attributes:
        before_seq: where the lines before them end; None when there are none.
        names: of the members of staff who wrote, by number.
        fates: of lines of ours that have not left: how far they are, by their outbox row.
        files: what the staff sent along, by the line's id.
    """

    lines: list[TranscriptLine]
    before_seq: int | None
    names: dict[int, str]
    fates: dict[int, str]
    files: dict[int, list[KeptFile]]


class Ready(NamedTuple):
    """A canned reply, with its placeholders filled in."""

    shortcut: str
    title: str
    text: str


class Colleague(NamedTuple):
    """Somebody to whom a conversation can be given."""

    staff_id: int
    name: str
    presence: str
    load: int


class Talk(NamedTuple):
    """A conversation as its page shows it.

    Attributes:
        handoff: the open one; None while only the bot talks.
        agreed: what was agreed at the end of the last one; empty for nothing.
        owner: who has it.
        card: what is known about the customer; None for who was forgotten.
        is_mine: whether the one who looks has it.
    """

    conversation: Conversation
    customer: Customer
    handoff: Handoff | None
    agreed: str
    owner: StaffMember | None
    lines: Lines
    card: CustomerCard | None
    is_mine: bool
    canned: list[Ready]
    colleagues: list[Colleague]


def talk_of(
    session: Session,
    *,
    staff: StaffMember,
    conversation_id: int,
    rules: Rules,
    now: datetime,
    before_seq: int | None = None,
) -> Talk:
    """A conversation with a customer, and what is around it.

    Raises:
        NotFound: there is no such conversation, or it is none with a customer.
    """
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.identity_id is None:
        raise NotFound("there is no such conversation")
    customer = session.get_one(Customer, customer_of(conversation))
    handoff = waiting.open_of(session, conversation_id=conversation_id)
    last = None if handoff else waiting.last_of(session, conversation_id=conversation_id)
    owner = session.get(StaffMember, handoff.owner_id) if handoff and handoff.owner_id else None
    is_mine = handoff is not None and has_in_hand(handoff, staff)
    may_give = is_mine or (handoff is not None and has_permission(staff, "handoff.manage_any"))
    return Talk(
        conversation,
        customer,
        handoff,
        last.agreed if last else "",
        owner,
        lines_of(session, conversation_id=conversation_id, before_seq=before_seq),
        _card(session, customer, rules, now),
        is_mine,
        _ready(session, handoff, staff, rules) if handoff and is_mine else [],
        _colleagues(session, handoff, now) if handoff and may_give else [],
    )


def lines_of(
    session: Session, *, conversation_id: int, before_seq: int | None = None, size: int = LINES
) -> Lines:
    """The newest lines of a conversation, or those before a number.

    Raises:
        NotFound: there is no such conversation.
    """
    page = transcript(session, conversation_id=conversation_id, before_seq=before_seq, size=size)
    ours = [line.message.outbox_id for line in page.lines if line.message.author.startswith("staff:")]
    fates: dict[int, str] = {}
    if ours:
        rows = session.execute(
            select(OutboxItem.id, OutboxItem.state).where(OutboxItem.id.in_(ours), OutboxItem.state != SENT)
        )
        fates = dict(rows.tuples().all())
    files = {
        line.message.id: files_of(line.message)
        for line in page.lines
        if line.message.author.startswith("staff:")
    }
    return Lines(page.lines, page.next_before_seq, page.names, fates, files)


def files_of(message: Message) -> list[KeptFile]:
    """What a member of staff sent along with a line."""
    return msgspec.convert(message.extra.get(replying.FILES, []), list[KeptFile])


def has_in_hand(handoff: Handoff, staff: StaffMember) -> bool:
    """Whether somebody has a conversation; for what is shown and kept, the services ask for themselves."""
    return handoff.state == CLAIMED and handoff.owner_id == staff.id


def claim(desk: Desk, *, handoff_id: int) -> int:
    """Take a hand-over that waits; returns the conversation."""
    return claiming.claim(
        desk.session, handoff_id=handoff_id, staff=desk.staff, rules=desk.rules, now=desk.now
    ).conversation_id


def say(desk: Desk, *, handoff_id: int, text: str, key: UUID, files: Sequence[KeptFile] = ()) -> int:
    """Send words and files to the customer of a hand-over; what begins with ``//`` stays with the staff.

    Returns:
        The number of the line.

    Raises:
        Refused: there is nothing to send, or too much, or it looks like a command.
    """
    if is_slip(text):
        raise Refused("slip")
    words = whispered(text)
    if words is not None:
        handoff = desk.session.get(Handoff, handoff_id)
        if handoff is None:
            raise NotFound("there is no such hand-over")
        return whisper(desk, conversation_id=handoff.conversation_id, text=words, key=key, files=files)
    item = replying.reply(
        desk.session,
        handoff_id=handoff_id,
        staff=desk.staff,
        text=_checked(text, may_be_empty=bool(files)),
        files=files,
        platform=PLATFORM,
        key=_key(desk, key),
        now=desk.now,
    )
    return _line_of(desk.session, item)


def whisper(desk: Desk, *, conversation_id: int, text: str, key: UUID, files: Sequence[KeptFile] = ()) -> int:
    """Write something for the staff alone into a conversation; returns the number of the line.

    Raises:
        Refused: there is nothing to write, or too much.
    """
    line = replying.whisper(
        desk.session,
        conversation_id=conversation_id,
        staff=desk.staff,
        text=_checked(text, may_be_empty=bool(files)),
        files=files,
        key=_key(desk, key),
        now=desk.now,
    )
    return line.seq


def edit(desk: Desk, *, message_id: int, text: str) -> int:
    """Put other words into a line that one wrote; returns its number.

    Raises:
        Refused: there is nothing to write, or too much.
    """
    replying.edit(desk.session, message_id=message_id, staff=desk.staff, text=_checked(text), now=desk.now)
    return desk.session.get_one(Message, message_id).seq


def release(desk: Desk, *, handoff_id: int, agreed: str) -> None:
    """Give a conversation back to the bot, with what was agreed."""
    releasing.release(
        desk.session,
        handoff_id=handoff_id,
        staff=desk.staff,
        agreed=agreed.replace("\r\n", "\n"),
        rules=desk.rules,
        now=desk.now,
    )


def transfer(desk: Desk, *, handoff_id: int, to: str, note: str) -> None:
    """Give a conversation to a colleague or a team.

    Args:
        to: ``staff:<id>`` or ``team:<name>``, as in the form.

    Raises:
        Refused: it is neither.
    """
    kind, _, name = to.partition(":")
    staff_id = id_of(name) if kind == "staff" else None
    if staff_id is None and not (kind == "team" and name in desk.rules.business.handoff.teams):
        raise Refused("invalid")
    transferring.transfer(
        desk.session,
        handoff_id=handoff_id,
        staff=desk.staff,
        to_staff_id=staff_id,
        to_team=name if staff_id is None else "",
        note=note.replace("\r\n", "\n"),
        rules=desk.rules,
        now=desk.now,
    )


def canned_text(desk: Desk, handoff_id: int, shortcut: str) -> str:
    """The text of a canned reply for the customer of a hand-over; empty where there is none."""
    reply, handoff = replying.canned(desk.session, shortcut=shortcut), desk.session.get(Handoff, handoff_id)
    if reply is None or handoff is None:
        return ""
    return replying.fill(desk.session, text=reply.text, handoff=handoff, staff=desk.staff, rules=desk.rules)


def _checked(text: str, *, may_be_empty: bool = False) -> str:
    text = text.replace("\0", "\ufffd").replace("\r\n", "\n").strip()
    if not text and not may_be_empty:
        raise Refused("empty")
    if len(text) > MAX_TEXT:
        raise Refused("too_long")
    return text


def _key(desk: Desk, key: UUID) -> str:
    """Names a message at every try alike; nobody else's page can make the same."""
    return f"console:{desk.staff.id}:{key.hex}"


def _line_of(session: Session, item: OutboxItem) -> int:
    session.flush()
    return session.scalar(select(Message.seq).where(Message.outbox_id == item.id).limit(1)) or 0


def _card(session: Session, customer: Customer, rules: Rules, now: datetime) -> CustomerCard | None:
    try:
        return card_of(session, customer_id=customer.id, rules=rules, now=now)
    except NotFound:
        return None


def _ready(session: Session, handoff: Handoff, staff: StaffMember, rules: Rules) -> list[Ready]:
    return [
        Ready(
            reply.shortcut,
            reply.title,
            replying.fill(session, text=reply.text, handoff=handoff, staff=staff, rules=rules),
        )
        for reply in replying.canned_replies(session)
    ]


def _colleagues(session: Session, handoff: Handoff, now: datetime) -> list[Colleague]:
    found = session.scalars(
        select(StaffMember)
        .where(
            StaffMember.disabled_at.is_(None),
            StaffMember.role.in_(PERMISSIONS["handoff.claim"]),
            StaffMember.id != (handoff.owner_id or 0),
        )
        .order_by(StaffMember.name, StaffMember.id)
    )
    taken = loads(session)
    return [
        Colleague(one.id, one.name or one.login or str(one.id), presence_of(one, now), taken.get(one.id, 0))
        for one in found
    ]
