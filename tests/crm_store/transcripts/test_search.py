"""What was said is found again: folded, by beginnings and phrases, and alike on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import STAFF_ONLY, Conversation, Message
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.merging import merge
from crm_store.db import Database
from crm_store.persian.words import words
from crm_store.transcripts.models import FULL_TEXT, MessageText
from crm_store.transcripts.search import MOST, Hit, Piece, search, snippet_of
from crm_store.transcripts.wanted import read_terms
from tests.factories import a_conversation, a_group, a_member


def say(session: Session, chat: Conversation, words: str, author: str = "customer") -> Message:
    return add_message(session, conversation_id=chat.id, author=author, text=words)


def found(session: Session, typed: str, **chosen: object) -> list[str]:
    return [hit.message.text for hit in hits(session, typed, **chosen)]


def hits(session: Session, typed: str, **chosen: object) -> list[Hit]:
    return search(session, text=typed, **chosen).rows  # type: ignore[arg-type]


def test_a_word_is_found_however_it_is_spelt(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        say(session, chat, "كتاب‌هايم هنوز نرسيده؛ سفارش ۱۲۳۴۵")
        for typed in ("کتاب‌هایم", "كتابهايم", "نرسیده کتاب", "12345", "سفارش١٢٣٤٥", "نرسیییده"):
            assert len(found(session, typed)) == 1, typed
        assert found(session, "ماه") == []


def test_the_beginning_of_a_word_finds_it_and_two_letters_find_only_themselves(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        say(session, chat, "مرسوله‌ام کجاست")
        say(session, chat, "از شما ممنونم")
        assert found(session, "مرسوله") == ["مرسوله‌ام کجاست"]
        assert found(session, "شم") == []
        assert found(session, "شم*") == ["از شما ممنونم"]


def test_what_stands_in_quotes_is_found_only_so(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        say(session, chat, "پول من را پس بدهید")
        say(session, chat, "من پول را بعدا می‌دهم، پس صبر کنید")
        assert len(found(session, "پول پس")) == 2
        assert found(session, "«پس بدهید»") == ["پول من را پس بدهید"]
        assert found(session, '"پس بده"') == []
        assert found(session, '"پس بده"*') == ["پول من را پس بدهید"]
        assert found(session, "«را پس» پول") == ["پول من را پس بدهید"]


@pytest.mark.parametrize(
    "typed",
    [
        "'; DROP TABLE messages; --",
        'سلام" OR folded MATCH "a',
        "سلام AND NOT خوبی",
        "NEAR(سلام خوبی, 2)",
        "{folded}: سلام",
        "^سلام",
        "سلام:* | !خوبی",
        "سلام & (",
        "\\'سلام",
        "«سلام",
        '"""',
        "*",
        "\x00سلام",
        "%s %(a)s :a",
    ],
)
def test_nothing_that_is_typed_is_a_command(database: Database, typed: str) -> None:
    with database.write() as session:
        say(session, a_conversation(session), "سلام خوبی")
        assert search(session, text=typed).place.total in (0, 1)
        assert found(session, "سلام") == ["سلام خوبی"]


def test_it_says_whose_line_it_is_and_leaves_groups_out(database: Database) -> None:
    with database.write() as session:
        chat, (group, _) = a_conversation(session), a_group(session)
        assert chat.identity is not None
        agent = a_member(session)
        say(session, chat, "زودتر رسیدگی کنید")
        say(session, chat, "حتما رسیدگی می‌کنیم", f"staff:{agent.id}")
        whisper = say(session, chat, "این را رسیدگی نکن", f"staff:{agent.id}")
        whisper.audience = STAFF_ONLY
        say(session, group, "رسیدگی در گروه")
        assert [hit.customer_id for hit in hits(session, "رسیدگی")] == [chat.identity.customer_id] * 3
        assert len(found(session, "رسیدگی", staff_id=agent.id)) == 2
        assert len(found(session, "رسیدگی", staff_id=agent.id + 1)) == 0


def test_it_keeps_to_a_person_with_all_their_records_and_to_a_period(database: Database) -> None:
    now = utcnow()
    with database.write() as session:
        one, other, third = (a_conversation(session) for _ in range(3))
        assert one.identity is not None
        assert other.identity is not None
        for chat in (one, other, third):
            say(session, chat, "سلام").created_at = now - timedelta(days=3)
        say(session, one, "سلام دوباره")
        merge(session, into_id=one.identity.customer_id, from_id=other.identity.customer_id, actor="operator")
        own = one.identity.customer_id
        assert len(found(session, "سلام")) == 4
        assert len(found(session, "سلام", customer_id=own)) == 3
        assert found(session, "سلام", customer_id=own, since=now - timedelta(days=1)) == ["سلام دوباره"]
        assert len(found(session, "سلام", until=now - timedelta(days=1))) == 3


def test_the_newest_come_first_a_page_at_a_time(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        for number in range(7):
            say(session, chat, f"پیام {number}")
        first, last = (search(session, text="پیام", number=number, size=3) for number in (1, 3))
        assert [hit.message.text for hit in first.rows] == ["پیام 6", "پیام 5", "پیام 4"]
        assert [hit.message.text for hit in last.rows] == ["پیام 0"]
        assert first.place.total == 7
        assert MOST > 7


def test_an_edit_and_a_deletion_are_followed(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        line = say(session, chat, "آدرس قدیمی")
        rich = say(session, chat, "کد شما <b>۱۲۳۴</b> است &amp; بس", "bot")
        session.flush()
        line.text = "نشانی تازه"
        session.flush()
        assert found(session, "قدیمی") == []
        assert found(session, "نشانی") == ["نشانی تازه"]
        assert found(session, "amp") == []
        line.text = "…"
        session.flush()
        assert found(session, "نشانی") == []
        session.execute(delete(Message).where(Message.id == rich.id))
        assert found(session, "1234") == []
        assert session.scalar(select(func.count()).select_from(MessageText)) == 0


def test_the_index_of_sqlite_forgets_words_when_the_store_is_compacted(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        say(session, chat, "رازیگوییامدن سلام")
        say(session, chat, "سلام")
    with sqlite_database.write() as session:
        session.execute(delete(Message).where(Message.text.startswith("راز")))
    sqlite_database.compact()
    with sqlite_database.read() as session:
        blocks = session.execute(text(f"SELECT block FROM {FULL_TEXT}_data")).scalars()
        assert not any("رازیگ".encode() in block for block in blocks)
        assert found(session, "سلام") == ["سلام"]


def test_a_snippet_shows_the_first_match_with_what_stands_around_it() -> None:
    pieces = snippet_of("الف " * 60 + "سفارش‌هایم نرسید " + "ب " * 200, read_terms("نرسید سفارش"))
    assert [piece.text for piece in pieces if piece.is_match] == ["سفارش‌هایم", "نرسید"]
    assert pieces[0] == Piece("…", False)
    assert pieces[-1].text.endswith("…")
    assert len("".join(piece.text for piece in pieces)) < 260
    assert snippet_of("سلام", read_terms("سلام")) == [Piece("سلام", True)]
    assert snippet_of("", read_terms("سلام")) == []


WORDS = [
    "سلام",
    "سلامت",
    "كتاب",
    "کتاب‌ها",
    "می‌خواهم",
    "پول",
    "order",
    "Order-12",
    "۱۲",
    "123",
    "no",
    "آب",
    "ﻻ",
]
GAPS = [" ", "، ", "\n", "-", ".", "_", "'", "/", "\u200c", "@", "", "  ", "»", "&", "<", "\u064b"]
lines = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=8).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)
anything = st.text(max_size=12).map(lambda line: line.replace("\x00", ""))
asked = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda parts: f"«{' '.join(parts)}»"),
    st.sampled_from(WORDS).map(lambda word: word[:2] + "*"),
    anything,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(lines | anything, min_size=1, max_size=8), typed=st.lists(asked, min_size=1, max_size=6))
def test_both_databases_find_the_same_as_reading_all_lines_would(
    both: tuple[Database, Database], said: list[str], typed: list[str]
) -> None:
    answers = []
    for database in both:
        with database.write() as session:
            session.execute(delete(Message))
            session.execute(update(Conversation).values(last_seq=0))
            chat = session.scalars(select(Conversation)).first() or a_conversation(session)
            for line in (*said, *typed):
                say(session, chat, line.encode("utf-8", "ignore").decode())
            answers.append([sorted(found(session, one)) for one in typed])
            owner = customer_of(chat)
            answers.append([sorted(found(session, one, customer_id=owner)) for one in typed])
    expected = [sorted(line for line in (*said, *typed) if _fits(line, one)) for one in typed]
    wanted = [[_clean(line) for line in lines] for lines in expected]
    assert answers == [wanted] * 4, "with the index and without, on both databases"


def _clean(line: str) -> str:
    return line.encode("utf-8", "ignore").decode()


def _fits(line: str, typed: str) -> bool:
    terms = read_terms(typed)
    return bool(terms) and all(term.places(words(line)) for term in terms)


@pytest.fixture
def both(sqlite_database: Database, postgres_database: Database) -> tuple[Database, Database]:
    return sqlite_database, postgres_database
