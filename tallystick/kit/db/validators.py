"""Validators for codes that a standard lists."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tallystick.kit import places
from tallystick.kit.money import DIGITS


def validate_country(code: str) -> None:
    if code not in places.countries():
        raise ValidationError(
            _("%(code)s is not a country code of ISO 3166-1, such as DE."), params={"code": code}
        )


def validate_currency(code: str) -> None:
    if code not in DIGITS:
        raise ValidationError(
            _("%(code)s is not a currency code of ISO 4217, such as EUR."), params={"code": code}
        )


def validate_language(code: str) -> None:
    if not places.is_language(code):
        raise ValidationError(
            _("%(code)s is not a language code, such as en or pt-br."), params={"code": code}
        )


def validate_time_zone(name: str) -> None:
    if name not in places.time_zones():
        raise ValidationError(
            _("%(name)s is not a time zone, such as Europe/Berlin."), params={"name": name}
        )
