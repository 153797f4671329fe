"""Who may do what: a person's roles, put together from memberships and accounts."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from tallystick.accounts.accounts import Account
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.standing import Person, Role, Standing, standing_of
from tallystick.accounts.websites import Website

__all__ = [
    "Person",
    "Role",
    "Standing",
    "can_bill",
    "is_superadmin",
    "role_of",
    "standing_of",
    "websites_of",
]


def is_superadmin(user: Person) -> bool:
    return standing_of(user).is_superadmin


def role_of(user: Person, website: Website) -> Role | None:
    """The highest role of `user` at `website`; None for a stranger."""
    standing = standing_of(user)
    if standing.is_superadmin:
        return Role.SUPERADMIN
    if standing.rules(website.pk):
        return Role.ADMIN
    return Role.CLIENT if websites_of(user).filter(pk=website.pk).exists() else None


def websites_of(user: Person) -> QuerySet[Website]:
    """The websites that `user` has to do with, in any role."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Website.objects.none()
    if is_superadmin(user):
        return Website.objects.all()
    # Sub-selects, not joins: a website has a million accounts, a person has one.
    return Website.objects.filter(
        Q(pk__in=Membership.objects.filter(user=user).values("website"))
        | Q(pk__in=Account.objects.own(user).values("website"))
        | Q(pk__in=Organisation.objects.own(user).values("website"))
    )


def can_bill(user: Person, website: Website) -> bool:
    """Whether `user` may issue invoices of `website`."""
    return standing_of(user).rules(website.pk)
