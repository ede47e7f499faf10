"""A staff group with topics, a customer who chats with the bot, and colleagues who may take over."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation, Message
from crm_store.customers import service as customers
from crm_store.handoff import topics, waiting
from crm_store.handoff.models import ASKED, Handoff, RelayedLine, StaffTopic
from crm_store.handoff.presence import ONLINE
from crm_store.rules import Rules
from crm_store.settings import BotApiSettings
from crm_store.staff.models import StaffAccount, StaffMember
from tests.fakes.bot_api_forum import Topic
from tests.fakes.bot_api_model import Chat, SentMessage, User
from tests.gateway.conftest import Setup

GROUP = -1001234567890
SARA, REZA, NEGAR, OMID, STRANGER = 7, 8, 21, 22, 66


def bare(text: str) -> str:
    """A text without the marks that keep names from disturbing what stands around them."""
    return text.replace("\u2068", "").replace("\u2069", "")


class Desk:
    """The scene.

    Attributes:
        sara, reza: customers.
        negar, omid: colleagues, whose accounts are linked.
        stranger: somebody in the group who does not work here.
    """

    def __init__(self, setup: Setup, *, forum: bool = True, channel: str = "telegram") -> None:
        self.setup = setup
        self.channel = channel
        self.telegram = setup.telegram
        setup.set_telegram(staff_group_id=GROUP)
        if channel == "bale":
            setup.set(bale=setup.settings.telegram, telegram=BotApiSettings())
        # Scripts write faster than people; the pace of a group has tests of its own.
        setup.set_limits(group_messages_per_minute=5000)
        self.telegram.state.group_pace.limit = 1000
        if forum:
            self.telegram.forum(GROUP)
        else:
            self.telegram.state.chats[GROUP] = Chat(GROUP, title="همکاران")
        self.sara = self.telegram.user(SARA, "سارا")
        self.reza = self.telegram.user(REZA, "رضا")
        self.negar = self.telegram.user(NEGAR, "نگار")
        self.omid = self.telegram.user(OMID, "امید")
        self.stranger = self.telegram.user(STRANGER, "ناشناس")
        setup.write(self._people)

    def _people(self, session: Session) -> None:
        conversations.open_conversation(session, channel=self.channel, chat_id=str(GROUP), identity=None)
        for user in (self.negar, self.omid):
            identity = customers.identify(session, channel=self.channel, external_id=str(user.id))
            member = StaffMember(name=user.first_name, role="agent", presence=ONLINE, presence_at=utcnow())
            session.add(member)
            session.flush()
            session.add(StaffAccount(identity_id=identity.id, staff_id=member.id))

    @property
    def rules(self) -> Rules:
        """The rules of the business."""
        from crm_store.business import EXAMPLE, read_business

        return Rules.of(self.setup.settings, read_business(EXAMPLE))

    def staff(self, session: Session, user: User) -> StaffMember:
        """The member of staff to whom an account belongs."""
        return session.query(StaffMember).filter_by(name=user.first_name).one()

    def chat(self, session: Session, user: User) -> Conversation:
        """A customer's conversation."""
        found = conversations.find_conversation(session, channel=self.channel, chat_id=str(user.id))
        assert found is not None
        return found

    async def greets(self, user: User, text: str = "سلام") -> None:
        """A customer says something to the bot and is answered."""
        answered = len(self.telegram.messages(user.id)) + 1
        await self.telegram.send_text(user, text)
        await self.telegram.wait_for_messages(user.id, answered, timeout=30)
        await self.setup.all_finished()

    def wants_a_person(self, user: User, topic: str = "یخچالم خراب است") -> int:
        """A customer asks for a person; the number of the hand-over."""

        def ask(session: Session) -> int:
            chat = self.chat(session, user)
            wish = waiting.request(
                session, conversation_id=chat.id, reason=ASKED, topic=topic, rules=self.rules
            )
            return int(wish.id)

        return int(self.setup.write(ask))

    async def topic(self, number: int = 0) -> Topic:
        """A topic of the group, as soon as it is there and known to be a customer's."""

        def known() -> list[Topic]:
            return [topic for topic in self.telegram.state.forums.of(GROUP) if self.is_known(topic)]

        await self.setup.until(lambda: known()[number:], "a topic")
        return known()[number]

    def is_known(self, topic: Topic) -> bool:
        """Whether it is noted whose a topic is; people are slower than that."""
        known: bool = self.setup.read(
            lambda session: session.query(StaffTopic).filter_by(thread_id=topic.thread_id).count() > 0
        )
        return known

    def said_in(self, topic: Topic) -> list[SentMessage]:
        """What the group reads in a topic."""
        return self.telegram.topic_messages(GROUP, topic.thread_id)

    async def reads(self, topic: Topic, words: str) -> SentMessage:
        """A message in a topic that says something, as soon as it is there."""

        def found() -> list[SentMessage]:
            return [message for message in self.said_in(topic) if words in bare(message.plain)]

        try:
            messages: list[SentMessage] = await self.setup.until(found, words)
        except TimeoutError:
            texts = [bare(message.plain) for message in self.said_in(topic)]
            raise TimeoutError(f"{words!r} is not among {texts}") from None
        return messages[-1]

    async def is_noted(self, message: SentMessage) -> None:
        """Wait until it is noted of whom a message in the group is; people are slower than that."""

        def known(session: Session) -> int:
            return session.query(RelayedLine).filter_by(platform_message_id=str(message.message_id)).count()

        await self.setup.until(lambda: self.setup.read(known), "a note of it")

    async def gets(self, user: User, words: str) -> SentMessage:
        """A message that a customer gets, as soon as it is there."""

        def found() -> list[SentMessage]:
            return [message for message in self.telegram.messages(user.id) if words in message.plain]

        messages: list[SentMessage] = await self.setup.until(found, f"{words!r} for {user.first_name}")
        return messages[-1]

    async def writes(self, who: User, topic: Topic, text: str, **more: Any) -> int:
        """Somebody writes in a topic; the number of the update."""
        return await self.telegram.group_message(GROUP, who, text, thread=topic.thread_id, **more)

    async def claimed_topic(self, user: User | None = None, number: int = 0) -> Topic:
        """A customer whose conversation Negar has, and its topic."""
        customer = user or self.sara
        await self.greets(customer)
        self.wants_a_person(customer)
        topic = await self.topic(number)
        await self.reads(topic, "درخواست گفتگو")
        await self.writes(self.negar, topic, "سلام، من نگارم")
        await self.gets(customer, "من نگارم")
        await self.reads(topic, "نگار گفتگو را برداشت")
        await self.all_shown()
        return topic

    async def all_shown(self) -> None:
        """Wait until the group was shown all that was said; what comes then is a message of its own."""

        def due(session: Session) -> list[int]:
            group = conversations.find_conversation(session, channel=self.channel, chat_id=str(GROUP))
            return topics.due(session, group_id=group.id) if group is not None else []

        await self.setup.until(lambda: not self.setup.read(due), "that all is shown")

    def handoff(self) -> Handoff:
        """The only hand-over."""
        found = self.setup.read(lambda session: session.query(Handoff).one())
        assert isinstance(found, Handoff)
        return found

    def lines(self, user: User) -> list[tuple[str, str, str]]:
        """Author, audience and words of a customer's transcript."""

        def read(session: Session) -> list[tuple[str, str, str]]:
            chat = self.chat(session, user)
            rows = session.query(Message).filter_by(conversation_id=chat.id).order_by(Message.seq)
            return [(row.author, row.audience, row.text) for row in rows]

        lines: list[tuple[str, str, str]] = self.setup.read(read)
        return lines
