"""Lines on the page of their invoice: edited while it is a draft, shown afterwards."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.models import BaseInlineFormSet

from tallystick.accounts.admin import TenantInline
from tallystick.billing import lines as invoice_lines
from tallystick.billing.errors import BillingError
from tallystick.billing.lines import InvoiceLine, LineDraft
from tallystick.kit.money import MoneyError

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest

    LineFormBase = forms.ModelForm[InvoiceLine]
    LineFormSetBase = BaseInlineFormSet[Any, Any, Any]
else:
    LineFormBase, LineFormSetBase = forms.ModelForm, BaseInlineFormSet

_BUILT = (
    *("position", "product_code", "description", "quantity", "unit_price", "discount_percent"),
    *("tax_rate", "tax_code", "tax_name", "tax_percent"),
)


class LineForm(LineFormBase):
    """What is left out comes from the product."""

    description = forms.CharField(required=False, widget=forms.Textarea({"rows": 1, "cols": 40}))
    unit_price = forms.DecimalField(required=False, max_digits=19, decimal_places=4)
    discount_percent = forms.DecimalField(required=False, initial=0)

    def as_draft(self) -> LineDraft:
        given = self.cleaned_data
        return LineDraft(
            description=given.get("description") or "",
            quantity=given["quantity"],
            unit_price=given.get("unit_price"),
            discount_percent=given.get("discount_percent") or Decimal(0),
            tax_rate=given.get("tax_rate"),
            product=given.get("product"),
        )


class LineFormSet(LineFormSetBase):
    """Built and added up by the same functions as everywhere, so that what they refuse is said here."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors) or not self.instance.client_id:
            return
        kept = [form for form in self.forms if form.cleaned_data.get("DELETE") is False]
        try:
            rows = invoice_lines.build(self.instance, [form.as_draft() for form in kept])
            self.instance.total_up(rows)
        except (BillingError, MoneyError) as error:
            raise forms.ValidationError(str(error)) from error
        for form, row in zip(kept, rows, strict=True):
            if any(getattr(form.instance, name) != getattr(row, name) for name in _BUILT):
                form.changed_data.append("position")
            for name in _BUILT:
                setattr(form.instance, name, getattr(row, name))


class LineInline(TenantInline):
    model = InvoiceLine
    form = LineForm
    formset = LineFormSet
    fields = [
        *("product", "description", "quantity", "unit_price", "discount_percent", "tax_rate"),
        "amount",
    ]
    readonly_fields = ["amount"]
    autocomplete_fields = ["product"]

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        fixed = row is not None and not getattr(row, "is_draft", True)
        return (act == "view" or not fixed) and super().may(request, act, row)
