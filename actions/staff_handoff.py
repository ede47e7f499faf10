"""Conversations that the staff take over, pass on and give back; they answer in the console or the group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import and_, or_, select

from actions.staff_card import go_on_buttons
from actions.staff_desk import GOES_ON, Desk, go, park
from actions.staff_find import customer_for, named_in, open_customer
from actions.staff_tasks import CHOICE, KINDS, TEXT, Answer, Kind, Step, Task, any_text, begin, put
from actions.staff_words import AREA, behind_colon, has, number_in
from actions.texts import Rich, button, fragment
from crm_store.conversations.models import EVERYBODY, Message
from crm_store.conversations.reaching import latest_chat
from crm_store.errors import AlreadyClaimed, CapReached, Forbidden, InvalidInput, InvalidTransition, NotFound
from crm_store.handoff.claiming import claim, next_for, release, take_over, transfer
from crm_store.handoff.models import CLAIMED, ENDED, RELEASED, Handoff
from crm_store.inbox import InboxItem
from crm_store.persian import rich
from crm_store.staff.colleagues import candidates, team_in
from crm_store.staff.colleagues import named_in as colleagues_in
from crm_store.staff.models import StaffMember
from crm_store.terms import term
from crm_store.tickets.models import COMPLAINT

RELEASE, PASS_ON = "release", "pass_on"
MEMBER, TEAM = "staff:", "team:"
#: Lines of the conversation that are shown to whoever takes it over, and letters of each.
LINES, LONGEST = 6, 200
OFFERED = 8


def take(desk: Desk) -> None:
    """Take over the conversation of a button, the next one that waits, or that of the customer in mind."""
    turn = desk.turn
    number = turn.button_value("staff_take_over", "handoff")
    if number is not None:
        if desk.may("handoff.claim", target_type="handoff", target_id=number):
            _claim(desk, int(number) if number.isdecimal() else 0)
        return
    typed = _number_in(desk)
    if typed is not None:
        _claim(desk, typed)
        return
    if _wants_next(desk):
        _take_next(desk)
        return
    customer_id = customer_for(desk, "handoff.claim")
    if customer_id is None:
        return
    chat = latest_chat(desk.session, customer_id=customer_id)
    if chat is None:
        name = desk.name_of(customer_id)
        desk.reply.utter("utter_staff_no_chat", name=name, buttons=go_on_buttons(desk))
        return
    _try(desk, lambda: take_over(desk.session, conversation_id=chat.id, staff=desk.staff, rules=desk.rules))


def _number_in(desk: Desk) -> int | None:
    """The number of a conversation that is typed: «گفتگوی ۷۷ رو برمی‌دارم»; None where it is none of those."""
    number = number_in(desk.turn) if not desk.turn.trusted and not desk.settled else None
    handoff = desk.session.get(Handoff, number) if number is not None else None
    return handoff.id if handoff is not None and handoff.state != ENDED else None


def _wants_next(desk: Desk) -> bool:
    """Whether whoever waits is meant: it is said so, or a conversation is spoken of and no customer."""
    turn = desk.turn
    if turn.trusted or desk.settled:
        return turn.entity("value") == "next"
    names_nobody = desk.focus.customer_id is None and not named_in(turn)
    return has("next_one", turn.text) or (names_nobody and has("of_conversations", turn.text))


def own_handoffs(desk: Desk) -> list[Handoff]:
    """The conversations that whoever writes has in hand, the latest first.

    One that this very message has given back is among them: what was said to it may have been lost.
    """
    given_back = and_(Handoff.outcome == RELEASED, Handoff.ended_at >= _received_at(desk))
    mine = select(Handoff).where(Handoff.owner_id == desk.staff.id, or_(Handoff.state == CLAIMED, given_back))
    return list(desk.session.scalars(mine.order_by(Handoff.claimed_at.desc(), Handoff.id.desc())))


def give_back(desk: Desk) -> None:
    """Give a conversation back to the bot, with what was agreed."""
    handoff = _meant(desk)
    if handoff is None:
        return
    desk.note_look(handoff.customer_id, **{"for": RELEASE})
    # It reaches the customer word for word: only what is set off is surely meant for them.
    said = "" if desk.turn.trusted else behind_colon(desk.turn.text)
    text = said if len(said.split()) > 1 else None
    begin(desk, RELEASE, handoff=handoff.id, **({"agreed": text} if text else {}))


def pass_on(desk: Desk) -> None:
    """Pass a conversation on to the colleague or team that is named, or ask to whom."""
    handoff = _meant(desk)
    if handoff is None:
        return
    desk.note_look(handoff.customer_id, **{"for": PASS_ON})
    to = _wanted(desk, handoff, Answer(text=desk.turn.text if not desk.turn.trusted else ""))
    begin(desk, PASS_ON, handoff=handoff.id, **({"to": to} if to else {}))


def _take_next(desk: Desk) -> None:
    if not desk.may("handoff.claim"):
        return
    known = _claimed_by_this(desk)
    _try(desk, lambda: known or next_for(desk.session, staff=desk.staff, rules=desk.rules))


def _claimed_by_this(desk: Desk) -> Handoff | None:
    """The conversation that this very message has taken over, if what was said to it was lost."""
    return desk.session.scalar(
        select(Handoff)
        .where(
            Handoff.owner_id == desk.staff.id,
            Handoff.state == CLAIMED,
            Handoff.claimed_at >= _received_at(desk),
        )
        .limit(1)
    )


def _received_at(desk: Desk) -> datetime:
    return desk.session.get_one(InboxItem, desk.turn.inbox_id).received_at


def _claim(desk: Desk, handoff_id: int) -> None:
    _try(desk, lambda: claim(desk.session, handoff_id=handoff_id, staff=desk.staff, rules=desk.rules))


def _try(desk: Desk, attempt: Callable[[], Handoff | None]) -> None:
    """Take over, and say what came of it."""
    try:
        handoff = attempt()
    except AlreadyClaimed as taken:
        desk.reply.utter(
            "utter_staff_already_taken", name=taken.owner_name, buttons=[_next_button(), *go_on_buttons(desk)]
        )
    except CapReached:
        desk.reply.utter("utter_staff_cap_reached", buttons=_own_buttons(desk))
    except (NotFound, InvalidTransition):
        desk.reply.utter("utter_staff_handoff_over", buttons=[_next_button(), *go_on_buttons(desk)])
    except Forbidden:
        desk.reply.utter("utter_staff_not_allowed")
    else:
        if handoff is None:
            desk.reply.utter("utter_staff_nobody_waits", buttons=[go("queue", "staff_my_queue")])
        else:
            _tell_taken(desk, handoff)


def _tell_taken(desk: Desk, handoff: Handoff) -> None:
    # Where a reason comes first, this very one is shown after it, and no other is taken over.
    desk = desk.again_as(text="", trusted=True, found=(), entities={"handoff": (str(handoff.id),)})
    if not open_customer(desk, handoff.customer_id):
        return
    lines = _last_lines(desk, handoff.conversation_id)
    buttons = [
        go("release", "staff_release", handoff=str(handoff.id)),
        go("pass_on", "staff_assign", handoff=str(handoff.id)),
        *go_on_buttons(desk),
    ]
    name = desk.name_of(handoff.customer_id)
    topic = fragment("utter_staff_topic_line", topic=desk.words(handoff.topic)) if handoff.topic else Rich("")
    desk.reply.utter(
        "utter_staff_taken_over",
        name=name,
        topic=topic,
        lines=Rich("\n\n" + "\n".join(lines)) if lines else Rich(""),
        buttons=buttons,
    )


def _last_lines(desk: Desk, conversation_id: int) -> list[Rich]:
    rows = desk.session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.audience == EVERYBODY)
        .order_by(Message.seq.desc())
        .limit(LINES)
    ).all()
    return [_line(desk, message) for message in reversed(rows)]


def _line(desk: Desk, message: Message) -> Rich:
    text = desk.words(rich.to_plain(message.text) if message.author == "bot" else message.text)
    said = text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"
    who = "staff" if message.author.startswith("staff:") else message.author
    author = term(AREA, "authors", who) or term(AREA, "authors", "customer")
    return fragment("utter_staff_said_line", author=author, text=said or (term(AREA, "words", "file") or ""))


def _meant(desk: Desk) -> Handoff | None:
    """The conversation that is to be given back or passed on; None where that was asked or refused."""
    turn, session = desk.turn, desk.session
    number = turn.entity("handoff") if turn.trusted else None
    if number is not None:
        handoff = session.get(Handoff, int(number)) if number.isdecimal() else None
        if handoff is None or (handoff.state != CLAIMED and handoff not in own_handoffs(desk)):
            _tell_none(desk)
            return None
        return handoff if _may_with(desk, handoff) else None
    mine = own_handoffs(desk)
    chosen = [one for one in mine if one.customer_id == desk.focus.customer_id] or mine
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        _tell_none(desk)
        return None
    park(desk)
    intent = turn.intent
    buttons = [
        button(desk.name_of(one.customer_id), intent, handoff=str(one.id), **{GOES_ON: GOES_ON})
        for one in chosen[:OFFERED]
    ]
    desk.reply.utter("utter_staff_which_handoff", buttons=buttons)
    return None


def _may_with(desk: Desk, handoff: Handoff) -> bool:
    if desk.can("handoff.manage_any"):
        return desk.may("handoff.manage_any")
    own = handoff.owner_id == desk.staff.id
    return desk.may("handoff.release_own", own=own, target_type="handoff", target_id=handoff.id)


def _tell_none(desk: Desk) -> None:
    desk.reply.utter("utter_staff_no_handoff", buttons=[_next_button(), go("queue", "staff_my_queue")])


def _ask_agreed(desk: Desk, task: Task, step: Step) -> None:
    handoff = desk.session.get_one(Handoff, int(task.data["handoff"]))
    choices = [(term(AREA, "buttons", "nothing_agreed") or "", "nothing")]
    name = desk.name_of(handoff.customer_id)
    put(desk, task, step, "utter_staff_ask_agreed", choices=choices, name=name)


def _read_agreed(desk: Desk, task: Task, answer: Answer) -> str | None:
    return "" if answer.value == "nothing" else any_text(desk, task, answer)


def _finish_release(desk: Desk, task: Task) -> None:
    handoff = desk.session.get_one(Handoff, int(task.data["handoff"]))
    if not _may_with(desk, handoff):
        return
    name = desk.name_of(handoff.customer_id)
    try:
        release(
            desk.session,
            handoff_id=handoff.id,
            staff=desk.staff,
            agreed=str(task.data["agreed"]),
            rules=desk.rules,
        )
    except (InvalidTransition, NotFound):
        _tell_none(desk)
    except Forbidden:
        desk.reply.utter("utter_staff_not_allowed")
    else:
        buttons = [_next_button(), *go_on_buttons(desk)]
        desk.reply.utter("utter_staff_given_back", name=name, buttons=buttons)


def _others(desk: Desk, handoff: Handoff) -> list[StaffMember]:
    """Colleagues to whom a conversation can go: neither whoever asks nor whoever has it."""
    among = candidates(desk.session, subject_type=COMPLAINT)
    return [one for one in among if one.id not in (desk.staff.id, handoff.owner_id)]


def _wanted(desk: Desk, handoff: Handoff, answer: Answer) -> str | None:
    among = _others(desk, handoff)
    teams = desk.rules.business.handoff.teams
    if answer.value:
        known = {*(f"{MEMBER}{one.id}" for one in among), *(f"{TEAM}{team}" for team in teams)}
        return answer.value if answer.value in known else None
    if not answer.text:
        return None
    team = team_in(answer.text, desk.rules)
    if team:
        return f"{TEAM}{team}"
    named = colleagues_in(answer.text, among)
    return f"{MEMBER}{named[0].id}" if len(named) == 1 else None


def _ask_to(desk: Desk, task: Task, step: Step) -> None:
    handoff = desk.session.get_one(Handoff, int(task.data["handoff"]))
    among = _others(desk, handoff)
    choices = [(one.name or one.login or "", f"{MEMBER}{one.id}") for one in among[:OFFERED]]
    choices += [
        (str(fragment("utter_staff_team_button", team=team)), f"{TEAM}{team}")
        for team in desk.rules.business.handoff.teams
    ]
    put(
        desk,
        task,
        step,
        "utter_staff_ask_pass_on",
        choices=choices,
        name=desk.name_of(handoff.customer_id),
    )


def _read_to(desk: Desk, task: Task, answer: Answer) -> str | None:
    return _wanted(desk, desk.session.get_one(Handoff, int(task.data["handoff"])), answer)


def _finish_pass_on(desk: Desk, task: Task) -> None:
    handoff = desk.session.get_one(Handoff, int(task.data["handoff"]))
    if not _may_with(desk, handoff):
        return
    to = str(task.data["to"])
    is_team = to.startswith(TEAM)
    try:
        passed = transfer(
            desk.session,
            handoff_id=handoff.id,
            staff=desk.staff,
            to_staff_id=None if is_team else int(to.removeprefix(MEMBER)),
            to_team=to.removeprefix(TEAM) if is_team else "",
            rules=desk.rules,
        )
    except (InvalidTransition, InvalidInput, NotFound):
        _tell_none(desk)
    except Forbidden:
        desk.reply.utter("utter_staff_not_allowed")
    else:
        name = desk.name_of(passed.customer_id)
        response = "utter_staff_passed_on" if passed.state == CLAIMED else "utter_staff_passed_on_waits"
        desk.reply.utter(response, name=name, buttons=[_next_button(), *go_on_buttons(desk)])


def _own_buttons(desk: Desk) -> list[dict[str, str]]:
    buttons = [
        button(
            str(fragment("utter_staff_release_button", name=desk.name_of(one.customer_id))),
            "staff_release",
            handoff=str(one.id),
        )
        for one in own_handoffs(desk)[:OFFERED]
    ]
    return [*buttons, go("queue", "staff_my_queue")]


def _next_button() -> dict[str, str]:
    return go("next_one", "staff_take_over", value="next")


KINDS[RELEASE] = Kind(
    "handoff.release_own", (Step("agreed", TEXT, _ask_agreed, _read_agreed),), _finish_release
)
KINDS[PASS_ON] = Kind("handoff.transfer_own", (Step("to", CHOICE, _ask_to, _read_to),), _finish_pass_on)
