"""Tables of the purchases area."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm_store.base import Base, BigId, utcnow

#: The shop of whoever names none.
MAIN_SHOP = "main"


class Purchase(Base):
    """An order that was paid."""

    __tablename__ = "purchases"
    __table_args__ = (
        UniqueConstraint("shop", "order_id"),
        Index("ix_purchases_customer_id_paid_at", "customer_id", "paid_at"),
        Index("ix_purchases_paid_at", "paid_at"),
        # Staff know an order's number and not the shop.
        Index("ix_purchases_order_id", "order_id"),
        CheckConstraint("total >= 0", name="total_is_not_negative"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The shop whose order it is; ``main`` for a business with one.
    shop: Mapped[str] = mapped_column(String(40), default=MAIN_SHOP)
    #: The shop's own number of the order.
    order_id: Mapped[str] = mapped_column(String(100))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    #: What was paid for all lines, in rials.
    total: Mapped[int] = mapped_column(BigInteger)
    paid_at: Mapped[datetime]
    #: ``api``, ``woocommerce``, ``import`` or ``staff``.
    source: Mapped[str] = mapped_column(String(20))
    #: SHA-256 of what was told, so that the same id with other content is noticed.
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    lines: Mapped[list[PurchaseLine]] = relationship(
        back_populates="purchase", order_by="PurchaseLine.number"
    )
    returns: Mapped[list[PurchaseReturn]] = relationship(
        back_populates="purchase", order_by="PurchaseReturn.id"
    )


class PurchaseLine(Base):
    """One line of an order."""

    __tablename__ = "purchase_lines"
    __table_args__ = (
        UniqueConstraint("purchase_id", "number"),
        CheckConstraint("amount >= 0", name="amount_is_not_negative"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchases.id"))
    #: From 1, in the order in which they came.
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200), default="")
    #: The shop's category, by which points may differ; empty for none.
    category: Mapped[str] = mapped_column(String(60), default="")
    #: What was paid for the line in all, in rials.
    amount: Mapped[int] = mapped_column(BigInteger)

    purchase: Mapped[Purchase] = relationship(back_populates="lines")


class PurchaseReturn(Base):
    """Money that went back for a part of an order or all of it, per line."""

    __tablename__ = "purchase_returns"
    __table_args__ = (
        UniqueConstraint("purchase_id", "return_id", "line_number"),
        CheckConstraint("amount > 0", name="amount_is_positive"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchases.id"))
    #: The shop's own number of the return, unique within the order.
    return_id: Mapped[str] = mapped_column(String(100))
    line_number: Mapped[int]
    #: What went back for the line, in rials; all returns of a line are together never more than the line.
    amount: Mapped[int] = mapped_column(BigInteger)
    returned_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    purchase: Mapped[Purchase] = relationship(back_populates="returns")
