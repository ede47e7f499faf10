"""What stays of the points and purchases of somebody who was forgotten: numbers, to account for."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crm_store.loyalty.models import ACTIVE, CANCELLED, REFUSED, WAITING, Redemption, Referral, ReferralCode
from crm_store.loyalty.stock import put_back
from crm_store.purchases.models import Purchase, PurchaseLine, PurchaseReturn

_FORGOTTEN = "forgotten"


def forget_points(session: Session, *, customer_ids: Collection[int]) -> None:
    """End open codes and waiting referrals, and take words out of purchases.

    Postings stay, as all postings do: their account belongs to a record that names no one, and
    `lock_customer` lets nobody book on it any more. Amounts and the shop's order numbers stay, for the books;
    what was bought goes.

    Args:
        customer_ids: all records of the person.
    """
    own = Redemption.customer_id.in_(customer_ids)
    open_codes = session.scalars(select(Redemption.reward).where(own, Redemption.state == ACTIVE)).all()
    put_back(session, open_codes)
    of_purchases = select(Purchase.id).where(Purchase.customer_id.in_(customer_ids))
    changes = (
        update(Redemption).where(own, Redemption.state == ACTIVE).values(state=CANCELLED),
        update(Referral)
        .where(
            Referral.state == WAITING,
            Referral.referrer_id.in_(customer_ids) | Referral.friend_id.in_(customer_ids),
        )
        .values(state=REFUSED, reason=_FORGOTTEN),
        # The fingerprint of what was told holds the phone.
        update(Purchase).where(Purchase.customer_id.in_(customer_ids)).values(digest=""),
        update(PurchaseReturn).where(PurchaseReturn.purchase_id.in_(of_purchases)).values(digest=""),
        update(PurchaseLine).where(PurchaseLine.purchase_id.in_(of_purchases)).values(title=""),
        delete(ReferralCode).where(ReferralCode.customer_id.in_(customer_ids)),
    )
    for change in changes:
        session.execute(change.execution_options(synchronize_session=False))
    session.expire_all()
