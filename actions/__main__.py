"""Starts the action server: ``python -m actions``."""

from __future__ import annotations

import sys

import structlog

from actions.server import serve
from crm_store.errors import ConfigurationError
from crm_store.logs import configure_logging
from crm_store.settings import load_settings

# rasa_sdk imports every module below actions/, this one too.
if __name__ == "__main__":
    try:
        settings = load_settings()
        configure_logging(settings, role="actions")
        serve(settings)
    except ConfigurationError as error:
        structlog.get_logger("actions").error("configuration", reason=str(error))
        sys.exit(2)
