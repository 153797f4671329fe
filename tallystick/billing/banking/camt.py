"""CAMT.053 (ISO 20022 bank-to-customer statement), all versions: by local names, entry by entry.

The meaning of each element is that of the message definition; where banks differ it is said here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.billing.banking import readings
from tallystick.billing.banking.elements import all_of, first, joined, only, value
from tallystick.billing.banking.errors import BrokenFile, NoStatement, StatementError
from tallystick.billing.banking.readings import Line, Reading

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FORMAT = "camt.053"
_DEEPEST = 40
_OTHERS = {
    "BkToCstmrAcctRpt": gettext_lazy(
        "This is CAMT.052, the report of a day that is not over. Ask the bank for CAMT.053."
    ),
    "BkToCstmrDbtCdtNtfctn": gettext_lazy(
        "This is CAMT.054, which lists single payments. Ask the bank for CAMT.053."
    ),
}


def is_xml(data: bytes) -> bool:
    """Whether it begins as XML does, in whichever encoding."""
    start = data[:200].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"<")


def read(data: bytes) -> list[Reading]:
    """The statements in `data`. Raises `StatementError`."""
    readings.check_size(data)
    try:
        found = [_statement(*parts) for parts in _statements(data)]
    except StatementError:
        raise
    except ParseError as error:
        line, _column = error.position
        raise BrokenFile(
            _(
                "The file breaks off or is damaged in line %(line)d. Fetch it from the bank once more."
            )
            % {"line": line}
        ) from None
    except DefusedXmlException:
        raise NoStatement(
            _("The file defines entities of its own, which no statement does. Fetch it anew.")
        ) from None
    except (ValueError, LookupError):  # an encoding that it does not have, or that nobody knows
        raise BrokenFile(_("The file is damaged. Fetch it from the bank once more.")) from None
    if not found:
        raise NoStatement(_("The file holds no statement (no element Stmt). Fetch it once more."))
    return found


def _statements(data: bytes) -> Iterator[tuple[Element, list[Line], int]]:
    """Each statement without its entries, their lines, and how many are pending. An entry is let go
    when it is read."""
    names: list[str] = []
    lines: list[Line] = []
    pending = count = 0
    for event, element in iterparse(io.BytesIO(data), ("start", "end"), forbid_dtd=True):
        local = element.tag.rpartition("}")[2]
        if event == "start":
            names.append(local)
            _refuse_others(names)
            continue
        names.pop()
        if local == "Ntry":
            count += 1
            readings.check_count(count + len(lines))
            if _is_booked(element):
                lines += _lines(element, _("Entry %(n)d") % {"n": count})
            else:
                pending += 1
            element.clear()
        elif local == "Stmt":
            yield element, lines, pending
            element.clear()
            lines, pending = [], 0


def _refuse_others(names: list[str]) -> None:
    if len(names) > _DEEPEST:
        raise NoStatement(_("The file nests deeper than any statement. Fetch it anew."))
    local = names[-1]
    if len(names) == 1 and local != "Document":
        raise NoStatement(
            _("This is XML, but no CAMT.053: it begins with %(name)s.") % {"name": local[:40]}
        )
    if local in _OTHERS:
        raise NoStatement(str(_OTHERS[local]))


def _statement(statement: Element, lines: list[Line], pending: int) -> Reading:
    account = only(statement, "Acct")
    period = first(statement, "FrToDt")
    return Reading(
        format=FORMAT,
        account=readings.account(
            value(account, "Id", "IBAN") or value(account, "Id", "Othr", "Id")
        ),
        currency=_currency(account, statement, lines),
        name=readings.code(value(statement, "Id")),
        opening=_opening(statement),
        closing=_closing(statement),
        first=_day(period, "FrDt", "FrDtTm"),
        last=_day(period, "ToDt", "ToDtTm"),
        pending=pending,
        lines=lines,
    )


def _currency(account: Element | None, statement: Element, lines: list[Line]) -> str:
    if stated := value(account, "Ccy"):
        return stated[:3]
    balance = first(statement, "Bal", "Amt")
    if balance is not None:
        return balance.get("Ccy", "")[:3]
    return next((line.currency for line in lines), "")


def _opening(statement: Element) -> Decimal | None:
    """The first of the opening balances; some banks call it the closing one of the day before."""
    for kind in ("OPBD", "PRCD"):
        for balance in all_of(statement, "Bal"):
            if value(balance, "Tp", "CdOrPrtry", "Cd") == kind:
                return _amount(balance, _("Balance %(kind)s") % {"kind": kind})[0]
    return None


def _closing(statement: Element) -> Decimal | None:
    """The last of them."""
    closing = None
    for balance in all_of(statement, "Bal"):
        if value(balance, "Tp", "CdOrPrtry", "Cd") == "CLBD":
            closing = _amount(balance, _("Balance %(kind)s") % {"kind": "CLBD"})[0]
    return closing


def _is_booked(entry: Element) -> bool:
    """BOOK; up to version 4 it stands in Sts itself, from then on in Sts/Cd."""
    return (value(entry, "Sts") or value(entry, "Sts", "Cd") or "BOOK") == "BOOK"


def _lines(entry: Element, where: str) -> Iterator[Line]:
    """One for each payment of the entry where the bank says how much each was and they make up the
    entry; else one for the entry, with all that is said of any."""
    amount, currency = _amount(entry, where)
    if not amount:
        return
    booked_on = _day(first(entry, "BookgDt"), "Dt", "DtTm") or _day(
        first(entry, "ValDt"), "Dt", "DtTm"
    )
    if booked_on is None:
        raise BrokenFile(
            _("%(where)s: no date (BookgDt). Fetch the file from the bank once more.")
            % {"where": where}
        )
    details = [each for part in all_of(entry, "NtryDtls") for each in all_of(part, "TxDtls")]
    parts = _parts(details, amount, currency, where)
    if parts is None:
        several = len(details) > 1 or _is_batch(entry)
        yield _line(entry, details, (booked_on, amount, currency), whole_batch=several)
        return
    for detail, part in zip(details, parts, strict=True):
        if part:
            yield _line(entry, [detail], (booked_on, part, currency), nth_of=len(details))


def _is_batch(entry: Element) -> bool:
    """Whether the bank counts several payments in it, be it that it lists one of them or none."""
    counts = [value(part, "Btch", "NbOfTxs") for part in all_of(entry, "NtryDtls")]
    return len(counts) > 1 or any(count.strip().lstrip("0") not in ("", "1") for count in counts)


def _parts(
    details: list[Element], amount: Decimal, currency: str, where: str
) -> list[Decimal] | None:
    if len(details) < 2:  # noqa: PLR2004 - one payment is the entry, or there is nothing to part
        return None
    sign = 1 if amount > 0 else -1
    parts = []
    for detail in details:
        stated = first(detail, "Amt")
        if stated is None:
            stated = first(detail, "AmtDtls", "TxAmt", "Amt")
        if stated is None or stated.get("Ccy") != currency:
            return None
        part = readings.amount(stated.text or "", currency, where)
        against = value(detail, "CdtDbtInd") not in ("", _indicator(amount))
        parts.append(-sign * part if against else sign * part)
    return parts if sum(parts) == amount else None


def _indicator(amount: Decimal) -> str:
    return "CRDT" if amount > 0 else "DBIT"


def _line(
    entry: Element,
    details: list[Element],
    moved: tuple[date, Decimal, str],
    *,
    whole_batch: bool = False,
    nth_of: int = 1,
) -> Line:
    booked_on, amount, currency = moved
    one = details[0] if details and not whole_batch else None
    party, account = ("Dbtr", "DbtrAcct") if amount > 0 else ("Cdtr", "CdtrAcct")
    if returned := joined(details, "RtrInf", "Rsn", "Cd"):
        # What comes back names the parties of the payment that it undoes.
        party, account = ("Cdtr", "CdtrAcct") if amount > 0 else ("Dbtr", "DbtrAcct")
    related = first(one, "RltdPties")
    own = value(one, "Refs", "AcctSvcrRef")
    reference = own or value(entry, "AcctSvcrRef")
    if nth_of > 1 and not own and reference:
        # The reference of the whole batch: with the payment's own it is the payment's.
        reference += f"/{value(one, 'Refs', 'TxId') or value(one, 'Refs', 'EndToEndId')}"
    return Line(
        booked_on=booked_on,
        amount=amount,
        currency=currency,
        text=readings.text(
            joined(details, "RmtInf", "Ustrd"),
            joined(details, "AddtlTxInf"),
            value(entry, "AddtlNtryInf"),
        ),
        name=readings.name(value(related, party, "Nm") or value(related, party, "Pty", "Nm")),
        iban=readings.account(
            value(related, account, "Id", "IBAN") or value(related, account, "Id", "Othr", "Id")
        ),
        reference=readings.code(reference),
        end_to_end=readings.code(value(one, "Refs", "EndToEndId")),
        structured=readings.text(joined(details, "RmtInf", "Strd", "CdtrRefInf", "Ref")),
        value_on=_day(first(entry, "ValDt"), "Dt", "DtTm"),
        is_reversal=value(entry, "RvslInd") in ("true", "1"),
        return_reason=readings.code(returned),
        original=_original(entry, one, currency),
        whole_batch=whole_batch,
    )


def _original(entry: Element, detail: Element | None, currency: str) -> str:
    """What was sent, where that was in another currency."""
    for stated in (
        first(detail, "AmtDtls", "InstdAmt", "Amt"),
        first(entry, "AmtDtls", "InstdAmt", "Amt"),
        first(detail, "AmtDtls", "TxAmt", "Amt"),
    ):
        if stated is not None and stated.get("Ccy", currency) != currency:
            return readings.code(f"{stated.text} {stated.get('Ccy')}")
    return ""


def _amount(element: Element, where: str) -> tuple[Decimal, str]:
    """With its sign, and its currency. CdtDbtInd says which way this entry went, also for a
    reversal."""
    stated = first(element, "Amt")
    indicator = value(element, "CdtDbtInd")
    if stated is None or indicator not in ("CRDT", "DBIT"):
        raise BrokenFile(
            _("%(where)s: no amount, or neither debit nor credit. Fetch the file once more.")
            % {"where": where}
        )
    currency = stated.get("Ccy", "")
    amount = readings.amount((stated.text or "").strip(), currency, where)
    if amount < 0:
        raise BrokenFile(
            _("%(where)s: an amount below zero. Fetch the file from the bank once more.")
            % {"where": where}
        )
    return (amount if indicator == "CRDT" else -amount), currency


def _day(element: Element | None, *names: str) -> date | None:
    for name in names:
        if stated := value(element, name):
            try:
                return readings.day(date.fromisoformat(stated[:10]), name)
            except ValueError:
                raise BrokenFile(
                    _("“%(text)s” is not a date (%(name)s). Fetch the file once more.")
                    % {"text": stated[:30], "name": name}
                ) from None
    return None
