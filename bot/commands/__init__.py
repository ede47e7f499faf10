"""The subcommands of ``peyvand`` that work on the store, one module a group.

They import what they need when they run: Rasa alone takes seconds to load.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

import click

from crm_store.errors import CrmError
from crm_store.settings import Settings

if TYPE_CHECKING:
    from crm_store.db import Database

P = ParamSpec("P")


def explains_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what the store or the settings refuse into one line and exit code 2."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CrmError as error:
            click.secho(f"peyvand: {error}", fg="red", err=True)
            sys.exit(2)

    return wrapped


@contextmanager
def open_store(settings: Settings) -> Iterator[Database]:
    """The store, brought up to date, for the length of a command."""
    from crm_store.db import Database
    from crm_store.migrate import upgrade

    database = Database(settings.store_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.dispose()
