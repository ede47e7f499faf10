"""What stands about a person in the staff's own chats and groups.

A notice about a ticket, a list of the day's visits or a photo of the work is in a conversation of the staff's
and is about a customer. It is found by the ticket's code, by the person's numbers and addresses, and by the
messages of which a note, a file or a form about the ticket was made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, and_, cast, delete, false, not_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm_store import inbox, outbox
from crm_store.activity import Activity
from crm_store.conversations.models import Attachment, Button, Conversation, Message
from crm_store.conversations.reaching import PHONE_CHANNEL
from crm_store.customers.models import ContactPoint, Customer
from crm_store.drafts import Draft
from crm_store.handoff.keeping import staff_notice_key as handoff_notice_key
from crm_store.handoff.models import CallbackRequest, Handoff
from crm_store.handoff.service import staff_notice_key
from crm_store.inbox import InboxItem
from crm_store.learning.models import LearningSample
from crm_store.outbox import OutboxItem
from crm_store.persian import phone_text, rich, to_persian_digits
from crm_store.privacy.blanking import blank_drafts, empty_outbox
from crm_store.privacy.desk import looked_up_in
from crm_store.privacy.scope import Scope
from crm_store.privacy.tickets import Tickets
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffAccount
from crm_store.staff.telling import tell_member
from crm_store.tickets.models import TicketNote

#: Shorter addresses, such as the name of a city, stand in lines about others too.
_ADDRESS_LETTERS = 8
#: How the keys of notices begin that a visit does not take place; they name nobody.
_CALLED_OFF = "visit-forgotten:"
_FROM_MESSAGE = re.compile(r"(?:^|:)inbox:(\d+)(?::|$)")


class StaffLines(msgspec.Struct, frozen=True):
    """What staff were told of a person, and what was taken from messages of theirs.

    Attributes:
        dialogues: the staff's own chats in which anything of it was said.
        notices: ids of outbox rows.
        messages: ids of lines of transcripts.
        drafts: ids of forms about a ticket.
        buttons: tokens of buttons that name a ticket.
        updates: ids of updates in the inbox.
    """

    dialogues: list[int]
    notices: list[int]
    messages: list[int]
    drafts: list[int]
    buttons: list[str]
    updates: list[int]


def staff_lines(session: Session, scope: Scope, tickets: Tickets) -> StaffLines:
    """Find what the staff's conversations hold about a person."""
    chats, groups = _staff_chats(session, scope)
    codes = [*tickets.codes, *(to_persian_digits(code) for code in tickets.codes)]
    codes += [_choice("handoff", one) for one in _handoffs(session, scope)]
    particulars = [*codes, *_particulars(session, scope, tickets)]
    looked_up = looked_up_in(session, scope)
    notices = _notices(session, scope, chats, codes, particulars) | _answers(session, chats, looked_up)
    forms = session.execute(
        select(Draft.id, Draft.conversation_id, Draft.sources).where(
            Draft.conversation_id.in_(chats), _holds_json(Draft.data, codes)
        )
    ).all()
    updates = {int(one) for form in forms for one in form.sources.values()}
    updates |= _taken_from(session, scope, tickets) | looked_up
    said = session.execute(
        select(Message.id, Message.conversation_id).where(
            Message.conversation_id.in_(chats),
            or_(
                Message.outbox_id.in_(list(notices)),
                Message.inbox_id.in_(updates),
                and_(Message.author == "bot", _is_no_calling_off(), _holds(Message.text, particulars)),
            ),
        )
    ).all()
    places = {*notices.values(), *(one.conversation_id for one in (*forms, *said))}
    return StaffLines(
        dialogues=sorted((places | _chats_of_technicians(session, chats, tickets)) - groups),
        notices=list(notices),
        messages=[one.id for one in said],
        drafts=[one.id for one in forms],
        buttons=_buttons(session, chats, [*codes, *(_choice("customer", one) for one in scope.customers)]),
        updates=sorted(updates),
    )


def erase_staff_lines(session: Session, lines: StaffLines) -> None:
    """Let go of it; rows that keep something from happening twice stay, empty."""
    session.execute(delete(Message).where(Message.id.in_(lines.messages)))
    session.execute(delete(Button).where(Button.token.in_(lines.buttons)))
    session.execute(delete(LearningSample).where(LearningSample.inbox_id.in_(lines.updates)))
    empty_outbox(session, OutboxItem.id.in_(lines.notices))
    blank_drafts(session, Draft.id.in_(lines.drafts))
    session.execute(
        update(InboxItem)
        .where(InboxItem.id.in_(lines.updates), InboxItem.state != inbox.PENDING)
        .values(payload={}, last_error="")
        .execution_options(synchronize_session=False)
    )


def tell_technicians(session: Session, requests: Iterable[ServiceRequest]) -> None:
    """Tell those who were to go to visits that they need not, by the code alone."""
    for request in requests:
        if request.technician_id is not None:
            tell_member(
                session,
                staff_id=request.technician_id,
                response="utter_staff_visit_forgotten",
                key=f"{_CALLED_OFF}{request.id}",
                params={"code": to_persian_digits(request.code)},
            )


def _staff_chats(session: Session, scope: Scope) -> tuple[list[int], set[int]]:
    """Groups and chats of accounts that belong to members of staff; then which of them are groups.

    A person's own chat is dealt with as such.
    """
    of_staff = Conversation.identity_id.in_(select(StaffAccount.identity_id))
    rows = session.execute(
        select(Conversation.id, Conversation.identity_id)
        .where(or_(Conversation.identity_id.is_(None), of_staff))
        .where(Conversation.id.not_in(scope.conversations), Conversation.channel != PHONE_CHANNEL)
        .order_by(Conversation.id)
    ).all()
    return [row.id for row in rows], {row.id for row in rows if row.identity_id is None}


def _chats_of_technicians(session: Session, chats: Collection[int], tickets: Tickets) -> set[int]:
    """Chats of those who were to visit: what they asked for stands in the dialogue's memory at least."""
    technicians = select(ServiceRequest.technician_id).where(ServiceRequest.id.in_(tickets.requests))
    accounts = select(StaffAccount.identity_id).where(StaffAccount.staff_id.in_(technicians))
    own = select(Conversation.id).where(Conversation.id.in_(chats), Conversation.identity_id.in_(accounts))
    return set(session.scalars(own))


def _particulars(session: Session, scope: Scope, tickets: Tickets) -> list[str]:
    """Numbers and addresses of a person, as they are shown."""
    points = session.scalars(
        select(ContactPoint.value).where(
            ContactPoint.customer_id.in_(scope.customers), ContactPoint.value.startswith("+")
        )
    )
    shown = {form for number in points for form in _spellings(number)}
    homes = session.scalars(select(Customer.address).where(Customer.id.in_(scope.customers))).all()
    places = session.scalars(
        select(ServiceRequest.address).where(ServiceRequest.id.in_(tickets.requests))
    ).all()
    lines = {line.strip() for text in (*homes, *places) for line in text.splitlines()}
    addresses = {line for line in lines if len(line) >= _ADDRESS_LETTERS}
    isolates = rich.FIRST_STRONG_ISOLATE + rich.POP_ISOLATE
    shown |= addresses | {rich.value(line).strip(isolates) for line in addresses}
    return sorted(shown)


def _spellings(number: str) -> list[str]:
    """A number in E.164 as machines and people write it, without the digits that lead into the country."""
    plain = number[-10:]
    spaced = phone_text(number).lstrip(to_persian_digits(0))
    return [plain, to_persian_digits(plain), spaced]


def _notices(
    session: Session, scope: Scope, chats: Collection[int], codes: Collection[str], words: Collection[str]
) -> dict[int, int]:
    """Outbox rows about a person in the staff's conversations; their conversations by the rows' ids.

    What has not left yet goes only when it names a ticket or a call-back: two people may share an address.
    """
    requests = select(CallbackRequest.id).where(CallbackRequest.customer_id.in_(scope.customers))
    keys = [staff_notice_key(request_id) for request_id in session.scalars(requests)]
    of_handoffs = [handoff_notice_key(handoff_id) for handoff_id in _handoffs(session, scope)]
    key, content = OutboxItem.idempotency_key, OutboxItem.content
    of_calls = or_(false(), *(or_(key == one, key.startswith(f"{one}:")) for one in keys))
    of_calls = or_(of_calls, *(key.startswith(one, autoescape=True) for one in of_handoffs))
    has_left = OutboxItem.state != outbox.PENDING
    in_chats = and_(
        OutboxItem.conversation_id.in_(chats),
        or_(key.is_(None), not_(key.startswith(_CALLED_OFF))),
        or_(_holds_json(content, codes), and_(has_left, _holds_json(content, words))),
    )
    found = select(OutboxItem.id, OutboxItem.conversation_id).where(or_(of_calls, in_chats))
    return dict(session.execute(found).tuples().all())


def _answers(session: Session, chats: Collection[int], updates: Collection[int]) -> dict[int, int]:
    """Outbox rows that answered some messages of the staff's; their conversations by the rows' ids."""
    found = select(OutboxItem.id, OutboxItem.conversation_id).where(
        OutboxItem.inbox_id.in_(updates), OutboxItem.conversation_id.in_(chats)
    )
    return dict(session.execute(found).tuples().all())


def _handoffs(session: Session, scope: Scope) -> list[int]:
    return list(session.scalars(select(Handoff.id).where(Handoff.customer_id.in_(scope.customers))))


def _choice(what: str, number: int) -> str:
    """How a button names a customer or a hand-over, of several that were offered."""
    return f'"{what}": "{number}"'


def _is_no_calling_off() -> ColumnElement[bool]:
    """Tells lines of transcripts from the notices that stay."""
    stays = select(OutboxItem.id).where(OutboxItem.idempotency_key.startswith(_CALLED_OFF))
    return or_(Message.outbox_id.is_(None), Message.outbox_id.not_in(stays))


def _taken_from(session: Session, scope: Scope, tickets: Tickets) -> set[int]:
    """Updates of which notes, files and events of tickets were made."""
    keys = session.scalars(
        select(TicketNote.idempotency_key).where(tickets.own_notes(), TicketNote.idempotency_key.is_not(None))
    )
    notes = (_FROM_MESSAGE.search(key or "") for key in keys)
    files = session.scalars(select(Attachment.inbox_id).where(tickets.own_files()))
    about = tickets.are_subject(Activity.subject_type, Activity.subject_id)
    events = session.scalars(
        select(Activity.data["inbox_id"].as_integer()).where(Activity.customer_id.in_(scope.customers), about)
    )
    return {int(note[1]) for note in notes if note} | {*files} | {one for one in events if one is not None}


def _buttons(session: Session, chats: Collection[int], codes: Collection[str]) -> list[str]:
    named = or_(_holds(Button.payload, codes), _holds(Button.title, codes))
    return list(session.scalars(select(Button.token).where(Button.conversation_id.in_(chats), named)))


def _holds(column: InstrumentedAttribute[str], words: Collection[str]) -> ColumnElement[bool]:
    return or_(false(), *(column.contains(word, autoescape=True) for word in words))


def _holds_json(column: InstrumentedAttribute[Any], words: Collection[str]) -> ColumnElement[bool]:
    """Whether a JSON column holds one of some texts; SQLite keeps it with everything but ASCII escaped."""
    forms = {json.dumps(word, ensure_ascii=escaped)[1:-1] for word in words for escaped in (True, False)}
    return or_(false(), *(cast(column, Text).contains(form, autoescape=True) for form in sorted(forms)))
