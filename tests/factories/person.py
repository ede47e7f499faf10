"""A customer about whom everything is held that Peyvand can hold, told in many spellings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from crm_store import drafts, inbox, outbox
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.complaints import service as complaints
from crm_store.complaints.models import Complaint
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer, LinkConflict
from crm_store.customers.names import words_of
from crm_store.customers.service import add_phone, identify
from crm_store.handoff import service as handoff
from crm_store.handoff.models import CallbackRequest
from crm_store.learning import service as learning
from crm_store.learning.models import FALLBACK
from crm_store.persian import to_persian_digits
from crm_store.persian.words import words
from crm_store.privacy.files import chat_folder
from crm_store.privacy.service import record_consent
from tests.factories import a_complaint, an_inbox_id, person_cases, person_club, person_desk


@dataclass(frozen=True)
class Person:
    """Somebody, and what only they would say.

    Attributes:
        account: number of the Telegram account.
        visitor: id in the web chat, 64 hexadecimal digits.
        phone: ten digits, without the leading zero.
        second_phone: another one.
        question: what staff asked about the complaint, and `reply` what they were answered.
        finding: what was told of the decision; `remark` is what staff said among themselves.
        home: where a technician goes, because of a `fault` of the `device`; `outcome` is what the technician
            wrote about it.
        wish: what somebody was to talk with them about; `agreed` is what came of it, `noted` what was noted
            down about them, and `whisper` what staff said to each other meanwhile.
    """

    name: str
    username: str
    account: str
    visitor: str
    phone: str
    second_phone: str
    street: str
    story: str
    former_story: str
    topic: str
    order: str
    question: str
    reply: str
    finding: str
    remark: str
    fault: str
    device: str
    city: str
    home: str
    outcome: str
    wish: str
    agreed: str
    noted: str
    whisper: str

    @property
    def words(self) -> list[str]:
        """What must be found nowhere once the person is forgotten."""
        told = [self.name, self.street, self.story, self.former_story, self.topic]
        told += [self.question, self.reply, self.finding, self.remark]
        told += [self.fault, self.device, self.city, self.home, self.outcome]
        told += [self.wish, self.agreed, self.noted, self.whisper]
        # As they are searched.
        told += [" ".join(words(one)) for one in (self.story, self.agreed)]
        told += [max(words_of(self.name), key=len)]
        return [*told, self.username, self.account, self.visitor[:32], self.order, *self.spellings]

    @property
    def spellings(self) -> list[str]:
        """The numbers as people and machines write them."""
        spaced = [f"{one[:3]} {one[3:6]} {one[6:]}" for one in (self.phone, self.second_phone)]
        plain = [self.phone, self.second_phone, *spaced]
        return [*plain, *(to_persian_digits(one) for one in plain)]


MINA = Person(
    name="مینا زرین‌کلاه",
    username="mina_zarrin",
    account="550017231",
    visitor="ab12" * 16,
    phone="9121230987",
    second_phone="9351237766",
    street="کوچهٔ نسترن",
    story="پیک غذای یخ‌زده را پشت در گذاشت",
    former_story="پیک غذای سوخته آورد",
    topic="گفت‌وگو دربارهٔ قسط عقب‌افتاده",
    order="ORD-77123",
    question="پیک چه ساعتی زنگ خانه را زد",
    reply="حوالی هفت غروب، همسایه هم دید",
    finding="پیک مسیر را اشتباه رفته بود",
    remark="بار سومش است، مراقب باشید",
    fault="پکیج قطره‌قطره آب می‌دهد",
    device="پکیج دماوند",
    city="بومهن",
    home="بلوار سروستان، پلاک نوزده، زنگ دوم",
    outcome="واشر اصلی فرسوده بود و عوض شد",
    wish="صورت‌حساب دوبار حساب‌شده",
    agreed="مبلغ اضافه تا چهارشنبه برمی‌گردد",
    noted="پس از زایمان است، صبح‌ها خواب است",
    whisper="این همان خانم هفتهٔ پیش است",
)
OMID = Person(
    name="امید فرهمند",
    username="omid_farah",
    account="660028342",
    visitor="cd34" * 16,
    phone="9191112233",
    second_phone="9361114455",
    street="خیابان چنار",
    story="کفش دو شمارهٔ متفاوت رسید",
    former_story="کفش لنگه‌به‌لنگه رسید",
    topic="پرسش دربارهٔ گارانتی یخچال",
    order="ORD-88456",
    question="رنگ جعبهٔ کفش چه بود",
    reply="جعبه سرمه‌ای بود و در نداشت",
    finding="انباردار دو جعبه را جابه‌جا گذاشته بود",
    remark="از مشتریان قدیمی نمایشگاه است",
    fault="یخچال شب‌ها زوزه می‌کشد",
    device="ساید بای ساید برفاب",
    city="هشتگرد",
    home="شهرک لاله، بلوک یازده، واحد شش",
    outcome="موتور تراز شد و صدا خوابید",
    wish="فاکتور رسمی با مهر شرکت",
    agreed="فاکتور مهرشده با پیک می‌رسد",
    noted="همیشه از فروشگاه شعبهٔ دو می‌خرد",
    whisper="تخفیف بیشتر از این نمی‌شود داد",
)


def seed(session: Session, person: Person, folder: Path) -> Conversation:
    """Write everything down about a person; returns the Telegram conversation.

    Args:
        folder: the attachments folder.
    """
    chat = _chat(session, person, "telegram", person.account)
    customer_id = conversations.customer_of(chat)
    _profile(session, person, customer_id)
    complaint = a_complaint(session, chat, story=person.former_story)
    told = complaint.source_inbox_id
    assert told is not None
    complaints.correct_story(session, inbox_id=told, text=person.story)
    complaint.order_number, complaint.remedy = person.order, "refund"
    line = conversations.add_message(
        session,
        conversation_id=chat.id,
        author="customer",
        text=person.story,
        inbox_id=told,
        platform_message_id="11",
    )
    line.edited_at = utcnow()
    _files(session, person, chat, folder, complaint)
    _said(session, person, chat)
    _cases(session, person, chat, customer_id)
    _elsewhere(session, person, chat, customer_id, folder)
    person_cases.follow_up(session, person, chat, complaint)
    person_cases.visits(session, person, chat, folder)
    person_club.belong(session, person, chat)
    person_desk.take_over(session, person, chat, folder)
    session.flush()
    return chat


def _chat(session: Session, person: Person, channel: str, account: str) -> Conversation:
    identity = identify(
        session,
        channel=channel,
        external_id=account,
        display_name=person.name,
        username=person.username,
    )
    return conversations.open_conversation(session, channel=channel, chat_id=account, identity=identity)


def _profile(session: Session, person: Person, customer_id: int) -> None:
    customer = session.get_one(Customer, customer_id)
    customer.full_name, customer.address = person.name, person.street
    customer.birthday, customer.preferred_time = date(1990, 3, 21), "عصرها"
    customer.external_ref, customer.tier = person.order, "gold"
    add_phone(session, customer_id=customer_id, phone=f"0{person.phone}", proven=True)
    imported = Customer(full_name=person.name, source="import", merged_into_id=customer_id)
    session.add(imported)
    session.flush()
    add_phone(session, customer_id=imported.id, phone=to_persian_digits(f"0{person.second_phone}"))


def _files(session: Session, person: Person, chat: Conversation, folder: Path, complaint: Complaint) -> None:
    place = f"2026/11/{person.account}0000.txt"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(f"{person.name}: {person.story}", encoding="utf-8")
    file = conversations.add_attachment(
        session,
        conversation_id=chat.id,
        inbox_id=complaint.source_inbox_id or 0,
        kind="document",
        mime_type="text/plain",
        file_name=f"{person.name}.txt",
        path=place,
    )
    file.complaint_id = complaint.id
    card = an_inbox_id(session, chat, contact={"phone_number": f"+98{person.phone}", "name": person.name})
    conversations.add_attachment(
        session,
        conversation_id=chat.id,
        inbox_id=card,
        kind="contact",
        data={"phone": f"+98{person.phone}", "name": person.name},
    )


def _said(session: Session, person: Person, chat: Conversation) -> None:
    spelt = "، ".join(person.spellings)
    buttons = conversations.issue_buttons(
        session,
        conversation_id=chat.id,
        buttons=[{"title": person.name, "payload": json.dumps({"story": person.story})}],
        lifetime=timedelta(hours=48),
    )
    sent = outbox.enqueue_message(
        session, conversation_id=chat.id, content={"text": f"{person.name} {spelt}", "buttons": buttons}
    )
    session.flush()
    sent.state, sent.sent_at = outbox.SENT, utcnow()
    conversations.add_message(
        session, conversation_id=chat.id, author="bot", text=f"{person.name}: {spelt}", outbox_id=sent.id
    )
    parked = an_inbox_id(session, chat, text=f"{person.story} {spelt}", **{"from": {"id": person.account}})
    inbox.finish(session, inbox_id=parked, state=inbox.PARKED)
    inbox.note_failure(session, inbox_id=parked, error=f"ValueError: {person.story}")
    for item in session.query(inbox.InboxItem).filter_by(state=inbox.PENDING, chat_id=chat.chat_id):
        inbox.finish(session, inbox_id=item.id)


def _cases(session: Session, person: Person, chat: Conversation, customer_id: int) -> None:
    asked = an_inbox_id(session, chat, text=person.topic)
    where = {"conversation_id": chat.id, "inbox_id": asked}
    handoff.start_callback(session, topic=person.topic, **where)
    handoff.set_callback_phone(session, phone=f"0{person.second_phone}", **where)
    draft = drafts.turn_draft(session, kind=handoff.DRAFT_KIND, **where)
    assert draft is not None
    request = CallbackRequest(
        customer_id=customer_id,
        conversation_id=chat.id,
        draft_id=draft.id,
        contact_point_id=draft.data["contact_point_id"],
        topic=person.topic,
    )
    session.add(request)
    session.flush()
    group = conversations.open_conversation(session, channel="telegram", chat_id="-100200300", identity=None)
    told = outbox.enqueue_notice(
        session,
        conversation_id=group.id,
        response="utter_staff_group_callback_about",
        params={"topic": person.topic, "deadline": "فردا"},
        idempotency_key=handoff.staff_notice_key(request.id),
    )
    session.flush()
    told.state, told.sent_at = outbox.SENT, utcnow()
    conversations.add_message(
        session, conversation_id=group.id, author="bot", text=person.topic, outbox_id=told.id
    )
    open_one = drafts.start_draft(session, conversation_id=chat.id, kind="complaint", inbox_id=asked)
    drafts.set_field(open_one, field="description", value=person.former_story, inbox_id=asked)
    said = an_inbox_id(session, chat, text=f"{person.name} لغو ۱۱")
    record_consent(
        session,
        customer_id=customer_id,
        granted=False,
        text=f"{person.name} لغو ۱۱",
        channel="telegram",
        inbox_id=said,
    )
    misunderstood = an_inbox_id(session, chat, text=f"{person.topic} {person.phone}")
    learning.keep(
        session,
        conversation_id=chat.id,
        inbox_id=misunderstood,
        text=f"{person.topic} 0{person.phone}",
        ranking=[("request_human", 0.3)],
        reason=FALLBACK,
        by_default=True,
    )
    for row in (asked, said, misunderstood):
        inbox.finish(session, inbox_id=row)


def _elsewhere(session: Session, person: Person, chat: Conversation, customer_id: int, folder: Path) -> None:
    """The web chat of the same person, a group, a dispute with somebody else and the audit trail."""
    web = _chat(session, person, "web", person.visitor)
    merge(session, into_id=customer_id, from_id=conversations.customer_of(web), actor="operator")
    name = f"{'0' * 31}1.txt"
    place = f"{chat_folder('web', person.visitor)}/{name}"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(person.story, encoding="utf-16")
    row = inbox.receive(
        session,
        channel="web",
        update_id=f"{person.visitor}:77",
        chat_id=person.visitor,
        payload={"text": person.story, "attachments": [{"path": place}]},
    )
    assert row is not None
    inbox.finish(session, inbox_id=row)
    conversations.add_message(
        session, conversation_id=web.id, author="customer", text=person.story, inbox_id=row
    )
    group = inbox.receive(
        session,
        channel="telegram",
        update_id=f"group-{chat.id}",
        chat_id="-100200300",
        payload={"message": {"from": {"id": int(person.account)}, "text": person.story}},
    )
    assert group is not None
    inbox.finish(session, inbox_id=group, state=inbox.IGNORED)
    stranger = identify(session, channel="telegram", external_id=f"31{person.account[::-1]}")
    conflict = LinkConflict(identity_id=stranger.id, holder_id=customer_id, phone=f"+98{person.second_phone}")
    session.add(conflict)
    session.flush()
    record_audit(
        session,
        actor="staff:1",
        action="customer.link_settled",
        target_type="link_conflict",
        target_id=conflict.id,
        detail={"phone": f"+98{person.second_phone}", "name": person.name},
    )
    record_audit(
        session,
        actor="staff:1",
        action="customer.viewed",
        target_type="customer",
        target_id=customer_id,
        detail={"name": person.name},
    )


def files_below(folder: Path) -> list[Path]:
    """Every file of a folder, however deep."""
    return [path for path in folder.rglob("*") if path.is_file()]
