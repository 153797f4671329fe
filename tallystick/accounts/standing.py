"""What a person may do beyond their own affairs: their roles, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from tallystick.people.models import User

# By name alone: a host project may have a user model of its own.
Person: TypeAlias = "User | AnonymousUser"


class Role(models.TextChoices):
    SUPERADMIN = "superadmin", _("superadmin: every website")
    ADMIN = "admin", _("admin: everything of the website")
    CLIENT = "client", _("client: their own invoices")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may do beyond their own affairs."""

    is_superadmin: bool = False
    admin_of: frozenset[int] = frozenset()
    """Ids of websites."""

    @property
    def is_admin(self) -> bool:
        """Whether there is any website that they manage."""
        return self.is_superadmin or bool(self.admin_of)

    def rules(self, website_id: int | None) -> bool:
        """Whether everything of that website is theirs to manage."""
        return self.is_superadmin or website_id in self.admin_of


def standing_of(user: Person) -> Standing:
    """One query, or none: for a superuser, and where `user.memberships` was prefetched."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Standing()
    if user.is_superuser:
        return Standing(is_superadmin=True)
    held = [(each.role, each.website_id) for each in user.memberships.all()]
    return Standing(
        is_superadmin=any(role == Role.SUPERADMIN for role, _ in held),
        admin_of=frozenset(site for role, site in held if role == Role.ADMIN and site),
    )
