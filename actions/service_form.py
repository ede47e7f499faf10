"""Filling in a service request: what each message adds to the draft in the store (actions/forms.py)."""

from __future__ import annotations

from rasa_sdk.events import SlotSet
from sqlalchemy.orm import Session

from actions.answers import confirms
from actions.base import Event, Reply, StoreAction
from actions.forms import Opening, opening_of
from actions.service_answers import (
    ANSWERS,
    DRAFT,
    FIELD_OF_SLOT,
    answer_own_question,
    choose_window,
    is_digression,
    settle_window,
    show_later_windows,
    take_corrections,
    take_details,
    take_known_address,
    take_more_of_the_problem,
    take_something_else,
    take_wish,
    wish_of,
)
from actions.service_details import details_in, kind_of, kinds, tells_what_to_do
from actions.service_when import AREA, wish_in
from actions.turn import Turn
from crm_store import drafts
from crm_store.drafts import Draft
from crm_store.persian import find_phones
from crm_store.service_requests import drafting
from crm_store.service_requests.windows import is_offered_in

FORM = "service_form"
CONFIRM = "service_confirm"
SLOTS = (*FIELD_OF_SLOT, CONFIRM)
SUMMARY, CORRECTION = "utter_service_summary", "utter_service_correction"
#: Responses whose button asks for somebody because the message before may have done so.
OFFERS_TO_SEND = ("utter_did_you_mean", "utter_which_one", "utter_misunderstood")
#: Questions that free words answer, whatever stands in them.
FREE_WORDS = frozenset({drafting.PROBLEM, drafting.PRODUCT, drafting.ADDRESS, drafting.ANSWERS})


class ValidateServiceForm(StoreAction):
    """Takes from each message what the request needs."""

    def name(self) -> str:
        return "validate_service_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.resumed:
            # The rules have answered, perhaps with an effect on the draft: a number for a call is known now.
            return slots_of(turn, session)
        if turn.answers_elsewhere:
            return []
        if turn.requested not in SLOTS:
            _begin(turn, session, reply)
            return [*slots_of(turn, session), SlotSet(CONFIRM, None)]
        draft = DRAFT.note_signals(turn, session)
        if turn.requested == CONFIRM and draft is not None:
            drafting.note_summary(draft, inbox_id=turn.inbox_id)
        gave_files = _take_what_was_sent(turn, session, reply)
        gave_answer = _apply_button(turn, session) if turn.trusted else _take_text(turn, session, reply)
        if turn.requested == CONFIRM and not gave_answer and confirms(turn, SUMMARY, AREA):
            return [*slots_of(turn, session), SlotSet(CONFIRM, True)]
        # "Send somebody", said again, is no digression: rules would lead straight back here.
        if not (gave_answer or gave_files or turn.intent == "service_request"):
            return []
        settle_window(turn, session, reply)
        return [*slots_of(turn, session), SlotSet(CONFIRM, None)]


def slots_of(turn: Turn, session: Session) -> list[Event]:
    """The form's slots as the draft has them; a city where nobody can come is asked before all else."""
    draft = DRAFT.of(turn, session)
    data = draft.data if draft else {}
    kind, city = kind_of(data), data.get(drafting.CITY)
    still_open = drafting.open_questions(data, kind)
    if kind is not None and city and not is_offered_in(kind, city):
        still_open = [drafting.CITY]
    return DRAFT.mirrored(data, still_open)


def _begin(turn: Turn, session: Session, reply: Reply) -> None:
    """Start with what the message tells, or go on with the draft that is there."""
    DRAFT.drop_stale(turn, session)
    before = DRAFT.of(turn, session)
    opening = opening_of(turn, OFFERS_TO_SEND)
    if before is not None and _was_gone(before):
        # The summary was agreed to; nothing in that word begins anything.
        opening = opening._replace(text="")
    elif before is not None and drafting.KIND in before.data and not _is_of(before, opening):
        if opening.text and tells_what_to_do(opening.text, opening.found):
            drafting.begin_anew(before, inbox_id=turn.inbox_id)
            reply.utter("utter_service_replaced")
        else:
            reply.utter("utter_service_continued")
    drafting.start_request(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
    if len(kinds()) == 1:
        DRAFT.set(turn, session, drafting.KIND, kinds()[0].key)
    if opening.text:
        _take_opening(turn, session, opening)
    elif turn.trusted:
        _apply_button(turn, session)
    DRAFT.note_signals(turn, session)
    DRAFT.take_what_was_sent(turn, session)
    settle_window(turn, session, reply)


def _is_of(draft: Draft, opening: Opening) -> bool:
    """Whether a draft was begun by this very message: the turn runs a second time."""
    return drafting.KIND in drafts.fields_from(draft, inbox_id=opening.inbox_id)


def _was_gone(draft: Draft) -> bool:
    """Whether it goes on only because somebody else took the window; then the question says so."""
    wish = wish_of(draft.data)
    return wish is not None and wish.gone


def _take_opening(turn: Turn, session: Session, opening: Opening) -> None:
    take_details(turn, session, details_in(opening.text, opening.found), opening.inbox_id)
    if tells_what_to_do(opening.text, opening.found):
        DRAFT.set(turn, session, drafting.PROBLEM, opening.text, opening.inbox_id)
    take_wish(turn, session, wish_in(opening.text, opening.found))


def _take_what_was_sent(turn: Turn, session: Session, reply: Reply) -> bool:
    if turn.attachments and turn.contact is None:
        reply.utter("utter_service_attachment_added")
    return DRAFT.take_what_was_sent(turn, session)


def _apply_button(turn: Turn, session: Session) -> bool:
    """Obey a button of the form, also one of an earlier message or of a session that is over."""
    kind = turn.button_value("choose_kind", "kind")
    window = turn.button_value("choose_window", "window")
    wrong = turn.button_value("correct_service_field", "field")
    passed = turn.button_value("skip_service_field", "field")
    if kind is not None:
        DRAFT.set(turn, session, drafting.KIND, kind)
    elif window is not None:
        choose_window(turn, session, window)
    elif turn.intent == "more_windows":
        show_later_windows(turn, session)
    elif wrong is not None:
        DRAFT.ask_again(turn, session, wrong)
    elif passed is not None:
        _pass_over(turn, session, passed)
    elif turn.intent == "affirm" and turn.requested == f"service_{drafting.ADDRESS}":
        return take_known_address(turn, session)
    else:
        return False
    return True


def _pass_over(turn: Turn, session: Session, field: str) -> None:
    if field != drafting.ANSWERS:
        DRAFT.pass_over(turn, session, field)
        return
    data = DRAFT.data(turn, session)
    kind = kind_of(data)
    question = drafting.next_own_question(data, kind) if kind else None
    if question is not None:
        answer_own_question(turn, session, question, "")


def _take_text(turn: Turn, session: Session, reply: Reply) -> bool:
    """Take from typed text the answer that was asked for, and whatever else it tells."""
    # A number straight after the offer of a call accepts it; the rules note it.
    if not turn.text or (turn.callback_offered and find_phones(turn.text)):
        return False
    if turn.requested == CONFIRM:
        return take_corrections(turn, session) or take_more_of_the_problem(turn, session)
    field = FIELD_OF_SLOT[str(turn.requested)]
    answer = ANSWERS[field](turn, session)
    if answer:
        reply.utter(answer)
    if answer is not None or field in FREE_WORDS:
        return answer is not None
    if take_something_else(turn, session):
        return True
    return not is_digression(turn) and take_more_of_the_problem(turn, session)
