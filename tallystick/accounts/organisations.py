"""Organisation: a company or association, with members."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantModel
from tallystick.kit.db.keysets import folded

if TYPE_CHECKING:
    from tallystick.people.models import User


class Organisation(TenantModel):
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=150)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone_number = models.CharField(_("phone number"), max_length=40, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    members: models.ManyToManyField[models.Model, OrganisationMember] = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="accounts.OrganisationMember",
        related_name="organisations",
        verbose_name=_("members"),
    )

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]
        indexes = [
            models.Index(folded("name"), name="organisation_by_name"),
            models.Index(folded("email"), name="organisation_by_email"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(pk__in=OrganisationMember.objects.filter(user=user).values("organisation"))


class OrganisationMember(models.Model):
    """A person who sees and pays what the organisation is billed."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, verbose_name=_("organisation"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"))

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user"],
                name="member_once",
                violation_error_message=_("The person is a member already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.organisation})"
