"""The fake keeps and refuses texts as Telegram does."""

import pytest

from tests.fakes.bot_api_html import parse_html, parse_plain, utf16_length
from tests.fakes.bot_api_model import BotApiError


def test_tags_become_entities_counted_in_utf16_units() -> None:
    text = parse_html("😀 <b>شکایت <i>شما</i></b>")
    assert text.plain == "😀 شکایت شما"
    assert text.entities == [
        {"type": "bold", "offset": 3, "length": 9},
        {"type": "italic", "offset": 9, "length": 3},
    ]


def test_character_references_are_read_and_unknown_ones_are_kept() -> None:
    assert parse_html("&lt;b&gt; &amp; &quot;&#1587;&#x633; &nbsp; a & b").plain == '<b> & "سس &nbsp; a & b'


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>باز", 'Can\'t find end tag corresponding to start tag "b"'),
        ("سلام</b>", "Unexpected end tag at byte offset 8"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "<a href>x</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
    ],
)
def test_broken_html_is_refused_in_telegrams_words(source: str, reason: str) -> None:
    with pytest.raises(BotApiError) as refused:
        parse_html(source)
    assert refused.value.description == f"Bad Request: can't parse entities: {reason}"


def test_attributes_may_be_quoted_either_way() -> None:
    links = """<a href="https://a.test">x</a><a href='https://b.test'>y</a>"""
    source = f"{links}<blockquote expandable>z</blockquote>"
    assert [entity.get("url") for entity in parse_html(source).entities] == [
        "https://a.test",
        "https://b.test",
        None,
    ]


def test_whitespace_around_a_text_goes_and_entities_move_along() -> None:
    text = parse_html(" \n<b> سلام </b>\n")
    assert (text.plain, text.entities) == ("سلام", [{"type": "bold", "offset": 0, "length": 4}])


def test_isolates_and_half_spaces_survive_but_overrides_and_line_separators_do_not() -> None:
    assert parse_plain("می‌خواهم \u2068PV-1\u2069 \u202bx\u202c\u2028").plain == "می‌خواهم \u2068PV-1\u2069 x"


def test_of_several_direction_marks_only_the_last_survives() -> None:
    assert parse_plain("a\u200f\u200f\u200eb").plain == "a\u200c\u200c\u200eb"


def test_length_is_counted_in_utf16_units() -> None:
    assert utf16_length("س😀") == 3
