"""Places in windows of time: what is free, and taking and freeing one without ever booking twice.

A window gets its row when it is first booked. A place is taken by one UPDATE that counts and compares at
once, so it does not matter how many ask at the same moment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business import ServiceKind
from crm_store.errors import FullyBooked
from crm_store.rules import Rules
from crm_store.service_requests.models import BookingWindow
from crm_store.service_requests.windows import Window, bookable_window, bookable_windows


class Slot(msgspec.Struct, frozen=True):
    """A window with places left.

    Attributes:
        kind: key of the kind of service.
        starts_at: its beginning, in UTC; names it.
        ends_at: its end, in UTC.
        free: places left, one at least.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime
    free: int


def free_slots(
    session: Session,
    *,
    kind: ServiceKind,
    rules: Rules,
    now: datetime | None = None,
    on: date | None = None,
    between: tuple[str, str] | None = None,
    limit: int = 6,
    with_notice: bool = True,
) -> list[Slot]:
    """The windows with places left, the earliest first.

    Args:
        on: only those of this local day.
        between: only those that overlap this local span of a day, ``("16:00", "20:00")``; with two equal
            times only those that hold this time.
        limit: so many at the most.
        with_notice: see `crm_store.service_requests.windows.bookable_windows`.
    """
    windows = bookable_windows(kind, rules=rules, now=now or utcnow(), on=on, with_notice=with_notice)
    if between is not None:
        windows = [window for window in windows if _overlaps(window, between, rules)]
    taken = _taken(session, kind.key, windows)
    slots = [
        Slot(kind.key, window.starts_at, window.ends_at, kind.capacity - taken.get(window.starts_at, 0))
        for window in windows
    ]
    return [slot for slot in slots if slot.free > 0][:limit]


def book(
    session: Session,
    *,
    kind: ServiceKind,
    starts_at: datetime,
    rules: Rules,
    now: datetime | None = None,
    with_notice: bool = True,
    instead_of: BookingWindow | None = None,
) -> BookingWindow:
    """Take a place in the window that begins at a moment.

    Args:
        with_notice: see `crm_store.service_requests.windows.bookable_windows`.
        instead_of: a window whose place is given back in the same transaction.

    Returns:
        The window.

    Raises:
        FullyBooked: no place is left, or no window begins then that can be booked; nothing was changed.
    """
    offered = bookable_window(
        kind, starts_at=starts_at, rules=rules, now=now or utcnow(), with_notice=with_notice
    )
    if offered is None:
        raise FullyBooked("no window that can be booked begins at this moment")
    window_id = _row_of(session, kind.key, offered)
    _lock(session, {window_id} | ({instead_of.id} if instead_of else set()))
    taken = session.execute(
        update(BookingWindow)
        .where(BookingWindow.id == window_id, BookingWindow.booked < kind.capacity)
        .values(booked=BookingWindow.booked + 1)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount == 0:  # type: ignore[attr-defined]  # an UPDATE always gives a CursorResult
        raise FullyBooked("no place is left in this window")
    if instead_of is not None:
        release(session, window=instead_of)
    return session.get_one(BookingWindow, window_id, populate_existing=True)


def release(session: Session, *, window: BookingWindow) -> None:
    """Give a place back."""
    session.execute(
        update(BookingWindow)
        .where(BookingWindow.id == window.id, BookingWindow.booked > 0)
        .values(booked=BookingWindow.booked - 1)
        .execution_options(synchronize_session=False)
    )
    session.expire(window, ["booked"])


def _row_of(session: Session, kind: str, window: Window) -> int:
    """The id of a window's row, made if nobody booked the window before."""
    find = select(BookingWindow.id).where(
        BookingWindow.kind == kind, BookingWindow.starts_at == window.starts_at
    )
    known = session.scalar(find)
    if known is not None:
        return known
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(BookingWindow)
        .values(kind=kind, starts_at=window.starts_at, ends_at=window.ends_at, booked=0)
        .on_conflict_do_nothing(index_elements=["kind", "starts_at"])
    )
    return session.scalars(find).one()


def _lock(session: Session, window_ids: Collection[int]) -> None:
    """Lock windows in one order for all, so that two who swap their places do not wait for each other."""
    session.scalars(
        select(BookingWindow.id)
        .where(BookingWindow.id.in_(window_ids))
        .order_by(BookingWindow.id)
        .with_for_update()
    ).all()


def _taken(session: Session, kind: str, windows: Sequence[Window]) -> dict[datetime, int]:
    """How many places are taken, by the beginning of the window."""
    if not windows:
        return {}
    rows = session.execute(
        select(BookingWindow.starts_at, BookingWindow.booked).where(
            BookingWindow.kind == kind,
            BookingWindow.starts_at >= windows[0].starts_at,
            BookingWindow.starts_at <= windows[-1].starts_at,
        )
    )
    return dict(rows.tuples().all())


def _overlaps(window: Window, between: tuple[str, str], rules: Rules) -> bool:
    zone, (begin, end) = ZoneInfo(rules.timezone), between
    first, last = window.starts_at.astimezone(zone), window.ends_at.astimezone(zone)
    # What ends at midnight ends on the next day.
    starts, ends = f"{first:%H:%M}", f"{last:%H:%M}" if last.date() == first.date() else "24:00"
    return (starts < end and begin < ends) if begin < end else starts <= begin < ends
