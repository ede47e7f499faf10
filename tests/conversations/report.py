"""``python -m tests.conversations.report`` plays every script and prints what was measured, as Markdown."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from bot.cli import trained_model
from tests.conversations.conftest import BUSINESS
from tests.conversations.record import as_markdown
from tests.conversations.runner import Stage
from tests.conversations.script_files import load_scripts
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi


def main() -> None:
    """Play and print."""
    trained_model()
    with tempfile.TemporaryDirectory() as folder, FakeBotApi.start_in_thread() as telegram:
        product = Product(
            Path(folder),
            {
                "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
                "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
                "PEYVAND_LIMITS_CHAT_BURST": "100",
            },
        )
        shutil.copyfile(BUSINESS, product.business_file)
        product.start()
        try:
            stage = Stage(telegram, product)
            sys.stdout.write(as_markdown([stage.record(file) for file in load_scripts()]) + "\n")
        finally:
            product.stop()


if __name__ == "__main__":
    main()
