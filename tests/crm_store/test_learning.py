"""What is kept to learn from, who decides about it, and what the training file then holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import AuditEntry
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of, issue_buttons
from crm_store.db import Database
from crm_store.errors import ConfigurationError, NotFound
from crm_store.learning import service as learning
from crm_store.learning.models import ACCEPTED, ASKED, CORRECTED, DISCARDED, FALLBACK, LearningSample
from crm_store.learning.phrases import LearnedPhrases, as_example, phrase_key, read_examples, write_examples
from crm_store.learning.queries import open_phrases, taught_by
from crm_store.outbox import enqueue_message
from crm_store.privacy.service import record_consent, request_erasure
from tests.factories import a_conversation, an_inbox_id

RANKING = [("complaint_status", 0.31), ("faq/delivery", 0.2), ("greet", 0.1)]


@pytest.fixture
def learned(tmp_path: Path) -> LearnedPhrases:
    """The training file of a new copy."""
    return LearnedPhrases(tmp_path / "learned" / "nlu.yml")


def kept(
    session: Session, text: str = "اون چی شد", chat: Conversation | None = None, **fields: Any
) -> LearningSample | None:
    """A message of a customer that was not understood."""
    chat = chat or a_conversation(session)
    where = {"conversation_id": chat.id, "inbox_id": an_inbox_id(session, chat)}
    return learning.keep(
        session,
        **{**where, "text": text, "ranking": RANKING, "reason": FALLBACK, "by_default": True, **fields},
    )


def a_sample(session: Session, text: str = "اون چی شد", **fields: Any) -> LearningSample:
    sample = kept(session, text, **fields)
    assert sample is not None
    return sample


# Keeping


def test_a_message_is_kept_once_with_what_it_may_have_meant_and_without_particulars(
    database: Database,
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        row = an_inbox_id(session, chat)
        first = kept(session, "اون شماره 09351237766 چی شد؟", chat, inbox_id=row)
        again = kept(session, "چیز دیگر", chat, inbox_id=row)
    assert first is again
    assert first is not None
    assert first.text == "اون شماره 09120000000 چی شد؟"
    assert (first.understood_as, first.confidence, first.reason) == ("complaint_status", 0.31, FALLBACK)
    assert first.ranking[1] == ["faq/delivery", 0.2]


@pytest.mark.parametrize("text", ["…؟!", "😡😡", "  ", "داستان " * 40])
def test_what_is_no_phrase_is_not_kept(sqlite_database: Database, text: str) -> None:
    with sqlite_database.write() as session:
        assert kept(session, text) is None


def test_nothing_is_kept_where_the_operator_wants_none(database: Database) -> None:
    with database.write() as session:
        assert kept(session, by_default=False) is None


def test_nothing_is_kept_of_whoever_asked_to_be_forgotten(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        request_erasure(session, conversation_id=chat.id, inbox_id=an_inbox_id(session, chat))
        assert kept(session, chat=chat) is None


def test_a_customer_who_objects_is_left_out_and_what_was_kept_and_taught_goes(
    database: Database, learned: LearnedPhrases
) -> None:
    with database.write() as session:
        chat, other = a_conversation(session), a_conversation(session)
        a_sample(session, "هنوز خبری نیست", chat=chat)
        own = a_sample(session, "کجا موند این", chat=chat)
        shared = a_sample(session, "سفارشم کو", chat=chat)
        a_sample(session, "سفارشم کو!", chat=other)
        for sample in (own, shared):
            learning.accept(
                session, sample_id=sample.id, intent="complaint_status", learned=learned, actor="operator"
            )
        customer_id = customer_of(chat)
        count = learning.object_to_learning(
            session, customer_id=customer_id, learned=learned, actor="operator"
        )
        assert count == 3
        assert kept(session, chat=chat) is None
        assert kept(session, chat=other) is not None
    assert learned.read() == {"complaint_status": ["سفارشم کو"]}


def test_an_objection_can_be_taken_back_but_not_the_operators_setting(database: Database) -> None:
    with database.write() as session:
        customer_id = customer_of(a_conversation(session))
        for granted in (False, True):
            record_consent(
                session,
                customer_id=customer_id,
                granted=granted,
                text="",
                channel="",
                inbox_id=None,
                purpose=learning.LEARNING,
            )
            allowed = learning.learning_allowed(session, customer_id=customer_id, by_default=True)
            assert allowed is granted
        assert not learning.learning_allowed(session, customer_id=customer_id, by_default=False)


# What the customer did next


def asked_with_buttons(session: Session, chat: Conversation) -> tuple[LearningSample, list[dict[str, str]]]:
    """A message, and the question what it means with its buttons."""
    sample = a_sample(session, chat=chat, reason=ASKED)
    payloads = ("complaint_status", "faq", "request_human")
    content: dict[str, Any] = {
        "text": "منظورتان این بود؟",
        "buttons": issue_buttons(
            session,
            conversation_id=chat.id,
            buttons=[{"title": name, "payload": f"/{name}"} for name in payloads],
            lifetime=timedelta(hours=1),
        ),
    }
    enqueue_message(session, conversation_id=chat.id, content=content, inbox_id=sample.inbox_id)
    session.flush()
    return sample, content["buttons"]


def test_a_pressed_button_tells_what_was_meant_once(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        sample, buttons = asked_with_buttons(session, chat)
        newer, _ = asked_with_buttons(session, chat)
        for button in buttons[:2]:
            learning.note_choice(
                session, conversation_id=chat.id, token=button["token"], intent=button["title"]
            )
        assert (sample.reason, sample.chosen) == (CORRECTED, "complaint_status")
        assert (newer.reason, newer.chosen) == (ASKED, "")


def test_a_button_of_another_message_tells_nothing(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        sample, _ = asked_with_buttons(session, chat)
        learning.note_choice(session, conversation_id=chat.id, token="of a greeting", intent="faq")
        assert (sample.reason, sample.chosen) == (ASKED, "")


def test_a_no_to_the_question_is_noted_and_nothing_else_is_changed_by_one(database: Database) -> None:
    with database.write() as session:
        asked, fell_back = a_sample(session, reason=ASKED), a_sample(session)
        for sample in (asked, fell_back):
            learning.note_refused(session, inbox_id=sample.inbox_id)
        learning.note_refused(session, inbox_id=0)
        assert (asked.reason, fell_back.reason) == (CORRECTED, FALLBACK)


# Deciding


def test_phrases_wait_in_the_order_in_which_they_were_heard_first_with_all_that_say_the_same(
    database: Database,
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        first, _ = asked_with_buttons(session, chat)
        a_sample(session, "سلام علیکم")
        a_sample(session, "اون چي شد؟؟", ranking=[("greet", 0.4)])
        first.chosen = "faq"
    with database.read() as session:
        waiting = open_phrases(session)
    assert [(heard.text, heard.count) for heard in waiting] == [("اون چی شد", 2), ("سلام علیکم", 1)]
    assert waiting[0].id == first.id
    assert waiting[0].reasons == [ASKED, FALLBACK]
    assert waiting[0].ranking == [("greet", 0.4)]
    assert waiting[0].suggestions == ["faq", "greet"]


def test_the_topic_of_what_was_chosen_is_the_likeliest_one(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        a_sample(session).chosen = "faq"
        session.flush()
        assert open_phrases(session)[0].suggestions == ["faq/delivery", "complaint_status", "greet"]


def test_accepting_teaches_the_phrase_and_decides_about_all_that_say_the_same(
    database: Database, learned: LearnedPhrases
) -> None:
    with database.write() as session:
        samples = [a_sample(session, text) for text in ("اون چی شد", "اون چي شد؟", "سلام علیکم")]
        same = learning.accept(
            session, sample_id=samples[1].id, intent="complaint_status", learned=learned, actor="operator"
        )
        assert {one.id for one in same} == {samples[0].id, samples[1].id}
        assert [one.state for one in samples] == [ACCEPTED, ACCEPTED, "open"]
        assert (samples[0].assigned, samples[0].decided_by) == ("complaint_status", "operator")
        assert [heard.text for heard in open_phrases(session)] == ["سلام علیکم"]
        entry = session.scalars(select(AuditEntry)).one()
        assert entry.action == "learning.accepted"
        assert entry.detail == {"intent": "complaint_status", "messages": 2}
    assert learned.read() == {"complaint_status": ["اون چي شد؟"]}


def test_a_decision_can_be_changed_and_taken_back(database: Database, learned: LearnedPhrases) -> None:
    with database.write() as session:
        sample = a_sample(session, "کی می‌رسه")
        where: dict[str, Any] = {"sample_id": sample.id, "learned": learned, "actor": "operator"}
        learning.accept(session, intent="complaint_status", **where)
        learning.accept(session, intent="faq/delivery", **where)
        assert {label: texts for label, texts in learned.read().items() if texts} == {
            "faq/delivery": ["کی می‌رسه"]
        }
        learning.discard(session, **where)
        assert (sample.state, sample.assigned) == (DISCARDED, "")
    assert not any(learned.read().values())


def test_what_is_not_there_or_was_blanked_cannot_be_decided_about(
    database: Database, learned: LearnedPhrases
) -> None:
    with database.write() as session:
        sample = a_sample(session)
        sample.text = ""
        session.flush()
        for missing in (sample.id, sample.id + 1):
            with pytest.raises(NotFound):
                learning.discard(session, sample_id=missing, learned=learned, actor="operator")


def test_a_phrase_that_others_said_too_is_nobodys_own(database: Database, learned: LearnedPhrases) -> None:
    with database.write() as session:
        chat, other = a_conversation(session), a_conversation(session)
        for text, where in (("سفارشم کو", chat), ("سفارشم کو؟", other), ("کجا موند", chat)):
            sample = a_sample(session, text, chat=where)
            learning.accept(session, sample_id=sample.id, intent="greet", learned=learned, actor="operator")
        assert taught_by(session, conversation_ids=[chat.id]) == ["کجا موند"]
        assert sorted(taught_by(session, conversation_ids=[chat.id, other.id])) == [
            "سفارشم کو",
            "سفارشم کو؟",
            "کجا موند",
        ]


# The file


@given(st.lists(st.text(max_size=30), max_size=8))
def test_whatever_was_typed_stands_in_the_file_as_one_line_of_valid_training_data(texts: list[str]) -> None:
    examples = [example for example in map(as_example, texts) if phrase_key(example)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "nlu.yml"
        write_examples(file, {"greet": examples})
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["version"] == "3.1"
        assert read_examples(file).get("greet", []) == sorted(set(examples))
    assert not any(mark in line for line in examples for mark in "[]{}\n\r")


def test_the_file_is_sorted_readable_by_its_owner_alone_and_edited_by_hand_without_harm(
    learned: LearnedPhrases, tmp_path: Path
) -> None:
    learned.put("thank", "دمتون گرم")
    learned.put("greet", "سلام علیک")
    file = tmp_path / "learned" / "nlu.yml"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    assert text.index("greet") < text.index("thank")
    file.write_text(
        text.replace("    - دمتون گرم\n", "    - دمتون گرم\n    - دست شما درد نکنه\n"), encoding="utf-8"
    )
    learned.put("greet", "درود")
    assert learned.read() == {"greet": ["درود", "سلام علیک"], "thank": ["دست شما درد نکنه", "دمتون گرم"]}


def test_a_file_with_a_mistake_is_refused_and_left_as_it_is(learned: LearnedPhrases, tmp_path: Path) -> None:
    file = tmp_path / "learned" / "nlu.yml"
    file.parent.mkdir()
    file.write_text("nlu: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"nlu\.yml"):
        learned.put("greet", "سلام")
    assert file.read_text(encoding="utf-8") == "nlu: ["
