"""Who a customer is, where they can be reached, and what they allowed."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity, ContactPoint
from crm_store.overview.parts import Channel, Decision, Phone
from crm_store.persian.jalali_days import jalali, jalali_day, month_end
from crm_store.privacy.models import Consent

#: A birthday is told so many days ahead.
BIRTHDAY_DAYS = 7

# Making statements takes longer than running them, here and in the other parts of the card.
_PHONES = (
    select(ContactPoint.value, ContactPoint.proven_at)
    .where(ContactPoint.customer_id == bindparam("customer"), ContactPoint.kind == "phone")
    .order_by(ContactPoint.proven_at.is_(None), ContactPoint.id.desc())
)
_CHANNELS = (
    select(
        ChannelIdentity.channel,
        ChannelIdentity.username,
        ChannelIdentity.display_name,
        Conversation.id,
        ChannelIdentity.blocked_at,
    )
    .outerjoin(Conversation, Conversation.identity_id == ChannelIdentity.id)
    .where(ChannelIdentity.customer_id == bindparam("customer"))
    .order_by(func.coalesce(Conversation.last_seq, 0) == 0, Conversation.id.desc())
)
_CONSENTS = (
    select(Consent.purpose, Consent.granted, Consent.at)
    .where(Consent.customer_id == bindparam("customer"))
    .order_by(Consent.id)
)


def phones_of(session: Session, *, customer_id: int) -> list[Phone]:
    """A customer's numbers, proven ones first, then the newest."""
    rows = session.execute(_PHONES, {"customer": customer_id})
    return [Phone(value, proven_at is not None) for value, proven_at in rows]


def channels_of(session: Session, *, customer_id: int) -> list[Channel]:
    """A customer's accounts, those first with which something was said, then the newest."""
    rows = session.execute(_CHANNELS, {"customer": customer_id})
    return [
        Channel(channel, username, display_name, chat_id, blocked_at is not None)
        for channel, username, display_name, chat_id, blocked_at in rows
    ]


def consents_of(session: Session, *, customer_id: int) -> list[Decision]:
    """What a customer decided last about each purpose."""
    rows = session.execute(_CONSENTS, {"customer": customer_id})
    latest = {purpose: Decision(purpose, granted, at) for purpose, granted, at in rows}
    return [latest[purpose] for purpose in sorted(latest)]


def days_to_birthday(birthday: date | None, today: date) -> int | None:
    """Days until somebody's next birthday by the Jalali calendar, where that is near; None otherwise.

    Whoever was born on 30 Esfand has it on the last day of Esfand in the years between.
    """
    if birthday is None:
        return None
    _, month, number = jalali(birthday)
    this_year = jalali(today)[0]
    for year in (this_year, this_year + 1):
        in_year = jalali_day(year, month, number) or month_end(year, month)
        if today <= in_year <= today + timedelta(days=BIRTHDAY_DAYS):
            return (in_year - today).days
    return None
