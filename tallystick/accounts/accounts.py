"""Account: who is billed. Exactly one user or exactly one organisation."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.addresses import Addressed
from tallystick.accounts.organisations import Organisation, OrganisationMember
from tallystick.accounts.tenancy import TenantModel
from tallystick.accounts.websites import Website
from tallystick.kit.db.validators import validate_currency, validate_language

if TYPE_CHECKING:
    from tallystick.people.models import User


class Account(TenantModel, Addressed):
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="account",
        verbose_name=_("user"),
    )
    organisation = models.OneToOneField(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="account",
        verbose_name=_("organisation"),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        blank=True,
        validators=[validate_currency],
        help_text=_("Empty: the website's."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        validators=[validate_language],
        help_text=_("Empty: the website's."),
    )
    reminders_paused = models.BooleanField(
        _("send no reminders"), default=False, help_text=_("For none of their invoices.")
    )
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        indexes = [models.Index(fields=["website", "id"], name="account_by_age")]
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, organisation__isnull=False)
                | Q(user__isnull=False, organisation=None),
                name="account_of_one_user_or_one_organisation",
                violation_error_message=_(
                    "An account is of one user or of one organisation: choose exactly one."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def open_for_user(cls, user: User, website: Website) -> Account:
        """The account of `user`, opened at `website` unless there is one already."""
        with_user = cls.objects.everywhere().filter(user=user)
        return with_user.get_or_create(user=user, defaults={"website": website})[0]

    @classmethod
    def open_for_organisation(cls, organisation: Organisation) -> Account:
        """The account of `organisation`, opened at its website unless there is one already."""
        with_it = cls.objects.everywhere().filter(organisation=organisation)
        defaults = {"website_id": organisation.website_id}
        return with_it.get_or_create(organisation=organisation, defaults=defaults)[0]

    @classmethod
    def client_filter(cls, user: User) -> Q:
        theirs = OrganisationMember.objects.filter(user=user).values("organisation")
        all_of_them = cls._base_manager.order_by().values("pk")
        # A union in a sub-select: for an OR of the two the database reads every account there is.
        own = all_of_them.filter(user=user).union(all_of_them.filter(organisation__in=theirs))
        return Q(pk__in=own)

    def clean(self) -> None:
        super().clean()
        if self.organisation and self.organisation.website_id != self.website_id:
            raise ValidationError(
                {"organisation": _("The organisation belongs to another website.")}
            )

    @property
    def customer_key(self) -> str:
        """The customer's name at outside systems: never changes, means nothing to people."""
        return f"c-{self.uid.hex}"

    @property
    def name(self) -> str:
        if self.organisation:
            return self.organisation.name
        return (self.user.get_full_name() or self.user.get_username()) if self.user else ""

    @property
    def email(self) -> str:
        owner = self.organisation or self.user
        return owner.email if owner else ""

    @property
    def phone(self) -> str:
        # A host's own user model may know no phone numbers.
        return getattr(self.organisation or self.user, "phone_number", "")

    @property
    def billing_currency(self) -> str:
        return self.currency or self.website.currency

    @property
    def billing_language(self) -> str:
        return self.language or self.website.language

    @property
    def billing_tax_number(self) -> str:
        """The account's own tax number, or else its organisation's."""
        return self.tax_number or (self.organisation.tax_number if self.organisation else "")

    def as_party(self) -> dict[str, str]:
        """The buyer as a document states it; a document keeps its own copy."""
        return {
            "key": self.customer_key,
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            **self.address(),
            "tax_number": self.billing_tax_number,
        }
