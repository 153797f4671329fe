"""Membership: what a person may do, and for which website."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.standing import Person, Role, standing_of
from tallystick.accounts.websites import Website


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, user: Person) -> Self:
        """The roles at the websites that `user` administers; all of them for a superadmin."""
        standing = standing_of(user)
        return self if standing.is_superadmin else self.filter(website__in=standing.admin_of)


class Membership(models.Model):
    """One role of one user. A superadmin's names no website, the others name one."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    website = models.ForeignKey(
        Website,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="memberships",
        verbose_name=_("website"),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role)

    objects: ClassVar[models.Manager[Membership]] = models.Manager.from_queryset(
        MembershipQuerySet
    )()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "website"],
                name="one_role_per_website",
                violation_error_message=_("The person has a role at this website already."),
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(website=None),
                name="superadmin_once",
                violation_error_message=_("The person is a superadmin already."),
            ),
            models.CheckConstraint(
                condition=Q(role=Role.SUPERADMIN, website=None)
                | Q(role__in=[Role.ADMIN, Role.CLIENT], website__isnull=False),
                name="only_superadmins_have_no_website",
                violation_error_message=_(
                    "A superadmin belongs to no single website; every other role names one."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
