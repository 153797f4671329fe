"""What staff do with an invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.billing import paylinks, payments
from tallystick.billing.admin.acts import Act, new_key
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User

Answers = dict[str, Any]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), widget=forms.Textarea({"rows": 3}), max_length=1000
    )


class WhyForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=200)


class ReceivedForm(forms.Form):
    """`key`: the same form sent twice records one payment."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Empty: all that is due."),
    )
    reference = forms.CharField(label=gettext_lazy("Reference"), required=False, max_length=200)
    key = forms.CharField(widget=forms.HiddenInput, initial=new_key, max_length=64)


def issue(invoice: Invoice, user: User, answers: Answers) -> str:
    del answers
    invoice.issue(by=user)
    return _("%(number)s is issued; its e-mail is on its way.") % {"number": invoice.number}


def receive(invoice: Invoice, user: User, answers: Answers) -> str:
    reference, key = answers.get("reference", ""), answers.get("key", "")
    if amount := answers.get("amount", ""):
        money = Money.parse(amount, invoice.currency)
        payments.pay(invoice, money, method="manual", by=user, key=key, reference=reference)
    else:
        payments.mark_paid(invoice, by=user, key=key, reference=reference)
    return _("Recorded. Still due: %(due)s.") % {"due": invoice.due}


def send(invoice: Invoice, user: User, answers: Answers) -> str:
    del user, answers
    invoice.send_email()
    return _("The e-mail is on its way.")


def void(invoice: Invoice, user: User, answers: Answers) -> str:
    del user
    invoice.void(reason=answers["reason"])
    return _("%(number)s is void.") % {"number": invoice.number}


def write_off(invoice: Invoice, user: User, answers: Answers) -> str:
    del user
    invoice.write_off(reason=answers["reason"])
    return _("%(number)s is written off.") % {"number": invoice.number}


def renew_link(invoice: Invoice, user: User, answers: Answers) -> str:
    del user
    paylinks.renew(invoice, reason=answers.get("reason", ""))
    return _("The invoice has a new payment link.")


def revoke_link(invoice: Invoice, user: User, answers: Answers) -> str:
    del user
    paylinks.revoke(invoice, reason=answers.get("reason", ""))
    return _("The payment link opens nothing any more.")


def _is_draft(invoice: Invoice) -> bool:
    return invoice.is_draft


def _is_payable(invoice: Invoice) -> bool:
    return invoice.is_payable


def _is_voidable(invoice: Invoice) -> bool:
    return invoice.is_payable and not invoice.amount_paid


def _is_out(invoice: Invoice) -> bool:
    return invoice.status not in (InvoiceStatus.DRAFT, InvoiceStatus.VOID)


ISSUE = Act("issue", gettext_lazy("Issue and send"), issue, _is_draft)
PAID = Act("paid", gettext_lazy("Mark paid"), receive, _is_payable, ReceivedForm)
SEND = Act("send", gettext_lazy("Send again"), send, _is_out)
VOID = Act("void", gettext_lazy("Void"), void, _is_voidable, ReasonForm)
WRITE_OFF = Act("write-off", gettext_lazy("Write off"), write_off, _is_payable, ReasonForm)
RENEW = Act("renew-link", gettext_lazy("New payment link"), renew_link, _is_out, WhyForm)
REVOKE = Act("revoke-link", gettext_lazy("Revoke the payment link"), revoke_link, _is_out, WhyForm)
