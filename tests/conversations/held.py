"""What the store holds about a customer, in the shape in which scripts expect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Conversation
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer
from crm_store.drafts import OPEN, Draft
from crm_store.handoff.models import CallbackRequest, Handoff
from crm_store.privacy.models import Consent
from tests.conversations.held_club import HeldClub, HeldSurvey, club_of, surveys_of
from tests.conversations.held_tickets import (
    HeldCase,
    HeldRequest,
    cases_of,
    check_all,
    check_named,
    requests_of,
)

PROFILE = ("full_name", "birthday", "address", "preferred_channel", "preferred_time")


class HeldComplaint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A filed complaint; empty means that the customer told none.

    Attributes:
        phone: E.164, the one to call about it.
        attachments: number of files that it was filed with.
    """

    category: str
    order_number: str = ""
    remedy: str = ""
    phone: str = ""
    phone_proven: bool = False
    attachments: int = 0
    description: str = ""
    code: str = ""


class HeldHandoff(msgspec.Struct, frozen=True):
    """A conversation that a person was to take over.

    Attributes:
        outcome: how it ended; empty while it is open.
        agreed: what was agreed in it.
    """

    reason: str
    state: str
    outcome: str = ""
    agreed: str = ""
    team: str = ""


class Held(msgspec.Struct, frozen=True):
    """Everything that a script may ask about.

    Attributes:
        cases: how each of the complaints stands.
        callbacks: phone of each call that is still to be made.
        club: points and codes; None where nobody is known.
        surveys: opinions that were asked for.
        handoffs: when people took over, or were to.
        consents: decisions about advertising, oldest first.
        profile: fields that are not empty.
    """

    complaints: list[HeldComplaint] = []
    cases: list[HeldCase] = []
    requests: list[HeldRequest] = []
    club: HeldClub | None = None
    surveys: list[HeldSurvey] = []
    handoffs: list[HeldHandoff] = []
    open_drafts: int = 0
    callbacks: list[str] = []
    consents: list[bool] = []
    profile: dict[str, str] = {}


def held_of(session: Session, *, channel: str, chat_id: str) -> Held:
    """Read what the store holds about the customer of a chat.

    Raises:
        AssertionError: a call was promised for a time that is over already.
    """
    identity = session.scalar(
        select(ChannelIdentity).where(
            ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id
        )
    )
    if identity is None:
        return Held()
    drafts = select(func.count()).select_from(Draft).join(Conversation).where(Draft.state == OPEN)
    return Held(
        complaints=_complaints(session, identity.customer_id),
        cases=cases_of(session, identity.customer_id),
        requests=requests_of(session, identity.customer_id),
        club=club_of(session, identity.customer_id),
        surveys=surveys_of(session, identity.customer_id),
        handoffs=_handoffs(session, identity.customer_id),
        open_drafts=session.scalar(
            drafts.where(Conversation.channel == channel, Conversation.chat_id == chat_id)
        )
        or 0,
        callbacks=_callbacks(session, identity.customer_id),
        consents=list(
            session.scalars(
                select(Consent.granted)
                .where(Consent.customer_id == identity.customer_id)
                .order_by(Consent.id)
            )
        ),
        profile=_profile(session.get_one(Customer, identity.customer_id)),
    )


def _complaints(session: Session, customer_id: int) -> list[HeldComplaint]:
    files = (
        select(func.count())
        .where(Attachment.complaint_id == Complaint.id, Attachment.note_id.is_(None))
        .correlate(Complaint)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Complaint, ContactPoint, files)
        .outerjoin(ContactPoint, Complaint.contact_point_id == ContactPoint.id)
        .where(Complaint.customer_id == customer_id)
        .order_by(Complaint.id)
    )
    return [
        HeldComplaint(
            category=complaint.category,
            order_number=complaint.order_number,
            remedy=complaint.remedy,
            phone=point.value if point else "",
            phone_proven=point is not None and point.proven_at is not None,
            attachments=count,
            description=complaint.description,
            code=complaint.code,
        )
        for complaint, point, count in rows
    ]


def _handoffs(session: Session, customer_id: int) -> list[HeldHandoff]:
    rows = session.scalars(select(Handoff).where(Handoff.customer_id == customer_id).order_by(Handoff.id))
    return [HeldHandoff(one.reason, one.state, one.outcome, one.agreed, one.team) for one in rows]


def _callbacks(session: Session, customer_id: int) -> list[str]:
    rows = session.execute(
        select(CallbackRequest, ContactPoint.value)
        .join(ContactPoint, CallbackRequest.contact_point_id == ContactPoint.id)
        .where(CallbackRequest.customer_id == customer_id, CallbackRequest.state == "open")
        .order_by(CallbackRequest.id)
    ).all()
    for request, _phone in rows:
        assert request.due_at is not None, "a call was promised without a time"
        assert request.due_at > utcnow(), "a call was promised for a time that is over"
    return [phone for _request, phone in rows]


def _profile(customer: Customer) -> dict[str, str]:
    values = {name: getattr(customer, name) for name in PROFILE}
    return {name: str(value) for name, value in values.items() if value}


def check_held(held: Held, expected: Mapping[str, Any], *, chat: str, own_phone: str, where: str) -> None:
    """Compare what the store holds about a chat with what a script expects.

    Args:
        expected: the script's ``store``; entries without ``chat`` are about chat ``a``.
        own_phone: what ``own`` stands for.

    Raises:
        AssertionError: something is different.
    """
    entries = _Entries(expected, chat, own_phone)
    actual, wanted = _compared_as_a_whole(held), _wanted_as_a_whole(entries)
    assert actual == wanted, f"{where}: {actual}, not {wanted}"
    stories = [_only(entry, "description") for entry in entries.of("complaints")]
    check_all(held.complaints, stories, where=f"{where}, complaint")
    cases = [_only(entry, *HeldCase.__struct_fields__) for entry in entries.of("complaints")]
    for number, (case, named) in enumerate(zip(held.cases, cases, strict=True), start=1):
        check_named(case, named, where=f"{where}, complaint {number}")
    check_all(held.requests, entries.of("requests"), where=f"{where}, service request")
    for named in entries.of("club"):
        assert held.club is not None, f"{where}: nobody is known"
        check_named(held.club, named, where=f"{where}, club")
    check_all(held.surveys, entries.of("surveys"), where=f"{where}, survey")
    check_all(held.handoffs, entries.of("handoffs"), where=f"{where}, hand-over")


class _Entries:
    """What a script expects of one of its chats."""

    def __init__(self, expected: Mapping[str, Any], chat: str, own_phone: str) -> None:
        self._expected, self._chat, self._own_phone = expected, chat, own_phone

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The entries of a kind, with the phone as it is kept."""
        mine = [dict(one) for one in self._expected.get(kind, []) if one.get("chat", "a") == self._chat]
        for entry in mine:
            entry.pop("chat", None)
            if entry.get("phone") == "own":
                entry["phone"] = self._own_phone
        return mine


def _only(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What an entry says of some fields."""
    return {
        key: value
        for key, value in entry.items()
        if key.removesuffix("_contains").removesuffix("_lacks") in names
    }


def _compared_as_a_whole(held: Held) -> Held:
    """Without words, codes and what is compared only where a script names it."""
    bare = [msgspec.structs.replace(one, description="", code="") for one in held.complaints]
    followed = {"cases": [], "requests": [], "club": None, "surveys": [], "handoffs": []}
    return msgspec.structs.replace(held, complaints=bare, **followed)


def _wanted_as_a_whole(entries: _Entries) -> Held:
    """What a script expects, where what it does not name must not be there."""
    followed = ("description", *HeldCase.__struct_fields__)
    complaints = [
        {name: value for name, value in entry.items() if name not in _only(entry, *followed)}
        for entry in entries.of("complaints")
    ]
    return Held(
        complaints=[msgspec.convert(entry, HeldComplaint) for entry in complaints],
        open_drafts=sum(int(entry.get("count", 1)) for entry in entries.of("open_drafts")),
        callbacks=[str(entry["phone"]) for entry in entries.of("callbacks")],
        consents=[bool(entry["granted"]) for entry in entries.of("consents")],
        profile={key: str(value) for entry in entries.of("profile") for key, value in entry.items()},
    )
