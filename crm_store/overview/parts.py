"""What a customer's card is made of: plain data, with codes where the store keeps codes.

Moments are aware and in UTC, money is in rials, phones are E.164. Names of things stand in
``data/overview/terms.yml`` and in the terms of the areas that they come from.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Phone(msgspec.Struct, frozen=True):
    """A number of the customer's.

    Attributes:
        value: E.164.
        is_proven: whether a messenger vouched for it.
    """

    value: str
    is_proven: bool


class Channel(msgspec.Struct, frozen=True):
    """An account of the customer's.

    Attributes:
        conversation_id: the private chat; None where there was none yet.
        is_blocked: whether they blocked the bot there.
    """

    channel: str
    username: str
    display_name: str
    conversation_id: int | None
    is_blocked: bool


class Clock(msgspec.Struct, frozen=True):
    """A due time of a ticket that still runs.

    Attributes:
        metric: one of `crm_store.sla.models.METRICS`.
        due_at: while it is paused, as it was before the pause.
        is_paused: whether it waits for the customer.
        is_overdue: whether the due time has passed.
    """

    metric: str
    due_at: datetime
    is_paused: bool
    is_overdue: bool


class OpenTicket(msgspec.Struct, frozen=True):
    """A complaint or service request on which somebody still has to work.

    Attributes:
        subject_type: ``complaint`` or ``service_request``.
        title: key of the complaint's category or of the kind of service.
        clocks: the nearest due time first.
        visit_at: when somebody comes, with `visit_until`; None for complaints and where no time is set.
        assignee: name of who deals with it; empty for nobody.
    """

    subject_type: str
    code: str
    title: str
    state: str
    priority: str
    created_at: datetime
    clocks: list[Clock]
    visit_at: datetime | None
    visit_until: datetime | None
    assignee: str

    @property
    def due_at(self) -> datetime | None:
        """The nearest due time that runs."""
        return next((clock.due_at for clock in self.clocks if not clock.is_paused), None)

    @property
    def is_overdue(self) -> bool:
        """Whether a due time has passed."""
        return any(clock.is_overdue for clock in self.clocks)


class Callback(msgspec.Struct, frozen=True):
    """A call that was promised and not made yet.

    Attributes:
        topic: what it is about, in the customer's words.
    """

    callback_id: int
    topic: str
    due_at: datetime | None
    is_overdue: bool


class Contact(msgspec.Struct, frozen=True):
    """A time at which the customer and the business spoke.

    Attributes:
        kind: ``chat`` (with the bot), ``handoff`` (with a person), ``call`` or ``visit``.
        channel: of a chat or a hand-over; empty for others.
        staff: name of who spoke with them; empty for the bot.
        words: the customer's last line, the topic, or what came of it; shortened.
    """

    kind: str
    at: datetime
    channel: str
    staff: str
    words: str


class LastProblem(msgspec.Struct, frozen=True):
    """What went wrong last, and what was done about it.

    Attributes:
        kind: ``complaint``, ``visit`` (one that did not succeed) or ``grade`` (a low grade in a survey).
        code: of the ticket; empty for a grade.
        title: key of the category or of the kind of service; title of the survey.
        words: what the customer said of it; shortened.
        state: of the ticket; of a grade whether somebody looked after it: ``open`` or ``done``.
        decision: of a complaint that is decided; empty before.
        remedy: what was done; empty for nothing.
        apologised: whether we said sorry for it or made up for it.
        compensation_kind: ``points`` or ``money``; empty for none.
        compensation: points, or rials.
    """

    kind: str
    at: datetime
    code: str
    title: str
    words: str
    state: str
    decision: str = ""
    remedy: str = ""
    apologised: bool = False
    compensation_kind: str = ""
    compensation: int = 0


class Grade(msgspec.Struct, frozen=True):
    """A grade that the customer gave.

    Attributes:
        kind: ``csat``, ``nps``, ``ces``, ``scale`` or ``visit``.
        value: the grade.
        top: the best grade there is.
        words: the reason in the customer's words; shortened.
    """

    kind: str
    value: int
    top: int
    at: datetime
    words: str


class Satisfaction(msgspec.Struct, frozen=True):
    """What the customer thinks.

    Attributes:
        last: the newest grades first.
        nps: mean of their answers to "would you recommend us", 0 to 10; None without any.
        csat: mean of their satisfaction, 1 to 5; None without any.
    """

    last: list[Grade]
    nps: float | None
    csat: float | None


class Value(msgspec.Struct, frozen=True):
    """What the customer bought, less what went back, in rials."""

    rials_12_months: int
    rials_all: int
    purchases: int
    last_at: datetime | None


class Points(msgspec.Struct, frozen=True):
    """The customer's points.

    Attributes:
        expiring_soon: of the points, those that lapse within the club's notice.
    """

    points: int
    debt: int
    expiring_soon: int
    expires_first_at: datetime | None


class Decision(msgspec.Struct, frozen=True):
    """What the customer decided about a purpose last."""

    purpose: str
    granted: bool
    at: datetime


class Note(msgspec.Struct, frozen=True):
    """A note of the staff's."""

    note_id: int
    text: str
    author: str
    is_pinned: bool
    at: datetime


class HandoffState(msgspec.Struct, frozen=True):
    """The hand-over that is open, or the last one.

    Attributes:
        state: ``waiting``, ``claimed`` or ``ended``.
        owner: name of who has or had it; empty for nobody.
        since: when it came into that state.
        agreed: what was agreed at its end.
    """

    handoff_id: int
    conversation_id: int
    state: str
    reason: str
    topic: str
    owner_id: int | None
    owner: str
    since: datetime
    agreed: str


class CustomerCard(msgspec.Struct, frozen=True):
    """A customer, all round.

    Attributes:
        customer_id: the record that stands for the person.
        name: as given, else as the messenger calls the account; empty for none.
        display_name: what the messenger calls the account.
        phones: proven ones first.
        channels: accounts, the one that was used last first.
        external_ref: the number in the business's other systems; empty for none.
        tickets: open ones, the most urgent first; `tickets_more` counts those beyond.
        contacts: the last three, newest first.
        birthday_in: days until the next birthday, where that is within a week; 0 for today.
        notes: pinned ones first, then the newest; `notes_more` counts those beyond.
        handoff: the open one, or the last one that ended within a week.
        flags: what to beware of, by keys of ``data/overview/terms.yml`` (section ``flags``).
    """

    customer_id: int
    name: str
    display_name: str
    tier: str
    since: datetime
    external_ref: str
    address: str
    preferred_channel: str
    preferred_time: str
    birthday: date | None
    birthday_in: int | None
    phones: list[Phone]
    channels: list[Channel]
    points: Points
    value: Value
    satisfaction: Satisfaction
    tickets: list[OpenTicket]
    tickets_more: int
    callbacks: list[Callback]
    contacts: list[Contact]
    last_problem: LastProblem | None
    consents: list[Decision]
    notes: list[Note]
    notes_more: int
    handoff: HandoffState | None
    flags: list[str]
