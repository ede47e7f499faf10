"""Plans surveys for a later moment; whether they are then asked is decided when that moment has come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.surveys import SurveyDefinition, SurveyTrigger
from crm_store.conversations.queries import latest_conversation
from crm_store.customers.models import Customer
from crm_store.errors import InvalidInput, NotFound
from crm_store.rules import Rules
from crm_store.surveys.definitions import active_surveys, survey_in_force, version_of
from crm_store.surveys.models import DROPPED, PLANNED, SurveyInvitation
from crm_store.surveys.people import asked_last, has_opted_out, standing_for

#: What a survey follows, as in `SurveyInvitation.trigger`.
COMPLAINT, SERVICE_REQUEST, PURCHASE, HANDOFF = "complaint", "service_request", "purchase", "handoff"
LIST, BY_CUSTOMER = "list", "customer"
#: Why an invitation was dropped because what it is about is not so any more; the next time it may be asked.
UNDONE = "undone"
#: What could not be asked within so much time of its moment is asked no more: nobody remembers it well.
GIVEN_UP_AFTER = timedelta(days=14)
#: Tomans in rials.
_RIALS = 10


class ListPlan(NamedTuple):
    """What became of a list.

    Attributes:
        planned: the invitations, also those that an earlier list of the same day had planned.
        left_out: how many were left out, by reason: ``unknown``, ``twice``, ``consent``, ``cooldown`` for who
            was asked lately, ``no_chat`` for who can be written to in none.
    """

    planned: list[SurveyInvitation]
    left_out: dict[str, int]


def plan_for(
    session: Session,
    *,
    occasion: str,
    subject_id: int,
    customer_id: int,
    rules: Rules,
    staff_id: int | None = None,
    total_rials: int | None = None,
    happened_at: datetime | None = None,
    now: datetime | None = None,
) -> SurveyInvitation | None:
    """Plan the survey that follows an occasion: the first one that has a trigger for it.

    The same occasion plans one. If it comes again, because a complaint is resolved a second time, a survey
    that still waits is moved, and one that was dropped because the complaint was reopened waits again.

    Args:
        occasion: ``complaint``, ``service_request``, ``purchase`` or ``handoff``.
        subject_id: what happened, of that type.
        staff_id: whose work it was.
        total_rials: of a purchase.
        happened_at: when it happened, if that was not now; what is too long ago plans nothing.

    Returns:
        The invitation; None where no survey follows, or the customer was forgotten.
    """
    now = now or utcnow()
    chosen = _follows(session, occasion, total_rials, rules)
    customer = standing_for(session, customer_id=customer_id) if chosen is not None else None
    if chosen is None or customer is None:
        return None
    definition, trigger = chosen
    due_at = (happened_at or now) + pause_of(trigger)
    if now > due_at + GIVEN_UP_AFTER:
        return None
    invitation, is_new = _keep(
        session,
        customer,
        definition,
        trigger=occasion,
        subject_id=subject_id,
        staff_id=staff_id,
        key=f"{occasion}:{subject_id}",
        due_at=due_at,
        now=now,
    )
    is_again = invitation.state == PLANNED or (invitation.state, invitation.reason) == (DROPPED, UNDONE)
    if not is_new and is_again:
        invitation.state, invitation.reason = PLANNED, ""
        invitation.due_at, invitation.created_at, invitation.staff_id = due_at, now, staff_id
        session.flush()
    return invitation


def plan_for_list(
    session: Session, *, key: str, customer_ids: Iterable[int], rules: Rules, now: datetime | None = None
) -> ListPlan:
    """Plan a survey for many customers, as soon as each may be asked; a list sent twice on a day plans once.

    Raises:
        NotFound: there is no such survey.
        InvalidInput: it is not asked now.
    """
    now = now or utcnow()
    definition = survey_in_force(session, key=key, rules=rules)
    if definition is None:
        raise NotFound(f"there is no survey {key}")
    if not definition.is_active:
        raise InvalidInput(f"the survey {key} is switched off")
    planned: dict[int, SurveyInvitation] = {}
    left_out: dict[str, int] = {}
    day = now.astimezone(ZoneInfo(rules.timezone)).date()
    for customer_id in customer_ids:
        customer = standing_for(session, customer_id=customer_id)
        reason = _left_out(session, customer, planned, rules, now)
        if customer is None or reason:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        planned[customer.id], _ = _keep(
            session,
            customer,
            definition,
            trigger=LIST,
            subject_id=None,
            staff_id=None,
            key=f"{LIST}:{key}:{day:%Y%m%d}:{customer.id}",
            due_at=now,
            now=now,
        )
    return ListPlan(list(planned.values()), left_out)


def pause_of(trigger: SurveyTrigger) -> timedelta:
    """How long after its occasion a survey is asked."""
    return timedelta(days=trigger.after_days, minutes=trigger.after_minutes)


def is_stale(invitation: SurveyInvitation, definition: SurveyDefinition, *, now: datetime) -> bool:
    """Whether the moment of a planned survey is too long past.

    Args:
        definition: the version that was planned.
    """
    pauses = [pause_of(trigger) for trigger in definition.triggers if trigger.on == invitation.trigger]
    return now > invitation.created_at + max(pauses, default=timedelta()) + GIVEN_UP_AFTER


def _follows(
    session: Session, occasion: str, total_rials: int | None, rules: Rules
) -> tuple[SurveyDefinition, SurveyTrigger] | None:
    for definition in active_surveys(session, rules=rules):
        for trigger in definition.triggers:
            is_enough = (total_rials or 0) >= trigger.minimum_tomans * _RIALS
            if trigger.on == occasion and is_enough:
                return definition, trigger
    return None


def _left_out(
    session: Session,
    customer: Customer | None,
    planned: dict[int, SurveyInvitation],
    rules: Rules,
    now: datetime,
) -> str:
    """Why somebody on a list will not be asked, as far as it is known beforehand; empty if they will."""
    if customer is None:
        return "unknown"
    if customer.id in planned:
        return "twice"
    if has_opted_out(session, customer_id=customer.id):
        return "consent"
    last = asked_last(session, customer_id=customer.id)
    if last is not None and now < last + timedelta(days=rules.business.surveys.cooldown_days):
        return "cooldown"
    return "" if latest_conversation(session, customer_id=customer.id) is not None else "no_chat"


def _keep(
    session: Session,
    customer: Customer,
    definition: SurveyDefinition,
    *,
    trigger: str,
    subject_id: int | None,
    staff_id: int | None,
    key: str,
    due_at: datetime,
    now: datetime,
) -> tuple[SurveyInvitation, bool]:
    """The invitation of an occasion, locked, and whether it is new; of several at a time one makes it."""
    row = {
        "key": definition.key,
        "version_id": version_of(session, definition=definition, now=now).id,
        "customer_id": customer.id,
        "trigger": trigger,
        "subject_id": subject_id,
        "staff_id": staff_id,
        "tier": customer.tier,
        "state": PLANNED,
        "reason": "",
        "question": "",
        "due_at": due_at,
        "idempotency_key": key,
        "created_at": now,
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(SurveyInvitation).values(row)
    made = session.scalar(
        statement.on_conflict_do_nothing(index_elements=["idempotency_key"]).returning(SurveyInvitation.id)
    )
    found = session.scalars(
        select(SurveyInvitation)
        .where(SurveyInvitation.idempotency_key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return found, made is not None
