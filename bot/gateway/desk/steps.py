"""A topic's steps in the store: what the group is shown next, and that it was. Each is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bot.gateway.addresses import topic_address
from bot.gateway.channels.base import Part
from bot.gateway.desk.composing import Names, Piece, edited_parts, next_pieces
from bot.gateway.desk.pressing import controls
from bot.gateway.render import Responses
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.handoff import topics
from crm_store.handoff.models import ENDED, EXPIRED, LEFT, WAITING, Handoff, StaffTopic
from crm_store.handoff.replying import names_of
from crm_store.handoff.topics import LineToShow, Stale
from crm_store.overview.card import card_of
from crm_store.overview.telling import lines_of
from crm_store.persian import to_persian_digits
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.phones import groups_see_phones, said
from crm_store.terms import terms

_BETWEEN = "\n\n"
_ENDED = {LEFT: "utter_topic_left", EXPIRED: "utter_topic_expired"}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is done next for one topic.

    Attributes:
        topic_id: which (`crm_store.handoff.models.StaffTopic`).
        address: where it is: the group, or a topic of it.
        opens: the name of a topic that is to be opened first; empty for none.
        pieces: messages to send.
        edit: a message whose lines were edited, and its new words; ``pieces`` where it cannot be edited.
        begins: the hand-over whose card this is.
        sign: what is shown of a hand-over with it.
        handoff_id: the hand-over whose course it is.
        words: of the lines that are shown with it, by their ids.
    """

    topic_id: int
    address: str
    handoff_id: int
    opens: str = ""
    pieces: tuple[Piece, ...] = ()
    edit: Part | None = None
    stale: Stale | None = None
    begins: bool = False
    sign: str = ""
    words: Mapping[int, str] = {}


class TopicSteps:
    """One group's view of the store.

    Args:
        database: the store.
        responses: what the group is told.
        rules: the owner's rules as they are now.
        channel: the group's messenger.
        chat_id: the group's chat.
        button_hours: for how long buttons stay valid.
    """

    def __init__(
        self,
        database: Database,
        responses: Responses,
        rules: Callable[[], Rules],
        *,
        channel: str,
        chat_id: str,
        button_hours: int,
    ) -> None:
        self._database = database
        self._responses = responses
        self._rules = rules
        self._channel, self._chat_id = channel, chat_id
        self._lifetime = timedelta(hours=button_hours)

    def due(self) -> list[int]:
        """Conversations of which the group is to be shown something, the longest waiting first."""
        with self._database.read() as session:
            group = conversations.find_conversation(session, channel=self._channel, chat_id=self._chat_id)
            # A group that nothing was heard of is one that the bot was not added to.
            return [] if group is None else topics.due(session, group_id=group.id)

    def is_ready(self, conversation_id: int) -> bool:
        """Whether something can be shown now; a line may still wait for its files."""
        with self._database.write() as session:
            group = self._group(session)
            topic = topics.topic_of(session, conversation_id=conversation_id, group_id=group.id)
            handoff = topics.course_of(session, topic)
            if handoff is None:
                return False
            if topic.handoff_id != handoff.id or topic.shown != topics.sign_of(handoff):
                return True
            until = handoff.ended_at if handoff.state == ENDED else None
            lines = topics.next_lines(session, topic, until=until)
            return bool(lines) or topics.stale_message(session, topic) is not None

    def next(self, conversation_id: int, *, with_topics: bool) -> Step | None:
        """What is shown next of a conversation.

        Args:
            with_topics: the group has topics.
        """
        with self._database.write() as session:
            group = self._group(session)
            topic = topics.topic_of(session, conversation_id=conversation_id, group_id=group.id)
            handoff = topics.course_of(session, topic)
            if handoff is None:
                return None
            customer = _customer(session, conversation_id)
            if with_topics and topic.thread_id is None:
                name = f"{_name(customer)} ({to_persian_digits(customer.id)})"
                return self._step(topic, handoff, opens=name)
            return (
                self._head(session, topic, handoff, group)
                or self._lines(session, topic, handoff, customer)
                or self._sign(session, topic, handoff, group, customer)
                or self._edit(session, topic, handoff, customer)
            )

    def opened(self, step: Step, thread_id: int) -> None:
        """Note the number of a topic that was opened."""
        with self._database.write() as session:
            topics.thread_opened(
                session, topics.topic_by_id(session, topic_id=step.topic_id), thread_id=thread_id
            )

    def lost(self, step: Step, thread_id: int) -> None:
        """Note that a topic was deleted."""
        with self._database.write() as session:
            topics.thread_lost(session, group_id=self._group(session).id, thread_id=thread_id)

    def shown(self, step: Step, sent: list[tuple[Piece, str]]) -> None:
        """Note that a step's messages were sent, with the messenger's numbers of them."""
        with self._database.write() as session:
            try:
                topic = topics.topic_by_id(session, topic_id=step.topic_id)
            except NotFound:
                return  # the customer was forgotten meanwhile
            # Nobody edits a line between what was shown of it and the note of that.
            conversations.lock_conversation(session, conversation_id=topic.conversation_id)
            handoff = session.get_one(Handoff, step.handoff_id)
            if step.stale is not None:
                topics.edit_shown(session, topic, step.stale)
                topics.note_changed(session, topic, shown=step.words)
                return
            if step.begins:
                topics.begun(session, topic, handoff)
            for piece, platform_message_id in sent:
                self._note(session, topic, piece, platform_message_id)
            topics.note_changed(session, topic, shown=step.words)
            if step.sign:
                topics.sign_shown(topic, handoff, step.sign)

    def _note(self, session: Session, topic: StaffTopic, piece: Piece, platform_message_id: str) -> None:
        if not piece.message_ids and platform_message_id:
            topics.add_relayed(
                session,
                topic,
                message_id=None,
                platform_message_id=platform_message_id,
                form=topics.SIGN,
            )
        lines = [(one, platform_message_id, piece.form) for one in piece.message_ids if platform_message_id]
        topics.lines_shown(session, topic, lines=lines, up_to=piece.up_to)

    def _group(self, session: Session) -> Conversation:
        return conversations.open_conversation(
            session, channel=self._channel, chat_id=self._chat_id, identity=None
        )

    def _step(self, topic: StaffTopic, handoff: Handoff, **what: Any) -> Step:
        address = topic_address(self._chat_id, topic.thread_id)
        return Step(topic_id=topic.id, address=address, handoff_id=handoff.id, **what)

    def _head(
        self, session: Session, topic: StaffTopic, handoff: Handoff, group: Conversation
    ) -> Step | None:
        """The customer's card, with which a hand-over's course begins."""
        if topic.handoff_id == handoff.id:
            return None
        rules = self._rules()
        full_phone = groups_see_phones(rules)
        reason = terms("gateway")["reasons"].get(handoff.reason, handoff.reason)
        told = [self._text("utter_topic_request", {"reason": reason})]
        if handoff.topic:
            told.append(self._text("utter_topic_about", {"topic": said(handoff.topic, is_whole=full_phone)}))
        card = card_of(session, customer_id=handoff.customer_id, rules=rules)
        lines = lines_of(card, rules=rules, full_phone=full_phone)
        text = _BETWEEN.join(["\n".join(told), "\n".join(lines)])
        shown = controls(handoff) if handoff.state == WAITING else []
        part = Part(text=text, buttons=self._buttons(session, group, shown))
        return self._step(topic, handoff, pieces=(Piece(part, topics.SIGN, ()),), begins=True)

    def _lines(
        self, session: Session, topic: StaffTopic, handoff: Handoff, customer: Customer
    ) -> Step | None:
        """What was said since."""
        until = handoff.ended_at if handoff.state == ENDED else None
        lines = topics.next_lines(session, topic, until=until)
        if not lines:
            return None
        names = self._names(session, topic, customer, lines)
        return self._step(topic, handoff, pieces=tuple(next_pieces(lines, names)), words=_words(lines))

    def _sign(
        self,
        session: Session,
        topic: StaffTopic,
        handoff: Handoff,
        group: Conversation,
        customer: Customer,
    ) -> Step | None:
        """Who has the conversation now, or how the hand-over ended."""
        sign = topics.sign_of(handoff)
        if topic.shown == sign:
            return None
        text = self._text(*self._told_of(session, handoff))
        if topic.thread_id is None:
            text = f"<b>{_name(customer)}</b> ({to_persian_digits(customer.id)})\n{text}"
        part = Part(text=text, buttons=self._buttons(session, group, controls(handoff)))
        return self._step(topic, handoff, pieces=(Piece(part, topics.SIGN, ()),), sign=sign)

    def _edit(self, session: Session, topic: StaffTopic, handoff: Handoff, customer: Customer) -> Step | None:
        """The new words of a message whose lines were edited; a long line, which is several, comes again."""
        stale = topics.stale_message(session, topic)
        if stale is None:
            return None
        names = self._names(session, topic, customer, stale.lines)
        parts = edited_parts(stale.lines, names, form=stale.form)
        told: dict[str, Any] = {"stale": stale, "words": _words(stale.lines)}
        if stale.form == topics.PART or len(parts) > 1:
            pieces = tuple(Piece(part, topics.PART, ()) for part in parts)
            return self._step(topic, handoff, pieces=pieces, **told)
        edit = msgspec.structs.replace(parts[0], edits=stale.platform_message_id)
        return self._step(topic, handoff, edit=edit, **told)

    def _told_of(self, session: Session, handoff: Handoff) -> tuple[str, dict[str, Any]]:
        """The response that tells a hand-over's state, and its values."""
        if handoff.state == WAITING:
            team = {"team": handoff.team}
            return ("utter_topic_waits_for_team", team) if handoff.team else ("utter_topic_waits", {})
        owner = session.get(StaffMember, handoff.owner_id) if handoff.owner_id is not None else None
        agent = {"agent": owner.name if owner is not None else ""}
        if handoff.state != ENDED:
            return "utter_topic_claimed", agent
        if handoff.outcome in _ENDED:
            return _ENDED[handoff.outcome], {}
        if handoff.agreed:
            agreed = said(handoff.agreed, is_whole=groups_see_phones(self._rules()))
            return "utter_topic_released_agreed", {**agent, "agreed": agreed}
        return "utter_topic_released", agent

    def _text(self, response: str, params: Mapping[str, Any]) -> str:
        return self._responses.render(response, params, turn=0).text

    def _buttons(
        self, session: Session, group: Conversation, buttons: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], ...]:
        return tuple(
            conversations.issue_buttons(
                session, conversation_id=group.id, buttons=buttons, lifetime=self._lifetime
            )
        )

    def _names(
        self, session: Session, topic: StaffTopic, customer: Customer, lines: list[LineToShow]
    ) -> Names:
        staff = names_of(session, authors={line.message.author for line in lines})
        number = customer.id if topic.thread_id is None else None
        return Names(_name(customer), number, staff, groups_see_phones(self._rules()))


def _words(lines: list[LineToShow]) -> dict[int, str]:
    return {line.message.id: line.message.text for line in lines}


def _customer(session: Session, conversation_id: int) -> Customer:
    conversation = session.get_one(Conversation, conversation_id)
    return session.get_one(Customer, conversations.customer_of(conversation))


def _name(customer: Customer) -> str:
    return customer.full_name or customer.display_name or terms("gateway")["speakers"]["customer"]
