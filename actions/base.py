"""The shape of an action: read the turn, do one unit of work, answer with responses.

rasa_sdk makes one object of every class below that is not abstract, without arguments; what they share is set
by `configure` when the server starts. An exception is never swallowed: it fails the turn, which the gateway
then sends again.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

import crm_store.models  # noqa: F401  # every table must be known before the first flush
from actions.texts import asks, shown, speak_as
from actions.turn import Turn, read_turn
from crm_store.business import Business, BusinessFile
from crm_store.db import Database
from crm_store.outbox import PICTURE
from crm_store.rules import Rules
from crm_store.settings import PROJECT_ROOT, Settings
from crm_store.staff.telling import tell_groups
from crm_store.texts.service import EditedTexts
from crm_store.tickets.expecting import EXPECTS
from crm_store.wordings import Wording, Wordings, read_responses

Event = dict[str, Any]
#: How names of actions begin that take a form's answers, and that ask for them.
_VALIDATING, _ASKING = "validate_", "action_ask_"


@dataclass(frozen=True)
class Environment:
    """What all actions share."""

    settings: Settings
    database: Database
    business_file: BusinessFile

    @property
    def business(self) -> Business:
        """What the owner says of the business now."""
        return self.business_file.current()

    @property
    def rules(self) -> Rules:
        """The rules by which services go now."""
        return Rules.of(self.settings, self.business)


class Watch(Protocol):
    """Looks at every message before it is answered."""

    def writes(self, turn: Turn) -> bool:
        """Whether the store may have to be changed because of a message."""

    def is_aside(self, turn: Turn, session: Session) -> bool:
        """Whether a message is meant for the watch, so that no form takes it for an answer."""

    def take(self, turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
        """Answer a message, beside its answer or in its stead; None where the action answers it as ever."""

    def add(self, turn: Turn, session: Session, reply: Reply) -> None:
        """Say something after the answer to a message, where nothing else is asked."""


_environment: Environment | None = None
_watch: Watch | None = None


def configure(settings: Settings) -> Environment:
    """Open the store for the actions of this process."""
    global _environment  # noqa: PLW0603  # rasa_sdk makes the actions itself and passes them nothing
    business, database = BusinessFile(settings.business_path), Database(settings.store_url)
    speak_as(Wordings(_own_responses(), business, EditedTexts(database)))
    _environment = Environment(settings, database, business)
    return _environment


def watch_with(watch: Watch | None) -> None:
    """Have every message looked at before it is answered."""
    global _watch  # noqa: PLW0603  # rasa_sdk makes the actions itself and passes them nothing
    _watch = watch


def environment() -> Environment:
    """What all actions share.

    Raises:
        RuntimeError: `configure` was not called.
    """
    if _environment is None:
        raise RuntimeError("actions.base.configure comes first")
    return _environment


@lru_cache
def _own_responses() -> dict[str, list[Wording]]:
    return read_responses((PROJECT_ROOT / "data").glob("*/responses.yml"))


class Reply:
    """Collects what is said in answer to a turn.

    Attributes:
        said: names of the responses, in order.
        awaits: whether something was asked or a choice given.
    """

    def __init__(self, dispatcher: CollectingDispatcher) -> None:
        self._dispatcher = dispatcher
        self.said: list[str] = []
        self.awaits = False

    def utter(
        self,
        response: str,
        *,
        buttons: Sequence[Mapping[str, object]] | None = None,
        expects: tuple[str, str] | None = None,
        picture: tuple[str, dict[str, Any]] | None = None,
        **params: object,
    ) -> None:
        """Say a response.

        Args:
            response: its name in data/<area>/responses.yml.
            buttons: ``{"title", "payload"}`` of buttons besides its own. Those with one number as ``row``
                stand in one row, the first of them rightmost, so that grades rise leftwards; rows come in the
                order of their first buttons. Those without are laid as ever.
            expects: what the next message may answer, one of `crm_store.tickets.expecting.KINDS`, and the
                code of the ticket that it is about.
            picture: a kind of `crm_store.pictures.KINDS` and the arguments of its function, as JSON types.
                It is drawn when the message leaves; the text is its caption and says all by itself: it
                leaves alone where the picture cannot be drawn or sent.
            params: values for its placeholders, as they are in the store.
        """
        values = {name: shown(value) for name, value in params.items()}
        custom: dict[str, Any] = {}
        if expects is not None:
            custom[EXPECTS] = {"what": expects[0], "ticket": expects[1]}
        if picture is not None:
            custom[PICTURE] = {"kind": picture[0], "params": picture[1]}
        self.said.append(response)
        self.awaits = self.awaits or bool(buttons) or expects is not None or asks(response)
        self._dispatcher.utter_message(
            response=response,
            buttons=list(buttons) if buttons else None,
            json_message=custom or None,
            **values,
        )


class StoreAction(Action, ABC):
    """An action that answers a turn within one unit of work.

    Attributes:
        reads_only: True for actions that change nothing: they do not wait for the store's write lock.
    """

    reads_only = False

    @abstractmethod
    def name(self) -> str:
        """The action's name in domain.yml."""

    @abstractmethod
    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        """Do what the turn asks for, with effects keyed by its inbox id.

        Args:
            turn: the message.
            session: the unit of work; it is committed after this returns.
            reply: receives what to say.

        Returns:
            Events for Rasa's tracker.
        """

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[Event]:
        """Runs the action (called by rasa_sdk)."""
        turn = read_turn(tracker)
        with structlog.contextvars.bound_contextvars(correlation_id=turn.correlation_id):
            return await asyncio.to_thread(self._in_one_unit, turn, Reply(dispatcher))

    def _in_one_unit(self, turn: Turn, reply: Reply) -> list[Event]:
        database, watch = environment().database, _watch
        writes = not self.reads_only or (watch is not None and watch.writes(turn))
        with database.write() if writes else database.read() as session:
            return self._answer_watched(turn, session, reply, watch)

    def _answer_watched(self, turn: Turn, session: Session, reply: Reply, watch: Watch | None) -> list[Event]:
        """Answer, after the watch has looked; what a form says while it refuses a message would be lost."""
        name = self.name()
        if watch is None or name.startswith(_VALIDATING):
            is_aside = watch is not None and watch.is_aside(turn, session)
            return [] if is_aside else self.answer(turn, session, reply)
        taken = watch.take(turn, session, reply)
        # A question of a form is asked all the same.
        if name.startswith(_ASKING):
            return self.answer(turn, session, reply)
        if taken is not None:
            return taken
        events = self.answer(turn, session, reply)
        goes_on = turn.form is not None or any(event["event"] == "followup" for event in events)
        if turn.is_last_part and not goes_on and not reply.awaits:
            watch.add(turn, session, reply)
        return events


def keep_form_waiting(turn: Turn) -> list[Event]:
    """Let the active form wait for its answer without asking again at once.

    After any other answer to a message that the form rejected, Rasa has the form ask again by itself. Where
    we asked something else, Rasa is told that the form has run: a rejected one does not get the next message.
    """
    return [ActionExecuted(turn.form)] if turn.form else []


def clear_slots(names: tuple[str, ...]) -> list[Event]:
    """Empty a form's slots, and only those."""
    return [SlotSet(name, None) for name in names]


def tell_staff(
    session: Session, turn: Turn, *, response: str, key: str, params: dict[str, Any] | None = None
) -> None:
    """Queue a notice for the staff groups that the bot was added to.

    Args:
        response: name of the notice's response.
        key: names the cause; the same key again tells nothing twice.
        params: values for its placeholders.
    """
    tell_groups(
        session,
        groups=environment().rules.groups,
        response=response,
        key=key,
        params=params,
        correlation_id=turn.correlation_id,
    )
