"""Validators for codes that a standard lists."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tallystick.kit import places
from tallystick.kit.money import DIGITS

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", re.ASCII)


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


def validate_iban(text: str) -> None:
    """Of ISO 13616: spaces do not count."""
    iban = "".join(text.split())
    if not is_iban(iban):
        raise ValidationError(
            _("%(iban)s is no IBAN: a letter or figure is wrong, or one is missing."),
            params={"iban": text},
        )


def validate_bic(code: str) -> None:
    """Of ISO 9362: bank, country, place, and a branch or none."""
    if not _BIC.fullmatch(code) or code[4:6] not in places.countries():
        raise ValidationError(
            _("%(code)s is no BIC, such as DEUTDEFF or DEUTDEFF500."), params={"code": code}
        )


def is_iban(bare: str) -> bool:
    """Whether its check digits fit; written without spaces."""
    if not _IBAN.fullmatch(bare) or bare[:2] not in places.countries():
        return False
    figures = "".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])
    return int(figures) % 97 == 1


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
