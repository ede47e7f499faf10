"""The stage for scripted conversations: the running product of a business that answers questions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversations.runner import Stage
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

BUSINESS = Path(__file__).parent / "business.toml"


@pytest.fixture(scope="package")
def answering_product(product: Product) -> Iterator[Product]:
    """The product with a business file in place; the running roles notice it by themselves."""
    before = product.business_file.read_bytes()
    shutil.copyfile(BUSINESS, product.business_file)
    yield product
    product.business_file.write_bytes(before)


@pytest.fixture(scope="package")
def stage(answering_product: Product, telegram: ThreadRunner[FakeBotApi]) -> Stage:
    """Where the scripts are played."""
    return Stage(telegram, answering_product)
