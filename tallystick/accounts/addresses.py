"""A postal address, as columns."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tallystick.kit.db.validators import validate_country


class Addressed(models.Model):
    """Has a postal address and a tax number."""

    line1 = models.CharField(_("address"), max_length=120, blank=True)
    line2 = models.CharField(_("address, second line"), max_length=120, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    region = models.CharField(_("state or region"), max_length=80, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        validators=[validate_country],
        help_text=_("ISO 3166-1 alpha-2, such as DE."),
    )
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)

    class Meta:
        abstract = True

    def address(self) -> dict[str, str]:
        """The address's parts by name; empty where not known."""
        return {
            "line1": self.line1,
            "line2": self.line2,
            "city": self.city,
            "region": self.region,
            "postal_code": self.postal_code,
            "country": self.country,
        }
