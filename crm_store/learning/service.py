"""What can be done with messages that were not understood: keep, correct, accept, discard, let go."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.customers.models import Customer
from crm_store.errors import NotFound
from crm_store.learning.models import ACCEPTED, ASKED, CORRECTED, DISCARDED, OPEN, LearningSample
from crm_store.learning.phrases import LearnedPhrases, as_example, phrase_key
from crm_store.learning.queries import same_phrase, taught_by
from crm_store.outbox import OutboxItem
from crm_store.persian.masking import mask_particulars
from crm_store.privacy.models import Consent
from crm_store.privacy.scope import scope_of
from crm_store.privacy.service import erasure_waits, family_of, record_consent

#: Purpose of a `Consent`: whether messages may be kept to learn from.
LEARNING = "learning"
#: Version of what the documentation says about learning.
CONSENT_VERSION = "1405-09"
#: Longest text, in characters, that is kept: a longer one tells a story and is no phrase to learn.
LONGEST = 200
#: How much of a ranking is kept.
RANKING_KEPT = 5


def learning_allowed(session: Session, *, customer_id: int, by_default: bool) -> bool:
    """Whether a customer's messages may be kept to learn from.

    The operator's setting decides, unless the customer did; nothing is kept of who asked to be forgotten.

    Args:
        by_default: the setting ``[learning] keep``.
    """
    family = family_of(session, customer_id=customer_id)
    is_erased = session.get_one(Customer, family[0]).erased_at is not None
    if not by_default or is_erased or erasure_waits(session, customer_id=family[0]):
        return False
    newest = (
        select(Consent.granted)
        .where(Consent.customer_id.in_(family), Consent.purpose == LEARNING)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return session.scalar(newest) is not False


def keep(
    session: Session,
    *,
    conversation_id: int,
    inbox_id: int,
    text: str,
    ranking: Sequence[tuple[str, float]],
    reason: str,
    by_default: bool,
) -> LearningSample | None:
    """Keep a message that was not understood for certain; the same message again gives the first row.

    Args:
        text: what was typed; what tells who it was is masked before it is kept.
        ranking: labels of intents with their confidences, best first.
        reason: ``fallback`` or ``asked``.
        by_default: see `learning_allowed`.

    Returns:
        The row; None where nothing may be kept or is worth it.
    """
    known = session.scalar(select(LearningSample).where(LearningSample.inbox_id == inbox_id))
    if known is not None:
        return known
    conversation = session.get_one(Conversation, conversation_id)
    if conversation.identity is None or not phrase_key(text) or len(text) > LONGEST:
        return None
    customer_id = conversation.identity.customer_id
    if not learning_allowed(session, customer_id=customer_id, by_default=by_default):
        return None
    likeliest = ranking[0] if ranking else ("", 0.0)
    sample = LearningSample(
        conversation_id=conversation_id,
        inbox_id=inbox_id,
        text=as_example(mask_particulars(text)),
        understood_as=likeliest[0],
        confidence=likeliest[1],
        ranking=[[label, round(confidence, 4)] for label, confidence in ranking[:RANKING_KEPT]],
        reason=reason,
    )
    session.add(sample)
    session.flush()
    return sample


def note_refused(session: Session, *, inbox_id: int) -> None:
    """Note that the meanings offered for a message were not what was meant."""
    sample = session.scalar(
        select(LearningSample).where(LearningSample.inbox_id == inbox_id, LearningSample.reason == ASKED)
    )
    if sample is not None:
        sample.reason = CORRECTED


def note_choice(session: Session, *, conversation_id: int, token: str, intent: str) -> None:
    """Note which of the meanings offered for a message was meant; other buttons change nothing.

    Args:
        token: of the pressed button.
        intent: what it stands for.
    """
    offered = (
        select(LearningSample, OutboxItem.content)
        .join(OutboxItem, OutboxItem.inbox_id == LearningSample.inbox_id)
        .where(
            LearningSample.conversation_id == conversation_id,
            LearningSample.state == OPEN,
            LearningSample.chosen == "",
        )
        .order_by(LearningSample.id.desc())
        .limit(10)
    )
    for sample, content in session.execute(offered):
        if any(button.get("token") == token for button in content.get("buttons", [])):
            sample.reason, sample.chosen = CORRECTED, intent
            return


def accept(
    session: Session, *, sample_id: int, intent: str, learned: LearnedPhrases, actor: str
) -> list[LearningSample]:
    """Teach a phrase: it and all others that say the same are decided, and the training file has it.

    A former decision is changed by it.

    Args:
        intent: a label that can be taught (the caller checks it), such as ``greet`` or ``faq/hours``.
        learned: the training file.
        actor: who decides, as in the audit trail.

    Raises:
        NotFound: there is no such message, or its text is gone.
    """
    same = _decide(session, sample_id, state=ACCEPTED, assigned=intent, actor=actor)
    learned.put(intent, same[0].text)
    return same


def discard(session: Session, *, sample_id: int, learned: LearnedPhrases, actor: str) -> list[LearningSample]:
    """Teach nothing by a phrase and all others that say the same; what it taught before is taken back.

    Raises:
        NotFound: there is no such message, or its text is gone.
    """
    same = _decide(session, sample_id, state=DISCARDED, assigned="", actor=actor)
    learned.drop([same[0].text])
    return same


def object_to_learning(session: Session, *, customer_id: int, learned: LearnedPhrases, actor: str) -> int:
    """Keep nothing of a customer to learn from any more, and let go of what is there.

    Returns:
        How many messages were let go of.
    """
    scope = scope_of(session, customer_id=customer_id)
    record_consent(
        session,
        customer_id=scope.customers[0],
        granted=False,
        text="",
        channel="",
        inbox_id=None,
        purpose=LEARNING,
        version=CONSENT_VERSION,
    )
    learned.drop(taught_by(session, conversation_ids=scope.conversations))
    count = forget(session, conversation_ids=scope.conversations)
    record_audit(
        session,
        actor=actor,
        action="learning.objection",
        target_type="customer",
        target_id=scope.customers[0],
        detail={"messages": count},
    )
    return count


def forget(session: Session, *, conversation_ids: Collection[int]) -> int:
    """Delete what was kept of some conversations; returns how many messages that were."""
    own = LearningSample.conversation_id.in_(conversation_ids)
    gone = list(session.scalars(select(LearningSample.id).where(own)))
    session.execute(delete(LearningSample).where(own))
    return len(gone)


def _decide(
    session: Session, sample_id: int, *, state: str, assigned: str, actor: str
) -> list[LearningSample]:
    sample = session.get(LearningSample, sample_id)
    if sample is None or not sample.text:
        raise NotFound(f"there is no message {sample_id} to learn from")
    same = same_phrase(session, sample=sample)
    for one in same:
        one.state, one.assigned, one.decided_by, one.decided_at = state, assigned, actor, utcnow()
    session.flush()
    record_audit(
        session,
        actor=actor,
        action=f"learning.{state}",
        target_type="learning_sample",
        target_id=sample_id,
        detail={"intent": assigned, "messages": len(same)},
    )
    return same
