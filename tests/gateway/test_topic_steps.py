"""A topic shown step by step: what changes between two steps is seen, and one topic's trouble is its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.gateway.desk import relaying
from bot.gateway.desk.steps import Step, TopicSteps
from bot.gateway.render import Responses
from crm_store.base import utcnow
from crm_store.business import EXAMPLE, BusinessFile
from crm_store.business.handoff import Role
from crm_store.conversations.models import Message
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.handoff import claiming, releasing
from crm_store.handoff.jobs import look_after
from crm_store.persian import find_phones
from crm_store.rules import Rules
from crm_store.settings import PROJECT_ROOT
from tests.factories.handoff import DESK, MINUTE, NOON, a_wish, an_agent, desk_words, rules_with, says
from tests.gateway.conftest import Setup
from tests.gateway.desk import GROUP, Desk, bare


def shows(steps: TopicSteps, step: Step | None, number: str) -> str:
    """What is sent in one step, noted under a number of the messenger's."""
    assert step is not None
    steps.shown(step, [(piece, number) for piece in step.pieces])
    parts = [step.edit] if step.edit is not None else [piece.part for piece in step.pieces]
    return "\n".join(part.text for part in parts)


def test_words_that_change_while_they_are_on_their_way_into_the_group_are_shown_anew(
    database: Database,
) -> None:
    responses = Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"), BusinessFile(EXAMPLE))
    where: dict[str, Any] = {"channel": "telegram", "chat_id": str(GROUP), "button_hours": 24}
    steps = TopicSteps(database, responses, lambda: DESK, **where)
    with database.write() as session:
        wish = a_wish(session)
        line = says(session, wish.conversation_id, "ساعت ۸", now=wish.requested_at)

    def following() -> Step | None:
        return steps.next(wish.conversation_id, with_topics=False)

    def edits(text: str, minutes: int) -> None:
        with database.write() as session:
            row = session.get_one(Message, line.id)
            row.text, row.edited_at = text, utcnow() + timedelta(minutes=minutes)

    shows(steps, following(), "70")
    on_its_way = following()
    edits("ساعت ۹", 1)
    assert "ساعت ۸" in shows(steps, on_its_way, "71")
    correction = following()
    assert correction is not None
    assert correction.edit is not None
    assert correction.edit.edits == "71"
    edits("ساعت ۱۰", 2)
    assert "ساعت ۹" in shows(steps, correction, "71")
    assert "ساعت ۱۰" in shows(steps, following(), "71")
    assert following() is None


@pytest.mark.parametrize(
    ("shown", "is_whole"),
    [(("supervisor", "admin"), False), (("agent", "supervisor", "admin"), True)],
)
def test_a_topic_hides_numbers_where_not_everybody_in_the_group_sees_them(
    database: Database, shown: tuple[Role, ...], *, is_whole: bool
) -> None:
    responses = Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"), BusinessFile(EXAMPLE))
    seen = msgspec.structs.replace(DESK.business.staff, full_phone_roles=shown)
    rules = Rules(msgspec.structs.replace(DESK.business, staff=seen))
    where: dict[str, Any] = {"channel": "telegram", "chat_id": str(GROUP), "button_hours": 24}
    steps = TopicSteps(database, responses, lambda: rules, **where)
    with database.write() as session:
        wish = a_wish(session, topic="زنگ بزنید: ۰۹۳۵ ۴۴۴ ۵۵۶۶")
        add_phone(session, customer_id=wish.customer_id, phone="09123456789", proven=True)
    head = bare(shows(steps, steps.next(wish.conversation_id, with_topics=False), "70"))
    assert ("زنگ بزنید: ۰۹۳۵ ۴۴۴ ۵۵۶۶" in head) is is_whole
    assert ("زنگ بزنید: ۰۹۳۵•••۵۵۶۶" in head) is not is_whole
    assert {phone.value for phone in find_phones(head)} == (
        {"+989354445566", "+989123456789"} if is_whole else set()
    )
    with database.write() as session:
        line = says(session, wish.conversation_id, "همکارم ۰۲۱ ۸۸۷۷ ۶۶۵۵", now=wish.requested_at)
    told = bare(shows(steps, steps.next(wish.conversation_id, with_topics=False), "71"))
    assert ("همکارم ۰۲۱ ۸۸۷۷ ۶۶۵۵" in told) is is_whole
    assert bool(find_phones(told)) is is_whole
    with database.write() as session:
        row = session.get_one(Message, line.id)
        row.text, row.edited_at = "همکارم ۰۹۱۹ ۱۱۱ ۲۲۳۳", utcnow() + timedelta(minutes=1)
    edited = bare(shows(steps, steps.next(wish.conversation_id, with_topics=False), "71"))
    assert ("همکارم ۰۹۱۹ ۱۱۱ ۲۲۳۳" in edited) is is_whole
    assert ("همکارم ۰۹۱۹•••۲۲۳۳" in edited) is not is_whole
    assert steps.next(wish.conversation_id, with_topics=False) is None
    with database.write() as session:
        by: dict[str, Any] = {"staff": an_agent(session), "rules": rules, "now": NOON + MINUTE}
        claiming.claim(session, handoff_id=wish.id, **by)
        agreed = "فردا با ۰۹۱۹ ۱۱۱ ۲۲۳۳ تماس می‌گیریم"
        releasing.release(session, handoff_id=wish.id, agreed=agreed, **by)
    ended = bare(shows(steps, steps.next(wish.conversation_id, with_topics=False), "72"))
    assert ("فردا با ۰۹۱۹ ۱۱۱ ۲۲۳۳" in ended) is is_whole
    assert ("فردا با ۰۹۱۹•••۲۲۳۳" in ended) is not is_whole


@pytest.mark.parametrize("has_phone", [True, False])
def test_a_topic_whose_time_ran_out_promises_nothing_that_the_customer_was_not_promised(
    database: Database, *, has_phone: bool
) -> None:
    responses = Responses.load((PROJECT_ROOT / "data").glob("*/responses.yml"), BusinessFile(EXAMPLE))
    rules = rules_with(expire_minutes=30)
    where: dict[str, Any] = {"channel": "telegram", "chat_id": str(GROUP), "button_hours": 24}
    steps = TopicSteps(database, responses, lambda: rules, **where)
    with database.write() as session:
        wish = a_wish(session, rules=rules)
        if has_phone:
            add_phone(session, customer_id=wish.customer_id, phone="09123456789", proven=True)
    shows(steps, steps.next(wish.conversation_id, with_topics=False), "70")
    assert look_after(database, rules=rules, now=NOON + timedelta(minutes=31))["expired"] == 1
    with database.read() as session:
        promised = desk_words(session, wish.conversation_id)[-1] == "utter_handoff_expired"
    assert promised is has_phone
    told = bare(shows(steps, steps.next(wish.conversation_id, with_topics=False), "71"))
    assert "ثبت یا به او پیشنهاد شد" in told
    assert "قول" not in told


async def test_what_of_one_customer_cannot_be_shown_holds_up_nobody_elses_topic(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(setup)
    monkeypatch.setattr(relaying, "TRY_AGAIN_SECONDS", 0.5)
    async with setup.running():
        await desk.greets(desk.sara)
        await desk.greets(desk.reza)
        of_sara = setup.read(lambda session: desk.chat(session, desk.sara).id)
        show = TopicSteps.next

        def breaks(steps: TopicSteps, conversation_id: int, **how: Any) -> Step | None:
            if conversation_id == of_sara:
                raise RuntimeError("no card")
            return show(steps, conversation_id, **how)

        monkeypatch.setattr(TopicSteps, "next", breaks)
        desk.wants_a_person(desk.sara)
        desk.wants_a_person(desk.reza)
        first = await desk.topic()
        assert "رضا" in first.name
        await desk.reads(first, "echo")
        monkeypatch.setattr(TopicSteps, "next", show)
        second = await desk.topic(1)
        assert "سارا" in second.name
        await desk.reads(second, "echo")
