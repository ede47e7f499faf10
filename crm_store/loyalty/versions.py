"""The rules of the club as they were in force, so that every posting says by which it was counted."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.loyalty import Loyalty
from crm_store.loyalty.models import LoyaltyRuleVersion


def rules_version(session: Session, loyalty: Loyalty) -> int:
    """The id of a version of the rules, kept when it is new; the same content is the same version."""
    content = loyalty.as_content()
    digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
    known = select(LoyaltyRuleVersion.id).where(LoyaltyRuleVersion.digest == digest)
    found = session.scalar(known)
    if found is None:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        row = {"digest": digest, "content": content, "first_used_at": utcnow()}
        session.execute(
            insert(LoyaltyRuleVersion).values(row).on_conflict_do_nothing(index_elements=["digest"])
        )
        found = session.scalars(known).one()
    return found


def content_of(session: Session, rules_id: int | None) -> dict[str, Any]:
    """What a version says, as it was kept; nothing for no version."""
    version = session.get(LoyaltyRuleVersion, rules_id) if rules_id is not None else None
    return version.content if version is not None else {}
