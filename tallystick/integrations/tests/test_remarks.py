"""What was sent, and of which something did not go along."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.management import call_command

from tallystick.billing.models import Product
from tallystick.integrations.advice import advice
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db


def dollars(ninja: NinjaSite) -> Product:
    return Product.objects.create(
        website=ninja.website, name="Crown", price=Decimal("10.00"), currency="USD"
    )


def test_a_price_in_another_currency_is_said_on_the_link(ninja: NinjaSite) -> None:
    product = dollars(ninja)
    ninja.serve()
    link = ninja.link(Kind.PRODUCT)
    assert link.state == State.DONE
    assert advice(link).what.startswith("Its price was not sent: it is in USD")
    assert "There it is 0.00." in advice(link).what
    product.save()
    ninja.serve()
    assert ninja.link(Kind.PRODUCT).remark == link.remark


def test_the_command_says_it_and_succeeds(
    ninja: NinjaSite, capsys: pytest.CaptureFixture[str]
) -> None:
    dollars(ninja)
    call_command("sync_products_to_invoice_ninja", all=True)
    assert "Its price was not sent" in capsys.readouterr().out


def test_it_is_said_no_longer_once_the_price_can_go(ninja: NinjaSite) -> None:
    product = dollars(ninja)
    ninja.serve()
    product.currency = "EUR"
    product.save()
    ninja.serve()
    assert ninja.link(Kind.PRODUCT).remark == ""
    assert float(ninja.row("products", product_key=product.slug)["price"]) == 10.0
