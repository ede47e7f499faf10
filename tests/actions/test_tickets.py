"""What customers do with what is registered, turn by turn: which one, with what, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.misunderstood import COMPLAINT_FORM
from crm_store.activity import Activity
from crm_store.base import utcnow
from crm_store.complaints.models import APPEALED, WITHDRAWN, Complaint
from crm_store.persian import new_tracking_code, to_persian_digits
from crm_store.settings import Settings
from tests.actions.conftest import Chat
from tests.actions.ticket_chat import LEFT, TICKET_BUSINESS, TicketChat
from tests.factories.handoff import an_agent

ONE_MORE: dict[str, Any] = {"intent": "complaint_add_note"}
WITHDRAW: dict[str, Any] = {"intent": "complaint_withdraw"}
APPEAL: dict[str, Any] = {"intent": "complaint_appeal"}
CANCEL: dict[str, Any] = {"intent": "service_cancel"}
MOVE: dict[str, Any] = {"intent": "service_reschedule"}
REASON = "پولم هنوز برنگشته و کسی هم تماس نگرفت"


@pytest.fixture
def tickets(chat: Chat, settings: Settings) -> TicketChat:
    Path(settings.business_path).write_text(TICKET_BUSINESS, encoding="utf-8")
    return TicketChat(chat)


@pytest.fixture
def three(tickets: TicketChat) -> dict[str, str]:
    """Codes of three open complaints by category; the list shows payment, product, delivery."""
    return {category: tickets.complaint(category) for category in ("delivery", "product", "payment")}


def events(tickets: TicketChat, kind: str) -> int:
    """How often something happened."""
    with tickets.chat.database.read() as session:
        counted = select(func.count()).select_from(Activity).where(Activity.kind == kind)
        return session.scalar(counted) or 0


# Adding to a complaint


def test_what_the_first_message_brings_is_added_to_the_only_open_complaint(tickets: TicketChat) -> None:
    code = tickets.complaint()
    assert tickets.say("این عکس رو به شکایتم اضافه کنید", files=2, **ONE_MORE) == ["utter_note_added"]
    assert tickets.notes() == [(code, "", 2)]
    assert tickets.told("utter_note_added")["code"] == f"\u2068{to_persian_digits(code)}\u2069"


def test_words_that_tell_something_are_the_note_and_need_no_question(tickets: TicketChat) -> None:
    code = tickets.complaint()
    text = "به شکایتم اضافه کنید پیک هم گوشی رو جواب نداد"
    assert tickets.say(text, **ONE_MORE) == ["utter_note_added"]
    assert tickets.notes() == [(code, text, 0)]


def test_a_photo_that_is_announced_is_waited_for(tickets: TicketChat) -> None:
    code = tickets.complaint()
    assert tickets.say("یه عکس دیگه هم دارم", **ONE_MORE) == ["utter_ask_note"]
    assert tickets.send(files=1) == ["utter_note_added"]
    assert tickets.notes() == [(code, "", 1)]


def test_a_photo_with_a_caption_is_added_with_it(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.say("یه عکس دیگه هم دارم", **ONE_MORE)
    assert tickets.say("پشت جعبه پاره بود", files=1) == ["utter_note_added"]
    assert tickets.notes() == [(code, "پشت جعبه پاره بود", 1)]


def test_i_am_about_to_send_it_is_nothing_to_add(tickets: TicketChat) -> None:
    tickets.complaint()
    tickets.say("یه عکس دیگه هم دارم", **ONE_MORE)
    assert tickets.say("الان می‌فرستم", **ONE_MORE) == ["utter_ask_note"]
    assert tickets.say("بله", intent="affirm") == ["utter_form_go_ahead", "utter_ask_note"]
    assert tickets.notes() == []


@pytest.mark.parametrize(
    ("answer", "category"),
    [
        ("دومی", "product"),
        ("شماره ۲", "product"),
        ("۳", "delivery"),
        ("اولی لطفا", "payment"),
        ("آخری", "delivery"),
        ("همون که مال تحویل بود", "delivery"),
        ("پرداخت", "payment"),
        ("آخرین شکایتم", "payment"),
    ],
)
def test_one_of_three_is_chosen_by_its_place_or_by_what_it_is_about(
    tickets: TicketChat, three: dict[str, str], answer: str, category: str
) -> None:
    assert tickets.say("یه عکس دیگه هم دارم", **ONE_MORE) == ["utter_which_complaint_for_note"]
    assert tickets.choices() == list(reversed(three.values()))
    assert tickets.say(answer) == ["utter_ask_note"]
    tickets.send(files=1)
    assert tickets.notes() == [(three[category], "", 1)]


def test_one_of_three_is_chosen_by_button_or_by_code(tickets: TicketChat, three: dict[str, str]) -> None:
    tickets.say("یه عکس دیگه هم دارم", **ONE_MORE)
    assert tickets.press("choose_ticket", ticket=three["product"]) == ["utter_ask_note"]
    tickets.send(files=1)
    tickets.say("یه توضیح هم دارم", **ONE_MORE)
    assert tickets.say(f"کد {to_persian_digits(three['delivery'])}") == ["utter_ask_note"]
    tickets.say("ساعت ده شب بود")
    assert tickets.notes() == [(three["product"], "", 1), (three["delivery"], "ساعت ده شب بود", 0)]


def test_the_code_in_the_first_message_leaves_nothing_to_choose(
    tickets: TicketChat, three: dict[str, str]
) -> None:
    text = f"این عکس مال شکایت {three['product']} هست"
    assert tickets.say(text, files=1, **ONE_MORE) == ["utter_note_added"]
    assert [code for code, _, _ in tickets.notes()] == [three["product"]]


def test_a_photo_that_came_first_waits_for_the_choice(tickets: TicketChat, three: dict[str, str]) -> None:
    assert tickets.say("اینم به شکایتم اضافه کنید", files=1, **ONE_MORE) == ["utter_which_complaint_for_note"]
    assert tickets.say("دومی") == ["utter_note_added"]
    assert tickets.notes() == [(three["product"], "", 1)]


def test_one_of_my_complaints_is_not_the_first_one(tickets: TicketChat, three: dict[str, str]) -> None:
    asked = tickets.say("به یکی از شکایت‌هام می‌خوام عکس اضافه کنم", **ONE_MORE)
    assert asked == ["utter_which_complaint_for_note"]


def test_a_note_on_a_decided_complaint_asks_if_it_is_solved_and_a_file_may_still_follow(
    tickets: TicketChat,
) -> None:
    code = tickets.complaint(decided=True)
    said = ["utter_note_added", "utter_complaint_decided"]
    assert tickets.say("پشت جعبه پاره بود", files=1, **ONE_MORE) == said
    assert tickets.told("utter_complaint_decided")["ticket"] == code
    assert tickets.send(files=1) == said
    assert [noted for noted, _, _ in tickets.notes()] == [code] * 2


def test_what_follows_at_once_goes_to_the_same_complaint(tickets: TicketChat, three: dict[str, str]) -> None:
    tickets.say("یه عکس دیگه هم دارم", **ONE_MORE)
    tickets.say("دومی")
    tickets.send(files=1)
    assert tickets.send(files=1) == ["utter_note_added"]
    assert tickets.say("این هم یکی دیگه", files=1, **ONE_MORE) == ["utter_note_added"]
    assert [code for code, _, _ in tickets.notes()] == [three["product"]] * 3


def test_something_is_added_to_a_service_request_that_is_the_only_ticket(tickets: TicketChat) -> None:
    code = tickets.visit()
    assert tickets.say("یه توضیح برای درخواستم دارم", **ONE_MORE) == ["utter_ask_note"]
    said = tickets.say("زنگ خرابه، در بزنید")
    assert said == tickets.repeat() == ["utter_note_added"]
    assert tickets.send(files=1) == ["utter_note_added"]
    assert tickets.notes() == [(code, "زنگ خرابه، در بزنید", 0), (code, "", 1)]


def test_the_button_below_a_visit_that_was_not_done_takes_a_fuller_address(
    tickets: TicketChat, three: dict[str, str]
) -> None:
    code = tickets.visit(state="not_done")
    assert tickets.press("complaint_add_note", ticket=code) == ["utter_ask_note"]
    assert tickets.say("خیابان زند، کوچهٔ ۱۲، پلاک ۴، واحد ۲") == ["utter_note_added"]
    assert [noted for noted, _, _ in tickets.notes()] == [code]


def test_complaints_come_before_service_requests_and_the_word_tells_them_apart(tickets: TicketChat) -> None:
    visit, complaint = tickets.visit(), tickets.complaint()
    newer = tickets.visit(kind="installation")
    assert tickets.say("یه عکس دیگه هم دارم", **ONE_MORE) == ["utter_which_complaint_for_note"]
    assert tickets.choices() == [complaint, newer, visit]
    assert tickets.say("دومی") == ["utter_ask_note"]
    tickets.send(files=1)
    assert tickets.say("یه عکس هم برای شکایتم دارم", **ONE_MORE) == ["utter_ask_note"]
    tickets.send(files=1)
    assert tickets.send(files=1) == ["utter_note_added"]
    assert [code for code, _, _ in tickets.notes()] == [newer, complaint, complaint]


def test_nothing_is_added_to_a_request_that_is_over(tickets: TicketChat) -> None:
    code = tickets.visit(state="done")
    assert tickets.say(f"برای کد {code} عکس دارم", **ONE_MORE) == ["utter_cannot_add"]
    assert tickets.say("یه عکس دیگه هم دارم", **ONE_MORE) == ["utter_no_complaint_for_note"]


def test_whoever_has_no_open_complaint_is_offered_to_file_one(tickets: TicketChat) -> None:
    assert tickets.say("یه عکس دیگه هم دارم", **ONE_MORE) == ["utter_no_complaint_for_note"]


@pytest.mark.parametrize(
    ("fields", "other"),
    [
        (ONE_MORE, "complaint"),
        (WITHDRAW, "complaint"),
        (APPEAL, "complaint"),
        (CANCEL, "visit"),
        (MOVE, "visit"),
    ],
)
def test_somebody_elses_code_looks_like_one_that_does_not_exist(
    tickets: TicketChat, stranger: Chat, fields: dict[str, Any], other: str
) -> None:
    tickets.complaint(decided=True)
    tickets.visit()
    theirs = TicketChat(stranger)
    foreign = theirs.complaint(decided=True) if other == "complaint" else theirs.visit()
    for code in (foreign, new_tracking_code()):
        assert tickets.say(f"برای کد {code}", **fields) == ["utter_ticket_not_found"]
    assert tickets.chat.form is None


def test_who_takes_back_a_complaint_is_offered_a_call_where_a_rule_would_have_called_a_person(
    tickets: TicketChat, settings: Settings
) -> None:
    rule = '\n[[handoff.rules]]\nintents = ["complaint_withdraw"]\n'
    Path(settings.business_path).write_text(TICKET_BUSINESS + rule, encoding="utf-8")
    with tickets.chat.database.write() as session:
        an_agent(session, presence="offline")
    tickets.complaint()
    tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW)
    said = tickets.say("بله", intent="affirm")
    assert said[0] == "utter_complaint_withdrawn"
    assert said[1:] in (["utter_call_instead"], ["utter_handoff_closed"])  # within the hours, or not


def test_somebody_elses_code_is_no_choice_either(
    tickets: TicketChat, three: dict[str, str], stranger: Chat
) -> None:
    foreign = TicketChat(stranger).complaint()
    tickets.say("یه عکس دیگه هم دارم", **ONE_MORE)
    again = ["utter_ticket_not_found", "utter_which_complaint_for_note"]
    assert tickets.say(foreign) == again
    assert tickets.press("choose_ticket", ticket=foreign) == [LEFT, "utter_which_complaint_for_note"]
    assert tickets.say(f"کد {three['payment']}") == ["utter_ask_note"]


def test_while_a_complaint_is_told_one_more_photo_belongs_to_that(tickets: TicketChat) -> None:
    tickets.complaint()
    tickets.chat.form = COMPLAINT_FORM
    assert tickets.say("یه عکس دیگه هم دارم", **ONE_MORE) == ["utter_form_go_ahead"]
    assert tickets.notes() == []


@pytest.mark.parametrize("fields", [WITHDRAW, APPEAL, CANCEL, MOVE])
def test_anything_else_waits_until_what_is_being_told_is_told(
    tickets: TicketChat, fields: dict[str, Any]
) -> None:
    tickets.complaint()
    tickets.visit()
    tickets.chat.form = COMPLAINT_FORM
    assert tickets.say("اون یکی رو هم", **fields) == ["utter_task_waits"]
    assert tickets.chat.form == COMPLAINT_FORM


# Taking a complaint back


def test_a_complaint_is_taken_back_after_a_yes(tickets: TicketChat) -> None:
    code = tickets.complaint()
    assert tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW) == ["utter_ask_withdraw"]
    assert tickets.read_complaint(code).state == "received"
    assert tickets.say("بله", intent="affirm") == ["utter_complaint_withdrawn"]
    assert tickets.read_complaint(code).state == "withdrawn"
    assert tickets.chat.form is None


@pytest.mark.parametrize("how", ["button", "words"])
def test_yes_comes_as_a_button_or_in_its_words(tickets: TicketChat, how: str) -> None:
    code = tickets.complaint()
    tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW)
    said = tickets.press("affirm") if how == "button" else tickets.say("بله، پس می‌گیرم", **WITHDRAW)
    assert said == ["utter_complaint_withdrawn"]
    assert tickets.read_complaint(code).state == "withdrawn"


@pytest.mark.parametrize(
    ("text", "intent"), [("نه", "deny"), ("لغو", "cancel"), ("نه نمی‌خواد بمونه", "deny")]
)
def test_without_a_yes_the_complaint_stays(tickets: TicketChat, text: str, intent: str) -> None:
    code = tickets.complaint()
    tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW)
    assert tickets.say(text, intent=intent) == ["utter_task_dropped"]
    assert tickets.read_complaint(code).state == "received"
    assert tickets.chat.form is None


def test_a_no_that_sounds_like_taking_it_back_is_asked_again(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW)
    assert tickets.say("پسش نمی‌گیرم", **WITHDRAW) == ["utter_ask_withdraw"]
    assert tickets.read_complaint(code).state == "received"


def test_a_yes_to_something_that_was_asked_since_takes_nothing_back(tickets: TicketChat) -> None:
    code = tickets.complaint()
    tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW)
    tickets.chat.ran_before("utter_offer_callback")
    tickets.say("بله", intent="affirm")
    assert tickets.read_complaint(code).state == "received"


def test_which_of_three_is_asked_before_the_yes(tickets: TicketChat, three: dict[str, str]) -> None:
    assert tickets.say("می‌خوام شکایتم رو پس بگیرم", **WITHDRAW) == ["utter_which_complaint_to_withdraw"]
    assert tickets.say("دومی") == ["utter_ask_withdraw"]
    tickets.press("affirm")
    states = {category: tickets.read_complaint(code).state for category, code in three.items()}
    assert states == {"delivery": "received", "product": "withdrawn", "payment": "received"}


def test_a_decided_complaint_is_not_taken_back(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    assert tickets.say(f"شکایت {code} رو پس می‌گیرم", **WITHDRAW) == ["utter_cannot_withdraw"]
    assert tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW) == ["utter_no_complaint_to_withdraw"]


def test_a_complaint_that_is_to_be_cancelled_is_taken_back_and_a_visit_the_other_way_round(
    tickets: TicketChat,
) -> None:
    complaint, visit = tickets.complaint(), tickets.visit()
    assert tickets.say(f"{complaint} رو لغو کنید", **CANCEL) == ["utter_ask_withdraw"]
    tickets.press("cancel")
    assert tickets.say(f"{visit} رو پس می‌گیرم", **WITHDRAW) == ["utter_ask_cancel_reason"]


# Appeals


def test_an_appeal_with_its_reason_needs_no_question(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    text = f"به نتیجه اعتراض دارم، {REASON}"
    assert tickets.say(text, **APPEAL) == ["utter_appeal_noted"]
    assert tickets.read_complaint(code).state == "appealed"


def test_the_reason_of_an_appeal_is_asked(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    assert tickets.say("اعتراض دارم", **APPEAL) == ["utter_ask_appeal_reason"]
    assert tickets.say("چرا باید دلیل بدم؟", intent="explain") == [
        "utter_explain_appeal",
        "utter_ask_appeal_reason",
    ]
    assert tickets.say(REASON, intent="complaint_file") == ["utter_appeal_noted"]
    assert tickets.read_complaint(code).state == "appealed"


def test_the_button_below_a_decision_names_the_complaint(tickets: TicketChat) -> None:
    first, second = tickets.complaint(decided=True), tickets.complaint(decided=True)
    assert tickets.press("complaint_appeal", ticket=first) == ["utter_ask_appeal_reason"]
    tickets.say(REASON)
    assert [tickets.read_complaint(code).state for code in (first, second)] == ["appealed", "resolved"]


def test_a_photo_of_an_appeal_is_kept_with_the_complaint(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    tickets.say("اعتراض دارم", files=1, **APPEAL)
    assert tickets.send(files=1) == ["utter_ask_appeal_reason"]
    assert tickets.say(REASON) == ["utter_appeal_noted"]
    assert tickets.notes() == [(code, "", 2)]


@pytest.mark.parametrize("answer", ["نه", "نه نمی‌خوام ممنون"])
def test_no_is_no_reason_for_an_appeal(tickets: TicketChat, answer: str) -> None:
    code = tickets.complaint(decided=True)
    tickets.say("اعتراض دارم", **APPEAL)
    assert tickets.say(answer, intent="deny") == ["utter_task_dropped"]
    assert tickets.read_complaint(code).state == "resolved"


def test_a_second_appeal_is_declined_and_a_call_is_offered(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    tickets.say(f"اعتراض دارم، {REASON}", **APPEAL)
    assert tickets.say("بازم اعتراض دارم", **APPEAL) == ["utter_appealed_already"]
    assert tickets.say(f"اعتراض به {code}", **APPEAL) == ["utter_appealed_already"]
    tickets.say("نه", intent="deny")
    assert tickets.said == ["utter_callback_declined"]


def test_an_appeal_comes_too_late_after_a_month(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True, ago=utcnow() - timedelta(days=40))
    assert tickets.say(f"به {code} اعتراض دارم", **APPEAL) == ["utter_cannot_appeal"]
    assert tickets.say("اعتراض دارم", **APPEAL) == ["utter_no_complaint_to_appeal"]


def test_an_appeal_that_becomes_too_late_while_its_reason_is_asked_is_told_so(tickets: TicketChat) -> None:
    code = tickets.complaint(decided=True)
    tickets.say("اعتراض دارم", **APPEAL)

    def grow_old(session: Session) -> None:
        complaint = session.scalars(select(Complaint).where(Complaint.code == code)).one()
        complaint.resolved_at = utcnow() - timedelta(days=31)

    tickets.write(grow_old)
    assert tickets.say(REASON) == ["utter_cannot_appeal"]
    assert tickets.chat.form is None


# The same turn again


def test_a_note_that_comes_twice_is_kept_once(tickets: TicketChat) -> None:
    tickets.complaint()
    said = tickets.say("این عکس رو به شکایتم اضافه کنید", files=1, **ONE_MORE)
    assert tickets.repeat() == said
    assert len(tickets.notes()) == 1


def test_a_withdrawal_that_comes_twice_is_one_and_is_answered_alike(tickets: TicketChat) -> None:
    tickets.complaint()
    tickets.say("شکایتم رو پس می‌گیرم", **WITHDRAW)
    assert tickets.repeat() == ["utter_ask_withdraw"]
    assert tickets.say("بله", intent="affirm") == tickets.repeat() == ["utter_complaint_withdrawn"]
    assert events(tickets, f"complaint.{WITHDRAWN}") == 1


def test_an_appeal_that_comes_twice_is_one_and_is_answered_alike(tickets: TicketChat) -> None:
    tickets.complaint(decided=True)
    said = tickets.say(f"اعتراض دارم، {REASON}", files=1, **APPEAL)
    assert tickets.repeat() == said == ["utter_appeal_noted"]
    assert events(tickets, f"complaint.{APPEALED}") == 1
    assert len(tickets.notes()) == 1
