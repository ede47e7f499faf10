"""The web application of the Rasa role: a strict agent behind our channel.

Import it after `bot.nlu.light_rasa.leave_tensorflow_out`.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from functools import lru_cache
from pathlib import Path
from typing import Any

from rasa.core.actions.action import RemoteAction
from rasa.core.channels.channel import register
from rasa.core.lock_store import LockStore
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import Event
from rasa.shared.utils.io import read_config_file
from rasa.utils.endpoints import EndpointConfig, read_endpoint_config
from sanic import Sanic
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from bot.nlu.action_server import ActionServer
from bot.nlu.connector import GatewayInput
from bot.nlu.swap import ModelSwap, Surroundings
from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.settings import load_settings
from crm_store.texts.service import EditedTexts

CHANNEL = "bot.nlu.connector.GatewayInput"

#: Above the longest turn (connector.TURN_SECONDS) and the wait for one before it; then Sanic answers 503.
RESPONSE_SECONDS = 100
#: Longer than clients keep an idle connection, so that it is the client who closes it.
KEEP_ALIVE_SECONDS = 75
#: How long turns that are under way may take to finish after SIGTERM.
STOP_SECONDS = 5.0


def create_app(model: Path, endpoints: Path, credentials: Path) -> Sanic:
    """Builds the web application around a loaded model.

    Args:
        model: The model archive, or a link to it; what it leads to later can be put in its place.
        endpoints: Path of endpoints.yml.
        credentials: Path of credentials.yml.

    Raises:
        ConfigurationError: The model cannot be loaded, the tracker store not be reached, or the business file
            is wrong.
    """
    channel = GatewayInput.from_credentials(read_config_file(credentials)[CHANNEL])
    app = Sanic("peyvand_rasa", configure_logging=False)
    app.config.RESPONSE_TIMEOUT = RESPONSE_SECONDS
    app.config.KEEP_ALIVE_TIMEOUT = KEEP_ALIVE_SECONDS
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = STOP_SECONDS
    register([channel], app, route="/webhooks/")
    surroundings = _surroundings(endpoints)
    app.ctx.agent = surroundings.agent_with(model)
    app.ctx.models = ModelSwap(app, model, surroundings)
    _spare_repeated_work()

    @app.after_server_stop
    async def close(_app: Sanic, _loop: AbstractEventLoop) -> None:
        await surroundings.action_server.close()

    return app


def _spare_repeated_work() -> None:
    # Rasa looks through all subclasses of Event for each stored event, 0.1 ms each: most of a turn's time.
    Event.resolve_by_type = lru_cache(Event.resolve_by_type)  # type: ignore[method-assign]  # on purpose
    # It also checks its schema of answers anew for each answer, 15 ms; ActionServer has checked the answer.
    RemoteAction._validate_action_result = _is_checked_already  # type: ignore[method-assign,assignment]  # likewise


def _is_checked_already(_action: RemoteAction, result: dict[str, Any]) -> bool:
    return isinstance(result, dict)


def _surroundings(endpoints: Path) -> Surroundings:
    settings = load_settings()
    return Surroundings(
        tracker_store=_tracker_store(endpoints),
        lock_store=LockStore.create(read_endpoint_config(str(endpoints), "lock_store")),
        action_server=_action_server(endpoints),
        business=BusinessFile(settings.business_path),
        texts=EditedTexts(Database(settings.store_url, pool_size=1)),
    )


def _tracker_store(endpoints: Path) -> SQLTrackerStore:
    # Not by Rasa's factory, which imports the clients of MongoDB and DynamoDB first.
    url = _section(endpoints, "tracker_store").url
    try:
        store = SQLTrackerStore(host=url)
        if store.engine.dialect.name == "sqlite":
            # Halves the time of a commit; the file remembers it.
            with store.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        # Rasa only logs that it could not create its table, and would fail in every turn.
        reached = inspect(store.engine).has_table(SQLTrackerStore.SQLEvent.__tablename__)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"PEYVAND_TRACKER_URL: {type(error).__name__}: the store cannot be reached"
        ) from error
    if not reached:
        raise ConfigurationError(
            "PEYVAND_TRACKER_URL: the store has no table for events and none could be made"
        )
    return store


def _action_server(endpoints: Path) -> ActionServer:
    return ActionServer.from_endpoint(_section(endpoints, "action_endpoint"))


def _section(endpoints: Path, name: str) -> EndpointConfig:
    endpoint = read_endpoint_config(str(endpoints), name)
    if endpoint is None:
        raise ConfigurationError(f"{endpoints.name}: the section {name} is missing")
    return endpoint
