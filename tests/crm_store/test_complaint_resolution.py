"""Decisions, the words in which they are told, and what makes up for a mistake."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_store.business import Limit
from crm_store.complaints import following, resolution
from crm_store.complaints.models import Compensation, ComplaintResolution
from crm_store.complaints.resolution import Offer
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed
from crm_store.rules import Rules
from tests.crm_store.complaint_case import DAY, NOW, Case
from tests.factories import RULES, a_conversation, a_group, a_member, rules_with
from tests.factories.notices import notices_to, rendered, told

POINTS, MONEY = Offer("points", 100), Offer("money", 1_500_000)
#: Above an agent's limit, within a supervisor's.
MORE = Offer("money", 5_000_000)
#: Above a supervisor's limit too.
MOST = Offer("points", 5_000)
SUPERVISOR: dict[str, Any] = {"actor": "staff:2", "role": "supervisor"}


def waiting(session: Session) -> Compensation:
    return session.query(Compensation).filter_by(state="waiting").one()


def by(actor: str, role: str, rules: Rules = RULES) -> dict[str, Any]:
    return {"actor": actor, "role": role, "rules": rules, "now": NOW}


# The decision and its words


def test_a_decision_is_told_with_apology_reason_remedy_and_the_question_if_it_is_solved(
    database: Database,
) -> None:
    with database.write() as session:
        case = Case(session)
        decided = case.is_resolved(remedy="refund", explanation="پیک بسته را دیر گرفت.\nپول شما برگشت.")
        assert (decided.state, decided.told_at, decided.decided_by) == ("told", NOW, "staff:1")
        assert (case.complaint.state, case.complaint.resolved_at) == ("resolved", NOW)
        assert case.complaint.root_cause == "carrier"
        for turn in range(2):
            text = case.read(turn)
            for part in (
                "آیا مشکل حل شد؟",
                "حق با شماست",
                "سفارشتان",
                "عذر می‌خواهیم",
                "پیک بسته را دیر گرفت.",
                "پول شما برگشت.",
                "بازگرداندن پول شما",
            ):
                assert part in text
            assert "\n\n\n" not in text
        code = case.complaint.code
        assert [button["payload"] for button in rendered(case.latest()).buttons] == [
            f'/confirm_solved{{"ticket": "{code}"}}',
            f'/deny_solved{{"ticket": "{code}"}}',
            f'/complaint_appeal{{"ticket": "{code}"}}',
        ]
        entry = case.timeline()[-1]
        assert (entry.kind, entry.actor, entry.data["reason"]) == ("complaint.resolved", "staff:1", "upheld")


def test_without_remedy_and_compensation_no_gap_is_left(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        assert "\n\n\n" not in case.read()
        assert "جبران" not in case.read()


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("delivery", "به دستتان نرسید"),
        ("product", "در شأن شما"),
        ("wrong_item", "درست نفرستادیم"),
        ("payment", "پول شما"),
        ("staff", "محترمانه"),
        ("service", "سپرده بودید"),
        ("website", "سایت"),
        ("other", "زحمتی"),
    ],
)
def test_the_apology_fits_what_it_was_about(sqlite_database: Database, category: str, words: str) -> None:
    with sqlite_database.write() as session:
        case = Case(session, category=category)
        case.is_resolved(decision="partly_upheld")
        assert words in case.read()
        assert "بخشی" in case.read()


def test_a_business_with_categories_of_its_own_apologises_all_the_same(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session, category="parking")
        case.is_resolved()
        assert "صمیمانه عذر می‌خواهیم" in case.read()


def test_what_was_dangerous_or_urgent_gets_a_graver_apology(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session, signals=["danger"])
        case.is_resolved()
        assert "هرگز نباید" in case.read()


def test_a_rejection_is_respectful_gives_the_reason_and_names_the_right_to_appeal(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        case = Case(session, signals=["danger"])
        case.is_resolved(decision="rejected", explanation="بسته سر وقت تحویل شده است.")
        for turn in range(2):
            text = case.read(turn)
            assert "متأسفیم" in text
            assert "عذر می‌خواهیم" not in text
            assert "بسته سر وقت تحویل شده است." in text
            assert "اعتراض" in text


def test_after_an_appeal_no_further_one_is_offered(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved(decision="rejected")
        case.does(following.appeal, reason="نه")
        case.is_resolved(decision="rejected", now=NOW + DAY, **SUPERVISOR)
        assert case.told()[-1] == "utter_complaint_resolved_finally_rejected"
        payloads = [button["payload"] for button in rendered(case.latest()).buttons]
        assert len(payloads) == 2
        assert not any("appeal" in payload for payload in payloads)


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": "maybe"},
        {"root_cause": "bad luck"},
        {"root_cause": ""},
        {"remedy": "a new car"},
        {"explanation": " "},
        {"compensation": Offer("points", 0)},
        {"compensation": Offer("gold", 5)},
    ],
)
def test_a_decision_is_complete_or_none(sqlite_database: Database, wrong: dict[str, Any]) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        with pytest.raises(InvalidInput):
            case.is_resolved(**wrong)
        assert (case.complaint.state, case.told()) == ("received", [])
        assert session.query(ComplaintResolution).all() == []


def test_a_business_without_causes_decides_without_one(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        assert Case(session).is_resolved(root_cause="", rules=rules_with(root_causes=())).state == "told"


def test_what_is_decided_is_not_decided_again(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        with pytest.raises(InvalidTransition):
            case.is_resolved()


@pytest.mark.parametrize(
    ("actor", "role"), [("staff:1", "agent"), ("staff:2", "agent"), ("staff:3", "technician")]
)
def test_an_appeal_is_decided_by_a_supervisor(sqlite_database: Database, actor: str, role: str) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        case.does(following.appeal, reason="نه", now=NOW + DAY)
        case.is_asked(now=NOW + DAY)
        with pytest.raises(NotAllowed):
            case.is_resolved(actor=actor, role=role, now=NOW + 2 * DAY)
        assert (case.complaint.state, session.query(ComplaintResolution).count()) == ("waiting_customer", 1)
        case.is_resolved(**SUPERVISOR, now=NOW + 2 * DAY)
        # It is over with that: what comes back unsolved is anybody's work again.
        case.does(following.reopen, now=NOW + 3 * DAY)
        assert case.is_resolved(now=NOW + 4 * DAY).state == "told"


def test_nobody_decides_an_appeal_against_their_own_decision_but_the_operator(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        for first, then in (("staff:2", "staff:3"), ("operator", "operator")):
            case = Case(session)
            case.is_resolved(actor=first, role="admin")
            case.does(following.appeal, reason="نه", now=NOW + DAY)
            if first != then:
                with pytest.raises(NotAllowed):
                    case.is_resolved(actor=first, role="admin", now=NOW + 2 * DAY)
            assert case.is_resolved(actor=then, role="admin", now=NOW + 2 * DAY).state == "told"


# What makes up for it


@pytest.mark.parametrize(
    ("offer", "words"), [(POINTS, "۱۰۰ امتیاز"), (MONEY, "۱۵۰٬۰۰۰ تومان"), (Offer("points", 200), "۲۰۰")]
)
def test_within_the_limit_of_a_role_it_is_granted_and_told_at_once(
    database: Database, offer: Offer, words: str
) -> None:
    with database.write() as session:
        case = Case(session)
        case.is_resolved(compensation=offer)
        compensation = session.query(Compensation).one()
        assert (compensation.kind, compensation.amount, compensation.state) == (*offer, "granted")
        assert (compensation.requested_by, compensation.decided_by) == ("staff:1", "staff:1")
        plain = case.read().replace("\u2068", "").replace("\u2069", "")
        assert words in plain


def test_above_the_limit_nothing_is_told_until_somebody_above_approves(database: Database) -> None:
    with database.write() as session:
        desk, boss = a_conversation(session), a_conversation(session)
        agent = a_member(session, chat=desk)
        supervisor = a_member(session, role="supervisor", chat=boss)
        asks, decides = by(f"staff:{agent.id}", "agent"), by(f"staff:{supervisor.id}", "supervisor")
        case = Case(session)
        decided = case.is_resolved(compensation=MORE, **asks)
        assert (decided.state, case.complaint.state, case.told()) == ("proposed", "received", [])
        assert case.clock("first_response") is not None
        assert case.complaint.root_cause == ""
        assert told(session, boss.id) == ["utter_staff_compensation_waiting"]
        assert "۵۰۰٬۰۰۰" in rendered(notices_to(session, boss.id)[0]).text
        with pytest.raises(InvalidTransition):
            case.is_resolved(**asks)
        resolution.approve(session, waiting(session), **{**decides, "now": NOW + DAY})
        assert (decided.state, decided.told_at) == ("told", NOW + DAY)
        assert (case.complaint.state, case.complaint.root_cause) == ("resolved", "carrier")
        assert case.told() == ["utter_complaint_resolved_upheld"]
        assert told(session, desk.id) == ["utter_staff_compensation_approved"]
        kinds = [one.kind for one in case.timeline() if one.kind.startswith("complaint.")]
        assert kinds[1:] == [
            "complaint.compensation_requested",
            "complaint.compensation_approved",
            "complaint.resolved",
        ]


@pytest.mark.parametrize("is_settled", [False, True])
def test_the_limit_holds_for_all_that_a_complaint_brings_in_one_kind(
    sqlite_database: Database, is_settled: bool
) -> None:
    with sqlite_database.write() as session:
        case, other = Case(session), Case(session)
        case.is_resolved(compensation=MONEY)
        if is_settled:
            (granted,) = resolution.unsettled_compensations(session)
            resolution.settle(session, granted, actor="staff:5", now=NOW)
        case.does(following.reopen)
        assert case.is_resolved(compensation=POINTS).state == "told"
        case.does(following.reopen)
        assert case.is_resolved(compensation=MONEY).state == "proposed"
        with pytest.raises(NotAllowed):
            resolution.approve(session, waiting(session), **by("staff:2", "agent"))
        assert other.is_resolved(compensation=MONEY).state == "told", "another complaint"
        assert resolution.approve(session, waiting(session), **by("staff:3", "supervisor")).state == "granted"


def test_only_those_hear_of_a_request_who_may_grant_it(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        supervisors, admins = a_conversation(session), a_conversation(session)
        a_member(session, role="supervisor", chat=supervisors)
        a_member(session, role="admin", chat=admins)
        Case(session).is_resolved(compensation=MOST)
        assert (len(told(session, supervisors.id)), len(told(session, admins.id))) == (0, 1)


def test_a_request_goes_to_the_group_where_nobody_above_can_be_reached(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        group, groups = a_group(session)
        Case(session).is_resolved(compensation=MORE, rules=rules_with(groups=groups))
        assert told(session, group.id) == ["utter_staff_compensation_waiting"]


def test_nobody_approves_above_their_limit_or_their_own_request(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved(compensation=MOST)
        for actor, role in (("staff:2", "agent"), ("staff:3", "supervisor"), ("staff:1", "admin")):
            with pytest.raises(NotAllowed):
                resolution.approve(session, waiting(session), **by(actor, role))
        with pytest.raises(NotAllowed):
            resolution.refuse(session, waiting(session), reason="x", **by("staff:2", "agent"))
        assert (case.complaint.state, case.told()) == ("received", [])
        assert resolution.approve(session, waiting(session), **by("staff:4", "admin")).state == "granted"


def test_a_refusal_goes_back_to_whoever_asked_and_the_complaint_goes_on(database: Database) -> None:
    with database.write() as session:
        desk = a_conversation(session)
        agent = a_member(session, chat=desk)
        asks = by(f"staff:{agent.id}", "agent")
        case = Case(session)
        decided = case.is_resolved(compensation=MORE, **asks)
        with pytest.raises(InvalidInput):
            resolution.refuse(session, waiting(session), reason=" ", **by("operator", ""))
        refused = resolution.refuse(session, waiting(session), reason="زیاد است", **by("operator", ""))
        assert (refused.state, refused.decided_by, decided.state) == ("refused", "operator", "refused")
        assert (case.complaint.state, case.told()) == ("received", [])
        assert told(session, desk.id) == ["utter_staff_compensation_refused"]
        assert "زیاد است" in rendered(notices_to(session, desk.id)[0]).text
        with pytest.raises(InvalidTransition):
            resolution.approve(session, refused, **by("operator", ""))
        assert case.is_resolved(compensation=POINTS, **asks).state == "told"


def test_whoever_asked_may_take_the_request_back(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved(compensation=MORE)
        resolution.refuse(session, waiting(session), reason="اشتباه کردم", **by("staff:1", "agent"))
        assert case.is_resolved(compensation=POINTS).state == "told"


def test_what_was_withdrawn_meanwhile_cannot_be_approved(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved(compensation=MORE)
        compensation = waiting(session)
        case.does(following.withdraw)
        with pytest.raises(InvalidTransition):
            resolution.approve(session, compensation, **by("operator", ""))
        assert compensation.decided_by == "system"


def test_the_operator_has_the_admins_rights_which_end_where_the_file_says(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        assert Case(session).is_resolved(compensation=MOST, **by("operator", "")).state == "told"
        assert Case(session).is_resolved(compensation=MOST, **by("staff:9", "admin")).state == "told"
        limits = {**RULES.business.complaints.compensation, "admin": Limit(points=1_000)}
        asks = by("operator", "", rules_with(compensation=limits))
        assert Case(session).is_resolved(compensation=MOST, **asks).state == "proposed"
        technician = by("staff:8", "technician")
        assert Case(session).is_resolved(compensation=Offer("points", 1), **technician).state == "proposed"


def test_money_is_granted_until_the_accountant_settles_it(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        case.is_resolved(compensation=MONEY)
        (owed,) = resolution.unsettled_compensations(session)
        resolution.settle(session, owed, actor="staff:5", now=NOW + DAY)
        assert (owed.state, owed.settled_at) == ("settled", NOW + DAY)
        entry = case.timeline()[-1]
        assert (entry.kind, entry.actor) == ("complaint.compensation_settled", "staff:5")
        assert resolution.unsettled_compensations(session) == []
        with pytest.raises(InvalidTransition):
            resolution.settle(session, owed, actor="staff:5")


class Book:
    """Points as the loyalty area will book them."""

    def __init__(self) -> None:
        self.grants: list[dict[str, Any]] = []

    def grant(self, session: Session, *, customer_id: int, points: int, cause: str, key: str) -> None:
        self.grants.append({"customer_id": customer_id, "points": points, "cause": cause, "key": key})


def test_points_are_granted_until_they_are_booked_once(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case, other, book = Case(session), Case(session), Book()
        case.is_resolved(compensation=POINTS)
        other.is_resolved(compensation=MONEY)
        compensation = session.query(Compensation).filter_by(kind="points").one()
        assert compensation.state == "granted"
        assert resolution.book_points(session, book, now=NOW) == 1
        assert resolution.book_points(session, book, now=NOW) == 0
        assert compensation.state == "settled"
        assert book.grants == [
            {
                "customer_id": case.complaint.customer_id,
                "points": 100,
                "cause": f"complaint:{case.complaint.code}",
                "key": f"compensation:{compensation.id}",
            }
        ]
