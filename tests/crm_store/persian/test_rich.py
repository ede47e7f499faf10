"""Rich text: safe parameters, plain text, runs of one style, and messages cut into parts."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_store.persian import segments, split, to_plain, utf16_length, value

FSI, PDI = "\u2068", "\u2069"
ISOLATES = "\u2066\u2067\u2068"
# Pieces that a message is built of, and the fragments most likely to break a cut.
PIECES = st.sampled_from(
    [
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<code>",
        "</code>",
        "<u>",
        "<",
        ">",
        "&",
        "&amp;",
        "&lt;",
        "&#39;",
        "&#x1F602;",
        FSI,
        PDI,
        "\u2067",
        "😂",
        "👨‍👩‍👧",
        "é",
        "سلام",
        "می‌خواهم",
        ". ",
        "؟ ",
        "!",
        "… ",
        "؛ ",
        " ",
        "\n",
        "۳.۵",
        "»",
    ]
)
RICH = st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=60).map("".join)
LIMITS = st.integers(8, 60)


def visible(text: str) -> str:
    return "".join(c for c in text if not c.isspace() and c not in ISOLATES + PDI)


def test_a_parameter_is_escaped_and_isolated() -> None:
    assert value('<b>علی & "رضا"</b>') == f"{FSI}&lt;b&gt;علی &amp; &quot;رضا&quot;&lt;/b&gt;{PDI}"


def test_a_number_gets_persian_digits_and_a_text_keeps_its_own() -> None:
    assert value(1405) == f"{FSI}۱۴۰۵{PDI}"
    assert value("ORD-12") == f"{FSI}ORD-12{PDI}"


def test_a_parameter_cannot_turn_the_text_around_it() -> None:
    assert value("\u202eali\u2066\u2069\u2069\u202a\x00") == f"{FSI}ali{PDI}"


def test_a_parameter_keeps_its_half_spaces() -> None:
    assert value("می‌خواهم") == f"{FSI}می‌خواهم{PDI}"


def test_every_line_of_a_parameter_is_isolated_by_itself() -> None:
    assert value("یک\r\n\nدو") == f"{FSI}یک{PDI}\n\n{FSI}دو{PDI}"


def test_an_empty_parameter_leaves_nothing_behind() -> None:
    assert value("") == ""


@given(st.text())
def test_a_parameter_is_always_balanced_and_never_makes_a_tag(text: str) -> None:
    rich = value(text)
    assert rich.encode("utf-8").decode("utf-8") == rich
    for line in rich.split("\n"):
        assert line == "" or (line[0], line[-1]) == (FSI, PDI)
        assert not set(line[1:-1]) & set(ISOLATES + PDI + '\u202a\u202b\u202c\u202d\u202e<>"')
    assert all(tags == frozenset() for _, tags in segments(rich))


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))))
def test_a_parameter_is_read_back_as_it_was(text: str) -> None:
    kept = re.sub("[\u202a-\u202e\u2066-\u2069]", "", text)
    assert to_plain(value(text)) == (f"{FSI}{kept}{PDI}" if kept else "")


def test_plain_text_has_no_tags_and_no_entities() -> None:
    assert to_plain("<b>سلام</b> <i>&lt;b&gt;</i> <code>a&amp;lt;</code>&#39;&quot;") == "سلام <b> a&lt;'\""


@pytest.mark.parametrize(
    "text", ["<u>x</u>", "<B>x</B>", "<b class='x'>", "a < b > c", "AT&T &nbsp; &copy", "<script>", "<b"]
)
def test_what_is_not_one_of_the_three_tags_is_text(text: str) -> None:
    assert to_plain(text) == text
    assert segments(text) == [(text, frozenset())]
    assert [to_plain(part) for part in split(text)] == [text]


def test_segments_carry_all_tags_around_them() -> None:
    assert segments("الف<b>ب<i>&lt;</i></b><code>د</code>") == [
        ("الف", frozenset()),
        ("ب", frozenset({"b"})),
        ("<", frozenset({"b", "i"})),
        ("د", frozenset({"code"})),
    ]


def test_tags_closed_in_the_wrong_order_or_never_still_give_segments() -> None:
    assert segments("</i><b>1<i>2</b>3") == [
        ("1", frozenset({"b"})),
        ("2", frozenset({"b", "i"})),
        ("3", frozenset({"i"})),
    ]


@given(RICH)
def test_segments_joined_are_the_plain_text(rich: str) -> None:
    runs = segments(rich)
    assert "".join(text for text, _ in runs) == to_plain(rich)
    assert all(text and tags <= {"b", "i", "code"} for text, tags in runs)
    assert all(first[1] != second[1] for first, second in pairwise(runs))


def test_a_message_that_fits_stays_as_it_is() -> None:
    rich = f"<b>سلام</b> {value('علی & رضا')}؛ <i>خوش <code>آمدید</code></i>.\n"
    assert split(rich) == [rich]


@pytest.mark.parametrize("rich", ["", "  \n ", "<b></b>", FSI + PDI])
def test_nothing_to_see_makes_no_message(rich: str) -> None:
    assert split(rich) == []


@pytest.mark.parametrize(
    ("rich", "parts"),
    [
        ("سلام. خوبید شما؟ بله ممنون", ["سلام. خوبید شما؟", "بله ممنون"]),
        ("یک خط\nو یک خط دیگر", ["یک خط", "و یک خط دیگر"]),
        ("سلام خوبی؟چه خبر از کار", ["سلام خوبی؟", "چه خبر از کار"]),
        ("او گفت «برو.» بعد رفتند", ["او گفت «برو.»", "بعد رفتند"]),
        ("نمره ۳.۵ شد؛ خیلی خوب بود", ["نمره ۳.۵ شد؛", "خیلی خوب بود"]),
        ("یک جمله بدون پایان است", ["یک جمله بدون", "پایان است"]),
        ("<b>سلام <i>به</i> شما.</b> خوبید؟", ["<b>سلام <i>به</i> شما.</b>", "خوبید؟"]),
        ("یک <b>جمله بدون پایان</b>", ["یک <b>جمله بدون</b>", "<b>پایان</b>"]),
    ],
)
def test_a_message_is_cut_at_the_best_place(rich: str, parts: list[str]) -> None:
    assert split(rich, limit=16) == parts


def test_an_isolate_that_is_cut_is_closed_and_opened_again() -> None:
    assert split(f"نام: {FSI}aaaa bbbb cccc{PDI} بود", limit=15) == [
        f"نام: {FSI}aaaa{PDI}",
        f"{FSI}bbbb cccc{PDI} بود",
    ]


def test_a_long_word_is_cut_between_whole_characters() -> None:
    assert split("ab" + "😂" * 7, limit=9) == ["ab😂😂😂", "😂😂😂😂"]
    assert split("aaaaaaae\u0301b", limit=8) == ["aaaaaaa", "e\u0301b"]


def test_telegrams_limit_is_measured_in_utf16() -> None:
    assert utf16_length("😂سلام") == 6
    assert [len(part) for part in split("😂" * 3000)] == [2048, 952]
    assert len(split("ا" * 4096)) == 1
    assert len(split("&lt;" * 4096)) == 1


def test_a_limit_too_small_to_make_progress_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        split("سلام", limit=7)


@given(RICH, LIMITS)
@example("<b>" + FSI * 5 + "😂😂😂" + PDI * 5 + "</b>", 8)
def test_splitting_loses_nothing(rich: str, limit: int) -> None:
    assert "".join(visible(to_plain(part)) for part in split(rich, limit)) == visible(to_plain(rich))


@given(RICH, LIMITS)
def test_every_part_respects_the_limit_and_shows_something(rich: str, limit: int) -> None:
    for part in split(rich, limit):
        assert utf16_length(to_plain(part)) <= limit
        assert visible(to_plain(part))


@given(RICH, LIMITS)
def test_every_part_is_well_formed_by_itself(rich: str, limit: int) -> None:
    for part in split(rich, limit):
        open_tags: list[str] = []
        for closing, tag in re.findall(r"<(/?)(b|i|code)>", part):
            if closing:
                assert open_tags.pop() == tag
            else:
                open_tags.append(tag)
        assert open_tags == []
        text_only = re.sub(r"</?(?:b|i|code)>", "", part)
        assert not re.search(r"[<>\"]|&(?!(?:amp|lt|gt|quot);)", text_only)
        depth = 0
        for character in part:
            depth += (character in ISOLATES) - (character == PDI)
            assert depth >= 0
        assert depth == 0


@given(RICH, LIMITS)
def test_every_character_keeps_its_style(rich: str, limit: int) -> None:
    def styled(text: str) -> list[tuple[str, frozenset[str]]]:
        return [(c, tags) for run, tags in segments(text) for c in visible(run)]

    assert [pair for part in split(rich, limit) for pair in styled(part)] == styled(rich)
