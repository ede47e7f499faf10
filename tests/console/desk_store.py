"""A shop with everything that the pages of the desk show, made through the services themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business import EXAMPLE, read_business
from crm_store.complaints import states, working
from crm_store.complaints.models import Complaint
from crm_store.complaints.resolution import Offer, resolve
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.models import Customer
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.loyalty import redemptions
from crm_store.migrate import upgrade
from crm_store.rules import Rules
from crm_store.service_requests.booking import free_slots
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember
from crm_store.staff.service import ensure_first_admin, set_password
from crm_store.surveys.definitions import version_of
from crm_store.surveys.models import COMPLETED, SurveyAnswer, SurveyFollowUp, SurveyInvitation
from crm_store.texts.models import FAQ
from crm_store.texts.service import save
from tests.console.staff import a_callback, a_file, a_told_complaint
from tests.factories import a_conversation, a_member
from tests.factories.club import a_raffle, give
from tests.factories.purchases import a_purchase
from tests.factories.services import a_request

PASSWORD = "quite a long password"  # of people who do not exist
CLUB = """
[[loyalty.rewards]]
key = "mug"
title = "لیوان سرامیکی با طرح آفتاب"
points = 100
stock = 12
per_customer = 2
[[loyalty.rewards]]
key = "discount"
title = "کد تخفیف ۵۰ هزار تومانی"
points = 500
worth_tomans = 50000
"""
TEAMS = '[handoff]\nteams = ["فروش", "تعمیرات"]\n'


class DeskStore(NamedTuple):
    """What is in it.

    Attributes:
        members: by role; each logs in with the role as the login and PASSWORD.
        complaint: open, with a photo, taken by the agent.
        decided: decided by the agent, with a compensation that waits for approval.
        request: to which the technician is sent.
        foreign: a request of nobody's.
        customer_id: with everything.
        twin_id: another record with the customer's number.
    """

    members: dict[str, int]
    complaint: str
    decided: str
    compensation_id: int
    request: str
    foreign: str
    callback_id: int
    customer_id: int
    twin_id: int
    conversation_id: int
    redemption_id: int
    raffle: str
    follow_up_id: int
    note_id: int


def business_text(name: str = "فروشگاه آفتاب") -> str:
    """A business file with a club, rewards and teams."""
    text = EXAMPLE.read_text(encoding="utf-8").replace("کسب‌وکار ما", name)
    text = text.replace("tomans_per_point = 0 ", "tomans_per_point = 10000 ", 1)
    text = text.replace("\n[loyalty.adjust_limit]", f"{CLUB}\n[loyalty.adjust_limit]", 1)
    return _with_teams(text)


def _with_teams(text: str) -> str:
    if "\n[handoff]\n" not in text:
        return f"{text}\n{TEAMS}"
    lines = [line for line in text.split("\n") if not line.startswith("teams =")]
    return "\n".join(lines).replace("\n[handoff]\n", f"\n{TEAMS}", 1)


def rules_of(folder: Path) -> Rules:
    """The rules of that file, which is written into a folder."""
    file = folder / "business.toml"
    file.write_text(business_text(), encoding="utf-8")
    return Rules(read_business(file))


def filled_shop(folder: Path) -> DeskStore:
    """Make such a shop in ``store.db`` of a folder, with its files and its business file."""
    database = Database(f"sqlite:///{folder / 'store.db'}")
    upgrade(database)
    rules = rules_of(folder)
    with database.write() as session:
        made = fill(session, folder / "attachments", rules=rules)
    database.dispose()
    return made


def fill(session: Session, folder: Path, *, rules: Rules) -> DeskStore:
    """Make everything.

    Args:
        folder: of attachments.
    """
    members = _members(session)
    now = utcnow()
    chat = a_conversation(session)
    customer_id = _customer(session, chat, now)
    complaint, decided, compensation_id = _complaints(session, chat, members, rules, folder)
    request, foreign = _requests(session, chat, members, rules, now)
    twin = Customer(full_name="سارا احمدی‌نژاد", source="import", external_ref="A-77", address="تهران")
    session.add(twin)
    session.flush()
    add_phone(session, customer_id=twin.id, phone="09123456789")
    session.flush()
    give(session, customer_id, 900, now=now - timedelta(days=40), expires_at=now + timedelta(days=20))
    code = redemptions.redeem(session, customer_id=customer_id, reward="mug", key="first", rules=rules)
    raffle = a_raffle(
        session, rules=rules, key="yalda", closes_at=now + timedelta(days=10), now=now - timedelta(days=1)
    )
    from crm_store.staff.notes import add_note

    note = add_note(
        session,
        customer_id=customer_id,
        staff=session.get_one(StaffMember, members["agent"]),
        text="همیشه عصرها پاسخ می‌دهد؛ پیش از مراجعه زنگ بزنید.",
        is_pinned=True,
    )
    save(session, kind=FAQ, key="hours", text="هر روز <b>۹ تا ۱۷</b>", actor=f"staff:{members['admin']}")
    callback = a_callback(session, hours=-1)
    return DeskStore(
        members=members,
        complaint=complaint.code,
        decided=decided.code,
        compensation_id=compensation_id,
        request=request.code,
        foreign=foreign.code,
        callback_id=callback.id,
        customer_id=customer_id,
        twin_id=twin.id,
        conversation_id=chat.id,
        redemption_id=code.id,
        raffle=raffle.key,
        follow_up_id=_survey(session, chat, members, rules, now),
        note_id=note.id,
    )


def _members(session: Session) -> dict[str, int]:
    ensure_first_admin(session)
    names = {
        "admin": "مینا کریمی",
        "supervisor": "بهزاد رستگار",
        "agent": "نگار موسوی",
        "technician": "رضا پویا",
    }
    found = {}
    for role, name in names.items():
        member = (
            session.query(StaffMember).filter_by(login="admin").one()
            if role == "admin"
            else a_member(session, role=role, name=name)
        )
        member.name, member.login = name, role
        session.flush()
        found[role] = member.id
    set_password(session, login="admin", password=PASSWORD)
    # Hashing a password is slow on purpose; the same hash does for all of them.
    known = session.get_one(StaffMember, found["admin"]).password_hash
    for staff_id in found.values():
        session.get_one(StaffMember, staff_id).password_hash = known
    session.get_one(StaffMember, found["technician"]).skills = ["تعمیر"]
    return found


def _customer(session: Session, chat: Conversation, now: datetime) -> int:
    customer_id = customer_of(chat)
    customer = session.get_one(Customer, customer_id)
    customer.full_name, customer.address = "سارا احمدی", "تهران، خیابان آزادی، کوچهٔ نسترن، پلاک ۱۲، واحد ۳"
    customer.preferred_time, customer.birthday = "عصرها بعد از ۵", date(1990, 11, 30)
    add_phone(session, customer_id=customer_id, phone="09123456789", proven=True)
    a_purchase(session, customer_id=customer_id, paid_at=now - timedelta(days=60), tomans=2_350_000)
    for author, text in (
        ("customer", "سلام، یخچالم از دیشب سرد نمی‌کند."),
        ("bot", "سلام سارا جان، <b>متأسفم</b>. کمکتان می‌کنم درخواست تعمیر ثبت کنید."),
        ("customer", "ممنون، فقط زودتر لطفاً."),
    ):
        add_message(session, conversation_id=chat.id, author=author, text=text)
    return customer_id


def _complaints(
    session: Session, chat: Conversation, members: dict[str, int], rules: Rules, folder: Path
) -> tuple[Complaint, Complaint, int]:
    from sqlalchemy import select

    from crm_store.complaints.models import Compensation
    from tests.factories import a_complaint

    agent = f"staff:{members['agent']}"
    about: dict[str, Any] = {"actor": agent, "rules": rules}
    complaint = a_complaint(session, chat, story="پیک شما غذا را یخ‌زده آورد.\nپولم را می‌خواهم.", rules=rules)
    a_file(session, folder, complaint)
    working.assign(session, complaint, staff_id=members["agent"], **about)
    working.note_internally(session, complaint, text="با پیک حرف زدم؛ می‌گوید آسانسور خراب بوده.", **about)
    decided = a_told_complaint(session, phone="09351234567")
    states.move(session, decided, to="in_review", **about)
    resolution = resolve(
        session,
        decided,
        decision="upheld",
        root_cause=next((one.key for one in rules.business.complaints.root_causes), ""),
        explanation="بسته‌بندی ایراد داشت و پیک دیر رسید. پوزش می‌خواهیم.",
        role="agent",
        remedy="refund",
        compensation=Offer("money", 90_000_000),
        **about,
    )
    waiting = select(Compensation.id).where(Compensation.resolution_id == resolution.id)
    return complaint, decided, session.scalars(waiting).one()


def _requests(
    session: Session, chat: Conversation, members: dict[str, int], rules: Rules, now: datetime
) -> tuple[ServiceRequest, ServiceRequest]:
    from crm_store.service_requests.working import assign

    kind = rules.business.service_kind("repair")
    # Not on the day of the test: what must not be done before its day depends on no hour.
    slot, later = free_slots(session, kind=kind, rules=rules, now=now + timedelta(days=1))[:2]
    told: dict[str, Any] = {
        "product": "یخچال ساید",
        "city": "تهران",
        "address": "خیابان آزادی، پلاک ۱۲",
        "now": now,
    }
    own = a_request(session, rules=rules, conversation=chat, starts_at=slot.starts_at, **told)
    assign(session, own, staff_id=members["technician"], actor=f"staff:{members['supervisor']}", rules=rules)
    other = a_request(session, rules=rules, starts_at=later.starts_at, **told)
    return own, other


def _survey(
    session: Session, chat: Conversation, members: dict[str, int], rules: Rules, now: datetime
) -> int:
    definition = rules.business.surveys.items[0]
    version = version_of(session, definition=definition)
    made = None
    for number, grade in enumerate((5, 4, 5, 2, 5, 3, 4)):
        asked = now - timedelta(days=number * 9)
        made = SurveyInvitation(
            key=definition.key,
            version_id=version.id,
            customer_id=customer_of(chat),
            conversation_id=chat.id,
            trigger="complaint",
            staff_id=members["agent"] if number % 2 else members["supervisor"],
            tier=("", "طلایی")[number % 2],
            state=COMPLETED,
            due_at=asked,
            asked_at=asked,
            finished_at=asked,
            idempotency_key=f"survey:{number}",
        )
        session.add(made)
        session.flush()
        session.add(
            SurveyAnswer(
                invitation_id=made.id,
                question=definition.questions[0].key,
                kind="csat",
                value=grade,
                text="دیر جواب دادید" if grade < 3 else "",
                at=asked,
            )
        )
    assert made is not None
    follow_up = SurveyFollowUp(
        invitation_id=made.id, customer_id=customer_of(chat), due_at=now - timedelta(hours=2)
    )
    session.add(follow_up)
    session.flush()
    return follow_up.id
