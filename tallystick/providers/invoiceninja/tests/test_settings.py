from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tallystick.ports.records import Address, Customer, Kind, Product, Remote
from tallystick.ports.roles import Push
from tallystick.ports.sandboxing import transport
from tallystick.providers.invoiceninja import InvoiceNinja, InvoiceNinjaSettings
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.invoiceninja.tests import CASE
from tallystick.providers.invoiceninja.tests.answers import TOKEN, fixture, ninja, settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_url": "http://invoices.example.org"},
        {"api_url": "invoices.example.org"},
        {"api_token": ""},
        {"api_token": "a\nb"},
        {"api_token": "with space"},
        {"timeout": 0},
        {"request_delay": -1},
        {"max_attempts": 0},
        {"calls_per_minute": 0},
        {"api_tokem": "x"},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("written", ["", "/", "/api/v1", "/api/v1/"])
def test_the_address_is_given_with_or_without_its_prefix(written: str) -> None:
    client, network = ninja(
        {"POST companies/current": fixture("company")},
        api_url=f"https://invoices.example.org{written}",
    )
    client.ping()
    (request,) = network.requests()
    assert str(request.url) == "https://invoices.example.org/api/v1/companies/current"


@pytest.mark.parametrize(
    ("url", "own", "calls"),
    [
        ("https://invoicing.co", None, [1000]),
        ("https://acme.invoicing.co", None, [1000]),
        ("https://demo.invoiceninja.com", None, [1000]),
        ("https://notinvoicing.co", None, []),
        ("https://invoices.example.org", None, []),
        ("https://invoices.example.org", 300, [300]),
        ("https://invoicing.co", 300, [300]),
    ],
)
def test_only_its_own_hosting_is_known_to_limit_calls(
    url: str, own: int | None, calls: list[int]
) -> None:
    client, _ = ninja({}, api_url=url, calls_per_minute=own)
    assert [limit.calls for limit in client.limits] == calls


def test_attempts_are_as_the_settings_say() -> None:
    assert ninja({}, max_attempts=5)[0].max_attempts == 5


def test_a_host_says_what_goes_where() -> None:
    stand = InvoiceNinjaStand()
    settings = CASE.settings(
        stand, client_fields={"custom_value3": "chart_number", "custom_value2": "", "name": "email"}
    )
    record = Customer(
        key="c-1",
        name="Ada Berg",
        email="ada@example.org",
        details=(("chart_number", "C-17"), ("nationality", "DE"), ("referred_by", "XY")),
    )
    assert "chart_number" in InvoiceNinja.reads_with(settings)
    provider = InvoiceNinja(settings, transport=transport(stand))
    provider.push_customers([Push(record)], attempt="1")
    (row,) = stand.company.shelves["clients"]
    assert (row["name"], row["custom_value3"]) == ("ada@example.org", "C-17")
    assert not row.get("custom_value2")


@pytest.mark.parametrize("field", ["id_number", "contacts"])
def test_what_a_client_is_known_by_is_not_for_choosing(field: str) -> None:
    with pytest.raises(ValidationError, match="not for choosing"):
        CASE.settings(InvoiceNinjaStand(), client_fields={field: "email"})


class TestFields:
    record = Customer(
        key="c-1",
        name="Ada Berg",
        email="ada@example.org",
        tax_number="DE1",
        address=Address(city="Bonn"),
        details=(("chart_number", "C-17"), ("nationality", "DE")),
    )
    product = Product(
        key="p-1",
        code="crown",
        name="Crown",
        price=Decimal("10.50"),
        currency="EUR",
        details=(("category", "Dental"), ("wholesale", "7.25")),
    )

    @staticmethod
    def settings(**fields: Any) -> InvoiceNinjaSettings:
        return CASE.settings(InvoiceNinjaStand(), **fields)

    def test_every_field_that_is_written_is_described(self) -> None:
        for record, kind in ((self.record, Kind.CUSTOMER), (self.product, Kind.PRODUCT)):
            said = InvoiceNinja.said(record, self.settings())
            described = {field.name for field in InvoiceNinja.fields(kind)}
            assert set(said) <= described

    def test_only_what_is_not_as_usual_counts_besides(self) -> None:
        chosen = {"custom_value3": "nationality", "city": "", "state": "", "name": "email"}
        found = InvoiceNinja.otherwise(self.record, self.settings(client_fields=chosen))
        assert found == (("city", None), ("name", "ada@example.org"), ("state", None))
        assert not InvoiceNinja.otherwise(self.product, self.settings(client_fields=chosen))

    def test_a_path_leads_to_a_part(self) -> None:
        chosen = {"custom_value1": "address.city", "custom_value2": "address.nothing"}
        said = InvoiceNinja.said(self.record, self.settings(client_fields=chosen))
        assert (said["custom_value1"], said["custom_value2"]) == ("Bonn", "")

    @pytest.mark.parametrize(
        ("source", "price"), [("wholesale", 7.25), ("unknown", None), ("price", 10.5)]
    )
    def test_a_number_comes_from_a_detail(self, source: str, price: float | None) -> None:
        stand = InvoiceNinjaStand()
        settings = CASE.settings(stand, product_fields={"price": source, "cost": ""})
        provider = InvoiceNinja(settings, transport=transport(stand))
        (outcome,) = provider.push_products([Push(self.product)], attempt="1")
        assert isinstance(outcome, Remote), outcome
        (row,) = stand.company.shelves["products"]
        assert float(row.get("price") or 0) == (price or 0)
        said = InvoiceNinja.said(self.product, settings)
        assert said.get("price") == (None if price is None else f"{price:g}")

    def test_what_is_no_number_is_refused_with_the_field(self) -> None:
        stand = InvoiceNinjaStand()
        settings = CASE.settings(stand, product_fields={"price": "category"})
        provider = InvoiceNinja(settings, transport=transport(stand))
        (outcome,) = provider.push_products([Push(self.product)], attempt="1")
        assert str(outcome) == "price takes a number, and category is none."

    def test_the_company_names_its_fields(self) -> None:
        stand = InvoiceNinjaStand()
        provider = InvoiceNinja(CASE.settings(stand), transport=transport(stand))
        assert provider.field_labels() == {Kind.CUSTOMER: {}, Kind.PRODUCT: {}}
        stand.company.custom_fields = {
            "client1": "Referral Code|single_line_text",
            "product2": "Country",
            "invoice1": "Ward",
        }
        assert provider.field_labels() == {
            Kind.CUSTOMER: {"custom_value1": "Referral Code"},
            Kind.PRODUCT: {"custom_value2": "Country"},
        }

    def test_what_is_fed_otherwise_is_read_as_nothing_of_ours(self) -> None:
        stand = InvoiceNinjaStand()
        chosen = {"custom_value4": "chart_number", "phone": "address.city"}
        settings = CASE.settings(stand, client_fields=chosen)
        record = replace(self.record, details=(("chart_number", "17"),))
        provider = InvoiceNinja(settings, transport=transport(stand))
        provider.push_customers([Push(record)], attempt="1")
        (there,) = provider.pull_customers(since=None).items
        assert (there.local_id, there.phone, there.key) == ("", "", "c-1")
