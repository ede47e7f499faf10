"""The Rasa component that splits Persian text into words."""

from __future__ import annotations

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.persian import Word, words
from bot.nlu.spoken import stem


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class PersianTokenizer(Tokenizer):
    """Tokens with folded text, stem (``lemma``) and offsets into the text as it was typed."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings, those that every Rasa tokenizer has."""
        return {
            # Whether intent names are split into several labels, and where.
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            # Pattern that splits tokens further.
            "token_pattern": None,
            # Symbol that splits a prefix off intent names.
            "prefix_separator_symbol": None,
        }

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Splits one attribute of a message into tokens."""
        tokens = [
            Token(word.text, word.start, word.end, {"kind": word.kind}, lemma=_lemma(word))
            for word in words(message.get(attribute))
        ]
        return self._apply_token_pattern(tokens)


def _lemma(word: Word) -> str:
    """The stem of a word; a number, a code or an address is its own."""
    return stem(word.text) if word.kind == "word" else word.text
