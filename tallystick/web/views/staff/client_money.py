"""What moves between us and a client: one payment over several invoices, and the statement."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tallystick.accounts.models import Account
from tallystick.billing import account_statements, days, methods, payments
from tallystick.billing.account_statements import Move
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import PAYABLE, InvoiceStatus
from tallystick.kit import spelling
from tallystick.kit.money import DIGITS, Money, MoneyError, round_amount
from tallystick.kit.spelling import read_amount
from tallystick.web.views.staff.acts import OUTGROWN, ActForm, amount_field
from tallystick.web.views.staff.clients import find
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.exports import as_csv
from tallystick.web.views.staff.invoice_acts import ReceivedForm

_AT_MOST = 100
_QUARTER = timedelta(days=90)
_KINDS = {
    Move.INVOICE: gettext_lazy("Invoice"),
    Move.VOID: gettext_lazy("Invoice voided"),
    Move.CREDIT_NOTE: gettext_lazy("Credit note"),
    Move.PAYMENT: gettext_lazy("Payment"),
    Move.REFUND: pgettext_lazy("what moved", "Refund"),
    Move.DISPUTE: gettext_lazy("Disputed payment"),
    Move.WALLET: gettext_lazy("Credit granted"),
}


class SharesForm(ActForm):
    """Which invoices of the client, in one currency, and what of each. An invoice that is marked and
    has no amount is paid whole: as much as was due when the page was made, so that the form says the
    same when it is sent twice."""

    currency = forms.CharField(widget=forms.HiddenInput, max_length=3)
    extra = amount_field(gettext_lazy("More, for the wallet"), gettext_lazy("Usually empty."))
    received_on = forms.DateField(
        label=gettext_lazy("Received on"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("Empty: today."),
    )
    reference = forms.CharField(label=gettext_lazy("Reference"), required=False, max_length=200)

    def __init__(self, row: Account, desk: Desk, data: Any, currency: str) -> None:  # noqa: ANN401 - a QueryDict
        self.chosen = currency
        super().__init__(row, desk, data)

    def prepare(self) -> None:
        ours = Invoice.objects.of(self.row.website_id).filter(client=self.row)
        named = [name[5:] for name in self.data if name.startswith("pick-")]
        # Also those that this form has paid already: sent twice, it names the same.
        listed = ours.filter(Q(status__in=PAYABLE) | Q(uid__in=_uids(named)))
        listed = listed.filter(currency=self.chosen).exclude(status=InvoiceStatus.DRAFT)
        self.invoices = list(listed.order_by("due_date", "id")[:_AT_MOST])
        self.initial["currency"] = self.chosen
        for invoice in self.invoices:
            self._offer(invoice)

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"invoice": invoice, **{part: self[f"{part}-{invoice.uid.hex}"] for part in _PARTS}}
            for invoice in self.invoices
        ]

    def shares(self) -> list[tuple[Invoice, Decimal]]:
        """Raises `MoneyError`."""
        chosen = []
        for invoice in self.invoices:
            pick, share, due = (self.cleaned_data[f"{part}-{invoice.uid.hex}"] for part in _PARTS)
            if not pick:
                continue
            text = read_amount(share, self.desk.locale) if share else due
            chosen.append((invoice, Money.parse(text, invoice.currency).amount))
        return chosen

    def refuse(self, problem: Exception) -> None:
        """Where less was due by then than the page had shown, say so, and show what is."""
        changed, renewed = False, {}
        for invoice in self.invoices:
            pick, share, due = (f"{part}-{invoice.uid.hex}" for part in _PARTS)
            now, answers = str(invoice.due.amount), self.cleaned_data
            changed |= answers[pick] and not answers[share] and answers[due] != now
            renewed[due] = now
        self.data = {**self.data, **renewed}
        if changed and isinstance(problem, OUTGROWN):
            self.add_error(None, str(ReceivedForm.changed))
        else:
            super().refuse(problem)

    def _offer(self, invoice: Invoice) -> None:
        due = spelling.amount(invoice.amount_due, invoice.currency, self.desk.locale)
        pick, share, kept = (f"{part}-{invoice.uid.hex}" for part in _PARTS)
        self.fields[pick] = forms.BooleanField(required=False, label=str(invoice))
        self.fields[share] = amount_field(_("Amount for %(invoice)s") % {"invoice": invoice})
        self.fields[share].widget.attrs["placeholder"] = due
        self.fields[kept] = forms.CharField(
            widget=forms.HiddenInput, initial=str(invoice.due.amount)
        )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def pay(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    """Record one payment over several invoices."""
    account = find(desk, uid)
    owed = Invoice.objects.of(account.website_id).payable().filter(client=account)
    currencies = sorted(set(owed.order_by().values_list("currency", flat=True).distinct()))
    asked = request.POST.get("currency") or request.GET.get("currency", "")
    currency = asked if asked in DIGITS else next(iter(currencies), account.billing_currency)
    form = SharesForm(account, desk, request.POST if request.method == "POST" else None, currency)
    if request.method == "POST" and form.is_valid():
        try:
            payment = _recorded(account, form)
        except (BillingError, MoneyError) as problem:
            form.refuse(problem)
        else:
            recorded = _("%(money)s is recorded.") % {"money": desk.spelled(payment.money)}
            messages.success(request, recorded)
            response = redirect("staff-payment", uid=payment.uid)
            response.status_code = HTTPStatus.SEE_OTHER
            return response
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    page = desk.page("clients", account=account, form=form, currencies=currencies)
    return render(request, "web/staff/client_pay.html", page, status=status)


@require_safe
@for_staff
def statement(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponseBase:
    """All that moved between us in a period; `?as=csv` as a file."""
    account = find(desk, uid)
    currencies = account_statements.currencies(account)
    currency = request.GET.get("currency", "")
    currency = currency if currency in currencies else currencies[0]
    end = _day(request.GET.get("end", "")) or account.website.today()
    start = _day(request.GET.get("start", "")) or end - _QUARTER
    made = account_statements.statement(account, currency, start, end)
    if request.GET.get("as") == "csv":
        rows = (
            [each.day, str(_KINDS[each.kind]), each.name]
            + [round_amount(amount, currency) for amount in (each.amount, each.balance)]
            for each in made.movements
        )
        return as_csv("statement.csv", ["date", "what", "reference", "amount", "balance"], rows)
    page = desk.page(
        "clients",
        account=account,
        statement=made,
        rows=[(each, _KINDS[each.kind], _address(each)) for each in made.movements],
        currencies=currencies,
    )
    return render(request, "web/staff/statement.html", page)


def _recorded(account: Account, form: SharesForm) -> payments.Payment:
    answers = form.cleaned_data
    extra = form.money_in("extra", form.chosen)
    return payments.pay_many(
        account,
        form.shares(),
        method=methods.MANUAL.name,
        by=form.desk.user,
        key=f"staff-{account.uid.hex}-{answers['key']}",
        reference=answers["reference"],
        received_on=answers["received_on"],
        extra=extra.amount if extra else Decimal(0),
    )


def _address(movement: account_statements.Movement) -> str:
    about = movement.about
    if about is None:
        return ""
    return reverse(_PAGES[about._meta.model_name or ""], args=[about.uid])


def _day(text: str) -> date | None:
    """None where it is none, or one that nothing can have happened on."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and days.holds(day) else None


def _uids(names: list[str]) -> list[UUID]:
    uids = []
    for name in names[:_AT_MOST]:
        try:
            uids.append(UUID(hex=name))
        except ValueError:
            continue
    return uids


_PARTS = ("pick", "share", "due")
_PAGES = {
    "invoice": "staff-invoice",
    "creditnote": "staff-credit-note",
    "payment": "staff-payment",
}
