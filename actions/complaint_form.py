"""Filling in a complaint: what each message adds to the draft in the store.

The draft is the truth and the form's slots mirror it, so a restart or an expired session loses nothing. A
message that gives the form nothing is left to the rules: they answer it and the form asks again.
"""

from __future__ import annotations

from rasa_sdk.events import SlotSet
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, environment
from actions.texts import category_title, count_other_words, is_one_of, meant, words
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import service
from crm_store.complaints.models import CATEGORIES
from crm_store.drafts import Draft

FIELD_OF_SLOT = {"complaint_description": "description", "complaint_category": "category"}
CONFIRM = "confirm"
SLOTS = (*FIELD_OF_SLOT, CONFIRM)

#: A message that starts a complaint is its story when it has more words than this …
SHORT_STORY = 5
#: … and at least so many that say more than "I have a complaint".
TELLING_WORDS = 3
#: Longest text, in words, that is no story although one was asked for, by what it was understood as. A person
#: asks in a sentence what a question is for, but drops a form in a word or two.
NO_STORY = {
    "explain": 7,
    "help": 7,
    "faq": 7,
    "cancel": 4,
    "complaint_withdraw": 4,
    "request_human": 4,
    "complaint_status": 4,
    "greet": 3,
    "thank": 3,
    "goodbye": 3,
    "affirm": 3,
    "deny": 3,
    "bot_challenge": 3,
    "out_of_scope": 4,
    "loyalty_balance": 4,
    "loyalty_tier": 4,
    "loyalty_how_to_earn": 4,
    "loyalty_referral": 4,
    "loyalty_raffle": 4,
    "nlu_fallback": 1,
}
#: From so many other words on, a short message that starts a complaint belongs to the story.
OPENING_WORDS = 2
#: What is never the name of a category or a field, whatever words stand in it.
NO_ANSWER = frozenset(
    {"explain", "help", "faq", "cancel", "complaint_withdraw", "request_human", "complaint_status"}
)
#: Longest text, in words, in which the name of a field is looked for.
SHORT_ANSWER = 5


class ValidateComplaintForm(StoreAction):
    """Takes from each message what the complaint needs."""

    def name(self) -> str:
        return "validate_complaint_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.resumed:
            return []
        if turn.requested not in SLOTS:
            return _begin(turn, session, reply)
        gave_files = _take_attachments(turn, session)
        if gave_files:
            reply.utter("utter_attachment_added")
        if turn.requested == CONFIRM and _confirms(turn):
            return [*_slots_of(_draft(turn, session)), SlotSet(CONFIRM, True)]
        take = {
            "complaint_description": _take_story,
            "complaint_category": _take_category,
            CONFIRM: _take_correction,
        }
        gave_answer = _apply_button(turn, session) or take[turn.requested](turn, session)
        # "I have a complaint", said again, is no digression: rules would lead straight back here.
        if not (gave_answer or gave_files or turn.intent == "complaint_file"):
            return []
        return [*_slots_of(_draft(turn, session)), SlotSet(CONFIRM, None)]


def _begin(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Start with a new story, or go on with the draft that is there."""
    drafts.drop_stale(
        session,
        conversation_id=turn.conversation_id,
        kind=service.DRAFT_KIND,
        max_age_hours=environment().settings.limits.draft_hours,
    )
    story, told_in = _opening_story(turn)
    before = _draft(turn, session)
    goes_on = before is not None and "description" in before.data and not story
    if story and (before is None or before.sources.get("description") != told_in):
        _replace_story(turn, session, before, story, told_in)
    if goes_on:
        _apply_button(turn, session)
        if before is not None and "category" not in before.data:
            _take_category(turn, session)
        reply.utter("utter_complaint_continued")
    _take_attachments(turn, session)
    return [*_slots_of(_draft(turn, session)), SlotSet(CONFIRM, None)]


def _apply_button(turn: Turn, session: Session) -> bool:
    """Obey a button of the form, also one of an earlier message or of a session that is over."""
    category = turn.button_value("choose_category", "category")
    wrong = turn.button_value("correct_field", "field")
    if category is not None:
        _set(turn, session, "category", category)
    if wrong is not None:
        _set(turn, session, wrong, None)
    return category is not None or wrong is not None


def _opening_story(turn: Turn) -> tuple[str, int]:
    """The story in the message that starts a complaint, and the id of the message that tells it.

    A button offered because the message before was not understood stands for that message.
    """
    if turn.text and not turn.trusted:
        return (turn.text, turn.inbox_id) if tells_what_happened(turn.text) else ("", turn.inbox_id)
    if turn.previous.ended_with("utter_did_you_mean") and tells_what_happened(turn.previous.text):
        return turn.previous.text, turn.previous.inbox_id
    return "", turn.inbox_id


def tells_what_happened(text: str) -> bool:
    """Whether a text tells a story rather than that there is one."""
    if len(text.split()) <= SHORT_STORY:
        return False
    return count_other_words("complaints", "announcing", text) >= TELLING_WORDS


def _replace_story(turn: Turn, session: Session, before: Draft | None, story: str, told_in: int) -> None:
    """Begin anew; what was sent without a word just before belongs to the new story."""
    if before is not None and "description" in before.data:
        for field in list(before.data):
            drafts.set_field(before, field=field, value=None, inbox_id=turn.inbox_id)
    _set(turn, session, "description", story, told_in)


def _take_story(turn: Turn, session: Session) -> bool:
    told = any(character.isalpha() for character in turn.text)
    if turn.trusted or not told or turn.word_count <= NO_STORY.get(turn.intent, 0):
        return False
    if turn.intent == "complaint_file" and not count_other_words("complaints", "announcing", turn.text):
        return False
    _set(turn, session, "description", f"{_opening_words(turn)}\n{turn.text}".strip())
    return True


def _opening_words(turn: Turn) -> str:
    """What a complaint started with, where it was too short for a story: «my order is late»."""
    started = turn.previous.responses == ("utter_ask_complaint_description",)
    telling = count_other_words("complaints", "announcing", turn.previous.text) >= OPENING_WORDS
    return turn.previous.text if started and telling else ""


def _take_category(turn: Turn, session: Session) -> bool:
    category = _typed_category(turn)
    if category is not None:
        _set(turn, session, "category", category)
    # Whoever goes on telling when a category is asked adds to the story.
    return _add_to_story(turn, session) or category is not None


def _typed_category(turn: Turn) -> str | None:
    # One or two words answer the question even if they could also ask for something: «پشتیبانی».
    if turn.trusted or (turn.intent in NO_ANSWER and turn.word_count > 2):
        return None
    for category in CATEGORIES:
        if words(category_title(category)) == words(turn.text):
            return category
    named = {str(value) for value in turn.entities.get("category", ())} & set(CATEGORIES)
    return named.pop() if len(named) == 1 else None


def _confirms(turn: Turn) -> bool:
    if turn.trusted:
        return turn.intent == "affirm"
    # «بله» typed after another question, such as the offer of a call-back, is an answer to that one.
    if not turn.previous.ended_with("utter_complaint_summary"):
        return False
    return turn.intent == "affirm" or is_one_of("complaints", "confirming", turn.text)


def _take_correction(turn: Turn, session: Session) -> bool:
    """Clear the field that is wrong, so that it is asked again, or take a better story."""
    if turn.intent not in NO_ANSWER and turn.word_count <= SHORT_ANSWER:
        field = meant("complaints", "fields", turn.text)
        if field is not None:
            _set(turn, session, field, None)
            return True
    if turn.previous.ended_with("utter_complaint_correction") and tells_what_happened(turn.text):
        _set(turn, session, "description", turn.text)
        return True
    return _add_to_story(turn, session)


def _add_to_story(turn: Turn, session: Session) -> bool:
    if turn.trusted or turn.intent != "complaint_file" or not tells_what_happened(turn.text):
        return False
    draft = _draft(turn, session)
    told = str(draft.data.get("description", "")) if draft else ""
    # A turn that runs again finds its addition there already.
    if words(turn.text) != words(told)[-len(words(turn.text)) :]:
        told_in = draft.sources.get("description", turn.inbox_id) if draft else turn.inbox_id
        _set(turn, session, "description", f"{told}\n{turn.text}".strip(), told_in)
    return True


def _take_attachments(turn: Turn, session: Session) -> bool:
    if not turn.attachments:
        return False
    service.attach_to_draft(
        session, conversation_id=turn.conversation_id, attachment_ids=turn.attachments, inbox_id=turn.inbox_id
    )
    return True


def _set(turn: Turn, session: Session, field: str, value: str | None, told_in: int | None = None) -> None:
    service.set_draft_field(
        session,
        conversation_id=turn.conversation_id,
        field=field,
        value=value,
        inbox_id=told_in or turn.inbox_id,
    )


def _draft(turn: Turn, session: Session) -> Draft | None:
    return drafts.turn_draft(
        session, conversation_id=turn.conversation_id, kind=service.DRAFT_KIND, inbox_id=turn.inbox_id
    )


def _slots_of(draft: Draft | None) -> list[Event]:
    data = draft.data if draft else {}
    return [SlotSet(slot, data.get(field)) for slot, field in FIELD_OF_SLOT.items()]
