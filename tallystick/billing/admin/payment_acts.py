"""What staff do with a payment and its refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.billing import payments
from tallystick.billing.admin.acts import Act, new_key
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.states import PaymentStatus, RefundStatus
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.people.models import User

Answers = dict[str, Any]


class RefundForm(forms.Form):
    """`key`: the same form sent twice refunds once."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Empty: all that can be refunded."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=250)
    reference = forms.CharField(label=gettext_lazy("Reference"), required=False, max_length=200)
    key = forms.CharField(widget=forms.HiddenInput, initial=new_key, max_length=64)


class DisputeForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=250)
    reference = forms.CharField(label=gettext_lazy("Reference"), required=False, max_length=200)


class ReferenceForm(forms.Form):
    reference = forms.CharField(label=gettext_lazy("Reference"), required=False, max_length=200)


class WhyForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=250)


def refund(payment: Payment, user: User, answers: Answers) -> str:
    amount = answers["amount"]
    row = payments.refund(
        payment,
        Money.parse(amount, payment.currency) if amount else None,
        by=user,
        reason=answers["reason"],
        key=answers["key"],
        reference=answers["reference"],
    )
    return _("%(money)s: refund %(state)s.") % {
        "money": row.money,
        "state": row.get_status_display(),
    }


def dispute(payment: Payment, user: User, answers: Answers) -> str:
    del user
    payment.dispute(answers["reason"], answers["reference"])
    return _("What it paid is owed again until the dispute is decided.")


def won(payment: Payment, user: User, answers: Answers) -> str:
    del user, answers
    payment.win_dispute()
    return _("The payment counts again.")


def lost(payment: Payment, user: User, answers: Answers) -> str:
    del user, answers
    payment.lose_dispute()
    return _("The payment is refunded.")


def cancel(payment: Payment, user: User, answers: Answers) -> str:
    del user, answers
    payment.cancel()
    return _("The payment is cancelled.")


def refunded(row: Refund, user: User, answers: Answers) -> str:
    del user
    row.succeed(reference=answers["reference"])
    return _("The refund has succeeded.")


def not_refunded(row: Refund, user: User, answers: Answers) -> str:
    del user
    row.fail(answers["reason"])
    return _("The refund has failed.")


def _can_be_refunded(payment: Payment) -> bool:
    return bool(payment.refundable)


def _has_come(payment: Payment) -> bool:
    return payment.status == PaymentStatus.SUCCEEDED


def _is_disputed(payment: Payment) -> bool:
    return payment.status == PaymentStatus.DISPUTED


def _is_awaited(payment: Payment) -> bool:
    return payment.status in (PaymentStatus.PENDING, PaymentStatus.PROCESSING)


def _is_on_its_way(row: Refund) -> bool:
    return row.status == RefundStatus.PENDING


REFUND = Act("refund", gettext_lazy("Refund"), refund, _can_be_refunded, RefundForm)
DISPUTE = Act("dispute", gettext_lazy("Disputed"), dispute, _has_come, DisputeForm)
WON = Act("won", gettext_lazy("Dispute won"), won, _is_disputed)
LOST = Act("lost", gettext_lazy("Dispute lost"), lost, _is_disputed)
CANCEL = Act("cancel", gettext_lazy("Cancel"), cancel, _is_awaited)
REFUNDED = Act("refunded", gettext_lazy("It has arrived"), refunded, _is_on_its_way, ReferenceForm)
NOT_REFUNDED = Act(
    "not-refunded", gettext_lazy("It has failed"), not_refunded, _is_on_its_way, WhyForm
)
