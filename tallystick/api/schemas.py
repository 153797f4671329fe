"""The shapes of answers, as the description of the API states them; `shapes` makes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from tallystick.api.fields import AmountField
from tallystick.billing.paylinks import LinkState
from tallystick.billing.states import InvoiceStatus, PaymentStatus, RefundStatus
from tallystick.billing.wallets import WalletEntry

S = serializers
Out = serializers.Serializer[Any]


class Party(Out):
    id = S.UUIDField()
    name = S.CharField()
    email = S.CharField()


class Invoice(Out):
    id = S.UUIDField()
    website = S.UUIDField()
    client = Party()
    status = S.ChoiceField(InvoiceStatus.choices)
    is_paid = S.BooleanField()
    is_overdue = S.BooleanField()
    number = S.CharField(help_text="Given when it is issued; empty on a draft.")
    prices_include_tax = S.BooleanField()
    reference_id = S.CharField()
    reference = S.CharField(help_text="The client's own, such as an order number.")
    title = S.CharField()
    currency = S.CharField(help_text="ISO 4217; of all amounts here.")
    subtotal = AmountField()
    discount = AmountField()
    tax = AmountField()
    amount = AmountField(help_text="The total.")
    amount_paid = AmountField()
    amount_credited = AmountField()
    amount_due = AmountField()
    issue_date = S.DateField(allow_null=True)
    due_date = S.DateField(allow_null=True)
    issued_at = S.DateTimeField(allow_null=True)
    paid_at = S.DateTimeField(allow_null=True)
    voided_at = S.DateTimeField(allow_null=True)
    email_sent_at = S.DateTimeField(allow_null=True)
    created_at = S.DateTimeField()
    updated_at = S.DateTimeField()
    email_sent = S.BooleanField()
    email_sent_count = S.IntegerField()


class Line(Out):
    position = S.IntegerField()
    product = S.UUIDField(allow_null=True)
    product_code = S.CharField()
    description = S.CharField()
    quantity = AmountField()
    unit_price = AmountField()
    discount_percent = AmountField()
    tax_rate = S.CharField(allow_null=True, help_text="The code of the rate.")
    tax_name = S.CharField()
    tax_percent = AmountField()
    discount = AmountField()
    amount = AmountField()
    tax_amount = AmountField()


class RateTotal(Out):
    tax_rate = S.CharField(allow_null=True)
    percent = AmountField()
    net = AmountField()
    tax = AmountField()
    gross = AmountField()


class Allocated(Out):
    payment = S.UUIDField()
    method = S.CharField()
    amount = AmountField(help_text="Below zero: taken back.")
    created_at = S.DateTimeField()


class Credited(Out):
    id = S.UUIDField()
    number = S.CharField()
    amount = AmountField()


class Link(Out):
    url = S.CharField(help_text="Secret: whoever holds it may see and pay the invoice.")
    state = S.ChoiceField([(state.value, state.value) for state in LinkState])
    expires_at = S.DateTimeField(allow_null=True)
    one_use = S.BooleanField()


class InvoiceDetail(Invoice):
    description = S.CharField()
    reason = S.CharField(help_text="Why it was voided or written off.")
    seller = S.DictField(child=S.CharField())
    buyer = S.DictField(child=S.CharField())
    lines = Line(many=True)
    taxes = RateTotal(many=True)
    payments = Allocated(many=True)
    credit_notes = Credited(many=True)
    payment_link = Link(allow_null=True)


class Payment(Out):
    id = S.UUIDField()
    website = S.UUIDField()
    client = Party()
    invoice = S.UUIDField(allow_null=True)
    method = S.CharField()
    status = S.ChoiceField(PaymentStatus.choices)
    amount = AmountField()
    amount_refunded = AmountField()
    currency = S.CharField()
    reference = S.CharField()
    received_on = S.DateField(allow_null=True)
    failure = S.CharField()
    created_at = S.DateTimeField()
    succeeded_at = S.DateTimeField(allow_null=True)


class Refund(Out):
    id = S.UUIDField()
    payment = S.UUIDField()
    amount = AmountField()
    currency = S.CharField()
    status = S.ChoiceField(RefundStatus.choices)
    reason = S.CharField()
    reference = S.CharField()
    failure = S.CharField()
    created_at = S.DateTimeField()
    succeeded_at = S.DateTimeField(allow_null=True)


class Use(Out):
    invoice = S.UUIDField()
    amount = AmountField(help_text="Below zero: taken back.")
    created_at = S.DateTimeField()


class PaymentDetail(Payment):
    refundable = AmountField()
    allocations = Use(many=True)
    refunds = Refund(many=True)


class CreditNoteRow(Out):
    id = S.UUIDField()
    website = S.UUIDField()
    client = Party()
    invoice = S.UUIDField()
    invoice_number = S.CharField()
    number = S.CharField()
    reason = S.CharField()
    prices_include_tax = S.BooleanField()
    currency = S.CharField()
    subtotal = AmountField()
    discount = AmountField()
    tax = AmountField()
    amount = AmountField()
    released = AmountField(help_text="What of it had been paid already.")
    issue_date = S.DateField()
    issued_at = S.DateTimeField(allow_null=True)
    created_at = S.DateTimeField()


class CreditNoteDetail(CreditNoteRow):
    seller = S.DictField(child=S.CharField())
    buyer = S.DictField(child=S.CharField())
    lines = Line(many=True)
    taxes = RateTotal(many=True)


class Wallet(Out):
    id = S.UUIDField()
    website = S.UUIDField()
    client = Party()
    currency = S.CharField()
    balance = AmountField()
    held = AmountField()
    available = AmountField()


class Entry(Out):
    amount = AmountField(help_text="Below zero: taken out.")
    balance_after = AmountField()
    currency = S.CharField()
    reason = S.ChoiceField(WalletEntry.Reason.choices)
    note = S.CharField()
    payment = S.UUIDField(allow_null=True)
    created_at = S.DateTimeField()


class Counted(Out):
    value = S.IntegerField()
    is_exact = S.BooleanField()


class EntryPage(Out):
    next = S.CharField(allow_null=True)
    previous = S.CharField(allow_null=True)
    count = Counted(required=False)
    results = Entry(many=True)


class WalletDetail(Wallet):
    entries = EntryPage(help_text="Newest first; `limit` and `cursor` page through them.")


class Client(Party):
    website = S.UUIDField()
    kind = S.ChoiceField([("person", "person"), ("organisation", "organisation")])
    phone = S.CharField()
    currency = S.CharField()
    language = S.CharField()
    tax_number = S.CharField()
    address = S.DictField(child=S.CharField())


class Product(Out):
    id = S.UUIDField()
    website = S.UUIDField()
    name = S.CharField()
    slug = S.CharField()
    description = S.CharField()
    category = S.CharField()
    price = AmountField()
    currency = S.CharField()
    max_discount_percent = AmountField()
    tax_rate = S.CharField(allow_null=True)
    is_active = S.BooleanField()


class TaxRate(Out):
    website = S.UUIDField()
    code = S.CharField(help_text="By which lines name it.")
    name = S.CharField()
    percent = AmountField()
    is_default = S.BooleanField()
    is_active = S.BooleanField()


class Method(Out):
    name = S.CharField()
    label = S.CharField()  # type: ignore[assignment] # a name of the base class


class PublicInvoice(Out):
    """What the holder of a payment link sees."""

    state = S.ChoiceField([("usable", "usable"), ("paid", "paid")])
    reference_id = S.CharField()
    number = S.CharField()
    title = S.CharField()
    description = S.CharField()
    seller = S.DictField(child=S.CharField())
    buyer_name = S.CharField()
    currency = S.CharField()
    subtotal = AmountField()
    discount = AmountField()
    tax = AmountField()
    amount = AmountField()
    amount_paid = AmountField()
    amount_credited = AmountField()
    amount_due = AmountField()
    issue_date = S.DateField(allow_null=True)
    due_date = S.DateField(allow_null=True)
    is_overdue = S.BooleanField()
    part_payments = S.BooleanField(help_text="Whether less than the amount due may be paid.")
    lines = Line(many=True)
    taxes = RateTotal(many=True)
    methods = Method(many=True)
    bank = S.DictField(
        child=S.CharField(), allow_null=True, help_text="Where to transfer the money to."
    )


class Outcome(Out):
    """What came of paying: settled, or on its way; with the address to go to, if need be."""

    state = S.ChoiceField(
        [("paid", "paid"), ("partially_paid", "partially_paid"), ("open", "open")]
    )
    payment = Payment(allow_null=True)
    amount_due = AmountField()
    currency = S.CharField()
    redirect_url = S.CharField(allow_null=True)


class BulkResult(Out):
    id = S.UUIDField()
    status = S.IntegerField(help_text="As the call for one invoice would answer.")
    error = S.DictField(allow_null=True, help_text="A problem, where it was refused.")


class BulkResults(Out):
    results = BulkResult(many=True)


class Queued(Out):
    id = S.UUIDField(help_text="The e-mail's.")
    to = S.CharField()
    state = S.CharField()


class Fault(Out):
    pointer = S.CharField(help_text="A JSON pointer into the body, or the name of a parameter.")
    detail = S.CharField()
    code = S.CharField()


class ProblemBody(Out):
    """RFC 9457. `code` is stable; `type` is the address of a page that explains it."""

    type = S.CharField()
    title = S.CharField()
    status = S.IntegerField()
    code = S.CharField()
    detail = S.CharField()
    instance = S.CharField()
    errors = Fault(many=True)  # type: ignore[assignment] # a name of the base class


class Sum(Out):
    amount = AmountField()
    number = S.IntegerField()


class Age(Sum):
    over = S.IntegerField(allow_null=True)
    to = S.IntegerField(allow_null=True)


class Share(Sum):
    method = S.CharField()


class Point(Out):
    day = S.DateField()
    invoiced = AmountField()
    collected = AmountField()


class Stats(Out):
    currency = S.CharField()
    start = S.DateField(allow_null=True)
    end = S.DateField(allow_null=True)
    invoiced = Sum()
    paid = Sum(help_text="Of what was invoiced in the period.")
    unpaid = Sum(help_text="Of what was invoiced in the period.")
    collected = Sum()
    refunded = Sum()
    disputed = Sum()
    charged_back = Sum()
    credited = Sum()
    voided = Sum()
    written_off = Sum()
    outstanding = Sum(help_text="As of today.")
    overdue = Sum(help_text="As of today.")
    ageing = Age(many=True)
    average_days_to_pay = AmountField(allow_null=True)
    settled = S.IntegerField()
    methods = Share(many=True)
    step = S.ChoiceField(["day", "week", "month"])
    series = Point(many=True)
