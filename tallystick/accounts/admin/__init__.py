"""The admin pages of people, websites and accounts, and the base for those of the other apps."""

from __future__ import annotations

from django.apps import apps

from tallystick.accounts.admin import accounts, apikeys, memberships, organisations, websites
from tallystick.accounts.admin.tenants import (
    Scoped,
    TenantAdmin,
    TenantInline,
    standing_in,
    visible,
)

if apps.is_installed("tallystick.people"):  # a host with users of its own has an admin for them
    from tallystick.accounts.admin import people  # noqa: F401 - registers itself

__all__ = [
    "Scoped",
    "TenantAdmin",
    "TenantInline",
    "accounts",
    "apikeys",
    "memberships",
    "organisations",
    "standing_in",
    "visible",
    "websites",
]
