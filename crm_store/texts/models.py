"""Tables of the texts area."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: What can be edited: an answer to a common question, or a wording of a response.
FAQ, RESPONSE = "faq", "response"


class TextVersion(Base):
    """One version of a text; the newest of its kind and key is in force."""

    __tablename__ = "text_versions"
    __table_args__ = (Index("ix_text_versions_kind_key", "kind", "key", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: ``faq`` or ``response``.
    kind: Mapped[str] = mapped_column(String(10))
    #: A topic such as ``hours``, or the name of a response.
    key: Mapped[str] = mapped_column(String(80))
    #: Empty: the text of the business file, or Peyvand's own, is in force again.
    text: Mapped[str] = mapped_column(Text, default="")
    #: ``staff:<id>``.
    actor: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
