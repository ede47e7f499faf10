"""Plays a scripted conversation through the fake Bot API and compares what the store holds afterwards.

A script has a name, turns and what the store holds at the end. In a turn somebody does one thing in chat
(`acting.DEEDS`), the staff do one at their desk (``staff``), a notice is awaited (``hears``), time passes
(``days_pass``, ``comes_in_hours``, ``becomes_due``), or something happens: ``restart`` kills a role,
``lose_session`` takes the dialogue's memory of the chat away. ``as`` names the ticket that is there after a
turn, ``about`` the one that the staff deal with: the chat's newest by default. A turn with ``if_heard`` is
left out unless that response came last.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from persiantools.jdatetime import MONTH_NAMES_FA, WEEKDAY_NAMES_FA, JalaliDate
from sqlalchemy import select

from crm_store import outbox
from crm_store.base import utcnow
from crm_store.conversations.queries import waits_for_answer
from crm_store.conversations.service import find_conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.db import Database
from crm_store.persian import new_tracking_code, to_persian_digits
from crm_store.service_requests.models import ServiceRequest
from tests.conversations.acting import DEEDS, OWN_PHONE, Actor, text_of
from tests.conversations.desk import INVITE, TEHRAN, Desk, Ticket, tickets_of
from tests.conversations.expecting import EXPECTATIONS, Heard
from tests.conversations.held import check_held, held_of
from tests.conversations.matcher import ResponseMatcher
from tests.conversations.passing_time import let_days_pass, make_due, move_visit
from tests.conversations.record import Record
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

CHANNEL = "telegram"
ANSWER_SECONDS = 90.0
#: So long nothing must come where silence is expected.
SILENT_SECONDS = 4.0
#: What ends the telling of something.
FILED = {
    "utter_complaint_filed",
    "utter_service_submitted",
    "utter_service_submitted_unbooked",
    "utter_service_submitted_open",
}

#: What happens besides what people do in chat; the first three are followed by what the chat hears.
HAPPENINGS = ("staff", "hears", "becomes_due", "days_pass", "comes_in_hours", "restart", "lose_session")
SCRIPT_KEYS = {"name", "turns", "store", "messy", "has_everything"}
TURN_KEYS = {"chat", "caption", "to", "below", "as", "about", "if_heard", *HAPPENINGS, *DEEDS, *EXPECTATIONS}
#: What stands in the bot's messages.
READ = ("press", "below", "expect_text_contains", "expect_text_lacks", "expect_buttons_contain")
_PLACEHOLDER = re.compile(r"\{(code|weekday|day):([\w.]+)\}")


class ScriptPlayer:
    """Plays one script with customers of its own.

    Args:
        telegram: the fake that the product polls.
        product: the running product.
        first_user_id: the script's customers get ids from here on.
    """

    def __init__(self, telegram: ThreadRunner[FakeBotApi], product: Product, *, first_user_id: int) -> None:
        self._telegram = telegram
        self._product = product
        self._database: Database = product.database()
        self._desk = Desk(product, self._database)
        self._matcher = ResponseMatcher()
        self._next_id = first_user_id
        self._actors: dict[str, Actor] = {}
        self._named: dict[str, Ticket] = {}

    def play(self, script: Mapping[str, Any]) -> Record:
        """Play every turn and check the store at the end.

        Raises:
            AssertionError: naming the turn, what was expected and what came.
        """
        record = Record(
            script["name"],
            is_messy=script.get("messy", False),
            has_everything=script.get("has_everything", False),
        )
        turns_since: dict[str, int] = {}
        for number, turn in enumerate(script["turns"], start=1):
            if not self._is_wanted(turn):
                continue
            where = f"{script['name']!r}, turn {number}"
            heard = self._play_turn(self._as_read(turn), where)
            chat = turn.get("chat", "a")
            if "as" in turn:
                self._named[turn["as"]] = self._newest_ticket(chat)
            if heard is None or not set(turn) & set(DEEDS):
                continue
            record.turns += 1
            turns_since[chat] = turns_since.get(chat, 0) + 1
            for responses in heard.names:
                record.note_asked(responses)
            if heard.all_names & FILED:
                record.turns_to_file.append(turns_since.pop(chat))
        self._check_store(script.get("store", {}), record)
        return record

    def _is_wanted(self, turn: Mapping[str, Any]) -> bool:
        if "if_heard" not in turn:
            return True
        last = self._actor(turn).messages()[-1:]
        return bool(last) and turn["if_heard"] in self._matcher.names(last[0].plain)

    def _play_turn(self, turn: Mapping[str, Any], where: str) -> Heard | None:
        """Do what a turn says and check what came of it; None where nobody is to hear anything."""
        actor = self._actor(turn)
        if set(turn) & set(DEEDS):
            before = len(actor.messages())
            self._act(actor, turn, self._filled(text_of(turn)))
        else:
            before = actor.heard
            self._let_happen(turn, actor)
            if not set(turn) & EXPECTATIONS:
                return None
            self._wait_for_notice(actor, turn, before)
        heard = Heard(actor.messages()[before:], self._matcher)
        heard.check(turn, where=where)
        actor.heard = before + len(heard.texts)
        return heard

    def _actor(self, turn: Mapping[str, Any]) -> Actor:
        chat = turn.get("chat", "a")
        if chat not in self._actors:
            fake = self._telegram.fake
            phone = OWN_PHONE.format(self._next_id)
            user = fake.user(self._next_id, f"مشتری {chat}", phone_number=phone)
            self._actors[chat] = Actor(fake, user)
            self._next_id += 1
        return self._actors[chat]

    def _let_happen(self, turn: Mapping[str, Any], actor: Actor) -> None:
        chat_id = str(actor.user.id)
        if "staff" in turn:
            self._let_staff_work(turn, actor)
        if "restart" in turn:
            self._product.kill(turn["restart"])
        if "lose_session" in turn:
            self._product.lose_session(channel=CHANNEL, chat_id=chat_id)
        if "days_pass" in turn:
            self._let_days_pass(turn["days_pass"])
        with self._database.write() as session:
            if "becomes_due" in turn:
                make_due(session, kind=turn["becomes_due"], ticket_id=self._ticket(turn).id)
            if "comes_in_hours" in turn:
                request = session.get_one(ServiceRequest, self._ticket(turn).id)
                move_visit(session, request, utcnow() + timedelta(hours=turn["comes_in_hours"]))

    def _let_staff_work(self, turn: Mapping[str, Any], actor: Actor) -> None:
        deed = turn["staff"]
        if INVITE in deed:
            self._act(actor, {"user": ""}, self._desk.invite(turn.get("chat", "a"), deed[INVITE]))
        else:
            self._desk.do(deed, self._ticket(turn))

    def _let_days_pass(self, days: int) -> None:
        """Nobody keeps a dialogue open for days."""
        chat_ids = [str(actor.user.id) for actor in self._actors.values()]
        with self._database.write() as session:
            customers = select(ChannelIdentity.customer_id).where(ChannelIdentity.external_id.in_(chat_ids))
            let_days_pass(session, customer_ids=session.scalars(customers).all(), days=days)
        for chat_id in chat_ids:
            self._product.lose_session(channel=CHANNEL, chat_id=chat_id)

    def _act(self, actor: Actor, turn: Mapping[str, Any], text: str) -> None:
        """Do something in chat and wait until all of it is answered."""
        updates = self._telegram.run(actor.act(turn, text))
        wait = self._telegram.fake.wait_until(
            lambda: self._is_answered(actor, updates), ANSWER_SECONDS, what=f"the answer to {turn}"
        )
        self._telegram.run(wait, timeout=ANSWER_SECONDS + 10)

    def _wait_for_notice(self, actor: Actor, turn: Mapping[str, Any], before: int) -> None:
        """Wait until what a turn expects has come, and all else that is on its way.

        What does not come is told by the check, together with what came instead.
        """
        if turn.get("expect_silence"):
            time.sleep(SILENT_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            heard = Heard(actor.messages()[before:], self._matcher)
            if heard.has_what_is_awaited(turn) and self._is_answered(actor, []):
                return
            time.sleep(0.1)

    def _is_answered(self, actor: Actor, updates: list[int]) -> bool:
        if set(updates) & set(self._telegram.fake.pending_updates()):
            return False
        chat_id = str(actor.user.id)
        with self._database.read() as session:
            if waits_for_answer(session, channel=CHANNEL, chat_id=chat_id):
                return False
            conversation = find_conversation(session, channel=CHANNEL, chat_id=chat_id)
            return (
                conversation is None
                or outbox.next_of(session, conversation_id=conversation.id, now=utcnow()) is None
            )

    def _ticket(self, turn: Mapping[str, Any]) -> Ticket:
        return self._named[turn["about"]] if "about" in turn else self._newest_ticket(turn.get("chat", "a"))

    def _newest_ticket(self, chat: str) -> Ticket:
        with self._database.read() as session:
            own = tickets_of(session, channel=CHANNEL, chat_id=str(self._actors[chat].user.id))
        assert own, f"chat {chat} has registered nothing"
        return own[-1]

    def _filled(self, text: str) -> str:
        """Put in what a script cannot know: codes of tickets and, by their distance from today, days."""
        return _PLACEHOLDER.sub(lambda match: self._value(match[1], match[2]), text)

    def _value(self, what: str, which: str) -> str:
        if what == "code":
            if which == "missing":
                return new_tracking_code()
            return (self._named.get(which) or self._newest_ticket(which)).code
        day = (utcnow().astimezone(TEHRAN) + timedelta(days=int(which))).date()
        jalali = JalaliDate(day)  # type: ignore[no-untyped-call]  # persiantools leaves it untyped
        if what == "weekday":
            return str(WEEKDAY_NAMES_FA[jalali.weekday()])
        return to_persian_digits(f"{jalali.day} {MONTH_NAMES_FA[jalali.month]}")

    def _as_read(self, turn: Mapping[str, Any]) -> dict[str, Any]:
        """The same turn, with codes and days in what is read as people read them."""

        def filled(part: object) -> object:
            is_filled = isinstance(part, str) and _PLACEHOLDER.search(part)
            return to_persian_digits(self._filled(part)) if is_filled and isinstance(part, str) else part

        return {
            key: [filled(one) for one in value] if isinstance(value, list) else filled(value)
            for key, value in turn.items()
            if key in READ
        } | {key: value for key, value in turn.items() if key not in READ}

    def _check_store(self, expected: Mapping[str, Any], record: Record) -> None:
        for chat, actor in self._actors.items():
            with self._database.read() as session:
                held = held_of(session, channel=CHANNEL, chat_id=str(actor.user.id))
            record.held.append(held)
            where = f"{record.name!r}, the store about chat {chat}"
            check_held(held, expected, chat=chat, own_phone=actor.user.phone_number, where=where)


def load_scripts() -> list[Path]:
    """The scripts, in order of their names."""
    return sorted((Path(__file__).parent / "scripts").glob("*.yml"))


def read_script(file: Path) -> dict[str, Any]:
    """A script's content.

    Raises:
        ValueError: it says something that nobody looks at.
    """
    script: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    unknown = set(script) - SCRIPT_KEYS | {key for turn in script["turns"] for key in turn} - TURN_KEYS
    if unknown:
        raise ValueError(f"{file.name}: unknown: {', '.join(sorted(unknown))}")
    return script


class Stage:
    """Plays scripts, each once, and remembers what was measured.

    Args:
        telegram: the fake that the product polls.
        product: the running product.
    """

    def __init__(self, telegram: ThreadRunner[FakeBotApi], product: Product) -> None:
        self._telegram = telegram
        self._product = product
        self._records: dict[Path, Record] = {}

    def record(self, file: Path) -> Record:
        """What was measured about a script, which is played if it was not yet."""
        if file not in self._records:
            first_user_id = 700_000 + 100 * load_scripts().index(file)
            player = ScriptPlayer(self._telegram, self._product, first_user_id=first_user_id)
            self._records[file] = player.play(read_script(file))
        return self._records[file]
