"""What was promised is kept: pauses are given back, and a policy that changes later is that of new clocks."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_store.business import WEEKDAYS, Calendar, Sla, SlaPolicy
from crm_store.db import Database
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.sla.models import (
    CANCELLED,
    FIRST_RESPONSE,
    MET,
    MISSED,
    NEXT_RESPONSE,
    PAUSED,
    RESOLUTION,
    RUNNING,
    SlaClock,
)
from tests.crm_store.clocked import POLICY, a_ticket, begin, clocks_of, noted, rules_with, the
from tests.iran import at

RULES = rules_with()
SHOP = rules_with(
    calendar=Calendar(hours={day: ("09:00-13:00", "16:00-20:00") for day in WEEKDAYS if day != "friday"})
)
ALWAYS = rules_with(calendar=Calendar(), callback=rules_with().business.callback)
NIGHTS = rules_with(
    calendar=Calendar(hours=dict.fromkeys(WEEKDAYS, ("00:00-06:00", "22:00-24:00")), on_public_holidays=True)
)


def test_a_new_ticket_has_clocks_for_the_first_response_and_the_resolution(database: Database) -> None:
    with database.write() as session:
        begun = begin(session, a_ticket(session), RULES, at("1405/09/01 10:00"))
        assert set(begun) == {FIRST_RESPONSE, RESOLUTION}
        first = begun[FIRST_RESPONSE]
        assert (first.policy, first.target_seconds, first.state) == ("urgent", 3600, RUNNING)
        # Three quarters of the hour, and of the eight hours.
        assert (first.warn_at, first.due_at) == (at("1405/09/01 10:45"), at("1405/09/01 11:00"))
        assert begun[RESOLUTION].warn_at == at("1405/09/01 16:00")
        assert begun[RESOLUTION].due_at == at("1405/09/02 10:00")
        assert {clock.check_at for clock in begun.values()} == {clock.warn_at for clock in begun.values()}


def test_a_ticket_under_no_policy_has_no_clocks_and_nothing_that_happens_to_it_begins_one(
    sqlite_database: Database,
) -> None:
    rules = rules_with(sla=Sla(policies=(POLICY,)))
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        assert begin(session, ticket, rules, at("1405/09/01 10:00"), "normal") == {}
        for happens in (clocks.responded, clocks.customer_wrote, clocks.pause, clocks.resume):
            happens(session, rules=rules, **the(ticket))
        clocks.restart(session, rules=rules, **the(ticket), priority="normal")
        clocks.stop(session, rules=rules, **the(ticket))
        assert clocks_of(session, ticket) == []


def test_starting_again_leaves_open_clocks_alone(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 10:00"))
        assert begin(session, ticket, RULES, at("1405/09/01 12:00"), "normal") == {}
        assert [clock.policy for clock in clocks_of(session, ticket)] == ["urgent", "urgent"]


def test_clocks_of_other_tickets_go_on(database: Database) -> None:
    with database.write() as session:
        one, other = a_ticket(session), a_ticket(session)
        for ticket in (one, other):
            begin(session, ticket, RULES, at("1405/09/01 10:00"))
        clocks.stop(session, rules=RULES, **the(one), now=at("1405/09/01 10:30"))
        assert {clock.state for clock in clocks_of(session, one)} == {MET}
        assert {clock.state for clock in clocks_of(session, other)} == {RUNNING}


@pytest.mark.parametrize(
    ("answered", "state"),
    [("1405/09/01 10:59", MET), ("1405/09/01 11:00", MET), ("1405/09/01 11:01", MISSED)],
)
def test_an_answer_in_time_meets_the_promise_and_a_later_one_misses_it(
    sqlite_database: Database, answered: str, state: str
) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 10:00"))
        clocks.responded(session, rules=RULES, **the(ticket), now=at(answered))
        first, resolution = clocks_of(session, ticket)
        assert (first.state, first.stopped_at, first.check_at) == (state, at(answered), None)
        assert resolution.state == RUNNING
        assert [kind for kind, _ in noted(session, ticket)] == (["sla.breached"] if state == MISSED else [])


def test_the_end_of_an_interval_is_the_end_of_what_was_promised(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begun = begin(session, ticket, RULES, at("1405/09/01 16:00"))
        assert begun[FIRST_RESPONSE].due_at == at("1405/09/01 17:00")
        clocks.responded(session, rules=RULES, **the(ticket), now=at("1405/09/01 20:00"))
        assert begun[FIRST_RESPONSE].state == MISSED


def test_a_later_message_waits_for_the_next_response_once(database: Database) -> None:
    with database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 10:00"))
        here = {"rules": RULES, **the(ticket)}
        # The first response is still owed, so nothing is added to it.
        assert clocks.customer_wrote(session, **here, now=at("1405/09/01 10:05")) is None
        clocks.responded(session, **here, now=at("1405/09/01 10:30"))
        waiting = clocks.customer_wrote(session, **here, now=at("1405/09/01 16:00"))
        assert waiting is not None
        assert (waiting.metric, waiting.due_at) == (NEXT_RESPONSE, at("1405/09/02 10:00"))
        assert clocks.customer_wrote(session, **here, now=at("1405/09/01 16:30")) is None
        clocks.responded(session, **here, now=at("1405/09/02 09:30"))
        assert waiting.state == MET
        again = clocks.customer_wrote(session, **here, now=at("1405/09/02 10:00"))
        assert again is not None
        assert again.due_at == at("1405/09/02 12:00")


def test_a_policy_without_a_next_response_begins_no_such_clock(sqlite_database: Database) -> None:
    rules = rules_with(sla=Sla(policies=(SlaPolicy(name="once", first_response=60),)))
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        assert set(begin(session, ticket, rules, at("1405/09/01 10:00"))) == {FIRST_RESPONSE}
        clocks.responded(session, rules=rules, **the(ticket), now=at("1405/09/01 10:10"))
        assert clocks.customer_wrote(session, rules=rules, **the(ticket)) is None


# A pause, worked out by hand: the resolution of 8 hours


@pytest.mark.parametrize(
    ("rules", "start", "pauses", "due"),
    [
        # Two hours in the middle of a day
        (RULES, "1405/09/01 09:00", [("1405/09/01 12:00", "1405/09/01 14:00")], "1405/09/02 11:00"),
        # Paused and resumed at once
        (RULES, "1405/09/01 09:00", [("1405/09/01 12:00", "1405/09/01 12:00")], "1405/09/01 17:00"),
        # Through a night: only an hour of it was working time
        (RULES, "1405/09/01 09:00", [("1405/09/01 16:30", "1405/09/02 09:30")], "1405/09/02 10:00"),
        # Within a night nothing is lost and nothing gained
        (RULES, "1405/09/01 10:00", [("1405/09/01 18:00", "1405/09/02 08:00")], "1405/09/02 10:00"),
        # Over a holiday, Wednesday 2 Dey: 6 hours are left, 2 on Thursday and 4 on Saturday
        (RULES, "1405/10/01 10:00", [("1405/10/01 12:00", "1405/10/03 11:00")], "1405/10/05 13:00"),
        # Resumed on the holiday itself: 6 hours from Thursday at 9
        (RULES, "1405/10/01 10:00", [("1405/10/01 12:00", "1405/10/02 15:00")], "1405/10/05 11:00"),
        # Over Nowruz: an hour is used up on 27 Esfand, 7 are left on 5 Farvardin at 10
        (RULES, "1405/12/27 10:00", [("1405/12/27 11:00", "1406/01/05 10:00")], "1406/01/07 13:00"),
        # Two pauses in two intervals a day: 1 hour, then 2, then 5 are left
        (
            SHOP,
            "1405/09/01 09:00",
            [("1405/09/01 10:00", "1405/09/01 12:00"), ("1405/09/01 17:00", "1405/09/02 10:00")],
            "1405/09/02 18:00",
        ),
        # Round the clock: a day's pause is a day
        (ALWAYS, "1405/10/01 20:00", [("1405/10/02 00:00", "1405/10/03 00:00")], "1405/10/03 04:00"),
        # Round the clock over the night to 2 Farvardin 1401, which has an hour less
        (
            ALWAYS,
            "1401/01/01 20:00",
            [("1401/01/01 22:00", "1401/01/02 03:00 +04:30")],
            "1401/01/02 09:00 +04:30",
        ),
        # Nights: paused from 23 on 1 Farvardin 1401 until 4; then 2 hours until 6, 2 until midnight, 3 more
        (
            NIGHTS,
            "1401/01/01 22:00",
            [("1401/01/01 23:00", "1401/01/02 04:00 +04:30")],
            "1401/01/03 03:00 +04:30",
        ),
        # Nights: paused for the long evening of 30 Shahrivar 1401; all 8 hours are left: 6, and 2 at night
        (
            NIGHTS,
            "1401/06/30 22:00 +04:30",
            [("1401/06/30 22:00 +04:30", "1401/06/31 00:00")],
            "1401/07/01 00:00",
        ),
        # A pause after the due time: what was missed by 1 hour is still missed by 1 hour
        (RULES, "1405/09/01 09:00", [("1405/09/02 10:00", "1405/09/02 15:00")], "1405/09/02 14:00"),
    ],
)
def test_a_pause_is_given_back(
    sqlite_database: Database, rules: Rules, start: str, pauses: list[tuple[str, str]], due: str
) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, rules, at(start))[RESOLUTION]
        for begins, ends in pauses:
            promised = clock.due_at
            clocks.pause(session, rules=rules, **the(ticket), now=at(begins))
            assert (clock.state, clock.paused_at, clock.due_at) == (PAUSED, at(begins), promised)
            clocks.resume(session, rules=rules, **the(ticket), now=at(ends))
        assert (clock.state, clock.paused_at, clock.due_at) == (RUNNING, None, at(due))
        session.flush()
        session.expire_all()
        assert clock.due_at == at(due)


def test_the_warning_moves_along_with_the_due_time(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, RULES, at("1405/09/01 09:00"))[RESOLUTION]
        assert clock.warn_at == at("1405/09/01 15:00")
        clocks.pause(session, rules=RULES, **the(ticket), now=at("1405/09/01 10:00"))
        assert clock.check_at is None
        clocks.resume(session, rules=RULES, **the(ticket), now=at("1405/09/02 10:00"))
        assert (clock.warn_at, clock.due_at) == (at("1405/09/02 15:00"), at("1405/09/02 17:00"))


def test_pausing_or_resuming_twice_changes_nothing(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, RULES, at("1405/09/01 09:00"))[RESOLUTION]
        here = {"rules": RULES, **the(ticket)}
        clocks.resume(session, **here, now=at("1405/09/01 09:30"))
        clocks.pause(session, **here, now=at("1405/09/01 10:00"))
        clocks.pause(session, **here, now=at("1405/09/01 11:00"))
        clocks.resume(session, **here, now=at("1405/09/01 12:00"))
        clocks.resume(session, **here, now=at("1405/09/01 13:00"))
        assert (clock.due_at, clock.paused_seconds) == (at("1405/09/02 11:00"), 7200)


def test_what_stops_during_a_pause_is_met_if_the_pause_began_in_time(database: Database) -> None:
    with database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, RULES, at("1405/09/01 09:00"))[RESOLUTION]
        here = {"rules": RULES, **the(ticket)}
        clocks.pause(session, **here, now=at("1405/09/01 10:00"))
        clocks.stop(session, **here, now=at("1405/09/10 10:00"))
        assert (clock.state, clock.stopped_at) == (MET, at("1405/09/10 10:00"))
        assert clocks.times(clock, RULES, at("1405/09/20 10:00")).elapsed == timedelta(hours=1)


def test_what_was_late_before_a_pause_is_missed_however_long_it_lasts(database: Database) -> None:
    with database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, RULES, at("1405/09/01 09:00"))[RESOLUTION]
        here = {"rules": RULES, **the(ticket)}
        # At 20 no working time has passed since 17, but the promise was for 17.
        clocks.pause(session, **here, now=at("1405/09/01 20:00"))
        assert clock.breached_at == at("1405/09/01 20:00")
        clocks.resume(session, **here, now=at("1405/09/02 12:00"))
        clocks.stop(session, **here, now=at("1405/09/02 12:00"))
        assert clock.state == MISSED
        # The first response had been late for hours.
        assert [data["metric"] for _, data in noted(session, ticket)] == [FIRST_RESPONSE, RESOLUTION]


def test_a_withdrawn_ticket_has_neither_kept_nor_missed_anything(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 09:00"))
        clocks.cancel(session, rules=RULES, **the(ticket), now=at("1405/09/05 09:00"))
        states = {(clock.state, clock.check_at) for clock in clocks_of(session, ticket)}
        assert states == {(CANCELLED, None)}
        assert noted(session, ticket) == []


# What was promised is kept


def test_a_policy_that_changes_later_is_that_of_new_clocks_only(database: Database) -> None:
    changed = rules_with(sla=Sla(policies=(SlaPolicy(name="urgent", first_response=5, resolution=10),)))
    with database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, RULES, at("1405/09/01 09:00"))[RESOLUTION]
        here = {"rules": changed, **the(ticket)}
        clocks.pause(session, **here, now=at("1405/09/01 12:00"))
        clocks.resume(session, **here, now=at("1405/09/01 13:00"))
        assert (clock.due_at, clock.target_seconds) == (at("1405/09/02 10:00"), 8 * 3600)
        newer = a_ticket(session)
        assert begin(session, newer, changed, at("1405/09/01 09:00"))[RESOLUTION].due_at == at(
            "1405/09/01 09:10"
        )


def test_a_calendar_that_changes_later_leaves_the_due_time_as_it_was_told(sqlite_database: Database) -> None:
    shorter = rules_with(calendar=Calendar(hours={"sunday": ("09:00-13:00",)}))
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, RULES, at("1405/09/01 09:00"))[RESOLUTION]
        found = clocks.times(clock, shorter, at("1405/09/01 12:00"))
        assert clock.due_at == at("1405/09/01 17:00")
        # An hour of working time is left until then, as the business works now.
        assert (found.elapsed, found.remaining) == (timedelta(hours=7), timedelta(hours=1))


def test_a_reopened_ticket_is_promised_an_answer_and_a_decision_anew(
    database: Database,
) -> None:
    with database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 09:00"))
        here = {"rules": RULES, **the(ticket)}
        clocks.stop(session, **here, now=at("1405/09/01 10:00"))
        begun = clocks.restart(session, **here, priority="urgent", now=at("1405/09/10 09:00"))
        assert [(clock.metric, clock.due_at, clock.policy) for clock in begun] == [
            (NEXT_RESPONSE, at("1405/09/10 11:00"), "urgent"),
            (RESOLUTION, at("1405/09/10 17:00"), "urgent"),
        ]
        assert [clock.state for clock in clocks_of(session, ticket)[:2]] == [MET, MET]
        # Once more before that is done: what is open begins anew.
        clocks.restart(session, **here, priority="urgent", now=at("1405/09/10 10:00"))
        states = [clock.state for clock in clocks_of(session, ticket)]
        assert states == [MET, MET, CANCELLED, CANCELLED, RUNNING, RUNNING]


def test_a_reopened_ticket_comes_under_the_policy_of_the_priority_that_it_has_now(database: Database) -> None:
    with database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 09:00"), "high")
        here = {"rules": RULES, **the(ticket)}
        clocks.stop(session, **here, now=at("1405/09/01 10:00"))
        begun = clocks.restart(session, **here, priority="urgent", now=at("1405/09/10 09:00"))
        assert [clock.policy for clock in clocks_of(session, ticket)] == ["others"] * 2 + ["urgent"] * 2
        assert [clock.due_at for clock in begun] == [at("1405/09/10 11:00"), at("1405/09/10 17:00")]
        # What is promised after that follows the new policy, too.
        clocks.responded(session, **here, now=at("1405/09/10 09:30"))
        wrote = clocks.customer_wrote(session, **here, now=at("1405/09/10 10:00"))
        assert wrote is not None
        assert wrote.policy == "urgent"


def test_a_reopened_ticket_that_no_policy_fits_any_more_keeps_the_former_one(
    sqlite_database: Database,
) -> None:
    rules = rules_with(sla=Sla(policies=(POLICY,)))
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, rules, at("1405/09/01 09:00"))
        begun = clocks.restart(
            session, rules=rules, **the(ticket), priority="low", now=at("1405/09/10 09:00")
        )
        assert [(clock.metric, clock.policy) for clock in begun] == [
            (NEXT_RESPONSE, "urgent"),
            (RESOLUTION, "urgent"),
        ]


def test_a_reopened_ticket_whose_policy_is_gone_is_promised_what_it_was_before(
    sqlite_database: Database,
) -> None:
    without = rules_with(sla=Sla())
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, RULES, at("1405/09/01 09:00"))
        clocks.stop(session, rules=RULES, **the(ticket), now=at("1405/09/01 10:00"))
        about = {"rules": without, **the(ticket), "priority": "urgent"}
        begun = clocks.restart(session, **about, now=at("1405/09/10 09:00"))
        assert [(clock.metric, clock.due_at) for clock in begun] == [(RESOLUTION, at("1405/09/10 17:00"))]


def test_the_open_clock_of_a_metric_is_found_running_or_paused(database: Database) -> None:
    with database.write() as session:
        ticket = a_ticket(session)
        begun = begin(session, ticket, RULES, at("1405/09/01 09:00"))
        here = {"rules": RULES, **the(ticket)}
        clocks.pause(session, **here, now=at("1405/09/01 09:30"))
        found = clocks.open_clock(session, **the(ticket), metric=FIRST_RESPONSE)
        assert found is begun[FIRST_RESPONSE]
        clocks.stop(session, **here, now=at("1405/09/01 09:40"))
        assert clocks.open_clock(session, **the(ticket), metric=FIRST_RESPONSE) is None


# Properties

FIRST = at("1400/11/01 00:00")
HOURS = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
CALENDARS = st.builds(
    Calendar,
    hours=st.dictionaries(
        st.sampled_from(WEEKDAYS),
        st.lists(HOURS.map(lambda pair: f"{pair[0]:02}:00-{pair[1]:02}:00"), min_size=1, max_size=2).map(
            tuple
        ),
    ),
    on_public_holidays=st.booleans(),
)
#: Seconds until the next event, and what happens then.
EVENTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 7200), st.integers(0, 30 * 86_400)), st.sampled_from(["pause", "resume"])
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    CALENDARS,
    st.integers(0, 900 * 86_400),
    st.integers(1, 6000),
    EVENTS,
    st.integers(0, 20 * 86_400),
    st.sampled_from(["run on", "stop", "cancel"]),
)
def test_elapsed_paused_and_remaining_always_add_up(  # noqa: PLR0917  # hypothesis fills them in by place
    database: Database,
    calendar: Calendar,
    offset: int,
    minutes: int,
    events: list[tuple[int, str]],
    rest: int,
    end: str,
) -> None:
    rules = rules_with(
        sla=Sla(policies=(SlaPolicy(name="any", resolution=minutes),)),
        calendar=calendar,
        callback=RULES.business.callback,
    )
    working, target = rules.working_time, timedelta(minutes=minutes)
    now = started = FIRST + timedelta(seconds=offset)
    #: Since when it runs or stands still, in turn; it begins by running.
    changes, is_running, was_late = [started], True, False
    with database.write() as session:
        ticket = a_ticket(session)
        clock = begin(session, ticket, rules, started)[RESOLUTION]
        here = {"rules": rules, **the(ticket)}
        for seconds, event in events:
            now += timedelta(seconds=seconds)
            check(clock, rules, changes, now)
            was_late |= is_running and now > clock.due_at
            {"pause": clocks.pause, "resume": clocks.resume}[event](session, **here, now=now)
            if is_running is (event == "pause"):
                changes, is_running = [*changes, now], not is_running
            check(clock, rules, changes, now)
        now += timedelta(seconds=rest)
        elapsed, _, remaining = check(clock, rules, changes, now)
        if end == "run on":
            if is_running and remaining >= timedelta():
                assert working.between(now, clock.due_at) == remaining
                assert working.add(started, target) <= clock.due_at
            return
        was_late |= is_running and now > clock.due_at
        (clocks.stop if end == "stop" else clocks.cancel)(session, **here, now=now)
        assert check(clock, rules, [*changes, now] if is_running else changes, now).elapsed == elapsed
        later = now + timedelta(days=7)
        assert clocks.times(clock, rules, later) == clocks.times(clock, rules, now)
        if end == "stop":
            assert clock.state == (MISSED if was_late else MET)
            assert clock.state == (MISSED if elapsed > target else MET) or elapsed == target


def check(clock: SlaClock, rules: Rules, changes: list[datetime], now: datetime) -> clocks.ClockTimes:
    """Compares how a clock stands with the sum of the stretches in which it ran and stood still."""
    found, working = clocks.times(clock, rules, now), rules.working_time
    stretches = [working.between(*pair) for pair in itertools.pairwise([*changes, now])]
    assert found.elapsed == sum(stretches[::2], timedelta())
    assert found.paused == sum(stretches[1::2], timedelta())
    assert found.elapsed + found.remaining == timedelta(seconds=clock.target_seconds)
    assert found.elapsed + found.paused == working.between(clock.started_at, now)
    return found
