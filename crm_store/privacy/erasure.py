"""Forgets a customer: whatever names the person or was said goes from every table.

What stays names no one. A complaint keeps its code, category, remedy, decision, cause, state and dates, a
service request its code, kind, state, grade and dates, a hand-over its reason, times and who had it, so that
the business can still count and account for them; what was open of them ends, and the place of a visit is
free again. Purchases keep their amounts, the points ledger its postings, surveys their grades. A consent
keeps its decision, time and version, as proof of what was allowed (GDPR, article 7 (1)); the audit trail
keeps that somebody was forgotten, and when. The record itself stays as an empty key that these rows point to.
What staff were told in their chats, what they looked up there, their notes on the person, and the notes and
files that they made of a visit, go too; what other people said about the person is theirs and stays.

The store is one of four places. The files (crm_store/privacy/files.py), phrases accepted for training
(crm_store/learning/phrases.py) and the dialogue's memory (crm_store/privacy/tracker.py) are cleared by
whoever carries the wish out, bot/gateway/housekeeping.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from crm_store import inbox, outbox
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import BOT, Attachment, Button, Conversation, Message
from crm_store.customers.models import Customer
from crm_store.drafts import Draft
from crm_store.inbox import InboxItem
from crm_store.learning.models import LearningSample
from crm_store.loyalty.forgetting import forget_points
from crm_store.outbox import OutboxItem
from crm_store.privacy.blanking import (
    blank_callbacks,
    blank_drafts,
    blank_people,
    blank_trails,
    empty_outbox,
    mentions_of,
)
from crm_store.privacy.desk import erase_desk, files_in_groups
from crm_store.privacy.files import chat_folder, staff_folder
from crm_store.privacy.models import DONE, Erasure
from crm_store.privacy.scope import Scope, scope_of
from crm_store.privacy.staff_lines import erase_staff_lines, staff_lines, tell_technicians
from crm_store.privacy.tickets import Tickets, blank_tickets, end_tickets, tickets_of
from crm_store.staff.models import StaffAccount
from crm_store.surveys.forgetting import forget_opinions

#: Time to read the last words, before the chat begins anew.
READING_TIME = timedelta(seconds=5)
#: So long an answer that is still under way is waited for; then the customer's wish goes first.
PATIENCE = timedelta(minutes=10)
_BATCH = 500


def is_quiet(session: Session, *, customer_id: int, settled_for: timedelta, now: datetime) -> bool:
    """Whether nothing of a customer's is under way that could write after the erasure.

    Args:
        settled_for: how long ago the last message must have been given up, so that no turn runs about it.
    """
    scope = scope_of(session, customer_id=customer_id)
    waits = exists().where(scope.is_in_inbox(), InboxItem.state == inbox.PENDING)
    settles = exists().where(
        scope.is_in_inbox(), InboxItem.state == inbox.IGNORED, InboxItem.finished_at > now - settled_for
    )
    leaves = exists().where(
        OutboxItem.conversation_id.in_(scope.conversations),
        OutboxItem.state == outbox.PENDING,
        OutboxItem.due_at <= now,
    )
    return not session.scalar(select(waits | settles | leaves))


def give_up_waiting(session: Session, *, customer_id: int) -> None:
    """Answer nothing and send nothing to a customer any more: what hangs keeps the erasure waiting."""
    scope = scope_of(session, customer_id=customer_id)
    session.execute(
        update(InboxItem)
        .where(scope.is_in_inbox(), InboxItem.state == inbox.PENDING)
        .values(state=inbox.IGNORED, finished_at=utcnow(), payload={})
        .execution_options(synchronize_session=False)
    )
    for conversation_id in scope.conversations:
        outbox.cancel_pending(session, conversation_id=conversation_id)


def places_of(session: Session, *, customer_id: int) -> list[str]:
    """Paths below the attachments folder of all files and folders of a customer."""
    scope = scope_of(session, customer_id=customer_id)
    tickets = tickets_of(session, customers=scope.customers)
    paths = session.scalars(select(Attachment.path).where(_own_files(scope, tickets), Attachment.path != ""))
    folders = [chat_folder(channel, chat_id) for channel, chat_id in scope.chats]
    folders += [staff_folder(conversation_id) for conversation_id in scope.conversations]
    return [*paths, *files_in_groups(session, scope), *(folder for folder in folders if folder)]


def erase(
    session: Session, *, erasure_id: int, settled_for: timedelta, now: datetime | None = None
) -> list[int] | None:
    """Forget a customer, the records that were joined to it, and all that was said with them.

    Running it again changes nothing more. The same chats begin as new customers afterwards.

    Args:
        settled_for: see `is_quiet`.

    Returns:
        Ids of the person's own conversations; None when something came in that is to be answered first.
    """
    moment = now or utcnow()
    erasure = session.get_one(Erasure, erasure_id)
    if session.get_bind().dialect.name == "postgresql":
        # Nothing new comes in until this is done; SQLite's writing transactions exclude each other anyway.
        session.execute(text("LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE"))
    if not is_quiet(session, customer_id=erasure.customer_id, settled_for=settled_for, now=moment):
        return None
    scope = scope_of(session, customer_id=erasure.customer_id)
    tickets = tickets_of(session, customers=scope.customers)
    known = mentions_of(session, scope)
    expected = end_tickets(session, tickets, now=moment)
    erase_staff_lines(session, staff_lines(session, scope, tickets))
    tell_technicians(session, expected)
    blank_trails(session, scope, tickets, known)
    session.execute(delete(Attachment).where(_own_files(scope, tickets)))
    blank_tickets(session, tickets)
    blank_callbacks(session, scope)
    erase_desk(session, scope, now=moment)
    forget_opinions(session, customer_ids=scope.customers, now=moment)
    forget_points(session, customer_ids=scope.customers)
    _unlink_staff(session, scope)
    _erase_conversations(session, scope)
    _erase_group_messages(session, scope)
    blank_people(session, scope)
    session.execute(
        update(Customer)
        .where(Customer.id.in_(scope.customers), Customer.erased_at.is_(None))
        .values(erased_at=moment)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return scope.conversations


def staff_dialogues(session: Session, *, customer_id: int) -> list[int]:
    """Ids of the staff's chats whose dialogue may remember something of a customer."""
    scope = scope_of(session, customer_id=customer_id)
    tickets = tickets_of(session, customers=scope.customers)
    return staff_lines(session, scope, tickets).dialogues


def note_done(session: Session, *, erasure_id: int) -> None:
    """Close a wish that was carried out everywhere, and keep the proof."""
    erasure = session.get_one(Erasure, erasure_id)
    if erasure.state == DONE:
        return
    erasure.state, erasure.done_at, erasure.last_error = DONE, utcnow(), ""
    record_audit(
        session,
        actor="system",
        action="privacy.erased",
        target_type="customer",
        target_id=erasure.customer_id,
        detail={"erasure_id": erasure.id},
    )


def note_failure(session: Session, *, erasure_id: int, error: str) -> None:
    """Count a try that failed.

    Args:
        error: what failed, without anything that the customer said.
    """
    erasure = session.get_one(Erasure, erasure_id)
    erasure.attempts, erasure.last_error = erasure.attempts + 1, error[:2000]


def _own_files(scope: Scope, tickets: Tickets) -> ColumnElement[bool]:
    """What belongs to a person's cases, and what the person sent that belongs to nobody else's."""
    is_loose = and_(Attachment.complaint_id.is_(None), Attachment.service_request_id.is_(None))
    return or_(tickets.own_files(), and_(Attachment.conversation_id.in_(scope.conversations), is_loose))


def _unlink_staff(session: Session, scope: Scope) -> None:
    """The person's accounts are no member of staff's any more; who comes back has to be invited again."""
    links = select(StaffAccount).where(StaffAccount.identity_id.in_(scope.identities))
    for link in session.scalars(links).all():
        record_audit(
            session,
            actor="system",
            action="staff.account_unlinked",
            target_type="staff",
            target_id=link.staff_id,
        )
        session.delete(link)
    session.flush()


def _erase_conversations(session: Session, scope: Scope) -> None:
    """What was said, sent and pressed.

    Rows of inbox and outbox stay, empty: no update is taken in twice, and no number is given out twice.
    """
    ids = scope.conversations
    session.execute(delete(Message).where(Message.conversation_id.in_(ids)))
    session.execute(delete(Button).where(Button.conversation_id.in_(ids)))
    session.execute(delete(LearningSample).where(LearningSample.conversation_id.in_(ids)))
    empty_outbox(session, OutboxItem.conversation_id.in_(ids))
    blank_drafts(session, Draft.conversation_id.in_(ids))
    own = InboxItem.channel.in_(("web", "terminal"))  # their numbers hold the visitor's
    session.execute(
        update(InboxItem)
        .where(scope.is_in_inbox(), own)
        .values(update_id=literal("erased-") + cast(InboxItem.id, String))
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(InboxItem)
        .where(scope.is_in_inbox(), InboxItem.state == inbox.PARKED)
        .values(state=inbox.IGNORED)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(InboxItem)
        .where(scope.is_in_inbox())
        .values(payload={}, last_error="", chat_id="")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Conversation)
        .where(Conversation.id.in_(ids))
        .values(
            chat_id=literal("erased-") + cast(Conversation.id, String),
            owner=BOT,
            owner_id=None,
            ownership=case(
                (Conversation.owner == BOT, Conversation.ownership), else_=Conversation.ownership + 1
            ),
            trouble_told_at=None,
        )
        .execution_options(synchronize_session=False)
    )


def _erase_group_messages(session: Session, scope: Scope) -> None:
    """What the person's accounts wrote in groups that the bot is in, and updates without a chat."""
    for channel, account in scope.accounts:
        session.execute(
            update(Message)
            .where(Message.author == f"account:{account}")
            .values(author="account:erased")
            .execution_options(synchronize_session=False)
        )
        elsewhere = select(InboxItem).where(
            InboxItem.channel == channel,
            InboxItem.chat_id.startswith("-") | (InboxItem.chat_id == ""),
            InboxItem.state != inbox.PENDING,
        )
        for item in session.scalars(elsewhere.execution_options(yield_per=_BATCH)):
            if _names(item.payload, account):
                item.payload, item.last_error = {}, ""


def _names(value: object, account: str) -> bool:
    """Whether a payload names an account by its number, however deep."""
    if isinstance(value, dict):
        return str(value.get("id", "")) == account or any(_names(one, account) for one in value.values())
    return isinstance(value, list) and any(_names(one, account) for one in value)
