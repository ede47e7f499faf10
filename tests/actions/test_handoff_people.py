"""A person is called where one is needed and there; who waits knows how long; what was agreed is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action
from sqlalchemy import select

from actions import base
from actions.complaint_form import ValidateComplaintForm
from actions.complaint_questions import ActionAskOrderNumber
from actions.complaints import ActionFileComplaint
from actions.faq import ActionFaq
from actions.handoff import ActionOfferCallback, ActionRequestCallback
from actions.handoff_after import ActionLeaveHandoff, ActionResumeHandoff
from actions.misunderstood import ActionFallback, ActionOutOfScope
from actions.privacy import ActionAskErasure, ActionConfirmErasure, ActionMarketingOptOut
from actions.service_form import ValidateServiceForm
from actions.service_requests import ActionRequestService
from actions.shared import ActionAffirm, ActionCancelForm, ActionDeny, ActionHelp, ActionReceiveMedia
from actions.status import ActionComplaintStatus
from actions.turn import CALLBACK_OFFERS
from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.handoff import claiming
from crm_store.handoff.models import LEFT, WAITING, CallbackRequest, Handoff
from crm_store.outbox import OutboxItem
from crm_store.persian import rich
from crm_store.staff.models import StaffMember
from tests.actions.conftest import Chat
from tests.factories.handoff import an_agent, desk_words

ALWAYS_OPEN = """
name = "فروشگاه سپیدار"

[[complaints.categories]]
key = "delivery"
title = "ارسال"
ask = ["order_number", "remedy"]

[[complaints.categories]]
key = "other"
title = "موضوع دیگر"

[[sla.policies]]
name = "شکایت"
kinds = ["complaint"]
first_response = 120

[[service.kinds]]
key = "repair"
title = "تعمیر"
ask = ["problem", "address", "phone"]
is_booked = false

[handoff]
vip_tiers = ["طلایی"]
teams = ["فنی"]
"""
CLOSED_NOW = """
[calendar]
on_public_holidays = true

[calendar.hours]
{day} = ["{hours}"]
"""
STORY = "غذایی که دیشب آوردید یخ کرده بود و پیک هم دیر رسید"


@pytest.fixture
def says(settings: Any) -> Callable[[str], None]:
    """Changes what the owner says."""

    def write(text: str) -> None:
        path: Path = settings.business_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write(ALWAYS_OPEN)
    return write


@pytest.fixture
def shop(says: Callable[[str], None], store: Database) -> Database:
    """The store of a business that is always open and hands conversations over."""
    assert base.environment().business.name == "فروشگاه سپیدار"
    return store


@pytest.fixture
def agent(shop: Database) -> StaffMember:
    """Somebody who takes conversations over, and is there."""
    with shop.write() as session:
        return an_agent(session, now=utcnow())


def handoffs(chat: Chat) -> list[Handoff]:
    with chat.database.read() as session:
        own = select(Handoff).where(Handoff.conversation_id == chat.conversation.id)
        return list(session.scalars(own.order_by(Handoff.id)))


def wait(chat: Chat, text: str = "وصلم کن به یه آدم واقعی لطفا") -> Handoff:
    """The customer asks for a person."""
    said = chat.run(ActionOfferCallback(), text, intent="request_human")
    assert said == {"utter_handoff_waiting"}
    chat.ran_before("utter_handoff_waiting", text=text)
    return handoffs(chat)[-1]


def talk(chat: Chat, agent: StaffMember, agreed: str = "") -> None:
    """A person takes over and gives it back."""
    handoff, rules = wait(chat), base.environment().rules
    with chat.database.write() as session:
        claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=rules)
        claiming.release(session, handoff_id=handoff.id, staff=agent, agreed=agreed, rules=rules)
    chat.ran_before()


def told_by_the_desk(chat: Chat) -> list[str]:
    with chat.database.read() as session:
        return desk_words(session, chat.conversation.id)


def plain(value: str) -> str:
    return rich.to_plain(value).replace("\u2068", "").replace("\u2069", "")


# Asking for a person


def test_who_asks_for_a_person_is_put_in_the_queue_and_told_the_place(chat: Chat, agent: StaffMember) -> None:
    chat.ran_before("utter_faq_answer", text="قسط این ماهم دو بار کم شده")
    for again in (False, True):
        said = chat.run(ActionOfferCallback(), "اپراتور لطفا", intent="request_human", again=again)
        assert said == {"utter_handoff_waiting"}
    (handoff,) = handoffs(chat)
    assert (handoff.state, handoff.reason, handoff.offered_to_id) == (WAITING, "asked", agent.id)
    # The wish itself does not say what it is about.
    assert handoff.topic == "قسط این ماهم دو بار کم شده"
    told = chat.told("utter_handoff_waiting")
    assert plain(told["place"]) == "اول"
    assert plain(told["minutes_line"]) == "همین که یکی از همکارانم آزاد شود، نوبتتان می‌شود"


def test_the_place_and_the_minutes_are_those_of_the_real_queue(
    chat: Chat, stranger: Chat, agent: StaffMember
) -> None:
    talk(stranger, agent)
    wait(stranger)
    wait(chat)
    assert plain(chat.told("utter_handoff_waiting")["place"]) == "دوم"
    assert plain(chat.told("utter_handoff_waiting")["minutes_line"]) == "تا حدود ۱ دقیقهٔ دیگر نوبتتان می‌شود"


def test_who_asks_again_is_told_the_place_and_not_put_in_twice(chat: Chat, agent: StaffMember) -> None:
    wait(chat)
    said = chat.run(ActionOfferCallback(), "پس کو اپراتور", intent="request_human")
    assert (said, len(handoffs(chat))) == ({"utter_handoff_place"}, 1)


@pytest.mark.usefixtures("shop")
def test_where_nobody_is_there_a_call_is_offered_as_ever(chat: Chat) -> None:
    said = chat.run(ActionOfferCallback(), "اپراتور", intent="request_human")
    assert (said, handoffs(chat)) == ({"utter_offer_callback"}, [])


def test_where_the_owner_wants_no_hand_overs_a_call_is_offered(
    chat: Chat, agent: StaffMember, says: Callable[[str], None]
) -> None:
    says(ALWAYS_OPEN + "is_on = false\n")
    assert chat.run(ActionOfferCallback(), "اپراتور", intent="request_human") == {"utter_offer_callback"}


def test_out_of_hours_the_hours_are_said_with_the_offer(
    chat: Chat, agent: StaffMember, says: Callable[[str], None]
) -> None:
    says(ALWAYS_OPEN + CLOSED_NOW.format(day=tomorrow(), hours="09:00-17:00"))
    assert chat.run(ActionOfferCallback(), "اپراتور", intent="request_human") == {"utter_handoff_closed"}
    assert plain(chat.told("utter_handoff_closed")["opens"]) == "فردا از ساعت ۹"
    assert handoffs(chat) == []
    # A yes to it takes the call.
    chat.ran_before("utter_handoff_closed")
    chat.run(ActionAffirm(), "بله", intent="affirm")
    assert [event["name"] for event in chat.events] == ["callback_form"]
    # In danger somebody who is there is called all the same.
    chat.run(ActionFallback(), "بوی گاز خونه رو برداشته", signals=["danger"])
    assert handoffs(chat)[0].reason == "danger"


@pytest.mark.parametrize("text", ["بهم زنگ بزنید", "می‌خوام تلفنی صحبت کنم"])
def test_who_wishes_to_be_called_is_offered_a_call_and_a_talk_here(
    chat: Chat, agent: StaffMember, text: str
) -> None:
    assert chat.run(ActionOfferCallback(), text, intent="request_human") == {"utter_offer_callback"}
    assert [button["payload"] for button in chat.buttons] == ["/request_human"]
    assert chat.run(ActionOfferCallback(), intent="request_human", trusted=True) == {"utter_handoff_waiting"}


def test_a_form_goes_on_while_one_waits(chat: Chat, agent: StaffMember) -> None:
    chat.form, chat.slots["requested_slot"] = "complaint_form", "complaint_order_number"
    wait(chat)
    assert [event["name"] for event in chat.events] == ["complaint_form"]


# What calls a person besides


def test_after_two_failures_a_person_is_called(chat: Chat, agent: StaffMember) -> None:
    assert chat.run(ActionFallback(), "ژغضثط", intent="nlu_fallback") == {"utter_misunderstood"}
    chat.ran_before("utter_misunderstood", text="ژغضثط")
    said = chat.run(ActionFallback(), "ظطزر", intent="nlu_fallback")
    assert said == {"utter_handoff_waiting_unclear"}
    assert (handoffs(chat)[0].reason, handoffs(chat)[0].topic) == ("not_understood", "ظطزر")


def test_as_many_failures_as_the_owner_says(
    chat: Chat, agent: StaffMember, says: Callable[[str], None]
) -> None:
    says(ALWAYS_OPEN + "after_failures = 1\n")
    assert chat.run(ActionFallback(), "ژغضثط", intent="nlu_fallback") == {"utter_handoff_waiting_unclear"}


@pytest.mark.usefixtures("shop")
def test_where_nobody_is_there_two_failures_bring_the_offer_of_a_call(chat: Chat) -> None:
    chat.ran_before("utter_misunderstood", text="ژغضثط")
    assert chat.run(ActionFallback(), "ظطزر", intent="nlu_fallback") == {"utter_misunderstood_again"}


def test_who_asks_twice_for_what_is_not_ours_may_talk_to_somebody_who_is_there(
    chat: Chat, agent: StaffMember
) -> None:
    certain = [("out_of_scope", 0.97)]
    chat.ran_before("utter_out_of_scope", text="دلار چنده")
    said = chat.run(ActionOutOfScope(), "قیمت طلا", intent="out_of_scope", ranking=certain)
    assert said == {"utter_out_of_scope_again"}
    assert "/request_human" in [button["payload"] for button in chat.buttons]


def test_while_one_waits_what_is_not_understood_is_seen_by_the_person(chat: Chat, agent: StaffMember) -> None:
    wait(chat)
    assert chat.run(ActionFallback(), "ظطزر", intent="nlu_fallback") == {"utter_handoff_still_waiting"}
    said = chat.run(ActionOutOfScope(), "زود باشید دیگه", intent="out_of_scope")
    assert said == {"utter_handoff_still_waiting"}
    files = {"attachment": chat.files()}
    said = chat.run(ActionReceiveMedia(), intent="media", entities=files)
    assert said == {"utter_handoff_still_waiting"}
    # What it understands it answers.
    assert chat.run(ActionComplaintStatus(), "شکایتم چی شد", intent="complaint_status") == {
        "utter_no_complaints"
    }


@pytest.mark.parametrize("signal", ["anger", "danger"])
def test_strong_anger_and_danger_call_a_person_beside_the_answer(
    chat: Chat, agent: StaffMember, signal: str
) -> None:
    text = "دیگه شورشو درآوردین، ساعت کاریتون چیه؟"
    for again in (False, True):
        chat.run(ActionFaq(), text, intent="faq", signals=[signal], topics=[("hours", 0.9)], again=again)
        assert [name for name, _ in chat.said] == [f"utter_handoff_waiting_{signal}", "utter_faq_not_yet"]
    assert [handoff.reason for handoff in handoffs(chat)] == [signal]


def test_a_call_for_help_calls_a_person_too(chat: Chat, agent: StaffMember) -> None:
    chat.run(ActionHelp(), "کمک!!! گاز", intent="help", signals=["danger"])
    assert [name for name, _ in chat.said] == ["utter_handoff_waiting_danger", "utter_help"]


@pytest.mark.usefixtures("shop")
def test_where_nobody_is_there_anger_changes_nothing(chat: Chat) -> None:
    said = chat.run(ActionFaq(), "دیگه شورشو درآوردین", intent="faq", signals=["anger"])
    assert (said, handoffs(chat)) == ({"utter_faq_not_yet"}, [])


def test_a_form_tells_it_with_its_question_once(chat: Chat, agent: StaffMember) -> None:
    text = f"{STORY}، بی‌شرف‌ها"
    assert chat.run(ValidateComplaintForm(), text, intent="complaint_file", signals=["anger"]) == set()
    chat.form = "complaint_form"
    chat.run(ActionAskOrderNumber(), text, intent="complaint_file", signals=["anger"], again=True)
    asked = [name for name, _ in chat.said]
    assert asked == ["utter_handoff_waiting_anger", "utter_ask_complaint_order_number"]


def test_one_who_waits_and_gets_angry_is_only_more_urgent(chat: Chat, agent: StaffMember) -> None:
    wait(chat)
    said = chat.run(ActionFaq(), "دزدا", intent="faq", signals=["anger"])
    assert said == {"utter_faq_not_yet"}
    assert [handoff.reason for handoff in handoffs(chat)] == ["anger"]


def file_complaint(chat: Chat, tier: str = "", signals: tuple[str, ...] = ()) -> set[str]:
    """A customer of some tier registers a complaint; returns what was said to that."""
    with chat.database.write() as session:
        session.get_one(Customer, chat.conversation.identity.customer_id).tier = tier
    chat.run(ValidateComplaintForm(), STORY, intent="complaint_file", signals=signals)
    chat.form, chat.slots["requested_slot"] = "complaint_form", "complaint_category"
    chat.run(
        ValidateComplaintForm(), intent="choose_category", entities={"category": ["delivery"]}, trusted=True
    )
    chat.form = None
    said = chat.run(ActionFileComplaint(), intent="affirm", trusted=True)
    assert "utter_complaint_filed" in said
    return said


@pytest.mark.parametrize(("tier", "is_called"), [("طلایی", True), ("برنزی", False)])
def test_the_complaint_of_somebody_important_calls_a_person(
    chat: Chat, agent: StaffMember, tier: str, is_called: bool
) -> None:
    said = file_complaint(chat, tier)
    assert ("utter_handoff_waiting_vip" in said) == is_called


# Where nobody is there


@pytest.fixture
def closed(agent: StaffMember, says: Callable[[str], None]) -> StaffMember:
    """Somebody who takes conversations over, but not before tomorrow."""
    says(ALWAYS_OPEN + CLOSED_NOW.format(day=tomorrow(), hours="09:00-17:00"))
    return agent


def complain(chat: Chat, *signals: str, **fields: Any) -> set[str]:
    """Something is wished in a tone that calls for a person."""
    wish = "چرا این‌همه پیام تبلیغاتی می‌دید آخه"
    return chat.run(ActionMarketingOptOut(), wish, intent="marketing_opt_out", signals=signals, **fields)


def tomorrow() -> str:
    return (utcnow() + timedelta(days=1, hours=3, minutes=30)).strftime("%A").lower()


@pytest.mark.parametrize(
    ("tier", "signals", "is_offered"),
    [
        ("طلایی", (), True),
        ("برنزی", (), False),
        ("", ("anger",), True),
        ("", ("danger",), True),
        ("", ("urgency",), False),
    ],
)
def test_out_of_hours_a_weighty_complaint_is_offered_a_call(
    chat: Chat, closed: StaffMember, tier: str, signals: tuple[str, ...], *, is_offered: bool
) -> None:
    said = file_complaint(chat, tier, signals)
    assert ("utter_handoff_closed" in said) == is_offered
    assert handoffs(chat) == []


@pytest.mark.parametrize("signal", ["anger", "danger"])
def test_out_of_hours_who_is_angry_or_in_danger_is_offered_a_call_after_the_answer(
    chat: Chat, closed: StaffMember, signal: str
) -> None:
    with chat.database.write() as session:
        session.get_one(StaffMember, closed.id).presence = "away"
    assert "utter_handoff_closed" in complain(chat, signal)
    assert chat.said[-1][0] == "utter_handoff_closed"
    # A yes takes it; whoever goes on instead is not asked again at once, nor who is promised a call.
    chat.ran_before(*[name for name, _ in chat.said], text="این چه وضعشه")
    chat.run(ActionAffirm(), "بله", intent="affirm")
    assert [event["name"] for event in chat.events] == ["callback_form"]
    assert "utter_handoff_closed" not in complain(chat, signal)
    chat.run(ActionRequestCallback(), "۰۹۱۲۳۴۵۶۷۸۹", intent="request_callback")
    chat.ran_before()
    assert "utter_handoff_closed" not in complain(chat, signal)


@pytest.mark.parametrize("action", [ActionAskErasure(), ActionRequestService(), ActionFaq(), ActionHelp()])
def test_no_call_is_offered_beside_a_question_an_offer_or_a_choice_of_ours(
    chat: Chat, closed: StaffMember, action: Action
) -> None:
    assert "utter_handoff_closed" not in chat.run(action, "این چه وضعشه", intent="faq", signals=["anger"])


def test_no_call_is_offered_beside_the_question_whether_really_to_erase(
    chat: Chat, closed: StaffMember
) -> None:
    chat.ran_before("utter_ask_erasure")
    said = chat.run(ActionAskErasure(), "همه رو پاک کن", intent="data_erase", signals=["anger"])
    assert said == {"utter_ask_erasure_again"}


def test_no_call_is_offered_to_who_is_about_to_be_forgotten(chat: Chat, closed: StaffMember) -> None:
    chat.ran_before("utter_ask_erasure")
    said = chat.run(ActionConfirmErasure(), intent="confirm_erasure", trusted=True, signals=["anger"])
    assert said == {"utter_erasure_begun"}


def test_who_declined_a_call_is_not_offered_another_one(chat: Chat, closed: StaffMember) -> None:
    chat.ran_before("utter_marketing_stopped", "utter_handoff_closed", text="این چه وضعشه")
    before = chat.previous
    chat.ran_before("utter_callback_declined", text="نه")
    chat.previous = [*before, *chat.previous]
    assert "utter_handoff_closed" not in complain(chat, "anger")


@pytest.mark.parametrize("text", ["ولش کن", "بی‌خیال"])
def test_an_offered_call_is_declined_in_other_words_too(chat: Chat, closed: StaffMember, text: str) -> None:
    chat.ran_before("utter_handoff_closed")
    assert chat.run(ActionCancelForm(), text, intent="cancel") == {"utter_callback_declined"}


def test_a_call_is_offered_after_the_last_part_of_a_message(chat: Chat, closed: StaffMember) -> None:
    assert "utter_handoff_closed" not in complain(chat, "anger", part=1, parts=["تبلیغ", "ساعت کار"])
    assert "utter_handoff_closed" in complain(chat, "anger", part=2, parts=["تبلیغ", "ساعت کار"])


@pytest.mark.parametrize(
    ("rule", "is_offered"),
    [('intents = ["marketing_opt_out"]', True), ('tiers = ["طلایی"]', False)],
)
def test_a_rule_offers_a_call_where_it_names_what_is_wanted(
    chat: Chat, closed: StaffMember, says: Callable[[str], None], rule: str, *, is_offered: bool
) -> None:
    says(f"{ALWAYS_OPEN}[[handoff.rules]]\n{rule}\n{CLOSED_NOW.format(day=tomorrow(), hours='09:00-17:00')}")
    with chat.database.write() as session:
        session.get_one(Customer, chat.conversation.identity.customer_id).tier = "طلایی"
    assert ("utter_handoff_closed" in complain(chat)) == is_offered


def test_whose_promised_call_did_not_come_is_offered_another_one_with_an_apology(
    chat: Chat, closed: StaffMember
) -> None:
    chat.run(ActionRequestCallback(), "۰۹۱۲۳۴۵۶۷۸۹", intent="request_callback")
    with chat.database.write() as session:
        session.scalars(select(CallbackRequest)).one().due_at = utcnow() - timedelta(hours=1)
    chat.ran_before()
    assert "utter_callback_overdue" in complain(chat, "anger")


def test_a_call_after_a_complaint_is_not_about_the_yes_that_filed_it(chat: Chat, closed: StaffMember) -> None:
    chat.ran_before("utter_complaint_filed", "utter_handoff_closed", text="آره ثبت کن")
    chat.run(ActionRequestCallback(), "۰۹۱۲۳۴۵۶۷۸۹", intent="request_callback")
    with chat.database.read() as session:
        assert session.scalars(select(CallbackRequest.topic)).one() == ""


def test_a_number_for_a_call_that_a_notice_promised_is_where_to_call(chat: Chat, shop: Database) -> None:
    chat.run(ActionRequestCallback(), "۰۹۱۲۳۴۵۶۷۸۹", intent="request_callback")
    chat.ran_before()
    assert chat.run(ActionFallback(), "۰۹۳۵۴۴۴۵۵۶۶", intent="nlu_fallback") == {"utter_callback_noted"}
    assert "۰۹۳۵ ۴۴۴ ۵۵۶۶" in plain(chat.told("utter_callback_noted")["phone"])


def test_no_call_is_offered_in_the_middle_of_a_form(chat: Chat, closed: StaffMember) -> None:
    chat.form = "complaint_form"
    assert "utter_handoff_closed" not in complain(chat, "anger")


def test_within_hours_whom_nobody_is_there_for_is_offered_a_call_by_when_it_comes(
    chat: Chat, agent: StaffMember
) -> None:
    with chat.database.write() as session:
        session.get_one(StaffMember, agent.id).presence = "away"
    assert "utter_call_instead" in complain(chat, "anger")


@pytest.mark.usefixtures("shop")
def test_where_nobody_takes_over_at_all_anger_is_offered_nothing(chat: Chat) -> None:
    assert complain(chat, "anger").isdisjoint(CALLBACK_OFFERS)


def test_a_rule_of_the_owners_calls_a_team(
    chat: Chat, agent: StaffMember, says: Callable[[str], None]
) -> None:
    says(ALWAYS_OPEN + '[[handoff.rules]]\nintents = ["faq"]\nteam = "فنی"\nurgency = 70\n')
    said = chat.run(ActionFaq(), "چطور نصبش کنم", intent="faq")
    assert said == {"utter_handoff_waiting_rule", "utter_faq_not_yet"}
    assert [(one.team, one.urgency) for one in handoffs(chat)] == [("فنی", 70)]


def test_who_has_just_left_is_left_in_peace_unless_in_danger(
    chat: Chat, agent: StaffMember, says: Callable[[str], None]
) -> None:
    says(ALWAYS_OPEN + '[[handoff.rules]]\nintents = ["faq"]\n')
    wait(chat)
    chat.run(ActionLeaveHandoff(), intent="handoff_leave", trusted=True)
    assert chat.run(ActionFaq(), "چی", intent="faq", signals=["anger"]) == {"utter_faq_not_yet"}
    said = chat.run(ActionFaq(), "آتیش گرفت", intent="faq", signals=["danger"])
    assert "utter_handoff_waiting_danger" in said


# Leaving the queue


def test_the_button_ends_the_waiting_which_a_notice_tells_once(chat: Chat, agent: StaffMember) -> None:
    wait(chat)
    for again in (False, True):
        assert chat.run(ActionLeaveHandoff(), intent="handoff_leave", trusted=True, again=again) == set()
    assert [handoff.outcome for handoff in handoffs(chat)] == [LEFT]
    assert told_by_the_desk(chat) == ["utter_handoff_left"]
    said = chat.run(ActionLeaveHandoff(), intent="handoff_leave", trusted=True)
    assert said == {"utter_handoff_nothing_to_leave"}


@pytest.mark.parametrize(
    "text", ["دیگه منتظر نمی‌مونم", "پایان گفت‌وگو", "از صف بیرون میام!", "پایان گفتگو با همکار"]
)
def test_words_end_the_waiting_whatever_they_were_understood_as(
    chat: Chat, agent: StaffMember, text: str
) -> None:
    wait(chat)
    assert chat.run(ActionFallback(), text, intent="nlu_fallback") == set()
    assert told_by_the_desk(chat) == ["utter_handoff_left"]


@pytest.mark.parametrize(("action", "intent"), [(ActionDeny, "deny"), (ActionCancelForm, "cancel")])
def test_a_no_and_a_cancel_without_a_form_end_the_waiting(
    chat: Chat, agent: StaffMember, action: Any, intent: str
) -> None:
    wait(chat)
    assert chat.run(action(), "نه ولش کن", intent=intent) == set()
    assert handoffs(chat)[0].outcome == LEFT


@pytest.mark.parametrize("text", ["نفر چندمم؟", "چقدر دیگه باید منتظر بمونم"])
def test_who_asks_how_long_is_told_and_no_form_takes_it(chat: Chat, agent: StaffMember, text: str) -> None:
    assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_misunderstood"}
    wait(chat)
    chat.form, chat.slots["requested_slot"] = "complaint_form", "complaint_description"
    assert chat.run(ValidateComplaintForm(), text, intent="complaint_file") == set()
    assert chat.events == []
    assert chat.run(ActionFallback(), text, intent="nlu_fallback", again=True) == {"utter_handoff_place"}


# Afterwards


@pytest.mark.parametrize("text", ["همکارتون گفت چی شد؟", "قرار شد چی بشه", "نتیجهٔ گفت‌وگو چی بود"])
def test_what_was_agreed_is_told_to_who_asks(chat: Chat, agent: StaffMember, text: str) -> None:
    talk(chat, agent, agreed="فردا پولتان برمی‌گردد")
    for _ in range(2):
        assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_handoff_agreed"}
    told = chat.told("utter_handoff_agreed")
    assert (plain(told["agreed"]), plain(told["agent"])) == ("فردا پولتان برمی‌گردد", "نگار")


def test_what_was_agreed_is_told_beside_how_a_complaint_stands(chat: Chat, agent: StaffMember) -> None:
    talk(chat, agent, agreed="فردا پولتان برمی‌گردد")
    said = chat.run(ActionComplaintStatus(), "شکایتم چی شد", intent="complaint_status")
    assert said == {"utter_handoff_agreed"}
    chat.complaint()
    chat.run(ActionComplaintStatus(), "شکایتم چی شد", intent="complaint_status")
    assert [name for name, _ in chat.said][:2] == ["utter_handoff_agreed", "utter_complaint_state"]


def test_where_nothing_was_written_down_the_bot_says_so(chat: Chat, agent: StaffMember) -> None:
    talk(chat, agent)
    said = chat.run(ActionFallback(), "همکارتون چی گفت", intent="nlu_fallback")
    assert said == {"utter_handoff_agreed_nothing"}


def test_of_an_old_talk_and_of_somebody_elses_nothing_is_told(
    chat: Chat, stranger: Chat, agent: StaffMember
) -> None:
    talk(chat, agent, agreed="فردا پولتان برمی‌گردد")
    text = "همکارتون گفت چی شد؟"
    assert stranger.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_misunderstood"}
    with chat.database.write() as session:
        session.scalars(select(Handoff)).one().ended_at = utcnow() - timedelta(days=8)
    assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_misunderstood"}


def test_a_form_that_was_interrupted_goes_on_by_button_and_in_words(chat: Chat, agent: StaffMember) -> None:
    chat.run(ValidateComplaintForm(), STORY, intent="complaint_file")
    talk(chat, agent)
    assert told_by_the_desk(chat)[-1] == "utter_handoff_resume"
    # The session is over: the draft is gone on with.
    chat.run(ActionResumeHandoff(), intent="handoff_resume", trusted=True)
    assert [event["name"] for event in chat.events] == ["complaint_form"]
    chat.run(ActionFallback(), "ادامه بدیم", intent="nlu_fallback")
    assert [event["name"] for event in chat.events] == ["complaint_form"]
    # The form is still open: it takes no answer and asks again.
    chat.form, chat.slots["requested_slot"] = "complaint_form", "complaint_order_number"
    for fields in ({"trusted": True}, {"text": "آره بریم"}):
        chat.run(ValidateComplaintForm(), intent="handoff_resume", **fields)
        assert chat.events == []
        assert chat.run(ActionResumeHandoff(), intent="handoff_resume", again=True) == {
            "utter_handoff_resumed"
        }


def test_the_wish_to_go_on_with_a_request_begins_no_other_one(chat: Chat, agent: StaffMember) -> None:
    chat.run(ValidateServiceForm(), "کولرم آب می‌ده و باد نمی‌زنه", intent="service_request")
    talk(chat, agent)
    for text, intent in (
        ("بله از همون‌جا ادامه بدیم لطفا", "handoff_resume"),
        ("از همون‌جا ادامه بدیم", "affirm"),
    ):
        assert "utter_service_replaced" not in chat.run(ValidateServiceForm(), text, intent=intent)
    with chat.database.read() as session:
        draft = session.scalars(select(Draft)).one()
        assert draft.data["problem"] == "کولرم آب می‌ده و باد نمی‌زنه"


@pytest.mark.usefixtures("shop")
def test_where_nothing_was_interrupted_nothing_goes_on(chat: Chat) -> None:
    said = chat.run(ActionResumeHandoff(), intent="handoff_resume", trusted=True)
    assert said == {"utter_handoff_nothing_to_resume"}


@pytest.mark.usefixtures("shop")
def test_a_number_typed_to_the_offer_of_a_notice_is_enough(chat: Chat) -> None:
    said = chat.run(ActionRequestCallback(), "۰۹۱۲۳۴۵۶۷۸۹", intent="request_callback")
    assert said == {"utter_callback_noted"}
    with chat.database.read() as session:
        assert session.scalars(select(CallbackRequest)).one().topic == ""
        assert session.scalars(select(OutboxItem)).all() == []


def test_a_member_of_staff_is_handed_over_to_nobody(chat: Chat, agent: StaffMember) -> None:
    with chat.database.write() as session:
        an_agent(session, name="بابک", chat=chat.conversation, now=utcnow())
    said = chat.run(ActionFaq(), "دزدا", intent="faq", signals=["anger"])
    assert (said, handoffs(chat)) == ({"utter_faq_not_yet"}, [])
