from __future__ import annotations

import pytest
from sqlalchemy import select

from actions.handoff import (
    ActionAskCallbackPhone,
    ActionNoteCallback,
    ActionOfferCallback,
    ValidateCallbackForm,
)
from actions.shared import (
    ActionAffirm,
    ActionDeny,
    ActionFallback,
    ActionNotYet,
    ActionOutOfScope,
    ActionReceiveMedia,
)
from crm_store.customers.models import ContactPoint
from crm_store.handoff.models import CallbackRequest
from crm_store.persian import rich
from tests.actions.conftest import Chat


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
    assert rich.to_plain(chat.told("utter_callback_noted")["phone"]).strip("\u2068\u2069") == "۰۹۱۲ ۳۴۵ ۶۷۸۹"


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
    chat.ran_before("utter_not_yet", text="امتیازم چقدر شد؟")
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


def test_what_is_not_possible_yet_is_named(chat: Chat) -> None:
    chat.run(ActionNotYet(), "امتیازام چنده؟", intent="loyalty_balance")
    assert "دیدن امتیازها" in chat.told("utter_not_yet")["request"]


def test_a_wrong_number_after_the_offer_starts_the_form(chat: Chat) -> None:
    chat.ran_before("utter_offer_callback", text="با من تماس بگیرید")
    assert chat.run(ActionOutOfScope(), "۰۹۱۲ ۳۴", intent="out_of_scope") == {"utter_invalid_phone"}
    assert [event["name"] for event in chat.events] == ["callback_form"]
