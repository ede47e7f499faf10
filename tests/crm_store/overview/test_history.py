"""What happened with a customer is told newest first, by kind and period, a page at a time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity
from crm_store.business.parts import RootCause
from crm_store.conversations.service import customer_of
from crm_store.db import Database
from crm_store.errors import InvalidInput
from crm_store.overview.history import GROUPS, HistoryPage, history
from crm_store.overview.shortening import MOST_LETTERS, shortened
from crm_store.persian import find_phones
from crm_store.staff.notes import add_note
from crm_store.terms import terms
from tests.factories import RULES, a_complaint, a_conversation, a_member, rules_with
from tests.factories.person import MINA, seed

NOW = datetime(2026, 11, 28, 8, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def happened(session: Session, customer_id: int, *kinds: str) -> None:
    for days, kind in enumerate(kinds):
        record_activity(session, customer_id=customer_id, kind=kind).at = NOW - DAY * (len(kinds) - days)
    session.flush()


def kinds_of(page: HistoryPage) -> list[str]:
    return [entry.kind for entry in page.entries]


def test_it_is_read_a_page_at_a_time(database: Database) -> None:
    with database.write() as session:
        customer_id = customer_of(a_conversation(session))
        happened(session, customer_id, *(f"loyalty.earned{n}" for n in range(7)))
        seen, before_id = [], None
        while True:
            page = history(
                session, customer_id=customer_id, rules=RULES, kinds=["points"], before_id=before_id, size=3
            )
            seen += kinds_of(page)
            before_id = page.next_before_id
            if before_id is None:
                break
        assert seen == [f"loyalty.earned{n}" for n in reversed(range(7))]


def test_kinds_and_a_period_narrow_it(database: Database) -> None:
    with database.write() as session:
        customer_id = customer_of(a_conversation(session))
        other = customer_of(a_conversation(session))
        happened(session, customer_id, "complaint.filed", "purchase.recorded", "handoff.claimed")
        happened(session, other, "complaint.filed")
        assert kinds_of(
            history(session, customer_id=customer_id, rules=RULES, kinds=["complaints", "conversations"])
        ) == [
            "handoff.claimed",
            "complaint.filed",
        ]
        since, until = NOW - DAY * 2, NOW - DAY
        page = history(session, customer_id=customer_id, rules=RULES, since=since, until=until)
        assert kinds_of(page) == ["purchase.recorded"]
        with pytest.raises(InvalidInput):
            history(session, customer_id=customer_id, rules=RULES, kinds=["gossip"])


def test_an_entry_says_who_did_what_about_which_ticket(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        customer_id = customer_of(chat)
        complaint = a_complaint(session, chat)
        add_note(session, customer_id=customer_id, staff=agent, text="صبح‌ها خواب است")
        record_activity(
            session, customer_id=customer_id, kind="loyalty.earned", actor="system", data={"points": 1200}
        )
        record_activity(session, customer_id=customer_id, kind="made.up", actor="bot")
        session.flush()
        entries = {
            entry.kind: entry for entry in history(session, customer_id=customer_id, rules=RULES).entries
        }
        filed, note = entries["complaint.filed"], entries["note.added"]
        assert (filed.title, filed.code, filed.group) == ("شکایت ثبت شد", complaint.code, "complaints")
        assert (note.actor, note.actor_name, note.detail) == ("staff", agent.name, "صبح‌ها خواب است")
        assert entries["loyalty.earned"].detail == "۱٬۲۰۰ امتیاز"
        assert (entries["made.up"].title, entries["made.up"].group) == ("رویدادی ثبت شد", "")


def test_a_new_priority_and_a_cause_are_told_by_their_names(database: Database) -> None:
    causes = (RootCause(key="carrier", title="شرکت ارسال"),)
    with database.write() as session:
        customer_id = customer_of(a_conversation(session))
        for kind, to in (
            ("complaint.priority_set", "urgent"),
            ("complaint.escalated", "high"),
            ("service_request.escalated", "urgent"),
            ("complaint.cause_set", "carrier"),
            ("loyalty.tier_up", "طلایی"),
        ):
            record_activity(session, customer_id=customer_id, kind=kind, data={"from": "normal", "to": to})
        session.flush()
        page = history(session, customer_id=customer_id, rules=rules_with(root_causes=causes))
        assert [entry.detail for entry in reversed(page.entries) if entry.detail] == [
            "فوری",
            "بالا",
            "فوری",
            "شرکت ارسال",
            "طلایی",
        ]


def test_everything_that_may_happen_has_a_name_and_a_group(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        customer_id = customer_of(seed(session, MINA, tmp_path))
        kinds = set(session.scalars(select(Activity.kind)))
        page = history(session, customer_id=customer_id, rules=RULES, size=500)
        assert page.next_before_id is None
        unknown = terms("tickets")["events"]["unknown"]
        assert {entry.kind for entry in page.entries if entry.title == unknown} == set()
        assert {entry.kind for entry in page.entries if not entry.group} <= {
            kind for kind in kinds if kind.startswith("sla.")
        }
    assert set(terms("overview")["history_groups"]) == set(GROUPS)


@pytest.mark.parametrize("phone", ["۰۹۳۵ ۴۴۴ ۵۵۶۶", "09354445566"])
@pytest.mark.parametrize("before", range(60, 95))
def test_words_are_shortened_within_no_phone_number_half_of_which_nobody_would_hide(
    before: int, phone: str
) -> None:
    short = shortened(f"{'و ' * (before // 2)}{'و' * (before % 2)}: {phone} را بگیرید، هر وقت که توانستید")
    assert len(short) <= MOST_LETTERS
    assert ("3" in short or "۳" in short) is bool(find_phones(short))
