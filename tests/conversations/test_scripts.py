"""Scripted Persian conversations, end to end: fake Telegram, gateway, trained Rasa, actions, store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.runner import ScriptPlayer, load_scripts, read_script
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(600)]


@pytest.mark.parametrize("file", load_scripts(), ids=lambda file: file.stem)
def test_the_conversation_goes_as_scripted(
    file: Path, product: Product, telegram: ThreadRunner[FakeBotApi]
) -> None:
    first_user_id = 700_000 + 100 * load_scripts().index(file)
    ScriptPlayer(telegram, product.database(), first_user_id=first_user_id).play(read_script(file))
    assert telegram.fake.violations == []
    assert telegram.fake.unanswered_callbacks() == []
