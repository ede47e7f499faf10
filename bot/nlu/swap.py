"""Another model for a running Rasa role: loaded beside the present one, then put in its place at once.

A turn belongs to the agent with which it began, and ends with it: its model, its responses, its domain. What
agents share (the locks, the connections to tracker store and action server) outlives all of them.
"""

from __future__ import annotations

import asyncio
import copy
import gc
from dataclasses import dataclass
from pathlib import Path

import structlog
from rasa.core.lock_store import LockStore
from rasa.core.tracker_store import SQLTrackerStore
from sanic import Sanic

from bot.nlu.action_server import ActionServer
from bot.nlu.responses import BusinessResponses
from bot.nlu.strict_turns import StrictAgent
from crm_store.business import BusinessFile
from crm_store.errors import ConfigurationError
from crm_store.texts.service import EditedTexts

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What every agent of this process works with."""

    tracker_store: SQLTrackerStore
    lock_store: LockStore
    action_server: ActionServer
    business: BusinessFile
    texts: EditedTexts | None = None

    def agent_with(self, model: Path) -> StrictAgent:
        """Loads a model into a strict agent of its own.

        Args:
            model: The model archive, or a link to it.

        Raises:
            ConfigurationError: It cannot be loaded.
        """
        archive = model.resolve()
        # A tracker store knows the slots of one domain; the copy shares the connections.
        store = copy.copy(self.tracker_store)
        agent = StrictAgent(
            generator=BusinessResponses(self.business, self.texts),
            tracker_store=store,
            lock_store=self.lock_store,
            action_endpoint=self.action_server,
        )
        try:
            agent.load_model(str(archive))
        except Exception as error:
            raise ConfigurationError(
                f"PEYVAND_MODEL: {archive.name} cannot be loaded: {error}; run `peyvand train`"
            ) from error
        return agent


class ModelSwap:
    """Loads the model anew that the role was started with: its file or what its link leads to by now.

    Args:
        app: Holds the agent in ``ctx.agent``.
        model: The model archive, or a link to it.
        surroundings: Outlive the agent.
    """

    def __init__(self, app: Sanic, model: Path, surroundings: Surroundings) -> None:
        self._app = app
        self._model = model
        self._surroundings = surroundings
        self._one_at_a_time = asyncio.Lock()

    async def renew(self) -> str:
        """Puts a newly loaded model in the place of the present one; turns go on meanwhile.

        Returns:
            The model's name.

        Raises:
            ConfigurationError: It cannot be loaded; the present one stays.
        """
        async with self._one_at_a_time:
            fresh = await asyncio.to_thread(self._surroundings.agent_with, self._model)
            self._app.ctx.agent = fresh
            await asyncio.to_thread(_let_go_of_former_models)
            name = str(fresh.model_name)
            log.info("model_renewed", model=name)
            return name


def _let_go_of_former_models() -> None:
    # The start froze what it had loaded (bot/nlu/server.py), so it would stay for good. A former model that a
    # turn still holds goes with the next change.
    gc.unfreeze()
    gc.collect()
    gc.freeze()
