"""What people do in Invoice Ninja itself, not through its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tallystick.ports.sandboxing import BadAction, action
from tallystick.providers.invoiceninja.sandbox import (
    clients,
    invoices,
    paying,
    payments,
    plain,
    products,
)
from tallystick.providers.invoiceninja.sandbox.answers import Invalid, Row
from tallystick.providers.invoiceninja.sandbox.nouns import NOUNS
from tallystick.providers.invoiceninja.sandbox.ownership import Ownership

_MOST_SEEDED = 200_000
_NAMES = {
    "clients": ("id_number", "number", "email"),
    "products": ("product_key",),
    "invoices": ("number",),
    "payments": ("idempotency_key", "number"),
}


class Control(Ownership):
    """A client is named by id, id number, number or e-mail, a product by id or key, an invoice by
    id or number, a payment by id, idempotency key or number. Amounts are texts in major units."""

    @action
    def add_client(
        self, name: str, email: str = "", id_number: str = "", *, currency: str = ""
    ) -> dict[str, object]:
        given: Row = {
            "name": name,
            "id_number": id_number,
            "currency_code": currency,
            "contacts": [{"email": email}],
        }
        client = self._do(lambda: clients.create(self.company, given, {}))
        return {"client": client["id"], "number": client["number"]}

    @action
    def edit_client(self, client: str, fields: Mapping[str, Any]) -> dict[str, object]:
        """Set fields, by their names in the API; the currency stays unless it is named."""
        found = self._one("clients", client)
        given = {"settings": {"currency_id": found["settings"]["currency_id"]}, **fields}
        done = self._do(lambda: clients.change(self.company, found, given, {}))
        return {"client": done["id"], "name": done.get("name", "")}

    @action
    def drop_contact(self, client: str, email: str = "") -> dict[str, object]:
        """Take the contact with this e-mail off a client, the first one when empty."""
        found = self._one("clients", client)
        people = found["contacts"]
        wanted = [c for c in people if not email or c["email"].lower() == email.lower()]
        if not wanted:
            raise BadAction(f"The client has no contact {email!r}.")
        done = self._do(lambda: clients.drop_contact(self.company, found, wanted[0]["id"]))
        return {"client": done["id"], "contacts": len(done["contacts"])}

    @action
    def archive_client(self, client: str) -> dict[str, object]:
        return self._acted("clients", "archive", client)

    @action
    def delete_client(self, client: str) -> dict[str, object]:
        """It stays, marked as deleted; its id number stays taken."""
        return self._acted("clients", "delete", client)

    @action
    def restore_client(self, client: str) -> dict[str, object]:
        """Bring an archived or deleted one back."""
        return self._acted("clients", "restore", client)

    @action
    def add_product(
        self, product_key: str, price: str = "0", *, notes: str = "", custom_value4: str = ""
    ) -> dict[str, object]:
        given: Row = {
            "product_key": product_key,
            "price": price,
            "notes": notes,
            "custom_value4": custom_value4,
        }
        product = self._do(lambda: products.create(self.company, given, {}))
        return {"product": product["id"]}

    @action
    def edit_product(self, product: str, fields: Mapping[str, Any]) -> dict[str, object]:
        """Set fields, by their names in the API."""
        found = self._one("products", product)
        done = self._do(lambda: products.change(self.company, found, dict(fields), {}))
        return {"product": done["id"], "product_key": done.get("product_key", "")}

    @action
    def archive_product(self, product: str) -> dict[str, object]:
        return self._acted("products", "archive", product)

    @action
    def delete_product(self, product: str) -> dict[str, object]:
        return self._acted("products", "delete", product)

    @action
    def add_invoice(
        self, client: str, amount: str = "100", *, number: str = "", due_date: str = ""
    ) -> dict[str, object]:
        """One that was sent, over one line."""
        found = self._one("clients", client)
        given: Row = {
            "client_id": found["id"],
            "number": number,
            "due_date": due_date,
            "line_items": [{"notes": "Work", "cost": amount, "quantity": 1}],
        }
        query = {"mark_sent": "true"}
        done = self._do(lambda: paying.create_invoice(self.company, given, query))
        return self._summary(done["id"])

    @action
    def pay_invoice(self, invoice: str, amount: str = "") -> dict[str, object]:
        """Enter a payment, of all that is due unless `amount` says less."""
        found = self._one("invoices", invoice)
        owed = found["amount"] if found["status_id"] == invoices.Status.DRAFT else found["balance"]
        paid = _amount(amount) if amount else owed
        if not 0 < paid <= owed:
            raise BadAction(f"amount is more than 0 and at most {owed}.")
        parts = {found["id"]: paid}
        done = self._do(lambda: payments.enter(self.company, found["client_id"], parts))
        return {"payment": done["id"], **self._summary(found["id"])}

    @action
    def cancel_invoice(self, invoice: str) -> dict[str, object]:
        """Only one that was sent and is not paid can be."""
        found = self._one("invoices", invoice)
        if found["status_id"] not in invoices.OPEN:
            raise BadAction(f"The invoice {found['number']} cannot be cancelled.")
        self._do(lambda: invoices.cancel(self.company, found))
        return self._summary(found["id"])

    @action
    def delete_payment(self, payment: str) -> dict[str, object]:
        """What it was applied to is owed again."""
        return self._acted("payments", "delete", payment)

    @action
    def add_credit(self, client: str, amount: str) -> dict[str, object]:
        found = self._one("clients", client)
        done = self._do(lambda: plain.add_credit(self.company, found, _amount(amount)))
        return {"credit": done["id"], "number": done["number"]}

    @action
    def add_tax_rate(self, name: str, rate: str) -> dict[str, object]:
        given = {"name": name, "rate": rate}
        done = self._do(lambda: plain.create_rate(self.company, given, {}))
        return {"tax_rate": done["id"]}

    @action
    def seed_clients(self, count: int = 100, *, prefix: str = "Seeded") -> dict[str, object]:
        """Clients that were there before us, each with an e-mail of its own and no id number."""

        def plant(number: int) -> None:
            email = f"{prefix.lower()}-{number}@example.com"
            given = {"name": f"{prefix} {number}", "contacts": [{"email": email}]}
            clients.create(self.company, given, {})

        return self._seeded(count, plant)

    @action
    def seed_products(self, count: int = 100, *, prefix: str = "SEED") -> dict[str, object]:
        """Products that were there before us."""

        def plant(number: int) -> None:
            key = f"{prefix}-{number:06d}"
            given = {"product_key": key, "notes": f"Seeded {number}", "price": number % 100}
            products.create(self.company, given, {})

        return self._seeded(count, plant)

    def _seeded(self, count: int, plant: Callable[[int], None]) -> dict[str, object]:
        if not 0 < int(count) <= _MOST_SEEDED:
            raise BadAction(f"count is from 1 to {_MOST_SEEDED}.")

        def plant_all() -> Row:
            for number in range(1, int(count) + 1):
                plant(number)
            return {}

        self._do(plant_all)
        shelves = self.company.shelves
        return {"clients": len(shelves["clients"]), "products": len(shelves["products"])}

    def _acted(self, kind: str, act: str, key: str) -> dict[str, object]:
        found = self._one(kind, key)
        done = self._do(lambda: NOUNS[kind].act(self.company, act, found))
        return {
            kind.removesuffix("s"): done["id"],
            "archived": bool(done.get("archived_at")),
            "deleted": bool(done.get("is_deleted")),
        }

    def _do(self, deed: Callable[[], Row]) -> Row:
        """Do it as one request would be done."""
        try:
            done = deed()
        except Invalid as error:
            raise BadAction(str(error)) from None
        self.settle()
        return done

    def _one(self, kind: str, key: str) -> Row:
        shelf = self.company.shelves[kind]
        found = shelf.get(key)
        for name in _NAMES[kind]:
            found = found or next(iter(shelf.find(name, key)), None)
        if found is None:
            raise BadAction(f"There is no {kind.removesuffix('s')} {key!r}.")
        return found

    def _summary(self, identity: str) -> dict[str, object]:
        now = self.company.one("invoices", identity)
        names = ("id", "number", "status_id", "amount", "balance", "paid_to_date")
        return {name: str(now[name]) for name in names}


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadAction(f"{text!r} is not an amount.") from None
