"""Customers and staff of the week: they use Peyvand's services, and the model is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.complaints import drafting, following, resolution, states, working
from crm_store.complaints import service as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_message, open_conversation
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.rules import Rules
from crm_store.service_requests import drafting as requests_drafting
from crm_store.service_requests import following as visit_following
from crm_store.service_requests import service as requests
from crm_store.service_requests import visits
from crm_store.service_requests import working as visit_working
from tests.factories import a_complaint, a_conversation, a_member, an_inbox_id
from tests.factories.services import a_request
from tests.gateway.a_week.complaints import ComplaintCase
from tests.gateway.a_week.hours import NOTICE, VISITS
from tests.gateway.a_week.model import Office, Record
from tests.gateway.a_week.visits import COMING, HalfTold, VisitCase

Step = Callable[[datetime], None]
#: An action, by how often it is chosen.
Choices = dict[str, float]
AnyCase = ComplaintCase | VisitCase | HalfTold
Case = TypeVar("Case", ComplaintCase, VisitCase, HalfTold)

#: What is done with a complaint in a state; what is left undone gives the automatic work something to do.
WITH_COMPLAINT: dict[str, Choices] = {
    "received": {"leave": 3, "assign": 5, "ask": 1, "write": 1, "review": 1, "resolve": 1, "withdraw": 0.3},
    "acknowledged": {"leave": 4, "ask": 4, "write": 2, "resolve": 3, "note": 1, "review": 1, "withdraw": 0.3},
    "in_review": {"leave": 3, "ask": 3, "write": 2, "resolve": 4, "note": 1, "assign": 1, "withdraw": 0.2},
    "waiting_customer": {"leave": 24, "answer": 2, "ask": 1, "note": 1, "resolve": 0.4, "withdraw": 0.3},
    "resolved": {"leave": 24, "solved": 1, "reopen": 1, "appeal": 0.7, "note": 1.2, "write": 0.5},
    "closed": {"leave": 10, "reopen": 0.3, "note": 0.3, "solved": 0.3, "appeal": 0.2},
    "appealed": {"leave": 2, "ask": 1, "review": 1, "resolve": 2, "assign": 1},
}
WITH_VISIT: dict[str, Choices] = {
    "scheduled": {
        "leave": 12, "assign": 3, "move": 1, "be_moved": 0.7, "cancel": 0.6, "be_cancelled": 0.3,
        "confirm": 1.2, "note": 1, "write": 1,
    },
    "assigned": {
        "leave": 12, "assign": 0.5, "move": 1, "be_moved": 0.7, "cancel": 0.6, "be_cancelled": 0.3,
        "confirm": 1.5, "note": 1, "write": 1, "set_off": 4, "finish": 2, "not_done": 1,
    },
    "on_the_way": {"leave": 1, "finish": 4, "not_done": 1, "note": 0.5},
    "not_done": {"leave": 2, "move": 3, "cancel": 1},
}  # fmt: skip
WITH_HALF_TOLD: Choices = {"leave": 20, "go_on": 1, "write": 2, "drop": 0.7, "hand_over": 0.5}
SOON = timedelta(days=4)


class People:
    """Everybody who changes something.

    Attributes:
        did: how often each thing was done.
    """

    def __init__(self, database: Database, rules: Rules, chance: Random) -> None:
        self._database, self._rules, self._chance = database, rules, chance
        self.did: Counter[str] = Counter()
        self.complaints: list[ComplaintCase] = []
        self.visits: list[VisitCase] = []
        self.half_told: list[HalfTold] = []
        with database.write() as session:
            self.record = Record(self._office(session))

    def _office(self, session: Session) -> Office:
        """Agents and technicians, two supervisors, an agent and an admin whom nobody reaches, and a group."""
        channel, chat_id = self._rules.groups[0]
        group = open_conversation(session, channel=channel, chat_id=chat_id, identity=None)
        chats: dict[int, int] = {}

        def members(role: str, count: int) -> list[int]:
            made = []
            for _ in range(count):
                chat = a_conversation(session)
                member = a_member(session, role=role, chat=chat)
                chats[member.id] = chat.id
                made.append(member.id)
            return made

        self._technicians = members("technician", 3)
        self._agents = [*members("agent", 3), a_member(session, role="agent").id]
        supervisors = members("supervisor", 2)
        a_member(session, role="admin")
        return Office(chats, supervisors, group.id)

    @property
    def cases(self) -> list[AnyCase]:
        """All that there is."""
        return [*self.complaints, *self.visits, *self.half_told]

    # What begins.

    def complain(self, now: datetime) -> None:
        """Somebody complains."""
        is_urgent = self._chance.random() < 0.3
        with self._database.write() as session:
            chat = a_conversation(session)
            signals = ["danger"] if is_urgent else []
            made = a_complaint(session, chat, story="late", signals=signals, rules=self._rules, now=_utc(now))
            assert made.priority == ("urgent" if is_urgent else "normal")
            case = ComplaintCase(self.record, chat.id, made.code, made.priority, now)
        self.complaints.append(case)

    def request(self, now: datetime) -> None:
        """Somebody asks for a visit."""
        visit = self._soon(now)
        with self._database.write() as session:
            chat = a_conversation(session)
            made = a_request(
                session, rules=self._rules, conversation=chat, starts_at=_utc(visit), now=_utc(now)
            )
            case = VisitCase(self.record, chat.id, made.code, visit, now)
        self.visits.append(case)

    def tell_half(self, now: datetime) -> None:
        """Somebody begins to tell something and goes away; some have told nothing yet."""
        kind = self._chance.choice(("complaint", "request", "complaint", "category"))
        with self._database.write() as session:
            chat = a_conversation(session)
            where = {"conversation_id": chat.id, "inbox_id": an_inbox_id(session, chat)}
            if kind == "request":
                draft = requests_drafting.set_draft_field(session, **where, field="kind", value="repair")
            else:
                field, value = ("description", "late") if kind == "complaint" else ("category", "delivery")
                draft = drafting.set_draft_field(session, **where, field=field, value=value)
            _touch(session, draft, now)
            response = {"complaint": "utter_complaint_left", "request": "utter_service_left"}.get(kind, "")
            self.half_told.append(HalfTold(self.record, chat.id, draft.id, response, now, now))

    # What goes on.

    def act(self, now: datetime) -> None:
        """Somebody does something with one of the cases, or leaves it as it is."""
        case = self._chance.choice(self.cases)
        if isinstance(case, ComplaintCase):
            self._choose(WITH_COMPLAINT.get(case.state, {}), "complaint", case, now)
        elif isinstance(case, VisitCase):
            self._choose(WITH_VISIT.get(case.state, {}), "visit", case, now)
        elif case.is_open:
            self._choose(WITH_HALF_TOLD, "half", case, now)

    def _choose(self, choices: Choices, kind: str, case: Case, now: datetime) -> None:
        if not choices:
            return
        name = self._chance.choices(list(choices), list(choices.values()))[0]
        if name == "leave":
            return
        with self._database.write() as session:
            do: Callable[[Session, Case, datetime], bool | None] = getattr(self, f"_{kind}_{name}")
            if do(session, case, now) is not False:
                self.did[f"{kind}_{name}"] += 1

    # A complaint, by the staff.

    def _complaint_assign(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        member = self._chance.choice(self._agents)
        self._work(session, case, now, working.assign, staff_id=member)
        case.assign(member, now)

    def _complaint_ask(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        self._work(session, case, now, working.ask_customer, text="when?")
        case.ask(now)

    def _complaint_write(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        self._work(session, case, now, working.write_to_customer, text="soon")
        case.write(now)

    def _complaint_review(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        self._work(session, case, now, states.move, to="in_review")
        case.review(now)

    def _complaint_resolve(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        decision = self._chance.choice(("upheld", "partly_upheld", "rejected"))
        decided = {"decision": decision, "root_cause": "carrier", "explanation": "found", "role": "admin"}
        self._work(session, case, now, resolution.resolve, **decided)
        case.resolve(decision, now)

    # A complaint, by its customer.

    def _complaint_note(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        following.add_note(session, **self._by(session, case, now), text="and")
        case.note(now)

    def _complaint_answer(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        following.answer_question(session, **self._by(session, case, now), text="then")
        case.answer(now)

    def _complaint_withdraw(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        following.withdraw(session, **self._by(session, case, now))
        case.withdraw(now)

    def _complaint_solved(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        following.confirm_solved(session, **self._by(session, case, now))
        case.solved(now)

    def _complaint_reopen(self, session: Session, case: ComplaintCase, now: datetime) -> None:
        following.reopen(session, **self._by(session, case, now))
        case.reopen(now)

    def _complaint_appeal(self, session: Session, case: ComplaintCase, now: datetime) -> bool:
        if case.was_appealed:
            return False
        following.appeal(session, **self._by(session, case, now), reason="no")
        case.appeal(now)
        return True

    # A visit, by the staff.

    def _visit_assign(self, session: Session, case: VisitCase, now: datetime) -> None:
        member = self._chance.choice([one for one in self._technicians if one != case.technician])
        self._send(session, case, now, visit_working.assign, staff_id=member)
        case.assign(member, now)

    def _visit_be_moved(self, session: Session, case: VisitCase, now: datetime) -> None:
        visit = self._soon(now, other_than=case.visit)
        self._send(session, case, now, visit_working.schedule_visit, starts_at=_utc(visit))
        case.move(visit, now, by_customer=False)

    def _visit_be_cancelled(self, session: Session, case: VisitCase, now: datetime) -> None:
        self._send(session, case, now, visit_working.cancel_by_staff, reason="")
        case.cancel(now, by_customer=False)

    def _visit_write(self, session: Session, case: VisitCase, now: datetime) -> None:
        self._send(session, case, now, visit_working.write_to_customer, text="soon")
        case.write(now)

    def _visit_set_off(self, session: Session, case: VisitCase, now: datetime) -> bool:
        return self._go(session, case, now, visits.set_off, case.set_off)

    def _visit_finish(self, session: Session, case: VisitCase, now: datetime) -> bool:
        return self._go(session, case, now, visits.finish, case.finish)

    def _visit_not_done(self, session: Session, case: VisitCase, now: datetime) -> bool:
        return self._go(session, case, now, visits.not_done, case.not_done, reason="nobody_home")

    # A visit, by its customer.

    def _visit_move(self, session: Session, case: VisitCase, now: datetime) -> bool:
        if not case.is_changeable(now):
            return False
        visit = self._soon(now, other_than=case.visit)
        visit_following.reschedule(session, **self._by(session, case, now), starts_at=_utc(visit))
        case.move(visit, now, by_customer=True)
        return True

    def _visit_cancel(self, session: Session, case: VisitCase, now: datetime) -> bool:
        if not case.is_changeable(now):
            return False
        visit_following.cancel(session, **self._by(session, case, now), reason="time")
        case.cancel(now, by_customer=True)
        return True

    def _visit_confirm(self, session: Session, case: VisitCase, now: datetime) -> bool:
        if case.state not in COMING or case.visit <= now:
            return False
        visit_following.confirm_visit(session, **self._by(session, case, now))
        case.confirm(now)
        return True

    def _visit_note(self, session: Session, case: VisitCase, now: datetime) -> None:
        visit_following.add_note(session, **self._by(session, case, now), text="and")
        case.note(now)

    # What is half told.

    def _half_go_on(self, session: Session, case: HalfTold, now: datetime) -> None:
        _touch(session, session.get_one(Draft, case.draft), now)
        case.touched_at = case.wrote_at = now

    def _half_write(self, session: Session, case: HalfTold, now: datetime) -> None:
        _say(session, case.chat, now)
        case.wrote_at = now

    def _half_drop(self, session: Session, case: HalfTold, now: datetime) -> None:
        draft = session.get_one(Draft, case.draft)
        chat = session.get_one(Conversation, case.chat)
        drafts.close_draft(draft, state=drafts.CANCELLED, inbox_id=an_inbox_id(session, chat))
        case.is_open = False

    def _half_hand_over(self, session: Session, case: HalfTold, now: datetime) -> None:
        session.get_one(Conversation, case.chat).owner = "human"
        case.is_with_bot = False

    # How it is done.

    def _work(
        self, session: Session, case: ComplaintCase, now: datetime, do: Callable[..., Any], **given: Any
    ) -> None:
        """The operator does something with a complaint."""
        complaint = complaints.find_by_code(session, code=case.code)
        do(session, complaint, actor="operator", rules=self._rules, now=_utc(now), **given)

    def _send(
        self, session: Session, case: VisitCase, now: datetime, do: Callable[..., Any], **given: Any
    ) -> None:
        """The operator does something with a visit."""
        request = requests.find_by_code(session, code=case.code)
        do(session, request, actor="operator", rules=self._rules, now=_utc(now), **given)

    def _go(
        self,
        session: Session,
        case: VisitCase,
        now: datetime,
        do: Callable[..., Any],
        noted: Step,
        **given: Any,
    ) -> bool:
        """The technician does something about a visit, on its day at the earliest."""
        if not case.is_today(now):
            return False
        inbox_id = an_inbox_id(session, a_conversation(session))
        about = {"staff_id": case.technician, "code": case.code, "inbox_id": inbox_id}
        do(session, **about, rules=self._rules, now=_utc(now), **given)
        noted(now)
        return True

    def _by(self, session: Session, case: ComplaintCase | VisitCase, now: datetime) -> dict[str, Any]:
        """What every service of the customer's takes."""
        chat = session.get_one(Conversation, case.chat)
        assert chat.identity is not None
        return {
            "customer_id": chat.identity.customer_id,
            "code": case.code,
            "inbox_id": an_inbox_id(session, chat),
            "rules": self._rules,
            "now": _utc(now),
        }

    def _soon(self, now: datetime, *, other_than: datetime | None = None) -> datetime:
        """A visit of the next days."""
        soon = [one for one in VISITS if now + NOTICE <= one <= now + SOON and one != other_than]
        return self._chance.choice(soon)


def _touch(session: Session, draft: Draft, now: datetime) -> None:
    """A story is told on at a moment of the week, not at the present one."""
    draft.updated_at = _utc(now)
    _say(session, draft.conversation_id, now)


def _say(session: Session, chat: int, now: datetime) -> None:
    said = add_message(session, conversation_id=chat, author="customer", text="hello")
    said.created_at = _utc(now)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
