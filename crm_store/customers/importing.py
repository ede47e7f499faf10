"""Brings a customer list into the store; running it again changes nothing that is there already.

A row finds its customer by a phone that an account has proven, by a phone that an import brought, or by the
customer's number in the business's other systems (`external_ref`); never by a name, and never by a number
that an account has merely typed. Then:

- Nobody is found: a customer without an account comes to be, with an unproven phone. Once an account proves
  it, both are joined (crm_store.customers.linking).
- A customer without an account takes what the file says; what the file leaves empty stays.
- A customer with an account keeps what is known; only what is empty is filled. Another phone is added,
  unproven.

What would turn one customer into another is rejected: a phone kept under another `external_ref`, or a phone
and an `external_ref` of two customers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity
from crm_store.audit import AuditEntry, record_audit
from crm_store.customers.columns import Columns, Record, Refusal, Rejected, read_record
from crm_store.customers.matching import IMPORT, Known, known_customers
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.names import remember
from crm_store.customers.tables import Row, Table
from crm_store.db import Database

BATCH_ROWS = 1000
#: What a file may say about a customer besides the phone.
SAID = ("full_name", "external_ref", "birthday", "address", "preferred_time", "tier")
#: What the business decides, whatever a customer has said.
BUSINESS_SAYS = ("tier",)
#: Two imports at once would not see each other's new customers on PostgreSQL; on SQLite one writes at a time.
_ONE_AT_A_TIME = 0x70657976
_ACTOR = "operator"


@dataclass
class Summary:
    """What became of the rows, in numbers."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def duplicates(self) -> int:
        """Rows for whose customer an earlier row stands."""
        return sum(count for code, count in self.refused.items() if code.startswith("duplicate_"))

    @property
    def rejected(self) -> int:
        """Rows with something wrong in them."""
        return self.refused.total() - self.duplicates

    @property
    def rows(self) -> int:
        """All rows so far."""
        return self.created + self.updated + self.unchanged + self.refused.total()

    def numbers(self) -> dict[str, Any]:
        """The numbers for the audit trail."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": dict(self.refused),
        }


@dataclass(frozen=True)
class Survey:
    """A customer list, read once and not imported.

    Attributes:
        rows: how many rows follow the headings.
        first: the first of them as understood.
    """

    rows: int
    first: list[Record | Refusal]


def survey(table: Table, columns: Columns, *, shown: int = 3) -> Survey:
    """Read the whole file before anything is written, so that a damaged one is refused as a whole.

    Raises:
        InvalidInput: the file is damaged.
    """
    rows, first = 0, []
    for row in _data_rows(table, columns):
        rows += 1
        if rows <= shown:
            first.append(_read(row, columns))
    return Survey(rows, first)


def import_customers(
    database: Database,
    *,
    table: Table,
    columns: Columns,
    on_batch: Callable[[Summary, list[Refusal]], None],
    batch_rows: int = BATCH_ROWS,
) -> Summary:
    """Import a customer list, a batch a transaction: stopped at any moment, it is simply run again.

    Each batch carries the run's one audit entry on, so that the trail tells what a killed run has done.

    Args:
        database: the store.
        table: the customer list.
        columns: see `find_columns`.
        on_batch: called after each commit with the numbers so far and the batch's refused rows.
        batch_rows: rows a transaction.

    Raises:
        InvalidInput: the file is damaged; what came before the damage is imported.
    """
    run = _Run(table.path.name)
    rows = _data_rows(table, columns)
    summary = Summary()
    while batch := [_read(row, columns) for row in islice(rows, batch_rows)]:
        with database.write() as session:
            summary, refusals = run.take(session, batch, summary)
        on_batch(summary, refusals)
    return summary


def _data_rows(table: Table, columns: Columns) -> Iterator[Row]:
    return (row for row in table.rows() if row.number >= columns.first_row)


def _read(row: Row, columns: Columns) -> Record | Refusal:
    try:
        return read_record(row, columns)
    except Rejected as reason:
        return Refusal(row, reason.code, reason.values)


class _Run:
    """One run over one file: what has been met in it so far."""

    def __init__(self, file_name: str) -> None:
        self._file_name = file_name
        self._audit_id: int | None = None
        # Rows by what they stand for. Phones are kept as numbers, which takes a third of the memory.
        self._phones: dict[int, int] = {}
        self._refs: dict[str, int] = {}
        self._customers: dict[int, int] = {}

    def take(
        self, session: Session, batch: Sequence[Record | Refusal], before: Summary
    ) -> tuple[Summary, list[Refusal]]:
        """Bring a batch into the store; returns the numbers with it, and what was refused."""
        if session.get_bind().dialect.name == "postgresql":
            session.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
        summary = replace(before, refused=before.refused.copy())
        records = [row for row in batch if isinstance(row, Record)]
        refusals = [row for row in batch if isinstance(row, Refusal)]
        known = known_customers(session, records)
        new: list[Record] = []
        for record in records:
            try:
                customer = self._customer_of(record, known)
            except Rejected as reason:
                refusals.append(Refusal(record.row, reason.code, reason.values))
                continue
            if customer is None:
                new.append(record)
            elif changed := _bring_up_to_date(session, customer, record, known):
                summary.updated += 1
                _note_update(session, customer.id, changed)
            else:
                summary.unchanged += 1
        summary.created += len(new)
        summary.refused.update(refusal.code for refusal in refusals)
        audit_id = self._audit(session, summary)
        _create(session, new, audit_id)
        return summary, sorted(refusals, key=lambda refusal: refusal.row.number)

    def _customer_of(self, record: Record, known: Known) -> Customer | None:
        """The row's customer, or None for a new one; refuses whom an earlier row stands for."""
        number, phone, ref = record.row.number, int(record.phone), record.external_ref
        if phone in self._phones:
            raise Rejected("duplicate_phone", row=self._phones[phone])
        if ref and ref in self._refs:
            raise Rejected("duplicate_ref", row=self._refs[ref])
        customer = known.customer_of(record)
        if customer is not None and customer.id in self._customers:
            raise Rejected("duplicate_customer", row=self._customers[customer.id])
        self._phones[phone] = number
        if ref:
            self._refs[ref] = number
        if customer is not None:
            self._customers[customer.id] = number
        return customer

    def _audit(self, session: Session, summary: Summary) -> int:
        entry = session.get(AuditEntry, self._audit_id) if self._audit_id is not None else None
        if entry is None:
            entry = record_audit(session, actor=_ACTOR, action="customers.import")
        entry.detail = {"file": self._file_name, **summary.numbers()}
        session.flush()
        self._audit_id = entry.id
        return entry.id


def _bring_up_to_date(session: Session, customer: Customer, record: Record, known: Known) -> list[str]:
    """Take over what the row says; returns the names of what changed."""
    keeps_own = customer.id in known.with_account
    changed = []
    for name in SAID:
        said, held = getattr(record, name), getattr(customer, name)
        if said and said != held and (name in BUSINESS_SAYS or not (held and keeps_own)):
            setattr(customer, name, said)
            changed.append(name)
    if known.by_phone.get(record.phone) is not customer and _take_phone(session, customer, record, known):
        changed.append("phone")
    return changed


def _take_phone(session: Session, customer: Customer, record: Record, known: Known) -> bool:
    """Note the phone of a customer who was found by `external_ref` alone."""
    phones = select(ContactPoint).where(ContactPoint.customer_id == customer.id, ContactPoint.kind == "phone")
    points = session.scalars(phones.order_by(ContactPoint.id)).all()
    if any(point.value == record.phone for point in points):
        return False
    unproven = [point for point in points if point.proven_at is None]
    if customer.id in known.with_account or not unproven:
        session.add(ContactPoint(customer_id=customer.id, value=record.phone))
    else:
        # A number given up goes to somebody else one day, who must not be taken for this customer.
        known.give_up(unproven[-1].value, customer)
        unproven[-1].value = record.phone
    return True


def _create(session: Session, records: Sequence[Record], audit_id: int) -> None:
    if not records:
        return
    said = [{"source": IMPORT, **{name: getattr(record, name) for name in SAID}} for record in records]
    inserted = insert(Customer).returning(Customer.id, sort_by_parameter_order=True)
    ids = session.scalars(inserted, said).all()
    remember(session, ids)
    phones = [{"customer_id": id_, "value": record.phone} for id_, record in zip(ids, records, strict=True)]
    session.execute(insert(ContactPoint), phones)
    came = {"kind": "customer.imported", "actor": _ACTOR, "data": {"audit_id": audit_id}}
    session.execute(insert(Activity), [{"customer_id": id_, **came} for id_ in ids])


def _note_update(session: Session, customer_id: int, changed: list[str]) -> None:
    record_activity(
        session, customer_id=customer_id, kind="customer.updated", actor=_ACTOR, data={"fields": changed}
    )
