"""The people who sign in. A host project may bring a user model of its own instead."""

from __future__ import annotations

import secrets
import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tallystick.kit.db.fields import EncryptedTextField
from tallystick.kit.db.keysets import folded
from tallystick.kit.db.validators import validate_country
from tallystick.kit.places import country_name

_REFERRAL_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken when read aloud


def new_referral_code() -> str:
    """Ten letters and digits: 49 random bits."""
    return "".join(secrets.choice(_REFERRAL_ALPHABET) for _ in range(10))


class User(AbstractUser):
    """A person who can sign in.

    An e-mail address belongs to one user, whatever its letters' case, so that it names a log-in. Two
    people who share a mailbox: the second goes without one here, or is billed as an organisation,
    which has an address of its own.

    Health and emergency data are encrypted; they leave the site only where a setting says so.
    """

    class Sex(models.TextChoices):
        FEMALE = "female", _("female")
        MALE = "male", _("male")
        INTERSEX = "intersex", _("intersex")
        UNDISCLOSED = "undisclosed", _("not disclosed")

    SENSITIVE_FIELDS: ClassVar = (
        "emergency_contact_name",
        "emergency_contact_phone",
        "emergency_contact_relationship",
        "medical_sex",
        "medical_conditions",
        "allergies",
        "medications",
        "insurance_policy",
        "insurance_company",
    )

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    phone_number = models.CharField(_("phone number"), max_length=40, blank=True)
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    nationality = models.CharField(
        _("nationality"),
        max_length=2,
        blank=True,
        validators=[validate_country],
        help_text=_("ISO 3166-1 alpha-2, such as DE."),
    )
    referral_code = models.CharField(
        _("referral code"), max_length=20, blank=True, default=new_referral_code
    )
    referred_by = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="referrals",
        verbose_name=_("referred by"),
    )
    emergency_contact_name = EncryptedTextField(_("emergency contact"), blank=True)
    emergency_contact_phone = EncryptedTextField(_("their phone number"), blank=True)
    emergency_contact_relationship = EncryptedTextField(_("their relationship"), blank=True)
    medical_sex = EncryptedTextField(_("medical sex"), blank=True, choices=Sex)
    medical_conditions = EncryptedTextField(_("medical conditions"), blank=True)
    allergies = EncryptedTextField(_("allergies"), blank=True)
    medications = EncryptedTextField(_("medications"), blank=True)
    insurance_policy = EncryptedTextField(_("insurance policy"), blank=True)
    insurance_company = EncryptedTextField(_("insurance company"), blank=True)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            models.Index(folded("email"), name="user_by_email"),
            models.Index(folded("last_name"), name="user_by_last_name"),
            models.Index(folded("first_name"), name="user_by_first_name"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="an_email_names_one_user",
                violation_error_message=_("Another user has this e-mail address."),
            ),
            models.UniqueConstraint(
                fields=["referral_code"],
                condition=~models.Q(referral_code=""),
                name="a_referral_code_names_one_user",
                violation_error_message=_("Another user has this referral code."),
            ),
        ]

    @property
    def full_name(self) -> str:
        """First and last name; empty where neither is known."""
        return self.get_full_name()

    @property
    def nationality_name(self) -> str:
        """What the nationality's country is called in the language in use."""
        return country_name(self.nationality, get_language() or "en")
