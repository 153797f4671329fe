from __future__ import annotations

import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tallystick.billing.models import Product
from tallystick.billing.products import IMAGE_TYPES
from tallystick.billing.tests import samples
from tallystick.integrations import details
from tallystick.web.views.products import KINDS

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def product(db: None, tmp_path: Path, settings: Settings) -> Product:
    settings.MEDIA_ROOT = tmp_path
    return picture("crown.PNG")


def picture(name: str, data: bytes = PIXEL) -> Product:
    made = Product(website=samples.studio(domain=f"{name}.example"), name=name, currency="EUR")
    made.price = Decimal(1)
    made.image.save(name, ContentFile(data))
    return made


def address(product: Product) -> str:
    return reverse("product-image", args=[product.uid])


def body(answer: Any) -> bytes:  # noqa: ANN401 - a streamed response
    return b"".join(answer)


def test_everybody_sees_the_picture(product: Product, client: Client) -> None:
    answer = client.get(address(product))
    assert (answer.status_code, body(answer)) == (200, PIXEL)
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == f'inline; filename="{product.uid}.png"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "public" in answer["Cache-Control"]
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies


def test_its_address_is_what_outside_systems_are_told(product: Product, client: Client) -> None:
    told = str(dict(details.of_product(product))["image_url"])
    assert told.endswith(address(product))


def test_who_has_it_is_not_sent_it_again(product: Product, client: Client) -> None:
    first = client.get(address(product))
    tag = first["ETag"]
    body(first)
    again = client.get(address(product), headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    product.image.save("other.png", ContentFile(PIXEL + b"more"))
    changed = client.get(address(product), headers={"If-None-Match": tag})
    assert body(changed) == PIXEL + b"more"


def test_head_says_the_same_without_the_bytes(product: Product, client: Client) -> None:
    answer = client.head(address(product))
    assert (answer.status_code, body(answer)) == (200, b"")
    assert answer["Content-Length"] == str(len(PIXEL))
    assert client.post(address(product)).status_code == 405


def test_what_is_not_on_sale_has_none(product: Product, client: Client) -> None:
    product.is_active = False
    product.save()
    assert client.get(address(product)).status_code == 404


def test_no_picture_no_file_no_product(product: Product, client: Client) -> None:
    url = address(product)
    product.image.storage.delete(str(product.image.name))
    assert client.get(url).status_code == 404
    product.image = ""
    product.save()
    assert client.get(url).status_code == 404
    product.delete()
    assert client.get(url).status_code == 404


def test_another_kind_of_file_is_not_given_out(product: Product, client: Client) -> None:
    page = picture("page.html", b"<script>alert(1)</script>")
    assert client.get(address(page)).status_code == 404


def test_each_kind_that_is_accepted_is_given_out() -> None:
    assert set(KINDS) == set(IMAGE_TYPES)


def test_a_large_file_is_not_held_in_memory(product: Product, client: Client) -> None:
    large = picture("large.jpg", bytes(8_000_000))
    answer: Any = client.get(address(large))
    tracemalloc.start()
    size = sum(len(part) for part in answer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 8_000_000
    assert peak < 1_000_000
