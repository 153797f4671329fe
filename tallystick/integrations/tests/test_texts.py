from __future__ import annotations

from typing import Any, cast

import pytest
from django.db import models

from tallystick.billing.models import Product
from tallystick.billing.tests import samples
from tallystick.kit.db.texts import AsText

pytestmark = pytest.mark.django_db


class KeyedByUuid:
    """What of such a model counts here."""

    class _meta:  # noqa: N801 - as Django calls it
        pk = models.UUIDField()


def test_a_key_is_written_as_python_writes_it() -> None:
    product = Product.objects.create(
        website=samples.studio(), name="Crown", price=1, currency="EUR"
    )
    rows = Product.objects.everywhere().annotate(
        number=AsText(Product), uuid=AsText(cast("Any", KeyedByUuid), "uid")
    )
    assert list(rows.values_list("number", "uuid")) == [(str(product.pk), str(product.uid))]
