from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints import drafting
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.half_told import remind_of_half_told
from crm_store.outbox import OutboxItem
from tests.factories import a_conversation, an_inbox_id

#: Nine in the evening in Tehran, and half past ten the next morning.
EVENING = datetime(2026, 11, 20, 17, 30, tzinfo=timezone.utc)
MORNING = datetime(2026, 11, 21, 7, 0, tzinfo=timezone.utc)


def a_draft(session: Session, left_at: datetime, *, story: str = "پیک نیامد") -> Conversation:
    conversation = a_conversation(session)
    where = {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}
    draft = drafting.start_complaint(session, **where)
    if story:
        drafting.set_draft_field(session, **where, field="description", value=story)
    draft.updated_at = left_at
    session.flush()
    return conversation


def remind(session: Session, now: datetime) -> int:
    return remind_of_half_told(session, now=now, timezone="Asia/Tehran", hour=10, max_age=timedelta(hours=72))


def test_a_complaint_left_overnight_is_offered_again_the_next_day_once(database: Database) -> None:
    with database.write() as session:
        conversation = a_draft(session, EVENING)
        assert [remind(session, MORNING + timedelta(minutes=n)) for n in (0, 1, 24 * 60)] == [1, 0, 0]
        (notice,) = session.scalars(select(OutboxItem))
        assert notice.conversation_id == conversation.id
        assert notice.content["response"] == "utter_complaint_left"


@pytest.mark.parametrize(
    "now",
    [
        EVENING + timedelta(hours=1),  # the same day
        MORNING - timedelta(hours=2),  # the next day, too early
        EVENING + timedelta(hours=73),  # too long ago to be continued
    ],
)
def test_nobody_is_reminded_on_the_same_day_too_early_or_of_something_old(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        a_draft(session, EVENING)
        assert remind(session, now) == 0


def test_a_draft_without_a_story_is_not_worth_a_reminder(database: Database) -> None:
    with database.write() as session:
        a_draft(session, EVENING, story="")
        assert remind(session, MORNING) == 0


def test_where_a_person_has_taken_over_the_bot_does_not_remind(database: Database) -> None:
    with database.write() as session:
        a_draft(session, EVENING).owner = "human"
        session.flush()
        assert remind(session, MORNING) == 0


def test_a_draft_that_was_continued_and_left_again_is_not_offered_twice(database: Database) -> None:
    with database.write() as session:
        a_draft(session, EVENING)
        remind(session, MORNING)
        session.scalars(select(Draft)).one().updated_at = MORNING + timedelta(hours=8)
        session.flush()
        assert remind(session, MORNING + timedelta(days=1)) == 0


def test_five_at_once_remind_of_each_draft_once(database: Database) -> None:
    with database.write() as session:
        for _ in range(20):
            a_draft(session, EVENING)

    def at_once(_: int) -> int:
        with database.write() as session:
            return remind(session, MORNING)

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(at_once, range(5))) == 20
    with database.read() as session:
        assert len(session.scalars(select(OutboxItem)).all()) == 20


def test_a_draft_that_another_process_is_reminding_of_is_left_to_it(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        a_draft(session, EVENING)
    with postgres_database.write() as first:
        assert remind(first, MORNING) == 1
        with postgres_database.write() as second:
            assert remind(second, MORNING) == 0
    with postgres_database.write() as session:
        assert remind(session, MORNING) == 0
