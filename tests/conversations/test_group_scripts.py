"""Scripted conversations with customers, technicians, agents and their group, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.runner import Stage
from tests.conversations.script_files import GROUP_SCRIPTS, load_scripts
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(600)]


@pytest.mark.parametrize("file", load_scripts(GROUP_SCRIPTS), ids=lambda file: file.stem)
def test_the_conversation_goes_as_scripted(
    file: Path, group_stage: Stage, group_telegram: ThreadRunner[FakeBotApi]
) -> None:
    group_stage.record(file)
    assert group_telegram.fake.violations == []
    fake = group_telegram.fake
    group_telegram.run(fake.wait_until(lambda: not fake.unanswered_callbacks(), 10, "answers to presses"))


def test_there_are_thirty_conversations_with_the_staff() -> None:
    assert len(load_scripts(GROUP_SCRIPTS)) >= 30
