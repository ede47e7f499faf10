"""The states of a complaint, driven through whatever staff, customers and time may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import subject_timeline
from crm_store.base import utcnow
from crm_store.complaints import following, resolution, working
from crm_store.complaints.jobs import handlers
from crm_store.complaints.models import STATES, Compensation, Complaint, ComplaintResolution
from crm_store.complaints.resolution import Offer
from crm_store.complaints.states import TRANSITIONS, move
from crm_store.db import Database
from crm_store.errors import CrmError, InvalidInput, InvalidTransition, NotAllowed, TooLate
from crm_store.jobs.models import PENDING, ScheduledJob
from crm_store.jobs.service import run_due
from crm_store.sla.clocks import OPEN_STATES as OPEN_CLOCKS
from crm_store.sla.models import PAUSED, RUNNING, SlaClock
from crm_store.tickets.models import TicketNote
from crm_store.tickets.notes import open_questions
from tests.crm_store.complaint_model import (
    APPEAL_WITHIN,
    CLOSE_AFTER,
    DECIDED,
    OPEN,
    REMIND_AFTER,
    REOPEN_WITHIN,
    TELL_AFTER,
    Model,
    documented_transitions,
)
from tests.factories import RULES, a_complaint, a_conversation, a_member, an_inbox_id
from tests.factories.notices import notices_to, rendered, told

#: A Saturday morning in Tehran.
BEGIN = datetime(2026, 11, 28, 6, 30, tzinfo=timezone.utc)
AGENT, OPERATOR = "staff:1", "operator"
DECISIONS = st.sampled_from(["upheld", "partly_upheld", "rejected"])
SMALL, BIG = Offer("points", 100), Offer("money", 50_000_000)
#: An agent's, of points.
LIMIT = RULES.business.complaints.compensation["agent"].points


def test_the_table_of_the_documentation_is_the_one_that_holds() -> None:
    assert documented_transitions() == dict(TRANSITIONS)


def test_every_state_is_reached_and_only_a_withdrawal_is_final() -> None:
    assert {to for _, to in TRANSITIONS} | {"received"} == set(STATES)
    assert set(STATES) - {before for before, _ in TRANSITIONS} == {"withdrawn"}


class ComplaintMachine(RuleBasedStateMachine):
    """A complaint in the hands of customer, staff and clock; `Model` says what must come of it."""

    database: Database

    @initialize()
    def file(self) -> None:
        self.now, self.model, self.last = BEGIN, Model(), None
        with self.database.write() as session:
            conversation = a_conversation(session)
            complaint = a_complaint(session, conversation, now=self.now)
            self.id, self.code = complaint.id, complaint.code
            self.customer_id, self.chat = complaint.customer_id, conversation.id
            self.members = [a_member(session).id, a_member(session).id]

    # Time

    @rule(hours=st.sampled_from([1, 20, 49, 73, 24 * 14, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        run_due(self.database, handlers(lambda: RULES), now=self.now)
        self.model.pass_time(self.now)

    # The staff

    @rule(which=st.integers(0, 1))
    def staff_assign(self, which: int) -> None:
        model, member = self.model, self.members[which]
        self.by_staff(None if model.state in OPEN else InvalidTransition, working.assign, staff_id=member)
        if model.state in OPEN and model.assignee != member:
            model.assignee = member
            if model.state == "received":
                model.go("acknowledged", self.now, says="utter_complaint_acknowledged")

    @rule()
    def staff_ask(self) -> None:
        model = self.model
        self.by_staff(
            None if model.state in OPEN else InvalidTransition, working.ask_customer, text="کدام رنگ؟"
        )
        if model.state not in OPEN:
            return
        if model.state == "waiting_customer":
            model.told.append("utter_complaint_question")
        else:
            model.go("waiting_customer", self.now, says="utter_complaint_question")
        model.questions += 1
        model.reminds_at, model.tells_at = self.now + REMIND_AFTER, self.now + TELL_AFTER
        model.notes += 1

    @rule()
    def staff_write(self) -> None:
        model = self.model
        refused = InvalidTransition if model.state == "withdrawn" else None
        self.by_staff(refused, working.write_to_customer, text="پیگیریم")
        if not refused:
            model.told.append("utter_complaint_message")
            model.notes += 1

    @rule()
    def staff_note(self) -> None:
        self.by_staff(None, working.note_internally, text="انبار را پرسیدم")
        self.model.notes += 1

    @rule(to=st.sampled_from([*STATES, "lost"]), actor=st.sampled_from([AGENT, "system"]))
    def move_plainly(self, to: str, actor: str) -> None:
        model = self.model
        kind = "system" if actor == "system" else "staff"
        refused: type[CrmError] | None = None
        if to == "lost":
            refused = InvalidInput
        elif not model.may(to, kind):
            refused = InvalidTransition
        elif to in ("resolved", "waiting_customer"):
            refused = InvalidInput  # without a decision or a question
        self.attempt(
            refused, lambda session: move(session, self.at(session), **self.by(actor), to=to, reason="x")
        )
        if not refused:
            says = {
                "acknowledged": "utter_complaint_acknowledged",
                "in_review": "utter_complaint_in_review",
                "closed": "utter_complaint_closed",
                "withdrawn": "utter_complaint_taken_back",
            }
            reopened = model.state in DECIDED and to == "in_review"
            model.go(to, self.now, says="utter_complaint_opened_again" if reopened else says[to])

    @rule(decision=DECISIONS, offer=st.sampled_from([None, SMALL, BIG]))
    def staff_resolve(self, decision: str, offer: Offer | None) -> None:
        model = self.model
        refused: type[CrmError] | None = None
        if model.proposal or not model.may("resolved", "staff"):
            refused = InvalidTransition
        elif model.is_appeal_open:
            refused = NotAllowed
        self.by_staff(
            refused,
            resolution.resolve,
            role="agent",
            decision=decision,
            root_cause="carrier",
            explanation="پیک دیر رسید.",
            compensation=offer,
        )
        if refused:
            return
        if offer == BIG or (offer == SMALL and model.points + SMALL.amount > LIMIT):
            model.proposal = True
            return
        if offer == SMALL:
            model.points += SMALL.amount
        self.is_resolved(decision)

    @precondition(lambda self: self.model.is_appeal_open and self.model.may("resolved", "staff"))
    @rule(decision=DECISIONS)
    def supervisor_decides_about_an_appeal(self, decision: str) -> None:
        said = {"decision": decision, "root_cause": "carrier", "explanation": "پیک دیر رسید."}
        self.attempt(
            None,
            lambda session: resolution.resolve(
                session, self.at(session), role="supervisor", **said, **self.by("staff:9")
            ),
        )
        self.is_resolved(decision)

    @precondition(lambda self: self.model.proposal)
    @rule(actor=st.sampled_from([AGENT, OPERATOR, "staff:2"]))
    def approve(self, actor: str) -> None:
        refused = None if actor == OPERATOR else NotAllowed
        with self.database.read() as session:
            decision = session.scalars(
                select(ComplaintResolution.decision).where(ComplaintResolution.state == "proposed")
            ).one()
            offered = self.proposed(session)
        self.attempt(
            refused,
            lambda session: resolution.approve(
                session, self.proposed(session), role="agent", **self.by(actor)
            ),
        )
        if not refused:
            self.model.points += offered.amount if offered.kind == "points" else 0
            self.is_resolved(decision)

    @precondition(lambda self: self.model.proposal)
    @rule(actor=st.sampled_from([AGENT, OPERATOR]))
    def refuse(self, actor: str) -> None:
        self.attempt(
            None,
            lambda session: resolution.refuse(
                session, self.proposed(session), role="agent", reason="زیاد است", **self.by(actor)
            ),
        )
        self.model.proposal = False

    # The customer

    @rule()
    def customer_adds(self) -> None:
        model, refused = self.model, None
        if model.state == "withdrawn":
            refused = InvalidTransition
        elif model.state == "closed" and not model.is_within(REOPEN_WITHIN, self.now):
            refused = TooLate
        if self.by_customer(refused, following.add_note, text="یک چیز دیگر"):
            model.notes += 1
            if model.state == "resolved":
                model.closes_at = self.now + CLOSE_AFTER

    @rule()
    def customer_answers(self) -> None:
        model = self.model
        refused = InvalidTransition if model.state != "waiting_customer" else None
        if self.by_customer(refused, following.answer_question, text="آبی"):
            model.notes += 1
            model.go("in_review", self.now)

    @rule()
    def customer_withdraws(self) -> None:
        refused = None if self.model.may("withdrawn", "customer") else InvalidTransition
        if self.by_customer(refused, following.withdraw, reason="حل شد"):
            self.model.go("withdrawn", self.now)

    @rule()
    def customer_appeals(self) -> None:
        model, refused = self.model, None
        if model.state not in DECIDED or model.is_appealed:
            refused = InvalidTransition
        elif not model.is_within(APPEAL_WITHIN, self.now):
            refused = TooLate
        if self.by_customer(refused, following.appeal, reason="قبول ندارم"):
            model.appealed_at = self.now
            model.go("appealed", self.now)
            # Whoever decides about it does so later: what was decided before stands before the appeal.
            self.now += timedelta(seconds=1)

    @rule()
    def customer_is_content(self) -> None:
        refused = None if self.model.state in DECIDED else InvalidTransition
        if self.by_customer(refused, following.confirm_solved) and self.model.state == "resolved":
            self.model.go("closed", self.now)

    @rule()
    def customer_is_not_content(self) -> None:
        model, refused = self.model, None
        if model.state not in DECIDED:
            refused = InvalidTransition
        elif not model.is_within(REOPEN_WITHIN, self.now):
            refused = TooLate
        if self.by_customer(refused, following.reopen):
            model.go("in_review", self.now)

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_same_message_comes_again(self) -> None:
        assert self.last is not None
        service, arguments = self.last
        self.attempt(None, lambda session: service(session, **arguments, now=self.now))

    # What must hold after each step

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        model = self.model
        with self.database.read() as session:
            complaint = self.at(session)
            assert complaint.state == model.state
            assert complaint.assignee_id == model.assignee
            assert complaint.resolved_at == model.resolved_at
            assert (complaint.appealed_at is not None) == model.is_appealed
            assert complaint.reopened_count == model.reopened
            assert (complaint.closed_at is not None) == (model.state in ("closed", "withdrawn"))
            about = {"subject_type": "complaint", "subject_id": self.id}
            assert len(open_questions(session, **about)) == model.questions
            notes = select(func.count()).select_from(TicketNote).where(TicketNote.subject_id == self.id)
            assert session.scalar(notes.where(TicketNote.subject_type == "complaint")) == model.notes

    @invariant()
    def the_customer_was_told_of_each_thing_once(self) -> None:
        with self.database.read() as session:
            assert told(session, self.chat) == self.model.told
            latest = notices_to(session, self.chat)[-1:]
            assert all(self.code in str(rendered(item).buttons) or rendered(item).text for item in latest)

    @invariant()
    def every_change_is_in_the_timeline_with_who_when_and_why(self) -> None:
        with self.database.read() as session:
            entries = subject_timeline(
                session, customer_id=self.customer_id, subject_type="complaint", subject_id=self.id
            )
            moves = [entry for entry in entries if "from" in entry.data]
            assert [entry.kind for entry in moves] == [f"complaint.{to}" for to in self.model.states[1:]]
            assert [entry.data["from"] for entry in moves] == self.model.states[:-1]
            assert all(entry.actor and entry.at <= self.now and entry.data["reason"] for entry in moves)

    @invariant()
    def clocks_run_only_while_somebody_has_to_do_something(self) -> None:
        with self.database.read() as session:
            clocks = session.scalars(
                select(SlaClock).where(
                    SlaClock.subject_type == "complaint",
                    SlaClock.subject_id == self.id,
                    SlaClock.state.in_(OPEN_CLOCKS),
                )
            ).all()
            if self.model.state in OPEN:
                wanted = PAUSED if self.model.state == "waiting_customer" else RUNNING
                assert "resolution" in [clock.metric for clock in clocks]
                assert {clock.state for clock in clocks} == {wanted}
            else:
                assert clocks == []

    @invariant()
    def what_comes_by_itself_is_planned_and_nothing_else(self) -> None:
        model = self.model
        planned = {
            "complaint_close": model.closes_at,
            "complaint_question": model.reminds_at,
            "complaint_unanswered": model.tells_at,
        }
        with self.database.read() as session:
            due = dict(
                session.execute(
                    select(ScheduledJob.kind, ScheduledJob.due_at).where(
                        ScheduledJob.key.in_([f"{kind}:{self.id}" for kind in planned]),
                        ScheduledJob.state == PENDING,
                    )
                )
                .tuples()
                .all()
            )
            assert due == {kind: at for kind, at in planned.items() if at is not None}

    def teardown(self) -> None:
        """Leave nothing due and nothing proposed to the next complaint."""
        if not hasattr(self, "id"):
            return
        with self.database.write() as session:
            for job in session.scalars(select(ScheduledJob).where(ScheduledJob.state == PENDING)):
                session.delete(job)
            for proposal in session.scalars(
                select(ComplaintResolution).where(ComplaintResolution.state == "proposed")
            ):
                proposal.state = "refused"

    # Helpers

    def at(self, session: Session) -> Complaint:
        return session.get_one(Complaint, self.id)

    def by(self, actor: str) -> dict[str, Any]:
        return {"actor": actor, "rules": RULES, "now": self.now}

    def proposed(self, session: Session) -> Compensation:
        return session.scalars(
            select(Compensation).where(Compensation.complaint_id == self.id, Compensation.state == "waiting")
        ).one()

    def is_resolved(self, decision: str) -> None:
        finally_ = "finally_" if self.model.is_appealed else ""
        self.model.go("resolved", self.now, says=f"utter_complaint_resolved_{finally_}{decision}")

    def by_staff(self, refused: type[CrmError] | None, service: Callable[..., Any], **arguments: Any) -> None:
        self.attempt(
            refused, lambda session: service(session, self.at(session), **arguments, **self.by(AGENT))
        )

    def by_customer(
        self, refused: type[CrmError] | None, service: Callable[..., Any], **arguments: Any
    ) -> bool:
        """Whether it was done."""
        with self.database.write() as session:
            conversation = a_conversation(session, chat_id="of nobody")
            inbox_id = an_inbox_id(session, conversation)
        known = {"customer_id": self.customer_id, "code": self.code, "inbox_id": inbox_id, "rules": RULES}
        self.attempt(refused, lambda session: service(session, **known, **arguments, now=self.now))
        if refused is None:
            self.last = (service, {**known, **arguments})
        return refused is None

    def attempt(self, refused: type[CrmError] | None, act: Callable[[Session], Any]) -> None:
        """Do something in a unit of work of its own, which changes nothing if it is refused."""
        if refused is None:
            with self.database.write() as session:
                act(session)
        else:
            with pytest.raises(refused), self.database.write() as session:
                act(session)


def test_whatever_is_done_a_complaint_is_where_it_should_be(database: Database) -> None:
    class Machine(ComplaintMachine):
        pass

    Machine.database = database
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_staff_actor_is_whoever_is_neither_customer_nor_system(database: Database) -> None:
    with database.write() as session:
        complaint = a_complaint(session, a_conversation(session), now=utcnow())
        for actor in ("customer", "bot", "system"):
            with pytest.raises(InvalidTransition) as refused:
                move(session, complaint, to="in_review", actor=actor, rules=RULES)
            assert refused.value.state == "received"
        assert move(session, complaint, to="in_review", actor="operator", rules=RULES).state == "in_review"
