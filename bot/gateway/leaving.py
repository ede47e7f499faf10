"""What may leave, checked just before sending, because things change while a message waits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store import outbox
from crm_store.conversations.models import Conversation
from crm_store.outbox import OutboxItem
from crm_store.privacy import service as privacy


def may_leave(session: Session, item: OutboxItem, conversation: Conversation) -> bool:
    """Whether a row may still be sent.

    Where a person took over, the bot is silent, except for the file that a customer asked for; the blocked
    and the forgotten get nothing; bulk mail leaves only with a consent, a customer's data only to themselves.
    """
    if conversation.owner != "bot" and item.inbox_id is not None and item.kind != privacy.EXPORT:
        return False
    identity = conversation.identity
    if identity is None:
        return item.kind != privacy.EXPORT
    if identity.blocked_at is not None or identity.customer.erased_at is not None:
        return False
    if item.priority >= outbox.BULK:
        return privacy.marketing_allowed(session, customer_id=identity.customer_id)
    if item.kind == privacy.EXPORT:
        return item.content["customer_id"] in privacy.family_of(session, customer_id=identity.customer_id)
    return True
