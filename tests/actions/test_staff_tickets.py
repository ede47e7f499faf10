"""What members of staff do with tickets in chat: look, take, give, raise, move and decide them."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint, ComplaintResolution
from crm_store.outbox import OutboxItem
from crm_store.persian import to_persian_digits
from crm_store.service_requests.models import BookingWindow
from crm_store.settings import Settings
from crm_store.staff.models import StaffMember
from tests.actions.conftest import Chat
from tests.actions.service_chat import at, in_days
from tests.actions.staff_chat import StaffChat, call_them, colleague, open_business, told_in
from tests.actions.ticket_chat import TicketChat


@pytest.fixture
def customer(stranger: Chat, settings: Settings) -> TicketChat:
    open_business(settings)
    call_them(stranger, "مریم صادقی", "09121234567")
    return TicketChat(stranger)


@pytest.fixture
def agent(chat: Chat, customer: TicketChat) -> StaffChat:
    return StaffChat(chat, "agent")


@pytest.fixture
def boss(chat: Chat, customer: TicketChat) -> StaffChat:
    return StaffChat(chat, "supervisor")


def own(agent: StaffChat, code: str) -> str:
    """A complaint that this member deals with."""

    def give(session: Any) -> None:
        session.scalars(select(Complaint).where(Complaint.code == code)).one().assignee_id = agent.id

    agent.write(give)
    return code


def test_a_ticket_is_shown_with_what_can_be_done_and_its_customer_is_in_mind(
    agent: StaffChat, customer: TicketChat
) -> None:
    code = customer.complaint()
    assert agent.press("staff_ticket", ticket=code) == ["utter_staff_ticket"]
    lines = str(agent.told("utter_staff_ticket")["lines"])
    assert "مریم صادقی" in lines
    assert "۰۹۱۲" in lines
    assert {intent for intent, _ in agent.buttons()} == {"staff_assign", "staff_escalate", "staff_open"}
    assert agent.mind().customer_id == customer.customer_id()
    assert [one.target_id for one in agent.audited("customer.viewed")] == [str(customer.customer_id())]


def test_an_agent_takes_a_ticket_and_decides_it_step_by_step(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    assert agent.say(f"تیکت {code} رو ببند", "staff_resolve") == ["utter_staff_take_first"]
    assert agent.tap("staff_assign", value="me") == ["utter_staff_taken"]
    assert agent.tap("staff_resolve") == ["utter_staff_ask_decision"]
    assert agent.choose("upheld") == ["utter_staff_ask_cause"]
    assert agent.answer("شرکت ارسال") == ["utter_staff_ask_remedy"]
    assert agent.choose("none") == ["utter_staff_ask_grant"]
    assert agent.choose("points") == ["utter_staff_ask_points_amount"]
    assert agent.answer("۵۰ تا", entities={"number": [50]}) == ["utter_staff_ask_explanation"]
    assert agent.answer("سلام، بسته پیدا شد و فردا می‌رسد.") == ["utter_staff_confirm_decision"]
    assert agent.choose("yes") == agent.repeat() == ["utter_staff_decided"]
    assert customer.read_complaint(code).state == "resolved"
    made = agent.read(lambda session: session.scalars(select(ComplaintResolution)).all())
    assert [(one.decision, one.root_cause, one.explanation) for one in made] == [
        ("upheld", "carrier", "سلام، بسته پیدا شد و فردا می‌رسد.")
    ]
    assert "utter_complaint_resolved_upheld" in told_in(customer.chat)


def test_what_is_more_than_the_role_may_grant_waits_for_approval(
    agent: StaffChat, customer: TicketChat
) -> None:
    code = own(agent, customer.complaint())
    agent.press("staff_resolve", ticket=code)
    for value in ("upheld", "carrier", "none", "money"):
        agent.choose(value)
    agent.answer("دویست هزار تومان", entities={"amount": [2_000_000]})
    agent.answer("متأسفیم؛ جبران می‌کنیم.")
    assert agent.answer("بله", value="yes") == ["utter_staff_decision_waits"]
    assert customer.read_complaint(code).state == "received"
    assert "utter_complaint_resolved_upheld" not in told_in(customer.chat)


def test_what_was_done_may_be_said_at_once(agent: StaffChat, customer: TicketChat) -> None:
    code = own(agent, customer.complaint())
    agent.say(f"تیکت {code} بسته شه: دستگاه تعویض شد و تحویل دادیم", "staff_resolve")
    for value in ("upheld", "carrier", "replacement"):
        agent.choose(value)
    assert agent.choose("none") == ["utter_staff_confirm_decision"]
    assert "دستگاه تعویض شد" in str(agent.told("utter_staff_confirm_decision")["lines"])
    assert agent.choose("drop") == ["utter_staff_dropped"]
    assert customer.read_complaint(code).state != "resolved"


def test_a_colleagues_ticket_is_decided_by_a_supervisor(boss: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    assert boss.say(f"شکایت {code} حل شد", "staff_resolve") == ["utter_staff_ask_decision"]


def test_a_visit_is_ended_by_the_desk_with_its_outcome(boss: StaffChat, customer: TicketChat) -> None:
    technician = colleague(boss.chat, "جواد ملکی", "technician")
    code = customer.visit(starts_at=at(in_days(0), 9), technician=technician)
    boss.press("staff_resolve", ticket=code)
    assert boss.answer("تلفنی حل شد") == ["utter_staff_confirm_finish"]
    assert boss.choose("yes") == boss.repeat() == ["utter_staff_visit_finished"]
    assert (customer.read_request(code).state, customer.read_request(code).outcome) == ("done", "تلفنی حل شد")


def test_a_ticket_is_given_to_a_colleague_with_a_misspelt_name(boss: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    reza = colleague(boss.chat, "رضا توکلی")
    colleague(boss.chat, "مینا توسلی")
    said = boss.say(f"تیکت {code} رو بده به توکولی", "staff_assign")
    assert said == boss.repeat() == ["utter_staff_assigned"]
    assert customer.read_complaint(code).assignee_id == reza


def test_a_name_in_it_is_the_colleagues_and_no_customers(boss: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    call_them(Chat(boss.chat.database), "رضا توکلی")
    reza = colleague(boss.chat, "رضا توکلی")
    boss.press("staff_ticket", ticket=code)
    names = {"person_name": ["رضا توکلی"]}
    assert boss.say("این رو بده به رضا توکلی", "staff_assign", entities=names) == ["utter_staff_assigned"]
    assert customer.read_complaint(code).assignee_id == reza


def test_who_is_not_named_clearly_is_asked_for_with_buttons(boss: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    colleague(boss.chat, "رضا توکلی")
    mina = colleague(boss.chat, "مینا توکلی")
    assert boss.say(f"تیکت {code} رو بده به توکلی", "staff_assign") == ["utter_staff_ask_assignee"]
    assert boss.answer("مینا") == ["utter_staff_assigned"]
    assert customer.read_complaint(code).assignee_id == mina


def test_a_unit_gives_it_to_whoever_has_least_to_do(boss: StaffChat, customer: TicketChat) -> None:
    busy = colleague(boss.chat, "رضا توکلی", team="حسابداری")
    free = colleague(boss.chat, "مینا توسلی", team="حسابداری")
    for code, to in ((customer.complaint(), busy), (customer.complaint(), free)):
        boss.say(f"تیکت {code} رو بنداز رو حسابداری", "staff_assign")
        assert customer.read_complaint(code).assignee_id == to
    assert boss.say(f"{customer.complaint()} برای واحد فنی", "staff_assign") == ["utter_staff_team_empty"]


def test_an_agent_gives_nothing_to_others(agent: StaffChat, customer: TicketChat) -> None:
    code, other = own(agent, customer.complaint()), colleague(agent.chat, "رضا توکلی")
    assert agent.say(f"تیکت {code} رو بده به رضا توکلی", "staff_assign") == ["utter_staff_not_allowed"]
    assert customer.read_complaint(code).assignee_id == agent.id != other
    assert [one.detail["permission"] for one in agent.audited("staff.denied")] == ["ticket.assign"]


@pytest.mark.parametrize(
    "text", ["من مرخصی‌ام، بده به نگار", "خودم نمی‌رسم، بده به نگار", "من دارم میرم، بده نگار"]
)
def test_who_speaks_of_oneself_and_names_a_colleague_gives_it_to_them(
    boss: StaffChat, customer: TicketChat, text: str
) -> None:
    code, negar = customer.complaint(), colleague(boss.chat, "نگار رستمی")
    boss.write(lambda session: setattr(session.get_one(StaffMember, boss.id), "name", "سارا امینی"))
    assert boss.say(f"تیکت {code}: {text}", "staff_assign") == ["utter_staff_assigned"]
    assert customer.read_complaint(code).assignee_id == negar


@pytest.mark.parametrize(
    "text",
    ["من نمی‌رسم بده به یکی دیگه", "از دست من درش بیار بده یکی دیگه", "اشتباه اومده برای من، باید بره انبار"],
)
def test_who_wants_it_gone_is_asked_to_whom_and_does_not_get_it(
    boss: StaffChat, customer: TicketChat, text: str
) -> None:
    code = customer.complaint()
    assert boss.say(f"تیکت {code}، {text}", "staff_assign") == ["utter_staff_ask_assignee"]
    assert customer.read_complaint(code).assignee_id is None


def test_an_agent_who_wants_it_gone_does_not_get_it_either(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    said = agent.say(f"تیکت {code}، من نمی‌رسم بده به یکی دیگه", "staff_assign")
    assert said == ["utter_staff_not_allowed"]
    assert customer.read_complaint(code).assignee_id is None


@pytest.mark.parametrize("text", ["مال خانم توکلی رو خودم برمی‌دارم", "این با من", "یکی دیگه هم من برمی‌دارم"])
def test_who_takes_it_on_gets_it_whoever_else_is_named(
    boss: StaffChat, customer: TicketChat, text: str
) -> None:
    code = customer.complaint()
    colleague(boss.chat, "مینا توکلی")
    assert boss.say(f"تیکت {code}، {text}", "staff_assign") == ["utter_staff_taken"]
    assert customer.read_complaint(code).assignee_id == boss.id


def test_a_technician_without_the_skill_or_time_is_not_sent(boss: StaffChat, customer: TicketChat) -> None:
    busy = colleague(boss.chat, "جواد ملکی", "technician", areas=["تبریز"])
    code = customer.visit(starts_at=at(in_days(2), 9), city="شیراز")
    assert boss.say(f"{code} با جواد ملکی", "staff_assign") == ["utter_staff_cannot_go"]
    boss.write(lambda session: setattr(session.get_one(StaffMember, busy), "areas", []))
    assert boss.say(f"{code} با جواد ملکی", "staff_assign") == ["utter_staff_assigned"]
    assert customer.read_request(code).technician_id == busy


def test_a_raised_ticket_is_told_to_the_supervisor(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    head = Chat(agent.chat.database)
    StaffChat(head, "supervisor", "سارا")
    assert agent.say(f"{code} رو فوری کن", "staff_escalate") == ["utter_staff_ask_why_urgent"]
    assert agent.choose("vip") == agent.repeat() == ["utter_staff_escalated"]
    complaint = customer.read_complaint(code)
    assert (complaint.priority, complaint.priority_reasons[-1]["why"]) == ("high", "مشتری ویژه")
    assert told_in(head) == ["utter_staff_escalated_to_you"]


@pytest.mark.parametrize(
    ("seeing", "is_whole"), [('["admin"]', False), ('["agent", "supervisor", "admin"]', True)]
)
def test_numbers_in_the_reason_are_whole_only_to_those_who_see_them(
    agent: StaffChat, customer: TicketChat, settings: Settings, seeing: str, *, is_whole: bool
) -> None:
    open_business(settings, f"\n[staff]\nfull_phone_roles = {seeing}\n")
    code = customer.complaint()
    head = Chat(agent.chat.database)
    StaffChat(head, "supervisor", "سارا")
    said = agent.say(f"{code} رو ببر بالا: از ۰۹۱۹۱۱۱۲۲۳۳ زنگ زده", "staff_escalate")
    assert said == ["utter_staff_escalated"]

    def read(session: Any) -> Any:
        told = select(OutboxItem).where(OutboxItem.conversation_id == head.conversation.id)
        return session.scalars(told).one().content["params"]["reason"]

    reason = "از ۰۹۱۹۱۱۱۲۲۳۳ زنگ زده" if is_whole else "از ۰۹۱۹•••۲۲۳۳ زنگ زده"
    assert agent.read(read) == reason
    assert customer.read_complaint(code).priority_reasons[-1]["why"] == "از ۰۹۱۹۱۱۱۲۲۳۳ زنگ زده"


def test_the_reason_may_be_said_at_once(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.complaint()
    said = agent.say(f"{code} رو ببر بالا: مشتری باردار است و یخچال ندارد", "staff_escalate")
    assert said == agent.repeat() == ["utter_staff_escalated"]
    assert len(customer.read_complaint(code).priority_reasons) == 2


def test_a_visit_is_moved_to_a_window_that_is_tapped(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.visit(starts_at=at(in_days(2), 9))
    assert agent.press("staff_move", ticket=code) == ["utter_staff_ask_window"]
    target = at(in_days(1), 14).astimezone(timezone.utc).isoformat()
    assert agent.choose(target) == agent.repeat() == ["utter_staff_moved"]
    window = customer.read_request(code).window
    assert window is not None
    assert window.starts_at == at(in_days(1), 14)
    assert "utter_service_scheduled_change" in told_in(customer.chat)


def test_a_visit_is_moved_to_the_time_that_was_said(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.visit(starts_at=at(in_days(2), 9))
    day = in_days(3).isoformat()
    text = f"نوبت {code} رو ببر شنبه عصر"
    entities = {"date": [(day, "شنبه")], "time": [({"from": "17:00", "to": "20:00"}, "عصر")]}
    assert agent.say(text, "service_reschedule", entities=entities) == ["utter_staff_moved"]
    window = customer.read_request(code).window
    assert window is not None
    assert window.starts_at == at(in_days(3), 17)


def test_a_window_that_was_taken_meanwhile_is_asked_for_again(agent: StaffChat, customer: TicketChat) -> None:
    code = customer.visit(starts_at=at(in_days(2), 9))
    agent.press("staff_move", ticket=code)
    target = at(in_days(1), 14)

    def fill(session: Any) -> None:
        ends_at = target + timedelta(hours=3)
        session.add(BookingWindow(kind="repair", starts_at=target, ends_at=ends_at, booked=9))

    agent.write(fill)
    assert agent.choose(target.astimezone(timezone.utc).isoformat()) == [
        "utter_window_taken",
        "utter_staff_ask_window",
    ]
    window = customer.read_request(code).window
    assert window is not None
    assert window.starts_at == at(in_days(2), 9)


def test_a_complaint_cannot_be_moved(agent: StaffChat, customer: TicketChat) -> None:
    assert agent.press("staff_move", ticket=customer.complaint()) == ["utter_staff_no_visit_to_move"]


def test_one_of_several_tickets_is_chosen_and_the_request_goes_on(
    agent: StaffChat, customer: TicketChat
) -> None:
    codes = [customer.complaint(), customer.complaint()]
    agent.turn_to(customer.chat)
    assert agent.say("فوریش کن: خیلی ناراحت است", "staff_escalate") == ["utter_staff_which_ticket"]
    assert agent.tap("staff_ticket", ticket=codes[0]) == ["utter_staff_escalated"]
    assert customer.read_complaint(codes[0]).priority == "high"


def test_a_code_that_is_none_is_told(agent: StaffChat) -> None:
    assert agent.say("تیکت 12345679 رو ببند", "staff_resolve") == ["utter_staff_ticket_not_found"]


def test_what_is_over_stays_as_it_is(agent: StaffChat, customer: TicketChat) -> None:
    code = own(agent, customer.complaint(decided=True))
    assert agent.say(f"{code} رو فوری کن", "staff_escalate") == ["utter_staff_ticket_over"]
    assert agent.say(f"تیکت {code} رو ببند", "staff_resolve") == ["utter_staff_not_now"]


def test_buttons_of_a_task_that_was_left_do_nothing(agent: StaffChat, customer: TicketChat) -> None:
    code = own(agent, customer.complaint())
    agent.press("staff_resolve", ticket=code)
    old = dict(next(values for intent, values in agent.buttons() if values.get("value") == "upheld"))
    agent.press("staff_escalate", ticket=code)
    assert agent.press("staff_answer", **old) == ["utter_staff_step_over"]


def test_another_request_within_a_choice_is_carried_out(agent: StaffChat, customer: TicketChat) -> None:
    code = own(agent, customer.complaint())
    agent.press("staff_resolve", ticket=code)
    ranking = [("staff_answer", 1.0), ("staff_my_queue", 0.9)]
    assert agent.answer("کارهای باز من", ranking=ranking) == ["utter_queue"]


def test_what_fits_no_choice_is_asked_again(agent: StaffChat, customer: TicketChat) -> None:
    code = own(agent, customer.complaint())
    agent.press("staff_resolve", ticket=code)
    assert agent.answer("نمی‌دانم والا", ranking=[("staff_answer", 1.0)]) == ["utter_staff_ask_decision"]


def test_a_question_of_long_ago_is_over(agent: StaffChat, customer: TicketChat) -> None:
    code = own(agent, customer.complaint())
    agent.press("staff_resolve", ticket=code)

    def age(session: Any) -> None:
        focus = session.get_one(type(agent.mind()), agent.chat.conversation.id)
        task = {**focus.data["task"], "at": (utcnow() - timedelta(hours=2)).isoformat()}
        focus.data = {**focus.data, "task": task}

    agent.write(age)
    assert agent.choose("upheld") == ["utter_staff_step_over"]


def test_everybodys_tickets_are_listed_for_the_desk_a_page_at_a_time(
    agent: StaffChat, customer: TicketChat
) -> None:
    for _ in range(11):
        customer.complaint()
    assert agent.say("همه کارهای باز رو نشون بده", "staff_my_queue") == ["utter_queue_of_all"]
    assert to_persian_digits(11) in str(agent.told("utter_queue_of_all")["count"])
    assert agent.tap("staff_my_queue", page="2") == ["utter_queue_of_all"]
    assert len(str(agent.told("utter_queue_of_all")["items"]).splitlines()) == 1
    assert agent.press("staff_my_queue", view="unassigned") == ["utter_queue_of_all"]
