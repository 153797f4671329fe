"""Which column of a bank's table holds what, and how it writes days and amounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _

from tallystick.billing.banking.errors import UnknownColumns
from tallystick.billing.banking.tables import Table, plain
from tallystick.kit.money import DIGITS

DayOrder = Literal["ymd", "dmy", "mdy"]
Point = Literal[",", "."]

ROLES = (
    *("booked_on", "value_on", "amount", "debit", "credit", "side", "currency", "name", "iban"),
    *("text", "reference", "end_to_end", "account", "balance", "state"),
)
SEVERAL = frozenset({"text", "name"})
"""Roles that more than one column may have."""

_WORDS: dict[str, str] = {
    "booked_on": "buchungstag/buchungsdatum/buchung/datum/date/booking date/booked on/"
    "transaction date/posted date/posting date/date operation/date de l operation/date comptable/"
    "date de comptabilisation/fecha/fecha operacion/fecha contable/tarih/islem tarihi/boekdatum/"
    "data/data contabile/completed date/date completed utc",
    "value_on": "valuta/valutadatum/wertstellung/wertstellungsdatum/value date/date valeur/"
    "date de valeur/fecha valor/valor/valor tarihi/rentedatum/data valuta",
    "amount": "betrag/umsatz/amount/transaction amount/montant/importe/tutar/islem tutari/bedrag/"
    "importo",
    "debit": "soll/belastung/debit/debit amount/paid out/money out/withdrawal/withdrawals/cargo/debe/"
    "borc/dare/addebiti/uitgaven",
    "credit": "haben/gutschrift/credit/credit amount/paid in/money in/deposit/deposits/abono/haber/"
    "alacak/avere/accrediti/inkomsten",
    "side": "soll haben/soll haben kennzeichen/s h/debit credit/credit debit/debit credit indicator/"
    "credit debit indicator/d c/c d/sens/af bij/borc alacak/b a",
    "currency": "wahrung/waehrung/currency/devise/divisa/moneda/doviz/para birimi/munt/valuta",
    "name": "name zahlungsbeteiligter/beguenstigter zahlungspflichtiger/"
    "begunstigter zahlungspflichtiger/auftraggeber empfanger/auftraggeber empfaenger/"
    "zahlungspflichtige r/zahlungsempfanger in/name/payee/counterparty/counterparty name/"
    "counter party/partner name/sender/payer/tiers/nom/nom du tiers/beneficiary/ordenante/gonderen/"
    "naam tegenpartij/naam omschrijving/payer name/controparte",
    "iban": "iban zahlungsbeteiligter/kontonummer iban/iban/counterparty iban/partner iban/"
    "iban kontonummer/tegenrekening/iban du tiers/payer iban/sender iban",
    "text": "verwendungszweck/buchungstext/description/remittance information/details/"
    "payment details/payment reference/reference/memo/narrative/libelle/libelle operation/communication/"
    "concepto/aciklama/omschrijving/mededelingen/descrizione/causale",
    "reference": "transaction id/transactionid/bank reference/bankreferenz/referenz der bank/"
    "transaction reference/transferwise id/reference banque/umsatznummer/dekont no/fis no/islem no/id",
    "end_to_end": "kundenreferenz end to end/kundenreferenz/end to end/end to end id/"
    "end to end reference/endtoendid",
    "account": "iban auftragskonto/auftragskonto/own account/account iban/own iban/account/rekening",
    "balance": "saldo/saldo nach buchung/balance/running balance/solde/bakiye/saldo na mutatie",
    "state": "status/info/state/statut",
}
_ROLE_OF = {word: role for role, words in _WORDS.items() for word in words.split("/")}
_DAY = re.compile(r"\s*(\d{1,4})([-./ ])(\d{1,2})\2(\d{2,4})(?=$|[T ,])", re.ASCII)
_COMPACT_DAY = re.compile(r"\s*(\d{4})(\d{2})(\d{2})\s*", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_LAST_MONTH = 12
_YEAR_DIGITS = 4
_GROUP = 3


@dataclass(frozen=True, slots=True)
class Columns:
    """`where` says for each role in which columns it is. `currency` is the one that a column's name
    tells ("Betrag (EUR)")."""

    where: Mapping[str, tuple[int, ...]]
    days: DayOrder
    point: Point
    currency: str = ""
    known: bool = field(default=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        where = {role: list(columns) for role, columns in self.where.items() if columns}
        return {"where": where, "days": self.days, "point": self.point, "currency": self.currency}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Columns:
        where = {role: tuple(columns) for role, columns in kept["where"].items()}
        return cls(where, kept["days"], kept["point"], kept.get("currency", ""), known=True)


def guess_roles(table: Table) -> tuple[dict[str, tuple[int, ...]], str]:
    """By the names of the columns; and the currency where one of them names it."""
    where: dict[str, tuple[int, ...]] = {}
    stated = ""
    for index, name in enumerate(table.names):
        role, currency = _role(name)
        if name == "valuta" and not _are_currencies(table.column(index)):
            role = "value_on"
        if role and (role not in where or role in SEVERAL):
            where[role] = (*where.get(role, ()), index)
            stated = stated or currency
    if "amount" in where and "side" not in where:
        where.pop("debit", None)
        where.pop("credit", None)
    return where, stated


def guess(table: Table) -> Columns:
    """Raises `UnknownColumns` where there is any doubt."""
    where, currency = guess_roles(table)
    missing = lacking(where)
    if missing:
        raise UnknownColumns(_("Say which column holds %(it)s.") % {"it": missing}, table=table)
    days = day_order(cell for index in where["booked_on"] for cell in table.column(index))
    point = decimal_point(cell for index in figures(where) for cell in table.column(index))
    if days is None:
        raise UnknownColumns(
            _("Say how this bank writes days: 03/04 may be in March or in April."), table=table
        )
    if point is None:
        raise UnknownColumns(
            _("Say how this bank writes amounts: 1.234 may be one or a thousand."), table=table
        )
    return Columns(where, days, point, currency)


def lacking(where: Mapping[str, tuple[int, ...]]) -> str:
    """What has no column and needs one."""
    if not where.get("booked_on"):
        return _("the date")
    return "" if figures(where) else _("the amount")


def figures(where: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The columns of amounts."""
    return where.get("amount") or (*where.get("debit", ()), *where.get("credit", ()))


def day_order(cells: Iterable[str]) -> DayOrder | None:
    """The order in which all of `cells` are days; None where there are two, or none."""
    orders: set[DayOrder] = {"ymd", "dmy", "mdy"}
    for cell in cells:
        if _COMPACT_DAY.fullmatch(cell):
            orders &= {"ymd"}
        elif match := _DAY.match(cell):
            orders &= _orders_of(match)
    return orders.pop() if len(orders) == 1 else None


def _orders_of(match: re.Match[str]) -> set[DayOrder]:
    start, sign, middle, _end = match.groups()
    if len(start) == _YEAR_DIGITS:
        return {"ymd"}
    if sign == "." or int(start) > _LAST_MONTH:
        return {"dmy"}
    return {"mdy"} if int(middle) > _LAST_MONTH else {"dmy", "mdy"}


def decimal_point(cells: Iterable[str]) -> Point | None:
    """The sign before the cents in `cells`; None where it may be either, or is not the same in all."""
    points: set[Point] = {",", "."}
    doubtful = False
    for cell in cells:
        said = _points_of(cell)
        doubtful |= len(said) > 1 and any(sign in cell for sign in ".,")
        points &= said
    if len(points) == 1:
        return points.pop()
    # No sign anywhere: whole amounts, which either reads the same.
    return "." if points and not doubtful else None


def _points_of(cell: str) -> set[Point]:
    signs = re.findall(r"[.,]", cell)
    if not signs:
        return {",", "."}
    last: Point
    other: Point
    last, other = (",", ".") if signs[-1] == "," else (".", ",")
    if len(set(signs)) > 1:
        return {last}
    if len(signs) > 1:
        return {other}
    after = re.sub(r"\D", "", cell.rpartition(last)[2])
    return {",", "."} if len(after) == _GROUP else {last}


def _role(name: str) -> tuple[str, str]:
    """The role of a column of that name, and the currency at its end."""
    if role := _ROLE_OF.get(name):
        return role, ""
    words = name.split()
    if words and words[-1].upper() in DIGITS:
        role = _ROLE_OF.get(" ".join(words[:-1]).removesuffix(" in"), "")
        return role, words[-1].upper() if role else ""
    return "", ""


def _are_currencies(cells: list[str]) -> bool:
    return bool(cells) and all(_CURRENCY.fullmatch(plain(cell).upper()) for cell in cells)
