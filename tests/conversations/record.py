"""What is measured about a scripted conversation, and the table of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.conversations.held import Held, HeldComplaint

_QUESTION = re.compile(r"utter_ask_(?:complaint_(?:more_)?|callback_)?([a-z_]+?)(_again)?")


@dataclass
class Record:
    """One conversation.

    Attributes:
        name: of the script.
        is_messy: interruptions, corrections, several things at once and the like.
        has_everything: the first message tells all that a complaint needs.
        turns: what the customers sent and pressed.
        turns_to_file: of each complaint: from the first turn of the customer, or the one after the complaint
            before, to the one that filed it.
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
    parts = [_complaint_in_words(one) for one in held.complaints]
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
