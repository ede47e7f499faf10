"""How a text is split: one token for what is one word, however it was typed, and its stem."""

from __future__ import annotations

import pytest
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.tokenizer import PersianTokenizer


def tokens(text: str) -> list[tuple[str, str, str]]:
    """Text and stem of each token, and what was typed there."""
    tokenizer = PersianTokenizer(PersianTokenizer.get_default_config())
    found = tokenizer.tokenize(Message({TEXT: text}), TEXT)
    return [(token.text, token.lemma, text[token.start : token.end]) for token in found]


@pytest.mark.parametrize("typed", ["می‌خواهم", "میخواهم", "می خواهم", "ميخواهم"])
def test_every_spelling_of_a_verb_is_the_same_token(typed: str) -> None:
    assert tokens(f"سلام، {typed} برگردونم")[2] == ("میخواهم", "خواست", typed)


@pytest.mark.parametrize("typed", ["یخچالم", "یخچال‌ها", "یخچال ها", "یخچالتون", "يخچال"])
def test_the_forms_of_a_noun_share_a_stem(typed: str) -> None:
    assert [(stem, there) for _, stem, there in tokens(typed)] == [("یخچال", typed)]


@pytest.mark.parametrize(
    ("typed", "token"),
    [
        ("ali@test.com", "ali@test.com"),
        ("https://peyvand.ir/a?b=1", "https://peyvand.ir/a?b=1"),
        ("ORD-10233", "ord-10233"),
        ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "09123456789"),
        ("۱۴۰۳/۲/۵", "1403/2/5"),
        ("۱۴۰۳-۰۲-۰۵", "1403-02-05"),
        ("۱۲۰,۰۰۰", "120,000"),
        ("۱۲۰٬۰۰۰", "120٬000"),
        ("۱۷:۳۰", "17:30"),
    ],
)
def test_what_must_stay_whole_is_one_token_and_its_own_stem(typed: str, token: str) -> None:
    assert tokens(f"سلام {typed} چی شد")[1] == (token, token, typed)
