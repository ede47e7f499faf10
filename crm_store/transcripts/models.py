"""Table of the transcripts area."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class MessageText(Base):
    """The folded words of a transcript line, for searching; it goes with the line.

    A full-text index stands on it: an FTS5 table with triggers on SQLite (``message_search``), a GIN index of
    ``to_tsvector('simple', folded)`` on PostgreSQL. SQLAlchemy can make neither: the migration does, by
    `FULL_TEXT_MADE`.
    """

    __tablename__ = "message_texts"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    folded: Mapped[str] = mapped_column(Text)


#: Name of the FTS5 table, with which those begin in which SQLite keeps it, and of PostgreSQL's index.
FULL_TEXT, FULL_TEXT_INDEX = "message_search", "ix_message_texts_folded"
_FORGET = (
    "INSERT INTO message_search(message_search, rowid, folded) VALUES ('delete', old.message_id, old.folded);"
)
_LEARN = "INSERT INTO message_search(rowid, folded) VALUES (new.message_id, new.folded);"
#: Statements by dialect, for the migration.
FULL_TEXT_MADE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE message_search USING fts5(folded, content='message_texts', "
        "content_rowid='message_id', columnsize=0, tokenize='unicode61 remove_diacritics 0')",
        f"CREATE TRIGGER message_texts_made AFTER INSERT ON message_texts BEGIN {_LEARN} END",
        f"CREATE TRIGGER message_texts_gone AFTER DELETE ON message_texts BEGIN {_FORGET} END",
        f"CREATE TRIGGER message_texts_changed AFTER UPDATE ON message_texts BEGIN {_FORGET} {_LEARN} END",
    ),
    "postgresql": (
        "CREATE INDEX ix_message_texts_folded ON message_texts USING gin (to_tsvector('simple', folded))",
    ),
}
FULL_TEXT_DROPPED = {
    "sqlite": (
        "DROP TRIGGER message_texts_made",
        "DROP TRIGGER message_texts_gone",
        "DROP TRIGGER message_texts_changed",
        "DROP TABLE message_search",
    ),
    "postgresql": ("DROP INDEX ix_message_texts_folded",),
}
