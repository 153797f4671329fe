"""A CSV file as a table: its encoding, its delimiter, and which row is the head."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from django.utils.translation import gettext as _

from tallystick.billing.banking import readings
from tallystick.billing.banking.errors import BrokenFile, NoStatement

_DELIMITERS = ";,\t|"
_FEWEST_COLUMNS = 3
_HEAD_WITHIN = 40
_LOOKED_AT = 200
_END = "end"
_SIGNS = re.compile(r"[^a-z0-9]+")
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """`before` are the rows above the head, in which banks name the account. `row_of_head` counts
    from 1, as editors do."""

    encoding: str
    delimiter: str
    head: tuple[str, ...]
    rows: list[list[str]]
    before: list[list[str]]
    row_of_head: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns as they are compared."""
        return tuple(map(plain, self.head))

    @property
    def fingerprint(self) -> str:
        """The same for all files of one bank's form."""
        return hashlib.sha256("\0".join([self.delimiter, *self.names]).encode()).hexdigest()

    def column(self, index: int) -> list[str]:
        """The cells of that column that are not empty."""
        cells = (row[index].strip() for row in self.rows if index < len(row))
        return [cell for cell in cells if cell]

    @property
    def accounts_before(self) -> list[str]:
        """The IBANs that stand above the head."""
        cells = (cell for row in self.before for cell in row)
        return [readings.account(iban) for cell in cells for iban in _IBAN.findall(cell.upper())]


def plain(name: str) -> str:
    """A column's name without accents, signs and case: "Währung " is "wahrung"."""
    bare = unicodedata.normalize("NFKD", name.casefold().replace("ı", "i"))
    letters = "".join(each for each in bare if not unicodedata.combining(each))
    return _SIGNS.sub(" ", letters).strip()


def read(data: bytes) -> Table:
    """Raises `StatementError`."""
    readings.check_size(data)
    text, encoding = _decoded(data)
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    readings.check_count(len(rows) - _HEAD_WITHIN)
    at = _head(rows)
    if not any(cell.strip() for row in rows[at + 1 :] for cell in row):
        raise NoStatement(
            _(
                "The table has column names and no rows. Export a period with movements from the bank."
            )
        )
    return Table(
        encoding=encoding,
        delimiter=delimiter,
        head=tuple(cell.strip() for cell in rows[at]),
        rows=rows[at + 1 :],
        before=rows[:at],
        row_of_head=at + 1,
    )


def _decoded(data: bytes) -> tuple[str, str]:
    """The text; Windows-1252 is what it is in Europe when it is not UTF-8."""
    marked = [name for mark, name in _BOMS if data.startswith(mark)]
    for encoding in marked or ["utf-8", "cp1252"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, encoding
    raise NoStatement(
        _("This is no text: neither CAMT.053 nor CSV. Ask the bank for one of these.")
    )


def _rows(text: str, delimiter: str, most: int | None = None) -> list[list[str]]:
    # A row of ours at the end: a quote that is never closed swallows it.
    whole = text if most is not None else f"{text}\n{_END}"
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if most is not None and len(rows) >= most:
                break
    except csv.Error as error:
        raise BrokenFile(
            _("Row %(n)d cannot be read (%(why)s). Fetch the file from the bank once more.")
            % {"n": reader.line_num, "why": error}
        ) from None
    if most is None and rows.pop() != [_END]:
        raise BrokenFile(
            _(
                "The file breaks off: a quotation mark near its end is not closed. Fetch it from the "
                "bank once more."
            )
        )
    return rows


def _delimiter(text: str) -> str:
    """The one that parts most rows into the same number of columns."""

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            rows = _rows(text, delimiter, _LOOKED_AT)
        except BrokenFile:
            return 0, 0
        widths = Counter(len(row) for row in rows if len(row) >= _FEWEST_COLUMNS)
        width, count = max(widths.items(), key=lambda each: (each[1], each[0]), default=(0, 0))
        return count, width

    best = max(_DELIMITERS, key=fit)
    if not fit(best)[0]:
        raise NoStatement(
            _(
                "This is neither CAMT.053 nor a table (CSV) of at least three columns. Ask the bank "
                "for one of these."
            )
        )
    return best


def _head(rows: list[list[str]]) -> int:
    """The first row as wide as most, with a name in nearly every column and no figure in any."""
    widths = Counter(len(row) for row in rows[:_LOOKED_AT] if len(row) >= _FEWEST_COLUMNS)
    width = max(widths.items(), key=lambda each: (each[1], each[0]))[0]
    for at, row in enumerate(rows[:_HEAD_WITHIN]):
        named = [cell for cell in row if cell.strip()]
        if (
            abs(len(row) - width) <= 1
            and len(named) >= _FEWEST_COLUMNS
            and all(map(_is_name, named))
        ):
            return at
    raise NoStatement(
        _("The table has no row of column names. Export it from the bank with column names.")
    )


def _is_name(cell: str) -> bool:
    return any(each.isalpha() for each in cell) and not re.match(r"\s*[-+(]?\d", cell)
