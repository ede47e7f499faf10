"""What points buy: each thing once, each code once, and points that find their way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import func, select

from crm_store.activity import timeline
from crm_store.business.loyalty import Reward
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import (
    InvalidInput,
    InvalidTransition,
    LimitReached,
    NotAllowed,
    NotEnoughPoints,
    NotFound,
    RewardGone,
    TooLate,
)
from crm_store.jobs.service import run_due, schedule
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.code_endings import came_back
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.jobs import handlers
from crm_store.loyalty.models import (
    ACTIVE,
    CANCELLED,
    LAPSED,
    USED,
    LedgerPosting,
    LotMovement,
    PointLot,
    Redemption,
    RewardStock,
)
from crm_store.loyalty.redemptions import (
    cancel,
    catalogue,
    find,
    lapse_due,
    redeem,
    redemptions_of,
    use_code,
)
from crm_store.loyalty.referral_rewards import OF_CUSTOMER
from crm_store.persian import to_persian_digits
from tests.factories.club import MUG, NOW, a_club_member, club, give, points_of
from tests.factories.notices import notices_to, rendered, told

SHOP = "api:1"
CAP = Reward(key="cap", title="کلاه", points=50, per_customer=1, valid_days=0)
GOLD = Reward(key="gold", title="هدیهٔ طلایی", points=10, tiers=("طلایی",))
RULES = club(MUG, CAP, GOLD)


def taken(database: Database, reward: str) -> int:
    with database.read() as session:
        return session.scalar(select(RewardStock.taken).where(RewardStock.reward == reward)) or 0


def test_a_reward_costs_its_points_and_brings_a_code_that_holds_to_the_end_of_a_day(
    database: Database,
) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=130)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        assert points_of(session, customer) == 30
        assert (given.state, given.points, given.worth, given.title) == (ACTIVE, 100, 500_000, MUG.title)
        assert given.expires_at == datetime(2026, 12, 27, 23, 59, 59, tzinfo=ZoneInfo("Asia/Tehran"))
        posting = session.get_one(LedgerPosting, given.posting_id)
        assert (posting.points, posting.cause) == (-100, f"redemption:{given.id}")
        assert timeline(session, customer_id=customer)[0].kind == "loyalty.reward_taken"
        assert redemptions_of(session, customer_id=customer) == [given]
    assert taken(database, "mug") == 1


def test_the_same_message_again_gives_the_same_code_and_costs_nothing(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=500)
        other, _ = a_club_member(session, points=500)
        first = redeem(session, customer_id=customer, reward="cap", key="m:1", rules=RULES, now=NOW)
        again = redeem(session, customer_id=customer, reward="cap", key="m:1", rules=RULES, now=NOW)
        assert (again.id, points_of(session, customer)) == (first.id, 450)
        for who, reward in ((customer, "mug"), (other, "cap")):
            with pytest.raises(InvalidInput):
                redeem(session, customer_id=who, reward=reward, key="m:1", rules=RULES, now=NOW)


def test_what_is_refused_costs_nothing_even_for_those_who_go_on(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=99)
        with pytest.raises(NotEnoughPoints) as refused:
            redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        assert refused.value.missing == 1
        with pytest.raises(NotFound):
            redeem(session, customer_id=customer, reward="car", key="m:2", rules=RULES, now=NOW)
        with pytest.raises(NotAllowed):
            redeem(session, customer_id=customer, reward="gold", key="m:3", rules=RULES, now=NOW)
        redeem(session, customer_id=customer, reward="cap", key="m:4", rules=RULES, now=NOW)
        give(session, customer, 500)
        with pytest.raises(LimitReached):
            redeem(session, customer_id=customer, reward="cap", key="m:5", rules=RULES, now=NOW)
        redeem(session, customer_id=customer, reward="mug", key="m:6", rules=RULES, now=NOW)
        with pytest.raises(RewardGone):
            redeem(session, customer_id=customer, reward="mug", key="m:7", rules=RULES, now=NOW)
        assert points_of(session, customer) == 99 - 50 + 500 - 100
    assert (taken(database, "mug"), taken(database, "cap")) == (1, 1)


def test_nothing_can_be_had_while_there_is_no_club(database: Database) -> None:
    off = club(MUG)
    loyalty = msgspec.structs.replace(off.business.loyalty, tomans_per_point=0)
    off = type(off)(msgspec.structs.replace(off.business, loyalty=loyalty))
    with database.write() as session:
        customer, _ = a_club_member(session, points=500)
        assert catalogue(session, customer_id=customer, rules=off, now=NOW) == []
        with pytest.raises(NotFound):
            redeem(session, customer_id=customer, reward="mug", key="m:1", rules=off, now=NOW)


def test_the_catalogue_says_what_one_can_have_and_what_is_in_the_way(database: Database) -> None:
    pen = Reward(key="pen", title="خودکار", points=1_000)
    rules = club(MUG, CAP, GOLD, pen)
    with database.write() as session:
        customer, _ = a_club_member(session, points=200)
        offers = catalogue(session, customer_id=customer, rules=rules, now=NOW)
        assert [(one.reward.key, one.left, one.can, one.why) for one in offers] == [
            ("mug", 1, True, ""),
            ("cap", None, True, ""),
            ("gold", None, False, "tier"),
            ("pen", None, False, "points"),
        ]
        for key in ("mug", "cap"):
            redeem(session, customer_id=customer, reward=key, key=key, rules=rules, now=NOW)
        session.get_one(Customer, customer).tier = "طلایی"
        session.flush()
        offers = catalogue(session, customer_id=customer, rules=rules, now=NOW)
        assert [(one.left, one.why) for one in offers] == [
            (0, "stock"),
            (None, "limit"),
            (None, ""),
            (None, "points"),
        ]
        redeem(session, customer_id=customer, reward="gold", key="gold", rules=rules, now=NOW)


def test_a_code_is_taken_once_however_it_is_typed(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=100)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        typed = f" {to_persian_digits(grouped(given.code).lower())} "
        assert find(session, code=typed) is given
        used = use_code(session, code=typed, actor=SHOP, used_for="order-7", now=NOW)
        assert (used.state, used.used_by, used.used_for, used.used_at) == (USED, SHOP, "order-7", NOW)
        # The shop did not hear the answer and asks again.
        assert use_code(session, code=given.code, actor=SHOP, used_for="order-7", now=NOW) is used
        for actor, order in ((SHOP, "order-8"), (SHOP, ""), ("api:2", "order-7"), ("operator", "")):
            with pytest.raises(InvalidTransition):
                use_code(session, code=given.code, actor=actor, used_for=order, now=NOW)
        with pytest.raises(InvalidTransition):
            cancel(session, code=given.code, actor="operator", now=NOW)
        assert points_of(session, customer) == 0


@pytest.mark.parametrize("typed", ["", "x", "2222222222", "۰", "AAAAAAAAAA", "'; drop table redemptions"])
def test_a_code_that_nobody_has_is_not_found(database: Database, typed: str) -> None:
    with database.write() as session, pytest.raises(NotFound):
        use_code(session, code=typed, actor=SHOP, now=NOW)


def test_a_code_whose_time_is_over_is_not_taken_even_before_it_lapsed(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=100)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        assert given.expires_at is not None
        late = given.expires_at + timedelta(seconds=1)
        with pytest.raises(TooLate):
            use_code(session, code=given.code, actor=SHOP, now=late)
        lapse_due(session, rules=RULES, now=late)
        with pytest.raises(TooLate):
            use_code(session, code=given.code, actor=SHOP, now=late)


def lots_left(database: Database, customer_id: int) -> list[int]:
    """What is left of each lot of a customer's, in order of expiry."""
    with database.read() as session:
        account = ledger.account_of(session, customer_id=customer_id)
        rows = session.execute(
            select(func.sum(LotMovement.points))
            .join(PointLot, PointLot.id == LotMovement.lot_id)
            .where(PointLot.account_id == account.id)
            .group_by(PointLot.id, PointLot.expires_at)
            .order_by(PointLot.expires_at, PointLot.id)
        )
        return [int(row[0]) for row in rows]


def test_a_cancelled_code_gives_its_points_back_to_the_lots_they_came_from(database: Database) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session, points=60, expires_at=NOW + timedelta(days=10))
        give(session, customer, 70, expires_at=NOW + timedelta(days=90))
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
    assert lots_left(database, customer) == [0, 30]
    with database.write() as session:
        cancelled = cancel(session, redemption_id=given.id, customer_id=customer, actor="customer", now=NOW)
        assert cancelled.state == CANCELLED
        assert points_of(session, customer) == 130
        assert told(session, chat.id) == []  # the dialogue answers
        with pytest.raises(InvalidTransition):
            cancel(session, code=given.code, customer_id=customer, actor="customer", now=NOW)
        with pytest.raises(InvalidTransition):
            use_code(session, code=given.code, actor=SHOP, now=NOW)
        # Neither the stock nor the customer's own limit remembers it.
        redeem(session, customer_id=customer, reward="mug", key="m:2", rules=RULES, now=NOW)
    assert taken(database, "mug") == 1
    assert lots_left(database, customer) == [0, 30]


def test_what_is_owed_is_settled_before_points_come_back(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session)
        earned = give(session, customer, 100)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        ledger.take_back(
            session,
            customer_id=customer,
            earned=earned,
            points=40,
            base=0,
            cause="return:1",
            actor="system",
            key="return:1",
            now=NOW,
        )
        cancel(session, code=given.code, actor="customer", customer_id=customer, now=NOW)
        balance = balance_of(session, customer_id=customer, soon=timedelta(0), now=NOW)
        assert (balance.points, balance.debt) == (60, 0)


def test_nobody_cancels_somebody_elses_code(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=100)
        other, _ = a_club_member(session, points=100)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        for named in ({"redemption_id": given.id}, {"code": given.code}, {"redemption_id": 999}):
            with pytest.raises(NotFound):
                cancel(session, **named, customer_id=other, actor="customer", now=NOW)  # type: ignore[arg-type]
        assert given.state == ACTIVE


def test_a_customer_hears_of_a_code_that_the_shop_cancelled(database: Database) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session, points=100)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        cancel(session, code=given.code, actor="operator", now=NOW)
        assert told(session, chat.id) == ["utter_reward_cancelled"]
        assert MUG.title in rendered(notices_to(session, chat.id)[0]).text


def test_an_unused_code_lapses_gives_its_points_back_and_tells_so_once(database: Database) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session, points=160)
        lasting = redeem(session, customer_id=customer, reward="cap", key="m:1", rules=RULES, now=NOW)
        given = redeem(session, customer_id=customer, reward="mug", key="m:2", rules=RULES, now=NOW)
        assert lasting.expires_at is None
        assert given.expires_at is not None
        assert lapse_due(session, rules=RULES, now=given.expires_at - timedelta(seconds=1)) == 0
        late = given.expires_at
        assert [lapse_due(session, rules=RULES, now=late) for _ in range(2)] == [1, 0]
        assert (given.state, lasting.state) == (LAPSED, ACTIVE)
        assert points_of(session, customer, now=late) == 110
        assert told(session, chat.id) == ["utter_reward_lapsed"]
        assert to_persian_digits(100) in rendered(notices_to(session, chat.id)[0]).text
    assert taken(database, "mug") == 0


LATE = NOW + timedelta(days=40)


@pytest.mark.parametrize(("gone", "wording"), [(60, "_part"), (100, "_none")])
@pytest.mark.parametrize("ends", ["lapsed", "cancelled"])
def test_who_hears_of_an_unused_code_hears_what_of_its_points_is_there_again_and_hears_it_once(
    database: Database, ends: str, gone: int, wording: str
) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session, points=gone, expires_at=NOW + timedelta(days=10))
        give(session, customer, 107 - gone)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        if ends == "lapsed":
            lapse_due(session, rules=RULES, now=LATE)
        else:
            cancel(session, code=given.code, actor="operator", now=LATE)
        assert came_back(session, given) == 100 - gone
        assert points_of(session, customer, now=LATE) == 107 - gone
        assert told(session, chat.id) == [f"utter_reward_{ends}{wording}"]
        for turn in range(2):
            text = rendered(notices_to(session, chat.id)[0], turn).text
            assert MUG.title in text
            assert to_persian_digits(gone) in text
            assert (to_persian_digits(40) in text) == (gone == 60)
    night(database, customer)
    with database.read() as session:
        assert told(session, chat.id) == [f"utter_reward_{ends}{wording}"]
    assert lots_left(database, customer) == [0, 107 - gone]  # which was written off all the same


def test_who_gives_a_code_back_in_the_dialogue_hears_no_second_time_that_its_points_are_over(
    database: Database,
) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session, points=100, expires_at=NOW + timedelta(days=10))
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        cancel(session, code=given.code, customer_id=customer, actor="customer", now=LATE)
        assert came_back(session, given) == 0
    night(database, customer)
    with database.read() as session:
        assert told(session, chat.id) == []
    assert lots_left(database, customer) == [0]


def test_points_of_a_code_that_settle_what_is_owed_are_not_called_lost(database: Database) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session)
        earned = give(session, customer, 100, expires_at=NOW + timedelta(days=10))
        redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        by = {"cause": "return:1", "actor": "system", "key": "return:1", "now": NOW}
        ledger.take_back(session, customer_id=customer, earned=earned, points=100, base=0, **by)  # type: ignore[arg-type]
        lapse_due(session, rules=RULES, now=LATE)
        assert told(session, chat.id) == ["utter_reward_lapsed"]


def night(database: Database, customer_id: int) -> None:
    """The nightly look at one customer."""
    data = {"customer_id": customer_id}
    with database.write() as session:
        schedule(session, kind=OF_CUSTOMER, key="night", due_at=LATE, data=data)
    run_due(database, handlers(lambda: RULES), now=LATE)


def test_a_code_that_lapses_by_night_is_told_in_the_morning(database: Database) -> None:
    with database.write() as session:
        customer, chat = a_club_member(session, points=100)
        redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        night = (NOW + timedelta(days=40)).replace(hour=23, minute=0)  # 02:30 in Tehran
        assert lapse_due(session, rules=RULES, now=night) == 1
        (notice,) = notices_to(session, chat.id)
        assert notice.due_at == night + timedelta(hours=7, minutes=30)


def test_a_code_of_somebody_who_was_forgotten_lapses_without_points(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=100)
        given = redeem(session, customer_id=customer, reward="mug", key="m:1", rules=RULES, now=NOW)
        session.get_one(Customer, customer).erased_at = NOW
        session.flush()
        assert lapse_due(session, rules=RULES, now=NOW + timedelta(days=40)) == 1
        assert given.state == LAPSED
        assert session.scalar(select(func.count()).select_from(LedgerPosting)) == 2


def test_codes_follow_a_customer_who_turns_out_to_be_somebody_known(database: Database) -> None:
    with database.write() as session:
        customer, _ = a_club_member(session, points=50)
        known, _ = a_club_member(session)
        given = redeem(session, customer_id=customer, reward="cap", key="m:1", rules=RULES, now=NOW)
        merge(session, into_id=known, from_id=customer, actor="operator")
        assert [one.id for one in redemptions_of(session, customer_id=known)] == [given.id]
        give(session, known, 100)
        with pytest.raises(LimitReached):
            redeem(session, customer_id=known, reward="cap", key="m:2", rules=RULES, now=NOW)
        # The former record's dialogue goes on.
        cancel(session, redemption_id=given.id, customer_id=customer, actor="customer", now=NOW)
        assert points_of(session, known) == 150


def test_every_code_of_the_store_is_valid_and_its_own(database: Database) -> None:
    rules = club(Reward(key="pen", title="خودکار", points=1))
    with database.write() as session:
        customer, _ = a_club_member(session, points=100)
        codes = {
            redeem(session, customer_id=customer, reward="pen", key=f"m:{n}", rules=rules, now=NOW).code
            for n in range(100)
        }
        assert len(codes) == 100
        assert all(find(session, code=code).code == code for code in codes)
        assert session.scalar(select(func.count()).select_from(Redemption)) == 100
