"""Payments: the list, one of them, and what is done with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tallystick.accounts.models import Account
from tallystick.accounts.searching import clients
from tallystick.billing import allocations, documents, payments
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.billing.states import PaymentStatus
from tallystick.events.models import Event
from tallystick.kit import spelling
from tallystick.kit.money import Money
from tallystick.web import keyset
from tallystick.web.views.staff import acts, searching, timeline
from tallystick.web.views.staff.acts import (
    OUTGROWN,
    Act,
    ActForm,
    ReasonForm,
    SumForm,
    amount_field,
)
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoices import places
from tallystick.web.views.staff.pdfs import pdf

_COUNTED = 1000
_MOST = 500
_AWAITED = (PaymentStatus.PENDING, PaymentStatus.PROCESSING)
_PAID = (PaymentStatus.SUCCEEDED, PaymentStatus.DISPUTED, PaymentStatus.REFUNDED)
_STATES = [
    ("", gettext_lazy("All")),
    ("succeeded", gettext_lazy("Succeeded")),
    ("awaited", gettext_lazy("On their way")),
    ("disputed", gettext_lazy("Disputed")),
    ("refunded", gettext_lazy("Refunded")),
    ("failed", gettext_lazy("Failed")),
]


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    rows = _narrowed(desk, request.GET)
    related = ("website", "account__user", "account__organisation", "invoice")
    awaited = _AWAITED if request.GET.get("status") == "awaited" else ()
    arms = desk.arms("status", awaited)
    page = keyset.page(rows.select_related(*related), request.GET, arms=arms)
    mine = desk.rows(Payment.objects)
    return render(
        request,
        "web/staff/payments.html",
        desk.page(
            "payments",
            page=page,
            places=places([payment.currency for payment in page.rows]),
            states=_STATES,
            status=request.GET.get("status", ""),
            q=request.GET.get("q", ""),
            disputed=mine.filter(status=PaymentStatus.DISPUTED)[:_COUNTED].count(),
            awaited=mine.filter(status__in=_AWAITED)[:_COUNTED].count(),
        ),
    )


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    payment = find(desk, uid)
    events = Event.objects.of_subject(payment)[: timeline.AT_MOST]
    return render(
        request,
        "web/staff/payment.html",
        desk.page(
            "payments",
            payment=payment,
            label=documents.method_label(payment),
            uses=allocations.by_invoice(payment),
            refunds=list(payment.refunds.order_by("id")),
            disputes=list(payment.disputes.order_by("-id")),
            in_wallet=payment.in_wallet,
            kept=payment.amount - payment.amount_refunded,
            receipt=payment.status in _PAID,
            menu=acts.offered(ACTS, payment),
            timeline=timeline.told(events, payment.currency, desk.locale),
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def act(request: HttpRequest, desk: Desk, uid: UUID, name: str) -> HttpResponse:
    chosen = next((act for act in ACTS if act.name == name), None)
    back = reverse("staff-payment", args=[uid])
    row = find(desk, uid)
    figures = spelling.amount(row.amount, row.currency, desk.locale)
    called = f"{documents.method_label(row)}, {figures} {row.currency}"
    return acts.perform(
        request, desk, section="payments", act=chosen, row=row, back=back, name=called
    )


@require_safe
@for_staff
def receipt(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    del request
    payment = find(desk, uid)
    if payment.status not in _PAID:
        raise Http404
    return pdf(documents.receipt_pdf(payment), f"receipt-{payment.uid.hex[:12]}")


def find(desk: Desk, uid: UUID) -> Payment:
    """Raises `Http404` for a payment of somebody else's website."""
    related = (
        *("website", "account__user", "account__organisation", "account__website"),
        *("invoice__website", "invoice__client", "created_by"),
    )
    found = desk.rows(Payment.objects).select_related(*related).filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def _narrowed(desk: Desk, asked: Any) -> Any:  # noqa: ANN401 - a QueryDict in, a TenantQuerySet out
    rows = desk.rows(Payment.objects)
    status, text = asked.get("status", ""), asked.get("q", "").strip()[:100]
    if status == "awaited":
        rows = rows.filter(status__in=_AWAITED)
    elif status in PaymentStatus.values:
        rows = rows.filter(status=status)
    if text:
        bills = desk.rows(Invoice.objects).filter(searching.matching(text, desk))
        named = Q(reference=text) | Q(account__in=clients(desk.rows(Account.objects), text))
        rows = rows.filter(named | Q(invoice__in=list(bills.values_list("pk", flat=True)[:_MOST])))
    return rows


class RefundForm(SumForm):
    changed = gettext_lazy(
        "What can be refunded has changed since this page was opened. Check it and try again."
    )
    amount = amount_field(gettext_lazy("Amount"), gettext_lazy("Empty: all that is left of it."))
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=250)
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Such as the number of the transfer, where you paid it back."),
    )

    def there(self) -> Money:
        return self.row.refundable  # type: ignore[no-any-return] # a payment

    def refuse(self, problem: Exception) -> None:
        if isinstance(problem, OUTGROWN) and self.cleaned_data["amount"]:
            most = self.desk.spelled(self.there())
            self.add_error("amount", _("At most %(most)s can be refunded.") % {"most": most})
        else:
            super().refuse(problem)


def refund(payment: Payment, form: RefundForm) -> str:
    answers = form.cleaned_data
    made = payments.refund(
        payment,
        form.asked(),
        by=form.desk.user,
        reason=answers["reason"],
        key=f"staff-{payment.uid.hex}-{answers['key']}",
        reference=answers["reference"],
    )
    if made.status == made.Status.SUCCEEDED:
        return _("%(money)s is refunded.") % {"money": form.desk.spelled(made.money)}
    return _("%(money)s is on its way back.") % {"money": form.desk.spelled(made.money)}


def cancel(payment: Payment, form: ActForm) -> str:
    del form
    payment.cancel()
    return _("The payment is cancelled.")


def succeed(payment: Payment, form: ActForm) -> str:
    del form
    payment.succeed()
    return _("The payment is recorded as arrived.")


def dispute(payment: Payment, form: ReasonForm) -> str:
    payment.dispute(form.cleaned_data["reason"])
    return _("The dispute is open: what it paid is owed again.")


def win(payment: Payment, form: ActForm) -> str:
    del form
    payment.win_dispute()
    return _("The dispute is won.")


def lose(payment: Payment, form: ActForm) -> str:
    del form
    payment.lose_dispute()
    return _("The dispute is lost: the payment is refunded.")


def _is(*states: PaymentStatus) -> Any:  # noqa: ANN401 - a function of a payment
    return lambda payment: payment.status in states


ACTS = (
    Act(
        "refund",
        gettext_lazy("Refund"),
        gettext_lazy("Money goes back the way it came; what it had paid is owed again."),
        refund,
        lambda payment: bool(payment.refundable),
        RefundForm,
    ),
    Act(
        "arrived",
        gettext_lazy("Mark arrived"),
        gettext_lazy("You have seen this money arrive."),
        succeed,
        _is(*_AWAITED),
    ),
    Act(
        "cancel",
        gettext_lazy("Cancel"),
        gettext_lazy("It is not expected any more."),
        cancel,
        _is(*_AWAITED),
        danger=True,
    ),
    Act(
        "won",
        gettext_lazy("Dispute won"),
        gettext_lazy("The bank found for you: the payment counts again."),
        win,
        _is(PaymentStatus.DISPUTED),
    ),
    Act(
        "lost",
        gettext_lazy("Dispute lost"),
        gettext_lazy("The bank found against you: the payment is refunded."),
        lose,
        _is(PaymentStatus.DISPUTED),
        danger=True,
    ),
    Act(
        "dispute",
        gettext_lazy("Open a dispute"),
        gettext_lazy("Whoever paid asks their bank for it back: what it paid is owed again."),
        dispute,
        _is(PaymentStatus.SUCCEEDED),
        ReasonForm,
        danger=True,
    ),
)
