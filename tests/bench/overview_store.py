"""Fills a store with customers of whom much is known, as fast as the database takes rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import yaml

from crm_store.activity import Activity
from crm_store.complaints.models import CLOSED, IN_REVIEW, Complaint, ComplaintResolution
from crm_store.conversations.models import Conversation, Message
from crm_store.customers.models import (
    ChannelIdentity,
    ContactPoint,
    Customer,
    CustomerName,
    NameWord,
    ending_of,
)
from crm_store.customers.names import words_of
from crm_store.db import Database
from crm_store.drafts import SUBMITTED, Draft
from crm_store.loyalty.models import EARN, LedgerPosting, LotMovement, LoyaltyAccount, PointLot
from crm_store.purchases.models import Purchase, PurchaseLine
from crm_store.settings import PROJECT_ROOT
from crm_store.sla.models import FIRST_RESPONSE, MET, RESOLUTION, RUNNING, SlaClock
from crm_store.staff.models import StaffMember, StaffNote
from crm_store.surveys.models import COMPLETED, SurveyAnswer, SurveyInvitation, SurveyVersion
from crm_store.tickets.models import COMPLAINT
from crm_store.transcripts.folding import searchable
from crm_store.transcripts.models import MessageText
from tests.bench.stores import Loader

#: Of each customer.
ACTIVITIES, PURCHASES, LINES, LOTS = 20, 3, 6, 3
#: Every so many customers have a complaint, one of ten of them open; so many a note, a survey.
COMPLAINT_EVERY, OPEN_EVERY, NOTE_EVERY, SURVEY_EVERY = 3, 10, 8, 2
STAFF = 20
_SAID = (
    "سلام، سفارشم هنوز نرسیده است",
    "لطفاً پیگیری کنید، خیلی وقت است منتظرم",
    "شماره‌ی سفارش ۱۲۳۴۵ است",
    "ممنون از راهنمایی شما",
    "دستگاه قهوه‌ساز دوباره خراب شد و صدا می‌دهد",
    "کی تکنسین می‌آید؟",
)
_KINDS = (
    "complaint.filed",
    "complaint.resolved",
    "purchase.recorded",
    "loyalty.earned",
    "survey.completed",
    "service_request.submitted",
    "customer.updated",
    "handoff.claimed",
)
_ENDINGS = ("ی", "پور", "زاده", "نژاد", "یان", "فر", "وند", "خانی")

Row = dict[str, Any]


def name_of(customer_id: int) -> str:
    """A customer's name; few names are many people's, as in life."""
    chance = random.Random(customer_id)
    given, family = _names()
    return (
        f"{given[int(len(given) * chance.random() ** 2)]} {family[int(len(family) * chance.random() ** 2)]}"
    )


def phone_of(customer_id: int) -> str:
    """A customer's number, E.164."""
    return f"+98912{customer_id:07}"


@lru_cache
def _names() -> tuple[list[str], list[str]]:
    def read(name: str) -> dict[str, Any]:
        document: dict[str, Any] = yaml.safe_load(
            (PROJECT_ROOT / "data" / "shared" / name).read_text("utf-8")
        )
        return document

    given = [name for group in read("given_names.yml").values() for name in group if " " not in name]
    cities = [name for name in _flat(read("cities.yml")) if " " not in name]
    family = [f"{name}{ending}" for ending in _ENDINGS for name in given] + [f"{name}ی" for name in cities]
    random.Random(1).shuffle(given)
    random.Random(2).shuffle(family)
    return given, family


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner)
    elif isinstance(value, str):
        yield value


def fill(database: Database, *, customers: int, now: datetime) -> None:
    """Fill an empty store; ids begin at 1.

    Args:
        customers: how many there will be; each has ACTIVITIES entries in the timeline.
    """
    with database.engine.begin() as connection:
        load = Loader(connection.connection.cursor(), is_sqlite=database.is_sqlite)
        _fill_people(load, customers, now)
        _fill_chats(load, customers, now)
        _fill_cases(load, customers, now)
        _fill_club(load, customers, now)
        load(Activity, _activities(customers, now))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE")


def _fill_people(load: Loader, customers: int, now: datetime) -> None:
    everybody = range(1, customers + 1)
    load(StaffMember, ({"id": one, "name": f"همکار {one}", "created_at": now} for one in range(1, STAFF + 1)))
    load(
        Customer,
        (
            {
                "id": one,
                "full_name": name_of(one),
                "display_name": "کاربر",
                "tier": "طلایی" if one % 9 == 0 else "",
                "created_at": now - timedelta(days=700),
            }
            for one in everybody
        ),
    )
    load(
        ContactPoint,
        (
            {
                "customer_id": one,
                "value": value,
                "ending": ending_of(value),
                "proven_at": now,
                "created_at": now,
            }
            for one in everybody
            for value in (phone_of(one),)
        ),
    )
    word_ids: dict[str, int] = {}
    of_customer = [
        (one, word_ids.setdefault(word, len(word_ids) + 1))
        for one in everybody
        for word in words_of(name_of(one))
    ]
    load(NameWord, ({"id": number, "word": word} for word, number in word_ids.items()))
    load(CustomerName, ({"customer_id": one, "word_id": word} for one, word in of_customer))
    noted = range(NOTE_EVERY, customers + 1, NOTE_EVERY)
    note = {"text": "ترجیح می‌دهد عصرها با او تماس بگیریم", "created_at": now}
    load(StaffNote, ({"customer_id": one, "staff_id": one % STAFF + 1, **note} for one in noted))


def _fill_chats(load: Loader, customers: int, now: datetime) -> None:
    everybody = range(1, customers + 1)
    load(
        ChannelIdentity,
        (
            {"id": one, "customer_id": one, "channel": "telegram", "external_id": str(one), "created_at": now}
            for one in everybody
        ),
    )
    load(
        Conversation,
        (
            {
                "id": one,
                "channel": "telegram",
                "chat_id": str(one),
                "identity_id": one,
                "last_seq": LINES,
                "created_at": now,
            }
            for one in everybody
        ),
    )
    lines = [(one, seq) for one in everybody for seq in range(LINES)]
    load(
        Message,
        (
            {
                "id": (one - 1) * LINES + seq + 1,
                "conversation_id": one,
                "seq": seq + 1,
                "author": "bot" if seq % 2 else "customer",
                "text": said(one, seq),
                "created_at": now - timedelta(days=30, minutes=customers - one),
            }
            for one, seq in lines
        ),
    )
    load(
        MessageText,
        (
            {"message_id": (one - 1) * LINES + seq + 1, "folded": searchable("", said(one, seq))}
            for one, seq in lines
        ),
    )


def said(customer_id: int, seq: int) -> str:
    """A line of a customer's conversation; the first of each names them."""
    return f"{name_of(customer_id)} هستم" if not seq else _SAID[(customer_id + seq) % len(_SAID)]


def _fill_cases(load: Loader, customers: int, now: datetime) -> None:
    filed = range(COMPLAINT_EVERY, customers + 1, COMPLAINT_EVERY)
    begin = now - timedelta(days=60)
    load(
        Draft,
        (
            {
                "id": one,
                "conversation_id": one,
                "kind": "complaint",
                "state": SUBMITTED,
                "created_at": begin,
                "updated_at": begin,
            }
            for one in filed
        ),
    )
    load(
        Complaint,
        (
            {
                "id": one,
                "code": f"{10_000_000 + one}",
                "customer_id": one,
                "conversation_id": one,
                "draft_id": one,
                "category": "delivery",
                "description": _SAID[0] * 3,
                "order_number": f"B{one}",
                "state": IN_REVIEW if _is_open(one) else CLOSED,
                "assignee_id": one % STAFF + 1,
                "created_at": begin,
                "updated_at": begin,
            }
            for one in filed
        ),
    )
    load(
        ComplaintResolution,
        (
            {
                "complaint_id": one,
                "decision": "upheld",
                "remedy": "refund",
                "decided_by": f"staff:{one % STAFF + 1}",
                "state": "told",
                "told_at": begin,
                "created_at": begin,
            }
            for one in filed
            if not _is_open(one)
        ),
    )
    load(SlaClock, (_clock(one, metric, now) for one in filed for metric in (FIRST_RESPONSE, RESOLUTION)))


def _is_open(customer_id: int) -> bool:
    return customer_id % (COMPLAINT_EVERY * OPEN_EVERY) == 0


def _clock(complaint_id: int, metric: str, now: datetime) -> Row:
    runs = _is_open(complaint_id) and metric == RESOLUTION
    return {
        "subject_type": COMPLAINT,
        "subject_id": complaint_id,
        "metric": metric,
        "policy": "default",
        "target_seconds": 14_400,
        "started_at": now - timedelta(days=60),
        "due_at": now + timedelta(hours=4),
        "warn_at": now,
        "state": RUNNING if runs else MET,
        "stopped_at": None if runs else now - timedelta(days=59),
        "created_at": now,
    }


def _fill_club(load: Loader, customers: int, now: datetime) -> None:
    everybody = range(1, customers + 1)
    bought = [(one, number) for one in everybody for number in range(PURCHASES)]
    load(
        Purchase,
        (
            {
                "id": (one - 1) * PURCHASES + number + 1,
                "shop": "main",
                "order_id": f"A-{one}-{number}",
                "customer_id": one,
                "total": 5_000_000,
                "paid_at": now - timedelta(days=200 * number),
                "source": "api",
                "digest": "0" * 64,
                "created_at": now,
            }
            for one, number in bought
        ),
    )
    load(
        PurchaseLine,
        (
            {"purchase_id": (one - 1) * PURCHASES + number + 1, "number": 1, "amount": 5_000_000}
            for one, number in bought
        ),
    )
    load(LoyaltyAccount, ({"id": one, "customer_id": one, "created_at": now} for one in everybody))
    lots = [(one, number) for one in everybody for number in range(LOTS)]
    load(LedgerPosting, (_posting(one, number, now) for one, number in lots))
    load(
        PointLot,
        (
            {
                "id": (one - 1) * LOTS + number + 1,
                "account_id": one,
                "posting_id": (one - 1) * LOTS + number + 1,
                "earned_at": now,
                "expires_at": now + timedelta(days=20 + 100 * number),
            }
            for one, number in lots
        ),
    )
    load(
        LotMovement,
        (
            {
                "posting_id": (one - 1) * LOTS + number + 1,
                "lot_id": (one - 1) * LOTS + number + 1,
                "points": 50,
            }
            for one, number in lots
        ),
    )
    _fill_opinions(load, range(SURVEY_EVERY, customers + 1, SURVEY_EVERY), now)


def _posting(customer_id: int, number: int, now: datetime) -> Row:
    return {
        "id": (customer_id - 1) * LOTS + number + 1,
        "account_id": customer_id,
        "kind": EARN,
        "points": 50,
        "cause": f"purchase:{number}",
        "actor": "system",
        "idempotency_key": f"fill:{customer_id}:{number}",
        "at": now,
    }


def _fill_opinions(load: Loader, asked: range, now: datetime) -> None:
    content: Row = {"title": "رضایت", "questions": []}
    load(
        SurveyVersion,
        [
            {
                "id": 1,
                "key": "csat",
                "version": 1,
                "digest": "0" * 64,
                "content": content,
                "origin": "file",
                "set_at": now,
            }
        ],
    )
    load(
        SurveyInvitation,
        (
            {
                "id": one,
                "key": "csat",
                "version_id": 1,
                "customer_id": one,
                "trigger": "purchase",
                "state": COMPLETED,
                "due_at": now,
                "asked_at": now,
                "idempotency_key": f"fill:{one}",
                "created_at": now,
            }
            for one in asked
        ),
    )
    load(
        SurveyAnswer,
        (
            {"invitation_id": one, "question": "csat", "kind": "csat", "value": one % 5 + 1, "at": now}
            for one in asked
        ),
    )


def _activities(customers: int, now: datetime) -> Iterator[Row]:
    # In the order in which they happened: a customer's stand far from each other, as in life.
    for number in range(ACTIVITIES):
        at = now - timedelta(days=3 * (ACTIVITIES - number))
        for one in range(1, customers + 1):
            yield {
                "customer_id": one,
                "at": at,
                "kind": _KINDS[(one + number) % len(_KINDS)],
                "actor": "customer",
                "data": {"points": number},
            }
