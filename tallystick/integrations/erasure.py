"""Erasing a person, and telling them what is held of them. What each table holds, its app says; see
`accounts.personal`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from django.db import transaction

from tallystick.accounts.models import Account
from tallystick.accounts.personal import Kept, NotSettled, Whom, holdings, keeping_contact
from tallystick.billing import documents
from tallystick.billing.models import CreditNote, Invoice, Payment
from tallystick.billing.states import PaymentStatus
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.json import plain

REASON_LONGEST = 200


class BadReason(Exception):
    """Say why in at most 200 characters, and name nobody: the journal keeps the reason for ever."""


@dataclass
class Report:
    """What an erasure did, or would do: rows erased by section, and what stays, and why."""

    kind: str
    uid: str
    erased: dict[str, int] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    dry_run: bool = False

    def lines(self) -> Iterator[str]:
        verb = "would be erased" if self.dry_run else "erased"
        partly = (
            f"partly {verb}: the name and what else is needed to settle what is open stay; "
            "settle it and run again"
        )
        yield f"The {self.kind} {self.uid}: {partly if self.open else verb}."
        for section, count in self.erased.items():
            if count:
                yield f"  {section}: {count} {verb}"
        for reason in self.open:
            yield f"  not settled: {reason}"
        for each in self.kept:
            yield f"  {each}"


def erase(whom: Whom, *, reason: str, keep_open: bool = False, dry_run: bool = False) -> Report:
    """Erase all that no duty keeps, or nothing: a run that is killed can be run again, and a second
    one changes nothing. Where there is money between us yet, raises `NotSettled`; with `keep_open`,
    keeps what is needed to settle it, and erases the rest."""
    reason = _checked(reason, whom)
    report = Report(whom.kind, whom.uid, dry_run=dry_run)
    with transaction.atomic():
        _hold(whom)
        report.open = [why for holding in holdings() for why in holding.hinders(whom)]
        if report.open and not keep_open:
            raise NotSettled(report.open)
        _erase(keeping_contact(whom) if report.open else whom, report, reason)
        transaction.set_rollback(dry_run)
    return report


def export(whom: Whom, out: IO[str]) -> int:
    """Write all that is held of them, as JSON with readable names; returns how many rows. That it was
    given out is journalled."""
    rows = 0
    head = {"kind": whom.kind, "uid": whom.uid, "made_at": clock.now()}
    out.write('{\n"about": ' + _json(head))
    for holding in holdings():
        out.write(f",\n{_json(holding.section)}: [")
        separator = "\n"
        for row in holding.told(whom):
            out.write(separator + _json(row))
            separator, rows = ",\n", rows + 1
        out.write("]")
    out.write("\n}\n")
    website = whom.account.website if whom.account else None
    record("person.exported", whom.row, website=website, change={"rows": rows})
    return rows


def export_zip(whom: Whom, out: IO[bytes], *, with_documents: bool = True) -> int:
    """The same as `data.json` in a ZIP file, with the documents as PDF beside it."""
    text = io.StringIO()
    rows = export(whom, text)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", text.getvalue())
        for name, make in _documents(whom) if with_documents else ():
            archive.writestr(name, make())
    return rows


def _erase(whom: Whom, report: Report, reason: str) -> None:
    for holding in holdings():
        report.kept += holding.keep(whom)
    for holding in holdings():
        report.erased[holding.section] = holding.erase(whom)
    record(
        "person.erased",
        whom.row,
        website=whom.account.website if whom.account else None,
        change={
            "reason": reason,
            "erased": {name: count for name, count in report.erased.items() if count},
            "kept": [
                {"section": each.section, "count": each.count, "until": each.until}
                for each in report.kept
            ],
        },
    )


def _hold(whom: Whom) -> None:
    """One erasure of a person at a time."""
    rows = Account.objects.everywhere().filter(pk__in=whom.accounts)
    list(rows.select_for_update(of=("self",)).values_list("pk"))


def _checked(reason: str, whom: Whom) -> str:
    words = " ".join(reason.split())
    lower = words.casefold()
    if not words or len(words) > REASON_LONGEST or "@" in words:
        raise BadReason(BadReason.__doc__)
    if any(name.casefold() in lower for name in whom.names):
        raise BadReason(BadReason.__doc__)
    return words


def _documents(whom: Whom) -> Iterator[tuple[str, Callable[[], bytes]]]:
    invoices = Invoice.objects.everywhere().filter(client__in=whom.accounts).exclude(number="")
    for invoice in invoices.select_related("website", "client").iterator(chunk_size=100):
        yield f"invoices/{invoice.number}.pdf", partial(documents.invoice_pdf, invoice)
    notes = CreditNote.objects.everywhere().filter(client__in=whom.accounts)
    for note in notes.select_related("website", "client").iterator(chunk_size=100):
        yield f"credit-notes/{note.number}.pdf", partial(documents.credit_note_pdf, note)
    payments = Payment.objects.everywhere().filter(
        account__in=whom.accounts, status=PaymentStatus.SUCCEEDED
    )
    for payment in payments.select_related("website", "account").iterator(chunk_size=100):
        yield f"receipts/{payment.uid}.pdf", partial(documents.receipt_pdf, payment)


def _json(value: object) -> str:
    return json.dumps(value, default=_shown, ensure_ascii=False)


def _shown(value: object) -> str:
    try:
        return plain(value)
    except TypeError:
        return str(value)
