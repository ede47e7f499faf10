"""What the API takes and gives: requests are checked by these structs, and its document is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from crm_store.business.surveys import SurveyDefinition
from crm_store.purchases.service import MAX_AMOUNT, MAX_LINES

_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"
#: It stands in addresses: letters, digits and marks, no slash, and no dot at its beginning.
_UNSEEN = r"\s\x00-\x1f\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
_ID = rf"^[^./{_UNSEEN}][^/{_UNSEEN}]*$"
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=_ID)]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339, with its offset from UTC.")]
Phone = Annotated[str, msgspec.Meta(min_length=3, max_length=40, examples=["09121234567"])]
Rials = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT)]


class LineIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of an order; ``amount_rials`` is what was paid for it in all."""

    amount_rials: Rials
    title: Annotated[str, msgspec.Meta(max_length=200, pattern=_NO_CONTROL)] = ""
    category: Annotated[str, msgspec.Meta(max_length=60, pattern=_NO_CONTROL)] = ""


class PurchaseIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that was paid; name and reference are taken where none is known."""

    order_id: Id
    phone: Phone
    paid_at: Moment
    lines: Annotated[list[LineIn], msgspec.Meta(min_length=1, max_length=MAX_LINES)]
    customer_name: Annotated[str, msgspec.Meta(max_length=200, pattern=_NO_CONTROL)] = ""
    customer_ref: Annotated[str, msgspec.Meta(max_length=100, pattern=_NO_CONTROL)] = ""


class ReturnLineIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes back of a line; lines are numbered from 1."""

    number: Annotated[int, msgspec.Meta(ge=1, le=MAX_LINES)]
    amount_rials: Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]


class ReturnIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came back of an order; without lines all that is left of it."""

    return_id: Id
    returned_at: Moment
    lines: Annotated[list[ReturnLineIn], msgspec.Meta(min_length=1, max_length=MAX_LINES)] | None = None


class LineOut(msgspec.Struct, frozen=True):
    """A line of an order, and how much of it came back."""

    number: int
    title: str
    category: str
    amount_rials: int
    returned_rials: int


class ReturnLineOut(msgspec.Struct, frozen=True):
    """What came back of a line."""

    number: int
    amount_rials: int


class ReturnOut(msgspec.Struct, frozen=True):
    """What came back of an order at once."""

    return_id: str
    returned_at: datetime
    total_rials: int
    lines: list[ReturnLineOut]


class PurchaseOut(msgspec.Struct, frozen=True):
    """An order as it is kept; ``points`` is what it brought, before anything came back."""

    shop: str
    order_id: str
    paid_at: datetime
    total_rials: int
    points: int
    lines: list[LineOut]
    returns: list[ReturnOut]


class CodeOut(msgspec.Struct, frozen=True):
    """A reward's code; ``worth_rials`` is what it takes off, 0 for a gift."""

    code: str
    reward: str
    title: str
    worth_rials: int
    state: Literal["active", "used", "cancelled", "lapsed"]
    can_be_used: bool
    expires_at: datetime | None
    used_at: datetime | None


class CodeUseIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which order a code is used; asking again for the same order gives the same answer."""

    order_id: Id | None = None


class SurveyOut(msgspec.Struct, frozen=True):
    """A survey; ``version`` is null for one of the business file's that was never asked."""

    origin: Literal["file", "api"]
    version: int | None
    survey: SurveyDefinition


class SurveysOut(msgspec.Struct, frozen=True):
    """All surveys."""

    surveys: list[SurveyOut]


class ResultsQuery(msgspec.Struct, frozen=True):
    """Of which answers results are wanted, by when they were asked for."""

    since: Moment | None = None
    until: Moment | None = None
    by: Literal["tier", "staff", "month"] | None = None


class InvitationsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask, by phone."""

    phones: Annotated[list[Phone], msgspec.Meta(min_length=1, max_length=1000)]


class InvitationsOut(msgspec.Struct, frozen=True):
    """How many will be asked as soon as each may be, and why others are not."""

    planned: int
    left_out: dict[str, int]
    unreadable: int
    unknown: int


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457 problem details; ``code`` is stable and names the reason."""

    title: str
    status: int
    code: str
    detail: str = ""
    type: str = "about:blank"
