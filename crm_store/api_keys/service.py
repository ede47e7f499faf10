"""Keys by which a shop's programs may use the API."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.api_keys.models import SCOPES, ApiKey
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import Conflict, InvalidInput, InvalidTransition, KeyRefused, NotAllowed, NotFound
from crm_store.purchases.models import MAIN_SHOP

#: Begins every key, so that one that got into a file is recognised for what it is.
PREFIX = "pk_"
_RANDOM_BYTES = 32
#: How exactly `ApiKey.last_used_at` is kept: a key in use is not written down with every request.
USED_WITHIN = timedelta(minutes=1)
_SHOP = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_NAME = 100


def create_key(
    session: Session,
    *,
    name: str,
    shop: str = MAIN_SHOP,
    scopes: Sequence[str] = SCOPES,
    actor: str = "operator",
) -> tuple[ApiKey, str]:
    """Make a key.

    Args:
        name: what the owner calls it; no other key has that name, revoked ones included.
        shop: whose orders it brings.
        scopes: names out of `SCOPES`.

    Returns:
        The row, and the key itself, which is kept nowhere and cannot be shown again.

    Raises:
        InvalidInput: the name or the shop is none, or there is no such scope.
        Conflict: a key of that name exists.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME:
        raise InvalidInput(f"a key needs a name of at most {_LONGEST_NAME} characters")
    if not _SHOP.fullmatch(shop):
        raise InvalidInput(f"{shop} is no name of a shop: small Latin letters, digits, - and _")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InvalidInput(f"scopes are out of {', '.join(SCOPES)}")
    if session.scalar(select(ApiKey.id).where(ApiKey.name == name)) is not None:
        raise Conflict(f"there is a key named {name} already")
    key = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    row = ApiKey(name=name, shop=shop, key_hash=_hash(key), scopes=[one for one in SCOPES if one in scopes])
    session.add(row)
    session.flush()
    _audit(session, row, "api_key.create", actor, {"shop": shop, "scopes": row.scopes})
    return row, key


def check_key(
    session: Session, *, key: str, scope: str, notes_use: bool = True, now: datetime | None = None
) -> ApiKey:
    """Whose key it is.

    The key is looked up by its hash: what a wrong one has in common with a right one shows in no time taken.

    Args:
        scope: what it has to allow.
        notes_use: whether its use is written down; not in a unit of work that only reads.

    Raises:
        KeyRefused: there is no such key, or it was revoked.
        NotAllowed: it does not allow this.
    """
    wanted = _hash(key)
    row = session.scalar(select(ApiKey).where(ApiKey.key_hash == wanted))
    is_right = hmac.compare_digest(row.key_hash if row is not None else "", wanted)
    if row is None or not is_right or row.revoked_at is not None:
        raise KeyRefused("this key opens nothing")
    if scope not in row.scopes:
        raise NotAllowed(f"this key does not allow {scope}")
    now = now or utcnow()
    if notes_use and (row.last_used_at is None or row.last_used_at < now - USED_WITHIN):
        row.last_used_at = now
        session.flush()
    return row


def is_noted(key: ApiKey, *, now: datetime | None = None) -> bool:
    """Whether a key's last use is written down already; then looking at it needs no writing."""
    return key.last_used_at is not None and key.last_used_at >= (now or utcnow()) - USED_WITHIN


def keys(session: Session) -> list[ApiKey]:
    """All keys, revoked ones included, the oldest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.id)))


def revoke_key(
    session: Session, *, name: str, actor: str = "operator", now: datetime | None = None
) -> ApiKey:
    """Let a key open nothing from now on.

    Raises:
        NotFound: there is no key of that name.
        InvalidTransition: it was revoked before.
    """
    row = session.scalar(select(ApiKey).where(ApiKey.name == name).with_for_update())
    if row is None:
        raise NotFound(f"there is no key named {name}")
    if row.revoked_at is not None:
        raise InvalidTransition(f"the key {name} was revoked before", state="revoked")
    row.revoked_at = now or utcnow()
    _audit(session, row, "api_key.revoke", actor, {})
    return row


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _audit(session: Session, row: ApiKey, action: str, actor: str, detail: dict[str, Any]) -> None:
    record_audit(session, actor=actor, action=action, target_type="api_key", target_id=row.id, detail=detail)
