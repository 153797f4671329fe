"""Website: a tenant. A brand with a domain, a currency, tax defaults and a sender address."""

from __future__ import annotations

import uuid
import zoneinfo
from datetime import date
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import (
    FileExtensionValidator,
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.addresses import Addressed
from tallystick.accounts.standing import Person
from tallystick.kit import clock, pictures
from tallystick.kit.db.validators import (
    validate_bic,
    validate_currency,
    validate_iban,
    validate_language,
    validate_time_zone,
)

_HOST = RegexValidator(
    r"^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:\d{1,5})?\Z",
    _("A host name in small letters, such as billing.example.org, with a port if need be."),
)
MOST_DAYS_TO_PAY = 3650
"""Ten years: beyond them lie slips of the keyboard."""
_MOST_REMINDERS = 10
_FARTHEST_REMINDER = 365
_COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("A colour written like #14532d."))


def validate_reminder_days(text: str) -> None:
    try:
        stages = [int(part) for part in text.split(",")]
    except ValueError:
        raise ValidationError(_("Whole numbers, parted by commas, such as -3, 1, 7.")) from None
    if len(stages) > _MOST_REMINDERS:
        raise ValidationError(_("At most %(most)d reminders."), params={"most": _MOST_REMINDERS})
    if sorted(set(stages)) != stages:
        raise ValidationError(_("Each day once, the earliest first."))
    if any(abs(stage) > _FARTHEST_REMINDER for stage in stages):
        raise ValidationError(_("At most a year before or after the due date."))


def validate_logo(logo: FieldFile) -> None:
    """It goes into every document and mail. One that is kept already is not read again."""
    if logo._committed:  # type: ignore[attr-defined] # Django tells it nowhere else
        return
    if logo.size > pictures.LARGEST:
        most = pictures.LARGEST // 1000
        raise ValidationError(_("The logo is larger than %(most)d kB."), params={"most": most})
    data = logo.read()
    logo.seek(0)
    if not pictures.is_whole(data):
        raise ValidationError(_("This is no PNG or JPEG that documents can show."))


class WebsiteQuerySet(models.QuerySet["Website"]):
    def visible_to(self, user: Person) -> Self:
        """The websites that `user` administers; all of them for a superadmin."""
        from tallystick.accounts.roles import standing_of

        standing = standing_of(user)
        return self if standing.is_superadmin else self.filter(pk__in=standing.admin_of)

    def default(self) -> Website | None:
        """The one that new people belong to."""
        return self.filter(is_default=True).first()


class Website(Addressed):
    class Rounding(models.TextChoices):
        LINE = "line", _("each line")
        DOCUMENT = "document", _("the whole document")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    domain = models.CharField(
        _("domain"),
        max_length=253,
        unique=True,
        validators=[_HOST],
        help_text=_("The host of payment links, such as billing.example.org."),
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("New people belong to this website.")
    )
    currency = models.CharField(
        _("currency"), max_length=3, default="EUR", validators=[validate_currency]
    )
    language = models.CharField(
        _("language"), max_length=10, default="en", validators=[validate_language]
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )

    prices_include_tax = models.BooleanField(_("prices include tax"), default=False)
    rounding = models.CharField(
        _("round tax on"), max_length=8, choices=Rounding, default=Rounding.LINE
    )
    payment_terms_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=14, validators=[MaxValueValidator(MOST_DAYS_TO_PAY)]
    )
    allow_part_payments = models.BooleanField(_("allow part payments"), default=False)
    retention_years = models.PositiveSmallIntegerField(
        _("years to keep documents"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_(
            "Issued documents keep their buyer so many years after the end of the year of issue, even "
            "when the person is erased: as long as the law asks."
        ),
    )
    reminder_days = models.CharField(
        _("remind on days"),
        max_length=80,
        blank=True,
        validators=[validate_reminder_days],
        help_text=_(
            "Days from the due date, before it with a minus: -3, 1, 7, 14, 30. "
            "Empty: no reminders are sent."
        ),
    )
    reminder_hour = models.PositiveSmallIntegerField(
        _("remind from"),
        default=9,
        validators=[MaxValueValidator(23)],
        help_text=_("The hour of the day, in the website's time zone."),
    )

    sender_name = models.CharField(_("sender name"), max_length=100, blank=True)
    sender_email = models.EmailField(_("sender e-mail address"), blank=True)
    logo = models.FileField(
        _("logo"),
        upload_to="logos/",
        blank=True,
        # No SVG: it can carry scripts, and it is served from our own host.
        validators=[FileExtensionValidator(["png", "jpg", "jpeg"]), validate_logo],
    )
    accent_colour = models.CharField(
        _("accent colour"), max_length=7, blank=True, validators=[_COLOUR]
    )

    legal_name = models.CharField(_("legal name"), max_length=150, blank=True)
    bank_name = models.CharField(_("bank"), max_length=100, blank=True)
    iban = models.CharField("IBAN", max_length=42, blank=True, validators=[validate_iban])
    bic = models.CharField("BIC", max_length=11, blank=True, validators=[validate_bic])

    objects: ClassVar[models.Manager[Website]] = models.Manager.from_queryset(WebsiteQuerySet)()

    class Meta:
        verbose_name = _("website")
        verbose_name_plural = _("websites")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_website",
                violation_error_message=_("Another website is the default one."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def today(self) -> date:
        """The date in the website's time zone."""
        return clock.now().astimezone(self.zone).date()

    @property
    def reminder_stages(self) -> tuple[int, ...]:
        """The days from the due date on which to remind, the earliest first."""
        try:
            return tuple(sorted({int(part) for part in self.reminder_days.split(",")}))
        except ValueError:
            return ()

    def make_default(self) -> None:
        """New people belong to this website from now on, and to no other."""
        with transaction.atomic():
            Website.objects.filter(is_default=True).exclude(pk=self.pk).update(is_default=False)
            self.is_default = True
            self.save(update_fields=["is_default"])

    def as_party(self) -> dict[str, str]:
        """The seller as a document states it; a document keeps its own copy."""
        return {
            "key": f"w-{self.uid.hex}",
            "name": self.legal_name or self.name,
            "email": self.sender_email,
            **self.address(),
            "tax_number": self.tax_number,
            "bank_name": self.bank_name,
            "iban": self.iban,
            "bic": self.bic,
        }
