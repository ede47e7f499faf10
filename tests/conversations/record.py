"""What is measured about a scripted conversation, and the table of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.conversations.held import Held, HeldComplaint
from tests.conversations.held_tickets import HeldCase, HeldNote, HeldRequest

_QUESTION = re.compile(r"utter_ask_(?:complaint_(?:more_)?|service_(?:more_)?|callback_)?([a-z_]+?)(_again)?")


@dataclass
class Record:
    """One conversation.

    Attributes:
        name: of the script.
        is_messy: interruptions, corrections, several things at once and the like.
        has_everything: the first message tells all that a complaint needs.
        turns: what people sent and pressed in chat.
        turns_to_file: of each complaint and service request: from the first turn of the customer, or the one
            after what was registered before, to the one that registered it.
        asked: names of the questions, in order.
        held: what the store holds afterwards, customer by customer.
    """

    name: str
    is_messy: bool = False
    has_everything: bool = False
    turns: int = 0
    turns_to_file: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def note_asked(self, responses: Iterable[str]) -> None:
        """Remember the questions among some responses."""
        for response in sorted(responses):
            question = _QUESTION.fullmatch(response)
            if question is not None:
                again = " (again)" if question[2] else ""
                self.asked.append(question[1].replace("_", " ") + again)


def median_turns(records: Iterable[Record]) -> float:
    """Median number of turns to a filed complaint, where the first message tells everything."""
    return median(turns for record in records if record.has_everything for turns in record.turns_to_file)


def as_markdown(records: Sequence[Record]) -> str:
    """The table, with the median above it."""
    with_everything = [record for record in records if record.has_everything]
    messy = sum(record.is_messy for record in records)
    lines = [
        f"{len(records)} conversations, {messy} of them messy. Turns to a filed complaint when the story has "
        f"everything ({len(with_everything)} conversations): median {median_turns(records):g}.",
        "",
        "| conversation | turns | to file | asked | the store holds |",
        "|---|---:|---:|---|---|",
    ]
    return "\n".join([*lines, *(_row(record) for record in records)])


def _row(record: Record) -> str:
    marks = "".join(
        f" ({mark})"
        for mark, holds in (("everything told", record.has_everything), ("messy", record.is_messy))
        if holds
    )
    filed = ", ".join(map(str, record.turns_to_file)) or "none filed"
    asked = ", ".join(record.asked) or "nothing"
    held = "; ".join(filter(None, map(_in_words, record.held))) or "nothing"
    return f"| {record.name}{marks} | {record.turns} | {filed} | {asked} | {held} |"


def _in_words(held: Held) -> str:
    parts = [
        ", ".join([_complaint_in_words(one), *_case_in_words(case)])
        for one, case in zip(held.complaints, held.cases, strict=True)
    ]
    parts += [_request_in_words(one) for one in held.requests]
    parts += [f"call {phone}" for phone in held.callbacks]
    parts += ["advertising allowed" if granted else "no advertising" for granted in held.consents]
    parts += [f"{name.replace('_', ' ')}: {value}" for name, value in held.profile.items()]
    parts += [f"{held.open_drafts} draft"] if held.open_drafts else []
    return "; ".join(parts)


def _complaint_in_words(complaint: HeldComplaint) -> str:
    phone = f"{complaint.phone} {'proven' if complaint.phone_proven else 'typed'}" if complaint.phone else ""
    files = f"{complaint.attachments} files" if complaint.attachments else ""
    order = f"order {complaint.order_number}" if complaint.order_number else ""
    told = (complaint.category.replace("_", " "), order, complaint.remedy, phone, files)
    return ", ".join(part for part in told if part)


def _case_in_words(case: HeldCase) -> list[str]:
    """What became of a complaint that somebody did something about."""
    state = [] if case.state == "received" else [case.state.replace("_", " ")]
    decisions = [decision.replace("_", " ") for decision in case.decisions]
    marks = ["related"] * case.is_related + ["one of many"] * case.is_in_problem
    return [*state, *decisions, *case.compensations, *marks, *_notes_in_words(case.notes)]


def _request_in_words(request: HeldRequest) -> str:
    rating = f"rated {request.rating}" if request.rating else ""
    told = (
        request.kind.replace("_", " "),
        request.product,
        request.state.replace("_", " "),
        request.reason,
        rating,
    )
    return ", ".join([*filter(None, told), *_notes_in_words(request.notes)])


def _notes_in_words(notes: Sequence[HeldNote]) -> list[str]:
    return [note.kind + (f" with {note.files} files" if note.files else "") for note in notes]
