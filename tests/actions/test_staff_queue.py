"""Staff in chat: a technician's day, an agent's open tickets, and nothing for anybody else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import AuditEntry
from crm_store.complaints.models import Complaint
from crm_store.outbox import OutboxItem
from crm_store.persian import new_tracking_code, rich, to_persian_digits
from crm_store.service_requests.models import ServiceRequest
from crm_store.settings import Settings
from crm_store.staff.accounts import disable
from tests.actions.conftest import Chat
from tests.actions.service_chat import at, in_days
from tests.actions.staff_chat import call_them
from tests.actions.ticket_chat import LEFT, TicketChat
from tests.actions.ticket_chat import TICKET_BUSINESS as BUSINESS
from tests.factories import a_member

QUEUE = "staff_my_queue"
MASKED = """
[staff]
full_phone_roles = ["admin"]
"""


class Day:
    """A member of staff in a chat of their own, and a customer in another.

    Attributes:
        id: the member.
    """

    def __init__(self, chat: Chat, customer: Chat, role: str) -> None:
        self.staff, self.customer = TicketChat(chat), TicketChat(customer)
        self.id: int = self.staff.write(
            lambda session: a_member(session, role=role, chat=chat.conversation).id
        )

    def visit(
        self, hour: int = 9, *, days: int = 0, starts_at: datetime | None = None, **columns: str
    ) -> str:
        """A visit of this technician's; its code."""
        moment = starts_at or at(in_days(days), hour)
        return self.customer.visit(starts_at=moment, technician=self.id, **columns)

    def lines(self, number: int = 0) -> str:
        """What is told of a visit in the list, as people read it."""
        items = [params for said, params in self.staff.params if said.endswith("_item")]
        return rich.to_plain(items[number]["lines"])


@pytest.fixture
def day(chat: Chat, stranger: Chat, settings: Settings) -> Day:
    Path(settings.business_path).write_text(BUSINESS, encoding="utf-8")
    return Day(chat, stranger, "technician")


@pytest.fixture
def agent(chat: Chat, stranger: Chat, settings: Settings) -> Day:
    Path(settings.business_path).write_text(BUSINESS, encoding="utf-8")
    return Day(chat, stranger, "agent")


def assign(day: Day, code: str, staff_id: int) -> None:
    def change(session: Session) -> None:
        session.scalars(select(Complaint).where(Complaint.code == code)).one().assignee_id = staff_id

    day.staff.write(change)


def denials(day: Day) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.action == "staff.denied").order_by(AuditEntry.id)
    with day.customer.chat.database.read() as session:
        return list(session.scalars(wanted))


def told_to_customer(day: Day) -> list[str]:
    with day.customer.chat.database.read() as session:
        rows = session.scalars(
            select(OutboxItem).where(OutboxItem.conversation_id == day.customer.chat.conversation.id)
        )
        return [row.content["response"] for row in rows]


def test_a_technicians_day_is_listed_in_order_with_what_is_known(day: Day) -> None:
    late = day.visit(17, kind="installation")
    early = day.visit(9, problem="خنک نمی‌کند", product="یخچال", city="شیراز", address="خیابان زند")
    day.visit(9, days=1)
    said = day.staff.say("کارهای امروزم", intent=QUEUE)
    assert said == ["utter_visits", "utter_visit_assigned_item", "utter_visit_assigned_item"]
    items = [str(params["ticket"]) for said, params in day.staff.params if said.endswith("_item")]
    assert items == [early, late]
    for known in ("سارا", "شیراز، خیابان زند", "یخچال", "خنک نمی‌کند"):
        assert known in day.lines().replace("\u2068", "").replace("\u2069", "")


def test_what_customers_wrote_is_shown_as_text(day: Day) -> None:
    day.visit(problem="<b>پر</b> سر و صدا")
    day.staff.say("کارهای امروزم", intent=QUEUE)
    assert "<b>پر</b>" in day.lines()


NUMBER, WHOLE = "+989121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷"


def plain(told: object) -> str:
    return rich.to_plain(str(told)).replace("\u2068", "").replace("\u2069", "")


def test_a_technician_reads_the_number_of_a_visit_that_is_still_to_come_whole(day: Day) -> None:
    call_them(day.customer.chat, "سارا", NUMBER)
    code = day.visit(problem="اگر نبودم ۰۹۳۵۱۱۱۲۲۳۳ را بگیرید")
    for state, is_whole in (("assigned", True), ("on_the_way", True), ("done", False)):
        set_state(day, code, state)
        day.staff.say("کارهای امروزم", intent=QUEUE)
        listed = plain(day.lines())
        day.staff.press("staff_ticket", ticket=code)
        for shown in (listed, plain(day.staff.told("utter_staff_ticket")["lines"])):
            assert (WHOLE in shown) is is_whole, state
            assert ("۰۹۳۵۱۱۱۲۲۳۳" in shown) is is_whole, state
            assert ("•••" in shown) is not is_whole, state


def test_the_number_of_a_visit_of_somebody_elses_stays_masked(agent: Day, settings: Settings) -> None:
    Path(settings.business_path).write_text(BUSINESS + MASKED, encoding="utf-8")
    call_them(agent.customer.chat, "سارا", NUMBER)
    theirs = agent.customer.visit(
        starts_at=at(in_days(0), 9), technician=agent.staff.write(lambda s: a_member(s, role="technician").id)
    )
    agent.staff.press("staff_ticket", ticket=theirs)
    shown = plain(agent.staff.told("utter_staff_ticket")["lines"])
    assert "•••" in shown
    assert WHOLE not in shown


def set_state(day: Day, code: str, state: str) -> None:
    def change(session: Session) -> None:
        session.scalars(select(ServiceRequest).where(ServiceRequest.code == code)).one().state = state

    day.staff.write(change)


def test_another_day_may_be_asked_about(day: Day) -> None:
    day.visit(9, days=1)
    assert day.staff.say("کارهای امروزم", intent=QUEUE) == ["utter_no_visits"]
    tomorrow = {"date": [(in_days(1).isoformat(), "فردا")]}
    assert day.staff.say("فردا چی دارم", intent=QUEUE, entities=tomorrow) == [
        "utter_visits",
        "utter_visit_assigned_item",
    ]


def test_a_day_goes_from_setting_off_to_a_photo_and_a_note(day: Day) -> None:
    code = day.visit()
    assert day.staff.press("visit_on_the_way", ticket=code) == [
        "utter_visit_set_off",
        "utter_visit_on_the_way_item",
    ]
    assert day.staff.repeat()[0] == "utter_visit_set_off"
    assert day.staff.press("visit_done", ticket=code) == ["utter_ask_visit_photo"]
    assert day.staff.send(files=2) == ["utter_ask_visit_note"]
    said = day.staff.say("کمپرسور عوض شد")
    assert said == day.staff.repeat() == ["utter_visit_noted_done"]
    assert day.customer.read_request(code).state == "done"
    assert day.staff.notes("internal") == [(code, "کمپرسور عوض شد", 2)]
    assert told_to_customer(day) == ["utter_visit_on_the_way", "utter_visit_done"]
    assert day.staff.say("کارهای امروزم", intent=QUEUE) == ["utter_visits", "utter_visit_over_item"]


def test_yesterdays_visit_is_listed_today_with_its_time_and_can_be_ended(day: Day) -> None:
    code, over = day.visit(9, days=-1), day.visit(14, days=-1, state="done")
    assert day.staff.say("کارهای امروزم", intent=QUEUE) == ["utter_visits", "utter_visit_assigned_item"]
    assert "ساعت" in day.staff.told("utter_visit_assigned_item")["when"]
    assert "امروز" not in day.staff.told("utter_visit_assigned_item")["when"]
    assert day.staff.press("visit_done", ticket=over) == ["utter_no_visit"]
    day.staff.press("visit_done", ticket=code)
    day.staff.press("skip")
    assert day.staff.press("skip") == ["utter_visit_noted_done"]
    assert day.customer.read_request(code).state == "done"


def test_a_caption_below_the_photo_is_the_note(day: Day) -> None:
    code = day.visit()
    day.staff.press("visit_done", ticket=code)
    assert day.staff.say("شیلنگ عوض شد", files=1) == ["utter_visit_noted_done"]
    assert day.staff.notes("internal") == [(code, "شیلنگ عوض شد", 1)]


@pytest.mark.parametrize("how", ["buttons", "words"])
def test_neither_photo_nor_note_is_needed(day: Day, how: str) -> None:
    code = day.visit()
    day.staff.press("visit_done", ticket=code)
    for _ in range(2):
        said = day.staff.press("skip") if how == "buttons" else day.staff.say("ندارم", intent="skip")
    assert said == ["utter_visit_noted_done"]
    assert day.staff.notes("internal") == []
    assert day.customer.read_request(code).state == "done"


def test_a_note_instead_of_the_photo_is_enough(day: Day) -> None:
    code = day.visit()
    day.staff.press("visit_done", ticket=code)
    assert day.staff.say("بله", intent="affirm") == ["utter_form_go_ahead", "utter_ask_visit_photo"]
    assert day.staff.say("برد تعویض و دستگاه تست شد") == ["utter_visit_noted_done"]
    assert day.staff.notes("internal") == [(code, "برد تعویض و دستگاه تست شد", 0)]


@pytest.mark.parametrize(
    ("text", "intent", "reason"),
    [
        ("کسی خونه نبود در رو باز نکردن", "nlu_fallback", "nobody_home"),
        ("نبودن", "deny", "nobody_home"),
        ("قطعه نداشتم", "skip", "part_missing"),
        ("ترافیک بود", "out_of_scope", "too_late"),
        ("گفت همسایه درستش کرده", "nlu_fallback", "other"),
    ],
)
def test_why_a_visit_was_not_done_is_typed(day: Day, text: str, intent: str, reason: str) -> None:
    code = day.visit()
    assert day.staff.press("visit_not_done", ticket=code) == ["utter_ask_not_done_reason"]
    assert day.staff.say(text, intent=intent) == ["utter_visit_noted_not_done"]
    request = day.customer.read_request(code)
    assert (request.state, request.reason, request.outcome) == ("not_done", reason, text)
    assert told_to_customer(day) == ["utter_visit_not_done"]


def test_why_a_visit_was_not_done_is_tapped_with_a_photo_of_the_door(day: Day) -> None:
    code = day.visit()
    day.staff.press("visit_not_done", ticket=code)
    assert day.staff.send(files=1) == ["utter_ask_not_done_reason"]
    said = day.staff.press("choose_reason", reason="nobody_home")
    assert said == day.staff.repeat() == ["utter_visit_noted_not_done"]
    assert day.staff.notes("internal") == [(code, "", 1)]


def test_a_customers_reason_is_no_reason_of_a_technicians(day: Day) -> None:
    code = day.visit()
    day.staff.press("visit_not_done", ticket=code)
    assert day.staff.press("choose_reason", reason="price") == [LEFT, "utter_ask_not_done_reason"]
    assert day.staff.say("نه", intent="deny") == ["utter_task_dropped"]
    assert day.customer.read_request(code).state == "assigned"


def test_somebody_elses_visit_is_none(day: Day) -> None:
    theirs = day.customer.visit(
        starts_at=at(in_days(0), 9), technician=day.staff.write(lambda s: a_member(s, role="technician").id)
    )
    for code in (theirs, new_tracking_code()):
        for intent in ("visit_on_the_way", "visit_done", "visit_not_done"):
            assert day.staff.press(intent, ticket=code) == ["utter_no_visit"]
    assert day.customer.read_request(theirs).state == "assigned"
    assert [denied.target_id for denied in denials(day)].count(theirs) == 3
    assert {denied.actor for denied in denials(day)} == {f"staff:{day.id}"}


def test_a_visit_that_somebody_else_was_given_meanwhile_is_none_any_more(day: Day) -> None:
    code = day.visit()
    day.staff.press("visit_done", ticket=code)

    def give_away(session: Session) -> None:
        request = day.customer.read_request(code)
        session.add(request)
        request.technician_id = a_member(session, role="technician").id

    day.staff.write(give_away)
    assert day.staff.send(files=1) == ["utter_no_visit"]
    assert day.staff.chat.form is None
    assert day.customer.read_request(code).state == "assigned"


def test_nobody_leaves_for_tomorrows_visit(day: Day) -> None:
    code = day.visit(days=1)
    for intent in ("visit_on_the_way", "visit_done", "visit_not_done"):
        assert day.staff.press(intent, ticket=code) == ["utter_no_visit"]
    assert day.customer.read_request(code).state == "assigned"


def test_a_visit_that_is_over_is_not_begun_again(day: Day) -> None:
    code = day.visit(state="done")
    assert day.staff.press("visit_on_the_way", ticket=code) == ["utter_visit_is_over"]


def test_setting_off_takes_a_button(day: Day) -> None:
    code = day.visit()
    said = day.staff.say(f"راه افتادم {code}", intent="visit_on_the_way", entities={"ticket": [code]})
    assert said == ["utter_no_visit"]
    assert day.customer.read_request(code).state == "assigned"


def test_who_was_disabled_sees_nothing_and_does_nothing(day: Day) -> None:
    code = day.visit()
    day.staff.press("visit_done", ticket=code)
    day.staff.write(lambda session: disable(session, staff_id=day.id))
    assert day.staff.send(files=1) == ["utter_no_visit"]
    assert day.staff.say("کارهای امروزم", intent=QUEUE) == ["utter_out_of_scope"]
    assert day.staff.press("visit_on_the_way", ticket=code) == ["utter_no_visit"]
    assert day.customer.read_request(code).state == "assigned"


def test_a_customer_who_asks_for_a_queue_is_no_staff(day: Day) -> None:
    code = day.visit()
    assert day.customer.say("کارهای امروزم", intent=QUEUE) == ["utter_out_of_scope"]
    for intent in ("visit_on_the_way", "visit_done", "visit_not_done"):
        before = len(denials(day))
        assert day.customer.press(intent, ticket=code) == ["utter_no_visit"]
        assert [denied.actor.partition(":")[0] for denied in denials(day)[before:]] == ["customer"]
    assert day.customer.read_request(code).state == "assigned"


def test_an_agents_own_open_tickets_are_listed_by_urgency(agent: Day) -> None:
    plain, urgent = agent.customer.complaint("product"), agent.customer.complaint("payment")
    agent.customer.complaint("delivery")
    for code in (plain, urgent):
        assign(agent, code, agent.id)

    def hurry(session: Session) -> None:
        session.scalars(select(Complaint).where(Complaint.code == urgent)).one().priority = "urgent"

    agent.staff.write(hurry)
    assert agent.staff.say("کارهای باز من", intent=QUEUE) == ["utter_queue"]
    told = agent.staff.told("utter_queue")
    items = rich.to_plain(told["items"])
    assert "۲" in told["count"]
    assert items.index(to_persian_digits(urgent)) < items.index(to_persian_digits(plain))
    assert "کیفیت کالا" in items


def test_an_agent_with_nothing_to_do_is_told_so(agent: Day) -> None:
    agent.customer.complaint()
    assert agent.staff.say("کارهای باز من", intent=QUEUE) == ["utter_queue_empty"]


def test_a_long_queue_is_counted_and_its_beginning_listed(agent: Day) -> None:
    for _ in range(12):
        assign(agent, agent.customer.complaint(), agent.id)
    agent.staff.say("کارهای باز من", intent=QUEUE)
    told = agent.staff.told("utter_queue")
    assert "۱۲" in told["count"]
    assert len(rich.to_plain(told["items"]).splitlines()) == 10
