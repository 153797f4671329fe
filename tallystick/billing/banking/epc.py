"""What the square of a transfer holds: EPC069-12, which the banking apps of Europe read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import segno

from tallystick.billing.banking.references import structured_reference

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

_LONGEST_NAME = 70
_MOST = 999_999_999
_MASK = 3


def epc_payload(invoice: Invoice) -> str:
    """The transfer of what is due for `invoice`, to be shown as a QR code (error correction M); empty
    where there is none: without an IBAN, in another currency than the euro, with nothing due."""
    seller = invoice.as_seller()
    iban = "".join(seller.get("iban", "").split()).upper()
    due = invoice.due
    if not iban or due.currency != "EUR" or not 0 < due.amount <= _MOST:
        return ""
    bic = "".join(seller.get("bic", "").split()).upper()
    name = " ".join(seller["name"].split())[:_LONGEST_NAME]
    fields = [
        *("BCD", "002", "1", "SCT"),
        *(bic, name, iban, f"EUR{due.amount:.2f}"),
        *("", structured_reference(invoice)),
    ]
    return "\n".join(fields)


def qr_svg(payload: str) -> bytes:
    """`payload` as a picture, black on white: in the dark, too, a camera wants it so."""
    picture = io.BytesIO()
    # Any mask can be read; trying all eight for the prettiest takes as long as the whole invoice.
    code = segno.make(payload, error="m", micro=False, encoding="utf-8", mask=_MASK)
    code.save(picture, kind="svg", xmldecl=False, dark="#000", light="#fff", border=2, scale=4)
    return picture.getvalue()
