"""How typed text answers each question of a service request, and what in it answers none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
from actions.base import Reply
from actions.customers import customer_of_turn
from actions.forms import TAKEN, FormDraft
from actions.service_details import (
    Details,
    details_in,
    kind_of,
    kinds,
    kinds_named,
    product_in,
    tells_what_to_do,
)
from actions.service_when import AREA, Wish, the_one, when_text, wish_in
from actions.texts import is_any_in, meant, words
from actions.turn import Turn
from crm_store import drafts
from crm_store.customers.models import Customer
from crm_store.service_requests import drafting

#: The form's slots in the order of asking, each with the field of the draft that it mirrors.
FIELD_OF_SLOT = {f"service_{field}": field for field in drafting.FIELDS}
DRAFT = FormDraft(drafting, FIELD_OF_SLOT)

#: When the customer would like it, as long as no window is chosen, and how often later ones were asked for.
WISH, PAGE = "wish", "page"
#: Where what does not fit another kind is put.
OTHER = "other"
#: Longest name of a city or a product, in words.
CITY_WORDS, PRODUCT_WORDS = 3, 12
#: A city and an address have so many words at least.
CITY_AND_ADDRESS = 5
#: Most words besides a time in a text that says nothing else.
BESIDE_A_TIME = 2
#: What may be passed over.
SKIPPABLE = frozenset({drafting.PROBLEM, drafting.PRODUCT, drafting.ATTACHMENTS, drafting.PHONE})
#: Of these a text of so many words at the most is no answer, besides what never is one.
NO_ANSWER_HERE = {"service_status": 5, "service_cancel": 5, "goodbye": 6, "nlu_fallback": 0}
#: Yes, no and whatever else is short answers one of the business's own questions.
ANSWERS_ANYTHING = frozenset(
    {"affirm", "deny", "nlu_fallback", "out_of_scope", "greet", "thank", "goodbye", "bot_challenge"}
)
#: Tell of what is wrong as well as of what is wanted.
TELLING_INTENTS = frozenset({"service_request", "complaint_file", "nlu_fallback"})


def is_digression(turn: Turn) -> bool:
    """Whether a text is something else than an answer."""
    return begins_digression(turn, NO_ANSWER_HERE)


def take_details(turn: Turn, session: Session, details: Details, told_in: int | None = None) -> bool:
    """Write what a text states into the draft; whether it stated anything."""
    told = {
        drafting.KIND: details.kind,
        drafting.PRODUCT: details.product,
        drafting.CITY: details.city,
        drafting.ADDRESS: details.address,
    }
    for field, value in told.items():
        if value is not None:
            DRAFT.set(turn, session, field, value, told_in)
    if details.phone is not None:
        DRAFT.set_phone(turn, session, details.phone)
    return any(told.values()) or details.phone is not None


def take_wish(turn: Turn, session: Session, wish: Wish | None) -> bool:
    """Keep when somebody would like it, in place of a window that was chosen; whether there is a wish."""
    if wish is None:
        return False
    draft = drafting.start_request(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
    if draft.data.get(drafting.WINDOW):
        DRAFT.ask_again(turn, session, drafting.WINDOW)
    drafts.set_field(draft, field=WISH, value=_joined(wish, draft.data).as_data(), inbox_id=turn.inbox_id)
    drafts.set_field(draft, field=PAGE, value=None, inbox_id=turn.inbox_id)
    return True


def choose_window(turn: Turn, session: Session, starts_at: str) -> None:
    """Take a window; the wish for one is fulfilled."""
    DRAFT.set(turn, session, drafting.WINDOW, starts_at)
    draft = DRAFT.of(turn, session)
    if draft is not None:
        for field in (WISH, PAGE):
            drafts.set_field(draft, field=field, value=None, inbox_id=turn.inbox_id)


def show_later_windows(turn: Turn, session: Session) -> None:
    """Offer the next windows when it is asked again."""
    draft = drafting.start_request(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
    if draft.sources.get(PAGE) != turn.inbox_id:
        page = int(draft.data.get(PAGE, 0)) + 1
        drafts.set_field(draft, field=PAGE, value=page, inbox_id=turn.inbox_id)


def wish_of(data: Mapping[str, Any]) -> Wish | None:
    """What a draft says of the time that would suit."""
    return Wish.from_data(data[WISH]) if WISH in data else None


def settle_window(turn: Turn, session: Session, reply: Reply) -> None:
    """Take the one free window that was wished for, and say so; several are asked about in their turn."""
    data = DRAFT.data(turn, session)
    kind, wish = kind_of(data), wish_of(data)
    if kind is None or wish is None or drafting.WINDOW not in drafting.open_questions(data, kind):
        return
    one = the_one(session, kind, wish)
    if one is not None:
        choose_window(turn, session, one.starts_at.isoformat())
        reply.utter("utter_service_window_taken", when=when_text(one.starts_at, one.ends_at))


def take_corrections(turn: Turn, session: Session) -> bool:
    """Take from an answer to the summary what is different now, or open the field that it names."""
    is_short = turn.word_count <= SHORT_ANSWER
    field = meant(AREA, "fields", turn.text) if is_short else None
    if turn.intent in NO_ANSWER and is_digression(turn) and field is None:
        return False
    if is_question(turn.text) and turn.intent in QUESTIONS:
        return False
    details = details_in(turn.text, turn.found)
    if not is_short:
        # In the course of a longer text a kind or a product is only spoken of.
        details = Details(city=details.city, address=details.address, phone=details.phone)
    took_wish = take_wish(turn, session, wish_in(turn.text, turn.found))
    if take_details(turn, session, details) or took_wish:
        return True
    if field is None:
        return False
    if field in SKIPPABLE and is_any_in("shared", "passing", turn.text):
        DRAFT.pass_over(turn, session, field)
    else:
        DRAFT.ask_again(turn, session, field)
    return True


def take_something_else(turn: Turn, session: Session) -> bool:
    """Take what a text states although something else was asked; whether it did."""
    if is_question(turn.text) and turn.intent in QUESTIONS:
        return False
    details = details_in(turn.text, turn.found)
    stated = Details(city=details.city, address=details.address, phone=details.phone)
    took_wish = take_wish(turn, session, wish_in(turn.text, turn.found))
    return take_details(turn, session, stated) or took_wish


def take_more_of_the_problem(turn: Turn, session: Session) -> bool:
    """Add what is told on to what was told before; the same once only."""
    if turn.intent not in TELLING_INTENTS or not tells_what_to_do(turn.text, turn.found):
        return False
    if turn.word_count <= SHORT_ANSWER or DRAFT.of(turn, session) is None:
        return False
    DRAFT.add(turn, session, drafting.PROBLEM)
    return True


def take_known_address(turn: Turn, session: Session) -> bool:
    """Take the address that the customer gave before, where it was offered; whether there is one."""
    address = known_address(turn, session)
    if not address:
        return False
    DRAFT.set(turn, session, drafting.ADDRESS, address)
    return True


def known_address(turn: Turn, session: Session) -> str:
    """The address that the customer gave before; empty for none."""
    return session.get_one(Customer, customer_of_turn(turn, session)).address or ""


def _take_kind(turn: Turn, session: Session) -> str | None:
    named = [kind for kind in kinds() if words(kind.title) == words(turn.text)] or kinds_named(turn.text)
    if turn.intent in NO_ANSWER and is_digression(turn):
        return None
    if len(named) != 1 and does_not_know(turn):
        named = [kind for kind in kinds() if kind.key == OTHER]
    if len(named) != 1:
        return None
    DRAFT.set(turn, session, drafting.KIND, named[0].key)
    if drafting.PROBLEM not in DRAFT.data(turn, session) and tells_what_to_do(turn.text, turn.found):
        DRAFT.set(turn, session, drafting.PROBLEM, turn.text)
    details = details_in(turn.text, turn.found)
    take_details(turn, session, Details(product=details.product, city=details.city, phone=details.phone))
    take_wish(turn, session, wish_in(turn.text, turn.found))
    return TAKEN


def _take_problem(turn: Turn, session: Session) -> str | None:
    if passes_over(turn) and turn.intent != "deny":
        DRAFT.pass_over(turn, session, drafting.PROBLEM)
        return TAKEN
    told = any(character.isalpha() for character in turn.text)
    if not told or is_digression(turn) or _only_asks_for_somebody(turn):
        return None
    DRAFT.set(turn, session, drafting.PROBLEM, turn.text)
    details = details_in(turn.text, turn.found)
    take_details(turn, session, Details(product=details.product, city=details.city, address=details.address))
    take_wish(turn, session, wish_in(turn.text, turn.found))
    return TAKEN


def _take_product(turn: Turn, session: Session) -> str | None:
    if passes_over(turn) or does_not_know(turn):
        DRAFT.pass_over(turn, session, drafting.PRODUCT)
        return TAKEN
    named = product_in(turn.text, turn.found)
    if is_digression(turn) and (named is None or turn.intent in NO_ANSWER):
        return None
    if turn.word_count > PRODUCT_WORDS and named is None:
        return None
    # «یخچال ساید السی‌دی‌دار ال‌جی» says more than the name of what is sold.
    DRAFT.set(turn, session, drafting.PRODUCT, turn.text if turn.word_count <= PRODUCT_WORDS else named or "")
    return TAKEN


def _take_city(turn: Turn, session: Session) -> str | None:
    city = details_in(turn.text, turn.found).city or _area_named(turn, session)
    if city is None and turn.word_count <= CITY_WORDS and not is_digression(turn):
        city = turn.text if any(character.isalpha() for character in turn.text) else None
    if city is None:
        return None
    DRAFT.set(turn, session, drafting.CITY, city)
    if _tells_a_place(turn) and drafting.ADDRESS not in DRAFT.data(turn, session):
        DRAFT.set(turn, session, drafting.ADDRESS, turn.text)
    return TAKEN


def _tells_a_place(turn: Turn) -> bool:
    """Whether an answer with a city in it tells an address as well: «کرج، گوهردشت، خیابان دوم»."""
    is_place = is_any_in(AREA, "address_parts", turn.text) or any(sign.isdigit() for sign in turn.text)
    return is_place and turn.word_count >= CITY_AND_ADDRESS


def _area_named(turn: Turn, session: Session) -> str | None:
    """The one area of the kind that stands in a text, for places that are in no list of cities."""
    kind = kind_of(DRAFT.data(turn, session))
    typed = f" {' '.join(words(turn.text))} "
    areas = kind.areas if kind else ()
    named = [area for area in areas if f" {' '.join(words(area))} " in typed]
    return named[0] if len(named) == 1 else None


def _take_address(turn: Turn, session: Session) -> str | None:
    if turn.intent == "affirm" or is_any_in(AREA, "same_address", turn.text):
        return TAKEN if take_known_address(turn, session) else None
    wish = wish_in(turn.text, turn.found)
    if wish is not None and _says_little_else(turn):
        take_wish(turn, session, wish)
        return TAKEN
    details = details_in(turn.text, turn.found)
    if is_digression(turn) or not any(character.isalpha() for character in turn.text) or details.phone:
        return None
    if turn.word_count == 1 and not any(character.isdigit() for character in turn.text):
        return "utter_service_address_short"
    DRAFT.set(turn, session, drafting.ADDRESS, details.address or turn.text)
    return TAKEN


def _take_own_answer(turn: Turn, session: Session) -> str | None:
    kind = kind_of(DRAFT.data(turn, session))
    question = drafting.next_own_question(DRAFT.data(turn, session), kind) if kind else None
    is_other = is_digression(turn) and turn.intent not in ANSWERS_ANYTHING and not passes_over(turn)
    if question is None or is_other:
        return None
    answer_own_question(turn, session, question, "" if turn.intent == "skip" else turn.text)
    return TAKEN


def answer_own_question(turn: Turn, session: Session, question: str, answer: str) -> None:
    """Keep the answer to one of the kind's own questions; an empty one passes it over."""
    drafting.answer_own_question(
        session,
        conversation_id=turn.conversation_id,
        question=question,
        answer=answer,
        inbox_id=turn.inbox_id,
    )


def _take_window(turn: Turn, session: Session) -> str | None:
    if is_question(turn.text) and turn.intent in QUESTIONS:
        return None
    wish = wish_in(turn.text, turn.found)
    if wish is None and does_not_know(turn):
        wish = Wish(soonest=True)
    if take_wish(turn, session, wish):
        return TAKEN
    if turn.intent == "deny" or is_any_in(AREA, "none_of_them", turn.text):
        show_later_windows(turn, session)
        return TAKEN
    return None


def _take_no_files(turn: Turn, session: Session) -> str | None:
    return DRAFT.take_no_files(turn, session, drafting.ATTACHMENTS)


def _take_phone(turn: Turn, session: Session) -> str | None:
    return DRAFT.take_phone(turn, session, drafting.PHONE)


#: What takes the typed answer to the question for a field: None when the text is no answer, else the response
#: that says why the question comes again, mostly none.
ANSWERS: dict[str, Callable[[Turn, Session], str | None]] = {
    drafting.KIND: _take_kind,
    drafting.PROBLEM: _take_problem,
    drafting.PRODUCT: _take_product,
    drafting.CITY: _take_city,
    drafting.ADDRESS: _take_address,
    drafting.ANSWERS: _take_own_answer,
    drafting.WINDOW: _take_window,
    drafting.ATTACHMENTS: _take_no_files,
    drafting.PHONE: _take_phone,
}


def _joined(wish: Wish, data: Mapping[str, Any]) -> Wish:
    """A wish together with the days that were asked for before, where it names only hours: «نه، صبح»."""
    before = wish_of(data)
    days = before.readings[0].days if before and len(before.readings) == 1 and not before.gone else ()
    if not days or any(reading.days for reading in wish.readings) or not wish.readings:
        return wish
    return Wish(wish.said, tuple(reading.on(days) for reading in wish.readings), wish.soonest)


def _only_asks_for_somebody(turn: Turn) -> bool:
    return turn.intent == "service_request" and not tells_what_to_do(turn.text, turn.found)


def _says_little_else(turn: Turn) -> bool:
    """Whether a text says when, and hardly anything besides."""
    beside = list(turn.text)
    for one in turn.found:
        if one.entity in ("date", "time", "period"):
            beside[one.start : one.end] = " " * (one.end - one.start)
    return len(words("".join(beside))) <= BESIDE_A_TIME
