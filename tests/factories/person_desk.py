"""People who took a seeded person's conversation over: what was said, noted down and looked up."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from crm_store import inbox, outbox
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import STAFF_ONLY, Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import identify
from crm_store.handoff.keeping import staff_notice_key
from crm_store.handoff.models import ASKED, ENDED, RELEASED, Handoff, RelayedLine, StaffTopic
from crm_store.outbox import SPEAKER_STAFF
from crm_store.privacy.desk import SINCE
from crm_store.staff.models import StaffAccount, StaffFocus, StaffMember
from crm_store.staff.notes import add_note
from tests.factories import an_inbox_id

if TYPE_CHECKING:
    from tests.factories.person import Person

AGENT = "880099887"
GROUP = "-100400500"
_numbers = itertools.count(1)


def an_agents_chat(session: Session) -> Conversation:
    """The private chat of an agent who has linked the account, one for all seeded persons."""
    identity = identify(session, channel="telegram", external_id=AGENT, display_name="نگار")
    if session.get(StaffAccount, identity.id) is None:
        member = StaffMember(name="نگار صبوری", role="agent")
        session.add(member)
        session.flush()
        session.add(StaffAccount(identity_id=identity.id, staff_id=member.id))
        session.flush()
    return conversations.open_conversation(session, channel="telegram", chat_id=AGENT, identity=identity)


def take_over(session: Session, person: Person, chat: Conversation, folder: Path) -> Handoff:
    """A hand-over with a reply, a whisper and a topic, notes, and a look-up in the agent's own chat."""
    private = an_agents_chat(session)
    agent = session.get_one(StaffAccount, private.identity_id).staff
    handoff = Handoff(
        conversation_id=chat.id,
        customer_id=customer_of(chat),
        state=ENDED,
        reason=ASKED,
        topic=person.wish,
        owner_id=agent.id,
        claimed_at=utcnow(),
        first_reply_at=utcnow(),
        ended_at=utcnow(),
        outcome=RELEASED,
        agreed=person.agreed,
    )
    session.add(handoff)
    session.flush()
    _talk(session, person, chat, handoff, agent=agent, folder=folder)
    _look_up(session, person, chat, private, agent)
    _offers(session, person, private, handoff)
    _task(session, person, chat, private, agent)
    session.flush()
    return handoff


def _offers(session: Session, person: Person, private: Conversation, handoff: Handoff) -> None:
    """The agent was offered the conversation, and chose it from several; a further offer waits."""
    for number, state in ((1, outbox.SENT), (2, outbox.PENDING)):
        offer = outbox.enqueue_notice(
            session,
            conversation_id=private.id,
            response="utter_staff_handoff_offer",
            params={"name": person.name, "topic": person.wish, "handoff": handoff.id},
            idempotency_key=f"{staff_notice_key(handoff.id)}offer:{number}",
            due_at=utcnow() + timedelta(days=1),
        )
        session.flush()
        if state == outbox.SENT:
            offer.state, offer.sent_at = state, utcnow()
            _told(session, private, f"{person.name}: {person.wish}", offer)
    which = {"title": person.name, "payload": f'/staff_release{{"handoff": "{handoff.id}"}}'}
    asked = outbox.enqueue_message(
        session, conversation_id=private.id, content={"text": "?", "buttons": [which]}
    )
    session.flush()
    asked.state, asked.sent_at = outbox.SENT, utcnow()
    conversations.issue_buttons(
        session, conversation_id=private.id, buttons=[which], lifetime=timedelta(hours=1)
    )


def _task(
    session: Session, person: Person, chat: Conversation, private: Conversation, agent: StaffMember
) -> None:
    """A task of three messages, of which the last alone is in the audit trail."""
    updates = []
    for text in ("امتیاز بده", "۵۰", "بله"):
        updates.append(an_inbox_id(session, private, text=text))
        inbox.finish(session, inbox_id=updates[-1])
        words = f"{person.name}؟ {person.noted}"
        answer = outbox.enqueue_message(
            session, conversation_id=private.id, content={"text": words}, inbox_id=updates[-1]
        )
        session.flush()
        answer.state, answer.sent_at = outbox.SENT, utcnow()
        _told(session, private, words, answer)
    record_audit(
        session,
        actor=f"staff:{agent.id}",
        action="customer.viewed",
        target_type="customer",
        target_id=customer_of(chat),
        correlation_id=session.get_one(inbox.InboxItem, updates[-1]).correlation_id,
        detail={"for": "points", SINCE: updates[0]},
    )


def _told(session: Session, private: Conversation, text: str, item: outbox.OutboxItem) -> None:
    conversations.add_message(session, conversation_id=private.id, author="bot", text=text, outbox_id=item.id)


def _talk(
    session: Session,
    person: Person,
    chat: Conversation,
    handoff: Handoff,
    *,
    agent: StaffMember,
    folder: Path,
) -> None:
    """What was said in the conversation, and what of it stands in the staff's group."""
    group = conversations.open_conversation(session, channel="telegram", chat_id=GROUP, identity=None)
    number = next(_numbers)
    topic = StaffTopic(conversation_id=chat.id, group_id=group.id, thread_id=1000 + number)
    session.add(topic)
    session.flush()
    wrote = _in_topic(session, group, topic, person.agreed)
    place = f"2026/11/desk-{number}.txt"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(person.agreed, encoding="utf-8")
    conversations.add_attachment(
        session,
        conversation_id=group.id,
        inbox_id=wrote,
        kind="document",
        file_name=f"{person.name}.txt",
        path=place,
    )
    sent = outbox.OutboxItem(
        conversation_id=chat.id,
        kind="message",
        content={"text": person.agreed},
        state=outbox.SENT,
        speaker=SPEAKER_STAFF,
        handoff_id=handoff.id,
    )
    session.add(sent)
    session.flush()
    where: dict[str, Any] = {"conversation_id": chat.id, "author": f"staff:{agent.id}"}
    reply = conversations.add_message(session, **where, text=person.agreed, outbox_id=sent.id)
    file = {"kind": "document", "mime_type": "text/plain", "file_name": f"{person.name}.txt", "path": place}
    reply.extra = {"files": [file]}
    whisper = conversations.add_message(session, **where, text=person.whisper)
    whisper.audience = STAFF_ONLY
    for line, form in ((reply, "theirs"), (whisper, "text"), (None, "sign")):
        session.add(
            RelayedLine(
                topic_id=topic.id,
                message_id=line.id if line is not None else None,
                platform_message_id=f"{number}{form}",
                form=form,
            )
        )
    answer = outbox.enqueue_notice(
        session,
        conversation_id=group.id,
        response="utter_topic_about",
        params={"topic": person.wish},
        idempotency_key=f"seeded-answer:{number}",
    )
    answer.content = {**answer.content, "thread": str(topic.thread_id)}
    answer.state = outbox.SENT


def _in_topic(session: Session, group: Conversation, topic: StaffTopic, text: str) -> int:
    """What an agent wrote in the topic, as the messenger sent it."""
    message = {"message_id": 7, "message_thread_id": topic.thread_id, "is_topic_message": True, "text": text}
    row = an_inbox_id(session, group, message=message)
    inbox.finish(session, inbox_id=row)
    return row


def _look_up(
    session: Session, person: Person, chat: Conversation, private: Conversation, agent: StaffMember
) -> None:
    """The agent looks the person up in a chat of their own, and writes a note."""
    customer_id = customer_of(chat)
    asked = an_inbox_id(session, private, text=f"{person.name} رو پیدا کن")
    inbox.finish(session, inbox_id=asked)
    found = outbox.enqueue_message(
        session,
        conversation_id=private.id,
        content={"text": f"{person.name}، {person.noted}"},
        inbox_id=asked,
    )
    session.flush()
    found.state, found.sent_at = outbox.SENT, utcnow()
    conversations.add_message(
        session,
        conversation_id=private.id,
        author=f"staff:{agent.id}",
        text=f"{person.name} رو پیدا کن",
        inbox_id=asked,
    )
    conversations.add_message(
        session,
        conversation_id=private.id,
        author="bot",
        text=f"{person.name}، {person.noted}",
        outbox_id=found.id,
    )
    conversations.issue_buttons(
        session,
        conversation_id=private.id,
        buttons=[{"title": person.name, "payload": f'/staff_open{{"customer": "{customer_id}"}}'}],
        lifetime=timedelta(hours=1),
    )
    record_audit(
        session,
        actor=f"staff:{agent.id}",
        action="customer.searched",
        target_type="customer",
        correlation_id=session.get_one(inbox.InboxItem, asked).correlation_id,
        detail={"customers": [customer_id]},
    )
    told = an_inbox_id(session, private, text=person.noted)
    inbox.finish(session, inbox_id=told)
    add_note(session, customer_id=customer_id, staff=agent, text=person.noted, inbox_id=told)
    focus = session.get(StaffFocus, private.id)
    if focus is None:
        focus = StaffFocus(conversation_id=private.id, staff_id=agent.id)
        session.add(focus)
    focus.customer_id, focus.data = customer_id, {"reason": {"text": person.noted}}
