"""A year of a business in which things happen that surveys follow, and the rules it is held to."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity, Customer
from crm_store.customers.service import mark_blocked
from crm_store.db import Database
from crm_store.outbox import SENT, OutboxItem
from crm_store.privacy.models import Consent
from crm_store.rules import Rules
from crm_store.surveys.answering import Reading, answer, pass_over, skip, waiting_question
from crm_store.surveys.asking import begin_for, look_at
from crm_store.surveys.follow_ups import escalate_due
from crm_store.surveys.jobs import due
from crm_store.surveys.models import SurveyInvitation
from crm_store.surveys.people import OPEN_STATES
from crm_store.surveys.planning import plan_for, plan_for_list
from tests.factories.surveys import at, rules_with

HOUR = timedelta(hours=1)
#: Something is due every so often in this world.
STEP = 3 * HOUR
#: So many invitations are dealt with in one unit of work; the product takes one at a time.
TOGETHER = 200


@dataclass
class Year:
    """What happens, by chance, and what came of it.

    Attributes:
        asked: when whom a question or a reminder left for, and whether it was the first one of a survey.
        opted_out: since when each of those does not want anything; those who want again are taken out.
        faults: what must not happen.
    """

    database: Database
    customers: int
    chance: random.Random
    rules: Rules = field(default_factory=rules_with)
    opted_out: dict[int, datetime] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    last_asked: dict[int, datetime] = field(default_factory=dict)
    checked_to: int = 0
    _numbers: int = 0

    def run(self, *, days: int = 365) -> None:
        """Live through the year, step by step."""
        self._settle_in()
        begin = at(1, 0)
        for number in range(days * 24 // (STEP // HOUR)):
            now = begin + number * STEP + timedelta(minutes=self.chance.randrange(60))
            with self.database.write() as session:
                self._things_happen(session, now)
                self._people_answer(session, now)
            self._automatic_work(now)
            with self.database.write() as session:
                self._check(session)
        self.figures["planned"] = self._numbers

    def _settle_in(self) -> None:
        with self.database.write() as session:
            people = [Customer() for _ in range(self.customers)]
            session.add_all(people)
            session.flush()
            accounts = [
                ChannelIdentity(customer_id=one.id, channel="telegram", external_id=f"year-{one.id}")
                for one in people
            ]
            session.add_all(accounts)
            session.flush()
            session.add_all(
                Conversation(channel="telegram", chat_id=one.external_id, identity_id=one.id)
                for one in accounts
            )
            self.people = [one.id for one in people]

    def _things_happen(self, session: Session, now: datetime) -> None:
        """Each customer buys or is helped eight times a year; some decide about what they are sent."""
        for customer_id in self._some(8 / 365 * (STEP / HOUR) / 24):
            self._numbers += 1
            occasion = self.chance.choice(["purchase", "purchase", "handoff"])
            plan_for(
                session,
                occasion=occasion,
                subject_id=self._numbers,
                customer_id=customer_id,
                rules=self.rules,
                now=now,
            )
        for customer_id in self._some(0.4 / 365 * (STEP / HOUR) / 24):
            wants = customer_id in self.opted_out and self.chance.random() < 0.5
            session.add(Consent(customer_id=customer_id, purpose="marketing", granted=wants, version="1"))
            if wants:
                del self.opted_out[customer_id]
            else:
                self.opted_out.setdefault(customer_id, now)
            self.figures["decisions"] += 1
        for customer_id in self._some(0.1 / 365 * (STEP / HOUR) / 24):
            mark_blocked(session, channel="telegram", external_id=f"year-{customer_id}")
            self.blocked.add(customer_id)
        for customer_id in self._some(0.3 / 365 * (STEP / HOUR) / 24):
            self._speaks_up(session, customer_id, now)
        if self.chance.random() < 1 / 240:
            some = self._some(0.1)
            plan_for_list(session, key="by_hand", customer_ids=some, rules=self.rules, now=now)
            self.figures["lists"] += 1

    def _some(self, share: float) -> list[int]:
        """A few of the customers, each with this chance."""
        expected = share * len(self.people)
        often = int(expected) + (self.chance.random() < expected % 1)
        return self.chance.sample(self.people, min(often, len(self.people)))

    def _speaks_up(self, session: Session, customer_id: int, now: datetime) -> None:
        self._numbers += 1
        chat = select(Conversation.id).where(Conversation.chat_id == f"year-{customer_id}")
        begin_for(
            session,
            customer_id=customer_id,
            conversation_id=session.scalars(chat).one(),
            inbox_id=self._numbers,
            rules=self.rules,
            now=now,
        )

    def _people_answer(self, session: Session, now: datetime) -> None:
        """Of those who were asked, some answer, some half, some do not want to, and some say nothing."""
        waiting = select(SurveyInvitation).where(SurveyInvitation.state.in_(OPEN_STATES))
        for invitation in session.scalars(waiting.order_by(SurveyInvitation.id)).all():
            mood = self.chance.random()
            if mood < 0.004:
                skip(session, invitation=invitation, now=now)
            elif mood < 0.024:
                self._answer(session, invitation, now)

    def _answer(self, session: Session, invitation: SurveyInvitation, now: datetime) -> None:
        while self.chance.random() < 0.9:
            waiting = waiting_question(session, invitation=invitation)
            if waiting.question is None:
                return
            self._numbers += 1
            about = {"inbox_id": self._numbers, "rules": self.rules, "now": now}
            if waiting.asks_reason or waiting.question.is_optional:
                pass_over(session, invitation=invitation, question=waiting.key, **about)  # type: ignore[arg-type]
                continue
            low, high = waiting.question.ends
            choice = waiting.question.choices[0].key if waiting.question.choices else ""
            reading = Reading(value=self.chance.randint(low, high), choice=choice)
            answer(session, invitation=invitation, question=waiting.key, reading=reading, **about)  # type: ignore[arg-type]

    def _automatic_work(self, now: datetime) -> None:
        while ids := due(self.database, now=now, limit=TOGETHER):
            with self.database.write() as session:
                for invitation_id in ids:
                    done = look_at(session, invitation_id=invitation_id, rules=self.rules, now=now)
                    self.figures[done] += 1
        with self.database.write() as session:
            self.figures["overdue"] += escalate_due(session, rules=self.rules, now=now, limit=10_000)

    def _check(self, session: Session) -> None:
        """Look at every question that has left since the last look, and have the others sent."""
        rows = session.execute(
            select(OutboxItem, SurveyInvitation)
            .join(SurveyInvitation, OutboxItem.conversation_id == SurveyInvitation.conversation_id)
            .where(OutboxItem.id > self.checked_to)
            .order_by(OutboxItem.id)
        ).all()
        for item, invitation in rows:
            item.state, self.checked_to = SENT, max(self.checked_to, item.id)
            if item.content["params"].get("survey") == str(invitation.id):
                self._check_one(item, invitation)

    def _check_one(self, item: OutboxItem, invitation: SurveyInvitation) -> None:
        customer, now = invitation.customer_id, item.due_at
        hour = now.astimezone(ZoneInfo("Asia/Tehran")).hour
        if not 9 <= hour < 21:
            self.faults.append(f"{customer} was disturbed at {hour}")
        if customer in self.opted_out or customer in self.blocked:
            self.faults.append(f"{customer} was asked against their will")
        if item.idempotency_key and item.idempotency_key.startswith("survey-reminder:"):
            return
        last = self.last_asked.get(customer)
        if last is not None and now < last + timedelta(days=30):
            self.faults.append(f"{customer} was asked at {last} and {now}")
        self.last_asked[customer] = now
