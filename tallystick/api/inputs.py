"""What may be sent, and how it becomes what billing takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from tallystick.accounts.models import Website
from tallystick.api.fields import AmountField, Choice, Flag, Strict, Text
from tallystick.billing import days, lengths
from tallystick.billing.lines import MAX_LINES, LineDraft
from tallystick.billing.models import Product, TaxRate
from tallystick.kit.money import DIGITS

S = serializers


class Day(S.DateField):
    """A day that a document can bear."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["iso-8601"], **kwargs)

    def to_internal_value(self, value: Any) -> Any:  # noqa: ANN401 - whatever was sent
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DD")
        day = super().to_internal_value(value)
        if not days.holds(day):
            raise ValidationError(f"It lies between {days.FIRST} and {days.LAST}.")
        return day


class Currency(Text):
    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever was sent
        text = super().to_internal_value(data)
        if text not in DIGITS:
            raise ValidationError("Write an ISO 4217 code, such as EUR.")
        return text


class LineIn(Strict):
    """A line: a product, or words and a price. What is left out comes from the product."""

    product = S.UUIDField(required=False, allow_null=True)
    description = Text(required=False, allow_blank=True, max_length=lengths.LINE)
    quantity = AmountField(required=False)
    unit_price = AmountField(required=False, allow_null=True)
    discount_percent = AmountField(required=False)
    tax_rate = Text(required=False, allow_null=True, max_length=40, help_text="A rate's code.")


class InvoiceIn(Strict):
    website = S.UUIDField(required=False, help_text="The client's; may be left out.")
    client = S.UUIDField()
    title = Text(required=False, allow_blank=True, max_length=lengths.TITLE)
    description = Text(required=False, allow_blank=True, max_length=lengths.DESCRIPTION)
    reference = Text(required=False, allow_blank=True, max_length=lengths.REFERENCE)
    currency = Currency(required=False, max_length=3)
    prices_include_tax = Flag(required=False)
    issue_date = Day(required=False, allow_null=True)
    due_date = Day(required=False, allow_null=True)
    lines = LineIn(many=True, required=False, max_length=MAX_LINES)  # type: ignore[call-arg] # of the list


class InvoicePatch(InvoiceIn):
    """Any of the fields."""

    client = S.UUIDField(required=False)


class NewInvoice(InvoiceIn):
    issue = Flag(required=False, help_text="Issue it at once.")
    send = Flag(required=False, help_text="Issue it at once and mail it.")


class Issue(Strict):
    send = Flag(required=False, default=True, help_text="Mail it to the client.")


class Reason(Strict):
    reason = Text(max_length=2000)


class MarkPaid(Strict):
    reference = Text(required=False, allow_blank=True, max_length=200)


class CreditLine(Strict):
    position = S.IntegerField(min_value=0, max_value=32_767, help_text="Of the invoice's line.")
    quantity = AmountField()


class Credit(Strict):
    """The whole that is left, unless `amount` or `lines` say less."""

    reason = Text(max_length=2000)
    amount = AmountField(required=False)
    lines = CreditLine(  # type: ignore[call-arg] # of the list
        many=True, required=False, allow_empty=False, max_length=MAX_LINES
    )
    refund = Flag(required=False, help_text="Give back what had been paid; else to the wallet.")
    send = Flag(required=False, help_text="Mail it to the client.")


class LinkIn(Strict):
    action = Choice([("make", "make"), ("renew", "renew"), ("revoke", "revoke")])
    expires_at = S.DateTimeField(required=False, input_formats=["iso-8601"])
    one_use = Flag(required=False)
    reason = Text(required=False, allow_blank=True, max_length=250)


class Pay(Strict):
    method = Text(max_length=30)
    amount = AmountField(required=False, help_text="All that is due, when left out.")
    currency = Currency(required=False, max_length=3)


class RefundIn(Strict):
    reason = Text(max_length=250)
    amount = AmountField(required=False, help_text="All that is refundable, when left out.")
    currency = Currency(required=False, max_length=3)
    reference = Text(required=False, allow_blank=True, max_length=200)


class Bulk(Strict):
    action = Choice([(name, name) for name in ("send_email", "mark_paid", "void")])
    ids = S.ListField(child=S.UUIDField(), min_length=1, max_length=100)
    reason = Text(required=False, max_length=2000, help_text="Needed to void.")


class Nothing(Strict):
    """An empty object."""


def read(schema: type[Strict], data: object, present: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - what the schema says
    """What `data` says by `schema`. Raises `ValidationError`."""
    serializer = schema(data=data if data is not None else {}, context={"present": present or {}})
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def drafts(lines: Sequence[Mapping[str, Any]], website: Website) -> list[LineDraft]:
    """Lines as billing takes them, with the products and rates of `website`, in two queries."""
    products = _products(lines, website)
    rates = _rates(lines, website)
    drafts: list[LineDraft] = []
    faults: list[dict[str, list[str]]] = []
    for line in lines:
        uid, code = line.get("product"), line.get("tax_rate")
        fault = {}
        if uid and uid not in products:
            fault["product"] = ["There is no such product at this website."]
        if code and code not in rates:
            fault["tax_rate"] = ["There is no such tax rate at this website."]
        faults.append(fault)
        given = {
            name: line[name]
            for name in ("description", "quantity", "unit_price", "discount_percent")
            if name in line
        }
        rate = rates.get(code) if code else None
        drafts.append(LineDraft(**given, product=products.get(uid), tax_rate=rate))
    if any(faults):
        raise ValidationError({"lines": faults})
    return drafts


def _products(lines: Sequence[Mapping[str, Any]], website: Website) -> dict[UUID | None, Product]:
    uids = {line["product"] for line in lines if line.get("product")}
    if not uids:
        return {}
    found = Product.objects.of(website).filter(uid__in=uids, is_active=True)
    return {product.uid: product for product in found.select_related("tax_rate")}


def _rates(lines: Sequence[Mapping[str, Any]], website: Website) -> dict[str, TaxRate]:
    codes = {line["tax_rate"] for line in lines if line.get("tax_rate")}
    if not codes:
        return {}
    return {rate.code: rate for rate in TaxRate.objects.of(website).filter(code__in=codes)}
