"""First step of a job, one transaction: who writes, the transcript line, and what is to be done."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import structlog
from sqlalchemy.orm import Session

from bot.gateway import albums, edits, staff_linking
from bot.gateway.desk import taking
from bot.gateway.incoming import ContactCard, Incoming, MediaRef
from bot.gateway.jobs import Job, Plan, Press, Queued
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.business import Business
from crm_store.conversations import service as conversations
from crm_store.conversations.models import HUMAN, Conversation, Message
from crm_store.customers import linking
from crm_store.customers import service as customers
from crm_store.errors import InvalidInput
from crm_store.handoff import waiting
from crm_store.inbox import InboxItem
from crm_store.learning import service as learning
from crm_store.persian import fold, normalize_phone, to_persian_digits
from crm_store.rules import Rules, staff_groups
from crm_store.settings import Settings
from crm_store.staff.accounts import staff_in
from crm_store.staff.telling import tell_groups
from crm_store.terms import term, terms
from crm_store.tickets.expecting import expected_in

log = structlog.get_logger(__name__)

CUSTOMER = "customer"
#: What a messenger sends for the button with which every chat begins: the one text that is read as an intent.
START = "/start"
#: What the button stands for with which a customer ends a talk with a person.
LEAVE = "/handoff_leave"
REFUSED_PRESSES = {
    "used": "utter_button_used",
    "expired": "utter_button_expired",
    "unknown": "utter_button_unknown",
}
#: What follows it where a link has opened the chat that holds a friend's code.
_FRIEND_CODE = re.compile(r"ref_([A-Za-z0-9]{4,12})")
_TOPIC = re.compile(r'/choose_topic\{"topic": "(\w+)"\}')


def take(session: Session, *, job: Job, settings: Settings, business: Business) -> Plan | None:
    """Decide what a job needs; running it again decides the same, unless somebody took over in between.

    Returns:
        What is left to do, or None when the rows are finished.
    """
    head, incoming = job.head, job.head.incoming
    if session.get_one(InboxItem, head.inbox_id).state != inbox.PENDING:
        return None
    if incoming.is_group:
        staff_linking.hide(session, job)  # a code belongs into a private chat; here it links nobody
        return taking.take(session, job=job, settings=settings, business=business)
    if incoming.kind in ("ignored", "membership"):
        _take_quietly(session, job=job)
        return None
    conversation = _conversation(session, head)
    if conversation.identity_id is not None and staff_linking.holds_invitation(job):
        identity_id = conversation.identity_id
        staff_linking.take(session, conversation=conversation, identity_id=identity_id, job=job)
        return None
    plan = _plan(session, conversation=conversation, job=job, settings=settings, business=business)
    if plan is None:
        return None
    expected = expected_in(session, conversation_id=conversation.id)
    is_staff = staff_in(session, conversation_id=conversation.id) is not None
    return msgspec.structs.replace(
        plan,
        audience="staff" if is_staff else "customer",
        expected=expected,
        ownership=conversation.ownership,
        is_silent=conversation.owner == HUMAN,
    )


def _plan(
    session: Session, *, conversation: Conversation, job: Job, settings: Settings, business: Business
) -> Plan | None:
    """What is left to do about what a person sent in a private chat."""
    incoming = job.head.incoming
    if incoming.kind == "edited":
        return edits.take(session, conversation=conversation, job=job, settings=settings, business=business)
    rules = Rules.of(settings, business)
    if incoming.kind == "button":
        return _take_press(session, conversation=conversation, job=job, rules=rules)
    return _take_message(session, conversation=conversation, job=job, settings=settings, rules=rules)


def _take_quietly(session: Session, *, job: Job) -> None:
    """Deal with what nobody gets an answer to."""
    if job.head.incoming.kind == "membership":
        _take_membership(session, job=job)
    else:
        _finish(session, job, inbox.IGNORED)


def _conversation(session: Session, head: Queued) -> Conversation:
    incoming = head.incoming
    identity = customers.identify(
        session,
        channel=head.channel,
        external_id=incoming.user_id,
        display_name=incoming.display_name,
        username=incoming.username,
    )
    conversation = conversations.open_conversation(
        session, channel=head.channel, chat_id=head.chat_id, identity=identity
    )
    # Nobody takes it over, or gives it back, between this and the line in the transcript.
    return conversations.lock_conversation(session, conversation_id=conversation.id)


def _finish(session: Session, job: Job, state: str = inbox.DONE) -> None:
    for inbox_id in job.row_ids:
        inbox.finish(session, inbox_id=inbox_id, state=state)


def _take_membership(session: Session, *, job: Job) -> None:
    head = job.head
    if head.incoming.detail == "blocked":
        customers.mark_blocked(session, channel=head.channel, external_id=head.incoming.user_id)
        conversation = conversations.find_conversation(session, channel=head.channel, chat_id=head.chat_id)
        if conversation is not None:
            outbox.cancel_pending(session, conversation_id=conversation.id)
    else:
        customers.mark_reachable(session, channel=head.channel, external_id=head.incoming.user_id)
    _finish(session, job)


def _take_press(session: Session, *, conversation: Conversation, job: Job, rules: Rules) -> Plan | None:
    head, incoming = job.head, job.head.incoming
    pressed = conversations.press_button(
        session, conversation_id=conversation.id, token=incoming.token, inbox_id=head.inbox_id
    )
    press = Press(incoming.callback_query_id, incoming.message_id, REFUSED_PRESSES.get(pressed.outcome, ""))
    if press.refusal:
        return Plan(conversation_id=conversation.id, press=press)
    meant = _meaning_of(pressed.payload)
    if term("shared", "suggestions", meant.partition("/")[0]):
        learning.note_choice(session, conversation_id=conversation.id, token=incoming.token, intent=meant)
    # The press names the bot's message; its line in the transcript must not be taken for that message.
    extra = {"button": incoming.token}
    _add_line(session, conversation, head, text=pressed.title, extra=extra, platform_message_id="")
    if conversation.owner == HUMAN:
        if pressed.payload == LEAVE:
            waiting.leave(session, conversation_id=conversation.id, rules=rules)
        return Plan(conversation_id=conversation.id, press=press)
    return Plan(conversation_id=conversation.id, payload=pressed.payload, press=press)


def _meaning_of(payload: str) -> str:
    """The label of what a button stands for: its intent, or the topic that it asks about (``faq/hours``)."""
    topic = _TOPIC.fullmatch(payload)
    return f"faq/{topic[1]}" if topic else payload.removeprefix("/")


def _take_message(
    session: Session, *, conversation: Conversation, job: Job, settings: Settings, rules: Rules
) -> Plan | None:
    head, incoming = job.head, job.head.incoming
    late_of = albums.answered_album(session, conversation_id=conversation.id, head=head)
    text = job.corrected or albums.caption(job.rows)
    line = _add_line(
        session, conversation, head, text=text, extra=_extra(job), platform_message_id=incoming.message_id
    )
    if job.corrected and line.text != job.corrected:
        line.text, line.edited_at = job.corrected, utcnow()
    attachments: list[dict[str, Any]] = []
    data: dict[str, Any]
    contact = None
    if incoming.location is not None:
        place = incoming.location
        data = {"latitude": place.latitude, "longitude": place.longitude, "title": place.title}
        attachments = [_add_card(session, conversation, head, "location", data)]
    if incoming.contact is not None:
        card = incoming.contact
        data = {"phone": card.phone, "name": card.name}
        attachments = [_add_card(session, conversation, head, "contact", data)]
        contact = _proven_phone(session, conversation, head, card, settings)
    media = tuple(media for row in job.rows for media in row.incoming.media)
    if conversation.owner == HUMAN:
        return _for_a_person(session, conversation, job, text=text, media=media, rules=rules)
    notice = _kind_notice(incoming)
    if notice:
        key = f"{notice}:{head.inbox_id}"
        outbox.enqueue_notice(
            session,
            conversation_id=conversation.id,
            response=notice,
            idempotency_key=key,
            correlation_id=head.correlation_id,
        )
        _finish(session, job)
        return None
    if contact is not None:
        return Plan(conversation_id=conversation.id, contact=contact)
    if incoming.kind == "text" and text.split(maxsplit=1)[:1] == [START]:
        return Plan(conversation_id=conversation.id, payload=_started_with(text))
    return Plan(
        conversation_id=conversation.id,
        text=text or None,
        attachments=attachments,
        media=media,
        late_of=late_of,
    )


def _for_a_person(
    session: Session,
    conversation: Conversation,
    job: Job,
    *,
    text: str,
    media: tuple[MediaRef, ...],
    rules: Rules,
) -> Plan | None:
    """What is left to do while a person has the conversation: files are fetched, and who has had enough goes.

    The staff see the line that stands in the transcript already.
    """
    if media:
        return Plan(conversation_id=conversation.id, media=media)
    if job.head.incoming.kind == "text" and _wants_to_leave(text):
        waiting.leave(session, conversation_id=conversation.id, rules=rules)
    _finish(session, job)
    return None


def _wants_to_leave(text: str) -> bool:
    """Whether somebody says that the talk with a person is over for them."""
    said = fold(text).strip(" .!؟?")
    return said in {fold(words) for words in terms("handoff").get("leaving", ())}


def _started_with(text: str) -> str:
    """The payload of the button with which a chat begins, with the friend's code of the link to it."""
    found = _FRIEND_CODE.fullmatch(text[len(START) :].strip())
    return f'{START}{{"code": "{found[1].upper()}"}}' if found else START


def _add_line(
    session: Session,
    conversation: Conversation,
    head: Queued,
    *,
    text: str,
    extra: dict[str, Any],
    platform_message_id: str,
) -> Message:
    return conversations.add_message(
        session,
        conversation_id=conversation.id,
        author=CUSTOMER,
        text=text,
        extra=extra,
        inbox_id=head.inbox_id,
        platform_message_id=platform_message_id,
    )


def _extra(job: Job) -> dict[str, Any]:
    incoming = job.head.incoming
    kinds = [media.kind for row in job.rows for media in row.incoming.media]
    extra = {"media": kinds, albums.KEY: incoming.media_group_id, "unsupported": incoming.detail}
    return {name: value for name, value in extra.items() if value}


def _add_card(
    session: Session, conversation: Conversation, head: Queued, kind: str, data: dict[str, Any]
) -> dict[str, Any]:
    attachment = conversations.add_attachment(
        session, conversation_id=conversation.id, inbox_id=head.inbox_id, kind=kind, data=data
    )
    return {"id": attachment.id, "kind": attachment.kind}


def _proven_phone(
    session: Session, conversation: Conversation, head: Queued, card: ContactCard, settings: Settings
) -> str | None:
    """The sender's own number, which tells who they are; None for another's, or for one that is no number."""
    identity_id = conversation.identity_id
    if not card.own or identity_id is None:
        return None
    # Messengers leave the plus sign out.
    phone = card.phone if card.phone.startswith(("+", "0")) else f"+{card.phone}"
    try:
        linked = linking.link_by_proof(session, identity_id=identity_id, phone=phone, inbox_id=head.inbox_id)
    except InvalidInput:
        log.warning("contact_without_valid_phone", conversation_id=conversation.id)
        return None
    log.info("contact_proven", conversation_id=conversation.id, outcome=linked.outcome)
    for conflict_id in linked.opened:
        tell_groups(
            session,
            groups=staff_groups(settings),
            response="utter_staff_group_link_conflict",
            params={"number": to_persian_digits(conflict_id)},
            key=f"staff-link:{conflict_id}:{head.inbox_id}",
            correlation_id=head.correlation_id,
        )
    return normalize_phone(phone)


def _kind_notice(incoming: Incoming) -> str:
    """The response for what the dialogue is not asked about."""
    if incoming.contact is not None and not incoming.contact.own:
        return "utter_contact_not_own"
    if incoming.kind == "unsupported":
        return "utter_sticker" if incoming.detail == "sticker" else "utter_unsupported"
    return ""
