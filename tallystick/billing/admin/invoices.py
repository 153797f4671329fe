from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from tallystick.billing.admin import invoice_acts as verbs
from tallystick.billing.admin.acts import ActingAdmin
from tallystick.billing.admin.lines import LineInline
from tallystick.billing.invoices import Invoice
from tallystick.events import record
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from django.db import models
    from django.db.models import QuerySet
    from django.http import HttpRequest

    InvoiceFormBase = forms.ModelForm[Invoice]
else:
    InvoiceFormBase = forms.ModelForm


class InvoiceForm(InvoiceFormBase):
    """Website, currency and prices go by the client, where nothing else is said."""

    currency = forms.CharField(max_length=3, required=False, help_text=_("Empty: the client's."))

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        client = data.get("client")
        if client is not None and self.instance._state.adding:
            self.instance.website = client.website
            self.instance.inclusive = client.website.prices_include_tax
            self.instance.rounding = client.website.rounding
        elif client is not None and client.website_id != self.instance.website_id:
            self.add_error("client", _("This client belongs to another website."))
        if client is not None:
            data["currency"] = data.get("currency") or client.billing_currency
        return data


@admin.register(Invoice)
class InvoiceAdmin(ActingAdmin):
    """Drafts are edited; what is issued is read, and changed by acts alone."""

    form = InvoiceForm
    inlines = [LineInline]
    list_display = [
        "name",
        "client",
        "status",
        "total",
        "still_due",
        "due_date",
        "mailed",
        "website",
    ]
    list_display_links = ["name"]
    list_filter = ["status", "website", "due_date"]
    list_select_related = ["client__user", "client__organisation", "website"]
    search_fields = ["=number", "=reference_id", "title", "client__organisation__name"]
    show_full_result_count = False
    autocomplete_fields = ["client"]
    fieldsets = [
        (None, {"fields": ["client", "title", "description", "reference", "currency"]}),
        (_("Dates"), {"fields": ["issue_date", "due_date"]}),
        (_("Totals"), {"fields": ["total_net", "total_tax", "total", "paid", "still_due"]}),
        (
            _("State"),
            {"fields": ["name", "status", "reason", "pay_link", "mailed", "mail_trouble"]},
        ),
    ]
    add_fieldsets = fieldsets[
        :2
    ]  # nothing is added up before it is saved, and nothing has happened
    readonly_fields = [
        *("name", "status", "reason", "total_net", "total_tax", "total", "paid", "still_due"),
        *("pay_link", "mailed", "mail_trouble"),
    ]
    acts = [
        verbs.ISSUE,
        verbs.PAID,
        verbs.SEND,
        verbs.VOID,
        verbs.WRITE_OFF,
        verbs.RENEW,
        verbs.REVOKE,
    ]
    actions = ["issue_and_send", "mark_paid", "send_again"]

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_open(obj) and super().has_delete_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:  # noqa: ANN401 - as Django's own
        return self.add_fieldsets if obj is None else super().get_fieldsets(request, obj)

    def get_actions(
        self,
        request: HttpRequest,
        action_location: Any = None,  # noqa: ANN401 - an enum that Django has from 6.1 on
    ) -> dict[str, Any]:
        """Without Django's own deleting of many, which would stumble over the first issued one."""
        where = {"action_location": action_location} if action_location else {}
        actions = super().get_actions(request, **where)
        return {name: action for name, action in actions.items() if name != "delete_selected"}

    def save_related(
        self,
        request: HttpRequest,
        form: forms.Form,
        formsets: Any,  # noqa: ANN401 - as Django's own
        change: bool,
    ) -> None:
        super().save_related(request, form, formsets, change)
        invoice: Invoice = form.instance  # type: ignore[attr-defined] # a model form
        invoice.recalculate()
        if not change:
            record("invoice.created", invoice)

    @admin.display(description=_("number"), ordering="number")
    def name(self, invoice: Invoice) -> str:
        return str(invoice) if invoice.pk else "-"

    @admin.display(description=_("net"))
    def total_net(self, invoice: Invoice) -> str:
        return _shown(invoice, "subtotal")

    @admin.display(description=_("tax"))
    def total_tax(self, invoice: Invoice) -> str:
        return _shown(invoice, "tax")

    @admin.display(description=_("total"), ordering="amount")
    def total(self, invoice: Invoice) -> str:
        return _shown(invoice, "amount")

    @admin.display(description=_("paid"))
    def paid(self, invoice: Invoice) -> str:
        return _shown(invoice, "amount_paid")

    @admin.display(description=_("due"))
    def still_due(self, invoice: Invoice) -> str:
        return _shown(invoice, "amount_due")

    @admin.display(description=_("payment link"))
    def pay_link(self, invoice: Invoice) -> str:
        if not invoice.pk or invoice.is_draft or invoice.token_revoked_at:
            return "-"
        return format_html('<a href="{0}">{0}</a>', invoice.url)

    @admin.display(description=_("times e-mailed"))
    def mailed(self, invoice: Invoice) -> str:
        return str(invoice.email_sent_count)

    @admin.display(description=_("trouble with its e-mail"))
    def mail_trouble(self, invoice: Invoice) -> str:
        return (invoice.pk and invoice.email_error) or "-"

    @admin.action(description=verbs.ISSUE.label, permissions=["change"])
    def issue_and_send(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        self.act_on_all(request, queryset, verbs.ISSUE)

    @admin.action(description=verbs.PAID.label, permissions=["change"])
    def mark_paid(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        self.act_on_all(request, queryset, verbs.PAID)

    @admin.action(description=verbs.SEND.label, permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        self.act_on_all(request, queryset, verbs.SEND)


def _is_open(invoice: models.Model | None) -> bool:
    return not isinstance(invoice, Invoice) or invoice.is_draft


def _shown(invoice: Invoice, name: str) -> str:
    if not invoice.pk:
        return "-"
    return str(Money(getattr(invoice, name), invoice.currency))
