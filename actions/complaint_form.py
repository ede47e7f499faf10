"""Filling in a complaint: what each message adds to the draft in the store (actions/forms.py)."""

from __future__ import annotations

from rasa_sdk.events import SlotSet
from sqlalchemy.orm import Session

from actions.answers import begins_digression, confirms
from actions.base import Event, Reply, StoreAction, environment
from actions.complaint_answers import (
    ANSWERS,
    DRAFT,
    FIELD_OF_SLOT,
    draft_of,
    take_corrections,
    take_details,
    take_more_story,
    take_something_else,
)
from actions.complaint_details import details_in
from actions.complaint_story import tells_what_happened
from actions.forms import Opening, opening_of
from actions.texts import is_any_in
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import drafting
from crm_store.drafts import Draft
from crm_store.persian import find_phones

CONFIRM = "confirm"
SLOTS = (*FIELD_OF_SLOT, CONFIRM)
#: Responses whose button files a complaint because the message before may have been one.
OFFERS_TO_FILE = ("utter_did_you_mean", "utter_which_one", "utter_misunderstood")


class ValidateComplaintForm(StoreAction):
    """Takes from each message what the complaint needs."""

    def name(self) -> str:
        return "validate_complaint_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.resumed:
            # The rules have answered, perhaps with an effect on the draft: a number for a call is known now.
            return _slots_of(draft_of(turn, session))
        if turn.answers_elsewhere:
            return []
        if turn.requested not in SLOTS:
            _begin(turn, session, reply)
            return [*_slots_of(draft_of(turn, session)), SlotSet(CONFIRM, None)]
        draft = draft_of(turn, session)
        if turn.requested == CONFIRM and draft is not None:
            drafting.note_summary(draft, inbox_id=turn.inbox_id)
        gave_files = _take_what_was_sent(turn, session, reply)
        gave_answer = _apply_button(turn, session) if turn.trusted else _take_text(turn, session, reply)
        if gave_answer:
            DRAFT.note_signals(turn, session)
        if (
            turn.requested == CONFIRM
            and not gave_answer
            and confirms(turn, "utter_complaint_summary", "complaints")
        ):
            return [*_slots_of(draft_of(turn, session)), SlotSet(CONFIRM, True)]
        # "I have a complaint", said again, is no digression: rules would lead straight back here.
        if not (gave_answer or gave_files or turn.intent == "complaint_file"):
            return []
        return [*_slots_of(draft_of(turn, session)), SlotSet(CONFIRM, None)]


def _begin(turn: Turn, session: Session, reply: Reply) -> None:
    """Start with a new story, or go on with the draft that is there."""
    DRAFT.drop_stale(turn, session)
    before = draft_of(turn, session)
    told = _opening_story(turn)
    if told.text:
        _take_opening_story(turn, session, reply, before, told)
    elif before is not None and drafting.DESCRIPTION in before.data:
        if turn.trusted:
            _apply_button(turn, session)
        reply.utter("utter_complaint_continued")
    _take_what_was_sent(turn, session, None)


def _opening_story(turn: Turn) -> Opening:
    """The story in the message that starts a complaint; an empty one if it tells none."""
    told = opening_of(turn, OFFERS_TO_FILE)
    return told if tells_what_happened(told.text, told.found) else told._replace(text="")


def _take_opening_story(
    turn: Turn, session: Session, reply: Reply, before: Draft | None, told: Opening
) -> None:
    """Begin anew with all that a story tells; what was sent without a word just before belongs to it."""
    if before is not None and before.sources.get(drafting.DESCRIPTION) == told.inbox_id:
        return
    if before is not None and drafting.DESCRIPTION in before.data:
        drafting.begin_anew(before, inbox_id=turn.inbox_id)
        reply.utter("utter_complaint_replaced")
    drafting.set_draft_field(
        session,
        conversation_id=turn.conversation_id,
        field=drafting.DESCRIPTION,
        value=told.text,
        inbox_id=told.inbox_id,
    )
    take_details(turn, session, details_in(told.text, told.found), category=True)
    _take_what_was_heard(turn, session, told)


def _take_what_was_heard(turn: Turn, session: Session, told: Opening) -> None:
    """Keep what decides how urgent it is, and the product that the story names."""
    draft = DRAFT.note_signals(turn, session, told_in=told.inbox_id)
    if draft is None:
        return
    product = next((one.value for one in told.found if one.entity == "product"), None)
    if product:
        drafts.set_field(draft, field=drafting.PRODUCT, value=product, inbox_id=told.inbox_id)


def _take_what_was_sent(turn: Turn, session: Session, reply: Reply | None) -> bool:
    """Keep files for the complaint, and the sender's own number as the one to call."""
    if reply is not None and turn.attachments and turn.contact is None:
        reply.utter("utter_attachment_added")
    return DRAFT.take_what_was_sent(turn, session)


def _apply_button(turn: Turn, session: Session) -> bool:
    """Obey a button of the form, also one of an earlier message or of a session that is over."""
    where = {"conversation_id": turn.conversation_id, "inbox_id": turn.inbox_id}
    category = turn.button_value("choose_category", "category")
    remedy = turn.button_value("choose_remedy", "remedy")
    wrong = turn.button_value("correct_field", "field")
    passed = turn.button_value("skip_field", "field")
    if category is not None:
        drafting.set_draft_field(session, **where, field=drafting.CATEGORY, value=category)
    elif remedy is not None:
        drafting.set_draft_field(session, **where, field=drafting.REMEDY, value=remedy)
    elif wrong is not None:
        drafting.ask_again(session, **where, field=wrong)
    elif passed is not None:
        drafting.pass_over(session, **where, field=passed)
    elif turn.intent == "drop_attachments":
        drafting.drop_attachments(session, **where)
    else:
        return False
    return True


def _take_text(turn: Turn, session: Session, reply: Reply) -> bool:
    """Take from typed text the answer that was asked for, and whatever else it tells."""
    # A number straight after the offer of a call accepts it; the rules note it.
    if not turn.text or (turn.callback_offered and find_phones(turn.text)):
        return False
    if is_any_in("complaints", "another", turn.text):
        reply.utter("utter_complaint_one_at_a_time")
        return True
    if turn.requested == CONFIRM:
        return take_corrections(turn, session) or take_more_story(turn, session)
    field = FIELD_OF_SLOT[str(turn.requested)]
    if take_something_else(turn, session, field):
        return True
    answer = ANSWERS[field](turn, session)
    if answer:
        reply.utter(answer)
    if answer is not None or begins_digression(turn):
        return answer is not None
    return take_more_story(turn, session)


def _slots_of(draft: Draft | None) -> list[Event]:
    data = draft.data if draft else {}
    business = environment().business
    ask = business.category(data["category"]).ask if "category" in data else ()
    return DRAFT.mirrored(data, drafting.open_questions(data, ask))
