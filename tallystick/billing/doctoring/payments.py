"""Is all of each payment that came accounted for: in use, given back, in the wallet, or in dispute?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db.models import F

from tallystick.accounts.models import Website
from tallystick.billing.allocations import Allocation
from tallystick.billing.disputes import Dispute
from tallystick.billing.doctoring.findings import Finding, differs, name_of
from tallystick.billing.doctoring.paging import keys, pages, sums
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.states import PaymentStatus, RefundStatus
from tallystick.billing.wallets import WalletEntry

_CAME = (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED, PaymentStatus.DISPUTED)
_ADVICE = (
    "Compare its allocations, refunds and wallet entries with what the method or the bank says."
)
_REFUNDED = "Its refunds and lost disputes are the ledger: compare them, then mend the column."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    for page in pages(Payment.objects.of(websites)):
        ids = keys(page)
        used = sums(Allocation.objects.filter(payment__in=ids), "payment_id")
        kept = sums(
            WalletEntry.objects.filter(payment__in=ids, reason__in=WalletEntry.OF_PAYMENT),
            "payment_id",
        )
        refunds = Refund.objects.of(websites).filter(payment__in=ids)
        back = sums(refunds.filter(status=RefundStatus.SUCCEEDED), "payment_id")
        lost = Dispute.objects.filter(payment__in=ids, state=Dispute.State.LOST)
        for payment_id, amount in sums(lost, "payment_id").items():
            back[payment_id] += amount
        for payment in page:
            yield from _payment(payment, used[payment.pk], kept[payment.pk], back[payment.pk])
    yield from _apart(websites)


def _payment(payment: Payment, used: Decimal, kept: Decimal, back: Decimal) -> Iterator[Finding]:
    yield from differs(payment, "amount_refunded", back, payment.amount_refunded, _REFUNDED)
    if payment.status not in _CAME:
        yield from differs(payment, "what of it is in use", Decimal(0), used + kept, _ADVICE)
        return
    if payment.status == PaymentStatus.DISPUTED:  # a bank keeps what it does not say
        yield from differs(payment, "what it pays while in dispute", Decimal(0), used, _ADVICE)
        return
    # What went back though it had been used from the wallet is in both.
    total = used + back + kept - payment.shortfall
    parts = "in use + refunded + in the wallet - shortfall"
    yield from differs(payment, parts, payment.amount, total, _ADVICE)


def _apart(websites: Sequence[Website]) -> Iterator[Finding]:
    """An allocation joins a payment and an invoice of one website and one currency."""
    rows = Allocation.objects.filter(payment__website__in=websites)
    for field in ("website", "currency"):
        wrong = rows.exclude(**{f"payment__{field}": F(f"invoice__{field}")})
        for page in pages(wrong.select_related("payment", "invoice")):
            for row in page:
                yield Finding(
                    name_of(row),
                    field,
                    f"that of {name_of(row.invoice)}, {getattr(row.invoice, field)}",
                    f"that of {name_of(row.payment)}, {getattr(row.payment, field)}",
                    "It was never made here: find out who wrote it, and take it out by a refund.",
                )
