"""What a member of staff writes in a customer's topic goes to this customer, and to nobody else.

To whom is never read from what was written: the group's topic names the conversation, its open hand-over is
looked up there, and `crm_store.handoff.replying` and the database hold the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway import albums
from bot.gateway.desk.pressing import button, refusal_of
from bot.gateway.desk.telling import tell
from bot.gateway.jobs import DeskWords, Queued
from crm_store.conversations.models import OF_STAFF, STAFF_ONLY, Attachment, Conversation, Message
from crm_store.errors import CrmError, NotFound
from crm_store.handoff import claiming, replying, topics, waiting
from crm_store.handoff.models import WAITING, StaffTopic
from crm_store.handoff.written import whispered
from crm_store.rules import Rules
from crm_store.staff.accounts import member
from crm_store.staff.models import StaffMember


def say(
    session: Session,
    *,
    group: Conversation,
    topic: StaffTopic,
    staff: StaffMember,
    head: Queued,
    text: str,
    rules: Rules,
    files: Sequence[int] = (),
    is_filled: bool = False,
) -> None:
    """Say something to a topic's customer; the first answer to one who waits takes the conversation over.

    Whoever may not, or whose conversation it is not, is told so in the topic.

    Args:
        group: the group's conversation.
        head: the message in the group.
        files: ids of the attachments that came with it.
        is_filled: other words than those in the group, which are shown there, too.
    """
    handoff = waiting.open_of(session, conversation_id=topic.conversation_id)
    if handoff is None:
        take = button("take", {"conversation": topic.conversation_id})
        tell(session, group=group, head=head, response="utter_topic_over", params={"buttons": [take]})
        return
    try:
        if handoff.state == WAITING:
            claiming.claim(session, handoff_id=handoff.id, staff=staff, rules=rules)
        item = replying.reply(
            session,
            handoff_id=handoff.id,
            staff=staff,
            text=text,
            files=files,
            platform=head.channel,
            key=f"{head.channel}:{head.inbox_id}",
            reply_to=_answered(session, topic, head),
        )
    except CrmError as error:
        refusal = refusal_of(session, error, conversation_id=topic.conversation_id)
        tell(session, group=group, head=head, response=refusal.response, params=refusal.params)
        return
    if not is_filled:
        _is_shown(session, topic, head, int(item.content["message_id"]))


def ready_words(
    session: Session, shortcut: str, *, topic: StaffTopic, staff: StaffMember, rules: Rules
) -> str | None:
    """The reply that is kept ready under a shortcut, filled in for a topic's customer; None for none."""
    kept = replying.canned(session, shortcut=shortcut)
    if kept is None:
        return None
    handoff = waiting.open_of(session, conversation_id=topic.conversation_id)
    if handoff is None:  # it will not be said
        return kept.text
    return replying.fill(session, text=kept.text, handoff=handoff, staff=staff, rules=rules)


def finish(session: Session, *, words: DeskWords, head: Queued, files: Sequence[int], rules: Rules) -> None:
    """Say what came with files, now that they are here."""
    try:
        topic = topics.topic_by_id(session, topic_id=words.topic_id)
    except NotFound:
        return  # the customer was forgotten meanwhile
    if not files and not words.text:
        return  # what became of the files is told
    group = session.get_one(Conversation, topic.group_id)
    staff = member(session, staff_id=words.staff_id)
    for attachment in session.scalars(select(Attachment).where(Attachment.id.in_(files))):
        attachment.data = {**attachment.data, OF_STAFF: True}
    said: dict[str, Any] = {"staff": staff, "head": head, "text": words.text, "files": files}
    if words.is_whisper:
        whisper(session, group=group, topic=topic, **said)
    else:
        say(session, group=group, topic=topic, rules=rules, **said)


def whisper(
    session: Session,
    *,
    group: Conversation,
    topic: StaffTopic,
    staff: StaffMember,
    head: Queued,
    text: str,
    files: Sequence[int] = (),
) -> None:
    """Keep what stays among the staff beside what was said.

    Args:
        text: with the slashes that say so.
        files: ids of the attachments that came with it.
    """
    try:
        line = replying.whisper(
            session,
            conversation_id=topic.conversation_id,
            staff=staff,
            text=text,
            files=files,
            key=f"{head.channel}:{head.inbox_id}",
        )
    except CrmError as error:
        refusal = refusal_of(session, error, conversation_id=topic.conversation_id)
        tell(session, group=group, head=head, response=refusal.response, params=refusal.params)
        return
    if head.incoming.media_group_id:
        line.extra = {**line.extra, albums.KEY: head.incoming.media_group_id}
    _is_shown(session, topic, head, line.id)


def is_whispered(session: Session, *, topic: StaffTopic, head: Queued) -> bool:
    """Whether a file is a latecomer of an album that stays among the staff."""
    album = head.incoming.media_group_id
    if not album:
        return False
    whispers = select(Message.id).where(
        Message.conversation_id == topic.conversation_id,
        Message.audience == STAFF_ONLY,
        Message.extra[albums.KEY].as_string() == album,
    )
    return session.scalar(whispers.limit(1)) is not None


def edit(
    session: Session, *, group: Conversation, topic: StaffTopic, staff: StaffMember, head: Queued
) -> None:
    """Give what somebody wrote its new words, with the customer too; else nothing is done."""
    text = head.incoming.text
    line = topics.line_in_group(
        session, topic, platform_message_id=head.incoming.message_id, form=topics.THEIRS
    )
    if line is None:
        return
    if whispered(text) is not None and line.audience != STAFF_ONLY:
        tell(session, group=group, head=head, response="utter_topic_already_said")
        return
    try:
        replying.edit(session, message_id=line.id, staff=staff, text=text)
    except CrmError:
        tell(session, group=group, head=head, response="utter_topic_edit_refused")


def _answered(session: Session, topic: StaffTopic, head: Queued) -> int | None:
    """The line that is answered, if the message in the group stands for just one that the customer knows."""
    answered = head.incoming.reply_to
    if not answered:
        return None
    for form in (topics.TEXT, topics.CAPTION, topics.THEIRS):
        line: Message | None = topics.line_in_group(session, topic, platform_message_id=answered, form=form)
        if line is not None:
            return line.id if line.audience != STAFF_ONLY else None
    return None


def _is_shown(session: Session, topic: StaffTopic, head: Queued, message_id: int) -> None:
    """Note that the group has this line already, in its writer's own message; unless that was deleted."""
    if head.incoming.thread_id not in ("", str(topic.thread_id or "")):
        return
    topics.add_relayed(
        session,
        topic,
        message_id=message_id,
        platform_message_id=head.incoming.message_id,
        form=topics.THEIRS,
    )
