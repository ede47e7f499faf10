"""What is filed, as the customer reads it before agreeing: lines that name responses, rendered elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from crm_store.business import Business
from crm_store.complaints.drafting import ATTACHMENTS, CONTACT_POINT, ORDER_NUMBER, REMEDY
from crm_store.customers.models import ContactPoint
from crm_store.persian import phone_text, to_persian_digits
from crm_store.terms import term

#: Characters of the story that are shown.
STORY_LENGTH = 500


def shortened(story: str) -> str:
    """The beginning of a long story."""
    return story if len(story) <= STORY_LENGTH else story[:STORY_LENGTH].rstrip() + "…"


def summary_lines(session: Session, data: Mapping[str, Any], business: Business) -> list[dict[str, Any]]:
    """The lines below story and category.

    Args:
        session: where the phone is looked up.
        data: what the draft holds.
        business: names the categories and what is asked about them.

    Returns:
        ``{"response", "params"}`` each: a response of data/complaints/responses.yml and its unescaped values.
    """
    lines = [_line("utter_complaint_line_category", category=business.category(data["category"]).title)]
    if ORDER_NUMBER in data:
        number = data[ORDER_NUMBER]
        # Digits beside Latin letters stay Latin, as they stand on the invoice.
        shown = to_persian_digits(number) if number.isdigit() else number
        lines.append(
            _line("utter_complaint_line_order", number=shown)
            if number
            else _line("utter_complaint_line_no_order")
        )
    if REMEDY in data:
        remedy = term("complaints", "remedies", data[REMEDY]) if data[REMEDY] else None
        lines.append(
            _line("utter_complaint_line_remedy", remedy=remedy)
            if remedy
            else _line("utter_complaint_line_no_remedy")
        )
    count = len(data.get(ATTACHMENTS, []))
    lines.append(
        _line("utter_complaint_line_attachments", count=to_persian_digits(count))
        if count
        else _line("utter_complaint_line_no_attachments")
    )
    if CONTACT_POINT in data:
        point = session.get(ContactPoint, data[CONTACT_POINT])
        lines.append(
            _line("utter_complaint_line_phone", phone=phone_text(point.value))
            if point
            else _line("utter_complaint_line_no_phone")
        )
    return lines


def _line(response: str, **params: object) -> dict[str, Any]:
    return {"response": response, "params": params}
