"""Scripted Persian conversations, end to end: fake Telegram, gateway, trained Rasa, actions, store."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from crm_store.persian import fold
from crm_store.settings import PROJECT_ROOT
from tests.conversations.expecting import listed
from tests.conversations.record import median_turns
from tests.conversations.runner import Stage
from tests.conversations.script_files import GROUP_SCRIPTS, load_scripts, read_script
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(600)]


@pytest.mark.parametrize("file", load_scripts(), ids=lambda file: file.stem)
def test_the_conversation_goes_as_scripted(
    file: Path, stage: Stage, telegram: ThreadRunner[FakeBotApi]
) -> None:
    stage.record(file)
    assert telegram.fake.violations == []
    fake = telegram.fake
    telegram.run(fake.wait_until(lambda: not fake.unanswered_callbacks(), 10, "answers to presses"))


def test_a_story_that_has_everything_is_filed_in_three_turns(stage: Stage) -> None:
    told = [file for file in load_scripts() if read_script(file).get("has_everything")]
    assert median_turns([stage.record(file) for file in told]) <= 3


def test_there_are_eighty_conversations_and_a_third_of_them_is_messy() -> None:
    scripts = [read_script(file) for file in load_scripts()]
    assert len(scripts) >= 80
    assert sum(script.get("messy", False) for script in scripts) * 3 >= len(scripts)


def test_every_response_that_is_expected_exists() -> None:
    responses = {
        name
        for file in (PROJECT_ROOT / "data").glob("*/responses.yml")
        for name in yaml.safe_load(file.read_text(encoding="utf-8"))["responses"]
    }
    expected = {
        (file.stem, name)
        for file in [*load_scripts(), *load_scripts(GROUP_SCRIPTS)]
        for turn in read_script(file)["turns"]
        for key in ("expect_response", "expect_any", "expect_all", "expect_none", "if_heard")
        for name in listed(turn.get(key))
    }
    assert not {(script, name) for script, name in expected if name not in responses}


def test_what_the_customers_write_is_not_what_was_trained_with() -> None:
    trained = {
        fold(example.removeprefix("- ").strip())
        for file in sorted((PROJECT_ROOT / "data").glob("*/nlu.yml"))
        for intent in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
        for example in intent.get("examples", "").splitlines()
    }
    said = {
        (file.stem, text)
        for file in [*load_scripts(), *load_scripts(GROUP_SCRIPTS)]
        for turn in read_script(file)["turns"]
        for text in (turn.get("user"), turn.get("caption"), turn.get("to"))
        if text and len(text.split()) > 3  # «سلام وقت بخیر» everybody writes alike
    }
    assert not {(script, text) for script, text in said if fold(text) in trained}
