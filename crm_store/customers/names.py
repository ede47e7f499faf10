"""The words of customers' names, kept beside them so that somebody is found by a part or a misspelling.

They follow the names by themselves: whatever a session flushes is taken up (`remember`). Who writes names
without one, in bulk, calls it. A record that was joined to another one lends it its words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Table, delete, event, exists, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from crm_store.customers.models import Customer, CustomerName, NameWord
from crm_store.persian.words import words

#: As many as the column holds.
LONGEST = 60
_BATCH = 500
#: A word that is forgotten at this very moment is written anew.
_TRIES = 5
_WATCHED = ("display_name", "full_name", "merged_into_id", "erased_at")
_customers: Table = Customer.__table__  # type: ignore[assignment]  # always a table
_words: Table = NameWord.__table__  # type: ignore[assignment]  # likewise
_names: Table = CustomerName.__table__  # type: ignore[assignment]  # likewise


def words_of(*names: str) -> list[str]:
    """The words of some names, folded, each once; digits and single letters are none."""
    found = (word[:LONGEST] for name in names for word in words(name))
    return list(dict.fromkeys(word for word in found if len(word) > 1 and not word.isdecimal()))


def remember(session: Session, customer_ids: Collection[int]) -> None:
    """Bring the words of some customers, and of who is joined with them, up to date."""
    if customer_ids:
        _remember(session.connection(), customer_ids)


def forget(session: Session, customer_ids: Collection[int]) -> None:
    """Let go of the words of some customers, and of those words that stand in nobody else's name."""
    ids = list(customer_ids)
    own = select(CustomerName.word_id).where(CustomerName.customer_id.in_(ids))
    others = exists().where(CustomerName.word_id == NameWord.id, CustomerName.customer_id.not_in(ids))
    # Locked first: whoever is giving somebody one of these words at this moment is waited for.
    rare = select(NameWord.id).where(NameWord.id.in_(own), ~others).order_by(NameWord.id).with_for_update()
    words_of_nobody = session.scalars(rare).all()
    _run(session, delete(CustomerName).where(CustomerName.customer_id.in_(ids)))
    for batch in _batches(words_of_nobody):
        unused = ~exists().where(CustomerName.word_id == NameWord.id)
        _run(session, delete(NameWord).where(NameWord.id.in_(batch), unused))


def _run(session: Session, statement: Any) -> None:
    session.execute(statement.execution_options(synchronize_session=False))


@event.listens_for(Session, "after_flush")
def _follow(session: Session, _context: object) -> None:
    """Take up what was flushed."""
    changed = [
        one.id
        for one in (*session.new, *session.dirty)
        if isinstance(one, Customer)
        and any(inspect(one).attrs[name].history.has_changes() for name in _WATCHED)
    ]
    if changed:
        _remember(session.connection(), changed)


def _remember(connection: Connection, customer_ids: Collection[int]) -> None:
    wanted: dict[int, list[str]] = {}
    for batch in _batches(customer_ids):
        wanted |= _wanted(connection, batch)
    ids = _word_ids(connection, {word for of_one in wanted.values() for word in of_one})
    for batch in _batches(wanted):
        held: dict[int, set[int]] = {one: set() for one in batch}
        rows = select(_names.c.customer_id, _names.c.word_id).where(_names.c.customer_id.in_(batch))
        for customer_id, word_id in connection.execute(rows):
            held[customer_id].add(word_id)
        changed = {
            one: [ids[word] for word in wanted[one]]
            for one in batch
            if held[one] != {ids[word] for word in wanted[one]}
        }
        if stale := [one for one in changed if held[one]]:
            connection.execute(delete(_names).where(_names.c.customer_id.in_(stale)))
        rows_of = [
            {"customer_id": one, "word_id": word} for one, words_ in changed.items() for word in words_
        ]
        if rows_of:
            connection.execute(insert(_names), rows_of)


def _wanted(connection: Connection, customer_ids: Collection[int]) -> dict[int, list[str]]:
    """The words that customers should have, of all who are joined with those that are asked about."""
    rows = _read(connection, _customers.c.id.in_(customer_ids))
    while ahead := {row.merged_into_id for row in rows.values()} - {None} - rows.keys():
        rows |= _read(connection, _customers.c.id.in_(ahead))
    latest: Collection[int] = list(rows)
    while latest:
        joined = _read(connection, _customers.c.merged_into_id.in_(latest))
        latest = [one for one in joined if one not in rows]
        rows |= joined
    found: dict[int, list[str]] = {}
    for row in rows.values():
        head = row
        while head.merged_into_id is not None:
            head = rows[head.merged_into_id]
        found.setdefault(row.id, [])
        if head.erased_at is None and row.erased_at is None:
            # The record that stands for the person comes first, so that its own words are never the ones cut.
            own = words_of(row.full_name, row.display_name)
            found[head.id] = list(dict.fromkeys([*found.get(head.id, []), *own]))
    return found


def _read(connection: Connection, condition: Any) -> dict[int, Any]:
    columns = _customers.c
    rows = connection.execute(
        select(
            columns.id, columns.merged_into_id, columns.erased_at, columns.full_name, columns.display_name
        ).where(condition)
    )
    return {row.id: row for row in rows}


def _word_ids(connection: Connection, wanted: set[str]) -> dict[str, int]:
    """Ids of words, which are made where they are new; none of them can go before this unit of work ends."""
    found: dict[str, int] = {}
    # In order, so that two who make the same words wait for each other and never both.
    for batch in _batches(sorted(wanted)):
        for _ in range(_TRIES):
            known = select(_words.c.word, _words.c.id).where(_words.c.word.in_(batch)).order_by(_words.c.id)
            known = known.with_for_update(read=True, key_share=True)
            found |= dict(connection.execute(known).tuples().all())
            missing = [{"word": word} for word in batch if word not in found]
            if not missing:
                break
            connection.execute(_insert(connection).on_conflict_do_nothing(index_elements=["word"]), missing)
    return found


def _insert(connection: Connection) -> Any:
    is_postgres = connection.dialect.name == "postgresql"
    return postgresql.insert(_words) if is_postgres else sqlite.insert(_words)


def _batches(items: Iterable[Any]) -> Iterable[list[Any]]:
    rows = list(items)
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
