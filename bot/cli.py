"""The ``peyvand`` command. Imports wait until a command needs them: Rasa alone takes seconds to load."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.commands import explains_errors, open_store
from bot.commands.api_keys import api_keys
from bot.commands.business import business
from bot.commands.customers import customers
from bot.commands.import_ import import_
from bot.commands.inbox import inbox
from bot.commands.loyalty import loyalty
from bot.commands.nlu import nlu
from bot.commands.raffle import raffle
from bot.commands.rewards import rewards
from bot.commands.staff import staff
from bot.commands.surveys import surveys
from bot.commands.tickets import tickets
from crm_store.errors import ConfigurationError
from crm_store.settings import Settings, load_settings, misspelt_variables

#: Exit code of training (bot/nlu/training.py) and of `peyvand train` when the former model stays in use.
REFUSED = 3


@click.group()
@click.version_option(package_name="peyvand")
def main() -> None:
    """Peyvand: a CRM assistant that speaks Persian."""
    os.umask(0o077)  # what customers wrote is nobody else's on this machine


@main.command()
@explains_errors
def up() -> None:
    """Start everything: store, understanding, actions, gateway and web chat."""
    from bot import up as product

    settings = load_settings()
    for warning in misspelt_variables(os.environ):
        click.secho(f"peyvand: {warning}", fg="yellow", err=True)
    product.prepare(settings)
    with product.only_supervisor(settings.data_path) as is_only:
        if not is_only:
            raise ConfigurationError("data_dir (PEYVAND_DATA_DIR): Peyvand is running on this folder already")
        asyncio.run(product.run(settings, trained_model()))


@main.command()
@explains_errors
def gateway() -> None:
    """Run the gateway alone."""
    from bot.gateway.app import run_gateway

    asyncio.run(run_gateway(_settings_for("gateway")))


@main.command()
@explains_errors
def console() -> None:
    """Run the console and web chat alone."""
    from bot.console.app import run_console

    asyncio.run(run_console(_settings_for("console")))


@main.command()
def actions() -> None:
    """Run the action server alone."""
    os.execv(sys.executable, [sys.executable, "-m", "actions"])


@main.command()
@explains_errors
def rasa() -> None:
    """Run Rasa alone, with the newest model; needs PEYVAND_RASA_PORT and PEYVAND_TRACKER_URL."""
    from bot.up import lasting_path

    model = lasting_path(trained_model(), load_settings())
    os.environ.setdefault("PEYVAND_MODEL", str(model))
    os.execv(sys.executable, [sys.executable, "-m", "bot.nlu.server"])


@main.command()
@click.option("--force", is_flag=True, help="Train even if nothing has changed, and use even a worse model.")
@explains_errors
def train(force: bool) -> None:
    """Train a model if what it is made from has changed, and print the path of the model to use.

    A new model is measured beside the one in use, on phrases that neither was trained with; a worse one is
    refused (exit code 3). A copy of Peyvand that runs on this data folder takes the new one at once, without
    losing a message.
    """
    from bot.renewing import tell_running_copy

    model, is_refused = _train(force=force)
    click.echo(model)
    if is_refused:
        sys.exit(REFUSED)
    told = tell_running_copy(load_settings(), model)
    if told:
        click.echo(told, err=True)


@main.command()
@click.option(
    "--jsonl", is_flag=True, required=True, help="One message a line in, one JSON object a line out."
)
@click.option(
    "--audience",
    type=click.Choice(["customer", "staff"]),
    default="customer",
    show_default=True,
    help="Who is writing.",
)
@click.option(
    "--now", help="Moment that «tomorrow» is counted from: 2026-11-27T10:00, in Tehran's time unless it says."
)
@click.option("--explain", is_flag=True, help="Also say how the words were read, and the likeliest intents.")
@explains_errors
def parse(jsonl: bool, audience: str, now: str | None, explain: bool) -> None:
    """Read messages from standard input and answer what they are understood to mean."""
    del jsonl  # the one format so far; named, so that another can come
    moment = _moment(now) if now else None
    model = trained_model()
    from bot.nlu.parse import parse_lines

    lines = (line.rstrip("\n") for line in sys.stdin)
    for answer in parse_lines(lines, model=model, audience=audience, now=moment, explain=explain):
        click.echo(json.dumps(answer, ensure_ascii=False))


@main.command()
@click.option("--as", "name", default="me", show_default=True, help="Whose conversation to go on with.")
@explains_errors
def chat(name: str) -> None:
    """Talk to Peyvand in the terminal; lines may be piped in."""
    from bot.chat import converse

    asyncio.run(converse(load_settings(), name=name, model=trained_model()))


@main.command()
@explains_errors
def migrate() -> None:
    """Bring the store's tables up to date."""
    with open_store(load_settings()):
        pass
    click.echo("the store is up to date")


def trained_model(*, force: bool = False) -> Path:
    """The model to use for the present training data, trained first if it is missing.

    Raises:
        ConfigurationError: training failed.
    """
    return _train(force=force)[0]


def _train(*, force: bool) -> tuple[Path, bool]:
    """The model to use, and whether a newer one was refused.

    Training runs in a process of its own, so that its memory is given back.
    """
    command = [sys.executable, "-m", "bot.nlu.training", *(["--force"] if force else [])]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env, check=False)
    if result.returncode not in (0, REFUSED):
        raise ConfigurationError("no model could be trained; the reason stands above")
    return Path(result.stdout.strip().splitlines()[-1]), result.returncode == REFUSED


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"--now: {text} is no moment such as 2026-11-27T10:00+03:30") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Asia/Tehran"))


def _settings_for(role: str) -> Settings:
    from crm_store.logs import configure_logging

    settings = load_settings()
    configure_logging(settings, role=role)
    return settings


GROUPS = (
    api_keys, business, customers, import_, inbox, loyalty, nlu, raffle, rewards, staff, surveys, tickets
)  # fmt: skip
for group in GROUPS:
    main.add_command(group)

if __name__ == "__main__":
    main()
