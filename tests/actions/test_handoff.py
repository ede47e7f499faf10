from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from actions.base import StoreAction
from actions.faq import ActionFaq
from actions.handoff import (
    ActionAskCallbackPhone,
    ActionNoteCallback,
    ActionOfferCallback,
    ActionRequestCallback,
    ValidateCallbackForm,
)
from actions.misunderstood import ActionFallback, ActionOutOfScope
from actions.shared import ActionAffirm, ActionCancelForm, ActionDeny, ActionReceiveMedia
from crm_store.base import utcnow
from crm_store.conversations.service import open_conversation
from crm_store.customers.models import ContactPoint
from crm_store.handoff.models import CallbackRequest
from crm_store.outbox import OutboxItem
from crm_store.persian import deadline_text, rich
from tests.actions.conftest import STAFF_GROUP, Chat


def begin(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback", text="می‌خواهم با یک آدم صحبت کنم")
    chat.run(ValidateCallbackForm(), intent="request_callback", trusted=True)
    chat.form, chat.slots["requested_slot"] = "callback_form", "callback_phone"


def requests(chat: Chat) -> list[tuple[CallbackRequest, ContactPoint]]:
    with chat.database.read() as session:
        rows = session.execute(
            select(CallbackRequest, ContactPoint).where(
                CallbackRequest.conversation_id == chat.conversation.id,
                CallbackRequest.contact_point_id == ContactPoint.id,
            )
        )
        return [(request, point) for request, point in rows]


def note(chat: Chat, phone: str = "09123456789") -> CallbackRequest:
    """A call-back that this customer was promised."""
    begin(chat)
    chat.run(ValidateCallbackForm(), phone)
    chat.run(ActionNoteCallback(), again=True)
    chat.form = chat.slots["requested_slot"] = None
    chat.ran_before("utter_callback_noted")
    return requests(chat)[-1][0]


def miss(chat: Chat) -> None:
    """Nobody called in time."""
    with chat.database.write() as session:
        session.scalars(select(CallbackRequest)).one().due_at = utcnow() - timedelta(hours=1)


def add_staff_group(chat: Chat) -> None:
    with chat.database.write() as session:
        open_conversation(session, channel="telegram", chat_id=str(STAFF_GROUP), identity=None)


def plain(value: str) -> str:
    return rich.to_plain(value).strip("\u2068\u2069")


@pytest.mark.parametrize(
    "typed", ["۰۹۱۲ ۳۴۵ ۶۷۸۹", "0912-345-6789", "+98 912 345 6789", "شماره‌ام ٠٩١٢٣٤٥٦٧٨٩ است"]
)
def test_a_phone_is_read_in_any_script_and_noted_once(chat: Chat, typed: str) -> None:
    begin(chat)
    for again in (False, True):
        chat.slots["callback_phone"] = None
        chat.run(ValidateCallbackForm(), typed, intent="nlu_fallback", again=again)
        chat.run(ActionNoteCallback(), typed, intent="nlu_fallback", again=True)
    ((request, point),) = requests(chat)
    assert (point.value, point.proven_at, request.topic) == (
        "+989123456789",
        None,
        "می‌خواهم با یک آدم صحبت کنم",
    )
    assert plain(chat.told("utter_callback_noted")["phone"]) == "۰۹۱۲ ۳۴۵ ۶۷۸۹"


def test_a_wrong_number_is_asked_again(chat: Chat) -> None:
    begin(chat)
    assert chat.run(ValidateCallbackForm(), "۰۹۱۲ ۳۴", intent="nlu_fallback") == {"utter_invalid_phone"}
    assert chat.slots["callback_phone"] is None


def test_only_the_senders_own_contact_proves_the_number(chat: Chat) -> None:
    begin(chat)
    chat.run(ValidateCallbackForm(), intent="media", contact="+989351112233")
    chat.run(ActionNoteCallback(), intent="media", contact="+989351112233", again=True)
    ((_, point),) = requests(chat)
    assert point.proven_at is not None


def test_a_known_number_is_offered_and_may_be_declined(chat: Chat) -> None:
    begin(chat)
    chat.run(ValidateCallbackForm(), "09123456789")
    chat.run(ActionNoteCallback(), again=True)
    begin(chat)
    assert chat.run(ActionAskCallbackPhone()) == {"utter_ask_callback_known_phone"}
    chat.run(ValidateCallbackForm(), intent="deny", trusted=True)
    assert chat.run(ActionAskCallbackPhone()) == {"utter_ask_callback_phone"}
    chat.slots["callback_other_phone"] = None
    chat.run(ValidateCallbackForm(), intent="affirm", trusted=True)
    assert chat.slots["callback_phone"] == "+989123456789"


def test_a_number_typed_straight_after_the_offer_is_enough(chat: Chat) -> None:
    chat.ran_before("utter_faq_not_yet", text="امتیازم چقدر شد؟")
    assert chat.run(ActionFallback(), "09123456789", intent="nlu_fallback") == {"utter_callback_noted"}
    ((request, _),) = requests(chat)
    assert request.topic == "امتیازم چقدر شد؟"


def test_a_number_in_the_wish_itself_is_enough(chat: Chat) -> None:
    text = "لطفا با ۰۲۱۸۸۷۷۶۶۵۵ تماس بگیرید"
    assert chat.run(ActionOfferCallback(), text, intent="request_human") == {"utter_callback_noted"}


def test_a_contact_outside_a_form_is_kept_and_a_call_is_offered(chat: Chat) -> None:
    said = chat.run(ActionReceiveMedia(), intent="media", contact="+989351112233")
    assert said == {"utter_contact_received"}
    assert requests(chat) == []


def test_yes_after_the_offer_starts_the_form_and_no_declines_it(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback")
    chat.run(ActionAffirm(), "بله", intent="affirm")
    assert [event["name"] for event in chat.events] == ["callback_form"]
    assert chat.run(ActionDeny(), "نه", intent="deny") == {"utter_callback_declined"}


def test_yes_to_an_offer_of_long_ago_starts_nothing(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback")
    chat.previous.append({"event": "session_started"})
    assert chat.run(ActionAffirm(), "بله", intent="affirm") == {"utter_affirm_idle"}


def test_a_wrong_number_after_the_offer_starts_the_form(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback", text="با من تماس بگیرید")
    assert chat.run(ActionOutOfScope(), "۰۹۱۲ ۳۴", intent="out_of_scope") == {"utter_invalid_phone"}
    assert [event["name"] for event in chat.events] == ["callback_form"]


# When the call comes


def test_a_call_is_promised_and_the_promise_is_kept_as_it_was_told(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback")
    chat.run(ActionFallback(), "09123456789", intent="nlu_fallback")
    ((request, _),) = requests(chat)
    assert request.due_at is not None
    told = plain(chat.told("utter_callback_noted")["deadline"])
    assert told == deadline_text(request.due_at, now=utcnow())
    with chat.database.write() as session:
        promised = session.scalars(select(CallbackRequest)).one().due_at = request.due_at + timedelta(days=30)
    chat.run(ActionFallback(), "09123456789", intent="nlu_fallback", again=True)
    assert plain(chat.told("utter_callback_noted")["deadline"]) == deadline_text(promised, now=utcnow())


def test_an_offer_says_by_when(chat: Chat) -> None:
    assert chat.run(ActionOfferCallback(), "اپراتور", intent="request_human") == {"utter_offer_callback"}
    assert "تا ساعت" in chat.told("utter_offer_callback")["deadline"]


@pytest.mark.parametrize("text", ["کی زنگ می‌زنید؟", "پس کی تماس می‌گیرین", "منتظر تماستونم", "چرا زنگ نزدید؟"])
@pytest.mark.parametrize("action", [ActionFallback(), ActionOutOfScope(), ActionFaq()])
def test_who_asks_when_is_told_the_promise(chat: Chat, action: StoreAction, text: str) -> None:
    request = note(chat)
    chat.ran_before("utter_greet")
    assert chat.run(action, text, intent="faq") == {"utter_callback_promised"}
    told = chat.told("utter_callback_promised")
    assert request.due_at is not None
    assert plain(told["deadline"]) == deadline_text(request.due_at, now=utcnow())
    assert plain(told["phone"]) == "۰۹۱۲ ۳۴۵ ۶۷۸۹"


def test_a_bare_when_means_the_call_only_straight_after_the_promise(chat: Chat) -> None:
    note(chat)
    for text in ("کی؟", "دقیقاً چه ساعتی؟"):
        assert chat.run(ActionFallback(), text, intent="nlu_fallback") == {"utter_callback_promised"}
    chat.ran_before("utter_greet")
    assert chat.run(ActionFallback(), "کی؟", intent="nlu_fallback") == {"utter_misunderstood"}


def test_who_asks_when_before_giving_a_number_is_told_too(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback")
    assert chat.run(ActionFallback(), "کی؟", intent="nlu_fallback") == {"utter_offer_callback"}
    chat.form = "callback_form"
    assert chat.run(ActionFallback(), "کی؟", intent="nlu_fallback") == {"utter_callback_when"}
    assert "تا ساعت" in chat.told("utter_callback_when")["deadline"]


def test_who_was_promised_no_call_is_told_of_none(chat: Chat) -> None:
    assert chat.run(ActionFallback(), "کی زنگ می‌زنید؟", intent="nlu_fallback") == {"utter_misunderstood"}


def test_a_second_wish_for_a_call_is_answered_with_the_first(chat: Chat) -> None:
    note(chat)
    assert chat.run(ActionOfferCallback(), "اپراتور", intent="request_human") == {"utter_callback_promised"}
    said = chat.run(ActionRequestCallback(), intent="request_callback", trusted=True)
    assert said == {"utter_callback_promised"}
    assert chat.events == []
    assert len(requests(chat)) == 1


def test_a_wish_for_a_first_call_starts_the_form(chat: Chat) -> None:
    chat.run(ActionRequestCallback(), intent="request_callback", trusted=True)
    assert [event["name"] for event in chat.events] == ["callback_form"]


def test_the_promised_call_gets_another_number(chat: Chat) -> None:
    first = note(chat)
    chat.ran_before("utter_callback_promised")
    chat.run(ValidateCallbackForm(), intent="change_callback_phone", trusted=True)
    chat.form, chat.slots["requested_slot"] = "callback_form", "callback_phone"
    assert chat.run(ActionAskCallbackPhone()) == {"utter_ask_callback_phone"}
    chat.run(ValidateCallbackForm(), "۰۲۱۸۸۷۷۶۶۵۵")
    assert chat.run(ActionNoteCallback(), again=True) == {"utter_callback_noted"}
    (before, _), (now, point) = requests(chat)
    assert (before.state, now.state, point.value) == ("replaced", "open", "+982188776655")
    assert (now.due_at, now.topic) == (first.due_at, first.topic)


def test_a_number_typed_straight_after_the_promise_is_the_one_to_call(chat: Chat) -> None:
    note(chat)
    assert chat.run(ActionFallback(), "۰۹۳۵۱۱۱۲۲۳۳", intent="nlu_fallback") == {"utter_callback_noted"}
    assert [(request.state, point.value) for request, point in requests(chat)] == [
        ("replaced", "+989123456789"),
        ("open", "+989351112233"),
    ]


def test_dropping_another_number_leaves_the_promise(chat: Chat) -> None:
    note(chat)
    chat.run(ValidateCallbackForm(), intent="change_callback_phone", trusted=True)
    chat.form = "callback_form"
    assert chat.run(ActionCancelForm(), "لغو", intent="cancel") == {"utter_callback_promised"}
    assert [request.state for request, _ in requests(chat)] == ["open"]


def test_a_promise_that_was_not_kept_is_apologised_for_and_given_anew(chat: Chat) -> None:
    note(chat)
    miss(chat)
    assert chat.run(ActionFallback(), "چرا زنگ نزدید؟", intent="faq") == {"utter_callback_overdue"}
    chat.ran_before("utter_callback_overdue")
    chat.run(ActionRequestCallback(), intent="request_callback", trusted=True)
    assert [event["name"] for event in chat.events] == ["callback_form"]
    again = note(chat)
    assert again.due_at is not None
    assert again.due_at > utcnow()


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("پولم را پس نمی‌دهید، با 0912 345 67 89 تماس بگیرید لطفا", "پولم را پس نمی‌دهید، با تماس بگیرید لطفا"),
        ("یک دو سه چهار پنج شش هفت هشت نه ده", "یک دو سه چهار پنج شش هفت هشت…"),
    ],
)
def test_the_staff_group_is_told_by_when_and_about_what_but_no_number(
    chat: Chat, topic: str, told: str
) -> None:
    add_staff_group(chat)
    chat.ran_before("utter_offer_callback", text=topic)
    for again in (False, True):
        chat.run(ActionFallback(), "09123456789", intent="nlu_fallback", again=again)
    with chat.database.read() as session:
        notice = session.scalars(select(OutboxItem)).one()
    assert notice.content["response"] == "utter_staff_group_callback_about"
    assert notice.content["params"]["topic"] == told
    assert set(notice.content["params"]) == {"deadline", "topic"}


def test_a_call_about_nothing_told_is_noticed_without_a_topic(chat: Chat) -> None:
    add_staff_group(chat)
    chat.ran_before("utter_offer_callback")
    chat.run(ActionFallback(), "09123456789", intent="nlu_fallback")
    with chat.database.read() as session:
        assert session.scalars(select(OutboxItem)).one().content["response"] == "utter_staff_group_callback"
