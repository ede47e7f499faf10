"""Which surveys there are, and their versions: the file's and the API's, the file's going first."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.business.surveys import SurveyDefinition
from crm_store.errors import InvalidInput
from crm_store.rules import Rules
from crm_store.surveys.models import SurveyVersion

FILE, API = "file", "api"
#: So often a version's number is looked for when others make versions at the same moment.
_TRIES = 20


class Listed(NamedTuple):
    """A survey that there is.

    Attributes:
        definition: as it is now.
        origin: ``file`` or ``api``.
        version: its number; None for one of the file's that was never asked.
    """

    definition: SurveyDefinition
    origin: str
    version: int | None


def listed(session: Session, *, rules: Rules) -> list[Listed]:
    """All surveys, also those that are not asked: the file's in its order, then the API's by their keys."""
    of_file = {item.key: item for item in rules.business.surveys.items}
    numbers = _numbers(session)
    found = [Listed(item, FILE, numbers.get((key, digest_of(item)))) for key, item in of_file.items()]
    for version in _latest_of_api(session):
        if version.key not in of_file:
            found.append(Listed(definition_of(version), API, version.version))
    return found


def survey_in_force(session: Session, *, key: str, rules: Rules) -> SurveyDefinition | None:
    """A survey as it is now, by its key, also one that is not asked; None when there is none."""
    of_file = rules.business.surveys.item(key)
    if of_file is not None:
        return of_file
    latest = select(SurveyVersion).where(SurveyVersion.key == key, SurveyVersion.origin == API)
    version = session.scalar(latest.order_by(SurveyVersion.set_at.desc(), SurveyVersion.id.desc()).limit(1))
    return definition_of(version) if version is not None else None


def active_surveys(session: Session, *, rules: Rules) -> list[SurveyDefinition]:
    """The surveys that are asked, in order."""
    return [one.definition for one in listed(session, rules=rules) if one.definition.is_active]


def set_by_api(
    session: Session,
    *,
    definition: SurveyDefinition,
    rules: Rules | None = None,
    actor: str = "api",
    now: datetime | None = None,
) -> SurveyVersion:
    """Set a survey; another content makes another version, the same content none.

    Args:
        rules: when given, a survey that stands in the business file is refused, for it would not be asked.
        actor: who sets it, for the audit trail.

    Raises:
        InvalidInput: it contradicts itself, or stands in the business file.
    """
    try:
        definition.check()
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    if rules is not None and rules.business.surveys.item(definition.key) is not None:
        raise InvalidInput(f"the survey {definition.key} stands in the business file, which goes first")
    version = version_of(session, definition=definition, origin=API, now=now)
    record_audit(
        session,
        actor=actor,
        action="survey.set",
        target_type="survey",
        target_id=definition.key,
        detail={"version": version.version},
    )
    return version


def version_of(
    session: Session, *, definition: SurveyDefinition, origin: str = FILE, now: datetime | None = None
) -> SurveyVersion:
    """The version that a survey's content is kept as, made when it is new.

    Args:
        origin: ``api`` also makes it the API's latest.
    """
    now, digest = now or utcnow(), digest_of(definition)
    for _ in range(_TRIES):
        known = session.scalar(
            select(SurveyVersion).where(SurveyVersion.key == definition.key, SurveyVersion.digest == digest)
        )
        if known is not None:
            if origin == API:
                known.origin, known.set_at = API, now
                session.flush()
            return known
        highest = select(func.max(SurveyVersion.version)).where(SurveyVersion.key == definition.key)
        row = {
            "key": definition.key,
            "version": (session.scalar(highest) or 0) + 1,
            "digest": digest,
            "content": msgspec.to_builtins(definition),
            "origin": origin,
            "set_at": now,
        }
        # Somebody who makes the same version, or another one with this number, gets there first or waits.
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(insert(SurveyVersion).values(row).on_conflict_do_nothing())
    raise RuntimeError(f"the survey {definition.key} was neither kept nor found")


def definition_of(version: SurveyVersion) -> SurveyDefinition:
    """A survey as it was asked."""
    return msgspec.convert(version.content, SurveyDefinition)


def digest_of(definition: SurveyDefinition) -> str:
    """SHA-256 of a survey's content."""
    return hashlib.sha256(msgspec.json.encode(msgspec.to_builtins(definition), order="sorted")).hexdigest()


def _numbers(session: Session) -> dict[tuple[str, str], int]:
    rows = session.execute(select(SurveyVersion.key, SurveyVersion.digest, SurveyVersion.version))
    return {(key, digest): number for key, digest, number in rows}


def _latest_of_api(session: Session) -> list[SurveyVersion]:
    """The version that was set last of each of the API's surveys, by their keys."""
    of_api = select(SurveyVersion).where(SurveyVersion.origin == API)
    ordered = session.scalars(of_api.order_by(SurveyVersion.set_at, SurveyVersion.id))
    latest = {version.key: version for version in ordered}
    return [latest[key] for key in sorted(latest)]
