"""What the staff and the technicians do with service requests, and what customers hear of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import subject_timeline
from crm_store.base import utcnow
from crm_store.business import Sla, SlaPolicy
from crm_store.conversations.service import add_attachment
from crm_store.db import Database
from crm_store.errors import FullyBooked, InvalidInput, InvalidTransition, NotAllowed, NotFound
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.service_requests import following, states, visits, working
from crm_store.service_requests.models import (
    NOT_DONE_REASONS,
    STATES,
    BookingWindow,
    ServiceRequest,
)
from crm_store.sla.models import SlaClock
from crm_store.tickets.models import TicketNote
from tests.factories import a_conversation, an_inbox_id
from tests.factories.services import NOW, PICKUP, REPAIR, a_group, a_request, a_technician, at, by, rules_with

RULES = rules_with()
MONDAY = date(2026, 11, 23)


def read_by(session: Session, conversation_id: int) -> list[dict[str, Any]]:
    """The notices of a conversation, in order."""
    items = session.scalars(
        select(OutboxItem).where(OutboxItem.conversation_id == conversation_id).order_by(OutboxItem.id)
    )
    return [item.content for item in items]


def names_read_by(session: Session, request: ServiceRequest) -> list[str]:
    return [content["response"] for content in read_by(session, request.conversation_id)]


def names_read_by_staff(session: Session, request: ServiceRequest) -> list[str]:
    items = session.scalars(select(OutboxItem).order_by(OutboxItem.id))
    return [item.content["response"] for item in items if item.conversation_id != request.conversation_id]


def events(session: Session, request: ServiceRequest) -> list[tuple[str, str]]:
    """What the timeline holds, and who did it."""
    entries = subject_timeline(
        session, customer_id=request.customer_id, subject_type="service_request", subject_id=request.id
    )
    return [(entry.kind.removeprefix("service_request."), entry.actor) for entry in entries]


def send(
    session: Session, request: ServiceRequest, staff_id: int, actor: str = "operator", **when: datetime
) -> None:
    when = when or {"now": NOW}
    working.assign(session, request, staff_id=staff_id, actor=actor, rules=RULES, **when)


# Sending somebody


def test_whoever_is_sent_hears_where_to_go_and_the_customer_who_comes(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9), address="پلاک ۲")
        send(session, request, a_technician(session, name="رضا").id)
        assert request.state == "assigned"
        (told,) = read_by(session, request.conversation_id)
        assert told["response"] == "utter_visit_assigned"
        assert (told["params"]["name"], told["params"]["time"]) == ("رضا", "فردا، ساعت ۹ تا ۱۲")
        assert names_read_by_staff(session, request) == ["utter_staff_visit_new"]
        lines = session.scalars(select(OutboxItem)).all()[-1].content["params"]["lines"]
        assert {"response": "utter_service_line_address", "params": {"address": "پلاک ۲"}} in lines
        assert events(session, request) == [("submitted", "customer"), ("assigned", "operator")]


def test_the_same_person_sent_again_hears_nothing_again(database: Database) -> None:
    with database.write() as session:
        request, technician = a_request(session, rules=RULES, starts_at=at(23, 9)), a_technician(session)
        for _ in range(2):
            send(session, request, technician.id)
        assert len(session.scalars(select(OutboxItem)).all()) == 2


def test_somebody_else_can_be_sent_and_the_former_one_hears_of_it(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        first, second = a_technician(session, name="رضا"), a_technician(session, name="نرگس")
        send(session, request, first.id)
        send(session, request, second.id)
        assert request.technician_id == second.id
        assert sorted(names_read_by_staff(session, request)) == [
            "utter_staff_visit_gone",
            "utter_staff_visit_new",
            "utter_staff_visit_new",
        ]
        assert [told["params"]["name"] for told in read_by(session, request.conversation_id)] == [
            "رضا",
            "نرگس",
        ]


def test_a_technician_without_a_name_is_our_colleague(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        send(session, request, a_technician(session, name="").id)
        assert read_by(session, request.conversation_id)[0]["params"]["name"] == {
            "response": "utter_our_technician",
            "params": {},
        }


def test_only_who_has_all_the_skills_is_sent(database: Database) -> None:
    rules = rules_with(msgspec.structs.replace(REPAIR, skills=("گاز", "برق")))
    with database.write() as session:
        request = a_request(session, rules=rules, starts_at=at(23, 9))
        one, both = a_technician(session, skills=("گاز",)), a_technician(session, skills=("برق", "گاز", "آب"))
        with pytest.raises(NotAllowed):
            working.assign(session, request, staff_id=one.id, actor="operator", rules=rules, now=NOW)
        assert (request.state, request.technician_id) == ("scheduled", None)
        working.assign(session, request, staff_id=both.id, actor="operator", rules=rules, now=NOW)


def test_only_who_goes_to_that_city_is_sent(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9), city="بندر عباس")
        elsewhere, there = a_technician(session, areas=("شیراز",)), a_technician(session, areas=("بندرعباس",))
        with pytest.raises(NotAllowed):
            send(session, request, elsewhere.id)
        send(session, request, there.id)


def test_nobody_who_left_is_sent(database: Database) -> None:
    with database.write() as session:
        request, gone = a_request(session, rules=RULES, starts_at=at(23, 9)), a_technician(session)
        gone.disabled_at = utcnow()
        for staff_id in (gone.id, 99_999):
            with pytest.raises(NotFound):
                send(session, request, staff_id)


def test_nobody_is_sent_to_more_than_fits_into_the_window(database: Database) -> None:
    # Three hours: an hour and a half and an hour fit, with another hour they do not.
    with database.write() as session:
        technician = a_technician(session)
        send(session, a_request(session, rules=RULES, starts_at=at(23, 9)), technician.id)
        pickups = [a_request(session, rules=RULES, starts_at=at(23, 9), kind="pickup") for _ in range(2)]
        send(session, pickups[0], technician.id)
        with pytest.raises(FullyBooked):
            send(session, pickups[1], technician.id)
        elsewhen = a_request(session, rules=RULES, starts_at=at(23, 14), kind="pickup")
        send(session, elsewhen, technician.id)
        visits.not_done(
            session,
            staff_id=technician.id,
            code=pickups[0].code,
            inbox_id=1,
            rules=RULES,
            reason="too_late",
            now=at(23, 9),
        )
        send(session, pickups[1], technician.id)


def test_windows_that_overlap_count_together(database: Database) -> None:
    rules = rules_with(windows={"monday": ("09:00-12:00", "11:00-14:00", "12:00-15:00")})
    with database.write() as session:
        technician = a_technician(session)
        for starts_at, fits in [(at(23, 9), True), (at(23, 12), True), (at(23, 11), False)]:
            request = a_request(session, rules=rules, starts_at=starts_at)
            about: dict[str, Any] = {"staff_id": technician.id, "actor": "operator", "rules": rules}
            if fits:
                working.assign(session, request, **about, now=NOW)
            else:
                with pytest.raises(FullyBooked):
                    working.assign(session, request, **about, now=NOW)


def test_what_has_no_time_yet_can_be_given_to_somebody(database: Database) -> None:
    with database.write() as session:
        request, technician = a_request(session, rules=RULES, kind="advice"), a_technician(session)
        send(session, request, technician.id)
        assert request.state == "assigned"
        assert read_by(session, request.conversation_id)[0]["params"]["time"] == {
            "response": "utter_visit_time_open",
            "params": {},
        }
        assert visits.visits_of(session, staff_id=technician.id, day=MONDAY, rules=RULES) == [request]


# Times and cancellations by the staff


def test_the_staff_agree_on_a_time_and_the_customer_hears_it(database: Database) -> None:
    rules = rules_with(REPAIR, msgspec.structs.replace(PICKUP, is_booked=False))
    with database.write() as session:
        request = a_request(session, rules=rules, kind="pickup")
        about: dict[str, Any] = {"actor": "operator", "rules": rules, "now": NOW}
        # No notice: the window of this very morning, in an hour.
        working.schedule_visit(session, request, **about, starts_at=at(22, 9))
        assert (request.state, names_read_by(session, request)) == ("scheduled", ["utter_visit_scheduled"])
        working.schedule_visit(session, request, **about, starts_at=at(24, 9))
        working.schedule_visit(session, request, **about, starts_at=at(24, 9))
        assert names_read_by(session, request)[1:] == ["utter_service_scheduled_change"]
        with pytest.raises(FullyBooked):
            working.schedule_visit(session, request, **about, starts_at=at(21, 9))
        assert session.scalars(select(BookingWindow.booked).order_by(BookingWindow.starts_at)).all() == [0, 1]


def test_the_staff_cancel_and_the_customer_hears_why(database: Database) -> None:
    with database.write() as session:
        made = [a_request(session, rules=RULES, starts_at=at(23, 9)) for _ in range(2)]
        for request, reason in zip(made, ["قطعه موجود نیست", " "], strict=True):
            working.cancel_by_staff(session, request, reason=reason, actor="operator", rules=RULES, now=NOW)
        (told,) = read_by(session, made[0].conversation_id)
        assert told["response"] == "utter_service_cancelled_by_us_because"
        assert told["params"]["reason"] == "قطعه موجود نیست"
        assert names_read_by(session, made[1]) == ["utter_service_cancelled_by_us"]
        assert session.scalars(select(BookingWindow.booked)).all() == [0]


def test_what_the_staff_write_reaches_the_customer_and_answers_them(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        about: dict[str, Any] = {"actor": "operator", "rules": RULES, "now": NOW}
        working.write_to_customer(session, request, text="قطعه رسید", **about)
        (told,) = read_by(session, request.conversation_id)
        assert (told["response"], told["params"]["message"]) == ("utter_service_message", "قطعه رسید")
        clocks = {clock.metric: clock.state for clock in session.scalars(select(SlaClock))}
        assert clocks == {"first_response": "met", "resolution": "running"}
        assert session.scalars(select(TicketNote)).one().author == "operator"
        with pytest.raises(InvalidInput):
            working.write_to_customer(session, request, text=" ", **about)
        stranger = f"staff:{a_technician(session).id}"
        with pytest.raises(InvalidTransition):
            working.write_to_customer(session, request, text="سلام", **{**about, "actor": stranger})


def test_whoever_has_chosen_a_time_waits_for_no_first_answer_but_for_later_ones(database: Database) -> None:
    policy = SlaPolicy("همه", first_response=60, next_response=60, resolution=600)
    business = msgspec.structs.replace(RULES.business, sla=Sla(policies=(policy,)))
    rules = Rules(business, groups=RULES.groups)

    def clocks_of(session: Session, request: ServiceRequest) -> dict[str, str]:
        found = select(SlaClock).where(SlaClock.subject_id == request.id)
        return {clock.metric: clock.state for clock in session.scalars(found)}

    with database.write() as session:
        booked = a_request(session, rules=rules, starts_at=at(23, 9))
        unbooked = a_request(session, rules=rules, kind="advice")
        assert clocks_of(session, booked) == {"first_response": "met", "resolution": "running"}
        assert clocks_of(session, unbooked) == {"first_response": "running", "resolution": "running"}
        following.add_note(session, **by(booked, session), rules=rules, text="طبقهٔ دوم", now=NOW)
        assert clocks_of(session, booked)["next_response"] == "running"


def test_clocks_follow_a_request_to_its_end(database: Database) -> None:
    def clocks_of(session: Session, request: ServiceRequest) -> dict[str, str]:
        found = select(SlaClock).where(SlaClock.subject_id == request.id)
        return {clock.metric: clock.state for clock in session.scalars(found)}

    with database.write() as session:
        technician = a_technician(session)
        done, cancelled = (a_request(session, rules=RULES, starts_at=at(23, 9)) for _ in range(2))
        send(session, done, technician.id)
        assert clocks_of(session, done) == {"first_response": "met", "resolution": "running"}
        visits.finish(
            session, staff_id=technician.id, code=done.code, inbox_id=1, rules=RULES, now=at(23, 10)
        )
        assert clocks_of(session, done) == {"first_response": "met", "resolution": "met"}
        working.cancel_by_staff(session, cancelled, reason="", actor="operator", rules=RULES, now=NOW)
        assert clocks_of(session, cancelled) == {"first_response": "met", "resolution": "cancelled"}


# The technician's day


@pytest.fixture
def day(database: Database) -> tuple[Database, int, int]:
    """A technician with a visit on Monday at nine: the store, the technician, the request."""
    with database.write() as session:
        technician = a_technician(session)
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        send(session, request, technician.id)
    return database, technician.id, request.id


def test_a_day_is_told_in_the_order_of_its_windows_and_only_to_whom_it_belongs(database: Database) -> None:
    with database.write() as session:
        own, other = a_technician(session), a_technician(session)
        made = [
            a_request(session, rules=RULES, starts_at=starts_at, kind=kind)
            for starts_at, kind in [
                (at(23, 14), "repair"),
                (at(23, 9), "pickup"),
                (at(23, 9), "pickup"),
                (at(24, 9), "pickup"),
                (at(23, 9), "pickup"),
            ]
        ]
        for request in made[:4]:
            send(session, request, own.id)
        send(session, made[4], other.id)
        listed = visits.visits_of(session, staff_id=own.id, day=MONDAY, rules=RULES)
        assert listed == [made[1], made[2], made[0]]
        assert visits.visits_of(session, staff_id=other.id, day=MONDAY, rules=RULES) == [made[4]]
        working.cancel_by_staff(session, made[1], reason="", actor="operator", rules=RULES, now=NOW)
        visits.finish(session, staff_id=own.id, code=made[2].code, inbox_id=1, rules=RULES, now=at(23, 10))
        listed = visits.visits_of(session, staff_id=own.id, day=MONDAY, rules=RULES)
        assert listed == [made[2], made[0]], "what was done stays in the list, what was cancelled does not"


def test_what_was_left_open_on_earlier_days_can_be_listed_with_a_day(database: Database) -> None:
    with database.write() as session:
        technician = a_technician(session)
        made = [a_request(session, rules=RULES, starts_at=at(day, 9)) for day in (25, 24, 23, 23)]
        for number, request in enumerate(made):
            send(session, request, technician.id)
            where: dict[str, Any] = {"staff_id": technician.id, "code": request.code, "rules": RULES}
            if number == 2:
                visits.set_off(session, **where, inbox_id=1, now=at(23, 9))
            if number == 3:
                visits.finish(session, **where, inbox_id=2, now=at(23, 10))
        about: dict[str, Any] = {"staff_id": technician.id, "day": date(2026, 11, 24), "rules": RULES}
        assert visits.visits_of(session, **about) == [made[1]]
        assert visits.visits_of(session, **about, with_earlier=True) == [made[2], made[1]]


def test_a_day_begins_and_ends_at_midnight_of_the_business(database: Database) -> None:
    rules = rules_with(windows={"monday": ("00:00-02:00", "22:00-24:00")})
    with database.write() as session:
        technician = a_technician(session)
        for starts_at in (at(23, 0), at(23, 22)):
            request = a_request(session, rules=rules, starts_at=starts_at)
            working.assign(session, request, staff_id=technician.id, actor="operator", rules=rules, now=NOW)
        for one, count in [(date(2026, 11, 22), 0), (MONDAY, 2), (date(2026, 11, 24), 0)]:
            assert len(visits.visits_of(session, staff_id=technician.id, day=one, rules=rules)) == count


def test_on_the_way_and_done_are_told_and_done_asks_for_a_grade(
    day: tuple[Database, int, int],
) -> None:
    database, technician, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        photo_of = a_conversation(session)
        photo = add_attachment(
            session,
            conversation_id=photo_of.id,
            inbox_id=an_inbox_id(session, photo_of),
            kind="photo",
        )
        where: dict[str, Any] = {"staff_id": technician, "code": request.code, "rules": RULES}
        for _ in range(2):  # the same turn again
            visits.set_off(session, **where, inbox_id=1, now=at(23, 9))
        for _ in range(2):
            visits.finish(
                session,
                **where,
                inbox_id=2,
                text="برد عوض شد",
                attachment_ids=[photo.id],
                now=at(23, 11),
            )
        assert (request.state, request.done_at, request.outcome) == ("done", at(23, 11), "برد عوض شد")
        assert names_read_by(session, request) == [
            "utter_visit_assigned",
            "utter_visit_on_the_way",
            "utter_visit_done",
        ]
        assert read_by(session, request.conversation_id)[-1]["params"]["ticket"] == request.code
        note = session.scalars(select(TicketNote)).one()
        assert (note.kind, note.author, note.text) == ("internal", f"staff:{technician}", "برد عوض شد")
        assert (photo.service_request_id, photo.note_id) == (request.id, note.id)
        assert events(session, request)[2:] == [
            ("set_off", f"staff:{technician}"),
            ("done", f"staff:{technician}"),
        ]


def test_the_office_hears_why_a_visit_was_not_done_unless_it_said_so_itself(
    day: tuple[Database, int, int],
) -> None:
    database, technician, request_id = day
    with database.write() as session:
        group = a_group(session)
        request = session.get_one(ServiceRequest, request_id)
        where: dict[str, Any] = {"staff_id": technician, "code": request.code, "rules": RULES}
        for _ in range(2):
            visits.not_done(session, **where, inbox_id=1, reason="part_missing", now=at(23, 10))
        (told,) = read_by(session, group.id)
        assert told["response"] == "utter_staff_visit_not_done"
        assert (told["params"]["name"], told["params"]["reason"]) == ("رضا", "قطعه نداشتم")
        other = a_request(session, rules=RULES, starts_at=at(23, 14))
        send(session, other, technician)
        states.move(
            session, other, to="not_done", actor="operator", rules=RULES, reason="other", now=at(23, 15)
        )
        assert len(read_by(session, group.id)) == 1


@pytest.mark.parametrize("reason", NOT_DONE_REASONS)
def test_why_it_was_not_done_is_told_in_words_of_its_own(day: tuple[Database, int, int], reason: str) -> None:
    database, technician, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        visits.not_done(
            session,
            staff_id=technician,
            code=request.code,
            inbox_id=1,
            rules=RULES,
            reason=reason,
            text="زنگ زدم، جواب نداد",
            now=at(23, 10),
        )
        assert (request.state, request.reason) == ("not_done", reason)
        told = read_by(session, request.conversation_id)[-1]
        assert told["response"] == "utter_visit_not_done"
        assert told["params"]["reason"] == {"response": f"utter_not_done_{reason}", "params": {}}
        assert "زنگ زدم" not in str(told), "the technician's words are for the colleagues"


def test_a_technician_does_nothing_with_visits_of_others(day: tuple[Database, int, int]) -> None:
    database, _, request_id = day
    with database.write() as session:
        request, other = session.get_one(ServiceRequest, request_id), a_technician(session)
        where: dict[str, Any] = {"staff_id": other.id, "inbox_id": 1, "rules": RULES, "now": at(23, 9)}
        answers = []
        for code in (request.code, "10000008", "hello"):
            for call in (
                lambda one=code: visits.set_off(session, **where, code=one),
                lambda one=code: visits.finish(session, **where, code=one),
                lambda one=code: visits.not_done(session, **where, code=one, reason="other"),
            ):
                with pytest.raises(NotFound) as refused:
                    call()
                answers.append(str(refused.value))
        assert len(set(answers)) == 1
        assert request.state == "assigned"


def test_nothing_happens_to_a_visit_before_its_day(day: tuple[Database, int, int]) -> None:
    database, technician, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        where: dict[str, Any] = {"staff_id": technician, "code": request.code, "rules": RULES}
        with pytest.raises(InvalidTransition):
            visits.set_off(session, **where, inbox_id=1, now=at(22, 23, 59))
        visits.set_off(session, **where, inbox_id=2, now=at(23, 0))


def test_a_reason_that_there_is_not_is_refused(day: tuple[Database, int, int]) -> None:
    database, technician, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        with pytest.raises(InvalidInput):
            visits.not_done(
                session,
                staff_id=technician,
                code=request.code,
                inbox_id=1,
                rules=RULES,
                reason="rain",
                now=at(23, 10),
            )


# The table


def test_a_state_leads_only_where_the_table_says_and_only_for_whom(sqlite_database: Database) -> None:
    """Each pair of states, tried by each kind of actor."""
    rules = rules_with(msgspec.structs.replace(REPAIR, capacity=1000))
    with sqlite_database.write() as session:
        technician, agent = a_technician(session), a_technician(session, role="agent")
        actors = {
            "customer": "customer",
            "technician": f"staff:{technician.id}",
            "staff": f"staff:{agent.id}",
        }
        conversation = a_conversation(session)
        for before in STATES:
            for to in STATES:
                for kind, actor in actors.items():
                    request = a_request(session, rules=rules, conversation=conversation, starts_at=at(23, 9))
                    request.state, request.technician_id = before, technician.id
                    event = "again" if before == to else ""
                    change: Callable[[], object] = lambda one=request, to=to, actor=actor, event=event: (  # noqa: E731
                        states.move(session, one, to=to, actor=actor, rules=rules, event=event, now=NOW)
                    )
                    if kind in states.TRANSITIONS.get((before, to), ()):
                        change()
                        assert request.state == to
                    else:
                        with pytest.raises(InvalidTransition):
                            change()
                        assert request.state == before


def test_a_technician_of_another_visit_and_the_bot_change_nothing(day: tuple[Database, int, int]) -> None:
    database, _, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        for actor in (f"staff:{a_technician(session).id}", "staff:99999", "bot", "system"):
            with pytest.raises(InvalidTransition):
                states.move(session, request, to="done", actor=actor, rules=RULES, now=at(23, 10))


def test_what_a_state_needs_must_be_agreed_before(database: Database) -> None:
    with database.write() as session:
        request, technician = a_request(session, rules=RULES, kind="advice"), a_technician(session)
        about: dict[str, Any] = {"actor": "operator", "rules": RULES, "now": NOW}
        for to in ("scheduled", "assigned", "asleep"):
            with pytest.raises(InvalidInput):
                states.move(session, request, to=to, **about)
        visit = a_request(session, rules=RULES, starts_at=at(23, 9))
        with pytest.raises(InvalidTransition):
            states.move(session, visit, to="scheduled", **about)
        send(session, visit, technician.id)
        visits.not_done(
            session,
            staff_id=technician.id,
            code=visit.code,
            inbox_id=1,
            rules=RULES,
            reason="other",
            now=at(23, 10),
        )
        for change in (
            lambda: states.move(session, visit, to="scheduled", **{**about, "now": at(23, 11)}),
            lambda: send(session, visit, technician.id, now=at(23, 11)),
        ):
            with pytest.raises(InvalidInput):
                change()
        assert visit.state == "not_done"


def test_a_visit_taken_from_a_technician_waits_for_another_one(day: tuple[Database, int, int]) -> None:
    database, _, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        states.move(session, request, to="scheduled", actor="operator", rules=RULES, now=NOW)
        assert request.technician_id is None
        assert names_read_by_staff(session, request)[-1] == "utter_staff_visit_gone"
        assert names_read_by(session, request) == ["utter_visit_assigned"]
        assert events(session, request)[-1] == ("unassigned", "operator")


def test_a_reason_in_words_is_kept_as_other(day: tuple[Database, int, int]) -> None:
    database, _, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        states.move(
            session,
            request,
            to="not_done",
            actor="operator",
            rules=RULES,
            reason="برق محله رفت",
            now=at(23, 10),
        )
        assert (request.reason, request.outcome) == ("other", "برق محله رفت")


def test_a_supervisor_may_do_what_a_technician_does(day: tuple[Database, int, int]) -> None:
    database, _, request_id = day
    with database.write() as session:
        request = session.get_one(ServiceRequest, request_id)
        supervisor = a_technician(session, role="supervisor")
        states.move(session, request, to="done", actor=f"staff:{supervisor.id}", rules=RULES, now=at(23, 10))
        assert request.state == "done"
