"""Tables as businesses have them, CSV and XLSX, read row by row: memory does not grow with the file."""

from __future__ import annotations

import codecs
import csv
import tempfile
import unicodedata
import warnings
import weakref
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import NamedTuple, Protocol
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from crm_store.errors import InvalidInput

DELIMITERS = ",;\t"
#: How Persian spreadsheets saved CSV before Unicode; it can read any bytes, so it is tried last.
LEGACY_ENCODING = "cp1256"
SAMPLE_BYTES = 64 * 1024
SAMPLE_ROWS = 20
#: An address has a few lines; a row of more is a quotation mark that was never closed.
MAX_LINES_OF_A_ROW = 20
_BLOCK_BYTES = 1024 * 1024
_LARGEST_SHARE_OF_NON_TEXT = 0.01


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        number: its place in the file, from 1, empty rows and headings counted, as spreadsheets show it.
        cells: the texts of its cells, as they stand there, without the empty ones at the end.
    """

    number: int
    cells: list[str]


class Table(Protocol):
    """A file that can be read from its beginning as often as needed."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def format(self) -> str:
        """What the file was taken for, for people."""

    def rows(self) -> Iterator[Row]:
        """Its rows from the first on, without the empty ones; one reading at a time.

        Raises:
            InvalidInput: the file is damaged; the message says where and what helps.
        """


def open_table(path: Path, *, sheet: str = "") -> Table:
    """Find out what a file is.

    Args:
        path: a CSV file (UTF-8, UTF-16 or Windows-1256; comma, semicolon or tab) or an XLSX file.
        sheet: the name of an XLSX file's sheet; empty means the first one.

    Raises:
        InvalidInput: the file is neither, or has no such sheet.
    """
    with path.open("rb") as file:
        start = file.read(SAMPLE_BYTES)
    if not start:
        raise InvalidInput(f"{path.name} is empty")
    if start.startswith(b"PK\x03\x04"):
        return XlsxTable(path, sheet)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(f"{path.name} is an old or encrypted Excel file: save it as plain .xlsx")
    if sheet:
        raise InvalidInput("--sheet: only XLSX files have sheets")
    encoding = _encoding_of(path, start)
    sample = codecs.getincrementaldecoder(encoding)(errors="replace").decode(start)
    if _is_no_text(sample):
        raise InvalidInput(f"{path.name} is neither CSV nor XLSX: save the list as .xlsx or as CSV UTF-8")
    return CsvTable(path, encoding, _delimiter_of(sample))


@dataclass(frozen=True)
class CsvTable:
    """Text with delimiters."""

    path: Path
    encoding: str
    delimiter: str

    @property
    def format(self) -> str:
        """Encoding and delimiter."""
        named = {",": "comma", ";": "semicolon", "\t": "tab"}
        return f"CSV, {self.encoding}, {named[self.delimiter]}"

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`."""
        number = 0
        try:
            for number, cells in enumerate(self._whole_rows(), 1):
                if trimmed := _trimmed(cells):
                    yield Row(number, trimmed)
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{self.path.name} is damaged after row {number}: save it again as CSV UTF-8"
            ) from error
        except csv.Error as error:
            raise InvalidInput(f"{self.path.name}, after row {number}: {error}") from error

    def _whole_rows(self) -> Iterator[list[str]]:
        ended = False

        def lines() -> Iterator[str]:
            nonlocal ended
            with self.path.open(encoding=self.encoding, newline="") as file:
                yield from file
            ended = True

        reader = csv.reader(lines(), delimiter=self.delimiter)
        first_line = 1
        for cells in reader:
            # csv puts all that follows an open quotation mark into one cell and says nothing.
            if ended or reader.line_num - first_line >= MAX_LINES_OF_A_ROW:
                raise InvalidInput(
                    f'{self.path.name}, line {first_line}: a quotation mark (") opens and is not closed; '
                    "remove it or close it"
                )
            yield cells
            first_line = reader.line_num + 1


class XlsxTable:
    """One sheet of a workbook, unpacked once: that takes far longer than all else.

    The rows lie in a file without a name, which is gone whenever the process ends.

    Raises:
        InvalidInput: the workbook is damaged or has no such sheet.
    """

    def __init__(self, path: Path, sheet: str = "") -> None:
        self.path = path
        self._rows = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115  # lives as long as we
        weakref.finalize(self, self._rows.close)
        self._sheet = self._unpack(sheet)

    @property
    def format(self) -> str:
        """The sheet's name."""
        return f"XLSX, sheet {self._sheet}"

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`."""
        self._rows.seek(0)
        for number, *cells in csv.reader(self._rows):
            yield Row(int(number), cells)

    def _unpack(self, wanted: str) -> str:
        import openpyxl  # noqa: PLC0415  # takes a quarter of a second, and most tables are CSV

        unpacked = csv.writer(self._rows)
        with _explains_damage(self.path), self.path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            if not sheets:
                raise InvalidInput(f"{self.path.name} has no sheet with cells")
            name = wanted or next(iter(sheets))
            if name not in sheets:
                raise InvalidInput(
                    f"--sheet: {self.path.name} has no sheet {name}; it has {', '.join(sheets)}"
                )
            for number, values in enumerate(sheets[name].iter_rows(values_only=True), 1):
                if cells := _trimmed([_text(value) for value in values]):
                    unpacked.writerow([number, *cells])
        return name


@contextmanager
def _explains_damage(path: Path) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and rules, which no import needs
        try:
            yield
        except (BadZipFile, ParseError, KeyError, TypeError, ValueError, EOFError, zlib.error) as error:
            raise InvalidInput(
                f"{path.name} cannot be read as XLSX ({error}): save it again in a spreadsheet program"
            ) from error


def _text(value: object) -> str:
    """A cell as a person would type it: 9121234567 for 9121234567.0, a date without its midnight."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return str(value)


def _trimmed(cells: Sequence[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return list(cells[:end])


def _encoding_of(path: Path, start: bytes) -> str:
    return _marked_encoding(start) or ("utf-8" if _is_utf8(path) else LEGACY_ENCODING)


def _marked_encoding(start: bytes) -> str | None:
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if 0 in start:
        # UTF-16 without its mark: of delimiters and ASCII digits one of two bytes is zero.
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    return None


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _is_no_text(sample: str) -> bool:
    strange = sum(unicodedata.category(character) in {"Cc", "Cn"} for character in sample)
    strange -= sum(sample.count(character) for character in "\t\r\n")
    return strange > len(sample) * _LARGEST_SHARE_OF_NON_TEXT


def _delimiter_of(sample: str) -> str:
    """The delimiter that gives the most rows of one width; an address may hold another one now and then."""
    lines = sample.splitlines(keepends=True)[:SAMPLE_ROWS]

    def evenness(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if len(cells) > 1)
        return max(((rows, width) for width, rows in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=evenness)
