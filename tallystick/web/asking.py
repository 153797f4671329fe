"""What the pay page and the receipt show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from babel import Locale
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tallystick.billing import allocations, documents, methods, wallets
from tallystick.billing.banking import epc
from tallystick.billing.banking.references import grouped, structured_reference
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.billing.rates import rates
from tallystick.billing.states import PaymentStatus
from tallystick.kit import clock, spelling
from tallystick.kit.money import Money
from tallystick.web import branding
from tallystick.web.customs import customs_of
from tallystick.web.doors import is_of
from tallystick.web.problems import about_amount, said

BY_BANK = frozenset({"bank_transfer", "manual"})
"""What a form may call paying by bank transfer, which the page explains and does not do."""

_LONG = 11
_OWN_WORDS = frozenset({methods.WALLET.name, *BY_BANK})
"""Methods that the page offers in words of its own."""
_ABANDONED = timedelta(minutes=30)
_LOOKS_AGAIN = timedelta(minutes=10)

Page = dict[str, Any]


class Links(Protocol):
    """Where the documents of an invoice are."""

    def invoice_pdf(self) -> str: ...
    def transfer_code(self) -> str: ...
    def credit_note_pdf(self, note: CreditNote) -> str: ...
    def receipt_pdf(self, payment: Payment) -> str:
        """Empty where this reader may not have it."""


@dataclass(frozen=True, slots=True)
class TokenLinks:
    """For who holds the payment link."""

    invoice: Invoice

    def invoice_pdf(self) -> str:
        return reverse("pay-pdf", args=[self.invoice.payment_token])

    def transfer_code(self) -> str:
        return reverse("pay-transfer-code", args=[self.invoice.payment_token])

    def credit_note_pdf(self, note: CreditNote) -> str:
        return reverse("pay-credit-note-pdf", args=[self.invoice.payment_token, note.uid])

    def receipt_pdf(self, payment: Payment) -> str:
        # A receipt names all that was paid; the link opens one invoice.
        others = payment.allocations.exclude(invoice=self.invoice)
        if payment.invoice_id != self.invoice.pk and others.exists():
            return ""
        return reverse("pay-receipt-pdf", args=[self.invoice.payment_token, payment.uid])


@dataclass(frozen=True, slots=True)
class PortalLinks:
    """For who is signed in."""

    invoice: Invoice

    def invoice_pdf(self) -> str:
        return reverse("portal-invoice-pdf", args=[self.invoice.uid])

    def transfer_code(self) -> str:
        return reverse("portal-transfer-code", args=[self.invoice.uid])

    def credit_note_pdf(self, note: CreditNote) -> str:
        return reverse("portal-credit-note-pdf", args=[note.uid])

    def receipt_pdf(self, payment: Payment) -> str:
        return reverse("portal-receipt-pdf", args=[payment.uid])


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to pay, as the page offers it."""

    code: str
    label: str
    hint: str = ""
    balance: Money | None = None
    works: bool = True
    """Whether it can pay what is asked; one that cannot is shown, and cannot be chosen."""


def locale_of(invoice: Invoice) -> Locale:
    return customs_of(invoice.website)


def frame(invoice: Invoice) -> Page:
    """What all pages of an invoice show."""
    website = invoice.website
    return {
        "invoice": invoice,
        "website": website,
        "brand_style": branding.style(website.accent_colour),
        "brand_logo": branding.logo_url(website),
        "buyer": invoice.as_buyer()["name"],
        "locale": locale_of(invoice),
    }


def page(
    request: HttpRequest,
    invoice: Invoice,
    links: Links,
    *,
    key: str,
    problem: Exception | None = None,
) -> Page:
    """The page that asks for payment; `problem` is why the last try paid nothing."""
    choices = _choices(request, invoice)
    asked = request.POST.get("method", "")
    codes = [choice.code for choice in choices if choice.works]
    part = invoice.website.allow_part_payments and codes != ["bank_transfer"]
    return {
        **_document(invoice, links),
        "key": key,
        "choices": choices,
        "only": codes[0] if len(choices) == len(codes) == 1 else "",
        "chosen": asked if asked in codes else next(iter(codes), ""),
        "bank": _bank(invoice, links),
        "waiting": _waiting(invoice),
        "part": part,
        "typed": request.POST.get("amount") or _figures(invoice),
        "problem": said(problem) if problem else "",
        "wrong_amount": bool(problem and part and about_amount(problem)),
        "overdue": invoice.is_overdue(invoice.website.today()),
        "partly": bool(invoice.amount_paid),
        "long": len(_figures(invoice)) > _LONG,
        "sign_in_url": "" if request.user.is_authenticated else _sign_in(request),
    }


def receipt(invoice: Invoice, links: Links) -> Page:
    """The page of an invoice that is paid."""
    return {
        **_document(invoice, links),
        "paid_on": _day_paid(invoice),
        "long": len(spelling.amount(invoice.amount, invoice.currency, locale_of(invoice))) > _LONG,
    }


def whole(
    request: HttpRequest,
    invoice: Invoice,
    links: Links,
    *,
    key: str,
    problem: Exception | None = None,
) -> Page:
    """What there is to show of an invoice in whatever state it is."""
    if invoice.is_payable:
        return page(request, invoice, links, key=key, problem=problem)
    return receipt(invoice, links)


def _document(invoice: Invoice, links: Links) -> Page:
    lines = list(invoice.lines.all())
    return {
        **frame(invoice),
        "lines": lines,
        "rates": rates(invoice, lines, locale_of(invoice)),
        "pdf_url": links.invoice_pdf(),
        "payments": _payments(invoice, links) if invoice.amount_paid else [],
        "credit_notes": _credit_notes(invoice, links) if invoice.amount_credited else [],
    }


def _choices(request: HttpRequest, invoice: Invoice) -> list[Choice]:
    choices = [*_wallet(request, invoice)]
    choices += [
        Choice(method.name, str(method.label))
        for method in methods.registered()
        if method.name not in _OWN_WORDS
        and method.may_use(invoice, request.user)
        and method.is_of_use(invoice)
    ]
    if invoice.as_seller().get("iban"):
        choices.append(
            Choice("bank_transfer", _("Bank transfer"), _("Takes one to three days to arrive."))
        )
    return sorted(choices, key=lambda choice: not choice.works)


def _wallet(request: HttpRequest, invoice: Invoice) -> Iterator[Choice]:
    """The wallet of who is billed, where there is something in it."""
    if not is_of(request, invoice.client):
        return
    balance = wallets.available(invoice.client, invoice.currency)
    if balance:
        enough = balance >= invoice.due or invoice.website.allow_part_payments
        hint = "" if enough else _("Not enough for this invoice.")
        yield Choice("wallet", _("Your wallet"), hint, balance, works=enough)


def _bank(invoice: Invoice, links: Links) -> dict[str, str] | None:
    """Where to transfer the money to; None where the website has named no account."""
    seller = invoice.as_seller()
    if not seller.get("iban"):
        return None
    return {
        "holder": seller["name"],
        "name": seller.get("bank_name", ""),
        "iban": seller["iban"],
        "bic": seller.get("bic", ""),
        "reference": grouped(structured_reference(invoice)),
        "code_url": links.transfer_code() if epc.epc_payload(invoice) else "",
    }


def _waiting(invoice: Invoice) -> Page | None:
    """The payment that is under way and not yet confirmed. What somebody began long ago at a
    provider's and did not finish is not waited for."""
    if all(method.settles_at_once for method in methods.registered()):
        return None
    now = clock.now()
    begun = Q(status=PaymentStatus.PENDING, created_at__gt=now - _ABANDONED)
    under_way = invoice.payments.filter(begun | Q(status=PaymentStatus.PROCESSING))
    payment = under_way.order_by("-id").first()
    if payment is None:
        return None
    return {
        "label": documents.method_label(payment),
        "amount": payment.amount,
        "looks_again": payment.created_at > now - _LOOKS_AGAIN,
    }


def _day_paid(invoice: Invoice) -> date | None:
    zone = ZoneInfo(invoice.website.time_zone)
    return invoice.paid_at.astimezone(zone).date() if invoice.paid_at else None


def _payments(invoice: Invoice, links: Links) -> list[Page]:
    """What came for it, oldest first."""
    return [
        {
            "label": documents.method_label(payment),
            "day": payment.received_on,
            "amount": amount,
            "receipt_url": links.receipt_pdf(payment),
        }
        for payment, amount in allocations.by_payment(invoice)
    ]


def _credit_notes(invoice: Invoice, links: Links) -> list[Page]:
    return [
        {
            "number": note.number,
            "day": note.issue_date,
            "amount": note.amount,
            "reason": note.reason,
            "pdf_url": links.credit_note_pdf(note),
        }
        for note in invoice.credit_notes.order_by("id")[:50]
    ]


def _figures(invoice: Invoice) -> str:
    return spelling.amount(invoice.amount_due, invoice.currency, locale_of(invoice))


def _sign_in(request: HttpRequest) -> str:
    return f"{reverse('login')}?{urlencode({REDIRECT_FIELD_NAME: request.path})}"
