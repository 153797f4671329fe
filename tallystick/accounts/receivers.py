"""What happens by itself when a person signs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from tallystick.accounts import tenancy
from tallystick.accounts.accounts import Account
from tallystick.accounts.organisations import OrganisationMember
from tallystick.accounts.websites import Website

if TYPE_CHECKING:
    from tallystick.people.models import User


def open_missing() -> int:
    """Open the accounts of clients who have none, for there was no website when they signed up, or
    they came in bulk; returns how many. Who is billed through an organisation needs none."""
    website = Website.objects.default()
    if website is None or not getattr(settings, "ACCOUNTS_OPEN_ON_SIGNUP", True):
        return 0
    people = get_user_model()._default_manager.filter(
        is_active=True, is_staff=False, is_superuser=False, account=None
    )
    members = OrganisationMember.objects.filter(user=OuterRef("pk"))
    found = people.exclude(Exists(members)).order_by("pk")
    count = 0
    for person in found.iterator(chunk_size=1000):
        Account.open_for_user(person, website)
        count += 1
    return count


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
