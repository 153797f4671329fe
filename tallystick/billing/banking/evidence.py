"""What there is to match lines with, fetched for many lines at once: a bounded number of queries,
however many lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from django.db.models import F
from django.db.models.functions import Round

from tallystick.billing.banking import references
from tallystick.billing.banking.references import Found
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.invoices import Invoice
from tallystick.billing.numbering import INVOICES, Series
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.states import InvoiceStatus, PaymentStatus, RefundStatus

if TYPE_CHECKING:
    from tallystick.accounts.models import Website
    from tallystick.billing.drafts import InvoiceQuerySet

T = TypeVar("T")

_MOST = 2000
"""Of any one kind of row: beyond it, nothing is clear anyway."""
_DUE = Round(F("amount") - F("amount_paid") - F("amount_credited"), precision=4)
_BY_BOOKING = ("matched", "accepted")


class Evidence:
    """For `lines`, all of one website."""

    def __init__(self, website: Website, lines: Sequence[BankTransaction]) -> None:
        self.website = website
        self.found: dict[int, Found] = {line.pk: references.find(line.texts) for line in lines}
        series = dict(
            Series.objects.of(website).filter(code=INVOICES).values_list("prefix", "digits")
        )
        self.numbers = {line.pk: references.find_numbers(line.texts, series) for line in lines}
        incoming = [line for line in lines if line.is_credit]
        debits = [line for line in lines if not line.is_credit]
        self._named()
        self._owed_like(incoming)
        self._senders(incoming)
        self._refunds(debits)
        self._came(debits)

    def _named(self) -> None:
        """The invoices whose references or numbers stand in the texts."""
        ids = {each for found in self.found.values() for each in found.all}
        numbers = {each for numbers in self.numbers.values() for each in numbers}
        rows = _issued(self.website)
        self.by_reference: dict[str, Invoice] = {}
        self.by_number: dict[str, Invoice] = {}
        for some in _chunks(ids):
            self.by_reference |= {
                row.reference_id: row for row in rows.filter(reference_id__in=some)
            }
        for some in _chunks(numbers):
            named = rows.filter(series=INVOICES, number__in=some)
            self.by_number |= {row.number: row for row in named}

    def _owed_like(self, incoming: Sequence[BankTransaction]) -> None:
        """The invoices on which exactly the amount of a line is due."""
        self.by_due: dict[tuple[str, Decimal], list[Invoice]] = defaultdict(list)
        for some in _chunks({line.amount for line in incoming}):
            owed = _issued(self.website).payable().annotate(owed=_DUE).filter(owed__in=some)
            for invoice in owed.order_by("due_date", "id")[:_MOST]:
                self.by_due[invoice.currency, invoice.amount_due].append(invoice)

    def _senders(self, incoming: Sequence[BankTransaction]) -> None:
        """Which accounts have paid from the sender's before, and what they owe."""
        self.accounts_of: dict[str, set[int]] = defaultdict(set)
        lines = BankTransaction.objects.of(self.website).filter(state__in=_BY_BOOKING)
        for some in _chunks({line.iban for line in incoming if line.iban}):
            known = lines.filter(iban__in=some, payment__isnull=False)
            for iban, account in known.values_list("iban", "payment__account").distinct()[:_MOST]:
                self.accounts_of[iban].add(account)
        self.owed_by: dict[int, list[Invoice]] = defaultdict(list)
        for chunk in _chunks({each for accounts in self.accounts_of.values() for each in accounts}):
            owed = _issued(self.website).payable().filter(client__in=chunk)
            for invoice in owed.order_by("due_date", "id")[:_MOST]:
                self.owed_by[invoice.client_id].append(invoice)

    def _refunds(self, debits: Sequence[BankTransaction]) -> None:
        """The refunds that wait to go out, by amount."""
        self.refunds: dict[tuple[str, Decimal], list[Refund]] = defaultdict(list)
        waiting = Refund.objects.of(self.website).filter(status=RefundStatus.PENDING)
        for some in _chunks({-line.amount for line in debits}):
            for refund in waiting.filter(amount__in=some).order_by("id")[:_MOST]:
                self.refunds[refund.currency, refund.amount].append(refund)

    def _came(self, debits: Sequence[BankTransaction]) -> None:
        """What came by lines of the same amount and was booked: what a reversal may take back."""
        self.came: dict[tuple[str, Decimal], list[BankTransaction]] = defaultdict(list)
        lines = BankTransaction.objects.of(self.website).filter(
            state__in=_BY_BOOKING, payment__status=PaymentStatus.SUCCEEDED
        )
        for some in _chunks({-line.amount for line in debits}):
            known = lines.filter(amount__in=some).select_related("payment")
            for line in known.order_by("-booked_on", "-id")[:_MOST]:
                self.came[line.currency, line.amount].append(line)

    def named_in(self, line: BankTransaction, how: str) -> list[Invoice]:
        """The invoices that `line` names: by "structured", "mistyped" or "bare" reference."""
        names: tuple[str, ...] = getattr(self.found[line.pk], how)
        return [self.by_reference[name] for name in names if name in self.by_reference]

    def numbered_in(self, line: BankTransaction) -> list[Invoice]:
        return [self.by_number[each] for each in self.numbers[line.pk] if each in self.by_number]

    def payments_on(self, invoice: Invoice) -> list[Payment]:
        """What came by transfer for `invoice`."""
        paid = invoice.allocations.select_related("payment").filter(amount__gt=0)
        return [each.payment for each in paid if each.payment.status == PaymentStatus.SUCCEEDED]


def _issued(website: Website) -> InvoiceQuerySet:
    rows = Invoice.objects.of(website).exclude(status=InvoiceStatus.DRAFT)
    return rows.select_related("website", "client__user", "client__organisation")


def _chunks(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    found = list(values)
    for start in range(0, len(found), size):
        yield found[start : start + size]
