"""Two requests in one message: «امتیازم چنده و شکایتم چی شد؟».

A message is cut where people join requests, and each piece is understood for itself. Cut it stays only where
the pieces certainly mean different things, each of them something to do, and account together for what the
whole seems to mean. A wrong cut is worse than a missed one: the story of a complaint has many sentences and
one wish. No Rasa here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from math import prod
from typing import NamedTuple

from bot.nlu.asking import asks, may_end_a_clause
from bot.nlu.persian import Word, words
from crm_store.persian import fold

Ranking = Sequence[tuple[str, float]]
Rank = Callable[[str], Ranking]

#: The attribute of a message that holds its requests, where there are several.
REQUESTS = "requests"
#: More requests than this in one message are not looked for.
MOST_REQUESTS = 3
#: A message with more words, or more places to cut it, tells a story.
MOST_WORDS = 40
MOST_GAPS = 8
#: Fewest words of a request.
FEWEST_WORDS = 2
#: Longest answer or courtesy, in words and marks.
SHORT = 6
#: How many words before «هم» another request may begin: «آدرس شعبه رو هم بگید».
BEFORE_TOO = 3

#: What stands before and behind requests, and is left out where a message is cut: a greeting that is read
#: along with a question may pass for all of it.
COURTESIES = frozenset({"greet", "thank", "goodbye"})
#: What nobody asks for: answers to us, talk about the talk, and what is not ours.
NO_REQUESTS = COURTESIES | {
    *("affirm", "deny", "skip", "cancel"),
    *("help", "explain", "bot_challenge", "out_of_scope"),
}
#: What the story of a complaint speaks of without asking for it; a trailing underscore stands for all such.
IN_A_STORY = ("complaint_", "service_", "survey_", "profile_link", "request_human", "faq")
#: An answer to a survey is told and not asked for; so is a number that is to be kept, where one is given.
TOLD = "survey_answer"
TOLD_WITH_A_NUMBER = "profile_update"
NUMBERS = ("phone", "email", "number")
#: Each of these takes back what the other one says.
CONTRADICTION = {"marketing_opt_in", "marketing_opt_out"}

#: Where somebody is to come belongs to the request and changes nobody's profile, unless it is said apart.
TO_COME, ADDRESS = "service_request", "profile_update"
#: Behind the first somebody gives the number to call; what they mean may seem to be one of the second.
WITH_A_NUMBER = frozenset({"service_request", "complaint_file"})
GIVING_A_NUMBER = frozenset({"profile_link", "profile_update"})

#: From here on somebody greets or thanks and does no more.
COURTEOUS = 0.7
#: What each part means must be among the likeliest meanings of the whole, or have this confidence there:
#: «امتیازای مهر و آبانم کجا خرج شد» asks once, whatever «امتیازای مهر» would mean by itself.
SHOWS_IN_THE_WHOLE = 0.05


class Joint(IntEnum):
    """How clearly one thing ends and another begins."""

    NOTHING = 0
    """Only the verb before shows that a clause ends."""
    LINK = 1
    """«و», «هم», a comma: between requests as well as within one."""
    SENTENCE = 2
    """A sentence or a line ends."""
    ADDITION = 3
    """«راستی», «ضمناً»: something else comes."""


#: Least confidence of either of two neighbours; behind a clear word that of what is answered at all.
CERTAIN = {Joint.NOTHING: 0.9, Joint.LINK: 0.8, Joint.SENTENCE: 0.75, Joint.ADDITION: 0.5}
#: The same where one of them may be part of the other's story; a mere link tells them never apart.
CERTAIN_IN_A_STORY = {Joint.NOTHING: 1.1, Joint.LINK: 1.1, Joint.SENTENCE: 0.9, Joint.ADDITION: 0.8}
LEAST_CERTAIN = min(CERTAIN.values())

_SENTENCE_ENDS = frozenset("؟?!.؛;…")
_COMMAS = frozenset("،,")
_TOO = frozenset({"هم", "ham"})


def _folded(*phrases: str) -> tuple[tuple[str, ...], ...]:
    """Phrases as the words they are found by, the longest first."""
    return tuple(sorted((tuple(fold(phrase).split()) for phrase in phrases), key=len, reverse=True))


_JOINING = (
    (
        Joint.ADDITION,
        _folded(
            *("راستی", "ضمنا", "در ضمن", "همچنین", "هم چنین", "بعدشم", "بعدش هم", "بعد هم"),
            *("یه چیز دیگه", "یک چیز دیگر", "و اینکه", "و این که", "rasti", "zemnan", "dar zemn"),
        ),
    ),
    (Joint.LINK, _folded("و", "بعد", "بعدش", "سپس", "va")),
)


class Request(NamedTuple):
    """One request of a message.

    Attributes:
        start: Its first character, in code points of the text as typed; a greeting and
            what joins it to the one before are left out.
        end: One past its last character; marks are part of it.
        intent: What is asked.
        confidence: How certain that is, 0 to 1.
    """

    start: int
    end: int
    intent: str
    confidence: float


class Gap(NamedTuple):
    """A place to cut a text.

    Attributes:
        end: Where the part before ends, with its marks, in code points.
        start: Where the part after begins, without what joins it.
        joint: What stands between.
    """

    end: int
    start: int
    joint: Joint


def find_requests(text: str, rank: Rank, whole: Ranking | None = None) -> list[Request]:
    """Finds what a message asks for.

    Args:
        text: What somebody wrote.
        rank: Ranks the intents that its sender may mean with their confidences, best first
            (`bot.nlu.intent_model.IntentModel.rank`).
        whole: The ranking of the whole text, where it is known already.

    Returns:
        The requests in the order of the text, at most `MOST_REQUESTS`, all of different intents; for an
        ordinary message one of the whole text, whatever it means.
    """
    return _Search(text, rank, whole).requests()


def find_gaps(text: str) -> list[Gap]:
    """The places where a text may be cut into requests, in their order."""
    found = list(_words_and_marks(text))
    gaps: dict[int, Gap] = {}
    index = 0
    while index < len(found):
        after, joint = _joint_at(text, found, index)
        if joint is not None and index > 0 and after < len(found):
            gaps[found[after].start] = Gap(_end_before(found, index), found[after].start, joint)
        if found[index].text in _TOO and not gaps:
            gaps = _gaps_before_too(found, index)
        index = max(after, index + 1)
    gaps = gaps or _gaps_behind_verbs(found)
    return [gaps[start] for start in sorted(gaps)]


class _Search:
    """The search in one text."""

    def __init__(self, text: str, rank: Rank, whole: Ranking | None) -> None:
        self._text = text
        self._rank = rank
        self._ranked: dict[tuple[int, int], Ranking] = {(0, len(text)): whole} if whole else {}
        self._found = list(_words_and_marks(text))
        self._length = sum(not _is_mark(word) for word in self._found)
        gaps = find_gaps(text) if self._length <= MOST_WORDS else []
        self._gaps = gaps if len(gaps) <= MOST_GAPS else []
        self._end = self._end_of_requests()

    def requests(self) -> list[Request]:
        """See `find_requests`."""
        found = self._from(0, MOST_REQUESTS)
        is_several = len(found) > 1 and self._explain_the_whole(found)
        if not is_several:
            return [self._with_its_number() or self._request(0, len(self._text))]
        return self._with_its_address(found) or found

    def _with_its_address(self, found: list[Request]) -> list[Request]:
        """One request of the whole text where the parts are a request and where to come; else none."""
        joints = {gap.start: gap.joint for gap in self._gaps}
        is_apart = any(joints.get(part.start) == Joint.ADDITION for part in found[1:])
        if is_apart or {part.intent for part in found} != {TO_COME, ADDRESS}:
            return []
        request = next(part for part in found if part.intent == TO_COME)
        return [request._replace(start=0, end=len(self._text))]

    def _with_its_number(self) -> Request | None:
        """What is asked where a number to call stands behind it: a text that is read with it is none of both.

        «پیک دیر رسید، شماره‌م ۰۹۱۲…» complains; nobody asks to be known by the number.
        """
        whole = self._request(0, len(self._text))
        is_clear = whole.confidence >= CERTAIN[Joint.LINK] and whole.intent not in GIVING_A_NUMBER
        last = self._gaps[-1] if self._gaps and not is_clear else None
        if last is None:
            return None
        behind = [word for word in self._found if word.start >= last.start]
        if len(behind) > SHORT or not any(word.kind == NUMBERS[0] for word in behind):
            return None
        before = self._request(0, last.end)
        is_clearer = before.confidence > min(whole.confidence, CERTAIN[Joint.LINK])
        return before._replace(end=len(self._text)) if is_clearer and before.intent in WITH_A_NUMBER else None

    def _from(self, start: int, at_most: int) -> list[Request]:
        """What is asked from a place on: the most certain way to cut there, or one request."""
        best, certainty = [self._request(start, self._end)], 0.0
        for gap in self._gaps if at_most > 1 else ():
            if not start < gap.start < self._end or not self._is_worth_ranking(start, gap):
                continue
            head = self._request(start, gap.end)
            if _is_courtesy(head):
                return self._from(gap.start, at_most)
            if not self._is_request(head):
                continue
            parts = [head, *self._from(gap.start, at_most - 1)]
            least = min(part.confidence for part in parts)
            if least > certainty and self._are_apart(parts, gap.joint):
                best, certainty = parts, least
        return best

    def _end_of_requests(self) -> int:
        """Where thanks begin that end the message; the end of the text if there are none."""
        end = len(self._text)
        for gap in reversed(self._gaps[1:]):
            is_short = sum(gap.start <= word.start < end for word in self._found) <= SHORT
            if not is_short or not _is_courtesy(self._request(gap.start, end)):
                break
            end = gap.end
        return end

    def _is_worth_ranking(self, start: int, gap: Gap) -> bool:
        """Whether what stands before a gap may be a request or a courtesy: a ranking takes up to 50 ms."""
        before = [word.text for word in self._found if start <= word.start < gap.end]
        return gap.joint == Joint.ADDITION or len(before) <= SHORT or asks(before)

    def _request(self, start: int, end: int) -> Request:
        intent, confidence = self._ranking(start, end)[0]
        return Request(start, end, intent, confidence)

    def _ranking(self, start: int, end: int) -> Ranking:
        if (start, end) not in self._ranked:
            self._ranked[start, end] = self._rank(self._text[start:end])
        return self._ranked[start, end]

    def _is_request(self, part: Request) -> bool:
        is_certain = part.confidence >= LEAST_CERTAIN and part.intent not in NO_REQUESTS
        length = sum(part.start <= word.start < part.end and not _is_mark(word) for word in self._found)
        return is_certain and length >= FEWEST_WORDS

    def _are_apart(self, parts: list[Request], joint: Joint) -> bool:
        """Whether the first part is a request of its own beside the others."""
        first, second = parts[0].intent, parts[1].intent
        intents = {part.intent for part in parts}
        if len(intents) < len(parts) or intents >= CONTRADICTION or not self._is_request(parts[1]):
            return False
        needed = (CERTAIN_IN_A_STORY if _may_be_one_matter(first, second) else CERTAIN)[joint]
        if min(parts[0].confidence, parts[1].confidence) < needed:
            return False
        if joint == Joint.ADDITION:
            return True
        whole = self._ranking(parts[0].start, self._end)
        shown = {intent for intent, confidence in whole if confidence >= SHOWS_IN_THE_WHOLE}
        shown |= {intent for intent, _ in whole[: len(parts)]}
        return all(part.intent in shown and self._asks(part) for part in parts[:2])

    def _asks(self, part: Request) -> bool:
        inside = [word for word in self._found if part.start <= word.start < part.end]
        gives_number = part.intent == TOLD_WITH_A_NUMBER and any(word.kind in NUMBERS for word in inside)
        return part.intent == TOLD or gives_number or asks(word.text for word in inside)

    def _explain_the_whole(self, found: list[Request]) -> bool:
        """Whether nothing else explains the whole better than the parts together do."""
        intents = {part.intent for part in found}
        ranking = self._ranking(0, len(self._text))
        other = next((confidence for intent, confidence in ranking if intent not in intents), 0.0)
        return prod(part.confidence for part in found) > other


def _is_courtesy(part: Request) -> bool:
    return part.intent in COURTESIES and part.confidence >= COURTEOUS


def _may_be_one_matter(first: str, second: str) -> bool:
    """Whether one of two may only be told for the other's sake."""
    if second == "profile_link":
        # A number that is given with a request is a detail of it.
        return True
    return "complaint_file" in (first, second) and all(one.startswith(IN_A_STORY) for one in (first, second))


def _words_and_marks(text: str) -> Iterator[Word]:
    """The words of a text; a comma that was typed at a Latin word stands for itself."""
    for word in words(text):
        bare = word.text.rstrip(",;")
        if word.kind == "word" and bare and bare != word.text:
            cut = word.end - (len(word.text) - len(bare))
            yield word._replace(text=bare, end=cut)
            yield word._replace(text=word.text[len(bare) :], start=cut)
        else:
            yield word


def _is_mark(word: Word) -> bool:
    return not any(character.isalnum() for character in word.text)


def _joint_at(text: str, found: list[Word], index: int) -> tuple[int, Joint | None]:
    """What joins the words before an index to those after; the index of the first of these."""
    joint = None
    if index and "\n" in text[found[index - 1].end : found[index].start]:
        joint = Joint.SENTENCE
    while index < len(found):
        length, kind = _joining(found, index)
        if not length:
            break
        index += length
        line_ends = index < len(found) and "\n" in text[found[index - 1].end : found[index].start]
        joint = max(joint or kind, kind, Joint.SENTENCE if line_ends else kind)
    return index, joint


def _joining(found: list[Word], index: int) -> tuple[int, Joint]:
    """How many words from an index on join requests, and how clearly."""
    marks = set(found[index].text)
    if marks <= _SENTENCE_ENDS | _COMMAS:
        return 1, Joint.LINK if marks <= _COMMAS else Joint.SENTENCE
    for joint, phrases in _JOINING:
        for phrase in phrases:
            if tuple(word.text for word in found[index : index + len(phrase)]) == phrase:
                return len(phrase), joint
    return 0, Joint.LINK


def _end_before(found: list[Word], index: int) -> int:
    """Where the part before a joint ends: marks belong to it."""
    while index < len(found) and _is_mark(found[index]):
        index += 1
    return found[index - 1].end


def _gaps_before_too(found: list[Word], index: int) -> dict[int, Gap]:
    """«… شکایتمو هم ببندید»: where no mark tells, the request begins some words before its «هم»."""
    begins = range(max(1, index - BEFORE_TOO), index)
    return {found[begin].start: Gap(found[begin - 1].end, found[begin].start, Joint.LINK) for begin in begins}


def _gaps_behind_verbs(found: list[Word]) -> dict[int, Gap]:
    """«نوبتم کی هست شکایتم چی شد»: where no mark stands at all, a request ends with its verb."""
    return {
        after.start: Gap(before.end, after.start, Joint.NOTHING)
        for before, after in pairwise(found)
        if may_end_a_clause(before.text) and not _is_mark(after)
    }
