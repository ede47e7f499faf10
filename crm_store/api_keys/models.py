"""Table of the API's keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: What a key may allow.
SCOPES = ("purchases", "rewards", "surveys")


class ApiKey(Base):
    """A key; only its hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: What the owner calls it.
    name: Mapped[str] = mapped_column(String(100), unique=True)
    #: The shop whose orders it brings: order ids are unique within a shop.
    shop: Mapped[str] = mapped_column(String(40))
    #: SHA-256 of the key, in hexadecimal; a key is 256 random bits, so it needs no slow hash.
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: Names out of SCOPES.
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
