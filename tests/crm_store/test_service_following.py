"""What customers do with their requests, and what they and others hear of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import subject_timeline
from crm_store.business.handoff import Role
from crm_store.conversations.service import add_attachment
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import FullyBooked, InvalidInput, InvalidTransition, NotFound, TooLate
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import run_due
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.service_requests import following, visits, working
from crm_store.service_requests.jobs import handlers
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import TicketNote
from tests.factories import a_conversation
from tests.factories.services import (
    NOW,
    REPAIR,
    a_group,
    a_request,
    a_technician,
    at,
    by,
    rules_with,
)

RULES = rules_with()


def booked(session: Session) -> dict[Any, int]:
    rows = session.execute(select(BookingWindow.starts_at, BookingWindow.booked))
    return {starts_at: places for starts_at, places in rows if places}


def told(session: Session, conversation_id: int | None = None) -> list[str]:
    """Names of the notices that wait, in order: of a conversation, or all."""
    items = session.scalars(select(OutboxItem).order_by(OutboxItem.id))
    return [
        item.content["response"]
        for item in items
        if conversation_id is None or item.conversation_id == conversation_id
    ]


def an_assigned_visit(session: Session) -> tuple[ServiceRequest, int]:
    """A visit and the technician who goes there."""
    member = a_technician(session)
    request = a_request(session, rules=RULES, starts_at=at(23, 9))
    working.assign(session, request, staff_id=member.id, actor="operator", rules=RULES, now=NOW)
    return request, member.id


# Another time


def test_a_moved_visit_takes_the_new_place_and_frees_the_old_one(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(24, 14), now=NOW)
        assert booked(session) == {at(24, 14): 1}
        assert request.window is not None
        assert (request.window.starts_at, request.state) == (at(24, 14), "scheduled")
        assert told(session) == [], "who moves it reads it in the dialogue"


def test_a_full_window_leaves_the_visit_where_it_was(database: Database) -> None:
    with database.write() as session:
        for _ in range(REPAIR.capacity):
            a_request(session, rules=RULES, starts_at=at(24, 9))
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        with pytest.raises(FullyBooked):
            following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(24, 9), now=NOW)
        assert request.window is not None
        assert request.window.starts_at == at(23, 9)
        assert booked(session) == {at(23, 9): 1, at(24, 9): REPAIR.capacity}


def test_moving_again_by_the_same_message_does_nothing_twice(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        where = by(request, session)
        for _ in range(3):
            following.reschedule(session, **where, rules=RULES, starts_at=at(24, 14), now=NOW)
        kinds = [
            entry.kind
            for entry in subject_timeline(
                session,
                customer_id=request.customer_id,
                subject_type="service_request",
                subject_id=request.id,
            )
        ]
        assert kinds == ["service_request.submitted", "service_request.rescheduled"]
        assert booked(session) == {at(24, 14): 1}


def test_a_visit_can_be_moved_until_the_deadline_and_not_after(database: Database) -> None:
    deadline = at(23, 9) - timedelta(minutes=180)
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        where = {"customer_id": request.customer_id, "rules": RULES}
        assert following.changeable(session, **where, now=deadline) == [request]
        assert following.changeable(session, **where, now=deadline + timedelta(seconds=1)) == []
        for call in (
            lambda **when: following.reschedule(
                session, **by(request, session), rules=RULES, starts_at=at(24, 9), **when
            ),
            lambda **when: following.cancel(
                session, **by(request, session), rules=RULES, reason="time", **when
            ),
        ):
            with pytest.raises(TooLate):
                call(now=deadline + timedelta(seconds=1))
        following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(24, 9), now=deadline)


def test_what_has_no_time_yet_cannot_be_moved_but_cancelled(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, kind="advice")
        where = {"customer_id": request.customer_id, "rules": RULES, "now": NOW}
        assert following.changeable(session, **where) == []
        assert following.cancellable(session, **where) == [request]
        with pytest.raises(InvalidTransition):
            following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(24, 9), now=NOW)


def test_a_technician_who_is_free_then_keeps_the_visit_and_hears_of_it(database: Database) -> None:
    with database.write() as session:
        request, technician = an_assigned_visit(session)
        following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(24, 9), now=NOW)
        assert (request.state, request.technician_id) == ("assigned", technician)
        assert told(session)[-1] == "utter_staff_visit_moved"
        params = session.scalars(select(OutboxItem).order_by(OutboxItem.id.desc())).first()
        assert params is not None
        assert params.content["params"]["before"] == "فردا، ساعت ۹ تا ۱۲"
        assert params.content["params"]["time"] == "سه‌شنبه ۳ آذر، ساعت ۹ تا ۱۲"


def test_a_technician_who_is_not_free_then_is_replaced_and_those_who_send_people_out_hear_of_it(
    database: Database,
) -> None:
    with database.write() as session:
        group = a_group(session)
        a_technician(session, name="ناظر", role="supervisor")
        request, technician = an_assigned_visit(session)
        for _ in range(2):  # a window of three hours is full with two visits of an hour and a half
            other = a_request(session, rules=RULES, starts_at=at(24, 9), kind="pickup")
            working.assign(session, other, staff_id=technician, actor="operator", rules=RULES, now=NOW)
        following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(24, 9), now=NOW)
        assert (request.state, request.technician_id) == ("scheduled", None)
        assert told(session)[-3:] == [
            "utter_staff_visit_moved_away",
            "utter_staff_visit_unassigned",
            "utter_staff_visit_unassigned",
        ]
        assert told(session, group.id) == ["utter_staff_visit_unassigned"]


# Cancelling


def test_cancelling_frees_the_place_and_tells_the_technician(database: Database) -> None:
    with database.write() as session:
        request, _ = an_assigned_visit(session)
        following.cancel(
            session, **by(request, session), rules=RULES, reason="solved", text="خودش درست شد", now=NOW
        )
        assert (request.state, request.reason, request.outcome) == ("cancelled", "solved", "خودش درست شد")
        assert booked(session) == {}
        assert told(session)[-1] == "utter_staff_visit_cancelled"
        assert "utter_service_cancelled_by_us" not in told(session)
        assert {clock.state for clock in session.scalars(select(SlaClock))} <= {"cancelled", "met"}
        entry = subject_timeline(
            session,
            customer_id=request.customer_id,
            subject_type="service_request",
            subject_id=request.id,
        )[-1]
        assert (entry.kind, entry.actor, entry.at) == ("service_request.cancelled", "customer", NOW)
        assert entry.data["reason"] == "solved"


def test_cancelling_again_by_the_same_message_frees_one_place_only(database: Database) -> None:
    with database.write() as session:
        other = a_request(session, rules=RULES, starts_at=at(23, 9))
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        where = by(request, session)
        for _ in range(3):
            following.cancel(session, **where, rules=RULES, reason="other", now=NOW)
        assert booked(session) == {at(23, 9): 1}
        with pytest.raises(InvalidTransition):
            following.cancel(session, **by(request, session), rules=RULES, reason="other", now=NOW)
        assert other.state == "scheduled"


def test_a_reason_that_there_is_not_is_refused(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        with pytest.raises(InvalidInput):
            following.cancel(session, **by(request, session), rules=RULES, reason="boredom", now=NOW)


def test_nobody_touches_somebody_elses_request(database: Database) -> None:
    with database.write() as session:
        request, stranger = (a_request(session, rules=RULES, starts_at=at(23, 9)) for _ in range(2))
        where = {**by(stranger, session), "code": request.code, "rules": RULES, "now": NOW}
        for call in (
            lambda: following.cancel(session, **where, reason="other"),
            lambda: following.reschedule(session, **where, starts_at=at(24, 9)),
            lambda: following.confirm_visit(session, **where),
            lambda: following.rate(session, **where, value=5, scale=5),
            lambda: following.add_note(session, **where, text="سلام"),
        ):
            with pytest.raises(NotFound):
                call()
        assert request.state == "scheduled"


# Missed


def a_dispatcher(session: Session) -> StaffMember:
    return a_technician(session, name="ناظر", role="supervisor")


@pytest.mark.parametrize("state", ["scheduled", "assigned"])
def test_a_visit_that_nobody_left_for_is_told_to_those_who_send_people_out_and_once(
    database: Database, state: str
) -> None:
    with database.write() as session:
        a_dispatcher(session)
        group = a_group(session)
        if state == "assigned":
            request, _ = an_assigned_visit(session)
        else:
            request = a_request(session, rules=RULES, starts_at=at(23, 9))
        assert request.state == state
        before = len(told(session))
    run_jobs(database, at(23, 11, 59))
    for _ in range(2):
        run_jobs(database, at(23, 12))
    with database.read() as session:
        heard = [name for name in told(session)[before:] if name != "utter_visit_reminder"]
        assert heard == ["utter_staff_visit_missed"] * 2
        item = session.scalars(select(OutboxItem).where(OutboxItem.conversation_id == group.id)).one()
        name = "رضا" if state == "assigned" else {"response": "utter_nobody_was_sent", "params": {}}
        assert item.content["params"]["name"] == name
        assert session.get_one(ServiceRequest, request.id).state == state


def test_a_visit_that_somebody_left_for_or_that_was_moved_or_cancelled_is_not_missed(
    database: Database,
) -> None:
    with database.write() as session:
        a_dispatcher(session)
        left_for, technician = an_assigned_visit(session)
        visits.set_off(
            session,
            staff_id=technician,
            code=left_for.code,
            inbox_id=by(left_for, session)["inbox_id"],
            rules=RULES,
            now=at(23, 9),
        )
        moved = a_request(session, rules=RULES, starts_at=at(23, 14))
        following.reschedule(session, **by(moved, session), rules=RULES, starts_at=at(25, 9), now=NOW)
        cancelled = a_request(session, rules=RULES, starts_at=at(23, 14))
        following.cancel(session, **by(cancelled, session), rules=RULES, reason="time", now=NOW)
    run_jobs(database, at(24, 20))
    with database.read() as session:
        assert "utter_staff_visit_missed" not in told(session)


def test_a_visit_that_was_missed_can_be_moved_or_cancelled_by_its_customer(database: Database) -> None:
    with database.write() as session:
        scheduled = a_request(session, rules=RULES, starts_at=at(23, 9))
        assigned, technician = an_assigned_visit(session)
        where = {"customer_id": scheduled.customer_id, "rules": RULES}
        assert following.changeable(session, **where, now=at(23, 11)) == []
        assert following.changeable(session, **where, now=at(23, 12)) == [scheduled]
        following.reschedule(
            session, **by(assigned, session), rules=RULES, starts_at=at(24, 9), now=at(23, 13)
        )
        assert (assigned.state, assigned.technician_id) == ("assigned", technician)
        following.cancel(session, **by(scheduled, session), rules=RULES, reason="time", now=at(23, 13))
        assert scheduled.state == "cancelled"


# Who cannot be reached


def test_a_visit_of_somebody_who_cannot_be_reached_is_told_to_the_group(database: Database) -> None:
    with database.write() as session:
        group = a_group(session)
        first, second = (StaffMember(name=name, role="technician") for name in ("رضا", "نرگس"))
        session.add_all([first, second])
        session.flush()
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        for member in (first, second):
            working.assign(session, request, staff_id=member.id, actor="operator", rules=RULES, now=NOW)
        following.cancel(session, **by(request, session), rules=RULES, reason="time", now=NOW)
        items = session.scalars(
            select(OutboxItem).where(OutboxItem.conversation_id == group.id).order_by(OutboxItem.id)
        )
        assert [(item.content["response"], item.content["params"]["name"]) for item in items] == [
            ("utter_staff_visit_new", "رضا"),
            ("utter_staff_visit_new", "نرگس"),
            ("utter_staff_visit_gone", "رضا"),
            ("utter_staff_visit_cancelled", "نرگس"),
        ]


@pytest.mark.parametrize("seeing", [("supervisor", "admin"), ("agent", "supervisor", "admin")])
@pytest.mark.parametrize("is_linked", [True, False])
def test_a_number_is_whole_to_the_technician_and_to_a_group_that_may_see_it_only(
    database: Database, seeing: tuple[Role, ...], *, is_linked: bool
) -> None:
    staff = msgspec.structs.replace(RULES.business.staff, full_phone_roles=seeing)
    rules = Rules(msgspec.structs.replace(RULES.business, staff=staff), groups=RULES.groups)
    is_whole = is_linked or "agent" in seeing
    with database.write() as session:
        a_group(session)
        member = a_technician(session) if is_linked else StaffMember(name="رضا", role="technician")
        session.add(member)
        session.flush()
        request = a_request(session, rules=rules, starts_at=at(23, 9), problem="با ۰۹۳۵ ۴۴۴ ۵۵۶۶ هماهنگ شود")
        phone = add_phone(session, customer_id=request.customer_id, phone="09123456789", proven=True)
        request.contact_point_id = phone.id
        request.answers = [{"question": "زنگ؟", "answer": "۰۹۱۹ ۱۱۱ ۲۲۳۳"}]
        working.assign(session, request, staff_id=member.id, actor="operator", rules=rules, now=NOW)
        items = session.scalars(select(OutboxItem).order_by(OutboxItem.id))
        (new,) = [item for item in items if item.content["response"] == "utter_staff_visit_new"]
        told = [value for line in new.content["params"]["lines"] for value in line["params"].values()]
    whole = {"با ۰۹۳۵ ۴۴۴ ۵۵۶۶ هماهنگ شود", "۰۹۱۹ ۱۱۱ ۲۲۳۳", "۰۹۱۲ ۳۴۵ ۶۷۸۹"}
    masked = {"با ۰۹۳۵•••۵۵۶۶ هماهنگ شود", "۰۹۱۹•••۲۲۳۳", "۰۹۱۲•••۶۷۸۹"}
    assert (whole if is_whole else masked) <= set(told)
    assert not (masked if is_whole else whole) & set(told)


# The evening before


def run_jobs(database: Database, now: Any) -> int:
    return run_due(database, handlers(lambda: RULES), now=now)


def test_a_visit_is_called_to_mind_on_the_evening_before_and_once(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(24, 9))
    assert run_jobs(database, at(23, 17, 59)) == 0
    for _ in range(3):
        run_jobs(database, at(23, 18))
    with database.read() as session:
        item = session.scalars(select(OutboxItem)).one()
        assert item.conversation_id == request.conversation_id
        assert item.content["response"] == "utter_visit_reminder"
        assert item.content["params"]["ticket"] == request.code
        assert item.content["params"]["time"] == "فردا، ساعت ۹ تا ۱۲"


def test_what_is_booked_after_that_evening_is_not_called_to_mind(database: Database) -> None:
    with database.write() as session:
        a_request(session, rules=RULES, starts_at=at(24, 9), now=at(23, 18))
        assert [job.kind for job in session.scalars(select(ScheduledJob))] == ["visit_missed"]


def test_the_reminder_goes_along_when_a_visit_is_moved(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(24, 9))
        following.reschedule(session, **by(request, session), rules=RULES, starts_at=at(26, 9), now=NOW)
    run_jobs(database, at(23, 18))
    with database.read() as session:
        assert told(session) == []
    run_jobs(database, at(25, 18))
    with database.read() as session:
        assert told(session) == ["utter_visit_reminder"]


def test_nobody_is_reminded_of_a_visit_that_was_cancelled_or_moved_to_the_day_after_now(
    database: Database,
) -> None:
    with database.write() as session:
        cancelled = a_request(session, rules=RULES, starts_at=at(24, 9))
        moved = a_request(session, rules=RULES, starts_at=at(25, 9))
        following.cancel(session, **by(cancelled, session), rules=RULES, reason="time", now=NOW)
        following.reschedule(session, **by(moved, session), rules=RULES, starts_at=at(23, 9), now=at(22, 19))
    run_jobs(database, at(24, 20))
    with database.read() as session:
        assert told(session) == []


def test_a_reminder_that_nobody_was_at_work_for_waits_though_somebody_is_sent_there_meanwhile(
    database: Database,
) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(24, 9))
        working.assign(
            session,
            request,
            staff_id=a_technician(session).id,
            actor="operator",
            rules=RULES,
            now=at(23, 19),
        )
    run_jobs(database, at(23, 20))
    with database.read() as session:
        assert told(session).count("utter_visit_reminder") == 1


def test_a_reminder_that_is_late_says_today_and_one_that_is_too_late_says_nothing(
    database: Database,
) -> None:
    with database.write() as session:
        a_request(session, rules=RULES, starts_at=at(24, 9))
        a_request(session, rules=RULES, starts_at=at(24, 14))
    run_jobs(database, at(24, 10))
    with database.read() as session:
        item = session.scalars(select(OutboxItem)).one()
        assert item.content["params"]["time"] == "امروز، ساعت ۱۴ تا ۱۷"


def test_the_customer_confirms_the_time_once_and_moving_the_visit_asks_anew(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(24, 9))
        where = by(request, session)
        for now in (at(23, 19), at(23, 20)):
            following.confirm_visit(session, **where, rules=RULES, now=now)
        assert request.confirmed_at == at(23, 19)
        following.reschedule(
            session, **by(request, session), rules=RULES, starts_at=at(26, 9), now=at(23, 20)
        )
        assert request.confirmed_at is None
        following.cancel(session, **by(request, session), rules=RULES, reason="time", now=at(23, 20))
        with pytest.raises(InvalidTransition):
            following.confirm_visit(session, **where, rules=RULES, now=at(23, 20))


def test_a_visit_that_is_over_cannot_be_confirmed(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        with pytest.raises(InvalidTransition):
            following.confirm_visit(session, **by(request, session), rules=RULES, now=at(23, 12))


# Afterwards


def a_done_visit(session: Session) -> ServiceRequest:
    request, technician = an_assigned_visit(session)
    return visits.finish(
        session, staff_id=technician, code=request.code, inbox_id=1, rules=RULES, now=at(23, 11)
    )


def test_a_visit_is_graded_once_and_one_may_change_ones_mind_for_a_day(database: Database) -> None:
    with database.write() as session:
        request = a_done_visit(session)

        def rate(value: int, now: Any) -> None:
            following.rate(session, **by(request, session), rules=RULES, value=value, scale=5, now=now)

        where = {"customer_id": request.customer_id, "rules": RULES}
        assert following.rateable(session, **where, now=at(24, 12)) == [request]
        rate(2, at(24, 12))
        rate(4, at(25, 12))
        assert (request.rating, request.rating_scale) == (4, 5)
        with pytest.raises(TooLate):
            rate(1, at(25, 12) + timedelta(seconds=1))
        assert request.rating == 4
        assert following.rateable(session, **where, now=at(25, 13)) == []


@pytest.mark.parametrize(("value", "scale", "is_told"), [(2, 5, True), (5, 10, True), (3, 5, False)])
def test_those_who_send_people_out_hear_of_a_low_grade(
    database: Database, value: int, scale: int, is_told: bool
) -> None:
    with database.write() as session:
        group = a_group(session)
        request = a_done_visit(session)
        where = by(request, session)
        for _ in range(2):
            following.rate(session, **where, rules=RULES, value=value, scale=scale, now=at(23, 12))
        assert told(session, group.id) == ["utter_staff_visit_low_grade"] * is_told


def test_a_grade_is_not_taken_long_after_the_visit(database: Database) -> None:
    with database.write() as session:
        request = a_done_visit(session)
        late = at(23, 11) + following.RATE_WITHIN + timedelta(seconds=1)
        with pytest.raises(TooLate):
            following.rate(session, **by(request, session), rules=RULES, value=5, scale=5, now=late)


@pytest.mark.parametrize("value", [0, 6, -1])
def test_a_grade_off_the_scale_is_refused(database: Database, value: int) -> None:
    with database.write() as session:
        request = a_done_visit(session)
        with pytest.raises(InvalidInput):
            following.rate(session, **by(request, session), rules=RULES, value=value, scale=5, now=at(23, 12))


def test_only_a_visit_that_was_done_is_graded(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        with pytest.raises(InvalidTransition):
            following.rate(session, **by(request, session), rules=RULES, value=5, scale=5, now=NOW)


def test_a_visit_that_was_not_done_is_booked_again_by_the_customer_or_cancelled(database: Database) -> None:
    with database.write() as session:
        request, technician = an_assigned_visit(session)
        visits.not_done(
            session,
            staff_id=technician,
            code=request.code,
            inbox_id=1,
            rules=RULES,
            reason="nobody_home",
            now=at(23, 10),
        )
        where = {"customer_id": request.customer_id, "rules": RULES, "now": at(23, 11)}
        assert following.changeable(session, **where) == following.cancellable(session, **where) == [request]
        following.reschedule(
            session, **by(request, session), rules=RULES, starts_at=at(24, 9), now=at(23, 11)
        )
        assert (request.state, request.technician_id, request.reason) == ("assigned", technician, "")
        assert booked(session) == {at(23, 9): 1, at(24, 9): 1}, "the visit in vain has used its place"


def test_what_the_customer_adds_is_kept_once_and_reaches_who_goes_there(database: Database) -> None:
    with database.write() as session:
        request, _ = an_assigned_visit(session)
        where = by(request, session)
        photo = add_attachment(
            session, conversation_id=request.conversation_id, inbox_id=where["inbox_id"], kind="photo"
        )
        for _ in range(2):
            following.add_note(
                session, **where, rules=RULES, text="زنگ خراب است", attachment_ids=[photo.id], now=NOW
            )
        note = session.scalars(select(TicketNote)).one()
        assert (note.subject_id, note.author, note.text) == (request.id, "customer", "زنگ خراب است")
        assert (photo.service_request_id, photo.note_id) == (request.id, note.id)
        assert told(session).count("utter_staff_visit_note") == 1
        with pytest.raises(InvalidInput):
            following.add_note(session, **by(request, session), rules=RULES, text=" ", now=NOW)


def test_what_nobody_goes_to_yet_is_told_to_the_group(database: Database) -> None:
    with database.write() as session:
        group = a_group(session)
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        following.add_note(session, **by(request, session), rules=RULES, text="طبقهٔ دوم", now=NOW)
        assert told(session, group.id) == ["utter_staff_visit_note"]


def test_something_can_be_added_until_a_request_is_over(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        cancelled, open_one = (
            a_request(session, rules=RULES, conversation=conversation, kind="advice") for _ in "12"
        )
        following.cancel(session, **by(cancelled, session), rules=RULES, reason="time", now=NOW)
        where = {"customer_id": open_one.customer_id, "rules": RULES}
        assert following.takes_notes(session, **where) == [open_one]


def test_nothing_is_added_to_what_is_over(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        following.cancel(session, **by(request, session), rules=RULES, reason="time", now=NOW)
        with pytest.raises(InvalidTransition):
            following.add_note(session, **by(request, session), rules=RULES, text="سلام", now=NOW)


def test_lists_hold_only_ones_own_requests_newest_first(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        made = [
            a_request(session, rules=RULES, conversation=conversation, starts_at=starts_at)
            for starts_at in (at(24, 9), at(23, 9), at(25, 9))
        ]
        a_request(session, rules=RULES, starts_at=at(24, 9))
        where = {"customer_id": made[0].customer_id, "rules": RULES, "now": NOW}
        assert following.changeable(session, **where) == made[::-1]
        assert following.cancellable(session, **where) == made[::-1]
