"""A member of staff in a chat of their own, answering step by step with words and with buttons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.staff import ActionStaff
from crm_store.audit import AuditEntry
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.customers.service import add_phone
from crm_store.outbox import OutboxItem
from crm_store.settings import Settings
from crm_store.staff.models import StaffFocus, StaffMember
from tests.actions.conftest import Chat
from tests.actions.ticket_chat import TICKET_BUSINESS
from tests.factories import a_member

#: A business with tickets, a club, teams and limits; `with_staff_rules` adds to what holds for the staff.
BUSINESS = f"""{TICKET_BUSINESS}
[loyalty]
tomans_per_point = 10000

[handoff]
teams = ["حسابداری", "فنی"]

[complaints.compensation]
agent = {{points = 100, tomans = 50000}}
supervisor = {{points = 1000, tomans = 1000000}}
"""


def open_business(settings: Settings, more: str = "") -> None:
    """Write the business file."""
    Path(settings.business_path).write_text(BUSINESS + more, encoding="utf-8")


class StaffChat:
    """A member of staff.

    Attributes:
        id: the member.
        said: what was said to the last message, in order.
    """

    def __init__(self, chat: Chat, role: str, name: str = "نگار کاظمی") -> None:
        self.chat = chat
        self.said: list[str] = []
        self.id: int = self.write(
            lambda session: a_member(session, role=role, name=name, chat=chat.conversation).id
        )

    def say(self, text: str, intent: str, **fields: Any) -> list[str]:
        """Ask for something; what is said to it."""
        return self._run(text=text, intent=intent, **fields)

    def answer(self, text: str = "", *, value: str = "", entities: Any = None, **fields: Any) -> list[str]:
        """Type an answer to the question that was asked last, as the connector reads it."""
        found = {"step": [self.asked()], **({"value": [value]} if value else {}), **(entities or {})}
        return self._run(text=text, intent="staff_answer", entities=found, **fields)

    def tap(self, intent: str, **entities: str) -> list[str]:
        """Tap the button of the last message that has this intent and these values."""
        for button in self.chat.buttons:
            name, values = read_payload(button["payload"])
            if name == intent and entities.items() <= values.items():
                return self.press(intent, **values)
        raise AssertionError(f"no such button: {[one['payload'] for one in self.chat.buttons]}")

    def choose(self, value: str) -> list[str]:
        """Tap a choice of the question that was asked last."""
        return self.tap("staff_answer", value=value)

    def press(self, intent: str, **entities: str) -> list[str]:
        """Tap any button, also one that was never sent."""
        values = {name: [value] for name, value in entities.items()}
        return self._run(intent=intent, entities=values, trusted=True)

    def repeat(self) -> list[str]:
        """The last message once more, as if what was said to it had been lost."""
        return self._run(**self._last, again=True)

    def asked(self) -> str:
        """The name of the question that was asked last; empty for none."""
        if not self.chat.said:
            return ""
        custom = self.chat.said[-1][1].get("custom") or {}
        return str((custom.get("expects") or {}).get("ticket") or "")

    def told(self, response: str) -> dict[str, Any]:
        """The values with which a response was said."""
        return self.chat.told(response)

    def buttons(self) -> list[tuple[str, dict[str, str]]]:
        """Intents and values of the buttons of the last message."""
        return [read_payload(one["payload"]) for one in self.chat.buttons]

    def write(self, change: Callable[[Session], Any]) -> Any:
        """Change the store."""
        with self.chat.database.write() as session:
            return change(session)

    def read(self, look: Callable[[Session], Any]) -> Any:
        """Look into the store."""
        with self.chat.database.read() as session:
            return look(session)

    def audited(self, action: str) -> list[AuditEntry]:
        """What was written down of a kind, in order."""
        wanted = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(self.read(lambda session: session.scalars(wanted).all()))

    def mind(self) -> StaffFocus:
        """What this member has in mind."""
        focus = self.read(lambda session: session.get(StaffFocus, self.chat.conversation.id))
        assert isinstance(focus, StaffFocus)
        return focus

    def turn_to(self, chat: Chat) -> int:
        """Have a customer in mind, as after looking at their card; the customer."""
        customer_id = customer_of(chat.conversation)

        def change(session: Session) -> None:
            focus = session.get(StaffFocus, self.chat.conversation.id) or StaffFocus(
                conversation_id=self.chat.conversation.id, staff_id=self.id, data={}
            )
            focus.customer_id = customer_id
            session.add(focus)

        self.write(change)
        return customer_id

    def _run(self, *, again: bool = False, **fields: Any) -> list[str]:
        self._last = fields
        text = fields.pop("text", "")
        self.chat.run(ActionStaff(), text, again=again, **fields)
        self._last = {"text": text, **fields}
        self.said = [said for said, _ in self.chat.said]
        return self.said


def read_payload(payload: str) -> tuple[str, dict[str, str]]:
    """The intent of a button and its values."""
    intent, brace, rest = payload.removeprefix("/").partition("{")
    return intent, json.loads(brace + rest) if brace else {}


def call_them(chat: Chat, name: str, phone: str = "") -> int:
    """Give whoever writes in a chat a name and a proven phone; their customer."""
    with chat.database.write() as session:
        customer = session.get_one(Customer, customer_of(chat.conversation))
        customer.full_name = name
        if phone:
            identity_id = session.get_one(Conversation, chat.conversation.id).identity_id
            add_phone(session, customer_id=customer.id, phone=phone, proven=True, proven_by_id=identity_id)
        return customer.id


def told_in(chat: Chat) -> list[str]:
    """Names of the notices to whoever writes in a chat, in order."""
    with chat.database.read() as session:
        rows = session.scalars(
            select(OutboxItem)
            .where(OutboxItem.conversation_id == chat.conversation.id, OutboxItem.kind == "notice")
            .order_by(OutboxItem.id)
        )
        return [str(row.content["response"]) for row in rows]


def colleague(chat: Chat, name: str, role: str = "agent", **columns: Any) -> int:
    """Another member of staff, without a chat."""
    with chat.database.write() as session:
        member = StaffMember(name=name, role=role, **columns)
        session.add(member)
        session.flush()
        return member.id
