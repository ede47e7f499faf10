"""What customers can book: kinds of service, and the windows of time in which somebody comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Literal

import msgspec

from crm_store.business.calendar import END_OF_DAY, Interval, Weekday, read_interval
from crm_store.business.parts import Key, Title

#: What may be asked about a request besides its kind and its time, in the order of asking.
ServiceQuestion = Literal["problem", "product", "city", "address", "attachments", "phone"]


class ServiceKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of service.

    Attributes:
        key: its name in the store; never changed once requests have it.
        title: what people read.
        words: words by which customers name it, besides those that Peyvand knows by itself.
        ask: what is asked when the customer has not told it.
        questions: further questions in the owner's words, answered freely.
        is_booked: whether a window of time is chosen; otherwise somebody gets in touch.
        duration_minutes: how long a visit takes.
        areas: names of the cities that it is offered in; none means everywhere.
        skills: what a technician must be able to do; all of them.
        capacity: visits of this kind at the most within one window.
    """

    key: Key
    title: Title
    words: tuple[str, ...] = ()
    ask: tuple[ServiceQuestion, ...] = ("problem", "product", "address", "phone")
    questions: tuple[Title, ...] = ()
    is_booked: bool = True
    duration_minutes: Annotated[int, msgspec.Meta(gt=0, le=24 * 60)] = 60
    areas: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    capacity: Annotated[int, msgspec.Meta(gt=0, le=10_000)] = 1


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be booked, and when.

    Attributes:
        kinds: in the order of their buttons; none means that nothing can be booked.
        windows: windows of local time per weekday; none on holidays of the calendar.
        days_ahead: windows are offered for so many days from today.
        notice_minutes: a window begins at least so long after it is booked.
        change_deadline_minutes: a visit can be moved or cancelled in chat until so long before its window.
        reminder_time: local time of the evening before at which a visit is called to mind.
    """

    kinds: tuple[ServiceKind, ...] = ()
    windows: Mapping[Weekday, tuple[str, ...]] = msgspec.field(default_factory=dict)
    days_ahead: Annotated[int, msgspec.Meta(gt=0, le=365)] = 14
    notice_minutes: Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 30)] = 120
    change_deadline_minutes: Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 30)] = 180
    reminder_time: str = "18:00"

    def intervals(self, weekday: Weekday) -> list[Interval]:
        """The windows of a weekday, in order.

        Raises:
            ValueError: one of them is written differently.
        """
        return sorted(read_interval(text, "service.windows") for text in self.windows.get(weekday, ()))

    def reminder_at(self) -> time:
        """When visits of the next day are called to mind.

        Raises:
            ValueError: it is written differently.
        """
        try:
            return time.fromisoformat(self.reminder_time)
        except ValueError as error:
            place = "service.reminder_time"
            raise ValueError(f'{place}: "{self.reminder_time}" must be written like "18:00"') from error

    def check(self) -> None:
        """Look for what cannot be read.

        Raises:
            ValueError: something cannot; the message names the place.
        """
        lengths = [_minutes(interval) for weekday in self.windows for interval in self.intervals(weekday)]
        self.reminder_at()
        booked = [kind for kind in self.kinds if kind.is_booked]
        if booked and not lengths:
            raise ValueError("service.windows: kinds of service are booked, but there is no window to choose")
        for kind in booked:
            if kind.duration_minutes > max(lengths):
                raise ValueError(
                    f"service.kinds: {kind.key} takes longer than every window of service.windows"
                )


def _minutes(interval: Interval) -> int:
    """The length of an interval; what ends at the end of the day lasts until midnight."""
    begin, end = (moment.hour * 60 + moment.minute for moment in interval)
    return end - begin + (interval[1] == END_OF_DAY)
