"""The words of an invoice are as long wherever they are written."""

from __future__ import annotations

from typing import Any

from tallystick.api.inputs import InvoiceIn, LineIn
from tallystick.billing import lengths
from tallystick.billing.admin.lines import LineForm
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine


def longest(field: Any) -> int:  # noqa: ANN401 - of a form, of a serializer, or a column
    return int(field.max_length)


def test_api_admin_and_columns_hold_the_same() -> None:
    sent = InvoiceIn().fields
    for name, most in (("title", lengths.TITLE), ("description", lengths.DESCRIPTION)):
        for model in (Invoice, CreditNote):
            assert longest(model._meta.get_field(name)) == longest(sent[name]) == most
    assert longest(sent["reference"]) == lengths.REFERENCE
    assert longest(Invoice._meta.get_field("reference")) == lengths.REFERENCE
    for line in (
        LineIn().fields["description"],
        LineForm.base_fields["description"],
        InvoiceLine._meta.get_field("description"),
    ):
        assert longest(line) == lengths.LINE
