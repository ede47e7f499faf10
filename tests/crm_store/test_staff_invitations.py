"""One-time codes link chat accounts of staff; who was disabled is let in no more."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import AuditEntry
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import open_conversation
from crm_store.customers.service import mark_blocked
from crm_store.db import Database
from crm_store.errors import InvalidInput, LinkRefused, LoginRefused, NotFound
from crm_store.outbox import OutboxItem
from crm_store.persian import to_persian_digits
from crm_store.staff import service as console
from crm_store.staff.accounts import disable, members, staff_in, staff_of
from crm_store.staff.invitations import (
    TRIES,
    VALID_FOR,
    invite,
    invite_again,
    looks_like_invitation,
    redeem,
    without_invitations,
)
from crm_store.staff.models import StaffAccount, StaffInvitation, StaffMember
from crm_store.staff.telling import tell_groups, tell_member, tell_role
from tests.factories import a_conversation

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=timezone.utc)
GROUP = "-100"


def account(conversation: Conversation) -> int:
    assert conversation.identity_id is not None
    return conversation.identity_id


def a_technician(session: Session, *, name: str = "رضا نوری", role: str = "technician") -> tuple[int, str]:
    member, code = invite(session, name=name, role=role, skills=["برق"], areas=["تهران"], now=NOW)
    return member.id, code


def linked(session: Session, *, role: str = "technician") -> tuple[int, Conversation]:
    """A member of staff with an account."""
    conversation = a_conversation(session)
    staff_id, code = a_technician(session, role=role)
    redeem(session, identity_id=account(conversation), code=code, now=NOW)
    return staff_id, conversation


def refused(session: Session, conversation: Conversation, code: str, *, now: datetime = NOW) -> bool:
    try:
        redeem(session, identity_id=account(conversation), code=code, now=now)
    except LinkRefused as error:
        return str(error) == "this code does not fit"  # whatever the reason
    return False


def actions(session: Session) -> list[tuple[str, str, str]]:
    session.flush()
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.action, entry.actor, entry.target_id) for entry in entries]


def notices(session: Session) -> list[tuple[int, str]]:
    session.flush()
    return [
        (row.conversation_id, row.content["response"])
        for row in session.scalars(select(OutboxItem).order_by(OutboxItem.id))
    ]


def test_a_code_links_the_account_that_sends_it(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        staff_id, code = a_technician(session)
        assert staff_in(session, conversation_id=conversation.id) is None
        member = redeem(session, identity_id=account(conversation), code=code, now=NOW)
        assert (member.id, member.name, member.role, member.login) == (
            staff_id,
            "رضا نوری",
            "technician",
            None,
        )
        assert (member.skills, member.areas) == (["برق"], ["تهران"])
        assert staff_in(session, conversation_id=conversation.id) is member
        assert staff_of(session, identity_id=account(conversation)) is member
        assert staff_of(session, identity_id=account(a_conversation(session))) is None
        assert actions(session) == [
            ("staff.created", "operator", str(staff_id)),
            ("staff.invited", "operator", str(staff_id)),
            ("staff.account_linked", f"staff:{staff_id}", str(staff_id)),
        ]


def test_of_a_code_only_a_hash_is_kept(database: Database) -> None:
    with database.write() as session:
        _, code = a_technician(session)
        kept = session.scalars(select(StaffInvitation)).one()
        symbols = code.replace("-", "").removeprefix("PYV")
        assert len(symbols) == 32
        assert not set(symbols) & set("AEIOUL")
        assert kept.lookup == symbols[:5]
        assert len(kept.code_hash) == 64
        assert symbols[5:] not in str(vars(kept))
        assert code != a_technician(session)[1]


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.lower(),
        lambda code: f"/start {code}",
        lambda code: code.replace("-", " "),
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " – "),
        lambda code: f"کد من: \u2068{to_persian_digits(code)}\u2069 سلام",
        lambda code: code.replace("-", "\u200c-\n"),
        lambda code: code.replace("0", "O").replace("1", "l"),
    ],
)
def test_a_code_is_read_however_it_is_typed(sqlite_database: Database, typed: Any) -> None:
    with sqlite_database.write() as session:
        conversation = a_conversation(session)
        _, code = a_technician(session)
        assert looks_like_invitation(typed(code))
        assert not refused(session, conversation, typed(code))


@pytest.mark.parametrize(
    "text",
    ["", "سلام", "PYV", "pyv-1234", "کد پیگیری ۱۲۳۴۵۶۷۹", "/start", "/start friend42", "ORD-1234-5678-9012"],
)
def test_what_is_no_code_is_left_alone(text: str) -> None:
    assert not looks_like_invitation(text)
    assert without_invitations(text) == text


def test_codes_are_taken_out_of_a_text_and_nothing_else(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        codes = [a_technician(session)[1] for _ in range(2)]
    text = f"/start {codes[0]} سلام \u200cو {to_persian_digits(codes[1].lower())}"
    hidden = without_invitations(text)
    assert hidden == "/start PYV-*** سلام \u200cو PYV-***"
    assert not looks_like_invitation(hidden)
    assert without_invitations(codes[0][:-6]) == "PYV-***"  # one that lost its end when it was copied


def test_a_code_works_once(database: Database) -> None:
    with database.write() as session:
        first, second = a_conversation(session), a_conversation(session)
        staff_id, code = a_technician(session)
        assert not refused(session, first, code)
        assert refused(session, second, code)
        assert refused(session, first, code)
        assert staff_in(session, conversation_id=second.id) is None
        assert actions(session)[-1] == ("staff.link_refused", "system", str(staff_id))


def test_a_code_works_for_ten_minutes(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        _, code = a_technician(session)
        assert refused(session, conversation, code, now=NOW + VALID_FOR)
        assert not refused(session, conversation, code, now=NOW + VALID_FOR - timedelta(seconds=1))


def test_after_five_wrong_tries_the_right_code_is_of_no_use_either(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        _, code = a_technician(session)
        wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for _ in range(TRIES):
        with database.write() as session:
            assert refused(session, conversation, wrong)
    with database.write() as session:
        assert refused(session, conversation, code)
        assert [action for action, _, _ in actions(session)].count("staff.link_refused") == TRIES + 1


def test_a_code_that_nobody_was_given_is_refused_and_audited_without_it(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        assert refused(session, conversation, "PYV" + "-2345" * 8)
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.target_id) == ("staff.link_refused", "")
        assert entry.detail == {"identity": account(conversation)}


def test_an_account_moves_to_another_member_with_a_right_code_alone(database: Database) -> None:
    with database.write() as session:
        former, conversation = linked(session)
        newer, code = a_technician(session, name="سارا محمدی", role="agent")
        assert refused(session, conversation, "PYV" + "-2345" * 8)
        assert staff_of(session, identity_id=account(conversation)).id == former  # type: ignore[union-attr]
        assert not refused(session, conversation, code)
        assert staff_of(session, identity_id=account(conversation)).id == newer  # type: ignore[union-attr]
        assert len(session.scalars(select(StaffAccount)).all()) == 1
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert entry.detail == {"identity": account(conversation), "moved_from": former}


def test_a_new_code_ends_the_former_one(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        staff_id, former = a_technician(session)
        member, code = invite_again(session, staff_id=staff_id, now=NOW)
        assert member.id == staff_id
        assert refused(session, conversation, former)
        assert not refused(session, conversation, code)


def test_a_member_may_have_an_account_on_each_messenger(database: Database) -> None:
    with database.write() as session:
        staff_id, telegram = linked(session)
        bale = a_conversation(session, channel="bale")
        _, code = invite_again(session, staff_id=staff_id, now=NOW + VALID_FOR)
        redeem(session, identity_id=account(bale), code=code, now=NOW + VALID_FOR)
        assert {staff_in(session, conversation_id=one.id).id for one in (telegram, bale)} == {staff_id}  # type: ignore[union-attr]
        assert tell_member(session, staff_id=staff_id, response="utter_x", key="k")
        assert notices(session) == [(bale.id, "utter_x")]


@pytest.mark.parametrize(("name", "role"), [("رضا", "boss"), ("  ", "agent"), ("ر" * 201, "agent")])
def test_a_strange_role_or_name_is_refused(sqlite_database: Database, name: str, role: str) -> None:
    with sqlite_database.write() as session, pytest.raises(InvalidInput):
        invite(session, name=name, role=role)


def test_who_was_disabled_is_let_in_no_more_anywhere(database: Database) -> None:
    with database.write() as session:
        console.ensure_first_admin(session)
        staff_id, conversation = linked(session)
        token = console.open_session(session, staff_id=staff_id)
        _, code = invite_again(session, staff_id=staff_id, now=NOW)
        disable(session, staff_id=staff_id, now=NOW)
        disable(session, staff_id=staff_id, now=NOW)
        assert staff_in(session, conversation_id=conversation.id) is None
        assert staff_of(session, identity_id=account(conversation)) is None
        assert console.find_session(session, token=token) is None
        assert refused(session, a_conversation(session), code)
        assert not tell_member(session, staff_id=staff_id, response="utter_x", key="k")
        assert tell_role(session, role="technician", response="utter_x", key="k") == 0
        with pytest.raises(InvalidInput, match="disabled"):
            invite_again(session, staff_id=staff_id)
        assert [action for action, _, _ in actions(session)].count("staff.disabled") == 1


def test_the_only_admin_of_the_console_cannot_be_disabled(database: Database) -> None:
    with database.write() as session:
        console.ensure_first_admin(session)
        invite(session, name="مدیر", role="admin")  # cannot log in
        with pytest.raises(InvalidInput, match="only admin"):
            disable(session, staff_id=1)
        with pytest.raises(NotFound):
            disable(session, staff_id=99)


def test_somebody_without_a_login_neither_logs_in_nor_stands_in_the_first_admins_way(
    database: Database,
) -> None:
    with database.write() as session:
        staff_id, _ = a_technician(session)
        assert console.ensure_first_admin(session) is not None
        assert [member.login for member in members(session)] == [None, "admin"]
        for login in ("", "None", "none"):
            checked = console.check_password(session, login=login, password="")
            with pytest.raises(LoginRefused):
                console.admit(session, checked)
        token = console.open_session(session, staff_id=staff_id)
        assert console.find_session(session, token=token) is session.get(StaffMember, staff_id)


def test_a_login_without_a_password_is_refused_as_any_other(database: Database) -> None:
    with database.write() as session:
        session.add(StaffMember(login="sara", name="سارا", role="agent"))
        session.flush()
        assert not console.check_password(session, login="sara", password="").fits


def test_a_role_is_told_each_once_and_the_unreachable_are_not_counted(database: Database) -> None:
    with database.write() as session:
        chats = [linked(session, role="supervisor")[1] for _ in range(3)]
        a_technician(session, name="بی‌حساب", role="supervisor")
        linked(session, role="agent")
        mark_blocked(session, channel="telegram", external_id=chats[2].chat_id)
        for _ in range(2):
            assert tell_role(session, role="supervisor", response="utter_x", key="breach:1") == 2
        assert notices(session) == [(chats[0].id, "utter_x"), (chats[1].id, "utter_x")]


def test_groups_are_told_each_once_if_the_bot_is_in_them(database: Database) -> None:
    with database.write() as session:
        groups = [
            open_conversation(session, channel=channel, chat_id=GROUP, identity=None)
            for channel in ("telegram", "bale")
        ]
        places = [("telegram", GROUP), ("bale", GROUP), ("telegram", "-200")]
        for _ in range(2):
            assert tell_groups(session, groups=places, response="utter_x", key="k") == 2
        assert notices(session) == [(group.id, "utter_x") for group in groups]
        keys = session.scalars(select(OutboxItem.idempotency_key).order_by(OutboxItem.id)).all()
        assert keys == ["k", "k:bale"]
