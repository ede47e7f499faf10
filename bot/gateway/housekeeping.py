"""Carries out what customers decided about their data, and how long it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

import structlog
from sqlalchemy.orm import Session

from bot.gateway.timed import TimedJob
from crm_store.base import utcnow
from crm_store.db import BusyError, Database
from crm_store.errors import ConfigurationError
from crm_store.learning.phrases import LearnedPhrases
from crm_store.learning.queries import taught_by
from crm_store.logs import place_of
from crm_store.privacy import erasure, retention
from crm_store.privacy.files import remove_files
from crm_store.privacy.models import Erasure
from crm_store.privacy.scope import scope_of
from crm_store.privacy.service import pending_erasures
from crm_store.privacy.tracker import Tracker, tracker_url
from crm_store.settings import Settings

log = structlog.get_logger(__name__)

ERASE_EVERY_SECONDS = 3.0
KEEP_EVERY_SECONDS = 3600.0
LONGEST_PAUSE_SECONDS = 600.0
#: A file of a customer's data that was handed over in the web chat stays there so long.
EXPORT_STAYS = timedelta(days=2)
#: A file that no row names may belong to a message that is just being sent.
ORPHAN_AGE = timedelta(days=1)
FILES_AT_ONCE = 500


class _Outside(NamedTuple):
    """A customer's files, the phrases in the training file that come from nobody else, and the staff's chats
    whose dialogue may remember the customer.
    """

    places: list[str]
    phrases: list[str]
    dialogues: list[int]


class Housekeeping:
    """The jobs of the privacy area.

    Args:
        settings: the periods and folders.
        database: the store.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._folder = settings.attachments_path
        #: A turn that was given up may still be running for so long.
        self._settled_for = timedelta(seconds=2 * settings.limits.turn_seconds)
        self._not_before: dict[int, float] = {}
        try:
            tracker_url(settings)
        except ConfigurationError as error:
            log.warning("dialogue_memory_unknown", reason=str(error))

    def jobs(self) -> list[TimedJob]:
        """What the gateway repeats."""
        return [
            TimedJob("erasures", ERASE_EVERY_SECONDS, self.carry_out_erasures),
            TimedJob("retention", KEEP_EVERY_SECONDS, self.carry_out_retention),
        ]

    def carry_out_erasures(self) -> None:
        """Forget those who asked for it and have had their last answer."""
        with self._database.read() as session:
            waiting = [(one.id, one.attempts) for one in pending_erasures(session)]
        for erasure_id, attempts in waiting:
            if time.monotonic() >= self._not_before.get(erasure_id, 0.0):
                self._try(erasure_id, attempts)

    def carry_out_retention(self) -> None:
        """Let go of everything that was kept long enough."""
        periods, now = self._settings.retention, utcnow()

        def since(days: int) -> datetime | None:
            return now - timedelta(days=days) if days else None

        self._forget_raw(since(periods.raw_days), now)
        self._repeat(retention.forget_transcripts, since(periods.transcript_days))
        self._repeat(retention.forget_audit, since(periods.audit_days))
        self._repeat(retention.forget_topics, since(periods.transcript_days))
        self._repeat(retention.forget_callbacks, since(periods.complaint_days))
        self._repeat(retention.forget_handoffs, since(periods.complaint_days))
        self._repeat(retention.forget_notes, since(periods.complaint_days))
        self._repeat(retention.forget_learning, since(periods.learning_days))
        self._repeat_with_files(retention.forget_attachments, since(periods.attachment_days))
        self._repeat_with_files(retention.forget_complaints, since(periods.complaint_days))
        self._repeat_with_files(retention.forget_requests, since(periods.complaint_days))
        self._withdraw_exports(now - EXPORT_STAYS)
        self._remove_orphans(since(periods.attachment_days), now)
        with suppress(BusyError):  # in an hour again
            self._database.settle()

    def _try(self, erasure_id: int, attempts: int) -> None:
        """Carry a wish out; a failure is counted, and all is tried again after a while."""
        try:
            self._carry_out(erasure_id)
        except Exception as error:
            reason = f"{type(error).__name__} in {place_of(error)}"
            log.error("erasure_failed", erasure_id=erasure_id, tries=attempts + 1, reason=reason)
            pause = min(ERASE_EVERY_SECONDS * 2.0 ** min(attempts, 10), LONGEST_PAUSE_SECONDS)
            self._not_before[erasure_id] = time.monotonic() + pause
            with self._database.write() as session:
                erasure.note_failure(session, erasure_id=erasure_id, error=reason)

    def _carry_out(self, erasure_id: int) -> None:
        """Erase everywhere; every step may be done again, and the wish is closed by the last one."""
        customer_id = self._ready_customer(erasure_id)
        if customer_id is None:
            return
        with self._database.read() as session:
            outside = self._outside_the_store(session, customer_id)
        # Before the rows that name them: after a crash between the two they are still known.
        self._remove(outside)
        with self._tracker() as tracker:
            tracker.forget(outside.dialogues)
        with self._database.write() as session:
            outside = self._outside_the_store(session, customer_id)
            conversations = erasure.erase(session, erasure_id=erasure_id, settled_for=self._settled_for)
        if conversations is None:
            return
        self._remove(outside)
        with self._tracker() as tracker:
            tracker.forget([*conversations, *outside.dialogues])
            tracker.compact()
        self._database.compact()
        with self._database.write() as session:
            erasure.note_done(session, erasure_id=erasure_id)
        log.info("customer_erased", erasure_id=erasure_id)

    def _outside_the_store(self, session: Session, customer_id: int) -> _Outside:
        """What is known of a customer elsewhere, as long as the store still says so."""
        conversations = scope_of(session, customer_id=customer_id).conversations
        return _Outside(
            places=erasure.places_of(session, customer_id=customer_id),
            phrases=taught_by(session, conversation_ids=conversations),
            dialogues=erasure.staff_dialogues(session, customer_id=customer_id),
        )

    def _remove(self, outside: _Outside) -> None:
        remove_files(self._folder, outside.places)
        LearnedPhrases(self._settings.learned_path).drop(outside.phrases)

    def _ready_customer(self, erasure_id: int) -> int | None:
        """Whom a wish is about, as soon as nothing of theirs is under way any more."""
        now = utcnow()
        with self._database.read() as session:
            wish = session.get_one(Erasure, erasure_id)
            customer_id, age = wish.customer_id, now - wish.requested_at
            is_quiet = erasure.is_quiet(
                session, customer_id=customer_id, settled_for=self._settled_for, now=now
            )
        if not is_quiet and age > erasure.PATIENCE:
            with self._database.write() as session:
                erasure.give_up_waiting(session, customer_id=customer_id)
        return customer_id if is_quiet and age >= erasure.READING_TIME else None

    @contextmanager
    def _tracker(self) -> Iterator[Tracker]:
        tracker = Tracker(tracker_url(self._settings))
        try:
            yield tracker
        finally:
            tracker.close()

    def _forget_raw(self, before: datetime | None, now: datetime) -> None:
        abandoned = now - timedelta(hours=self._settings.limits.draft_hours)
        self._repeat(retention.forget_buttons, before)
        self._repeat(partial(retention.forget_drafts, abandoned_before=abandoned), before)
        self._repeat(retention.forget_sent, before)
        self._repeat(retention.forget_updates, before)
        self._repeat(retention.forget_jobs, before)
        self._repeat(retention.forget_windows, before)
        self._repeat(retention.forget_focus, before)
        if before is not None:
            with self._tracker() as tracker:
                tracker.forget_before(before)

    def _repeat(self, step: Callable[..., int], before: datetime | None) -> None:
        """Do a step, batch by batch, until nothing is left; None keeps all."""
        while before is not None:
            with self._database.write() as session:
                if not step(session, before=before):
                    return

    def _repeat_with_files(self, step: Callable[..., list[str] | None], before: datetime | None) -> None:
        """Do a step that sets files free; a crash in between leaves files that no row names."""
        while before is not None:
            with self._database.write() as session:
                places = step(session, before=before)
            if places is None:
                return
            remove_files(self._folder, places)

    def _withdraw_exports(self, before: datetime) -> None:
        with self._database.write() as session:
            places = retention.withdraw_exports(session, before=before)
        remove_files(self._folder, places)

    def _remove_orphans(self, before: datetime | None, now: datetime) -> None:
        """Delete files that no row names: uploads whose message never came, and what a crash left."""
        if before is None:
            return
        limit = min(before, now - ORPHAN_AGE).timestamp()
        old = (file for file in self._folder.rglob("*") if file.is_file() and file.stat().st_mtime < limit)
        while batch := [file.relative_to(self._folder).as_posix() for file in islice(old, FILES_AT_ONCE)]:
            with self._database.read() as session:
                known = retention.known_places(session, batch)
            remove_files(self._folder, [place for place in batch if place not in known])
