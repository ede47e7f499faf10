"""What the Bot API's updates mean for us."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gateway.channels.bot_api_updates import parse_update
from crm_store.inbox import storable

SARA = {"id": 7, "is_bot": False, "first_name": "سارا", "last_name": "رضایی", "username": "sara"}
CHAT = {"id": 7, "type": "private"}


def update(**content: Any) -> dict[str, Any]:
    return {"update_id": 1, "message": {"message_id": 5, "from": SARA, "chat": CHAT, "date": 0, **content}}


def test_a_text_keeps_who_wrote_it_and_where() -> None:
    incoming = parse_update(update(text="/start {x}"))
    assert (incoming.kind, incoming.text, incoming.chat_id, incoming.message_id) == (
        "text",
        "/start {x}",
        "7",
        "5",
    )
    assert (incoming.user_id, incoming.display_name, incoming.username) == ("7", "سارا رضایی", "sara")


def test_of_a_photos_sizes_the_largest_is_taken() -> None:
    sizes = [{"file_id": "small", "file_size": 10}, {"file_id": "large", "file_size": 99}]
    incoming = parse_update(update(photo=sizes, caption="ببینید", media_group_id="a1"))
    assert incoming.media[0].file_id == "large"
    assert incoming.media[0].mime_type == "image/jpeg"
    assert (incoming.text, incoming.media_group_id) == ("ببینید", "a1")


def test_an_animation_is_a_video_though_it_also_carries_a_document() -> None:
    file = {"file_id": "f", "mime_type": "video/mp4", "file_size": 3}
    incoming = parse_update(update(animation=file, document=file))
    assert [media.kind for media in incoming.media] == ["video"]


def test_a_contact_is_own_only_with_the_senders_id() -> None:
    own = parse_update(update(contact={"phone_number": "98912", "first_name": "س", "user_id": 7})).contact
    other = parse_update(update(contact={"phone_number": "98912", "first_name": "س", "user_id": 8})).contact
    typed = parse_update(update(contact={"phone_number": "98912", "first_name": "س"})).contact
    assert [card and card.own for card in (own, other, typed)] == [True, False, False]


def test_a_venue_is_a_location_with_a_title() -> None:
    place = {"latitude": 35.7, "longitude": 51.4}
    incoming = parse_update(
        update(location=place, venue={"location": place, "title": "شعبه", "address": "ونک"})
    )
    assert incoming.kind == "location"
    assert incoming.location is not None
    assert incoming.location.title == "شعبه ونک"


@pytest.mark.parametrize("kind", ["sticker", "dice", "poll", "something_of_next_year"])
def test_what_cannot_be_read_is_unsupported_not_ignored(kind: str) -> None:
    assert parse_update(update(**{kind: {"x": 1}})).kind == "unsupported"


@pytest.mark.parametrize("kind", ["pinned_message", "new_chat_members", "message_auto_delete_timer_changed"])
def test_what_a_chat_tells_of_itself_is_ignored(kind: str) -> None:
    assert parse_update(update(**{kind: {"x": 1}})).kind == "ignored"


def test_a_moving_live_location_is_no_edit() -> None:
    message = update(location={"latitude": 1.0, "longitude": 2.0})["message"]
    assert parse_update({"update_id": 1, "edited_message": message}).kind == "ignored"


def test_a_press_below_a_message_that_is_gone_belongs_to_the_persons_chat() -> None:
    incoming = parse_update({"update_id": 1, "callback_query": {"id": "9", "from": SARA, "data": "tok"}})
    assert (incoming.kind, incoming.chat_id, incoming.token) == ("button", "7", "tok")


@pytest.mark.parametrize(
    ("chat_type", "status", "detail"),
    [
        ("private", "kicked", "blocked"),
        ("private", "member", "reachable"),
        ("supergroup", "member", "added"),
        ("supergroup", "left", "removed"),
    ],
)
def test_membership_tells_who_can_be_reached(chat_type: str, status: str, detail: str) -> None:
    change = {"chat": {"id": 7, "type": chat_type}, "from": SARA, "new_chat_member": {"status": status}}
    incoming = parse_update({"update_id": 1, "my_chat_member": change})
    assert (incoming.kind, incoming.detail) == ("membership", detail)


def test_a_bots_own_words_are_ignored() -> None:
    assert parse_update(update(text="x", **{"from": {**SARA, "is_bot": True}})).kind == "ignored"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "poll"])
FIELDS = st.sampled_from(
    ["chat", "from", "text", "photo", "contact", "location", "data", "new_chat_member", "id"]
)


@given(st.dictionaries(KINDS, JSON | st.dictionaries(FIELDS, JSON, max_size=6), max_size=3))
def test_the_strangest_update_is_read_without_an_error(strange: dict[str, Any]) -> None:
    assert parse_update(strange).kind


def test_what_no_database_keeps_is_taken_out() -> None:
    assert storable({"a\x00": ["x\x00y", "\ud83d", 1]}) == {"a": ["xy", "?", 1]}
