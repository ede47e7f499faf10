"""Texts that the owner edits at the console: answers to common questions, and wordings of responses.

Every save is a version and none is ever changed: the newest of its kind and key is in force, an empty one
gives the word back to the business file or to Peyvand. `EditedTexts` brings what is in force to every role
within seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.business.parts import Faq
from crm_store.db import Database
from crm_store.errors import Conflict, InvalidInput
from crm_store.texts.models import FAQ, RESPONSE, TextVersion
from crm_store.wording_faults import Faults, faults_of

#: Longest text, in characters: what a messenger takes as one message.
MAX_TEXT = 4000
#: So often a role looks whether something was saved.
LOOK_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Texts(msgspec.Struct, frozen=True):
    """What is in force, by key; what was given back is left out.

    Attributes:
        faq: answers by topic.
        responses: wordings by the response's name.
    """

    faq: Mapping[str, str] = {}
    responses: Mapping[str, str] = {}


class TextRefused(InvalidInput):
    """A text cannot be said as it is; nothing was saved.

    Attributes:
        faults: what is wrong with it.
        is_too_long: it has more than `MAX_TEXT` characters.
    """

    code = "text_refused"

    def __init__(self, faults: Faults, *, is_too_long: bool = False) -> None:
        super().__init__("; ".join(faults.lines()) or "the text is too long")
        self.faults = faults
        self.is_too_long = is_too_long


def current_texts(session: Session) -> Texts:
    """The texts that are in force."""
    newest = select(func.max(TextVersion.id)).group_by(TextVersion.kind, TextVersion.key)
    found: dict[str, dict[str, str]] = {FAQ: {}, RESPONSE: {}}
    for version in session.scalars(select(TextVersion).where(TextVersion.id.in_(newest))):
        if version.text and version.kind in found:
            found[version.kind][version.key] = version.text
    return Texts(found[FAQ], found[RESPONSE])


def faq_in_force(session: Session, faq: Faq) -> Faq:
    """The answers of the business file with those of the console in their place."""
    edited = current_texts(session).faq
    known = {topic: text for topic, text in edited.items() if topic in Faq.__struct_fields__}
    return msgspec.structs.replace(faq, **known)


def newest_id(session: Session, *, kind: str, key: str) -> int:
    """Number of the newest version of a text; 0 when it was never edited."""
    newest = select(func.max(TextVersion.id)).where(TextVersion.kind == kind, TextVersion.key == key)
    return session.scalar(newest) or 0


def history(session: Session, *, kind: str, key: str, limit: int = 50) -> list[TextVersion]:
    """The versions of a text, newest first."""
    own = select(TextVersion).where(TextVersion.kind == kind, TextVersion.key == key)
    return list(session.scalars(own.order_by(TextVersion.id.desc()).limit(limit)))


def save(
    session: Session,
    *,
    kind: str,
    key: str,
    text: str,
    actor: str,
    original: str = "",
    based_on: int | None = None,
    now: datetime | None = None,
) -> TextVersion:
    """Put a text in force; the text that is in force already makes no new version.

    Args:
        kind: ``faq`` or ``response``.
        key: a topic of the FAQ, or a response's name.
        text: rich text; empty to give the word back to the business file or to Peyvand.
        actor: ``staff:<id>``.
        original: of a response, the first of Peyvand's own wordings: its placeholders have to be kept.
        based_on: the version that its editor saw, 0 for none; None to save whatever others did meanwhile.

    Raises:
        InvalidInput: there is no such kind or topic.
        TextRefused: the text cannot be said.
        Conflict: somebody else saved another version meanwhile.
    """
    if kind not in (FAQ, RESPONSE) or (kind == FAQ and key not in Faq.__struct_fields__):
        raise InvalidInput(f"there is no text {kind}:{key}")
    kept = "\n".join(text.strip().splitlines())
    faults = faults_of(kept, original if kind == RESPONSE else None) if kept else Faults()
    if faults or len(kept) > MAX_TEXT:
        raise TextRefused(faults, is_too_long=len(kept) > MAX_TEXT)
    _one_at_a_time(session, kind, key)
    former = history(session, kind=kind, key=key, limit=1)
    if based_on is not None and based_on != (former[0].id if former else 0):
        raise Conflict(f"the text {kind}:{key} was changed meanwhile")
    if former and former[0].text == kept:
        return former[0]
    version = TextVersion(kind=kind, key=key, text=kept, actor=actor, created_at=now or utcnow())
    session.add(version)
    session.flush()
    record_audit(
        session,
        actor=actor,
        action="text.saved",
        target_type="text",
        target_id=f"{kind}:{key}"[:60],
        detail={"version": version.id, "former": former[0].id if former else 0},
    )
    return version


class EditedTexts:
    """The texts that are in force, looked up every few seconds and at the start.

    While the store cannot be read, what was in force last goes on.

    Args:
        database: the store.
        look_seconds: how old what is given may be.
        clock: seconds from any fixed moment.
    """

    def __init__(
        self,
        database: Database,
        *,
        look_seconds: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._look_seconds = look_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._texts = Texts()
        self._newest = 0
        self._looked_at: float | None = None
        self._fails = False

    def current(self) -> Texts:
        """What is in force; the same object as long as nothing was saved."""
        if self._is_old():
            with self._lock:
                # Somebody else may have looked while this one waited.
                if self._is_old():
                    self._look()
                    self._looked_at = self._clock()
        return self._texts

    def _is_old(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= self._look_seconds

    def _look(self) -> None:
        try:
            with self._database.read() as session:
                newest = session.scalar(select(func.max(TextVersion.id))) or 0
                if newest != self._newest:
                    self._texts, self._newest = current_texts(session), newest
            self._fails = False
        except SQLAlchemyError as error:
            if not self._fails:
                log.warning("texts_not_read", error=type(error).__name__)
            self._fails = True


def _one_at_a_time(session: Session, kind: str, key: str) -> None:
    """Let those who save one text follow each other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"text:{kind}:{key}"))))
