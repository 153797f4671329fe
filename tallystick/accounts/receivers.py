"""What happens by itself when a person signs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from tallystick.accounts import tenancy
from tallystick.accounts.accounts import Account
from tallystick.accounts.websites import Website

if TYPE_CHECKING:
    from tallystick.people.models import User


def open_account(instance: User, created: bool, raw: bool, **kwargs: Any) -> None:
    """Open the account of a new client: at the website in hand, else at the default one.

    Not for staff, not for rows that `loaddata` brings, and not where ACCOUNTS_OPEN_ON_SIGNUP is
    False.
    """
    if raw or not created or instance.is_staff or instance.is_superuser:
        return
    if not getattr(settings, "ACCOUNTS_OPEN_ON_SIGNUP", True):
        return
    if website := tenancy.current() or Website.objects.default():
        Account.objects.create(user=instance, website=website)
