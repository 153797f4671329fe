"""A bank's CSV: each row by its columns. Every bank's is different; see `columns` for how it is read."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from itertools import pairwise

from django.utils.translation import gettext as _

from tallystick.billing.banking import columns, readings, tables
from tallystick.billing.banking.columns import Columns, DayOrder, Point
from tallystick.billing.banking.errors import BrokenFile
from tallystick.billing.banking.readings import Line, Reading
from tallystick.billing.banking.tables import Table

FORMAT = "csv"
_DAY = re.compile(r"\s*(\d{1,4})[-./ ]?(\d{1,2})[-./ ]?(\d{1,4})(?=$|[T ,])", re.ASCII)
_COMPACT_DAY = re.compile(r"\s*(\d{4})(\d{2})(\d{2})\s*", re.ASCII)
_AROUND = re.compile(r"^[^\d().,+-]{0,4}|[^\d().,+-]{0,4}$")
_MINUS = str.maketrans(dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{FIGURE DASH}", "-"))
# Between digits only where they part thousands.
_SPACES = re.compile(
    r"(?<=\d)[\s'\N{RIGHT SINGLE QUOTATION MARK}](?=\d{3}(?!\d))|(?<!\d)\s|\s(?!\d)", re.ASCII
)
_OUT = frozenset(
    {
        *("s", "soll", "d", "debit", "db", "dbit", "dr", "af", "debe", "cargo", "borc", "b"),
        *("lastschrift", "belastung", "out"),
    }
)
_IN = frozenset(
    {
        *("h", "haben", "c", "credit", "cr", "crdt", "bij", "haber", "abono", "alacak", "a"),
        *("gutschrift", "in"),
    }
)
_PENDING = ("vorgemerkt", "pending", "en attente", "pendiente", "beklem", "umsatz vorgemerkt")
_CENTURY = 2000
Balance = tuple[date, Decimal, Decimal]
"""A day, an amount, and what the balance was after it."""
_SHORT_YEAR = 2


def read(table: Table, how: Columns, *, currency: str) -> Reading:
    """`currency` is for a table that names none. Raises `StatementError`, naming the row."""
    reading = Reading(format=FORMAT, currency=how.currency or currency)
    accounts = {
        readings.account(cell) for at in how.where.get("account", ()) for cell in table.column(at)
    }
    if len(accounts) > 1:
        raise BrokenFile(_("The table holds several accounts. Export them one by one."))
    before = table.accounts_before
    reading.account = next(iter(accounts), before[0] if before else "")
    balances: list[Balance] = []
    for number, cells in enumerate(table.rows, table.row_of_head + 1):
        row = _Row(cells, how, _("Row %(n)d") % {"n": number}, reading.currency)
        if row.is_foot:
            continue
        if row.is_pending:
            reading.pending += 1
            continue
        line = row.line()
        if balance := row.text("balance"):
            after = number_in(balance, how.point, line.currency, row.where)
            balances.append((line.booked_on, line.amount, after))
        if line.amount:
            reading.lines.append(line)
    _take_balances(reading, balances)
    reading.currency = next((line.currency for line in reading.lines), reading.currency)
    return reading


class _Row:
    def __init__(self, cells: list[str], how: Columns, where: str, currency: str) -> None:
        self.cells = [cell.strip() for cell in cells]
        self.how = how
        self.where = where
        self.currency = self.text("currency").upper() or currency

    def text(self, role: str) -> str:
        columns_of = self.how.where.get(role, ())
        return "\n".join(
            self.cells[at] for at in columns_of if at < len(self.cells) and self.cells[at]
        )

    @property
    def figures(self) -> str:
        return "".join(
            self.cells[at] for at in columns.figures(self.how.where) if at < len(self.cells)
        )

    @property
    def is_foot(self) -> bool:
        """Whether it is no movement: empty, or a line of words below the table."""
        booked = self.text("booked_on")
        return not (booked or self.figures) or (not self.figures and not _DAY.match(booked))

    @property
    def is_pending(self) -> bool:
        return tables.plain(self.text("state")).startswith(_PENDING)

    def line(self) -> Line:
        text = self.text
        booked_on = day_in(text("booked_on"), self.how.days, self.where)
        amount = self._amount()
        value_on = text("value_on")
        return Line(
            booked_on=booked_on,
            amount=amount,
            currency=self.currency,
            text=readings.text(text("text")),
            name=readings.name(self._name(amount)),
            iban=readings.account(text("iban")),
            reference=readings.code(text("reference")),
            end_to_end=readings.code(text("end_to_end")),
            value_on=day_in(value_on, self.how.days, self.where) if value_on else None,
        )

    def _name(self, amount: Decimal) -> str:
        """Of two columns of names the first is who paid, the second who was paid."""
        names = [self.cells[at] for at in self.how.where.get("name", ()) if at < len(self.cells)]
        return next(filter(None, names if amount > 0 else reversed(names)), "")

    def _amount(self) -> Decimal:
        if self.how.where.get("amount"):
            amount = self._number("amount")
            return _sided(amount, self.text("side"), self.where)
        debit, credit = self._number("debit"), self._number("credit")
        if debit and credit:
            raise BrokenFile(
                _("%(where)s: both a debit and a credit. See which column is which.")
                % {"where": self.where}
            )
        return -abs(debit) if debit else credit

    def _number(self, role: str) -> Decimal:
        written = self.text(role)
        if not written and role != "amount":
            return Decimal(0)
        return number_in(written, self.how.point, self.currency, self.where)


def day_in(written: str, order: DayOrder, where: str) -> date:
    """Raises `BrokenFile`."""
    match = _COMPACT_DAY.fullmatch(written) or _DAY.match(written)
    parts = match.groups() if match else ("0", "0", "0")
    try:
        figures = dict(zip(order, parts, strict=True))
        year = int(figures["y"]) + (_CENTURY if len(figures["y"]) == _SHORT_YEAR else 0)
        return readings.day(date(year, int(figures["m"]), int(figures["d"])), where)
    except ValueError:
        raise BrokenFile(
            _("%(where)s: “%(text)s” is no day as this bank writes them (%(order)s).")
            % {"where": where, "text": written[:30], "order": order}
        ) from None


def number_in(written: str, point: Point, currency: str, where: str) -> Decimal:
    """An amount as banks write it: 1.234,50 or 1,234.50, with a minus before or behind, or in
    brackets. Raises `BrokenFile`."""
    bare = _AROUND.sub("", _SPACES.sub("", _plain_spaces(written)))
    negative = bare.startswith(("-", "(")) or bare.endswith("-")
    digits = re.sub(r"^[-+]|^\((?=.*\)$)|[-)]$", "", bare)
    group = "." if point == "," else ","
    pattern = rf"\d+({re.escape(point)}\d+)?|\d{{1,3}}({re.escape(group)}\d{{3}})+({re.escape(point)}\d+)?"
    if re.fullmatch(rf"{re.escape(point)}\d+", digits, re.ASCII):
        digits = f"0{digits}"
    if not re.fullmatch(pattern, digits, re.ASCII):
        raise BrokenFile(
            _(
                "%(where)s: “%(text)s” is no amount as this bank writes them (%(like)s). Check which "
                "column is the amount."
            )
            % {"where": where, "text": written[:30], "like": f"1{group}234{point}50"}
        )
    plain = digits.replace(group, "").replace(point, ".")
    amount = readings.amount(plain, currency, where)
    return -amount if negative else amount


def _plain_spaces(written: str) -> str:
    """A space that does not break is a space, a typographic minus a minus."""
    return " ".join(written.translate(_MINUS).split())


def _sided(amount: Decimal, side: str, where: str) -> Decimal:
    if not side:
        return amount
    word = tables.plain(side)
    if word in _OUT:
        return -abs(amount)
    if word in _IN:
        return abs(amount)
    raise BrokenFile(
        _("%(where)s: “%(text)s” says neither debit nor credit.")
        % {"where": where, "text": side[:30]}
    )


def _take_balances(reading: Reading, balances: list[Balance]) -> None:
    """What the balance was before the first line and after the last: oldest first or newest first, as
    the days say, and within one day as the balances do."""
    if not balances:
        return
    first, last = balances[0], balances[-1]
    if first[0] > last[0] or (first[0] == last[0] and _is_newest_first(balances)):
        first, last = last, first
    reading.opening, reading.closing = first[2] - first[1], last[2]


def _is_newest_first(balances: list[Balance]) -> bool:
    return any(
        after[2] == before[2] - before[1] and after[2] != before[2] + after[1]
        for before, after in pairwise(balances)
    )
