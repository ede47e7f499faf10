"""An edited message corrects what was said; it is not a second request."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from bot.gateway.jobs import Job, Notice, Plan
from crm_store import drafts, inbox, outbox
from crm_store.base import utcnow
from crm_store.business import Business
from crm_store.complaints import drafting
from crm_store.complaints import service as complaints
from crm_store.complaints.summary import shortened, summary_lines
from crm_store.conversations import service as conversations
from crm_store.conversations.models import BOT, Conversation, Message
from crm_store.drafts import Draft
from crm_store.handoff import service as handoff
from crm_store.persian import to_persian_digits
from crm_store.service_requests import drafting as requests
from crm_store.service_requests import service as service_requests
from crm_store.settings import Settings
from crm_store.tickets import notes
from crm_store.tickets import service as tasks

#: Fields that hold a customer's own words, and their greatest length, per kind of draft.
STORY_FIELDS = {
    drafting.DRAFT_KIND: (drafting.DESCRIPTION, drafting.MAX_DESCRIPTION),
    requests.DRAFT_KIND: (requests.PROBLEM, requests.MAX_LENGTH[requests.PROBLEM]),
    tasks.DRAFT_KIND: (tasks.DETAIL, tasks.MAX_DETAIL),
    handoff.DRAFT_KIND: ("topic", handoff.MAX_TOPIC),
}


class Edit(NamedTuple):
    """What an edited message said and says, and the inbox row in which it came first."""

    inbox_id: int
    former: str
    text: str


def take(
    session: Session, *, conversation: Conversation, job: Job, settings: Settings, business: Business
) -> Plan | None:
    """Carry an edit to wherever the former wording went.

    Returns:
        A turn when the message is the customer's latest and nothing was taken from it; None otherwise.
    """
    head, text = job.head, job.head.incoming.text
    line = conversations.find_message(
        session, conversation_id=conversation.id, platform_message_id=head.incoming.message_id
    )
    if line is None or line.inbox_id is None:  # older than our transcript, or not the customer's
        inbox.finish(session, inbox_id=head.inbox_id)
        return None
    former = line.text
    if former != text:
        line.text, line.edited_at = text, utcnow()
    edit = Edit(line.inbox_id, former, text)
    notice = (
        _corrected_draft(session, edit, conversation=conversation, settings=settings, business=business)
        or _corrected_complaint(session, edit)
        or _corrected_request(session, edit, conversation)
        or _corrected_note(session, edit)
    )
    if notice is None and _is_request(session, conversation, line, head.inbox_id, was_changed=former != text):
        line.extra = {**line.extra, "asked_again_by": head.inbox_id}
        return Plan(conversation_id=conversation.id, text=text, edited=True)
    if notice is not None and conversation.owner == BOT:  # else the person who answers sees the new words
        outbox.enqueue_notice(
            session,
            conversation_id=conversation.id,
            response=notice.response,
            params=notice.params,
            idempotency_key=f"edit:{head.inbox_id}",
            correlation_id=head.correlation_id,
        )
    inbox.finish(session, inbox_id=head.inbox_id)
    return None


def _is_request(
    session: Session, conversation: Conversation, line: Message, inbox_id: int, *, was_changed: bool
) -> bool:
    """Whether the dialogue is asked: the new wording of what the customer said last."""
    if conversation.owner != BOT:
        return False
    if line.extra.get("asked_again_by") == inbox_id:  # this job runs again
        return True
    latest = conversations.latest_message(session, conversation_id=conversation.id, author=line.author)
    return was_changed and latest is line


def corrected_story(story: str, former: str, text: str, *, began_it: bool) -> str | None:
    """A story with one message's new wording in place of the former one.

    Args:
        story: one message, or several, each beginning on a line of its own.
        began_it: the story was first taken from this message.

    Returns:
        None when the message has no part in the story, or nothing changes.
    """
    former, text = former.strip(), text.strip()
    if f"\n{former}\n" in f"\n{story}\n":
        new = f"\n{story}\n".replace(f"\n{former}\n", f"\n{text}\n", 1)[1:-1]
    elif began_it:
        new = text
    else:
        return None
    return new if new != story else None


def _corrected_draft(
    session: Session,
    edit: Edit,
    *,
    conversation: Conversation,
    settings: Settings,
    business: Business,
) -> Notice | None:
    """Correct the open draft whose story this message told, or told on."""
    for kind, (field, limit) in STORY_FIELDS.items():
        draft = drafts.open_draft(
            session, conversation_id=conversation.id, kind=kind, max_age_hours=settings.limits.draft_hours
        )
        if draft is None or field not in draft.data:
            continue
        began_it = field in drafts.fields_from(draft, inbox_id=edit.inbox_id)
        story = corrected_story(str(draft.data[field]), edit.former, edit.text, began_it=began_it)
        if story is not None:
            source = int(draft.sources[field])
            drafts.set_field(draft, field=field, value=story[:limit], inbox_id=source)
            return _summary(session, draft, business)
    return None


def _summary(session: Session, draft: Draft, business: Business) -> Notice:
    """The complaint as it stands now, or a word of thanks while it still lacks something."""
    data = draft.data
    if draft.kind != drafting.DRAFT_KIND or drafting.CATEGORY not in data:
        return Notice("utter_correction_noted")
    if drafting.open_questions(data, business.category(data[drafting.CATEGORY]).ask):
        return Notice("utter_correction_noted")
    lines = summary_lines(session, data, business)
    return Notice(
        "utter_complaint_summary",
        {"description": shortened(data[drafting.DESCRIPTION]), "lines": lines},
    )


def _corrected_complaint(session: Session, edit: Edit) -> Notice | None:
    """Correct the registered complaint whose story this message began."""
    complaint = complaints.complaint_told_in(session, inbox_id=edit.inbox_id)
    if complaint is None:
        return None
    story = corrected_story(complaint.description, edit.former, edit.text, began_it=True)
    if story is None:
        return None
    complaints.correct_story(session, inbox_id=edit.inbox_id, text=story)
    return Notice("utter_complaint_corrected", {"code": to_persian_digits(complaint.code)})


def _corrected_request(session: Session, edit: Edit, conversation: Conversation) -> Notice | None:
    """Correct the open service request whose problem this message told first."""
    request = service_requests.request_told_in(
        session, conversation_id=conversation.id, inbox_id=edit.inbox_id
    )
    if request is None:
        return None
    story = corrected_story(request.problem, edit.former, edit.text, began_it=True)
    if story is None:
        return None
    service_requests.correct_problem(session, request, text=story)
    return Notice("utter_correction_noted")


def _corrected_note(session: Session, edit: Edit) -> Notice | None:
    """Correct what this message added to a ticket, or answered."""
    told = notes.notes_told_in(session, inbox_id=edit.inbox_id)
    # What came of a message may hold others as well, or only its files.
    new = {note.id: corrected_story(note.text, edit.former, edit.text, began_it=False) for note in told}
    for note in told:
        text = new[note.id]
        if text is not None:
            notes.correct_note(session, note, text=text)
    return Notice("utter_correction_noted") if any(text is not None for text in new.values()) else None
