"""Who is asked for an opinion, when, and when not."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import timeline
from crm_store.base import utcnow
from crm_store.business.surveys import SurveyTrigger
from crm_store.complaints.models import CLOSED, IN_REVIEW, RESOLVED, Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_message
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.customers.service import mark_blocked
from crm_store.db import Database
from crm_store.errors import InvalidInput, NotFound
from crm_store.outbox import OutboxItem, enqueue_message
from crm_store.surveys import quiet
from crm_store.surveys.answering import Reading, answer, open_invitation, skip
from crm_store.surveys.asking import begin_for, look_at
from crm_store.surveys.definitions import active_surveys, listed, set_by_api, survey_in_force, version_of
from crm_store.surveys.models import SurveyInvitation, SurveyVersion
from crm_store.surveys.planning import plan_for, plan_for_list
from tests.crm_store.clocked import a_ticket
from tests.factories import an_inbox_id
from tests.factories.purchases import a_purchase, a_return
from tests.factories.surveys import (
    AFTER_PURCHASE,
    BY_HAND,
    CONTENT,
    NOON,
    OPEN,
    a_customer,
    asked,
    at,
    bought,
    leave,
    opts_out,
    questions_sent,
    rules_with,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RULES = rules_with()


def look(session: Session, invitation: SurveyInvitation, now: datetime, rules: object = RULES) -> str:
    return look_at(session, invitation_id=invitation.id, rules=rules, now=now)  # type: ignore[arg-type]


def test_a_purchase_is_asked_about_after_its_pause_in_the_customers_chat(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_customer(session)
        planned = bought(session, customer, RULES)
        assert planned.due_at == NOON + 7 * DAY
        assert look(session, planned, NOON + 7 * DAY - MINUTE) == ""
        assert look(session, planned, NOON + 7 * DAY) == "asked"
        notice = session.scalars(select(OutboxItem)).one()
        assert (notice.conversation_id, notice.content["response"]) == (chat.id, "utter_survey_question_nps")
        assert notice.content["params"]["survey"] == str(planned.id)
        assert notice.content["params"]["key"] == "recommend"
        opening, question = notice.content["params"]["question"]
        assert (opening["response"], question) == ("utter_survey_opening", "ما را پیشنهاد می‌کنید؟")
        waiting = open_invitation(session, customer_id=customer, conversation_id=chat.id)
        assert waiting is not None
        assert waiting.id == planned.id
        assert timeline(session, customer_id=customer)[0].kind == "survey.asked"


def test_the_same_occasion_plans_one_survey(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        assert bought(session, customer, RULES).id == bought(session, customer, RULES).id
        assert bought(session, customer, RULES, number=2).id != bought(session, customer, RULES).id


def test_only_purchases_of_enough_are_asked_about_and_none_of_long_ago(database: Database) -> None:
    trigger = SurveyTrigger(on="purchase", after_days=7, minimum_tomans=1000)
    rules = rules_with(msgspec.structs.replace(AFTER_PURCHASE, triggers=(trigger,)))
    with database.write() as session:
        _, customer = a_customer(session)
        about = {"occasion": "purchase", "customer_id": customer, "rules": rules, "now": NOON}
        assert plan_for(session, subject_id=1, total_rials=9_999, **about) is None  # type: ignore[arg-type]
        assert plan_for(session, subject_id=2, total_rials=10_000, **about)  # type: ignore[arg-type]
        long_ago = NOON - 22 * DAY
        told = {"total_rials": 10_000, "happened_at": long_ago, **about}
        assert plan_for(session, subject_id=3, **told) is None  # type: ignore[arg-type]
        assert plan_for(session, subject_id=4, **{**about, "occasion": "handoff"}) is None  # type: ignore[arg-type]


def test_one_pause_counts_for_all_surveys_and_begins_with_whichever_was_asked(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        planned = bought(session, customer, RULES)
        by_hand = asked(session, customer, RULES, now=NOON)
        skip(session, invitation=by_hand, now=NOON + HOUR)
        assert look(session, planned, NOON + 7 * DAY) == "dropped"
        assert planned.reason == "cooldown"
        later = bought(session, customer, RULES, number=2, now=NOON + 23 * DAY)
        assert look(session, later, NOON + 30 * DAY) == "asked"


def test_whoever_speaks_up_needs_no_pause_and_begins_one(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_customer(session)
        skip(session, invitation=asked(session, customer, RULES), now=NOON)
        where = {"customer_id": customer, "conversation_id": chat.id, "rules": RULES}
        inbox_id = an_inbox_id(session, chat)
        began = begin_for(session, inbox_id=inbox_id, now=NOON + 29 * DAY, **where)  # type: ignore[arg-type]
        assert (began.key, began.question, began.trigger) == ("open", "content", "customer")
        again = begin_for(session, inbox_id=an_inbox_id(session, chat), now=NOON + 29 * DAY, **where)  # type: ignore[arg-type]
        assert again.id == began.id
        skip(session, invitation=began, now=NOON + 29 * DAY)
        repeated = begin_for(session, inbox_id=inbox_id, now=NOON + 29 * DAY, **where)  # type: ignore[arg-type]
        assert repeated.id == began.id
        planned = bought(session, customer, RULES, now=NOON + 25 * DAY)
        assert look(session, planned, NOON + 32 * DAY) == "dropped"


def test_without_an_open_survey_nobody_can_speak_up_in_one(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_customer(session)
        where = {"customer_id": customer, "conversation_id": chat.id, "inbox_id": 1}
        with pytest.raises(NotFound):
            begin_for(session, rules=rules_with(BY_HAND), now=NOON, **where)  # type: ignore[arg-type]


def test_quiet_hours_move_a_survey_to_the_morning(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        planned = bought(session, customer, RULES, now=at(15, 22))
        assert look(session, planned, at(22, 22)) == "moved"
        assert planned.due_at == at(23, 9)
        assert look(session, planned, at(23, 9)) == "asked"
        sent = session.scalars(select(OutboxItem)).one()
        assert datetime.fromisoformat(sent.content["leaves_before"]) == at(23, 21)


@given(
    minute=st.integers(0, 400 * 1440),
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(["Asia/Tehran", "Europe/Berlin", "America/New_York", "UTC"]),
)
def test_the_first_moment_allowed_is_not_quiet_and_none_before_it_is_allowed(
    minute: int, begins: time, ends: time, zone: str
) -> None:
    hours = {"quiet_from": f"{begins:%H:%M}", "quiet_until": f"{ends:%H:%M}"}
    rules = rules_with(**hours)  # type: ignore[arg-type]
    object.__setattr__(rules, "timezone", zone)
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + minute * MINUTE
    found = quiet.allowed_from(moment, rules=rules)
    assert not quiet.is_quiet(found, rules=rules)
    assert moment <= found <= moment + timedelta(hours=25)
    steps = range(0, int((found - moment).total_seconds()), 7 * 60)
    assert all(quiet.is_quiet(moment + timedelta(seconds=step), rules=rules) for step in steps)
    begin = quiet.quiet_from(moment, rules=rules)
    if hours["quiet_from"] == hours["quiet_until"]:
        assert begin is None
        assert found == moment
    else:
        assert begin is not None
        assert begin > moment
        local = begin.astimezone(ZoneInfo(zone))
        assert abs(local - local.replace(hour=begins.hour, minute=begins.minute)) <= HOUR


def test_whoever_opted_out_is_never_asked_nor_reminded(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        planned = bought(session, customer, RULES)
        opts_out(session, customer, granted=True)
        opts_out(session, customer)
        assert look(session, planned, NOON + 7 * DAY) == "dropped"
        assert planned.reason == "consent"
        assert plan_for_list(session, key="by_hand", customer_ids=[customer], rules=RULES, now=NOON) == (
            [],
            {"consent": 1},
        )
        opts_out(session, customer, granted=True)
        invitation = asked(session, customer, RULES, now=NOON + 8 * DAY)
        opts_out(session, customer)
        assert look(session, invitation, NOON + 9 * DAY) == "moved"
        assert questions_sent(session) == ["utter_survey_question_nps"]
        assert look(session, invitation, NOON + 11 * DAY) == "expired"


def test_the_blocked_the_forgotten_and_those_without_a_chat_are_not_asked(database: Database) -> None:
    with database.write() as session:
        (blocked, first), (_, second) = a_customer(session), a_customer(session)
        nameless = Customer(source="purchase")
        session.add(nameless)
        session.flush()
        mark_blocked(session, channel=blocked.channel, external_id=blocked.chat_id)
        planned = [bought(session, one, RULES, number=one) for one in (first, second, nameless.id)]
        session.get_one(Customer, second).erased_at = NOON
        session.flush()
        assert [look(session, one, NOON + 7 * DAY) for one in planned] == ["dropped"] * 3
        assert [one.reason for one in planned] == ["no_chat", "forgotten", "no_chat"]
        about = {"occasion": "purchase", "subject_id": 9, "customer_id": second, "rules": RULES}
        assert plan_for(session, now=NOON, **about) is None  # type: ignore[arg-type]


def test_records_that_were_joined_are_one_person(database: Database) -> None:
    with database.write() as session:
        (_, kept), (_, joined) = a_customer(session), a_customer(session)
        skip(session, invitation=asked(session, joined, RULES), now=NOON)
        planned = bought(session, kept, RULES)
        merge(session, into_id=kept, from_id=joined, actor="operator")
        assert look(session, planned, NOON + 7 * DAY) == "dropped"
        opts_out(session, joined)
        assert plan_for_list(session, key="by_hand", customer_ids=[joined, kept], rules=RULES, now=NOON)[
            1
        ] == {"consent": 2}


def test_a_half_filled_form_and_a_person_at_the_chat_are_waited_for(database: Database) -> None:
    due = utcnow().replace(hour=9, minute=0)  # noon and a half in Tehran
    with database.write() as session:
        chat, customer = a_customer(session)
        planned = bought(session, customer, RULES, now=due - 7 * DAY)
        form = drafts.start_draft(session, conversation_id=chat.id, kind="complaint", inbox_id=1)
        form.updated_at = due - DAY
        session.flush()
        assert look(session, planned, due) == "moved"
        assert planned.due_at == due + HOUR
        form.updated_at = due - 4 * DAY
        chat.owner = "human"
        session.flush()
        assert look(session, planned, due + HOUR) == "moved"
        chat.owner = "bot"
        session.flush()
        assert look(session, planned, due + 2 * HOUR) == "asked"


def test_another_question_of_ours_is_waited_for_a_day_at_most(database: Database) -> None:
    due = utcnow().replace(hour=9, minute=0)
    with database.write() as session:
        chat, customer = a_customer(session)
        planned = bought(session, customer, RULES, now=due - 7 * DAY)
        _says(session, chat, expects={"what": "rating", "ticket": "12345678"}, at_=due - HOUR)
        assert look(session, planned, due) == "moved"
        assert look(session, planned, due + HOUR) == "moved"
        _says(session, chat, expects={}, at_=due)
        assert look(session, planned, due + 2 * HOUR) == "asked"


def test_whoever_is_writing_right_now_is_left_alone(database: Database) -> None:
    due = utcnow().replace(hour=9, minute=0)
    with database.write() as session:
        chat, customer = a_customer(session)
        planned = bought(session, customer, RULES, now=due - 7 * DAY)
        line = add_message(session, conversation_id=chat.id, author="customer", text="سلام")
        line.created_at = due - MINUTE
        session.flush()
        assert look(session, planned, due) == "moved"
        assert look(session, planned, due + 5 * MINUTE) == "asked"


def _says(session: Session, chat: Conversation, *, expects: dict[str, str], at_: datetime) -> None:
    sent = enqueue_message(session, conversation_id=chat.id, content={"text": "؟", "expects": expects})
    session.flush()
    leave(session)
    line = add_message(session, conversation_id=chat.id, author="bot", text="؟", outbox_id=sent.id)
    line.created_at = at_
    session.flush()


def test_nobody_is_asked_while_an_earlier_survey_is_open(database: Database) -> None:
    rules = rules_with(cooldown_days=0)
    with database.write() as session:
        _, customer = a_customer(session)
        first = asked(session, customer, rules)
        planned = bought(session, customer, rules, now=NOON - 7 * DAY)
        assert look(session, planned, NOON + HOUR, rules) == "moved"
        skip(session, invitation=first, now=NOON + HOUR)
        assert look(session, planned, NOON + 2 * HOUR, rules) == "asked"


def test_one_reminder_then_the_end(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
        assert look(session, invitation, NOON + DAY - MINUTE) == ""
        assert look(session, invitation, NOON + DAY) == "reminded"
        leave(session)
        assert look(session, invitation, NOON + 2 * DAY) == ""
        assert look(session, invitation, NOON + 3 * DAY) == "expired"
        assert look(session, invitation, NOON + 9 * DAY) == ""
        assert questions_sent(session) == ["utter_survey_question_nps"] * 2
        assert invitation.state == "expired"


def test_a_reminder_waits_for_the_morning_and_none_is_sent_where_something_was_answered(
    database: Database,
) -> None:
    with database.write() as session:
        (_, silent), (chat, begun) = a_customer(session), a_customer(session)
        evening = rules_with(reminder_after_hours=10)
        first = asked(session, silent, evening)
        assert look(session, first, at(22, 22), evening) == "moved"
        assert look(session, first, at(23, 9), evening) == "reminded"
        second = asked(session, begun, evening)
        answer(
            session,
            invitation=second,
            question="recommend",
            reading=Reading(value=8),
            inbox_id=an_inbox_id(session, chat),
            rules=evening,
            now=NOON,
        )
        assert look(session, second, at(22, 22), evening) == "moved"
        assert look(session, second, at(25, 13), evening) == "expired"
        assert len(questions_sent(session)) == 3


def test_a_survey_that_was_switched_off_or_is_too_old_is_not_asked(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        first, second = (bought(session, customer, RULES, number=one) for one in (1, 2))
        off = rules_with(msgspec.structs.replace(AFTER_PURCHASE, is_active=False))
        assert look(session, first, NOON + 7 * DAY, off) == "dropped"
        assert look(session, second, NOON + 22 * DAY) == "dropped"
        assert (first.reason, second.reason) == ("switched_off", "late")


def test_a_purchase_that_went_back_as_a_whole_is_not_asked_about(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        for returned, outcome in ((100_000, "asked"), (500_000, "dropped")):
            purchase = a_purchase(session, customer_id=customer, paid_at=NOON, tomans=500_000)
            planned = bought(session, customer, RULES, number=purchase.id)
            a_return(session, purchase, at=NOON, tomans=returned)
            session.expire(purchase)
            assert look(session, planned, NOON + 7 * DAY) == outcome
            planned.state = "expired"
        assert planned.reason == "undone"


@pytest.mark.parametrize("state", [RESOLVED, CLOSED, IN_REVIEW])
def test_a_complaint_is_asked_about_only_while_it_is_settled(database: Database, state: str) -> None:
    with database.write() as session:
        ticket: Complaint = a_ticket(session)
        about = {"occasion": "complaint", "subject_id": ticket.id, "customer_id": ticket.customer_id}
        planned = plan_for(session, rules=RULES, now=NOON, **about)  # type: ignore[arg-type]
        assert planned is not None
        ticket.state = state
        session.flush()
        outcome = look(session, planned, NOON + 30 * MINUTE)
        if state != IN_REVIEW:
            assert outcome == "asked"
            return
        assert (outcome, planned.reason) == ("dropped", "undone")
        ticket.state = RESOLVED
        session.flush()
        again = plan_for(session, rules=RULES, now=NOON + DAY, **about)  # type: ignore[arg-type]
        assert again is not None
        assert (again.id, again.state) == (planned.id, "planned")
        assert look(session, planned, NOON + DAY + 30 * MINUTE) == "asked"


def test_a_list_is_planned_once_a_day_and_names_whom_it_leaves_out(database: Database) -> None:
    with database.write() as session:
        customers = [a_customer(session)[1] for _ in range(3)]
        listed_ = [*customers, customers[0], 999_999]
        first = plan_for_list(session, key="by_hand", customer_ids=listed_, rules=RULES, now=NOON)
        assert (len(first.planned), first.left_out) == (3, {"twice": 1, "unknown": 1})
        again = plan_for_list(session, key="by_hand", customer_ids=listed_, rules=RULES, now=NOON + HOUR)
        assert [one.id for one in again.planned] == [one.id for one in first.planned]
        asked(session, customers[1], RULES, now=NOON + DAY)
        unheard = Customer(full_name="زهرا", source="import")
        session.add(unheard)
        session.flush()
        named = [customers[1], unheard.id]
        later = plan_for_list(session, key="by_hand", customer_ids=named, rules=RULES, now=NOON + 2 * DAY)
        assert later == ([], {"cooldown": 1, "no_chat": 1})
        with pytest.raises(NotFound):
            plan_for_list(session, key="unknown", customer_ids=customers, rules=RULES)
        off = rules_with(msgspec.structs.replace(BY_HAND, is_active=False))
        with pytest.raises(InvalidInput):
            plan_for_list(session, key="by_hand", customer_ids=customers, rules=off)


def test_a_change_makes_a_version_and_the_file_goes_before_the_api(database: Database) -> None:
    with database.write() as session:
        changed = msgspec.structs.replace(OPEN, title="دیگر")
        versions = [version_of(session, definition=one) for one in (OPEN, changed, OPEN)]
        assert [one.version for one in versions] == [1, 2, 1]
        own = msgspec.structs.replace(OPEN, key="by_api", is_open=False)
        assert set_by_api(session, definition=own, now=NOON).version == 1
        set_by_api(session, definition=msgspec.structs.replace(own, title="تازه"), now=NOON + HOUR)
        found = survey_in_force(session, key="by_api", rules=RULES)
        assert found is not None
        assert found.title == "تازه"
        set_by_api(session, definition=own, now=NOON + 2 * HOUR)
        assert survey_in_force(session, key="by_api", rules=RULES) == own
        assert [one.key for one in active_surveys(session, rules=RULES)][-1] == "by_api"
        assert {one.origin for one in listed(session, rules=RULES)} == {"file", "api"}
        with pytest.raises(InvalidInput):
            set_by_api(session, definition=changed, rules=RULES)
        twice = msgspec.structs.replace(own, questions=(CONTENT, CONTENT))
        with pytest.raises(InvalidInput):
            set_by_api(session, definition=twice)
        assert len(session.scalars(select(SurveyVersion)).all()) == 4
