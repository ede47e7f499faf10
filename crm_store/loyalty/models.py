"""Tables of the loyalty area: an append-only ledger, and what points are spent on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: Kinds of postings.
EARN = "earn"  # opens a lot
SPEND = "spend"  # takes from lots
EXPIRE = "expire"  # takes what is left of a lot whose time is over
RETURN = "return"  # takes back what a purchase earned
ADJUST = "adjust"  # by a person, either way
REVERSAL = "reversal"  # undoes another posting
POSTING_KINDS = (EARN, SPEND, EXPIRE, RETURN, ADJUST, REVERSAL)

#: States of a redemption.
ACTIVE, USED, CANCELLED, LAPSED = "active", "used", "cancelled", "lapsed"
#: States of a referral.
WAITING, REWARDED, REFUSED, TAKEN_BACK = "waiting", "rewarded", "refused", "taken_back"
#: States of a raffle.
OPEN, SEALED, DRAWN, CALLED_OFF = "open", "sealed", "drawn", "called_off"


class LoyaltyAccount(Base):
    """Where a customer's points are booked.

    Joining two customers gives one of them both accounts: theirs is the sum over all. The row is
    never locked; who writes locks the customer (`crm_store.loyalty.ledger.lock_customer`).
    """

    __tablename__ = "loyalty_accounts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class LedgerPosting(Base):
    """One change of an account. The database refuses to change or delete it (triggers in migration 0005).

    ``points`` changes the balance, ``debt`` what is owed because points of a returned purchase were spent;
    what the customer is worth changes by ``points - debt``.
    """

    __tablename__ = "ledger_postings"
    __table_args__ = (
        Index("ix_ledger_postings_account_id_id", "account_id", "id"),
        Index("ix_ledger_postings_account_id_base_at", "account_id", "base_at"),
        Index("ix_ledger_postings_cause", "cause"),
        Index("ix_ledger_postings_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("loyalty_accounts.id"))
    #: One of POSTING_KINDS.
    kind: Mapped[str] = mapped_column(String(10))
    points: Mapped[int] = mapped_column(BigInteger)
    debt: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Points that count for the tier, without multipliers: of purchases, negative for what came back.
    base: Mapped[int] = mapped_column(BigInteger, default=0)
    #: When the purchase that ``base`` is about was paid; a return counts at its purchase's time.
    base_at: Mapped[datetime | None]
    #: Why: ``purchase:17``, ``complaint:12345678``, ``referral:3``, ``redemption:8``, ``survey:5`` …
    cause: Mapped[str] = mapped_column(String(80))
    #: ``system``, ``customer``, ``operator``, ``staff:<id>`` or ``api:<id of the key>``.
    actor: Mapped[str] = mapped_column(String(60))
    #: Names the change; the same key again gives the first posting.
    idempotency_key: Mapped[str] = mapped_column(String(120), unique=True)
    #: The posting that this one undoes; once at the most.
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_postings.id"), unique=True)
    #: Of the rules by which points were counted (`LoyaltyRuleVersion`).
    rules_id: Mapped[int | None] = mapped_column(ForeignKey("loyalty_rule_versions.id"))
    #: How the points came about, numbers only: ``{"lines": {"1": 20}, "multiplier": "1.5"}``.
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(default=utcnow)


class PointLot(Base):
    """Points that came in together and expire together. Append-only, as postings are."""

    __tablename__ = "point_lots"
    __table_args__ = (
        Index("ix_point_lots_account_id_expires_at", "account_id", "expires_at"),
        Index("ix_point_lots_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("loyalty_accounts.id"))
    #: The posting that opened it.
    posting_id: Mapped[int] = mapped_column(ForeignKey("ledger_postings.id"), unique=True)
    earned_at: Mapped[datetime]
    #: The moment from which what is left can no longer be spent; None for never.
    expires_at: Mapped[datetime | None]


class LotMovement(Base):
    """What a posting put into a lot or took from it; what is left of a lot is their sum. Append-only."""

    __tablename__ = "lot_movements"
    __table_args__ = (UniqueConstraint("posting_id", "lot_id"), Index("ix_lot_movements_lot_id", "lot_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    posting_id: Mapped[int] = mapped_column(ForeignKey("ledger_postings.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("point_lots.id"))
    points: Mapped[int] = mapped_column(BigInteger)


class LedgerProof(Base):
    """What a nightly proof found, and the fingerprint that the next one compares with."""

    __tablename__ = "ledger_proofs"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    #: The last posting that was read.
    last_posting_id: Mapped[int] = mapped_column(BigInteger)
    postings: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    debt: Mapped[int] = mapped_column(BigInteger)
    #: SHA-256 over all postings in order, each with its lot and movements, in hexadecimal.
    fingerprint: Mapped[str] = mapped_column(String(64))
    #: What is wrong: ``{"what", "account_id"?, …}`` each; empty when all is right.
    faults: Mapped[list[Any]] = mapped_column(default=list)
    seconds: Mapped[float]


class LoyaltyRuleVersion(Base):
    """The rules as they were in force from some moment on."""

    __tablename__ = "loyalty_rule_versions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: SHA-256 of the content.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: The section ``[loyalty]`` of the business file.
    content: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime] = mapped_column(default=utcnow)


class RewardStock(Base):
    """How many of a reward have been given; changed in one statement, so the last one goes once."""

    __tablename__ = "reward_stocks"
    __table_args__ = (CheckConstraint("taken >= 0", name="taken_is_not_negative"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Key of the reward in the business file.
    reward: Mapped[str] = mapped_column(String(40), unique=True)
    taken: Mapped[int] = mapped_column(default=0)


class Redemption(Base):
    """Points spent on a reward: a code that the shop takes once."""

    __tablename__ = "redemptions"
    __table_args__ = (
        Index("ix_redemptions_customer_id_reward", "customer_id", "reward"),
        Index("ix_redemptions_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    #: Key and title of the reward, and its worth in rials, as they were.
    reward: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    worth: Mapped[int] = mapped_column(BigInteger, default=0)
    points: Mapped[int] = mapped_column(BigInteger)
    #: What the customer shows; letters and digits that are not mistaken for each other.
    code: Mapped[str] = mapped_column(String(16), unique=True)
    #: ``active``, ``used``, ``cancelled`` or ``lapsed``.
    state: Mapped[str] = mapped_column(String(10), default=ACTIVE)
    #: The posting that took the points.
    posting_id: Mapped[int] = mapped_column(ForeignKey("ledger_postings.id"), unique=True)
    expires_at: Mapped[datetime | None]
    #: Who took the code: ``api:<id>``, ``operator`` or ``staff:<id>``.
    used_by: Mapped[str] = mapped_column(String(60), default="")
    #: The shop's order that it was used for, when told.
    used_for: Mapped[str] = mapped_column(String(100), default="")
    used_at: Mapped[datetime | None]
    #: The message that confirmed it; the same message again gives the same code.
    idempotency_key: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ReferralCode(Base):
    """The code by which a customer brings friends."""

    __tablename__ = "referral_codes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Referral(Base):
    """A friend who came by somebody's code."""

    __tablename__ = "referrals"
    __table_args__ = (Index("ix_referrals_referrer_id_state", "referrer_id", "state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    referrer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    friend_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    #: ``waiting`` for the friend's first purchase, ``rewarded``, ``refused`` or ``taken_back``.
    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    #: Why it was refused or taken back.
    reason: Mapped[str] = mapped_column(String(40), default="")
    #: The purchase that rewarded it.
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchases.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    rewarded_at: Mapped[datetime | None]


class Raffle(Base):
    """A drawing of lots that anybody can check (docs/raffles.md)."""

    __tablename__ = "raffles"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    prize: Mapped[str] = mapped_column(Text)
    winners: Mapped[int]
    #: What one chance costs; 0 where chances are only given by right.
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Chances that each customer may have at the most.
    chances: Mapped[int] = mapped_column(default=1)
    #: Names of the tiers whose members have one chance by right; ``*`` for everybody with an account.
    by_right: Mapped[list[Any]] = mapped_column(default=list)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    #: What was published when the list was sealed, to the letter: entries, prize, winners, source
    #: (docs/raffles.md). The database refuses to change it, or the entries, from then on (migration 0005).
    sealed_text: Mapped[str] = mapped_column(Text, default="")
    #: SHA-256 of that text, in hexadecimal.
    entries_hash: Mapped[str] = mapped_column(String(64), default="")
    sealed_at: Mapped[datetime | None]
    #: Which public value decides, named when the list is sealed: «شاخص کل بورس تهران در پایان روز».
    random_source: Mapped[str] = mapped_column(Text, default="")
    #: When that value comes to be, after the list was sealed.
    random_at: Mapped[datetime | None]
    random_value: Mapped[str] = mapped_column(String(200), default="")
    drawn_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class RaffleEntry(Base):
    """One chance in a raffle."""

    __tablename__ = "raffle_entries"
    __table_args__ = (Index("ix_raffle_entries_raffle_id_customer_id", "raffle_id", "customer_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    raffle_id: Mapped[int] = mapped_column(ForeignKey("raffles.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    #: Random, known to the customer; all that stands in the published list.
    ticket: Mapped[str] = mapped_column(String(16), unique=True)
    #: The posting that paid for it; None for a chance by right.
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_postings.id"))
    idempotency_key: Mapped[str] = mapped_column(String(120), unique=True)
    #: Place among the winners, from 1; None for none.
    place: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
