"""Clients, products and tax rates as the company has them."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from tallystick.ports.records import (
    Address,
    Remote,
    RemoteCustomer,
    RemoteProduct,
    RemoteTaxRate,
    Tax,
)
from tallystick.ports.roles import Page
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.clients import Clients
from tallystick.providers.invoiceninja.products import MARK, Products
from tallystick.providers.invoiceninja.reading import changed, moment
from tallystick.providers.invoiceninja.schema import Client, Contact, Many, Product, TaxRate
from tallystick.providers.invoiceninja.statics import Statics

_OUR_KEY = re.compile(r"[a-z0-9-]{1,50}", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class Pulling:
    """`client_fields` are those that are not fed as usual: what they say there is none of ours."""

    def __init__(
        self,
        api: InvoiceNinjaApi,
        statics: Statics,
        clients: Clients,
        products: Products,
        client_fields: Collection[str] = (),
    ) -> None:
        self._api = api
        self._others = client_fields
        self._statics = statics
        self._clients = clients
        self._products = products

    def customers(self, since: datetime | None, cursor: str) -> Page[RemoteCustomer]:
        rows, after = changed(self._api, "/clients", Many[Client], since, cursor)
        return Page(tuple(map(self._customer, rows)), after)

    def products(self, since: datetime | None, cursor: str) -> Page[RemoteProduct]:
        rows, after = changed(self._api, "/products", Many[Product], since, cursor)
        return Page(tuple(map(self._product, rows)), after)

    def tax_rates(self, since: datetime | None, cursor: str) -> Page[RemoteTaxRate]:
        rows, after = changed(self._api, "/tax_rates", Many[TaxRate], since, cursor)
        return Page(tuple(map(_tax_rate, rows)), after)

    def _customer(self, client: Client) -> RemoteCustomer:
        person = _first(client)
        return RemoteCustomer(
            remote=self._clients.remote(client),
            name=client.name or client.display_name,
            updated_at=moment(client.updated_at),
            key=client.id_number if _OUR_KEY.fullmatch(client.id_number) else "",
            local_id="" if "custom_value4" in self._others else _number(client.custom_value4),
            number=client.number,
            email=person.email.strip() if person else "",
            first_name=person.first_name if person else "",
            last_name=person.last_name if person else "",
            phone=(person.phone if person else "") or self._phone(client),
            tax_number=client.vat_number,
            address=Address(
                client.address1,
                client.address2,
                client.city,
                client.state,
                client.postal_code,
                self._statics.country(client.country_id),
            ),
            currency=self._statics.currency(client.currency_id),
            is_active=not client.is_put_away,
        )

    def _phone(self, client: Client) -> str:
        return "" if "phone" in self._others else client.phone

    def _product(self, product: Product) -> RemoteProduct:
        known_by = product.custom_value4.removeprefix(MARK)
        is_marked = known_by != product.custom_value4
        is_numbered = bool(_number(known_by))
        return RemoteProduct(
            remote=self._products.remote(product),
            code=product.product_key,
            updated_at=moment(product.updated_at),
            key=known_by if is_marked and not is_numbered else "",
            local_id=known_by if is_marked and is_numbered else "",
            name=product.product_key,
            description=product.notes,
            price=product.price,
            currency=self._statics.home_currency(),
            tax=Tax(product.tax_name1, product.tax_rate1) if product.tax_name1 else None,
            is_active=not product.is_put_away,
        )


def _tax_rate(rate: TaxRate) -> RemoteTaxRate:
    return RemoteTaxRate(
        remote=Remote(rate.id, str(rate.updated_at)),
        name=rate.name,
        percent=rate.rate,
        updated_at=moment(rate.updated_at),
        is_active=not rate.is_put_away,
    )


def _first(client: Client) -> Contact | None:
    return max(client.contacts, key=lambda contact: contact.is_primary, default=None)


def _number(text: str) -> str:
    return text.strip() if _NUMBER.fullmatch(text.strip()) else ""
