"""What Peyvand does by itself, from durable rows: due jobs, promises with a clock, half-told complaints.

Every step may be done by several processes at the same time; each row is dealt with once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.gateway.timed import TimedJob
from crm_store.base import utcnow
from crm_store.business import Business, BusinessFile
from crm_store.complaints import jobs as complaint_jobs
from crm_store.complaints.compensation import book_points
from crm_store.db import Database
from crm_store.half_told import remind_of_half_told
from crm_store.handoff import jobs as handoff_jobs
from crm_store.jobs.service import Handler, run_due
from crm_store.loyalty import jobs as loyalty_jobs
from crm_store.loyalty import raffle_telling
from crm_store.loyalty.compensating import ComplaintPoints
from crm_store.loyalty.proof import prove, tell_of_faults
from crm_store.rules import Rules
from crm_store.service_requests import jobs as service_jobs
from crm_store.settings import Settings
from crm_store.sla.sweep import sweep
from crm_store.surveys import jobs as survey_jobs

RUN_EVERY_SECONDS = 3.0
SWEEP_EVERY_SECONDS = 10.0
REMIND_EVERY_SECONDS = 60.0
SURVEY_EVERY_SECONDS = 5.0
CLUB_EVERY_SECONDS = 30.0
HANDOFF_EVERY_SECONDS = 5.0
PROOF_EVERY_SECONDS = 600.0
SWEPT_AT_ONCE = 200


def all_handlers(rules: Callable[[], Rules]) -> dict[str, Handler]:
    """The handlers of all areas, by kind of job."""
    areas = (complaint_jobs, service_jobs, loyalty_jobs, raffle_telling)
    return {kind: handler for area in areas for kind, handler in area.handlers(rules).items()}


class Automatic:
    """The automatic work.

    Args:
        settings: hours and groups.
        database: the store.
        business: the owner's rules, as they are at the moment of each step.
        handlers: by kind of job; those of all areas if left out.
        clock: gives the present moment.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        business: BusinessFile,
        *,
        handlers: Mapping[str, Handler] | None = None,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self._settings = settings
        self._database = database
        self._business = business
        self._clock = clock
        self._rules_of: tuple[Business, Rules] | None = None
        self._handlers = all_handlers(self.rules) if handlers is None else handlers

    def jobs(self) -> list[TimedJob]:
        """What the gateway repeats."""
        return [
            TimedJob("due_jobs", RUN_EVERY_SECONDS, self.run_due_jobs),
            TimedJob("sla_sweep", SWEEP_EVERY_SECONDS, self.keep_promises),
            TimedJob("half_told", REMIND_EVERY_SECONDS, self.remind_of_half_told),
            TimedJob("surveys", SURVEY_EVERY_SECONDS, self.ask_for_opinions),
            TimedJob("club", CLUB_EVERY_SECONDS, self.look_after_the_club),
            TimedJob("hand_overs", HANDOFF_EVERY_SECONDS, self.look_after_hand_overs),
            TimedJob("ledger_proof", PROOF_EVERY_SECONDS, self.prove_the_ledger),
        ]

    # From the threads of these steps the relay must not be woken; it finds what they queue by itself.

    def run_due_jobs(self) -> None:
        """Do what is due."""
        run_due(self._database, self._handlers, now=self._clock())

    def keep_promises(self) -> None:
        """Warn of promises that are about to be broken, and tell of those that are."""
        swept = SWEPT_AT_ONCE
        while swept >= SWEPT_AT_ONCE:
            with self._database.write() as session:
                swept = sweep(session, rules=self.rules(), now=self._clock(), limit=SWEPT_AT_ONCE)

    def remind_of_half_told(self) -> None:
        """Offer complaints again that were left half-told."""
        limits = self._settings.limits
        with self._database.write() as session:
            remind_of_half_told(
                session,
                now=self._clock(),
                timezone=self._settings.business.timezone,
                hour=limits.reminder_hour,
                max_age=timedelta(hours=limits.draft_hours),
            )

    def ask_for_opinions(self) -> None:
        """Ask, remind and end surveys, and tell of low grades that nobody looked after."""
        survey_jobs.ask_due(self._database, rules=self.rules(), now=self._clock())
        survey_jobs.escalate_overdue(self._database, rules=self.rules(), now=self._clock())

    def look_after_the_club(self) -> None:
        """Book points that complaints granted, and have the nightly work done."""
        rules = self.rules()
        if rules.business.loyalty.is_on:
            with self._database.write() as session:
                book_points(session, ComplaintPoints(rules), now=self._clock())
                loyalty_jobs.plan_nightly(session, rules=rules, now=self._clock())

    def look_after_hand_overs(self) -> None:
        """Offer, escalate, end and give back what people were to take over."""
        handoff_jobs.look_after(self._database, rules=self.rules(), now=self._clock())

    def prove_the_ledger(self) -> None:
        """Prove the ledger once a night, and raise the alarm if something is wrong."""
        rules, now = self.rules(), self._clock()
        with self._database.read() as session:
            if not loyalty_jobs.proof_is_due(session, rules=rules, now=now):
                return
        proof = prove(self._database, now=now)
        with self._database.write() as session:
            tell_of_faults(session, proof, rules=rules)

    def rules(self) -> Rules:
        """The rules as the owner has them now; made anew only when they change."""
        business = self._business.current()
        if self._rules_of is None or self._rules_of[0] is not business:
            self._rules_of = (business, Rules.of(self._settings, business))
        return self._rules_of[1]
