"""Products, by `product_key` and, in `custom_value4`, the mark that says they are ours.

The server does not keep product keys unique: that there is one of each is our own doing.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from tallystick.ports.errors import Refused
from tallystick.ports.records import Product, Remote
from tallystick.ports.roles import Push
from tallystick.providers.invoiceninja import schema
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.desk import ANOTHERS, Desk, Payload
from tallystick.providers.invoiceninja.mapping import NUMBERS, ProductFields, told
from tallystick.providers.invoiceninja.schema import InvoiceNinjaSettings, Many, One
from tallystick.providers.invoiceninja.statics import Statics
from tallystick.providers.invoiceninja.taxes import TaxRates
from tallystick.providers.invoiceninja.wording import LINE, code, exact, fitted, told_apart

KEY = 50
"""Characters of a product key: our own rule, the server has room for more."""
_NOTES = 1000
MARK = "Django_ID_"


def line(name: str, value: str) -> str:
    """What goes into the field `name`."""
    return fitted(value, _NOTES if name == "notes" else LINE, name)


class Products(Desk[Product]):
    """A product of our key that is not ours is left alone; ours then has a key of its own."""

    noun = "products"
    page: ClassVar[str] = "/products/{id}/edit"

    def __init__(
        self,
        api: InvoiceNinjaApi,
        settings: InvoiceNinjaSettings,
        statics: Statics,
        taxes: TaxRates,
        fields: ProductFields,
    ) -> None:
        super().__init__(api, settings)
        self._statics = statics
        self._taxes = taxes
        self._fields = fields
        self._sets_cost = settings.set_cost

    def pushed(self, push: Push[Product]) -> Remote:
        record = push.record
        if push.remote:
            there = self._api.get(self.address(push.remote.id), One[schema.Product]).data
            return self._changed(record, there)
        key, ours = self._place(record)
        if ours:
            return self._changed(record, ours)
        payload = {**self._payload(record), "product_key": key}
        made = self._api.send("POST", "/products", One[schema.Product], json=payload).data
        return self._told(made, record)

    def found(self, record: Product) -> Remote | None:
        _, ours = self._place(record)
        return self.remote(ours) if ours else None

    def _changed(self, record: Product, there: schema.Product) -> Remote:
        if there.custom_value4.startswith(MARK) and there.custom_value4 != mark(record):
            raise Refused(ANOTHERS % there.custom_value4)
        if there.is_deleted and not record.is_active:
            return self.remote(there)
        payload = {**self._payload(record), "product_key": self._key_for(record, there)}
        self.woken(there, is_active=record.is_active)
        now = self._api.send("PUT", self.address(there.id), One[schema.Product], json=payload).data
        return self._told(now, record)

    def _told(self, there: schema.Product, record: Product) -> Remote:
        """With a remark where its price stayed here."""
        remote = self.settled(there, is_active=record.is_active)
        home = self._statics.home_currency() if "price" in self._fields and record.price else ""
        if home in {"", record.currency}:
            return remote
        remark = (
            f"Its price was not sent: it is in {record.currency}, and Invoice Ninja keeps the prices "
            f"of products in the company's currency, {home}. There it is {there.price:.2f}."
        )
        return replace(remote, remark=remark)

    def _key_for(self, record: Product, there: schema.Product) -> str:
        """The key it has, unless the product has another name now."""
        if there.product_key in keys(record):
            return there.product_key
        key, _ = self._place(record)
        return key

    def _place(self, record: Product) -> tuple[str, schema.Product | None]:
        """The key for it, and what is ours under that: the plain one unless others have it."""
        plain, own = keys(record)
        ours, others = self._under(plain, record)
        if ours or not others:
            return plain, ours
        return own, self._under(own, record)[0]

    def _under(self, key: str, record: Product) -> tuple[schema.Product | None, bool]:
        """Our product of this key, and whether anyone else has one."""
        reply = self._api.get("/products", Many[schema.Product], params={"product_key": key})
        same = [row for row in reply.data if row.product_key == key]
        ours = [row for row in same if row.custom_value4 == mark(record)]
        others = any(row not in ours and not row.is_deleted for row in same)
        return min(ours, key=lambda row: row.is_put_away, default=None), others

    def _payload(self, record: Product) -> Payload:
        payload: Payload = {}
        for name, of in self._fields.items():
            value = of(record)
            if isinstance(value, Decimal):
                if self._is_priced(name, record):
                    payload[name] = exact(value)
            elif name not in NUMBERS:
                payload[name] = line(name, value)
        payload |= {"custom_value4": mark(record), **self._taxes.fields(record.tax)}
        image = told(record, "image_url")
        if image.startswith(("https://", "http://")):
            payload["product_image"] = image
        return payload

    def _is_priced(self, name: str, record: Product) -> bool:
        """A product's price there is in the company's currency, without saying so."""
        if name == "cost" and not self._sets_cost:
            return False
        home = self._statics.home_currency()
        return home in {"", record.currency}


def product_key(text: str) -> str:
    """A slug or a name as the key of a product."""
    return code(text, KEY)


def mark(record: Product) -> str:
    return MARK + (told(record, "django_product_id") or record.key)


def keys(record: Product) -> tuple[str, str]:
    """What it is called there, and what when that is somebody else's."""
    plain = told(record, "slug") or record.code or record.name
    return product_key(plain), told_apart(plain, mark(record), KEY)
