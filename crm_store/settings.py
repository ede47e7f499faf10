"""One typed settings object for every role, read from ``peyvand.toml`` and ``PEYVAND_*`` variables.

A variable wins over the file. ``PEYVAND_HTTP_PORT`` sets ``http_port``; ``PEYVAND_TELEGRAM_TOKEN`` sets
``token`` in the section ``[telegram]``. Lists in variables are separated by commas.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from crm_store.errors import ConfigurationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PREFIX = "PEYVAND_"
#: Variables that are no settings: where the file is, and what `peyvand up` hands to the roles.
INTERNAL_VARIABLES = ("config", "model", "tracker_url", "rasa_port", "rasa_host", "internal_secret_made_up")
PROJECT_ROOT = Path(__file__).resolve().parent.parent


class BusinessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The business that Peyvand speaks for.

    Attributes:
        file: what the owner edits (crm_store/business/file.py); empty: ``business.toml`` in ``data_dir``.
        timezone: the time zone in which times are shown and calls promised.
    """

    file: str = ""
    timezone: str = "Asia/Tehran"


class BotApiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A messenger that speaks the Bot API (Telegram, Bale).

    Attributes:
        token: the bot's token; empty means that the channel is off.
        base_url: root of the Bot API server, with or without a trailing ``/bot``.
        mode: ``polling`` asks for updates; ``webhook`` is called by the messenger.
        webhook_url: public https address of the webhook, in webhook mode.
        webhook_secret: secret that the messenger must send, in webhook mode.
        webhook_port: loopback port on which the webhook listens, in webhook mode.
        staff_group_id: the one group that is listened to and told of new cases.
    """

    token: str = ""
    base_url: str = ""
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_port: int = 8443
    staff_group_id: int | None = None

    @property
    def account_id(self) -> str:
        """The bot's own account, with whose id a token begins."""
        return self.token.partition(":")[0]

    def __repr__(self) -> str:
        return f"BotApiSettings(mode={self.mode!r}, token={'set' if self.token else 'not set'})"


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is accepted and how fast messages leave.

    Attributes:
        attachment_bytes: largest file that is kept, in bytes.
        attachment_types: accepted MIME types; ``image/*`` stands for all images.
        messages_per_second: messages per second and bot.
        chat_burst: messages that one chat may get at once before the pace below holds.
        chat_messages_per_second: messages per second and chat after the burst.
        group_messages_per_minute: messages that a group takes in a minute, all its topics together; a fifth
            of them may leave at once, the rest evenly, and one is kept to spare.
        button_hours: hours for which a button stays valid.
        draft_hours: hours after which a half-filled form is no longer continued.
        reminder_hour: hour of the day, local time, at which what was left half-told is offered again.
        turn_seconds: seconds to wait for the dialogue's answer to one message.
        notice_after_seconds: seconds of failing after which the person is told of the delay.
        park_after_failures: failed tries (not outages) after which a message is parked.
    """

    attachment_bytes: int = 20_000_000
    attachment_types: tuple[str, ...] = ("image/*", "audio/*", "video/*", "application/pdf", "text/plain")
    messages_per_second: float = 25.0
    chat_burst: int = 5
    chat_messages_per_second: float = 1.0
    group_messages_per_minute: int = 20
    button_hours: int = 48
    draft_hours: int = 72
    reminder_hour: int = 10
    turn_seconds: float = 20.0
    notice_after_seconds: float = 4.0
    park_after_failures: int = 5


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what customers wrote is kept, in days; 0 keeps it for good.

    Attributes:
        raw_days: updates as the messengers sent them, sent messages, the dialogue's own memory, automatic
            work that is over, windows of time that no request names, what staff had in mind in their chats.
        transcript_days: what was said in conversations, and with it what is searched.
        attachment_days: files that belong to no complaint or service request.
        complaint_days: complaints and service requests, counted from their last change, and hand-overs, from
            their end; then only what names no one stays. Notes of the staff's that are not pinned go, too.
        audit_days: the audit trail.
        learning_days: messages that were not understood, counted from the decision about them, if any.
    """

    raw_days: int = 90
    transcript_days: int = 730
    attachment_days: int = 90
    complaint_days: int = 1825
    audit_days: int = 1825
    learning_days: int = 90


class WooCommerceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WooCommerce shop that tells of its orders.

    Attributes:
        webhook_secret: the secret of the webhooks there; empty means that they are refused.
        shop: the shop's name among the business's shops.
        currency: what a price there means: ``IRT`` tomans, ``IRR`` rials; empty takes the order's own word.
    """

    webhook_secret: str = ""
    shop: str = "main"
    currency: Literal["", "IRT", "IRR"] = ""

    def __repr__(self) -> str:
        return f"WooCommerceSettings(webhook_secret={'set' if self.webhook_secret else 'not set'})"


class LearningSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Learning from use.

    Attributes:
        keep: whether messages that were not understood are kept for `peyvand nlu review`.
    """

    keep: bool = True


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an operator may set.

    Attributes:
        data_dir: folder of the database, attachments, logs and secrets of this copy.
        database_url: SQLAlchemy address of the store; empty means SQLite in ``data_dir``.
        http_host: address on which the console and the web chat listen.
        http_port: their port.
        rasa_url: address of the Rasa role; empty means that ``peyvand up`` starts one.
        actions_url: address of the action server role; empty likewise.
        internal_secret: shared secret of the roles; empty means one is made in ``data_dir``.
        proxy_url: http(s) or socks5 proxy for the messengers.
        public_metrics: whether ``/metrics`` answers others than this machine.
        log_level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        log_format: ``text`` for people, ``json`` for machines.
    """

    data_dir: str = "var"
    database_url: str = ""
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    rasa_url: str = ""
    actions_url: str = ""
    internal_secret: str = ""
    proxy_url: str = ""
    public_metrics: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    business: BusinessSettings = BusinessSettings()
    telegram: BotApiSettings = BotApiSettings(base_url="https://api.telegram.org")
    bale: BotApiSettings = BotApiSettings(base_url="https://tapi.bale.ai")
    limits: LimitSettings = LimitSettings()
    retention: RetentionSettings = RetentionSettings()
    learning: LearningSettings = LearningSettings()
    woocommerce: WooCommerceSettings = WooCommerceSettings()

    def __repr__(self) -> str:
        return f"Settings(data_dir={self.data_dir!r}, http_port={self.http_port})"  # no secrets in logs

    @property
    def data_path(self) -> Path:
        """The data folder as an absolute path; a relative one starts at the project's root."""
        return (PROJECT_ROOT / Path(self.data_dir).expanduser()).resolve()

    @property
    def store_url(self) -> str:
        """The SQLAlchemy address in force."""
        if not self.database_url:
            return f"sqlite:///{self.data_path / 'peyvand.db'}"
        # Operators write postgres:// or postgresql://; SQLAlchemy needs the driver's name as well.
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url[len(plain) :]
        return self.database_url

    @property
    def attachments_path(self) -> Path:
        """The folder that holds what customers sent."""
        return self.data_path / "attachments"

    @property
    def learned_path(self) -> Path:
        """What was learnt from customers' messages; training reads it (crm_store/learning/phrases.py)."""
        return learned_path(self.data_path)

    @property
    def business_path(self) -> Path:
        """Where the owner edits what customers are told."""
        file = self.business.file
        return (
            (PROJECT_ROOT / Path(file).expanduser()).resolve() if file else self.data_path / "business.toml"
        )

    def bots(self) -> dict[str, BotApiSettings]:
        """The messengers that have a token, by channel name."""
        return {name: bot for name, bot in (("telegram", self.telegram), ("bale", self.bale)) if bot.token}


def learned_path(data_path: Path) -> Path:
    """The file of `Settings.learned_path` in a data folder."""
    return data_path / "learned" / "nlu.yml"


def misspelt_variables(env: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none, each with what was probably meant."""
    sections = _sections()
    keys = [*(set(Settings.__struct_fields__) - set(sections)), *INTERNAL_VARIABLES]
    keys += [f"{section}_{name}" for section, names in sections.items() for name in names]
    known = [PREFIX + key.upper() for key in keys]
    found = []
    for variable in sorted(name for name in env if name.startswith(PREFIX) and name not in known):
        meant = difflib.get_close_matches(variable, known, n=1)
        found.append(f"{variable} is no setting" + (f"; did you mean {meant[0]}?" if meant else ""))
    return found


def load_settings(env: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        env: variables to read; the process's own by default.
        file: the TOML file; ``PEYVAND_CONFIG`` or ``peyvand.toml`` in the project's root by default.

    Raises:
        ConfigurationError: a key is unknown, has the wrong type or contradicts another one.
    """
    env = os.environ if env is None else env
    named = file or (Path(env[PREFIX + "CONFIG"]) if env.get(PREFIX + "CONFIG") else None)
    values = _read_toml(named, must_exist=True) if named else _read_toml(PROJECT_ROOT / "peyvand.toml")
    _apply_environment(values, env)
    try:
        settings = msgspec.convert(_with_channel_defaults(values), Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(_explain(str(error))) from error
    _check(settings)
    return settings


def _read_toml(path: Path, *, must_exist: bool = False) -> dict[str, Any]:
    if not path.exists():
        if must_exist:
            raise ConfigurationError(f"PEYVAND_CONFIG: the file {path} does not exist")
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is not valid TOML: {error}") from error


def _sections() -> dict[str, tuple[str, ...]]:
    """The sections and their keys, from the types themselves."""
    return {
        field.name: field.type.__struct_fields__
        for field in msgspec.structs.fields(Settings)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
    }


def _apply_environment(values: dict[str, Any], env: Mapping[str, str]) -> None:
    sections = _sections()
    top_level = set(Settings.__struct_fields__) - set(sections)
    for variable, text in env.items():
        if not variable.startswith(PREFIX) or text == "":
            continue
        key = variable[len(PREFIX) :].lower()
        if key in top_level:
            values[key] = text
            continue
        section, _, name = key.partition("_")
        if section in sections and name in sections[section]:
            value: object = text.split(",") if name == "attachment_types" else text
            values.setdefault(section, {})[name] = value


def _with_channel_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Keep a messenger's own base address when its section is given without one."""
    defaults = {"telegram": "https://api.telegram.org", "bale": "https://tapi.bale.ai"}
    for channel, address in defaults.items():
        if isinstance(values.get(channel), dict):
            values[channel].setdefault("base_url", address)
    return values


def _explain(message: str) -> str:
    """Turn ``Expected `int`, got `str` - at `$.http_port``` into a line that names both spellings."""
    reason, _, place = message.partition(" - at `$.")
    key = place.rstrip("`")
    if not key:
        return f"settings: {reason}"
    variable = PREFIX + key.replace(".", "_").upper()
    return f"{key} ({variable}): {reason}. Correct it in peyvand.toml or in the environment."


def _check(settings: Settings) -> None:
    if not 0 < settings.http_port < 65536:
        raise ConfigurationError("http_port (PEYVAND_HTTP_PORT): must be between 1 and 65535")
    try:
        ZoneInfo(settings.business.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"business.timezone (PEYVAND_BUSINESS_TIMEZONE): {settings.business.timezone} is no time zone"
        ) from error
    for limit in LimitSettings.__struct_fields__:
        value = getattr(settings.limits, limit)
        if not isinstance(value, tuple) and value <= 0:
            raise ConfigurationError(f"limits.{limit} (PEYVAND_LIMITS_{limit.upper()}): must be above zero")
    for period in RetentionSettings.__struct_fields__:
        if getattr(settings.retention, period) < 0:
            variable = f"PEYVAND_RETENTION_{period.upper()}"
            raise ConfigurationError(f"retention.{period} ({variable}): must be 0 or more")
    if not 0 < settings.limits.reminder_hour < 24:
        raise ConfigurationError("limits.reminder_hour (PEYVAND_LIMITS_REMINDER_HOUR): must be from 1 to 23")
    for name, bot in settings.bots().items():
        if bot.mode == "webhook" and not (bot.webhook_secret and bot.webhook_url):
            raise ConfigurationError(
                f"{name}.webhook_secret and {name}.webhook_url (PEYVAND_{name.upper()}_WEBHOOK_SECRET, "
                f"PEYVAND_{name.upper()}_WEBHOOK_URL) are both needed in webhook mode"
            )
