from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from tallystick.kit import places
from tallystick.kit.db import validators


def test_countries_are_those_of_the_standard() -> None:
    assert len(places.countries()) == 250  # 249 of ISO 3166-1, and Kosovo
    assert {"DE", "GB", "TW", "XK"} <= places.countries()
    assert not {"EU", "UK", "ZZ", "UN", "de"} & places.countries()


def test_countries_have_names_in_the_readers_language() -> None:
    assert places.country_name("DE") == "Germany"
    assert places.country_name("DE", "fr") == "Allemagne"
    assert places.country_name("BR", "pt-br") == "Brasil"
    assert places.country_name("DE", "not a language") == "Germany"
    assert places.country_name("") == places.country_name("EU") == ""


@pytest.mark.parametrize(
    ("validate", "good", "bad"),
    [
        (validators.validate_country, "DE", "de"),
        (validators.validate_currency, "EUR", "eur"),
        (validators.validate_language, "pt-br", "xx-nowhere"),
        (validators.validate_time_zone, "Europe/Berlin", "Berlin"),
    ],
)
def test_codes_are_checked(validate: object, good: str, bad: str) -> None:
    assert callable(validate)
    validate(good)
    with pytest.raises(ValidationError, match=bad):
        validate(bad)
