"""Tax rates of a website."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantModel
from tallystick.billing.fields import PercentField


class TaxRate(TenantModel):
    """`code` is the seller's own word for the rate, by which accounting systems are mapped.

    Invoices keep a copy of code, name and per cent: editing a rate changes no issued invoice."""

    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    percent = PercentField()
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["website_id", "code"]
        constraints = [
            models.UniqueConstraint(fields=["website", "code"], name="tax_rate_code_once"),
            models.UniqueConstraint(
                fields=["website"],
                condition=Q(is_default=True),
                name="tax_rate_one_default",
                violation_error_message=_(
                    "Another rate is the default one: take the mark from that one first."
                ),
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100), name="tax_rate_percent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.percent.normalize():f} %)"
