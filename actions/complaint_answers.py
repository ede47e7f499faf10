"""How typed text answers each question of a complaint, and what in it answers none."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from actions.base import environment
from actions.complaint_details import Details, bare_numbers, details_in
from actions.complaint_story import NO_ANSWER, QUESTIONS, begins_digression, tells_what_happened
from actions.texts import count_other_words, is_any_in, is_one_of, meant, words
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import drafting
from crm_store.complaints.models import REMEDIES
from crm_store.drafts import Draft
from crm_store.persian import find_phones
from crm_store.terms import term

#: From so many other words on, a short message that starts a complaint belongs to the story.
OPENING_WORDS = 2
#: Longest text, in words, in which the name of a field, a category or a number without a word is looked for.
SHORT_ANSWER = 5
#: So many words name a field even if they could also ask for something: «شماره تماس».
NAME_OF_A_FIELD = 2
#: Most words around a number that corrects the order number without saying so.
BESIDE_A_NUMBER = 2
#: A phone number among so few words is the writer's own: «هزار بار دادم شماره رو: …».
WORDS_WITH_A_PHONE = 8
#: Longest refusal to answer, in words.
LONG_REFUSAL = 8
#: The answer was taken, and there is nothing to say about it.
TAKEN = ""
#: What may be passed over.
SKIPPABLE = frozenset(set(drafting.FIELDS) - set(drafting.REQUIRED_FIELDS))
#: From so many digits on, a text is taken for a phone number, right or wrong.
DIGITS_OF_A_PHONE = 4


def confirms(turn: Turn) -> bool:
    """Whether the summary is agreed to."""
    if turn.trusted:
        return turn.intent == "affirm"
    # «بله» typed after another question, such as the offer of a call-back, is an answer to that one.
    if not turn.previous.ended_with("utter_complaint_summary"):
        return False
    return turn.intent == "affirm" or is_one_of("complaints", "confirming", turn.text)


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
            _set(turn, session, field, value)
    if details.phone is not None:
        _set_phone(turn, session, details.phone)
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
        _set(turn, session, drafting.ORDER_NUMBER, number)
        return True
    if is_short and _take_named_field(turn, session):
        return True
    tells = turn.intent in ("complaint_file", "nlu_fallback") and tells_what_happened(turn.text)
    if turn.previous.ended_with("utter_complaint_correction") and tells:
        _set(turn, session, drafting.DESCRIPTION, turn.text)
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
    return bool(values) and not turn.text.rstrip().endswith(("؟", "?"))


def _take_named_field(turn: Turn, session: Session) -> bool:
    """Open the field that is named, or take at once that there is none, or which number it is now."""
    field = meant("complaints", "fields", turn.text)
    if field is None:
        return False
    numbers = bare_numbers(turn.text) if field == drafting.ORDER_NUMBER else []
    if _refused_field(turn) is not None:
        _pass_over(turn, session, field)
    elif len(numbers) == 1:
        _set(turn, session, drafting.ORDER_NUMBER, numbers[0])
    else:
        drafting.ask_again(session, conversation_id=turn.conversation_id, field=field, inbox_id=turn.inbox_id)
    return True


def _refused_field(turn: Turn) -> str | None:
    """The field that a text names and has nothing for, where it may be passed over: «عکس ندارم»."""
    field = meant("complaints", "fields", turn.text)
    return field if field in SKIPPABLE and is_any_in("complaints", "passing", turn.text) else None


def take_something_else(turn: Turn, session: Session, asked: str) -> bool:
    """Take what a text states outright although something else was asked; whether it did.

    Args:
        asked: the field that was asked for.
    """
    named = _refused_field(turn) if turn.word_count <= SHORT_ANSWER else None
    if named is not None and named != asked:
        _pass_over(turn, session, named)  # «عکس ندارم» says nothing about the phone that was asked
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
        _set_phone(turn, session, phones.pop())
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
    passes = _passes_over(turn) and turn.intent != "deny" and not details.is_category_corrected
    return bool(held.get(asked)) or passes


def take_more_story(turn: Turn, session: Session) -> bool:
    """Add to the story what is told on; whoever goes on telling when something else is asked does that."""
    draft = draft_of(turn, session)
    if draft is None or turn.intent != "complaint_file" or not tells_what_happened(turn.text):
        return False
    told, source = draft.data.get(drafting.DESCRIPTION, ""), draft.sources.get(drafting.DESCRIPTION)
    if f"\n{turn.text}\n" not in f"\n{told}\n":
        # The message that began the story stays its source: an edit of that one is an edit of the story.
        _set(turn, session, drafting.DESCRIPTION, f"{told}\n{turn.text}".strip(), source)
    return True


def _take_story(turn: Turn, session: Session) -> str | None:
    told = any(character.isalpha() for character in turn.text)
    if not told or begins_digression(turn):
        return None
    if turn.intent == "complaint_file" and not count_other_words("complaints", "announcing", turn.text):
        return None
    opening = _opening_words(turn)
    _set(turn, session, drafting.DESCRIPTION, f"{opening}\n{turn.text}".strip())
    if opening:
        take_details(turn, session, details_in(opening, turn.previous.found), category=True)
    has_category = drafting.CATEGORY in _data(turn, session)
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
    if category is None and _does_not_know(turn):
        category = categories[-1].key
    if category is not None:
        _set(turn, session, drafting.CATEGORY, category)
    told = take_details(turn, session, details, category=False)
    return TAKEN if take_more_story(turn, session) or told or category is not None else None


def _take_order_number(turn: Turn, session: Session) -> str | None:
    details = details_in(turn.text, turn.found)
    numbers = [details.order_number] if details.order_number else bare_numbers(turn.text)
    if len(numbers) == 1:
        _set(turn, session, drafting.ORDER_NUMBER, str(numbers[0]))
    elif numbers and turn.word_count <= SHORT_ANSWER:
        return "utter_order_number_unclear"
    elif _passes_over(turn) or _does_not_know(turn):
        _pass_over(turn, session, drafting.ORDER_NUMBER)
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
        _set(turn, session, drafting.REMEDY, remedy)
        take_more_story(turn, session)
        return TAKEN
    if _passes_over(turn) or _does_not_know(turn):
        _pass_over(turn, session, drafting.REMEDY)
        return TAKEN
    return None


def _take_no_files(turn: Turn, session: Session) -> str | None:
    if turn.attachments or not _passes_over(turn):
        return None
    _pass_over(turn, session, drafting.ATTACHMENTS)
    take_details(turn, session, details_in(turn.text, turn.found), category=False)
    return TAKEN


def _take_phone(turn: Turn, session: Session) -> str | None:
    phones = {phone.value for phone in find_phones(turn.text)}
    if len(phones) == 1:
        take_details(turn, session, details_in(turn.text, turn.found), category=False)
        _set_phone(turn, session, phones.pop())
    elif _passes_over(turn):
        _pass_over(turn, session, drafting.PHONE)
    elif sum(character.isdigit() for character in turn.text) >= DIGITS_OF_A_PHONE:
        return "utter_invalid_phone"
    else:
        return None
    return TAKEN


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


def _passes_over(turn: Turn) -> bool:
    """Whether a short text says that there is nothing to answer, or that one would rather not."""
    if turn.word_count > (LONG_REFUSAL if turn.intent == "skip" else SHORT_ANSWER):
        return False
    if turn.intent in ("skip", "deny", "survey_skip") or is_one_of("complaints", "passing", turn.text):
        return True
    return turn.intent not in NO_ANSWER and is_any_in("complaints", "passing", turn.text)


def _does_not_know(turn: Turn) -> bool:
    return turn.word_count <= SHORT_ANSWER and is_any_in("complaints", "not_knowing", turn.text)


def _pass_over(turn: Turn, session: Session, field: str) -> None:
    drafting.pass_over(session, conversation_id=turn.conversation_id, field=field, inbox_id=turn.inbox_id)


def _set(turn: Turn, session: Session, field: str, value: str, told_in: int | None = None) -> None:
    drafting.set_draft_field(
        session,
        conversation_id=turn.conversation_id,
        field=field,
        value=value,
        inbox_id=told_in or turn.inbox_id,
    )


def _set_phone(turn: Turn, session: Session, phone: str) -> None:
    drafting.set_draft_phone(
        session, conversation_id=turn.conversation_id, phone=phone, inbox_id=turn.inbox_id
    )


def draft_of(turn: Turn, session: Session) -> Draft | None:
    """The complaint that a turn works on."""
    return drafting.complaint_draft(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)


def _data(turn: Turn, session: Session) -> dict[str, object]:
    draft = draft_of(turn, session)
    return draft.data if draft is not None and draft.state == drafts.OPEN else {}
