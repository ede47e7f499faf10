"""Cities and provinces in a message: known names, where they are meant as places.

Most names of towns are nothing else («تبریزم»), some are other words too («سقز», «نور») or stand in the name
of a street or a person («خیابان تهران», «آقای تبریزی»). What tells is the words beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bot.nlu.persian import Phrase, PhraseFinder, Word, words
from bot.nlu.values import Found
from crm_store.persian import fold
from crm_store.persian.calendar_words import word_set

#: «تبریزم», «شیرازه», «بجنوردیم», «مشهدی‌ام», «یزدو»; «تهرانی» is a place only in «تهرانی هستم».
_ENDINGS = word_set("م ام مم یم ایم ه ست س است اس ن اند ید اید ین و رو را ی یام ییم یایم ام am im e o ro")
_OF_ITS_PEOPLE = "ی"
#: «شهر نور», «استان مرکزی», «ساکن بهار».
_KINDS_OF_PLACE = word_set(
    "شهر شهرِ شهرستان استان بندر اهل ساکن مقیم متولد بچه مقصد مبدا مبدأ shahr shahre shahrestan "
    "shahrestane ostan ostane ahle sakene saken bandar"
)
_PREPOSITIONS = word_set(
    "در تو توی داخل به از تا برای واسه برا سمت طرف نزدیک حومه حومه‌ی ارسال شعبه شعبه‌ی نمایندگی "
    "نماینده اومدم رفتم میرم dar too tu tooye be az ta baraye vase ersal shobe"
)
_BESIDE_A_PLACE = word_set(
    "هستم هستیم زندگی ساکنم ساکنیم ارسال میفرستید میفرستین میفرستی بفرستید بفرستین شعبه شعبتون "
    "نمایندگی نماینده پوشش تحویل پست تعمیرکار نصاب سرویسکار hastam hastim zendegi ersal mifrestid "
    "miferestid mifrestin shobe"
)
#: «خیابان تهران», «خلیج فارس», «آقای تهران»: the name of something or somebody else.
_NAMED_AFTER = word_set(
    "خیابان خیابون خیابانِ خ کوچه بلوار بولوار میدان میدون فلکه اتوبان اتوبانِ بزرگراه جاده پل پارک "
    "هتل رستوران کافه بیمارستان دانشگاه مدرسه دبستان مسجد بانک پاساژ مجتمع برج خلیج شهید امام آقای "
    "خانم khiaban khiabane khiaboon kooche meydan meydoon meydane bolvar bolvare otoban hotel pasazh "
    "aghaye khanome"
)
_CONNECTING = word_set("و یا ، , - / o va ya")
_I_AM = word_set("هستم هستیم ام hastam hastim")
#: What may stand beside a name that is the whole answer.
_COURTESY = word_set("سلام درود هستم هستیم لطفا ممنون شهر از تو توی در به salam hastam lotfan shahr")


class _Place(NamedTuple):
    """A known name in a message, by the places of its words."""

    phrase: Phrase
    first: int
    last: int


class CityFinder:
    """Finds cities and provinces."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        """Prepares the search.

        Args:
            lists: The contents of ``data/shared/cities.yml``: ``places``, spellings by name; the spellings
                that are ``unsure`` or ``rare`` as places; ``several``, places by a name that they share;
                ``others``, words that look like a place with an ending.
        """
        self._several: Mapping[str, Sequence[str]] = lists["several"]
        self._unsure = _folded(lists["unsure"])
        self._rare = _folded(lists["rare"])
        self._others = _folded(lists["others"])
        phrases = {name: _spellings([name, *more]) for name, more in lists["places"].items()}
        phrases |= {name: [name] for name in self._several}
        self._finder = PhraseFinder(phrases, endings=_ENDINGS)

    def find(self, text: str) -> list[Found]:
        """Finds the places in a text.

        Args:
            text: Any text.

        Returns:
            Places in the order of the text, without endings; the value is the name in standard spelling.
        """
        phrases = self._finder.find(text)
        if not phrases:
            return []
        known = words(text)
        places = [_Place(phrase, *_span(phrase, known)) for phrase in phrases]
        return [self._found(place.phrase) for place in places if self._is_meant(place, places, known, text)]

    def _found(self, phrase: Phrase) -> Found:
        candidates = tuple(self._several.get(phrase.label, ()))
        value = None if candidates else phrase.label
        return Found(phrase.start, phrase.bare_end, "city", value, candidates)

    def _is_meant(self, place: _Place, places: list[_Place], known: list[Word], text: str) -> bool:
        before = known[place.first - 1].text if place.first else ""
        after = [word.text for word in known[place.last + 1 : place.last + 3]]
        written = fold(text[place.phrase.start : place.phrase.end])
        bare = fold(text[place.phrase.start : place.phrase.bare_end])
        if before in _NAMED_AFTER or written in self._others:
            return False
        is_doubtful = bare in self._unsure or bare in self._rare
        if written == bare + _OF_ITS_PEOPLE:
            return not is_doubtful and bool(_I_AM & set(after[:1]))
        if not is_doubtful or before in _KINDS_OF_PLACE or self._is_listed(place, places, known, text):
            return True
        if bare in self._rare:
            return False
        return before in _PREPOSITIONS or bool(_BESIDE_A_PLACE & set(after)) or _is_alone(place, known)

    def _is_listed(self, place: _Place, places: list[_Place], known: list[Word], text: str) -> bool:
        """Whether a surer place stands beside it: «شیراز و فسا», «نور مازندران»."""
        for other in places:
            doubted = fold(text[other.phrase.start : other.phrase.bare_end])
            if other is place or doubted in self._unsure or doubted in self._rare:
                continue
            between = known[place.last + 1 : other.first] or known[other.last + 1 : place.first]
            gap = max(other.first - place.last, place.first - other.last) - 1
            if gap <= 1 and all(word.text in _CONNECTING for word in between):
                return True
        return False


def _is_alone(place: _Place, known: list[Word]) -> bool:
    rest = [word.text for word in (*known[: place.first], *known[place.last + 1 :])]
    return all(word in _COURTESY or not word.isalnum() for word in rest)


def _span(phrase: Phrase, known: list[Word]) -> tuple[int, int]:
    inside = [place for place, word in enumerate(known) if phrase.start <= word.start < phrase.end]
    return inside[0], inside[-1]


def _spellings(names: Sequence[str]) -> list[str]:
    """Names of several words together as well; in Latin letters that would be another word."""
    return [*names, *(name.replace(" ", "") for name in names if " " in name and not name.isascii())]


def _folded(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(map(fold, texts))
