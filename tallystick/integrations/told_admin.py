"""The pages of what is told outside, with how that went: accounts, organisations, products."""

from __future__ import annotations

from django.contrib import admin
from django.db import models

from tallystick.accounts.admin.accounts import AccountAdmin
from tallystick.accounts.admin.organisations import OrganisationAdmin
from tallystick.accounts.models import Account, Organisation
from tallystick.billing.admin.catalogue import ProductAdmin
from tallystick.billing.models import Product
from tallystick.integrations.invoice_ninja.admin import InvoiceNinjaProductAdmin
from tallystick.integrations.panel import WithOutsideSystems


class AccountToldOutside(WithOutsideSystems, AccountAdmin):
    pass


class OrganisationToldOutside(WithOutsideSystems, OrganisationAdmin):
    pass


class ProductToldOutside(InvoiceNinjaProductAdmin, ProductAdmin):
    list_display = ["name", "price", "currency", "tax_rate", "website", "is_active"]


def _instead(model: type[models.Model], page: type[admin.ModelAdmin[models.Model]]) -> None:
    """Of the page that we ship; a host's own stays."""
    if admin.site.is_registered(model) and issubclass(
        page, type(admin.site.get_model_admin(model))
    ):
        admin.site.unregister(model)
        admin.site.register(model, page)


_instead(Account, AccountToldOutside)
_instead(Organisation, OrganisationToldOutside)
_instead(Product, ProductToldOutside)
