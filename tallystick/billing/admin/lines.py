"""Lines on the page of their invoice: edited while it is a draft, shown afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.forms.models import BaseInlineFormSet
from django.utils.functional import cached_property

from tallystick.accounts.admin import TenantInline
from tallystick.billing import lengths
from tallystick.billing import lines as invoice_lines
from tallystick.billing.errors import BillingError
from tallystick.billing.lines import MAX_LINES, InvoiceLine, LineDraft
from tallystick.kit.money import MoneyError

if TYPE_CHECKING:
    from django.db import models
    from django.db.models import QuerySet
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

    description = forms.CharField(
        required=False, max_length=lengths.LINE, widget=forms.Textarea({"rows": 1, "cols": 40})
    )
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


class ProductSelect(AutocompleteSelect):
    """Takes the chosen one's name from `names`, by key, where it is known: no query for each line."""

    names: Mapping[str, str] = {}

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> list[Any]:  # noqa: ANN401 - as Django's own
        chosen = [str(key) for key in value if key]
        if any(key not in self.names for key in chosen):
            return super().optgroups(name, value, attrs)
        options = [self.create_option(name, "", "", selected=False, index=0)]
        options += [self.create_option(name, key, self.names[key], True, 0) for key in chosen]
        return [(None, options, 0)]


class LineFormSet(LineFormSetBase):
    """Built and added up by the same functions as everywhere, so that what they refuse is said here."""

    @cached_property
    def products(self) -> dict[str, str]:
        return {str(line.product_id): str(line.product) for line in self.get_queryset()}

    @cached_property
    def rates(self) -> list[Any]:
        return list(self.form.base_fields["tax_rate"].choices)

    def add_fields(self, form: Any, index: int | None) -> None:  # noqa: ANN401 - as Django's own
        """What all lines may choose from is asked for once."""
        super().add_fields(form, index)
        if "product" in form.fields:
            form.fields["product"].widget.widget.names = self.products
            form.fields["tax_rate"].widget.choices = self.rates

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
    max_num = MAX_LINES

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        if db_field.name == "product":
            kwargs["widget"] = ProductSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("product", "tax_rate")

    def get_extra(
        self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any
    ) -> int:
        """A new invoice starts with a line to fill in."""
        return 1 if obj is None else 0

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        fixed = row is not None and not getattr(row, "is_draft", True)
        return (act == "view" or not fixed) and super().may(request, act, row)
