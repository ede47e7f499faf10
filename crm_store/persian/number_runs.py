"""Numbers put together from the words and figures they are written with."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from crm_store.persian.number_words import COUNTER_WORDS, ORDINAL_ENDINGS, RIAL, TOMAN, Piece, lex, listed

_HALF = Decimal("0.5")
_ENDLESS = 10**18
_HUNDREDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 30})
_NOT_JUXTAPOSED = listed("یک یه نه yek ye do se noh si")
_COUNTED = re.compile(f"(?!(?:{TOMAN}|{RIAL})$){COUNTER_WORDS}")


class Token(NamedTuple):
    """A word, or a number of one word or several.

    Attributes:
        text: As it stands in the folded text.
        start: Its first character in the folded text.
        end: One past its last character.
        number: Its value; None for a word.
        digits: How many figures were typed; 0 for words.
        ordinal: Whether it counts places: «سوم», «۱۵ام».
        scale: The largest of هزار, میلیون and so on in it; 1 if there is none.
        meant: What is mostly meant where a word is left out: 1,200,000 for «یک میلیون و دویست».
        parts: Of how many words and figures it is.
    """

    text: str
    start: int
    end: int
    number: Decimal | int | None = None
    digits: int = 0
    ordinal: bool = False
    scale: int = 1
    meant: Decimal | int | None = None
    parts: int = 1


# Numbers, amounts, points, ratings and dates of one message are read from the same tokens.
@lru_cache(maxsize=8)
def read_tokens(folded: str) -> list[Token]:
    """Reads the words and the numbers of a text; a number of several words is one token.

    Args:
        folded: Folded text.

    Returns:
        The tokens in the order of the text, with offsets into it; marks between them are left out. The list
        is shared: it must not be changed.
    """
    pieces = list(lex(folded))
    tokens: list[Token] = []
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        if piece.kind in {"word", "and"}:
            tokens.append(Token(folded[piece.start : piece.end], piece.start, piece.end))
            place += 1
            continue
        run = _Run(folded, pieces, place)
        place = run.next
        token = run.token()
        if place < len(pieces) and _is_no_ending(token, pieces[place]):
            # «سهو» is a slip, not a three with something to come.
            end = pieces[place].end
            token, place = Token(folded[token.start : end], token.start, end), place + 1
        tokens.append(token)
    return tokens


def _is_no_ending(token: Token, piece: Piece) -> bool:
    return piece.kind == "and" and piece.start == token.end and token.parts == 1 and (token.number or 0) < 40


class _Run:
    """A number as it is read piece by piece.

    A number is a sum of groups below a thousand, each with its scale: `_total` is the sum of those with a
    scale, `_group` the one being read, `_room` what the next value of the group must stay below, and
    `_scale_room` what the next group with its scale must stay below.
    """

    def __init__(self, folded: str, pieces: list[Piece], place: int) -> None:
        self._folded, self._pieces, self._first = folded, pieces, place
        self.next = place + 1
        self._total: int | Decimal = 0
        self._group: int | Decimal | None = None
        self._room, self._scale_room, self._scale, self._largest = 0, _ENDLESS, 1, 1
        self._closed = self._is_ordinal = self._is_added = False
        self._before_group = place + 1
        self._is_number = self._begin(pieces[place])
        while self._is_number and not self._closed and self._step():
            pass

    def token(self) -> Token:
        """The number, or the word if it is none («میلیون» alone)."""
        start, end = self._pieces[self._first].start, self._pieces[self.next - 1].end
        text = self._folded[start:end]
        if not self._is_number:
            return Token(text, start, end)
        value = _whole(self._total + (self._group or 0))
        has_tail = self._scale > 1_000 and self._group is not None
        meant = _whole(self._total + (self._group or 0) * (self._scale // 1_000)) if has_tail else None
        digits = sum(character.isdigit() for character in text)
        parts = self.next - self._first
        return Token(text, start, end, value, digits, self._is_ordinal, self._largest, meant, parts)

    def _begin(self, piece: Piece) -> bool:
        if piece.kind == "scale":
            self._total = self._scale = self._scale_room = self._largest = int(piece.value)
            return piece.value == 1_000
        self._group = piece.value
        if piece.kind == "value":
            self._room = _room(int(piece.value))
        elif piece.kind == "ordinal":
            self._is_ordinal = self._closed = True
        elif piece.kind == "digits" and (ending := self._adjacent(self.next)) is not None:
            text = self._folded[ending.start : ending.end]
            if text in ORDINAL_ENDINGS and (text != "م" or ending.start == piece.end):
                self._is_ordinal = self._closed = True
                self.next += 1
        return True

    def _adjacent(self, place: int) -> Piece | None:
        """The piece at a place, if nothing but a space is before it."""
        if place >= len(self._pieces):
            return None
        between = self._folded[self._pieces[place - 1].end : self._pieces[place].start]
        return self._pieces[place] if between in {"", " "} else None

    def _step(self) -> bool:
        """Takes the next piece, and the «و» before it, if they belong to the number."""
        place, piece = self.next, self._adjacent(self.next)
        is_joined = piece is not None and piece.kind == "and"
        if is_joined:
            place, piece = place + 1, self._adjacent(place + 1)
        if piece is None or not self._take(piece, place, is_joined):
            return False
        self.next = place + 1
        return not self._closed

    def _take(self, piece: Piece, place: int, is_joined: bool) -> bool:
        if piece.kind == "scale":
            return self._take_scale(int(piece.value), is_joined)
        if piece.kind == "half":
            return is_joined and self._take_half()
        if piece.kind == "ordinal":
            self._closed = self._is_ordinal = is_joined and piece.value < self._limit()
            self._group = (self._group or 0) + (piece.value if self._closed else 0)
            return self._closed
        if piece.kind == "value":
            return self._take_value(piece, place, is_joined)
        return piece.kind == "digits" and self._take_digits(piece, place, is_joined)

    def _limit(self) -> int:
        return self._room if self._group is not None else self._scale_room

    def _take_scale(self, scale: int, is_joined: bool) -> bool:
        if is_joined:
            if self._group is not None or scale >= self._scale_room:
                return False
            self._total += scale
        elif self._group is not None and scale < self._scale_room:
            self._total += self._group * scale
        elif self._total and self._total < scale and (self._group is None or self._is_added):
            self._total = (self._total + (self._group or 0)) * scale  # «هزار و دویست میلیون»
        else:
            if self._group is not None:  # «دو میلیون سه میلیون»: the three is another number's
                self.next, self._group = self._before_group, None
            self._closed = True
            return False
        self._group = None
        self._scale = self._scale_room = scale
        self._largest = max(self._largest, scale)
        return True

    def _take_half(self) -> bool:
        if self._group is not None:
            self._group += _HALF
            self._room = 0
        else:
            self._total += self._scale * _HALF
            self._closed = True
        return True

    def _take_value(self, piece: Piece, place: int, is_joined: bool) -> bool:
        value = int(piece.value)
        text = self._folded[piece.start : piece.end]
        if self._group is None:
            return self._open_group(value, _room(value), place, is_joined)
        if value == 100 and not is_joined and self._is_hundreds():
            self._group = 300 if self._group == 30 else self._group * 100
        elif 0 < value < self._room and (is_joined or text not in _NOT_JUXTAPOSED):
            self._group += value
        else:
            return False
        self._room = _room(value)
        return True

    def _is_hundreds(self) -> bool:
        """Whether a «صد» makes hundreds: «چهار صد»; but «نه صد تومن بود» begins with a no."""
        first = self._pieces[self.next - 1]
        text = self._folded[first.start : first.end]
        is_one_word = self.next - self._before_group <= 0 or self.next - 1 == self._first
        is_no = text == "نه" and not self._folded[: first.start].strip()
        return is_one_word and self._group in _HUNDREDS and text not in {"یه", "ye"} and not is_no

    def _open_group(self, value: int, room: int, place: int, is_joined: bool) -> bool:
        following = self._adjacent(place + 1)
        has_scale = following is not None and following.kind in {"scale", "half"}
        if not 0 < value < self._scale_room or not (is_joined or has_scale or (room and value >= 20)):
            return False
        counted = "" if following is None or has_scale else self._folded[following.start : following.end]
        if self._scale > 1_000 and _COUNTED.fullmatch(counted):
            return False  # «دو میلیون و سه روز» is no 2,000,003
        self._before_group = self.next
        self._group, self._room, self._is_added = value, room, is_joined
        return True

    def _take_digits(self, piece: Piece, place: int, is_joined: bool) -> bool:
        value = piece.value
        if self._group is None:
            following = self._adjacent(place + 1)
            has_scale = following is not None and following.kind == "scale"
            if not (is_joined or has_scale) or not isinstance(value, int):
                return False
            return self._open_group(value, 0, place, is_joined)
        is_word = self._pieces[self._first].kind != "digits"
        if not (is_joined and is_word and isinstance(value, int) and 0 < value < self._room):
            return False
        self._group += value
        self._room = 0
        return True


def _room(value: int) -> int:
    return 100 if value >= 100 else 10 if value >= 20 else 0


def _whole(number: int | Decimal) -> int | Decimal:
    return int(number) if number == int(number) and not isinstance(number, int) else number
