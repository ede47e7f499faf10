"""The file that a customer gets of everything held about them.

One page that opens on a phone without anything else, with the same data for machines inside it (JSON, in the
element ``everything``). When there are photos or other files, the page and the files are packed together.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.persian import (
    jalali_numeric,
    rich,
    to_ascii_digits,
    to_jalali_datetime_text,
    to_jalali_text,
    to_persian_digits,
    toman_text,
)
from crm_store.privacy.holdings import Holdings, SentFile, files_of, from_staff, holdings_of

#: A bot may upload 50 MB (https://core.telegram.org/bots/api#senddocument); the page needs some of it.
SIZE_LIMIT = 45_000_000
PAGE = "data.html"
_TEMPLATES = Path(__file__).parent / "templates"


class Names(msgspec.Struct, frozen=True):
    """What things are called.

    Attributes:
        business: as customers know it.
        categories: titles of the categories of complaints by key.
        remedies: titles of the remedies by key.
        remedies_done: the same as what is done for the customer.
        states: titles of a complaint's states by key.
        decisions: titles of the decisions about complaints by key.
        causes: titles of the root causes by key.
        products: titles of the products by key.
        services: titles of the kinds of service by key.
        service_states: titles of a service request's states by key.
        service_reasons: why a visit was cancelled or did not succeed, by key.
    """

    business: str
    categories: Mapping[str, str] = {}
    remedies: Mapping[str, str] = {}
    remedies_done: Mapping[str, str] = {}
    states: Mapping[str, str] = {}
    decisions: Mapping[str, str] = {}
    causes: Mapping[str, str] = {}
    products: Mapping[str, str] = {}
    services: Mapping[str, str] = {}
    service_states: Mapping[str, str] = {}
    service_reasons: Mapping[str, str] = {}

    def of_value(self, value: str) -> str:
        """What a form holds, by its title if it is the key of something."""
        known = (self.categories, self.remedies, self.services)
        return next((titles[value] for titles in known if value in titles), value)


class ExportFile(msgspec.Struct, frozen=True):
    """The finished file.

    Attributes:
        file_name: for the reader's device.
        content: an HTML page, or a ZIP with the page and the files.
        left_out: files that did not fit.
    """

    file_name: str
    content: bytes
    left_out: int


def make_export(
    session: Session,
    *,
    customer_id: int,
    names: Names,
    folder: Path,
    timezone: str,
    size_limit: int = SIZE_LIMIT,
    now: datetime | None = None,
) -> ExportFile:
    """Make the file of everything held about a customer.

    Args:
        names: what things are called.
        folder: the attachments folder.
        timezone: in which times are shown.
        size_limit: bytes that the files may have together; the oldest are left out.
        now: the moment that the page names; the present one by default.

    Raises:
        NotFound: there is no such customer.
    """
    moment = now or utcnow()
    holdings = holdings_of(session, customer_id=customer_id)
    all_files = files_of(holdings)
    files = _fitting(all_files, folder, size_limit)
    left_out = len(all_files) - len(files)
    page = _page(holdings, names, files, left_out=left_out, timezone=timezone, now=moment).encode()
    stem = f"my-data-{to_ascii_digits(jalali_numeric(moment, timezone)).replace('/', '-')}"
    if not files:
        return ExportFile(f"{stem}.html", page, left_out)
    content = _packed(page, {name: folder / path for path, name in files.items()})
    return ExportFile(f"{stem}.zip", content, left_out)


def _fitting(sent: Sequence[SentFile], folder: Path, limit: int) -> dict[str, str]:
    """Names in the ZIP by place below the folder, of the newest files that fit together."""
    names: dict[str, str] = {}
    used = 0
    for one in sent:
        file = folder / one.path
        if not file.is_file():
            continue
        used += file.stat().st_size
        if used > limit:
            break
        names[one.path] = f"files/{one.id}{file.suffix}"
    return names


def _packed(page: bytes, files: Mapping[str, Path]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PAGE, page)
        for name, file in files.items():
            archive.write(file, name, compress_type=zipfile.ZIP_STORED)  # pictures do not get smaller
    return packed.getvalue()


def _page(
    holdings: Holdings,
    names: Names,
    files: Mapping[str, str],
    *,
    left_out: int,
    timezone: str,
    now: datetime,
) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": partial(to_jalali_datetime_text, tz=timezone),
        "day": partial(_day, timezone=timezone),
        "digits": to_persian_digits,
        "money": toman_text,
        "words": rich.to_plain,
    }
    return environment.get_template("export.html").render(
        held=holdings,
        from_staff=from_staff(holdings),
        names=names,
        files=files,
        left_out=left_out,
        now=now,
        data=_embeddable(holdings),
    )


def _day(value: date, *, timezone: str) -> str:
    """A date without a time, such as a birthday."""
    return to_jalali_text(datetime.combine(value, time(12), tzinfo=ZoneInfo(timezone)), timezone)


def _embeddable(holdings: Holdings) -> Markup:
    """All rows as JSON that may stand inside a script element."""
    text = json.dumps(holdings.as_data(), ensure_ascii=False, indent=1)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704  # JSON, with nothing that could end the element
