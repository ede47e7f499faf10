"""Who is there, what stands in the inbox, what is kept ready to say, and when a person is needed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from crm_store.audit import AuditEntry
from crm_store.business.handoff import HandoffRule
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import Conflict, Forbidden, InvalidInput, NotFound
from crm_store.handoff import board, canned, claiming, presence, replying, waiting
from crm_store.handoff.models import ANGER, ASKED, DANGER, NOT_UNDERSTOOD, RULE, VIP
from crm_store.handoff.triggers import Occasion, why_person
from crm_store.persian import to_persian_digits
from tests.factories import a_complaint, a_conversation
from tests.factories.handoff import DESK, MINUTE, NOON, a_key, a_wish, an_agent, rules_with, says


def test_presence_says_who_takes_conversations_over(database: Database) -> None:
    with database.write() as session:
        agent = an_agent(session, presence="offline", team="sales", skills=["boiler"])
        assert presence.online(session, rules=DESK, now=NOON) == []
        presence.set_presence(session, staff=agent, presence="online", now=NOON)
        presence.set_presence(session, staff=agent, presence="online", now=NOON + MINUTE)
        assert presence.online(session, rules=DESK, now=NOON) == [agent]
        assert presence.online(session, rules=DESK, team="sales", skill="boiler", now=NOON) == [agent]
        assert presence.online(session, rules=DESK, team="repairs", now=NOON) == []
        assert presence.online(session, rules=DESK, skill="fridge", now=NOON) == []
        assert presence.online(session, rules=DESK, now=NOON + 13 * 60 * MINUTE) == []
        presence.set_presence(session, staff=agent, presence="away", now=NOON)
        assert presence.online(session, rules=DESK, now=NOON) == []
        said = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.presence")).all()
        assert [entry.detail["presence"] for entry in said] == ["online", "away"]
        with pytest.raises(InvalidInput):
            presence.set_presence(session, staff=agent, presence="asleep", now=NOON)
        with pytest.raises(Forbidden):
            presence.set_presence(session, staff=an_agent(session, role="technician"), presence="online")


def test_the_load_is_what_somebody_has_in_hand(database: Database) -> None:
    with database.write() as session:
        agent = an_agent(session)
        wishes = [a_wish(session) for _ in range(3)]
        for wish in wishes:
            claiming.claim(session, handoff_id=wish.id, staff=agent, rules=DESK, now=NOON)
        claiming.release(session, handoff_id=wishes[0].id, staff=agent, rules=DESK, now=NOON)
        assert presence.load(session, staff_id=agent.id) == 2
        assert presence.load(session, staff_id=an_agent(session).id) == 0


def test_the_inbox_has_what_each_has_to_see(database: Database) -> None:
    with database.write() as session:
        agent, other = an_agent(session), an_agent(session, name="بابک")
        mine, his, first, urgent = (a_wish(session, now=NOON + n * MINUTE) for n in range(4))
        urgent.urgency = 100
        for handoff, staff in ((mine, agent), (his, other)):
            claiming.claim(session, handoff_id=handoff.id, staff=staff, rules=DESK, now=NOON)
        ended = a_wish(session)
        waiting.leave(session, conversation_id=ended.conversation_id, now=NOON)

        def shown(tab: board.Tab, **how: object) -> list[int]:
            return [row.handoff.id for row in board.inbox(session, staff=agent, tab=tab, **how).rows]  # type: ignore[arg-type]

        assert shown("waiting") == [urgent.id, first.id]
        assert shown("mine") == [mine.id]
        assert shown("all") == [urgent.id, first.id, mine.id, his.id]
        assert shown("ended") == [ended.id]
        assert shown("all", size=3, number=2) == [his.id]
        for text in ("هستید؟", "سلام؟"):
            says(session, mine.conversation_id, text, now=NOON)
        row = board.row(session, handoff_id=mine.id)
        assert (row.owner_name, row.unanswered, row.channel) == ("نگار", 2, "telegram")
        assert row.last is not None
        assert row.last.text == "سلام؟"
        assert board.counts(session, staff=agent) == board.Counts(waiting=2, mine=1, all=4, unanswered=1)
        replying.reply(session, handoff_id=mine.id, staff=agent, text="بله", key=a_key(), now=NOON)
        assert board.counts(session, staff=agent).unanswered == 0
        assert board.row(session, handoff_id=first.id).offered_name in ("نگار", "بابک")
        with pytest.raises(NotFound):
            board.row(session, handoff_id=10**6)
        with pytest.raises(Forbidden):
            board.inbox(session, staff=an_agent(session, role="technician"), tab="all")


def test_the_inbox_is_searched_by_name_number_and_topic(database: Database) -> None:
    with database.write() as session:
        agent = an_agent(session)
        chat = a_conversation(session)
        customer = session.get_one(Customer, customer_of(chat))
        customer.full_name = "کیانا یزدی"
        add_phone(session, customer_id=customer.id, phone="09121230987")
        session.flush()
        wish = a_wish(session, chat, topic="قسط عقب‌افتاده")
        a_wish(session)
        for query in ("کیانا", "یزد", "قسط", "۰۹۱۲۱۲۳", "0987", "كيانا"):
            rows = board.inbox(session, staff=agent, tab="all", query=query).rows
            assert [row.handoff.id for row in rows] == [wish.id], query
        assert board.inbox(session, staff=agent, tab="all", query="نامی که نیست").rows == []
        assert board.inbox(session, staff=agent, tab="all", query="%").rows == []


def test_what_has_changed_is_seen_whatever_came_first(database: Database) -> None:
    with database.write() as session:
        agent, one, two = an_agent(session), a_wish(session), a_wish(session)
        seen = board.changes_since(session, version=None)
        assert (seen.changed, seen.gone) == ([one.id, two.id], [])
        assert board.changes_since(session, version=seen.version).changed == []
        claiming.claim(session, handoff_id=one.id, staff=agent, rules=DESK, now=NOON)
        said = board.changes_since(session, version=seen.version)
        assert (said.changed, said.lines) == ([one.id], [])
        says(session, two.conversation_id)
        told = board.changes_since(session, version=said.version)
        assert (told.changed, told.lines) == ([two.id], [two.id])
        waiting.leave(session, conversation_id=one.conversation_id, now=NOON)
        assert board.changes_since(session, version=told.version).gone == [one.id]
        assert [row.handoff.id for row in board.rows(session, handoff_ids=[two.id, 10**6])] == [two.id]


def test_a_canned_reply_knows_the_customer_the_business_and_the_code(database: Database) -> None:
    with database.write() as session:
        boss, agent = an_agent(session, role="supervisor"), an_agent(session)
        chat = a_conversation(session)
        saved = canned.save_canned(
            session,
            staff=boss,
            shortcut="/سلام",
            title="خوش‌آمد",
            text="سلام {name}، {agent} از {business} هستم. کد شما {code} است {این نه}",
            now=NOON,
        )
        handoff = a_wish(session, chat)
        how: dict[str, Any] = {"text": saved.text, "handoff": handoff, "staff": agent, "rules": DESK}
        business = DESK.business.name
        assert replying.fill(session, **how) == f"سلام سارا، نگار از {business} هستم. کد شما است {{این نه}}"
        code = to_persian_digits(a_complaint(session, chat).code)
        assert f"کد شما {code} است" in replying.fill(session, **how)
        customer = session.get_one(Customer, handoff.customer_id)
        customer.full_name = "{agent}"
        assert replying.fill(session, **{**how, "text": "سلام {name}!"}) == "سلام {agent}!"
        customer.full_name, customer.display_name = "", ""
        assert replying.fill(session, **{**how, "text": "سلام {name} !\n{code}"}).startswith("سلام!\n")


def test_canned_replies_are_found_and_looked_after(database: Database) -> None:
    with database.write() as session:
        boss = an_agent(session, role="supervisor")
        how: dict[str, Any] = {"staff": boss, "now": NOON}
        hello = canned.save_canned(session, shortcut="سلام", title="آغاز", text="سلام!", **how)
        bye = canned.save_canned(
            session, shortcut="/پایان", title="پایان", text="خدانگهدار، سلامت باشید", **how
        )
        assert [one.shortcut for one in replying.canned_replies(session)] == ["/سلام", "/پایان"]
        assert replying.canned_replies(session, query="سلام") == [hello, bye]
        assert replying.canned(session, shortcut="سَلام") is hello
        assert replying.canned(session, shortcut="/") is None
        with pytest.raises(Conflict):
            canned.save_canned(session, shortcut="سلام", title="دیگر", text="درود", **how)
        changed = canned.save_canned(
            session, shortcut="درود", title="آغاز", text="درود!", canned_id=hello.id, **how
        )
        assert changed is hello
        canned.delete_canned(session, staff=boss, canned_id=hello.id, now=NOON)
        assert replying.canned_replies(session, query="درود") == []
        again = canned.save_canned(session, shortcut="درود", title="باز", text="درود {name}", **how)
        assert again.deleted_at is None
        for wrong in ({"text": "سلام {nam}"}, {"title": ""}, {"text": " "}, {"shortcut": "/"}):
            fields = {"shortcut": "x", "title": "x", "text": "x", **wrong}
            with pytest.raises(InvalidInput):
                canned.save_canned(session, **fields, **how)
        with pytest.raises(NotFound):
            canned.delete_canned(session, staff=boss, canned_id=10**6)
        with pytest.raises(Forbidden):
            canned.save_canned(session, shortcut="y", title="y", text="y", staff=an_agent(session))


RULES = rules_with(
    vip_tiers=("gold",),
    rules=(
        HandoffRule(intents=("request_human",), tiers=("gold",), team="sales", urgency=45),
        HandoffRule(categories=("money",), skill="books"),
        HandoffRule(urgency=99),
    ),
)


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        ({}, None),
        ({"asked": True}, ASKED),
        ({"failures": 1}, None),
        ({"failures": 2}, NOT_UNDERSTOOD),
        ({"signals": ["urgency"]}, None),
        ({"signals": ["anger"], "failures": 2}, ANGER),
        ({"signals": ["anger", "danger"]}, DANGER),
        ({"tier": "gold"}, None),
        ({"tier": "gold", "complaint_filed": True, "category": "money"}, VIP),
        ({"tier": "silver", "complaint_filed": True}, None),
        ({"complaint_filed": True, "category": "money"}, RULE),
    ],
)
def test_a_person_is_needed_for_the_weightiest_reason(heard: dict[str, object], reason: str | None) -> None:
    occasion = why_person(rules=RULES, **heard)  # type: ignore[arg-type]
    assert (occasion.reason if occasion else None) == reason


def test_a_rule_of_the_owner_names_team_skill_and_urgency() -> None:
    asked = why_person(rules=RULES, asked=True, intent="request_human", tier="gold")
    assert asked == Occasion(RULE, "sales", "", 45)
    angry = why_person(rules=RULES, signals=["danger"], category="money")
    assert angry == Occasion(DANGER, "", "books", waiting.URGENCY[DANGER])
    never = rules_with(is_on=False)
    assert why_person(rules=never, asked=True, signals=["danger"]) is None
    silent = rules_with(on_danger=False, on_anger=False, after_failures=0)
    assert why_person(rules=silent, signals=["danger", "anger"], failures=9) is None
