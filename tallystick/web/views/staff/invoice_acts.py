"""What staff do with an invoice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.billing import methods, paylinks, payments, reminders
from tallystick.billing.credit_note_lines import left_of
from tallystick.billing.credit_notes import BadCredit, issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.refusals import BadAmount
from tallystick.billing.states import InvoiceStatus
from tallystick.events import record
from tallystick.kit import spelling
from tallystick.kit.money import Money, MoneyError, parse_amount
from tallystick.kit.spelling import read_amount
from tallystick.web.views.staff.acts import Act, ActForm, ReasonForm, SumForm, amount_field
from tallystick.web.views.staff.bulk import once, refuse_refunded


class IssueForm(ActForm):
    send = forms.BooleanField(
        label=gettext_lazy("Send it to the client by e-mail"), required=False, initial=True
    )


class ReceivedForm(SumForm):
    changed = gettext_lazy(
        "The amount due has changed since this page was opened. Check it and try again."
    )
    amount = amount_field(gettext_lazy("Amount"), gettext_lazy("Empty: all that is due."))
    received_on = forms.DateField(
        label=gettext_lazy("Received on"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("Empty: today."),
    )
    method = forms.ChoiceField(label=gettext_lazy("How"))
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Such as the number on the bank statement."),
    )

    def prepare(self) -> None:
        chosen = [
            (method.name, method.label)
            for method in methods.registered()
            if method.settles_at_once
            and not method.by_statement
            and method.may_use(self.row, self.desk.user)
        ]
        chosen.sort(key=lambda choice: choice[0] != methods.MANUAL.name)
        self.fields["method"].choices = chosen  # type: ignore[attr-defined] # a ChoiceField
        super().prepare()

    def there(self) -> Money:
        return Money(self.row.amount_due, self.row.currency).rounded()


class CreditForm(ActForm):
    what = forms.ChoiceField(
        label=gettext_lazy("What is credited"),
        widget=forms.RadioSelect,
        initial="whole",
        choices=[
            ("whole", gettext_lazy("All that is left")),
            ("lines", gettext_lazy("Some of the lines")),
            ("amount", gettext_lazy("An amount")),
        ],
    )
    amount = amount_field(gettext_lazy("Amount"), gettext_lazy("With the tax in it."))
    goes = forms.ChoiceField(
        label=gettext_lazy("What was paid of it"),
        widget=forms.RadioSelect,
        initial="wallet",
        required=False,
        choices=[
            ("wallet", gettext_lazy("goes to the client's wallet")),
            ("refund", gettext_lazy("is refunded the way it came")),
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("Stands on the credit note."),
    )

    def prepare(self) -> None:
        self.left = left_of(self.row)
        self.rest = self.row.amount - self.row.amount_credited
        for line in self.left.lines:
            self.fields[f"quantity-{line.position}"] = forms.CharField(
                label=line.description, required=False, max_length=40,
                widget=forms.TextInput({"inputmode": "decimal", "class": "input figure"}),
            )  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """The lines, what is left of each, and the field that takes how much."""
        return [
            {
                "line": line,
                "left": self.left.quantities[line.pk],
                "field": self[f"quantity-{line.position}"],
            }
            for line in self.left.lines
        ]

    def refuse(self, problem: Exception) -> None:
        if isinstance(problem, BadCredit):
            about = "amount" if problem.pointer == "/amount" else None
            self.add_error(about, problem.spelled(self.desk.locale))
        else:
            super().refuse(problem)

    def clean(self) -> None:
        """What is wrong with a quantity is said beside it."""
        self.quantities: dict[InvoiceLine, Decimal] = {}
        if self.cleaned_data.get("what") != "lines":
            return
        for line in self.left.lines:
            name = f"quantity-{line.position}"
            if text := self.cleaned_data.get(name, ""):
                try:
                    self.quantities[line] = parse_amount(read_amount(text, self.desk.locale))
                except MoneyError:
                    said = _("Line %(n)d: write the quantity in figures.") % {"n": line.position}
                    self.add_error(name, said)


class SendForm(ActForm):
    def prepare(self) -> None:
        self.address = self.row.client.email


def issue(invoice: Invoice, form: IssueForm) -> str:
    send = form.cleaned_data["send"]
    invoice.issue(by=form.desk.user, send=send)
    if send:
        return _("%(number)s is issued; its e-mail is on its way.") % {"number": invoice.number}
    return _("%(number)s is issued. No e-mail was sent.") % {"number": invoice.number}


def receive(invoice: Invoice, form: ReceivedForm) -> str:
    answers = form.cleaned_data
    payment = payments.pay_many(
        invoice.client,
        [(invoice, form.asked().amount)],
        method=answers["method"],
        by=form.desk.user,
        key=f"staff-{invoice.uid.hex}-{answers['key']}",
        reference=answers["reference"],
        received_on=answers["received_on"],
    )
    invoice.refresh_from_db()
    refuse_refunded(payment, invoice)
    if invoice.is_paid:
        return _("%(number)s is paid.") % {"number": invoice.number}
    due = spelling.amount(invoice.amount_due, invoice.currency, form.desk.locale)
    return _("Recorded. %(due)s %(currency)s is still due.") % {
        "due": due,
        "currency": invoice.currency,
    }


def send(invoice: Invoice, form: SendForm) -> str:
    with transaction.atomic():
        once(f"send:{form.cleaned_data['key']}:{invoice.uid}")
        email = invoice.send_email()
    return _("The e-mail is on its way to %(address)s.") % {"address": email.to or "–"}


def credit(invoice: Invoice, form: CreditForm) -> str:
    answers = form.cleaned_data
    what = answers["what"]
    amount = form.money() if what == "amount" else None
    if what == "amount" and amount is None:
        raise BadAmount
    note = issue_credit_note(
        invoice,
        reason=answers["reason"],
        by=form.desk.user,
        key=f"staff-{invoice.uid.hex}-{answers['key']}",
        quantities=form.quantities if what == "lines" else None,
        amount=amount,
        refund=answers["goes"] == "refund",
    )
    return _("Credit note %(number)s is issued.") % {"number": note.number}


def remind(invoice: Invoice, form: SendForm) -> str:
    with transaction.atomic():
        once(f"remind:{form.cleaned_data['key']}:{invoice.uid}")
        email = reminders.remind(invoice)
    return _("A reminder is on its way to %(address)s.") % {"address": email.to or "–"}


def void(invoice: Invoice, form: ReasonForm) -> str:
    invoice.void(reason=form.cleaned_data["reason"])
    return _("%(number)s is void.") % {"number": invoice.number}


def write_off(invoice: Invoice, form: ReasonForm) -> str:
    invoice.write_off(reason=form.cleaned_data["reason"])
    return _("%(number)s is written off.") % {"number": invoice.number}


def renew_link(invoice: Invoice, form: ActForm) -> str:
    with transaction.atomic():
        once(f"renew:{form.cleaned_data['key']}:{invoice.uid}")
        paylinks.renew(invoice)
    return _("The invoice has a new payment link; the old one opens nothing any more.")


def revoke_link(invoice: Invoice, form: ActForm) -> str:
    del form
    paylinks.revoke(invoice)
    return _("The payment link opens nothing any more.")


def delete(invoice: Invoice, form: ActForm) -> str:
    del form
    with transaction.atomic():
        invoice.lock()
        record("invoice.deleted", invoice)
        invoice.delete()
    return _("The draft is deleted.")


def _is_out(invoice: Invoice) -> bool:
    return invoice.status not in (InvoiceStatus.DRAFT, InvoiceStatus.VOID)


def _is_voidable(invoice: Invoice) -> bool:
    settled = invoice.amount_paid or invoice.amount_credited
    return _is_out(invoice) and not settled and (invoice.is_payable or not invoice.amount)


def _is_creditable(invoice: Invoice) -> bool:
    return _is_out(invoice) and invoice.amount_credited < invoice.amount


def _is_payable(invoice: Invoice) -> bool:
    return invoice.is_payable


def _is_draft(invoice: Invoice) -> bool:
    return invoice.is_draft


def _has_link(invoice: Invoice) -> bool:
    return _is_out(invoice) and invoice.token_revoked_at is None


def _first_time(act: Act, invoice: Invoice) -> Act:
    """Nothing is sent again that was never sent."""
    if invoice.email_sent_count:
        return act
    about = gettext_lazy("The client gets the invoice's e-mail, with the link to pay it.")
    return replace(act, label=gettext_lazy("Send"), about=about)


def _may_write_off(invoice: Invoice) -> bool:
    return invoice.is_payable and invoice.status != InvoiceStatus.UNCOLLECTIBLE


ACTS = (
    Act(
        "issue",
        gettext_lazy("Issue"),
        gettext_lazy("It gets its number and is fixed from then on."),
        issue,
        _is_draft,
        IssueForm,
    ),
    Act(
        "paid",
        gettext_lazy("Mark paid"),
        gettext_lazy("Record money that you have seen arrive, all of it or a part."),
        receive,
        _is_payable,
        ReceivedForm,
    ),
    Act(
        "send",
        gettext_lazy("Send again"),
        gettext_lazy("The client gets the invoice's e-mail once more."),
        send,
        _is_out,
        SendForm,
        suited=_first_time,
    ),
    Act(
        "remind",
        gettext_lazy("Send a reminder"),
        gettext_lazy("The client is reminded of what is due, with the link to pay it."),
        remind,
        _is_payable,
        SendForm,
    ),
    Act(
        "credit",
        gettext_lazy("Credit note"),
        gettext_lazy("An issued invoice is corrected by a credit note, which has its own number."),
        credit,
        _is_creditable,
        CreditForm,
        template="web/staff/act_credit.html",
        button=gettext_lazy("Issue credit note"),
    ),
    Act(
        "renew-link",
        gettext_lazy("New payment link"),
        gettext_lazy("The link that was sent stops working; send the invoice again afterwards."),
        renew_link,
        _is_out,
    ),
    Act(
        "revoke-link",
        gettext_lazy("Withdraw the payment link"),
        gettext_lazy("Whoever opens the link is told that it was withdrawn."),
        revoke_link,
        _has_link,
        danger=True,
    ),
    Act(
        "write-off",
        gettext_lazy("Write off"),
        gettext_lazy("Nobody expects it to be paid any more. It still can be."),
        write_off,
        _may_write_off,
        ReasonForm,
        danger=True,
    ),
    Act(
        "void",
        gettext_lazy("Void"),
        gettext_lazy("It is owed no more and keeps its number. This cannot be taken back."),
        void,
        _is_voidable,
        ReasonForm,
        danger=True,
    ),
    Act(
        "delete",
        gettext_lazy("Delete the draft"),
        gettext_lazy("A draft has no number yet; nothing of it is kept."),
        delete,
        _is_draft,
        danger=True,
    ),
)
