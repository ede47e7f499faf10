"""What members of staff do between the customers' turns, with the commands of the product itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint
from crm_store.customers.models import ChannelIdentity
from crm_store.db import Database
from crm_store.service_requests.models import ServiceRequest
from tests.e2e.product import Product

TEHRAN = ZoneInfo("Asia/Tehran")
LONGEST_SCRIPT = timedelta(minutes=3)
#: How a deed of a script is told besides the deed itself: who does it, if not the operator.
BY = "by"
INVITE = "invite"

_CODE = re.compile(r"^\s+(PYV\S+)\s*$", re.MULTILINE)
_ID = re.compile(r"with the id (\d+)")


class Ticket(NamedTuple):
    """A complaint or service request, as a script speaks of it."""

    model: type[Complaint] | type[ServiceRequest]
    id: int
    code: str
    created_at: datetime


def jalali_in(days: str | int) -> Any:
    """A day by its distance from today."""
    day = (utcnow().astimezone(TEHRAN) + timedelta(days=int(days))).date()
    return JalaliDate(day)  # type: ignore[no-untyped-call]  # persiantools leaves it untyped


def wait_for_a_new_day() -> None:
    """Wait out the last minutes before midnight: scripts count days from today and go on meanwhile."""
    local = utcnow().astimezone(TEHRAN)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    left = midnight - local
    if left < LONGEST_SCRIPT:
        time.sleep(left.total_seconds() + 1)


def tickets_of(session: Session, *, channel: str, chat_id: str) -> list[Ticket]:
    """What the customer of a chat has registered, oldest first."""
    found = []
    for model in (Complaint, ServiceRequest):
        rows = session.execute(
            select(model.id, model.code, model.created_at)
            .join(ChannelIdentity, ChannelIdentity.customer_id == model.customer_id)
            .where(ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id)
        )
        found += [Ticket(model, *row) for row in rows]
    return sorted(found, key=lambda ticket: ticket.created_at)


class Desk:
    """The staff's hands.

    Args:
        product: the running product.
        database: its store.
    """

    def __init__(self, product: Product, database: Database) -> None:
        self._product = product
        self._database = database
        #: Numbers of the members of staff, by the chats in which they work.
        self.members: dict[str, int] = {}

    def invite(self, chat: str, told: Mapping[str, Any]) -> str:
        """Add somebody who works in a chat.

        Args:
            chat: the chat's name in the script.
            told: ``name``, ``role``, ``skills`` and ``areas``.

        Returns:
            The code with which they link their account.
        """
        options = ["--name", told["name"], "--role", told["role"]]
        for option in ("skill", "area"):
            for value in told.get(f"{option}s", ()):
                options += [f"--{option}", value]
        shown = self._run("staff", "invite", *options)
        code, number = _CODE.search(shown), _ID.search(shown)
        assert code is not None, shown
        assert number is not None, shown
        self.members[chat] = int(number[1])
        return code[1]

    def do(self, deed: Mapping[str, Any], ticket: Ticket) -> None:
        """Do what a script tells with a ticket.

        Args:
            deed: one deed by its name in `_ARGUMENTS`, and who does it.

        Raises:
            AssertionError: the command refused it.
        """
        (name,) = set(deed) - {BY}
        acting = ["--as", str(self.members[deed[BY]])] if BY in deed else []
        self._run("tickets", *_ARGUMENTS[name](self, ticket, deed[name]), *acting)

    def member(self, chat: str) -> str:
        """The number of whoever works in a chat."""
        return str(self.members[chat])

    def compensation_of(self, ticket: Ticket) -> str:
        """The number of what was offered last to make up for a complaint."""
        offered = select(Compensation.id).where(Compensation.complaint_id == ticket.id)
        with self._database.read() as session:
            return str(session.scalars(offered.order_by(Compensation.id.desc())).first())

    def problem_of(self, ticket: Ticket) -> str:
        """The number of the problem of which a complaint is a case."""
        with self._database.read() as session:
            return str(session.get_one(Complaint, ticket.id).problem_id)

    def _run(self, *arguments: str) -> str:
        done = self._product.command(*arguments)
        assert done.returncode == 0, f"peyvand {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout


def _with_options(command: str, *named: str) -> Callable[[Desk, Ticket, Mapping[str, Any]], list[str]]:
    """A command whose deed names its options, after what stands without an option's name."""

    def arguments(_desk: Desk, ticket: Ticket, told: Mapping[str, Any]) -> list[str]:
        options = [(f"--{name}", str(value)) for name, value in told.items() if name not in named]
        return [command, ticket.code, *(str(told[name]) for name in named), *sum(options, ())]

    return arguments


def _plain(command: str) -> Callable[[Desk, Ticket, str], list[str]]:
    """A command that takes a text or a key behind the code."""
    return lambda _desk, ticket, text: [command, ticket.code, text]


def _schedule(_desk: Desk, ticket: Ticket, told: Mapping[str, Any]) -> list[str]:
    """``{in_days: 2, at: "09:00"}``."""
    day = jalali_in(told["in_days"]).strftime("%Y/%m/%d")
    return ["schedule", ticket.code, "--at", f"{day} {told['at']}"]


_ARGUMENTS: dict[str, Callable[[Desk, Ticket, Any], list[str]]] = {
    "ask": _plain("ask"),
    "write": _plain("write"),
    "note": _plain("note"),
    "cause": _plain("cause"),
    "assign": lambda desk, ticket, chat: ["assign", ticket.code, desk.member(chat)],
    "resolve": _with_options("resolve"),
    "move": _with_options("move", "to"),
    "priority": _with_options("priority", "to"),
    "schedule": _schedule,
    "approve": lambda desk, ticket, _yes: ["approve", desk.compensation_of(ticket)],
    "refuse": lambda desk, ticket, why: ["refuse", desk.compensation_of(ticket), "--reason", why],
    "answer_problem": lambda desk, ticket, text: ["problems", "answer", desk.problem_of(ticket), text],
}
