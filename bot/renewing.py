"""Tells a running copy of Peyvand that there is a new model; its Rasa role takes it between two turns."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path

import aiohttp

from bot.up import RUN_FILE, shared_secret
from crm_store.roles import SECRET_HEADER
from crm_store.settings import Settings

#: Loading takes a second on a machine at rest; turns go on meanwhile.
SECONDS = 60.0


def tell_running_copy(settings: Settings, model: Path) -> str:
    """Have the running Rasa role load the model in use.

    Args:
        model: the one that it should find.

    Returns:
        A line for the operator; empty where nothing runs.
    """
    url = _running_rasa(settings)
    return asyncio.run(_tell(url, shared_secret(settings), model.name)) if url else ""


async def _tell(url: str, secret: str, expected: str) -> str:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.post(f"{url}/webhooks/gateway/model", headers={SECRET_HEADER: secret}) as response,
        ):
            status, answer = response.status, await response.json(content_type=None)
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
        return f"Rasa at {url} could not be told of it ({type(error).__name__}); it takes it when it starts"
    if status != 200:
        return f"Rasa at {url} goes on with its former model: {answer.get('detail', status)}"
    loaded = answer.get("model", "")
    if loaded != expected:
        return f"Rasa at {url} uses another model, {loaded}: train on the machine where it runs"
    return f"Rasa at {url} uses it from now on"


def _running_rasa(settings: Settings) -> str:
    """Where the Rasa role listens: one that runs elsewhere, or that of the copy in this data folder."""
    with suppress(OSError, ValueError, KeyError, ProcessLookupError):
        running = json.loads((settings.data_path / RUN_FILE).read_text())
        os.kill(int(running["supervisor"]), 0)
        return str(running["PEYVAND_RASA_URL"]).rstrip("/")
    return settings.rasa_url.rstrip("/")
