"""How typed text answers each question of a complaint, and what in it answers none."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from actions.answers import (
    NO_ANSWER,
    QUESTIONS,
    SHORT_ANSWER,
    begins_digression,
    does_not_know,
    is_question,
    passes_over,
)
from actions.base import environment
from actions.complaint_details import Details, bare_numbers, details_in
from actions.complaint_story import tells_what_happened
from actions.forms import TAKEN, FormDraft
from actions.texts import count_other_words, is_any_in, meant, words
from actions.turn import Turn
from crm_store.complaints import drafting
from crm_store.complaints.models import REMEDIES
from crm_store.persian import find_phones
from crm_store.terms import term

#: From so many other words on, a short message that starts a complaint belongs to the story.
OPENING_WORDS = 2
#: So many words name a field even if they could also ask for something: «شماره تماس».
NAME_OF_A_FIELD = 2
#: Most words around a number that corrects the order number without saying so.
BESIDE_A_NUMBER = 2
#: A phone number among so few words is the writer's own: «هزار بار دادم شماره رو: …».
WORDS_WITH_A_PHONE = 8
#: What may be passed over.
SKIPPABLE = frozenset(set(drafting.FIELDS) - set(drafting.REQUIRED_FIELDS))

#: The form's slots in the order of asking, each with the field of the draft that it mirrors.
FIELD_OF_SLOT = {f"complaint_{field}": field for field in drafting.FIELDS}
DRAFT = FormDraft(drafting, FIELD_OF_SLOT)
#: The complaint that a turn works on.
draft_of = DRAFT.of


def take_details(turn: Turn, session: Session, details: Details, *, category: bool) -> bool:
    """Write what a text states into the draft; whether it stated anything.

    Args:
        category: whether words that tell a category set it; in the course of a story they only belong to it.
    """
    told = {drafting.ORDER_NUMBER: details.order_number, drafting.REMEDY: details.remedy}
    if details.is_category_corrected or category:
        told[drafting.CATEGORY] = details.category
    for field, value in told.items():
        if value is not None:
            DRAFT.set(turn, session, field, value)
    if details.phone is not None:
        DRAFT.set_phone(turn, session, details.phone)
    return any(told.values()) or details.phone is not None


def take_corrections(turn: Turn, session: Session) -> bool:
    """Take from an answer to the summary what is different now, or open the field that it names."""
    is_short = turn.word_count <= SHORT_ANSWER
    details = details_in(turn.text, turn.found)
    names_a_field = turn.word_count <= NAME_OF_A_FIELD and meant("complaints", "fields", turn.text)
    is_other = turn.intent in NO_ANSWER and begins_digression(turn) and not names_a_field
    if is_other and not _states_values(turn, details):
        return False
    # The words under a photo say what is on it.
    if take_details(turn, session, details, category=is_short and not turn.attachments):
        return True
    number = _corrected_number(turn)
    if number is not None:
        DRAFT.set(turn, session, drafting.ORDER_NUMBER, number)
        return True
    if is_short and _take_named_field(turn, session):
        return True
    tells = turn.intent in ("complaint_file", "nlu_fallback") and tells_what_happened(turn.text)
    if turn.previous.ended_with("utter_complaint_correction") and tells:
        DRAFT.set(turn, session, drafting.DESCRIPTION, turn.text)
        return True
    return False


def _corrected_number(turn: Turn) -> str | None:
    """The number in «نه، ۵۴۳۲۱ بود»; among more words it may be anything."""
    numbers = bare_numbers(turn.text)
    is_alone = len(words(turn.text)) <= BESIDE_A_NUMBER + 1 and not find_phones(turn.text)
    return numbers[0] if len(numbers) == 1 and is_alone else None


def _states_values(turn: Turn, details: Details) -> bool:
    """Whether a text gives a number or a wish outright, whatever it was understood as, and asks nothing."""
    values = details.order_number or details.remedy or details.phone or details.is_category_corrected
    return bool(values) and not is_question(turn.text)


def _take_named_field(turn: Turn, session: Session) -> bool:
    """Open the field that is named, or take at once that there is none, or which number it is now."""
    field = meant("complaints", "fields", turn.text)
    if field is None:
        return False
    numbers = bare_numbers(turn.text) if field == drafting.ORDER_NUMBER else []
    if _refused_field(turn) is not None:
        DRAFT.pass_over(turn, session, field)
    elif len(numbers) == 1:
        DRAFT.set(turn, session, drafting.ORDER_NUMBER, numbers[0])
    else:
        DRAFT.ask_again(turn, session, field)
    return True


def _refused_field(turn: Turn) -> str | None:
    """The field that a text names and has nothing for, where it may be passed over: «عکس ندارم»."""
    field = meant("complaints", "fields", turn.text)
    return field if field in SKIPPABLE and is_any_in("shared", "passing", turn.text) else None


def take_something_else(turn: Turn, session: Session, asked: str) -> bool:
    """Take what a text states outright although something else was asked; whether it did.

    Args:
        asked: the field that was asked for.
    """
    named = _refused_field(turn) if turn.word_count <= SHORT_ANSWER else None
    if named is not None and named != asked:
        DRAFT.pass_over(turn, session, named)  # «عکس ندارم» says nothing about the phone that was asked
        return True
    details = details_in(turn.text, turn.found)
    answers_too = asked == drafting.DESCRIPTION or _answers(turn, details, asked)
    drops = turn.intent in NO_ANSWER and turn.intent not in QUESTIONS and begins_digression(turn)
    phones = (
        {phone.value for phone in find_phones(turn.text)} if turn.word_count <= WORDS_WITH_A_PHONE else set()
    )
    if answers_too or drops or not (_states_values(turn, details) or len(phones) == 1):
        return False
    take_details(turn, session, details, category=False)
    if len(phones) == 1:
        DRAFT.set_phone(turn, session, phones.pop())
    take_more_story(turn, session)
    return True


def _answers(turn: Turn, details: Details, asked: str) -> bool:
    """Whether a text holds what was asked for, or says that there is none."""
    held = {
        drafting.CATEGORY: details.category,
        drafting.ORDER_NUMBER: details.order_number or bare_numbers(turn.text),
        drafting.REMEDY: details.remedy,
        drafting.PHONE: find_phones(turn.text),
    }
    # Who tells a number has not said that there is nothing to answer, whatever the sentence was taken for.
    tells_a_number = details.order_number is not None and asked != drafting.ORDER_NUMBER
    passes = passes_over(turn) and turn.intent != "deny" and not details.is_category_corrected
    passes = passes and not tells_a_number
    return bool(held.get(asked)) or passes


def take_more_story(turn: Turn, session: Session) -> bool:
    """Add to the story what is told on; whoever goes on telling when something else is asked does that."""
    draft = DRAFT.of(turn, session)
    if draft is None or turn.intent != "complaint_file" or not tells_what_happened(turn.text):
        return False
    DRAFT.add(turn, session, drafting.DESCRIPTION)
    return True


def _take_story(turn: Turn, session: Session) -> str | None:
    told = any(character.isalpha() for character in turn.text)
    if not told or begins_digression(turn):
        return None
    if turn.intent == "complaint_file" and not count_other_words("complaints", "announcing", turn.text):
        return None
    opening = _opening_words(turn)
    DRAFT.set(turn, session, drafting.DESCRIPTION, f"{opening}\n{turn.text}".strip())
    if opening:
        take_details(turn, session, details_in(opening, turn.previous.found), category=True)
    has_category = drafting.CATEGORY in DRAFT.data(turn, session)
    take_details(turn, session, details_in(turn.text, turn.found), category=not has_category)
    return TAKEN


def _opening_words(turn: Turn) -> str:
    """What a complaint started with, where it was too short for a story: «my order is late»."""
    started = turn.previous.responses == ("utter_ask_complaint_description",)
    telling = count_other_words("complaints", "announcing", turn.previous.text) >= OPENING_WORDS
    return turn.previous.text if started and telling else ""


def _take_category(turn: Turn, session: Session) -> str | None:
    # One or two words answer the question even if they could also ask for something: «پشتیبانی».
    if turn.intent in NO_ANSWER and turn.word_count > 2:
        return None
    categories = environment().business.complaints.categories
    named = [one.key for one in categories if words(one.title) == words(turn.text)]
    details = details_in(turn.text, turn.found)
    category = named[0] if named else details.category
    if category is None and does_not_know(turn):
        category = categories[-1].key
    if category is not None:
        DRAFT.set(turn, session, drafting.CATEGORY, category)
    told = take_details(turn, session, details, category=False)
    return TAKEN if take_more_story(turn, session) or told or category is not None else None


def _take_order_number(turn: Turn, session: Session) -> str | None:
    details = details_in(turn.text, turn.found)
    numbers = [details.order_number] if details.order_number else bare_numbers(turn.text)
    if len(numbers) == 1:
        DRAFT.set(turn, session, drafting.ORDER_NUMBER, str(numbers[0]))
    elif numbers and turn.word_count <= SHORT_ANSWER:
        return "utter_order_number_unclear"
    elif passes_over(turn) or does_not_know(turn):
        DRAFT.pass_over(turn, session, drafting.ORDER_NUMBER)
    else:
        return None
    take_details(turn, session, details, category=False)
    return TAKEN


def _take_remedy(turn: Turn, session: Session) -> str | None:
    named = [key for key in REMEDIES if words(term("complaints", "remedies", key) or key) == words(turn.text)]
    typed = meant("complaints", "remedy_names", turn.text) if turn.word_count <= SHORT_ANSWER else None
    details = details_in(turn.text, turn.found)
    remedy = details.remedy or (named[0] if named else typed)
    # One word names a remedy even if it could also ask about it: «تعویض».
    is_clear = turn.intent not in QUESTIONS or turn.word_count == 1 or _states_values(turn, details)
    if remedy is not None and is_clear:
        take_details(turn, session, details, category=False)
        DRAFT.set(turn, session, drafting.REMEDY, remedy)
        take_more_story(turn, session)
        return TAKEN
    if passes_over(turn) or does_not_know(turn):
        DRAFT.pass_over(turn, session, drafting.REMEDY)
        return TAKEN
    return None


def _take_no_files(turn: Turn, session: Session) -> str | None:
    return _with_details(turn, session, DRAFT.take_no_files(turn, session, drafting.ATTACHMENTS))


def _take_phone(turn: Turn, session: Session) -> str | None:
    return _with_details(turn, session, DRAFT.take_phone(turn, session, drafting.PHONE))


def _with_details(turn: Turn, session: Session, answer: str | None) -> str | None:
    """Take what else an answer tells."""
    if answer == TAKEN:
        take_details(turn, session, details_in(turn.text, turn.found), category=False)
    return answer


#: What takes the typed answer to the question for a field: None when the text is no answer, else the response
#: that says why the question comes again, mostly none.
ANSWERS: dict[str, Callable[[Turn, Session], str | None]] = {
    drafting.DESCRIPTION: _take_story,
    drafting.CATEGORY: _take_category,
    drafting.ORDER_NUMBER: _take_order_number,
    drafting.REMEDY: _take_remedy,
    drafting.ATTACHMENTS: _take_no_files,
    drafting.PHONE: _take_phone,
}
