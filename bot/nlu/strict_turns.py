"""Turns that succeed as a whole or leave no trace.

Stock Rasa logs the failure of an action and goes on: the person gets no answer, a slot may stay
unvalidated, and the half-done turn is saved. Here a failure ends the turn before anything is saved, so the
same message can be sent again and runs afresh. Actions that had finished by then run again too: they key
their effects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.advice import advice_in_danger
from bot.nlu.parts import is_later_part

Reason = Literal["unavailable", "failed"]

#: After so many messages a new session begins, as after a day of silence.
SESSION_TURNS = 30


class TurnAborted(BaseException):
    """The turn cannot be finished and must not be saved.

    Not an `Exception`: Rasa catches those around every action and carries on.

    Attributes:
        reason: ``unavailable`` if the same turn may succeed later, ``failed`` if something is wrong with it.
        detail: What happened, for the operator; never a text that a person typed.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: Reason = reason
        self.detail = detail


class StrictAgent(Agent):
    """An agent whose processor and tracker store abort a turn instead of going on after a failure."""

    def load_model(self, model_path: str | Path, fingerprint: str | None = None) -> None:
        """Loads a model as the parent class does, into a strict processor."""
        self.processor = StrictProcessor(
            model_path=model_path,
            tracker_store=self.tracker_store,
            lock_store=self.lock_store,
            action_endpoint=self.action_endpoint,
            generator=self.nlg,
            http_interpreter=self.http_interpreter,
            on_circuit_break=_too_many_actions,  # type: ignore[arg-type]  # Rasa means any callable
        )
        self.domain = self.processor.domain
        self.tracker_store.domain = self.domain
        if isinstance(self.nlg, TemplatedNaturalLanguageGenerator):
            self.nlg.responses = self.domain.responses
        self._set_fingerprint(fingerprint)

    @staticmethod
    def _create_tracker_store(store: TrackerStore | None, domain: Domain | None) -> TrackerStore:
        if store is None:
            raise ValueError("a tracker store is needed: in memory nothing would survive a restart")
        store.domain = domain
        # The stock callback logs the error and keeps the conversation in memory, where a restart loses it.
        return FailSafeTrackerStore(store, on_tracker_store_error=_tracker_store_failed)


class StrictProcessor(MessageProcessor):
    """A processor that saves a turn only if every action in it succeeded and something was answered."""

    async def handle_turn(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        """Runs a turn on a tracker that was read already.

        The steps are those of `handle_message`, which would read and rebuild the conversation a second time.
        No session begins between the parts of one message: what was said before is not read any more then.

        Args:
            message: What the person sent, with its parse data.
            tracker: The conversation so far; saved at the end.

        Raises:
            TurnAborted: The turn failed; the tracker is of no use any more.
        """
        if not is_later_part(message.metadata):
            await self._update_tracker_session(tracker, message.output_channel, message.metadata)
        await self._handle_message_with_tracker(message, tracker)
        await self._advise(message.output_channel, tracker)
        tracker = await self.run_action_extract_slots(message.output_channel, tracker)
        await self._run_prediction_loop(message.output_channel, tracker)
        await self.save_tracker(tracker)

    async def _advise(self, output: OutputChannel, tracker: DialogueStateTracker) -> None:
        advice = await advice_in_danger(tracker, output, self.nlg, self.domain)
        await self._send_bot_messages(advice, tracker, output)
        tracker.update_with_events(advice, self.domain)

    async def save_tracker(self, tracker: DialogueStateTracker) -> None:
        """Saves the turn (see parent class).

        Raises:
            TurnAborted: Nothing was said since the person's last message.
        """
        if not answers_to(tracker, None):
            raise TurnAborted("failed", "silent turn: no action or response said anything")
        await super().save_tracker(tracker)

    def _has_session_expired(self, tracker: DialogueStateTracker) -> bool:
        # Every event of a session is read and walked through in every turn: after 400 turns a prediction took
        # twenty times as long. Not inside a form; what must last is in the store and not in slots.
        is_long = sum(isinstance(event, UserUttered) for event in tracker.events) >= SESSION_TURNS
        return bool(super()._has_session_expired(tracker) or (is_long and not tracker.active_loop_name))

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        going_on: bool = await super()._run_action(
            _StrictAction(action), tracker, output_channel, nlg, prediction
        )
        return going_on


class _StrictAction(Action):
    """An action whose errors end the turn; only a rejection, which is ordinary in forms, goes on to Rasa."""

    def __init__(self, action: Action) -> None:
        self._action = action

    def name(self) -> str:
        name: str = self._action.name()
        return name

    async def run(self, *args: Any, **kwargs: Any) -> list[Event]:
        try:
            events: list[Event] = await self._action.run(*args, **kwargs)
        except ActionExecutionRejection:
            raise
        except Exception as error:
            raise TurnAborted("failed", f"{self.name()}: {type(error).__name__}") from error
        return events

    def event_for_successful_execution(self, prediction: PolicyPrediction) -> ActionExecuted:
        return self._action.event_for_successful_execution(prediction)


def answers_to(tracker: DialogueStateTracker, message_id: str | None) -> list[BotUttered]:
    """What the bot said after a message.

    Args:
        tracker: The conversation; all its events count, also those of turns that were reverted since.
        message_id: The message's id; the latest message if None.

    Returns:
        What was said until the next message; empty if the message is not there.
    """
    answers: list[BotUttered] = []
    inside = False
    for event in tracker.events:
        if isinstance(event, UserUttered):
            inside = message_id is None or event.message_id == message_id
            if inside:
                answers.clear()
        elif inside and isinstance(event, BotUttered):
            answers.append(event)
    return answers


def _tracker_store_failed(error: Exception) -> None:
    raise TurnAborted("unavailable", f"tracker store: {type(error).__name__}") from error


def _too_many_actions(*_: Any) -> None:
    raise TurnAborted("failed", "the rules predict action after action and never listen")
