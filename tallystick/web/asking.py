"""What the pay page and the receipt show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tallystick.billing import documents, methods, wallets
from tallystick.billing.invoices import Invoice
from tallystick.billing.rates import rates
from tallystick.billing.states import PaymentStatus
from tallystick.kit import spelling
from tallystick.kit.money import Money
from tallystick.web.doors import is_of
from tallystick.web.problems import about_amount, said

_LONG = 11
_OWN_WORDS = frozenset({methods.WALLET.name, methods.MANUAL.name})
"""Methods that the page offers in words of its own."""

Page = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to pay, as the page offers it."""

    code: str
    label: str
    hint: str = ""
    balance: Money | None = None


def locale_of(invoice: Invoice) -> Locale:
    """The reader's language, with the website's customs where it speaks that language."""
    language = get_language() or "en"
    website = invoice.website
    same = language.partition("-")[0] == website.language.partition("-")[0]
    return spelling.locale_of(language, website.country if same else "")


def frame(invoice: Invoice) -> Page:
    """What all pages of an invoice show."""
    return {
        "invoice": invoice,
        "website": invoice.website,
        "buyer": invoice.as_buyer()["name"],
        "locale": locale_of(invoice),
    }


def page(
    request: HttpRequest, invoice: Invoice, *, key: str, problem: Exception | None = None
) -> Page:
    """The page that asks for payment; `problem` is why the last try paid nothing."""
    choices = _choices(request, invoice)
    asked = request.POST.get("method", "")
    codes = [choice.code for choice in choices]
    part = invoice.website.allow_part_payments and codes != ["manual"]
    return {
        **_document(invoice),
        "key": key,
        "choices": choices,
        "chosen": asked if asked in codes else next(iter(codes), ""),
        "bank": _bank(invoice),
        "part": part,
        "typed": request.POST.get("amount") or _figures(invoice),
        "problem": said(problem) if problem else "",
        "wrong_amount": bool(problem and part and about_amount(problem)),
        "overdue": invoice.is_overdue(invoice.website.today()),
        "partly": bool(invoice.amount_paid),
        "long": len(_figures(invoice)) > _LONG,
        "sign_in_url": "" if request.user.is_authenticated else _sign_in(request),
    }


def receipt(invoice: Invoice) -> Page:
    """The page of an invoice that is paid."""
    return {
        **_document(invoice),
        "payments": _payments(invoice),
        "paid_on": _day_paid(invoice),
        "long": len(spelling.amount(invoice.amount, invoice.currency, locale_of(invoice))) > _LONG,
    }


def _document(invoice: Invoice) -> Page:
    lines = list(invoice.lines.all())
    return {
        **frame(invoice),
        "lines": lines,
        "rates": rates(invoice, lines, locale_of(invoice)),
        "pdf_url": reverse("pay-pdf", args=[invoice.payment_token]),
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
            Choice("manual", _("Bank transfer"), _("Takes one to three days to arrive."))
        )
    return choices


def _wallet(request: HttpRequest, invoice: Invoice) -> Iterator[Choice]:
    """The wallet of who is billed, where there is something in it."""
    if not is_of(request, invoice.client):
        return
    balance = wallets.available(invoice.client, invoice.currency)
    if balance:
        enough = balance >= invoice.due or invoice.website.allow_part_payments
        hint = "" if enough else _("Not enough for this invoice.")
        yield Choice("wallet", _("Your wallet"), hint, balance)


def _bank(invoice: Invoice) -> dict[str, str] | None:
    """Where to transfer the money to; None where the website has named no account."""
    seller = invoice.as_seller()
    if not seller.get("iban"):
        return None
    return {
        "holder": seller["name"],
        "name": seller.get("bank_name", ""),
        "iban": seller["iban"],
        "bic": seller.get("bic", ""),
        "reference": invoice.reference_id,
    }


def _day_paid(invoice: Invoice) -> date | None:
    zone = ZoneInfo(invoice.website.time_zone)
    return invoice.paid_at.astimezone(zone).date() if invoice.paid_at else None


def _payments(invoice: Invoice) -> list[Page]:
    """What came for it, oldest first."""
    allocations = invoice.allocations.select_related("payment")
    return [
        {
            "label": documents.method_label(allocation.payment),
            "day": allocation.payment.received_on,
            "amount": allocation.amount,
            "receipt_url": reverse(
                "pay-receipt-pdf", args=[invoice.payment_token, allocation.payment.uid]
            ),
        }
        for allocation in allocations.filter(payment__status=PaymentStatus.SUCCEEDED)
    ]


def _figures(invoice: Invoice) -> str:
    return spelling.amount(invoice.amount_due, invoice.currency, locale_of(invoice))


def _sign_in(request: HttpRequest) -> str:
    return f"{reverse('login')}?{urlencode({REDIRECT_FIELD_NAME: request.path})}"
