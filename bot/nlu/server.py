"""The Rasa role: one model, one channel, one process; ``python -m bot.nlu.server``.

`rasa run` is not used: it imports TensorFlow and every recipe component, opens its management API, and passes
over failures. What it would read is read here too: endpoints.yml, credentials.yml and a model archive.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from pathlib import Path

import structlog

from bot.nlu.light_rasa import leave_tensorflow_out, silence_deprecations
from crm_store.errors import ConfigurationError
from crm_store.logs import configure_logging
from crm_store.roles import is_loopback
from crm_store.settings import PROJECT_ROOT, load_settings

ENDPOINTS = PROJECT_ROOT / "endpoints.yml"
CREDENTIALS = PROJECT_ROOT / "credentials.yml"

log = structlog.get_logger("bot.nlu.server")


def main() -> None:
    """Serves with the settings in the environment.

    ``PEYVAND_MODEL`` (the model archive or a link to it), ``PEYVAND_RASA_PORT``, ``PEYVAND_INTERNAL_SECRET``,
    ``PEYVAND_ACTIONS_URL`` and ``PEYVAND_TRACKER_URL`` are needed; ``PEYVAND_RASA_HOST`` is 127.0.0.1 unless
    set; beyond loopback a secret that ``peyvand up`` made up (``PEYVAND_INTERNAL_SECRET_MADE_UP=1``) is
    refused.
    """
    try:
        settings = load_settings()
        configure_logging(settings, role="rasa")
        # Below WARNING Rasa logs what people typed; the level that the operator set is for our own lines.
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger("bot").setLevel(settings.log_level)
        for name in ("PEYVAND_INTERNAL_SECRET", "PEYVAND_ACTIONS_URL", "PEYVAND_TRACKER_URL"):
            _needed(name)
        serve(
            model=Path(_needed("PEYVAND_MODEL")),
            host=os.environ.get("PEYVAND_RASA_HOST", "127.0.0.1"),
            port=_port(_needed("PEYVAND_RASA_PORT")),
            secret_is_made_up=os.environ.get("PEYVAND_INTERNAL_SECRET_MADE_UP") == "1",
        )
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def serve(
    *,
    model: Path,
    host: str,
    port: int,
    secret_is_made_up: bool = True,
    endpoints: Path = ENDPOINTS,
    credentials: Path = CREDENTIALS,
) -> None:
    """Loads a model and answers turns until SIGTERM or SIGINT.

    Args:
        model: The model archive.
        host: Address to listen on.
        port: Port to listen on.
        secret_is_made_up: The operator did not choose the secret; a made-up one stays on this machine.
        endpoints: Tracker store and action server; variables in it are filled in from the environment.
        credentials: The channel's secret.

    Raises:
        ConfigurationError: A setting is wrong, the model cannot be loaded or the tracker store be reached.
    """
    if not is_loopback(host) and secret_is_made_up:
        raise ConfigurationError(
            f"PEYVAND_RASA_HOST is {host}: beyond loopback set a PEYVAND_INTERNAL_SECRET of your own"
        )
    if not model.is_file():
        raise ConfigurationError(f"PEYVAND_MODEL: there is no model at {model}; run `peyvand train`")
    bound = _bind(host, port)
    # Set before the first import of rasa: it phones home otherwise.
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    leave_tensorflow_out()
    silence_deprecations()
    # What is imported and loaded now stays for good; searching it for garbage took a quarter of the start.
    gc.disable()
    # Only now, with the stand-ins in place.
    from bot.nlu.app import create_app  # noqa: PLC0415  # it loads Rasa

    app = create_app(model, endpoints, credentials)
    gc.freeze()
    gc.enable()
    log.info("listening", host=host, port=port, model=model.resolve().name)
    app.run(sock=bound, access_log=False, motd=False)


def _bind(host: str, port: int) -> socket.socket:
    # Before the model is loaded, so that a port in use is said at once; Sanic would end in a traceback.
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"PEYVAND_RASA_PORT: cannot listen on {host}:{port}: {error.strerror}"
        ) from error
    return bound


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigurationError("PEYVAND_RASA_PORT: must be between 1 and 65535")
    return int(text)


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set")
    return value


if __name__ == "__main__":
    main()
