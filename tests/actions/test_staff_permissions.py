"""Everything that staff may ask for, by whoever asks: roles, strangers, who left, groups, forged buttons.

What is allowed stands in tables here, written independently of the code's. Whoever is not staff gets the
answer to nonsense, whatever they send; every refusal is in the audit trail and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from actions.staff import COMMANDS, ActionStaff
from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.complaints.models import Complaint
from crm_store.conversations.service import customer_of, open_conversation
from crm_store.loyalty.models import LedgerPosting
from crm_store.settings import Settings
from crm_store.staff.accounts import disable
from crm_store.staff.models import ROLES, StaffMember, StaffNote
from tests.actions.conftest import Chat
from tests.actions.service_chat import at, in_days
from tests.actions.staff_chat import StaffChat, call_them, open_business
from tests.actions.ticket_chat import TicketChat

DESK = {"agent", "supervisor", "admin"}
LEAD = {"supervisor", "admin"}
ALL = {*ROLES}
#: Requests as they are typed or tapped, and the roles that get an answer to them.
TYPED: dict[str, tuple[str, str, set[str]]] = {
    "find": ("staff_find_customer", "مشتری ۰۹۱۲۱۲۳۴۵۶۷ رو بیار", DESK),
    "history": ("staff_history", "سابقه‌ش", DESK),
    # A technician's note is one on their own visit.
    "note": ("staff_add_note", "یادداشت بذار: عصرها زنگ بزنیم", ALL),
    "queue": ("staff_my_queue", "کارهای من", ALL),
    "everybody's queue": ("staff_my_queue", "صف همه", ALL),
    "assign to oneself": ("staff_assign", "{complaint} با من", DESK),
    "assign to a colleague": ("staff_assign", "{complaint} رو بده به بهرام", LEAD),
    "move": ("staff_move", "{visit}", DESK),
    "decide a colleague's": ("staff_resolve", "{complaint} حل شد", LEAD),
    "escalate": ("staff_escalate", "{complaint} فوری: خیلی مهم است", DESK),
    "points": ("staff_adjust_points", "امتیاز بده", DESK),
    "register": ("staff_register", "شکایت ثبت کن", DESK),
    "own report": ("staff_report", "کارنامه من", ALL),
    "surveys": ("staff_report", "نتیجه نظرسنجی", LEAD),
    "next conversation": ("staff_take_over", "گفتگوی بعدی", DESK),
    "release": ("staff_release", "پایان گفتگو", DESK),
    "presence": ("staff_presence", "آنلاینم کن", DESK),
}
TAPPED: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "card": ("staff_open", {"customer": "{customer}"}, DESK),
    "history": ("staff_history", {}, DESK),
    "pin a note": ("staff_pin_note", {"note": "{note}", "value": "pin"}, DESK),
    "ticket": ("staff_ticket", {"ticket": "{complaint}"}, DESK),
    "take": ("staff_assign", {"ticket": "{complaint}", "value": "me"}, DESK),
    "give": ("staff_assign", {"ticket": "{complaint}", "value": "staff:{colleague}"}, LEAD),
    "move": ("staff_move", {"ticket": "{visit}"}, DESK),
    "decide": ("staff_resolve", {"ticket": "{complaint}"}, LEAD),
    "escalate": ("staff_escalate", {"ticket": "{complaint}"}, DESK),
    "claim": ("staff_take_over", {"handoff": "1"}, DESK),
    "release": ("staff_release", {"handoff": "1"}, DESK),
    "points": ("staff_adjust_points", {}, DESK),
    "register": ("staff_register", {"subject": "purchase"}, DESK),
    "report": ("staff_report", {"view": "all"}, ALL),
    "presence": ("staff_presence", {"presence": "away"}, DESK),
}
REFUSALS = {"utter_staff_not_allowed", "utter_staff_take_first", "utter_no_visit"}
NONSENSE = ["utter_out_of_scope"]


class World:
    """A customer with a complaint, a visit and a note, and a colleague."""

    def __init__(self, chat: Chat, stranger: Chat, settings: Settings) -> None:
        open_business(settings)
        self.chat, self.stranger, self.database = chat, stranger, chat.database
        customer = call_them(stranger, "مریم صادقی", "09121234567")
        talk = TicketChat(stranger)
        self.complaint, self.visit = talk.complaint(), talk.visit(starts_at=at(in_days(2), 9))
        with self.database.write() as session:
            colleague = StaffMember(name="بهرام نیک‌پور", role="agent")
            session.add(colleague)
            session.flush()
            note = StaffNote(customer_id=customer, staff_id=colleague.id, text="عصرها زنگ بزنیم")
            session.add(note)
            session.flush()
            self.names = {
                "customer": customer,
                "complaint": self.complaint,
                "visit": self.visit,
                "colleague": colleague.id,
                "note": note.id,
            }

    def fill(self, text: str) -> str:
        return text.format(**self.names)

    def state(self) -> str:
        """Everything that a request may change, to be compared."""
        with self.database.read() as session:
            complaint = session.scalars(select(Complaint)).one()
            note = session.get_one(StaffNote, self.names["note"])
            counts = [len(session.scalars(select(model)).all()) for model in (Activity, LedgerPosting)]
            notes = len(session.scalars(select(StaffNote)).all())
            presences = list(session.scalars(select(StaffMember.presence).order_by(StaffMember.id)))
            case = [complaint.assignee_id, complaint.priority, complaint.state, note.is_pinned]
            return str([*case, notes, counts, presences])

    def denials(self) -> list[AuditEntry]:
        with self.database.read() as session:
            wanted = select(AuditEntry).where(AuditEntry.action == "staff.denied")
            return list(session.scalars(wanted.order_by(AuditEntry.id)))


@pytest.fixture
def world(chat: Chat, stranger: Chat, settings: Settings) -> World:
    return World(chat, stranger, settings)


def send(world: World, chat: Chat, intent: str, **fields: Any) -> list[str]:
    chat.run(ActionStaff(), fields.pop("text", ""), intent=intent, **fields)
    return [said for said, _ in chat.said]


def entities_of(world: World, values: dict[str, str]) -> dict[str, list[str]]:
    return {name: [world.fill(value)] for name, value in values.items()}


def ask(world: World, request: str) -> list[str]:
    intent, text, _ = TYPED[request]
    phones = {"phone_number": ["+989121234567"]} if "۰۹۱۲" in text else {}
    return send(world, world.chat, intent, text=world.fill(text), entities=phones)


def tap(world: World, button: str) -> list[str]:
    intent, values, _ = TAPPED[button]
    return send(world, world.chat, intent, entities=entities_of(world, values), trusted=True)


def requests(world: World) -> dict[str, tuple[Callable[[], list[str]], set[str]]]:
    """Every request, typed or tapped, and the roles that get an answer to it."""
    typed = {name: (lambda name=name: ask(world, name), roles) for name, (_, _, roles) in TYPED.items()}
    tapped = {
        f"{name} by button": (lambda name=name: tap(world, name), roles)
        for name, (_, _, roles) in TAPPED.items()
    }
    return {**typed, **tapped}


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_is_answered(world: World, role: str) -> None:
    agent = StaffChat(world.chat, role)
    for name, (request, roles) in requests(world).items():
        if role in roles:
            if role in DESK:
                agent.turn_to(world.stranger)
            said = request()
            assert said, name
            assert not {*REFUSALS, *NONSENSE} & {*said}, name
            assert world.denials() == [], name


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_not_is_refused_audited_and_changes_nothing(world: World, role: str) -> None:
    agent = StaffChat(world.chat, role)
    if role in DESK:
        agent.turn_to(world.stranger)
    before, count = world.state(), 0
    for name, (request, roles) in requests(world).items():
        if role not in roles:
            assert REFUSALS & {*request()}, name
            count += 1
            assert [one.actor for one in world.denials()] == [f"staff:{agent.id}"] * count, name
            assert world.state() == before, name
    assert bool(count) == (role not in LEAD)


@pytest.mark.parametrize("who", ["customer", "disabled"])
def test_to_who_is_not_staff_all_of_it_is_nonsense(world: World, who: str) -> None:
    if who == "disabled":
        agent = StaffChat(world.chat, "admin")
        agent.write(lambda session: disable(session, staff_id=agent.id))
    for name, (request, _) in requests(world).items():
        check_is_nonsense(world, request, name)


def test_every_command_is_nonsense_to_a_customer_in_every_shape(world: World) -> None:
    forged = {"customer": 1, "ticket": world.complaint, "value": "me", "step": "text:1:note", "handoff": 1}
    entities = {name: [str(value)] for name, value in forged.items()}
    world.chat.slots = {"staff_id": 1, "role": "admin", "customer_id": 1}
    for intent in COMMANDS:
        shapes: list[dict[str, Any]] = [
            {"entities": entities, "trusted": True},
            {"entities": entities, "text": f"/{intent}{json.dumps(forged)}"},
            {"text": f"/{intent}"},
        ]
        for fields in shapes:

            def request(intent: str = intent, fields: dict[str, Any] = fields) -> list[str]:
                return send(world, world.chat, intent, **fields)

            check_is_nonsense(world, request, intent)


def test_a_group_is_no_place_for_any_of_it(world: World) -> None:
    StaffChat(world.chat, "admin")
    with world.database.write() as session:
        group = open_conversation(session, channel="telegram", chat_id="-100200", identity=None)
    inside = Chat(world.database)
    inside.conversation = group
    before = world.state()
    values = {"customer": str(world.names["customer"]), "ticket": world.complaint}
    entities = {name: [value] for name, value in values.items()}
    for intent in COMMANDS:
        assert send(world, inside, intent, entities=entities, trusted=True) == NONSENSE, intent
    assert world.state() == before
    assert [one.actor for one in world.denials()] == [f"conversation:{group.id}"] * len(COMMANDS)


@pytest.mark.parametrize("role", ROLES)
def test_typed_words_are_never_buttons(world: World, role: str) -> None:
    agent = StaffChat(world.chat, role)
    before = world.state()
    values = {
        "customer": [str(world.names["customer"])],
        "note": [str(world.names["note"])],
        "value": ["pin"],
        "handoff": ["1"],
        "subject": ["purchase"],
    }
    for intent in ("staff_open", "staff_ticket", "staff_pin_note", "staff_answer"):
        said = agent.say(f'/{intent}{{"customer": 1}}', intent, entities=values)
        assert {*said} <= {"utter_staff_step_over", "utter_staff_not_allowed", "utter_staff_note_gone"}
    assert world.state() == before


def test_a_technician_sees_and_raises_only_what_is_theirs(world: World) -> None:
    technician = StaffChat(world.chat, "technician")
    own = TicketChat(world.stranger).visit(starts_at=at(in_days(0), 9), technician=technician.id)
    assert technician.press("staff_ticket", ticket=own) == ["utter_staff_ticket"]
    assert technician.say("فوری: قطعه ندارم", "staff_escalate") == ["utter_staff_escalated"]
    for code in (world.visit, world.complaint):
        assert technician.press("staff_ticket", ticket=code) == ["utter_staff_not_allowed"]
        assert technician.say(f"{code} فوری: مهم", "staff_escalate") == ["utter_staff_not_allowed"]
    assert len(world.denials()) == 4


def test_a_task_goes_on_only_as_long_as_it_is_allowed(world: World) -> None:
    agent = StaffChat(world.chat, "agent")
    agent.turn_to(world.stranger)
    agent.press("staff_adjust_points")

    def demote(session: Any) -> None:
        session.get_one(StaffMember, agent.id).role = "technician"

    agent.write(demote)
    said = agent.answer("۵۰", entities={"number": [50]})
    assert said == ["utter_staff_not_allowed"]


def test_who_is_disabled_in_the_middle_gets_nothing_more(world: World) -> None:
    agent = StaffChat(world.chat, "agent")
    agent.turn_to(world.stranger)
    agent.press("staff_adjust_points")
    agent.write(lambda session: disable(session, staff_id=agent.id))
    assert agent.answer("۵۰", entities={"number": [50]}) == NONSENSE


def test_a_colleagues_account_sees_nothing_of_ones_tasks(world: World) -> None:
    agent = StaffChat(world.chat, "agent")
    agent.turn_to(world.stranger)
    agent.press("staff_adjust_points")
    other = StaffChat(Chat(world.database), "agent", "سینا")
    assert other.press("staff_answer", step=agent.asked(), value="yes") == ["utter_staff_step_over"]


def check_is_nonsense(world: World, request: Callable[[], list[str]], name: str) -> None:
    before, denied = world.state(), len(world.denials())
    assert request() == NONSENSE, name
    assert world.state() == before, name
    (denial,) = world.denials()[denied:]
    assert denial.actor == f"customer:{customer_of(world.chat.conversation)}", name


def test_every_command_is_in_the_tables() -> None:
    tried = {intent for intent, *_ in [*TYPED.values(), *TAPPED.values()]}
    # Answers belong to tasks; what technicians do with visits and who moves one is tested beside the tickets.
    besides = {"staff_answer", "visit_on_the_way", "visit_done", "visit_not_done", "service_reschedule"}
    assert tried | besides == {*COMMANDS}
