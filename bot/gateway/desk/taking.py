"""What is said in a group: only the staff's own is listened to, and there what is about a customer."""

from __future__ import annotations

import re
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.gateway import albums
from bot.gateway.desk import pressing, saying
from bot.gateway.desk.telling import NOT_LINKED, tell, writer
from bot.gateway.jobs import DeskWords, Job, Plan
from crm_store import inbox
from crm_store.business import Business
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.handoff import topics
from crm_store.handoff.models import StaffTopic
from crm_store.handoff.written import bare, is_slip, whispered
from crm_store.rules import Rules
from crm_store.settings import Settings
from crm_store.staff.invitations import without_invitations
from crm_store.staff.models import StaffMember

log = structlog.get_logger(__name__)

_NOT_PASSED_ON, _NO_SHORTCUT = "utter_topic_not_passed_on", "utter_topic_no_shortcut"
_ANONYMOUS = "utter_topic_anonymous"
_OF_NOBODY, _TOPIC_OF_NOBODY = "utter_topic_of_nobody", "utter_topic_not_known"
_COMMAND = re.compile(r"[/\uff0f](release|claim)(?:@\w+)?(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)
#: One word behind a slash: the shortcut of a reply that is kept ready.
_SHORTCUT = re.compile(r"[/\uff0f]([^\s/\uff0f@]+)(?:@\w+)?")
#: Kinds of updates that hold words for a customer.
_WORDS = ("text", "media")
#: Kinds that are not passed on.
_OTHERS = ("location", "contact", "unsupported")


def take(session: Session, *, job: Job, settings: Settings, business: Business) -> Plan | None:
    """Deal with an update of a group; a plan is left for files to be fetched, or a press to be answered."""
    head, incoming = job.head, job.head.incoming
    bot = settings.bots().get(head.channel)
    setting = f"PEYVAND_{head.channel.upper()}_STAFF_GROUP_ID"
    is_staff_group = bot is not None and str(bot.staff_group_id) == incoming.chat_id
    if incoming.kind == "membership" and not is_staff_group:
        log.warning("group_membership", change=incoming.detail, group_id=incoming.chat_id, setting=setting)
    if incoming.kind == "migrated":
        log.warning(
            "group_has_new_id", group_id=incoming.chat_id, new_group_id=incoming.detail, setting=setting
        )
    if not is_staff_group:
        _finish(session, job, inbox.IGNORED)
        return None
    group = conversations.open_conversation(
        session, channel=head.channel, chat_id=incoming.chat_id, identity=None
    )
    rules = Rules.of(settings, business)
    if incoming.kind == "button":
        return pressing.take(session, group=group, head=head, rules=rules)
    topic = topics.find_topic(
        session, group_id=group.id, thread_id=incoming.thread_id, reply_to=incoming.reply_to
    )
    if topic is not None and incoming.kind in (*_WORDS, "edited"):
        plan = _take_in_topic(session, job=job, group=group, topic=topic, rules=rules)
        if plan is not None:
            return plan
    elif topic is not None and incoming.kind in _OTHERS:
        is_ours = writer(session, head=head) is not None
        tell(session, group=group, head=head, response=_NOT_PASSED_ON if is_ours else NOT_LINKED)
    elif topic is not None and incoming.kind == "anonymous":
        tell(session, group=group, head=head, response=_ANONYMOUS)
    elif topic is None and incoming.kind in _WORDS:
        if _is_lost(session, job, group, bot_id=settings.bots()[head.channel].account_id):
            response = _OF_NOBODY if incoming.reply_to else _TOPIC_OF_NOBODY
            tell(session, group=group, head=head, response=response)
        if incoming.text:
            _keep_line(session, job, group)
    _finish(session, job)
    return None


def _take_in_topic(
    session: Session, *, job: Job, group: Conversation, topic: StaffTopic, rules: Rules
) -> Plan | None:
    """What somebody says in a customer's topic; None when it is dealt with."""
    head = job.head
    staff = writer(session, head=head)
    if staff is None:
        tell(session, group=group, head=head, response=NOT_LINKED)
        return None
    text = job.corrected or albums.caption(job.rows)
    who: dict[str, Any] = {"group": group, "topic": topic, "staff": staff}
    command = _COMMAND.fullmatch(bare(text))
    if head.incoming.kind == "edited":
        saying.edit(session, head=head, **who)
        return None
    if command is not None:
        _obey(session, command, job=job, rules=rules, **who)
        return None
    shortcut = _SHORTCUT.fullmatch(bare(text))
    if is_slip(text):
        name = shortcut[1] if shortcut is not None else ""
        ready = saying.ready_words(session, name, topic=topic, staff=staff, rules=rules)
        if ready is None:
            tell(session, group=group, head=head, response=_NO_SHORTCUT)
            return None
        text = ready
    is_whisper = whispered(text) is not None or (
        not text and saying.is_whispered(session, topic=topic, head=head)
    )
    media = tuple(media for row in job.rows for media in row.incoming.media)
    if not media:
        if is_whisper:
            saying.whisper(session, head=head, text=text, **who)
        else:
            saying.say(session, head=head, text=text, rules=rules, is_filled=shortcut is not None, **who)
        return None
    words = DeskWords(
        topic_id=topic.id,
        conversation_id=topic.conversation_id,
        staff_id=staff.id,
        text=text,
        is_whisper=is_whisper,
    )
    return Plan(
        conversation_id=group.id,
        media=media,
        desk=words,
        is_silent=True,
        thread_id=head.incoming.thread_id,
    )


def _obey(
    session: Session,
    command: re.Match[str],
    *,
    group: Conversation,
    topic: StaffTopic,
    staff: StaffMember,
    job: Job,
    rules: Rules,
) -> None:
    """Do what a typed command asks, and say why if it cannot be done."""
    name, agreed = command[1].lower(), (command[2] or "").strip()
    refusal = pressing.act_in_topic(
        session, f"/desk_{name}", topic=topic, staff=staff, rules=rules, agreed=agreed
    )
    if refusal.is_refused:
        tell(session, group=group, head=job.head, response=refusal.response, params=refusal.params)


def _is_lost(session: Session, job: Job, group: Conversation, *, bot_id: str) -> bool:
    """Whether a message of ours is answered, or a topic of ours written in, of which it is not known whose.

    So it is with one that had left when the gateway was killed, just before it was noted, and with a topic
    of a customer who was forgotten since.

    Args:
        bot_id: our account.
    """
    incoming = job.head.incoming
    if incoming.answers_account != bot_id:
        return False
    if not incoming.reply_to:
        return True
    number = incoming.reply_to
    return conversations.find_message(session, conversation_id=group.id, platform_message_id=number) is None


def _keep_line(session: Session, job: Job, group: Conversation) -> None:
    head = job.head
    conversations.add_message(
        session,
        conversation_id=group.id,
        author=f"account:{head.incoming.user_id}",
        text=without_invitations(head.incoming.text),
        inbox_id=head.inbox_id,
        platform_message_id=head.incoming.message_id,
    )


def _finish(session: Session, job: Job, state: str = inbox.DONE) -> None:
    for inbox_id in job.row_ids:
        inbox.finish(session, inbox_id=inbox_id, state=state)
