"""A joining of two records that was a mistake is taken back: each has again what was theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.business.loyalty import ReferralRules
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.finding import find
from crm_store.customers.linking import link_by_proof
from crm_store.customers.merging import merge
from crm_store.customers.models import JOINED, OPEN, ContactPoint, Customer, LinkConflict
from crm_store.customers.service import add_phone
from crm_store.customers.settling import settle
from crm_store.customers.unmerging import joinings, undo_merge
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.handoff.models import ASKED, ENDED, Handoff
from crm_store.loyalty import earning, ledger, referrals
from crm_store.loyalty.balance import balance_of, lots_of
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.models import REWARDED, TAKEN_BACK, Referral
from crm_store.loyalty.proof import prove
from crm_store.privacy.service import request_erasure
from crm_store.staff.models import StaffFocus
from crm_store.staff.notes import add_note, notes_of
from tests.factories import a_complaint, a_conversation, a_member, an_inbox_id
from tests.factories.club import club, give
from tests.factories.purchases import a_purchase

SOON = timedelta(days=30)
LATER = utcnow() + timedelta(days=700)


def two(session: Session) -> tuple[Conversation, Conversation]:
    """Two customers with a chat each, by whom everything is known twice."""
    chats = a_conversation(session), a_conversation(session)
    for chat, name in zip(chats, ("مینا زرین", "مینو زرین"), strict=True):
        session.get_one(Customer, customer_of(chat)).full_name = name
        add_phone(session, customer_id=customer_of(chat), phone="09121234567")
    session.flush()
    return chats


def joined(session: Session) -> tuple[int, int, Conversation, Conversation]:
    """Ids of the record that stays and of the one that was joined to it, and their chats."""
    one, other = two(session)
    into_id, from_id = customer_of(one), customer_of(other)
    merge(session, into_id=into_id, from_id=from_id, actor="staff:1")
    return into_id, from_id, one, other


def test_what_was_moved_goes_back(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        into_id, from_id = customer_of(one), customer_of(other)
        agent = a_member(session)
        complaint = a_complaint(session, other)
        add_phone(session, customer_id=from_id, phone="09351112233")
        note = add_note(session, customer_id=from_id, staff=agent, text="صبح‌ها خواب است")
        session.add(StaffFocus(conversation_id=one.id, staff_id=agent.id, customer_id=from_id))
        session.get_one(Customer, from_id).address = "کوچهٔ نسترن"
        session.flush()
        kept = session.scalars(select(Activity.id).where(Activity.customer_id == from_id)).all()
        merge(session, into_id=into_id, from_id=from_id, actor="staff:1")
        assert session.get_one(Customer, into_id).address == "کوچهٔ نسترن"

        assert undo_merge(session, actor="staff:2", from_id=from_id) == from_id

        session.expire_all()
        assert customer_of(other) == from_id
        assert customer_of(one) == into_id
        assert session.get_one(Complaint, complaint.id).customer_id == from_id
        assert [point.value for point in session.get_one(Customer, into_id).contact_points] == [
            "+989121234567"
        ]
        assert len(session.get_one(Customer, from_id).contact_points) == 2
        assert notes_of(session, customer_id=from_id) == [note]
        assert session.get_one(StaffFocus, one.id).customer_id == from_id
        assert session.get_one(Customer, into_id).address == ""
        assert session.get_one(Customer, from_id).merged_into_id is None
        own = session.scalars(select(Activity.id).where(Activity.customer_id == from_id)).all()
        assert set(kept) < set(own)
        assert [one.name for one in find(session, text="مینا")] == ["مینا زرین", "مینو زرین"]
        assert find(session, text="مینو زرین")[0].customer_id == from_id


def test_what_referred_to_a_number_that_both_have_refers_to_ones_own_again(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        complaint = a_complaint(session, other)
        own = session.query(ContactPoint).filter_by(customer_id=customer_of(other)).one()
        complaint.contact_point_id = own.id
        session.flush()
        from_id = customer_of(other)
        merge(session, into_id=customer_of(one), from_id=from_id, actor="operator")
        assert session.get_one(Complaint, complaint.id).contact_point_id != own.id
        undo_merge(session, actor="operator", from_id=from_id)
        session.expire_all()
        assert session.get_one(Complaint, complaint.id).contact_point_id == own.id


def test_what_came_since_by_the_accounts_that_go_back_goes_with_them(database: Database) -> None:
    with database.write() as session:
        into_id, from_id, one, other = joined(session)
        of_into, of_from = a_complaint(session, one), a_complaint(session, other)
        assert of_from.customer_id == into_id
        undo_merge(session, actor="operator", from_id=from_id)
        session.expire_all()
        assert (of_into.customer_id, of_from.customer_id) == (into_id, from_id)
        about = select(Activity.customer_id).where(Activity.subject_id == of_from.id)
        assert set(session.scalars(about.where(Activity.subject_type == "complaint"))) == {from_id}
        entry = session.query(AuditEntry).filter_by(action="customer.unmerge").one()
        assert entry.detail["came_since"]["complaints"] == 1


def test_hand_overs_go_along_and_back_with_the_conversation_in_which_they_are(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        into_id, from_id = customer_of(one), customer_of(other)
        before = a_hand_over(session, other)
        merge(session, into_id=into_id, from_id=from_id, actor="operator")
        session.expire_all()
        assert session.get_one(Handoff, before).customer_id == into_id
        session.get_one(Handoff, before).state = ENDED
        session.flush()
        since, of_into = a_hand_over(session, other), a_hand_over(session, one)
        undo_merge(session, actor="operator", from_id=from_id)
        session.expire_all()
        owners = [session.get_one(Handoff, number).customer_id for number in (before, since, of_into)]
        assert owners == [from_id, from_id, into_id]
        assert {row.conversation_id for row in session.query(Handoff).filter_by(customer_id=from_id)} == {
            other.id
        }


def a_hand_over(session: Session, chat: Conversation) -> int:
    handoff = Handoff(conversation_id=chat.id, customer_id=customer_of(chat), reason=ASKED)
    session.add(handoff)
    session.flush()
    return handoff.id


def test_a_field_that_was_changed_since_stays(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        into_id, from_id = customer_of(one), customer_of(other)
        session.get_one(Customer, from_id).address = "کوچهٔ نسترن"
        session.flush()
        merge(session, into_id=into_id, from_id=from_id, actor="operator")
        session.get_one(Customer, into_id).address = "خیابان چنار"
        session.flush()
        undo_merge(session, actor="operator", from_id=from_id)
        assert session.get_one(Customer, into_id, populate_existing=True).address == "خیابان چنار"


def test_a_proof_goes_back_with_the_account_that_gave_it_and_a_dispute_is_open_again(
    database: Database,
) -> None:
    with database.write() as session:
        one, other = a_conversation(session), a_conversation(session)
        for chat in (one, other):
            link_by_proof(
                session,
                identity_id=chat.identity_id or 0,
                phone="09121234567",
                inbox_id=an_inbox_id(session, chat),
            )
        conflict = session.query(LinkConflict).one()
        settle(session, conflict_id=conflict.id, decision=JOINED, actor="staff:1")
        into_id = customer_of(one)
        session.expire_all()
        assert customer_of(other) == into_id
        undo_merge(session, actor="staff:1", audit_id=joinings(session, customer_id=into_id)[0].id)
        session.expire_all()
        assert session.get_one(LinkConflict, conflict.id).state == OPEN
        (point,) = session.query(ContactPoint).filter_by(customer_id=into_id)
        assert point.proven_by_id == one.identity_id


def test_points_stay_with_the_accounts_on_which_they_are(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        for number, chat in enumerate((one, other), 1):
            give(session, customer_of(chat), 100 * number, expires_at=LATER)
        into_id, from_id = customer_of(one), customer_of(other)
        merge(session, into_id=into_id, from_id=from_id, actor="operator")
        assert balance_of(session, customer_id=into_id, soon=SOON).points == 300
        undo_merge(session, actor="operator", from_id=from_id)
        assert balance_of(session, customer_id=into_id, soon=SOON).points == 100
        assert balance_of(session, customer_id=from_id, soon=SOON).points == 200
    assert prove(database).faults == []


def test_a_referral_of_two_who_are_two_after_all_counts_again(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        referral = Referral(referrer_id=customer_of(one), friend_id=customer_of(other), state=REWARDED)
        session.add(referral)
        session.flush()
        from_id = customer_of(other)
        merge(session, into_id=customer_of(one), from_id=from_id, actor="operator")
        assert session.get_one(Referral, referral.id, populate_existing=True).state == TAKEN_BACK
        undo_merge(session, actor="operator", from_id=from_id)
        session.expire_all()
        assert (referral.state, referral.reason) == (REWARDED, "")
        assert (referral.referrer_id, referral.friend_id) == (customer_of(one), from_id)


def owe(session: Session, customer_id: int, points: int) -> None:
    """Somebody sends back what brought points that are spent already."""
    earned = give(session, customer_id, points, expires_at=LATER)
    by: dict[str, Any] = {"cause": "test", "actor": "system", "customer_id": customer_id, "points": points}
    ledger.spend(session, key=f"spent:{earned.id}", **by)
    ledger.take_back(session, key=f"back:{earned.id}", earned=earned, base=0, **by)


def has(session: Session, *customer_ids: int) -> list[tuple[int, int]]:
    """Points and debt of some customers."""
    held = [balance_of(session, customer_id=one, soon=SOON) for one in customer_ids]
    return [(one.points, one.debt) for one in held]


def test_a_debt_that_the_others_points_settled_is_owed_again_by_whoever_owed_it(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        into_id, from_id = customer_of(one), customer_of(other)
        give(session, into_id, 50, expires_at=LATER)
        owe(session, from_id, 30)
        for _ in range(2):
            merge(session, into_id=into_id, from_id=from_id, actor="operator")
            assert has(session, into_id) == [(20, 0)]
            undo_merge(session, actor="operator", from_id=from_id)
            assert has(session, into_id, from_id) == [(50, 0), (0, 30)]
    assert prove(database).faults == []


def test_what_was_spent_while_two_were_one_is_not_given_back_with_a_settled_debt(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        into_id, from_id = customer_of(one), customer_of(other)
        owe(session, into_id, 30)
        given = give(session, from_id, 50, expires_at=LATER)
        merge(session, into_id=into_id, from_id=from_id, actor="operator")
        by: dict[str, Any] = {"cause": "test", "actor": "system", "customer_id": into_id}
        ledger.spend(session, points=20, key="s", **by)
        ledger.take_back(session, earned=given, points=40, base=0, key="r", **by)
        assert has(session, into_id) == [(0, 40)]
        undo_merge(session, actor="operator", from_id=from_id)
        assert has(session, into_id, from_id) == [(0, 30), (0, 10)]
    assert prove(database).faults == []


def test_points_that_came_since_settle_what_is_owed_again(database: Database) -> None:
    with database.write() as session:
        one, other = two(session)
        into_id, from_id = customer_of(one), customer_of(other)
        owe(session, into_id, 30)
        give(session, from_id, 50, expires_at=LATER)
        merge(session, into_id=into_id, from_id=from_id, actor="operator")
        give(session, into_id, 40, expires_at=LATER)
        undo_merge(session, actor="operator", from_id=from_id)
        assert has(session, into_id, from_id) == [(10, 0), (50, 0)]
    assert prove(database).faults == []


def test_of_three_joined_records_the_one_that_goes_takes_its_debt_along(database: Database) -> None:
    with database.write() as session:
        first, second, third = (customer_of(a_conversation(session)) for _ in range(3))
        give(session, first, 30, expires_at=LATER)
        owe(session, second, 100)
        give(session, third, 50, expires_at=LATER)
        for joined_id in (second, third):
            merge(session, into_id=first, from_id=joined_id, actor="operator")
        assert has(session, first) == [(0, 20)]
        undo_merge(session, actor="operator", from_id=second)
        assert has(session, first, second) == [(80, 0), (0, 100)]
        undo_merge(session, actor="operator", from_id=third)
        assert has(session, first, second, third) == [(30, 0), (0, 100), (50, 0)]
    assert prove(database).faults == []


@pytest.mark.parametrize(("owed", "reward"), [(60, 50), (60, 100), (0, 100)])
def test_a_reward_that_settled_a_debt_comes_back_whole_however_often_records_are_joined_by_mistake(
    database: Database, owed: int, reward: int
) -> None:
    rules = club(referral=ReferralRules(referrer_points=reward, friend_points=10, yearly_limit=5))
    with database.write() as session:
        referrer, friend = (customer_of(a_conversation(session)) for _ in range(2))
        if owed:
            owe(session, referrer, owed)
        code = referrals.code_of(session, customer_id=referrer)
        referral = referrals.enter_code(session, customer_id=friend, code=code, rules=rules)
        purchase = a_purchase(session, customer_id=friend, paid_at=utcnow(), tomans=200_000)
        earning.earn_for_purchase(session, purchase=purchase, rules=rules)
        before = has(session, referrer, friend)
        assert before[0] == (max(0, reward - owed), max(0, owed - reward))
        for _ in range(2):
            merge(session, into_id=referrer, from_id=friend, actor="operator")
            (one,) = has(session, referrer)
            assert one[0] - one[1] == 20 - owed, "nobody is their own friend"
            undo_merge(session, actor="operator", from_id=friend)
            assert has(session, referrer, friend) == before
            assert session.get_one(Referral, referral.id, populate_existing=True).state == REWARDED
        give(session, referrer, 1, expires_at=LATER)
        ends = {lot.expires_at for lot in lots_of(session, customer_id=friend)}
        assert ends == {expiry_of(purchase.paid_at, rules)}
    assert prove(database).faults == []


def test_what_comes_back_of_a_reward_that_settled_a_debt_lapses_when_the_reward_would_have(
    database: Database,
) -> None:
    rules = club(referral=ReferralRules(referrer_points=50, yearly_limit=5))
    with database.write() as session:
        referrer, friend = (customer_of(a_conversation(session)) for _ in range(2))
        owe(session, referrer, 60)
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(session, customer_id=friend, code=code, rules=rules)
        purchase = a_purchase(session, customer_id=friend, paid_at=utcnow(), tomans=200_000)
        earning.earn_for_purchase(session, purchase=purchase, rules=rules)
        merge(session, into_id=referrer, from_id=friend, actor="operator")
        give(session, referrer, 100, expires_at=LATER)
        undo_merge(session, actor="operator", from_id=friend)
        reward = [lot for lot in lots_of(session, customer_id=referrer) if lot.expires_at != LATER]
        assert [lot.expires_at for lot in reward] == [expiry_of(purchase.paid_at, rules)]


def test_a_joining_can_be_undone_once_and_made_anew(database: Database) -> None:
    with database.write() as session:
        into_id, from_id, _, _ = joined(session)
        (entry,) = joinings(session, customer_id=into_id)
        undo_merge(session, actor="operator", audit_id=entry.id)
        assert joinings(session, customer_id=into_id) == []
        with pytest.raises(InvalidTransition):
            undo_merge(session, actor="operator", audit_id=entry.id)
        with pytest.raises(InvalidTransition):
            undo_merge(session, actor="operator", from_id=from_id)
        merge(session, into_id=into_id, from_id=from_id, actor="operator")
        with pytest.raises(InvalidTransition):
            undo_merge(session, actor="operator", audit_id=entry.id)
        assert undo_merge(session, actor="operator", from_id=from_id) == from_id


def test_of_a_chain_the_last_joining_is_undone_first(database: Database) -> None:
    with database.write() as session:
        into_id, from_id, _, _ = joined(session)
        third = customer_of(a_conversation(session))
        merge(session, into_id=third, from_id=into_id, actor="operator")
        with pytest.raises(InvalidTransition):
            undo_merge(session, actor="operator", from_id=from_id)
        undo_merge(session, actor="operator", from_id=into_id)
        assert undo_merge(session, actor="operator", from_id=from_id) == from_id


def test_nobody_who_is_forgotten_or_wants_to_be_is_parted(database: Database) -> None:
    with database.write() as session:
        _, from_id, one, _ = joined(session)
        request_erasure(session, conversation_id=one.id, inbox_id=an_inbox_id(session, one))
        with pytest.raises(InvalidInput):
            undo_merge(session, actor="operator", from_id=from_id)


def test_a_joining_of_which_the_trail_tells_no_more_stays(database: Database) -> None:
    with database.write() as session:
        into_id, from_id, _, _ = joined(session)
        for entry in joinings(session, customer_id=into_id):
            session.delete(entry)
        session.flush()
        with pytest.raises(NotFound):
            undo_merge(session, actor="operator", from_id=from_id)
        with pytest.raises(NotFound):
            undo_merge(session, actor="operator", audit_id=4711)
        with pytest.raises(NotFound):
            undo_merge(session, actor="operator", from_id=4711)
