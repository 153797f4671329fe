"""What a file says, whatever its format: statements of accounts, and their lines."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from tallystick.billing import days
from tallystick.billing.banking.errors import BrokenFile, TooLarge
from tallystick.billing.totals import largest
from tallystick.kit import clock
from tallystick.kit.money import MoneyError, parse_amount, round_amount

MOST_BYTES = 10_000_000
MOST_LINES = 50_000
_LONGEST_TEXT = 2000
_LONGEST_NAME = 200
_LONGEST_CODE = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of an account that the bank has booked. `amount` is negative for what went out.

    `reference` is the bank's own for it, where it gives one. `whole_batch`: several payments that the
    bank lists without their amounts."""

    booked_on: date
    amount: Decimal
    currency: str
    text: str = ""
    name: str = ""
    iban: str = ""
    reference: str = ""
    end_to_end: str = ""
    structured: str = ""
    value_on: date | None = None
    is_reversal: bool = False
    return_reason: str = ""
    original: str = ""
    whole_batch: bool = False

    def identity(self) -> str:
        """What is the same in every statement that holds this line, but for `nth`."""
        named = (self.reference,) if self.reference else (self.text, self.name, self.iban)
        spaceless = ("".join(part.split()) for part in named)
        parts = (self.booked_on.isoformat(), f"{self.amount.normalize():f}", self.currency)
        return hashlib.sha256("\0".join([*parts, *spaceless]).encode()).hexdigest()


@dataclass(slots=True)
class Reading:
    """A statement of one account. Balances are None where the file has none; `pending` are entries
    that the bank has not booked yet: they come again when it has."""

    format: str
    account: str = ""
    currency: str = ""
    name: str = ""
    opening: Decimal | None = None
    closing: Decimal | None = None
    first: date | None = None
    last: date | None = None
    pending: int = 0
    lines: list[Line] = field(default_factory=list)

    @property
    def moved(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def difference(self) -> Decimal | None:
        """What the closing balance has more than opening balance and lines; None where there are no
        balances to tell."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing - self.opening - self.moved

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and last day: as stated, else of the lines."""
        booked = [line.booked_on for line in self.lines]
        return self.first or min(booked, default=None), self.last or max(booked, default=None)


def identities(lines: Sequence[Line]) -> list[str]:
    """One for each line, never two the same: lines that are alike in all are counted through."""
    seen: Counter[str] = Counter()
    named = []
    for line in lines:
        identity = line.identity()
        seen[identity] += 1
        named.append(f"{identity}:{seen[identity]}")
    return named


def text(*parts: str, longest: int = _LONGEST_TEXT) -> str:
    """The parts, each once, with one space where they had any, without what no database takes."""
    spaced = dict.fromkeys(" ".join(part.replace("\0", " ").split()) for part in parts)
    return "\n".join(filter(None, spaced))[:longest]


def name(written: str) -> str:
    return text(written, longest=_LONGEST_NAME)


def code(written: str) -> str:
    """A reference that somebody gave; empty for the bank's word that there is none."""
    given = text(written, longest=_LONGEST_CODE)
    return "" if given.upper() in {"NOTPROVIDED", "NONREF", "NONE", "N/A", "-"} else given


def account(written: str) -> str:
    """An account number without spaces and signs."""
    return "".join(each for each in written.upper() if each.isalnum())[:34]


def amount(written: str, currency: str, where: str) -> Decimal:
    """Raises `BrokenFile`, saying `where`."""
    try:
        read = parse_amount(written)
        rounded = round_amount(read, currency)
    except MoneyError as error:
        raise BrokenFile(f"{where}: {error}") from None
    if rounded != read:
        raise BrokenFile(
            _("%(where)s: %(amount)s is finer than %(currency)s is.")
            % {"where": where, "amount": f"{read:f}", "currency": currency}
        )
    if abs(rounded) >= largest(currency):
        raise BrokenFile(
            _("%(where)s: %(amount)s is more than an amount can be.")
            % {"where": where, "amount": f"{read:f}"}
        )
    return rounded


def day(written: date, where: str) -> date:
    if not days.FIRST <= written <= clock.now().date() + days.AHEAD:
        raise BrokenFile(
            _("%(where)s: %(day)s is no day that a statement can be of.")
            % {"where": where, "day": written}
        )
    return written


def check_size(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise TooLarge(_("The file is larger than 10 MB. Fetch the statement in shorter periods."))
    if not data.strip():
        raise BrokenFile(_("The file is empty. Fetch it from the bank once more."))


def check_count(count: int) -> None:
    if count > MOST_LINES:
        raise TooLarge(
            _("The file has more than %(n)d lines. Fetch the statement in shorter periods.")
            % {"n": MOST_LINES}
        )
