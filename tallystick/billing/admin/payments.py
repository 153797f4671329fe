from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy

from tallystick.accounts.admin import TenantInline
from tallystick.billing.admin import payment_acts as verbs
from tallystick.billing.admin.acts import ActingAdmin
from tallystick.billing.disputes import Dispute
from tallystick.billing.payment_rows import Allocation, Payment
from tallystick.billing.refunds import Refund

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest


class Shown(TenantInline):
    """Rows that come about by verbs alone."""

    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ANN401 - as Django's own
        return self.fields or ()

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act == "view" and super().may(request, act, row)


class AllocationInline(Shown):
    model = Allocation
    fields = ["invoice", "amount", "cause", "created_at"]


class RefundInline(Shown):
    model = Refund
    fields = ["money", "status", "reason", "reference", "refunded_on", "failure", "created_by"]


class DisputeInline(Shown):
    model = Dispute
    fields = ["state", "amount", "missing", "reason", "reference", "opened_at", "closed_at"]


class OnlyActs(ActingAdmin):
    """Rows that staff see, and act on, and do not edit."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(OnlyActs):
    """Payments are recorded on the page of their invoice."""

    list_display = ["money", "status", "method", "account", "invoice", "reference", "created_at"]
    list_filter = ["status", "method", "website"]
    list_select_related = ["invoice", "account__user", "account__organisation"]
    search_fields = ["reference", "invoice__number", "invoice__reference_id"]
    show_full_result_count = False
    inlines = [AllocationInline, RefundInline, DisputeInline]
    fields = [
        *("uid", "website", "account", "invoice", "money", "expected", "method", "status"),
        *("reference", "received_on", "failure", "paying", "kept", "amount_refunded"),
        *("can_be_refunded", "shortfall", "created_by", "created_at", "succeeded_at"),
    ]
    readonly_fields = ["money", "paying", "kept", "can_be_refunded"]
    acts = [verbs.REFUND, verbs.DISPUTE, verbs.WON, verbs.LOST, verbs.CANCEL]

    @admin.display(description=gettext_lazy("pays invoices"))
    def paying(self, payment: Payment) -> str:
        return str(payment.allocated)

    @admin.display(description=gettext_lazy("in the wallet"))
    def kept(self, payment: Payment) -> str:
        return str(payment.in_wallet)

    @admin.display(description=gettext_lazy("can be refunded"))
    def can_be_refunded(self, payment: Payment) -> str:
        return str(payment.refundable)


@admin.register(Refund)
class RefundAdmin(OnlyActs):
    """Refunds are asked for on the page of their payment."""

    list_display = ["money", "status", "payment", "reason", "reference", "created_at"]
    list_filter = ["status", "website"]
    list_select_related = ["payment"]
    search_fields = ["reference", "payment__reference"]
    show_full_result_count = False
    fields = [
        *("uid", "website", "payment", "money", "status", "reason", "reference", "refunded_on"),
        *("failure", "created_by", "created_at", "succeeded_at"),
    ]
    readonly_fields = ["money"]
    acts = [verbs.REFUNDED, verbs.NOT_REFUNDED]
