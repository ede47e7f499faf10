"""What the operator of ``peyvand up`` sees."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.roles import is_loopback
from crm_store.settings import Settings
from crm_store.staff.service import FIRST_LOGIN, ensure_first_admin

screen = Console(stderr=True, highlight=False)


def first_password(settings: Settings) -> str | None:
    """Make the first member of staff at the very first start; None at every later one.

    The password is for the screen and for nothing else: the store has only its hash, the log nothing.
    """
    database = Database(settings.store_url)
    try:
        with database.write() as session:
            return ensure_first_admin(session)
    finally:
        database.dispose()


def show_status(settings: Settings, *, password: str | None) -> None:
    """Print where the product is and what to do next.

    Args:
        password: of the first member of staff, when it was made just now.
    """
    channels = ", ".join(settings.bots()) or "none yet"
    store = "SQLite" if settings.store_url.startswith("sqlite") else "PostgreSQL"
    address = f"http://{settings.http_host}:{settings.http_port}"
    screen.print(
        f"\n[bold]Peyvand is running.[/]\n"
        f"  web chat     {address}/\n"
        f"  console      {address}/console\n"
        f"  log-in       {_log_in(password)}\n"
        f"               web chat: none needed, it is open to whoever reaches its address\n"
        f"  messengers   {channels}\n"
        f"  store        {store}, data in {settings.data_path}\n"
        f"  your words   {settings.business_path}{_unanswered(settings)}\n",
        soft_wrap=True,
    )
    if not is_loopback(settings.http_host):
        screen.print(
            f"[yellow]●[/] Other machines reach {settings.http_host}: the console must be behind https\n"
            "  (a reverse proxy), or passwords and customers' data cross the network for anybody to read.\n",
            soft_wrap=True,
        )
    screen.print(
        "Next: open the web chat and write «سلام»; for Telegram or Bale set PEYVAND_TELEGRAM_TOKEN or\n"
        "PEYVAND_BALE_TOKEN (or peyvand.toml, see peyvand.example.toml) and start again. Ctrl-C stops.\n",
        soft_wrap=True,
    )


def _unanswered(settings: Settings) -> str:
    """What the owner should hear before a customer does: a mistake in the file, questions without answer."""
    file = BusinessFile(settings.business_path)
    if file.problem:
        return f"\n               [red]not in force, the last good version is:[/] {escape(file.problem)}"
    topics = file.current().faq.unanswered
    return f"\n               no answer there yet to: {', '.join(topics)}" if topics else ""


def _log_in(password: str | None) -> str:
    another = f"uv run peyvand staff password {FIRST_LOGIN}"
    if password is None:
        return f"console: as {FIRST_LOGIN}; a new password is made by: {another}"
    return (
        f"console: {FIRST_LOGIN}, first password [bold]{password}[/]\n"
        f"               shown this once; should it get lost, a new one is made by: {another}"
    )
