"""Items: our products, by code."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.kit.money import round_to
from tallystick.ports.records import Product
from tallystick.ports.roles import Outcome, Push
from tallystick.providers.xero import schema
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.desk import EACH_BY_ITSELF, FOUR_PLACES, Desk, Payload
from tallystick.providers.xero.taxes import TaxTypes
from tallystick.providers.xero.wording import code, exact, fitted

_CODE = 30
_NAME = 50
_DESCRIPTION = 4000
_PLACES = 4


class Items(Desk[Product]):
    """By POST always, which goes by the code: an item of our code that is there already, entered
    by hand perhaps, becomes ours."""

    noun = "Items"
    listing = schema.Items
    create_with = "POST"
    write_with = EACH_BY_ITSELF | FOUR_PLACES
    key_field = "Code"

    def __init__(self, api: XeroApi, settings: schema.XeroSettings, taxes: TaxTypes) -> None:
        super().__init__(api)
        self._settings = settings
        self._taxes = taxes

    def key(self, record: Product) -> str:
        return item_code(record.code)

    def payload(self, push: Push[Product]) -> Payload:
        record = push.record
        sales: Payload = {"AccountCode": self._settings.account_code}
        # An item's price is in the organisation's currency, without saying so.
        if record.currency == self._settings.currency_code:
            sales["UnitPrice"] = exact(round_to(record.price, _PLACES))
        if record.tax:
            sales["TaxType"] = self._taxes.of(record.tax)
        element: Payload = {
            "Code": item_code(record.code),
            "Name": fitted(record.name, _NAME, "A product's name"),
            "Description": fitted(
                record.description or record.name, _DESCRIPTION, "A product's description"
            ),
            "IsSold": record.is_active,
            "SalesDetails": sales,
        }
        if push.remote:
            element["ItemID"] = push.remote.id
        return element

    def reconsidered(
        self, pushes: Sequence[Push[Product]], refusals: Sequence[Outcome], attempt: str
    ) -> list[Outcome]:
        """A taken code is no reason to refuse, so there is nothing to look for."""
        del pushes, attempt
        return list(refusals)


def item_code(text: str) -> str:
    return code(text, _CODE)
