"""Plays a scripted conversation through the fake Bot API and compares what the store holds afterwards.

A script has a name, turns and what the store holds at the end. In a turn somebody does one thing in chat
(`acting.DEEDS`), the staff do one at their desk (``staff``), the shop does one (``shop``), the operator gives
a command (``operator``), a notice is awaited (``hears``), time passes (``days_pass``, ``comes_in_hours``,
``becomes_due``, ``survey_due``, ``waits_minutes``), somebody of the staff comes or goes (``presence``), or
something happens: ``restart`` kills a role, ``lose_session`` takes the dialogue's memory of the chat away,
``delete_topic`` a customer's topic, ``raffle`` seals or draws one. With ``topic`` it is done and read in the
staff group, in that customer's topic. ``as`` names the ticket that is there after a turn, ``about`` the one
that the staff deal with: the chat's newest by default. A turn with ``if_heard`` is left out unless that
response came last.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from persiantools.jdatetime import MONTH_NAMES_FA, WEEKDAY_NAMES_FA
from sqlalchemy import select

from crm_store import outbox
from crm_store.base import utcnow
from crm_store.conversations.queries import waits_for_answer
from crm_store.conversations.service import find_conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.db import Database
from crm_store.persian import new_tracking_code, to_persian_digits
from crm_store.service_requests.models import ServiceRequest
from crm_store.surveys.models import PLANNED
from crm_store.surveys.people import OPEN_STATES
from tests.conversations.acting import DEEDS, OWN_PHONE, Actor, text_of
from tests.conversations.desk import INVITE, Desk, Ticket, jalali_in, tickets_of, wait_for_a_new_day
from tests.conversations.expecting import EXPECTATIONS, Heard
from tests.conversations.group import Topic, be, leave_the_desk, let_wait
from tests.conversations.held import check_held, held_of
from tests.conversations.held_club import latest_voucher, own_friend_code
from tests.conversations.matcher import ResponseMatcher
from tests.conversations.passing_time import (
    let_days_pass,
    let_it_be_day,
    make_due,
    make_survey_due,
    move_visit,
    state_of_survey,
)
from tests.conversations.raffles import hold
from tests.conversations.record import Record
from tests.conversations.script_files import load_scripts, read_script
from tests.conversations.shop import Shop
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

#: In which states a survey is until what has become due of it is done.
STANDS_UNTIL = {"asked": (PLANNED,), "expired": (PLANNED, *OPEN_STATES)}
#: What stands in the bot's messages.
READ = ("press", "below", "expect_text_contains", "expect_text_lacks", "expect_buttons_contain")
_PLACEHOLDER = re.compile(r"\{(code|weekday|day|voucher|friend_code|phone|staff):([\w.]+)\}")


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
        self._shop = Shop(product, f"shop{first_user_id}")
        self._matcher = ResponseMatcher()
        self._next_id = first_user_id
        self._actors: dict[str, Actor] = {}
        self._topics: dict[str, Topic] = {}
        self._named: dict[str, Ticket] = {}
        self._values: dict[str, Callable[[str], str]] = {
            "code": self._code,
            "voucher": self._voucher,
            "friend_code": self._friend_code,
            "staff": self._desk.member,
            "phone": lambda chat: self._actors[chat].user.phone_number,
            "weekday": lambda days: WEEKDAY_NAMES_FA[jalali_in(days).weekday()],
            "day": lambda days: to_persian_digits(
                f"{jalali_in(days).day} {MONTH_NAMES_FA[jalali_in(days).month]}"
            ),
        }

    def play(self, script: Mapping[str, Any]) -> Record:
        """Play every turn and check the store at the end.

        Raises:
            AssertionError: naming the turn, what was expected and what came.
        """
        wait_for_a_new_day()
        record = Record(
            script["name"],
            is_messy=script.get("messy", False),
            has_everything=script.get("has_everything", False),
        )
        try:
            self._play_turns(script, record)
            self._check_store(script.get("store", {}), record)
        finally:
            leave_the_desk(self._database, [*self._desk.members.values()], self._chat_ids())
        return record

    def _play_turns(self, script: Mapping[str, Any], record: Record) -> None:
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

    def _is_wanted(self, turn: Mapping[str, Any]) -> bool:
        if "if_heard" not in turn:
            return True
        last = self._actor(turn).messages()[-1:]
        return bool(last) and turn["if_heard"] in self._matcher.names(last[0].plain)

    def _play_turn(self, turn: Mapping[str, Any], where: str) -> Heard | None:
        """Do what a turn says and check what came of it; None where nobody is to hear anything."""
        actor = self._actor(turn)
        place = self._topic(turn["topic"]) if "topic" in turn else actor
        if set(turn) & set(DEEDS):
            before = len(place.messages())
            self._act(actor, turn, self._filled(text_of(turn)))
        else:
            before = place.heard
            self._let_happen(turn, actor)
        if set(turn) & EXPECTATIONS and ("topic" in turn or not set(turn) & set(DEEDS)):
            self._wait_for_notice(place, turn, before)
        elif not set(turn) & set(DEEDS):
            return None
        heard = self._heard(place, before)
        heard.check(turn, where=where)
        place.heard = before + len(heard.texts)
        return heard

    def _heard(self, place: Actor | Topic, before: int) -> Heard:
        messages = place.messages()
        return Heard(messages[before:], self._matcher, messages)

    def _topic(self, chat: str) -> Topic:
        if chat not in self._topics:
            chat_id = str(self._actors[chat].user.id)
            self._topics[chat] = Topic(self._telegram.fake, self._database, chat_id)
        return self._topics[chat]

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
        if "shop" in turn:
            own = actor.user.phone_number
            told = {name: self._filled_in(value) for name, value in turn["shop"].items()}
            self._shop.do(told, phone=own, code=self._voucher(turn.get("chat", "a"), default=""))
        if "operator" in turn:
            done = self._product.command(*(self._filled(part) for part in turn["operator"]))
            assert done.returncode == 0, f"peyvand {turn['operator']}: {done.stdout}{done.stderr}"
        if "raffle" in turn:
            hold(self._database, turn["raffle"])
        if "restart" in turn:
            self._product.kill(turn["restart"])
        if "lose_session" in turn:
            self._product.lose_session(channel=CHANNEL, chat_id=chat_id)
        if "days_pass" in turn:
            self._let_days_pass(turn["days_pass"])
        if "presence" in turn:
            be(self._database, self._desk.members[turn.get("chat", "a")], turn["presence"])
        if "waits_minutes" in turn:
            let_wait(self._database, chat_id, turn["waits_minutes"])
        if "delete_topic" in turn:
            self._topic(turn["delete_topic"]).delete()
        self._let_become_due(turn, chat_id)

    def _let_it_be_day(self) -> None:
        with self._database.write() as session:
            let_it_be_day(session, channel=CHANNEL, chat_ids=self._chat_ids())

    def _let_become_due(self, turn: Mapping[str, Any], chat_id: str) -> None:
        with self._database.write() as session:
            if "becomes_due" in turn:
                make_due(session, kind=turn["becomes_due"], ticket_id=self._ticket(turn).id)
            if "survey_due" in turn:
                make_survey_due(session, channel=CHANNEL, chat_id=chat_id, step=turn["survey_due"])
            if "comes_in_hours" in turn:
                request = session.get_one(ServiceRequest, self._ticket(turn).id)
                move_visit(session, request, utcnow() + timedelta(hours=turn["comes_in_hours"]))
        if turn.get("survey_due") in STANDS_UNTIL and "hears" not in turn:
            self._wait_for_survey(chat_id, STANDS_UNTIL[turn["survey_due"]])

    def _wait_for_survey(self, chat_id: str, states: Collection[str]) -> None:
        """Nobody hears of it, so there is nothing in the chat to wait for."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            with self._database.read() as session:
                if state_of_survey(session, channel=CHANNEL, chat_id=chat_id) not in states:
                    return
            time.sleep(0.2)

    def _let_staff_work(self, turn: Mapping[str, Any], actor: Actor) -> None:
        deed = turn["staff"]
        if INVITE in deed:
            self._act(actor, {"user": ""}, self._desk.invite(turn.get("chat", "a"), deed[INVITE]))
        else:
            self._desk.do(deed, self._ticket(turn))

    def _let_days_pass(self, days: int) -> None:
        """Nobody keeps a dialogue open for days."""
        chat_ids = self._chat_ids()
        with self._database.write() as session:
            customers = select(ChannelIdentity.customer_id).where(ChannelIdentity.external_id.in_(chat_ids))
            let_days_pass(session, customer_ids=session.scalars(customers).all(), days=days)
        for chat_id in chat_ids:
            self._product.lose_session(channel=CHANNEL, chat_id=chat_id)

    def _chat_ids(self) -> list[str]:
        return [str(actor.user.id) for actor in self._actors.values()]

    def _act(self, actor: Actor, turn: Mapping[str, Any], text: str) -> None:
        """Do something in chat and wait until all of it is answered."""
        act = self._topic(turn["topic"]).deed_of(actor.user) if "topic" in turn else actor.act
        updates = self._telegram.run(act(turn, text))
        wait = self._telegram.fake.wait_until(
            lambda: self._is_answered(actor, updates), ANSWER_SECONDS, what=f"the answer to {turn}"
        )
        self._telegram.run(wait, timeout=ANSWER_SECONDS + 10)

    def _wait_for_notice(self, place: Actor | Topic, turn: Mapping[str, Any], before: int) -> None:
        """Wait until what a turn expects has come, and all else that is on its way.

        What does not come is told by the check, together with what came instead.
        """
        if turn.get("expect_silence"):
            time.sleep(SILENT_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            self._let_it_be_day()
            is_done = isinstance(place, Topic) or self._is_answered(place, [])
            if is_done and self._heard(place, before).fits(turn):
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

    def _filled_in(self, told: Any) -> Any:
        """The same deed, with what a script cannot know put in."""
        if isinstance(told, Mapping):
            return {key: self._filled_in(value) for key, value in told.items()}
        return self._filled(told) if isinstance(told, str) else told

    def _voucher(self, chat: str, default: str | None = None) -> str:
        """The code that a chat's customer was given last."""
        with self._database.read() as session:
            code = latest_voucher(session, channel=CHANNEL, chat_id=str(self._actors[chat].user.id))
        assert code or default is not None, f"chat {chat} has no code"
        return code or str(default)

    def _value(self, what: str, which: str) -> str:
        return str(self._values[what](which))

    def _code(self, which: str) -> str:
        if which == "missing":
            return new_tracking_code()
        return (self._named.get(which) or self._newest_ticket(which)).code

    def _friend_code(self, chat: str) -> str:
        with self._database.read() as session:
            return own_friend_code(session, channel=CHANNEL, chat_id=str(self._actors[chat].user.id))

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
            first_user_id = 700_000 + 100 * load_scripts(file.parent.name).index(file)
            player = ScriptPlayer(self._telegram, self._product, first_user_id=first_user_id)
            self._records[file] = player.play(read_script(file))
        return self._records[file]
