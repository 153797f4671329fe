from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from tallystick.accounts.models import Website
from tallystick.billing import triggers
from tallystick.billing.products import Product
from tallystick.billing.taxes import TaxRate
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D

pytestmark = pytest.mark.django_db


def product(at: Website, **values: object) -> Product:
    return Product.objects.create(
        **({"website": at, "name": "Chair", "price": D(5), "currency": "EUR"} | values)
    )


def test_a_slug_comes_from_the_name_and_stays_unique(website: Website) -> None:
    first, second = product(website), product(website)
    assert first.slug == first.code == "chair"
    assert second.slug == f"chair-{second.uid.hex[:8]}"
    long = [product(website, name="x" * 200) for _ in range(2)]
    assert len({item.slug for item in long}) == 2
    assert product(website, name="椅子").slug == "product"
    assert product(making.website()).slug == "chair"


@pytest.mark.parametrize(
    "values",
    [{"currency": "EURO"}, {"country_of_origin": "XX"}, {"price": D(-1)}, {"image": "a.svg"}],
)
def test_bad_values_are_refused(website: Website, values: dict[str, object]) -> None:
    bad = Product(**({"website": website, "name": "x", "price": D(1), "currency": "EUR"} | values))
    with pytest.raises(ValidationError):
        bad.full_clean()


def test_a_website_has_one_default_rate(website: Website) -> None:
    TaxRate.objects.create(website=website, code="a", name="A", percent=D(19), is_default=True)
    other = TaxRate(website=website, code="b", name="B", percent=D(7), is_default=True)
    with pytest.raises(ValidationError, match="Another rate is the default one"):
        other.full_clean()
    with pytest.raises(IntegrityError):
        other.save()


def test_the_triggers_are_there_after_all_migrations(website: Website) -> None:
    table = "pg_trigger" if connection.vendor == "postgresql" else "sqlite_master"
    name = "tgname" if connection.vendor == "postgresql" else "name"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {table}")  # noqa: S608 - both are literals above
        found = {row[0] for row in cursor.fetchall()}
    assert {f"{rule[0]}_fixed" for rule in triggers._RULES} <= found
