"""Who may do what: a person's roles, put together from memberships and accounts."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from tallystick.accounts.memberships import Membership, Role
from tallystick.accounts.websites import Website

Person = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may do beyond their own affairs."""

    is_superadmin: bool = False
    admin_of: frozenset[int] = frozenset()
    """Ids of websites."""

    def rules(self, website_id: int | None) -> bool:
        """Whether everything of that website is theirs to manage."""
        return self.is_superadmin or website_id in self.admin_of


def standing_of(user: Person) -> Standing:
    """One query, or none: for a superuser, and where `user.memberships` was prefetched."""
    if not (user.is_authenticated and user.is_active):
        return Standing()
    if getattr(user, "is_superuser", False):
        return Standing(is_superadmin=True)
    memberships: QuerySet[Membership] = user.memberships.all()  # type: ignore[union-attr] # reverse name
    held = [(each.role, each.website_id) for each in memberships]
    return Standing(
        is_superadmin=any(role == Role.SUPERADMIN for role, _ in held),
        admin_of=frozenset(site for role, site in held if role == Role.ADMIN and site),
    )


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
    if not (user.is_authenticated and user.is_active):
        return Website.objects.none()
    if is_superadmin(user):
        return Website.objects.all()
    return Website.objects.filter(
        Q(memberships__user=user)
        | Q(account__user=user)
        | Q(organisation__organisationmember__user=user)
    ).distinct()


def can_bill(user: Person, website: Website) -> bool:
    """Whether `user` may issue invoices of `website`."""
    return standing_of(user).rules(website.pk)
