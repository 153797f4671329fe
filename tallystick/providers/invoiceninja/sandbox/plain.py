"""Tax rates and credits: little more than what is set."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.company import shown as whole
from tallystick.providers.invoiceninja.sandbox.invoices import Status
from tallystick.providers.invoiceninja.sandbox.reading import Form


def create_rate(company: Company, given: Row, query: Mapping[str, str]) -> Row:
    del query
    fields = _read_rate(company, given, None, required=("name", "rate"))
    return company.add("tax_rates", fields, made=fields["name"])


def change_rate(company: Company, rate: Row, given: Row, query: Mapping[str, str]) -> Row:
    del query
    return company.keep("tax_rates", {**rate, **_read_rate(company, given, rate)})


def shown_rate(company: Company, rate: Row, public_url: str) -> Row:
    del company, public_url
    return whole(rate, {})


def add_credit(company: Company, client: Row, amount: Decimal) -> Row:
    """One that was sent and is not used yet."""
    number = company.next_number("credits")
    fields = {
        "client_id": client["id"],
        "number": number,
        "status_id": Status.SENT,
        "date": company.today().isoformat(),
        "amount": amount,
        "balance": amount,
        "paid_to_date": Decimal(0),
        "line_items": [],
        "invitations": [],
    }
    return company.add("credits", fields, made=number)


def shown_credit(company: Company, credit: Row, public_url: str) -> Row:
    del public_url
    return {**whole(credit, {}), "user_id": company.user_id, "documents": []}


def _read_rate(
    company: Company, given: Row, rate: Row | None, *, required: tuple[str, ...] = ()
) -> Row:
    form = Form(given)
    form.required(*required)
    form.texts({"name": 191})
    form.numbers(("rate",))
    if company.is_taken("tax_rates", "name", form.fields.get("name"), by_other_than=rate):
        form.refuse("name", "The name has already been taken.")
    return form.done()
