from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from tallystick.accounts.admin import TenantAdmin
from tallystick.billing.admin.acts import ReadOnly
from tallystick.billing.banking.formats import BankFormat
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest


@admin.register(BankStatement)
class BankStatementAdmin(ReadOnly):
    """Statements are imported at /staff/bank/."""

    list_display = [
        "name",
        "account",
        "first_day",
        "last_day",
        "balance",
        "lines_new",
        "created_at",
    ]
    list_filter = ["format", "balance", "website"]
    fields = [
        *("uid", "website", "name", "format", "account", "first_day", "last_day", "balance"),
        *("lines_new", "lines_known", "lines_pending", "created_by", "created_at"),
    ]


@admin.register(BankTransaction)
class BankTransactionAdmin(ReadOnly):
    """Lines are decided at /staff/bank/."""

    list_display = ["booked_on", "money", "name", "state", "payment", "statement"]
    list_filter = ["state", "website"]
    list_select_related = ["statement", "payment"]
    search_fields = ["name", "iban", "reference", "end_to_end"]
    fields = [
        *("uid", "website", "statement", "account", "booked_on", "value_on", "money", "original"),
        *("name", "iban", "text", "structured", "reference", "end_to_end", "is_reversal"),
        *("return_reason", "state", "payment", "refund", "note", "decided_by", "decided_at"),
    ]
    readonly_fields = ["money"]


@admin.register(BankFormat)
class BankFormatAdmin(TenantAdmin):
    """What is deleted here is asked for anew at the next import."""

    list_display = ["__str__", "website", "created_at"]
    list_filter = ["website"]
    fields = ["website", "name", "head", "mapping"]
    readonly_fields = ["head", "mapping"]

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act != "add" and super().may(request, act, row)
