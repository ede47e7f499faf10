"""What the operator of ``peyvand up`` sees, and when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.status import first_password, screen, show_status
from crm_store.business import EXAMPLE
from crm_store.db import Database
from crm_store.settings import Settings
from crm_store.staff.service import admit, check_password


def shown(settings: Settings, password: str | None) -> str:
    with screen.capture() as captured:
        show_status(settings, password=password)
    return re.sub(r"\x1b\[[0-9;]*m", "", captured.get())


@pytest.fixture
def settings(sqlite_database: Database, tmp_path: Path) -> Settings:
    """Settings of a new copy on this machine."""
    return Settings(data_dir=str(tmp_path), database_url=f"sqlite:///{sqlite_database.engine.url.database}")


def test_the_first_password_is_shown_at_the_first_start_and_never_again(
    settings: Settings, sqlite_database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    password = first_password(settings)
    assert password is not None
    screen_text = shown(settings, password)
    assert f"admin, first password {password}" in screen_text
    assert "http://127.0.0.1:8080/console" in screen_text
    with sqlite_database.write() as session:
        assert admit(session, check_password(session, login="admin", password=password)).login == "admin"
    again = shown(settings, first_password(settings))
    assert password not in again
    assert "peyvand staff password admin" in again
    assert password not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("host", "is_open"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True)]
)
def test_an_address_that_others_reach_has_to_be_behind_https(
    tmp_path: Path, host: str, is_open: bool
) -> None:
    assert ("behind https" in shown(Settings(data_dir=str(tmp_path), http_host=host), None)) is is_open


def test_the_owner_is_told_where_to_write_and_what_has_no_answer_yet(settings: Settings) -> None:
    path = settings.business_path
    path.write_text(
        EXAMPLE.read_text(encoding="utf-8").replace('hours = ""', 'hours = "شنبه‌ها"', 1), encoding="utf-8"
    )
    text = shown(settings, None)
    assert str(path) in text
    assert "no answer there yet to: address, contact, delivery" in text
