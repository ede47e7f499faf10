"""Problems: one cause behind complaints of many customers, found while fresh and answered once for all."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from crm_store.base import utcnow
from crm_store.business import Business
from crm_store.complaints.models import OPEN_STATES, WITHDRAWN, Complaint, Problem
from crm_store.complaints.telling import tell_customer, tell_roles
from crm_store.complaints.timeline import note_event
from crm_store.conversations.reaching import chat_to_tell
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.tickets.models import COMPLAINT, NOTE, TicketNote
from crm_store.tickets.notes import add_note

OPEN, CLOSED = "open", "closed"
CATEGORY, PRODUCT, CAUSE = "category", "product", "cause"
_SYSTEM = "system"


def look_for_problem(
    session: Session, complaint: Complaint, *, rules: Rules, now: datetime | None = None
) -> Problem | None:
    """Link a complaint to the open problem with its cause, or raise one if many customers have it.

    What counts are different customers within the business's hours. A complaint belongs to one problem: while
    that is open, it stays there.
    """
    now = now or utcnow()
    if complaint.state == WITHDRAWN:
        return None
    present = session.get(Problem, complaint.problem_id) if complaint.problem_id else None
    if present is not None and present.state == OPEN:
        return present
    for cause in _causes_of(complaint):
        near = _cases_near(session, complaint, cause, rules)
        known = _open_problem(session, cause)
        if known is not None:
            # With those that were filed at the very moment when it was raised, and saw nothing of it.
            _link(session, known, near, now)
            return known
        cases = _densest(near, complaint, rules)
        if cases:
            return _raise(session, cause, cases, rules, now)
    return None


def complaints_in(session: Session, problem: Problem) -> list[Complaint]:
    """The complaints that are cases of a problem, oldest first."""
    return list(
        session.scalars(select(Complaint).where(Complaint.problem_id == problem.id).order_by(Complaint.id))
    )


def problem_title(problem: Problem, business: Business) -> str:
    """What the complaints of a problem share, as people read it."""
    kind, _, key = problem.cause.partition(":")
    if kind == PRODUCT:
        return next((product.title for product in business.products if product.key == key), key)
    return business.root_cause(key).title if kind == CAUSE else business.category(key).title


def answer_problem(
    session: Session, problem: Problem, *, text: str, actor: str, rules: Rules, now: datetime | None = None
) -> int:
    """Write to everybody who has a problem; who has several complaints of it reads it once.

    The same words again reach those who came since, and nobody twice.

    Args:
        text: what they read.
        actor: ``operator`` or ``staff:<id>``.

    Returns:
        How many chats it was sent to.

    Raises:
        InvalidInput: there is nothing to say.
    """
    now = now or utcnow()
    if not text.strip():
        raise InvalidInput("an answer needs words")
    problem.answer, problem.answered_by, problem.answered_at = text.strip(), actor, now
    by_chat: dict[int, list[Complaint]] = defaultdict(list)
    for complaint in complaints_in(session, problem):
        chat = chat_to_tell(
            session, conversation_id=complaint.conversation_id, customer_id=complaint.customer_id
        )
        if complaint.state != WITHDRAWN and chat is not None:
            by_chat[chat].append(complaint)
    key = f"problem-answer:{problem.id}:{hashlib.sha256(problem.answer.encode()).hexdigest()[:16]}"
    return sum(
        _answer_chat(session, problem, cases, key=f"{key}:{chat}", actor=actor, rules=rules, now=now)
        for chat, cases in by_chat.items()
    )


def close_problem(
    session: Session,
    problem: Problem,
    *,
    actor: str,
    rules: Rules,  # noqa: ARG001  # all that the staff do is asked alike
    now: datetime | None = None,
) -> Problem:
    """Close a problem: later complaints are none of its cases. Its complaints go on, each by itself.

    Raises:
        InvalidTransition: it is closed already.
    """
    now = now or utcnow()
    if problem.state != OPEN:
        raise InvalidTransition("the problem is closed already", state=problem.state)
    problem.state, problem.closed_at = CLOSED, now
    for complaint in complaints_in(session, problem):
        _note(session, complaint, "problem_closed", problem, actor=actor, now=now)
    return problem


def _answer_chat(
    session: Session,
    problem: Problem,
    cases: Sequence[Complaint],
    *,
    key: str,
    actor: str,
    rules: Rules,
    now: datetime,
) -> bool:
    """Answer the complaints of one chat; False if these words were sent there before."""
    is_new = session.scalar(select(OutboxItem.id).where(OutboxItem.idempotency_key == key)) is None
    tell_customer(session, cases[0], "utter_complaint_problem_answer", key=key, message=problem.answer)
    about: dict[str, Any] = {"subject_type": COMPLAINT, "now": now}
    for complaint in cases:
        own_key = f"{key}:{complaint.id}"
        if session.scalar(select(TicketNote.id).where(TicketNote.idempotency_key == own_key)) is not None:
            continue
        about["subject_id"] = complaint.id
        add_note(session, **about, kind=NOTE, author=actor, text=problem.answer, idempotency_key=own_key)
        _note(session, complaint, "problem_answered", problem, actor=actor, now=now)
        if complaint.state in OPEN_STATES:
            clocks.responded(session, **about, rules=rules)
    return is_new


def _causes_of(complaint: Complaint) -> list[str]:
    """What a complaint may share with others, the best founded first."""
    causes = [f"{CAUSE}:{complaint.root_cause}"] if complaint.root_cause else []
    named = f"{PRODUCT}:{complaint.product}" if complaint.product else f"{CATEGORY}:{complaint.category}"
    return [*causes, named]


def _open_problem(session: Session, cause: str) -> Problem | None:
    return session.scalar(select(Problem).where(Problem.cause == cause, Problem.state == OPEN))


def _cases_near(session: Session, complaint: Complaint, cause: str, rules: Rules) -> Sequence[Complaint]:
    """Complaints with one cause, in order, around the time of one of them; without those of a problem."""
    span = _span(rules)
    kind, _, key = cause.partition(":")
    same = {
        CAUSE: Complaint.root_cause == key,
        PRODUCT: Complaint.product == key,
        # Those that name a product are counted there.
        CATEGORY: (Complaint.category == key) & (Complaint.product == ""),
    }
    # All categories are named for the index on category and time.
    categories = {*rules.business.category_keys, complaint.category}
    return session.scalars(
        select(Complaint)
        .where(
            Complaint.category.in_(categories),
            Complaint.created_at.between(complaint.created_at - span, complaint.created_at + span),
            same[kind],
            or_(Complaint.problem_id.is_(None), Complaint.id == complaint.id),
            Complaint.state != WITHDRAWN,
        )
        .order_by(Complaint.created_at, Complaint.id)
    ).all()


def _densest(near: Sequence[Complaint], complaint: Complaint, rules: Rules) -> list[Complaint]:
    """The window around a complaint with most customers; nothing if they are too few for a problem."""
    least, span = rules.business.complaints.problem_customers, _span(rules)
    if not least:
        return []
    best: list[Complaint] = []
    for first in near:
        if first.created_at > complaint.created_at:
            break
        window = [one for one in near if first.created_at <= one.created_at <= first.created_at + span]
        if complaint in window and _customers(window) > _customers(best):
            best = window
    return best if _customers(best) >= least else []


def _span(rules: Rules) -> timedelta:
    return timedelta(hours=rules.business.complaints.problem_hours)


def _customers(cases: Sequence[Complaint]) -> int:
    return len({complaint.customer_id for complaint in cases})


def _raise(session: Session, cause: str, cases: list[Complaint], rules: Rules, now: datetime) -> Problem:
    problem = Problem(cause=cause, created_at=now)
    try:
        with session.begin_nested():
            session.add(problem)
    except IntegrityError:
        # Somebody else raised it at the same moment, with the same cases.
        raised = _open_problem(session, cause)
        if raised is None:
            raise
        _link(session, raised, cases, now)
        return raised
    _link(session, problem, cases, now)
    tell_roles(
        session,
        cases[-1],
        ["supervisor"],
        "utter_staff_problem",
        key=f"problem:{problem.id}",
        rules=rules,
        title=problem_title(problem, rules.business),
        count=_customers(cases),
    )
    return problem


def _link(session: Session, problem: Problem, cases: Sequence[Complaint], now: datetime) -> None:
    """Make complaints cases of a problem, unless they became cases of an open one meanwhile."""
    closed = select(Problem.id).where(Problem.state == CLOSED)
    # In one order, so that two who link the same complaints never wait for each other.
    free = session.scalars(
        select(Complaint.id)
        .where(
            Complaint.id.in_([complaint.id for complaint in cases]),
            or_(Complaint.problem_id.is_(None), Complaint.problem_id.in_(closed)),
        )
        .order_by(Complaint.id)
        .with_for_update()
    ).all()
    # Not through the version: whoever works on one of them at this moment is not disturbed.
    session.execute(
        update(Complaint)
        .where(Complaint.id.in_(free))
        .values(problem_id=problem.id)
        .execution_options(synchronize_session=False)
    )
    for complaint in (one for one in cases if one.id in free):
        set_committed_value(complaint, "problem_id", problem.id)
        _note(session, complaint, "problem_linked", problem, actor=_SYSTEM, now=now)


def _note(
    session: Session, complaint: Complaint, event: str, problem: Problem, *, actor: str, now: datetime
) -> None:
    about = {"problem": problem.id, "cause": problem.cause}
    note_event(session, complaint, event, actor=actor, now=now, data=about, touches=False)
