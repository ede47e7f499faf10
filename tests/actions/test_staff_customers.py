"""Finding customers, their card, history and notes in chat: who looks, why, and what they may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.persian import rich
from crm_store.settings import Settings
from crm_store.staff.models import StaffFocus, StaffNote
from tests.actions.conftest import Chat
from tests.actions.service_chat import at, in_days
from tests.actions.staff_chat import StaffChat, call_them, open_business
from tests.actions.ticket_chat import TicketChat

ASKS_REASON = """
[staff]
asks_reason = true
full_phone_roles = ["supervisor", "admin"]
"""
MARYAM, OTHER = "+989121234567", "+989351112233"


@pytest.fixture
def agent(chat: Chat, stranger: Chat, settings: Settings) -> StaffChat:
    open_business(settings)
    call_them(stranger, "مریم صادقی", MARYAM)
    return StaffChat(chat, "agent")


@pytest.fixture
def careful(chat: Chat, stranger: Chat, settings: Settings) -> StaffChat:
    """An agent of a business that asks for reasons and masks phones."""
    open_business(settings, ASKS_REASON)
    call_them(stranger, "مریم صادقی", MARYAM)
    return StaffChat(chat, "agent")


def plain(agent: StaffChat, response: str = "utter_staff_card") -> str:
    text: str = rich.to_plain(str(agent.told(response)["lines"]))
    return text.replace("\u2068", "").replace("\u2069", "")


def notes(agent: StaffChat) -> list[StaffNote]:
    return list(agent.read(lambda session: session.scalars(select(StaffNote).order_by(StaffNote.id)).all()))


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("مشتری ۰۹۱۲۱۲۳۴۵۶۷ رو بیار", {"phone_number": [MARYAM]}),
        ("مریم صادقی رو پیدا کن", {"person_name": ["مریم صادقی"]}),
        ("مشتری مریم صدقی کیه", {}),
        ("صادقی رو بیار", {}),
    ],
)
def test_somebody_is_found_by_phone_or_name_and_the_card_is_shown(
    agent: StaffChat, text: str, entities: dict[str, Any]
) -> None:
    said = agent.say(text, "staff_find_customer", entities=entities)
    assert said == agent.repeat() == ["utter_staff_card"]
    assert "مریم صادقی" in plain(agent)
    assert "۰۹۱۲ ۱۲۳ ۴۵۶۷" in plain(agent)
    intents = {intent for intent, _ in agent.buttons()}
    assert {"staff_history", "staff_add_note", "staff_register", "staff_take_over"} <= intents


def test_somebody_is_found_by_a_tickets_code(agent: StaffChat, stranger: Chat) -> None:
    code = TicketChat(stranger).complaint()
    found = agent.say(f"صاحب تیکت {code} کیه", "staff_find_customer", entities={"ticket_code": [code]})
    assert found == ["utter_staff_card"]
    assert agent.tap("staff_ticket", ticket=code) == ["utter_staff_ticket"]


def test_of_several_one_is_chosen(agent: StaffChat) -> None:
    other = Chat(agent.chat.database)
    second = call_them(other, "زهرا صادقی", OTHER)
    assert agent.say("صادقی رو بیار", "staff_find_customer") == ["utter_staff_which_customer"]
    titles = [one["title"] for one in agent.chat.buttons]
    assert len(titles) == 2
    assert agent.tap("staff_open", customer=str(second)) == ["utter_staff_card"]
    assert "زهرا صادقی" in plain(agent)
    assert agent.mind().customer_id == second


def test_whom_nobody_knows_can_be_registered(agent: StaffChat) -> None:
    said = agent.say("بهروز قلی‌زاده رو بیار", "staff_find_customer")
    assert said == ["utter_staff_nobody_found"]
    assert ("staff_register", {}) in agent.buttons()


def test_whom_to_find_is_asked_for(agent: StaffChat) -> None:
    assert agent.say("یه مشتری رو پیدا کن", "staff_find_customer") == ["utter_staff_ask_whom"]
    assert agent.answer("صادقی") == ["utter_staff_card"]


def test_every_look_is_written_down(agent: StaffChat, stranger: Chat) -> None:
    agent.say("مریم صادقی رو پیدا کن", "staff_find_customer")
    agent.tap("staff_history")
    customer = str(agent.mind().customer_id)
    viewed = agent.audited("customer.viewed")
    assert [(one.actor, one.target_id, one.detail["for"]) for one in viewed] == [
        (f"staff:{agent.id}", customer, "staff_open"),
        (f"staff:{agent.id}", customer, "staff_history"),
    ]
    (searched,) = agent.audited("customer.searched")
    assert searched.detail == {"customers": [int(customer)]}


def test_a_list_of_several_is_a_look_at_all_of_them(agent: StaffChat) -> None:
    second = call_them(Chat(agent.chat.database), "زهرا صادقی", OTHER)
    names = {"person_name": ["صادقی"]}
    assert agent.say("سابقه صادقی", "staff_history", entities=names) == ["utter_staff_which_customer"]
    (searched,) = agent.audited("customer.searched")
    assert second in searched.detail["customers"]
    assert len(searched.detail["customers"]) == 2


def test_every_answer_of_a_task_is_a_look_at_its_customer(agent: StaffChat, stranger: Chat) -> None:
    customer = agent.turn_to(stranger)
    agent.say("یادداشت بذار", "staff_add_note")
    agent.answer("عصرها زنگ بزنیم")
    asked, told = agent.audited("customer.viewed")
    assert {asked.target_id, told.target_id} == {str(customer)}
    assert told.detail["for"] == "note"
    assert told.detail["since"] < agent.chat.inbox_id


def test_numbers_within_words_are_masked_too(careful: StaffChat, stranger: Chat) -> None:
    careful.say("مریم صادقی رو پیدا کن", "staff_find_customer")
    careful.choose("case")
    careful.say("یادداشت بذار: شماره همسرش ۰۹۳۵۱۱۱۲۲۳۳ است", "staff_add_note")
    careful.say("یادداشت‌هاش", "staff_history")
    assert "•••" in plain(careful, "utter_staff_notes")
    assert "۱۱۱۲۲۳۳" not in plain(careful, "utter_staff_notes")


def test_a_reason_is_asked_for_first_and_written_down(careful: StaffChat) -> None:
    assert careful.say("مریم صادقی رو پیدا کن", "staff_find_customer") == ["utter_staff_ask_reason"]
    assert careful.audited("customer.searched") == []
    assert careful.answer("سلام، مشتری پشت خط است") == ["utter_staff_card"]
    assert careful.audited("customer.viewed")[0].detail["reason"] == "سلام، مشتری پشت خط است"
    assert careful.tap("staff_history") == ["utter_staff_history"]
    assert careful.say("زهرا رو بیار", "staff_find_customer") == ["utter_staff_ask_reason"]
    assert careful.choose("call") == ["utter_staff_nobody_found"]


def test_a_reason_covers_only_whom_it_was_given_for(careful: StaffChat) -> None:
    careful.say("مریم صادقی رو پیدا کن", "staff_find_customer")
    careful.choose("case")
    second = call_them(Chat(careful.chat.database), "زهرا کریمی", OTHER)
    assert careful.press("staff_open", customer=str(second)) == ["utter_staff_ask_reason"]
    assert careful.choose("check") == ["utter_staff_card"]
    assert "زهرا کریمی" in plain(careful)


def test_a_reason_for_what_was_left_meanwhile_holds_for_nobody(careful: StaffChat) -> None:
    careful.say("مریم صادقی رو پیدا کن", "staff_find_customer")
    ((_, values), *_rest) = careful.buttons()
    careful.say("کارهای باز من", "staff_my_queue")
    assert careful.press("staff_answer", **values) == ["utter_staff_step_over"]
    assert careful.say("مریم صادقی رو پیدا کن", "staff_find_customer") == ["utter_staff_ask_reason"]
    assert careful.audited("customer.viewed") == []


def test_a_reason_comes_before_a_list_of_names(careful: StaffChat) -> None:
    second = call_them(Chat(careful.chat.database), "زهرا صادقی", OTHER)
    names = {"person_name": ["صادقی"]}
    assert careful.say("سابقه صادقی", "staff_history", entities=names) == ["utter_staff_ask_reason"]
    assert careful.choose("case") == ["utter_staff_which_customer"]
    assert careful.tap("staff_open", customer=str(second)) == ["utter_staff_history"]
    assert careful.audited("customer.viewed")[0].detail["reason"] == "پیگیری پرونده"


def test_phones_are_masked_by_role(careful: StaffChat) -> None:
    careful.say("مریم صادقی رو پیدا کن", "staff_find_customer")
    careful.choose("case")
    assert "۴۵۶۷" in plain(careful)
    assert "•••" in plain(careful)
    assert "۱۲۳ ۴۵۶۷" not in plain(careful)


def test_who_was_in_mind_is_forgotten_after_a_while(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)

    def age(session: Any) -> None:
        session.get_one(StaffFocus, agent.chat.conversation.id).updated_at = utcnow() - timedelta(hours=5)

    agent.write(age)
    assert agent.say("سابقه‌ش", "staff_history") == ["utter_staff_ask_whom"]


def test_the_history_goes_back_page_by_page_and_by_kind(agent: StaffChat, stranger: Chat) -> None:
    talk = TicketChat(stranger)
    for _ in range(9):
        talk.complaint()
    talk.visit(starts_at=at(in_days(2), 9))
    agent.turn_to(stranger)
    assert agent.say("سابقه‌ش رو ببینم", "staff_history") == ["utter_staff_history"]
    assert len(plain(agent, "utter_staff_history").splitlines()) == 8
    assert agent.tap("staff_history", before=before_of(agent)) == ["utter_staff_history_page"]
    agent.say("سابقه شکایت‌هاش", "staff_history")
    assert {one.split(":")[-1].split("(")[0].strip()[:4] for one in lines(agent)} == {"شکای"}
    assert agent.press("staff_history", kind="purchases") == ["utter_staff_history_empty"]
    long_ago = {"from": "2020-01-01", "to": "2020-02-01"}
    said = agent.say("سابقه‌ش تو اون ماه", "staff_history", entities={"period": [long_ago]})
    assert said == ["utter_staff_history_empty"]


def test_all_notes_can_be_read_page_by_page_or_of_a_period(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    for number in range(9):
        agent.say(f"یادداشت بذار: شمارهٔ {number}", "staff_add_note")
    assert agent.tap("staff_pin_note", value="pin") == ["utter_staff_note_pinned"]
    assert agent.say("یادداشت‌هاش رو ببینم", "staff_add_note") == ["utter_staff_notes"]
    first = plain(agent, "utter_staff_notes")
    assert agent.tap("staff_history", kind="notes", before=before_of(agent)) == ["utter_staff_notes"]
    second = plain(agent, "utter_staff_notes")
    assert [number for number in range(9) if f"شمارهٔ {number}" in first] == list(range(1, 9))
    assert [number for number in range(9) if f"شمارهٔ {number}" in second] == [0]
    long_ago = {"from": "2020-01-01", "to": "2020-02-01"}
    said = agent.say("یادداشت‌هاش تو اون ماه", "staff_history", entities={"period": [long_ago]})
    assert said == ["utter_staff_history_empty"]


def before_of(agent: StaffChat) -> str:
    return next(values["before"] for _, values in agent.buttons() if "before" in values)


def lines(agent: StaffChat) -> list[str]:
    return plain(agent, "utter_staff_history").splitlines()


def test_a_customer_named_in_the_request_is_meant(agent: StaffChat) -> None:
    names = {"person_name": ["صادقی"]}
    said = agent.say("سابقه خانم صادقی", "staff_history", entities=names)
    assert said == ["utter_staff_history"]
    assert agent.mind().customer_id is not None


def test_a_request_goes_on_with_whoever_is_chosen(agent: StaffChat) -> None:
    second = call_them(Chat(agent.chat.database), "زهرا صادقی", OTHER)
    names = {"person_name": ["صادقی"]}
    text = "رو پرونده صادقی یادداشت بذار: فقط عصرها زنگ بزنیم"
    assert agent.say(text, "staff_add_note", entities=names) == ["utter_staff_which_customer"]
    assert agent.tap("staff_open", customer=str(second)) == ["utter_staff_note_added"]
    assert [(one.customer_id, one.text) for one in notes(agent)] == [(second, "فقط عصرها زنگ بزنیم")]


@pytest.mark.parametrize(
    "text", ["یادداشت بذار: فقط عصرها زنگ بزنیم", "یه یادداشت بذار براش فقط عصرها زنگ بزنیم"]
)
def test_a_note_is_kept_once_with_the_words_that_were_said(
    agent: StaffChat, stranger: Chat, text: str
) -> None:
    agent.turn_to(stranger)
    assert agent.say(text, "staff_add_note") == agent.repeat() == ["utter_staff_note_added"]
    assert [(one.text, one.is_pinned, one.staff_id) for one in notes(agent)] == [
        ("فقط عصرها زنگ بزنیم", False, agent.id)
    ]


def test_of_whom_a_note_tells_is_not_whom_it_is_about(agent: StaffChat, stranger: Chat) -> None:
    call_them(Chat(agent.chat.database), "زهرا کریمی", OTHER)
    customer = agent.turn_to(stranger)
    text = "یادداشت بذار: شمارهٔ دومش ۰۹۳۵۱۱۱۲۲۳۳ است، با زهرا کریمی هماهنگ شود"
    found = {
        "phone_number": [(OTHER, "۰۹۳۵۱۱۱۲۲۳۳")],
        "person_name": [("زهرا کریمی", "زهرا کریمی")],
    }
    assert agent.say(text, "staff_add_note", entities=found) == ["utter_staff_note_added"]
    assert [one.customer_id for one in notes(agent)] == [customer]


def test_without_a_colon_it_is_asked_whether_the_note_is_for_who_is_named_in_it(
    agent: StaffChat, stranger: Chat
) -> None:
    other = call_them(Chat(agent.chat.database), "زهرا کریمی", OTHER)
    customer = agent.turn_to(stranger)
    text = "یادداشت بذار براش که خواهرش خانم کریمی زنگ می‌زنه"
    names = {"person_name": [("کریمی", "کریمی")]}
    for chosen in (customer, other):
        agent.turn_to(stranger)
        assert agent.say(text, "staff_add_note", entities=names) == ["utter_staff_which_for_note"]
        assert agent.tap("staff_open", customer=str(chosen)) == ["utter_staff_note_added"]
    assert [one.customer_id for one in notes(agent)] == [customer, other]
    assert "خواهرش خانم کریمی" in notes(agent)[0].text


def test_who_is_named_before_the_colon_is_whom_a_note_is_for(agent: StaffChat, stranger: Chat) -> None:
    other = call_them(Chat(agent.chat.database), "زهرا کریمی", OTHER)
    agent.turn_to(stranger)
    names = {"person_name": [("کریمی", "کریمی")]}
    said = agent.say("یادداشت برای خانم کریمی: عصرها زنگ بزنیم", "staff_add_note", entities=names)
    assert said == ["utter_staff_note_added"]
    assert [one.customer_id for one in notes(agent)] == [other]


def test_a_notes_words_are_asked_for_and_taken_as_they_are(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    assert agent.say("یادداشت بذار براش", "staff_add_note") == ["utter_staff_ask_note"]
    assert agent.answer("سلام! گزارش این ماه را خواسته") == ["utter_staff_note_added"]
    assert notes(agent)[0].text == "سلام! گزارش این ماه را خواسته"
    assert agent.tap("staff_pin_note", value="pin") == ["utter_staff_note_pinned"]
    assert notes(agent)[0].is_pinned
    assert agent.say("یادداشت‌هاش رو ببینم", "staff_add_note") == ["utter_staff_notes"]
    assert agent.tap("staff_pin_note", value="unpin") == ["utter_staff_note_unpinned"]


def test_ones_own_note_is_deleted_and_nobody_elses(agent: StaffChat, stranger: Chat) -> None:
    agent.turn_to(stranger)
    agent.say("یادداشت بذار: اشتباه نوشتم", "staff_add_note")
    note = notes(agent)[0].id
    other = StaffChat(Chat(agent.chat.database), "agent", "سینا")
    assert other.press("staff_pin_note", note=str(note), value="delete") == ["utter_staff_not_allowed"]
    assert agent.press("staff_pin_note", note=str(note), value="delete") == ["utter_staff_note_deleted"]
    assert agent.press("staff_pin_note", note=str(note), value="pin") == ["utter_staff_note_gone"]


def test_a_technician_notes_on_their_own_visit(chat: Chat, stranger: Chat, settings: Settings) -> None:
    open_business(settings)
    technician, talk = StaffChat(chat, "technician"), TicketChat(stranger)
    talk.visit(starts_at=at(in_days(0), 9), technician=technician.id)
    said = technician.say("یادداشت بذار: زنگ در خراب است", "staff_add_note")
    assert said == technician.repeat() == ["utter_staff_visit_note_added"]
    assert [(text, files) for _, text, files in talk.notes("internal")] == [("زنگ در خراب است", 0)]
    assert notes(technician) == []


def test_a_report_of_ones_own_work_and_of_everybodys(agent: StaffChat, stranger: Chat) -> None:
    TicketChat(stranger).complaint()
    assert agent.say("گزارش این ماه", "staff_report") == ["utter_staff_report"]
    assert "نگار کاظمی" in agent.told("utter_staff_report")["title"]
    assert agent.chat.said[0][1]["custom"]["picture"]["kind"] == "report"
    assert agent.press("staff_report", view="all") == ["utter_staff_report"]
    assert "نگار کاظمی" in agent.told("utter_staff_report")["title"]
    boss = StaffChat(Chat(agent.chat.database), "supervisor", "سارا")
    assert boss.say("گزارش این ماه", "staff_report") == ["utter_staff_report"]
    assert "۱ تازه" in plain(boss, "utter_staff_report")
    assert boss.say("گزارش کار نگار کاظمی", "staff_report") == ["utter_staff_report"]
    assert "نگار کاظمی" in boss.told("utter_staff_report")["title"]
