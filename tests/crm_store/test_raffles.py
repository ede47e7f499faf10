"""A raffle from its opening to the prize: who may join, what is sealed for good, who hears what."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from crm_store.activity import timeline
from crm_store.base import utcnow
from crm_store.business.loyalty import Tier
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
    TooLate,
)
from crm_store.jobs.service import run_due
from crm_store.loyalty import raffle_telling
from crm_store.loyalty.codes import grouped, read_code
from crm_store.loyalty.models import CALLED_OFF, DRAWN, SEALED, Raffle, RaffleEntry
from crm_store.loyalty.raffle_draw import DRAND_CHAIN, faults_of, read_published
from crm_store.loyalty.raffle_sources import drand_source, index_source
from crm_store.loyalty.raffles import (
    call_off,
    chances_of,
    current_raffles,
    draw,
    find_raffle,
    join,
    past_winners,
    published,
    seal,
)
from crm_store.persian.dates import to_jalali_datetime_text
from crm_store.rules import Rules
from tests.factories.club import NOW, a_club_member, a_raffle, club, give, points_of
from tests.factories.notices import notices_to, rendered, told

RULES = club(tiers=(Tier(name="برنزی"), Tier(name="طلایی", from_points=100)))
DAY = timedelta(days=1)
CLOSED, VALUE_AT = NOW + DAY, NOW + 2 * DAY


def enter(session: Any, customer: int, raffle: Raffle, key: str, now: datetime = NOW) -> RaffleEntry:
    return join(session, customer_id=customer, raffle_id=raffle.id, key=key, rules=RULES, now=now)


def close(session: Any, raffle: Raffle, **fields: Any) -> Raffle:
    chosen = {"random_source": "شاخص کل", "random_at": VALUE_AT, "actor": "operator", "now": CLOSED}
    return seal(session, raffle=raffle, **{**chosen, "rules": RULES, **fields})


def a_sealed_raffle(
    session: Any, members: int = 4, *, rules: Rules = RULES, **fields: Any
) -> tuple[Raffle, list[Any]]:
    """A raffle that so many members have one chance in, with the numbers of customers and their chats."""
    raffle = a_raffle(session, rules=RULES, **fields)
    people = [a_club_member(session, points=100) for _ in range(members)]
    for customer, _ in people:
        enter(session, customer, raffle, f"join:{customer}")
    return close(session, raffle, rules=rules), people


def end(session: Any, raffle: Raffle, value: str = "2137474") -> Raffle:
    return draw(session, raffle=raffle, random_value=value, actor="operator", rules=RULES, now=VALUE_AT)


def test_the_chance_by_right_comes_first_and_others_cost_points(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES, by_right=["طلایی"], chances=2)
        gold, _ = a_club_member(session, points=25, tier="طلایی")
        chances = chances_of(session, customer_id=gold, raffle_id=raffle.id, now=NOW)
        assert (chances.own, chances.all, chances.can_join, chances.costs) == (0, 0, True, 0)
        first, second = (enter(session, gold, raffle, f"j:{number}") for number in range(2))
        assert (first.posting_id is None, second.posting_id is None) == (True, False)
        assert points_of(session, gold) == 15
        assert read_code(grouped(first.ticket)) == first.ticket
        with pytest.raises(LimitReached):
            enter(session, gold, raffle, "j:3")
        chances = chances_of(session, customer_id=gold, raffle_id=raffle.id, now=NOW)
        assert (chances.own, chances.all, chances.can_join) == (2, 2, False)
        bronze, _ = a_club_member(session, points=5, tier="برنزی")
        with pytest.raises(NotEnoughPoints):
            enter(session, bronze, raffle, "j:4")
        assert chances_of(session, customer_id=bronze, raffle_id=raffle.id, now=NOW).costs == 10


def test_where_chances_only_come_by_right_nobody_else_can_join(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES, points=0, by_right=["طلایی"])
        gold, _ = a_club_member(session, tier="طلایی")
        other, _ = a_club_member(session, points=500)
        enter(session, gold, raffle, "j:1")
        with pytest.raises(LimitReached):
            enter(session, gold, raffle, "j:2")
        with pytest.raises(NotAllowed):
            enter(session, other, raffle, "j:3")
        assert not chances_of(session, customer_id=other, raffle_id=raffle.id, now=NOW).can_join
        everybody = a_raffle(session, rules=RULES, points=0, by_right=["*"])
        stranger, _ = a_club_member(session)
        enter(session, other, everybody, "j:4")
        with pytest.raises(NotAllowed):
            enter(session, stranger, everybody, "j:5")


def test_the_same_message_again_gives_the_same_chance(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES)
        one, _ = a_club_member(session, points=100)
        other, _ = a_club_member(session, points=100)
        assert enter(session, one, raffle, "j:1") is enter(session, one, raffle, "j:1")
        assert points_of(session, one) == 90
        with pytest.raises(InvalidInput):
            enter(session, other, raffle, "j:1")


def test_nobody_joins_too_early_or_too_late(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES, opens_at=NOW + timedelta(hours=1))
        one, _ = a_club_member(session, points=100)
        for now in (NOW, CLOSED, CLOSED + DAY):
            with pytest.raises(TooLate):
                enter(session, one, raffle, "j:1", now=now)
        assert current_raffles(session, now=NOW) == []
        enter(session, one, raffle, "j:1", now=CLOSED - timedelta(seconds=1))
        close(session, raffle)
        assert current_raffles(session, now=CLOSED) == [raffle]
        with pytest.raises(TooLate):
            enter(session, one, raffle, "j:2", now=CLOSED - timedelta(seconds=1))
        end(session, raffle)
        assert current_raffles(session, now=VALUE_AT) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "No Key"},
        {"title": " "},
        {"winners": 0},
        {"chances": 0},
        {"points": 0},
        {"by_right": ["پلاتینیوم"]},
        {"closes_at": NOW},
        {"opens_at": NOW + 2 * DAY},
    ],
)
def test_an_impossible_raffle_is_not_opened(sqlite_database: Database, fields: dict[str, Any]) -> None:
    with sqlite_database.write() as session, pytest.raises(InvalidInput):
        a_raffle(session, rules=RULES, **fields)


def test_a_key_is_used_once(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        raffle = a_raffle(session, rules=RULES, key="yalda")
        assert find_raffle(session, key="yalda") is raffle
        with pytest.raises(InvalidInput):
            a_raffle(session, rules=RULES, key="yalda")
        with pytest.raises(NotFound):
            find_raffle(session, key="nowruz")


def test_a_list_is_sealed_once_after_it_closed_with_a_value_to_come(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES)
        with pytest.raises(InvalidInput, match="nobody joined"):
            close(session, raffle)
        one, _ = a_club_member(session, points=100)
        enter(session, one, raffle, "j:1")
        for wrong in (
            {"now": CLOSED - timedelta(seconds=1)},
            {"random_at": CLOSED},
            {"random_at": CLOSED + timedelta(minutes=9)},
            {"random_at": NOW},
            {"random_source": " "},
        ):
            with pytest.raises(InvalidInput):
                close(session, raffle, **wrong)
        close(session, raffle)
        assert raffle.state == SEALED
        with pytest.raises(InvalidTransition):
            close(session, raffle, random_source="یک منبع دیگر")


def test_everybody_in_the_list_is_told_the_hash_and_the_source_before_the_value(database: Database) -> None:
    with database.write() as session:
        raffle, people = a_sealed_raffle(session)
        for _, chat in people:
            assert told(session, chat.id) == ["utter_raffle_sealed"]
            said = rendered(notices_to(session, chat.id)[0]).text
            assert raffle.entries_hash in said
            assert "شاخص کل" in said
        file = read_published(published(session, raffle=raffle))
        assert (file.drawn, faults_of(file, known_hash=raffle.entries_hash)) == (None, [])


def test_the_moment_of_the_value_is_told_in_the_businesss_own_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raffle_telling, "AT_ONCE", 1)
    abroad = Rules(RULES.business, timezone="Europe/Berlin")
    with database.write() as session:
        _, people = a_sealed_raffle(session, members=2, rules=abroad)
    run_due(database, raffle_telling.handlers(lambda: abroad), now=CLOSED)
    with database.read() as session:
        for _, chat in people:
            (notice,) = notices_to(session, chat.id)
            assert notice.content["params"]["when"] == to_jalali_datetime_text(VALUE_AT, abroad.timezone)


NIGHT, MORNING = CLOSED.replace(hour=22), (CLOSED + DAY).replace(hour=6, minute=30)  # UTC; 01:30, 10:00 there


@pytest.mark.parametrize("leaves", [MORNING, NIGHT])
def test_the_hash_of_a_list_sealed_at_night_is_told_by_day_if_that_is_before_the_value(
    database: Database, leaves: datetime
) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES)
        customer, chat = a_club_member(session, points=100)
        enter(session, customer, raffle, "join")
        close(session, raffle, now=NIGHT, random_at=MORNING + (DAY if leaves == MORNING else timedelta()))
        assert notices_to(session, chat.id)[0].due_at == leaves


def test_what_came_of_a_raffle_wakes_nobody(database: Database) -> None:
    with database.write() as session:
        drawn, people = a_sealed_raffle(session)
        draw(
            session,
            raffle=drawn,
            random_value="1",
            actor="operator",
            rules=RULES,
            now=VALUE_AT.replace(hour=22),
        )
        off, others = a_sealed_raffle(session, key="other")
        call_off(session, raffle=off, actor="operator", rules=RULES, now=NIGHT)
        for chats, morning in ((people, MORNING + DAY), (others, MORNING)):
            assert {notices_to(session, chat.id)[-1].due_at for _, chat in chats} == {morning}


def test_the_published_file_names_nobody(database: Database) -> None:
    with database.write() as session:
        raffle, people = a_sealed_raffle(session)
        for customer, _ in people:
            session.get_one(Customer, customer).full_name = "مینا زرین‌کلاه"
        session.flush()
        end(session, raffle)
        text_of_file = published(session, raffle=raffle)
        assert "مینا" not in text_of_file
        assert "customer" not in text_of_file
        (winner,) = past_winners(session)
        assert winner.name == "م*** ز***"


def test_a_draw_finds_the_winners_once_and_tells_everybody(database: Database) -> None:
    with database.write() as session:
        raffle, people = a_sealed_raffle(session, members=5, winners=2)
        with pytest.raises(InvalidInput):
            draw(
                session,
                raffle=raffle,
                random_value="1",
                actor="operator",
                rules=RULES,
                now=VALUE_AT - timedelta(seconds=1),
            )
        end(session, raffle, " ۲٬۱۳۷٬۴۷۴ ")
        assert (raffle.state, raffle.random_value) == (DRAWN, "2137474")
        file = read_published(published(session, raffle=raffle))
        assert faults_of(file, known_hash=raffle.entries_hash, known_value="2,137,474") == []
        winners = past_winners(session)
        assert file.drawn is not None
        assert [one.ticket for one in winners] == file.drawn.winners
        assert [one.place for one in winners] == [1, 2]
        won = {one.customer_id for one in winners}
        for customer, chat in people:
            expected = "utter_raffle_won" if customer in won else "utter_raffle_not_won"
            assert told(session, chat.id) == ["utter_raffle_sealed", expected]
            assert rendered(notices_to(session, chat.id)[1]).text
            assert (timeline(session, customer_id=customer)[0].kind == "loyalty.raffle_won") == (
                customer in won
            )
        for value in ("2137474", "1"):
            with pytest.raises(InvalidTransition):
                end(session, raffle, value)
        for act in (call_off, close):
            with pytest.raises(InvalidTransition):
                act(session, raffle=raffle, actor="operator", rules=RULES, now=VALUE_AT)  # type: ignore[operator]


def test_a_list_that_is_not_sealed_is_not_drawn(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES)
        with pytest.raises(InvalidTransition):
            end(session, raffle)
        with pytest.raises(InvalidTransition):
            published(session, raffle=raffle)


#: What somebody at the database might try once the list is sealed.
_AFTER_SEALING = [
    "UPDATE raffles SET entries_hash = 'x'",
    "UPDATE raffles SET sealed_text = '{}'",
    "UPDATE raffles SET winners = 9",
    "UPDATE raffles SET prize = 'x'",
    "UPDATE raffles SET random_source = 'x'",
    "UPDATE raffles SET random_at = '2027-01-01 00:00:00'",
    "UPDATE raffles SET state = 'open'",
    "UPDATE raffles SET random_value = '1'",
    "UPDATE raffles SET state = 'drawn'",
    "UPDATE raffles SET state = 'drawn', random_value = '1', drawn_at = '2026-11-28 10:00:00'",
    "DELETE FROM raffles",
    "DELETE FROM raffle_entries",
    "UPDATE raffle_entries SET ticket = 'x' WHERE id = 1",
    "UPDATE raffle_entries SET raffle_id = 99 WHERE id = 1",
    "UPDATE raffle_entries SET idempotency_key = 'x' WHERE id = 1",
]
_AFTER_DRAWING = [
    "UPDATE raffles SET random_value = '1'",
    "UPDATE raffles SET state = 'sealed'",
    "UPDATE raffles SET state = 'called_off'",
    "UPDATE raffle_entries SET place = NULL",
    "UPDATE raffle_entries SET place = 7",
    "DELETE FROM raffle_entries",
]
_SQLITE_ONLY = [
    "INSERT OR REPLACE INTO raffles SELECT id, key, title, prize, 9, points, chances, by_right, opens_at, "
    "closes_at, state, sealed_text, entries_hash, sealed_at, random_source, random_at, random_value, "
    "drawn_at, created_at FROM raffles",
    "INSERT OR REPLACE INTO raffle_entries SELECT id, raffle_id, 2, ticket, posting_id, idempotency_key, "
    "place, created_at FROM raffle_entries WHERE id = 1",
]


def refused(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="sealed"), database.write() as session:
        session.execute(text(statement))


def test_the_database_itself_keeps_what_was_sealed_and_drawn(database: Database) -> None:
    with database.write() as session:
        raffle, _ = a_sealed_raffle(session)
    for statement in [
        *_AFTER_SEALING,
        *(_SQLITE_ONLY if database.is_sqlite else ["TRUNCATE raffles CASCADE"]),
    ]:
        refused(database, statement)
    with database.write() as session:
        end(session, session.get_one(Raffle, raffle.id))
    for statement in _AFTER_DRAWING:
        refused(database, statement)
    with database.read() as session:
        drawn = session.get_one(Raffle, raffle.id)
        assert faults_of(read_published(published(session, raffle=drawn)), known_value="2137474") == []


def test_an_open_raffle_takes_no_end_that_skips_the_sealing(database: Database) -> None:
    with database.write() as session:
        a_raffle(session, rules=RULES)
    for statement in (
        "UPDATE raffles SET state = 'drawn', random_value = '1'",
        "UPDATE raffles SET state = 'sealed'",
        "UPDATE raffles SET state = 'sealed', sealed_at = '2026-12-02 00:00:00', "
        "random_at = '2026-12-01 00:00:00'",
    ):
        refused(database, statement)


def test_two_records_of_one_person_count_once_and_only_as_often_as_one_may(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES, chances=2)
        one, other, third = (a_club_member(session, points=100)[0] for _ in range(3))
        for number, customer in enumerate((one, one, other, third)):
            enter(session, customer, raffle, f"j:{number}")
        merge(session, into_id=one, from_id=other, actor="operator")
        close(session, raffle)
        entries = read_published(published(session, raffle=raffle)).sealed.entries
        assert sorted(sum(one.holder == holder for one in entries) for holder in (1, 2)) == [1, 2]
        assert points_of(session, one) == 180  # the third chance was given back
        merge(session, into_id=one, from_id=third, actor="operator")  # who is joined later does no harm
        end(session, raffle)


def test_who_was_forgotten_before_the_sealing_is_not_in_the_list(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES)
        gone, stays = (a_club_member(session, points=100)[0] for _ in range(2))
        for customer in (gone, stays):
            enter(session, customer, raffle, f"j:{customer}")
        session.execute(update(Customer).where(Customer.id == gone).values(erased_at=NOW))
        session.expire_all()
        close(session, raffle)
        assert len(read_published(published(session, raffle=raffle)).sealed.entries) == 1


def test_a_raffle_that_is_called_off_gives_all_points_back_and_says_so(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES, by_right=["طلایی"])
        paying, chat = a_club_member(session, points=100)
        free, other_chat = a_club_member(session, tier="طلایی")
        for number in range(2):
            enter(session, paying, raffle, f"j:{number}")
        enter(session, free, raffle, "j:9")
        call_off(session, raffle=raffle, actor="operator", rules=RULES, now=NOW)
        assert (raffle.state, points_of(session, paying)) == (CALLED_OFF, 100)
        assert told(session, chat.id) == ["utter_raffle_called_off_points"]
        assert "۲۰" in rendered(notices_to(session, chat.id)[0]).text
        assert told(session, other_chat.id) == ["utter_raffle_called_off"]
        with pytest.raises(TooLate):
            enter(session, paying, raffle, "j:10")
        with pytest.raises(InvalidTransition):
            call_off(session, raffle=raffle, actor="operator", rules=RULES, now=NOW)


def test_a_raffle_is_not_called_off_once_it_is_known_who_would_win(database: Database) -> None:
    with database.write() as session:
        early, _ = a_sealed_raffle(session)
        late, _ = a_sealed_raffle(session)
        call_off(session, raffle=early, actor="operator", rules=RULES, now=VALUE_AT - timedelta(seconds=1))
        with pytest.raises(InvalidTransition):
            call_off(session, raffle=late, actor="operator", rules=RULES, now=VALUE_AT)
        assert late.state == SEALED


def test_many_participants_are_told_in_several_steps(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raffle_telling, "AT_ONCE", 2)
    with sqlite_database.write() as session:
        raffle, people = a_sealed_raffle(session, members=5)
        call_off(session, raffle=raffle, actor="operator", rules=RULES, now=CLOSED)
        assert [points_of(session, customer) for customer, _ in people].count(100) == 2
    handlers = raffle_telling.handlers(lambda: RULES)
    for _ in range(4):
        run_due(sqlite_database, handlers, now=utcnow() + 9 * DAY)
    with sqlite_database.read() as session:
        for customer, chat in people:
            assert points_of(session, customer) == 100
            assert sorted(told(session, chat.id)) == ["utter_raffle_called_off_points", "utter_raffle_sealed"]


def test_the_public_values_are_named_so_that_anybody_finds_them(database: Database) -> None:
    moment = datetime(2026, 4, 20, tzinfo=ZoneInfo("UTC"))
    drand = drand_source(moment)
    assert f"api.drand.sh/{DRAND_CHAIN}/public/27946612" in drand.text
    assert drand.at == moment
    index = index_source(date(2026, 12, 1), timezone="Asia/Tehran", now=NOW)
    assert "۱۰ آذر ۱۴۰۵" in index.text
    assert index.at == datetime(2026, 12, 1, 18, tzinfo=ZoneInfo("Asia/Tehran"))
    with pytest.raises(InvalidInput):
        index_source(date(2026, 11, 27), timezone="Asia/Tehran", now=NOW)
    with database.write() as session:
        raffle, _ = a_sealed_raffle(session)
        other = a_raffle(session, rules=RULES)
        one, _ = a_club_member(session, points=100)
        enter(session, one, other, "j:1")
        close(session, other, random_source=drand.text)
        with pytest.raises(InvalidInput):
            end(session, other, "2137474")
        end(session, other, "ab" * 32)
        end(session, raffle)


def test_points_that_came_in_later_pay_for_later_chances(database: Database) -> None:
    with database.write() as session:
        raffle = a_raffle(session, rules=RULES)
        one, _ = a_club_member(session)
        with pytest.raises(NotEnoughPoints):
            enter(session, one, raffle, "j:1")
        give(session, one, 10)
        enter(session, one, raffle, "j:1")
        assert session.scalars(select(RaffleEntry.customer_id)).all() == [one]
