"""What people do in Xero itself, not through its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from tallystick.ports.sandboxing import BadAction, action
from tallystick.providers.xero.sandbox import contacts, invoices, payments
from tallystick.providers.xero.sandbox.answers import Element, Invalid
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.ownership import Ownership

_MOST_SEEDED = 100_000

T = TypeVar("T")


class Control(Ownership):
    """An invoice is named by id or number. Amounts are texts in major units."""

    @action
    def pay_invoice(
        self,
        invoice: str,
        amount: str = "",
        *,
        reference: str = "",
        day: str = "",
        account: str = "090",
        organisation: str = "",
    ) -> dict[str, object]:
        """Record a payment, of all that is due unless `amount` says less."""
        books = self.app(organisation).books
        found = self._invoice(books, invoice)
        given: Element = {
            "Invoice": {"InvoiceID": found["InvoiceID"]},
            "Account": {"Code": account},
            "Amount": Decimal(amount) if amount else found["AmountDue"],
            "Date": day or books.today().isoformat(),
            "Reference": reference,
        }
        payment = self._do(organisation, lambda: payments.create(books, given))
        return {"payment": payment["PaymentID"], **self._summary(books, found)}

    @action
    def void_invoice(self, invoice: str, *, organisation: str = "") -> dict[str, object]:
        """Void it, or delete it while it is a draft."""
        books = self.app(organisation).books
        found = self._invoice(books, invoice)
        ended = "VOIDED" if found["Status"] in {"AUTHORISED", "PAID"} else "DELETED"
        return self.edit_invoice(invoice, {"Status": ended}, organisation=organisation)

    @action
    def edit_invoice(
        self, invoice: str, fields: Mapping[str, Any], *, organisation: str = ""
    ) -> dict[str, object]:
        """Set fields, by their names in the API."""
        books = self.app(organisation).books
        found = self._invoice(books, invoice)
        self._do(organisation, lambda: invoices.change(books, found, dict(fields)))
        return self._summary(books, found)

    @action
    def delete_payment(self, payment: str, *, organisation: str = "") -> dict[str, object]:
        books = self.app(organisation).books
        found = books.payments.get(payment) or next(
            iter(books.payments.find("Reference", payment)), None
        )
        if found is None:
            raise BadAction(f"There is no payment {payment!r}.")
        self._do(organisation, lambda: payments.delete(books, found, {"Status": "DELETED"}))
        return self._summary(books, found["Invoice"])

    @action
    def edit_contact(
        self, contact: str, fields: Mapping[str, Any], *, organisation: str = ""
    ) -> dict[str, object]:
        """Set fields, by their names in the API; ContactStatus archives and brings back."""
        books = self.app(organisation).books
        found = contacts.by_id_or_number(books.contacts, contact)
        if found is None:
            raise BadAction(f"There is no contact {contact!r}.")
        given = {**fields, "ContactID": found["ContactID"]}
        done = self._do(organisation, lambda: contacts.upsert(books, given))
        return {"contact": done["ContactID"], "name": done["Name"], "status": done["ContactStatus"]}

    @action
    def seed(
        self, invoices_count: int = 100, *, prefix: str = "SEED", organisation: str = ""
    ) -> dict[str, object]:
        """Approved invoices that were there before us, all of one contact."""
        if not 0 < int(invoices_count) <= _MOST_SEEDED:
            raise BadAction(f"invoices_count is from 1 to {_MOST_SEEDED}.")
        books = self.app(organisation).books

        def plant() -> None:
            contact = contacts.active_named(books, "Seeded customer") or contacts.create(
                books, {"Name": "Seeded customer"}
            )
            line = {"Description": "Seeded", "UnitAmount": "10.00", "AccountCode": "200"}
            for number in range(1, int(invoices_count) + 1):
                given = {
                    "Type": "ACCREC",
                    "Contact": {"ContactID": contact["ContactID"]},
                    "InvoiceNumber": f"{prefix}-{number:06d}",
                    "DueDate": books.today().isoformat(),
                    "Status": "AUTHORISED",
                    "LineItems": [line],
                }
                invoices.create(books, given)

        self._do(organisation, plant)
        return {"invoices": len(books.invoices), "items": len(books.items)}

    def _do(self, organisation: str, deed: Callable[[], T]) -> T:
        """Do it as one request would be done."""
        app = self.app(organisation)
        mark = app.books.undo.mark()
        try:
            done = deed()
        except Invalid as error:
            app.books.undo.back(mark)
            raise BadAction(str(error)) from None
        self.settle(app)
        return done

    def _invoice(self, books: Books, key: str) -> Element:
        found = invoices.by_id_or_number(books, key)
        if found is None:
            raise BadAction(f"There is no invoice {key!r}.")
        return found

    def _summary(self, books: Books, invoice: Element) -> dict[str, object]:
        now = books.invoices.get(invoice["InvoiceID"]) or {}
        names = ("InvoiceID", "InvoiceNumber", "Status", "Total", "AmountDue", "AmountPaid")
        return {name: str(now[name]) for name in names}
