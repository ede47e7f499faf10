from __future__ import annotations

from pathlib import Path

import pytest

from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.settings import (
    PROJECT_ROOT,
    BotApiSettings,
    BusinessSettings,
    LearningSettings,
    LimitSettings,
    RetentionSettings,
    Settings,
    load_settings,
    misspelt_variables,
)

NOTHING = Path("/dev/null")


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "peyvand.toml"
    file.write_text('http_port = 9000\n[telegram]\ntoken = "from-file"\n[business]\nfile = "گل‌فروشی.toml"\n')
    settings = load_settings({"PEYVAND_TELEGRAM_TOKEN": "from-variable"}, file)
    assert (settings.http_port, settings.telegram.token) == (9000, "from-variable")
    assert settings.business_path.name == "گل‌فروشی.toml"
    assert settings.telegram.base_url == "https://api.telegram.org"


def test_without_anything_sqlite_lies_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings({"PEYVAND_DATA_DIR": str(tmp_path)}, NOTHING)
    assert settings.store_url == f"sqlite:///{tmp_path / 'peyvand.db'}"
    assert settings.bots() == {}


@pytest.mark.parametrize("address", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_a_postgresql_address_gets_the_driver_that_is_installed(address: str) -> None:
    assert load_settings({"PEYVAND_DATABASE_URL": address}, NOTHING).store_url == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('http_port = "x"', "PEYVAND_HTTP_PORT"),
        ("[telegram]\ntokn = 'x'", "tokn"),
        ("http_port = 99999", "PEYVAND_HTTP_PORT"),
        ("[telegram]\ntoken = 'x'\nmode = 'webhook'", "PEYVAND_TELEGRAM_WEBHOOK_SECRET"),
        ("not toml", "peyvand.toml"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "peyvand.toml"
    file.write_text(content)
    with pytest.raises(ConfigurationError) as refused:
        load_settings({}, file)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    (warning,) = misspelt_variables({"PEYVAND_TELEGRAM_TOKN": "x", "PEYVAND_HTTP_PORT": "1", "PATH": "/"})
    assert "PEYVAND_TELEGRAM_TOKN" in warning
    assert "PEYVAND_TELEGRAM_TOKEN" in warning


def test_secrets_are_not_in_what_is_printed() -> None:
    env = {
        "PEYVAND_TELEGRAM_TOKEN": "12345:secret",
        "PEYVAND_INTERNAL_SECRET": "hush",
        "PEYVAND_DATABASE_URL": "pw",
    }
    shown = repr(load_settings(env, NOTHING))
    assert not any(secret in shown for secret in env.values())


def test_the_example_names_every_setting() -> None:
    example = (PROJECT_ROOT / "peyvand.example.toml").read_text(encoding="utf-8")
    sections = (
        Settings,
        BusinessSettings,
        BotApiSettings,
        LimitSettings,
        RetentionSettings,
        LearningSettings,
    )
    names = {name for section in sections for name in section.__struct_fields__}
    assert {name for name in names if f"# {name} =" not in example and f"[{name}]" not in example} == set()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PEYVAND_BUSINESS_TIMEZONE", "Asia/Tehrann"),
        ("PEYVAND_LIMITS_MESSAGES_PER_SECOND", "0"),
    ],
)
def test_a_value_that_would_fail_later_is_refused_at_once(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        load_settings({variable: value}, NOTHING)


@pytest.mark.parametrize("address", ["nonsense", "mysql://a/b"])
def test_a_database_that_we_do_not_speak_is_refused_with_the_setting_named(address: str) -> None:
    with pytest.raises(ConfigurationError, match="PEYVAND_DATABASE_URL"):
        Database(address)
