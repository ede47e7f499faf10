"""A one-time code links the account of a member of staff, without a word to the dialogue."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from crm_store import inbox, outbox
from crm_store.base import Base
from crm_store.conversations.models import Conversation, Message
from crm_store.persian import to_persian_digits
from crm_store.staff.accounts import disable, staff_of
from crm_store.staff.invitations import invite, invite_again, looks_like_invitation
from crm_store.staff.models import StaffAccount
from tests.gateway.conftest import Setup

GROUP = -1001234567890


def invited(setup: Setup, name: str = "رضا نوری", role: str = "technician") -> str:
    code: str = setup.write(lambda session: invite(session, name=name, role=role)[1])
    return code


def everything_kept(session: Session) -> str:
    """All rows of all tables, as text."""
    rows = [session.execute(table.select()).all() for table in Base.metadata.sorted_tables]
    return str(rows)


def is_kept_somewhere(setup: Setup, code: str) -> bool:
    """Whether the secret part of a code can be read in the store, in any of its spellings."""
    kept = setup.read(everything_kept)
    assert "PYV-***" in kept
    spellings = (code, code.lower(), to_persian_digits(code), code.replace("-", " "))
    return any(spelling[8:] in kept for spelling in spellings) or looks_like_invitation(kept)


def lines(setup: Setup) -> list[tuple[str, str]]:
    found = setup.read(lambda session: session.query(Message).order_by(Message.id).all())
    return [(line.author, line.text) for line in found]


async def test_a_code_links_its_sender_who_is_welcomed_by_name_and_role(setup: Setup) -> None:
    code = invited(setup)
    with capture_logs() as logs:
        async with setup.running():
            await setup.telegram.send_text(setup.telegram.user(7, "رضا"), f"/start {code}")
            (welcome,) = await setup.telegram.wait_for_messages(7, 1)
            await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
    assert "رضا نوری" in welcome.plain
    assert "تکنسین" in welcome.plain
    assert setup.rasa.turns == []
    assert setup.read(inbox.count_by_state) == {"done": 1}
    account = setup.read(lambda session: session.query(StaffAccount).one())
    assert (account.identity_id, account.staff_id) == (1, 1)
    assert lines(setup)[0] == ("customer", "/start PYV-***")
    assert not is_kept_somewhere(setup, code)
    assert code[8:] not in str(logs)


async def test_who_takes_conversations_over_is_welcomed_with_a_button_to_be_there(setup: Setup) -> None:
    async with setup.running():
        for user, role in ((7, "agent"), (8, "technician")):
            code = invited(setup, role=role)
            await setup.telegram.send_text(setup.telegram.user(user, "نگار"), code)
        (to_agent,) = await setup.telegram.wait_for_messages(7, 1)
        (to_technician,) = await setup.telegram.wait_for_messages(8, 1)
    assert [button.title for button in to_agent.buttons] == ["آنلاین می‌شوم", "کارهای باز من"]
    assert [button.title for button in to_technician.buttons] == ["کارهای باز من"]


async def test_a_wrong_code_is_refused_in_fitting_words_and_hidden_as_well(setup: Setup) -> None:
    typed = to_persian_digits("pyv" + " 2345" * 8)
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), typed)
        (refusal,) = await setup.telegram.wait_for_messages(7, 1)
    assert "کد" in refusal.plain
    assert setup.rasa.turns == []
    assert lines(setup)[0] == ("customer", "PYV-***")
    assert not is_kept_somewhere(setup, "PYV" + "-2345" * 8)
    assert setup.read(lambda session: session.query(StaffAccount).count()) == 0


async def test_a_code_is_used_once_whoever_sends_it_again(setup: Setup) -> None:
    code = invited(setup)
    reza, sara = setup.telegram.user(7, "رضا"), setup.telegram.user(8, "سارا")
    async with setup.running():
        await setup.telegram.send_text(reza, code)
        await setup.telegram.wait_for_messages(7, 1)
        await setup.telegram.send_text(sara, code.replace("-", " ").lower())
        (refusal,) = await setup.telegram.wait_for_messages(8, 1)
    assert "رضا" not in refusal.plain
    assert setup.read(lambda session: session.query(StaffAccount).count()) == 1


async def test_a_mistyped_code_can_be_corrected_by_editing_it_and_later_edits_do_nothing(
    setup: Setup,
) -> None:
    code = invited(setup)
    reza = setup.telegram.user(7, "رضا")
    async with setup.running():
        update = await setup.telegram.send_text(reza, code[:-1])
        await setup.telegram.wait_for_messages(7, 1)
        message = setup.telegram.message_id_of(update)
        await setup.telegram.edit_text(reza, message, code)
        welcome = (await setup.telegram.wait_for_messages(7, 2))[1]
        await setup.telegram.edit_text(reza, message, f"{code} ")
        await setup.all_finished(rows=3)
        await setup.telegram.send_text(reza, "سلام")
        await setup.telegram.wait_for_messages(7, 3)
    assert "رضا نوری" in welcome.plain
    assert len(setup.rasa.turns) == 1
    assert not is_kept_somewhere(setup, code)


async def test_a_message_that_becomes_a_code_before_it_is_answered_is_hidden(setup: Setup) -> None:
    code = invited(setup)
    await setup.rasa.stop()
    reza = setup.telegram.user(7, "رضا")
    async with setup.running():
        update = await setup.telegram.send_text(reza, "کد")
        await setup.until(lambda: setup.read(inbox.count_by_state).get("pending"))
        await setup.telegram.edit_text(reza, setup.telegram.message_id_of(update), code)
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished(rows=2)
    assert [author for author, _ in lines(setup)].count("customer") == 1
    assert len(setup.telegram.messages(7)) == 1
    assert not is_kept_somewhere(setup, code)


async def test_a_code_below_a_photo_is_taken_too(setup: Setup) -> None:
    code = invited(setup)
    async with setup.running():
        await setup.telegram.send_photo(setup.telegram.user(7, "رضا"), caption=code)
        (welcome,) = await setup.telegram.wait_for_messages(7, 1)
    assert "رضا نوری" in welcome.plain
    assert not is_kept_somewhere(setup, code)


async def test_in_a_group_a_code_links_nobody_and_is_hidden(setup: Setup) -> None:
    code = invited(setup)
    setup.set_telegram(staff_group_id=GROUP)
    async with setup.running():
        reza = setup.telegram.user(7, "رضا")
        await setup.telegram.group_message(GROUP, reza, code)
        await setup.telegram.group_message(GROUP - 1, reza, code)
        await setup.all_finished(rows=2)
    assert setup.read(lambda session: session.query(StaffAccount).count()) == 0
    assert setup.telegram.messages() == []
    assert not is_kept_somewhere(setup, code)


async def test_where_a_person_has_taken_over_a_code_still_links(setup: Setup) -> None:
    code = invited(setup)
    reza = setup.telegram.user(7, "رضا")
    async with setup.running():
        await setup.telegram.send_text(reza, "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        setup.write(lambda session: setattr(session.get(Conversation, 1), "owner", "human"))
        await setup.telegram.send_text(reza, code)
        await setup.telegram.wait_for_messages(7, 2)
    assert setup.read(lambda session: staff_of(session, identity_id=1)) is not None


async def test_the_dialogue_is_told_that_staff_write_until_they_are_disabled(setup: Setup) -> None:
    def audiences() -> list[str]:
        return [turn["metadata"]["audience"] for turn in setup.rasa.turns]

    offer: list[dict[str, Any]] = [{"text": "?", "buttons": [{"title": "کارهایم", "payload": "/help"}]}]
    setup.rasa.on_turn = lambda turn: offer
    code = invited(setup)
    reza = setup.telegram.user(7, "رضا")
    async with setup.running():
        await setup.telegram.send_text(reza, "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.telegram.send_text(reza, code)
        await setup.telegram.wait_for_messages(7, 2)
        update = await setup.telegram.send_text(reza, "کارهای امروز")
        sent = await setup.telegram.wait_for_messages(7, 3)
        await setup.telegram.press(reza, sent[2], "کارهایم")
        await setup.telegram.wait_for_messages(7, 4)
        await setup.telegram.edit_text(reza, setup.telegram.message_id_of(update), "کارهای فردا")
        await setup.all_finished(rows=5)
        setup.write(lambda session: disable(session, staff_id=1))
        await setup.telegram.send_text(reza, "کارهای امروز")
        await setup.telegram.wait_for_messages(7, 5)
    assert audiences()[0] == "customer"
    assert set(audiences()[1:-1]) == {"staff"}
    assert audiences()[-1] == "customer"


async def test_an_account_moves_to_another_member_with_their_code(setup: Setup) -> None:
    reza = setup.telegram.user(7, "رضا")
    async with setup.running():
        await setup.telegram.send_text(reza, invited(setup))
        await setup.telegram.wait_for_messages(7, 1)
        await setup.telegram.send_text(reza, invited(setup, "سارا محمدی", "supervisor"))
        second = (await setup.telegram.wait_for_messages(7, 2))[1]
        await setup.telegram.send_text(reza, setup.write(lambda s: invite_again(s, staff_id=1)[1]))
        await setup.telegram.wait_for_messages(7, 3)
    assert "سرپرست" in second.plain
    assert setup.read(lambda session: session.query(StaffAccount.staff_id).all()) == [(1,)]
