"""Buttons and commands in a staff group: taking a conversation, giving it back, passing it on.

A button may be pressed by many and more than once: what it does depends on the hand-over's state alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bot.gateway.desk.telling import NOT_LINKED, placed, writer
from bot.gateway.jobs import Plan, Press, Queued
from crm_store import outbox
from crm_store.base import utcnow
from crm_store.conversations.models import Button, Conversation
from crm_store.errors import AlreadyClaimed, CapReached, CrmError, Forbidden, InvalidInput
from crm_store.handoff import claiming, releasing, transferring, waiting
from crm_store.handoff.models import CLAIMED, Handoff, StaffTopic
from crm_store.handoff.presence import online
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.terms import terms

_PAYLOAD = re.compile(r"/desk_(\w+)(\{.*\})?")
#: So many colleagues are offered to pass a conversation on to.
_COLLEAGUES = 12


class Outcome(msgspec.Struct, frozen=True):
    """What came of a press or a command.

    Attributes:
        response: what whoever did it is told.
        params: its values.
        is_refused: nothing was done.
    """

    response: str
    params: dict[str, Any] = {}
    is_refused: bool = False


def button(name: str, about: dict[str, Any], *, title: str = "") -> dict[str, Any]:
    """A button of the staff's groups, for a notice's params.

    Args:
        name: what it does: ``claim``, ``take``, ``release``, ``transfer`` or ``give``.
        about: what it does it with.
        title: what stands on it, where that is not the same for all of its name.
    """
    payload = f"/desk_{name}{json.dumps(about, ensure_ascii=False)}"
    return {"title": title or terms("gateway")["desk_buttons"][name], "payload": payload}


def controls(handoff: Handoff) -> list[dict[str, Any]]:
    """The buttons below what is said of a hand-over."""
    about = {"handoff": handoff.id}
    names = {"waiting": ("claim",), "claimed": ("release", "transfer")}.get(handoff.state, ())
    return [button(name, about) for name in names]


def take(session: Session, *, group: Conversation, head: Queued, rules: Rules) -> Plan:
    """Do what a pressed button stands for; whoever pressed is told in an alert.

    Args:
        group: the group's conversation.
    """
    incoming = head.incoming
    pressed = session.get(Button, incoming.token)
    outcome = Outcome("utter_button_unknown", is_refused=True)
    if pressed is not None and pressed.conversation_id == group.id:
        outcome = _do(session, pressed, group=group, head=head, rules=rules)
    press = Press(
        incoming.callback_query_id,
        incoming.message_id,
        outcome.response,
        outcome.params,
        clears=not outcome.is_refused and outcome.response != _WHO_TO,
    )
    return Plan(conversation_id=group.id, press=press, is_silent=True, thread_id=incoming.thread_id)


_WHO_TO = "utter_topic_choose_colleague"


def _do(session: Session, pressed: Button, *, group: Conversation, head: Queued, rules: Rules) -> Outcome:
    known = _PAYLOAD.fullmatch(pressed.payload)
    if known is None:
        return Outcome("utter_button_unknown", is_refused=True)
    if pressed.expires_at <= utcnow():
        return Outcome("utter_button_expired", is_refused=True)
    staff = writer(session, head=head)
    if staff is None:
        return Outcome(NOT_LINKED, is_refused=True)
    about: dict[str, Any] = json.loads(known[2] or "{}")
    if known[1] == "transfer":
        return _ask_to_whom(session, about, group=group, head=head, staff=staff, rules=rules)
    return _act(session, known[1], about, staff=staff, rules=rules)


def act_in_topic(
    session: Session, payload: str, *, topic: StaffTopic, staff: StaffMember, rules: Rules, agreed: str = ""
) -> Outcome:
    """Do what a typed command asks for a topic's customer.

    Args:
        payload: ``/desk_claim`` or ``/desk_release``.
        agreed: what was agreed, told with a release.
    """
    handoff = waiting.open_of(session, conversation_id=topic.conversation_id)
    if handoff is None and payload == "/desk_claim":
        return _act(session, "take", {"conversation": topic.conversation_id}, staff=staff, rules=rules)
    if handoff is None:
        return Outcome("utter_topic_ended", is_refused=True)
    name = payload.removeprefix("/desk_")
    return _act(session, name, {"handoff": handoff.id}, staff=staff, rules=rules, agreed=agreed)


def _act(
    session: Session,
    name: str,
    about: dict[str, Any],
    *,
    staff: StaffMember,
    rules: Rules,
    agreed: str = "",
) -> Outcome:
    """Do one thing; what the store refuses is an answer, too, and its trace in the audit trail is kept."""
    handoff_id = int(about.get("handoff") or 0)
    conversation_id = int(about.get("conversation") or 0)
    try:
        if name == "claim":
            claiming.claim(session, handoff_id=handoff_id, staff=staff, rules=rules)
        elif name == "take":
            claiming.take_over(session, conversation_id=conversation_id, staff=staff, rules=rules)
        elif name == "release":
            releasing.release(session, handoff_id=handoff_id, staff=staff, agreed=agreed, rules=rules)
            return Outcome("utter_topic_given_back")
        elif name == "give":
            return _give(session, handoff_id, about, staff=staff, rules=rules)
        else:
            return Outcome("utter_button_unknown", is_refused=True)
    except CrmError as error:
        handoff = session.get(Handoff, handoff_id)
        where = handoff.conversation_id if handoff is not None else conversation_id
        return refusal_of(session, error, conversation_id=where)
    return Outcome("utter_topic_yours")


def refusal_of(session: Session, error: CrmError, *, conversation_id: int) -> Outcome:
    """Why something was not done, in words for the staff."""
    if isinstance(error, CapReached):
        return Outcome("utter_topic_full", is_refused=True)
    if isinstance(error, AlreadyClaimed):
        return Outcome("utter_topic_not_owner", {"agent": error.owner_name}, is_refused=True)
    if isinstance(error, InvalidInput):
        return Outcome("utter_topic_not_possible", is_refused=True)
    handoff = waiting.open_of(session, conversation_id=conversation_id)
    if handoff is None:
        return Outcome("utter_topic_ended", is_refused=True)
    owner = session.get(StaffMember, handoff.owner_id) if handoff.owner_id is not None else None
    if isinstance(error, Forbidden) and handoff.state == CLAIMED and owner is not None:
        return Outcome("utter_topic_not_owner", {"agent": owner.name}, is_refused=True)
    return Outcome("utter_topic_not_allowed", is_refused=True)


def _ask_to_whom(
    session: Session,
    about: dict[str, Any],
    *,
    group: Conversation,
    head: Queued,
    staff: StaffMember,
    rules: Rules,
) -> Outcome:
    """Offer those who are there, and the teams, to pass a conversation on to."""
    handoff = session.get(Handoff, int(about.get("handoff") or 0))
    if handoff is None or handoff.state != CLAIMED:
        return Outcome("utter_topic_ended", is_refused=True)
    try:
        releasing.require_hand(session, staff, "handoff.transfer_own", handoff)
    except Forbidden as error:
        return refusal_of(session, error, conversation_id=handoff.conversation_id)
    there = [one for one in online(session, rules=rules) if one.id != handoff.owner_id][:_COLLEAGUES]
    choices = [button("give", {"handoff": handoff.id, "staff": one.id}, title=one.name) for one in there]
    choices += [
        button("give", {"handoff": handoff.id, "team": team}, title=team)
        for team in rules.business.handoff.teams
    ]
    if not choices:
        return Outcome("utter_topic_nobody_there", is_refused=True)
    item = outbox.enqueue_notice(
        session,
        conversation_id=group.id,
        response="utter_topic_pass_on",
        params={"buttons": choices, "agent": staff.name},
        idempotency_key=f"pass-on:{head.inbox_id}",
        correlation_id=head.correlation_id,
    )
    item.content = {**item.content, **placed(head.incoming)}
    return Outcome(_WHO_TO)


def _give(
    session: Session, handoff_id: int, about: dict[str, Any], *, staff: StaffMember, rules: Rules
) -> Outcome:
    to_staff_id = int(about["staff"]) if about.get("staff") else None
    to_team = str(about.get("team") or "")
    handoff = session.get(Handoff, handoff_id)
    if handoff is not None and to_staff_id is not None and handoff.owner_id == to_staff_id:
        return Outcome("utter_topic_passed_on")  # the same press again
    transferring.transfer(
        session, handoff_id=handoff_id, staff=staff, to_staff_id=to_staff_id, to_team=to_team, rules=rules
    )
    return Outcome("utter_topic_passed_on")
