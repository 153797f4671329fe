"""What a push would change is told by reading alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tallystick.ports.errors import Refused
from tallystick.ports.records import Customer, Kind, Product, Remote, Tax
from tallystick.ports.roles import Change, Push
from tallystick.ports.sandboxing import transport
from tallystick.ports.testing import Recorder
from tallystick.providers.invoiceninja import InvoiceNinja, InvoiceNinjaSettings
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

CROWN = Product(
    key="p-1",
    code="crown",
    name="Crown",
    price=Decimal("190.00"),
    currency="EUR",
    details=(("django_product_id", 7),),
)


class Compared:
    """A client of a stand, and what it was asked."""

    def __init__(self) -> None:
        self.stand = InvoiceNinjaStand()
        self.network = Recorder(transport(self.stand))
        given = {"api_url": "https://x.example", "api_token": self.stand.token, "request_delay": 0}
        settings = InvoiceNinjaSettings.model_validate(given)
        self.client = InvoiceNinja(settings, transport=self.network)

    def made(self, product: Product = CROWN) -> Remote:
        (remote,) = self.client.push_products([Push(product)], attempt="a")
        assert isinstance(remote, Remote)
        return remote

    def changes(self, product: Product, remote: Remote | None = None) -> dict[str, Change]:
        """By field; nothing was written to learn them."""
        before = len(self.network.requests())
        (changes,) = self.client.compare(Kind.PRODUCT, [Push(product, remote)])
        asked = self.network.requests()[before:]
        assert {call.method for call in asked if "companies/current" not in call.url.path} == {
            "GET"
        }
        return {change.field: change for change in changes}


@pytest.fixture
def compared() -> Compared:
    return Compared()


def test_a_create_tells_all_that_it_would_have(compared: Compared) -> None:
    changes = compared.changes(CROWN)
    assert changes["product_key"] == Change("product_key", None, "crown")
    assert changes["price"] == Change("price", None, 190.0)
    assert changes["custom_value4"].here == "Django_ID_7"
    assert "notes" not in changes


def test_what_is_in_step_differs_in_nothing(compared: Compared) -> None:
    assert not compared.changes(CROWN, compared.made())


def test_only_what_differs_is_told(compared: Compared) -> None:
    remote = compared.made()
    changed = replace(CROWN, price=Decimal("199.90"), description="Of gold")
    changes = compared.changes(changed, remote)
    assert set(changes) == {"notes", "price", "cost"}
    assert changes["price"].there == 190
    assert changes["notes"] == Change("notes", "", "Of gold")


def test_what_a_push_would_find_by_its_key_is_compared(compared: Compared) -> None:
    compared.made()
    changes = compared.changes(replace(CROWN, description="Of gold"))
    assert set(changes) == {"notes"}


def test_a_tax_rate_that_is_not_there_is_not_made(compared: Compared) -> None:
    remote = compared.made()
    changes = compared.changes(replace(CROWN, tax=Tax("vat-13", Decimal(13))), remote)
    assert changes["tax_name1"].here == "vat-13"
    assert changes["tax_rate1"].here == 13


def test_archiving_and_its_undoing_are_changes(compared: Compared) -> None:
    remote = compared.made()
    asleep = replace(CROWN, is_active=False)
    assert compared.changes(asleep, remote) == {"active": Change("active", True, False)}
    compared.stand.archive_product("crown")
    assert compared.changes(CROWN, remote) == {"active": Change("active", False, True)}
    assert not compared.changes(asleep, remote)


def test_what_a_push_would_refuse_is_refused(compared: Compared) -> None:
    with pytest.raises(Refused, match="digits"):
        compared.client.compare(Kind.PRODUCT, [Push(replace(CROWN, price=Decimal("1e15")))])


def test_people_are_not_compared(compared: Compared) -> None:
    with pytest.raises(Refused):
        compared.client.compare(Kind.CUSTOMER, [Push(Customer(key="c-1", name="Anna"))])


def test_custom_fields_are_read(compared: Compared) -> None:
    assert compared.client.custom_fields() == {}
    compared.stand.company.custom_fields = {"client1": "Referral Code|single_line_text"}
    assert compared.client.custom_fields()["client1"] == "Referral Code|single_line_text"
