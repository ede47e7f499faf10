"""The ``peyvand`` command. Imports wait until a command needs them: Rasa alone takes seconds to load."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import click

from bot.commands import explains_errors, open_store
from bot.commands.business import business
from bot.commands.customers import customers
from bot.commands.import_ import import_
from bot.commands.inbox import inbox
from bot.commands.staff import staff
from crm_store.errors import ConfigurationError
from crm_store.settings import Settings, load_settings, misspelt_variables


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
    os.environ.setdefault("PEYVAND_MODEL", str(trained_model()))
    os.execv(sys.executable, [sys.executable, "-m", "bot.nlu.server"])


@main.command()
@click.option("--force", is_flag=True, help="Train even if nothing has changed since the last model.")
@explains_errors
def train(force: bool) -> None:
    """Train a model if what it is made from has changed, and print its path."""
    click.echo(trained_model(force=force))


@main.command()
@click.option(
    "--jsonl", is_flag=True, required=True, help="One message a line in, one JSON object a line out."
)
@explains_errors
def parse(jsonl: bool) -> None:
    """Read messages from standard input and answer what they are understood to mean."""
    del jsonl  # the one format so far; named, so that another can come
    model = trained_model()
    from bot.nlu.parse import parse_lines

    for answer in parse_lines((line.rstrip("\n") for line in sys.stdin), model=model):
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
    """The model of the present training data, trained first if it is missing.

    Training runs in a process of its own, so that its memory is given back.

    Raises:
        ConfigurationError: training failed.
    """
    command = [sys.executable, "-m", "bot.nlu.training", *(["--force"] if force else [])]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env, check=False)
    if result.returncode != 0:
        raise ConfigurationError("no model could be trained; the reason stands above")
    return Path(result.stdout.strip().splitlines()[-1])


def _settings_for(role: str) -> Settings:
    from crm_store.logs import configure_logging

    settings = load_settings()
    configure_logging(settings, role=role)
    return settings


for group in (business, customers, import_, inbox, staff):
    main.add_command(group)

if __name__ == "__main__":
    main()
