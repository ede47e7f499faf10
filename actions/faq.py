"""What every business is asked: opening hours, delivery, payment … answered in the owner's own words."""

from __future__ import annotations

from sqlalchemy.orm import Session

from actions import promises
from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.texts import Rich, is_any_in, shown
from actions.turn import Turn
from crm_store.business import Business, Faq
from crm_store.persian import rich
from crm_store.terms import term
from crm_store.texts.service import faq_in_force
from crm_store.wordings import NAME_PLACEHOLDER, foreign_tags

#: Below this confidence a topic is a guess, and a wrong answer is worse than none.
CERTAIN = 0.4
#: Topics of which each is so likely may both be meant: «ارسال و پرداخت چجوریه».
POSSIBLE = 0.25
#: Questions that belong to no topic of the file.
OTHER = "other"


class ActionFaq(StoreAction):
    """Answers a question to the business as its owner does; within a form, which then asks its own again."""

    reads_only = True

    def name(self) -> str:
        return "action_faq"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        about_a_call = promises.answer_when(turn, session, reply)
        if about_a_call is not None:
            return about_a_call
        if _asks_how_long(turn):
            reply.utter("utter_complaint_how_long")
            return []
        business = environment().business
        faq = faq_in_force(session, business.faq)
        topics = _topics(turn, faq)
        if len(topics) > 1:
            reply.utter("utter_ask_faq_topic", buttons=[_button(topic) for topic in topics])
            return keep_form_waiting(turn)
        answer = faq.answer(topics[0]) if topics else ""
        if answer:
            reply.utter("utter_faq_answer", answer=_owners_text(answer, business))
        else:
            reply.utter("utter_form_faq" if turn.form else "utter_faq_not_yet")
        return []


def _asks_how_long(turn: Turn) -> bool:
    """Whether a question of time is about the complaint that is told or was filed just now, not a parcel."""
    is_about_it = turn.form == "complaint_form" or turn.previous.ended_with("utter_complaint_filed")
    if turn.trusted or not is_about_it or is_any_in("complaints", "parcels", turn.text):
        return False
    return is_any_in("complaints", "how_long", turn.text)


def _topics(turn: Turn, faq: Faq) -> list[str]:
    """What is asked about: one topic, several to choose from, or none that is known."""
    chosen = turn.button_value("choose_topic", "topic")
    if chosen is not None:
        return [chosen]
    if turn.trusted:
        # A button that only says that there is a question.
        return faq.answered
    possible = [topic for topic, confidence in turn.topics if confidence >= POSSIBLE]
    if len(possible) > 1 and OTHER not in possible:
        return possible
    return [topic for topic, confidence in turn.topics[:1] if confidence >= CERTAIN]


def _button(topic: str) -> dict[str, str]:
    return {
        "title": term("shared", "topics", topic) or topic,
        "payload": f'/choose_topic{{"topic": "{topic}"}}',
    }


def _owners_text(text: str, business: Business) -> Rich:
    """A text of the owner as rich text; with a tag that no message may have it is shown as it is written."""
    if foreign_tags(text):
        return shown(text.replace(NAME_PLACEHOLDER, business.name))
    return Rich(text.replace(NAME_PLACEHOLDER, rich.value(business.name)))
